//! What comes out: results as JSON or as Arrow.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Float64Array, RecordBatch, StringArray};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::error::DataFusionError;
use serde_json::{Map, Value, json};

use crate::Result;
use crate::rows::objects;

/// The answer to a question.
#[derive(Debug, Clone)]
pub struct Answer {
    results: Value,
    /// Kept where the answer came as Arrow in the first place.
    batches: Option<(SchemaRef, Vec<RecordBatch>)>,
    response: Map<String, Value>,
}

impl Answer {
    pub(crate) fn of_rows(rows: Vec<Value>) -> Self {
        Self::of(Value::Array(rows))
    }

    pub(crate) fn of(results: Value) -> Self {
        Self {
            results,
            batches: None,
            response: Map::new(),
        }
    }

    pub(crate) fn of_batches(schema: SchemaRef, batches: Vec<RecordBatch>) -> Result<Self> {
        let results = objects(&batches)?.into_iter().map(Value::Object).collect();
        let columns: Vec<&String> = schema.fields().iter().map(|field| field.name()).collect();
        let response = Map::from_iter([("columns".to_owned(), json!(columns))]);
        Ok(Self {
            results,
            batches: Some((schema, batches)),
            response,
        })
    }

    /// Adds a key beside `results`.
    pub(crate) fn with(mut self, key: &str, value: Value) -> Self {
        self.response.insert(key.to_owned(), value);
        self
    }

    /// The result rows, in PostHog's shape for the insight.
    pub fn results(&self) -> &Value {
        &self.results
    }

    /// What stands beside the results, such as `timezone`, `snapshot` and `hasMore`.
    pub fn response(&self) -> &Map<String, Value> {
        &self.response
    }

    /// `{"results": …, "timezone", "snapshot", "warnings": [], …}`.
    pub fn to_json(&self) -> Value {
        let mut all = Map::from_iter([("results".to_owned(), self.results.clone())]);
        all.extend(self.response.clone());
        all.entry("warnings").or_insert_with(|| json!([]));
        Value::Object(all)
    }

    /// The answer as Arrow.
    ///
    /// Of SQL: its own columns. Of time series: one row per point with `label`, `breakdown_value`, `compare_label`, `day`, `value`
    /// (a single figure has no `day`). Of lists of groups and of flags: their columns as text. Of actors: `type`, `id`, `display_name`, `properties` (JSON text), `event_count`.
    ///
    /// # Errors
    /// `Internal` only.
    pub fn to_batches(&self) -> Result<Vec<RecordBatch>> {
        if let Some((schema, batches)) = &self.batches {
            let empty = || RecordBatch::new_empty(Arc::clone(schema));
            return Ok(if batches.is_empty() {
                vec![empty()]
            } else {
                batches.clone()
            });
        }
        let rows = self
            .results
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        if let Some(names) = self.response.get("columns").and_then(Value::as_array) {
            return Ok(vec![cells(names, rows).map_err(DataFusionError::from)?]);
        }
        let is_actors = rows.first().is_some_and(|row| row.get("type").is_some());
        let batch = if is_actors {
            actors(rows)
        } else {
            points(rows)
        };
        Ok(vec![batch.map_err(DataFusionError::from)?])
    }
}

type Batch = std::result::Result<RecordBatch, datafusion::arrow::error::ArrowError>;

fn cells(names: &[Value], rows: &[Value]) -> Batch {
    let column = |(at, name): (usize, &Value)| {
        let name = name.as_str().unwrap_or_default();
        // Rows are lists of cells, or objects that have a field for each column.
        let cell = |row: &Value| row.get(at).or_else(|| row.get(name)).and_then(as_text);
        (name.to_owned(), texts(rows.iter().map(cell)), true)
    };
    RecordBatch::try_from_iter_with_nullable(names.iter().enumerate().map(column))
}

fn actors(rows: &[Value]) -> Batch {
    let text = |name: &str| texts(rows.iter().map(|row| row.get(name).and_then(as_text)));
    let counts: Float64Array = rows
        .iter()
        .map(|row| row.get("event_count").and_then(Value::as_f64))
        .collect();
    RecordBatch::try_from_iter([
        ("type", text("type")),
        ("id", text("id")),
        ("display_name", text("display_name")),
        ("properties", text("properties")),
        ("event_count", Arc::new(counts) as ArrayRef),
    ])
}

/// One point of a series, or its single figure.
struct Point<'a> {
    row: &'a Value,
    day: Option<&'a str>,
    value: Option<f64>,
}

fn points(rows: &[Value]) -> Batch {
    let points: Vec<Point<'_>> = rows.iter().flat_map(points_of).collect();
    let text = |name: &str| {
        texts(
            points
                .iter()
                .map(|point| point.row.get(name).and_then(as_text)),
        )
    };
    let values: Float64Array = points.iter().map(|point| point.value).collect();
    RecordBatch::try_from_iter([
        ("label", text("label")),
        ("breakdown_value", text("breakdown_value")),
        ("compare_label", text("compare_label")),
        (
            "day",
            texts(points.iter().map(|point| point.day.map(str::to_owned))),
        ),
        ("value", Arc::new(values) as ArrayRef),
    ])
}

fn points_of(row: &Value) -> Vec<Point<'_>> {
    if let Some(value) = row.get("aggregated_value") {
        return vec![Point {
            row,
            day: None,
            value: value.as_f64(),
        }];
    }
    let list = |name: &str| {
        row.get(name)
            .and_then(Value::as_array)
            .map(Vec::as_slice)
            .unwrap_or_default()
    };
    list("days")
        .iter()
        .zip(list("data"))
        .map(|(day, value)| Point {
            row,
            day: day.as_str(),
            value: value.as_f64(),
        })
        .collect()
}

fn texts(values: impl Iterator<Item = Option<String>>) -> ArrayRef {
    Arc::new(values.collect::<StringArray>())
}

fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}
