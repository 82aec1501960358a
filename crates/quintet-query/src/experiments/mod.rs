//! Experiments: who was exposed to which variant of a feature flag, and what became of them. Rules: `spec/groups-and-ingestion.md` §6.
//!
//! `query` and `metric` are what is asked, `method` how it is judged, `insight` what that means, `statistics` the questions that need no
//! events, `shape` how answers look.
//!
//! ```
//! use quintet_query::experiments::{ExperimentExposureQuery, ExperimentQuery, Method, MetricNode};
//! use quintet_query::series::EventsNode;
//! use quintet_query::trends::Math;
//! use quintet_query::Query;
//!
//! let exposures = ExperimentExposureQuery::new("new-editor", ["control", "test"])
//!     .by_group(0)
//!     .dates("2024-03-01T00:00:00Z", Some("2024-04-01T00:00:00Z"));
//! let paid = MetricNode::mean(EventsNode::new("paid").math(Math::Sum).property("amount"));
//! let built = ExperimentQuery::new(exposures, paid).method(Method::frequentist());
//! let read = Query::parse(
//!     r#"{"kind": "ExperimentQuery", "feature_flag_key": "new-editor", "variants": ["control", "test"],
//!         "aggregation_group_type_index": 0, "start_date": "2024-03-01T00:00:00Z", "end_date": "2024-04-01T00:00:00Z",
//!         "method": "frequentist", "metric": {"kind": "ExperimentMetric", "metric_type": "mean",
//!             "source": {"kind": "EventsNode", "event": "paid", "math": "sum", "math_property": "amount"}}}"#,
//! )?;
//! assert_eq!(read, Query::Experiment(Box::new(built)));
//! # Ok::<(), quintet_query::Error>(())
//! ```

mod insight;
mod method;
mod metric;
mod metric_parse;
mod parse;
mod query;
mod resolve;
mod shape;
mod statistics;
#[cfg(test)]
mod tests;

pub use insight::{
    Bounds, Days, Experiment, Exposures, Measured, Metric, RetentionWindow, Source, StartHandling,
};
pub use method::{Difference, Method, Prior};
pub use metric::{Clipping, ConversionWindow, Goal, MetricKind, MetricNode, RetentionNode};
pub use query::{ExperimentExposureQuery, ExperimentQuery, MultipleVariants};
pub use shape::{
    Arm, ArmFigures, Comparison, CupedArm, ExposureFigures, MULTIPLE, ValidationFailure,
    cuped_result, effect_result, exposures_result, result, statistics_result,
};
pub use statistics::{CovariedNode, RatioSums, Statistic, StatisticsQuestion, Sums};
