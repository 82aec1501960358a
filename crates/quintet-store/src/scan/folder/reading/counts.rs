//! `FolderCountsExec`: how many rows have each text of a column, by the codes of the files' dictionaries.
//!
//! It stands for the first phase of `GROUP BY text` with a plain `count(*)`: a row costs an addition at the place of its code, and a
//! text is looked up once per dictionary. What every lot has counted is put together by the phase above.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, Int64Array, RecordBatch, StringViewArray,
};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Int32Type, SchemaRef};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::error::Result;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::expressions::{Column as ColumnExpr, Literal};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties,
};
use futures::{TryFutureExt, stream};

use super::Piece;
use super::exec::FolderExec;
use super::row_group::{Column, Wanted, open};
use crate::ingest::StringTable;
use crate::location::Location;

/// Rows of a batch that is counted.
const ROWS: usize = 1 << 16;

/// Counts rows by the texts of a column of a folder without grouping them: [`FolderCountsExec`]. For sessions whose plans run where
/// they are made and whose memory has no limit.
#[derive(Debug)]
pub struct FolderCounts;

impl PhysicalOptimizerRule for FolderCounts {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|node| {
            Ok(match node.downcast_ref().and_then(counts) {
                Some(counts) => Transformed::yes(Arc::new(counts) as Arc<dyn ExecutionPlan>),
                None => Transformed::no(node),
            })
        })
        .data()
    }

    fn name(&self) -> &str {
        "folder_counts"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// The operator in place of the first phase of an aggregation, where it fits.
fn counts(node: &AggregateExec) -> Option<FolderCountsExec> {
    let folder = node.input().downcast_ref::<FolderExec>()?;
    let groups = node.group_expr();
    let ([(group, _)], false, AggregateMode::Partial) =
        (groups.expr(), groups.has_grouping_set(), node.mode())
    else {
        return None;
    };
    let column = group.downcast_ref::<ColumnExpr>()?.index();
    let ([count], [None]) = (node.aggr_expr(), node.filter_expr()) else {
        return None;
    };
    let is_row = |expr: &Arc<dyn PhysicalExpr>| {
        let literal = expr.downcast_ref::<Literal>();
        literal.is_some_and(|literal| !literal.value().is_null())
    };
    let counts_rows = count.fun().name() == "count"
        && !count.is_distinct()
        && count.expressions().iter().all(is_row);
    let Some(Column::Own(field)) = folder.wanted().columns.get(column) else {
        return None;
    };
    if !counts_rows || field.data_type() != &DataType::Utf8View {
        return None;
    }
    let wanted = Wanted {
        columns: vec![Column::Coded(Arc::clone(field))],
        schema: node.schema(),
        conditions: folder.wanted().conditions.clone(),
    };
    let properties = PlanProperties::new(
        EquivalenceProperties::new(node.schema()),
        Partitioning::UnknownPartitioning(folder.lots().len()),
        EmissionType::Final,
        Boundedness::Bounded,
    );
    Some(FolderCountsExec {
        location: folder.location().clone(),
        lots: folder.lots().to_vec(),
        wanted: Arc::new(wanted),
        properties: Arc::new(properties),
    })
}

/// See the module.
#[derive(Debug)]
struct FolderCountsExec {
    location: Location,
    lots: Vec<Arc<[Piece]>>,
    wanted: Arc<Wanted>,
    properties: Arc<PlanProperties>,
}

impl DisplayAs for FolderCountsExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lots = self.lots.iter();
        write!(
            f,
            "FolderCountsExec: row_groups={}, {}",
            lots.map(|lot| lot.len()).sum::<usize>(),
            self.wanted
        )
    }
}

impl ExecutionPlan for FolderCountsExec {
    fn name(&self) -> &'static str {
        "FolderCountsExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        _: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let lot = self.lots.get(partition).cloned().unwrap_or_default();
        let (location, wanted) = (self.location.clone(), Arc::clone(&self.wanted));
        let size = context.session_config().batch_size().max(1);
        let schema = self.schema();
        let counted = count(location, lot, wanted)
            .map_ok(move |tally| stream::iter(tally.into_batches(schema, size)));
        Ok(Box::pin(RecordBatchStreamAdapter::new(
            self.schema(),
            counted.try_flatten_stream(),
        )))
    }
}

