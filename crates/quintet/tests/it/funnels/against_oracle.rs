//! Fifty-four random funnels over random histories of 10,200 actors: every figure, and who stands behind some of them.
//!
//! `QUINTET_SEED=7 cargo test --workspace --test it against_oracle` takes other histories and other funnels.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use quintet::{Answer, Engine, QueryOptions};
use quintet_behavior::funnel;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::asked::{Asked, Breakdown, Who};
use super::history::{self, Event};
use super::oracle::{self, FoundEntrance, FoundRun};
use super::random::Random;

const FUNNELS: usize = 54;
const SEED: u64 = 20_240_301;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn funnels_over_random_histories_are_the_oracles() {
    let seed = std::env::var("QUINTET_SEED").map_or(SEED, |seed| seed.parse().expect("a number"));
    println!("QUINTET_SEED={seed}");
    let events = Arc::new(history::events(seed));
    let (_folder, engine) = history::store(&events).await;
    let engine = Arc::new(engine);
    let mut random = Random::new(seed.wrapping_add(1));
    let mut running = JoinSet::new();
    for number in 0..FUNNELS {
        let asked = Asked::random(number, &mut random);
        let chosen = random.next();
        let (engine, events) = (Arc::clone(&engine), Arc::clone(&events));
        running.spawn(async move { Comparison::of(&asked, &events).hold(&engine, chosen).await });
    }
    let conversions: Vec<usize> = running.join_all().await;
    let with_conversions = conversions.iter().filter(|many| **many > 0).count();
    assert!(
        with_conversions * 4 > FUNNELS * 3,
        "some funnels are never passed: {conversions:?}"
    );
}

/// What the oracle says of a funnel.
struct Comparison<'a> {
    asked: &'a Asked,
    /// Breakdown values by their rank.
    values: Vec<String>,
    /// Actors in order, with what became of them.
    runs: Vec<(usize, FoundRun)>,
    entrances: Vec<(usize, FoundEntrance)>,
}

/// Counts per step or period, by breakdown value as rows show it.
type Counts = BTreeMap<String, Vec<u64>>;

impl<'a> Comparison<'a> {
    fn of(asked: &'a Asked, events: &[Event]) -> Self {
        let text = |event: &Event| asked.breakdown.map(|breakdown| breakdown.text(event));
        let values: BTreeSet<String> = events.iter().filter_map(text).collect();
        let values: Vec<String> = values.into_iter().collect();
        let rank = |text: &str| values.iter().position(|value| value == text);
        let empty = asked.breakdown.and_then(Breakdown::empty).and_then(rank);
        let mut histories: BTreeMap<usize, Vec<funnel::Event>> = BTreeMap::new();
        for event in events {
            let Some(actor) = asked.actor(event) else {
                continue;
            };
            let (steps, exclusions) = asked.marks(event);
            let value = text(event).and_then(|text| rank(&text));
            histories.entry(actor).or_default().push(funnel::Event {
                time: event.at,
                steps,
                exclusions,
                value: value.unwrap_or(0) as u32,
            });
        }
        let (funnel, periods) = (asked.funnel(), asked.periods());
        let empty = empty.map(|rank| rank as u32);
        let (mut runs, mut entrances) = (Vec::new(), Vec::new());
        for (actor, mut history) in histories {
            history.sort_by(funnel::Event::cmp);
            match &periods {
                None => {
                    let found = oracle::runs(&funnel, &history, empty).into_iter();
                    runs.extend(found.map(|run| (actor, run)));
                }
                Some(periods) => {
                    let found = oracle::entrances(&funnel, periods, &history, empty).into_iter();
                    entrances.extend(found.map(|entrance| (actor, entrance)));
                }
            }
        }
        Self {
            asked,
            values,
            runs,
            entrances,
        }
    }

    /// Asserts that the engine says the same; how many converted.
    async fn hold(&self, engine: &Engine, chosen: u64) -> usize {
        match self.asked.trends {
            None => self.hold_of_steps(engine, chosen as usize).await,
            Some(_) => self.hold_of_trends(engine, chosen as usize).await,
        }
    }

