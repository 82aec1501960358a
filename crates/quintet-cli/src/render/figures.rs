//! Views as plain lines, to copy and to compare.

use super::text::figure;
use super::view::{
    Arm, Block, Cohort, Correlation, Experiment, Figure, Funnel, Link, OverTime, Retention,
    TimeToConvert, View, heading,
};
use super::words::percent;

/// `name (first to last bucket): figures` per series, funnel or cohort, or all single figures on one line; nothing for other views.
pub(crate) fn plain_figures(view: &View) -> String {
    let lines = match view {
        View::Over(over) => over_time(over),
        View::Figures(figures) => vec![single(figures)],
        View::Funnels(funnels) => funnels.iter().map(funnel).collect(),
        View::TimeToConvert(periods) => periods.iter().map(time_to_convert).collect(),
        View::Correlation(correlation) => vec![odds(correlation)],
        View::Retention(retention) => cohorts(retention),
        View::Paths(links) => vec![paths(links)],
        View::Experiment(experiment) => vec![arms(experiment)],
        View::Nothing | View::Rows(_) | View::Json(_) => Vec::new(),
    };
    lines.iter().map(|line| format!("{line}\n")).collect()
}

fn over_time(over: &OverTime) -> Vec<String> {
    let ends = over.days.first().zip(over.days.last());
    let range = ends
        .map(|(first, last)| format!(" ({first} to {last})"))
        .unwrap_or_default();
    let line = |name: &str, data: &[f64]| {
        let points: Vec<String> = data.iter().map(|point| over.unit.text(*point)).collect();
        format!("{name}{range}: {}", points.join(" "))
    };
    let series = over.series.iter();
    series.map(|one| line(&one.name, &one.data)).collect()
}

fn single(figures: &[Figure]) -> String {
    let one = |one: &Figure| format!("{} {}", one.name, figure(one.value));
    format!("figures: {}", joined(figures.iter().map(one)))
}

/// `funnel value (period): first step count → next step count (share of the first) …`.
fn funnel(funnel: &Funnel) -> String {
    let steps = funnel.steps.iter().zip(funnel.of_first()).enumerate();
    let texts = steps.map(|(i, (step, of_first))| {
        let share = percent(of_first);
        let after = if i == 0 || share.is_empty() {
            String::new()
        } else {
            format!(" ({share})")
        };
        format!("{} {}{after}", step.name, figure(step.count))
    });
    let steps: Vec<String> = texts.collect();
    format!(
        "{}: {}",
        titled("funnel", funnel.heading()),
        steps.join(" → ")
    )
}

fn time_to_convert(period: &TimeToConvert) -> String {
    let bins = period.from.iter().zip(&period.counts);
    let bins = bins.map(|(from, count)| format!("{} s {}", figure(*from), figure(*count)));
    let title = titled("time to convert", heading(None, period.period.as_deref()));
    format!("{title}: {}; {}", joined(bins), period.middle())
}

fn odds(correlation: &Correlation) -> String {
    let rows = correlation.rows.iter();
    let rows = rows.map(|row| format!("{} {} ({})", row.name, figure(row.odds), row.goes_with));
    format!("odds: {}", joined(rows))
}

/// `retention value start (size): figures` per cohort.
fn cohorts(retention: &Retention) -> Vec<String> {
    let blocks = retention.blocks.iter();
    let rows = blocks.flat_map(|block| block.cohorts.iter().map(move |cohort| (block, cohort)));
    let line = |(block, cohort): (&Block, &Cohort)| {
        let title = titled("retention", block.value.clone());
        let figures =
            (0..retention.offsets.len()).map(|i| retention.unit.text(retention.figure(cohort, i)));
        let figures: Vec<String> = figures.collect();
        let line = format!(
            "{title} {} ({}): {}",
            cohort.name,
            figure(cohort.size()),
            figures.join(" ")
        );
        line.trim_end().to_owned()
    };
    rows.map(line).collect()
}

fn paths(links: &[Link]) -> String {
    let link = |link: &Link| {
        let Link {
            step,
            source,
            target,
            count,
            ..
        } = link;
        format!("{step} {source} → {target} {}", figure(*count))
    };
    format!("paths: {}", joined(links.iter().map(link)))
}

/// `experiment: arm mean, arm mean (effect, its interval) …`.
fn arms(experiment: &Experiment) -> String {
    let Experiment {
        unit, effect_unit, ..
    } = experiment;
    let arm = |arm: &Arm| {
        let mean = format!("{} {}", arm.name, unit.text(arm.mean));
        let effects = [arm.effect, arm.low, arm.high].map(|effect| effect_unit.text(effect));
        let [effect, low, high] = effects;
        match effect.is_empty() {
            true => mean,
            false => format!("{mean} ({effect}, {low} to {high})"),
        }
    };
    format!("experiment: {}", joined(experiment.arms.iter().map(arm)))
}

fn titled(title: &str, heading: Option<String>) -> String {
    heading.map_or_else(|| title.to_owned(), |heading| format!("{title} {heading}"))
}

fn joined(texts: impl Iterator<Item = String>) -> String {
    texts.collect::<Vec<String>>().join("; ")
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use serde_json::{Value, json};

    use super::super::samples;
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

    #[test]
    fn funnels_are_steps_in_a_row() {
        let lines = |results: &Value| plain_figures(&View::of(results));
        assert_snapshot!(lines(&samples::steps()), @"funnel: signed_up 40 → created 30 (75%) → paid 12 (30%)");
        assert_snapshot!(lines(&samples::compared_steps()), @"
        funnel Chrome (current): signed_up 8 → paid 2 (25%)
        funnel (none) (previous): signed_up 8 → paid 0 (0%)
        ");
        assert_snapshot!(lines(&json!([samples::rates(&json!({}))])), @"conversion (2024-05-01 to 2024-05-04): 100% 33.3% 0% 50%");
        assert_snapshot!(lines(&json!([samples::times("current"), samples::times("previous")])), @"
        time to convert current: 2,220 s 2; 42,510 s 0; 82,800 s 1; mean 8 h 12 min, median 1 h
        time to convert previous: 2,220 s 0; 42,510 s 0; 82,800 s 0; nobody converted
        ");
        assert_snapshot!(lines(&samples::correlation()), @"odds: read docs 11 (success); industry::finance 0.25 (failure)");
    }

    #[test]
    fn cohorts_are_a_line_each_and_links_share_one() {
        assert_snapshot!(plain_figures(&View::of(&samples::retention())), @"
        retention 2024-01-01 (120): 100% 50% 0.8%
        retention 2024-01-02 (40): 100% 75%
        retention 2024-01-03 (0):
        ");
        assert_snapshot!(plain_figures(&View::of(&samples::paths())), @"paths: 1 / → /pricing 20; 2 /pricing → https://example.com/a/long/way/to/checkout 7; 1 / → (none) 3");
    }
}
