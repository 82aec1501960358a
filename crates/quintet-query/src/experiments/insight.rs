//! Experiments after validation: what the engine plans and [`super::shape`] turns into results. Times are microseconds since 1970 in UTC.

use crate::filter::{Filter, Property};
use crate::funnels::Order;
use crate::series::Actor;
use crate::trends::Aggregate;

use super::{Goal, Method, MultipleVariants};

/// A validated `ExperimentExposureQuery`.
#[derive(Debug, Clone, PartialEq)]
pub struct Exposures {
    /// Who is exposed, and what is one observation. Events without a group of the type are left out.
    pub actor: Actor,
    /// The variants that take part, at least one, each once.
    pub variants: Vec<String>,
    /// Position of the variant that the others are judged against: `control`, else the first.
    pub baseline: usize,
    /// What an event must be to be an exposure, but for its variant.
    pub matching: Filter,
    /// Where its variant stands.
    pub variant: Property,
    /// First instant of the experiment.
    pub from: i64,
    /// Last instant of the experiment.
    pub to: i64,
    /// What becomes of those that saw several variants.
    pub multiple: MultipleVariants,
    /// The days of the experiment, as far as it is known.
    pub days: Days,
}

/// Days in the project's zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Days {
    /// As `2024-01-31`.
    pub names: Vec<String>,
    /// When each starts.
    pub starts: Vec<i64>,
}

/// A validated `ExperimentQuery`.
#[derive(Debug, Clone, PartialEq)]
pub struct Experiment {
    /// Who takes part.
    pub exposures: Exposures,
    /// Conditions on every event of the metric.
    pub filter: Filter,
    /// What is measured.
    pub metric: Metric,
    /// How long after its exposure an entity is watched, the end exclusive.
    pub window: Option<i64>,
    /// What is better.
    pub goal: Goal,
    /// How it is judged.
    pub method: Method,
    /// The name of the metric, echoed.
    pub name: Option<String>,
}

/// What is measured of an entity after its exposure.
#[derive(Debug, Clone, PartialEq)]
pub enum Metric {
    /// A value.
    Mean {
        /// Where it comes from.
        source: Source,
        /// What becomes of outliers.
        bounds: Bounds,
    },
    /// Whether it takes all steps.
    Funnel {
        /// The steps after the exposure; those that are true may be left out.
        steps: Vec<(Filter, bool)>,
        /// How they must follow each other.
        order: Order,
        /// Events so close to the first of them are simultaneous.
        simultaneity: i64,
    },
    /// Two values.
    Ratio {
        /// What is divided.
        numerator: Source,
        /// By what.
        denominator: Source,
    },
    /// Whether it comes back after a start; who never starts is not counted.
    Retention {
        /// What starts.
        start: Filter,
        /// What counts as coming back.
        completion: Filter,
        /// When.
        window: RetentionWindow,
        /// Which of several starts counts.
        handling: StartHandling,
    },
}

/// Percentiles that outliers are moved to.
pub type Bounds = super::Clipping;

/// When coming back counts, after the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetentionWindow {
    /// From here on, the instant of the start itself excepted.
    pub from: i64,
    /// Up to here, exclusive.
    pub until: i64,
}

/// Which of several starts counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StartHandling {
    /// The first.
    #[default]
    FirstSeen,
    /// The last.
    LastSeen,
}

/// Where a value of an entity comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    /// Which events.
    pub matching: Filter,
    /// What is made of them.
    pub measured: Measured,
}

/// What is made of the events of an entity.
#[derive(Debug, Clone, PartialEq)]
pub enum Measured {
    /// How many there are.
    Count,
    /// In how many sessions; events without one are in none.
    Sessions,
    /// Of how many persons or groups.
    Actors(Actor),
    /// What a property comes to; texts that are no numbers come to nothing.
    Property {
        /// How.
        aggregate: Aggregate,
        /// Which.
        property: Property,
        /// Factor applied to the property first.
        multiplier: f64,
    },
}

impl Metric {
    /// Its wire name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Mean { .. } => "mean",
            Self::Funnel { .. } => "funnel",
            Self::Ratio { .. } => "ratio",
            Self::Retention { .. } => "retention",
        }
    }

    /// Every filter that it asks of events.
    pub fn filters(&self) -> Vec<&Filter> {
        match self {
            Self::Mean { source, .. } => vec![&source.matching],
            Self::Funnel { steps, .. } => steps.iter().map(|(step, _)| step).collect(),
            Self::Ratio {
                numerator,
                denominator,
            } => vec![&numerator.matching, &denominator.matching],
            Self::Retention {
                start, completion, ..
            } => vec![start, completion],
        }
    }
}
