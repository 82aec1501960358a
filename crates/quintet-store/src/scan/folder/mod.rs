//! A folder of Parquet that nobody loaded, read as it lies: no store, no log, no copies.
//!
//! A plain table of events is taken as it is. Exports of PostHog, which have no columns of groups and know persons as they were,
//! get a [survey] when they are opened, which finds out what is missing.

mod columns;
mod damage;
mod find;
mod order;
mod reading;
mod repeats;
mod rows;
mod survey;

use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::TableProvider;
use datafusion::common::Statistics;
use datafusion::common::stats::Precision;
use datafusion::datasource::physical_plan::parquet::ParquetRowSelection;
use datafusion::error::DataFusionError;
use object_store::ObjectMeta;

pub use columns::PropertyColumn;
use columns::Table;
use find::{File, Found};
pub use reading::FolderEvents;
pub(super) use reading::FolderExec;
use survey::{Survey, Surveyed};

use super::{EventsTable, ScanFile, ScanOptions, StoredEvents, StoredFile};
use crate::error::{Error, Result, classify};
use crate::ingest::{Columns, Contents, GroupPlace, LoadReport, Source, of_columns, skip};
use crate::location::Location;
use crate::log::GroupTypeEntry;
use crate::schema;
use crate::tables::{Entities, group_type_entries};

/// The column of all that was known of a person at the time of the event.
const PERSON_PROPERTIES: &str = "person_properties";

/// What a place without a store holds.
#[derive(Debug)]
pub enum Unloaded {
    /// Parquet, which is asked as it lies.
    Folder(Box<Folder>),
    /// Nothing but JSON lines, which have to be loaded to be asked.
    Lines(Vec<Source>),
}

/// The Parquet files below a place, as one table of events pinned when it was opened.
///
/// Columns are found by name, by ours or by those that the caller gives: `event`, `distinct_id` and `timestamp` must be there; any
/// other of ours may be absent (and reads as null); unknown ones are kept if all files agree on their type. Columns named
/// `p.<name>` are properties; so is every other column that is none of ours.
/// Text of any kind is read as `Utf8View`, timestamps of any unit as microseconds UTC.
///
/// Files of PostHog's persons export are no events; they say who persons are. Those of sessions are left out.
#[derive(Debug)]
pub struct Folder {
    location: Location,
    table: Table,
    files: Vec<ScanFile>,
    /// The same files, if they are those of a store.
    stored: Option<Vec<StoredFile>>,
    lots: Vec<Arc<reading::LotFile>>,
    findings: Option<Findings>,
}

/// What a survey has found.
#[derive(Debug)]
struct Findings {
    entities: Entities,
    groups: [GroupPlace; schema::GROUP_TYPES],
    merges: Vec<(String, String)>,
    has_persons: bool,
    /// Has some file no columns of groups?
    lack_groups: bool,
    report: LoadReport,
}

/// Files by what they hold.
#[derive(Default)]
struct Kinds<'a> {
    events: Vec<&'a File>,
    persons: Vec<&'a File>,
    sessions: Vec<&'a File>,
}

/// What a folder of exports tells beside its columns.
#[derive(Debug, Clone, Copy)]
pub struct Told<'a> {
    /// Groups with their properties, and the persons whom some row changed; all persons where there is an export of them.
    pub entities: &'a Entities,
    /// Is there an export of persons? Then it says whose each distinct id is.
    pub has_persons: bool,
    /// Persons of rows that became part of others, with those.
    pub merges: &'a [(String, String)],
}

impl Unloaded {
    /// Finds out what is at a place, and opens it if it is Parquet.
    ///
    /// # Errors
    /// [`Error::NotFound`] without any such file, [`Error::Invalid`] naming the file and the column where one of the
    /// required columns is missing or of an impossible type, [`Error::Corrupt`] naming a damaged file.
    pub async fn open(location: Location, columns: Columns) -> Result<Self> {
        match find::find(&location).await? {
            Found::Parquet(files) => {
                let folder = Folder::of(location, files, columns).await?;
                Ok(Self::Folder(Box::new(folder)))
            }
            Found::Lines(files) => Ok(Self::Lines(find::sources(&location, &files).await?)),
        }
    }
}

impl Folder {
    /// Opens the Parquet files below `location` (or the one that it names), with columns called as ours are.
    ///
    /// # Errors
    /// Those of [`Unloaded::open`]; [`Error::NotFound`] too where there are only JSON lines.
    pub async fn open(location: Location) -> Result<Self> {
        let shown = location.show("");
        match Unloaded::open(location, Columns::default()).await? {
            Unloaded::Folder(folder) => Ok(*folder),
            Unloaded::Lines(_) => Err(Error::NotFound(format!("there is no Parquet at {shown}"))),
        }
    }

