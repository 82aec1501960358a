//! The operators that compare a property with values, and their wire names.

/// How a property is compared. Wire names: [`Operator::name`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "each is its wire name")]
pub enum Operator {
    Exact,
    IsNot,
    Icontains,
    NotIcontains,
    StartsWith,
    NotStartsWith,
    EndsWith,
    NotEndsWith,
    Regex,
    NotRegex,
    Gt,
    Gte,
    Lt,
    Lte,
    IsSet,
    IsNotSet,
    IsDateExact,
    IsDateBefore,
    IsDateAfter,
    In,
    NotIn,
    Between,
    NotBetween,
    IsCleanedPathExact,
    SemverEq,
    SemverNeq,
    SemverGt,
    SemverGte,
    SemverLt,
    SemverLte,
    SemverTilde,
    SemverCaret,
    SemverWildcard,
    /// Case-sensitive SQL LIKE with `%value%`: an action's `url` with `contains`. Not on the wire.
    Contains,
}

/// Wire names; where an operator has two, the first is its own.
pub(crate) const WIRE_NAMES: &[(&str, Operator)] = &[
    ("exact", Operator::Exact),
    ("is_not", Operator::IsNot),
    ("icontains", Operator::Icontains),
    ("not_icontains", Operator::NotIcontains),
    ("starts_with", Operator::StartsWith),
    ("not_starts_with", Operator::NotStartsWith),
    ("ends_with", Operator::EndsWith),
    ("not_ends_with", Operator::NotEndsWith),
    ("regex", Operator::Regex),
    ("not_regex", Operator::NotRegex),
    ("gt", Operator::Gt),
    ("gte", Operator::Gte),
    ("lt", Operator::Lt),
    ("lte", Operator::Lte),
    ("is_set", Operator::IsSet),
    ("is_not_set", Operator::IsNotSet),
    ("is_date_exact", Operator::IsDateExact),
    ("is_date_before", Operator::IsDateBefore),
    ("is_date_after", Operator::IsDateAfter),
    ("in", Operator::In),
    ("not_in", Operator::NotIn),
    ("between", Operator::Between),
    ("not_between", Operator::NotBetween),
    ("is_cleaned_path_exact", Operator::IsCleanedPathExact),
    ("semver_eq", Operator::SemverEq),
    ("semver_neq", Operator::SemverNeq),
    ("semver_gt", Operator::SemverGt),
    ("semver_gte", Operator::SemverGte),
    ("semver_lt", Operator::SemverLt),
    ("semver_lte", Operator::SemverLte),
    ("semver_tilde", Operator::SemverTilde),
    ("semver_caret", Operator::SemverCaret),
    ("semver_wildcard", Operator::SemverWildcard),
    ("min", Operator::Gte),
    ("max", Operator::Lte),
];

impl Operator {
    /// Its wire name.
    pub fn name(self) -> &'static str {
        WIRE_NAMES
            .iter()
            .find(|(_, operator)| *operator == self)
            .map_or("contains", |(name, _)| name)
    }

    /// True when the operator asks for presence only and takes no value.
    pub(crate) const fn takes_no_value(self) -> bool {
        matches!(self, Self::IsSet | Self::IsNotSet)
    }

    /// True when the values are dates, which may be relative.
    pub(crate) const fn compares_dates(self) -> bool {
        matches!(
            self,
            Self::IsDateExact | Self::IsDateBefore | Self::IsDateAfter
        )
    }
}
