//! Who was exposed, to which variant, and when first: one row per entity.

use datafusion::arrow::datatypes::DataType;
use datafusion::functions_aggregate::expr_fn::{first_value, max, min};
use datafusion::logical_expr::expr_fn::in_list;
use datafusion::logical_expr::{Expr, when};
use datafusion::prelude::{DataFrame, cast};
use quintet_query::experiments::{Exposures, MULTIPLE, MultipleVariants};
use quintet_query::series::Actor;
use quintet_store::schema;

use super::{FIRST, SEVERAL, SEVERAL_OF_PERSON, VARIANT};
use crate::Result;
use crate::actors::KEY;
use crate::data::{column, text};
use crate::plan::Reading;

const PERSON: &str = "person";
const LEAST: &str = "least_variant";
const MOST: &str = "most_variant";
const EARLIEST: &str = "earliest_variant";

/// [`KEY`], [`FIRST`], [`VARIANT`], [`SEVERAL`], and of groups [`SEVERAL_OF_PERSON`].
pub(super) fn entities(exposures: &Exposures, reading: &Reading<'_>) -> Result<DataFrame> {
    let mut events = reading
        .events(None)
        .since(exposures.from)
        .until(exposures.to)
        .that(&exposures.matching)?;
    let variant = events.text(&exposures.variant)?;
    let keys = exposures.variants.iter().map(text).collect();
    events = events.only(in_list(variant.clone(), keys, false));
    let mut kept = vec![
        column(events.of(exposures.actor)).alias(KEY),
        column(schema::TIMESTAMP).alias(FIRST),
        variant.alias(VARIANT),
    ];
    let mut seen = vec![column(KEY)];
    let by_group = exposures.actor != Actor::Person;
    if by_group {
        kept.push(column(events.of(Actor::Person)).alias(PERSON));
        seen.push(column(PERSON));
    }
    let entities = events.events()?.select(kept)?.aggregate(
        seen,
        vec![
            min(column(VARIANT)).alias(LEAST),
            max(column(VARIANT)).alias(MOST),
            earliest(VARIANT).alias(EARLIEST),
            min(column(FIRST)).alias(FIRST),
        ],
    )?;
    let entities = match by_group {
        true => of_groups(entities)?,
        false => entities,
    };
    let variant = match exposures.multiple {
        MultipleVariants::Exclude => when(several(), text(MULTIPLE)).otherwise(column(EARLIEST))?,
        MultipleVariants::FirstSeen => column(EARLIEST),
    };
    let mut told = vec![
        column(KEY),
        column(FIRST),
        variant.alias(VARIANT),
        several().alias(SEVERAL),
    ];
    if by_group {
        told.push(column(SEVERAL_OF_PERSON));
    }
    Ok(entities.select(told)?)
}

/// What the persons of each group saw, put together.
fn of_groups(persons: DataFrame) -> Result<DataFrame> {
    let of_person = max(cast(several(), DataType::Int64));
    Ok(persons.aggregate(
        vec![column(KEY)],
        vec![
            min(column(LEAST)).alias(LEAST),
            max(column(MOST)).alias(MOST),
            earliest(EARLIEST).alias(EARLIEST),
            min(column(FIRST)).alias(FIRST),
            of_person.alias(SEVERAL_OF_PERSON),
        ],
    )?)
}

fn several() -> Expr {
    column(LEAST).not_eq(column(MOST))
}

/// The variant of the earliest exposure; of several at one instant the first by name, so that no order of rows decides.
fn earliest(variant: &str) -> Expr {
    let by = vec![
        column(FIRST).sort(true, false),
        column(variant).sort(true, false),
    ];
    first_value(column(variant), by)
}
