//! `quintet bench`: makes a store of generated events, or times one of the known questions over them.
//!
//! Either prints one line of JSON. That of a question is what the peers' runner reads of an engine beside it:
//! `{"times": [seconds, …], "rss_kib": peak, "result": [[…], …]}`, or `{"skip": true}` for a question that is not known here or
//! not answered in this mode. `differs` says why a result is not the peers', where PostHog means something else.

mod prepare;
mod questions;
mod rows;

use std::path::Path;
use std::time::Instant;

use quintet::{Answer, Engine, ErrorKind, QueryOptions};
use serde_json::{Value, json};

use self::questions::Question;
use super::engine;
use crate::arguments::{Bench, BenchMode, Limits};
use crate::failure::{Failure, Result};
use crate::output::write;

/// The files of the generator that are read: a column per property, and properties as JSON.
const EVENTS: &str = "events_typed.parquet";
const EVENTS_JSON: &str = "events_json.parquet";
/// What `--prepare` makes beside them.
const STORE: &str = "quintet";
/// Bytes that a process may keep which answers one question after the other.
const HOT_CACHE: usize = 1 << 30;

pub(super) async fn run(bench: Bench, limits: Limits) -> Result<()> {
    let Some(name) = &bench.query else {
        let made = prepare::run(Path::new(&bench.data), limits).await?;
        return write(&format!("{made}\n"));
    };
    let Some(question) = questions::named(name) else {
        return skip();
    };
    let asking = Asking::new(question, &bench, limits)?;
    if bench.dump_plan {
        let engine = asking.open().await?;
        let plan = engine.explain(&asking.definition, &asking.options).await?;
        return write(&format!("{}\n", plan.trim_end()));
    }
    let Some((times, answer)) = asking.timed(bench.mode, bench.runs.get()).await? else {
        return skip();
    };
    let result = (question.rows)(&answer);
    let mut line = json!({"times": times, "rss_kib": peak_memory(), "result": result});
    if let Some(why) = question.differs(bench.mode) {
        line["differs"] = json!(why);
    }
    write(&format!("{line}\n"))
}

fn skip() -> Result<()> {
    write("{\"skip\": true}\n")
}

/// A question, and what it is asked of.
struct Asking {
    definition: String,
    options: QueryOptions,
    place: String,
    limits: Limits,
    cache: usize,
}

impl Asking {
    fn new(question: &Question, bench: &Bench, limits: Limits) -> Result<Self> {
        let folder = Path::new(&bench.data);
        let place = match bench.mode {
            BenchMode::Parquet if question.reads_json => EVENTS_JSON,
            BenchMode::Parquet => EVENTS,
            BenchMode::Cold | BenchMode::Hot => STORE,
        };
        Ok(Self {
            definition: question.definition(folder, bench.mode)?,
            options: QueryOptions::default(),
            place: folder.join(place).display().to_string(),
            limits,
            cache: match bench.mode {
                BenchMode::Hot => HOT_CACHE,
                BenchMode::Cold | BenchMode::Parquet => 0,
            },
        })
    }

    async fn open(&self) -> Result<Engine> {
        let engine = engine(self.limits).with_cache(self.cache);
        Ok(engine.open(&self.place).await?)
    }

    /// The seconds of every run and the last answer; none where the engine does not do the question.
    async fn timed(&self, mode: BenchMode, runs: usize) -> Result<Option<(Vec<f64>, Answer)>> {
        let mut engine = self.open().await?;
        if mode == BenchMode::Hot && self.ask(&engine).await?.is_none() {
            return Ok(None);
        }
        let (mut times, mut last) = (Vec::new(), None);
        for run in 0..runs {
            if mode == BenchMode::Cold && run > 0 {
                engine = self.open().await?; // nothing that the last run decoded is kept
            }
            let start = Instant::now();
            let Some(answer) = self.ask(&engine).await? else {
                return Ok(None);
            };
            times.push(start.elapsed().as_secs_f64());
            last = Some(answer);
        }
        Ok(last.map(|answer| (times, answer)))
    }

    async fn ask(&self, engine: &Engine) -> Result<Option<Answer>> {
        match engine.query_with(&self.definition, &self.options).await {
            Ok(answer) => Ok(Some(answer)),
            Err(error) if error.kind() == ErrorKind::Unsupported => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

/// A JSON file of the data's folder.
fn read_json(path: &Path) -> Result<Value> {
    let shown = path.display().to_string();
    serde_json::from_str(&super::text(path)?)
        .map_err(|error| Failure::invalid(&shown, format!("it is no JSON ({error})")))
}

/// Peak resident memory of this process in KiB, where the system tells.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}
