//! Breakdown values as rows show them.

use serde_json::Value;

use super::{Breakdown, LineValue};

/// The value, after the series' name where there is more than one series; cohorts next to everybody are as many queries.
pub(crate) fn row_label(
    name: &str,
    series: usize,
    breakdown: Option<&Breakdown>,
    value: &LineValue,
) -> String {
    let (value, queries) = match (value, breakdown) {
        (LineValue::Labels(labels), _) => (labels.join("::"), series),
        (LineValue::Cohort(position), Some(Breakdown::Cohorts(cohorts))) => {
            let apart = cohorts.len() == 1 || cohorts.iter().any(Option::is_none);
            let queries = series * if apart { cohorts.len() } else { 1 };
            let label = match cohorts.get(*position) {
                Some(Some(cohort)) => cohort.name.clone(),
                _ => "all users".to_owned(),
            };
            (label, queries)
        }
        _ => return name.to_owned(),
    };
    if queries > 1 {
        format!("{name} - {value}")
    } else {
        value
    }
}

/// The breakdown value as rows hold it: a text, a list of texts in the list form, a cohort's number or `all`.
pub(crate) fn breakdown_value(breakdown: Option<&Breakdown>, value: &LineValue) -> Option<Value> {
    match (value, breakdown) {
        (LineValue::Labels(labels), Some(Breakdown::Properties { list: true, .. })) => {
            Some(labels.as_slice().into())
        }
        (LineValue::Labels(labels), _) => labels.first().map(|label| label.as_str().into()),
        (LineValue::Cohort(position), Some(Breakdown::Cohorts(cohorts))) => {
            Some(match cohorts.get(*position) {
                Some(Some(cohort)) => cohort.id.into(),
                _ => "all".into(),
            })
        }
        _ => None,
    }
}
