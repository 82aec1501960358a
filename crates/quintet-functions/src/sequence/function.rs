//! A sequence aggregate as DataFusion's function.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, FieldRef, TimeUnit};
use datafusion::common::{exec_err, plan_err};
use datafusion::error::Result;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, GroupsAccumulator, Signature, Volatility,
};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Literal;
use datafusion::scalar::ScalarValue;

use super::accumulator::{Sequences, state_fields};
use super::{Columns, Kind, Reading};

/// Most conditions that one call may have: marks are bits of one number.
const MOST_CONDITIONS: usize = 64;

/// A sequence aggregate.
#[derive(Debug)]
pub(crate) struct SequenceFunction {
    kind: &'static Kind,
    signature: Signature,
}

/// The function, if it is an aggregate of this module.
pub(super) fn sequence_function(function: &AggregateUDF) -> Option<&SequenceFunction> {
    let any: &dyn std::any::Any = function.inner().as_ref();
    any.downcast_ref()
}

impl SequenceFunction {
    pub(crate) fn udaf(kind: &'static Kind) -> Arc<AggregateUDF> {
        Arc::new(AggregateUDF::new_from_impl(Self {
            kind,
            signature: Signature::user_defined(Volatility::Immutable),
        }))
    }

    fn sequences(&self, args: &AccumulatorArgs<'_>) -> Result<Sequences> {
        Ok(Sequences::new(self.reading(args.exprs)?, self.kind.columns))
    }

    /// What the function reads of an actor's events, given these arguments.
    pub(super) fn reading(&self, arguments: &[Arc<dyn PhysicalExpr>]) -> Result<Arc<dyn Reading>> {
        let definition = arguments
            .first()
            .and_then(|expr| expr.downcast_ref::<Literal>());
        let Some(ScalarValue::Utf8(Some(definition)) | ScalarValue::Utf8View(Some(definition))) =
            definition.map(Literal::value)
        else {
            return exec_err!(
                "the definition of {} must be a literal text",
                self.kind.name
            );
        };
        let conditions = arguments.len().saturating_sub(2);
        (self.kind.reading)(definition, conditions)
    }

    /// How its arguments become events.
    pub(super) fn columns(&self) -> Columns {
        self.kind.columns
    }
}

impl PartialEq for SequenceFunction {
    fn eq(&self, other: &Self) -> bool {
        self.kind.name == other.kind.name
    }
}

impl Eq for SequenceFunction {}

impl Hash for SequenceFunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.kind.name.hash(state);
    }
}

impl AggregateUDFImpl for SequenceFunction {
    fn name(&self) -> &str {
        self.kind.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        let name = self.kind.name;
        let [definition, time, rest @ ..] = arguments else {
            return plan_err!("{name} needs a definition and a time");
        };
        let zone = match time {
            DataType::Timestamp(_, zone) => zone.clone(),
            _ => None,
        };
        let mut types = vec![
            definition.clone(),
            DataType::Timestamp(TimeUnit::Microsecond, zone),
        ];
        match (self.kind.columns, rest) {
            (Columns::Conditions, conditions)
                if (1..=MOST_CONDITIONS).contains(&conditions.len()) =>
            {
                types.resize(arguments.len(), DataType::Boolean);
            }
            (Columns::Conditions, conditions) => {
                return plan_err!(
                    "{name} takes 1 to {MOST_CONDITIONS} conditions, not {}",
                    conditions.len()
                );
            }
            (Columns::Marked, [_, more, _]) => {
                let is_number = *more == DataType::Float64;
                let more = if is_number {
                    more.clone()
                } else {
                    DataType::UInt64
                };
                types.extend([DataType::UInt64, more, DataType::Utf8View]);
            }
            (Columns::Marked, _) => {
                return plan_err!("{name} takes two columns of marks and a value after the time");
            }
        }
        Ok(types)
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok((self.kind.returns)())
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(self.sequences(&args)?))
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        Ok(state_fields(&args))
    }

    fn groups_accumulator_supported(&self, _: AccumulatorArgs<'_>) -> bool {
        true
    }

    fn create_groups_accumulator(
        &self,
        args: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(self.sequences(&args)?))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }
}
