//! Filter trees as expressions over events. An expression that is null counts as false, under a negation too.

use std::collections::{BTreeSet, HashMap};

use datafusion::logical_expr::Expr;
use datafusion::logical_expr::expr_fn::in_list;
use datafusion::logical_expr::utils::{conjunction, disjunction};
use datafusion::prelude::{DataFrame, coalesce, lit};
use quintet_behavior::property::{equal_texts, number};
use quintet_functions::expr_fn::property_matches;
use quintet_query::filter::{Cohort, CohortMembers, Filter, Operator, PropertyFilter};
use quintet_query::trends::Actor;
use quintet_store::schema;

use super::property::{self, Wanted};
use crate::data::{Data, column, text};
use crate::run::Run;
use crate::{Error, Result};

/// The persons of listed cohorts, by cohort id, looked up before planning: their keys as literals.
#[derive(Default)]
pub(super) struct CohortMembership(HashMap<i64, Vec<Expr>>);

impl CohortMembership {
    /// Looks up the persons of every listed cohort in the filters.
    pub(super) async fn of<'f>(
        filters: impl IntoIterator<Item = &'f Filter>,
        data: &Data,
        run: &Run,
    ) -> Result<Self> {
        let mut listed = HashMap::new();
        filters
            .into_iter()
            .for_each(|filter| collect_listed(filter, &mut listed));
        let mut members = HashMap::new();
        for (id, distinct_ids) in listed {
            members.insert(id, persons_of(distinct_ids, data, run).await?);
        }
        Ok(Self(members))
    }
}

fn collect_listed<'a>(filter: &'a Filter, listed: &mut HashMap<i64, &'a [String]>) {
    match filter {
        Filter::All(filters) | Filter::Any(filters) => {
            filters.iter().for_each(|f| collect_listed(f, listed))
        }
        Filter::Cohort { cohort, .. } => match &cohort.members {
            CohortMembers::Listed(ids) => {
                listed.insert(cohort.id, ids);
            }
            CohortMembers::Described(filter) => collect_listed(filter, listed),
        },
        Filter::Event(_) | Filter::Property(_) => {}
    }
}

/// The keys of the persons who have one of these distinct ids; in a folder a person is its distinct id.
async fn persons_of(distinct_ids: &[String], data: &Data, run: &Run) -> Result<Vec<Expr>> {
    let ids = texts(distinct_ids);
    let (key, events) = match data.distinct_ids()? {
        Some(known) => (data.joined_by(Actor::Person), known),
        None => (schema::PERSON_ID, data.events(true)?),
    };
    let found: DataFrame = events
        .filter(in_list(column(schema::DISTINCT_ID), ids, false))?
        .select(vec![column(key)])?
        .distinct()?;
    let mut members = Vec::new();
    for batch in run.collect(found).await? {
        for row in 0..batch.num_rows() {
            members.push(lit(datafusion::scalar::ScalarValue::try_from_array(
                batch.column(0),
                row,
            )?));
        }
    }
    Ok(members)
}

fn texts(values: &[String]) -> Vec<Expr> {
    values.iter().map(text).collect()
}

/// The properties in a filter that have to be joined; tells too whether the event's person is asked for.
pub(super) fn wanted(filter: &Filter, properties: &mut BTreeSet<Wanted>, person: &mut bool) {
    match filter {
        Filter::All(filters) | Filter::Any(filters) => {
            filters.iter().for_each(|f| wanted(f, properties, person))
        }
        Filter::Event(_) => {}
        Filter::Property(filter) => properties.extend(Wanted::of(&filter.property)),
        Filter::Cohort { cohort, .. } => {
            *person = true;
            if let CohortMembers::Described(filter) = &cohort.members {
                wanted(filter, properties, person);
            }
        }
    }
}

/// A filter as an expression.
pub(super) fn expr(data: &Data, cohorts: &CohortMembership, filter: &Filter) -> Result<Expr> {
    let each = |filters: &[Filter]| {
        filters
            .iter()
            .map(|f| expr(data, cohorts, f))
            .collect::<Result<Vec<_>>>()
    };
    Ok(match filter {
        Filter::All(filters) => conjunction(each(filters)?).unwrap_or_else(|| lit(true)),
        Filter::Any(filters) => disjunction(each(filters)?).unwrap_or_else(|| lit(false)),
        Filter::Event(name) => column(schema::EVENT).eq(lit(name.as_str())),
        Filter::Property(filter) => property_expr(data, filter)?,
        Filter::Cohort { cohort, negated } => {
            let member = member(data, cohorts, cohort)?;
            if *negated {
                !coalesce(vec![member, lit(false)])
            } else {
                member
            }
        }
    })
}

fn member(data: &Data, cohorts: &CohortMembership, cohort: &Cohort) -> Result<Expr> {
    match &cohort.members {
        CohortMembers::Described(filter) => expr(data, cohorts, filter),
        CohortMembers::Listed(_) => match cohorts.0.get(&cohort.id) {
            Some(members) => Ok(in_list(
                column(data.joined_by(Actor::Person)),
                members.clone(),
                false,
            )),
            None => Err(Error::internal(format!(
                "cohort {} was not looked up",
                cohort.id
            ))),
        },
    }
}

/// Comparisons that Parquet statistics can answer go to DataFusion as they are, all others to `property_matches`.
fn property_expr(data: &Data, filter: &PropertyFilter) -> Result<Expr> {
    let value = property::value(data, &filter.property)?;
    if let (Some(column), [bound]) = (value.as_number(), filter.values.as_slice())
        && let Some(bound) = number(bound)
    {
        let compared = match filter.operator {
            Operator::Gt => Some(column.clone().gt(lit(bound))),
            Operator::Gte => Some(column.clone().gt_eq(lit(bound))),
            Operator::Lt => Some(column.clone().lt(lit(bound))),
            Operator::Lte => Some(column.clone().lt_eq(lit(bound))),
            _ => None,
        };
        if let Some(compared) = compared {
            return Ok(compared);
        }
    }
    Ok(match filter.operator {
        Operator::IsSet => value.is_set(),
        Operator::IsNotSet => !value.is_set(),
        Operator::Exact | Operator::In if !filter.values.is_empty() => {
            in_list(value.text(), texts(&equal_texts(&filter.values)), false)
        }
        operator => property_matches(value.text(), operator.name(), &filter.values),
    })
}
