//! What is found out about a folder of exports when it is opened: persons, groups and rows that do not count.
//!
//! Every row is looked at in two columns, its event and its uuid. All others are read only of the few rows that change
//! identities or groups, and of some rows of each row group, which show the types of the groups.

use datafusion::arrow::array::Array;
use datafusion::arrow::record_batch::RecordBatch;
use hashbrown::{HashMap, HashSet};

use super::PERSON_PROPERTIES;
use super::find::File;
use super::order;
use super::repeats::{self, named, texts};
use super::rows::{self, Wanted};
use crate::entities::EntityState;
use crate::error::Result;
use crate::files::parallel;
use crate::ingest::{
    Columns, Glance, GroupPlace, LoadReport, Source, StringTable, is_telling, telling_columns,
};
use crate::schema::{self, GROUP_TYPES};

/// Rows of each row group that are looked at for the types of groups.
const FIRST_ROWS: usize = 256;

/// What was found out.
#[derive(Debug, Default)]
pub(super) struct Survey {
    pub(super) state: EntityState,
    /// Which property of an event holds the key of its group, by index.
    pub(super) groups: [GroupPlace; GROUP_TYPES],
    /// Persons of rows that became part of others, with those: both as rows name them.
    pub(super) merges: Vec<(String, String)>,
    /// Positions of rows that do not count, by file.
    pub(super) left_out: Vec<Vec<usize>>,
    pub(super) report: LoadReport,
}

/// A file with what is known of it.
pub(super) struct Surveyed {
    pub(super) file: File,
    pub(super) source: Source,
    /// Of a PostHog export: its rows may repeat others.
    pub(super) is_export: bool,
}

/// What all rows of a file have shown.
#[derive(Default)]
pub(super) struct Overview {
    /// Positions of the rows that tell something.
    pub(super) telling: Vec<usize>,
    /// These rows.
    pub(super) rows: Vec<RecordBatch>,
    uuids: Vec<u64>,
}

/// Where distinct ids occur in a file.
#[derive(Default)]
struct Seen {
    /// The first row of each.
    first: HashMap<String, usize>,
    /// The persons that rows give them.
    persons: HashSet<(String, String)>,
}

/// Looks at the files of events, and at the exports of persons beside them. Blocks the thread.
pub(super) fn survey(
    files: &[Surveyed],
    persons: &[Source],
    skipped: LoadReport,
    columns: &Columns,
) -> Result<Survey> {
    let mut looked = parallel::map(files, |file| overview(file, columns))?;
    let mut glance = Glance::new(columns);
    glance.report = skipped;
    glance.persons(persons)?;
    for file in files {
        each(file, columns, &Wanted::FirstOfGroups(FIRST_ROWS), |rows| {
            glance.vote(&file.file.shown, rows)
        })?;
    }
    glance.settle();
    let mut joined = HashSet::new();
    for (file, overview) in files.iter().zip(&looked) {
        for rows in &overview.rows {
            joined.extend(glance.joined(&file.file.shown, rows)?);
        }
    }
    let seen = occurrences(files, &joined, columns)?;
    let first = first_rows(&looked, &seen);
    let numbered: Vec<usize> = (0..files.len()).collect();
    let ordered = parallel::map(&numbered, |number| {
        let (file, overview) = (&files[*number], &looked[*number]);
        let first = first.get(*number).map_or(&[][..], Vec::as_slice);
        order::in_order(file, overview, first, columns)
    })?;
    for (file, rows) in files.iter().zip(ordered) {
        for rows in rows {
            glance.take(&file.file.shown, &rows)?;
        }
    }
    let (state, groups, report) = glance.finish();
    let merges = match persons {
        [] => merges(&state, &seen),
        // The export of persons says whose every distinct id is.
        _ => Vec::new(),
    };
    let uuids = looked
        .iter_mut()
        .flat_map(|overview| std::mem::take(&mut overview.uuids));
    let uuids = uuids.collect();
    let with_source: Vec<(&File, &Source)> = files
        .iter()
        .map(|file| (&file.file, &file.source))
        .collect();
    Ok(Survey {
        state,
        groups,
        merges,
        left_out: repeats::left_out(&with_source, columns, uuids)?,
        report,
    })
}