    async fn hold_of_steps(&self, engine: &Engine, chosen: usize) -> usize {
        let definition = self.asked.definition();
        let steps = self.asked.steps();
        let answer = ask(engine, &definition).await;
        let rows: Vec<&Value> = match self.asked.breakdown {
            None => answer.results().as_array().into_iter().flatten().collect(),
            Some(_) => answer
                .results()
                .as_array()
                .into_iter()
                .flatten()
                .flat_map(|steps| steps.as_array().expect("steps"))
                .collect(),
        };
        let mut found = Counts::new();
        for row in &rows {
            let counts = found.entry(row["breakdown_value"].to_string()).or_default();
            counts.push(row["count"].as_u64().expect("a count"));
        }
        let mut expected = Counts::new();
        for (_, run) in &self.runs {
            let counts = expected.entry(self.shown(run.value).to_string());
            let counts = counts.or_insert_with(|| vec![0; steps]);
            run.steps.iter().for_each(|step| counts[step - 1] += 1);
        }
        assert_eq!(found, expected, "left: engine, right: oracle: {definition}");
        self.hold_of_times(&rows);
        self.hold_of_actors_of_steps(engine, chosen).await;
        self.runs
            .iter()
            .filter(|(_, run)| run.steps.contains(&steps))
            .count()
    }

    /// Means and medians of the times between required steps, as far as there are any.
    fn hold_of_times(&self, rows: &[&Value]) {
        let required = self.asked.required();
        let mut gaps: HashMap<(String, usize), Vec<i64>> = HashMap::new();
        for (_, run) in &self.runs {
            for (pair, step) in run.times.windows(2).zip(&required[1..]) {
                let gap = pair[1] - pair[0];
                if gap > 0 {
                    let key = (self.shown(run.value).to_string(), *step);
                    gaps.entry(key).or_default().push(gap);
                }
            }
        }
        for row in rows {
            let step = row["order"].as_u64().expect("an order") as usize;
            let key = (row["breakdown_value"].to_string(), step);
            let mut gaps = gaps.remove(&key).unwrap_or_default();
            gaps.sort_unstable();
            let middle = [
                gaps.get(gaps.len().saturating_sub(1) / 2),
                gaps.get(gaps.len() / 2),
            ];
            let expected = [mean(&gaps), mean(middle.into_iter().flatten())];
            let found = ["average_conversion_time", "median_conversion_time"];
            for (expected, found) in expected.into_iter().zip(found) {
                let found = row[found].as_f64();
                let is_same = match (found, expected) {
                    (Some(found), Some(expected)) => (found - expected).abs() < 1e-6 * expected,
                    (found, expected) => found == expected,
                };
                assert!(is_same, "{found:?}, not {expected:?}: {row} of {self:?}");
            }
        }
    }

    /// Who did a step or was lost before it, under any value or one.
    async fn hold_of_actors_of_steps(&self, engine: &Engine, chosen: usize) {
        let steps = self.asked.steps();
        let (reached, lost) = (1 + chosen % steps, 2 + chosen % (steps - 1));
        let are_lost = (chosen / 7).is_multiple_of(2);
        let before = self.asked.required();
        let before = before.iter().rfind(|position| **position + 1 < lost);
        let after = before.expect("the first is required") + 1;
        let value = self.chosen_value(chosen);
        let is_wanted = |run: &FoundRun| {
            let has_value = value.is_none_or(|value| self.values[run.value as usize] == value);
            let did = |step: usize| run.steps.contains(&step);
            has_value
                && if are_lost {
                    did(after) && !did(lost)
                } else {
                    did(reached)
                }
        };
        let expected = self.runs.iter().filter(|(_, run)| is_wanted(run));
        let step = if are_lost {
            -(lost as i64)
        } else {
            reached as i64
        };
        let question = json!({"kind": "FunnelsActorsQuery", "funnelStep": step});
        self.hold_of_actors(engine, question, value, expected.map(|(actor, _)| *actor))
            .await;
    }

