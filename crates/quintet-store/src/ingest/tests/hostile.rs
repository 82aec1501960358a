//! Sources that nobody means well with, by hand and changed at random: every line is read or refused with a sentence.

use std::io::Write as _;

use quintet_fuzz::{Target, skeleton};

use super::*;
use crate::error::Error;
use crate::ingest::{read_groups, read_persons};

fn read(data: impl Into<Bytes>, format: Format) -> (crate::error::Result<()>, Loaded) {
    let mut loaded = Loaded::default();
    let options = options(format, Some("2024-03-01T10:00:00Z"));
    let read = loaded.read_as(data, &options);
    (read, loaded.finish())
}

/// What came of a source: what was refused and warned of, and how much is staged.
fn outcome(read: crate::error::Result<()>, loaded: &Loaded) -> Vec<String> {
    let mut told = Vec::new();
    if let Err(error) = read {
        assert!(!matches!(error, Error::Internal(_)), "{error}");
        told.push(skeleton(&error.to_string()));
    }
    told.push(format!("{} refused", loaded.report.events.rejected.min(9)));
    let rows = loaded.staged.events.len();
    for row in 0..rows {
        // What is stored is JSON to every later reader.
        let text = loaded.staged.properties_of(row);
        match serde_json::from_str::<Value>(&text) {
            Ok(value) => assert!(value.is_object(), "{text}"),
            // Numbers that no float holds are JSON too; whoever asks for one finds none.
            Err(e) => assert!(
                e.to_string().starts_with("number out of range"),
                "{e}: {text}"
            ),
        }
    }
    told.extend(
        loaded
            .report
            .warnings
            .iter()
            .map(|warning| warning.code.to_string()),
    );
    told.extend(loaded.report.rejected.iter().map(|refused| {
        assert!(!refused.message.contains('\n'), "{}", refused.message);
        skeleton(&refused.message)
    }));
    told.push(format!("{} rows", rows.min(9)));
    told
}

fn fuzzed(target: &'static str, format: Format, inputs: u64) {
    Target::new(target).with_inputs(inputs).run(|input| {
        let (read, loaded) = read(input.to_vec(), format);
        outcome(read, &loaded)
    });
}

#[test]
fn any_capture_message_is_read_or_refused() {
    fuzzed("capture", Format::Auto, 1500);
}

#[test]
fn any_segment_message_is_read_or_refused() {
    fuzzed("segment", Format::Segment, 500);
}

#[test]
fn any_openpanel_message_is_read_or_refused() {
    fuzzed("openpanel", Format::OpenPanel, 500);
}

/// Lines of groups, and of persons, as they lie beside the events.
#[test]
fn any_line_of_groups_and_persons_is_read_or_refused() {
    Target::new("groups").with_inputs(1500).run(|input| {
        let (mut state, mut report) = (EntityState::default(), LoadReport::default());
        let received_at = Some(1_700_000_000_000_000);
        let source = source(input.to_vec());
        let groups = read_groups(&source, received_at, &mut state, &mut report);
        let persons = read_persons(&source, received_at, &mut state, &mut report);
        for error in [groups.err(), persons.err()].into_iter().flatten() {
            assert!(!matches!(error, Error::Internal(_)), "{error}");
        }
        let told = report
            .rejected
            .iter()
            .map(|refused| skeleton(&refused.message));
        let warned = report
            .warnings
            .iter()
            .map(|warning| warning.code.to_owned());
        told.chain(warned).collect::<Vec<_>>()
    });
}

#[test]
fn any_parquet_file_is_read_or_refused() {
    let seeds = [export(3), export(40)];
    Target::new("parquet")
        .with_seeds(seeds)
        .with_inputs(400)
        .run(|input| {
            let (read, loaded) = read(input.to_vec(), Format::Auto);
            outcome(read, &loaded)
        });
}

