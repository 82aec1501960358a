//! Events from Parquet with our columns: rows become the same messages as captured events.
//!
//! Columns are found by name. Required are `event`, `distinct_id` and `timestamp`; `uuid`, `properties`,
//! `person_id`, `$group_0` to `$group_4` and a clock of receipt are taken where they exist. A file without
//! `properties` has them as columns: every further column is one. Beside `properties` such columns are left out.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fs::File;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray};
use datafusion::arrow::array::{FixedSizeBinaryArray, TimestampMicrosecondArray};
use datafusion::arrow::compute::{can_cast_types, cast};
use datafusion::arrow::datatypes::{DataType, Schema, TimeUnit, TimestampMicrosecondType};
use datafusion::parquet::arrow::ProjectionMask;
use datafusion::parquet::arrow::arrow_reader::{
    ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use datafusion::parquet::file::reader::ChunkReader;
use uuid::Uuid;

use super::capture::Dialect;
use super::input;
use super::json;
use super::message::{Builder, Fields, Parsed};
use super::staged::GROUP_TYPES;
use super::timestamp::{self, Clock};
use crate::entities::id_from_text;
use crate::error::{Error, Result};

const REQUIRED: [&str; 3] = ["event", "distinct_id", "timestamp"];
const OPTIONAL: [&str; 3] = ["uuid", "properties", "person_id"];
const GROUPS: [&str; GROUP_TYPES] = ["$group_0", "$group_1", "$group_2", "$group_3", "$group_4"];
/// When the event was received: the first of these that a file has.
const RECEIPT: [&str; 4] = ["now", "received_at", "_inserted_at", "created_at"];
const ROWS: usize = 8192;

/// Which columns of a file mean what.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    receipt: Option<&'static str>,
    /// Columns that are properties.
    properties: Vec<String>,
    left_out: Vec<String>,
}

impl Layout {
    fn new(file: &str, schema: &Schema) -> Result<Self> {
        for name in REQUIRED {
            let field = schema.field_with_name(name).map_err(|_| {
                Error::invalid(
                    file,
                    format!(
                        "it has no column `{name}`; events need {}",
                        REQUIRED.join(", ")
                    ),
                )
            })?;
            if !can_cast_types(field.data_type(), &DataType::Utf8) {
                let reason = format!(
                    "its column `{name}` is of type {}, which is no text",
                    field.data_type()
                );
                return Err(Error::invalid(file, reason));
            }
        }
        let has = |name: &str| schema.field_with_name(name).is_ok();
        let receipt = RECEIPT.into_iter().find(|name| has(name));
        let known: HashSet<&str> = REQUIRED
            .into_iter()
            .chain(OPTIONAL)
            .chain(GROUPS)
            .chain(RECEIPT)
            .collect();
        let others = schema
            .fields()
            .iter()
            .filter(|field| !known.contains(field.name().as_str()));
        let (properties, left_out): (Vec<_>, Vec<_>) = others
            .map(|field| {
                (
                    field.name().clone(),
                    can_cast_types(field.data_type(), &DataType::Utf8),
                )
            })
            .partition(|(_, readable)| *readable && !has("properties"));
        let names =
            |fields: Vec<(String, bool)>| fields.into_iter().map(|(name, _)| name).collect();
        Ok(Self {
            receipt,
            properties: names(properties),
            left_out: names(left_out),
        })
    }

    /// Columns that are not loaded.
    pub(super) fn left_out(&self) -> &[String] {
        &self.left_out
    }
}

/// The rows of a file, batch by batch, with the number of each batch's first row counted from 1.
pub(super) struct Batches {
    reader: ParquetRecordBatchReader,
    layout: Layout,
    file: String,
    row: u64,
}

impl Batches {
    /// Opens a file.
    pub(super) fn open(file: &str, data: input::Parquet) -> Result<Self> {
        match data {
            input::Parquet::Bytes(bytes) => Self::read(file, bytes),
            input::Parquet::File(path) => {
                Self::read(file, File::open(&path).map_err(|e| Error::io(&path, e))?)
            }
        }
    }

