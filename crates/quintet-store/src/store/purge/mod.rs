//! Takes a group out of a store for good: no live file has a byte of its key where it names the group, and the files that had
//! one are deleted.

mod disguise;
mod scrub;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use datafusion::arrow::array::{ArrayRef, StringViewArray, StringViewBuilder, UInt32Array};
use datafusion::arrow::record_batch::RecordBatch;
use futures::TryStreamExt;
use serde::Serialize;
use tokio::runtime::Handle;

use self::disguise::Disguise;
use self::scrub::Target;
use super::Store;
use super::commit::{Writes, commit, repeat};
use super::vacuum::{VacuumReport, sweep};
use crate::error::{Error, Result};
use crate::files::batch::{refs, texts, with_columns};
use crate::files::stored::columns;
use crate::files::{self, parallel};
use crate::location::Location;
use crate::log::{Action, Add, CommitInfo, LOCK, Remove, Table};
use crate::schema::{self, GROUP_TYPES};
use crate::tables;

/// What a purge has done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct PurgeReport {
    /// The version without the group.
    pub version: u64,
    /// Events that named the group, and no longer do.
    pub events_changed: u64,
    /// Persons whose properties listed it.
    pub persons_changed: u64,
    /// Distinct ids that were made of the key, as SDKs do to declare a group: another id stands in their place.
    pub distinct_ids_replaced: usize,
    /// Events with the very text of the key as their distinct id or as another property. They were left as they are.
    pub events_mentioning: u64,
    /// Files of events that were written anew.
    pub files_rewritten: usize,
    /// Files that were deleted, of this purge and of earlier work.
    pub files_deleted: usize,
}

/// Purges and commits. Blocks the thread.
pub(super) fn run(store: &Store, runtime: &Handle, index: usize, key: &str) -> Result<PurgeReport> {
    if index >= GROUP_TYPES {
        return Err(Error::invalid(
            "group_type_index",
            format!(
                "{index} is no index of a group type; they go from 0 to {}",
                GROUP_TYPES - 1
            ),
        ));
    }
    if key.is_empty() {
        return Err(Error::invalid(
            "group_key",
            "it is empty, which is no group",
        ));
    }
    let lock = store.location.lock(LOCK)?;
    let done = repeat(|| {
        let writes = Writes::new(&store.location, runtime);
        let done = attempt(store, runtime, index, key, &writes);
        if done.is_err() {
            writes.discard();
        }
        done
    });
    // Whatever no version needs may hold the key: it goes now, whoever reads it. A purge that died after its commit left it behind, and
    // finds no group when it is done again.
    let swept = match &done {
        Ok(_) | Err(Error::NotFound(_)) => {
            runtime.block_on(sweep(store, Duration::ZERO, lock.is_some()))?
        }
        Err(_) => VacuumReport::default(),
    };
    let mut report = match done {
        Err(Error::NotFound(_)) if swept.deleted_files > 0 => PurgeReport {
            version: runtime.block_on(store.snapshot())?.version(),
            ..PurgeReport::default()
        },
        done => done?,
    };
    report.files_deleted = swept.deleted_files;
    Ok(report)
}

fn attempt(
    store: &Store,
    runtime: &Handle,
    index: usize,
    key: &str,
    writes: &Writes<'_>,
) -> Result<PurgeReport> {
    let below = runtime.block_on(store.snapshot())?;
    let mut entities = runtime.block_on(below.entities())?.state().clone();
    let groups = entities.groups.clone();
    let target = Target {
        index,
        key,
        groups: &groups,
    };
    let known = entities.groups.purge(index, key);
    let persons_changed = entities
        .persons
        .change_properties(|properties| target.person(properties));
    let disguise = Disguise::of(&target, &mut entities.persons);
    let live: Vec<Arc<Add>> = below.events_files().cloned().collect();
    let scans = parallel::map(&live, |file| {
        runtime.block_on(scan(&store.location, file, &target, &disguise))
    })?;
    let events_changed = scans.iter().map(|scan| scan.changed).sum();
    let is_unknown = known.is_none() && persons_changed == 0 && events_changed == 0;
    if is_unknown && disguise.len() == 0 {
        return Err(Error::NotFound(format!(
            "there is no group `{key}` of index {index}; `quintet groups list` shows those there are"
        )));
    }
    let hit: Vec<&Arc<Add>> = live
        .iter()
        .zip(&scans)
        .filter_map(|(file, scan)| (scan.changed > 0).then_some(file))
        .collect();
    let added = parallel::map(&hit, |file| {
        let edited = runtime.block_on(edit(&store.location, file, &target, &disguise))?;
        edited.map(|file| writes.put(file)).transpose()
    })?;
    // Rows that later ones have replaced still lie in the files: these tables are written as a whole.
    let holds_old_rows = |table: &Table| match table {
        Table::Groups => true,
        Table::PersonDistinctIds => disguise.len() > 0,
        table => disguise.len() > 0 || persons_changed > 0 || below.log().files(*table).count() > 1,
    };
    let tables: Vec<Table> = Table::ENTITIES.into_iter().filter(holds_old_rows).collect();
    let (files, removes) = tables::rebase(below.log(), &entities, &tables)?;
    let replaced = hit.iter().map(|file| Remove {
        path: file.path.clone(),
    });
    let mut actions: Vec<Action> = replaced.chain(removes).map(Action::Remove).collect();
    actions.extend(added.into_iter().flatten().map(Action::Add));
    for file in files {
        actions.push(Action::Add(writes.put(file)?));
    }
    let report = PurgeReport {
        version: below.version() + 1,
        events_changed,
        persons_changed,
        distinct_ids_replaced: disguise.len(),
        events_mentioning: scans.iter().map(|scan| scan.mentioning).sum(),
        files_rewritten: hit.len(),
        files_deleted: 0,
    };
    actions.push(Action::CommitInfo(info(&report)));
    commit(store, runtime, &below, actions, entities, &[writes])?;
    Ok(report)
}

