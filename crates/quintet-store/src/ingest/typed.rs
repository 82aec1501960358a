//! Properties that came in columns, kept instead of their JSON text: the columns of a file are gathered from them, and the text is
//! made where somebody needs it.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, BooleanBuilder, Float64Array, Float64Builder,
    StringArray, StringViewBuilder,
};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Float64Type};

use super::json;
use crate::schema::{Promoted, PropertyType};

/// Up to here no two integers are the same `Float64`.
pub(crate) const MAX_EXACT_INTEGER: f64 = 9_007_199_254_740_991.0;
/// The batch of rows that came otherwise.
const NONE: u32 = u32::MAX;

/// The properties of the rows of a batch, all of them.
#[derive(Clone, Debug)]
pub(crate) struct TypedBatch(Vec<(String, Values)>);

/// The values of one property; null where a row has none.
#[derive(Clone, Debug)]
enum Values {
    Text(StringArray),
    Number(Float64Array),
    Bool(BooleanArray),
}

/// The batches that staged rows came from, and which row of them each one was.
#[derive(Clone, Debug, Default)]
pub(crate) struct Typed {
    batches: Vec<Arc<TypedBatch>>,
    places: Vec<(u32, u32)>,
    bytes: usize,
}

impl TypedBatch {
    /// Of columns by name, each with its values as JSON has them between quotes; none if some column is of a type that files have
    /// no exact column for.
    pub(super) fn of<'a>(
        columns: impl Iterator<Item = (&'a str, &'a ArrayRef, &'a StringArray)>,
    ) -> Option<Arc<Self>> {
        let mut batch = Self(Vec::new());
        for (name, array, texts) in columns {
            // Of two columns for one property now the one counts and now the other.
            if batch.0.iter().any(|(known, _)| known == name) {
                return None;
            }
            batch.0.push((name.to_owned(), Values::of(array, texts)?));
        }
        batch.0.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        Some(Arc::new(batch))
    }

    /// The properties of a row as JSON, in the order of their names.
    fn text(&self, row: usize) -> String {
        let mut inner = String::new();
        let mut value = String::new();
        for (name, values) in &self.0 {
            value.clear();
            if values.write(row, &mut value) {
                json::push_entry(&mut inner, name, &value);
            }
        }
        format!("{{{inner}}}")
    }

    fn values(&self, name: &str) -> Option<&Values> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, values)| values)
    }

    fn bytes(&self) -> usize {
        let arrays = self.0.iter().map(|(_, values)| match values {
            Values::Text(array) => array.get_array_memory_size(),
            Values::Number(array) => array.get_array_memory_size(),
            Values::Bool(array) => array.get_array_memory_size(),
        });
        arrays.sum()
    }
}

impl Values {
    fn of(array: &ArrayRef, texts: &StringArray) -> Option<Self> {
        Some(match array.data_type() {
            DataType::Boolean => Self::Bool(array.as_boolean().clone()),
            // JSON has no other floats than finite ones.
            DataType::Float64 => {
                let values = array.as_primitive::<Float64Type>().iter();
                Self::Number(
                    values
                        .map(|value| value.filter(|v| v.is_finite()))
                        .collect(),
                )
            }
            kind if kind.is_integer() => {
                let values = cast(array, &DataType::Float64).ok()?;
                let values = values.as_primitive::<Float64Type>();
                let mut given = values.iter().flatten();
                if given.any(|value| value.abs() > MAX_EXACT_INTEGER) {
                    return None;
                }
                Self::Number(values.clone())
            }
            kind if kind.is_numeric() => return None,
            _ => Self::Text(texts.clone()),
        })
    }

    /// Writes the value of a row as JSON; false if there is none.
    fn write(&self, row: usize, out: &mut String) -> bool {
        let has = self.has(row);
        match self {
            _ if !has => {}
            Self::Text(array) => json::push_string(out, array.value(row)),
            Self::Number(array) => json::push_number(out, array.value(row)),
            Self::Bool(array) => out.push_str(if array.value(row) { "true" } else { "false" }),
        }
        has
    }

    fn has(&self, row: usize) -> bool {
        match self {
            Self::Text(array) => array.is_valid(row),
            Self::Number(array) => array.is_valid(row),
            Self::Bool(array) => array.is_valid(row),
        }
    }

    fn is_null(&self) -> bool {
        match self {
            Self::Text(array) => array.null_count() == array.len(),
            Self::Number(array) => array.null_count() == array.len(),
            Self::Bool(array) => array.null_count() == array.len(),
        }
    }
}

impl Typed {
    /// Adds a row that came otherwise, or is no longer as it came.
    pub(crate) fn push_none(&mut self) {
        self.places.push((NONE, 0));
    }

    /// Adds a row of a batch.
    pub(crate) fn push(&mut self, batch: &Arc<TypedBatch>, row: u32) {
        if !self
            .batches
            .last()
            .is_some_and(|last| Arc::ptr_eq(last, batch))
        {
            self.bytes += batch.bytes();
            self.batches.push(Arc::clone(batch));
        }
        self.places.push((self.batches.len() as u32 - 1, row));
    }

