//! Views as columns of typed cells. A table is their text for people, CSV their figures for programs.

mod retention;
#[cfg(test)]
mod tests;

use serde_json::Value;

use super::view::{
    Arm, Chance, Correlation, Experiment, Figure, Funnel, Link, OverTime, Rows, Step,
    TimeToConvert, View,
};
use super::words::Unit;

/// Columns under a heading of their own.
#[derive(Debug, Default)]
pub(crate) struct Sheet<'a> {
    pub(crate) heading: Option<String>,
    pub(crate) columns: Vec<Column<'a>>,
    /// What the columns leave unsaid, a line each.
    pub(crate) notes: Vec<String>,
}

#[derive(Debug)]
pub(crate) struct Column<'a> {
    pub(crate) title: String,
    pub(crate) cells: Cells<'a>,
}

/// The cells of a column, one per row.
#[derive(Debug)]
pub(crate) enum Cells<'a> {
    Texts(Vec<String>),
    /// Not numbers where there is no figure.
    Figures(Unit, Vec<f64>),
    Values(Vec<&'a Value>),
}

impl Column<'_> {
    fn texts<T: Into<String>>(title: &str, cells: impl IntoIterator<Item = T>) -> Self {
        Self {
            title: title.to_owned(),
            cells: Cells::Texts(cells.into_iter().map(Into::into).collect()),
        }
    }

    fn figures(title: &str, unit: Unit, cells: impl IntoIterator<Item = f64>) -> Self {
        Self {
            title: title.to_owned(),
            cells: Cells::Figures(unit, cells.into_iter().collect()),
        }
    }

    /// Figures without a unit.
    fn counts(title: &str, cells: impl IntoIterator<Item = f64>) -> Self {
        Self::figures(title, Unit::Plain, cells)
    }

    /// A column of what only some answers have; nothing where no row has it.
    fn optional<'t>(
        title: &str,
        cells: impl Iterator<Item = Option<&'t str>> + Clone,
    ) -> Option<Self> {
        let is_there = cells.clone().any(|cell| cell.is_some());
        is_there.then(|| Self::texts(title, cells.map(Option::unwrap_or_default)))
    }
}

impl Cells<'_> {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Texts(texts) => texts.len(),
            Self::Figures(_, figures) => figures.len(),
            Self::Values(values) => values.len(),
        }
    }
}

impl<'a> From<Vec<Column<'a>>> for Sheet<'a> {
    fn from(columns: Vec<Column<'a>>) -> Self {
        Self {
            columns,
            ..Self::default()
        }
    }
}

/// The view as people read it; no sheet for what has no columns.
pub(crate) fn to_read(view: &View) -> Vec<Sheet<'_>> {
    match view {
        View::Nothing | View::Json(_) => Vec::new(),
        View::Over(over) => vec![by_bucket(over).into()],
        View::Figures(figures) => vec![by_series(figures).into()],
        View::Funnels(funnels) => vec![by_step(funnels).into()],
        View::TimeToConvert(periods) => vec![by_bin(periods)],
        View::Correlation(correlation) => vec![by_event(correlation)],
        View::Retention(retention) => retention::triangles(retention),
        View::Paths(links) => vec![by_link(links).into()],
        View::Experiment(experiment) => vec![by_arm(experiment).into()],
        View::Rows(rows) => vec![by_row(rows).into()],
    }
}

/// The view as programs read it, under one header: where people read across, one record per figure.
pub(crate) fn to_compute(view: &View) -> Vec<Column<'_>> {
    match view {
        View::Retention(retention) => retention::records(retention),
        other => to_read(other)
            .into_iter()
            .flat_map(|sheet| sheet.columns)
            .collect(),
    }
}

fn by_bucket(over: &OverTime) -> Vec<Column<'_>> {
    let series = over.series.iter();
    let figures = series.map(|one| Column::figures(&one.name, over.unit, one.data.iter().copied()));
    std::iter::once(Column::texts(over.axis.title(), over.days.iter().cloned()))
        .chain(figures)
        .collect()
}

fn by_series(figures: &[Figure]) -> Vec<Column<'_>> {
    vec![
        Column::texts("series", figures.iter().map(|figure| figure.name.clone())),
        Column::counts("figure", figures.iter().map(|figure| figure.value)),
    ]
}

