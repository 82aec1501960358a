//! Running a plan, here or as if it had come from another machine.

mod bytes;
mod stop;

use std::sync::{Arc, Mutex};

use datafusion::arrow::array::RecordBatch;
use datafusion::common::runtime::SpawnedTask;
use datafusion::execution::TaskContext;
use datafusion::physical_plan::{ExecutionPlan, collect, displayable, execute_stream};
use datafusion::prelude::DataFrame;
use futures::StreamExt;

pub(crate) use stop::Stop;
use stop::{StopsAtTheEnd, stoppable};

use crate::{Error, Result};

/// How plans are run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Transport {
    /// In the session that made them.
    #[default]
    Direct,
    /// Written to bytes and read back first: what passes here runs distributed (decision 5 of the design).
    Bytes,
}

/// Runs plans, and keeps their text if somebody wants to read them.
#[derive(Default)]
pub(crate) struct Run {
    transport: Transport,
    explained: Option<Mutex<Vec<String>>>,
    stop: StopsAtTheEnd,
}

impl Run {
    pub(crate) fn new(transport: Transport) -> Self {
        Self {
            transport,
            ..Self::default()
        }
    }

    /// Plans are kept too.
    pub(crate) fn explaining() -> Self {
        Self {
            explained: Some(Mutex::default()),
            ..Self::default()
        }
    }

    /// Ends what it has begun.
    pub(crate) fn stop(&self) -> Stop {
        self.stop.0.clone()
    }

    /// The plans that were run, as text.
    pub(crate) fn explained(self) -> Vec<String> {
        self.explained
            .and_then(|plans| plans.into_inner().ok())
            .unwrap_or_default()
    }

    /// All rows of a plan.
    pub(crate) async fn collect(&self, plan: DataFrame) -> Result<Vec<RecordBatch>> {
        let (plan, context) = self.physical(plan).await?;
        // In a task of its own: whoever asked can turn away while a partition is busy.
        let rows = SpawnedTask::spawn(collect(plan, context));
        Ok(rows.join_unwind().await.map_err(Error::internal)??)
    }

    /// The rows of a plan one batch after the other, none of which is held.
    pub(crate) async fn each(
        &self,
        plan: DataFrame,
        mut batch: impl FnMut(RecordBatch) -> Result<()>,
    ) -> Result<()> {
        let (plan, context) = self.physical(plan).await?;
        let mut batches = execute_stream(plan, context)?;
        while let Some(next) = batches.next().await {
            batch(next?)?;
        }
        Ok(())
    }

    async fn physical(
        &self,
        plan: DataFrame,
    ) -> Result<(Arc<dyn ExecutionPlan>, Arc<TaskContext>)> {
        let context = Arc::new(plan.task_ctx());
        let plan = plan.create_physical_plan().await?;
        if let Some(Ok(mut plans)) = self.explained.as_ref().map(Mutex::lock) {
            plans.push(displayable(plan.as_ref()).indent(false).to_string());
        }
        let plan = match self.transport {
            Transport::Direct => stoppable(plan, &self.stop.0)?,
            Transport::Bytes => through_bytes(plan, &context)?,
        };
        Ok((plan, context))
    }
}

/// A plan as another machine would read it: nothing but its bytes and our functions by name.
fn through_bytes(
    plan: Arc<dyn ExecutionPlan>,
    context: &TaskContext,
) -> Result<Arc<dyn ExecutionPlan>> {
    bytes::read(&bytes::write(plan)?, context)
}
