//! One module per command: arguments in, engine, answer out.

mod bench;
mod compact;
mod demo;
mod experiment;
mod flags;
mod group_types;
mod groups;
mod ingest;
mod init;
mod query;
mod sql;
mod stats;
mod vacuum;
mod verify;

use std::io::Read;
use std::path::Path;

use quintet::{Columns, Engine, EngineBuilder};

use crate::arguments::{Arguments, Command, Limits, Names};
use crate::failure::{Failure, Result};
use crate::output::tell;

/// Plans of deep filter trees recurse; the usual 2 MiB of a thread are too few for them.
const STACK: usize = 16 << 20;

/// Does what the command line says.
pub(crate) fn run(arguments: Arguments) -> Result<()> {
    let limits = arguments.limits;
    let mut threads = tokio::runtime::Builder::new_multi_thread();
    threads.thread_stack_size(STACK);
    if let Some(number) = limits.threads {
        threads.worker_threads(number.get());
    }
    let runtime = threads
        .build()
        .map_err(|error| Failure::io("starting threads", &error))?;
    let work = async move {
        match arguments.command {
            Command::Init(init) => init::run(init).await,
            Command::Ingest(ingest) => ingest::run(ingest, limits).await,
            Command::Query(query) => query::run(query, limits).await,
            Command::Experiment(asked) => experiment::run(asked, limits).await,
            Command::Sql(sql) => sql::run(sql, limits).await,
            Command::Groups(groups) => groups::run(groups, limits).await,
            Command::GroupTypes(types) => group_types::run(types, limits).await,
            Command::Flags(flags) => flags::run(flags, limits).await,
            Command::Stats(stats) => stats::run(stats, limits).await,
            Command::Compact(compact) => compact::run(compact, limits).await,
            Command::Vacuum(vacuum) => vacuum::run(vacuum, limits).await,
            Command::Verify(verify) => verify::run(verify, limits).await,
            Command::Demo(demo) => demo::run(demo, limits).await,
            Command::Bench(bench) => bench::run(bench, limits).await,
        }
    };
    let done = runtime
        .block_on(async { tokio::spawn(work).await })
        .unwrap_or_else(|error| Err(Failure::internal(&error)));
    // Of what was given up, nothing is waited for.
    runtime.shutdown_background();
    done
}

/// An engine within the limits.
fn engine(limits: Limits) -> EngineBuilder {
    let mut builder = EngineBuilder::new().with_files_in_sql(true).with_cache(0);
    if let Some(bytes) = limits.memory_limit {
        builder = builder.with_memory_limit(bytes);
    }
    if let Some(limit) = limits.time_limit {
        builder = builder.with_time_limit(limit);
    }
    if let Some(threads) = limits.threads {
        builder = builder.with_target_partitions(threads.get());
    }
    builder
}

/// What is asked: a store, or events as they lie. What had to be left out of the latter is told on standard error.
async fn open(location: &str, names: Names, limits: Limits) -> Result<Engine> {
    let opened = engine(limits)
        .open_with_columns(location, columns(names)?)
        .await?;
    let remarks = opened.opening_report().map(ingest::remarks);
    if let Some(remarks) = remarks.filter(|remarks| !remarks.is_empty()) {
        tell(remarks.trim_end());
    }
    Ok(opened)
}

fn columns(names: Names) -> Result<Columns> {
    Ok(Columns::new(names.columns).map_err(quintet::Error::from)?)
}

fn is_standard_input(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// The bytes of a file, or of standard input for `-`.
fn bytes(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if is_standard_input(path) {
        std::io::stdin()
            .lock()
            .read_to_end(&mut bytes)
            .map_err(|error| Failure::io("standard input", &error))?;
        return Ok(bytes);
    }
    std::fs::read(path).map_err(|error| Failure::io(&path.display().to_string(), &error))
}

/// The text of a file, or of standard input for `-`.
fn text(path: &Path) -> Result<String> {
    let name = if is_standard_input(path) {
        "standard input".into()
    } else {
        path.display().to_string()
    };
    String::from_utf8(bytes(path)?)
        .map_err(|_| Failure::invalid(&name, "it is no UTF-8 text; give a JSON or SQL file"))
}
