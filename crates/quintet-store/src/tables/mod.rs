//! Persons and groups as tables: persisted as files of changed rows, shown to the engine as record batches.

mod columns;
mod groups;
mod index;
mod lazy;
mod names;
mod persons;
mod views;

use std::sync::Arc;

use datafusion::arrow::record_batch::RecordBatch;

pub use index::PersonIndex;
pub use lazy::EntityTable;
pub(crate) use names::ActorNames;
pub use views::Entities;

use crate::entities::{EntityState, GroupType, Groups, Persons};
use crate::error::{Error, Result};
use crate::files::Encoded;
use crate::files::parquet::{encode_batch, read_batches};
use crate::location::Location;
use crate::log::{Add, GroupTypeEntry, LogState, Metadata, Remove, Table};
use crate::schema::GROUP_TYPES;

/// With more live files of a table than this, a load writes the whole table anew instead of one more.
const MAX_DELTAS: usize = 8;

/// The state of persons and groups that the log's files add up to; a later row replaces an earlier one.
pub(crate) async fn load(location: &Location, log: &LogState) -> Result<EntityState> {
    let mut people = persons::Rows::default();
    let mut distinct_ids = persons::DistinctIdRows::default();
    let mut group_rows = groups::Rows::default();
    for table in Table::ENTITIES {
        for file in log.files(table) {
            for batch in read_batches(location, file).await? {
                let taken = match table {
                    Table::Persons => people.take(&batch),
                    Table::PersonDistinctIds => distinct_ids.take(&batch),
                    Table::Groups => group_rows.take(&batch),
                    Table::Events => Ok(()),
                };
                taken.map_err(|reason| Error::corrupt(location.show(&file.path), reason))?;
            }
        }
    }
    let damaged = |table: Table, reason| Error::corrupt(location.show(table.folder()), reason);
    let people = people
        .complete()
        .map_err(|reason| damaged(Table::Persons, reason))?;
    let distinct_ids = distinct_ids
        .complete(people.len())
        .map_err(|reason| damaged(Table::PersonDistinctIds, reason))?;
    let group_rows = group_rows
        .complete()
        .map_err(|reason| damaged(Table::Groups, reason))?;
    let types = group_types(&log.metadata.group_types).ok_or_else(|| {
        Error::corrupt(location.show("_log"), "a group type has an index beyond 4")
    })?;
    Ok(EntityState {
        persons: Persons::restore((1..).zip(people), distinct_ids.into_iter()),
        groups: Groups::restore(
            types,
            &log.metadata.retired_group_indexes,
            group_rows.into_iter(),
        ),
    })
}

/// The files to write and the ones to drop so that the table shows what has changed in `entities`.
pub(crate) fn persist(
    log: &LogState,
    entities: &mut EntityState,
) -> Result<(Vec<Encoded>, Vec<Remove>)> {
    let changed = entities.persons.take_changes();
    let changed_groups = entities.groups.take_changes();
    let (people, all_groups) = (&entities.persons, &entities.groups);
    let (mut files, mut removes) = (Vec::new(), Vec::new());
    for table in Table::ENTITIES {
        let changes = match table {
            Table::Persons => changed.persons.len(),
            Table::PersonDistinctIds => changed.distinct_ids.len(),
            Table::Groups => changed_groups.len(),
            Table::Events => 0,
        };
        if changes == 0 {
            continue;
        }
        let live: Vec<&Arc<Add>> = log.files(table).collect();
        let whole = live.len() >= MAX_DELTAS;
        let batch = match table {
            _ if whole => whole_table(table, entities),
            Table::Persons => persons::batch(
                changed
                    .persons
                    .iter()
                    .filter_map(|r| Some((*r, people.get(*r)?))),
            ),
            Table::PersonDistinctIds => persons::distinct_id_batch(
                changed
                    .distinct_ids
                    .iter()
                    .filter_map(|id| Some((id.as_str(), people.find(id)?))),
            ),
            Table::Groups | Table::Events => {
                groups::batch(changed_groups.iter().filter_map(|(index, r)| {
                    Some((*index, *r, all_groups.get(usize::from(*index), *r)?))
                }))
            }
        }?;
        files.push(encode_batch(table, &batch)?);
        if whole {
            removes.extend(live.into_iter().map(|file| Remove {
                path: file.path.clone(),
            }));
        }
    }
    Ok((files, removes))
}

/// One file for each of these tables, and those that it takes the place of.
pub(crate) fn rebase(
    log: &LogState,
    entities: &EntityState,
    tables: &[Table],
) -> Result<(Vec<Encoded>, Vec<Remove>)> {
    let (mut files, mut removes) = (Vec::new(), Vec::new());
    for table in tables {
        let live = log.files(*table);
        removes.extend(live.map(|file| Remove {
            path: file.path.clone(),
        }));
        let batch = whole_table(*table, entities)?;
        if batch.num_rows() > 0 {
            files.push(encode_batch(*table, &batch)?);
        }
    }
    Ok((files, removes))
}

/// All rows of a table of persons or groups.
fn whole_table(table: Table, entities: &EntityState) -> Result<RecordBatch> {
    let groups = &entities.groups;
    match table {
        Table::Persons => persons::batch(entities.persons.iter()),
        Table::PersonDistinctIds => persons::distinct_id_batch(entities.persons.distinct_ids()),
        Table::Groups | Table::Events => groups::batch((0..GROUP_TYPES as u8).flat_map(|index| {
            groups
                .iter(usize::from(index))
                .map(move |(r, group)| (index, r, group))
        })),
    }
}

/// The group types by index; nothing if an index is impossible.
fn group_types(entries: &[GroupTypeEntry]) -> Option<[Option<GroupType>; GROUP_TYPES]> {
    let mut types: [Option<GroupType>; GROUP_TYPES] = Default::default();
    for entry in entries {
        *types.get_mut(usize::from(entry.index))? = Some(GroupType {
            name: entry.name.clone(),
            created_at: entry.created_at,
            singular: entry.singular.clone(),
            plural: entry.plural.clone(),
        });
    }
    Some(types)
}

/// Takes over into the metadata what readers must know of persons and groups before they read them.
pub(crate) fn note(metadata: &mut Metadata, entities: &EntityState) {
    let EntityState { persons, groups } = entities;
    if groups.types_changed() {
        metadata.group_types = group_type_entries(groups.types());
        metadata.retired_group_indexes = groups.retired();
    }
    metadata.merges_to_apply = Some(persons.unsquashed().len() as u64);
}

/// The group types as the log keeps them.
pub(crate) fn group_type_entries(types: &[Option<GroupType>; GROUP_TYPES]) -> Vec<GroupTypeEntry> {
    (0..)
        .zip(types)
        .filter_map(|(index, known)| {
            known.as_ref().map(|known| GroupTypeEntry {
                name: known.name.clone(),
                index,
                created_at: known.created_at,
                singular: known.singular.clone(),
                plural: known.plural.clone(),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests;
