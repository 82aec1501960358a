//! Horizontal bars, each between its name and its figures.

use super::super::Look;
use super::super::text::{left, right, width};
use super::coloured;

/// Eighths of a cell, from the left.
const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/// Between the columns.
const GAP: &str = "  ";

/// One bar.
pub(super) struct Bar {
    pub(super) name: String,
    /// Its length; none where it is not a number.
    pub(super) value: f64,
    /// What stands behind it.
    pub(super) text: String,
}

/// One text per row, its cells in columns of the right width.
pub(super) fn aligned<const N: usize>(rows: &[[String; N]]) -> Vec<String> {
    let mut widths = [0; N];
    for row in rows {
        for (widest, cell) in widths.iter_mut().zip(row) {
            *widest = width(cell).max(*widest);
        }
    }
    let text = |row: &[String; N]| {
        let cells = row
            .iter()
            .zip(widths)
            .map(|(cell, width)| right(cell, width));
        cells.collect::<Vec<_>>().join(GAP)
    };
    rows.iter().map(text).collect()
}

/// One line per bar. Those below 0 reach to the left of the others' start.
pub(super) fn bars(bars: &[Bar], look: Look) -> String {
    let layout = Layout::of(bars, look.width / 3, look);
    bars.iter().map(|bar| layout.line(bar)).collect()
}

/// The columns that bars on one scale share.
pub(super) struct Layout {
    names: usize,
    texts: usize,
    /// Cells of all bars together, and of those below 0.
    room: usize,
    below: usize,
    /// What fills the room.
    span: f64,
    look: Look,
}

impl Layout {
    /// `names` are cut at so many columns.
    pub(super) fn of(bars: &[Bar], names: usize, look: Look) -> Self {
        let widest =
            |text: fn(&Bar) -> &str| bars.iter().map(|bar| width(text(bar))).max().unwrap_or(0);
        let names = widest(|bar| &bar.name).min(names).max(1);
        let texts = widest(|bar| &bar.text);
        let room = look.width.saturating_sub(names + texts + 4).clamp(10, 80);
        let finite = || {
            bars.iter()
                .map(|bar| bar.value)
                .filter(|value| value.is_finite())
        };
        let (low, high) = (finite().fold(0.0, f64::min), finite().fold(0.0, f64::max));
        let span = if high > low { high - low } else { 1.0 };
        Self {
            names,
            texts,
            room,
            below: (-low / span * room as f64).round() as usize,
            span,
            look,
        }
    }

    /// The column at which bars begin.
    pub(super) fn start(&self) -> usize {
        self.names + GAP.len()
    }

    /// The line of one bar.
    pub(super) fn line(&self, bar: &Bar) -> String {
        let drawn = coloured(&left(&self.drawn(bar.value), self.room), 0, self.look);
        let (name, text) = (left(&bar.name, self.names), right(&bar.text, self.texts));
        format!("{}\n", format!("{name}{GAP}{drawn}{GAP}{text}").trim_end())
    }

    /// A line without a bar, such as the heads of the others' texts.
    pub(super) fn head(&self, name: &str, text: &str) -> String {
        let room = self.names + self.room + GAP.len();
        let (name, text) = (left(name, room), right(text, self.texts));
        format!("{}\n", format!("{name}{GAP}{text}").trim_end())
    }

    fn drawn(&self, value: f64) -> String {
        let length = if value.is_finite() {
            value.abs() / self.span * self.room as f64
        } else {
            0.0
        };
        if value < 0.0 {
            right(
                &"█".repeat((length.round() as usize).min(self.below)),
                self.below,
            )
        } else {
            let length = length.min((self.room - self.below) as f64);
            format!("{}{}", " ".repeat(self.below), bar(length, value))
        }
    }
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

    use super::super::super::text::figure;
    use super::*;

    const LOOK: Look = Look {
        width: 50,
        colour: false,
    };

    fn drawn(figures: &[(&str, f64)]) -> String {
        let all: Vec<Bar> = figures
            .iter()
            .map(|(name, value)| Bar {
                name: (*name).into(),
                value: *value,
                text: figure(*value),
            })
            .collect();
        bars(&all, LOOK)
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
    fn the_longest_on_either_side_have_room() {
        assert_snapshot!(drawn(&[("up", 1.0), ("down", -1.0)]), @"
        up                        ████████████████████   1
        down  ████████████████████                      -1
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
