//! Events from Parquet: rows become the same messages as captured events.
//!
//! Columns are found by name, by ours or by those that the load gives. Required are `event`, `distinct_id` and `timestamp`; `uuid`,
//! `properties`, `person_id`, `person_properties`, `$group_0` to `$group_4` and a clock of receipt are taken where they
//! exist. Every further column is a property, which one of the same name in `properties` hides.

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray};
use datafusion::arrow::array::{FixedSizeBinaryArray, TimestampMicrosecondArray};
use datafusion::arrow::compute::{can_cast_types, cast};
use datafusion::arrow::datatypes::{DataType, Schema, TimeUnit, TimestampMicrosecondType};
use datafusion::parquet::arrow::ProjectionMask;
use datafusion::parquet::arrow::arrow_reader::{
    ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use uuid::Uuid;

use super::capture::Dialect;
use super::columns::{self, Columns};
use super::further::{Properties, Property};
use super::input;
use super::json;
use super::message::{Builder, Fields, Parsed};
use super::staged::GROUP_TYPES;
use super::timestamp::{self, Clock};
use super::typed::TypedBatch;
use super::walk;
use super::walk::Walk;
use crate::entities::id_from_text;
use crate::error::{Error, Result};
use crate::files::stored::is_stored;

const REQUIRED: [&str; 3] = ["event", "distinct_id", "timestamp"];
const OPTIONAL: [&str; 4] = ["uuid", "properties", "person_id", "person_properties"];
const GROUPS: [&str; GROUP_TYPES] = ["$group_0", "$group_1", "$group_2", "$group_3", "$group_4"];
/// When the event was received: the first of these that a file has.
const RECEIPT: [&str; 4] = ["now", "received_at", "_inserted_at", "created_at"];
/// What columns of promoted properties begin with in our own files.
const PROMOTED: &str = "p.";
const ROWS: usize = 8192;

/// Which columns of a file mean what.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    columns: Columns,
    receipt: Option<&'static str>,
    /// Columns that are properties, by their names there and here.
    properties: Arc<Vec<(String, String)>>,
    left_out: Vec<String>,
}

impl Layout {
    /// That of a file with these columns.
    pub(super) fn new(file: &str, schema: &Schema, columns: &Columns) -> Result<Self> {
        if is_stored(schema) {
            return Err(of_a_store(file));
        }
        for ours in REQUIRED {
            let name = columns.theirs(ours);
            let field = schema
                .field_with_name(name)
                .map_err(|_| missing(file, ours, name, schema))?;
            if !can_cast_types(field.data_type(), &DataType::Utf8) {
                let reason = format!(
                    "its column `{name}` is of type {}, which is no text",
                    field.data_type()
                );
                return Err(Error::invalid(file, reason));
            }
        }
        let has = |ours: &str| schema.field_with_name(columns.theirs(ours)).is_ok();
        let has_json = has("properties");
        let (mut properties, mut left_out) = (Vec::new(), Vec::new());
        for field in schema.fields() {
            let theirs = field.name();
            let Some(name) = property(columns.ours(theirs), has_json) else {
                continue;
            };
            if can_cast_types(field.data_type(), &DataType::Utf8) {
                properties.push((theirs.clone(), name.to_owned()));
            } else {
                left_out.push(theirs.clone());
            }
        }
        Ok(Self {
            columns: columns.clone(),
            receipt: receipt(schema, columns),
            properties: Arc::new(properties),
            left_out,
        })
    }

    /// Columns that are not loaded although they may hold something.
    pub(super) fn left_out(&self) -> &[String] {
        &self.left_out
    }

    /// The columns that have a meaning to ingestion, by their names there.
    pub(super) fn telling(&self, schema: &Schema) -> Vec<String> {
        let has_meaning = |theirs: &str| {
            let property = self.properties.iter().find(|(name, _)| name == theirs);
            is_ours(self.columns.ours(theirs))
                || property.is_some_and(|(_, name)| walk::has_meaning(name))
        };
        let names = schema.fields().iter().map(|field| field.name());
        names.filter(|name| has_meaning(name)).cloned().collect()
    }

    /// Is a column of the file read?
    fn reads(&self, theirs: &str) -> bool {
        let ours = self.columns.ours(theirs);
        is_ours(ours) || self.properties.iter().any(|(name, _)| name == theirs)
    }
}

/// Our name of the column that says when an event was received, if there is one.
pub(crate) fn receipt(schema: &Schema, columns: &Columns) -> Option<&'static str> {
    let has = |ours: &&str| schema.field_with_name(columns.theirs(ours)).is_ok();
    RECEIPT.into_iter().find(has)
}

fn is_ours(name: &str) -> bool {
    REQUIRED.contains(&name)
        || OPTIONAL.contains(&name)
        || GROUPS.contains(&name)
        || RECEIPT.contains(&name)
}

