//! Reads one source of events from start to end into staged rows, handing them on whenever there are enough.

use super::capture::{self, Dialect};
use super::columns::Columns;
use super::group_ids;
use super::input::{self, Input};
use super::learned::Learned;
use super::lines::Blocks;
use super::message::Parsed;
use super::parquet;
use super::pipeline;
use super::report::{LoadReport, code};
use super::source::{Format, Source};
use super::stage::Stage;
use super::staged::StagedEvents;
use super::survey;
use crate::entities::EntityState;
use crate::error::{Error, Result};

/// As many blocks are looked at before the first row is staged: they show which types the group columns have.
const FIRST_BLOCKS: usize = 4;

/// How a load reads its sources.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReadOptions<'a> {
    /// What the events look like.
    pub(crate) format: Format,
    /// The clock of receipt, for messages that do not carry one.
    pub(crate) received_at: Option<i64>,
    /// How columns are called that are not called as ours are.
    pub(crate) columns: &'a Columns,
    /// Staged rows are handed on when they take this much memory.
    pub(crate) flush_bytes: usize,
}

/// Hands staged rows on.
type Flush<'a> = dyn FnMut(&mut StagedEvents, &EntityState) -> Result<()> + 'a;

/// Where parsed messages go, and what happens when enough have gathered.
struct Sink<'a> {
    file: &'a str,
    state: &'a mut EntityState,
    learned: &'a mut Learned,
    report: &'a mut LoadReport,
    staged: &'a mut StagedEvents,
    flush_bytes: usize,
    flush: &'a mut Flush<'a>,
    /// The first blocks, until there are enough of them.
    first: Option<Vec<Parsed>>,
}

impl Sink<'_> {
    fn take(&mut self, parsed: Parsed) -> Result<()> {
        let Some(first) = &mut self.first else {
            return self.stage(&parsed);
        };
        self.learned.indexes.vote(&parsed);
        first.push(parsed);
        if first.len() < FIRST_BLOCKS {
            return Ok(());
        }
        self.stage_first()
    }

    /// Stages the first blocks, now that they were looked at.
    fn stage_first(&mut self) -> Result<()> {
        self.learned.indexes.settle(&mut self.state.groups);
        let first = self.first.take().unwrap_or_default();
        first.iter().try_for_each(|parsed| self.stage(parsed))
    }

    fn stage(&mut self, parsed: &Parsed) -> Result<()> {
        let mut stage = Stage {
            file: self.file,
            state: self.state,
            learned: self.learned,
            report: self.report,
            staged: self.staged,
        };
        stage.take(parsed);
        if self.staged.bytes() > self.flush_bytes {
            (self.flush)(self.staged, self.state)?;
        }
        Ok(())
    }
}

/// Learns which types the groups have that a source of OpenPanel messages declares.
pub(crate) fn learn_groups(
    source: &Source,
    learned: &mut Learned,
    report: &mut LoadReport,
) -> Result<()> {
    let Input::Text(text) = input::open(source)? else {
        return Ok(());
    };
    let file = source.name();
    pipeline::run(Blocks::new(text), group_ids::declared, |declared| {
        learned.ids.learn(&file, declared, report);
        Ok(())
    })
}

/// Reads a source in order, appends its events to `staged`, and updates persons, groups and the report.
///
/// Calls `flush` whenever the staged rows take more than the budget; what it leaves is kept. Rows
/// that remain at the end are the caller's to flush. Refused lines are noted in the report;
/// an error means that the source as a whole is unreadable and nothing of the load may be stored.
pub(crate) fn read_source(
    source: &Source,
    options: &ReadOptions<'_>,
    state: &mut EntityState,
    learned: &mut Learned,
    report: &mut LoadReport,
    staged: &mut StagedEvents,
    flush: &mut Flush<'_>,
) -> Result<()> {
    let file = source.name();
    let mut dialect = Dialect {
        format: options.format,
        received_at: options.received_at,
        columns: options.columns,
    };
    let input = input::open(source)?;
    let mut sink = Sink {
        file: &file,
        state,
        learned,
        report,
        staged,
        flush_bytes: options.flush_bytes,
        flush,
        first: Some(Vec::new()),
    };
    match (input, options.format) {
        (Input::Text(_), Format::Parquet) => {
            return Err(Error::invalid(
                file,
                "it is no Parquet file; leave --format out to read it by its content",
            ));
        }
        (Input::Parquet(_), Format::PostHog | Format::Segment | Format::OpenPanel) => {
            return Err(Error::invalid(
                file,
                "it is a Parquet file; leave --format out to read it by its content",
            ));
        }
        (Input::Text(text), _) => {
            let mut blocks = Blocks::new(text).peekable();
            if let (Format::Auto, Some(Ok(block))) = (dialect.format, blocks.peek()) {
                dialect.format = survey::messages(block);
            }
            let parse = |block| capture::parse(block, dialect);
            pipeline::run(blocks, parse, |parsed| sink.take(parsed))?;
        }
        (Input::Parquet(data), _) => {
            let batches = parquet::Batches::open(&file, data, options.columns)?;
            let layout = batches.layout();
            for column in layout.left_out() {
                sink.report
                    .warn(code::COLUMN_LEFT_OUT, || format!("{file}: `{column}`"));
            }
            let read = |(row, batch)| parquet::parse(&layout, &file, row, &batch, dialect);
            pipeline::run(batches, read, |parsed| sink.take(parsed?))?;
        }
    }
    sink.stage_first()
}
