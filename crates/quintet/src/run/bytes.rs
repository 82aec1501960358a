//! A plan as bytes, and back.
//!
//! DataFusion's own form says which files are read, but not which of their rows. Where a folder leaves rows out that repeat
//! others, the rows that are read stand before it.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::ParquetRowSelection;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfig};
use datafusion::datasource::source::DataSourceExec;
use datafusion::execution::TaskContext;
use datafusion::parquet::arrow::arrow_reader::{RowSelection, RowSelector};
use datafusion::physical_plan::ExecutionPlan;
use datafusion_proto::bytes::{physical_plan_from_bytes, physical_plan_to_bytes};

use crate::{Error, Result};

/// Rows of files by path: lengths of runs that are skipped and read by turns.
type Chosen = BTreeMap<String, Vec<usize>>;

/// A plan and which rows of its files are read.
pub(super) fn write(plan: Arc<dyn ExecutionPlan>) -> Result<Vec<u8>> {
    let chosen = serde_json::to_vec(&chosen(&plan)?).map_err(Error::internal)?;
    let plan = physical_plan_to_bytes(plan)?;
    let length = (chosen.len() as u64).to_le_bytes();
    Ok([&length, chosen.as_slice(), plan.as_ref()].concat())
}

/// The plan that was written.
pub(super) fn read(bytes: &[u8], context: &TaskContext) -> Result<Arc<dyn ExecutionPlan>> {
    let cut = || Error::internal("the bytes of a plan are cut off");
    let (length, rest) = bytes.split_first_chunk::<8>().ok_or_else(cut)?;
    let length = usize::try_from(u64::from_le_bytes(*length)).map_err(Error::internal)?;
    let (chosen, plan) = rest.split_at_checked(length).ok_or_else(cut)?;
    let chosen: Chosen = serde_json::from_slice(chosen).map_err(Error::internal)?;
    let plan = physical_plan_from_bytes(plan, context)?;
    if chosen.is_empty() {
        return Ok(plan);
    }
    let restored = plan.transform_up(|node| {
        Ok(match scan(&node) {
            Some(scan) => Transformed::yes(restored(scan, &chosen)),
            None => Transformed::no(node),
        })
    });
    Ok(restored.data()?)
}

fn scan(node: &Arc<dyn ExecutionPlan>) -> Option<&FileScanConfig> {
    let node = node.downcast_ref::<DataSourceExec>()?;
    node.data_source().downcast_ref::<FileScanConfig>()
}

fn chosen(plan: &Arc<dyn ExecutionPlan>) -> Result<Chosen> {
    let mut chosen = Chosen::new();
    plan.apply(|node| {
        let groups = scan(node).map(|scan| scan.file_groups.as_slice());
        for file in groups.into_iter().flatten().flat_map(FileGroup::iter) {
            if let Some(rows) = file.extension::<ParquetRowSelection>() {
                let path = file.object_meta.location.to_string();
                chosen.insert(path, runs(rows.selection()));
            }
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(chosen)
}

fn restored(scan: &FileScanConfig, chosen: &Chosen) -> Arc<dyn ExecutionPlan> {
    let file = |file: &PartitionedFile| {
        let rows = chosen.get(file.object_meta.location.as_ref());
        match rows {
            Some(runs) => file
                .clone()
                .with_extension(ParquetRowSelection::new(selection(runs))),
            None => file.clone(),
        }
    };
    let mut scan = scan.clone();
    for group in &mut scan.file_groups {
        *group = FileGroup::new(group.iter().map(file).collect());
    }
    DataSourceExec::from_data_source(scan)
}

fn runs(rows: &RowSelection) -> Vec<usize> {
    let mut runs = Vec::new();
    for run in rows.iter() {
        let skips = runs.len() % 2 == 0;
        if run.skip != skips {
            runs.push(0);
        }
        runs.push(run.row_count);
    }
    runs
}

fn selection(runs: &[usize]) -> RowSelection {
    let run = |(number, length): (usize, &usize)| match number % 2 {
        0 => RowSelector::skip(*length),
        _ => RowSelector::select(*length),
    };
    let runs = runs.iter().enumerate().map(run);
    runs.collect::<Vec<_>>().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chosen_rows_come_back_as_they_were() {
        for rows in [
            vec![RowSelector::select(3), RowSelector::skip(1)],
            vec![RowSelector::skip(2), RowSelector::select(5)],
            vec![],
        ] {
            let rows = RowSelection::from(rows);
            assert_eq!(selection(&runs(&rows)), rows);
        }
    }
}
