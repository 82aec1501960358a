//! The arguments of a sequence aggregate, row by row.

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, UInt64Array};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Float64Type, TimestampMicrosecondType, UInt64Type};
use datafusion::common::exec_err;
use datafusion::error::Result;
use datafusion::logical_expr::ColumnarValue;

use super::Columns;

/// A row that is an event.
pub(super) struct Row<'a> {
    pub(super) number: usize,
    pub(super) time: i64,
    pub(super) marks: [u64; 2],
    pub(super) value: &'a str,
    /// Marks and value are those of the row before. Events come mostly in runs of one kind: files are sorted by event.
    pub(super) is_alike: bool,
}

/// Hands over every row that passes the filter and has a time. `arguments` are those after the definition.
pub(super) fn rows(
    columns: Columns,
    arguments: &[ColumnarValue],
    filter: Option<&BooleanArray>,
    mut of_row: impl FnMut(Row<'_>) -> Result<()>,
) -> Result<()> {
    let [ColumnarValue::Array(time), rest @ ..] = arguments else {
        return exec_err!("a sequence needs a column of times");
    };
    let times = time.as_primitive::<TimestampMicrosecondType>();
    let is_kept = |row: usize| {
        times.is_valid(row) && filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row))
    };
    let kept = (0..times.len()).filter(|&row| is_kept(row));
    match (columns, rest) {
        (Columns::Conditions, conditions) => {
            let conditions = conditions.iter().map(|one| one.to_array(times.len()));
            let conditions: Vec<ArrayRef> = conditions.collect::<Result<_>>()?;
            let conditions: Vec<&BooleanArray> = conditions
                .iter()
                .map(|column| column.as_boolean())
                .collect();
            let mut before = None;
            for number in kept {
                let marks = met(&conditions, number);
                of_row(Row {
                    number,
                    time: times.value(number),
                    marks: [marks, 0],
                    value: "",
                    is_alike: before.replace(marks) == Some(marks),
                })?;
            }
        }
        (Columns::Marked, [marks, more, value]) => {
            let (marks, more) = (Bits::of(marks)?, Bits::of(more)?);
            match (marks, more, value) {
                (Bits::Same(marks), Bits::Same(more), ColumnarValue::Scalar(value)) => {
                    let value = value.try_as_str().flatten().unwrap_or_default();
                    let mut is_alike = false;
                    for number in kept {
                        of_row(Row {
                            number,
                            time: times.value(number),
                            marks: [marks, more],
                            value,
                            is_alike: std::mem::replace(&mut is_alike, true),
                        })?;
                    }
                }
                (marks, more, value) => {
                    let value = value.to_array(times.len())?;
                    let value = value.as_string_view();
                    let mut before = None;
                    for number in kept {
                        let marks = [marks.at(number), more.at(number)];
                        // Within one column, equal views are equal texts.
                        let view = value.is_valid(number).then(|| value.views().get(number));
                        let kind = (marks, view);
                        of_row(Row {
                            number,
                            time: times.value(number),
                            marks,
                            value: view.map_or("", |_| value.value(number)),
                            is_alike: before.replace(kind) == Some(kind),
                        })?;
                    }
                }
            }
        }
        _ => return exec_err!("a sequence of marks needs two columns of marks and a value"),
    }
    Ok(())
}

/// Marks of rows.
enum Bits {
    Same(u64),
    Each(UInt64Array),
}

impl Bits {
    /// Marks as they are; a number is marked by its own bits.
    fn of(column: &ColumnarValue) -> Result<Self> {
        match column {
            ColumnarValue::Array(column) => Ok(Self::Each(bits(column)?)),
            ColumnarValue::Scalar(mark) => {
                let one = bits(&mark.to_array()?)?;
                Ok(Self::Same(or_zero(&one, 0)))
            }
        }
    }

    fn at(&self, row: usize) -> u64 {
        match self {
            Self::Same(marks) => *marks,
            Self::Each(marks) => or_zero(marks, row),
        }
    }
}

/// Bit `i` is condition `i`; a condition that is null is not met.
fn met(conditions: &[&BooleanArray], row: usize) -> u64 {
    let is_met = |condition: &BooleanArray| condition.is_valid(row) && condition.value(row);
    (0..)
        .zip(conditions)
        .filter(|(_, condition)| is_met(condition))
        .fold(0, |marks, (bit, _)| {
            marks | 1u64.checked_shl(bit).unwrap_or(0)
        })
}

fn bits(column: &ArrayRef) -> Result<UInt64Array> {
    match column.data_type() {
        DataType::Float64 => {
            let numbers = column.as_primitive::<Float64Type>();
            Ok(numbers.unary(f64::to_bits))
        }
        _ => {
            let marks = cast(column, &DataType::UInt64)?;
            Ok(marks.as_primitive::<UInt64Type>().clone())
        }
    }
}

fn or_zero(marks: &UInt64Array, row: usize) -> u64 {
    if marks.is_valid(row) {
        marks.value(row)
    } else {
        0
    }
}
