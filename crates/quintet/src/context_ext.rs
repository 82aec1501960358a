//! For those who bring their own `SessionContext`.

use async_trait::async_trait;
use datafusion::prelude::{DataFrame, SessionContext};

use crate::{Engine, QueryOptions, Result};

/// Stores and insights in anybody's DataFusion session.
///
/// ```no_run
/// # use datafusion::prelude::SessionContext;
/// # use quintet::{Engine, QueryOptions, SessionContextExt};
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let mut context = SessionContext::new();
/// let engine = Engine::open("./store").await?;
/// context.register_quintet(&engine).await?;
/// let companies = context.sql("select \"$group_0\", count(*) from events group by 1").await?;
/// let trend = context.insight(&engine, r#"{"kind": "TrendsQuery", "series": [{"kind": "EventsNode"}]}"#, &QueryOptions::default()).await?;
/// # Ok(())
/// # }
/// ```
#[async_trait]
pub trait SessionContextExt {
    /// Registers our functions, and the tables of the store's newest version: `events`, `persons`, `person_distinct_ids`,
    /// `groups`, `group_types` and one per group type.
    ///
    /// # Errors
    /// `Invalid` where the session has a table of such a name already.
    async fn register_quintet(&mut self, engine: &Engine) -> Result<()>;

    /// The answer to an insight as a relation, in the columns of [`Answer::to_batches`](crate::Answer::to_batches).
    ///
    /// # Errors
    /// As [`Engine::query`].
    async fn insight(
        &self,
        engine: &Engine,
        definition: &str,
        options: &QueryOptions,
    ) -> Result<DataFrame>;
}

#[async_trait]
impl SessionContextExt for SessionContext {
    async fn register_quintet(&mut self, engine: &Engine) -> Result<()> {
        quintet_functions::register_all(self)?;
        for function in quintet_store::scalar_functions() {
            self.register_udf(function.as_ref().clone());
        }
        engine.register(self).await
    }

    async fn insight(
        &self,
        engine: &Engine,
        definition: &str,
        options: &QueryOptions,
    ) -> Result<DataFrame> {
        let answer = engine.query_with(definition, options).await?;
        Ok(self.read_batches(answer.to_batches()?)?)
    }
}
