//! A scalar function of any number of columns of one type, after a literal text if it takes one.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::plan_err;
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::scalar::ScalarValue;

use crate::function::text;

/// What computes a function.
#[derive(Debug, Clone, Copy)]
enum Body {
    /// Of columns alone.
    Columns(fn(&[ArrayRef]) -> Result<ArrayRef>),
    /// Of a literal text and the columns after it.
    AfterText(fn(&str, &[ArrayRef]) -> Result<ArrayRef>),
}

/// A pure function of columns, all of the same length and at least one.
#[derive(Debug)]
struct ColumnsFunction {
    name: &'static str,
    signature: Signature,
    argument: DataType,
    returns: DataType,
    body: Body,
}

/// Makes a function of columns of one type.
pub(crate) fn columns_function(
    name: &'static str,
    argument: DataType,
    returns: DataType,
    body: fn(&[ArrayRef]) -> Result<ArrayRef>,
) -> Arc<ScalarUDF> {
    function(name, argument, returns, Body::Columns(body))
}

/// Makes a function of a literal text and columns of one type.
pub(crate) fn columns_function_after_text(
    name: &'static str,
    argument: DataType,
    returns: DataType,
    body: fn(&str, &[ArrayRef]) -> Result<ArrayRef>,
) -> Arc<ScalarUDF> {
    function(name, argument, returns, Body::AfterText(body))
}

fn function(
    name: &'static str,
    argument: DataType,
    returns: DataType,
    body: Body,
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
        let (literals, columns) = match (self.body, arguments) {
            (Body::Columns(_), columns) => (&[][..], columns),
            (Body::AfterText(_), [text, columns @ ..]) => (std::slice::from_ref(text), columns),
            (Body::AfterText(_), []) => (&[][..], &[][..]),
        };
        if columns.is_empty() {
            return plan_err!("{} takes at least one column", self.name);
        }
        let mut types = literals.to_vec();
        types.resize(arguments.len(), self.argument.clone());
        Ok(types)
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.returns.clone())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let result = match self.body {
            Body::Columns(body) => body(&ColumnarValue::values_to_arrays(&args.args)?)?,
            Body::AfterText(body) => {
                let columns = args.args.get(1..).unwrap_or_default();
                let columns = ColumnarValue::values_to_arrays(columns)?;
                body(text(&args.args, 0, "the first argument")?, &columns)?
            }
        };
        // Literals alone give one row, which stands for all of them.
        if result.len() == 1 && args.number_rows != 1 {
            return ScalarValue::try_from_array(&result, 0).map(ColumnarValue::Scalar);
        }
        Ok(ColumnarValue::Array(result))
    }
}
