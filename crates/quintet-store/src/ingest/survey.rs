//! What a source holds, found out from its first messages or its columns before it is read.

use datafusion::arrow::datatypes::Schema;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::columns::Columns;
use super::input::{self, Input};
use super::lines::{Block, Blocks};
use super::parquet;
use super::source::{Format, Source};
use crate::error::Result;

/// What a source holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Contents {
    /// Events, or nothing that is known.
    Events,
    /// OpenPanel messages, whose groups must be known before they are read.
    OpenPanel,
    /// PostHog's export of persons.
    Persons,
    /// PostHog's export of sessions.
    Sessions,
}

/// The keys by which messages are told apart.
#[derive(Deserialize)]
struct Keys<'a> {
    #[serde(rename = "type")]
    kind: Option<IgnoredAny>,
    payload: Option<IgnoredAny>,
    event: Option<IgnoredAny>,
    distinct_id: Option<IgnoredAny>,
    #[serde(rename = "userId")]
    user_id: Option<IgnoredAny>,
    #[serde(rename = "anonymousId")]
    anonymous_id: Option<IgnoredAny>,
    person_id: Option<IgnoredAny>,
    person_version: Option<IgnoredAny>,
    person_distinct_id_version: Option<IgnoredAny>,
    session_id: Option<IgnoredAny>,
    start_timestamp: Option<IgnoredAny>,
    #[serde(borrow)]
    batch: Option<&'a RawValue>,
}

/// What a source of this format holds.
pub(crate) fn contents(source: &Source, format: Format, columns: &Columns) -> Result<Contents> {
    match format {
        Format::OpenPanel => return Ok(Contents::OpenPanel),
        Format::PostHog | Format::Segment => return Ok(Contents::Events),
        Format::Auto | Format::Parquet => {}
    }
    match input::open(source)? {
        Input::Parquet(data) => {
            let schema = parquet::schema(&source.name(), data)?;
            Ok(of_columns(&schema, columns.theirs("event")))
        }
        Input::Text(text) => match Blocks::new(text).next().transpose()? {
            Some(block) => Ok(of_messages(&block)),
            None => Ok(Contents::Events),
        },
    }
}

/// What a table with these columns holds; `event` is what the names of events are called there.
pub(crate) fn of_columns(schema: &Schema, event: &str) -> Contents {
    let has = |name: &str| schema.field_with_name(name).is_ok();
    if has(event) {
        Contents::Events
    } else if has("distinct_id") && has("person_id") {
        Contents::Persons
    } else if has("session_id") && has("start_timestamp") {
        Contents::Sessions
    } else {
        Contents::Events
    }
}

fn of_messages(block: &Block) -> Contents {
    let of = |keys: &Keys<'_>| match format(keys) {
        Format::OpenPanel => Contents::OpenPanel,
        _ if keys.event.is_some() => Contents::Events,
        _ if keys.distinct_id.is_some()
            && keys.person_id.is_some()
            && (keys.person_version.is_some() || keys.person_distinct_id_version.is_some()) =>
        {
            Contents::Persons
        }
        _ if keys.session_id.is_some() && keys.start_timestamp.is_some() => Contents::Sessions,
        _ => Contents::Events,
    };
    let found = block
        .raw_units()
        .into_iter()
        .find_map(|unit| first(unit, &of));
    found.unwrap_or(Contents::Events)
}

/// The format of the messages in a block: PostHog's, unless the first message is plainly another's.
pub(super) fn messages(block: &Block) -> Format {
    let found = block
        .raw_units()
        .into_iter()
        .find_map(|unit| first(unit, &format));
    found.unwrap_or(Format::PostHog)
}

/// Lists and batches within each other that are looked into. Nobody sends more than a list in a batch; who sends a million of `[` must not
/// overflow the stack.
const DEEPEST: usize = 8;

/// What is to be said of a message, or of the first one of a list or a batch; nothing for what is none.
fn first<T>(text: &[u8], say: &impl Fn(&Keys<'_>) -> T) -> Option<T> {
    first_within(text, say, DEEPEST)
}

fn first_within<T>(text: &[u8], say: &impl Fn(&Keys<'_>) -> T, depth: usize) -> Option<T> {
    let depth = depth.checked_sub(1)?;
    if text.starts_with(b"[") {
        let items: Vec<&RawValue> = serde_json::from_slice(text).ok()?;
        return items
            .iter()
            .find_map(|item| first_within(item.get().as_bytes(), say, depth));
    }
    let keys: Keys<'_> = serde_json::from_slice(text).ok()?;
    match keys.batch {
        Some(batch) => first_within(batch.get().as_bytes(), say, depth),
        None => Some(say(&keys)),
    }
}

fn format(keys: &Keys<'_>) -> Format {
    let has_type = keys.kind.is_some() && keys.distinct_id.is_none();
    if has_type && keys.payload.is_some() {
        Format::OpenPanel
    } else if has_type && (keys.user_id.is_some() || keys.anonymous_id.is_some()) {
        Format::Segment
    } else {
        Format::PostHog
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_within_lists_have_an_end() {
        let deep = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        let deep_batch = r#"{"batch":"#.repeat(100_000) + "[]" + &"}".repeat(100_000);
        for text in [deep(DEEPEST + 1), deep(100_000), deep_batch] {
            assert_eq!(first(text.as_bytes(), &format), None);
        }
    }

    #[test]
    fn messages_are_told_apart_by_their_keys() {
        for (text, expected) in [
            (r#"{"event":"e","distinct_id":"u"}"#, Format::PostHog),
            (
                r#"{"type":"track","payload":{"name":"e"}}"#,
                Format::OpenPanel,
            ),
            (r#"[{"type":"track","payload":{}}]"#, Format::OpenPanel),
            (
                r#"{"type":"track","userId":"u","event":"e"}"#,
                Format::Segment,
            ),
            (
                r#"{"batch":[{"type":"page","anonymousId":"a"}]}"#,
                Format::Segment,
            ),
            (
                r#"{"batch":[{"event":"e","type":"capture"}]}"#,
                Format::PostHog,
            ),
            (
                r#"{"event":"e","distinct_id":"u","type":"x","payload":1}"#,
                Format::PostHog,
            ),
        ] {
            assert_eq!(first(text.as_bytes(), &format), Some(expected), "{text}");
        }
        assert_eq!(first(b"nonsense", &format), None);
    }
}
