//! What rows tell of persons and groups to a reader that leaves them where they lie: the rules of a load, its rows thrown away.
//!
//! Only some rows change identities or groups. A reader picks them out, with the first row of everybody whom they name, and
//! shows them in the order in which a load would have met them.

use datafusion::arrow::datatypes::Schema;
use datafusion::arrow::record_batch::RecordBatch;
use hashbrown::HashSet;

use super::capture::Dialect;
use super::columns::Columns;
use super::learned::Learned;
use super::message::{Action, Parsed, TagType};
use super::normalise;
use super::parquet::{self, Layout};
use super::persons_export::PersonsExport;
use super::report::LoadReport;
use super::source::{Format, Source};
use super::stage::Stage;
use super::staged::{GROUP_TYPES, StagedEvents};
use crate::entities::EntityState;
use crate::error::Result;

/// Where the rows of a table name the groups of one index of ours.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct GroupPlace {
    /// Their number for it, if it is not taken by another type here.
    pub(crate) number: Option<usize>,
    /// The type's name, if a row has shown it.
    pub(crate) name: Option<String>,
}

/// All that was seen so far.
#[derive(Debug)]
pub(crate) struct Glance<'a> {
    columns: &'a Columns,
    learned: Learned,
    names: Vec<String>,
    pub(crate) state: EntityState,
    pub(crate) report: LoadReport,
}

/// Does an event of this name change identities or groups, or do nothing but tell who a person is?
///
/// The latter is of use only where rows do not say anyway all that is known of their persons.
pub(crate) fn is_telling(event: &str, rows_tell_all: bool) -> bool {
    normalise::TELLING.contains(&event) || (event == "$set" && !rows_tell_all)
}

/// The columns that rows must be shown with, by their names there.
pub(crate) fn telling_columns(
    file: &str,
    schema: &Schema,
    columns: &Columns,
) -> Result<Vec<String>> {
    Ok(Layout::new(file, schema, columns)?.telling(schema))
}

impl<'a> Glance<'a> {
    /// Of rows whose columns are called so.
    pub(crate) fn new(columns: &'a Columns) -> Self {
        Self {
            columns,
            learned: Learned::default(),
            names: Vec::new(),
            state: EntityState::default(),
            report: LoadReport::default(),
        }
    }

    /// Takes in an export of persons.
    pub(crate) fn persons(&mut self, sources: &[Source]) -> Result<()> {
        let mut export = PersonsExport::default();
        for source in sources {
            export.read(source, &mut self.report)?;
        }
        let kept = export.finish(None, &mut self.state, &mut self.report);
        self.learned.keep_persons(&kept);
        Ok(())
    }

    /// Looks at some rows for the types behind the numbers of groups.
    pub(crate) fn vote(&mut self, file: &str, rows: &RecordBatch) -> Result<()> {
        let parsed = self.parse(file, rows)?;
        self.learned.indexes.vote(&parsed);
        for message in &parsed.messages {
            let tags = parsed.tags.get(message.tags.clone()).unwrap_or_default();
            let tagged = tags.iter().filter_map(|tag| match tag.of {
                TagType::Name(name) => Some(name),
                _ => None,
            });
            let declared = match message.action.as_deref() {
                Some(Action::GroupIdentify { group_type, .. }) => Some(*group_type),
                _ => None,
            };
            for name in tagged.chain(declared).map(|name| parsed.text(name)) {
                if !self.names.iter().any(|known| known == name) {
                    self.names.push(name.to_owned());
                }
            }
        }
        Ok(())
    }

    /// Gives the types their indexes, now that there was a vote: numbered ones first, then those that rows only name.
    pub(crate) fn settle(&mut self) {
        let groups = &mut self.state.groups;
        self.learned.indexes.settle(groups);
        for name in &self.names {
            // A sixth type has no column, here as in a store.
            let _ = groups.claim(name, 0);
        }
    }

    /// The distinct ids that rows would join.
    pub(crate) fn joined(&self, file: &str, rows: &RecordBatch) -> Result<HashSet<String>> {
        let parsed = self.parse(file, rows)?;
        let mut ids = HashSet::new();
        for message in &parsed.messages {
            if let Some(Action::Merge { other, .. }) = message.action.as_deref() {
                ids.insert(parsed.text(*other).to_owned());
                ids.insert(parsed.text(message.distinct_id).to_owned());
            }
        }
        Ok(ids)
    }

    /// Lets rows change persons and groups.
    pub(crate) fn take(&mut self, file: &str, rows: &RecordBatch) -> Result<()> {
        let parsed = self.parse(file, rows)?;
        let mut stage = Stage {
            file,
            state: &mut self.state,
            learned: &mut self.learned,
            report: &mut self.report,
            staged: &mut StagedEvents::default(),
        };
        stage.take(&parsed);
        Ok(())
    }

    /// Ends the look: what persons and groups there are, where rows name the groups, and what is to be said of it.
    pub(crate) fn finish(mut self) -> (EntityState, [GroupPlace; GROUP_TYPES], LoadReport) {
        let numbers = self.learned.indexes.numbers();
        self.learned.finish(&mut self.state, &mut self.report);
        let types = self.state.groups.types();
        let mut places: [GroupPlace; GROUP_TYPES] = Default::default();
        for ((place, number), known) in places.iter_mut().zip(numbers).zip(types) {
            place.number = number;
            place.name = known.as_ref().map(|known| known.name.clone());
        }
        (self.state, places, self.report)
    }

    fn parse(&self, file: &str, rows: &RecordBatch) -> Result<Parsed> {
        let layout = Layout::new(file, &rows.schema(), self.columns)?;
        let dialect = Dialect {
            format: Format::Parquet,
            received_at: None,
            columns: self.columns,
        };
        parquet::parse(&layout, file, 1, rows, dialect)
    }
}
