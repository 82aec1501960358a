//! From groups as they were found to the rows of a list.

use serde_json::{Map, Value, json};

use super::columns::Column;
use super::{GroupRow, Groups};

/// One row per group, with a cell per column.
pub fn shape(groups: &Groups, rows: Vec<GroupRow>) -> Vec<Value> {
    let cells = |row: &GroupRow| -> Value {
        let columns = groups.select.iter();
        columns.map(|select| cell(&select.column, row)).collect()
    };
    rows.iter().map(cells).collect()
}

fn cell(column: &Column, row: &GroupRow) -> Value {
    match column {
        Column::Name => json!({"display_name": row.display_name(), "key": row.key}),
        Column::Key => json!(row.key),
        Column::CreatedAt => json!(row.created_at),
        Column::Properties => row.properties.clone(),
        Column::Property(name) => row.properties.get(name).cloned().unwrap_or(Value::Null),
        // A list has figures over all groups or columns of each, never both.
        Column::Aggregate(_) => Value::Null,
    }
}

/// The one row of figures over all groups, from figures by the names of the columns.
pub fn aggregated(groups: &Groups, figures: &Map<String, Value>) -> Vec<Value> {
    let columns = groups.select.iter();
    let row = columns.map(|select| figures.get(&select.name).cloned().unwrap_or(Value::Null));
    vec![row.collect()]
}
