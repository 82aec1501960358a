//! Series over time as lines with axes and a legend.

use super::super::Look;
use super::super::text::{cut, left, right, width};
use super::super::view::{OverTime, Series, Whole};
use super::super::words::Unit;
use super::axis::{date, dates, round_ticks};
use super::canvas::{Canvas, Dot};
use super::{MARKS, coloured};

/// Rows of a chart, about.
const HEIGHT: usize = 14;
/// Cells of a chart at most: longer lines are hard to follow.
const WIDEST: usize = 120;
/// Cells between two marks of a series at least.
const MARK_GAP: usize = 6;

/// The chart: a vertical axis with round figures, a horizontal one with dates, and what each series comes to.
pub(super) fn lines(over: &OverTime, look: Look) -> String {
    let drawn = &over.series[..over.series.len().min(MARKS.len())];
    let scale = Scale::of(drawn);
    let labels: Vec<String> = scale
        .ticks
        .iter()
        .map(|tick| over.unit.text(*tick))
        .collect();
    let margin = labels.iter().map(|label| width(label)).max().unwrap_or(0);
    let columns = look.width.saturating_sub(margin + 3).clamp(20, WIDEST);
    let plot = Plot {
        columns,
        rows: scale.rows,
        buckets: over.days.len(),
    };
    let canvas = draw(drawn, &scale, plot);

    let mut out = String::new();
    for row in 0..plot.rows {
        let label = scale
            .ticks
            .iter()
            .position(|tick| scale.dot_row(*tick) / 4 == row);
        let text = label.map(|i| labels[i].as_str()).unwrap_or_default();
        let axis = if label.is_some() { '┤' } else { '│' };
        let line = canvas.row(row, |sign, series| coloured(sign, series, look));
        out += &format!("{} {axis}{}\n", right(text, margin), line.trim_end());
    }
    out += &time_axis(&over.days, plot, margin);
    out += &legend(over, drawn.len(), look);
    out
}

/// The size of the drawing.
#[derive(Clone, Copy)]
struct Plot {
    columns: usize,
    rows: usize,
    buckets: usize,
}

impl Plot {
    /// The dot column of a bucket: the first on the left edge, the last on the right one.
    fn dot_column(self, bucket: usize) -> usize {
        let last = (self.buckets - 1).max(1) as f64;
        (bucket as f64 / last * (self.columns * 2 - 1) as f64).round() as usize
    }
}

/// The vertical axis.
struct Scale {
    ticks: Vec<f64>,
    rows: usize,
}

impl Scale {
    fn of(series: &[Series]) -> Self {
        let points = || {
            series
                .iter()
                .flat_map(|s| &s.data)
                .copied()
                .filter(|point| point.is_finite())
        };
        let whole = points().all(|point| point.fract() == 0.0);
        let ticks = round_ticks(
            points().fold(0.0, f64::min),
            points().fold(0.0, f64::max),
            whole,
            5,
        );
        let steps = ticks.len() - 1;
        let rows = (HEIGHT / steps).max(1) * steps + 1;
        Self { ticks, rows }
    }

    /// The dot row of a figure. Ticks fall into the middle of evenly spaced rows.
    fn dot_row(&self, value: f64) -> usize {
        let (low, high) = (self.ticks[0], self.ticks[self.ticks.len() - 1]);
        let height = (self.rows - 1) * 4;
        1 + ((high - value) / (high - low) * height as f64).round() as usize
    }
}

fn draw(series: &[Series], scale: &Scale, plot: Plot) -> Canvas {
    let mut canvas = Canvas::new(plot.columns, plot.rows);
    let dots = |series: &Series| -> Vec<Option<Dot>> {
        let dot = |(i, point): (usize, &f64)| {
            point
                .is_finite()
                .then(|| (plot.dot_column(i), scale.dot_row(*point)))
        };
        series.data.iter().enumerate().map(dot).collect()
    };
    for (owner, one) in series.iter().enumerate().rev() {
        let dots = dots(one);
        for pair in dots.windows(2) {
            if let [Some(from), Some(to)] = pair {
                canvas.line(*from, *to, owner);
            }
        }
    }
    if series.len() > 1 {
        let every = (MARK_GAP * (plot.buckets - 1))
            .div_ceil(plot.columns)
            .max(1);
        for (owner, one) in series.iter().enumerate().rev() {
            for dot in dots(one)
                .into_iter()
                .skip(owner * every / series.len())
                .step_by(every)
                .flatten()
            {
                canvas.mark(dot, MARKS[owner].1, owner);
            }
        }
    }
    canvas
}

