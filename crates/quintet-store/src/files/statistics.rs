//! What the log says of the rows of a file of events: gathered when it is written, and once more by `verify`.

use std::collections::BTreeMap;

use datafusion::arrow::array::Array;
use datafusion::arrow::record_batch::RecordBatch;

use super::PromotedColumns;
use super::batch::{texts, timestamps};
use super::layout::{Month, partition};
use crate::log::EventsFile;
use crate::schema;

/// More event names than this are not counted one by one in the log.
const MAX_COUNTED_NAMES: usize = 256;

/// The statistics of the rows so far.
#[derive(Default)]
pub(crate) struct Statistics {
    rows: u64,
    timestamps: Option<(i64, i64)>,
    /// Rows by event name, in the order of the file, hence sorted.
    names: Vec<(String, u64)>,
    nulls: BTreeMap<String, u64>,
    last_timestamp: i64,
    disordered: bool,
}

impl Statistics {
    /// Takes the next rows of a file in, or says why they are no events.
    pub(crate) fn note(&mut self, batch: &RecordBatch) -> Result<(), String> {
        let timestamps = timestamps(batch)?;
        let events = texts(batch, schema::EVENT)?;
        self.rows += batch.num_rows() as u64;
        for (event, timestamp) in events.iter().flatten().zip(timestamps.values()) {
            let (min, max) = self.timestamps.get_or_insert((*timestamp, *timestamp));
            *min = (*min).min(*timestamp);
            *max = (*max).max(*timestamp);
            match self.names.last_mut() {
                Some((name, rows)) if name == event => {
                    self.disordered |= *timestamp < self.last_timestamp;
                    *rows += 1;
                }
                last => {
                    self.disordered |= last.is_some_and(|(name, _)| name.as_str() > event);
                    self.names.push((event.to_owned(), 1));
                }
            }
            self.last_timestamp = *timestamp;
        }
        for (field, column) in batch.schema_ref().fields().iter().zip(batch.columns()) {
            // Those that lie nowhere in the file are not missing.
            if field.is_nullable() && field.name() != schema::PROPERTIES {
                *self.nulls.entry(field.name().clone()).or_default() += column.null_count() as u64;
            }
        }
        Ok(())
    }

    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// Whether the rows came in the order (event, timestamp).
    pub(crate) fn in_order(&self) -> bool {
        !self.disordered
    }

    /// What the log says of a file with these rows; nothing if there is none.
    pub(crate) fn finish(self, promoted: PromotedColumns) -> Option<EventsFile> {
        let (min_timestamp, max_timestamp) = self.timestamps?;
        let (min_event, max_event) = (self.names.first()?.0.clone(), self.names.last()?.0.clone());
        Some(EventsFile {
            partition: partition(Month::of(min_timestamp), Month::of(max_timestamp)),
            sort: vec![schema::EVENT.into(), schema::TIMESTAMP.into()],
            min_timestamp,
            max_timestamp,
            min_event,
            max_event,
            names: (self.names.len() <= MAX_COUNTED_NAMES)
                .then(|| self.names.into_iter().collect()),
            columns: promoted.fit,
            unfit: promoted.unfit,
            nulls: self.nulls,
            sets: None,
            group_rows: None,
        })
    }
}
