//! The columns of every table, as they lie in the files and as DataFusion shows them.

use std::sync::{Arc, LazyLock};

use datafusion::arrow::compute::SortOptions;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use serde::{Deserialize, Serialize};

/// Number of group types a store can hold; their indexes are 0 to 4.
pub const GROUP_TYPES: usize = 5;

/// Id of the event, a UUID as text.
pub const UUID: &str = "uuid";
/// What lies in files of events for [`UUID`]: its first and its last eight bytes, each as a number (big-endian).
pub const UUID_PARTS: [&str; 2] = ["uuid_high", "uuid_low"];
/// Name of the event.
pub const EVENT: &str = "event";
/// The id that the sender gave to the actor.
pub const DISTINCT_ID: &str = "distinct_id";
/// UUID (as text) of the person at the time of ingestion; merges are applied by the reader.
pub const PERSON_ID: &str = "person_id";
/// Instant of the event, microseconds UTC.
pub const TIMESTAMP: &str = "timestamp";
/// The event's properties, exact JSON text of an object.
pub const PROPERTIES: &str = "properties";
/// Keys of the event's groups by type index; null where there is none.
pub const GROUPS: [&str; GROUP_TYPES] =
    ["$group_0", "$group_1", "$group_2", "$group_3", "$group_4"];
/// Dense id of the person, counted from 1; merges are applied by the reader.
pub const PERSON_REF: &str = "person_ref";
/// Dense ids of the event's groups by type index, counted from 1; 0 where there is none.
pub const GROUP_REFS: [&str; GROUP_TYPES] = [
    "group_0_ref",
    "group_1_ref",
    "group_2_ref",
    "group_3_ref",
    "group_4_ref",
];
/// Columns that an events table must have; all others may be absent from a plain folder.
pub const REQUIRED: [&str; 3] = [EVENT, DISTINCT_ID, TIMESTAMP];

/// The type of instants everywhere: microseconds UTC.
pub fn timestamp_type() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

/// The scalar type of a promoted property.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PropertyType {
    /// JSON text; `Utf8View`.
    Text,
    /// JSON number; `Float64`.
    Number,
    /// JSON true or false; `Boolean`.
    Bool,
}

impl PropertyType {
    /// The column type that holds such values.
    pub fn data_type(self) -> DataType {
        match self {
            Self::Text => DataType::Utf8View,
            Self::Number => DataType::Float64,
            Self::Bool => DataType::Boolean,
        }
    }
}

/// An event property that has a typed column of its own beside the JSON text.
///
/// The column is null where the property is missing or JSON null, and nowhere else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promoted {
    /// Name of the property.
    pub name: String,
    /// Type of all its values.
    #[serde(rename = "type")]
    pub kind: PropertyType,
}

impl Promoted {
    /// Name of the column: `p.` and the property's name.
    ///
    /// Name it through `Column::from_name`: DataFusion's `col` reads the dot as a table's name.
    pub fn column(&self) -> String {
        promoted_column(&self.name)
    }
}

/// How the names of columns of promoted properties begin.
pub(crate) const PROMOTED_PREFIX: &str = "p.";

/// Name of the column of a promoted property.
pub fn promoted_column(property: &str) -> String {
    format!("{PROMOTED_PREFIX}{property}")
}

/// The columns of `events`, with those of the given promoted properties at the end.
pub fn events<'a>(promoted: impl IntoIterator<Item = &'a Promoted>) -> SchemaRef {
    let text = |name| Field::new(name, DataType::Utf8View, false);
    let mut fields = vec![
        text(UUID),
        text(EVENT),
        text(DISTINCT_ID),
        text(PERSON_ID),
        Field::new(TIMESTAMP, timestamp_type(), false),
        text(PROPERTIES),
    ];
    fields.extend(
        GROUPS
            .iter()
            .map(|name| Field::new(*name, DataType::Utf8View, true)),
    );
    fields.push(Field::new(PERSON_REF, DataType::UInt32, false));
    fields.extend(
        GROUP_REFS
            .iter()
            .map(|name| Field::new(*name, DataType::UInt32, false)),
    );
    fields.extend(
        promoted
            .into_iter()
            .map(|p| Field::new(p.column(), p.kind.data_type(), true)),
    );
    Arc::new(Schema::new(fields))
}

/// The columns of `persons`: `ref, id, properties, is_identified, created_at`; one row for each live person.
pub fn persons() -> SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
        Arc::new(Schema::new(vec![
            Field::new("ref", DataType::UInt32, false),
            Field::new("id", DataType::Utf8View, false),
            Field::new("properties", DataType::Utf8View, false),
            Field::new("is_identified", DataType::Boolean, false),
            Field::new("created_at", timestamp_type(), false),
        ]))
    });
    Arc::clone(&SCHEMA)
}

/// The columns of `person_distinct_ids`: `distinct_id, person_id, person_ref`, final after merges.
pub fn person_distinct_ids() -> SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
        Arc::new(Schema::new(vec![
            Field::new("distinct_id", DataType::Utf8View, false),
            Field::new("person_id", DataType::Utf8View, false),
            Field::new("person_ref", DataType::UInt32, false),
        ]))
    });
    Arc::clone(&SCHEMA)
}

/// The columns of the merges to apply to events: `old_ref, person_ref, old_id, person_id`.
pub fn person_overrides() -> SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
        Arc::new(Schema::new(vec![
            Field::new("old_ref", DataType::UInt32, false),
            Field::new("person_ref", DataType::UInt32, false),
            Field::new("old_id", DataType::Utf8View, false),
            Field::new("person_id", DataType::Utf8View, false),
        ]))
    });
    Arc::clone(&SCHEMA)
}

/// The columns of `groups`: `index, ref, key, properties, created_at`; one row for each declared group.
pub fn groups() -> SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
        Arc::new(Schema::new(vec![
            Field::new("index", DataType::Int64, false),
            Field::new("ref", DataType::UInt32, false),
            Field::new("key", DataType::Utf8View, false),
            Field::new("properties", DataType::Utf8View, false),
            Field::new("created_at", timestamp_type(), false),
        ]))
    });
    Arc::clone(&SCHEMA)
}

/// The columns of `group_types`: `group_type, index, name_singular, name_plural, created_at`.
pub fn group_types() -> SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
        Arc::new(Schema::new(vec![
            Field::new("group_type", DataType::Utf8View, false),
            Field::new("index", DataType::Int64, false),
            Field::new("name_singular", DataType::Utf8View, true),
            Field::new("name_plural", DataType::Utf8View, true),
            Field::new("created_at", timestamp_type(), true),
        ]))
    });
    Arc::clone(&SCHEMA)
}

/// How files of events are sorted by `event`, then `timestamp`.
pub(crate) const FILE_ORDER: SortOptions = SortOptions {
    descending: false,
    nulls_first: false,
};