/// The horizontal axis with a tick over each date.
fn time_axis(days: &[String], plot: Plot, margin: usize) -> String {
    let mut axis = vec!['─'; plot.columns];
    let mut texts = String::new();
    let room = plot.columns + margin + 2;
    for (bucket, text) in dates(days, plot.columns) {
        let column = plot.dot_column(bucket) / 2;
        let length = width(&text);
        let centred = (margin + 2 + column).saturating_sub(length / 2);
        let start = centred.min(room.saturating_sub(length));
        let used = width(&texts);
        if used > 0 && start < used + 2 {
            continue;
        }
        axis[column] = '┬';
        texts += &" ".repeat(start - used);
        texts += &text;
    }
    format!(
        "{} └{}\n{texts}\n",
        " ".repeat(margin),
        axis.iter().collect::<String>()
    )
}

fn legend(over: &OverTime, drawn: usize, look: Look) -> String {
    let series = &over.series[..drawn];
    let facts: Vec<[String; 2]> = series
        .iter()
        .map(|one| [whole(one, over.unit), peak(one, over)])
        .collect();
    let widest = |i: usize| facts.iter().map(|fact| width(&fact[i])).max().unwrap_or(0);
    let room = look.width.saturating_sub(widest(0) + widest(1) + 8).max(10);
    let names = series
        .iter()
        .map(|one| width(&one.name))
        .max()
        .unwrap_or(0)
        .min(room);
    let mut out = String::new();
    for (i, one) in series.iter().enumerate() {
        let sign = if drawn > 1 {
            coloured(&MARKS[i].1.to_string(), i, look)
        } else {
            " ".into()
        };
        let [whole, peak] = &facts[i];
        out += format!(
            "  {sign} {}  {}  {peak}",
            left(&one.name, names),
            left(whole, widest(0))
        )
        .trim_end();
        out.push('\n');
    }
    let hidden = over.series.len() - drawn;
    if hidden > 0 {
        out += &cut(
            &format!("… and {hidden} more series that are not drawn: see them with --format table"),
            look.width,
        );
        out.push('\n');
    }
    out
}

fn whole(series: &Series, unit: Unit) -> String {
    match series.whole {
        Whole::Total(value) => format!("total {}", unit.text(value)),
        Whole::InAll(value) => format!("in all {}", unit.text(value)),
        Whole::Average(value) => format!("average {}", unit.text((value * 10.0).round() / 10.0)),
    }
}

