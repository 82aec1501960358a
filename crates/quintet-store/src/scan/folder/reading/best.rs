//! The first rows by time, when no others are wanted: pieces are read in the order of what they can hold, as long as they can hold one.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::{Mutex, PoisonError};

use datafusion::arrow::array::{AsArray, RecordBatch};
use datafusion::arrow::datatypes::{FieldRef, TimestampMicrosecondType};

use super::Piece;
use super::bounds::Bounds;
use crate::scan::first::First;

/// Of which column the first are wanted.
#[derive(Debug, Clone)]
pub(super) struct FirstOf {
    pub(super) first: First,
    pub(super) column: usize,
    pub(super) field: FieldRef,
}

impl FirstOf {
    /// How early in the order a piece may come, if its file tells: greater comes first.
    fn bound(&self, piece: &Piece) -> Option<i64> {
        let footer = &piece.file.footer;
        let group = footer.metadata().row_groups().get(piece.number)?;
        let bounds = Bounds::of(footer, std::slice::from_ref(group), &self.field);
        let bound = bounds.instant(0, self.first.latest)?;
        Some(self.first.rank(bound))
    }

    /// Pieces in the order in which their rows may come; those of which nothing is known before all others.
    pub(super) fn in_order(&self, pieces: &[Piece]) -> Vec<Piece> {
        let mut pieces: Vec<_> = pieces
            .iter()
            .map(|piece| (self.bound(piece), piece.clone()))
            .collect();
        pieces.sort_by_key(|(bound, _)| Reverse(bound.unwrap_or(i64::MAX)));
        pieces.into_iter().map(|(_, piece)| piece).collect()
    }
}

/// The first rows that one partition has met.
#[derive(Debug)]
pub(super) struct Best {
    of: FirstOf,
    /// The ranks of as many rows as are wanted at most, the last of them on top.
    ranks: Mutex<BinaryHeap<Reverse<i64>>>,
}

impl Best {
    pub(super) fn new(of: FirstOf) -> Self {
        Self {
            of,
            ranks: Mutex::default(),
        }
    }

    /// Can a piece have rows that come before those that were met, or with the last of them?
    pub(super) fn may_be_in(&self, piece: &Piece) -> bool {
        let ranks = self.ranks.lock().unwrap_or_else(PoisonError::into_inner);
        let last = ranks.peek().filter(|_| ranks.len() >= self.of.first.rows);
        match (last, self.of.bound(piece)) {
            (Some(Reverse(last)), Some(bound)) => bound >= *last,
            _ => self.of.first.rows > 0,
        }
    }

    /// Takes note of the rows of a batch.
    pub(super) fn add(&self, batch: &RecordBatch) {
        let times = batch.column(self.of.column);
        let Some(times) = times.as_primitive_opt::<TimestampMicrosecondType>() else {
            return;
        };
        let mut ranks = self.ranks.lock().unwrap_or_else(PoisonError::into_inner);
        for time in times.iter().flatten() {
            let rank = self.of.first.rank(time);
            if ranks.len() < self.of.first.rows {
                ranks.push(Reverse(rank));
            } else if let Some(mut last) = ranks.peek_mut()
                && last.0 < rank
            {
                *last = Reverse(rank);
            }
        }
    }
}
