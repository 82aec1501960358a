//! Dependencies point one way.

use std::process::Command;

use serde_json::Value;

/// What each crate may use of ours.
const ALLOWED: [(&str, &[&str]); 8] = [
    ("quintet-fuzz", &[]),
    ("quintet-query", &["quintet-fuzz"]),
    ("quintet-behavior", &["quintet-fuzz"]),
    ("quintet-functions", &["quintet-behavior"]),
    ("quintet-store", &["quintet-fuzz"]),
    (
        "quintet",
        &[
            "quintet-behavior",
            "quintet-functions",
            "quintet-fuzz",
            "quintet-query",
            "quintet-store",
        ],
    ),
    ("quintet-cli", &["quintet"]),
    ("quintet-benches", &["quintet"]),
];
/// Crates that must stay free of any engine.
const PURE: [&str; 2] = ["quintet-query", "quintet-behavior"];

fn packages() -> Vec<Value> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo metadata");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("metadata");
    metadata["packages"].as_array().expect("packages").clone()
}

fn uses(package: &Value) -> Vec<&str> {
    let dependencies = package["dependencies"].as_array().expect("dependencies");
    dependencies
        .iter()
        .filter_map(|d| d["name"].as_str())
        .collect()
}

#[test]
fn crates_use_only_what_lies_below_them() {
    let packages = packages();
    assert_eq!(
        packages.len(),
        ALLOWED.len(),
        "a new crate needs its line in ALLOWED"
    );
    for package in &packages {
        let name = package["name"].as_str().expect("name");
        let (_, allowed) = ALLOWED
            .iter()
            .find(|(known, _)| *known == name)
            .unwrap_or_else(|| panic!("{name} is not in ALLOWED"));
        for used in uses(package)
            .into_iter()
            .filter(|used| used.starts_with("quintet"))
        {
            assert!(allowed.contains(&used), "{name} must not use {used}");
        }
    }
}

#[test]
fn the_pure_crates_know_no_engine() {
    for package in packages() {
        if PURE.contains(&package["name"].as_str().unwrap_or_default()) {
            for used in uses(&package) {
                let engine = ["arrow", "parquet", "datafusion", "object_store"]
                    .iter()
                    .any(|engine| used.starts_with(engine));
                assert!(!engine, "{} must not use {used}", package["name"]);
            }
        }
    }
}