fn peak(series: &Series, over: &OverTime) -> String {
    let points = series
        .data
        .iter()
        .copied()
        .enumerate()
        .filter(|(_, point)| point.is_finite());
    let highest = points.reduce(|best, next| if next.1 > best.1 { next } else { best });
    let day = |i: usize| {
        date(&over.days, i)
            .map(|day| format!(" ({day})"))
            .unwrap_or_default()
    };
    highest
        .map(|(i, point)| format!("peak {}{}", over.unit.text(point), day(i)))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use serde_json::{Value, json};

    use super::super::super::samples;
    use super::super::super::view::View;
    use super::super::chart;
    use super::*;

    fn drawn(results: &Value, width: usize, colour: bool) -> String {
        chart(&View::of(results), Look { width, colour }).unwrap_or_default()
    }

    fn months(label: &str, data: &[i64]) -> Value {
        let days: Vec<String> = (1..=data.len())
            .map(|month| format!("2024-{month:02}-01"))
            .collect();
        json!({"label": label, "data": data, "days": days, "count": data.iter().sum::<i64>() as f64, "action": {"math": "total"}})
    }

    #[test]
    fn a_line_has_round_figures_beside_it_and_dates_below() {
        assert_snapshot!(drawn(&json!([months("paid", &[0, 3, 7, 12, 9, 4])]), 44, false), @"
        15 ┤
           │
           │                       ⡀
           │                     ⡠⠊⠈⠑⠢⢄
        10 ┤                   ⢠⠊      ⠉⠒⠤⣀
           │                 ⢀⠔⠁           ⠑⢄
           │               ⢀⠔⠁               ⠑⢄
           │             ⡠⠒⠁                   ⠣⡀
         5 ┤          ⣀⠔⠉                       ⠈⠢⡀
           │       ⢀⠤⠊                            ⠈
           │    ⢀⠤⠊⠁
           │ ⢀⠤⠊⠁
         0 ┤⠊⠁
           └┬──────────────┬───────────────┬───────
         2024-01        2024-03         2024-05
            paid  total 35  peak 12 (2024-04)
        ");
    }

    #[test]
    fn several_series_have_marks_of_their_own() {
        let results = json!([
            months("people", &[10, 20, 30]),
            months("companies", &[30, 20, 10])
        ]);
        assert_snapshot!(drawn(&results, 40, false), @"
        30 ┤▲⠤⣀                             ⣀⠤●
           │   ⠉⠒⠤⢄⡀                    ⣀⠤⠒⠉
           │       ⠈⠑⠢⢄⡀           ⢀⡠⠔⠒⠉
           │           ⠈⠉⠒⠤⣀   ⢀⡠⠔⠊⠁
        20 ┤               ⣀⠭●⠪⢅⡀
           │          ⢀⡠⠤⠒⠉     ⠈⠑⠢⢄⡀
           │      ⢀⡠⠔⠊⠁             ⠈⠑⠒⠤⣀
           │  ⣀⠤⠒⠉⠁                      ⠉⠒⠤⣀
        10 ┤●⠉                               ⠉▲
           │
           │
           │
         0 ┤
           └┬────────────────┬────────────────┬
         2024-01          2024-02       2024-03
          ● people     total 60  peak 30 (2024-03)
          ▲ companies  total 60  peak 30 (2024-01)
        ");
    }

    #[test]
    fn series_without_anything_lie_on_the_axis() {
        assert_snapshot!(drawn(&json!([months("paid", &[0, 0])]), 30, false), @"
        1 ┤
          │
          │
          │
          │
          │
          │
          │
          │
          │
          │
          │
          │
          │
        0 ┤⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒
          └┬────────────────────────┬
        2024-01               2024-02
            paid  total 0  peak 0 (2024-01)
        ");
    }

    #[test]
    fn rates_of_a_funnel_have_percents_on_the_axis_and_a_mean() {
        let rates = samples::rates(&json!({}));
        assert_snapshot!(drawn(&json!([rates]), 40, false), @"
        100% ┤⠢⡀
             │ ⠑⢄
         80% ┤   ⠱⡀
             │    ⠈⢢
         60% ┤      ⠑⢄
             │       ⠈⠢⡀                     ⢀⠔
         40% ┤         ⠈⢆                  ⡠⠔⠁
             │           ⠑⠢⢄             ⡠⠊
         20% ┤              ⠉⠢⢄⡀       ⡠⠊
             │                 ⠈⠒⢄⡀ ⢀⠔⠉
          0% ┤                    ⠈⠑⠁
             └┬────────────────────┬───────────
         2024-05-01           2024-05-03
            conversion  average 45.8%  peak 100% (2024-05-01)
        ");
    }

    #[test]
    fn colours_are_only_added() {
        let results = json!([
            months("people", &[10, 20, 30]),
            months("companies", &[30, 20, 10])
        ]);
        let coloured = drawn(&results, 40, true);
        let mut plain = coloured.replace("\u{1b}[0m", "");
        for (colour, _) in MARKS {
            plain = plain.replace(&format!("\u{1b}[38;5;{colour}m"), "");
        }
        assert_eq!(plain, drawn(&results, 40, false));
        assert_ne!(plain, coloured);
    }

    #[test]
    fn more_series_than_marks_are_counted() {
        let rows: Vec<Value> = (0..11)
            .map(|i| months(&format!("s{i}"), &[i, 2, i]))
            .collect();
        assert!(drawn(&Value::Array(rows), 80, false).contains("… and 3 more series"));
    }

    #[test]
    fn no_figure_and_no_width_breaks_it() {
        for data in [vec![i64::MAX, i64::MIN + 1], vec![1, -1, 1], vec![5; 12]] {
            for width in [0, 1, 10, 500] {
                assert!(!drawn(&json!([months("x", &data)]), width, false).is_empty());
            }
        }
    }
}
