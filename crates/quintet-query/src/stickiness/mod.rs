//! Stickiness: in how many intervals of a range each actor was active, as a histogram.
//!
//! `query` is what is asked, `insight` what that means, `intervals` how the range is cut, `shape` how the answer looks,
//! `actors` who stands behind a figure. Rules: `spec/stickiness.md`. Beyond PostHog, the histogram can be broken down:
//! an actor counts under every value that its events have, by the intervals that it was active in with that value.
//!
//! ```
//! use quintet_query::series::{EventsNode, Math};
//! use quintet_query::stickiness::{Figure, StickinessQuery, shape};
//! use quintet_query::{Context, GroupType};
//!
//! let paying = EventsNode::new("paid").math(Math::UniqueGroup).group(GroupType::Index(1));
//! let question = StickinessQuery::new().series(paying).date_range("2024-01-01", Some("2024-01-03"));
//! let stickiness = question.resolve(&Context::new("2024-02-01T00:00:00Z".parse()?))?;
//! let counted = Figure { breakdown: vec![], actors: vec![(1, 20), (3, 4)] };
//! let rows = shape(&stickiness, vec![vec![counted]], None).results;
//! assert_eq!(rows[0]["data"].to_string(), "[20,0,4]");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod actors;
mod bound;
mod insight;
mod intervals;
mod parse;
mod query;
mod resolve;
mod shape;

pub use actors::{StickinessActors, StickinessActorsQuery};
pub use bound::{Bound, Comparison};
pub use insight::{Series, Stickiness};
pub use intervals::Intervals;
pub use query::StickinessQuery;
pub use shape::{Figure, StickinessResult, shape};
