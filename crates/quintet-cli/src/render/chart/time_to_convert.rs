//! Times to convert as a histogram, with mean and median below.

use super::super::Look;
use super::super::text::figure;
use super::super::view::TimeToConvert;
use super::super::words::durations;
use super::bars::{Bar, bars};
use super::blocks;

/// One histogram per period. Bars are named by the shortest time in them.
pub(super) fn histograms(periods: &[TimeToConvert], look: Look) -> String {
    blocks(periods, |period| histogram(period, look))
}

fn histogram(period: &TimeToConvert, look: Look) -> String {
    let names = durations(&period.from).into_iter();
    let bar = |(from, count): (String, &f64)| Bar {
        name: format!("from {from}"),
        value: *count,
        text: figure(*count),
    };
    let all: Vec<Bar> = names.zip(&period.counts).map(bar).collect();
    format!("{}{}\n", bars(&all, look), period.summary())
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use serde_json::json;

    use super::super::super::samples::{self, drawn};

    #[test]
    fn bars_are_named_by_their_shortest_times() {
        assert_snapshot!(drawn(&samples::only_times(), 60), @"
        from 37 min       ███████████████████████████████████████  2
        from 11 h 49 min                                           0
        from 23 h         ███████████████████▌                     1
        mean 8 h 12 min, median 1 h
        ");
    }

    #[test]
    fn periods_stand_under_one_another() {
        assert_snapshot!(drawn(&json!([samples::times("current"), samples::times("previous")]), 60), @"
        from 37 min       ███████████████████████████████████████  2
        from 11 h 49 min                                           0
        from 23 h         ███████████████████▌                     1
        current: mean 8 h 12 min, median 1 h

        from 37 min                                                0
        from 11 h 49 min                                           0
        from 23 h                                                  0
        previous: nobody converted
        ");
    }
}