    fn read(file: &str, data: impl ChunkReader + 'static) -> Result<Self> {
        let damaged = |e| Error::parquet(file, &e);
        let builder = ParquetRecordBatchReaderBuilder::try_new(data).map_err(damaged)?;
        let layout = Layout::new(file, builder.schema())?;
        let fields = builder.schema().fields().iter().enumerate();
        let kept = fields
            .filter(|(_, field)| !layout.left_out.contains(field.name()))
            .map(|(index, _)| index);
        let mask = ProjectionMask::roots(builder.parquet_schema(), kept);
        let reader = builder.with_projection(mask).with_batch_size(ROWS);
        Ok(Self {
            reader: reader.build().map_err(damaged)?,
            layout,
            file: file.to_owned(),
            row: 1,
        })
    }

    /// Which columns mean what.
    pub(super) fn layout(&self) -> Layout {
        self.layout.clone()
    }
}

impl Iterator for Batches {
    type Item = Result<(u64, RecordBatch)>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.reader.next()?;
        let row = self.row;
        Some(match batch {
            Ok(batch) => {
                self.row += batch.num_rows() as u64;
                Ok((row, batch))
            }
            Err(error) => Err(Error::corrupt(&self.file, error)),
        })
    }
}

/// Parses a batch whose first row has the number `first`.
pub(super) fn parse(
    layout: &Layout,
    file: &str,
    first: u64,
    batch: &RecordBatch,
    dialect: Dialect,
) -> Result<Parsed> {
    let columns = Columns::new(layout, file, batch)?;
    let mut builder = Builder::new("");
    for row in 0..batch.num_rows() {
        let line = first + row as u64;
        let pushed = columns
            .fields(row, line, dialect)
            .and_then(|fields| builder.push(&fields));
        if let Err(reason) = pushed {
            builder.reject(line, reason);
        }
    }
    Ok(builder.finish().with(String::new()))
}

/// The columns of a batch as what they mean.
struct Columns {
    event: StringArray,
    distinct_id: StringArray,
    timestamp: Times,
    receipt: Option<Times>,
    uuid: Option<Uuids>,
    person_id: Option<StringArray>,
    properties: Option<StringArray>,
    groups: [Option<StringArray>; GROUP_TYPES],
    further: Vec<Property>,
}

/// A column that is a property.
struct Property {
    name: String,
    values: StringArray,
    /// Are the values numbers or truths, which stand in JSON as they are?
    bare: bool,
}

/// A column of times.
enum Times {
    Micros(TimestampMicrosecondArray),
    Text(StringArray),
}

/// A column of UUIDs.
enum Uuids {
    Binary(FixedSizeBinaryArray),
    Text(StringArray),
}

impl Columns {
    fn new(layout: &Layout, file: &str, batch: &RecordBatch) -> Result<Self> {
        let column = |name: &str| batch.column_by_name(name);
        let required =
            |name: &str| column(name).ok_or_else(|| Error::internal(format!("no column {name}")));
        let texts = |name: &str| {
            column(name)
                .map(|array| text(file, name, array))
                .transpose()
        };
        let times = |name: &str| {
            column(name)
                .map(|array| Times::new(file, name, array))
                .transpose()
        };
        let mut groups = [const { None }; GROUP_TYPES];
        for (group, name) in groups.iter_mut().zip(GROUPS) {
            *group = texts(name)?;
        }
        let further = layout.properties.iter().map(|name| {
            let array = required(name)?;
            let kind = array.data_type();
            Ok(Property {
                name: name.clone(),
                values: text(file, name, array)?,
                bare: kind.is_numeric() || *kind == DataType::Boolean,
            })
        });
        Ok(Self {
            event: text(file, "event", required("event")?)?,
            distinct_id: text(file, "distinct_id", required("distinct_id")?)?,
            timestamp: Times::new(file, "timestamp", required("timestamp")?)?,
            receipt: layout.receipt.map(times).transpose()?.flatten(),
            uuid: match column("uuid") {
                Some(array) if *array.data_type() == DataType::FixedSizeBinary(16) => {
                    Some(Uuids::Binary(array.as_fixed_size_binary().clone()))
                }
                _ => texts("uuid")?.map(Uuids::Text),
            },
            person_id: texts("person_id")?,
            properties: texts("properties")?,
            groups,
            further: further.collect::<Result<_>>()?,
        })
    }

