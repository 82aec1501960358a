//! Random histories of persons, their companies and projects: as capture messages for a store, and as plain Rust sees them.
//!
//! Persons of a company begin at one instant and all gaps are round, so that ties and near ties happen within persons and between
//! those of a company.

use std::collections::HashMap;

use chrono::DateTime;
use quintet::{Engine, Load, Settings, Source};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::random::Random;

pub(super) const PERSONS: usize = 7_000;
pub(super) const COMPANIES: usize = 3_000;
pub(super) const PROJECTS: usize = 200;

pub(super) const MILLISECOND: i64 = 1_000;
pub(super) const SECOND: i64 = 1_000 * MILLISECOND;
pub(super) const MINUTE: i64 = 60 * SECOND;
pub(super) const HOUR: i64 = 60 * MINUTE;
pub(super) const DAY: i64 = 24 * HOUR;

/// 1 March 2024.
pub(super) const START: i64 = 1_709_251_200 * SECOND;
/// Before all histories: who merged, and what is known of persons and companies.
const LONG_BEFORE: i64 = START - 60 * DAY;

/// Index order of the group types.
const GROUP_TYPES: [&str; 2] = ["project", "company"];

/// Names of events that steps ask for, of those that must not happen and of those that few steps ask for.
pub(super) const STEPS: [&str; 5] = ["visit", "sign up", "invite", "pay", "renew"];
pub(super) const EXCLUDED: &str = "complain";
pub(super) const OTHER: &str = "look";

/// An event as plain Rust sees it.
#[derive(Debug, Clone)]
pub(super) struct Event {
    pub(super) at: i64,
    pub(super) name: &'static str,
    pub(super) person: usize,
    /// The empty key is none.
    pub(super) company: Option<usize>,
    pub(super) project: Option<usize>,
    pub(super) amount: usize,
    plan: usize,
    /// The first event of its person and name.
    pub(super) is_first: bool,
}

/// What an event may say of its plan, and how that reads as a breakdown value.
const PLANS: [(&str, &str); 6] = [
    ("", ""),
    (r#""""#, ""),
    (r#""free""#, "free"),
    (r#""pro""#, "pro"),
    ("3", "3"),
    ("true", "true"),
];

impl Event {
    pub(super) fn plan(&self) -> &'static str {
        PLANS[self.plan].1
    }

    /// Another property of the event.
    pub(super) fn source(&self) -> &'static str {
        ["", "web", "app"][self.amount % 3]
    }

    /// A property of its person.
    pub(super) fn tier(&self) -> &'static str {
        tier(self.person)
    }

    /// A property of its company.
    pub(super) fn size(&self) -> &'static str {
        self.company.map_or("", size)
    }

    /// Some persons have two distinct ids, which were merged.
    fn distinct_id(&self, position: usize) -> String {
        let id = person(self.person);
        if is_merged(self.person) && position.is_multiple_of(2) {
            anonymous(&id)
        } else {
            id
        }
    }

    fn message(&self, position: usize) -> Value {
        let mut groups = json!({"project": self.project.map_or_else(String::new, |key| format!("project {key}"))});
        if let Some(key) = self.company {
            groups["company"] = company(key).into();
        }
        let mut properties = json!({"$groups": groups, "amount": self.amount});
        if let Ok(plan) = serde_json::from_str::<Value>(PLANS[self.plan].0) {
            properties["plan"] = plan;
        }
        if !self.source().is_empty() {
            properties["source"] = self.source().into();
        }
        json!({
            "uuid": format!("00000000-0000-4000-8000-{position:012}"), "event": self.name,
            "distinct_id": self.distinct_id(position), "timestamp": written(self.at), "properties": properties,
        })
    }
}

pub(super) fn person(number: usize) -> String {
    format!("person {number}")
}

pub(super) fn company(number: usize) -> String {
    format!("company {number}")
}

fn anonymous(id: &str) -> String {
    format!("{id}, unknown")
}

fn is_merged(person: usize) -> bool {
    person.is_multiple_of(10)
}

/// Of every third person nothing is known.
fn tier(person: usize) -> &'static str {
    ["", "gold", "silver"][person % 3]
}

