//! Several columns as one: conditions as bits, texts as a list.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, StringViewArray, StringViewBuilder, UInt64Array,
};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{exec_err, plan_err};
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

/// A pure function of any number of columns of one type.
#[derive(Debug)]
struct ColumnsFunction {
    name: &'static str,
    signature: Signature,
    argument: DataType,
    returns: DataType,
    body: fn(&[ArrayRef], usize) -> Result<ArrayRef>,
}

/// `marks(condition, …)`: bit `i` says whether condition `i` holds. A condition that is null does not.
pub(crate) fn marks() -> Arc<ScalarUDF> {
    columns_function(
        "marks",
        DataType::Boolean,
        DataType::UInt64,
        |columns, rows| {
            let Ok(bits @ 0..=64) = u32::try_from(columns.len()) else {
                return exec_err!("marks takes up to 64 conditions, not {}", columns.len());
            };
            let mut marks = vec![0u64; rows];
            for (bit, column) in (0..bits).zip(columns) {
                mark(column.as_boolean(), 1 << bit, &mut marks);
            }
            Ok(Arc::new(UInt64Array::from(marks)))
        },
    )
}

/// Sets a bit where the condition holds.
fn mark(condition: &BooleanArray, bit: u64, marks: &mut [u64]) {
    let holds = match condition.nulls() {
        Some(known) => condition.values() & known.inner(),
        None => condition.values().clone(),
    };
    for row in holds.set_indices() {
        if let Some(marks) = marks.get_mut(row) {
            *marks |= bit;
        }
    }
}

/// `json_list(text, …)`: the texts as a JSON list; null is the empty text.
pub(crate) fn json_list() -> Arc<ScalarUDF> {
    columns_function(
        "json_list",
        DataType::Utf8View,
        DataType::Utf8View,
        |columns, rows| {
            let columns: Vec<&StringViewArray> = columns
                .iter()
                .map(|column| column.as_string_view())
                .collect();
            let mut lists = StringViewBuilder::with_capacity(rows);
            for row in 0..rows {
                let text = |column: &&'_ StringViewArray| {
                    serde_json::Value::from(if column.is_valid(row) {
                        column.value(row)
                    } else {
                        ""
                    })
                };
                lists.append_value(
                    columns
                        .iter()
                        .map(text)
                        .collect::<serde_json::Value>()
                        .to_string(),
                );
            }
            Ok(Arc::new(lists.finish()))
        },
    )
}

fn columns_function(
    name: &'static str,
    argument: DataType,
    returns: DataType,
    body: fn(&[ArrayRef], usize) -> Result<ArrayRef>,
) -> Arc<ScalarUDF> {
    Arc::new(ScalarUDF::new_from_impl(ColumnsFunction {
        name,
        signature: Signature::user_defined(Volatility::Immutable),
        argument,
        returns,
        body,
    }))
}

impl PartialEq for ColumnsFunction {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for ColumnsFunction {}

impl Hash for ColumnsFunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl ScalarUDFImpl for ColumnsFunction {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        if arguments.is_empty() {
            return plan_err!("{} takes at least one argument", self.name);
        }
        Ok(vec![self.argument.clone(); arguments.len()])
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.returns.clone())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let columns = ColumnarValue::values_to_arrays(&args.args)?;
        let rows = columns.first().map_or(0, |column| column.len());
        let result = (self.body)(&columns, rows)?;
        // Literals alone give one row, which stands for all of them.
        if rows == 1 && args.number_rows != 1 {
            return Ok(ColumnarValue::Scalar(
                datafusion::scalar::ScalarValue::try_from_array(&result, 0)?,
            ));
        }
        Ok(ColumnarValue::Array(result))
    }
}
