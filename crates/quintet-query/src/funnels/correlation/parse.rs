//! Reading a `FunnelCorrelationQuery` and a `FunnelCorrelationActorsQuery` from JSON.

use crate::error::Result;
use crate::filter::PropertyNode;
use crate::insight::{ACTORS_HARMLESS, NODE_HARMLESS, parse_source};
use crate::reader::Field;
use crate::{ActorsPage, funnels::actors::usual_page};

use super::super::FunnelsActorsQuery;
use super::super::step::parse_node;
use super::{CorrelationKind, FunnelCorrelationActorsQuery, FunnelCorrelationQuery};

const KINDS: &[(&str, CorrelationKind)] = &[
    ("events", CorrelationKind::Events),
    (
        "event_with_properties",
        CorrelationKind::EventWithProperties,
    ),
    ("properties", CorrelationKind::Properties),
];

impl FunnelCorrelationQuery {
    pub(crate) fn parse(field: &Field<'_>) -> Result<Self> {
        let mut object = field.object()?;
        let query = Self {
            source: parse_source(
                &object.require("source")?,
                "FunnelsActorsQuery",
                FunnelsActorsQuery::parse,
            )?,
            kind: object.require("funnelCorrelationType")?.one_of(KINDS)?,
            exclude_event_names: object.texts("funnelCorrelationExcludeEventNames")?,
            event_names: object.texts("funnelCorrelationEventNames")?,
            exclude_event_property_names: object
                .texts("funnelCorrelationEventExcludePropertyNames")?,
            names: object.texts("funnelCorrelationNames")?,
            exclude_names: object.texts("funnelCorrelationExcludeNames")?,
        };
        object.finish(&[NODE_HARMLESS])?;
        Ok(query)
    }
}

impl FunnelCorrelationActorsQuery {
    pub(crate) fn parse(field: &Field<'_>) -> Result<Self> {
        let mut object = field.object()?;
        let query = Self {
            source: parse_source(
                &object.require("source")?,
                "FunnelCorrelationQuery",
                FunnelCorrelationQuery::parse,
            )?,
            converted: object
                .get("funnelCorrelationPersonConverted")
                .map(|field| field.flag())
                .transpose()?,
            event: object
                .object("funnelCorrelationPersonEntity")?
                .map(parse_node)
                .transpose()?,
            properties: PropertyNode::parse_field(&mut object, "funnelCorrelationPropertyValues")?,
            page: usual_page(ActorsPage::default()),
        };
        object.finish(&[NODE_HARMLESS, ACTORS_HARMLESS])?;
        Ok(query)
    }

    pub(crate) fn on_page(self, page: ActorsPage) -> Self {
        Self {
            page: usual_page(page),
            ..self
        }
    }
}
