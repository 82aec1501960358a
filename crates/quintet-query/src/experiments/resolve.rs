//! From an experiment as it is asked for to what it means in a context. Rules: `spec/groups-and-ingestion.md` §6.1.

use chrono::{DateTime, Days as OfDays};
use chrono_tz::Tz;

use crate::calendar::{Calendar, midnight};
use crate::dates::Reading;
use crate::error::{Error, Result};
use crate::filter::{Filter, Operator, Property, PropertyFilter, PropertySource};
use crate::funnels::{DEFAULT_SIMULTANEITY_MS, Order, StepNode};
use crate::insight::followed;
use crate::reader::Path;
use crate::series::{Actor, EventsNode, Math, SeriesNode, SeriesSource};
use crate::trends::Aggregate;
use crate::{Context, Interval};

use super::metric_parse::strict;
use super::{
    Days, Experiment, ExperimentExposureQuery, ExperimentQuery, Exposures, Goal, MULTIPLE,
    Measured, Method, Metric, MetricKind, MetricNode, RetentionNode, RetentionWindow, Source,
};

/// The event that clients send when they ask for a feature flag.
const FLAG_CALLED: &str = "$feature_flag_called";
/// More days are a mistake rather than an experiment.
const MOST_DAYS: usize = 20_000;
/// Beside the exposure; there is a bit for each.
const MOST_STEPS: usize = 63;

impl ExperimentExposureQuery {
    /// What this means in `context`.
    ///
    /// # Errors
    /// [`Error::Invalid`] names the place of what is wrong; [`Error::Unsupported`] says what to use instead.
    pub fn resolve(&self, context: &Context) -> Result<Exposures> {
        let root = Path::root();
        if self.feature_flag_key.is_empty() {
            return Err(Error::invalid(
                &root.field("feature_flag_key"),
                "must name a feature flag",
            ));
        }
        self.check_variants(&root.field("variants"))?;
        let (from, to) = self.range(context)?;
        let (matching, variant) = self.exposure(context)?;
        Ok(Exposures {
            actor: followed(self.group_type.as_ref(), context)?,
            baseline: self
                .variants
                .iter()
                .position(|key| key == "control")
                .unwrap_or(0),
            variants: self.variants.clone(),
            matching: Filter::all([matching, self.test_accounts(context)?]),
            variant,
            from: from.timestamp_micros(),
            to: to.timestamp_micros(),
            multiple: self.multiple,
            days: days(from, to, context)?,
        })
    }

    fn check_variants(&self, path: &Path) -> Result<()> {
        if self.variants.is_empty() {
            return Err(Error::invalid(path, "must hold at least one variant"));
        }
        for (index, key) in self.variants.iter().enumerate() {
            let refused = |why: &str| Err(Error::invalid(&path.index(index), why));
            if key.is_empty() {
                return refused("must not be empty");
            } else if key == MULTIPLE {
                return refused("is the name of those that saw several variants");
            } else if self.variants.iter().take(index).any(|other| other == key) {
                return refused("is given twice");
            }
        }
        Ok(())
    }

    /// Both ends inclusive. Without an end, or with one that is yet to come, up to now.
    fn range(&self, context: &Context) -> Result<(DateTime<Tz>, DateTime<Tz>)> {
        let range = crate::DateRange {
            explicit: true,
            ..self.date_range.clone()
        };
        let reading = Reading::by(Interval::Day);
        let range = range
            .resolve_even_inverted(reading, context, &Path::root())
            .map_err(|error| match error {
                Error::Invalid { path, reason } => Error::Invalid {
                    path: path
                        .replace("date_from", "start_date")
                        .replace("date_to", "end_date"),
                    reason,
                },
                other => other,
            })?;
        match range.from <= range.to {
            true => Ok((range.from, range.to)),
            false => Err(Error::invalid(
                &Path::root().field("end_date"),
                "must not be before `start_date`",
            )),
        }
    }

