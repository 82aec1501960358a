//! Feature flags over a store: compiled, given what is stored of persons and groups, evaluated, and counted.
//!
//! `compile` makes flags ready, `stored` completes contexts, `audience` counts who would get a flag, `values` lists it for every
//! group. What a flag is to somebody is decided in `quintet_behavior::flags` alone.

mod audience;
mod compile;
mod stored;
mod values;

use datafusion::prelude::DataFrame;
use quintet_behavior::flags::{Context as Somebody, hash};
use quintet_query::Context;
use quintet_query::flags::{
    FlagContext, FlagDefinitions, FlagEvaluationQuery, FlagHashQuery, FlagWarning, FlagsQuestion,
};
use serde_json::{Map, Value, json};

use crate::answer::Answer;
use crate::data::Data;
use crate::engine::QueryOptions;
use crate::rows::objects;
use crate::run::Run;
use crate::{Engine, Error, Result};

pub use compile::Flags;

/// What a question is answered from.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) context: &'a Context,
    pub(crate) data: &'a Data,
    pub(crate) run: &'a Run,
}

impl Asked<'_> {
    async fn rows(&self, plan: DataFrame) -> Result<Vec<Map<String, Value>>> {
        objects(&self.run.collect(plan).await?)
    }
}

impl Engine {
    /// Makes PostHog's flags ready to be evaluated: a flag, a list of them, or what its API answers (`flags` or `results`, with
    /// `cohorts` beside them). Cohorts are taken from `options.definitions` too, group types from the store.
    ///
    /// Relative dates are counted back from the clock of `options`: a service compiles its flags anew when these should move on.
    ///
    /// # Errors
    /// `Invalid` and `Unsupported` name the place in the definition.
    pub async fn flags(&self, definition: &Value, options: &QueryOptions) -> Result<Flags> {
        let definitions = FlagDefinitions::from_value(definition)?;
        Flags::new(&definitions, &self.held(options).await?.context)
    }

    /// Somebody for whom flags are evaluated, with what is stored of the person and its groups; what the caller gives lies over
    /// it. Only what the flags ask for is read.
    ///
    /// ```
    /// # use quintet::{Engine, QueryOptions, Settings};
    /// # use quintet::query::flags::FlagContext;
    /// # use serde_json::json;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let store = folder.path().join("store");
    /// # let settings = Settings { group_types: vec!["company".into()], ..Settings::default() };
    /// let engine = Engine::create(store.to_str().ok_or("no path")?, settings).await?;
    /// engine.set_group_properties("company", "acme", &json!({"plan": "pro"})).await?;
    ///
    /// let editor = json!({"key": "editor", "active": true, "filters": {"aggregation_group_type_index": 0,
    ///     "groups": [{"properties": [{"key": "plan", "value": "pro", "type": "group", "group_type_index": 0}]}]}});
    /// let flags = engine.flags(&editor, &QueryOptions::default()).await?;
    /// let ann = FlagContext {
    ///     distinct_id: Some("ann".into()),
    ///     groups: vec![("company".into(), "acme".into())],
    ///     ..FlagContext::default()
    /// };
    /// let ann = engine.flag_context(&flags, &ann).await?;
    /// assert!(flags.evaluate("editor", &ann).ok_or("no such flag")?.value.is_on());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `Corrupt` and `Io` name the file that cannot be read.
    pub async fn flag_context(&self, flags: &Flags, context: &FlagContext) -> Result<Somebody> {
        let contexts = std::slice::from_ref(context);
        let held = self.held(&QueryOptions::default()).await?;
        let asked = Asked {
            context: &held.context,
            data: &held.data,
            run: &held.run,
        };
        self.in_time(stored::contexts(contexts, flags, asked), held.run.stop())
            .await?
            .into_iter()
            .next()
            .ok_or_else(|| Error::internal("a context got lost"))
    }
}

/// The answer to a question about flags.
pub(crate) async fn answer(question: &FlagsQuestion, asked: Asked<'_>) -> Result<Answer> {
    match question {
        FlagsQuestion::Evaluation(query) => evaluated(query, asked).await,
        FlagsQuestion::Audience(query) => audience::answer(&query.definitions, asked).await,
        FlagsQuestion::Values(query) => values::answer(query, asked).await,
        FlagsQuestion::Hash(query) => Ok(hashed(query)),
        _ => Err(Error::unsupported(
            "this question about flags",
            "use a newer version",
        )),
    }
}

/// One row per context and flag that is asked for.
async fn evaluated(query: &FlagEvaluationQuery, asked: Asked<'_>) -> Result<Answer> {
    let flags = Flags::new(&query.definitions, asked.context)?;
    let contexts = stored::contexts(&query.contexts, &flags, asked).await?;
    let mut rows = Vec::new();
    for somebody in &contexts {
        for flag in query.definitions.asked() {
            rows.extend(row(&flags, &flag.key, somebody));
        }
    }
    let mut warnings = flags.warnings().to_vec();
    warnings.extend(flags.unknown_types(&query.contexts));
    let columns = ["key", "value", "reason", "condition_index", "payload"];
    Ok(with_warnings(Answer::of_rows(rows), &warnings).with("columns", json!(columns)))
}

/// What a flag is to somebody, as a row.
fn row(flags: &Flags, key: &str, somebody: &Somebody) -> Option<Value> {
    let mut row = Map::from_iter([("key".to_owned(), json!(key))]);
    if let Value::Object(found) = flags.evaluate(key, somebody)?.to_json() {
        row.extend(found);
    }
    Some(Value::Object(row))
}

fn hashed(query: &FlagHashQuery) -> Answer {
    let row = |identifier: &String| json!({"identifier": identifier, "value": hash(&query.key, identifier, &query.salt)});
    Answer::of_rows(query.identifiers.iter().map(row).collect())
        .with("columns", json!(["identifier", "value"]))
}

fn with_warnings(answer: Answer, warnings: &[FlagWarning]) -> Answer {
    let told = |warning: &FlagWarning| json!({"code": warning.code, "message": warning.message});
    answer.with("warnings", warnings.iter().map(told).collect())
}
