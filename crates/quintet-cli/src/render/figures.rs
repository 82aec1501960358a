//! Views as plain lines, to copy and to compare.

use super::text::figure;
use super::view::View;

/// `name (first to last bucket): figures` per series, or all single figures on one line; nothing for other views.
pub(crate) fn plain_figures(view: &View) -> String {
    let mut out = String::new();
    match view {
        View::Over(over) => {
            let ends = over.days.first().zip(over.days.last());
            let range = ends
                .map(|(first, last)| format!(" ({first} to {last})"))
                .unwrap_or_default();
            for series in &over.series {
                let points: Vec<String> = series.data.iter().map(|point| figure(*point)).collect();
                out += &format!("{}{range}: {}\n", series.name, points.join(" "));
            }
        }
        View::Figures(figures) => {
            let all: Vec<String> = figures
                .iter()
                .map(|one| format!("{} {}", one.name, figure(one.value)))
                .collect();
            out += &format!("figures: {}\n", all.join("; "));
        }
        View::Nothing | View::Rows(_) | View::Json(_) => {}
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_series_is_a_line_and_single_figures_share_one() {
        let over = View::of(
            &json!([{"label": "paid", "days": ["2024-01-01", "2024-01-02"], "data": [1, 2000], "count": 2001.0}]),
        );
        assert_eq!(
            plain_figures(&over),
            "paid (2024-01-01 to 2024-01-02): 1 2,000\n"
        );
        let single = View::of(
            &json!([{"label": "go", "aggregated_value": 1}, {"label": "rs", "aggregated_value": 2.5}]),
        );
        assert_eq!(plain_figures(&single), "figures: go 1; rs 2.5\n");
    }
}
