//! Staged events made by hand, for tests.

use uuid::Uuid;

use crate::ingest::StagedEvents;

/// Events of one actor with these names and timestamps.
pub(crate) fn staged(rows: &[(&str, i64)]) -> StagedEvents {
    let mut staged = StagedEvents::default();
    for (name, timestamp) in rows {
        push(&mut staged, name, *timestamp, "{}");
    }
    staged
}

/// Events of one actor with these properties.
pub(crate) fn staged_with(properties: &[&str]) -> StagedEvents {
    let mut staged = StagedEvents::default();
    for text in properties {
        push(&mut staged, "event", 0, text);
    }
    staged
}

fn push(staged: &mut StagedEvents, name: &str, timestamp: i64, properties: &str) {
    staged.uuids.push(Uuid::from_u128(staged.len() as u128));
    staged.uuid_given.push(true);
    staged.events.push(staged.names.intern(name));
    staged.distinct_ids.push(staged.ids.intern("someone"));
    staged.timestamps.push(timestamp);
    staged.received.push(0);
    staged.properties.push(properties);
    staged.typed.push_none();
    staged.persons.push(1);
    for refs in &mut staged.groups {
        refs.push(0);
    }
}
