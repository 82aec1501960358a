//! Actions: named unions of steps, each an event with conditions; lowered to one [`Filter`].

use crate::Context;
use crate::error::{Error, Result};
use crate::filter::{
    Filter, Operator, Property, PropertyFilter, PropertyNode, PropertySource, check_regex,
};
use crate::reader::{Field, Object, Path};

use super::HARMLESS;

/// A named union of events.
#[derive(Debug, Clone, PartialEq)]
pub struct Action {
    /// Its number.
    pub id: i64,
    /// Its name, shown as the label of its series.
    pub name: String,
    /// An event matches when any of these does; none at all match everything.
    pub steps: Vec<ActionStep>,
}

/// One alternative of an action: everything in it must hold.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ActionStep {
    /// Name of the event; `None` is any.
    pub event: Option<String>,
    /// Condition on `$current_url`.
    pub url: Option<(UrlMatching, String)>,
    /// Further conditions.
    pub properties: PropertyNode,
    /// What the step asks of an element of the page, which cannot be run yet.
    pub element: Option<&'static str>,
}

/// How a step's URL is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UrlMatching {
    /// SQL LIKE with `%url%`, case-sensitive.
    #[default]
    Contains,
    /// Equality.
    Exact,
    /// A regular expression found anywhere.
    Regex,
}

const URL_MATCHINGS: &[(&str, UrlMatching)] = &[
    ("contains", UrlMatching::Contains),
    ("exact", UrlMatching::Exact),
    ("regex", UrlMatching::Regex),
];

const ELEMENT_FIELDS: [&str; 4] = ["selector", "tag_name", "href", "text"];

const STEP_HARMLESS: &[&str] = &[
    "id",
    "name",
    "uuid",
    "action_id",
    "is_new",
    "href_matching",
    "text_matching",
    "selector_regex",
];

impl Action {
    pub(super) fn parse(field: &Field<'_>) -> Result<Self> {
        let mut object = field.object()?;
        let id = object.require("id")?.integer()?;
        let read = Self {
            id,
            name: object.text("name")?.unwrap_or_else(|| id.to_string()),
            steps: object
                .list("steps")?
                .iter()
                .map(ActionStep::parse)
                .collect::<Result<_>>()?,
        };
        object.finish(&[HARMLESS])?;
        Ok(read)
    }

    /// What an event must satisfy to be this action.
    pub(crate) fn resolve(&self, context: &Context, path: &Path) -> Result<Filter> {
        if self.steps.is_empty() {
            return Ok(Filter::always());
        }
        let steps: Result<Vec<Filter>> = self
            .steps
            .iter()
            .map(|step| step.resolve(context, path))
            .collect();
        Ok(Filter::any(steps?))
    }
}

impl ActionStep {
    fn parse(field: &Field<'_>) -> Result<Self> {
        let mut object = field.object()?;
        let matching = object
            .one_of("url_matching", URL_MATCHINGS)?
            .unwrap_or_default();
        let read = Self {
            event: object.text("event")?,
            url: parse_url(&mut object, matching)?,
            properties: PropertyNode::parse_field(&mut object, "properties")?,
            element: parse_element(&mut object)?,
        };
        object.finish(&[STEP_HARMLESS])?;
        Ok(read)
    }

    fn resolve(&self, context: &Context, path: &Path) -> Result<Filter> {
        if let Some(field) = self.element {
            return Err(Error::unsupported(
                format!("an action step with `{field}`"),
                "describe the event by its name, `url` and `properties`",
            ));
        }
        let event = self.event.clone().map(Filter::Event);
        let url = self
            .url
            .as_ref()
            .map(|(matching, url)| current_url(*matching, url));
        let properties = self.properties.resolve(context, path)?;
        Ok(Filter::all(
            event.into_iter().chain(url).chain([properties]),
        ))
    }
}

fn parse_url(
    object: &mut Object<'_>,
    matching: UrlMatching,
) -> Result<Option<(UrlMatching, String)>> {
    let Some(field) = object.get("url") else {
        return Ok(None);
    };
    let url = field.text()?;
    if matching == UrlMatching::Regex {
        check_regex(&field.path, &url)?;
    }
    Ok((!url.is_empty()).then_some((matching, url)))
}

fn parse_element(object: &mut Object<'_>) -> Result<Option<&'static str>> {
    let mut asked = None;
    for name in ELEMENT_FIELDS {
        let text = object.text(name)?;
        if text.is_some_and(|text| !text.is_empty()) {
            asked = asked.or(Some(name));
        }
    }
    Ok(asked)
}

fn current_url(matching: UrlMatching, url: &str) -> Filter {
    Filter::Property(PropertyFilter {
        property: Property {
            source: PropertySource::Event,
            key: "$current_url".to_owned(),
        },
        operator: match matching {
            UrlMatching::Contains => Operator::Contains,
            UrlMatching::Exact => Operator::Exact,
            UrlMatching::Regex => Operator::Regex,
        },
        values: vec![url.to_owned()],
    })
}
