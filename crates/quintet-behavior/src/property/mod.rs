//! Properties as values.
//!
//! PostHog compares properties as text unless a number or a date is asked for, so a property's value here is
//! `Option<text>`: `None` where it is absent or JSON null. Rules: `spec/filters-and-dates.md` section 1.

mod date;
mod entries;
mod flags;
mod group;
mod matcher;
mod semver;
mod value;

pub use date::parse_date;
pub use entries::Entries;
pub use group::GroupPlace;
pub use matcher::{Matcher, MatcherError, equal_texts};
pub use value::{from_json, normalize_url, number, number_text, value_text};
