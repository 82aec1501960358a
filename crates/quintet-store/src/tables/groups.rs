//! Groups as rows of files, declared ones and those that only events have named.

use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{
    Array, ArrayRef, BooleanArray, StringViewBuilder, TimestampMicrosecondArray, UInt8Array,
    UInt32Array, UInt64Array,
};
use datafusion::arrow::datatypes::{
    DataType, Field, Schema, SchemaRef, TimestampMicrosecondType, UInt8Type, UInt32Type, UInt64Type,
};
use datafusion::arrow::record_batch::RecordBatch;

use super::columns::{Reason, bools, numbers, texts};
use crate::entities::Group;
use crate::error::{Error, Result};
use crate::schema::{GROUP_TYPES, timestamp_type};

static GROUPS: LazyLock<SchemaRef> = LazyLock::new(|| {
    Arc::new(Schema::new(vec![
        Field::new("index", DataType::UInt8, false),
        Field::new("ref", DataType::UInt32, false),
        Field::new("key", DataType::Utf8View, false),
        Field::new("properties", DataType::Utf8View, true),
        Field::new("created_at", timestamp_type(), false),
        Field::new("version", DataType::UInt64, false),
        Field::new("former", DataType::Boolean, false),
    ]))
});

pub(super) fn batch<'a>(groups: impl Iterator<Item = (u8, u32, &'a Group)>) -> Result<RecordBatch> {
    let rows: Vec<(u8, u32, &Group)> = groups.collect();
    let all = || rows.iter().map(|(_, _, group)| *group);
    let (mut keys, mut properties) = (StringViewBuilder::new(), StringViewBuilder::new());
    for group in all() {
        keys.append_value(&group.key);
        properties.append_option(group.properties.as_deref());
    }
    let created_at = TimestampMicrosecondArray::from_iter_values(all().map(|g| g.created_at))
        .with_timezone("UTC");
    let columns: Vec<ArrayRef> = vec![
        Arc::new(UInt8Array::from_iter_values(
            rows.iter().map(|(index, _, _)| *index),
        )),
        Arc::new(UInt32Array::from_iter_values(
            rows.iter().map(|(_, r, _)| *r),
        )),
        Arc::new(keys.finish()),
        Arc::new(properties.finish()),
        Arc::new(created_at),
        Arc::new(UInt64Array::from_iter_values(all().map(|g| g.version))),
        Arc::new(all().map(|g| Some(g.is_former)).collect::<BooleanArray>()),
    ];
    RecordBatch::try_new(Arc::clone(&GROUPS), columns).map_err(Error::internal)
}

/// The last row of each group, by index and ref − 1.
#[derive(Default)]
pub(super) struct Rows([Vec<Option<Group>>; GROUP_TYPES]);

impl Rows {
    pub(super) fn take(&mut self, batch: &RecordBatch) -> Result<(), Reason> {
        let indexes = numbers::<UInt8Type>(batch, "index", &DataType::UInt8)?;
        let refs = numbers::<UInt32Type>(batch, "ref", &DataType::UInt32)?;
        let keys = texts(batch, "key")?;
        let properties = texts(batch, "properties")?;
        let created_at =
            numbers::<TimestampMicrosecondType>(batch, "created_at", &timestamp_type())?;
        let versions = numbers::<UInt64Type>(batch, "version", &DataType::UInt64)?;
        // Older files do not say it.
        let former = match batch.column_by_name("former") {
            Some(_) => Some(bools(batch, "former")?),
            None => None,
        };
        for at in 0..batch.num_rows() {
            let list = self
                .0
                .get_mut(usize::from(indexes.value(at)))
                .ok_or("a group has an index beyond 4")?;
            let place = (refs.value(at) as usize)
                .checked_sub(1)
                .ok_or("a group has the ref 0")?;
            if list.len() <= place {
                list.resize(place + 1, None);
            }
            list[place] = Some(Group {
                key: keys.value(at).to_owned(),
                properties: properties
                    .is_valid(at)
                    .then(|| properties.value(at).to_owned()),
                created_at: created_at.value(at),
                version: versions.value(at),
                is_former: former.as_ref().is_some_and(|column| column.value(at)),
            });
        }
        Ok(())
    }

    pub(super) fn complete(self) -> Result<Vec<(u8, u32, Group)>, Reason> {
        let mut rows = Vec::new();
        for (index, list) in (0..).zip(self.0) {
            for (r, group) in (1..).zip(list) {
                rows.push((index, r, group.ok_or("a group is missing")?));
            }
        }
        Ok(rows)
    }
}
