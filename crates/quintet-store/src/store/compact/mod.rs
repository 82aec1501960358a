//! Compaction: small files into files of good size, merged persons into those that remain, columns for the properties that
//! are asked for, and one file for each table of persons and groups. What is stored stays the same.

mod plan;
mod rewrite;

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::Utc;
use serde::Serialize;
use tokio::runtime::Handle;

use self::plan::Candidate;
use self::rewrite::{Merges, Rewriter, frequencies, merges, needs};
use super::Store;
use super::commit::{ATTEMPTS, Writes, commit, repeat};
use crate::error::{Error, Result};
use crate::files::layout::Month;
use crate::files::promote::{self, Frequencies, Values};
use crate::files::{parallel, statistics_of};
use crate::log::{Action, Add, CommitInfo, LOCK, Remove, Table};
use crate::schema::Promoted;
use crate::snapshot::Snapshot;
use crate::tables;

/// What a compaction does beside the usual.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Compaction {
    /// Properties of events that get a typed column of their own, if all their values have one scalar type.
    pub promote: Vec<String>,
    /// Chooses anew, over all events, which properties have columns: those that a first load would choose.
    pub promote_frequent: bool,
}

/// What a compaction has done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct CompactReport {
    /// The version that it has made, or has found nothing to do in.
    pub version: u64,
    /// Live files of all tables before.
    pub files_before: usize,
    /// Live files of all tables after.
    pub files_after: usize,
    /// Bytes of the live files before.
    pub bytes_before: u64,
    /// Bytes of the live files after.
    pub bytes_after: u64,
    /// Events that were written anew.
    pub events_rewritten: u64,
    /// Merged persons whose events have moved to the person that remains.
    pub merges_applied: u64,
    /// Properties with a column in every file.
    pub promoted: Vec<String>,
}

/// Compacts and commits. Blocks the thread.
pub(super) fn run(store: &Store, runtime: &Handle, wanted: &Compaction) -> Result<CompactReport> {
    let _queued = store.location.lock(LOCK)?;
    repeat(|| {
        let base = runtime.block_on(store.snapshot())?;
        let writes = Writes::new(&store.location, runtime);
        let done = prepare(&base, runtime, wanted, &writes)
            .and_then(|changes| changes.commit(store, runtime, &base, &writes));
        if done.is_err() {
            writes.discard();
        }
        done
    })
}

/// All that a compaction wants changed; it holds on top of any version that still has the files it replaces.
struct Changes {
    removed: Vec<Arc<Add>>,
    added: Vec<Add>,
    /// The choice of promoted properties, if it is another one.
    promoted: Option<Vec<Promoted>>,
    /// Merged persons that no event belongs to any longer.
    squashed: Vec<u32>,
}

fn prepare(
    base: &Snapshot,
    runtime: &Handle,
    wanted: &Compaction,
    writes: &Writes<'_>,
) -> Result<Changes> {
    let live: Vec<Arc<Add>> = base.events_files().cloned().collect();
    let merges = Arc::new(merges(runtime.block_on(base.entities())?.state()));
    let old = base.log().metadata.promoted.clone().unwrap_or_default();
    let promoted = choose(base, runtime, wanted, &live, &old)?;
    let candidates = parallel::map(
        &live.iter().enumerate().collect::<Vec<_>>(),
        |(at, file)| candidate(base, runtime, *at, file, &merges, &promoted),
    )?;
    let sets: Vec<Vec<Arc<Add>>> = plan::sets(candidates)
        .into_iter()
        .map(|set| {
            set.iter()
                .filter_map(|file| live.get(file.place))
                .cloned()
                .collect()
        })
        .collect();
    let rewriter = Rewriter {
        location: base.location(),
        runtime,
        writes,
        merges: Arc::clone(&merges),
        promoted: promoted.clone(),
    };
    let added = parallel::map(&sets, |set| rewriter.rewrite(set))?;
    let mut squashed: Vec<u32> = merges.keys().copied().collect();
    squashed.sort_unstable();
    Ok(Changes {
        removed: sets.into_iter().flatten().collect(),
        added: added.into_iter().flatten().collect(),
        promoted: (promoted != old).then_some(promoted),
        squashed,
    })
}

fn candidate(
    base: &Snapshot,
    runtime: &Handle,
    place: usize,
    file: &Add,
    merges: &Merges,
    promoted: &[Promoted],
) -> Result<Candidate> {
    let events = statistics_of(base.location(), file)?;
    let decided = |p: &Promoted| events.columns.contains(p) || events.unfit.contains(p);
    let stale = !promoted.iter().all(decided)
        || (!merges.is_empty() && runtime.block_on(needs(merges, base.location(), file))?);
    Ok(Candidate {
        place,
        first: Month::of(events.min_timestamp),
        last: Month::of(events.max_timestamp),
        rows: file.rows,
        stale,
    })
}