/// The property that a column holds; none if it has another meaning, or holds a copy.
pub(crate) fn property(name: &str, has_json: bool) -> Option<&str> {
    let is_ref = name == "person_ref" || (name.starts_with("group_") && name.ends_with("_ref"));
    match name.strip_prefix(PROMOTED) {
        Some(promoted) => (!has_json).then_some(promoted),
        None if is_ours(name) || is_ref => None,
        None => columns::property(name),
    }
}

/// A file that only its store can read.
fn of_a_store(file: &str) -> Error {
    let reason = "it is a file of a store, which only holds together with the others; read the store, or load what came into it";
    Error::invalid(file, reason)
}

/// A table lacks a column that events need.
pub(crate) fn missing(file: &str, ours: &str, theirs: &str, schema: &Schema) -> Error {
    let names: Vec<&str> = schema.fields().iter().map(|f| f.name().as_str()).collect();
    let reason = format!(
        "it has no column `{theirs}`; events need {}. It has: {}. Say which one is meant with `--column {ours}=NAME`",
        REQUIRED.join(", "),
        names.join(", ")
    );
    Error::invalid(file, reason)
}

/// The rows of a file, batch by batch, with the number of each batch's first row counted from 1.
pub(super) struct Batches {
    reader: ParquetRecordBatchReader,
    layout: Layout,
    file: String,
    row: u64,
    /// Nothing is read after a panic.
    is_broken: bool,
}

