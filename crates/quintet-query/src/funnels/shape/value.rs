//! What a row of a broken down funnel is about. Rules: `spec/funnels.md` section 6.

use std::slice;
use std::sync::Arc;

use serde_json::Value;

use crate::breakdown::{Breakdown, BreakdownPart};
use crate::filter::{Cohort, PropertySource};
use crate::funnels::cohorts;

/// The most rows where nothing is pooled.
const MOST_ROWS: usize = 100;

/// A breakdown value. Ascending as rows of the same figures are: what is pooled comes last.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum RowValue {
    /// There is no breakdown.
    Everything,
    /// Of a property of a group.
    Text(String),
    /// Of any other properties, even of one.
    List(Vec<String>),
    Cohort {
        id: i64,
        name: String,
    },
    /// The values beyond the limit.
    Other {
        list: bool,
    },
}

/// How many values have a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limit {
    pub(super) rows: usize,
    /// The others share one more row; else they have none.
    pub(super) pools_others: bool,
}

impl RowValue {
    /// The value with these texts, as the engine names it.
    pub(super) fn of(breakdown: Option<&Breakdown>, texts: Vec<String>) -> Self {
        match breakdown {
            None => Self::Everything,
            Some(Breakdown::Properties { list: true, .. }) => Self::List(texts),
            Some(Breakdown::Properties { .. }) => {
                Self::Text(texts.into_iter().next().unwrap_or_default())
            }
            Some(Breakdown::Cohorts(cohorts)) => {
                let position = texts.first().and_then(|text| text.parse().ok());
                Self::of_cohort(cohorts, position.unwrap_or(0))
            }
        }
    }

    fn of_cohort(cohorts: &[Option<Arc<Cohort>>], position: usize) -> Self {
        let (id, name) = cohorts::identity(cohorts, position);
        Self::Cohort { id, name }
    }

    /// What is pooled of these values.
    pub(super) fn other(breakdown: &Breakdown) -> Self {
        Self::Other {
            list: matches!(breakdown, Breakdown::Properties { list: true, .. }),
        }
    }

    /// The values that have a row where anybody has one: a single cohort and those outside it.
    pub(super) fn always(breakdown: &Breakdown) -> Vec<Self> {
        match breakdown {
            Breakdown::Cohorts(cohorts) => match cohorts.as_slice() {
                single @ [Some(_)] => vec![Self::of_cohort(single, 0), Self::of_cohort(single, 1)],
                _ => Vec::new(),
            },
            Breakdown::Properties { .. } => Vec::new(),
        }
    }

    /// The texts by which trends are ordered.
    pub(super) fn texts(&self) -> &[String] {
        match self {
            Self::List(texts) => texts,
            Self::Text(text) => slice::from_ref(text),
            Self::Cohort { name, .. } => slice::from_ref(name),
            Self::Everything | Self::Other { .. } => &[],
        }
    }

    /// As people read it: cohorts by their name. Null without a breakdown.
    pub(super) fn label(&self) -> Value {
        match self {
            Self::Everything => Value::Null,
            Self::Text(text) | Self::Cohort { name: text, .. } => text.as_str().into(),
            Self::List(texts) => texts.as_slice().into(),
            Self::Other { list: false } => "Other".into(),
            Self::Other { list: true } => ["Other"].as_slice().into(),
        }
    }

    /// As queries name it: cohorts by their number.
    pub(super) fn key(&self) -> Value {
        match self {
            Self::Cohort { id, .. } => (*id).into(),
            _ => self.label(),
        }
    }
}

impl Limit {
    pub(super) fn of(breakdown: &Breakdown) -> Self {
        match breakdown {
            Breakdown::Properties { parts, limit, .. } if parts.iter().all(is_limited) => Self {
                rows: *limit,
                pools_others: true,
            },
            _ => Self {
                rows: MOST_ROWS,
                pools_others: false,
            },
        }
    }
}

fn is_limited(part: &BreakdownPart) -> bool {
    match part.property.source {
        PropertySource::Event | PropertySource::Person | PropertySource::Group(_) => true,
        PropertySource::EventMetadata | PropertySource::Session => false,
    }
}
