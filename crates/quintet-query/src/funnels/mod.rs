//! Funnels: how many actors go through a sequence of steps, and where they are lost. Rules: `spec/funnels.md`, `spec/funnels-more.md`.
//!
//! `query` and `step` are what is asked, `insight` what that means, `refusals` what makes no sense, `span` the ranges of time,
//! `outcome` what became of a run, `figures` what many runs come to, `shape` and `correlation_shape` how answers look, `cohorts` what
//! these call the cohorts of a breakdown, `actors` who stands behind a figure, `correlation` what goes with conversion.
//!
//! ```
//! use quintet_query::funnels::{FunnelsQuery, Order, WindowUnit};
//! use quintet_query::series::EventsNode;
//! use quintet_query::{Context, Query};
//!
//! let built = FunnelsQuery::new()
//!     .series(EventsNode::new("signed up"))
//!     .series(EventsNode::new("invited").optional())
//!     .series(EventsNode::new("paid"))
//!     .exclusion(EventsNode::new("left"), 0, 2)
//!     .by_group(0)
//!     .order(Order::Strict)
//!     .window(1, WindowUnit::Week);
//! let read = Query::parse(
//!     r#"{"kind": "FunnelsQuery", "aggregation_group_type_index": 0, "series": [
//!             {"kind": "EventsNode", "event": "signed up"}, {"kind": "EventsNode", "event": "invited", "optionalInFunnel": true},
//!             {"kind": "EventsNode", "event": "paid"}],
//!         "funnelsFilter": {"funnelOrderType": "strict", "funnelWindowInterval": 1, "funnelWindowIntervalUnit": "week",
//!             "exclusions": [{"kind": "EventsNode", "event": "left", "funnelFromStep": 0, "funnelToStep": 2}]}}"#,
//! )?;
//! assert_eq!(read, Query::Funnels(built.clone()));
//!
//! let funnels = built.resolve(&Context::new("2024-02-01T00:00:00Z".parse()?))?;
//! assert_eq!(funnels.window, 7 * 86_400 * 1_000_000);
//! assert!(funnels.is_converted(0b101));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod actors;
mod cohorts;
mod correlation;
mod correlation_shape;
mod figures;
mod insight;
mod outcome;
mod parse;
mod query;
mod refusals;
mod resolve;
mod shape;
mod span;
mod step;
mod window;

pub use actors::{FunnelsActors, FunnelsActorsQuery, Wanted};
pub use correlation::{
    Correlated, CorrelationKind, FunnelCorrelation, FunnelCorrelationActors,
    FunnelCorrelationActorsQuery, FunnelCorrelationQuery, PropertyKeys,
};
pub use correlation_shape::{CorrelatedRow, correlation_result, empty_correlation};
pub use figures::Figures;
pub use insight::{
    Attribution, Condition, Exclusion, FirstTime, Funnels, Order, Span, Step, StepEcho, Viz,
};
pub use query::{FunnelsQuery, VizType};
pub(crate) use resolve::DEFAULT_SIMULTANEITY_MS;
pub use shape::{FunnelsResult, shape};
pub use step::{ExclusionNode, StepEvents, StepNode};
pub(crate) use window::UNITS;
pub use window::{Window, WindowUnit};
