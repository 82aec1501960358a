//! One figure per value: the parts of a breakdown as columns, and back as texts.

use std::ops::Range;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringViewArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Float64Type};
use datafusion::error::DataFusionError;
use datafusion::functions_aggregate::expr_fn::{max, min};
use datafusion::logical_expr::utils::{conjunction, disjunction};
use datafusion::logical_expr::{Expr, when};
use datafusion::prelude::lit;
use quintet_query::filter::Filter;
use quintet_query::trends::{Breakdown, BreakdownPart, OTHER_LABEL};

use super::matching::Matching;
use crate::data::{column, text};
use crate::run::Run;
use crate::{Error, Result};

/// The cohorts of a breakdown as filters.
pub(crate) fn cohort_filters(breakdown: Option<&Breakdown>) -> Vec<Filter> {
    let Some(Breakdown::Cohorts(cohorts)) = breakdown else {
        return Vec::new();
    };
    let member = |cohort| Filter::Cohort {
        cohort: std::sync::Arc::clone(cohort),
        negated: false,
    };
    cohorts.iter().flatten().map(member).collect()
}

/// The value of each part of a breakdown; `None` where there is none.
pub(super) type Values = Vec<Option<String>>;

/// A part of a breakdown that is computed by a plan of its own.
pub(super) struct Slice<'a> {
    /// Whose events count: everyone's, or those of a cohort.
    pub(super) members: Filter,
    /// By what these are told apart further.
    pub(super) parts: &'a [BreakdownPart],
    /// The position of the cohort, which then is the breakdown's value.
    position: Option<usize>,
}

impl Slice<'_> {
    /// The value that a text read from this slice stands for; none where it is empty.
    pub(super) fn value(&self, text: &str) -> Option<String> {
        match self.position {
            Some(position) => Some(position.to_string()),
            None => Some(text.to_owned()).filter(|text| !text.is_empty()),
        }
    }

    /// The values that a figure of this slice has in the end.
    pub(super) fn values(&self, found: Values) -> Values {
        match self.position {
            Some(position) => vec![Some(position.to_string())],
            None => found,
        }
    }
}

/// A breakdown by cohorts takes one plan per cohort, everything else one in all.
pub(super) fn slices(breakdown: Option<&Breakdown>) -> Vec<Slice<'_>> {
    let all = |parts| {
        vec![Slice {
            members: Filter::All(Vec::new()),
            parts,
            position: None,
        }]
    };
    match breakdown {
        None => all(&[]),
        Some(Breakdown::Properties { parts, .. }) => all(parts),
        Some(Breakdown::Cohorts(cohorts)) => {
            let slice = |(position, cohort): (usize, &Option<_>)| {
                let members = match cohort {
                    Some(cohort) => Filter::Cohort {
                        cohort: std::sync::Arc::clone(cohort),
                        negated: false,
                    },
                    None => Filter::All(Vec::new()),
                };
                Slice {
                    members,
                    parts: &[],
                    position: Some(position),
                }
            };
            cohorts.iter().enumerate().map(slice).collect()
        }
    }
}

/// The parts of a breakdown, the edges of numeric bins looked up.
pub(super) struct Parts<'a> {
    parts: Vec<(&'a BreakdownPart, Option<Vec<f64>>)>,
    /// All other values count as one, if there are any such.
    kept: Option<Vec<Values>>,
}

