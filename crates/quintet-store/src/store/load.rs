//! One load, from sources to commit.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::sync::Arc;

use chrono::Utc;
use futures::{StreamExt, TryStreamExt, stream};
use tokio::runtime::Handle;

use super::commit::repeat;
use super::{Progress, Store};
use crate::entities::EntityState;
use crate::error::{Error, Result};
use crate::files::dedupe::{self, Candidates, Found};
use crate::files::seen::Seen;
use crate::files::{self, Encoded, layout, parallel, promote};
use crate::ingest::{
    Columns, Contents, Format, GroupIds, Learned, Load, LoadReport, PersonsExport, ReadOptions,
    Source, StagedEvents, content_hash, contents, expand, learn_groups, read_groups, read_persons,
    read_source, skip,
};
use crate::location::Location;
use crate::log::{self, Action, Add, CommitInfo, LOCK, LogState, Remove, Table, Txn};
use crate::schema::Promoted;
use crate::snapshot::Snapshot;
use crate::tables;

/// What a load may take in memory if nothing is said.
const MEMORY: usize = 1536 << 20;
/// Staged rows are written when they take this part of it: beside them lie what is parsed of the next ones and,
/// on every core, a file in the making and the columns that go into it.
const STAGED_PART: usize = 7;
/// And so much of it may be spent on knowing again what the load has written already.
const SEEN_PART: usize = 16;
/// Less is not worth a file.
const MIN_FLUSH_BYTES: usize = 1 << 20;
/// Files written at a time; each waits for the disk.
const WRITES_AT_A_TIME: usize = 8;

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

/// The events of an attempt: files that are live or will be, and those that will no longer be.
struct EventsTable<'a> {
    location: Location,
    runtime: &'a Handle,
    progress: &'a dyn Progress,
    promoted: Option<Vec<Promoted>>,
    live: Vec<Arc<Add>>,
    /// Paths of files that this attempt has written.
    written: Vec<String>,
    /// What this attempt has written, by uuid.
    seen: Seen,
    seen_memory: usize,
    /// Files of the version below that this attempt replaces.
    removed: Vec<Remove>,
}

