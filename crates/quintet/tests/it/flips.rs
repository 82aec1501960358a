//! Bits that flip in the files of a store: `verify` finds them, and a question gets the same answer as before or is told which file is
//! damaged, but never another answer.
//!
//! `QUINTET_FLIPS=5000` flips as many (`docs/RELIABILITY.md`).

use std::fs;
use std::path::{Path, PathBuf};

use quintet::{Engine, EngineBuilder, ErrorKind};
use quintet_fuzz::Noise;
use serde_json::Value;

use crate::world;

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false if path.ends_with(".lock") => {}
            false => found.push(path),
        }
    }
    found.sort();
    found
}

async fn ask(builder: EngineBuilder, place: &str, question: &Value) -> quintet::Result<Value> {
    let engine = builder.open(place).await?;
    let answer = engine.query(&question.to_string()).await?;
    Ok(answer.results().clone())
}

/// The fast roads, and the one that spills.
fn roads() -> [EngineBuilder; 2] {
    let fast = EngineBuilder::new();
    [fast.with_cache(0), fast.with_memory_limit(256 << 20)]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flipped_bit_is_found_and_changes_no_answer() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().join("store");
    let shown = place.to_str().expect("a path").to_owned();
    {
        let engine = Engine::create(&shown, world::settings())
            .await
            .expect("a store");
        for number in 0..3 {
            world::load(&engine, number).await;
        }
    }
    let questions = world::questions();
    let mut expected = Vec::new();
    for question in &questions {
        let answer = ask(EngineBuilder::new(), &shown, question).await;
        expected.push(answer.expect("an answer"));
    }
    let asked = std::env::var("QUINTET_FLIPS").ok();
    let flips: usize = asked.and_then(|text| text.parse().ok()).unwrap_or(90);
    let files = files(&place);
    let (mut noise, mut refused) = (Noise::new(3), 0);
    for number in 0..flips {
        // Every file in turn, and in each as often its end, where the footer and our sections are.
        let file = &files[number % files.len()];
        let whole = fs::read(file).expect("a file");
        let at = match noise.once_in(2) {
            true => noise.below(whole.len()),
            false => whole.len() - 1 - noise.below(whole.len().min(4096)),
        };
        let mut flipped = whole.clone();
        flipped[at] ^= 1 << noise.below(8);
        fs::write(file, &flipped).expect("a file");
        let name = file
            .file_name()
            .and_then(|name| name.to_str())
            .expect("a name");
        let context = format!("byte {at} of {} ({} bytes)", file.display(), whole.len());
        for turn in 0..2 {
            let which = (number + turn * 5) % questions.len();
            let road = roads()[(number / questions.len() + turn) % 2];
            match ask(road, &shown, &questions[which]).await {
                Ok(answer) => {
                    assert_eq!(answer, expected[which], "{context}: {}", questions[which])
                }
                Err(error) => {
                    refused += 1;
                    assert_eq!(error.kind(), ErrorKind::Corrupt, "{context}: {error}");
                    assert!(error.to_string().contains(name), "{context}: {error}");
                }
            }
        }
        let problems = match Engine::open(&shown).await {
            // Without a log there is nothing to verify: opening says what is wrong with it.
            Err(error) => vec![error.to_string()],
            Ok(engine) => {
                let found = engine.verify().await.expect("a verification");
                found
                    .problems
                    .iter()
                    .map(|problem| problem.file.clone())
                    .collect()
            }
        };
        assert!(
            problems.iter().any(|problem| problem.contains(name)),
            "{context}: {problems:?}"
        );
        fs::write(file, &whole).expect("a file");
    }
    for (question, expected) in questions.iter().zip(&expected) {
        let answer = ask(EngineBuilder::new(), &shown, question).await;
        assert_eq!(&answer.expect("an answer"), expected);
    }
    println!(
        "{flips} bits flipped in {} files, {refused} answers refused, none wrong",
        files.len()
    );
    assert!(refused > 0);
}
