//! Writes a set of files anew: merged in the order of a file, cut as the layout has it, with the persons that remain and
//! with the promoted columns of today.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, BooleanArray, StringViewBuilder, UInt32Array};
use datafusion::arrow::compute::filter_record_batch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use futures::TryStreamExt;
use tokio::runtime::Handle;

use super::plan;
use crate::entities::EntityState;
use crate::error::{Error, Result};
use crate::files::batch::{in_columns, refs, texts, timestamps, with_columns};
use crate::files::layout::{MAX_FILE_ROWS, Month};
use crate::files::merge::{Run, merge};
use crate::files::parquet::read_checked;
use crate::files::promote::{self, Frequencies};
use crate::files::stored::{self, columns};
use crate::files::{EventsWriter, PromotedColumns, statistics_of};
use crate::location::Location;
use crate::log::Add;
use crate::schema::{self, Promoted};
use crate::store::commit::Writes;

/// At most about so many rows are merged at a time; bounds the memory, for what is merged is held in its encoded form.
const MERGE_ROWS: u64 = 8 * MAX_FILE_ROWS as u64;
/// Decoded rows that wait to be merged, of all files together.
const WAITING_ROWS: usize = 262_144;

/// The merges to apply: ref and public id of the person that remains, by the ref of the one that was merged.
pub(super) type Merges = HashMap<u32, (u32, String)>;

/// The merges that events may still need.
pub(super) fn merges(entities: &EntityState) -> Merges {
    let persons = &entities.persons;
    let merged = persons.unsquashed().into_iter();
    merged
        .filter_map(|r| {
            let last = persons.resolve(r);
            Some((r, (last, persons.get(last)?.id.to_string())))
        })
        .collect()
}