    /// What an exposure is, and where its variant stands.
    fn exposure(&self, context: &Context) -> Result<(Filter, Property)> {
        let path = Path::root()
            .field("exposure_criteria")
            .field("exposure_config");
        let default = EventsNode::new(FLAG_CALLED);
        let node = self.exposure.as_ref().unwrap_or(&default);
        let events = events(node, context, &path)?;
        let called = SeriesSource::Event(Some(FLAG_CALLED.to_owned()));
        if node.source != called {
            let variant = of_event(format!("$feature/{}", self.feature_flag_key));
            return Ok((events, variant));
        }
        let of_flag = Filter::Property(PropertyFilter {
            property: of_event("$feature_flag".to_owned()),
            operator: Operator::Exact,
            values: vec![self.feature_flag_key.clone()],
        });
        let variant = of_event("$feature_flag_response".to_owned());
        Ok((Filter::all([events, of_flag]), variant))
    }

    fn test_accounts(&self, context: &Context) -> Result<Filter> {
        match self.filter_test_accounts {
            true => context
                .definitions
                .test_account_filters
                .resolve(context, &Path::root().field("test_account_filters")),
            false => Ok(Filter::always()),
        }
    }
}

fn of_event(key: String) -> Property {
    Property {
        source: PropertySource::Event,
        key,
    }
}

/// The days from here to there, as far as they have come.
fn days(from: DateTime<Tz>, to: DateTime<Tz>, context: &Context) -> Result<Days> {
    let calendar = Calendar::of(context);
    let last = to
        .min(context.now.with_timezone(&context.timezone))
        .date_naive();
    let mut days = Days {
        names: Vec::new(),
        starts: Vec::new(),
    };
    let mut day = from.date_naive();
    while day <= last {
        if days.names.len() == MOST_DAYS {
            return Err(Error::invalid(
                &Path::root().field("start_date"),
                format!("an experiment takes at most {MOST_DAYS} days; begin it later"),
            ));
        }
        days.names.push(day.format("%Y-%m-%d").to_string());
        days.starts
            .push(calendar.edge(midnight(day)).timestamp_micros());
        match day.checked_add_days(OfDays::new(1)) {
            Some(next) => day = next,
            None => break,
        }
    }
    Ok(days)
}

/// Which events a node is about.
fn events(node: &SeriesNode, context: &Context, path: &Path) -> Result<Filter> {
    let action = node.known_action(context, path)?;
    Ok(Filter::all([
        node.matching(action, context, path)?,
        node.properties
            .resolve(context, &path.field("properties"))?,
    ]))
}

impl ExperimentQuery {
    /// What this means in `context`.
    ///
    /// # Errors
    /// [`Error::Invalid`] names the place of what is wrong; [`Error::Unsupported`] says what to use instead.
    pub fn resolve(&self, context: &Context) -> Result<Experiment> {
        let path = Path::root().field("metric");
        let exposures = self.exposures.resolve(context)?;
        let MetricNode {
            name,
            goal,
            window,
            kind,
        } = &self.metric;
        Ok(Experiment {
            exposures,
            filter: self.exposures.test_accounts(context)?,
            metric: kind.resolve(context, &path)?,
            window: match window {
                Some(window) if window.length < 1 => {
                    let path = path.field("conversion_window");
                    return Err(Error::invalid(&path, "must be a whole number, 1 or more"));
                }
                Some(window) => Some(window.unit.times(window.length)),
                None => None,
            },
            goal: *goal,
            method: towards(self.method, *goal),
            name: name.clone(),
        })
    }
}

/// Of a metric that is to decrease, less is better.
fn towards(mut method: Method, goal: Goal) -> Method {
    if let Method::Bayesian { inverse, .. } = &mut method {
        *inverse |= goal == Goal::Decrease;
    }
    method
}

