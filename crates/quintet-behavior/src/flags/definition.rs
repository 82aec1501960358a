//! What a flag says, ready to be evaluated.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::Value;

use super::Subject;
use crate::property::Matcher;

/// A flag.
#[derive(Debug, Clone, Default)]
pub struct Flag {
    /// Its name in code; part of what is hashed.
    pub key: String,
    /// Its number, by which other flags may name it too.
    pub id: Option<i64>,
    /// Off for everybody unless true.
    pub active: bool,
    /// Alternatives, tried in order.
    pub conditions: Vec<Condition>,
    /// A condition whose test holds but whose roll-out excludes ends the evaluation.
    pub early_exit: bool,
    /// What is handed out to those for whom the flag is on.
    pub variants: Vec<Variant>,
    /// What comes with a value: by a variant's key, or under `true`.
    pub payloads: Vec<(String, Value)>,
    /// Whom the flag as a whole is about.
    pub by: Option<usize>,
    /// What a person is rolled out by. Groups always go by their key.
    pub bucketing: Bucketing,
    /// Whoever is kept out of experiments.
    pub holdout: Option<Holdout>,
    /// What persons decided for themselves, which goes before conditions where they did.
    pub enrollment: Option<Condition>,
}

/// What a person is rolled out by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Bucketing {
    /// The distinct id.
    #[default]
    DistinctId,
    /// The device.
    DeviceId,
}

/// One way to have a flag on.
#[derive(Debug, Clone)]
pub struct Condition {
    /// Whom it is about, and by whom it is rolled out.
    pub by: Subject,
    /// What must hold of them.
    pub test: Test,
    /// The share of them, in percent, that it takes in; all of them without.
    pub rollout: Option<f64>,
    /// The variant that they get; one that the flag has not is none.
    pub variant: Option<String>,
}

/// A variant and its share of those for whom the flag is on.
#[derive(Debug, Clone, PartialEq)]
pub struct Variant {
    /// Its name in code.
    pub key: String,
    /// Percent. What all variants leave of 100 is on without a variant.
    pub percentage: f64,
}

/// A share of everybody that is kept out of experiments.
#[derive(Debug, Clone)]
pub struct Holdout {
    /// Who can be held out at all.
    pub test: Test,
    /// Percent.
    pub percentage: f64,
    /// What they get instead, such as `holdout-3`.
    pub variant: String,
}

/// Something that holds of a context or does not.
#[derive(Debug, Clone)]
pub enum Test {
    /// Every one holds; an empty list is true.
    All(Vec<Test>),
    /// At least one holds; an empty list is false.
    Any(Vec<Test>),
    /// It does not hold.
    Not(Box<Test>),
    /// A property compared with values.
    Property {
        /// Whose.
        of: Subject,
        /// Its name.
        key: String,
        /// With what it is compared, and how.
        matcher: Box<Matcher>,
    },
    /// The person goes by one of these ids.
    Listed(Arc<HashSet<String>>),
    /// Another flag has some value.
    Flag(Dependency),
}

/// Another flag, and the value it must have.
#[derive(Debug, Clone)]
pub struct Dependency {
    /// Its key, or its number as text.
    pub flag: String,
    /// What it must be.
    pub wanted: Wanted,
    /// Where it stands in the set; none for a flag that is not there, or that waits for this one.
    pub(super) at: Option<usize>,
}

/// What another flag must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// On, with or without a variant.
    On,
    /// Off.
    Off,
    /// Exactly this variant.
    Variant(String),
}

impl Flag {
    /// An active flag without conditions: it is off.
    pub fn named(key: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            active: true,
            ..Self::default()
        }
    }

    /// Everything that the flag asks.
    pub(super) fn tests_mut(&mut self) -> impl Iterator<Item = &mut Test> {
        let conditions = self.conditions.iter_mut().chain(&mut self.enrollment);
        let holdout = self.holdout.iter_mut().map(|holdout| &mut holdout.test);
        conditions
            .map(|condition| &mut condition.test)
            .chain(holdout)
    }

    /// Whether an answer can depend on a property, or on the ids, of these.
    pub fn asks_about(&self, subject: Subject) -> bool {
        let conditions = self.conditions.iter().chain(&self.enrollment);
        let mut tests = conditions
            .map(|condition| &condition.test)
            .chain(self.holdout.iter().map(|holdout| &holdout.test));
        tests.any(|test| test.asks_about(subject))
    }
}

impl Condition {
    /// Takes in everybody of this kind.
    pub const fn of(by: Subject) -> Self {
        Self {
            by,
            test: Test::always(),
            rollout: None,
            variant: None,
        }
    }
}

impl Test {
    /// Holds of everybody.
    pub const fn always() -> Self {
        Self::All(Vec::new())
    }

    /// Holds of nobody.
    pub const fn never() -> Self {
        Self::Any(Vec::new())
    }

    /// Whether it asks for a property, or for the ids, of these. What other flags ask is not counted.
    pub fn asks_about(&self, subject: Subject) -> bool {
        match self {
            Self::All(tests) | Self::Any(tests) => {
                tests.iter().any(|test| test.asks_about(subject))
            }
            Self::Not(test) => test.asks_about(subject),
            Self::Property { of, .. } => *of == subject,
            Self::Listed(_) => subject == Subject::Person,
            Self::Flag(_) => false,
        }
    }

    pub(super) fn dependencies<'a>(&'a mut self, found: &mut Vec<&'a mut Dependency>) {
        match self {
            Self::All(tests) | Self::Any(tests) => {
                tests.iter_mut().for_each(|test| test.dependencies(found));
            }
            Self::Not(test) => test.dependencies(found),
            Self::Flag(dependency) => found.push(dependency),
            Self::Property { .. } | Self::Listed(_) => {}
        }
    }
}

impl Dependency {
    /// On a flag, by its key or its number as text.
    pub fn on(flag: impl Into<String>, wanted: Wanted) -> Self {
        Self {
            flag: flag.into(),
            wanted,
            at: None,
        }
    }
}
