//! Texts handed over as files keep them: codes into a dictionary, by the scans of our own.

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, FieldRef, Fields, Schema, SchemaRef};
use datafusion::physical_plan::ExecutionPlan;

use super::folder::FolderExec;
use super::runs::RunsExec;

/// The columns that a scan can hand over as dictionaries; none unless it is a scan of our own.
pub fn columns_with_codes(scan: &Arc<dyn ExecutionPlan>) -> BTreeSet<usize> {
    if let Some(runs) = scan.downcast_ref::<RunsExec>() {
        return runs.codable();
    }
    let folder = scan.downcast_ref::<FolderExec>();
    folder.map_or_else(BTreeSet::new, FolderExec::codable)
}

/// A scan with some of its [`columns_with_codes`] as dictionaries, the way files keep them.
pub fn scan_as_codes(
    scan: &Arc<dyn ExecutionPlan>,
    columns: &BTreeSet<usize>,
) -> Arc<dyn ExecutionPlan> {
    if let Some(runs) = scan.downcast_ref::<RunsExec>() {
        return Arc::new(runs.with_codes(columns));
    }
    match scan.downcast_ref::<FolderExec>() {
        Some(folder) => Arc::new(folder.with_codes(columns)),
        None => Arc::clone(scan),
    }
}

/// A schema in which some columns are dictionaries.
pub(super) fn with_codes(
    schema: &SchemaRef,
    columns: &BTreeSet<usize>,
    codes: &DataType,
) -> SchemaRef {
    let field = |(at, field): (usize, &FieldRef)| match columns.contains(&at) {
        true => Arc::new(field.as_ref().clone().with_data_type(codes.clone())),
        false => Arc::clone(field),
    };
    let fields = schema.fields().iter().enumerate();
    Arc::new(Schema::new(fields.map(field).collect::<Fields>()))
}
