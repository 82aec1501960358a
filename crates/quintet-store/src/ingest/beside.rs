//! The files of persons and groups that a load takes beside its events: JSON lines, read before the events.

use chrono::Utc;
use serde::Deserialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::input::{self, Input};
use super::json;
use super::lines::Blocks;
use super::normalise::{MAX_GROUP_KEY, UNKNOWN, clean_id, id_text};
use super::report::{LoadReport, code};
use super::source::Source;
use super::stage::count;
use super::strings::StringTable;
use super::timestamp;
use crate::entities::{ClaimRefusal, Creation, EntityState, Update};
use crate::error::{Error, Result};

/// A line of a persons file.
#[derive(Deserialize)]
struct PersonLine<'a> {
    #[serde(borrow)]
    distinct_ids: Vec<&'a RawValue>,
    #[serde(borrow, default)]
    properties: Option<&'a RawValue>,
    #[serde(borrow, default)]
    created_at: Option<&'a RawValue>,
    #[serde(default)]
    is_identified: Option<bool>,
    #[serde(default)]
    id: Option<Uuid>,
}

/// A line of a groups file.
#[derive(Deserialize)]
struct GroupLine<'a> {
    group_type: String,
    #[serde(borrow)]
    group_key: &'a RawValue,
    #[serde(borrow, default)]
    properties: Option<&'a RawValue>,
    #[serde(borrow, default)]
    created_at: Option<&'a RawValue>,
}

/// Reads a file of persons: each line makes a person or adds to one.
///
/// `received_at` is when persons without a `created_at` began; 1970, which stands for
/// an unknown time, if it is not given.
pub(crate) fn read_persons(
    source: &Source,
    received_at: Option<i64>,
    state: &mut EntityState,
    report: &mut LoadReport,
) -> Result<()> {
    each(source, report, |line, report| {
        person(line, received_at, state, report)
    })
}

/// Reads a file of groups: each line declares a group or lays properties over those of one.
///
/// `received_at` is when groups without a `created_at` began; 1970, which stands for
/// an unknown time, if it is not given.
pub(crate) fn read_groups(
    source: &Source,
    received_at: Option<i64>,
    state: &mut EntityState,
    report: &mut LoadReport,
) -> Result<()> {
    each(source, report, |line, report| {
        group(line, received_at, state, report)
    })
}

/// A unit of a file, and where it stands.
struct Line<'a> {
    place: String,
    text: &'a str,
}

fn each(
    source: &Source,
    report: &mut LoadReport,
    mut read: impl FnMut(&Line<'_>, &mut LoadReport) -> Result<(), String>,
) -> Result<()> {
    let file = source.name();
    let Input::Text(text) = input::open(source)? else {
        return Err(Error::invalid(
            file,
            "it is a Parquet file; persons and groups are read from JSON lines",
        ));
    };
    for block in Blocks::new(text) {
        let decoded = block?.decode();
        for &line in &decoded.damaged {
            report.reject(&file, line, "the line is not UTF-8 text".into());
        }
        for (number, unit) in decoded.units() {
            let place = format!("{file}:{number}");
            let done = json::check(unit)
                .and_then(|()| json::items(unit))
                .and_then(|items| {
                    items.iter().try_for_each(|text| {
                        read(
                            &Line {
                                place: place.clone(),
                                text,
                            },
                            report,
                        )
                    })
                });
            if let Err(reason) = done {
                report.reject(&file, number, reason);
            }
        }
    }
    Ok(())
}

fn person(
    line: &Line<'_>,
    received_at: Option<i64>,
    state: &mut EntityState,
    report: &mut LoadReport,
) -> Result<(), String> {
    let row: PersonLine<'_> = serde_json::from_str(line.text).map_err(|e| json::reason(&e))?;
    let properties = object(row.properties)?;
    let created_at = row.created_at.map(time).transpose()?;
    let mut distinct_ids = Vec::with_capacity(row.distinct_ids.len());
    for value in &row.distinct_ids {
        let id = id_text(value.get()).filter(|id| !id.trim().is_empty());
        let id = id.ok_or("`distinct_ids` holds a blank id")?;
        let kept = clean_id(&id).into_owned();
        if kept.len() < id.len() {
            report.warn(code::DISTINCT_ID_TRUNCATED, || {
                format!("{}: `{kept}…`", line.place)
            });
        }
        distinct_ids.push(kept);
    }
    let first = distinct_ids
        .first()
        .ok_or("`distinct_ids` is empty; a person needs at least one")?;
    let creation = Creation {
        at: created_at.or(received_at).unwrap_or(UNKNOWN),
        event: None,
        id: row.id,
    };
    let persons = &mut state.persons;
    let anchor = distinct_ids
        .iter()
        .find(|id| persons.find(id).is_some())
        .unwrap_or(first);
    let (person, created) = persons.ensure(StringTable::hash(anchor), anchor, creation);
    report.persons.created += u64::from(created);
    for id in distinct_ids.iter().filter(|id| *id != anchor) {
        report.persons.merged += u64::from(persons.unite(id, person));
    }
    let set = Some(properties);
    persons.update(
        person,
        &Update {
            set,
            ..Update::default()
        },
    );
    if row.is_identified == Some(true) {
        persons.identify(person);
    }
    if let Some(at) = created_at {
        persons.set_created_at(person, at);
    }
    if let (Some(given), Some(kept)) = (row.id, persons.get(person).map(|p| p.id))
        && given != kept
    {
        report.warn(code::PERSON_ID_IGNORED, || {
            format!(
                "{}: `{anchor}` is known as {kept} already, not as {given}",
                line.place
            )
        });
    }
    Ok(())
}

fn group(
    line: &Line<'_>,
    received_at: Option<i64>,
    state: &mut EntityState,
    report: &mut LoadReport,
) -> Result<(), String> {
    let row: GroupLine<'_> = serde_json::from_str(line.text).map_err(|e| json::reason(&e))?;
    let Some(key) = json::plain(row.group_key.get()).filter(|key| !key.is_empty()) else {
        report.warn(code::EMPTY_GROUP_KEY, || {
            format!("{}: type `{}`", line.place, row.group_type)
        });
        return Ok(());
    };
    if key.chars().count() > MAX_GROUP_KEY {
        return Err(format!(
            "`group_key` is longer than {MAX_GROUP_KEY} characters"
        ));
    }
    let properties = object(row.properties)?;
    let created_at = row.created_at.map(time).transpose()?;
    let at = created_at.or(received_at);
    let claimed_at = at.unwrap_or_else(|| Utc::now().timestamp_micros());
    match state.groups.claim(&row.group_type, claimed_at) {
        Ok(index) => {
            let at = at.unwrap_or(UNKNOWN);
            count(report, state.groups.declare(index, &key, properties, at));
            Ok(())
        }
        Err(ClaimRefusal::Limit) => {
            report.warn(code::GROUP_TYPE_LIMIT, || {
                format!("{}: type `{}`", line.place, row.group_type)
            });
            Ok(())
        }
        Err(ClaimRefusal::Name) => {
            Err("`group_type` is empty or longer than 400 characters".into())
        }
    }
}

fn object(value: Option<&RawValue>) -> Result<&str, String> {
    match value.map(RawValue::get) {
        None | Some("null") => Ok("{}"),
        Some(text) if text.starts_with('{') => Ok(text),
        Some(_) => Err("`properties` is no object".into()),
    }
}

fn time(value: &RawValue) -> Result<i64, String> {
    let text = json::plain(value.get());
    let read = text.as_deref().and_then(timestamp::parse);
    read.ok_or_else(|| format!("`created_at` is no time: {}", value.get()))
}