/// Every third company has no record.
fn size(company: usize) -> &'static str {
    ["", "large", "small"][company % 3]
}

fn written(at: i64) -> String {
    let at = DateTime::from_timestamp_micros(at).expect("a time");
    at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true)
}

/// The events of all persons, in no order of time.
pub(super) fn events(seed: u64) -> Vec<Event> {
    let mut random = Random::new(seed);
    let mut events = Vec::new();
    for person in 0..PERSONS {
        let home = person % COMPANIES;
        let mut at = START + (home % 200) as i64 * HOUR;
        for _ in 0..random.below(15) {
            at += gap(&mut random);
            events.push(event(&mut random, person, home, at));
        }
    }
    mark_firsts(&mut events);
    events
}

fn gap(random: &mut Random) -> i64 {
    match random.below(20) {
        0..=4 => 0,
        5..=7 => (1 + random.below(6)) as i64 * 10 * MILLISECOND,
        8 => 50 * MILLISECOND + 1,
        9..=13 => (1 + random.below(4)) as i64 * SECOND,
        14 | 15 => MINUTE,
        16 | 17 => HOUR,
        _ => DAY,
    }
}

fn event(random: &mut Random, person: usize, home: usize, at: i64) -> Event {
    let name = match random.below(20) {
        0 | 1 => EXCLUDED,
        2 | 3 => OTHER,
        _ => random.pick(&STEPS),
    };
    let company = match random.below(10) {
        0 => None,
        1 | 2 => Some(random.below(COMPANIES)),
        _ => Some(home),
    };
    Event {
        at,
        name,
        person,
        company,
        project: (!random.one_in(4)).then(|| random.below(PROJECTS)),
        amount: random.below(100),
        plan: random.below(PLANS.len()),
        is_first: false,
    }
}

/// The earliest event of each person and name; of equally early ones that with the lowest uuid, which counts up.
fn mark_firsts(events: &mut [Event]) {
    let mut firsts: HashMap<(usize, &str), usize> = HashMap::new();
    for (position, event) in events.iter().enumerate() {
        let first = firsts.entry((event.person, event.name)).or_insert(position);
        if event.at < events[*first].at {
            *first = position;
        }
    }
    for first in firsts.into_values() {
        events[first].is_first = true;
    }
}

/// A store with these histories.
pub(super) async fn store(events: &[Event]) -> (TempDir, Engine) {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = Settings {
        group_types: GROUP_TYPES.map(str::to_owned).to_vec(),
        ..Settings::default()
    };
    let location = folder.path().to_str().expect("a path");
    let engine = Engine::create(location, settings).await.expect("a store");
    let mut messages: Vec<String> = events
        .iter()
        .enumerate()
        .map(|(position, event)| event.message(position).to_string())
        .collect();
    messages.extend(known_of_persons());
    messages.extend(known_of_companies());
    let load = Load {
        sources: vec![Source::bytes("histories", messages.join("\n"))],
        ..Load::default()
    };
    let report = engine.ingest(load).await.expect("a load");
    assert_eq!(report.events.stored as usize, messages.len(), "{report:?}");
    (folder, engine)
}

fn known_of_persons() -> impl Iterator<Item = String> {
    (0..PERSONS).filter_map(|number| {
        let id = person(number);
        let tier = tier(number);
        let mut properties = json!({"$set": {}});
        if !tier.is_empty() {
            properties["$set"]["tier"] = tier.into();
        }
        if is_merged(number) {
            properties["$anon_distinct_id"] = anonymous(&id).into();
        }
        let is_known = is_merged(number) || !tier.is_empty();
        let message = json!({"event": "$identify", "distinct_id": id, "timestamp": written(LONG_BEFORE), "properties": properties});
        is_known.then(|| message.to_string())
    })
}

fn known_of_companies() -> impl Iterator<Item = String> {
    (0..COMPANIES).filter(|key| !size(*key).is_empty()).map(|key| {
        let set = json!({"$group_type": "company", "$group_key": company(key), "$group_set": {"size": size(key)}});
        json!({"event": "$groupidentify", "distinct_id": "a clerk", "timestamp": written(LONG_BEFORE), "properties": set}).to_string()
    })
}
