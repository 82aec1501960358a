//! Reading an `InsightActorsQuery`, alone or in the `ActorsQuery` that PostHog wraps it in.

use serde_json::Value;

use crate::error::{Error, Result};
use crate::query::not_run;
use crate::reader::{Field, Object, Path, value_text};

use super::super::parse::NODE_HARMLESS;
use super::super::{NULL_LABEL, TrendsQuery};
use super::{ActorsBreakdown, InsightActorsQuery};

impl InsightActorsQuery {
    pub(crate) fn parse(field: &Field<'_>) -> Result<Self> {
        let mut object = field.object()?;
        let query = Self {
            source: parse_source(&object.require("source")?)?,
            day: object.text("day")?.filter(|day| !day.is_empty()),
            series: object.count("series")?.unwrap_or(0),
            breakdown: object
                .get("breakdown")
                .map(|field| ActorsBreakdown::parse(&field))
                .transpose()?,
            previous: object
                .one_of("compare", &[("current", false), ("previous", true)])?
                .unwrap_or(false),
            ..Self::default()
        };
        object.finish(&[NODE_HARMLESS, &["includeRecordings", "interval", "status"]])?;
        Ok(query)
    }

    /// Reads the `ActorsQuery` that PostHog wraps the question in.
    pub(crate) fn parse_wrapped(field: &Field<'_>) -> Result<Self> {
        let mut object = field.object()?;
        let source = Field::new(Path::root(), object.require("source")?.value);
        let kind = source.object()?.require("kind")?;
        let mut query = match kind.text()?.as_str() {
            "InsightActorsQuery" => Self::parse(&source)?,
            other => return Err(not_run(&kind, other)),
        };
        for name in ["properties", "fixedProperties"] {
            refuse_filters(&mut object, name)?;
        }
        query.select = object
            .list("select")?
            .iter()
            .map(Field::text)
            .collect::<Result<_>>()?;
        query.ascending = parse_order(&object.list("orderBy")?)?;
        query.limit = object.count("limit")?;
        query.offset = object.count("offset")?.unwrap_or(0);
        query.search = object.text("search")?.filter(|text| !text.is_empty());
        object.finish(&[NODE_HARMLESS])?;
        Ok(query)
    }
}

fn parse_source(field: &Field<'_>) -> Result<TrendsQuery> {
    let kind = field.object()?.require("kind")?;
    match kind.text()?.as_str() {
        "TrendsQuery" => TrendsQuery::parse(field),
        other => Err(not_run(&kind, other)),
    }
}

fn refuse_filters(object: &mut Object<'_>, name: &'static str) -> Result<()> {
    let empty = |value: &Value| {
        value.as_array().is_some_and(Vec::is_empty)
            || value.as_object().is_some_and(serde_json::Map::is_empty)
    };
    match object.get(name) {
        Some(field) if !empty(field.value) => Err(Error::unsupported(
            format!("the field `{}` of an ActorsQuery", field.path),
            "put the filters into the trend's `properties`",
        )),
        _ => Ok(()),
    }
}

/// True for fewest events first. Further columns only break ties.
fn parse_order(columns: &[Field<'_>]) -> Result<bool> {
    let Some(first) = columns.first() else {
        return Ok(false);
    };
    let text = first.text()?;
    match text
        .to_ascii_lowercase()
        .split_whitespace()
        .collect::<Vec<_>>()
        .as_slice()
    {
        ["event_count", "desc"] => Ok(false),
        ["event_count"] | ["event_count", "asc"] => Ok(true),
        _ => Err(Error::unsupported(
            format!("the order '{text}' ({})", first.path),
            "take event_count DESC or event_count ASC",
        )),
    }
}

impl ActorsBreakdown {
    fn parse(field: &Field<'_>) -> Result<Self> {
        match field.value {
            Value::Array(_) => Ok(Self::Values(
                field
                    .list()?
                    .iter()
                    .map(|item| label_text(item.value))
                    .collect(),
            )),
            Value::Object(_) => {
                Err(field.invalid("must be a value as rows show it, or a list of them"))
            }
            other => Ok(Self::Value(label_text(other))),
        }
    }
}

/// A value as rows show it; null is shown as its label.
fn label_text(value: &Value) -> String {
    match value {
        Value::Null => NULL_LABEL.to_owned(),
        other => value_text(other),
    }
}
