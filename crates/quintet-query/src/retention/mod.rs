//! Retention: how many of the actors that start in a period come back in later ones.
//!
//! `query` is what is asked, `insight` what that means, `window` how time is cut into rows and `columns` into columns,
//! `figures` what the engine counts, `shape` and `curves` how the answer looks, `actors` who stands behind a row.
//! Rules: `spec/retention.md`.
//!
//! Where PostHog errs, this does not: brackets are measured from the row's own cohort (PostHog takes the actor's first
//! one), the average under "other" is that of its actors (PostHog adds averages up) and a sample does not scale averages.
//! Beyond PostHog, `curves` stands beside the rows.
//!
//! ```
//! use quintet_query::retention::{Figures, RetentionQuery, shape};
//! use quintet_query::series::EventsNode;
//! use quintet_query::{Context, Interval};
//!
//! let question = RetentionQuery::new()
//!     .target(EventsNode::new("signed up"))
//!     .returning(EventsNode::new("paid"))
//!     .by_group(0)
//!     .interval(Interval::Month)
//!     .total_intervals(3);
//! let retention = question.resolve(&Context::new("2024-04-15T00:00:00Z".parse()?))?;
//! let mut figures = Figures::default();
//! figures.add_actor(None, 0, &[0, 2], &[]);
//! figures.add_actor(None, 0, &[0], &[]);
//! let result = shape(&retention, &figures);
//! assert_eq!(result.results[0]["date"], "2024-02-01T00:00:00Z");
//! assert_eq!(result.results[0]["values"][2]["count"], 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod actors;
mod columns;
mod curves;
mod figures;
mod insight;
mod parse;
mod query;
mod resolve;
mod shape;
mod window;

pub use actors::{RetentionActors, RetentionActorsQuery};
pub use columns::Columns;
pub use figures::Figures;
pub use insight::{Amounts, Measure, Mode, Reference, Retention, Rolling, Starts};
pub use query::{Aggregate, RetentionQuery};
pub use shape::{RetentionResult, shape};
pub use window::Window;
