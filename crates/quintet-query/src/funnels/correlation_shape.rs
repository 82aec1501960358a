//! What goes along with converting and with being lost: from counts of actors to the rows of a correlation. Pure.
//!
//! Rules: `spec/funnels-more.md` section 7.

use serde_json::{Value, json};

use crate::numbers::json_number;

/// The most rows of either kind.
const MOST_ROWS: usize = 10;
/// Above this ratio of one outcome to the other, odds say little.
const SKEWED: u64 = 10;

/// The actors of a funnel that have something in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CorrelatedRow {
    /// What: an event's name, `event::property::value` or `property::value`.
    pub name: String,
    /// How many of them converted.
    pub success: u64,
    /// How many of them did not.
    pub failure: u64,
}

/// The rows that say most, strongest first: `{"events", "skewed"}`. `successes` and `failures` are all actors of either outcome.
pub fn correlation_result(rows: Vec<CorrelatedRow>, successes: u64, failures: u64) -> Value {
    Population {
        successes,
        failures,
        significance: Significance::default(),
    }
    .result(rows)
}

/// The result for a funnel without steps.
pub fn empty_correlation() -> Value {
    json!({"events": [], "skewed": false})
}

/// How many actors a row needs: the lesser of both.
#[derive(Debug, Clone, Copy)]
struct Significance {
    actors: f64,
    /// Of all actors.
    share: f64,
}

impl Default for Significance {
    fn default() -> Self {
        Self {
            actors: 25.0,
            share: 0.02,
        }
    }
}

/// All who entered.
#[derive(Debug, Clone, Copy)]
struct Population {
    successes: u64,
    failures: u64,
    significance: Significance,
}

impl Population {
    fn result(self, rows: Vec<CorrelatedRow>) -> Value {
        let less = self.successes.min(self.failures);
        let more = self.successes.max(self.failures);
        json!({
            "events": if less == 0 { Vec::new() } else { self.strongest(rows) },
            "skewed": less == 0 || more > less.saturating_mul(SKEWED),
        })
    }

    /// What speaks for success, then what speaks for failure; rows of the same odds by name.
    fn strongest(self, mut rows: Vec<CorrelatedRow>) -> Vec<Value> {
        rows.retain(|row| self.is_significant(row));
        rows.sort_by(|one, other| one.name.cmp(&other.name));
        let (mut for_success, mut for_failure): (Vec<_>, Vec<_>) = rows
            .into_iter()
            .map(|row| (self.odds(&row), row))
            .partition(|(odds, _)| *odds > 1.0);
        for_success.sort_by(|one, other| other.0.total_cmp(&one.0));
        for_failure.sort_by(|one, other| one.0.total_cmp(&other.0));
        let of_kind = |rows: Vec<(f64, CorrelatedRow)>, kind: &'static str| {
            rows.into_iter()
                .take(MOST_ROWS)
                .map(move |(odds, row)| written(&row, odds, kind))
        };
        of_kind(for_success, "success")
            .chain(of_kind(for_failure, "failure"))
            .collect()
    }

    fn is_significant(self, row: &CorrelatedRow) -> bool {
        let Significance { actors, share } = self.significance;
        let everybody = self.successes as f64 + self.failures as f64;
        row.success as f64 + row.failure as f64 >= actors.min(share * everybody)
    }

    /// By what factor the odds of success grow. One more actor in each cell keeps it finite.
    fn odds(self, row: &CorrelatedRow) -> f64 {
        let cell = |actors: u64| actors as f64 + 1.0;
        let successes_without = cell(self.successes.saturating_sub(row.success));
        let failures_without = cell(self.failures.saturating_sub(row.failure));
        (cell(row.success) * failures_without) / (successes_without * cell(row.failure))
    }
}

