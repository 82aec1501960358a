//! Where identifiers lie for a feature flag, for those who count audiences with SQL.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, Float64Array};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{ScalarValue, exec_err};
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, TypeSignature,
    Volatility,
};
use quintet_behavior::flags::hash;

use crate::function::texts;

/// `flag_hash(key, identifier[, salt])`: from 0 to 1, null where an argument is null.
pub(crate) fn flag_hash() -> Arc<ScalarUDF> {
    let texts = |count| TypeSignature::Exact(vec![DataType::Utf8View; count]);
    let signature = Signature::one_of(vec![texts(2), texts(3)], Volatility::Immutable);
    Arc::new(ScalarUDF::new_from_impl(FlagHash { signature }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct FlagHash {
    signature: Signature,
}

impl ScalarUDFImpl for FlagHash {
    fn name(&self) -> &str {
        "flag_hash"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let is_one = |value: &ColumnarValue| matches!(value, ColumnarValue::Scalar(_));
        let is_constant = args.args.iter().all(is_one);
        let columns = ColumnarValue::values_to_arrays(&args.args)?;
        let hashes = hashes(&columns)?;
        if is_constant {
            return ScalarValue::try_from_array(&hashes, 0).map(ColumnarValue::Scalar);
        }
        Ok(ColumnarValue::Array(Arc::new(hashes) as ArrayRef))
    }
}

fn hashes(columns: &[ArrayRef]) -> Result<Float64Array> {
    let (keys, identifiers, salts) = match columns {
        [keys, identifiers] => (texts(keys)?, texts(identifiers)?, None),
        [keys, identifiers, salts] => (texts(keys)?, texts(identifiers)?, Some(texts(salts)?)),
        _ => return exec_err!("flag_hash takes a flag's key, an identifier and perhaps a salt"),
    };
    let rows = keys.iter().zip(identifiers).enumerate();
    let hashed = rows.map(|(row, (key, identifier))| {
        let salt = match salts {
            None => "",
            Some(salts) if salts.is_null(row) => return None,
            Some(salts) => salts.value(row),
        };
        Some(hash(key?, identifier?, salt))
    });
    Ok(hashed.collect())
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::AsArray;
    use datafusion::arrow::datatypes::Float64Type;
    use datafusion::prelude::SessionContext;

    use super::*;

    #[tokio::test]
    async fn it_is_the_hash_of_flags_in_sql() {
        let mut context = SessionContext::new();
        crate::register_all(&mut context).unwrap();
        let sql = "select flag_hash('f', id) as a, flag_hash('f', id, 'variant') as b, flag_hash('f', 'acme') as c
            from (values ('acme'), (null)) as t(id)";
        let found = context.sql(sql).await.unwrap().collect().await.unwrap();
        let found = datafusion::arrow::compute::concat_batches(&found[0].schema(), &found).unwrap();
        let column = |name: &str| {
            let column = found.column_by_name(name).unwrap();
            column
                .as_primitive::<Float64Type>()
                .iter()
                .collect::<Vec<_>>()
        };
        let plain = hash("f", "acme", "");
        assert_eq!(column("a"), [Some(plain), None]);
        assert_eq!(column("b"), [Some(hash("f", "acme", "variant")), None]);
        assert_eq!(column("c"), [Some(plain), Some(plain)]);
    }
}
