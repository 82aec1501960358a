//! The functions as expressions, for those who build plans.

use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::array::{Float64Array, Int64Array, ListArray};
use datafusion::arrow::buffer::OffsetBuffer;
use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::logical_expr::Expr;
use datafusion::prelude::lit;
use datafusion::scalar::ScalarValue;

use crate::{properties, sampling, time};

/// The text of property `name` of a JSON column.
pub fn json_property(json: Expr, name: &str) -> Expr {
    properties::json_property().call(vec![json, lit(name)])
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

fn list(item: DataType, values: ArrayRef) -> Expr {
    let field = Arc::new(Field::new_list_field(item, true));
    let offsets = OffsetBuffer::from_lengths([values.len()]);
    lit(ScalarValue::List(Arc::new(ListArray::new(
        field, offsets, values, None,
    ))))
}