impl Batches {
    /// Opens a file.
    pub(super) fn open(file: &str, data: input::Parquet, columns: &Columns) -> Result<Self> {
        let builder = open(file, data)?;
        let layout = Layout::new(file, builder.schema(), columns)?;
        let fields = builder.schema().fields().iter().enumerate();
        let kept = fields
            .filter(|(_, field)| layout.reads(field.name()))
            .map(|(index, _)| index);
        let mask = ProjectionMask::roots(builder.parquet_schema(), kept);
        let reader = builder.with_projection(mask).with_batch_size(ROWS);
        Ok(Self {
            reader: reader.build().map_err(|e| Error::parquet(file, &e))?,
            layout,
            file: file.to_owned(),
            row: 1,
            is_broken: false,
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
        if self.is_broken {
            return None;
        }
        let row = self.row;
        let read = guarded(&self.file, || self.reader.next());
        self.is_broken = read.is_err();
        Some(match read {
            Ok(None) => return None,
            Ok(Some(Ok(batch))) => {
                self.row += batch.num_rows() as u64;
                Ok((row, batch))
            }
            Ok(Some(Err(error))) => Err(Error::corrupt(&self.file, error)),
            Err(damage) => Err(damage),
        })
    }
}

/// What is read of a file of anybody's. On some files the Parquet library panics, where nothing but damage makes it.
fn guarded<T>(file: &str, read: impl FnOnce() -> T) -> Result<T> {
    catch_unwind(AssertUnwindSafe(read)).map_err(|_| {
        Error::corrupt(
            file,
            "its pages cannot be decoded; write it anew, or leave it out",
        )
    })
}

/// The columns of a file.
pub(super) fn schema(file: &str, data: input::Parquet) -> Result<Arc<Schema>> {
    Ok(Arc::clone(open(file, data)?.schema()))
}

/// Those of some columns that a file has, batch by batch.
pub(super) fn batches(
    file: &str,
    data: input::Parquet,
    columns: &[&str],
) -> Result<impl Iterator<Item = Result<RecordBatch>>> {
    let builder = open(file, data)?;
    let fields = builder.schema().fields().iter().enumerate();
    let kept = fields.filter(|(_, field)| columns.contains(&field.name().as_str()));
    let mask = ProjectionMask::roots(builder.parquet_schema(), kept.map(|(index, _)| index));
    let reader = builder.with_projection(mask).with_batch_size(ROWS).build();
    let file = file.to_owned();
    let mut reader = reader.map_err(|e| Error::parquet(&file, &e))?;
    let mut is_broken = false;
    Ok(std::iter::from_fn(move || {
        if is_broken {
            return None;
        }
        let read = guarded(&file, || reader.next());
        is_broken = read.is_err();
        match read {
            Ok(batch) => Some(batch?.map_err(|e| Error::corrupt(&file, e))),
            Err(damage) => Some(Err(damage)),
        }
    }))
}

fn open(
    file: &str,
    data: input::Parquet,
) -> Result<ParquetRecordBatchReaderBuilder<input::Parquet>> {
    let opened = guarded(file, || ParquetRecordBatchReaderBuilder::try_new(data))?;
    opened.map_err(|e| Error::parquet(file, &e))
}

/// Parses a batch whose first row has the number `first`.
pub(super) fn parse(
    layout: &Layout,
    file: &str,
    first: u64,
    batch: &RecordBatch,
    dialect: Dialect<'_>,
) -> Result<Parsed> {
    let columns = Rows::new(layout, file, batch)?;
    let mut builder = Builder::with_capacity(batch.num_rows(), columns.bytes());
    let mut properties = Properties::default();
    for row in 0..batch.num_rows() {
        let line = first + row as u64;
        let pushed = columns
            .fields(row, line, dialect, &mut properties)
            .and_then(|fields| builder.push(&fields));
        if let Err(reason) = pushed {
            builder.reject(line, reason);
        }
    }
    builder.out.typed = columns.typed;
    Ok(builder.finish().with(String::new()))
}

/// The columns of a batch as what they mean.
struct Rows {
    event: StringArray,
    distinct_id: StringArray,
    timestamp: Times,
    receipt: Option<Times>,
    uuid: Option<Uuids>,
    person_id: Option<StringArray>,
    person_properties: Option<StringArray>,
    properties: Option<StringArray>,
    groups: [Option<StringArray>; GROUP_TYPES],
    further: Vec<Property>,
    /// All properties, if none is in JSON.
    typed: Option<Arc<TypedBatch>>,
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

impl Rows {
    fn new(layout: &Layout, file: &str, batch: &RecordBatch) -> Result<Self> {
        let column = |ours: &str| batch.column_by_name(layout.columns.theirs(ours));
        let required =
            |ours: &str| column(ours).ok_or_else(|| Error::internal(format!("no column {ours}")));
        let texts = |ours: &str| {
            column(ours)
                .map(|array| text(file, ours, array))
                .transpose()
        };
        let times = |ours: &str| {
            column(ours)
                .map(|array| Times::new(file, ours, array))
                .transpose()
        };
        let mut groups = [const { None }; GROUP_TYPES];
        for (group, name) in groups.iter_mut().zip(GROUPS) {
            *group = texts(name)?;
        }
        let further = layout.properties.iter().map(|(theirs, name)| {
            let array = batch
                .column_by_name(theirs)
                .ok_or_else(|| Error::internal(format!("no column {theirs}")))?;
            let kind = array.data_type();
            let bare = kind.is_numeric() || *kind == DataType::Boolean;
            let texts = text(file, theirs, array)?;
            Ok(Property::new(name, array, texts, bare))
        });
        let further: Vec<Property> = further.collect::<Result<_>>()?;
        let properties = texts("properties")?;
        let typed = match properties {
            Some(_) => None,
            None => TypedBatch::of(further.iter().map(Property::column)),
        };
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
            person_properties: texts("person_properties")?,
            properties,
            groups,
            further,
            typed,
        })
    }

    /// How much text there is.
    fn bytes(&self) -> usize {
        let texts = [&self.event, &self.distinct_id];
        let texts = texts.into_iter().chain(&self.properties);
        let texts = texts.map(|texts| texts.values().len());
        texts.sum::<usize>() + self.further.iter().map(Property::bytes).sum::<usize>()
    }

    fn fields<'a>(
        &'a self,
        row: usize,
        line: u64,
        dialect: Dialect<'_>,
        properties: &'a mut Properties,
    ) -> Result<Fields<'a>, String> {
        let event = value(Some(&self.event), row);
        let event = event.ok_or("`event` is missing; every event needs a name")?;
        let person_id = value(self.person_id.as_ref(), row).filter(|id| !id.is_empty());
        let person_properties = value(self.person_properties.as_ref(), row);
        let person_properties = person_properties.filter(|text| text.starts_with('{'));
        person_properties.map_or(Ok(()), json::check)?;
        let receipt = self.receipt.as_ref().and_then(|times| times.get(row));
        let mut groups = [None; GROUP_TYPES];
        for (group, column) in groups.iter_mut().zip(&self.groups) {
            *group = value(column.as_ref(), row);
        }
        let (properties, walk) = self.properties(row, properties)?;
        Ok(Fields {
            line,
            event: Cow::Borrowed(event),
            distinct_id: value(Some(&self.distinct_id), row).map(Cow::Borrowed),
            uuid: self.uuid.as_ref().and_then(|uuids| uuids.get(row)),
            properties: Cow::Borrowed(properties),
            clock: Clock {
                now: receipt.or(dialect.received_at),
                timestamp: self.timestamp.get(row),
                ..Clock::default()
            },
            groups,
            person_id: person_id.map(id_from_text),
            exported: true,
            person_properties,
            walk,
            row: self.typed.is_some().then_some(row as u32),
            ..Fields::default()
        })
    }

    /// The properties of a row as one object (nothing if they stay in columns), and what of them has a meaning to ingestion, if that is known.
    fn properties<'a>(
        &'a self,
        row: usize,
        out: &'a mut Properties,
    ) -> Result<(&'a str, Option<Walk<'a>>), String> {
        let Some(given) = &self.properties else {
            // Nobody needs the text of what stays in columns as it came.
            if self.typed.is_some() && !out.walk(&self.further, row).changes_properties() {
                return Ok(("", Some(out.meanings(&self.further))));
            }
            return Ok(out.of(&self.further, row));
        };
        let text = value(Some(given), row).map_or("", str::trim_start);
        let given = match text.as_bytes().first() {
            Some(b'{') => text,
            None => "{}",
            Some(_) if text.trim_end() == "null" => "{}",
            Some(_) => return Err("`properties` is no JSON object".into()),
        };
        json::check(given)?;
        Ok((out.beside(given, &self.further, row), None))
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
