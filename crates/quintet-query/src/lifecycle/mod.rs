//! Lifecycle: how many persons are new, return, come back after a pause, or stay away, in each interval.
//!
//! `query` is what is asked, `insight` what that means, `shape` how the answer looks, `actors` who stands behind a figure.
//! Rules: `spec/lifecycle.md`. Persons only: groups are refused.
//!
//! ```
//! use quintet_query::Context;
//! use quintet_query::lifecycle::{Figure, LifecycleQuery, Status, shape};
//! use quintet_query::series::EventsNode;
//!
//! let question = LifecycleQuery::new().series(EventsNode::new("paid")).date_range("2024-01-01", Some("2024-01-02"));
//! let lifecycle = question.resolve(&Context::new("2024-02-01T00:00:00Z".parse()?))?;
//! // Bucket 0 is the day before the range.
//! let counted = Figure { bucket: 2, status: Status::Dormant, persons: 3 };
//! let rows = shape(&lifecycle, [counted]).results;
//! assert_eq!(rows[3]["data"].to_string(), "[0.0,-3.0]");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod actors;
mod insight;
mod parse;
mod query;
mod resolve;
mod shape;
mod status;

pub use actors::{LifecycleActors, LifecycleActorsQuery};
pub use insight::Lifecycle;
pub use query::LifecycleQuery;
pub use shape::{Figure, LifecycleResult, shape};
pub use status::Status;