/// A small export with the columns of events.
fn export(rows: usize) -> Vec<u8> {
    use datafusion::arrow::array::{ArrayRef, RecordBatch, StringArray};
    use datafusion::parquet::arrow::ArrowWriter;
    let texts = |text: &dyn Fn(usize) -> String| -> ArrayRef {
        std::sync::Arc::new((0..rows).map(|n| Some(text(n))).collect::<StringArray>())
    };
    let batch = RecordBatch::try_from_iter([
        ("event", texts(&|n| format!("event {}", n % 3))),
        ("distinct_id", texts(&|n| format!("person {}", n % 5))),
        (
            "timestamp",
            texts(&|n| format!("2024-03-{:02}T10:00:00Z", 1 + n % 28)),
        ),
        (
            "properties",
            texts(&|n| format!(r#"{{"n":{n},"$groups":{{"company":"c"}}}}"#)),
        ),
    ])
    .unwrap();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.into_inner().unwrap()
}

fn event(properties: &str) -> String {
    format!(
        r#"{{"event":"e","distinct_id":"a","timestamp":"2024-03-01T09:00:00Z","properties":{properties}}}"#
    )
}

/// The only sentence by which a message is refused.
fn refused(message: &str) -> String {
    let (read, loaded) = read(message.to_owned(), Format::Auto);
    read.unwrap();
    assert_eq!(loaded.report.events.rejected, 1, "{:.200}", message);
    assert!(loaded.staged.events.is_empty());
    loaded.report.rejected[0].message.clone()
}

#[test]
fn names_that_look_like_code_are_names() {
    for name in [
        "'; DROP TABLE events; --",
        r#"\" OR 1=1"#,
        "`a`",
        "a.b",
        "$group_9",
        r"\u0000",
        r"\ud83d\ude00",
        "",
    ] {
        let message = event(&format!(
            r#"{{"{name}":"{name}","$groups":{{"{name}":"{name}"}}}}"#
        ));
        let (read, loaded) = read(message.clone(), Format::Auto);
        outcome(read, &loaded);
        assert_eq!(loaded.events(), ["e"], "{message}");
        let kept = loaded.properties(0);
        let sent: Value = serde_json::from_str(&message).unwrap();
        assert_eq!(kept, sent["properties"], "{message}");
    }
}

#[test]
fn halves_of_surrogate_pairs_and_deep_values_are_refused() {
    assert!(refused(&event(r#"{"a":"\ud800"}"#)).contains("surrogate"));
    assert!(refused(&event(r#"{"\udfff":1}"#)).contains("surrogate"));
    for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
        let deep = format!("{}1{}", open.repeat(10_000), close.repeat(10_000));
        assert!(refused(&event(&format!(r#"{{"a":{deep}}}"#))).contains("nested"));
    }
    // Without an end, and nothing but brackets.
    for text in ["[".repeat(10_000), r#"{"a":"#.repeat(10_000)] {
        let (read, loaded) = read(text, Format::Auto);
        outcome(read, &loaded);
        assert!(loaded.staged.events.is_empty());
    }
}

#[test]
fn numbers_beyond_all_numbers_are_kept_as_they_were_sent_or_refused() {
    for number in [
        "1e400",
        "-1e400",
        "1e-400",
        "123456789012345678901234567890",
        "-0",
        "0.1e1",
    ] {
        let (read, loaded) = read(event(&format!(r#"{{"n":{number}}}"#)), Format::Auto);
        read.unwrap();
        match loaded.report.events.rejected {
            0 => assert_eq!(
                loaded.staged.properties_of(0),
                format!(r#"{{"n":{number}}}"#)
            ),
            _ => assert!(!loaded.report.rejected[0].message.is_empty()),
        }
    }
    for wrong in ["NaN", "Infinity", "01", "+1", ".5", "1.", "0x10"] {
        refused(&event(&format!(r#"{{"n":{wrong}}}"#)));
    }
}

#[test]
fn years_that_no_calendar_has_are_no_times() {
    for time in [
        r#""-0001-01-01T00:00:00Z""#,
        r#""+10000-01-01T00:00:00Z""#,
        r#""10000-01-01T00:00:00Z""#,
        r#""0000-00-00T00:00:00Z""#,
        r#""2024-02-30T00:00:00Z""#,
        r#""2024-03-01T25:61:61Z""#,
        r#""2024-03-01T00:00:00+99:99""#,
        "1e400",
        "-9223372036854775808",
        "9223372036854775807",
        "18446744073709551616",
        "253402300800",
        "-62135596800",
        "{}",
        "[]",
        r#""""#,
    ] {
        let message = event("{}").replace(r#""2024-03-01T09:00:00Z""#, time);
        let (read, loaded) = read(message, Format::Auto);
        outcome(read, &loaded);
        let years = -62_135_596_800_000_000..=253_402_300_799_999_999;
        let kept = loaded.staged.timestamps.iter();
        kept.for_each(|at| assert!(years.contains(at), "{time} became {at}"));
    }
}

#[test]
fn a_line_of_many_megabytes_is_one_event_or_refused() {
    let long = "x".repeat(16 << 20);
    let (read_, loaded) = read(event(&format!(r#"{{"a":"{long}"}}"#)), Format::Auto);
    read_.unwrap();
    assert_eq!(
        loaded.events().len() as u64 + loaded.report.events.rejected,
        1
    );
    // No line, no quote, no bracket ever ends.
    for start in ["", "\"", r#"{"event":""#] {
        let (read, loaded) = read(format!("{start}{long}"), Format::Auto);
        outcome(read, &loaded);
        assert!(loaded.staged.events.is_empty());
    }
}

#[test]
fn broken_parquet_is_damage_and_named() {
    let whole = export(40);
    let mut foot = whole.clone();
    let end = foot.len();
    foot[end - 8..end - 4].copy_from_slice(&u32::MAX.to_le_bytes());
    let mut cases = vec![b"PAR1".to_vec(), b"PAR1PAR1".to_vec(), foot];
    cases.extend([8, 100, whole.len() / 2, whole.len() - 1].map(|at| whole[..at].to_vec()));
    for case in cases {
        let (read, _) = read(case.clone(), Format::Auto);
        let error = read.unwrap_err();
        let is_named = matches!(&error, Error::Corrupt { file, .. } if file == "test");
        assert!(is_named, "{} bytes: {error:?}", case.len());
    }
    let (nothing, loaded) = read(Vec::new(), Format::Auto);
    nothing.unwrap();
    assert!(loaded.events().is_empty());
}

#[test]
fn packed_text_that_is_cut_off_or_no_text_is_damage() {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer
        .write_all(event("{}").repeat(200).as_bytes())
        .unwrap();
    let packed = packer.finish().unwrap();
    let (cut, _) = read(packed[..packed.len() - 9].to_vec(), Format::Auto);
    assert!(matches!(cut, Err(Error::Corrupt { .. })), "{cut:?}");
    let (head, _) = read(b"\x1f\x8b\xff\xff\xff".to_vec(), Format::Auto);
    assert!(matches!(head, Err(Error::Corrupt { .. })), "{head:?}");
    let (zstd, _) = read(
        b"\x28\xb5\x2f\xfd\xff\xff\xff\xff\xff".to_vec(),
        Format::Auto,
    );
    assert!(matches!(zstd, Err(Error::Corrupt { .. })), "{zstd:?}");
}
