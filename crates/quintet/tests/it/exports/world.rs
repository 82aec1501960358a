//! A small B2B product, told twice: by what its clients send, and by what PostHog would export of it.
//!
//! People look around before they sign up, belong to companies, and work on projects. The same every time.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

/// 2024-01-01 in microseconds.
const START: i64 = 1_704_067_200_000_000;
const MINUTE: i64 = 60_000_000;
const DAY: i64 = 24 * 60 * MINUTE;

/// Companies with their plan and number of employees.
const COMPANIES: [(&str, &str, u32); 20] = [
    ("acme", "pro", 120),
    ("bolt", "free", 8),
    ("cogs", "pro", 45),
    ("dyno", "enterprise", 900),
    ("echo", "free", 3),
    ("flux", "free", 15),
    ("gear", "pro", 60),
    ("hive", "enterprise", 400),
    ("iris", "free", 12),
    ("jade", "pro", 70),
    ("kiwi", "free", 4),
    ("lava", "free", 22),
    ("moss", "pro", 33),
    ("nova", "enterprise", 650),
    ("opal", "free", 9),
    ("pine", "free", 18),
    ("quay", "pro", 95),
    ("reef", "free", 6),
    ("sage", "free", 27),
    ("tide", "pro", 51),
];

/// What a client sends.
#[derive(Clone)]
pub(crate) struct Message {
    pub(crate) event: String,
    pub(crate) distinct_id: String,
    pub(crate) at: i64,
    pub(crate) properties: Map<String, Value>,
}

/// A row of PostHog's events model.
#[derive(Clone)]
pub(crate) struct Row {
    pub(crate) uuid: String,
    pub(crate) event: String,
    pub(crate) properties: Value,
    pub(crate) distinct_id: String,
    pub(crate) person_id: String,
    pub(crate) person_properties: Value,
    pub(crate) at: i64,
    pub(crate) inserted_at: i64,
}

/// A row of PostHog's persons model.
#[derive(Clone)]
pub(crate) struct PersonRow {
    pub(crate) distinct_id: String,
    pub(crate) person_id: String,
    pub(crate) properties: Value,
    pub(crate) created_at: i64,
    pub(crate) version: i64,
}

/// What happened.
pub(crate) struct World {
    pub(crate) messages: Vec<Message>,
    pub(crate) events: Vec<Row>,
    pub(crate) persons: Vec<PersonRow>,
}

/// Numbers that look random and are not.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (self.0 >> 33) % end
    }
}

impl World {
    /// The product's first quarter with about so many people.
    pub(crate) fn new(people: u64) -> Self {
        let mut messages = beginnings();
        let mut dice = Dice(7);
        for person in 0..people {
            lead_a_life(person, &mut dice, &mut messages);
        }
        messages.sort_by_key(|message| message.at);
        let mut posthog = PostHog::default();
        let events = (1..)
            .zip(&messages)
            .map(|(n, message)| posthog.receive(n, message));
        Self {
            events: events.collect(),
            persons: posthog.persons(),
            messages,
        }
    }

    /// What clients sent, as JSON lines of capture messages.
    pub(crate) fn captured(&self) -> String {
        let line = |(row, message): (&Row, &Message)| {
            json!({"uuid": row.uuid, "event": message.event, "distinct_id": message.distinct_id,
                   "timestamp": text(message.at), "properties": message.properties})
        };
        let lines = self.events.iter().zip(&self.messages).map(line);
        lines.map(|line| format!("{line}\n")).collect()
    }
}

