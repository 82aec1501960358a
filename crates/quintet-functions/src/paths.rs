//! Paths: what an event is called on them, and an aggregate of a person's events into links.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayBuilder, ArrayRef, AsArray, Int64Builder, StringViewArray, StringViewBuilder,
    UInt32Builder, UInt64Array,
};
use datafusion::arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::{exec_err, plan_datafusion_err};
use datafusion::error::Result;
use datafusion::logical_expr::{AggregateUDF, ScalarUDF};
use quintet_behavior::paths::{self, ItemRules, Items, PathFinder, Step, Wanted};
use serde::{Deserialize, Serialize};

use crate::columns::columns_function_after_text;
use crate::sequence::{
    Columns, Event, Kind, Outcomes, Reading, SequenceFunction, Values, list, list_of,
};

/// What `path_links` and `path_steps` take as their first argument, written as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PathsDefinition {
    /// The paths.
    pub paths: paths::Paths,
    /// The steps that count; only `path_steps` looks at them.
    #[serde(default = "any_step")]
    pub wanted: Wanted,
}

fn any_step() -> Wanted {
    Wanted::Any
}

impl PathsDefinition {
    fn read(json: &str) -> Result<Self> {
        serde_json::from_str(json)
            .map_err(|error| plan_datafusion_err!("this is no definition of paths: {error}"))
    }

    /// The paths in ranks of items; a text that no event has gets a rank beyond them all.
    fn finder(&self, items: &Values<'_>) -> PathFinder {
        self.paths.in_codes(|text| code(text, items))
    }
}

/// Ranks of texts that no event has: the sign that stands for what was left out, and any other.
const LEFT_OUT: u32 = u32::MAX;
const UNKNOWN: u32 = u32::MAX - 1;

fn code(text: &str, items: &Values<'_>) -> u32 {
    match items.rank(text) {
        Some(rank) => rank,
        None if text == paths::LEFT_OUT => LEFT_OUT,
        None => UNKNOWN,
    }
}

fn item<'a>(code: u32, items: &'a Values<'_>) -> &'a str {
    if code == LEFT_OUT {
        paths::LEFT_OUT
    } else {
        items.text(code)
    }
}

/// `path_item(rules, event, url, screen)`: what an event is called on a path; null where it takes no part.
pub(crate) fn path_item() -> Arc<ScalarUDF> {
    let text = DataType::Utf8View;
    columns_function_after_text("path_item", text.clone(), text, |rules, columns| {
        let [events, urls, screens] = columns else {
            return exec_err!("path_item takes rules, an event, a URL and a screen");
        };
        let rules: ItemRules = serde_json::from_str(rules)
            .map_err(|error| plan_datafusion_err!("these are no rules of path items: {error}"))?;
        let items = Items::new(&rules).map_err(|error| plan_datafusion_err!("{error}"))?;
        let (events, urls, screens) = (
            events.as_string_view(),
            urls.as_string_view(),
            screens.as_string_view(),
        );
        let mut found = StringViewBuilder::with_capacity(events.len());
        for row in 0..events.len() {
            let event = cell(events, row).unwrap_or_default();
            found.append_option(items.item(event, cell(urls, row), cell(screens, row)));
        }
        Ok(Arc::new(found.finish()))
    })
}

fn cell(texts: &StringViewArray, row: usize) -> Option<&str> {
    texts.is_valid(row).then(|| texts.value(row))
}

/// `path_links(definition, time, 0, 0, item)`: the links of a person's paths.
pub(crate) fn path_links() -> Arc<AggregateUDF> {
    static KIND: Kind = Kind {
        name: "path_links",
        columns: Columns::Marked,
        returns: || list_of(link_fields()),
        reading: |definition, _| Ok(Arc::new(Links(PathsDefinition::read(definition)?))),
    };
    SequenceFunction::udaf(&KIND)
}

/// `path_steps(definition, time, 0, 0, item)`: how many steps of a person's paths are wanted.
pub(crate) fn path_steps() -> Arc<AggregateUDF> {
    static KIND: Kind = Kind {
        name: "path_steps",
        columns: Columns::Marked,
        returns: || DataType::UInt64,
        reading: |definition, _| Ok(Arc::new(WantedSteps(PathsDefinition::read(definition)?))),
    };
    SequenceFunction::udaf(&KIND)
}

/// A person's events as steps in order.
fn prepared<'a>(events: &[Event], steps: &'a mut Vec<Step>) -> &'a [Step] {
    steps.clear();
    steps.extend(events.iter().map(|event| Step {
        time: event.time,
        item: event.value,
    }));
    if !steps.is_sorted() {
        steps.sort_unstable();
    }
    steps
}

#[derive(Debug)]
struct WantedSteps(PathsDefinition);

impl Reading for WantedSteps {
    fn outcomes(&self, actors: usize) -> Box<dyn Outcomes + '_> {
        Box::new(WantedStepsColumn {
            definition: &self.0,
            prepared: Vec::new(),
            counts: Vec::with_capacity(actors),
        })
    }
}

struct WantedStepsColumn<'a> {
    definition: &'a PathsDefinition,
    prepared: Vec<Step>,
    counts: Vec<u64>,
}

impl Outcomes for WantedStepsColumn<'_> {
    fn add(&mut self, events: &mut [Event], items: &Values<'_>) -> Result<()> {
        let mut count = 0;
        let steps = prepared(events, &mut self.prepared);
        self.definition.finder(items).paths(steps, |path| {
            let wanted = &self.definition.wanted;
            count += wanted.steps(path, |code, text| item(code, items) == text) as u64;
        });
        self.counts.push(count);
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<ArrayRef> {
        Ok(Arc::new(UInt64Array::from(self.counts)))
    }
}

fn link_fields() -> Fields {
    Fields::from(vec![
        Field::new("step", DataType::UInt32, false),
        Field::new("source", DataType::Utf8View, false),
        Field::new("target", DataType::Utf8View, false),
        Field::new("time", DataType::Int64, false),
    ])
}

#[derive(Debug)]
struct Links(PathsDefinition);

impl Reading for Links {
    fn outcomes(&self, actors: usize) -> Box<dyn Outcomes + '_> {
        Box::new(LinksColumn {
            definition: &self.0,
            prepared: Vec::new(),
            lengths: Vec::with_capacity(actors),
            steps: UInt32Builder::new(),
            sources: StringViewBuilder::new(),
            targets: StringViewBuilder::new(),
            times: Int64Builder::new(),
        })
    }
}

struct LinksColumn<'a> {
    definition: &'a PathsDefinition,
    prepared: Vec<Step>,
    lengths: Vec<usize>,
    steps: UInt32Builder,
    sources: StringViewBuilder,
    targets: StringViewBuilder,
    times: Int64Builder,
}

impl Outcomes for LinksColumn<'_> {
    fn add(&mut self, events: &mut [Event], items: &Values<'_>) -> Result<()> {
        let before = self.steps.len();
        let steps = prepared(events, &mut self.prepared);
        self.definition.finder(items).paths(steps, |path| {
            for link in paths::links(path) {
                self.steps
                    .append_value(u32::try_from(link.step).unwrap_or(u32::MAX));
                self.sources.append_value(item(link.source, items));
                self.targets.append_value(item(link.target, items));
                self.times.append_value(link.time);
            }
        });
        self.lengths.push(self.steps.len() - before);
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<ArrayRef> {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.steps.finish()),
            Arc::new(self.sources.finish()),
            Arc::new(self.targets.finish()),
            Arc::new(self.times.finish()),
        ];
        list(link_fields(), columns, self.lengths)
    }
}
