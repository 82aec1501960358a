//! One load, from sources to commit.

mod events;
mod writing;

use std::collections::{BTreeMap, HashMap};
use std::fs;

use chrono::Utc;
use tokio::runtime::Handle;

use self::events::EventsTable;
use self::writing::Writing;
use super::commit::repeat;
use super::{Progress, Store};
use crate::entities::EntityState;
use crate::error::{Error, Result};
use crate::ingest::{
    Columns, Contents, Format, GroupIds, Learned, Load, LoadReport, PersonsExport, ReadOptions,
    Source, StagedEvents, content_hash, contents, expand, learn_groups, read_groups, read_persons,
    read_source, skip,
};
use crate::location::Location;
use crate::log::{self, Action, CommitInfo, LOCK, LogState, Txn};
use crate::snapshot::Snapshot;
use crate::tables;

/// What a load may take in memory if nothing is said.
const MEMORY: usize = 1536 << 20;
/// Staged rows are written when they take this part of it: beside them lie what is parsed of the next ones, those that are
/// being written, and, on every core, a file in the making and the columns that go into it.
const STAGED_PART: usize = 10;
/// And so much of it may be spent on knowing again what the load has written already.
const SEEN_PART: usize = 16;
/// Less is not worth a file.
const MIN_FLUSH_BYTES: usize = 1 << 20;
/// Runs a load to its commit. Blocks the thread.
pub(super) fn run(
    store: &Store,
    runtime: &Handle,
    load: &Load,
    progress: &dyn Progress,
) -> Result<LoadReport> {
    let _queued = store.location.lock(LOCK)?;
    repeat(|| {
        let snapshot = runtime.block_on(store.snapshot())?;
        let (report, committed) = Attempt::start(&snapshot, runtime, progress)?.run(load)?;
        if let Some(committed) = committed {
            runtime.block_on(store.remember(committed));
        }
        Ok(report)
    })
}

/// A load on top of one version.
struct Attempt<'a> {
    location: Location,
    log: LogState,
    runtime: &'a Handle,
    progress: &'a dyn Progress,
    entities: EntityState,
    events: EventsTable<'a>,
    txns: Vec<Txn>,
    report: LoadReport,
}

impl<'a> Attempt<'a> {
    fn start(snapshot: &Snapshot, runtime: &'a Handle, progress: &'a dyn Progress) -> Result<Self> {
        let (location, log) = (snapshot.location().clone(), snapshot.log().clone());
        Ok(Self {
            entities: runtime.block_on(snapshot.entities())?.state().clone(),
            events: EventsTable::new(&location, &log, runtime, progress),
            location,
            log,
            runtime,
            progress,
            txns: Vec::new(),
            report: LoadReport::default(),
        })
    }

    /// The report, and the new version if there is one. Files that no commit names are taken away again.
    fn run(mut self, load: &Load) -> Result<(LoadReport, Option<Snapshot>)> {
        let read = self.read(load).and_then(|()| self.actions());
        let actions = match read {
            Ok(actions) => actions,
            Err(error) => {
                self.events.discard();
                return Err(error);
            }
        };
        if actions.is_empty() {
            return Ok((self.report, None));
        }
        self.progress.committing();
        let version = self.log.version + 1;
        let committed = self
            .runtime
            .block_on(log::commit(&self.location, version, &actions));
        if let Err(error @ Error::Conflict(_)) = committed {
            self.events.discard();
            return Err(error);
        }
        // After any other failure the commit may stand, so its files must stay.
        committed?;
        let mut log = self.log;
        log.apply(actions);
        Ok((
            self.report,
            Some(Snapshot::with_entities(self.location, log, self.entities)),
        ))
    }

    fn read(&mut self, load: &Load) -> Result<()> {
        let (sources, kept) = self.survey(load)?;
        for source in &expand(&load.groups, &mut self.report)? {
            read_groups(
                source,
                load.received_at,
                &mut self.entities,
                &mut self.report,
            )?;
        }
        let mut learned = self.learn(load, &sources)?;
        learned.keep_persons(&kept);
        let memory = load.memory.unwrap_or(MEMORY);
        let options = ReadOptions {
            format: load.format,
            received_at: load.received_at,
            columns: &load.columns,
            flush_bytes: (memory / STAGED_PART).max(MIN_FLUSH_BYTES),
        };
        self.events.seen_memory = memory / SEEN_PART;
        let reading = Reading {
            log: &self.log,
            progress: self.progress,
            entities: &mut self.entities,
            txns: &mut self.txns,
            report: &mut self.report,
            learned,
        };
        let events = &mut self.events;
        writing::beside(
            |staged, actors| events.write(staged, actors),
            |writing| reading.read(&sources, &options, writing),
        )?;
        let (all, written) = (&mut self.report.events, self.events.counts);
        all.stored += written.stored;
        all.duplicates += written.duplicates;
        Ok(())
    }

    /// The sources of events with what they hold. Persons that lie among them, and those of the load, are taken in:
    /// the refs are those of exported persons.
    fn survey(&mut self, load: &Load) -> Result<(Vec<Surveyed>, Vec<u32>)> {
        let report = &mut self.report;
        let mut export = PersonsExport::default();
        for source in expand(&load.persons, report)? {
            if contents(&source, Format::Auto, &Columns::default())? == Contents::Persons {
                export.read(&source, report)?;
            } else {
                read_persons(&source, load.received_at, &mut self.entities, report)?;
            }
        }
        let mut sources = Vec::new();
        for source in expand(&load.sources, report)? {
            match contents(&source, load.format, &load.columns)? {
                Contents::Persons => export.read(&source, report)?,
                Contents::Sessions => skip(&source.name(), report),
                contents => sources.push(Surveyed {
                    identity: identity(&source, load)?,
                    source,
                    contents,
                }),
            }
        }
        let kept = export.finish(load.received_at, &mut self.entities, report);
        Ok((sources, kept))
    }

