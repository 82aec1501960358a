//! A bound on a count: of the events that make an interval active, or of the active intervals that are asked for.

/// A count compared with a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bound {
    /// How they are compared.
    pub comparison: Comparison,
    /// The number.
    pub value: u64,
}

impl Bound {
    /// True where any event at all is enough: one or more.
    pub fn is_any_event(&self) -> bool {
        self.comparison == Comparison::AtLeast && self.value <= 1
    }
}

/// How a count is compared. Wire names: `gte`, `lte`, `exact`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(missing_docs, reason = "each is its name")]
pub enum Comparison {
    AtLeast,
    AtMost,
    #[default]
    Exactly,
}

pub(super) const WIRE_NAMES: &[(&str, Comparison)] = &[
    ("gte", Comparison::AtLeast),
    ("lte", Comparison::AtMost),
    ("exact", Comparison::Exactly),
];

impl Bound {
    /// This many or more.
    pub const fn at_least(value: u64) -> Self {
        Self::new(Comparison::AtLeast, value)
    }

    /// This many or fewer.
    pub const fn at_most(value: u64) -> Self {
        Self::new(Comparison::AtMost, value)
    }

    /// This many.
    pub const fn exactly(value: u64) -> Self {
        Self::new(Comparison::Exactly, value)
    }

    pub(super) const fn new(comparison: Comparison, value: u64) -> Self {
        Self { comparison, value }
    }
}

/// Any activity at all.
impl Default for Bound {
    fn default() -> Self {
        Self::at_least(1)
    }
}
