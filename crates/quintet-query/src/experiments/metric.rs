//! Metrics as they are asked for, and a builder for Rust. Rules: `spec/groups-and-ingestion.md` §6.1.

use crate::funnels::{Order, StepNode, WindowUnit};
use crate::series::SeriesNode;

use super::StartHandling;

/// What is measured, as it is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricNode {
    /// Its name, echoed.
    pub name: Option<String>,
    /// What is better.
    pub goal: Goal,
    /// How long after its exposure an entity is watched; to the end of the experiment without.
    pub window: Option<ConversionWindow>,
    /// What is measured.
    pub kind: MetricKind,
}

/// What is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Goal {
    /// More.
    #[default]
    Increase,
    /// Less.
    Decrease,
}

/// So long after an exposure events count, the end exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConversionWindow {
    /// How many of the units, at least 1.
    pub length: i64,
    /// Of what.
    pub unit: WindowUnit,
}

/// What is measured.
#[derive(Debug, Clone, PartialEq)]
pub enum MetricKind {
    /// A value per entity.
    Mean {
        /// The events and what is made of them, as of a series.
        source: SeriesNode,
        /// What becomes of outliers.
        clipping: Clipping,
    },
    /// Whether an entity goes through the steps after its exposure.
    Funnel {
        /// The steps after the exposure, at least one.
        series: Vec<StepNode>,
        /// How they must follow each other.
        order: Order,
    },
    /// The sum of one value by that of another.
    Ratio {
        /// What is divided.
        numerator: SeriesNode,
        /// By what.
        denominator: SeriesNode,
    },
    /// Whether an entity that starts comes back.
    Retention(RetentionNode),
}

/// What becomes of outliers.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Clipping {
    /// Lower values are raised to this percentile, between 0 and 1.
    pub lower: Option<f64>,
    /// Higher values are lowered to this percentile, between 0 and 1.
    pub upper: Option<f64>,
    /// Zeros do not count when percentiles are taken.
    pub ignore_zeros: bool,
}

/// Whether an entity that starts comes back, as it is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct RetentionNode {
    /// What starts.
    pub start: SeriesNode,
    /// What counts as coming back.
    pub completion: SeriesNode,
    /// Whole units after the start from which on it counts.
    pub from: i64,
    /// And the last unit in which it counts.
    pub to: i64,
    /// Of what.
    pub unit: WindowUnit,
    /// Which of several starts counts.
    pub handling: StartHandling,
}

impl MetricNode {
    fn of(kind: MetricKind) -> Self {
        Self {
            name: None,
            goal: Goal::default(),
            window: None,
            kind,
        }
    }

    /// A value per entity: how many events, or what the math of the series makes of them.
    pub fn mean(source: SeriesNode) -> Self {
        Self::of(MetricKind::Mean {
            source,
            clipping: Clipping::default(),
        })
    }

    /// Whether an entity goes through these steps after its exposure.
    pub fn funnel(series: impl IntoIterator<Item = impl Into<StepNode>>) -> Self {
        Self::of(MetricKind::Funnel {
            series: series.into_iter().map(Into::into).collect(),
            order: Order::default(),
        })
    }

    /// The sum of one value by that of another.
    pub fn ratio(numerator: SeriesNode, denominator: SeriesNode) -> Self {
        Self::of(MetricKind::Ratio {
            numerator,
            denominator,
        })
    }

    /// Whether an entity that starts comes back.
    pub fn retention(retention: RetentionNode) -> Self {
        Self::of(MetricKind::Retention(retention))
    }

    /// Names it.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Takes less as better.
    #[must_use]
    pub fn decreasing(mut self) -> Self {
        self.goal = Goal::Decrease;
        self
    }

    /// Watches entities so long after their exposure.
    #[must_use]
    pub fn window(mut self, length: i64, unit: WindowUnit) -> Self {
        self.window = Some(ConversionWindow { length, unit });
        self
    }

    /// Moves outliers of a mean to these percentiles; other metrics have none.
    #[must_use]
    pub fn clipped(mut self, bounds: Clipping) -> Self {
        if let MetricKind::Mean { clipping, .. } = &mut self.kind {
            *clipping = bounds;
        }
        self
    }

    /// Lets the steps of a funnel come in this order; other metrics have none.
    #[must_use]
    pub fn order(mut self, asked: Order) -> Self {
        if let MetricKind::Funnel { order, .. } = &mut self.kind {
            *order = asked;
        }
        self
    }
}

impl MetricKind {
    /// Its wire name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Mean { .. } => "mean",
            Self::Funnel { .. } => "funnel",
            Self::Ratio { .. } => "ratio",
            Self::Retention(_) => "retention",
        }
    }
}