/// The properties that are to have columns.
fn choose(
    base: &Snapshot,
    runtime: &Handle,
    wanted: &Compaction,
    live: &[Arc<Add>],
    old: &[Promoted],
) -> Result<Vec<Promoted>> {
    if wanted.promote.is_empty() && !wanted.promote_frequent {
        return Ok(old.to_vec());
    }
    let parts = parallel::map(live, |file| {
        runtime.block_on(frequencies(base.location(), file))
    })?;
    let found = Frequencies::sum(parts);
    let named = wanted.promote.iter().map(|name| named(&found, name));
    let named = named.collect::<Result<Vec<_>>>()?;
    let mut chosen = if wanted.promote_frequent {
        found.frequent()
    } else {
        old.to_vec()
    };
    for property in named {
        chosen.retain(|other| other.name != property.name);
        chosen.push(property);
    }
    Ok(chosen)
}

fn named(found: &Frequencies, name: &str) -> Result<Promoted> {
    let refused = |reason: String| Err(Error::invalid("promote", reason));
    if !promote::may_be_promoted(name) {
        return refused(format!(
            "`{name}` says which groups or person properties an event has, and is read from their tables; name another property"
        ));
    }
    match found.values(name) {
        Values::Only(kind) => Ok(Promoted {
            name: name.to_owned(),
            kind,
        }),
        Values::Missing => refused(format!(
            "no event has the property `{name}`; `quintet sql` shows the properties of events"
        )),
        Values::Mixed => refused(format!(
            "`{name}` has values of several types, or none that is a text, a number or a boolean, and one column cannot hold them"
        )),
    }
}

impl Changes {
    /// Commits on top of the newest version, as long as nobody else has replaced the same files.
    fn commit(
        &self,
        store: &Store,
        runtime: &Handle,
        base: &Snapshot,
        writes: &Writes<'_>,
    ) -> Result<CompactReport> {
        for _ in 0..ATTEMPTS {
            let below = runtime.block_on(store.snapshot())?;
            if !below
                .log()
                .has_all(self.removed.iter().map(|file| &file.path))
            {
                break;
            }
            let entities = Writes::new(&store.location, runtime);
            match self.commit_on(&below, store, runtime, writes, &entities) {
                Err(Error::Conflict(_)) => entities.discard(),
                Err(error) => {
                    entities.discard();
                    return Err(error);
                }
                Ok(()) => {
                    let after = runtime.block_on(store.snapshot())?;
                    return Ok(self.report(base, &after));
                }
            }
        }
        Err(Error::Conflict(
            "other writers kept replacing the files that were to be compacted; try again".into(),
        ))
    }

    fn commit_on(
        &self,
        below: &Snapshot,
        store: &Store,
        runtime: &Handle,
        writes: &Writes<'_>,
        entity_writes: &Writes<'_>,
    ) -> Result<()> {
        let mut entities = runtime.block_on(below.entities())?.state().clone();
        entities.persons.note_squashed(&self.squashed);
        let scattered = |table: &Table| {
            below.log().files(*table).count() > 1
                || (*table == Table::Persons && !self.squashed.is_empty())
        };
        let scattered: Vec<Table> = Table::ENTITIES.into_iter().filter(scattered).collect();
        let (files, entity_removes) = tables::rebase(below.log(), &entities, &scattered)?;
        let mut actions = Vec::new();
        if let Some(promoted) = &self.promoted {
            let mut metadata = below.log().metadata.clone();
            metadata.promoted = Some(promoted.clone());
            actions.push(Action::Metadata(metadata));
        }
        let replaced = self.removed.iter().map(|file| Remove {
            path: file.path.clone(),
        });
        actions.extend(replaced.chain(entity_removes).map(Action::Remove));
        actions.extend(self.added.iter().cloned().map(Action::Add));
        for file in files {
            actions.push(Action::Add(entity_writes.put(file)?));
        }
        if actions.is_empty() {
            return Ok(());
        }
        actions.push(Action::CommitInfo(self.info()));
        commit(
            store,
            runtime,
            below,
            actions,
            entities,
            &[writes, entity_writes],
        )
    }

    fn events(&self) -> u64 {
        self.added.iter().map(|file| file.rows).sum()
    }

    fn info(&self) -> CommitInfo {
        let counts = [
            ("files_removed", self.removed.len() as u64),
            ("files_added", self.added.len() as u64),
            ("events_rewritten", self.events()),
            ("merges_applied", self.squashed.len() as u64),
        ];
        CommitInfo {
            operation: "compact".into(),
            time: Utc::now().timestamp_micros(),
            counts: BTreeMap::from(counts.map(|(name, count)| (name.to_owned(), count))),
        }
    }

    fn report(&self, before: &Snapshot, after: &Snapshot) -> CompactReport {
        let files = |snapshot: &Snapshot| snapshot.log().all_files().len();
        let bytes = |snapshot: &Snapshot| {
            snapshot
                .log()
                .all_files()
                .iter()
                .map(|file| file.size)
                .sum()
        };
        CompactReport {
            version: after.version(),
            files_before: files(before),
            files_after: files(after),
            bytes_before: bytes(before),
            bytes_after: bytes(after),
            events_rewritten: self.events(),
            merges_applied: self.squashed.len() as u64,
            promoted: after.promoted().into_iter().map(|p| p.name).collect(),
        }
    }
}

#[cfg(test)]
mod tests;
