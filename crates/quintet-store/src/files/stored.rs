//! Events as they lie in a file, and as readers see them: uuids are two numbers there ([`schema::UUID_PARTS`]), and properties are
//! left out where columns tell them ([`super::told`]). Everything that reads or writes files of events goes through here.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Int64Array, StringViewBuilder};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Int64Type, Schema, SchemaRef};
use datafusion::arrow::record_batch::{RecordBatch, RecordBatchOptions};
use futures::StreamExt;
use futures::stream::BoxStream;
use uuid::Uuid;
use uuid::fmt::Hyphenated;

use super::batch::texts;
use super::reader;
use super::rewrite::statistics_of;
use super::told::Told;
use crate::error::{Error, Result};
use crate::location::Location;
use crate::log::Add;
use crate::schema::{self, Promoted, PropertyType};

/// Do these columns belong to a file of events as a store has them?
pub(crate) fn is_stored(columns: &Schema) -> bool {
    let has = |name: &str| columns.index_of(name).is_ok();
    schema::UUID_PARTS.into_iter().all(has) && has(schema::PERSON_REF)
}

/// The promoted properties of a file of a store, by its columns.
pub(crate) fn promoted_of(columns: &Schema) -> Vec<Promoted> {
    let promoted = columns.fields().iter().filter_map(|field| {
        let name = field.name().strip_prefix("p.")?.to_owned();
        let kinds = [PropertyType::Text, PropertyType::Number, PropertyType::Bool];
        let mut kinds = kinds.into_iter();
        let kind = kinds.find(|kind| kind.data_type() == *field.data_type())?;
        Some(Promoted { name, kind })
    });
    promoted.collect()
}

/// Columns that readers see, as files have them, and those of further properties.
pub(crate) fn stored_columns(seen: &Schema, further: &[Promoted]) -> SchemaRef {
    let mut fields: Vec<FieldRef> = Vec::with_capacity(seen.fields().len() + 1 + further.len());
    for field in seen.fields() {
        match field.name().as_str() {
            schema::UUID => fields.extend(schema::UUID_PARTS.map(|name| {
                let field = Field::new(name, DataType::Int64, field.is_nullable());
                FieldRef::new(field)
            })),
            schema::PROPERTIES => {
                fields.push(Arc::new(field.as_ref().clone().with_nullable(true)));
            }
            _ => fields.push(Arc::clone(field)),
        }
    }
    for property in further {
        let name = property.column();
        if seen.index_of(&name).is_err() {
            fields.push(Arc::new(Field::new(name, property.kind.data_type(), true)));
        }
    }
    Arc::new(Schema::new(fields))
}

/// The columns of a file of a store as readers see them.
pub(crate) fn seen_columns(stored: &Schema) -> SchemaRef {
    let [high, low] = schema::UUID_PARTS;
    let fields = stored.fields().iter();
    let fields = fields.filter(|field| field.name() != low).map(|field| {
        if field.name() == high {
            FieldRef::new(Field::new(schema::UUID, DataType::Utf8View, false))
        } else {
            Arc::clone(field)
        }
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// The columns to read of a file for columns that readers see.
pub(crate) fn needed<'a>(
    names: impl IntoIterator<Item = &'a str>,
    promoted: &[Promoted],
) -> Vec<String> {
    let mut needed: Vec<String> = Vec::new();
    for name in names {
        match name {
            schema::UUID => needed.extend(schema::UUID_PARTS.map(str::to_owned)),
            schema::PROPERTIES => {
                needed.push(name.to_owned());
                needed.extend(promoted.iter().map(Promoted::column));
            }
            _ => needed.push(name.to_owned()),
        }
    }
    needed.sort_unstable();
    needed.dedup();
    needed
}

/// Some columns of a live file of events as readers see them, and further ones, batch by batch.
pub(crate) async fn columns<'a>(
    location: &Location,
    file: &'a Add,
    names: impl IntoIterator<Item = &'a str>,
) -> Result<BoxStream<'a, Result<RecordBatch>>> {
    let promoted = &statistics_of(location, file)?.columns;
    let needed = needed(names, promoted);
    let batches = reader::columns(location, file, needed.iter().map(String::as_str)).await?;
    let shown = location.show(&file.path);
    let restored = batches.map(move |batch| {
        restore(&batch?, promoted).map_err(|reason| Error::corrupt(&shown, reason))
    });
    Ok(restored.boxed())
}

/// Rows of a file as readers see them. Columns that come of others are there if these are: all of them.
pub(crate) fn restore(batch: &RecordBatch, promoted: &[Promoted]) -> Result<RecordBatch, String> {
    let mut fields: Vec<FieldRef> = Vec::with_capacity(batch.num_columns());
    let mut columns: Vec<ArrayRef> = Vec::with_capacity(batch.num_columns());
    for (field, column) in batch.schema_ref().fields().iter().zip(batch.columns()) {
        match field.name().as_str() {
            name if name == schema::UUID_PARTS[0] => {
                let low = batch
                    .column_by_name(schema::UUID_PARTS[1])
                    .ok_or("it has half of the uuids")?;
                let uuids = uuid_texts(column, low)?;
                fields.push(Arc::new(Field::new(
                    schema::UUID,
                    uuids.data_type().clone(),
                    false,
                )));
                columns.push(uuids);
            }
            name if name == schema::UUID_PARTS[1] => {}
            schema::PROPERTIES if column.null_count() > 0 => {
                let names: Vec<String> = promoted.iter().map(Promoted::column).collect();
                let told = promoted.iter().zip(&names).map(|(property, column)| {
                    let column = batch
                        .column_by_name(column)
                        .ok_or_else(|| format!("it has no column {column}"))?;
                    Ok((property.name.as_str(), column))
                });
                let told = Told::of(told.collect::<Result<Vec<_>, String>>()?)?;
                fields.push(Arc::new(field.as_ref().clone().with_nullable(false)));
                columns.push(Arc::new(told.restore(texts(batch, schema::PROPERTIES)?)));
            }
            _ => {
                fields.push(Arc::clone(field));
                columns.push(Arc::clone(column));
            }
        }
    }
    let rows = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &rows)
        .map_err(|e| e.to_string())
}

