//! The insight language of Quintet: definitions in, validated insights and result rows out.
//!
//! ```text
//! JSON or builder ──► Query ──resolve(Context)──► insight ──(engine plans and runs)──► figures ──shape──► rows
//! ```
//!
//! Knows neither Arrow nor DataFusion: it says what is asked and how answers look, never how they are computed.
//!
//! ```
//! use quintet_query::trends::{EventsNode, Math, TrendsQuery};
//! use quintet_query::{GroupType, Interval, Query};
//!
//! let built = TrendsQuery::new()
//!     .series(EventsNode::new("paid").math(Math::UniqueGroup).group(GroupType::Index(1)))
//!     .interval(Interval::Month)
//!     .date_range("-12m", None);
//! let read = Query::parse(
//!     r#"{"kind": "TrendsQuery", "interval": "month", "dateRange": {"date_from": "-12m"},
//!         "series": [{"kind": "EventsNode", "event": "paid", "math": "unique_group", "math_group_type_index": 1}]}"#,
//! )?;
//! assert_eq!(read, Query::Trends(built));
//! # Ok::<(), quintet_query::Error>(())
//! ```

pub mod breakdown;
pub mod experiments;
pub mod filter;
pub mod flags;
pub mod funnels;
pub mod groups;
pub mod lifecycle;
pub mod paths;
pub mod retention;
pub mod series;
pub mod stickiness;
pub mod trends;

mod calendar;
mod compare;
mod context;
mod dates;
mod definitions;
mod error;
mod group;
mod insight;
mod numbers;
mod period;
mod query;
mod reader;
mod sliding;
#[cfg(test)]
mod testing;

pub use compare::CompareFilter;
pub use context::{Context, Interval, WeekStart};
pub use dates::DateRange;
pub use definitions::{
    Action, ActionStep, CohortDefinition, CohortMembersDefinition, Definitions, PathCleaning,
    UrlMatching,
};
pub use error::{Error, Result};
pub use group::{GroupIndex, GroupType};
pub use period::Period;
pub use query::{ActorsPage, Query};
pub use sliding::SlidingBuckets;