    /// Memory that the batches take.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes + self.places.len() * size_of::<(u32, u32)>()
    }

    /// Forgets the rows.
    pub(crate) fn clear(&mut self) {
        self.batches.clear();
        self.places.clear();
        self.bytes = 0;
    }

    /// The properties of a row as JSON, if they came in columns.
    pub(crate) fn text(&self, row: usize) -> Option<String> {
        let (batch, row) = self.places.get(row)?;
        let batch = self.batches.get(*batch as usize)?;
        Some(batch.text(*row as usize))
    }

    /// What rows have beside these properties.
    pub(crate) fn further(&self, promoted: &[Promoted]) -> Further<'_> {
        let is_other = |name: &str| !promoted.iter().any(|property| property.name == name);
        let others = |batch: &'_ Arc<TypedBatch>| -> Vec<usize> {
            let columns = batch.0.iter().enumerate();
            let others = columns.filter(|(_, (name, values))| is_other(name) && !values.is_null());
            others.map(|(place, _)| place).collect()
        };
        Further {
            typed: self,
            others: self.batches.iter().map(others).collect(),
        }
    }

    /// The column of each property over these rows; none where a value is of another type. Nothing if some row came otherwise.
    pub(crate) fn columns(
        &self,
        promoted: &[Promoted],
        rows: &[u32],
    ) -> Option<Vec<Option<ArrayRef>>> {
        let places: Vec<(u32, u32)> = rows.iter().map(|row| self.places[*row as usize]).collect();
        if places.iter().any(|(batch, _)| *batch == NONE) {
            return None;
        }
        let mut used = vec![false; self.batches.len()];
        for (batch, _) in &places {
            used[*batch as usize] = true;
        }
        let column = |property: &Promoted| self.column(property, &places, &used);
        Some(promoted.iter().map(column).collect())
    }

    fn column(
        &self,
        property: &Promoted,
        places: &[(u32, u32)],
        used: &[bool],
    ) -> Option<ArrayRef> {
        let values = |batch: &Arc<TypedBatch>, used: bool| {
            let values = batch.values(&property.name).filter(|_| used).cloned();
            values.filter(|values| !values.is_null())
        };
        let batches = self.batches.iter().zip(used);
        let values: Vec<_> = batches.map(|(batch, used)| values(batch, *used)).collect();
        let gathered = Gathered {
            values: &values,
            places,
        };
        match property.kind {
            PropertyType::Text => gathered.texts(),
            PropertyType::Number => gathered.numbers(),
            PropertyType::Bool => gathered.bools(),
        }
    }
}

/// The properties that came in columns, but for some.
pub(crate) struct Further<'a> {
    typed: &'a Typed,
    /// Places of columns, by batch.
    others: Vec<Vec<usize>>,
}

impl Further<'_> {
    /// Does a row have one?
    pub(crate) fn has(&self, row: usize) -> bool {
        let has = || {
            let (number, row) = self.typed.places.get(row)?;
            let batch = self.typed.batches.get(*number as usize)?;
            let mut others = self.others.get(*number as usize)?.iter();
            Some(others.any(|place| {
                let column = batch.0.get(*place);
                column.is_some_and(|(_, values)| values.has(*row as usize))
            }))
        };
        has().unwrap_or_default()
    }
}

/// One property of rows in some order.
struct Gathered<'a> {
    /// By batch.
    values: &'a [Option<Values>],
    places: &'a [(u32, u32)],
}

impl Gathered<'_> {
    fn texts(&self) -> Option<ArrayRef> {
        let arrays = self.arrays(|values| match values {
            Values::Text(array) => Some(array),
            _ => None,
        })?;
        let mut column = StringViewBuilder::with_capacity(self.places.len());
        for (batch, row) in self.places {
            let array = arrays[*batch as usize].filter(|array| array.is_valid(*row as usize));
            column.append_option(array.map(|array| array.value(*row as usize)));
        }
        Some(Arc::new(column.finish()))
    }

    fn numbers(&self) -> Option<ArrayRef> {
        let arrays = self.arrays(|values| match values {
            Values::Number(array) => Some(array),
            _ => None,
        })?;
        let mut column = Float64Builder::with_capacity(self.places.len());
        for (batch, row) in self.places {
            let array = arrays[*batch as usize].filter(|array| array.is_valid(*row as usize));
            column.append_option(array.map(|array| array.value(*row as usize)));
        }
        Some(Arc::new(column.finish()))
    }

    fn bools(&self) -> Option<ArrayRef> {
        let arrays = self.arrays(|values| match values {
            Values::Bool(array) => Some(array),
            _ => None,
        })?;
        let mut column = BooleanBuilder::with_capacity(self.places.len());
        for (batch, row) in self.places {
            let array = arrays[*batch as usize].filter(|array| array.is_valid(*row as usize));
            column.append_option(array.map(|array| array.value(*row as usize)));
        }
        Some(Arc::new(column.finish()))
    }

    /// The arrays of one type by batch; nothing if some batch has values of another one.
    fn arrays<'a, T>(
        &'a self,
        of: impl Fn(&'a Values) -> Option<&'a T>,
    ) -> Option<Vec<Option<&'a T>>> {
        let arrays = self.values.iter().map(|values| match values {
            None => Some(None),
            Some(values) => of(values).map(Some),
        });
        arrays.collect()
    }
}