fn by_step(funnels: &[Funnel]) -> Vec<Column<'static>> {
    let rows = || {
        funnels
            .iter()
            .flat_map(|funnel| funnel.steps.iter().map(move |step| (funnel, step)))
    };
    let figures = |title, unit, figure: fn(&Step) -> f64| {
        Column::figures(title, unit, rows().map(|(_, step)| figure(step)))
    };
    let numbers = funnels.iter().flat_map(|funnel| 1..=funnel.steps.len());
    let mut columns = Vec::new();
    columns.extend(Column::optional(
        "breakdown",
        rows().map(|(funnel, _)| funnel.value.as_deref()),
    ));
    columns.extend(Column::optional(
        "period",
        rows().map(|(funnel, _)| funnel.period.as_deref()),
    ));
    columns.extend([
        Column::counts("step", numbers.map(|number| number as f64)),
        Column::texts("name", rows().map(|(_, step)| step.name.clone())),
        figures("count", Unit::Plain, |step| step.count),
    ]);
    if rows().any(|(_, step)| step.pending.is_finite()) {
        columns.push(figures("pending", Unit::Plain, |step| step.pending));
    }
    columns.extend([
        Column::figures(
            "of first",
            Unit::Percent,
            funnels.iter().flat_map(Funnel::of_first),
        ),
        Column::figures(
            "of previous",
            Unit::Percent,
            funnels.iter().flat_map(Funnel::of_previous),
        ),
        figures("average time", Unit::Seconds, |step| step.average),
        figures("median time", Unit::Seconds, |step| step.median),
    ]);
    columns
}

fn by_bin(periods: &[TimeToConvert]) -> Sheet<'_> {
    let of_bins = |period: &TimeToConvert| vec![period.period.clone(); period.counts.len()];
    let names: Vec<Option<String>> = periods.iter().flat_map(of_bins).collect();
    let mut columns = Vec::new();
    columns.extend(Column::optional(
        "period",
        names.iter().map(Option::as_deref),
    ));
    columns.extend([
        Column::figures(
            "from",
            Unit::Seconds,
            periods.iter().flat_map(|period| period.from.clone()),
        ),
        Column::counts(
            "count",
            periods.iter().flat_map(|period| period.counts.clone()),
        ),
    ]);
    Sheet {
        columns,
        notes: periods.iter().map(TimeToConvert::summary).collect(),
        heading: None,
    }
}

fn by_event(correlation: &Correlation) -> Sheet<'_> {
    let rows = || correlation.rows.iter();
    Sheet {
        columns: vec![
            Column::texts("event", rows().map(|row| row.name.clone())),
            Column::counts("converted", rows().map(|row| row.converted)),
            Column::counts("dropped", rows().map(|row| row.dropped)),
            Column::counts("odds", rows().map(|row| row.odds)),
            Column::texts("goes with", rows().map(|row| row.goes_with.clone())),
        ],
        notes: correlation
            .warning()
            .map(str::to_owned)
            .into_iter()
            .collect(),
        heading: None,
    }
}

fn by_link(links: &[Link]) -> Vec<Column<'_>> {
    vec![
        Column::counts("step", links.iter().map(|link| link.step as f64)),
        Column::texts("from", links.iter().map(|link| link.source.clone())),
        Column::texts("to", links.iter().map(|link| link.target.clone())),
        Column::counts("count", links.iter().map(|link| link.count)),
        Column::figures(
            "average time",
            Unit::Seconds,
            links.iter().map(|link| link.average),
        ),
    ]
}

fn by_arm(experiment: &Experiment) -> Vec<Column<'_>> {
    let arms = || experiment.arms.iter();
    let figures =
        |title, unit, figure: fn(&Arm) -> f64| Column::figures(title, unit, arms().map(figure));
    let effect = experiment.effect_unit;
    let mut columns = vec![
        Column::texts("variant", arms().map(|arm| arm.name.clone())),
        figures("entities", Unit::Plain, |arm| arm.entities),
        figures(experiment.measured, experiment.unit, |arm| arm.mean),
        figures("effect", effect, |arm| arm.effect),
        figures("from", effect, |arm| arm.low),
        figures("to", effect, |arm| arm.high),
    ];
    let chances = arms().map(|arm| arm.chance.map_or(f64::NAN, |(_, chance)| chance));
    columns.extend(match experiment.chance() {
        Some(Chance::ToWin) => {
            let chances = chances.map(|chance| 100.0 * chance);
            Some(Column::figures("chance to win", Unit::Percent, chances))
        }
        Some(Chance::PValue) => Some(Column::counts("p value", chances)),
        None => None,
    });
    columns.push(Column::texts(
        "verdict",
        arms().map(|arm| arm.verdict.clone()),
    ));
    columns
}

fn by_row(rows: &Rows) -> Vec<Column<'_>> {
    let column = |(i, title): (usize, &String)| Column {
        title: title.clone(),
        cells: Cells::Values(rows.rows.iter().map(|row| &row[i]).collect()),
    };
    rows.columns.iter().enumerate().map(column).collect()
}