impl<'a> Parts<'a> {
    /// Bins have equal widths between the least and the greatest number among the events.
    pub(super) async fn of<'m>(
        parts: &'a [BreakdownPart],
        events: impl Fn() -> Result<Matching<'m>>,
        run: &Run,
    ) -> Result<Self> {
        let mut all = Vec::with_capacity(parts.len());
        for part in parts {
            let edges = match part.bins {
                None => None,
                Some(bins) => {
                    let mut events = events()?;
                    let number = events.number(&part.property)?;
                    let range = vec![
                        min(number.clone()).alias("least"),
                        max(number).alias("greatest"),
                    ];
                    Some(bin_edges(
                        &run.collect(events.events()?.aggregate(vec![], range)?)
                            .await?,
                        bins,
                    ))
                }
            };
            all.push((part, edges));
        }
        Ok(Self {
            parts: all,
            kept: None,
        })
    }

    /// The same parts, in which every value but these is [`OTHER_LABEL`].
    pub(super) fn keeping(self, kept: Vec<Values>) -> Self {
        Self {
            kept: Some(kept),
            ..self
        }
    }

    /// The values of an event, each under its [name](Self::columns).
    pub(super) fn exprs(&self, events: &mut Matching<'_>) -> Result<Vec<Expr>> {
        let parts = self.parts.iter();
        let values: Vec<Expr> = parts
            .map(|(part, edges)| events.breakdown(part, edges.as_deref()))
            .collect::<Result<_>>()?;
        let is_kept = self.kept.as_ref().map(|kept| is_one_of(&values, kept));
        let named = |(value, name): (Expr, String)| match &is_kept {
            None => Ok(value.alias(name)),
            Some(is_kept) => Ok(when(is_kept.clone(), value)
                .otherwise(text(OTHER_LABEL))?
                .alias(name)),
        };
        values.into_iter().zip(self.names()).map(named).collect()
    }

    /// Are there no values to tell apart?
    pub(super) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Names of the columns that hold the values.
    pub(super) fn names(&self) -> impl Iterator<Item = String> + use<> {
        (0..self.parts.len()).map(value_column)
    }

    /// The columns that hold the values.
    pub(super) fn columns(&self) -> Vec<Expr> {
        self.names().map(column).collect()
    }

    /// The values of all rows, for as many neighbouring ones as have the same.
    pub(super) fn read(&self, batch: &RecordBatch) -> Result<Vec<(Values, Range<usize>)>> {
        let columns = self
            .names()
            .map(|name| named(batch, &name, &DataType::Utf8View));
        let columns = columns.collect::<Result<Vec<_>>>()?;
        let columns: Vec<_> = columns
            .iter()
            .map(|column| column.as_string_view())
            .collect();
        // Equal views are equal values of one column, whose bytes need not be looked at.
        let has_same_view = |column: &StringViewArray, row: usize, other: usize| {
            let views = column.views();
            views.get(row) == views.get(other) && column.is_valid(row) && column.is_valid(other)
        };
        let is_same = |row: usize, other: usize| {
            let mut columns = columns.iter();
            columns.all(|column| {
                has_same_view(column, row, other) || value(column, row) == value(column, other)
            })
        };
        let mut runs = Vec::new();
        let mut start = 0;
        for end in 1..=batch.num_rows() {
            if end == batch.num_rows() || !is_same(end, start) {
                let values = columns
                    .iter()
                    .map(|column| value(column, start).map(str::to_owned));
                runs.push((values.collect(), start..end));
                start = end;
            }
        }
        Ok(runs)
    }
}

fn value(column: &StringViewArray, row: usize) -> Option<&str> {
    column.is_valid(row).then(|| column.value(row))
}

/// Whether the values are together one of those listed.
fn is_one_of(values: &[Expr], kept: &[Values]) -> Expr {
    let equal = |(value, wanted): (&Expr, &Option<String>)| match wanted {
        None => value.clone().is_null(),
        Some(wanted) => value.clone().eq(text(wanted.as_str())),
    };
    let all_equal = |wanted: &Values| conjunction(values.iter().zip(wanted).map(equal));
    disjunction(kept.iter().filter_map(all_equal)).unwrap_or_else(|| lit(false))
}

fn value_column(part: usize) -> String {
    format!("value {part}")
}

/// A column of a result as another type.
pub(super) fn named(batch: &RecordBatch, name: &str, kind: &DataType) -> Result<ArrayRef> {
    match batch.column_by_name(name) {
        Some(column) => Ok(cast(column, kind).map_err(DataFusionError::from)?),
        None => Err(Error::internal(format!("a plan lost its column {name}"))),
    }
}

/// `min + k * (max - min) / n`, the last one a little higher so that the greatest number is inside.
fn bin_edges(range: &[RecordBatch], bins: u32) -> Vec<f64> {
    let number = |name: &str| {
        let numbers = range
            .first()?
            .column_by_name(name)?
            .as_primitive_opt::<Float64Type>()?;
        numbers.iter().next().flatten()
    };
    let (Some(least), Some(greatest)) = (number("least"), number("greatest")) else {
        return Vec::new();
    };
    if least == greatest {
        return vec![least, greatest + 0.01];
    }
    let width = (greatest - least) / f64::from(bins.max(1));
    let mut edges: Vec<f64> = (0..=bins.max(1))
        .map(|k| least + f64::from(k) * width)
        .collect();
    if let Some(last) = edges.last_mut() {
        *last = greatest + 0.01;
    }
    edges
}
