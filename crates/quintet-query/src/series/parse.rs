//! Reading series from JSON. Rules: `spec/trends.md` section 1.

use crate::GroupType;
use crate::error::{Error, Result};
use crate::filter::{PropertyNode, PropertyScope};
use crate::insight::NODE_HARMLESS;
use crate::reader::{Field, Object, Path};

use super::{Math, MathProperty, SeriesNode, SeriesSource, math};

/// Fields of a series that other insights or editors use.
pub(crate) const SERIES_HARMLESS: &[&str] = &[
    "optionalInFunnel",
    "orderBy",
    "limit",
    "uuid",
    "order",
    "type",
];

/// Reads `series`; none when the field is absent.
pub(crate) fn parse_series(object: &mut Object<'_>) -> Result<Vec<SeriesNode>> {
    object
        .list("series")?
        .iter()
        .map(SeriesNode::parse)
        .collect()
}

impl SeriesNode {
    pub(crate) fn parse(field: &Field<'_>) -> Result<Self> {
        let mut object = field.object()?;
        object.refuse("math_hogql", "ask with SQL")?;
        object.refuse(
            "math_property_revenue_currency",
            "store the amount in one currency as a property of its own",
        )?;
        let mut series = Self::parse_events(&mut object)?;
        series.parse_math(&mut object)?;
        object.finish(&[NODE_HARMLESS, SERIES_HARMLESS])?;
        Ok(series)
    }

    /// Reads which events it is about and what it is called, but not what is counted.
    pub(crate) fn parse_events(object: &mut Object<'_>) -> Result<Self> {
        let mut series = Self::new(parse_source(object)?);
        series.name = object.text("name")?;
        series.custom_name = object.text("custom_name")?;
        series.properties = parse_properties(object)?;
        Ok(series)
    }

    fn parse_math(&mut self, object: &mut Object<'_>) -> Result<()> {
        self.math = match object.get("math") {
            Some(field) if *field.value == "hogql" => {
                return Err(Error::unsupported(
                    format!("the math hogql ({})", field.path),
                    "take a math over a property, or ask with SQL",
                ));
            }
            Some(field) => field.one_of(math::WIRE_NAMES)?,
            None => Math::default(),
        };
        self.math_group_type = object
            .get("math_group_type_index")
            .map(|field| GroupType::parse(&field))
            .transpose()?;
        self.math_multiplier = object.number("math_multiplier")?;
        self.math_property = parse_math_property(object)?;
        Ok(())
    }
}

/// The conditions of a node; those that an editor holds fixed are no different.
pub(crate) fn parse_properties(object: &mut Object<'_>) -> Result<PropertyNode> {
    let mut properties = PropertyNode::parse_field(object, "properties")?;
    let fixed = PropertyNode::parse_field(object, "fixedProperties")?;
    if fixed != PropertyNode::default() {
        properties.and(fixed);
    }
    Ok(properties)
}

fn parse_math_property(object: &mut Object<'_>) -> Result<Option<MathProperty>> {
    let key = object.filled_text("math_property")?;
    let Some(field) = object.get("math_property_type") else {
        return Ok(key.map(|key| MathProperty {
            scope: PropertyScope::Event,
            key,
        }));
    };
    if field.value == "data_warehouse_properties" {
        return Err(data_warehouse(&field.path));
    }
    const EVENT: usize = 0;
    const PERSON: usize = 1;
    const SESSION: usize = 2;
    let scope = match field.one_of(&[
        ("event_properties", EVENT),
        ("numerical_event_properties", EVENT),
        ("event", EVENT),
        ("person_properties", PERSON),
        ("person", PERSON),
        ("session_properties", SESSION),
        ("session", SESSION),
    ])? {
        PERSON => PropertyScope::Person,
        SESSION => PropertyScope::Session,
        _ => PropertyScope::Event,
    };
    Ok(key.map(|key| MathProperty { scope, key }))
}

fn parse_source(object: &mut Object<'_>) -> Result<SeriesSource> {
    let kind = object.require("kind")?;
    match kind.text()?.as_str() {
        "EventsNode" => Ok(SeriesSource::Event(object.filled_text("event")?)),
        "ActionsNode" => Ok(SeriesSource::Action(object.require("id")?.integer()?)),
        other if other.ends_with("DataWarehouseNode") => Err(data_warehouse(&kind.path)),
        "GroupNode" => Err(Error::unsupported(
            format!("a GroupNode ({})", kind.path),
            "define an action with one step for each of its events",
        )),
        other => Err(kind.invalid(format!("'{other}' must be one of EventsNode, ActionsNode"))),
    }
}

/// Why data beside the events cannot be asked.
pub(crate) fn data_warehouse(path: &Path) -> Error {
    Error::unsupported(
        format!("the data warehouse ({path})"),
        "load the rows as events, or ask with SQL",
    )
}
