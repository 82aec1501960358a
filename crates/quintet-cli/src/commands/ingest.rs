//! `quintet ingest`: events, persons and groups into a store, and the report of what became of them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use quintet::{Load, LoadReport, Settings, Source};

use super::{bytes, columns, engine, is_standard_input};
use crate::arguments::{Ingest, Limits, ReportFormat};
use crate::failure::{Failure, Result};
use crate::output::{json, tell, write};
use crate::progress::Bar;
use crate::render::{clean, figure};

pub(super) async fn run(ingest: Ingest, limits: Limits) -> Result<()> {
    let everything = [&ingest.persons, &ingest.groups, &ingest.files];
    if everything
        .into_iter()
        .flatten()
        .filter(|path| is_standard_input(path))
        .count()
        > 1
    {
        return Err(Failure::invalid(
            "-",
            "standard input can be read only once; give files for the others",
        ));
    }
    let load = Load {
        persons: sources(&ingest.persons)?,
        groups: sources(&ingest.groups)?,
        sources: sources(&ingest.files)?,
        format: ingest.format.into(),
        received_at: ingest.received_at,
        columns: columns(ingest.names)?,
        default_group_type: ingest.default_group_type,
        memory: limits.memory_limit,
    };
    let engine = engine(limits)
        .open_or_create(&ingest.store, Settings::default())
        .await?;
    let report = engine.ingest_with(load, Arc::new(Bar::new())).await?;
    match ingest.report {
        ReportFormat::Json => write(&json(
            &serde_json::to_value(&report).map_err(Failure::internal)?,
        )),
        ReportFormat::Text => {
            tell(summary(&report).trim_end());
            Ok(())
        }
    }
}

fn sources(paths: &[PathBuf]) -> Result<Vec<Source>> {
    paths.iter().map(|path| source(path)).collect()
}

/// A file is only named here, so that its size does not matter; a missing one is told before anything is made.
fn source(path: &Path) -> Result<Source> {
    if is_standard_input(path) {
        return Ok(Source::Bytes {
            name: "standard input".into(),
            data: bytes(path)?.into(),
        });
    }
    path.metadata()
        .map_err(|error| Failure::io(&path.display().to_string(), &error))?;
    Ok(Source::Path(path.to_owned()))
}

/// The report in words: the counts, then all that was refused or left out.
fn summary(report: &LoadReport) -> String {
    let count = |number: u64| figure(number as f64);
    let (events, groups, persons) = (&report.events, &report.groups, &report.persons);
    let mut out = format!(
        "events: {} read, {} stored, {} duplicates, {} rejected\ngroups: {} created, {} updated\npersons: {} created, {} merged\n",
        count(events.read),
        count(events.stored),
        count(events.duplicates),
        count(events.rejected),
        count(groups.created),
        count(groups.updated),
        count(persons.created),
        count(persons.merged),
    );
    out += &remarks(report);
    out
}

/// All that was refused or left out, in words.
pub(super) fn remarks(report: &LoadReport) -> String {
    let count = |number: u64| figure(number as f64);
    let mut out = String::new();
    for line in &report.rejected {
        out += &format!(
            "rejected: {} line {}: {}\n",
            clean(&line.file),
            line.line,
            clean(&line.message)
        );
    }
    let unnamed = report
        .events
        .rejected
        .saturating_sub(report.rejected.len() as u64);
    if unnamed > 0 {
        out += &format!("rejected: {} more\n", count(unnamed));
    }
    for warning in &report.warnings {
        out += &format!(
            "warning: {} ({} times), first: {}\n",
            warning.code,
            count(warning.count),
            clean(&warning.first)
        );
    }
    out
}
