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
//! | `property_matches(value, operator, values)` | whether a property's text satisfies an operator; `values` is a JSON list of texts |
//! | `property_number(value)` | the number that a property's text stands for, or null |
//! | `number_text(number)` | a number as a property's text |
//! | `normalize_url(url)` | without trailing `/`, `?`, `#` |
//! | `bucket(time, edges)` | index of the bucket that a time lies in, null outside; `edges` is an ascending list of bucket starts and one end |
//! | `bin_label(number, edges)` | label `[lo,hi]` of the numeric bin, null outside |
//! | `in_sample(id, share)` | whether an id belongs to a fixed share of all ids |

pub mod expr_fn;
mod function;
mod properties;
mod sampling;
mod time;

use std::sync::Arc;

use datafusion::error::Result;
use datafusion::execution::FunctionRegistry;
use datafusion::logical_expr::ScalarUDF;

/// Every scalar function of this crate.
pub fn scalar_functions() -> Vec<Arc<ScalarUDF>> {
    vec![
        properties::json_property(),
        properties::property_matches(),
        properties::property_number(),
        properties::number_text(),
        properties::normalize_url(),
        time::bucket(),
        time::bin_label(),
        sampling::in_sample(),
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
    Ok(())
}