impl MetricKind {
    fn resolve(&self, context: &Context, path: &Path) -> Result<Metric> {
        let source = |node: &SeriesNode, name| Source::of(node, context, &path.field(name));
        Ok(match self {
            Self::Mean {
                source: node,
                clipping,
            } => Metric::Mean {
                source: source(node, "source")?,
                bounds: *clipping,
            },
            Self::Funnel { series, order } => {
                let path = path.field("series");
                if series.is_empty() || series.len() > MOST_STEPS {
                    let reason = format!("must hold 1 to {MOST_STEPS} steps after the exposure");
                    return Err(Error::invalid(&path, reason));
                }
                if *order == Order::Strict {
                    return Err(strict("metric.funnel_order_type"));
                }
                let step = |(index, step): (usize, &StepNode)| {
                    Ok((step.filter(context, &path.index(index))?, step.optional))
                };
                Metric::Funnel {
                    steps: series.iter().enumerate().map(step).collect::<Result<_>>()?,
                    order: *order,
                    simultaneity: DEFAULT_SIMULTANEITY_MS as i64 * 1_000,
                }
            }
            Self::Ratio {
                numerator,
                denominator,
            } => Metric::Ratio {
                numerator: source(numerator, "numerator")?,
                denominator: source(denominator, "denominator")?,
            },
            Self::Retention(node) => node.resolve(context, path)?,
        })
    }
}

impl RetentionNode {
    fn resolve(&self, context: &Context, path: &Path) -> Result<Metric> {
        if !(0..=self.to).contains(&self.from) {
            return Err(Error::invalid(
                &path.field("retention_window_start"),
                "must be 0 or more, and not above `retention_window_end`",
            ));
        }
        Ok(Metric::Retention {
            start: events(&self.start, context, &path.field("start_event"))?,
            completion: events(&self.completion, context, &path.field("completion_event"))?,
            window: RetentionWindow {
                from: self.unit.times(self.from),
                until: self.unit.times(self.to.saturating_add(1)),
            },
            handling: self.handling,
        })
    }
}

impl Source {
    fn of(node: &SeriesNode, context: &Context, path: &Path) -> Result<Self> {
        Ok(Self {
            matching: events(node, context, path)?,
            measured: Measured::of(node, context, path)?,
        })
    }
}

impl Measured {
    fn of(node: &SeriesNode, context: &Context, path: &Path) -> Result<Self> {
        let group = node.group_index(context, path)?;
        let of_property = |aggregate| Self::of_property(node, aggregate, context, path);
        match node.math {
            Math::Total => Ok(Self::Count),
            Math::UniqueSession => Ok(Self::Sessions),
            Math::Dau => Ok(Self::Actors(group.map_or(Actor::Person, Actor::Group))),
            Math::UniqueGroup => Ok(Self::Actors(Actor::Group(node.required(group, path)?))),
            Math::Sum => of_property(Aggregate::Sum),
            Math::Avg => of_property(Aggregate::Average),
            Math::Min => of_property(Aggregate::Minimum),
            Math::Max => of_property(Aggregate::Maximum),
            Math::Median => of_property(Aggregate::Quantile(0.5)),
            Math::P75 => of_property(Aggregate::Quantile(0.75)),
            Math::P90 => of_property(Aggregate::Quantile(0.9)),
            Math::P95 => of_property(Aggregate::Quantile(0.95)),
            Math::P99 => of_property(Aggregate::Quantile(0.99)),
            other => Err(Error::unsupported(
                format!("the math {} in an experiment ({path}.math)", other.name()),
                "take total, unique_session, dau, unique_group, or a math over a property",
            )),
        }
    }

    fn of_property(
        node: &SeriesNode,
        aggregate: Aggregate,
        context: &Context,
        path: &Path,
    ) -> Result<Self> {
        let path = path.field("math_property");
        let Some(property) = &node.math_property else {
            let math = node.math.name();
            return Err(Error::invalid(
                &path,
                format!("the math {math} needs a property of the events"),
            ));
        };
        let property = property.scope.property(&property.key, context, &path)?;
        if property.source == PropertySource::Session || property.key == "$session_duration" {
            return Err(Error::unsupported(
                format!("the length of sessions in an experiment ({path})"),
                "take a property of the events",
            ));
        }
        Ok(Self::Property {
            aggregate,
            property,
            multiplier: node.math_multiplier.unwrap_or(1.0),
        })
    }
}