fn written(row: &CorrelatedRow, odds: f64, kind: &str) -> Value {
    json!({
        "event": {"event": row.name, "properties": {}, "elements": []},
        "success_count": row.success,
        "failure_count": row.failure,
        "odds_ratio": json_number(odds),
        "correlation_type": kind,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, success: u64, failure: u64) -> CorrelatedRow {
        CorrelatedRow {
            name: name.to_owned(),
            success,
            failure,
        }
    }

    fn names(result: &Value) -> Vec<&str> {
        let events = result["events"].as_array().into_iter().flatten();
        events
            .filter_map(|event| event["event"]["event"].as_str())
            .collect()
    }

    /// How many of the rows of the note are significant enough.
    fn kept(actors: f64, share: f64) -> usize {
        let population = Population {
            successes: 10,
            failures: 10,
            significance: Significance { actors, share },
        };
        let rows = [5, 5, 2, 1].map(|success| row("a", success, 0));
        population.strongest(rows.to_vec()).len()
    }

    #[test]
    fn odds_have_one_more_actor_in_each_cell() {
        assert_eq!(
            correlation_result(vec![row("bad", 1, 10), row("good", 10, 1)], 10, 10),
            json!({
                "events": [
                    {
                        "event": {"event": "good", "properties": {}, "elements": []},
                        "success_count": 10, "failure_count": 1, "odds_ratio": 55,
                        "correlation_type": "success",
                    },
                    {
                        "event": {"event": "bad", "properties": {}, "elements": []},
                        "success_count": 1, "failure_count": 10, "odds_ratio": 2.0 / 110.0,
                        "correlation_type": "failure",
                    },
                ],
                "skewed": false,
            })
        );
    }

    #[test]
    fn even_odds_speak_for_failure() {
        let result = correlation_result(vec![row("a", 1, 1)], 1, 1);
        assert_eq!(result["events"][0]["odds_ratio"], 1);
        assert_eq!(result["events"][0]["correlation_type"], "failure");
    }

    #[test]
    fn without_either_outcome_nothing_can_be_said() {
        let nothing = json!({"events": [], "skewed": true});
        assert_eq!(correlation_result(vec![row("a", 1, 0)], 1, 0), nothing);
        assert_eq!(correlation_result(vec![row("a", 0, 1)], 0, 1), nothing);
        assert_eq!(correlation_result(vec![], 0, 0), nothing);
        assert_eq!(empty_correlation()["skewed"], false);
    }

    #[test]
    fn more_than_ten_to_one_is_skewed() {
        let skewed =
            |successes, failures| correlation_result(vec![], successes, failures)["skewed"].clone();
        assert_eq!(skewed(10, 1), false);
        assert_eq!(skewed(1, 10), false);
        assert_eq!(skewed(11, 1), true);
        assert_eq!(skewed(1, 11), true);
    }

    #[test]
    fn rows_of_too_few_actors_are_dropped() {
        assert_eq!(kept(25.0, 0.11), 2);
        assert_eq!(kept(25.0, 0.051), 3);
        assert_eq!(kept(3.0, 0.5), 2);
        assert_eq!(kept(2.0, 0.5), 3);
        assert_eq!(kept(100.0, 0.5), 0);
        assert_eq!(kept(6.0, 0.5), 0);
    }

    #[test]
    fn the_default_is_a_fiftieth_and_at_most_twenty_five() {
        let rows = || vec![row("a", 24, 0), row("b", 25, 0)];
        assert_eq!(names(&correlation_result(rows(), 2000, 2000)), ["b"]);
        assert_eq!(names(&correlation_result(rows(), 600, 600)), ["b", "a"]);
    }

    #[test]
    fn ten_rows_of_either_kind_are_shown_the_strongest_first_and_the_same_by_name() {
        let mut rows = Vec::new();
        for number in 0..12 {
            rows.push(row(&format!("good {number:02}"), 20 + number / 2, 0));
            rows.push(row(&format!("bad {number:02}"), 0, 20 + number / 2));
        }
        let result = correlation_result(rows, 30, 30);
        let names = names(&result);
        assert_eq!(names.len(), 20);
        assert_eq!(names[..3], ["good 10", "good 11", "good 08"]);
        assert_eq!(names[10..13], ["bad 10", "bad 11", "bad 08"]);
    }

    #[test]
    fn more_actors_in_a_row_than_in_all_do_no_harm() {
        let result = correlation_result(vec![row("a", u64::MAX, u64::MAX)], 1, 1);
        assert_eq!(result["events"][0]["odds_ratio"], 1);
    }
}
