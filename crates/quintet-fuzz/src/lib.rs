//! Hostile inputs for tests: seeds out of `testdata/fuzz/<target>/`, changed a little or a lot, the same ones in every run.
//!
//! An input whose outcome (the value that the check returns) nobody has seen yet becomes a seed itself, so that inputs find their
//! way deeper than chance alone would. There is no instrumentation: it runs on the stable toolchain, within `cargo test`.
//!
//! `QUINTET_FUZZ_MINUTES=10` goes on for as long, from another start each time unless `QUINTET_FUZZ_SEED` names one.
#![allow(clippy::panic, clippy::expect_used, reason = "part of tests alone")]

mod mutate;
mod noise;

use std::any::Any;
use std::collections::HashSet;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use mutate::Mutations;
pub use noise::Noise;

/// No input is longer, or the fuzzer would spend its time on length.
const LONGEST: usize = 1 << 16;
/// Seeds that are kept of those that were found on the way.
const FOUND: usize = 4096;
/// Nothing that is asked of one input takes as long on any machine; looked at in the long form only.
const HANGS: Duration = Duration::from_secs(60);

/// Something that takes bytes from strangers.
pub struct Target {
    name: &'static str,
    seeds: Vec<Vec<u8>>,
    inputs: u64,
}

impl Target {
    /// A target with the seeds of its folder, if it has one.
    ///
    /// # Panics
    /// If they cannot be read.
    pub fn new(name: &'static str) -> Self {
        let folder = corpus().join(name);
        let entries = fs::read_dir(&folder).into_iter().flatten();
        let mut paths: Vec<PathBuf> = entries
            .map(|entry| entry.expect("an entry").path())
            .collect();
        paths.sort();
        let seeds: Vec<Vec<u8>> = paths
            .iter()
            .map(|path| fs::read(path).expect("a seed"))
            .collect();
        Self {
            name,
            seeds,
            inputs: 2000,
        }
    }

    /// Seeds that lie elsewhere, or that the test has made.
    #[must_use]
    pub fn with_seeds(mut self, seeds: impl IntoIterator<Item = Vec<u8>>) -> Self {
        self.seeds.extend(seeds);
        self
    }

    /// How many inputs are tried in the short form; 2000 unless set.
    #[must_use]
    pub fn with_inputs(mut self, inputs: u64) -> Self {
        self.inputs = inputs;
        self
    }

    /// Checks every seed, and then what becomes of them. The check panics where something is wrong, and returns what came of
    /// the input otherwise.
    ///
    /// # Panics
    /// With the check, after the input was written beside the build (`fuzz-found/`).
    pub fn run<T: Hash>(self, mut check: impl FnMut(&[u8]) -> T) {
        assert!(!self.seeds.is_empty(), "{} has no seeds", self.name);
        let minutes: Option<f64> = setting("QUINTET_FUZZ_MINUTES");
        let start = setting("QUINTET_FUZZ_SEED").unwrap_or(match minutes {
            Some(_) => clock(),
            None => 1,
        });
        let begun = Instant::now();
        let ends = minutes.map(|minutes| Duration::from_secs_f64(minutes * 60.0));
        let mut noise = Noise::new(start);
        let mut outcomes = HashSet::new();
        let mut mutations = Mutations::of(&self.seeds);
        let mut seeds = self.seeds;
        let own = seeds.len();
        for seed in &seeds {
            outcomes.insert(checked(self.name, seed, &mut check));
        }
        let mut tried = 0u64;
        loop {
            let is_over = match ends {
                Some(ends) => tried.is_multiple_of(64) && begun.elapsed() >= ends,
                None => tried >= self.inputs,
            };
            if is_over {
                break;
            }
            let seed = noise.pick(&seeds).cloned().unwrap_or_default();
            let mut input = mutations.change(&seed, &seeds, &mut noise);
            input.truncate(LONGEST);
            let asked = Instant::now();
            if outcomes.insert(checked(self.name, &input, &mut check)) {
                mutations.learn(&input);
                if seeds.len() < own + FOUND {
                    seeds.push(input.clone());
                } else {
                    let at = own + noise.below(FOUND);
                    seeds[at].clone_from(&input);
                }
            }
            if ends.is_some() && asked.elapsed() > HANGS {
                let kept = keep(self.name, &input);
                panic!("{}: an input takes too long: {kept}", self.name);
            }
            tried += 1;
        }
        println!(
            "{}: {tried} inputs from seed {start} in {:.0} s, {} outcomes, {own} seeds",
            self.name,
            begun.elapsed().as_secs_f64(),
            outcomes.len(),
        );
    }
}

/// The hash of what came of an input.
fn checked<T: Hash>(name: &str, input: &[u8], check: &mut impl FnMut(&[u8]) -> T) -> u64 {
    // An overflowing stack ends the process: only what was written before tells by what.
    if std::env::var_os("QUINTET_FUZZ_TRACE").is_some() {
        let _ = fs::create_dir_all(found());
        let _ = fs::write(found().join(format!("{name}-last")), input);
    }
    match catch_unwind(AssertUnwindSafe(|| check(input))) {
        Ok(outcome) => hash(&outcome),
        Err(cause) => {
            eprintln!("{name}: {} ({})", said(cause.as_ref()), keep(name, input));
            resume_unwind(cause)
        }
    }
}

fn said(cause: &(dyn Any + Send)) -> &str {
    let text = cause.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| cause.downcast_ref::<&str>().copied())
        .unwrap_or("a panic")
}

/// Writes an input that failed, and says where.
fn keep(name: &str, input: &[u8]) -> String {
    let path = found().join(format!("{name}-{:016x}", hash(input)));
    let kept = fs::create_dir_all(found()).and_then(|()| fs::write(&path, input));
    match kept {
        Ok(()) => format!("the input is {}", path.display()),
        Err(error) => format!("the input could not be kept: {error}"),
    }
}

fn hash(value: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// Where the seeds are.
pub fn corpus() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../testdata/fuzz")
}

fn found() -> PathBuf {
    std::env::temp_dir().join("quintet-fuzz-found")
}

fn setting<T: std::str::FromStr>(name: &str) -> Option<T> {
    std::env::var(name).ok()?.parse().ok()
}

fn clock() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(1, |since| since.as_micros() as u64)
}

/// A message without the parts that differ from input to input: what is quoted, and numbers. Many inputs fail in the same way.
pub fn skeleton(message: &str) -> String {
    let mut kept = String::new();
    let mut quote = None;
    for letter in message.chars() {
        match quote {
            Some(end) if letter == end => quote = None,
            Some(_) => {}
            None if matches!(letter, '"' | '`' | '\'') => quote = Some(letter),
            None if letter.is_ascii_digit() || letter.is_control() => {}
            None => kept.push(letter),
        }
    }
    kept.truncate(kept.floor_char_boundary(160));
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_told_by_what_stays_the_same() {
        let one = skeleton("line 3: `a \"b` is no number");
        assert_eq!(one, skeleton("line 12: `zz` is no number"));
        assert_ne!(one, skeleton("line 12: `zz` is no text"));
    }

    #[test]
    fn the_same_start_gives_the_same_inputs() {
        let inputs = || {
            let mut noise = Noise::new(5);
            let seeds = vec![br#"{"event":"a","n":12}"#.to_vec()];
            let mut mutations = Mutations::of(&seeds);
            let change = |_| mutations.change(&seeds[0], &seeds, &mut noise);
            (0..100).map(change).collect::<Vec<_>>()
        };
        assert_eq!(inputs(), inputs());
    }
}
