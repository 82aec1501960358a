//! A scalar function made of a name, argument types, a return type and a body.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, ListArray, StringViewArray};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{ScalarValue, exec_err};
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

/// What computes a function: its first argument as a column, the others as they were given.
type Body = fn(&ArrayRef, &[ColumnarValue]) -> Result<ArrayRef>;

/// A pure function of one column; all further arguments are literals.
#[derive(Debug)]
struct ColumnFunction {
    name: &'static str,
    signature: Signature,
    returns: DataType,
    body: Body,
}

/// Makes a function; `arguments` are the exact types, the first one is the column.
pub(crate) fn column_function(
    name: &'static str,
    arguments: Vec<DataType>,
    returns: DataType,
    body: Body,
) -> Arc<ScalarUDF> {
    let signature = Signature::exact(arguments, Volatility::Immutable);
    Arc::new(ScalarUDF::new_from_impl(ColumnFunction {
        name,
        signature,
        returns,
        body,
    }))
}

impl PartialEq for ColumnFunction {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for ColumnFunction {}

impl Hash for ColumnFunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl ScalarUDFImpl for ColumnFunction {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.returns.clone())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let Some((column, literals)) = args.args.split_first() else {
            return exec_err!("{} takes at least one argument", self.name);
        };
        match column {
            ColumnarValue::Array(array) => (self.body)(array, literals).map(ColumnarValue::Array),
            ColumnarValue::Scalar(scalar) => {
                let result = (self.body)(&scalar.to_array()?, literals)?;
                ScalarValue::try_from_array(&result, 0).map(ColumnarValue::Scalar)
            }
        }
    }
}

/// A literal text argument.
pub(crate) fn text<'a>(
    literals: &'a [ColumnarValue],
    position: usize,
    what: &str,
) -> Result<&'a str> {
    match literals.get(position) {
        Some(ColumnarValue::Scalar(
            ScalarValue::Utf8(Some(text)) | ScalarValue::Utf8View(Some(text)),
        )) => Ok(text),
        _ => exec_err!("{what} must be a literal text"),
    }
}

/// A literal number argument.
pub(crate) fn number(literals: &[ColumnarValue], position: usize, what: &str) -> Result<f64> {
    match literals.get(position) {
        Some(ColumnarValue::Scalar(ScalarValue::Float64(Some(number)))) => Ok(*number),
        _ => exec_err!("{what} must be a literal number"),
    }
}

/// The values of a literal list argument.
pub(crate) fn list(literals: &[ColumnarValue], position: usize, what: &str) -> Result<ArrayRef> {
    match literals.get(position) {
        Some(ColumnarValue::Scalar(ScalarValue::List(list))) => first(list, what),
        _ => exec_err!("{what} must be a literal list"),
    }
}

fn first(list: &ListArray, what: &str) -> Result<ArrayRef> {
    if list.len() == 1 && list.is_valid(0) {
        Ok(list.value(0))
    } else {
        exec_err!("{what} must be one list")
    }
}

/// The column as texts.
pub(crate) fn texts(column: &ArrayRef) -> Result<&StringViewArray> {
    match column.as_any().downcast_ref() {
        Some(texts) => Ok(texts),
        None => exec_err!("expected a column of text, got {}", column.data_type()),
    }
}
