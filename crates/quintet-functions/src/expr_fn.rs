//! The functions as expressions, for those who build plans.

use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::array::{Float64Array, Int64Array, ListArray};
use datafusion::arrow::buffer::OffsetBuffer;
use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::logical_expr::Expr;
use datafusion::prelude::lit;
use datafusion::scalar::ScalarValue;
use quintet_behavior::paths::ItemRules;
use quintet_behavior::property::Entries;
use quintet_behavior::retention::Retention;

use crate::{
    FunnelDefinition, PathsDefinition, flags, funnel, marks, paths, properties, retention,
    sampling, time,
};

/// The text of property `name` of a JSON column.
pub fn json_property(json: Expr, name: &str) -> Expr {
    properties::json_property().call(vec![json, lit(name)])
}

/// The key of a group out of a JSON column: that of the type's `name` in `$groups`, else that of `property`; either may be missing.
pub fn group_key(json: Expr, property: Option<&str>, name: Option<&str>) -> Expr {
    let place = [property, name].map(|given| lit(given.unwrap_or_default()));
    let arguments = [json].into_iter().chain(place);
    properties::group_key().call(arguments.collect())
}

/// The wanted properties of a JSON column, as lists of `name::value`.
pub fn json_entries(json: Expr, wanted: &Entries) -> Expr {
    let wanted = serde_json::to_string(wanted).unwrap_or_default();
    properties::json_entries().call(vec![json, lit(wanted)])
}

/// Whether a property's text satisfies an operator, given by its wire name.
pub fn property_matches(value: Expr, operator: &str, values: &[String]) -> Expr {
    let values = serde_json::Value::from(values.to_vec()).to_string();
    properties::property_matches().call(vec![value, lit(operator), lit(values)])
}

/// The number that a property's text stands for, or null.
pub fn property_number(value: Expr) -> Expr {
    properties::property_number().call(vec![value])
}

/// A number as a property's text.
pub fn number_text(number: Expr) -> Expr {
    properties::number_text().call(vec![number])
}

/// A URL without trailing `/`, `?` and `#`.
pub fn normalize_url(url: Expr) -> Expr {
    properties::normalize_url().call(vec![url])
}

/// Index of the bucket that a time lies in; `edges` in microseconds since 1970 UTC, ascending, the last one an end.
pub fn bucket(time: Expr, edges: &[i64]) -> Expr {
    time::bucket().call(vec![
        time,
        list(DataType::Int64, Arc::new(Int64Array::from(edges.to_vec()))),
    ])
}

/// Label `[lo,hi]` of the bin that a number lies in, null outside; `edges` ascending.
pub fn bin_label(number: Expr, edges: &[f64]) -> Expr {
    time::bin_label().call(vec![
        number,
        list(
            DataType::Float64,
            Arc::new(Float64Array::from(edges.to_vec())),
        ),
    ])
}

/// Whether an id belongs to a share, between 0 and 1, of all ids.
pub fn in_sample(id: Expr, share: f64) -> Expr {
    sampling::in_sample().call(vec![id, lit(share)])
}

/// Where an identifier lies for the flag of this key, from 0 to 1.
pub fn flag_hash(key: &str, identifier: Expr, salt: &str) -> Expr {
    flags::flag_hash().call(vec![lit(key), identifier, lit(salt)])
}

/// A number whose bit `i` says whether condition `i` holds.
pub fn marks(conditions: Vec<Expr>) -> Expr {
    marks::marks().call(conditions)
}

/// Texts as a JSON list; null is the empty text.
pub fn json_list(texts: Vec<Expr>) -> Expr {
    marks::json_list().call(texts)
}

/// The columns that sequence aggregates read.
#[derive(Debug, Clone)]
pub struct SequenceColumns {
    /// When it happened.
    pub time: Expr,
    /// First [`marks`].
    pub marks: Expr,
    /// Second marks.
    pub more_marks: Expr,
    /// A text; null is the empty text.
    pub value: Expr,
}

impl SequenceColumns {
    fn after(self, definition: &impl serde::Serialize) -> Vec<Expr> {
        // Only maps with keys other than texts cannot be written, and no definition has any.
        let definition = serde_json::to_string(definition).unwrap_or_default();
        // Stock aggregation makes a column of every literal: as a view, the text stands there once.
        vec![
            lit(ScalarValue::Utf8View(Some(definition))),
            self.time,
            self.marks,
            self.more_marks,
            self.value,
        ]
    }
}

/// How far an actor came in a funnel, per breakdown value: a list of `value`, `steps` and `times`.
pub fn funnel_runs(definition: &FunnelDefinition, columns: SequenceColumns) -> Expr {
    funnel::funnel_runs().call(columns.after(definition))
}

/// An actor's outcomes per breakdown value and period of entrance: a list of `value`, `period` and `converted`.
pub fn funnel_entrances(definition: &FunnelDefinition, columns: SequenceColumns) -> Expr {
    funnel::funnel_entrances().call(columns.after(definition))
}

/// The cohorts of an actor: a list of `value`, `row`, `columns` and `amounts`.
pub fn retention(definition: &Retention, columns: SequenceColumns) -> Expr {
    retention::retention().call(columns.after(definition))
}

/// What an event is called on a path; null where it takes no part.
pub fn path_item(rules: &ItemRules, event: Expr, url: Expr, screen: Expr) -> Expr {
    let rules = serde_json::to_string(rules).unwrap_or_default();
    paths::path_item().call(vec![lit(rules), event, url, screen])
}

/// The links of a person's paths: a list of `step`, `source`, `target` and `time`.
pub fn path_links(definition: &PathsDefinition, columns: SequenceColumns) -> Expr {
    paths::path_links().call(columns.after(definition))
}

/// How many steps of a person's paths are wanted.
pub fn path_steps(definition: &PathsDefinition, columns: SequenceColumns) -> Expr {
    paths::path_steps().call(columns.after(definition))
}

fn list(item: DataType, values: ArrayRef) -> Expr {
    let field = Arc::new(Field::new_list_field(item, true));
    let offsets = OffsetBuffer::from_lengths([values.len()]);
    lit(ScalarValue::List(Arc::new(ListArray::new(
        field, offsets, values, None,
    ))))
}
