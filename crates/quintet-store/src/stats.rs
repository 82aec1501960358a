//! What is in a store, as far as the log and the entity tables tell.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat};
use serde::Serialize;

use crate::entities::Group;
use crate::error::Result;
use crate::log::WeekStart;
use crate::schema::Promoted;
use crate::snapshot::Snapshot;

/// Figures of one version of a store.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Stats {
    /// Number of the last commit.
    pub version: u64,
    /// IANA name of the time zone.
    pub timezone: String,
    /// The day on which weeks start.
    pub week_start: WeekStart,
    /// Live files of all tables.
    pub files: usize,
    /// Bytes of all live files.
    pub bytes: u64,
    /// Stored events.
    pub rows: u64,
    /// Instant of the earliest event, RFC 3339 UTC.
    pub first_timestamp: Option<String>,
    /// Instant of the latest event, RFC 3339 UTC.
    pub last_timestamp: Option<String>,
    /// Rows by event name; absent if some file has too many names to be counted in the log.
    pub events: Option<BTreeMap<String, u64>>,
    /// Live persons with a profile.
    pub persons: usize,
    /// Their distinct ids.
    pub distinct_ids: usize,
    /// The group types, by index.
    pub groups: Vec<GroupTypeStats>,
    /// Properties with a typed column in every file.
    pub promoted: Vec<Promoted>,
    /// Sources loaded so far.
    pub loads: usize,
}

/// Figures of a group type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GroupTypeStats {
    /// The name that events use.
    pub group_type: String,
    /// 0 to 4.
    pub index: u8,
    /// Keys that events or declarations have named.
    pub seen: usize,
    /// Groups with properties of their own.
    pub declared: usize,
}

impl Snapshot {
    /// Counts what is in the store, without reading an event.
    ///
    /// # Errors
    /// Those of [`Snapshot::entities`].
    pub async fn stats(&self) -> Result<Stats> {
        let entities = self.entities().await?;
        let events = || self.events_files().filter_map(|file| file.events.as_ref());
        let groups = self
            .group_types()
            .iter()
            .map(|known| {
                let groups = || {
                    let groups = &entities.state().groups;
                    groups
                        .iter(usize::from(known.index))
                        .map(|(_, group)| group)
                };
                let is_seen = |group: &&Group| !group.is_former && !group.key.is_empty();
                GroupTypeStats {
                    group_type: known.name.clone(),
                    index: known.index,
                    seen: groups().filter(is_seen).count(),
                    declared: groups().filter(|group| group.properties.is_some()).count(),
                }
            })
            .collect();
        let names = events().try_fold(BTreeMap::new(), |mut sum: BTreeMap<String, u64>, file| {
            for (name, rows) in file.names.as_ref()? {
                *sum.entry(name.clone()).or_default() += rows;
            }
            Some(sum)
        });
        Ok(Stats {
            version: self.version(),
            timezone: self.timezone().to_owned(),
            week_start: self.week_start(),
            files: self.log().all_files().len(),
            bytes: self.log().all_files().iter().map(|file| file.size).sum(),
            rows: self.events_files().map(|file| file.rows).sum(),
            first_timestamp: events()
                .map(|file| file.min_timestamp)
                .min()
                .and_then(instant),
            last_timestamp: events()
                .map(|file| file.max_timestamp)
                .max()
                .and_then(instant),
            events: names,
            persons: entities.persons()?.num_rows(),
            distinct_ids: entities.person_distinct_ids()?.num_rows(),
            groups,
            promoted: self.promoted(),
            loads: self.log().loads(),
        })
    }
}

fn instant(micros: i64) -> Option<String> {
    Some(DateTime::from_timestamp_micros(micros)?.to_rfc3339_opts(SecondsFormat::AutoSi, true))
}
