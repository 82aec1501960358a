//! From the links that the engine counted to the rows of the result. Pure: nothing is counted here.
//!
//! Rules: `spec/paths.md` section 2, from 6 on, and section 4.

use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};

use crate::numbers::{json_number, scaled_back};

use super::Paths;

/// How many paths have a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    /// Number of the first of its two steps, counted from 1.
    pub step: usize,
    /// Item of the first.
    pub source: String,
    /// Item of the second.
    pub target: String,
    /// How many paths.
    pub paths: u64,
    /// The time between the two steps, summed over the paths, in microseconds.
    pub time: i64,
}

/// A link with all its paths.
struct Link {
    step: usize,
    source: String,
    target: String,
    paths: u64,
    time: i64,
}

/// The rows of paths from their figures, in any order; those of one link are added up.
pub fn shape(paths: &Paths, figures: impl IntoIterator<Item = Figure>) -> Vec<Value> {
    let mut links = add_up(figures);
    links.retain(|link| paths.weights.contains(&link.paths));
    links.sort_by(|a, b| {
        let most_first = b.paths.cmp(&a.paths);
        most_first.then_with(|| (&a.source, &a.target).cmp(&(&b.source, &b.target)))
    });
    links.truncate(paths.edge_limit);
    let reached = reached(&links);
    links
        .iter()
        .filter(|link| link.step == 1 || reached.contains(link.source.as_str()))
        .map(|link| row(link, paths.sampling))
        .collect()
}

fn add_up(figures: impl IntoIterator<Item = Figure>) -> Vec<Link> {
    let mut all: HashMap<(usize, String, String), (u64, i64)> = HashMap::new();
    for figure in figures {
        let link = (figure.step, figure.source, figure.target);
        let (paths, time) = all.entry(link).or_default();
        *paths = paths.saturating_add(figure.paths);
        *time = time.saturating_add(figure.time);
    }
    all.into_iter()
        .map(|((step, source, target), (paths, time))| Link {
            step,
            source: node(step, &source),
            target: node(step.saturating_add(1), &target),
            paths,
            time,
        })
        .collect()
}

/// A step as the result names it.
fn node(step: usize, item: &str) -> String {
    format!("{step}_{item}")
}

/// Steps that these links lead to from a first one.
fn reached(links: &[Link]) -> HashSet<&str> {
    let mut by_step: Vec<&Link> = links.iter().collect();
    by_step.sort_by_key(|link| link.step);
    let mut reached = HashSet::new();
    for link in by_step {
        if link.step == 1 || reached.contains(link.source.as_str()) {
            reached.insert(link.target.as_str());
        }
    }
    reached
}

fn row(link: &Link, sampling: Option<f64>) -> Value {
    let value = match sampling {
        Some(factor) => json_number(scaled_back(link.paths as f64, factor)),
        None => link.paths.into(),
    };
    json!({
        "source": link.source,
        "target": link.target,
        "value": value,
        "average_conversion_time": link.time as f64 / link.paths as f64 / 1000.0,
    })
}

#[cfg(test)]
mod tests;
