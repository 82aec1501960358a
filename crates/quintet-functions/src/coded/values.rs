//! The values of a key.

use std::mem::size_of;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, StringViewBuilder};
use datafusion::error::Result;
use hashbrown::HashMap;

use super::cells::number;

/// The values of one key, each with its code.
#[derive(Default)]
pub(super) struct Texts {
    pub(super) values: Vec<Option<Arc<str>>>,
    codes: HashMap<Arc<str>, u32>,
    /// That of the value that is none.
    none: Option<u32>,
    bytes: usize,
}

impl Texts {
    /// The code of a value.
    pub(super) fn code(&mut self, value: Option<&str>) -> Result<u32> {
        let known = match value {
            Some(value) => self.codes.get(value).copied(),
            None => self.none,
        };
        if let Some(code) = known {
            return Ok(code);
        }
        let code = number(self.values.len())?;
        let value: Option<Arc<str>> = value.map(Arc::from);
        match &value {
            Some(value) => {
                self.bytes += value.len() + 2 * size_of::<usize>();
                self.codes.insert(Arc::clone(value), code);
            }
            None => self.none = Some(code),
        }
        self.values.push(value);
        Ok(code)
    }

    pub(super) fn column(&self) -> ArrayRef {
        let mut column = StringViewBuilder::with_capacity(self.values.len());
        for value in &self.values {
            column.append_option(value.as_deref());
        }
        Arc::new(column.finish())
    }

    pub(super) fn size(&self) -> usize {
        let value = size_of::<Option<Arc<str>>>();
        self.bytes
            + self.values.capacity() * value
            + self.codes.capacity() * (value + size_of::<u32>() + 1)
    }
}
