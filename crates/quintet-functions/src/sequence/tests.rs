use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, StringArray, StringViewArray,
    TimestampMicrosecondArray, UInt64Array,
};
use datafusion::logical_expr::{Accumulator, EmitTo, GroupsAccumulator};
use datafusion::prelude::SessionContext;
use quintet_behavior::funnel::{Attribution, Funnel, Order};

use super::accumulator::Sequences;
use super::{Columns, Reading};
use crate::funnel::FunnelDefinition;

/// Events of 40 actors under three values, more than one at some instants.
struct History {
    actors: Vec<usize>,
    columns: Vec<ArrayRef>,
}

const ACTORS: usize = 40;

fn history(order: impl Fn(&mut Vec<usize>)) -> History {
    let mut rows: Vec<usize> = (0..600).collect();
    order(&mut rows);
    let noise = |row: usize, salt: usize| (row * 7_919 + salt * 104_729) % 1_009;
    let column = |f: &dyn Fn(usize) -> u64| -> ArrayRef {
        Arc::new(
            rows.iter()
                .map(|&row| Some(f(row)))
                .collect::<UInt64Array>(),
        )
    };
    let times: TimestampMicrosecondArray = rows
        .iter()
        .map(|&row| Some((noise(row, 1) / 4) as i64))
        .collect();
    let values: StringViewArray = rows
        .iter()
        .map(|&row| ["", "pro", "a text that is longer than twelve bytes"].get(noise(row, 2) % 3))
        .collect();
    History {
        actors: rows.iter().map(|&row| noise(row, 3) % ACTORS).collect(),
        columns: vec![
            Arc::new(StringArray::from(vec![""; rows.len()])),
            Arc::new(times.with_timezone("UTC")),
            column(&|row| 1 << (noise(row, 4) % 3)),
            column(&|row| u64::from(noise(row, 5) % 11 == 0) << 1),
            Arc::new(values),
        ],
    }
}

fn sequences() -> Sequences {
    let definition = FunnelDefinition {
        funnel: Funnel {
            steps: 3,
            order: Order::Ordered,
            window: 60,
            optional: 0,
            simultaneity: 0,
            attribution: Attribution::AllEvents,
            entry_until: None,
        },
        periods: None,
        empty: Some(String::new()),
    };
    let json = serde_json::to_string(&definition).unwrap();
    let reading: Arc<dyn Reading> = crate::funnel::runs_reading(&json).unwrap();
    Sequences::new(reading, Columns::Marked)
}

fn outcomes(mut sequences: Sequences) -> String {
    format!("{:?}", sequences.evaluate_all())
}

impl Sequences {
    fn evaluate_all(&mut self) -> ArrayRef {
        GroupsAccumulator::evaluate(self, EmitTo::All).unwrap()
    }

    fn updated(mut self, history: &History, filter: Option<&BooleanArray>) -> Self {
        GroupsAccumulator::update_batch(
            &mut self,
            &history.columns,
            &history.actors,
            filter,
            ACTORS,
        )
        .unwrap();
        self
    }
}

fn in_order() -> History {
    history(|_| {})
}

#[test]
fn outcomes_do_not_depend_on_the_order_of_rows() {
    let expected = outcomes(sequences().updated(&in_order(), None));
    let backwards = history(|rows| rows.reverse());
    let mixed = history(|rows| rows.sort_by_key(|row| (row * 31) % 600));
    assert_eq!(outcomes(sequences().updated(&backwards, None)), expected);
    assert_eq!(outcomes(sequences().updated(&mixed, None)), expected);
}

#[test]
fn states_can_be_merged_again_and_again() {
    let history = in_order();
    let expected = outcomes(sequences().updated(&history, None));
    let is_even = BooleanArray::from_iter((0..history.actors.len()).map(|row| Some(row % 2 == 0)));
    let is_odd = datafusion::arrow::compute::not(&is_even).unwrap();
    let all: Vec<usize> = (0..ACTORS).collect();
    let mut merged = sequences();
    for filter in [&is_even, &is_odd] {
        let mut part = sequences().updated(&history, Some(filter));
        let states = GroupsAccumulator::state(&mut part, EmitTo::All).unwrap();
        let mut twice = sequences();
        GroupsAccumulator::merge_batch(&mut twice, &states, &all, ACTORS).unwrap();
        let states = GroupsAccumulator::state(&mut twice, EmitTo::All).unwrap();
        GroupsAccumulator::merge_batch(&mut merged, &states, &all, ACTORS).unwrap();
    }
    assert_eq!(outcomes(merged), expected);
}

#[test]
fn rows_can_be_states_without_being_aggregated_first() {
    let history = in_order();
    let expected = outcomes(sequences().updated(&history, None));
    let states = sequences()
        .convert_to_state(&history.columns, None)
        .unwrap();
    let mut merged = sequences();
    GroupsAccumulator::merge_batch(&mut merged, &states, &history.actors, ACTORS).unwrap();
    assert_eq!(outcomes(merged), expected);
}

#[test]
fn filtered_rows_are_empty_states() {
    let history = in_order();
    let first_only = BooleanArray::from_iter((0..history.actors.len()).map(|row| Some(row == 3)));
    let states = sequences()
        .convert_to_state(&history.columns, Some(&first_only))
        .unwrap();
    let times = states[0].as_list::<i32>();
    assert_eq!(times.len(), history.actors.len());
    assert_eq!((times.value_length(2), times.value_length(3)), (0, 1));
}