async fn count(location: Location, lot: Arc<[Piece]>, wanted: Arc<Wanted>) -> Result<Tally> {
    let mut tally = Tally::default();
    for piece in lot.iter() {
        let Some(mut rows) = open(&location, piece, &wanted, ROWS).await? else {
            continue;
        };
        while let Some((columns, _)) = rows.next_columns()? {
            if let Some(column) = columns.first() {
                tally.add(column)?;
            }
            // Counting never waits for anything; let others have the thread.
            tokio::task::consume_budget().await;
        }
        tally.settle()?;
    }
    Ok(tally)
}

/// Rows by text.
#[derive(Default)]
struct Tally {
    texts: StringTable,
    /// By the number of the text.
    rows: Vec<i64>,
    nulls: i64,
    /// The dictionary at hand, and its rows by code.
    at_hand: Option<(ArrayRef, Vec<i64>)>,
}

impl Tally {
    fn add(&mut self, column: &ArrayRef) -> Result<()> {
        let Some(coded) = column.as_dictionary_opt::<Int32Type>() else {
            self.add_nulls(column.null_count());
            let texts = cast(column, &DataType::Utf8View)?;
            texts
                .as_string_view()
                .iter()
                .flatten()
                .for_each(|text| self.count(text, 1));
            return Ok(());
        };
        self.add_nulls(coded.keys().null_count());
        let values = coded.values();
        let is_same = |(known, _): &(ArrayRef, Vec<i64>)| known.to_data().ptr_eq(&values.to_data());
        if !self.at_hand.as_ref().is_some_and(is_same) {
            self.settle()?;
            self.at_hand = Some((Arc::clone(values), vec![0; values.len()]));
        }
        let Some((_, rows)) = &mut self.at_hand else {
            return Ok(());
        };
        let mut one = |code: i32| {
            if let Some(rows) = usize::try_from(code)
                .ok()
                .and_then(|code| rows.get_mut(code))
            {
                *rows += 1;
            }
        };
        match coded.keys().null_count() {
            0 => coded.keys().values().iter().for_each(|code| one(*code)),
            _ => coded.keys().iter().flatten().for_each(one),
        }
        Ok(())
    }

    fn add_nulls(&mut self, rows: usize) {
        self.nulls += i64::try_from(rows).unwrap_or(i64::MAX);
    }

    /// Puts the rows of the dictionary at hand to those of their texts.
    fn settle(&mut self) -> Result<()> {
        let Some((values, rows)) = self.at_hand.take() else {
            return Ok(());
        };
        let texts = cast(&values, &DataType::Utf8View)?;
        let texts = texts.as_string_view().iter().zip(rows);
        for (text, rows) in texts.filter(|(_, rows)| *rows > 0) {
            match text {
                Some(text) => self.count(text, rows),
                None => self.nulls += rows,
            }
        }
        Ok(())
    }

    fn count(&mut self, text: &str, rows: i64) {
        let number = self.texts.intern(text) as usize;
        match self.rows.get_mut(number) {
            Some(known) => *known += rows,
            None => self.rows.push(rows),
        }
    }

    fn into_batches(self, schema: SchemaRef, size: usize) -> Vec<Result<RecordBatch>> {
        let numbered = (0..).zip(&self.rows);
        let mut counted: Vec<(Option<&str>, i64)> = numbered
            .map(|(number, rows)| (Some(self.texts.get(number)), *rows))
            .collect();
        if self.nulls > 0 {
            counted.push((None, self.nulls));
        }
        let batch = |counted: &[(Option<&str>, i64)]| {
            let texts: StringViewArray = counted.iter().map(|(text, _)| *text).collect();
            let rows = Int64Array::from_iter_values(counted.iter().map(|(_, rows)| *rows));
            let columns: Vec<ArrayRef> = vec![Arc::new(texts), Arc::new(rows)];
            Ok(RecordBatch::try_new(Arc::clone(&schema), columns)?)
        };
        counted.chunks(size).map(batch).collect()
    }
}
