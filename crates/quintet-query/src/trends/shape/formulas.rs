//! Rows of formulas: series zipped bucket by bucket, value by value. Rules: `spec/trends.md` section 6.

use std::cmp::Ordering;
use std::collections::HashSet;

use serde_json::Value;

use crate::breakdown::{Line, LineValue, Rank, breakdown_value};
use crate::trends::{Breakdown, Formula, Trends};

use super::Answer;
use super::row::of_formula;

/// The rows of all formulas; those of the series are not shown.
pub(super) fn rows(trends: &Trends, answers: &[Answer<'_>]) -> Vec<Value> {
    if asks_for_everybody(trends) {
        return rows_cohort_by_cohort(trends, answers);
    }
    let mut rows = Vec::new();
    for formula in trends.formulas.iter().enumerate() {
        for answer in answers {
            let mut lines: Vec<Line> = values(answer)
                .into_iter()
                .map(|value| line(formula.1, answer, value))
                .collect();
            if answers.len() > 1 {
                sort_compared(trends, &mut lines);
            } else {
                sort_alone(trends, &mut lines);
            }
            rows.extend(
                lines
                    .iter()
                    .map(|line| of_formula(trends, formula, answer, line)),
            );
        }
    }
    rows
}

fn asks_for_everybody(trends: &Trends) -> bool {
    matches!(&trends.breakdown, Some(Breakdown::Cohorts(cohorts)) if cohorts.iter().any(Option::is_none))
}

/// Cohorts next to everybody keep the order asked, each with all its formulas.
fn rows_cohort_by_cohort(trends: &Trends, answers: &[Answer<'_>]) -> Vec<Value> {
    let mut rows = Vec::new();
    for answer in answers {
        let mut cohorts = values(answer);
        cohorts.sort_by_key(|value| match value {
            LineValue::Cohort(position) => *position,
            _ => usize::MAX,
        });
        for cohort in cohorts {
            for formula in trends.formulas.iter().enumerate() {
                let line = line(formula.1, answer, cohort.clone());
                rows.push(of_formula(trends, formula, answer, &line));
            }
        }
    }
    rows
}

/// Every value that some series has, in the order first met.
fn values(answer: &Answer<'_>) -> Vec<LineValue> {
    let mut met = HashSet::new();
    answer
        .series
        .iter()
        .flatten()
        .map(|line| &line.value)
        .filter(|value| met.insert((*value).clone()))
        .cloned()
        .collect()
}

/// The formula over the lines that the series have for this value; a series without one counts as zeros.
fn line(formula: &Formula, answer: &Answer<'_>, value: LineValue) -> Line {
    let operands: Vec<Option<&Line>> = answer
        .series
        .iter()
        .map(|lines| lines.iter().find(|line| line.value == value))
        .collect();
    let mut point = vec![0.0; operands.len()];
    let data: Vec<f64> = (0..answer.period.buckets())
        .map(|bucket| {
            for (number, operand) in point.iter_mut().zip(&operands) {
                *number = operand
                    .and_then(|line| line.data.get(bucket))
                    .copied()
                    .unwrap_or(0.0);
            }
            formula.evaluate(&point)
        })
        .collect();
    Line {
        value,
        count: data.iter().sum(),
        data,
    }
}

/// Plain values, then the missing one, then the rest; inside by total and points descending, last by the text of the value from Z to A.
fn sort_alone(trends: &Trends, lines: &mut [Line]) {
    lines.sort_by(|one, other| {
        scalar_rank(trends, &one.value)
            .cmp(&scalar_rank(trends, &other.value))
            .then_with(|| other.total().total_cmp(&one.total()))
            .then_with(|| compare_points(&other.data, &one.data))
            .then_with(|| python_repr(trends, &other.value).cmp(&python_repr(trends, &one.value)))
    });
}

/// Values in natural order, then by count descending where there is one.
fn sort_compared(trends: &Trends, lines: &mut [Line]) {
    let key = |line: &Line| natural_key(&label(&line.value));
    lines.sort_by_cached_key(key);
    if !trends.display.is_one_number() {
        lines.sort_by(|one, other| other.count.total_cmp(&one.count));
    }
}

/// Lists are never taken for the missing value or the rest.
fn scalar_rank(trends: &Trends, value: &LineValue) -> Rank {
    match &trends.breakdown {
        Some(Breakdown::Properties { list: false, .. }) => value.rank(),
        _ => Rank::Plain,
    }
}

fn compare_points(one: &[f64], other: &[f64]) -> Ordering {
    one.iter()
        .zip(other)
        .map(|(one, other)| one.total_cmp(other))
        .find(|ordering| ordering.is_ne())
        .unwrap_or_else(|| one.len().cmp(&other.len()))
}

fn label(value: &LineValue) -> String {
    match value {
        LineValue::Labels(labels) => labels.join("::"),
        LineValue::Cohort(position) => position.to_string(),
        LineValue::Everything => String::new(),
    }
}

/// The value as Python prints it, by which PostHog breaks ties.
fn python_repr(trends: &Trends, value: &LineValue) -> String {
    match breakdown_value(trends.breakdown.as_ref(), value) {
        Some(Value::String(text)) => quoted(&text),
        Some(Value::Array(parts)) => {
            let parts: Vec<String> = parts.iter().filter_map(Value::as_str).map(quoted).collect();
            format!("[{}]", parts.join(", "))
        }
        Some(other) => other.to_string(),
        None => String::new(),
    }
}

fn quoted(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\");
    if escaped.contains('\'') && !escaped.contains('"') {
        format!("\"{escaped}\"")
    } else {
        format!("'{}'", escaped.replace('\'', "\\'"))
    }
}

/// A run of digits counts as a number, letters whatever their case.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum NaturalPart {
    Number(usize, String),
    Text(String),
}

fn natural_key(text: &str) -> Vec<NaturalPart> {
    let mut parts: Vec<NaturalPart> = Vec::new();
    for c in text.to_lowercase().chars() {
        match (parts.last_mut(), c.is_ascii_digit()) {
            (Some(NaturalPart::Number(length, digits)), true) if *length > 0 || c != '0' => {
                *length += 1;
                digits.push(c);
            }
            (Some(NaturalPart::Number(..)), true) => {}
            (Some(NaturalPart::Text(text)), false) => text.push(c),
            (_, true) if c == '0' => parts.push(NaturalPart::Number(0, String::new())),
            (_, true) => parts.push(NaturalPart::Number(1, c.to_string())),
            (_, false) => parts.push(NaturalPart::Text(c.to_string())),
        }
    }
    parts
}