    async fn of(location: Location, files: Vec<ObjectMeta>, columns: Columns) -> Result<Self> {
        let files = find::footers(&location, files).await?;
        let kinds = Kinds::of(&files, &columns);
        if kinds.events.is_empty() {
            let reason = "its Parquet files hold no events; add those of the events export";
            return Err(Error::invalid(location.show(""), reason));
        }
        for file in &kinds.events {
            columns::check(file, &columns)?;
        }
        let table = Table::of(&kinds.events, &columns);
        let mut survey = None;
        if kinds.need_survey(&columns) {
            survey = Some(kinds.survey(&location, &columns).await?);
        }
        let left_out = survey
            .as_mut()
            .map(|survey| std::mem::take(&mut survey.left_out));
        let mut left_out = left_out.unwrap_or_default().into_iter();
        let (mut scanned, mut lots) = (Vec::new(), Vec::new());
        for file in &kinds.events {
            let left_out = left_out.next().unwrap_or_default();
            scanned.push(scan_file(file, &left_out, &table.schema));
            lots.push(reading::LotFile::of(file, left_out));
        }
        Ok(Self {
            files: scanned,
            lots,
            findings: survey.map(|survey| Findings {
                lack_groups: kinds.events.iter().any(|file| lacks_groups(file, &columns)),
                entities: Entities::new(survey.state),
                groups: survey.groups,
                merges: survey.merges,
                has_persons: !kinds.persons.is_empty(),
                report: survey.report,
            }),
            stored: stored(&kinds.events, &location)?,
            table,
            location,
        })
    }

    /// The events of all files; rows lie in no known order.
    pub fn events(&self) -> Arc<dyn TableProvider> {
        self.events_with(ScanOptions::default())
    }

    /// [`Folder::events`], read in another way.
    pub fn events_with(&self, options: ScanOptions) -> Arc<dyn TableProvider> {
        let url = self.location.object_store_url().clone();
        if let Some(files) = &self.stored {
            let schema = Arc::clone(&self.table.schema);
            return Arc::new(StoredEvents::new(
                schema,
                url,
                files.clone(),
                false,
                options,
            ));
        }
        Arc::new(EventsTable::new(
            Arc::clone(&self.table.schema),
            url,
            self.files.clone(),
            false,
            options,
        ))
    }

    /// Our names of the columns that at least one file has; those of ours that are missing here read as null.
    pub fn columns(&self) -> &[String] {
        &self.table.present
    }

    /// Columns of [`Folder::events`] that have other names here, with those.
    pub fn renamed(&self) -> &[(String, String)] {
        &self.table.renamed
    }

    /// Properties that have a column of their own, by our names.
    pub fn properties(&self) -> &[PropertyColumn] {
        &self.table.properties
    }

    /// Number of rows in all files, without those that repeat others.
    pub fn rows(&self) -> u64 {
        self.files
            .iter()
            .filter_map(|file| file.statistics.num_rows.get_value())
            .map(|rows| *rows as u64)
            .sum()
    }

    /// Has every row a value in a column of ours?
    pub fn is_complete(&self, ours: &str) -> bool {
        let theirs = self.theirs(ours);
        self.lots.iter().all(|file| file.is_complete(theirs))
    }

    /// What a column of ours is called in the files.
    pub fn theirs<'a>(&'a self, ours: &'a str) -> &'a str {
        let renamed = self.table.renamed.iter().find(|(_, known)| known == ours);
        renamed.map_or(ours, |(theirs, _)| theirs)
    }

