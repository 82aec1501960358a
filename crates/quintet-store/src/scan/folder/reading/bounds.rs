//! What the footer of a file says of a column: the least and the greatest value in each of its row groups.

use std::collections::HashSet;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, FieldRef, TimestampMicrosecondType};
use datafusion::common::pruning::PruningStatistics;
use datafusion::common::{Column, ScalarValue};
use datafusion::parquet::arrow::arrow_reader::ArrowReaderMetadata;
use datafusion::parquet::arrow::arrow_reader::statistics::StatisticsConverter;
use datafusion::parquet::file::metadata::RowGroupMetaData;

/// The bounds of one column by row group; null where nothing is known.
pub(super) struct Bounds {
    least: Option<ArrayRef>,
    greatest: Option<ArrayRef>,
    row_groups: usize,
}

impl Bounds {
    /// Those of a column of the table, in its type, in some row groups of a file.
    pub(super) fn of(
        footer: &ArrowReaderMetadata,
        groups: &[RowGroupMetaData],
        column: &FieldRef,
    ) -> Self {
        let converter = is_ordered_alike(footer, column)
            .then(|| {
                let (schema, parquet) = (footer.schema(), footer.parquet_schema());
                StatisticsConverter::try_new(column.name(), schema, parquet).ok()
            })
            .flatten();
        let as_read = |bounds: ArrayRef| cast(&bounds, column.data_type()).ok();
        let least = converter
            .as_ref()
            .and_then(|converter| converter.row_group_mins(groups).ok());
        let greatest = converter
            .as_ref()
            .and_then(|converter| converter.row_group_maxes(groups).ok());
        Self {
            least: least.and_then(as_read),
            greatest: greatest.and_then(as_read),
            row_groups: groups.len(),
        }
    }
}

impl Bounds {
    /// The greatest instant of a row group, or the least one; none where nothing is known.
    pub(super) fn instant(&self, row_group: usize, greatest: bool) -> Option<i64> {
        let bounds = match greatest {
            true => self.greatest.as_ref()?,
            false => self.least.as_ref()?,
        };
        let bounds = bounds.as_primitive_opt::<TimestampMicrosecondType>()?;
        let is_known = row_group < bounds.len() && bounds.is_valid(row_group);
        is_known.then(|| bounds.value(row_group))
    }
}

/// Do values keep their order when they are read? Times that are written as text do not; and bounds of floats leave out NaN, which
/// is greater than all others where values are compared.
fn is_ordered_alike(footer: &ArrowReaderMetadata, column: &FieldRef) -> bool {
    let Ok(lying) = footer.schema().field_with_name(column.name()) else {
        return false;
    };
    let lying = match lying.data_type() {
        DataType::Dictionary(_, values) => values,
        other => other,
    };
    lying.is_string() == column.data_type().is_string() && !lying.is_floating()
}

impl PruningStatistics for Bounds {
    fn min_values(&self, _: &Column) -> Option<ArrayRef> {
        self.least.clone()
    }

    fn max_values(&self, _: &Column) -> Option<ArrayRef> {
        self.greatest.clone()
    }

    fn num_containers(&self) -> usize {
        self.row_groups
    }

    fn null_counts(&self, _: &Column) -> Option<ArrayRef> {
        None
    }

    fn row_counts(&self) -> Option<ArrayRef> {
        None
    }

    fn contained(&self, _: &Column, _: &HashSet<ScalarValue>) -> Option<BooleanArray> {
        None
    }
}
