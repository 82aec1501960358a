//! An experiment as it is asked for, and a builder for Rust. There is no record of experiments: a question says all of it.

use crate::insight::group_builders;
use crate::series::SeriesNode;
use crate::{DateRange, GroupType};

use super::{Method, MetricNode};

/// What becomes of entities that were exposed to several variants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MultipleVariants {
    /// They are counted under `$multiple` and leave the results.
    #[default]
    Exclude,
    /// They belong to the variant that they saw first.
    FirstSeen,
}

/// Who was exposed to which variant, as it is asked for.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ExperimentExposureQuery {
    /// The feature flag.
    pub feature_flag_key: String,
    /// The variants that take part, each once.
    pub variants: Vec<String>,
    /// Whose groups the variants were given to; persons without.
    pub group_type: Option<GroupType>,
    /// When it ran, to the instant; up to now without an end.
    pub date_range: DateRange,
    /// What an exposure is; that the flag was called without.
    pub exposure: Option<SeriesNode>,
    /// What becomes of those that saw several variants.
    pub multiple: MultipleVariants,
    /// Leaves out the project's test accounts, in exposures and in metrics.
    pub filter_test_accounts: bool,
}

/// An experiment as it is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct ExperimentQuery {
    /// Who takes part.
    pub exposures: ExperimentExposureQuery,
    /// What is measured.
    pub metric: MetricNode,
    /// How it is judged.
    pub method: Method,
}

impl ExperimentExposureQuery {
    /// The exposures to these variants of a feature flag.
    pub fn new(
        feature_flag_key: impl Into<String>,
        variants: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        Self {
            feature_flag_key: feature_flag_key.into(),
            variants: variants.into_iter().map(Into::into).collect(),
            date_range: DateRange {
                explicit: true,
                ..DateRange::default()
            },
            ..Self::default()
        }
    }

    group_builders!();

    /// When it ran: from here to there, or to now.
    #[must_use]
    pub fn dates(mut self, start: impl Into<String>, end: Option<&str>) -> Self {
        self.date_range = DateRange {
            date_from: Some(start.into()),
            date_to: end.map(str::to_owned),
            explicit: true,
        };
        self
    }

    /// Takes these events as exposures; their variant is the property `$feature/<key>`.
    #[must_use]
    pub fn exposed_by(mut self, events: SeriesNode) -> Self {
        self.exposure = Some(events);
        self
    }

    /// Says what becomes of those that saw several variants.
    #[must_use]
    pub fn multiple_variants(mut self, handling: MultipleVariants) -> Self {
        self.multiple = handling;
        self
    }

    /// Leaves out the project's test accounts.
    #[must_use]
    pub fn without_test_accounts(mut self) -> Self {
        self.filter_test_accounts = true;
        self
    }

    /// True when [`Context::earliest`](crate::Context::earliest) is needed to resolve it: it starts with the first event.
    pub fn needs_earliest(&self) -> bool {
        self.date_range.starts_with_first_event()
    }
}

impl ExperimentQuery {
    /// An experiment on a metric, judged by Bayes' rule.
    pub fn new(exposures: ExperimentExposureQuery, metric: MetricNode) -> Self {
        Self {
            exposures,
            metric,
            method: Method::default(),
        }
    }

    /// Judges it so.
    #[must_use]
    pub fn method(mut self, method: Method) -> Self {
        self.method = method;
        self
    }
}