    async fn hold_of_trends(&self, engine: &Engine, chosen: usize) -> usize {
        let definition = self.asked.definition();
        let answer = ask(engine, &definition).await;
        let response = answer.response();
        let rows = response["summary"].as_array().expect("a summary");
        let mut found: BTreeMap<String, [Vec<u64>; 2]> = BTreeMap::new();
        for row in rows {
            let counts = |name: &str| {
                let counts = row[name].as_array().expect("counts").iter();
                counts.map(|n| n.as_u64().expect("a count")).collect()
            };
            let both = ["reached_from_step_count", "reached_to_step_count"].map(counts);
            found.insert(row["breakdown_value"].to_string(), both);
        }
        let periods = self.asked.periods().expect("a trend").edges.len() - 1;
        let none = || [vec![0; periods], vec![0; periods]];
        let mut expected = BTreeMap::new();
        if self.asked.breakdown.is_none() {
            expected.insert(Value::Null.to_string(), none());
        }
        for (_, entrance) in &self.entrances {
            let shown = self.shown(entrance.value).to_string();
            let [entered, converted] = expected.entry(shown).or_insert_with(none);
            entered[entrance.period] += 1;
            converted[entrance.period] += u64::from(entrance.converted);
        }
        assert_eq!(found, expected, "left: engine, right: oracle: {definition}");
        self.hold_of_actors_of_trends(engine, chosen).await;
        let converted = self.entrances.iter().filter(|(_, one)| one.converted);
        converted.count()
    }

    /// Who entered in a period and converted, or did not.
    async fn hold_of_actors_of_trends(&self, engine: &Engine, chosen: usize) {
        let edges = self.asked.periods().expect("a trend").edges;
        let period = chosen % (edges.len() - 1);
        let start = chrono::DateTime::from_timestamp_micros(edges[period]).expect("a time");
        let start = start.format("%Y-%m-%d %H:%M:%S").to_string();
        let value = self.chosen_value(chosen);
        let drop_off = (chosen / 7).is_multiple_of(2);
        let is_wanted = |one: &FoundEntrance| {
            let has_value = value.is_none_or(|value| self.values[one.value as usize] == value);
            has_value && one.period == period && one.converted != drop_off
        };
        let expected = self.entrances.iter().filter(|(_, one)| is_wanted(one));
        let question = json!({"kind": "FunnelsActorsQuery", "funnelTrendsDropOff": drop_off,
            "funnelTrendsEntrancePeriodStart": start});
        self.hold_of_actors(engine, question, value, expected.map(|(actor, _)| *actor))
            .await;
    }

    async fn hold_of_actors(
        &self,
        engine: &Engine,
        mut question: Value,
        value: Option<&str>,
        expected: impl Iterator<Item = usize>,
    ) {
        question["source"] = self.asked.definition();
        if let (Some(breakdown), Some(value)) = (self.asked.breakdown, value) {
            question["funnelStepBreakdown"] = breakdown.shown(value);
        }
        let wrapped = json!({"kind": "ActorsQuery", "source": question, "limit": 100_000});
        let answer = ask(engine, &wrapped).await;
        let name = |row: &Value| match self.asked.who {
            Who::Person => row["distinct_ids"][0].clone(),
            Who::Project | Who::Company => row["group_key"].clone(),
        };
        let rows = answer.results().as_array().expect("rows");
        let found: Vec<String> = rows
            .iter()
            .map(|row| name(row).as_str().expect("a name").to_owned())
            .collect();
        let names: BTreeSet<String> = found.iter().cloned().collect();
        let expected: BTreeSet<String> = expected
            .map(|actor| match self.asked.who {
                Who::Person => history::person(actor),
                Who::Project => format!("project {actor}"),
                Who::Company => history::company(actor),
            })
            .collect();
        assert_eq!(names, expected, "left: engine, right: oracle: {wrapped}");
        assert_eq!(found.len(), names.len(), "each once: {wrapped}");
    }

    /// One value, or none in every third funnel.
    fn chosen_value(&self, chosen: usize) -> Option<&str> {
        let value = self.values.get(chosen % self.values.len().max(1))?;
        (!chosen.is_multiple_of(3)).then_some(value)
    }

    fn shown(&self, rank: u32) -> Value {
        self.asked.breakdown.map_or(Value::Null, |breakdown| {
            breakdown.shown(&self.values[rank as usize])
        })
    }
}

impl std::fmt::Debug for Comparison<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.asked.definition())
    }
}

/// In seconds.
fn mean<'a>(gaps: impl IntoIterator<Item = &'a i64>) -> Option<f64> {
    let (count, sum) = gaps
        .into_iter()
        .fold((0, 0.0), |(count, sum), gap| (count + 1, sum + *gap as f64));
    (count > 0).then(|| sum / f64::from(count) / 1e6)
}

async fn ask(engine: &Engine, definition: &Value) -> Answer {
    super::ask(engine, definition, &QueryOptions::default()).await
}
