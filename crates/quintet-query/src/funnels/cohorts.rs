//! How rows name the cohorts of a breakdown, and questions for actors after them. Rules: `spec/funnels.md` section 6.
//!
//! Runs name a cohort by its position; the position behind a single cohort is everybody outside it.

use std::sync::Arc;

use crate::filter::Cohort;

/// The number of everybody outside a single cohort, beyond all real ones.
const REST: i64 = 1 << 52;

/// Number and name of the cohort at this position, or of everybody.
pub(super) fn identity(cohorts: &[Option<Arc<Cohort>>], position: usize) -> (i64, String) {
    match (cohorts.get(position), cohorts) {
        (Some(Some(cohort)), _) => (cohort.id, cohort.name.clone()),
        (None, [Some(only)]) => (REST, format!("Not in {}", only.name)),
        _ => (0, "all users".to_owned()),
    }
}

/// Position of the cohort of this number, else of this name. Everybody may also be called `all`.
pub(super) fn position(cohorts: &[Option<Arc<Cohort>>], asked: &str) -> Option<usize> {
    let rest = usize::from(matches!(cohorts, [Some(_)]));
    let all: Vec<(i64, String)> = (0..cohorts.len() + rest)
        .map(|position| identity(cohorts, position))
        .collect();
    let number = if asked == "all" { "0" } else { asked };
    let by_number = all.iter().position(|(id, _)| id.to_string() == number);
    by_number.or_else(|| all.iter().position(|(_, name)| name == asked))
}