impl<'a> Attempt<'a> {
    fn start(snapshot: &Snapshot, runtime: &'a Handle, progress: &'a dyn Progress) -> Result<Self> {
        let (location, log) = (snapshot.location().clone(), snapshot.log().clone());
        Ok(Self {
            entities: runtime.block_on(snapshot.entities())?.state().clone(),
            events: EventsTable {
                location: location.clone(),
                runtime,
                progress,
                promoted: log.metadata.promoted.clone(),
                live: log.files(Table::Events).cloned().collect(),
                written: Vec::new(),
                seen: Seen::default(),
                seen_memory: 0,
                removed: Vec::new(),
            },
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
        let mut staged = StagedEvents::default();
        let mut loaded: HashMap<&str, u64> = HashMap::new();
        for (number, surveyed) in (1..).zip(&sources) {
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
            let events = &mut self.events;
            let mut flush =
                |staged: &mut StagedEvents, entities: &EntityState, report: &mut LoadReport| {
                    events.write(staged, entities, report)
                };
            read_source(
                source,
                &options,
                &mut self.entities,
                &mut learned,
                &mut self.report,
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
        learned.finish(&mut self.entities, &mut self.report);
        self.events
            .write(&mut staged, &self.entities, &mut self.report)
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

impl EventsTable<'_> {
    /// Writes the staged rows that are new, and writes files again that hold older versions of them.
    fn write(
        &mut self,
        staged: &mut StagedEvents,
        entities: &EntityState,
        report: &mut LoadReport,
    ) -> Result<()> {
        if staged.is_empty() {
            return Ok(());
        }
        let promoted = match &self.promoted {
            Some(promoted) => promoted.clone(),
            None => self.promoted.insert(promote::choose(staged)?).clone(),
        };
        let mut rows = dedupe::within(staged);
        let repeated = (staged.len() - rows.len()) as u64;
        let found = self.find(staged, &rows)?;
        let same: HashSet<u32> = found
            .iter()
            .flat_map(|(_, found)| found.same.iter().copied())
            .collect();
        let replaced: usize = found.iter().map(|(_, found)| found.replaced.len()).sum();
        rows.retain(|row| !same.contains(row));
        report.events.duplicates += repeated + same.len() as u64 + replaced as u64;
        report.events.stored += (rows.len() - replaced) as u64;
        for (file, found) in found {
            self.replace(&file, &found.replaced)?;
        }
        let count = rows.len() as u64;
        self.seen.flush(staged, &rows, self.seen_memory);
        let files = layout::plan(staged, rows)?;
        let files = files::encode(staged, &files, &promoted, entities)?;
        staged.clear();
        let added = self.put(files)?;
        added.iter().for_each(|file| self.seen.written(&file.path));
        self.live.extend(added.into_iter().map(Arc::new));
        self.progress.written(count);
        Ok(())
    }

    /// The staged rows that live files hold already, by file.
    fn find(&self, staged: &StagedEvents, rows: &[u32]) -> Result<Vec<(Arc<Add>, Found)>> {
        let mut found = Vec::new();
        let mut unknown: Vec<Arc<Add>> = self.live.clone();
        for (rows, paths) in self.seen.candidates(staged, rows)? {
            let (own, others): (Vec<_>, Vec<_>) = unknown
                .into_iter()
                .partition(|file| paths.contains(&file.path));
            unknown = others;
            found.extend(self.find_in(&own, staged, &rows)?);
        }
        found.extend(self.find_in(&unknown, staged, rows)?);
        Ok(found)
    }

    fn find_in(
        &self,
        files: &[Arc<Add>],
        staged: &StagedEvents,
        rows: &[u32],
    ) -> Result<Vec<(Arc<Add>, Found)>> {
        if files.is_empty() || rows.is_empty() {
            return Ok(Vec::new());
        }
        let candidates = Candidates::of(staged, rows);
        parallel::map(files, |file| {
            let found = dedupe::against(&self.location, file, staged, &candidates);
            Ok((Arc::clone(file), self.runtime.block_on(found)?))
        })
    }

    /// Writes a live file again without some rows.
    fn replace(&mut self, old: &Add, rows: &[usize]) -> Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        let new = self
            .runtime
            .block_on(files::rewrite(&self.location, old, rows))?;
        let added = self.put(new.into_iter().collect())?;
        for file in &added {
            self.seen.replaced(&old.path, &file.path);
        }
        self.live.retain(|file| file.path != old.path);
        self.live.extend(added.into_iter().map(Arc::new));
        match self.written.iter().position(|written| *written == old.path) {
            // Written by this very load, so that no version names it.
            Some(at) => {
                self.written.remove(at);
                self.runtime.block_on(self.location.remove(&old.path))?;
            }
            None => self.removed.push(Remove {
                path: old.path.clone(),
            }),
        }
        Ok(())
    }

    /// Writes files and returns their actions.
    fn put(&mut self, files: Vec<Encoded>) -> Result<Vec<Add>> {
        self.written
            .extend(files.iter().map(|file| file.add.path.clone()));
        let location = &self.location;
        self.runtime.block_on(
            stream::iter(files)
                .map(|file| async move {
                    location.create(&file.add.path, file.bytes).await?;
                    Ok(file.add)
                })
                .buffered(WRITES_AT_A_TIME)
                .try_collect(),
        )
    }

    /// Takes away what was written. What cannot be removed is left to `vacuum`.
    fn discard(&self) {
        for path in &self.written {
            if let Err(error) = self.runtime.block_on(self.location.remove(path)) {
                tracing::warn!(%path, %error, "a file of a load that failed stays behind");
            }
        }
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
