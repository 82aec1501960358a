//! Every live file against the log, every event against persons and groups, and the log against itself.

use std::sync::Arc;

use datafusion::arrow::record_batch::RecordBatch;
use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde::Serialize;
use tokio::runtime::Handle;

use super::Store;
use crate::entities::EntityState;
use crate::error::{Error, Result};
use crate::files::batch::{in_columns, refs, texts};
use crate::files::parquet::{read_batches, read_checked};
use crate::files::statistics::Statistics;
use crate::files::{PromotedColumns, parallel, statistics_of, stored};
use crate::location::Location;
use crate::log::{self, Add, EventsFile, Table};
use crate::schema;
use crate::snapshot::Snapshot;

/// What `verify` has found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Verification {
    /// The version that was looked at.
    pub version: u64,
    /// Live files that were read.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Stored events.
    pub events: u64,
    /// What is wrong; empty if all is well.
    pub problems: Vec<Problem>,
}

/// One thing that is wrong with a store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The damaged file.
    pub file: String,
    /// How the damage shows.
    pub reason: String,
}

/// Damage is a finding; other errors end the search.
fn found(error: Error) -> Result<Problem> {
    match error {
        Error::Corrupt { file, reason } => Ok(Problem { file, reason }),
        other => Err(other),
    }
}

/// Reads everything. Blocks the thread.
pub(super) fn run(store: &Store, runtime: &Handle) -> Result<Verification> {
    let location = &store.location;
    let (log, wrong) = match runtime.block_on(log::audit(location)) {
        Ok(audited) => audited,
        Err(error) => {
            return Ok(Verification {
                problems: vec![found(error)?],
                ..Verification::default()
            });
        }
    };
    let snapshot = Snapshot::new(location.clone(), log);
    let files = snapshot.log().all_files();
    let mut problems = wrong.into_iter().map(found).collect::<Result<Vec<_>>>()?;
    let entities = match runtime.block_on(snapshot.entities()) {
        Ok(entities) => Some(Actors::of(entities.state())),
        Err(error) => {
            problems.push(found(error)?);
            None
        }
    };
    let checks = parallel::map(files, |file| {
        let checked = check(location, runtime, file, entities.as_ref());
        checked.err().map(found).transpose()
    })?;
    for problem in checks.into_iter().flatten() {
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    }
    Ok(Verification {
        version: snapshot.version(),
        files: files.len(),
        bytes: files.iter().map(|file| file.size).sum(),
        events: snapshot.events_files().map(|file| file.rows).sum(),
        problems,
    })
}

fn check(
    location: &Location,
    runtime: &Handle,
    file: &Arc<Add>,
    actors: Option<&Actors>,
) -> Result<()> {
    let shown = location.show(&file.path);
    let wrong = |reason: String| Error::corrupt(&shown, reason);
    let rows = if file.table == Table::Events {
        let events = statistics_of(location, file)?;
        let bytes = runtime.block_on(read_checked(location, file))?;
        let batches = ParquetRecordBatchReaderBuilder::try_new(bytes)
            .and_then(ParquetRecordBatchReaderBuilder::build)
            .map_err(|e| Error::parquet(&shown, &e))?;
        let schema = schema::events(&events.columns);
        let mut seen = Statistics::default();
        for batch in batches {
            let batch = batch.map_err(|e| wrong(e.to_string()))?;
            let batch = stored::restore(&batch, &events.columns)
                .and_then(|batch| in_columns(&batch, &schema))
                .map_err(wrong)?;
            seen.note(&batch).map_err(wrong)?;
            if let Some(actors) = actors {
                actors.check(&batch).map_err(wrong)?;
            }
        }
        if !seen.in_order() {
            return Err(wrong(
                "its rows are not in the order of event and time".into(),
            ));
        }
        let rows = seen.rows();
        let columns = PromotedColumns::of(events);
        let seen = seen.finish(columns).map(|seen| EventsFile {
            sets: events.sets.clone(),
            group_rows: events.group_rows.clone(),
            ..seen
        });
        if seen.is_none_or(|seen| seen != *events) {
            return Err(wrong(
                "the log's statistics are not those of its rows".into(),
            ));
        }
        rows
    } else {
        let batches = runtime.block_on(read_batches(location, file))?;
        batches.iter().map(|batch| batch.num_rows() as u64).sum()
    };
    if rows != file.rows {
        return Err(wrong(format!(
            "it has {rows} rows, the log says {}",
            file.rows
        )));
    }
    Ok(())
}

/// The ids that events may have.
struct Actors<'a> {
    entities: &'a EntityState,
    /// By ref − 1; none where no event may belong to the person any longer.
    persons: Vec<Option<String>>,
}

impl<'a> Actors<'a> {
    fn of(entities: &'a EntityState) -> Self {
        let persons = entities.persons.iter();
        Self {
            entities,
            persons: persons
                .map(|(_, person)| (!person.is_squashed()).then(|| person.id.to_string()))
                .collect(),
        }
    }

    /// Do the refs of these events stand for their persons and groups?
    fn check(&self, batch: &RecordBatch) -> Result<(), String> {
        for (r, id) in refs(batch, schema::PERSON_REF)?
            .values()
            .iter()
            .zip(texts(batch, schema::PERSON_ID)?)
        {
            let known = self.persons.get((*r as usize).wrapping_sub(1));
            if known.and_then(Option::as_deref) != id {
                return Err(format!(
                    "an event has the person {r}, who is another or none"
                ));
            }
        }
        for (index, (group, column)) in schema::GROUP_REFS.iter().zip(schema::GROUPS).enumerate() {
            for (r, key) in refs(batch, group)?
                .values()
                .iter()
                .zip(texts(batch, column)?)
            {
                let known = self.entities.groups.get(index, *r);
                if known.map(|group| group.key.as_str()) != key {
                    return Err(format!(
                        "an event has the group {r} of index {index}, which is another or none"
                    ));
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
