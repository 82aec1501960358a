//! What puts back the columns of events that files have in another form, as functions of plans: plans that travel name them, so
//! sessions on both sides must know them ([`scalar_functions`]).

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{ScalarValue, exec_datafusion_err, exec_err};
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};

use crate::files::stored::uuid_texts;
use crate::files::told::Told;

/// What computes a function from its arguments as columns.
type Body = fn(&[ColumnarValue], usize) -> Result<ArrayRef>;

/// The functions that plans over a store may name.
pub fn scalar_functions() -> Vec<Arc<ScalarUDF>> {
    vec![uuid_text(), told_properties()]
}

/// `uuid_text(high, low)`: a uuid as text from its halves.
pub(super) fn uuid_text() -> Arc<ScalarUDF> {
    let halves = Signature::exact(vec![DataType::Int64; 2], Volatility::Immutable);
    function("uuid_text", halves, |arguments, rows| {
        let [high, low] = arguments else {
            return exec_err!("uuid_text takes two numbers");
        };
        let (high, low) = (high.to_array(rows)?, low.to_array(rows)?);
        uuid_texts(&high, &low).map_err(|reason| exec_datafusion_err!("{reason}"))
    })
}

/// `told_properties(properties, name, column, …)`: the properties as JSON, out of these columns where they are null.
pub(super) fn told_properties() -> Arc<ScalarUDF> {
    let columns = Signature::variadic_any(Volatility::Immutable);
    function("told_properties", columns, |arguments, rows| {
        let Some((properties, told)) = arguments.split_first() else {
            return exec_err!("told_properties takes at least one column");
        };
        let properties = properties.to_array(rows)?;
        let Some(texts) = properties.as_string_view_opt() else {
            return exec_err!("properties are of type {}", properties.data_type());
        };
        let mut columns: Vec<(&str, ArrayRef)> = Vec::new();
        for pair in told.chunks(2) {
            let [ColumnarValue::Scalar(ScalarValue::Utf8(Some(name))), column] = pair else {
                return exec_err!("told_properties takes names and columns in turn");
            };
            columns.push((name, column.to_array(rows)?));
        }
        let told = Told::of(columns.iter().map(|(name, column)| (*name, column)))
            .map_err(|reason| exec_datafusion_err!("{reason}"))?;
        Ok(Arc::new(told.restore(texts)))
    })
}

fn function(name: &'static str, signature: Signature, body: Body) -> Arc<ScalarUDF> {
    Arc::new(ScalarUDF::new_from_impl(TextFunction {
        name,
        signature,
        body,
    }))
}

/// A function to a text, which never is null.
#[derive(Debug)]
struct TextFunction {
    name: &'static str,
    signature: Signature,
    body: Body,
}

impl PartialEq for TextFunction {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for TextFunction {}

impl Hash for TextFunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl ScalarUDFImpl for TextFunction {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8View)
    }

    fn return_field_from_args(&self, _: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        Ok(Arc::new(Field::new(self.name, DataType::Utf8View, false)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        (self.body)(&args.args, args.number_rows).map(ColumnarValue::Array)
    }
}