/// Whether a file has events of persons that were merged.
pub(super) async fn needs(merges: &Merges, location: &Location, file: &Add) -> Result<bool> {
    let mut batches = columns(location, file, [schema::PERSON_REF]).await?;
    while let Some(batch) = batches.try_next().await? {
        let refs = refs(&batch, schema::PERSON_REF)
            .map_err(|e| Error::corrupt(location.show(&file.path), e))?;
        if refs.values().iter().any(|r| merges.contains_key(r)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What all sets of a compaction have in common.
pub(super) struct Rewriter<'a> {
    pub(super) location: &'a Location,
    pub(super) runtime: &'a Handle,
    pub(super) writes: &'a Writes<'a>,
    pub(super) merges: Arc<Merges>,
    /// The properties that are to have columns.
    pub(super) promoted: Vec<Promoted>,
}

/// A file of a set, and what has to be known of it before the first row is written.
struct Input {
    file: Arc<Add>,
    months: BTreeMap<Month, u64>,
    /// Promoted properties that it has values of another type of.
    unfit: Vec<Promoted>,
}

impl Rewriter<'_> {
    /// The files that take the place of these.
    pub(super) fn rewrite(&self, set: &[Arc<Add>]) -> Result<Vec<Add>> {
        let inputs = set.iter().map(|file| self.inspect(file));
        let inputs = inputs.collect::<Result<Vec<_>>>()?;
        let mut months: BTreeMap<Month, u64> = BTreeMap::new();
        for (month, rows) in inputs.iter().flat_map(|input| &input.months) {
            *months.entry(*month).or_default() += rows;
        }
        let mut added = Vec::new();
        for span in plan::spans(months) {
            for share in shares(&inputs, span) {
                added.extend(self.write(&share, span)?);
            }
        }
        Ok(added)
    }

    fn inspect(&self, file: &Arc<Add>) -> Result<Input> {
        let events = statistics_of(self.location, file)?;
        let known = |p: &&Promoted| events.columns.contains(p) || events.unfit.contains(p);
        let (known, unknown): (Vec<_>, Vec<_>) = self.promoted.iter().partition(known);
        let mut unfit: Vec<Promoted> = known
            .into_iter()
            .filter(|p| events.unfit.contains(p))
            .cloned()
            .collect();
        if !unknown.is_empty() {
            let values = self.runtime.block_on(frequencies(self.location, file))?;
            unfit.extend(unknown.into_iter().filter(|p| !values.fits(p)).cloned());
        }
        let (first, last) = (
            Month::of(events.min_timestamp),
            Month::of(events.max_timestamp),
        );
        let months = if first == last {
            BTreeMap::from([(first, file.rows)])
        } else {
            self.runtime.block_on(months(self.location, file))?
        };
        Ok(Input {
            file: Arc::clone(file),
            months,
            unfit,
        })
    }

    /// Writes the rows of these months, in files of even size.
    fn write(&self, inputs: &[&Input], span: (Month, Month)) -> Result<Vec<Add>> {
        let (unfit, fit) = self.promoted.iter().cloned().partition(|property| {
            let mut unfit = inputs.iter().flat_map(|input| &input.unfit);
            unfit.any(|other| other == property)
        });
        let promoted = PromotedColumns { fit, unfit };
        let schema = schema::events(&promoted.fit);
        let runs = inputs
            .iter()
            .map(|input| self.run(input, span, &promoted.fit, &schema, inputs.len()));
        let mut rows = merge(&schema, runs.collect::<Result<_>>()?)?;
        let all: u64 = inputs.iter().map(|input| input.rows(span)).sum();
        let piece = all.div_ceil(all.div_ceil(MAX_FILE_ROWS as u64).max(1));
        let mut added = Vec::new();
        let mut writer = EventsWriter::new(promoted.clone())?;
        while let Some(mut batch) = self.runtime.block_on(rows.try_next())? {
            while batch.num_rows() > 0 {
                let room = (piece - writer.rows()) as usize;
                let part = batch.slice(0, room.min(batch.num_rows()));
                batch = batch.slice(part.num_rows(), batch.num_rows() - part.num_rows());
                writer.write(&part)?;
                if writer.rows() == piece {
                    let full = std::mem::replace(&mut writer, EventsWriter::new(promoted.clone())?);
                    added.extend(self.put(full)?);
                }
            }
        }
        added.extend(self.put(writer)?);
        Ok(added)
    }

    fn put(&self, writer: EventsWriter) -> Result<Option<Add>> {
        let file = writer.finish()?;
        file.map(|file| self.writes.put(file)).transpose()
    }

    /// The rows of a file in these months, in the columns of the new file.
    fn run(
        &self,
        input: &Input,
        span: (Month, Month),
        fit: &[Promoted],
        schema: &SchemaRef,
        of: usize,
    ) -> Result<Run> {
        let file = &input.file;
        let shown = self.location.show(&file.path);
        let stored = &statistics_of(self.location, file)?.columns;
        let columns = stored.clone();
        let change = Change {
            merges: Arc::clone(&self.merges),
            missing: fit
                .iter()
                .filter(|p| !stored.contains(p))
                .cloned()
                .collect(),
            schema: Arc::clone(schema),
            cut: (input.rows(span) < file.rows).then_some(span),
        };
        let bytes = self.runtime.block_on(read_checked(self.location, file))?;
        let batches = ParquetRecordBatchReaderBuilder::try_new(bytes)
            .map(|reader| reader.with_batch_size((WAITING_ROWS / of).clamp(256, 8192)))
            .and_then(ParquetRecordBatchReaderBuilder::build)
            .map_err(|e| Error::parquet(&shown, &e))?;
        Ok(Box::new(batches.map(move |batch| {
            let batch = batch.map_err(|e| Error::corrupt(&shown, e))?;
            stored::restore(&batch, &columns)
                .and_then(|batch| change.apply(&batch))
                .map_err(|reason| Error::corrupt(&shown, reason))
        })))
    }
}

impl Input {
    /// Its rows in these months.
    fn rows(&self, (first, last): (Month, Month)) -> u64 {
        self.months.range(first..=last).map(|(_, rows)| rows).sum()
    }
}

/// The files with rows in these months, in shares that are merged at a time.
fn shares(inputs: &[Input], span: (Month, Month)) -> Vec<Vec<&Input>> {
    let mut shares: Vec<(u64, Vec<&Input>)> = Vec::new();
    for input in inputs.iter().filter(|input| input.rows(span) > 0) {
        match shares.last_mut() {
            Some((rows, share)) if *rows < MERGE_ROWS => {
                *rows += input.rows(span);
                share.push(input);
            }
            _ => shares.push((input.rows(span), vec![input])),
        }
    }
    shares.into_iter().map(|(_, share)| share).collect()
}

/// How often which properties occur in a file.
pub(super) async fn frequencies(location: &Location, file: &Add) -> Result<Frequencies> {
    let mut found = Frequencies::default();
    let mut batches = columns(location, file, [schema::PROPERTIES]).await?;
    while let Some(batch) = batches.try_next().await? {
        let texts = texts(&batch, schema::PROPERTIES)
            .map_err(|e| Error::corrupt(location.show(&file.path), e))?;
        found.count(texts.iter().flatten())?;
    }
    Ok(found)
}

async fn months(location: &Location, file: &Add) -> Result<BTreeMap<Month, u64>> {
    let mut months = BTreeMap::new();
    let mut batches = columns(location, file, [schema::TIMESTAMP]).await?;
    while let Some(batch) = batches.try_next().await? {
        let timestamps =
            timestamps(&batch).map_err(|e| Error::corrupt(location.show(&file.path), e))?;
        for timestamp in timestamps.values() {
            *months.entry(Month::of(*timestamp)).or_default() += 1;
        }
    }
    Ok(months)
}

/// What becomes of a batch of an old file.
struct Change {
    merges: Arc<Merges>,
    /// Promoted properties whose columns have to be made.
    missing: Vec<Promoted>,
    /// The columns of the new file.
    schema: SchemaRef,
    /// The months that are wanted, if others are in the file.
    cut: Option<(Month, Month)>,
}

impl Change {
    fn apply(&self, batch: &RecordBatch) -> Result<RecordBatch, String> {
        let batch = with_columns(batch, self.missing_columns(batch)?)?;
        let batch = in_columns(&batch, &self.schema)?;
        let batch = self.squashed(batch)?;
        let Some((first, last)) = self.cut else {
            return Ok(batch);
        };
        let wanted = timestamps(&batch)?.values().iter().map(|timestamp| {
            let month = Month::of(*timestamp);
            Some(first <= month && month <= last)
        });
        filter_record_batch(&batch, &wanted.collect::<BooleanArray>()).map_err(|e| e.to_string())
    }

    fn missing_columns(&self, batch: &RecordBatch) -> Result<Vec<(String, ArrayRef)>, String> {
        if self.missing.is_empty() {
            return Ok(Vec::new());
        }
        let texts = texts(batch, schema::PROPERTIES)?;
        let columns = promote::columns(&self.missing, texts.iter().flatten());
        let columns = columns.map_err(|e| e.to_string())?;
        let named = self.missing.iter().zip(columns).map(|(property, column)| {
            let column = column.ok_or("a property has values of several types after all")?;
            Ok((property.column(), column))
        });
        named.collect()
    }

    /// With the persons that remain after merges.
    fn squashed(&self, batch: RecordBatch) -> Result<RecordBatch, String> {
        let refs = refs(&batch, schema::PERSON_REF)?;
        let ids = texts(&batch, schema::PERSON_ID)?;
        if !refs.values().iter().any(|r| self.merges.contains_key(r)) {
            return Ok(batch);
        }
        let mut new_ids = StringViewBuilder::with_capacity(ids.len());
        let mut new_refs = Vec::with_capacity(refs.len());
        for (r, id) in refs.values().iter().zip(ids) {
            match self.merges.get(r) {
                Some((last, last_id)) => {
                    new_refs.push(*last);
                    new_ids.append_value(last_id);
                }
                None => {
                    new_refs.push(*r);
                    new_ids.append_option(id);
                }
            }
        }
        let columns: [(&str, ArrayRef); 2] = [
            (schema::PERSON_REF, Arc::new(UInt32Array::from(new_refs))),
            (schema::PERSON_ID, Arc::new(new_ids.finish())),
        ];
        with_columns(&batch, columns)
    }
}
