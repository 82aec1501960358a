//! Running the built program in a folder of its own.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

/// A folder with a store, removed at the end.
pub(crate) struct Place {
    folder: tempfile::TempDir,
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// A place whose store holds the events of [`events`].
    pub(crate) fn with_events() -> Self {
        let place = Self::new();
        place.done(&[
            "init",
            "store",
            "--group-type",
            "project",
            "--group-type",
            "company",
        ]);
        place.file("events.jsonl", events());
        place.done(&["ingest", "store", "events.jsonl"]);
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), content).unwrap();
    }

    /// Writes a definition to `insight.json`.
    pub(crate) fn insight(&self, definition: &Value) {
        self.file("insight.json", definition.to_string());
    }

    pub(crate) fn run(&self, words: &[&str]) -> Ended {
        self.run_with(words, b"")
    }

    /// Runs a command with something on its standard input.
    pub(crate) fn run_with(&self, words: &[&str], input: &[u8]) -> Ended {
        let mut child = self.command(words).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let _ = stdin.write_all(input); // a command that refuses early does not read it
        drop(stdin);
        Ended::of(child.wait_with_output().unwrap())
    }

    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_quintet"));
        command
            .args(words)
            .current_dir(self.folder.path())
            .env_remove("COLUMNS")
            .env_remove("NO_COLOR");
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs a command that must succeed, and gives its standard output.
    pub(crate) fn done(&self, words: &[&str]) -> String {
        let ended = self.run(words);
        assert_eq!(ended.status, 0, "{words:?}: {ended:?}");
        ended.stdout
    }

    /// The JSON that a command prints.
    pub(crate) fn json(&self, words: &[&str]) -> Value {
        serde_json::from_str(&self.done(words)).unwrap()
    }
}

impl Ended {
    fn of(output: Output) -> Self {
        let ended = Self {
            status: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        };
        assert!(!ended.stderr.contains("panicked"), "{ended:?}");
        ended
    }

    /// Asserts that the command was refused with one sentence that has all of `words`.
    pub(crate) fn refused(&self, status: i32, words: &[&str]) {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.stderr.trim_end().lines().count(), 1, "{self:?}");
        assert_eq!(self.stdout, "", "{self:?}");
        for word in words {
            assert!(self.stderr.contains(word), "`{word}` is missing: {self:?}");
        }
    }
}

/// Seven payments in three months: by three people, in two companies and two projects.
pub(crate) fn events() -> String {
    let event = |day: &str, person: &str, company: &str, amount: i64, number: u32| {
        json!({
            "uuid": format!("00000000-0000-4000-8000-0000000000{number:02}"), "event": "paid", "distinct_id": person,
            "timestamp": format!("2024-{day}T12:00:00Z"),
            "properties": {"amount": amount, "plan": if amount > 10 { "pro" } else { "basic" }, "$groups": {"project": "p", "company": company}}
        })
    };
    let all = [
        event("01-10", "ann", "acme", 10, 1),
        event("01-11", "ben", "acme", 10, 2),
        event("01-12", "cem", "bolt", 20, 3),
        event("02-10", "ann", "acme", 10, 4),
        event("03-01", "ann", "acme", 30, 5),
        event("03-02", "cem", "bolt", 20, 6),
        event("03-03", "cem", "bolt", 20, 7),
    ];
    all.iter().map(|event| format!("{event}\n")).collect()
}

/// Payments by month of the first quarter, counted in the way of `math`.
pub(crate) fn by_month(math: Value) -> Value {
    let mut series = json!({"kind": "EventsNode", "event": "paid"});
    series
        .as_object_mut()
        .unwrap()
        .extend(math.as_object().unwrap().clone());
    json!({
        "kind": "TrendsQuery", "series": [series], "interval": "month",
        "dateRange": {"date_from": "2024-01-01", "date_to": "2024-03-31"}
    })
}