    /// What must be known of the sources before the first of them is read.
    fn learn(&mut self, load: &Load, sources: &[Surveyed]) -> Result<Learned> {
        let mut learned = Learned::default();
        let mut openpanel = sources
            .iter()
            .filter(|surveyed| surveyed.contents == Contents::OpenPanel)
            .peekable();
        if openpanel.peek().is_some() {
            let default = load.default_group_type.as_deref();
            learned.ids = GroupIds::of(&self.entities.groups, default);
        }
        for Surveyed {
            source, identity, ..
        } in openpanel
        {
            // What was loaded before is in the store, and must not win over what came after it.
            if self.log.loaded(identity).is_none() {
                learn_groups(source, &mut learned, &mut self.report)?;
            }
        }
        Ok(learned)
    }

    /// All that the commit says; nothing if the load has changed nothing.
    fn actions(&mut self) -> Result<Vec<Action>> {
        let (entity_files, entity_removes) = tables::persist(&self.log, &mut self.entities)?;
        let entity_files = self.events.put(entity_files)?;
        let mut metadata = self.log.metadata.clone();
        metadata.promoted.clone_from(&self.events.promoted);
        tables::note(&mut metadata, &self.entities);
        let mut actions = Vec::new();
        if metadata != self.log.metadata {
            actions.push(Action::Metadata(metadata));
        }
        actions.extend(
            self.events
                .removed
                .iter()
                .cloned()
                .chain(entity_removes)
                .map(Action::Remove),
        );
        let new = self
            .events
            .live
            .iter()
            .filter(|file| self.events.written.contains(&file.path));
        actions.extend(new.map(|file| Action::Add(file.as_ref().clone())));
        actions.extend(entity_files.into_iter().map(Action::Add));
        actions.extend(self.txns.iter().cloned().map(Action::Txn));
        if !actions.is_empty() {
            actions.push(Action::CommitInfo(self.info()));
        }
        Ok(actions)
    }

    fn info(&self) -> CommitInfo {
        let (events, persons, groups) =
            (self.report.events, self.report.persons, self.report.groups);
        let counts = [
            ("events_read", events.read),
            ("events_stored", events.stored),
            ("events_duplicates", events.duplicates),
            ("events_rejected", events.rejected),
            ("persons_created", persons.created),
            ("persons_merged", persons.merged),
            ("groups_created", groups.created),
            ("groups_updated", groups.updated),
        ];
        CommitInfo {
            operation: "ingest".into(),
            time: Utc::now().timestamp_micros(),
            counts: counts
                .into_iter()
                .map(|(name, count)| (name.to_owned(), count))
                .collect::<BTreeMap<_, _>>(),
        }
    }
}

/// What a load does while it is written what it has read before.
struct Reading<'a> {
    log: &'a LogState,
    progress: &'a dyn Progress,
    entities: &'a mut EntityState,
    txns: &'a mut Vec<Txn>,
    report: &'a mut LoadReport,
    learned: Learned,
}

impl Reading<'_> {
    fn read(
        mut self,
        sources: &[Surveyed],
        options: &ReadOptions<'_>,
        writing: &Writing,
    ) -> Result<()> {
        let mut staged = StagedEvents::default();
        let mut loaded: HashMap<&str, u64> = HashMap::new();
        let mut flush =
            |staged: &mut StagedEvents, entities: &EntityState| writing.hand_over(staged, entities);
        for (number, surveyed) in (1..).zip(sources) {
            let Surveyed {
                source, identity, ..
            } = surveyed;
            self.progress
                .source(number, sources.len(), &source.name(), size(source));
            let known = self.log.loaded(identity);
            let known = known.or_else(|| loaded.get(identity.as_str()).copied());
            if let Some(rows) = known {
                self.report.events.read += rows;
                self.report.events.duplicates += rows;
                continue;
            }
            let before = self.report.events;
            read_source(
                source,
                options,
                self.entities,
                &mut self.learned,
                self.report,
                &mut staged,
                &mut flush,
            )?;
            let after = self.report.events;
            let rows = (after.read - before.read).saturating_sub(after.rejected - before.rejected);
            loaded.insert(identity, rows);
            self.txns.push(Txn {
                source: identity.clone(),
                rows,
            });
        }
        self.learned.finish(self.entities, self.report);
        writing.hand_over(&mut staged, self.entities)
    }
}

/// A source of events that is yet to be read.
struct Surveyed {
    source: Source,
    identity: String,
    contents: Contents,
}

/// By what a source is known again: its content, and what changes the meaning of the content.
fn identity(source: &Source, load: &Load) -> Result<String> {
    let hash = content_hash(source)?;
    let received_at = load
        .received_at
        .map_or_else(|| "none".to_owned(), |at| at.to_string());
    let mut identity = format!("{hash:032x}-{:?}-{received_at}", load.format).to_lowercase();
    for (ours, theirs) in load.columns.iter() {
        identity += &format!("-{ours}={theirs}");
    }
    Ok(identity)
}

fn size(source: &Source) -> Option<u64> {
    match source {
        Source::Path(path) => fs::metadata(path).ok().map(|meta| meta.len()),
        Source::Bytes { data, .. } => Some(data.len() as u64),
    }
}
