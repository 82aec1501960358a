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