#[test]
fn the_first_actors_can_be_asked_before_the_others() {
    let history = in_order();
    let all = sequences().updated(&history, None).evaluate_all();
    let mut pieces = sequences().updated(&history, None);
    let full = GroupsAccumulator::size(&pieces);
    let first = GroupsAccumulator::evaluate(&mut pieces, EmitTo::First(15)).unwrap();
    let rest = pieces.evaluate_all();
    assert_eq!(format!("{:?}", all.slice(0, 15)), format!("{first:?}"));
    assert_eq!(
        format!("{:?}", all.slice(15, ACTORS - 15)),
        format!("{rest:?}")
    );
    assert!(GroupsAccumulator::size(&pieces) < full);
}

#[test]
fn without_groups_all_events_are_one_actors() {
    let history = in_order();
    let one = History {
        actors: vec![0; history.actors.len()],
        ..history
    };
    let expected = sequences().updated(&one, None).evaluate_all();
    let mut sequences = sequences();
    Accumulator::update_batch(&mut sequences, &one.columns).unwrap();
    let asked = Accumulator::evaluate(&mut sequences).unwrap();
    assert_eq!(
        asked,
        Accumulator::evaluate(&mut sequences).unwrap(),
        "asking consumes nothing"
    );
    let expected =
        datafusion::scalar::ScalarValue::try_from_array(&expected.slice(0, 1), 0).unwrap();
    assert_eq!(asked, expected);
}

async fn plan_and_rows(sql: &str, rule: bool) -> (String, String) {
    let mut builder = datafusion::execution::SessionStateBuilder::new().with_default_features();
    if rule {
        let mut rules: Vec<
            Arc<dyn datafusion::physical_optimizer::PhysicalOptimizerRule + Send + Sync>,
        > = vec![Arc::new(super::SequencesAtOnce)];
        rules.extend(datafusion::physical_optimizer::optimizer::PhysicalOptimizer::default().rules);
        builder = builder.with_physical_optimizer_rules(rules);
    }
    let config = datafusion::prelude::SessionConfig::new().with_target_partitions(4);
    let mut context = SessionContext::new_with_state(builder.with_config(config).build());
    crate::register_all(&mut context).unwrap();
    let events = "create table events as select * from (values
        ('acme', timestamp '2024-01-01T00:00:00', 'signed_up'), ('acme', timestamp '2024-01-10T00:00:00', 'paid'),
        ('beta', timestamp '2024-01-02T00:00:00', 'paid'), ('beta', timestamp '2024-01-03T00:00:00', 'signed_up'),
        ('gone', timestamp '2024-01-01T00:00:00', 'signed_up'), ('gone', timestamp '2024-02-01T00:00:00', 'paid')) as t(company, at, event)";
    context.sql(events).await.unwrap().collect().await.unwrap();
    let frame = context.sql(sql).await.unwrap();
    let plan = frame.clone().create_physical_plan().await.unwrap();
    let plan = datafusion::physical_plan::displayable(plan.as_ref())
        .indent(false)
        .to_string();
    let rows = frame.collect().await.unwrap();
    let rows = datafusion::arrow::util::pretty::pretty_format_batches(&rows)
        .unwrap()
        .to_string();
    (plan, rows)
}

#[tokio::test]
async fn a_funnel_in_sql_is_planned_in_one_phase_and_answers_the_same() {
    let sql = "select company, funnel('14 days', at, event = 'signed_up', event = 'paid') as steps from events group by company order by company";
    let (plan, rows) = plan_and_rows(sql, true).await;
    assert!(
        plan.contains("mode=SinglePartitioned") && !plan.contains("mode=Partial"),
        "{plan}"
    );
    let (plan, two_phases) = plan_and_rows(sql, false).await;
    assert!(plan.contains("mode=FinalPartitioned"), "{plan}");
    assert_eq!(rows, two_phases);
    let figures: Vec<&str> = rows
        .lines()
        .filter(|line| line.contains('|'))
        .skip(1)
        .collect();
    assert_eq!(
        figures,
        [
            "| acme    | 2     |",
            "| beta    | 1     |",
            "| gone    | 1     |"
        ]
    );
}

#[tokio::test]
async fn a_definition_names_the_order_and_wrong_ones_are_refused() {
    let strict = r#"select funnel('{"window": "60 days", "order": "unordered"}', at, event = 'signed_up', event = 'paid') as steps from events where company = 'beta'"#;
    assert!(plan_and_rows(strict, true).await.1.contains("| 2     |"));
    for wrong in [
        "'14 fortnights'",
        "'days'",
        "'-1 day'",
        "'{\"window\": \"1 day\", \"ordr\": 1}'",
    ] {
        let mut context = SessionContext::new();
        crate::register_all(&mut context).unwrap();
        let sql = format!("select funnel({wrong}, timestamp '2024-01-01T00:00:00', true, false)");
        let refused = match context.sql(&sql).await {
            Ok(frame) => frame.collect().await.map(|_| ()),
            Err(error) => Err(error),
        };
        assert!(refused.is_err(), "{wrong}");
    }
}
