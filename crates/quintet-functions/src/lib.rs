//! DataFusion functions of Quintet, usable in anybody's `SessionContext`.
//!
//! They only carry columns to `quintet-behavior` and back; parameters are literal arguments, so that a plan can travel as bytes.
//!
//! ```
//! # use datafusion::prelude::SessionContext;
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> datafusion::error::Result<()> {
//! let mut context = SessionContext::new();
//! quintet_functions::register_all(&mut context)?;
//! let plan = context.sql(r#"select json_property('{"plan":"pro"}', 'plan') as plan"#).await?;
//! assert_eq!(plan.count().await?, 1);
//! # Ok(())
//! # }
//! ```
//!
//! | function | gives |
//! | --- | --- |
//! | `json_property(json, name)` | the text of a property of a JSON object; null where absent or null |
//! | `json_entries(json, names)` | the properties of a JSON object as a list of `name::value`; `names` is `{"only": [..]}` or `{"except": [..]}` |
//! | `group_key(json, property, name)` | the key of an event's group: under the type's `name` in `$groups`, else in `property`; an empty text for either is none |
//! | `property_matches(value, operator, values)` | whether a property's text satisfies an operator; `values` is a JSON list of texts |
//! | `property_number(value)` | the number that a property's text stands for, or null |
//! | `number_text(number)` | a number as a property's text |
//! | `normalize_url(url)` | without trailing `/`, `?`, `#` |
//! | `bucket(time, edges)` | index of the bucket that a time lies in, null outside; `edges` is an ascending list of bucket starts and one end |
//! | `bin_label(number, edges)` | label `[lo,hi]` of the numeric bin, null outside |
//! | `in_sample(id, share)` | whether an id belongs to a fixed share of all ids |
//! | `flag_hash(key, identifier[, salt])` | where an identifier lies for a feature flag, from 0 to 1; the salt of variants is `variant` |
//! | `marks(condition, …)` | a number whose bit `i` says whether condition `i` holds |
//! | `json_list(text, …)` | the texts as a JSON list; null is the empty text |
//! | `path_item(rules, event, url, screen)` | what an event is called on a path, null where it takes no part; `rules` are `quintet_behavior::paths::ItemRules` as JSON |
//!
//! Aggregates over the events of an actor, whatever order the rows come in:
//!
//! | function | gives |
//! | --- | --- |
//! | `funnel(window, time, condition, …)` | how many steps were done in order within the window, as `'14 days'`; or a definition such as `{"window": "14 days", "order": "strict"}` |
//! | `funnel_runs(definition, time, steps, exclusions, value)` | per value: which steps were done and when; `steps` and `exclusions` are `marks`, the definition is a [`FunnelDefinition`] as JSON |
//! | `funnel_entrances(definition, time, steps, exclusions, value)` | per value and period of entrance: whether the actor converted |
//! | `retention(definition, time, kinds, amount, value)` | the cohorts of the actor and the columns in which it counts; `kinds` are `marks` of start, return and candidate, the definition is a `quintet_behavior::retention::Retention` as JSON |
//! | `path_links(definition, time, 0, 0, item)` | the links of the person's paths; the definition is a [`PathsDefinition`] as JSON |
//! | `path_steps(definition, time, 0, 0, item)` | how many steps of its paths are wanted |
//!
//! ```
//! # use datafusion::prelude::SessionContext;
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> datafusion::error::Result<()> {
//! # let mut context = SessionContext::new();
//! # quintet_functions::register_all(&mut context)?;
//! # context.sql("create table events as select 'a' as company, timestamp '2024-01-01T00:00:00' as timestamp, 'signed_up' as event").await?.collect().await?;
//! let steps = context.sql(
//!     "select company, funnel('14 days', timestamp, event = 'signed_up', event = 'paid') as steps from events group by company",
//! ).await?.collect().await?;
//! assert_eq!(steps[0].num_rows(), 1);
//! # Ok(())
//! # }
//! ```

mod below;
mod coded;
mod columns;
pub mod expr_fn;
mod flags;
mod function;
mod funnel;
mod marks;
mod paths;
mod properties;
mod retention;
mod sampling;
mod sequence;
mod time;

use std::sync::Arc;

use datafusion::error::Result;
use datafusion::execution::FunctionRegistry;
use datafusion::logical_expr::{AggregateUDF, ScalarUDF};

pub use coded::{CodedAggregateExec, CodedAggregates};
pub use funnel::FunnelDefinition;
pub use paths::PathsDefinition;
pub use sequence::{DenseSequences, DenseSequencesExec, Sequence, SequencesAtOnce};

/// Every scalar function of this crate.
pub fn scalar_functions() -> Vec<Arc<ScalarUDF>> {
    vec![
        properties::json_property(),
        properties::json_entries(),
        properties::group_key(),
        properties::property_matches(),
        properties::property_number(),
        properties::number_text(),
        properties::normalize_url(),
        time::bucket(),
        time::bin_label(),
        sampling::in_sample(),
        flags::flag_hash(),
        marks::marks(),
        marks::json_list(),
        paths::path_item(),
    ]
}

/// Every aggregate function of this crate. [`SequencesAtOnce`] makes them faster where a session can be given a rule, and
/// [`DenseSequences`] still more where actors are numbers.
pub fn aggregate_functions() -> Vec<Arc<AggregateUDF>> {
    vec![
        funnel::funnel(),
        funnel::funnel_runs(),
        funnel::funnel_entrances(),
        retention::retention(),
        paths::path_links(),
        paths::path_steps(),
    ]
}

/// Makes every function of this crate known to a session.
///
/// # Errors
/// Whatever the registry refuses.
pub fn register_all(registry: &mut dyn FunctionRegistry) -> Result<()> {
    for function in scalar_functions() {
        registry.register_udf(function)?;
    }
    for function in aggregate_functions() {
        registry.register_udaf(function)?;
    }
    Ok(())
}
