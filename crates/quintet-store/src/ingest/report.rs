//! What a load says about itself: the counts, the refused lines and the warnings of `--report json`.

use serde::Serialize;

/// How many refused lines a report names; all are counted.
const NAMED_REJECTIONS: usize = 20;

/// The outcome of a load, serialized as the command line's `--report json`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LoadReport {
    /// Counts of events.
    pub events: EventCounts,
    /// Counts of groups.
    pub groups: GroupCounts,
    /// Counts of persons.
    pub persons: PersonCounts,
    /// The first lines that were refused; `events.rejected` counts all refused events.
    pub rejected: Vec<Rejection>,
    /// What was left out or changed, once per kind.
    pub warnings: Vec<Warning>,
}

/// Counts of events: `read = stored + duplicates + rejected`. Messages that only change persons or groups count if they are refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct EventCounts {
    /// Messages that were found.
    pub read: u64,
    /// New rows.
    pub stored: u64,
    /// Messages that the store or the load had already.
    pub duplicates: u64,
    /// Messages that were refused.
    pub rejected: u64,
}

/// Counts of groups.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct GroupCounts {
    /// Groups that had no row before.
    pub created: u64,
    /// Changes to the properties of groups that had a row.
    pub updated: u64,
}

/// Counts of persons.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PersonCounts {
    /// Persons that did not exist before.
    pub created: u64,
    /// Persons that became part of another.
    pub merged: u64,
}

/// A line that was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rejection {
    /// The file.
    pub file: String,
    /// The line (of a Parquet file: the row), counted from 1.
    pub line: u64,
    /// What is wrong with it, in one sentence.
    pub message: String,
}

/// Something that was left out or changed, with how often and where first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// What happened.
    pub code: &'static str,
    /// How often.
    pub count: u64,
    /// The first one.
    pub first: String,
}

impl LoadReport {
    /// Notes a refused line of a file.
    pub(crate) fn reject(&mut self, file: &str, line: u64, message: String) {
        if self.rejected.len() < NAMED_REJECTIONS {
            self.rejected.push(Rejection {
                file: file.to_owned(),
                line,
                message,
            });
        }
    }

    /// Notes something that was left out or changed.
    pub(crate) fn warn(&mut self, code: &'static str, first: impl FnOnce() -> String) {
        self.warn_times(code, 1, first);
    }

    /// Notes something that happened several times.
    pub(crate) fn warn_times(
        &mut self,
        code: &'static str,
        times: u64,
        first: impl FnOnce() -> String,
    ) {
        match self.warnings.iter_mut().find(|w| w.code == code) {
            Some(warning) => warning.count += times,
            None => self.warnings.push(Warning {
                code,
                count: times,
                first: first(),
            }),
        }
    }
}

/// The codes of warnings.
pub(crate) mod code {
    pub(crate) const CANNOT_MERGE_ALREADY_IDENTIFIED: &str = "cannot_merge_already_identified";
    pub(crate) const CANNOT_MERGE_ILLEGAL: &str = "cannot_merge_with_illegal_distinct_id";
    pub(crate) const COLUMN_LEFT_OUT: &str = "column_left_out";
    pub(crate) const DID_YOU_MEAN_GROUPS: &str = "did_you_mean_$groups";
    pub(crate) const DISTINCT_ID_TRUNCATED: &str = "distinct_id_truncated";
    pub(crate) const EMPTY_GROUP_KEY: &str = "empty_group_key";
    pub(crate) const EVENT_NAME_TRUNCATED: &str = "event_name_truncated";
    pub(crate) const FILE_SKIPPED: &str = "file_skipped";
    pub(crate) const GROUP_IDENTIFY_INCOMPLETE: &str = "group_identify_without_type_or_key";
    pub(crate) const GROUP_KEY_TOO_LONG: &str = "group_key_too_long";
    pub(crate) const GROUP_TYPE_CONFLICT: &str = "group_type_conflict";
    pub(crate) const GROUP_TYPE_LIMIT: &str = "group_type_limit";
    pub(crate) const INVALID_GROUPS: &str = "invalid_groups";
    pub(crate) const INVALID_GROUP_TYPE: &str = "invalid_group_type";
    pub(crate) const INVALID_PERSON_UPDATE: &str = "invalid_person_update";
    pub(crate) const PERSON_ID_IGNORED: &str = "person_id_ignored";
    pub(crate) const PERSONLESS_GROUPS: &str = "personless_event_with_groups";
    pub(crate) const PERSONLESS_REFUSED: &str =
        "invalid_event_when_process_person_profile_is_false";
    pub(crate) const PROPERTY_NOT_CHANGED: &str = "property_not_changed";
    pub(crate) const REPLAY_LEFT_OUT: &str = "replay_left_out";
    pub(crate) const SEVERAL_GROUPS: &str = "several_groups_of_one_type";
    pub(crate) const TIMESTAMP_REPLACED: &str = "timestamp_replaced";
    pub(crate) const UNKNOWN_GROUP_TYPE: &str = "unknown_group_type";
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn the_report_has_the_shape_of_the_contract() {
        let mut report = LoadReport::default();
        report.reject("a.jsonl", 3, "no event name".into());
        report.warn("group_type_limit", || "type `f`".into());
        report.warn("group_type_limit", || "type `g`".into());
        let json: serde_json::Value =
            serde_json::from_str(&serde_json::to_string(&report).unwrap()).unwrap();
        assert_eq!(
            json,
            serde_json::json!({
                "events": {"read": 0, "stored": 0, "duplicates": 0, "rejected": 0},
                "groups": {"created": 0, "updated": 0},
                "persons": {"created": 0, "merged": 0},
                "rejected": [{"file": "a.jsonl", "line": 3, "message": "no event name"}],
                "warnings": [{"code": "group_type_limit", "count": 2, "first": "type `f`"}],
            })
        );
    }

    #[test]
    fn only_the_first_twenty_refused_lines_are_named() {
        let mut report = LoadReport::default();
        for line in 1..=30 {
            report.reject("f", line, String::new());
        }
        assert_eq!(report.rejected.len(), 20);
        assert_eq!(report.rejected[19].line, 20);
    }
}