    /// What was found out of persons and groups; nothing for a plain table of events.
    pub fn told(&self) -> Option<Told<'_>> {
        self.findings.as_ref().map(|found| Told {
            entities: &found.entities,
            has_persons: found.has_persons,
            merges: &found.merges,
        })
    }

    /// Where events name their groups of an index that have no column of it: the property, and the type's name in `$groups`.
    pub fn group_place(&self, index: usize) -> Option<(Option<&'static str>, Option<&str>)> {
        let findings = self.findings.as_ref()?;
        let place = findings.groups.get(index)?;
        let property = place.number.and_then(|number| schema::GROUPS.get(number));
        let name = place.name.as_deref();
        let is_known = property.is_some() || name.is_some();
        (findings.lack_groups && is_known).then_some((property.copied(), name))
    }

    /// The group types that events have shown, by index.
    pub fn group_types(&self) -> Vec<GroupTypeEntry> {
        let found = self.findings.as_ref();
        found
            .map(|found| group_type_entries(found.entities.state().groups.types()))
            .unwrap_or_default()
    }

    /// What was left out or changed on opening.
    pub fn report(&self) -> Option<&LoadReport> {
        self.findings.as_ref().map(|found| &found.report)
    }

    /// What made a plan over this folder fail; if the error smells of damage, all files are read to the end,
    /// and the first one that cannot be is named.
    pub async fn diagnose(&self, error: &DataFusionError) -> Error {
        let damage = classify(error);
        match damage {
            Error::Corrupt { .. } | Error::Io { .. } => self.damaged_file().await.unwrap_or(damage),
            _ => damage,
        }
    }

    /// The first file that cannot be read to its end.
    pub async fn damaged_file(&self) -> Option<Error> {
        for file in &self.files {
            if let Err(e) = damage::read_to_the_end(&self.location, &file.meta).await {
                return Some(Error::parquet(&find::shown(&self.location, &file.meta), &e));
            }
        }
        None
    }

    /// The first time, written as text, that cannot be read.
    pub async fn unreadable_time(&self) -> Option<Error> {
        let column = self.theirs(schema::TIMESTAMP);
        for file in &self.files {
            let found = damage::unreadable_time(&self.location, &file.meta, column).await;
            if let Some(text) = found.ok().flatten() {
                let reason = format!(
                    "its column `{column}` holds `{text}`, which cannot be read as a time; say which column holds the time with `--column timestamp=NAME`"
                );
                return Some(Error::invalid(
                    find::shown(&self.location, &file.meta),
                    reason,
                ));
            }
        }
        None
    }

    /// The place that was opened.
    pub fn location(&self) -> &Location {
        &self.location
    }
}

impl<'a> Kinds<'a> {
    fn of(files: &'a [File], columns: &Columns) -> Self {
        let mut kinds = Self::default();
        for file in files {
            let kind = match of_columns(file.schema(), columns.theirs(schema::EVENT)) {
                Contents::Persons => &mut kinds.persons,
                Contents::Sessions => &mut kinds.sessions,
                Contents::Events | Contents::OpenPanel => &mut kinds.events,
            };
            kind.push(file);
        }
        kinds
    }

    /// Is there anything to find out?
    fn need_survey(&self, columns: &Columns) -> bool {
        let tells = |file: &&File| {
            file.has(columns.theirs(PERSON_PROPERTIES)) || lacks_groups(file, columns)
        };
        !self.persons.is_empty() || self.events.iter().any(tells)
    }

    async fn survey(&self, location: &Location, columns: &Columns) -> Result<Survey> {
        let persons = find::sources(location, &metas(&self.persons)).await?;
        let sources = find::sources(location, &metas(&self.events)).await?;
        let surveyed = self
            .events
            .iter()
            .zip(sources)
            .map(|(file, source)| Surveyed {
                is_export: lacks_groups(file, columns) && file.has(columns.theirs(schema::UUID)),
                file: File::clone(file),
                source,
            });
        let surveyed: Vec<_> = surveyed.collect();
        let mut skipped = LoadReport::default();
        self.sessions
            .iter()
            .for_each(|file| skip(&file.shown, &mut skipped));
        let columns = columns.clone();
        let look = move || survey::survey(&surveyed, &persons, skipped, &columns);
        tokio::task::spawn_blocking(look)
            .await
            .map_err(Error::internal)?
    }
}

/// The files, if they are those of a store.
fn stored(files: &[&File], location: &Location) -> Result<Option<Vec<StoredFile>>> {
    let stored = files
        .iter()
        .map(|file| StoredFile::lying(&file.meta, file.rows, file.footer.schema()));
    let stored: Vec<_> = stored.collect();
    if stored.iter().all(Option::is_none) {
        return Ok(None);
    }
    let all = stored.into_iter().collect::<Option<_>>();
    let reason = "files of a store lie among others; ask them apart";
    all.map(Some)
        .ok_or_else(|| Error::invalid(location.show(""), reason))
}

fn metas(files: &[&File]) -> Vec<ObjectMeta> {
    files.iter().map(|file| file.meta.clone()).collect()
}

/// Do the groups of a file stand in its properties alone?
fn lacks_groups(file: &File, columns: &Columns) -> bool {
    let has_group = |name: &&str| file.has(columns.theirs(name));
    file.has(columns.theirs(schema::PROPERTIES)) && !schema::GROUPS.iter().any(has_group)
}

/// A file as it is scanned, without the rows at some positions.
fn scan_file(file: &File, left_out: &[usize], table: &SchemaRef) -> ScanFile {
    let rows = file.rows.saturating_sub(left_out.len());
    let is_whole = left_out.is_empty();
    let kept = || ParquetRowSelection::new(rows::all_but(file, left_out));
    ScanFile {
        meta: file.meta.clone(),
        statistics: Arc::new(Statistics {
            num_rows: Precision::Exact(rows),
            ..Statistics::new_unknown(table)
        }),
        chosen: (!is_whole).then(kept),
    }
}

#[cfg(test)]
mod tests;
