//! Promoted properties: which ones get a typed column of their own, and the values of those columns.

mod columns;
mod names;

use std::borrow::Cow;

use hashbrown::HashMap;

pub(crate) use columns::columns;

use self::columns::Scalar;
use self::names::Names;
use super::parallel;
use crate::error::Result;
use crate::ingest::StagedEvents;
use crate::schema::{Promoted, PropertyType};

/// Promoted are properties that at least one row in this many has.
const ONE_ROW_IN: u64 = 20;
/// As many rows at most are looked at, evenly spread. What they do not show makes a column unfit, not wrong.
const SAMPLED_ROWS: usize = 65_536;
/// At most this many properties are promoted.
const MAX_PROMOTED: usize = 24;
/// These have columns or tables of their own, or are read at ingestion only; or are looked for in the text of stored rows, which
/// goes without promoted properties.
const NEVER_PROMOTED: [&str; 3] = ["$set", "$group", "$process_person_profile"];

/// The properties to promote, given the first rows of a store.
pub(crate) fn choose(staged: &StagedEvents) -> Result<Vec<Promoted>> {
    let rows = staged.len();
    let apart = rows.div_ceil(SAMPLED_ROWS).max(1);
    let share = rows.div_ceil(parallel::cores()).next_multiple_of(apart);
    let shares: Vec<_> = (0..rows)
        .step_by(share.max(1))
        .map(|start| start..rows.min(start + share))
        .collect();
    let parts = parallel::map(&shares, |rows| {
        let mut seen = Frequencies::default();
        let rows = rows.clone().step_by(apart);
        let texts: Vec<Cow<'_, str>> = rows.map(|row| staged.properties_of(row)).collect();
        seen.count(texts.iter().map(AsRef::as_ref))?;
        Ok(seen)
    })?;
    Ok(Frequencies::sum(parts).frequent())
}

/// Whether a property may have a column of its own, whatever its values.
pub(crate) fn may_be_promoted(name: &str) -> bool {
    !NEVER_PROMOTED.iter().any(|prefix| name.starts_with(prefix))
}

/// How often which properties have a value, and of which types.
#[derive(Debug, Default)]
pub(crate) struct Frequencies {
    rows: u64,
    seen: HashMap<String, Seen>,
}

impl Frequencies {
    /// Counts the properties of these rows too.
    pub(crate) fn count<'a>(&mut self, texts: impl Iterator<Item = &'a str>) -> Result<()> {
        let mut names = Names::default();
        let mut counts: Vec<Seen> = Vec::new();
        for text in texts {
            self.rows += 1;
            names.walk(text, |name, value| {
                if counts.len() <= name {
                    counts.resize(name + 1, Seen::default());
                }
                counts[name].note(&Scalar::of(value));
            })?;
        }
        for (name, counts) in counts.iter().enumerate() {
            let seen = self.seen.entry_ref(names.get(name)).or_default();
            seen.add(counts);
        }
        Ok(())
    }

    /// The counts of all parts together.
    pub(crate) fn sum(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut sum = Self::default();
        for part in parts {
            sum.rows += part.rows;
            for (name, counts) in part.seen {
                sum.seen.entry(name).or_default().add(&counts);
            }
        }
        sum
    }

    /// The frequent properties of one scalar type; most frequent first.
    pub(crate) fn frequent(self) -> Vec<Promoted> {
        let mut chosen: Vec<(u64, Promoted)> = self
            .seen
            .into_iter()
            .filter(|(name, _)| may_be_promoted(name))
            .filter_map(|(name, seen)| {
                let kind = seen.only_kind()?;
                (seen.present * ONE_ROW_IN >= self.rows)
                    .then_some((seen.present, Promoted { name, kind }))
            })
            .collect();
        chosen.sort_unstable_by(|(a_rows, a), (b_rows, b)| {
            b_rows.cmp(a_rows).then_with(|| a.name.cmp(&b.name))
        });
        chosen.truncate(MAX_PROMOTED);
        chosen.into_iter().map(|(_, promoted)| promoted).collect()
    }

    /// What the values of a property are.
    pub(crate) fn values(&self, name: &str) -> Values {
        match self.seen.get(name).filter(|seen| seen.present > 0) {
            None => Values::Missing,
            Some(seen) => seen.only_kind().map_or(Values::Mixed, Values::Only),
        }
    }

    /// Whether a column of this type could hold all values of the property.
    pub(crate) fn fits(&self, property: &Promoted) -> bool {
        match self.values(&property.name) {
            Values::Missing => true,
            Values::Only(kind) => kind == property.kind,
            Values::Mixed => false,
        }
    }
}

/// What the values of a property are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Values {
    /// No row has one.
    Missing,
    /// All are of this type.
    Only(PropertyType),
    /// They are of several types, or no scalars.
    Mixed,
}

/// How often a property has a value, and of which types.
#[derive(Debug, Clone, Default)]
struct Seen {
    present: u64,
    kind: Option<PropertyType>,
    mixed: bool,
}

impl Seen {
    fn note(&mut self, value: &Scalar<'_>) {
        if *value != Scalar::Null {
            self.add(&Self {
                present: 1,
                kind: value.kind(),
                mixed: value.kind().is_none(),
            });
        }
    }

    fn add(&mut self, other: &Self) {
        self.present += other.present;
        self.mixed |=
            other.mixed || matches!((self.kind, other.kind), (Some(a), Some(b)) if a != b);
        self.kind = self.kind.or(other.kind);
    }

    fn only_kind(&self) -> Option<PropertyType> {
        if self.mixed { None } else { self.kind }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::files::testing::staged_with;

    fn promoted(name: &str, kind: PropertyType) -> Promoted {
        Promoted {
            name: name.into(),
            kind,
        }
    }

    #[test]
    fn frequent_properties_of_one_scalar_type_are_promoted_most_frequent_first() {
        let staged = staged_with(&[
            r#"{"t":"x","n":1,"b":true,"mixed":1,"list":[1],"$set":"x","$group_type":"c","gone":null}"#,
            r#"{"t":"y","n":2.5,"mixed":"a","big":9007199254740993}"#,
            r#"{"t":"\u00e9"}"#,
        ]);
        let chosen = choose(&staged).unwrap();
        let expected = [
            promoted("t", PropertyType::Text),
            promoted("n", PropertyType::Number),
            promoted("b", PropertyType::Bool),
        ];
        assert_eq!(chosen, expected);
    }

    #[test]
    fn a_rare_property_is_not_promoted() {
        let mut texts = vec![r#"{"a":1}"#; 40];
        texts[0] = r#"{"a":1,"rare":1}"#;
        assert_eq!(
            choose(&staged_with(&texts)).unwrap(),
            [promoted("a", PropertyType::Number)]
        );
    }
}
