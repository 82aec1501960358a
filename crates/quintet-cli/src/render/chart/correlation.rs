//! Odds as bars from the middle: to the right what goes with converting, to the left what goes with dropping off.

use super::super::Look;
use super::super::text::{cut, figure};
use super::super::view::{Correlated, Correlation};
use super::bars::{Bar, aligned, bars};

/// One bar per event, by the logarithm of its odds: 3 times and a third are equally long.
pub(super) fn odds(correlation: &Correlation, look: Look) -> String {
    let facts: Vec<[String; 2]> = correlation.rows.iter().map(facts).collect();
    let bar = |(row, text): (&Correlated, String)| Bar {
        name: row.name.clone(),
        value: row.odds.ln(),
        text,
    };
    let all: Vec<Bar> = correlation
        .rows
        .iter()
        .zip(aligned(&facts))
        .map(bar)
        .collect();
    let warning = correlation
        .warning()
        .map(|text| format!("{}\n", cut(text, look.width)));
    format!("{}{}", bars(&all, look), warning.unwrap_or_default())
}

fn facts(row: &Correlated) -> [String; 2] {
    let all = row.converted + row.dropped;
    [
        format!("×{}", figure((row.odds * 100.0).round() / 100.0)),
        format!("{} of {} converted", figure(row.converted), figure(all)),
    ]
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use serde_json::json;

    use super::super::super::samples::{self, drawn};

    #[test]
    fn odds_reach_to_the_side_of_their_outcome() {
        assert_snapshot!(drawn(&samples::correlation(), 70), @"
        read docs                   ███████████████    ×11  20 of 22 converted
        industry::finance  █████████                 ×0.25    1 of 6 converted
        skewed: one outcome is so rare that these odds say little
        ");
    }

    #[test]
    fn without_rows_only_the_warning_remains() {
        assert_snapshot!(drawn(&json!({"events": [], "skewed": true}), 70), @"
        no results
        skewed: one outcome is so rare that these odds say little
        ");
    }
}
