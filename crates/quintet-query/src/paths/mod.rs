//! Paths: which pages, screens and events follow each other, as weighted links between numbered steps.
//!
//! `query` is what is asked, `insight` what that means, `funnel` which part of a funnel it is about, `shape` how the answer
//! looks, `actors` who stands behind a link. Rules: `spec/paths.md`. Persons only: groups are refused.
//!
//! ```
//! use quintet_query::Context;
//! use quintet_query::paths::{EventKind, Figure, PathsQuery, shape};
//!
//! let question = PathsQuery::new().include(EventKind::PageView).start_point("/pricing/");
//! let paths = question.resolve(&Context::new("2024-02-01T00:00:00Z".parse()?))?;
//! let counted = Figure {
//!     step: 1,
//!     source: "/pricing".to_owned(),
//!     target: "/signup".to_owned(),
//!     paths: 2,
//!     time: 60_000_000,
//! };
//! let rows = shape(&paths, [counted]);
//! assert_eq!(rows[0]["target"], "2_/signup");
//! assert_eq!(rows[0]["average_conversion_time"], 30_000.0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod actors;
mod funnel;
mod insight;
mod parse;
mod query;
mod resolve;
mod shape;

pub use actors::{PathKeys, PathsActors, PathsActorsQuery};
pub use funnel::{FunnelPart, FunnelPaths, FunnelPathsFilter, Moment};
pub use insight::{Items, Paths};
pub use query::{EventKind, PathsQuery};
pub use shape::{Figure, shape};
