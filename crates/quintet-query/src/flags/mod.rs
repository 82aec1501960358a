//! Feature flags as PostHog keeps them, and what can be asked about them.
//!
//! `definition` is what a flag says, `parse` and `filter` read it, `cohorts` are those that its conditions name, `resolve` makes
//! relative things literal. `question` and `context` are what is asked, and for whom.
//! Rules: `spec/groups-and-ingestion.md` section 5. Evaluation itself is no concern of this crate.
//!
//! ```
//! use quintet_query::Query;
//! use quintet_query::flags::FlagsQuestion;
//!
//! let asked = Query::parse(
//!     r#"{"kind": "FeatureFlagEvaluation", "distinct_id": "ann", "groups": {"company": "acme"},
//!         "flag": {"key": "editor", "active": true, "filters": {"aggregation_group_type_index": 0, "groups": [{"rollout_percentage": 50}]}}}"#,
//! )?;
//! assert!(matches!(asked, Query::Flags(FlagsQuestion::Evaluation(_))));
//! # Ok::<(), quintet_query::Error>(())
//! ```

mod cohorts;
mod context;
mod definition;
mod filter;
mod parse;
mod question;
mod resolve;
#[cfg(test)]
mod tests;

pub use cohorts::FlagCohorts;
pub use context::FlagContext;
pub use definition::{
    FeatureFlag, FlagCondition, FlagFilter, FlagHoldout, FlagNode, FlagProperty, FlagVariant,
    FlagWanted,
};
pub use question::{
    AudienceQuery, FlagDefinitions, FlagEvaluationQuery, FlagHashQuery, FlagValuesQuery,
    FlagsQuestion,
};
pub use resolve::{FlagWarning, ResolvedFlags};
