//! Reading questions about experiments from JSON.

use crate::DateRange;
use crate::error::Result;
use crate::insight::{NODE_HARMLESS, parse_group_type};
use crate::reader::{Field, Object};
use crate::series::{EventsNode, SeriesNode, parse_properties};

use super::{ExperimentExposureQuery, ExperimentQuery, Method, MetricNode, MultipleVariants};

/// Fields that name the record of an experiment, of which there is none here.
const RECORD_HARMLESS: &[&str] = &["experiment_id", "experiment_name"];

impl ExperimentExposureQuery {
    pub(crate) fn parse(field: &Field<'_>) -> Result<Self> {
        let mut object = field.object()?;
        let query = Self::parse_fields(&mut object)?;
        object.finish(&[NODE_HARMLESS, RECORD_HARMLESS])?;
        Ok(query)
    }

    fn parse_fields(object: &mut Object<'_>) -> Result<Self> {
        object.refuse("holdout", "leave the holdout's entities out with a filter")?;
        let key = object.require("feature_flag_key")?;
        let variants = object.require("variants")?;
        let mut query = Self {
            feature_flag_key: key.text()?,
            variants: variants
                .list()?
                .iter()
                .map(parse_variant)
                .collect::<Result<_>>()?,
            group_type: parse_group_type(object)?,
            date_range: DateRange {
                date_from: Some(object.require("start_date")?.text()?),
                date_to: object.text("end_date")?,
                explicit: true,
            },
            filter_test_accounts: object.flag("filterTestAccounts")?,
            ..Self::default()
        };
        if let Some(criteria) = object.object("exposure_criteria")? {
            query.parse_criteria(criteria)?;
        }
        Ok(query)
    }

    fn parse_criteria(&mut self, mut object: Object<'_>) -> Result<()> {
        self.filter_test_accounts |= object.flag("filterTestAccounts")?;
        let handlings = [
            ("exclude", MultipleVariants::Exclude),
            ("first_seen", MultipleVariants::FirstSeen),
        ];
        let handling = object.one_of("multiple_variant_handling", &handlings)?;
        self.multiple = handling.unwrap_or_default();
        let exposure = object.get("exposure_config");
        self.exposure = exposure.map(|field| parse_exposure(&field)).transpose()?;
        object.finish(&[])
    }
}

/// A text, or PostHog's object with a `key`.
fn parse_variant(field: &Field<'_>) -> Result<String> {
    match field.value.is_object() {
        true => field.object()?.require("key")?.text(),
        false => field.text(),
    }
}

fn parse_exposure(field: &Field<'_>) -> Result<SeriesNode> {
    let mut object = field.object()?;
    let kind = object.get("kind");
    let node = match kind.as_ref().and_then(|kind| kind.value.as_str()) {
        None | Some("ExperimentEventExposureConfig") => {
            let event = object.require("event")?.text()?;
            let mut node = EventsNode::new(event);
            node.properties = parse_properties(&mut object)?;
            node
        }
        Some(_) => SeriesNode::parse_events(&mut object)?,
    };
    object.finish(&[NODE_HARMLESS])?;
    Ok(node)
}

impl ExperimentQuery {
    pub(crate) fn parse(field: &Field<'_>) -> Result<Self> {
        let mut object = field.object()?;
        let query = Self {
            exposures: ExperimentExposureQuery::parse_fields(&mut object)?,
            metric: MetricNode::parse(&object.require("metric")?)?,
            method: match object.object("stats_config")? {
                Some(config) => Method::parse_config(config)?,
                None => Method::parse(&mut object)?,
            },
        };
        object.finish(&[NODE_HARMLESS, RECORD_HARMLESS])?;
        Ok(query)
    }
}
