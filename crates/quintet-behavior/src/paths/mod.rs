//! Paths: which steps a person takes one after another, and which of them are kept. Rules: `spec/paths.md` section 2.
//!
//! What an event is to a path, [`Items`] says. Items travel as codes, so that steps are small and quick to compare. Whoever
//! hands out the codes lets their order be that of the texts: then no result depends on how events were stored, even where
//! several happen at one instant.

use serde::{Deserialize, Serialize};

mod item;
mod wanted;

pub use item::{Cleaning, ItemError, ItemRules, Items};
pub use wanted::{Place, Wanted};

/// The item that stands for the steps left out between a start and an end point.
pub const LEFT_OUT: &str = "...";

/// A step of a person, or an event that may become one. They are sorted by time, at one instant by item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Step {
    /// Microseconds. That of the last event, where a step is several events of one item.
    pub time: i64,
    /// Code of the item.
    pub item: u32,
}

/// What is made of a person's events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paths {
    /// A new path starts when this much time has passed since the event before, in microseconds.
    pub gap: i64,
    /// Most steps of a path.
    pub limit: usize,
    /// The item that paths start with.
    #[serde(default)]
    pub start: Option<String>,
    /// The item that paths end with.
    #[serde(default)]
    pub end: Option<String>,
}

/// [`Paths`] in codes of items: finds the paths of one person after another.
#[derive(Debug, Clone)]
pub struct PathFinder {
    gap: i64,
    limit: usize,
    cut: Cut,
}

/// Which part of a path is kept.
#[derive(Debug, Clone, Copy)]
enum Cut {
    Beginning,
    From(u32),
    UpTo(u32),
    Between { start: u32, end: u32, left_out: u32 },
}

/// Two steps of a path that follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Link {
    /// Number of the first of them, counted from 1.
    pub step: usize,
    /// Item of the first of them.
    pub source: u32,
    /// Item of the second.
    pub target: u32,
    /// From the first to the second, in microseconds.
    pub time: i64,
}

impl Paths {
    /// The same in codes; `code` gives the code of a text, and one that no event has where the text is no event's item.
    pub fn in_codes(&self, mut code: impl FnMut(&str) -> u32) -> PathFinder {
        let cut = match (self.start.as_deref(), self.end.as_deref()) {
            (None, None) => Cut::Beginning,
            (Some(start), None) => Cut::From(code(start)),
            (None, Some(end)) => Cut::UpTo(code(end)),
            (Some(start), Some(end)) => Cut::Between {
                start: code(start),
                end: code(end),
                left_out: code(LEFT_OUT),
            },
        };
        PathFinder {
            gap: self.gap,
            limit: self.limit,
            cut,
        }
    }
}

impl PathFinder {
    /// The paths of a person that have a step at all, each handed to `found`. `events` are sorted.
    pub fn paths(&self, events: &[Step], mut found: impl FnMut(&[Step])) {
        let mut path = Vec::new();
        for session in
            events.chunk_by(|before, after| after.time.saturating_sub(before.time) < self.gap)
        {
            collapse(session, &mut path);
            self.cut(&mut path);
            if !path.is_empty() {
                found(&path);
            }
        }
    }

    fn cut(&self, path: &mut Vec<Step>) {
        match self.cut {
            Cut::Beginning => path.truncate(self.limit),
            Cut::From(start) => {
                start_with(start, path);
                path.truncate(self.limit);
            }
            Cut::UpTo(end) => {
                end_with(end, path);
                path.drain(..path.len().saturating_sub(self.limit));
            }
            Cut::Between {
                start,
                end,
                left_out,
            } => {
                start_with(start, path);
                end_with(end, path);
                self.shorten(left_out, path);
            }
        }
    }

    /// Keeps as many steps on both sides of what is left out.
    fn shorten(&self, left_out: u32, path: &mut Vec<Step>) {
        let half = self.limit / 2;
        if let Some(&Step { time, .. }) = path.get(half).filter(|_| path.len() > self.limit) {
            let item = left_out;
            path.splice(half..path.len() - half, [Step { time, item }]);
        }
    }
}

/// Events of one item that follow each other are one step, at the time of the last of them.
fn collapse(session: &[Step], path: &mut Vec<Step>) {
    path.clear();
    let repeats = session.chunk_by(|before, after| before.item == after.item);
    path.extend(repeats.filter_map(<[Step]>::last));
}

/// Drops what comes before the first step of this item: everything, if there is none.
fn start_with(item: u32, path: &mut Vec<Step>) {
    let first = path.iter().position(|step| step.item == item);
    path.drain(..first.unwrap_or(path.len()));
}

/// Drops what comes after the first step of this item: everything, if there is none.
fn end_with(item: u32, path: &mut Vec<Step>) {
    let first = path.iter().position(|step| step.item == item);
    path.truncate(first.map_or(0, |at| at + 1));
}

/// The links of a path, in the order of its steps. A path of one step has none.
pub fn links(path: &[Step]) -> impl Iterator<Item = Link> + '_ {
    let next = path.iter().skip(1);
    path.iter()
        .zip(next)
        .enumerate()
        .map(|(at, (source, target))| Link {
            step: at + 1,
            source: source.item,
            target: target.item,
            time: target.time.saturating_sub(source.time),
        })
}

#[cfg(test)]
mod tests;
