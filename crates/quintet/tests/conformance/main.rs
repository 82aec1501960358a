//! Every conformance case as named tests: as it is, with actors by their real keys, and from plan bytes.
//!
//! Cases that cannot pass yet are listed in `testdata/conformance/pending.txt`; one that passes fails the run until it is taken
//! off the list, so that the list only shrinks. `QUINTET_PENDING=write` writes the list anew from what fails.
#![allow(clippy::expect_used, reason = "a broken harness should stop")]

mod case;
mod compare;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, LazyLock, Mutex};

use libtest_mimic::{Arguments, Trial};
use quintet::{ActorKeys, EngineBuilder, Transport};
use tokio::runtime::Runtime;
use tokio::sync::OnceCell;

use case::Case;

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("a runtime"));

/// The ways in which every case is asked.
const WAYS: [&str; 3] = ["", " by keys", " from bytes"];

fn builder(way: &str) -> EngineBuilder {
    // Few rows: more partitions would only cost.
    let builder = EngineBuilder::new().with_target_partitions(2);
    match way {
        " by keys" => builder.with_actor_keys(ActorKeys::Keys),
        " from bytes" => builder.with_transport(Transport::Bytes),
        _ => builder,
    }
}

fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/conformance");
    let list = root.join("pending.txt");
    let pending: BTreeSet<String> = std::fs::read_to_string(&list)
        .unwrap_or_default()
        .lines()
        .map(str::to_owned)
        .collect();
    let writing = std::env::var("QUINTET_PENDING").is_ok_and(|value| value == "write");
    let failing: Arc<Mutex<BTreeSet<String>>> = Arc::default();
    let mut trials = Vec::new();
    for path in cases(&root) {
        let name = name(&root, &path);
        let loaded: Arc<OnceCell<Result<Case, String>>> = Arc::default();
        let is_pending = pending.contains(&name) && !writing;
        // Of a pending case one way is enough to see that it fails.
        for way in &WAYS[..if is_pending { 1 } else { WAYS.len() }] {
            let (path, loaded, failing, case) = (
                path.clone(),
                Arc::clone(&loaded),
                Arc::clone(&failing),
                name.clone(),
            );
            trials.push(Trial::test(format!("{name}{way}"), move || {
                let result = RUNTIME.block_on(async {
                    let case = loaded.get_or_init(|| Case::load(&path)).await;
                    case.as_ref()
                        .map_err(Clone::clone)?
                        .check(builder(way))
                        .await
                });
                match result {
                    Ok(()) if is_pending => Err("it passes: take it off pending.txt".into()),
                    Err(_) if is_pending => Ok(()),
                    Ok(()) => Ok(()),
                    Err(difference) => {
                        failing.lock().expect("the list").insert(case);
                        Err(difference.into())
                    }
                }
            }));
        }
    }
    let conclusion = libtest_mimic::run(&Arguments::from_args(), trials);
    if writing {
        let lines: String = failing
            .lock()
            .expect("the list")
            .iter()
            .map(|name| format!("{name}\n"))
            .collect();
        std::fs::write(list, lines).expect("pending.txt");
    }
    conclusion.exit_code()
}

fn cases(root: &Path) -> Vec<PathBuf> {
    let entries = |folder: &Path| -> Vec<PathBuf> {
        let read = std::fs::read_dir(folder).into_iter().flatten();
        let mut paths: Vec<PathBuf> = read.filter_map(|entry| Some(entry.ok()?.path())).collect();
        paths.sort();
        paths
    };
    let areas = entries(root).into_iter().filter(|path| path.is_dir());
    areas
        .flat_map(|area| entries(&area))
        .filter(|path| path.extension().is_some_and(|e| e == "json"))
        .collect()
}

/// `area/case`.
fn name(root: &Path, path: &Path) -> String {
    path.strip_prefix(root)
        .unwrap_or(path)
        .with_extension("")
        .to_string_lossy()
        .into_owned()
}
