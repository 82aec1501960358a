//! Questions about figures that are given: no event is read. Rules: `spec/groups-and-ingestion.md` §0 and §6.2.

use crate::error::Result;
use crate::insight::NODE_HARMLESS;
use crate::reader::{Field, Object};

use super::{Difference, Method};

/// A question about figures that are given.
#[derive(Debug, Clone, PartialEq)]
pub enum StatisticsQuestion {
    /// `ExperimentStatistics`: what two arms say of each other.
    Statistics {
        /// How they are judged.
        method: Method,
        /// What is judged.
        treatment: Statistic,
        /// What it is judged against.
        control: Statistic,
    },
    /// `ExperimentEffect`: the difference of two arms, with its variance.
    Effect {
        /// Which difference.
        difference: Difference,
        /// What is judged.
        treatment: Statistic,
        /// What it is judged against.
        control: Statistic,
    },
    /// `ExperimentCuped`: two arms adjusted by what was known before.
    Cuped {
        /// What is judged.
        treatment: CovariedNode,
        /// What it is judged against.
        control: CovariedNode,
    },
}

/// One value per entity, summed up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sums {
    /// Entities.
    pub n: u64,
    /// Of their values.
    pub sum: f64,
    /// Of the squares of their values.
    pub sum_squares: f64,
}

/// Two values per entity, summed up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RatioSums {
    /// Entities.
    pub n: u64,
    /// What is divided.
    pub numerator: Sums,
    /// By what.
    pub denominator: Sums,
    /// Of each entity's numerator times its denominator.
    pub sum_of_products: f64,
}

/// What is told of an arm.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Statistic {
    /// `sample_mean`: any values.
    Mean(Sums),
    /// `proportion`: values of 0 and 1.
    Proportion {
        /// Entities.
        n: u64,
        /// Those with 1.
        sum: f64,
    },
    /// `ratio`: a sum by another.
    Ratio(RatioSums),
}

/// An arm with what was known of it before.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CovariedNode {
    /// What is measured.
    pub metric: Statistic,
    /// What was known of the same entities before.
    pub covariate: Statistic,
    /// Of each entity's metric times its covariate.
    pub sum_of_products: f64,
}

impl StatisticsQuestion {
    pub(crate) const KINDS: &str = "ExperimentStatistics, ExperimentEffect, ExperimentCuped";

    /// Reads a question of this kind; none where it is of another.
    pub(crate) fn parse(kind: &str, field: &Field<'_>) -> Option<Result<Self>> {
        match kind {
            "ExperimentStatistics" | "ExperimentEffect" | "ExperimentCuped" => {
                Some(Self::parse_kind(kind, field))
            }
            _ => None,
        }
    }

    fn parse_kind(kind: &str, field: &Field<'_>) -> Result<Self> {
        let mut object = field.object()?;
        let question = match kind {
            "ExperimentStatistics" => Self::Statistics {
                method: Method::parse(&mut object)?,
                treatment: Statistic::parse(&object.require("treatment")?)?,
                control: Statistic::parse(&object.require("control")?)?,
            },
            "ExperimentEffect" => Self::Effect {
                difference: Difference::parse(&mut object)?,
                treatment: Statistic::parse(&object.require("treatment")?)?,
                control: Statistic::parse(&object.require("control")?)?,
            },
            _ => Self::Cuped {
                treatment: CovariedNode::parse(&mut object, "treatment", "treatment_covariate")?,
                control: CovariedNode::parse(&mut object, "control", "control_covariate")?,
            },
        };
        object.finish(&[NODE_HARMLESS])?;
        Ok(question)
    }
}

#[derive(Clone, Copy)]
enum Type {
    Mean,
    Proportion,
    Ratio,
}

const TYPES: &[(&str, Type)] = &[
    ("sample_mean", Type::Mean),
    ("proportion", Type::Proportion),
    ("ratio", Type::Ratio),
];

impl Statistic {
    fn parse(field: &Field<'_>) -> Result<Self> {
        let mut object = field.object()?;
        let statistic = Self::parse_fields(&mut object)?;
        object.finish(&[])?;
        Ok(statistic)
    }

    fn parse_fields(object: &mut Object<'_>) -> Result<Self> {
        Ok(match object.require("type")?.one_of(TYPES)? {
            Type::Mean => Self::Mean(Sums::parse_fields(object)?),
            Type::Proportion => Self::Proportion {
                n: parse_n(object)?,
                sum: object.require("sum")?.number()?,
            },
            Type::Ratio => Self::Ratio(RatioSums {
                n: parse_n(object)?,
                numerator: Sums::parse(&object.require("numerator")?)?,
                denominator: Sums::parse(&object.require("denominator")?)?,
                sum_of_products: object.require("sum_of_products")?.number()?,
            }),
        })
    }
}

impl Sums {
    fn parse(field: &Field<'_>) -> Result<Self> {
        let mut object = field.object()?;
        if let Some(kind) = object
            .get("type")
            .filter(|kind| kind.value != "sample_mean")
        {
            return Err(kind.invalid("must be sample_mean: the parts of a ratio are means"));
        }
        let sums = Self::parse_fields(&mut object)?;
        object.finish(&[])?;
        Ok(sums)
    }

    fn parse_fields(object: &mut Object<'_>) -> Result<Self> {
        Ok(Self {
            n: parse_n(object)?,
            sum: object.require("sum")?.number()?,
            sum_squares: object.require("sum_squares")?.number()?,
        })
    }
}

fn parse_n(object: &mut Object<'_>) -> Result<u64> {
    let field = object.require("n")?;
    match field.count()? {
        0 => Err(field.invalid("a sample has at least one entity; give 1 or more")),
        n => Ok(n as u64),
    }
}

impl CovariedNode {
    fn parse(
        object: &mut Object<'_>,
        metric: &'static str,
        covariate: &'static str,
    ) -> Result<Self> {
        let metric = Statistic::parse(&object.require(metric)?)?;
        let mut known = object.require(covariate)?.object()?;
        let node = Self {
            metric,
            covariate: Statistic::parse_fields(&mut known)?,
            sum_of_products: known.require("sum_of_cross_products")?.number()?,
        };
        known.finish(&[])?;
        Ok(node)
    }
}