/// Reads the columns with a meaning to ingestion of some rows.
fn each(
    file: &Surveyed,
    columns: &Columns,
    wanted: &Wanted<'_>,
    mut take: impl FnMut(&RecordBatch) -> Result<()>,
) -> Result<()> {
    let names = telling_columns(&file.file.shown, file.file.schema(), columns)?;
    // What was known of persons is read by the questions that ask for it.
    let told = columns.theirs(PERSON_PROPERTIES);
    let names = names
        .iter()
        .map(String::as_str)
        .filter(|name| *name != told);
    let names: Vec<&str> = names.collect();
    rows::read(&file.file, &file.source, &names, wanted, |_, rows| {
        take(rows)
    })
}

fn overview(surveyed: &Surveyed, columns: &Columns) -> Result<Overview> {
    let file = &surveyed.file;
    let event = columns.theirs(schema::EVENT);
    let uuid = columns.theirs(schema::UUID);
    let rows_tell_all = file.has(columns.theirs(PERSON_PROPERTIES));
    let wanted = match surveyed.is_export {
        true => vec![event, uuid],
        false => vec![event],
    };
    let mut overview = Overview::default();
    rows::read(
        file,
        &surveyed.source,
        &wanted,
        &Wanted::All,
        |first, batch| {
            let events = texts(file, named(file, batch, event)?)?;
            let at = (first..).zip(&events);
            let at =
                at.filter(|(_, event)| event.is_some_and(|event| is_telling(event, rows_tell_all)));
            overview.telling.extend(at.map(|(at, _)| at));
            if surveyed.is_export {
                let hashes = repeats::hashes(file, named(file, batch, uuid)?)?;
                overview.uuids.extend(hashes.into_iter().flatten());
            }
            Ok(())
        },
    )?;
    let telling = std::mem::take(&mut overview.telling);
    each(surveyed, columns, &Wanted::At(&telling), |rows| {
        overview.rows.push(rows.clone());
        Ok(())
    })?;
    overview.telling = telling;
    Ok(overview)
}

/// Where distinct ids occur that are joined with others.
fn occurrences(files: &[Surveyed], ids: &HashSet<String>, columns: &Columns) -> Result<Vec<Seen>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let (id, person) = (
        columns.theirs(schema::DISTINCT_ID),
        columns.theirs(schema::PERSON_ID),
    );
    parallel::map(files, |surveyed| {
        let file = &surveyed.file;
        let mut seen = Seen::default();
        rows::read(
            file,
            &surveyed.source,
            &[id, person],
            &Wanted::All,
            |first, batch| {
                let distinct_ids = texts(file, named(file, batch, id)?)?;
                let persons = batch.column_by_name(person);
                let persons = persons.map(|array| texts(file, array)).transpose()?;
                for (row, distinct_id) in distinct_ids.iter().enumerate() {
                    let Some(distinct_id) = distinct_id.filter(|known| ids.contains(*known)) else {
                        continue;
                    };
                    seen.first.entry_ref(distinct_id).or_insert(first + row);
                    let person = persons.as_ref().filter(|texts| texts.is_valid(row));
                    let person = person.map_or(distinct_id, |texts| texts.value(row));
                    let pair = (distinct_id.to_owned(), person.to_owned());
                    seen.persons.insert(pair);
                }
                Ok(())
            },
        )?;
        Ok(seen)
    })
}

/// Where each joined id occurs first, by file, ascending: it says that the id had a person before it was joined.
fn first_rows(looked: &[Overview], seen: &[Seen]) -> Vec<Vec<usize>> {
    let mut known: HashSet<&str> = HashSet::new();
    let files = looked.iter().zip(seen).map(|(overview, seen)| {
        let new = seen.first.iter().filter(|(id, _)| known.insert(id));
        let mut first: Vec<usize> = new.map(|(_, position)| *position).collect();
        first.retain(|position| overview.telling.binary_search(position).is_err());
        first.sort_unstable();
        first.dedup();
        first
    });
    files.collect()
}

/// The persons that rows name and that are others now.
fn merges(state: &EntityState, seen: &[Seen]) -> Vec<(String, String)> {
    let mut merges: HashMap<&str, String> = HashMap::new();
    for (distinct_id, person) in seen.iter().flat_map(|seen| &seen.persons) {
        let hash = StringTable::hash(distinct_id);
        let last = state.persons.find_hashed(hash, distinct_id);
        let last = last.and_then(|last| state.persons.get(last));
        if let Some(last) = last.map(|person| person.id.to_string())
            && last != *person
        {
            merges.insert(person, last);
        }
    }
    let mut merges: Vec<_> = merges
        .into_iter()
        .map(|(old, new)| (old.to_owned(), new))
        .collect();
    merges.sort_unstable();
    merges
}
