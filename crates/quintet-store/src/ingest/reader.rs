//! Reads one source of events from start to end into staged rows, handing them on whenever there are enough.

use super::capture::{self, Dialect};
use super::input::{self, Input};
use super::lines::Blocks;
use super::message::Parsed;
use super::parquet;
use super::pipeline;
use super::report::{LoadReport, code};
use super::source::{Format, Source};
use super::stage::Stage;
use super::staged::StagedEvents;
use crate::entities::EntityState;
use crate::error::{Error, Result};

/// How a load reads its sources.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReadOptions {
    /// What the events look like.
    pub(crate) format: Format,
    /// The clock of receipt, for messages that do not carry one.
    pub(crate) received_at: Option<i64>,
    /// Staged rows are handed on when they take this much memory.
    pub(crate) flush_bytes: usize,
}

/// Hands staged rows on.
type Flush<'a> = dyn FnMut(&mut StagedEvents, &EntityState, &mut LoadReport) -> Result<()> + 'a;

/// Where parsed messages go, and what happens when enough have gathered.
struct Sink<'a> {
    file: &'a str,
    state: &'a mut EntityState,
    report: &'a mut LoadReport,
    staged: &'a mut StagedEvents,
    flush_bytes: usize,
    flush: &'a mut Flush<'a>,
}

impl Sink<'_> {
    fn take(&mut self, parsed: &Parsed) -> Result<()> {
        let mut stage = Stage {
            file: self.file,
            state: self.state,
            report: self.report,
            staged: self.staged,
        };
        stage.take(parsed);
        if self.staged.bytes() > self.flush_bytes {
            (self.flush)(self.staged, self.state, self.report)?;
        }
        Ok(())
    }
}

/// Reads a source in order, appends its events to `staged`, and updates persons, groups and the report.
///
/// Calls `flush` whenever the staged rows take more than the budget; what it leaves is kept. Rows
/// that remain at the end are the caller's to flush. Refused lines are noted in the report;
/// an error means that the source as a whole is unreadable and nothing of the load may be stored.
pub(crate) fn read_source(
    source: &Source,
    options: &ReadOptions,
    state: &mut EntityState,
    report: &mut LoadReport,
    staged: &mut StagedEvents,
    flush: &mut Flush<'_>,
) -> Result<()> {
    let file = source.name();
    let dialect = Dialect {
        format: options.format,
        received_at: options.received_at,
    };
    let input = input::open(source)?;
    let mut sink = Sink {
        file: &file,
        state,
        report,
        staged,
        flush_bytes: options.flush_bytes,
        flush,
    };
    match (input, options.format) {
        (_, Format::OpenPanel) => Err(Error::Unsupported {
            what: "reading OpenPanel messages".into(),
            instead: "this version reads PostHog capture messages, Segment messages and Parquet; convert the file to one of these".into(),
        }),
        (Input::Text(_), Format::Parquet) => Err(Error::invalid(
            file,
            "it is no Parquet file; leave --format out to read it by its content",
        )),
        (Input::Parquet(_), Format::PostHog | Format::Segment) => Err(Error::invalid(
            file,
            "it is a Parquet file; leave --format out to read it by its content",
        )),
        (Input::Text(text), _) => {
            let parse = |block| capture::parse(block, dialect);
            pipeline::run(Blocks::new(text), parse, |parsed| sink.take(&parsed))
        }
        (Input::Parquet(data), _) => {
            let batches = parquet::Batches::open(&file, data)?;
            let layout = batches.layout();
            for column in layout.left_out() {
                sink.report.warn(code::COLUMN_LEFT_OUT, || format!("{file}: `{column}`"));
            }
            let read = |(row, batch)| parquet::parse(&layout, &file, row, &batch, dialect);
            pipeline::run(batches, read, |parsed| sink.take(&parsed?))
        }
    }
}
