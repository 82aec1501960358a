//! How two arms are judged, as it is asked for. Rules: `spec/groups-and-ingestion.md` §6.2.

use crate::error::{Error, Result};
use crate::reader::{Field, Object};

/// How two means are set against each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Difference {
    /// By how much of the control's.
    #[default]
    Relative,
    /// By how much, in the unit of the metric.
    Absolute,
}

/// What is held to be likely before the experiment: a normal distribution of the effect.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prior {
    /// Its mean.
    pub mean: f64,
    /// Its variance, above 0.
    pub variance: f64,
}

/// How two arms are judged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Method {
    /// A normal posterior.
    Bayesian {
        /// What is judged.
        difference: Difference,
        /// How likely the interval holds the effect, between 0 and 1.
        level: f64,
        /// None takes every effect for equally likely.
        prior: Option<Prior>,
        /// Less is better. A metric that is to decrease says so too.
        inverse: bool,
    },
    /// Welch's t test.
    Frequentist {
        /// What is tested to be 0.
        difference: Difference,
        /// How often an effect may be seen where there is none, between 0 and 1.
        alpha: f64,
    },
}

const LEVEL: f64 = 0.95;
const ALPHA: f64 = 0.05;

impl Default for Method {
    fn default() -> Self {
        Self::bayesian()
    }
}

impl Method {
    /// A posterior of the relative difference, without a prior, with intervals of 95%.
    pub const fn bayesian() -> Self {
        Self::Bayesian {
            difference: Difference::Relative,
            level: LEVEL,
            prior: None,
            inverse: false,
        }
    }

    /// A test of the relative difference at 5%.
    pub const fn frequentist() -> Self {
        Self::Frequentist {
            difference: Difference::Relative,
            alpha: ALPHA,
        }
    }

    /// The same of this difference.
    #[must_use]
    pub const fn of(mut self, asked: Difference) -> Self {
        match &mut self {
            Self::Bayesian { difference, .. } | Self::Frequentist { difference, .. } => {
                *difference = asked;
            }
        }
        self
    }

    /// What is judged.
    pub const fn difference(&self) -> Difference {
        match self {
            Self::Bayesian { difference, .. } | Self::Frequentist { difference, .. } => *difference,
        }
    }

    /// Its wire name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Bayesian { .. } => "bayesian",
            Self::Frequentist { .. } => "frequentist",
        }
    }

    /// Reads the fields of an object that say how is judged: all may be absent.
    pub(super) fn parse(object: &mut Object<'_>) -> Result<Self> {
        let is_bayesian = parse_name(object)?;
        let difference = Difference::parse(object)?;
        let level = object.get("ci_level");
        let alpha = object.get("alpha");
        let prior = object.get("prior");
        let inverse = object.get("inverse");
        Ok(match is_bayesian {
            true => {
                let frequentist =
                    "belongs to the frequentist method; give `ci_level`, or that method";
                not_asked(alpha, frequentist)?;
                Self::Bayesian {
                    difference,
                    level: parse_level(level, LEVEL)?,
                    prior: prior
                        .map(|field| Prior::parse(&field))
                        .transpose()?
                        .flatten(),
                    inverse: inverse
                        .map(|field| field.flag())
                        .transpose()?
                        .unwrap_or(false),
                }
            }
            false => {
                not_asked(
                    level,
                    "belongs to the bayesian method; give `alpha`, or that method",
                )?;
                not_asked(
                    prior,
                    "belongs to the bayesian method; leave it out, or give that method",
                )?;
                // A test is two-sided, whichever direction is better.
                inverse.map(|field| field.flag()).transpose()?;
                Self::Frequentist {
                    difference,
                    alpha: parse_level(alpha, ALPHA)?,
                }
            }
        })
    }

    /// Reads PostHog's `stats_config`, where each method has its own object.
    pub(super) fn parse_config(mut object: Object<'_>) -> Result<Self> {
        let is_bayesian = parse_name(&mut object)?;
        let [bayesian, frequentist] = ["bayesian", "frequentist"].map(|name| object.get(name));
        object.finish(&[&["version", "method"]])?;
        let method = match is_bayesian {
            true => Self::bayesian(),
            false => Self::frequentist(),
        };
        let Some(chosen) = (if is_bayesian { bayesian } else { frequentist }) else {
            return Ok(method);
        };
        let mut chosen = chosen.object()?;
        let difference = Difference::parse(&mut chosen)?;
        let method = match method {
            Self::Bayesian { .. } => Self::Bayesian {
                difference,
                level: parse_level(chosen.get("ci_level"), LEVEL)?,
                prior: chosen
                    .get("prior")
                    .map(|field| Prior::parse(&field))
                    .transpose()?
                    .flatten(),
                inverse: chosen.flag("inverse")?,
            },
            Self::Frequentist { .. } => Self::Frequentist {
                difference,
                alpha: parse_level(chosen.get("alpha"), ALPHA)?,
            },
        };
        chosen.finish(&[])?;
        Ok(method)
    }
}

/// True for the posterior, which is the default.
fn parse_name(object: &mut Object<'_>) -> Result<bool> {
    let known = [("bayesian", true), ("frequentist", false)];
    Ok(object.one_of("method", &known)?.unwrap_or(true))
}

fn not_asked(field: Option<Field<'_>>, why: &str) -> Result<()> {
    field.map_or(Ok(()), |field| Err(field.invalid(why)))
}

fn parse_level(field: Option<Field<'_>>, default: f64) -> Result<f64> {
    let Some(field) = field else {
        return Ok(default);
    };
    match field.number()? {
        level if level > 0.0 && level < 1.0 => Ok(level),
        level => Err(field.invalid(format!("must lie between 0 and 1, not {level}"))),
    }
}

impl Difference {
    pub(super) fn parse(object: &mut Object<'_>) -> Result<Self> {
        let known = [("relative", Self::Relative), ("absolute", Self::Absolute)];
        Ok(object
            .one_of("difference_type", &known)?
            .unwrap_or_default())
    }

    /// Its wire name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Relative => "relative",
            Self::Absolute => "absolute",
        }
    }
}

impl Prior {
    /// None where it is not proper: then it says nothing.
    fn parse(field: &Field<'_>) -> Result<Option<Self>> {
        let mut object = field.object()?;
        let proper = object.get("proper").map(|field| field.flag()).transpose()?;
        if proper == Some(false) {
            return Ok(None);
        }
        let mean = object.number("mean")?.unwrap_or(0.0);
        let variance = object.require("variance")?;
        let found = variance.number()?;
        object.finish(&[])?;
        match found > 0.0 {
            true => Ok(Some(Self {
                mean,
                variance: found,
            })),
            false => Err(too_small(&variance)),
        }
    }
}

fn too_small(variance: &Field<'_>) -> Error {
    variance.invalid("must be above 0")
}
