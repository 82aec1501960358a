//! Embedded analytics for product events, with groups as first-class citizens.
//!
//! A PostHog insight, copied as JSON, runs unchanged on a folder of Parquet inside your own process, by person or by any of
//! five group types.
//!
//! ```
//! use quintet::{Engine, Load, Settings, Source};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let store = folder.path().join("store");
//! # let store = store.to_str().ok_or("no path")?;
//! let settings = Settings { group_types: vec!["company".into()], ..Settings::default() };
//! let engine = Engine::create(store, settings).await?;
//! let events = r#"{"event": "paid", "distinct_id": "ann", "timestamp": "2024-03-01T10:00:00Z", "properties": {"$groups": {"company": "acme"}}}"#;
//! engine.ingest(Load { sources: vec![Source::bytes("events", events)], ..Load::default() }).await?;
//!
//! let answer = engine
//!     .query(r#"{"kind": "TrendsQuery", "interval": "month", "dateRange": {"date_from": "2024-03-01", "date_to": "2024-03-31"},
//!                "series": [{"kind": "EventsNode", "event": "paid", "math": "unique_group", "math_group_type_index": 0}]}"#)
//!     .await?;
//! assert_eq!(answer.results()[0]["data"][0], 1);
//! # Ok(())
//! # }
//! ```
//!
//! The same question built in Rust, the group type by its name:
//!
//! ```
//! use quintet::query::trends::{EventsNode, Math, TrendsQuery};
//! use quintet::query::{GroupType, Interval, Query};
//!
//! let question = TrendsQuery::new()
//!     .series(EventsNode::new("paid").math(Math::UniqueGroup).group(GroupType::from("company")))
//!     .interval(Interval::Month)
//!     .date_range("2024-03-01", Some("2024-03-31"));
//! let question = Query::Trends(question);
//! # let _ = question;
//! ```
//!
//! - [`Engine`] opens a store or a plain folder of Parquet; [`EngineBuilder`] sets limits.
//! - [`Answer`] gives results as JSON or Arrow.
//! - [`SessionContextExt`] brings stores and insights into your own DataFusion session.
//! - [`Flags`] evaluates feature flags; [`flags`] is the evaluator, a pure function.
//! - [`query`] is the insight language, [`functions`] are the DataFusion functions.

mod actors;
mod alarm;
mod answer;
mod context_ext;
mod data;
mod engine;
mod error;
mod experiments;
mod feature_flags;
mod groups;
mod insights;
mod plan;
mod rows;
mod run;
mod session;
mod sql;
mod upkeep;

pub use answer::Answer;
pub use context_ext::SessionContextExt;
pub use data::ActorKeys;
pub use engine::{Engine, EngineBuilder, QueryOptions};
pub use error::{Error, ErrorKind, Result};
pub use feature_flags::Flags;
pub use quintet_behavior::flags;
pub use quintet_functions as functions;
pub use quintet_query as query;
pub use quintet_store::{
    Columns, CompactReport, Compaction, Format, Load, LoadReport, Problem, Progress, PurgeReport,
    Settings, Source, Stats, VacuumReport, Verification, WeekStart,
};
pub use run::Transport;
