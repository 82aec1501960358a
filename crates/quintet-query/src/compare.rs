//! Comparison with an earlier range: how definitions ask for it, which range is meant, and how rows say which one they are about.

use serde_json::{Map, Value};

use crate::dates::{Reading, ResolvedRange};
use crate::error::{Error, Result};
use crate::reader::{Object, Path};
use crate::{Context, DateRange, Interval};

/// Compares with an earlier range.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CompareFilter {
    /// False: no comparison.
    pub compare: bool,
    /// How much earlier, such as `-1w`; the length of the range without.
    pub compare_to: Option<String>,
}

impl CompareFilter {
    /// Reads `compareFilter`; no comparison without.
    pub(crate) fn parse_field(object: &mut Object<'_>) -> Result<Self> {
        let Some(mut object) = object.object("compareFilter")? else {
            return Ok(Self::default());
        };
        let filter = Self {
            compare: object.flag("compare")?,
            compare_to: object
                .text("compare_to")?
                .filter(|text| !text.trim().is_empty()),
        };
        object.finish(&[])?;
        Ok(filter)
    }

    /// The earlier range, if there is to be a comparison. `asked` is the interval of the query.
    pub(crate) fn resolve(
        &self,
        dates: &DateRange,
        current: &ResolvedRange,
        reading: Reading,
        asked: Interval,
        context: &Context,
    ) -> Result<Option<ResolvedRange>> {
        if !self.compare {
            return Ok(None);
        }
        let path = Path::root().field("compareFilter");
        let earlier = match &self.compare_to {
            Some(text) => {
                dates.earlier_by(text, current, reading, context, &path.field("compare_to"))
            }
            None => dates.before(current, reading, asked, context, &path),
        };
        earlier.map(Some)
    }
}

/// Which of two compared ranges a row is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compared {
    No,
    Current,
    Previous,
}

impl Compared {
    /// Says so in a row.
    pub(crate) fn insert(self, row: &mut Map<String, Value>) {
        let label = match self {
            Self::No => return,
            Self::Current => "current",
            Self::Previous => "previous",
        };
        row.insert("compare".to_owned(), true.into());
        row.insert("compare_label".to_owned(), label.into());
    }
}

/// Reads `compare` of an actors query: true for a figure of the earlier range.
pub(crate) fn parse_previous(object: &mut Object<'_>) -> Result<bool> {
    Ok(object
        .one_of("compare", &[("current", false), ("previous", true)])?
        .unwrap_or(false))
}

/// Refuses an actors query about the earlier range of an insight that has none.
pub(crate) fn refuse_previous(object: &mut Object<'_>, why: &str) -> Result<()> {
    match object
        .get("compare")
        .filter(|field| field.value != "current")
    {
        Some(compare) => Err(compare.invalid(format!("must be left out: {why}"))),
        None => Ok(()),
    }
}

/// An actors query that asks for the earlier range of a query without one.
pub(crate) fn not_compared() -> Error {
    Error::invalid(
        &Path::root().field("compare"),
        "is previous, but the query compares with nothing; set `compareFilter` in its source",
    )
}