/// What the log says; the key is not in it.
fn info(report: &PurgeReport) -> CommitInfo {
    let counts = [
        ("events_changed", report.events_changed),
        ("persons_changed", report.persons_changed),
    ];
    CommitInfo {
        operation: "purge_group".into(),
        time: Utc::now().timestamp_micros(),
        counts: BTreeMap::from(counts.map(|(name, count)| (name.to_owned(), count))),
    }
}

/// How far a file is concerned.
#[derive(Default)]
struct Scan {
    changed: u64,
    mentioning: u64,
}

async fn scan(
    location: &Location,
    file: &Add,
    target: &Target<'_>,
    disguise: &Disguise,
) -> Result<Scan> {
    let names = [
        schema::DISTINCT_ID,
        schema::PERSON_ID,
        schema::PERSON_REF,
        schema::PROPERTIES,
        schema::GROUPS[target.index],
        schema::GROUP_REFS[target.index],
    ];
    let mut scan = Scan::default();
    let mut batches = columns(location, file, names).await?;
    while let Some(batch) = batches.try_next().await? {
        let purged = purged(&batch, target, disguise)
            .map_err(|reason| Error::corrupt(location.show(&file.path), reason))?;
        scan.changed += purged.changed;
        let ids = texts(&batch, schema::DISTINCT_ID)
            .map_err(|reason| Error::corrupt(location.show(&file.path), reason))?;
        for (id, properties) in ids.iter().zip(purged.properties.iter()) {
            let is_mentioned = id.is_some_and(|id| id == target.key)
                || properties.is_some_and(|text| target.is_mentioned(text));
            scan.mentioning += u64::from(is_mentioned);
        }
    }
    Ok(scan)
}

async fn edit(
    location: &Location,
    file: &Add,
    target: &Target<'_>,
    disguise: &Disguise,
) -> Result<Option<files::Encoded>> {
    let change = |batch: RecordBatch| {
        let change = || {
            let purged = purged(&batch, target, disguise)?;
            let columns: [(&str, ArrayRef); 3] = [
                (schema::PROPERTIES, Arc::new(purged.properties)),
                (schema::GROUPS[target.index], Arc::new(purged.keys)),
                (schema::GROUP_REFS[target.index], Arc::new(purged.refs)),
            ];
            let batch = with_columns(&batch, columns.into_iter().chain(purged.people))?;
            without_static_id(&batch, target)
        };
        change().map_err(|reason| Error::corrupt(location.show(&file.path), reason))
    };
    files::edit(location, file, change).await
}

/// A batch whose column of the property `distinct_id`, if it has one, says no more than the property.
fn without_static_id(batch: &RecordBatch, target: &Target<'_>) -> Result<RecordBatch, String> {
    let name = schema::promoted_column(schema::DISTINCT_ID);
    let Ok(ids) = texts(batch, &name) else {
        return Ok(batch.clone());
    };
    let kept = ids
        .iter()
        .map(|id| id.filter(|id| !target.is_static_id(id)));
    let kept: ArrayRef = Arc::new(kept.collect::<StringViewArray>());
    with_columns(batch, [(name, kept)])
}

/// The columns of a batch without the group.
struct Purged {
    properties: StringViewArray,
    keys: StringViewArray,
    refs: UInt32Array,
    people: [(&'static str, ArrayRef); 2],
    /// Rows that are not what they were.
    changed: u64,
}

fn purged(batch: &RecordBatch, target: &Target<'_>, disguise: &Disguise) -> Result<Purged, String> {
    let disguised = disguise.apply(batch)?;
    let old_keys = texts(batch, schema::GROUPS[target.index])?;
    let old_refs = refs(batch, schema::GROUP_REFS[target.index])?;
    let rows = batch.num_rows();
    let mut properties = StringViewBuilder::with_capacity(rows);
    let mut keys = StringViewBuilder::with_capacity(rows);
    let mut new_refs = Vec::with_capacity(rows);
    let mut changed = 0;
    let old = texts(batch, schema::PROPERTIES)?.iter();
    let rows = old.zip(old_keys).zip(old_refs.values());
    for (((text, key), r), is_renamed) in rows.zip(disguised.changed) {
        let is_tagged = key == Some(target.key);
        let new = text.and_then(|text| target.event(text));
        changed += u64::from(is_tagged || is_renamed || new.is_some());
        properties.append_option(new.as_deref().or(text));
        keys.append_option(key.filter(|_| !is_tagged));
        new_refs.push(if is_tagged { 0 } else { *r });
    }
    Ok(Purged {
        properties: properties.finish(),
        keys: keys.finish(),
        refs: UInt32Array::from(new_refs),
        people: disguised.columns,
        changed,
    })
}

#[cfg(test)]
mod tests;
