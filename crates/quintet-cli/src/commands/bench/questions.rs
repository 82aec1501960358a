//! The peers' 22 questions as we ask them: PostHog insights where an insight says it, SQL for the rest.
//!
//! Ranges, zone and week start are fixed: the generated data begin on 1 January 2025 and last 180 days, in UTC, and weeks start on
//! Sunday, as they do in a new store.

use std::path::Path;

use quintet::Answer;
use serde_json::{Value, json};

use super::{read_json, rows};
use crate::arguments::BenchMode;
use crate::failure::{Failure, Result};

/// A question by the name that the runner gives it.
pub(super) struct Question {
    name: &'static str,
    asked: Asked,
    /// The rows of the answer in the columns and units of the peers.
    pub(super) rows: fn(&Answer) -> Vec<Value>,
    /// Do peers take its properties out of JSON?
    pub(super) reads_json: bool,
    differs: Differs,
}

enum Asked {
    Insight(&'static str),
    /// With `@COMPANY@` for the company that is looked at, and properties under the names that their columns have in a store.
    Sql(&'static str),
}

/// Why a result is not that of the peers.
#[derive(Clone, Copy)]
enum Differs {
    Never,
    Always(&'static str),
    /// A folder knows less than a store.
    InParquet(&'static str),
}

macro_rules! insight {
    ($name:literal, $rows:expr) => {
        Question {
            name: $name,
            asked: Asked::Insight(include_str!(concat!("../../../bench/", $name, ".json"))),
            rows: $rows,
            reads_json: false,
            differs: Differs::Never,
        }
    };
}

macro_rules! sql {
    ($name:literal) => {
        Question {
            name: $name,
            asked: Asked::Sql(include_str!(concat!("../../../bench/", $name, ".sql"))),
            rows: rows::of_sql,
            reads_json: false,
            differs: Differs::Never,
        }
    };
}

const QUESTIONS: &[Question] = &[
    insight!("trends_total_day", rows::by_day),
    insight!("trends_total_day_30d", rows::by_day_of_the_last_30),
    insight!("dau_person", rows::by_day),
    insight!("wau_company", rows::by_week),
    insight!("mau_company_rolling", rows::by_day),
    insight!("trends_breakdown_url", rows::by_value_and_day),
    Question {
        name: "trends_breakdown_json",
        reads_json: true,
        ..insight!("trends_breakdown_url", rows::by_value_and_day)
    },
    insight!("p90_duration_day", rows::by_day),
    insight!("funnel3_person_14d", rows::steps),
    insight!("funnel5_company_30d", rows::steps),
    insight!("funnel_pageview_person_14d", rows::steps),
    insight!("funnel3_breakdown", rows::steps_by_value),
    Question {
        differs: Differs::Always(
            "in a strict funnel of PostHog a step may repeat (A B B C converts); the peers' steps are direct neighbours",
        ),
        ..insight!("funnel_strict_person_14d", rows::steps)
    },
    insight!("retention_week_person", rows::retention),
    insight!("retention_month_company", rows::retention),
    insight!(
        "retention_first_week_person",
        rows::retention_of_first_times
    ),
    insight!("stickiness_day_person_30d", rows::stickiness),
    insight!("stickiness_week_company", rows::stickiness),
    Question {
        differs: Differs::InParquet(
            "new persons are told by when they were created, which a folder of events does not say: all of them resurrect",
        ),
        ..insight!("lifecycle_week_person", rows::lifecycle)
    },
    sql!("top_groups"),
    sql!("group_drilldown"),
    sql!("group_events_page"),
];

/// The question of this name.
pub(super) fn named(name: &str) -> Option<&'static Question> {
    QUESTIONS.iter().find(|question| question.name == name)
}

impl Question {
    /// The definition to ask, for the data in a folder of the generator.
    pub(super) fn definition(&self, folder: &Path, mode: BenchMode) -> Result<String> {
        match self.asked {
            Asked::Insight(definition) => Ok(definition.to_owned()),
            Asked::Sql(text) => {
                let text = match mode {
                    BenchMode::Parquet => text.replace("\"p.", "\""),
                    BenchMode::Cold | BenchMode::Hot => text.to_owned(),
                };
                let text = if text.contains("@COMPANY@") {
                    text.replace("@COMPANY@", &company(folder)?)
                } else {
                    text
                };
                Ok(json!({"kind": "SQL", "query": text}).to_string())
            }
        }
    }

    /// Why the result in this mode is not that of the peers, where it is not.
    pub(super) fn differs(&self, mode: BenchMode) -> Option<&'static str> {
        match self.differs {
            Differs::Always(why) => Some(why),
            Differs::InParquet(why) if mode == BenchMode::Parquet => Some(why),
            Differs::InParquet(_) | Differs::Never => None,
        }
    }
}

/// The company that the generator has chosen to look at.
fn company(folder: &Path) -> Result<String> {
    let path = folder.join("meta.json");
    let meta = read_json(&path)?;
    let company = meta.get("drill_company").and_then(Value::as_str);
    company.map(str::to_owned).ok_or_else(|| {
        Failure::invalid(
            &path.display().to_string(),
            "it has no `drill_company`; make the data anew with gen_events.py",
        )
    })
}