/// Rows as readers see them, in the columns of a file that has columns for these properties.
pub(crate) fn reduce(
    batch: &RecordBatch,
    promoted: &[Promoted],
    stored: &SchemaRef,
) -> Result<RecordBatch, String> {
    let known = |name: &str| {
        let column = batch.column_by_name(name);
        column.ok_or_else(|| format!("it has no column {name}"))
    };
    let names: Vec<String> = promoted.iter().map(Promoted::column).collect();
    let told = promoted.iter().zip(&names);
    let told = told.map(|(property, column)| Ok((property.name.as_str(), known(column)?)));
    let told = Told::of(told.collect::<Result<Vec<_>, String>>()?)?;
    let mut columns: Vec<ArrayRef> = Vec::with_capacity(stored.fields().len());
    for field in stored.fields() {
        match field.name().as_str() {
            name if name == schema::UUID_PARTS[0] => {
                let uuids = texts(batch, schema::UUID)?.iter();
                let uuids = uuids.map(|text| Uuid::try_parse(text.unwrap_or_default()));
                let uuids: Vec<Uuid> = uuids
                    .collect::<Result<_, _>>()
                    .map_err(|e| format!("a uuid is none: {e}"))?;
                columns.extend(uuid_parts(uuids.iter()));
            }
            name if name == schema::UUID_PARTS[1] => {}
            schema::PROPERTIES => {
                columns.push(Arc::new(told.reduce(texts(batch, schema::PROPERTIES)?)));
            }
            name => columns.push(Arc::clone(known(name)?)),
        }
    }
    RecordBatch::try_new(Arc::clone(stored), columns).map_err(|e| e.to_string())
}

/// Uuids as they lie in a file.
pub(crate) fn uuid_parts<'a>(uuids: impl ExactSizeIterator<Item = &'a Uuid>) -> [ArrayRef; 2] {
    let (mut high, mut low) = (
        Vec::with_capacity(uuids.len()),
        Vec::with_capacity(uuids.len()),
    );
    for uuid in uuids {
        let (first, last) = uuid.as_u64_pair();
        high.push(first.cast_signed());
        low.push(last.cast_signed());
    }
    [high, low].map(|part| Arc::new(Int64Array::from(part)) as ArrayRef)
}

/// Uuids from both their parts.
pub(crate) fn uuids(
    high: &ArrayRef,
    low: &ArrayRef,
) -> Result<impl ExactSizeIterator<Item = Uuid>, String> {
    let part = |column: &ArrayRef| {
        let column = column.as_primitive_opt::<Int64Type>();
        let column = column.ok_or("its uuids are no numbers")?;
        Ok::<_, String>(column.values().clone())
    };
    let (high, low) = (part(high)?, part(low)?);
    let count = high.len().min(low.len());
    Ok((0..count).map(move |at| {
        let part = |part: &[i64]| part.get(at).copied().unwrap_or_default().cast_unsigned();
        Uuid::from_u64_pair(part(&high), part(&low))
    }))
}

/// Uuids as text from both their parts.
pub(crate) fn uuid_texts(high: &ArrayRef, low: &ArrayRef) -> Result<ArrayRef, String> {
    let uuids = uuids(high, low)?;
    let mut text = [0; Hyphenated::LENGTH];
    let mut column = StringViewBuilder::with_capacity(uuids.len());
    for uuid in uuids {
        column.append_value(uuid.hyphenated().encode_lower(&mut text));
    }
    Ok(Arc::new(column.finish()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use datafusion::arrow::array::StringViewArray;

    use super::*;

    #[test]
    fn uuids_go_there_and_back_whatever_their_bits() {
        let uuids = [
            Uuid::nil(),
            Uuid::max(),
            Uuid::from_u128(0x0194_1f4a_151f_7678_8bae_0102_0304_ff06),
        ];
        let [high, low] = uuid_parts(uuids.iter());
        let texts = uuid_texts(&high, &low).unwrap();
        let expected: StringViewArray = uuids.iter().map(|uuid| Some(uuid.to_string())).collect();
        assert_eq!(texts.as_string_view(), &expected);
    }

    #[test]
    fn columns_that_come_of_others_ask_for_them() {
        let promoted = [Promoted {
            name: "plan".into(),
            kind: PropertyType::Text,
        }];
        assert_eq!(
            needed([schema::UUID, schema::PROPERTIES, "p.plan"], &promoted),
            ["p.plan", "properties", "uuid_high", "uuid_low"]
        );
        assert_eq!(needed([schema::EVENT], &promoted), ["event"]);
    }
}
