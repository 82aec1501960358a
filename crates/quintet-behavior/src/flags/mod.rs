//! What a feature flag is to a person and its groups: off, on, or a variant.
//!
//! A pure function of flags and a context, without I/O and without a clock. `definition` is what a flag says, `context` is who
//! asks, `hash` is how identifiers are shared out, `set` is flags that may depend on each other, `evaluate` is the algorithm.
//! Rules: `spec/groups-and-ingestion.md` section 5.
//!
//! ```
//! use quintet_behavior::flags::{Condition, Context, Flag, FlagSet, FlagValue, Reason, Subject};
//!
//! let half = Condition { rollout: Some(50.0), ..Condition::of(Subject::Group(0)) };
//! let flags = FlagSet::new(vec![Flag { conditions: vec![half], ..Flag::named("new-editor") }]);
//!
//! let mut ann = Context::of("ann");
//! ann.groups[0].key = Some("acme".into());
//! let found = flags.evaluate("new-editor", &ann).ok_or("no such flag")?;
//! assert_eq!((found.value, found.reason), (FlagValue::On, Reason::ConditionMatch));
//!
//! // Only the group's key decides, so that everybody at acme is told the same.
//! ann.distinct_id = Some("bob".into());
//! assert_eq!(flags.evaluate("new-editor", &ann), Some(found));
//! # Ok::<(), &str>(())
//! ```

mod context;
mod definition;
mod evaluate;
mod hash;
mod outcome;
mod set;
#[cfg(test)]
mod tests;

pub use context::{Context, GROUP_TYPES, Group, Person, Subject};
pub use definition::{Bucketing, Condition, Dependency, Flag, Holdout, Test, Variant, Wanted};
pub use hash::{hash, holdout_hash};
pub use outcome::{Evaluation, FlagValue, Place, Reason};
pub use set::{FlagSet, Problem};
