//! What is found out about a folder of exports when it is opened: persons, groups and rows that do not count.
//!
//! Every row is looked at in two columns, its event and its uuid. All others are read only of the few rows that change
//! identities or groups, and of some rows of each row group, which show the types of the groups.

use datafusion::arrow::array::Array;
use datafusion::arrow::record_batch::RecordBatch;
use hashbrown::{HashMap, HashSet};

use super::find::File;
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
struct Overview {
    telling: Vec<usize>,
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
    let overviews = parallel::map(files, |file| overview(file, columns))?;
    let mut telling: Vec<Vec<usize>> = Vec::with_capacity(files.len());
    let mut uuids = Vec::new();
    for overview in overviews {
        telling.push(overview.telling);
        uuids.extend(overview.uuids);
    }
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
    for (file, telling) in files.iter().zip(&telling) {
        each(file, columns, &Wanted::At(telling), |rows| {
            joined.extend(glance.joined(&file.file.shown, rows)?);
            Ok(())
        })?;
    }
    let seen = occurrences(files, &joined, columns)?;
    note_first(&mut telling, &seen);
    for (file, telling) in files.iter().zip(&telling) {
        each(file, columns, &Wanted::At(telling), |rows| {
            glance.take(&file.file.shown, rows)
        })?;
    }
    let (state, groups, report) = glance.finish();
    let merges = match persons {
        [] => merges(&state, &seen),
        // The export of persons says whose every distinct id is.
        _ => Vec::new(),
    };
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
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    rows::read(&file.file, &file.source, &names, wanted, |_, rows| {
        take(rows)
    })
}

fn overview(surveyed: &Surveyed, columns: &Columns) -> Result<Overview> {
    let file = &surveyed.file;
    let event = columns.theirs(schema::EVENT);
    let uuid = columns.theirs(schema::UUID);
    let rows_tell_all = file.has(columns.theirs("person_properties"));
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

/// The first row of each joined id is telling too: it says whether the id had a person before it was joined.
fn note_first(telling: &mut [Vec<usize>], seen: &[Seen]) {
    let mut known: HashSet<&str> = HashSet::new();
    for (telling, seen) in telling.iter_mut().zip(seen) {
        for (id, position) in &seen.first {
            if known.insert(id) {
                telling.push(*position);
            }
        }
        telling.sort_unstable();
        telling.dedup();
    }
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
