//! Reading a `breakdownFilter`: one property, a list of them, or cohorts. Rules: `spec/trends.md` section 4.

use serde_json::Value;

use crate::GroupType;
use crate::error::{Error, Result};
use crate::filter::PropertyScope;
use crate::reader::{Field, Object, Path};
use crate::series::data_warehouse;

use super::{BreakdownBy, BreakdownFilter, BreakdownProperty, CohortChoice};

impl BreakdownFilter {
    /// Reads `breakdownFilter`; no breakdown without.
    pub(crate) fn parse_field(object: &mut Object<'_>) -> Result<Self> {
        let Some(mut object) = object.object("breakdownFilter")? else {
            return Ok(Self::default());
        };
        let list = object.list("breakdowns")?;
        let single = object.path.field("breakdown");
        let filter = Self::parse(object, &list)?;
        if let BreakdownBy::Properties(properties) = &filter.by {
            at_most_three(&single, properties.len())?;
        }
        Ok(filter)
    }

    /// The same as funnels read it: a list in `breakdowns` says nothing, one in `breakdown` may hold any number of properties.
    pub(crate) fn parse_field_of_funnel(object: &mut Object<'_>) -> Result<Self> {
        let Some(mut object) = object.object("breakdownFilter")? else {
            return Ok(Self::default());
        };
        object.get("breakdowns");
        Self::parse(object, &[])
    }

    fn parse(mut object: Object<'_>, list: &[Field<'_>]) -> Result<Self> {
        let single = object.get("breakdown");
        let kind = object.get("breakdown_type");
        let group_type = object.get("breakdown_group_type_index");
        let normalize_url = object.flag("breakdown_normalize_url")?;
        let bins = object
            .get("breakdown_histogram_bin_count")
            .map(|field| parse_bins(&field))
            .transpose()?
            .flatten();
        let by = if !list.is_empty() {
            parse_list(&object.path.field("breakdowns"), list)?
        } else if let Some(single) = single {
            let kind_text = kind.as_ref().map(Field::text).transpose()?;
            if kind_text.as_deref() == Some("cohort") {
                BreakdownBy::Cohorts(parse_cohorts(&single)?)
            } else {
                let scope = parse_scope(
                    kind.as_ref(),
                    group_type.as_ref(),
                    &object.path.field("breakdown_group_type_index"),
                )?;
                parse_single(&single, scope, normalize_url, bins)?
            }
        } else {
            BreakdownBy::Nothing
        };
        let filter = Self {
            by,
            limit: object.count("breakdown_limit")?.filter(|limit| *limit > 0),
            hide_other: object.flag("breakdown_hide_other_aggregation")?,
            true_other: object.flag("breakdown_true_other")?,
        };
        object.finish(&[&["breakdown_sort", "breakdown_path_cleaning"]])?;
        Ok(filter)
    }
}

fn parse_single(
    single: &Field<'_>,
    scope: PropertyScope,
    normalize_url: bool,
    bins: Option<u32>,
) -> Result<BreakdownBy> {
    let property = |key: String| BreakdownProperty {
        scope: scope.clone(),
        key,
        normalize_url,
        bins,
    };
    match single.value {
        Value::Array(_) => {
            let keys = single
                .list()?
                .iter()
                .map(Field::text)
                .collect::<Result<Vec<_>>>()?;
            Ok(match keys.len() {
                0 => BreakdownBy::Nothing,
                _ => BreakdownBy::Properties(keys.into_iter().map(property).collect()),
            })
        }
        _ => Ok(BreakdownBy::Property(property(single.text()?))),
    }
}

fn parse_list(path: &Path, list: &[Field<'_>]) -> Result<BreakdownBy> {
    at_most_three(path, list.len())?;
    let properties: Vec<BreakdownProperty> = list
        .iter()
        .map(BreakdownProperty::parse)
        .collect::<Result<_>>()?;
    Ok(BreakdownBy::Properties(properties))
}

pub(super) fn at_most_three(path: &Path, count: usize) -> Result<()> {
    if count > 3 {
        return Err(Error::invalid(
            path,
            format!("there can be at most 3 breakdowns, not {count}"),
        ));
    }
    Ok(())
}

impl BreakdownProperty {
    fn parse(field: &Field<'_>) -> Result<Self> {
        let mut object = field.object()?;
        let kind = object.get("type");
        if let Some(kind) = kind.as_ref().filter(|kind| *kind.value == "cohort") {
            return Err(kind.invalid("cohorts cannot stand in a list of breakdowns; write `breakdown` and `breakdown_type`"));
        }
        let group_type = object.get("group_type_index");
        let scope = parse_scope(
            kind.as_ref(),
            group_type.as_ref(),
            &field.path.field("group_type_index"),
        )?;
        let property = Self {
            scope,
            key: object.require("property")?.text()?,
            normalize_url: object.flag("normalize_url")?,
            bins: object
                .get("histogram_bin_count")
                .map(|field| parse_bins(&field))
                .transpose()?
                .flatten(),
        };
        object.finish(&[])?;
        Ok(property)
    }
}

fn parse_scope(
    kind: Option<&Field<'_>>,
    group_type: Option<&Field<'_>>,
    group_path: &Path,
) -> Result<PropertyScope> {
    let Some(kind) = kind else {
        return Ok(PropertyScope::Event);
    };
    match kind.text()?.as_str() {
        "event" => Ok(PropertyScope::Event),
        "person" => Ok(PropertyScope::Person),
        "session" => Ok(PropertyScope::Session),
        "event_metadata" => Ok(PropertyScope::EventMetadata),
        "group" => match group_type {
            Some(field) => Ok(PropertyScope::Group(GroupType::parse(field)?)),
            None => Err(Error::invalid(
                group_path,
                "a breakdown of type group needs the index of its group type, 0 to 4",
            )),
        },
        "hogql" => Err(Error::unsupported(
            format!("a breakdown of type hogql ({})", kind.path),
            "break down by a property, or ask with SQL",
        )),
        other if other.starts_with("data_warehouse") => Err(data_warehouse(&kind.path)),
        "revenue_analytics" => Err(Error::unsupported(
            format!("a breakdown of type revenue_analytics ({})", kind.path),
            "break down by a property of events, persons or groups",
        )),
        other => Err(kind.invalid(format!(
            "'{other}' must be one of event, person, group, session, cohort, event_metadata"
        ))),
    }
}

/// 0 is none, as the editor writes it.
fn parse_bins(field: &Field<'_>) -> Result<Option<u32>> {
    const MOST: u32 = 10_000;
    match u32::try_from(field.integer()?) {
        Ok(0) => Ok(None),
        Ok(bins) if bins <= MOST => Ok(Some(bins)),
        _ => Err(field.invalid(format!("must be a number of bins, 1 to {MOST}"))),
    }
}

fn parse_cohorts(field: &Field<'_>) -> Result<Vec<CohortChoice>> {
    match field.value {
        Value::Array(_) => field.list()?.iter().map(CohortChoice::parse).collect(),
        _ => Ok(vec![CohortChoice::parse(field)?]),
    }
}

impl CohortChoice {
    /// `all` and 0 are everybody.
    pub(super) fn parse(field: &Field<'_>) -> Result<Self> {
        if field.value == "all" {
            return Ok(Self::All);
        }
        let id = field
            .integer()
            .map_err(|_| field.invalid("must be the number of a cohort, or all"))?;
        Ok(if id == 0 { Self::All } else { Self::Cohort(id) })
    }
}
