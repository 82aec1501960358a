//! Single figures as horizontal bars, with the figures beside them.

use super::super::Look;
use super::super::text::{figure, left, right, width};
use super::super::view::Figure;
use super::coloured;

/// Eighths of a cell, from the left.
const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/// One line per figure. Figures below 0 reach to the left of the others' start.
pub(super) fn bars(figures: &[Figure], look: Look) -> String {
    let values: Vec<String> = figures.iter().map(|one| figure(one.value)).collect();
    let widest = |texts: &mut dyn Iterator<Item = usize>| texts.max().unwrap_or(0);
    let names = widest(&mut figures.iter().map(|one| width(&one.name)))
        .min(look.width / 3)
        .max(1);
    let numbers = widest(&mut values.iter().map(|text| width(text)));
    let room = look.width.saturating_sub(names + numbers + 4).clamp(10, 80);
    let finite = || {
        figures
            .iter()
            .map(|one| one.value)
            .filter(|value| value.is_finite())
    };
    let (low, high) = (finite().fold(0.0, f64::min), finite().fold(0.0, f64::max));
    let span = if high > low { high - low } else { 1.0 };
    let below = (-low / span * room as f64).round() as usize;
    let mut out = String::new();
    for (one, number) in figures.iter().zip(&values) {
        let length = if one.value.is_finite() {
            one.value.abs() / span * room as f64
        } else {
            0.0
        };
        let bar = if one.value < 0.0 {
            right(&"█".repeat((length.round() as usize).min(below)), below)
        } else {
            format!("{}{}", " ".repeat(below), bar(length, one.value))
        };
        let bar = coloured(&left(&bar, room), 0, look);
        out += format!(
            "{}  {bar}  {}",
            left(&one.name, names),
            right(number, numbers)
        )
        .trim_end();
        out.push('\n');
    }
    out
}

/// A bar of so many cells. What is more than nothing is at least a sliver.
fn bar(length: f64, value: f64) -> String {
    let least = usize::from(value > 0.0);
    let eighths = ((length * 8.0).round() as usize).max(least);
    format!("{}{}", "█".repeat(eighths / 8), EIGHTHS[eighths % 8])
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    const LOOK: Look = Look {
        width: 50,
        colour: false,
    };

    fn drawn(figures: &[(&str, f64)]) -> String {
        let figures: Vec<Figure> = figures
            .iter()
            .map(|(name, value)| Figure {
                name: (*name).into(),
                value: *value,
            })
            .collect();
        bars(&figures, LOOK)
    }

    #[test]
    fn bars_have_the_length_of_their_figures() {
        assert_snapshot!(drawn(&[("rust", 3578.0), ("java", 1099.0), ("日本語", 1.0), ("nothing", 0.0)]), @"
        rust     ██████████████████████████████████  3,578
        java     ██████████▌                         1,099
        日本語   ▏                                       1
        nothing                                          0
        ");
    }

    #[test]
    fn figures_below_zero_reach_to_the_left() {
        assert_snapshot!(drawn(&[("up", 30.0), ("down", -10.0), ("unknown", f64::NAN)]), @"
        up                ███████████████████████████   30
        down     █████████                             -10
        unknown
        ");
    }
}
