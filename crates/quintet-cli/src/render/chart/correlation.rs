//! Odds as bars from the middle: to the right what goes with converting, to the left what goes with dropping off.

use super::super::Look;
use super::super::text::{cut, figure};
use super::super::view::{Correlated, Correlation};
use super::bars::{Bar, bars};

/// One bar per event, as long as its odds have digits, so that 3 times and a third are of one length.
pub(super) fn odds(correlation: &Correlation, look: Look) -> String {
    let all: Vec<Bar> = correlation.rows.iter().map(bar).collect();
    let warning = correlation
        .warning()
        .map(|text| format!("{}\n", cut(text, look.width)));
    format!("{}{}", bars(&all, look), warning.unwrap_or_default())
}

fn bar(row: &Correlated) -> Bar {
    Bar {
        name: row.name.clone(),
        value: row.odds.ln(),
        text: format!(
            "×{}  {} of {} converted",
            figure((row.odds * 100.0).round() / 100.0),
            figure(row.converted),
            figure(row.converted + row.dropped),
        ),
    }
}