    fn fields(&self, row: usize, line: u64, dialect: Dialect) -> Result<Fields<'_>, String> {
        let event = value(Some(&self.event), row);
        let event = event.ok_or("`event` is missing; every event needs a name")?;
        let person_id = value(self.person_id.as_ref(), row).filter(|id| !id.is_empty());
        let receipt = self.receipt.as_ref().and_then(|times| times.get(row));
        let mut groups = [None; GROUP_TYPES];
        for (group, column) in groups.iter_mut().zip(&self.groups) {
            *group = value(column.as_ref(), row);
        }
        Ok(Fields {
            line,
            event: Cow::Borrowed(event),
            distinct_id: value(Some(&self.distinct_id), row).map(Cow::Borrowed),
            uuid: self.uuid.as_ref().and_then(|uuids| uuids.get(row)),
            properties: self.properties(row)?,
            clock: Clock {
                now: receipt.or(dialect.received_at),
                timestamp: self.timestamp.get(row),
                ..Clock::default()
            },
            groups,
            person_id: person_id.map(id_from_text),
            ..Fields::default()
        })
    }

    fn properties(&self, row: usize) -> Result<Cow<'_, str>, String> {
        if let Some(text) = value(self.properties.as_ref(), row) {
            return match text.trim_start().as_bytes().first() {
                Some(b'{') => json::check(text).map(|()| Cow::Borrowed(text)),
                None => Ok(Cow::Borrowed("{}")),
                Some(_) if text.trim() == "null" => Ok(Cow::Borrowed("{}")),
                Some(_) => Err("`properties` is no JSON object".into()),
            };
        }
        let mut out = String::from("{");
        for property in &self.further {
            let Some(value) = value(Some(&property.values), row) else {
                continue;
            };
            if property.bare && matches!(value, "NaN" | "inf" | "-inf") {
                continue;
            }
            if out.len() > 1 {
                out.push(',');
            }
            json::push_string(&mut out, &property.name);
            out.push(':');
            if property.bare {
                out.push_str(value);
            } else {
                json::push_string(&mut out, value);
            }
        }
        out.push('}');
        Ok(Cow::Owned(out))
    }
}

impl Times {
    fn new(file: &str, name: &str, array: &ArrayRef) -> Result<Self> {
        let zone = match array.data_type() {
            DataType::Timestamp(_, zone) => zone.clone(),
            DataType::Date32 | DataType::Date64 => None,
            _ => return Ok(Self::Text(text(file, name, array)?)),
        };
        let micros = cast(array, &DataType::Timestamp(TimeUnit::Microsecond, zone))
            .map_err(|e| unreadable(file, name, &e))?;
        Ok(Self::Micros(
            micros.as_primitive::<TimestampMicrosecondType>().clone(),
        ))
    }

    fn get(&self, row: usize) -> Option<i64> {
        match self {
            Self::Micros(array) => array.is_valid(row).then(|| array.value(row)),
            Self::Text(array) => timestamp::parse(value(Some(array), row)?),
        }
    }
}

impl Uuids {
    fn get(&self, row: usize) -> Option<Cow<'_, str>> {
        match self {
            Self::Binary(array) => {
                let bytes = array.is_valid(row).then(|| array.value(row))?;
                Some(Cow::Owned(Uuid::from_slice(bytes).ok()?.to_string()))
            }
            Self::Text(array) => value(Some(array), row).map(Cow::Borrowed),
        }
    }
}

fn value(array: Option<&StringArray>, row: usize) -> Option<&str> {
    let array = array?;
    array.is_valid(row).then(|| array.value(row))
}

fn text(file: &str, name: &str, array: &ArrayRef) -> Result<StringArray> {
    let text = cast(array, &DataType::Utf8).map_err(|e| unreadable(file, name, &e))?;
    Ok(text.as_string::<i32>().clone())
}

fn unreadable(file: &str, name: &str, error: &impl std::fmt::Display) -> Error {
    Error::invalid(file, format!("its column `{name}` cannot be read: {error}"))
}
