//! Reading a `TrendsQuery` from JSON. Rules: `spec/trends.md` sections 1 and 4.

use crate::breakdown::BreakdownFilter;
use crate::compare::CompareFilter;
use crate::error::Result;
use crate::insight::{
    DISPLAY_HARMLESS, EDITOR_HARMLESS, NODE_HARMLESS, parse_date_range, parse_interval,
};
use crate::reader::{Field, Object};
use crate::series::parse_series;

use super::display;
use super::query::{FormulaNode, TrendsQuery};

/// Series say whose groups they count, so that of the query as a whole changes no figure.
const QUERY_HARMLESS: &[&str] = &["aggregation_group_type_index"];

impl TrendsQuery {
    pub(crate) fn parse(field: &Field<'_>) -> Result<Self> {
        let mut object = field.object()?;
        object.refuse(
            "conversionGoal",
            "leave it out: it belongs to web analytics",
        )?;
        let mut query = Self {
            series: parse_series(&mut object)?,
            interval: parse_interval(&mut object)?,
            date_range: parse_date_range(&mut object)?,
            breakdown: BreakdownFilter::parse_field(&mut object)?,
            compare: CompareFilter::parse_field(&mut object)?,
            ..Self::default()
        };
        query.parse_conditions(&mut object)?;
        if let Some(filter) = object.object("trendsFilter")? {
            query.parse_trends_filter(filter)?;
        }
        object.finish(&[NODE_HARMLESS, EDITOR_HARMLESS, QUERY_HARMLESS])?;
        Ok(query)
    }

    fn parse_trends_filter(&mut self, mut object: Object<'_>) -> Result<()> {
        object.refuse("excludeIncompletePeriods", "end the range with `date_to`")?;
        self.display = object
            .one_of("display", display::WIRE_NAMES)?
            .unwrap_or_default();
        self.smoothing_intervals = object.count("smoothingIntervals")?.unwrap_or(1);
        self.formulas = parse_formulas(&mut object)?;
        object.finish(&[DISPLAY_HARMLESS])
    }
}

/// `formulaNodes` goes before `formulas`, and that before `formula`; empty ones do not count.
fn parse_formulas(object: &mut Object<'_>) -> Result<Vec<FormulaNode>> {
    let nodes: Vec<FormulaNode> = object
        .list("formulaNodes")?
        .iter()
        .map(FormulaNode::parse)
        .collect::<Result<_>>()?;
    let texts = object.texts("formulas")?;
    let single = object.text("formula")?;
    let chosen = if !nodes.is_empty() {
        nodes
    } else if !texts.is_empty() {
        texts.into_iter().map(FormulaNode::from).collect()
    } else {
        single.into_iter().map(FormulaNode::from).collect()
    };
    Ok(chosen
        .into_iter()
        .filter(|node| !node.formula.trim().is_empty())
        .collect())
}

impl From<String> for FormulaNode {
    fn from(formula: String) -> Self {
        Self {
            formula,
            custom_name: None,
        }
    }
}

impl FormulaNode {
    fn parse(field: &Field<'_>) -> Result<Self> {
        let mut object = field.object()?;
        let node = Self {
            formula: object.require("formula")?.text()?,
            custom_name: object.text("custom_name")?,
        };
        object.finish(&[])?;
        Ok(node)
    }
}