/// A time as PostHog's JSON lines have it.
pub(crate) fn text(at: i64) -> String {
    let at = chrono::DateTime::from_timestamp_micros(at).expect("a time");
    at.format("%Y-%m-%d %H:%M:%S%.6f").to_string()
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

/// Companies are told of at the beginning, and change later.
fn beginnings() -> Vec<Message> {
    let mut messages = Vec::new();
    let mut tell = |event: &str, at: i64, properties: Value| {
        messages.push(Message {
            event: event.into(),
            distinct_id: "backend".into(),
            at,
            properties: object(properties),
        });
    };
    for (n, (key, plan, employees)) in (0..).zip(COMPANIES) {
        let set = json!({"name": format!("{}{} Inc.", key[..1].to_uppercase(), &key[1..]), "plan": plan,
            "employees": employees, "note": "temporary"});
        let properties = json!({"$group_type": "company", "$group_key": key, "$group_set": set});
        tell("$groupidentify", START + n * MINUTE, properties);
    }
    let upgrade =
        json!({"$group_type": "company", "$group_key": "bolt", "$group_set": {"plan": "pro"}});
    tell("$groupidentify", START + 40 * DAY, upgrade);
    let forget = json!({"$group_type": "company", "$group_key": "acme", "$group_unset": ["note"]});
    tell("$delete_group_property", START + 41 * DAY, forget);
    let project =
        json!({"$group_type": "project", "$group_key": "p1", "$group_set": {"name": "Rocket"}});
    tell("$groupidentify", START + 42 * DAY, project);
    messages
}

fn lead_a_life(person: u64, dice: &mut Dice, messages: &mut Vec<Message>) {
    // Some companies have many people, some few.
    let company = COMPANIES[dice.below(20).min(dice.below(20)) as usize].0;
    let (anonymous, name) = (format!("anon-{person}"), format!("user-{person}"));
    let mut at = START + DAY + dice.below(50 * 1440) as i64 * MINUTE;
    let mut tell = |event: &str, distinct_id: &str, at: i64, properties: Value| {
        messages.push(Message {
            event: event.into(),
            distinct_id: distinct_id.into(),
            at,
            properties: object(properties),
        });
    };
    let page = |path: &str| json!({"$current_url": format!("https://app.example.com{path}"), "$browser": "Firefox"});
    tell("$pageview", &anonymous, at, page("/"));
    if person.is_multiple_of(7) {
        let mut quiet = page("/pricing");
        quiet["$process_person_profile"] = false.into();
        quiet["$groups"] = json!({"company": company});
        tell("$pageview", &format!("ghost-{person}"), at, quiet);
    }
    if dice.below(5) == 0 {
        return;
    }
    at += MINUTE * (1 + dice.below(30) as i64);
    let role = ["dev", "sales", "admin"][dice.below(3) as usize];
    let identity = json!({"$anon_distinct_id": anonymous, "$set": {"email": format!("{name}@{company}.example"), "role": role},
        "$set_once": {"initial_path": "/"}});
    tell("$identify", &name, at, identity);
    tell(
        "signed_up",
        &name,
        at + MINUTE,
        json!({"$groups": {"company": company}, "method": "password"}),
    );
    let days = 1 + dice.below(30);
    for day in 1..=days {
        let at = at + day as i64 * DAY + dice.below(600) as i64 * MINUTE;
        if dice.below(3) == 0 {
            continue;
        }
        let project = format!("p{}", 1 + dice.below(5));
        let groups = json!({"company": company, "project": project});
        let kind = ["chart", "table"][dice.below(2) as usize];
        let report = json!({"$groups": groups, "rows": 10 * dice.below(50), "kind": kind});
        tell("report_created", &name, at, report);
        if dice.below(6) == 0 {
            let paid =
                json!({"$groups": {"company": company}, "amount": 9.5 + dice.below(90) as f64});
            tell("paid", &name, at + 5 * MINUTE, paid);
        }
        if day == 9 {
            let promoted = json!({"$set": {"role": "admin"}, "$unset": ["initial_path"]});
            tell("$set", &name, at + 6 * MINUTE, promoted);
        }
    }
}

/// As much of PostHog as exports show.
#[derive(Default)]
struct PostHog {
    types: Vec<String>,
    owners: HashMap<String, usize>,
    persons: Vec<Person>,
    /// Distinct ids of persons in the order of first sight.
    seen: Vec<String>,
}

struct Person {
    id: String,
    properties: Map<String, Value>,
    created_at: i64,
    version: i64,
}

impl PostHog {
    fn receive(&mut self, n: u64, message: &Message) -> Row {
        let mut properties = message.properties.clone();
        let personless = properties.get("$process_person_profile") == Some(&json!(false));
        let uuid = format!("018d0000-0000-7000-8000-{n:012x}");
        if !personless {
            for (name, key) in object(properties.get("$groups").cloned().unwrap_or_default()) {
                let index = self.index(&name);
                properties.insert(format!("$group_{index}"), key);
            }
            if let Some(name) = properties.get("$group_type").and_then(Value::as_str) {
                self.index(name);
            }
        }
        let (person_id, person_properties) = match personless {
            true => (format!("00000000-0000-4000-9000-{n:012x}"), Map::new()),
            false => self.person(message, &uuid),
        };
        Row {
            uuid,
            event: message.event.clone(),
            properties: Value::Object(properties),
            distinct_id: message.distinct_id.clone(),
            person_id,
            person_properties: Value::Object(person_properties),
            at: message.at,
            inserted_at: message.at + MINUTE,
        }
    }

    fn index(&mut self, name: &str) -> usize {
        let known = self.types.iter().position(|known| known == name);
        known.unwrap_or_else(|| {
            self.types.push(name.to_owned());
            self.types.len() - 1
        })
    }

    fn person(&mut self, message: &Message, uuid: &str) -> (String, Map<String, Value>) {
        let properties = &message.properties;
        let owner = self.owner(&message.distinct_id, message.at, uuid);
        if let Some(other) = properties.get("$anon_distinct_id").and_then(Value::as_str) {
            let other = other.to_owned();
            let source = self.owner(&other, message.at, uuid);
            self.join(source, owner);
        }
        let person = &mut self.persons[owner];
        let part = |key: &str| object(properties.get(key).cloned().unwrap_or_default());
        if message.event != "$groupidentify" {
            for (key, value) in part("$set_once") {
                person.properties.entry(key).or_insert(value);
            }
            person.properties.extend(part("$set"));
            for key in properties
                .get("$unset")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
            {
                person.properties.shift_remove(key.as_str().expect("a key"));
            }
        }
        person.version += 1;
        (person.id.clone(), person.properties.clone())
    }

    fn owner(&mut self, distinct_id: &str, at: i64, uuid: &str) -> usize {
        if let Some(owner) = self.owners.get(distinct_id) {
            return *owner;
        }
        let number = self.persons.len();
        self.persons.push(Person {
            id: format!("00000000-0000-4000-8000-{:012x}", number + 1),
            properties: object(json!({"$creator_event_uuid": uuid})),
            created_at: at,
            version: 0,
        });
        self.owners.insert(distinct_id.to_owned(), number);
        self.seen.push(distinct_id.to_owned());
        number
    }

    fn join(&mut self, source: usize, target: usize) {
        let (properties, created_at) = (
            self.persons[source].properties.clone(),
            self.persons[source].created_at,
        );
        let target_person = &mut self.persons[target];
        for (key, value) in properties {
            target_person.properties.entry(key).or_insert(value);
        }
        target_person.created_at = target_person.created_at.min(created_at);
        for owner in self.owners.values_mut() {
            if *owner == source {
                *owner = target;
            }
        }
    }

    fn persons(&self) -> Vec<PersonRow> {
        let row = |distinct_id: &String| {
            let person = &self.persons[self.owners[distinct_id]];
            PersonRow {
                distinct_id: distinct_id.clone(),
                person_id: person.id.clone(),
                properties: Value::Object(person.properties.clone()),
                created_at: person.created_at,
                version: person.version,
            }
        };
        self.seen.iter().map(row).collect()
    }
}
