//! Which cell a row belongs to: one for every combination of values and bucket that there is.

use std::mem::size_of;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, StringViewBuilder, UInt32Array};
use datafusion::arrow::compute::take;
use datafusion::common::exec_datafusion_err;
use datafusion::error::Result;
use hashbrown::HashMap;

/// The bucket of what lies in none.
const NO_BUCKET: u32 = u32::MAX;

/// The values of one key, each with its code.
#[derive(Default)]
pub(super) struct Texts {
    values: Vec<Option<Arc<str>>>,
    codes: HashMap<Option<Arc<str>>, u32>,
    bytes: usize,
}

/// Cells by combination of values and bucket.
pub(super) struct Cells {
    /// Of each key that is a text.
    pub(super) texts: Vec<Texts>,
    /// Where there is more than one: combinations of codes, each with its number. Of one key it is the code itself.
    combinations: HashMap<Box<[u32]>, u32>,
    /// Combination and bucket of every cell.
    cells: Vec<(u32, u32)>,
    numbers: HashMap<(u32, u32), u32>,
    here: Here,
}

/// The cells of the bucket at hand, by combination: rows come mostly in order of time.
#[derive(Default)]
struct Here {
    bucket: Option<u32>,
    /// Counts the buckets met; cells of an older turn are of another bucket.
    turn: u32,
    /// Turn and cell by combination.
    cells: Vec<(u32, u32)>,
}

fn number(count: usize) -> Result<u32> {
    u32::try_from(count).map_err(|_| exec_datafusion_err!("more than {} groups", u32::MAX))
}

impl Texts {
    /// The code of a value.
    pub(super) fn code(&mut self, value: Option<&str>) -> Result<u32> {
        let value: Option<Arc<str>> = value.map(Arc::from);
        if let Some(&code) = self.codes.get(&value) {
            return Ok(code);
        }
        let code = number(self.values.len())?;
        self.bytes += value
            .as_ref()
            .map_or(0, |value| value.len() + 2 * size_of::<usize>());
        self.values.push(value.clone());
        self.codes.insert(value, code);
        Ok(code)
    }

    fn column(&self) -> ArrayRef {
        let mut column = StringViewBuilder::with_capacity(self.values.len());
        for value in &self.values {
            column.append_option(value.as_deref());
        }
        Arc::new(column.finish())
    }

    fn size(&self) -> usize {
        let value = size_of::<Option<Arc<str>>>();
        self.bytes
            + self.values.capacity() * value
            + self.codes.capacity() * (value + size_of::<u32>() + 1)
    }
}

impl Cells {
    /// None yet, for so many keys that are texts.
    pub(super) fn new(texts: usize) -> Self {
        Self {
            texts: (0..texts).map(|_| Texts::default()).collect(),
            combinations: HashMap::new(),
            cells: Vec::new(),
            numbers: HashMap::new(),
            here: Here::default(),
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.cells.len()
    }

    /// The cells of rows: `codes` of each key by row, and the buckets of rows if there are any.
    pub(super) fn find(
        &mut self,
        rows: usize,
        codes: &[Vec<u32>],
        buckets: Option<&UInt32Array>,
        found: &mut Vec<usize>,
    ) -> Result<()> {
        found.clear();
        let buckets = Buckets::of(buckets);
        match codes {
            [only] => {
                for (row, combination) in only.iter().enumerate().take(rows) {
                    found.push(self.cell(*combination, buckets.at(row))?);
                }
            }
            [] => {
                for row in 0..rows {
                    found.push(self.cell(0, buckets.at(row))?);
                }
            }
            several => {
                let mut together = Vec::with_capacity(several.len());
                for row in 0..rows {
                    together.clear();
                    together.extend(several.iter().filter_map(|codes| codes.get(row)));
                    let combination = self.combination(&together)?;
                    found.push(self.cell(combination, buckets.at(row))?);
                }
            }
        }
        Ok(())
    }

    fn combination(&mut self, codes: &[u32]) -> Result<u32> {
        if let Some(&combination) = self.combinations.get(codes) {
            return Ok(combination);
        }
        let combination = number(self.combinations.len())?;
        self.combinations.insert(codes.into(), combination);
        Ok(combination)
    }

    fn cell(&mut self, combination: u32, bucket: u32) -> Result<usize> {
        let here = &mut self.here;
        if here.bucket != Some(bucket) {
            here.bucket = Some(bucket);
            here.turn = match here.turn.checked_add(1) {
                Some(turn) => turn,
                None => {
                    here.cells.clear();
                    1
                }
            };
        }
        match here.cells.get(combination as usize) {
            Some(&(turn, cell)) if turn == here.turn => Ok(cell as usize),
            _ => self.look_up(combination, bucket),
        }
    }

    #[cold]
    fn look_up(&mut self, combination: u32, bucket: u32) -> Result<usize> {
        let new = number(self.cells.len())?;
        let cell = *self.numbers.entry((combination, bucket)).or_insert(new);
        if cell == new {
            self.cells.push((combination, bucket));
        }
        let at = combination as usize;
        if at >= self.here.cells.len() {
            self.here.cells.resize(at + 1, (0, 0));
        }
        if let Some(here) = self.here.cells.get_mut(at) {
            *here = (self.here.turn, cell);
        }
        Ok(cell as usize)
    }

    /// Takes over the cells of another input, and says which each became.
    pub(super) fn merge(&mut self, other: &Self) -> Result<Vec<usize>> {
        let mut codes = Vec::with_capacity(self.texts.len());
        for (own, other) in self.texts.iter_mut().zip(&other.texts) {
            let of_other = other.values.iter().map(|value| own.code(value.as_deref()));
            codes.push(of_other.collect::<Result<Vec<u32>>>()?);
        }
        let combinations = match codes.as_slice() {
            [] => vec![0],
            [only] => only.clone(),
            several => {
                let mut found = vec![0; other.combinations.len()];
                for (theirs, combination) in &other.combinations {
                    let own = theirs.iter().zip(several);
                    let own = own.filter_map(|(code, codes)| codes.get(*code as usize).copied());
                    let own = self.combination(&own.collect::<Vec<u32>>())?;
                    if let Some(slot) = found.get_mut(*combination as usize) {
                        *slot = own;
                    }
                }
                found
            }
        };
        let cells = other.cells.iter().map(|(combination, bucket)| {
            let own = combinations.get(*combination as usize).copied();
            self.cell(own.unwrap_or_default(), *bucket)
        });
        cells.collect()
    }

    /// An order of all cells in which those of the same values are together.
    pub(super) fn order(&self) -> UInt32Array {
        let combinations = self
            .cells
            .iter()
            .map(|(combination, _)| *combination as usize);
        let most = combinations.clone().max().map_or(0, |most| most + 1);
        let mut starts = vec![0; most + 1];
        for combination in combinations.clone() {
            if let Some(count) = starts.get_mut(combination + 1) {
                *count += 1;
            }
        }
        let mut before = 0;
        for start in &mut starts {
            before += *start;
            *start = before;
        }
        let mut order = vec![0; self.cells.len()];
        for (cell, combination) in (0..).zip(combinations) {
            if let Some(start) = starts.get_mut(combination) {
                if let Some(slot) = order.get_mut(*start) {
                    *slot = cell;
                }
                *start += 1;
            }
        }
        UInt32Array::from(order)
    }

    /// The values of each key that is a text, of the cells in this order.
    pub(super) fn columns(&self, order: &UInt32Array) -> Result<Vec<ArrayRef>> {
        let mut by_combination: Vec<&[u32]> = vec![&[]; self.combinations.len()];
        for (codes, combination) in &self.combinations {
            if let Some(slot) = by_combination.get_mut(*combination as usize) {
                *slot = codes;
            }
        }
        let is_one = self.texts.len() == 1;
        let column = |(key, texts): (usize, &Texts)| {
            let code = |cell: &u32| {
                let (combination, _) = self.cells.get(*cell as usize).copied().unwrap_or_default();
                let codes = by_combination.get(combination as usize);
                match is_one {
                    true => combination,
                    false => codes
                        .and_then(|codes| codes.get(key))
                        .copied()
                        .unwrap_or_default(),
                }
            };
            let codes = UInt32Array::from_iter_values(order.values().iter().map(code));
            Ok(take(&texts.column(), &codes, None)?)
        };
        self.texts.iter().enumerate().map(column).collect()
    }

    /// The buckets of the cells in this order; null for what lies in none.
    pub(super) fn buckets(&self, order: &UInt32Array) -> ArrayRef {
        let bucket = |cell: &u32| {
            let (_, bucket) = self.cells.get(*cell as usize)?;
            (*bucket != NO_BUCKET).then_some(*bucket)
        };
        let buckets: UInt32Array = order.values().iter().map(bucket).collect();
        Arc::new(buckets)
    }

    /// Bytes held.
    pub(super) fn size(&self) -> usize {
        let pair = size_of::<(u32, u32)>();
        let combination = self.texts.len() * size_of::<u32>() + size_of::<(Box<[u32]>, u32)>();
        self.texts.iter().map(Texts::size).sum::<usize>()
            + self.combinations.capacity() * (combination + 1)
            + (self.cells.capacity() + self.here.cells.capacity()) * pair
            + self.numbers.capacity() * (pair + size_of::<u32>() + 1)
    }
}

/// The buckets of rows.
enum Buckets<'a> {
    None,
    All(&'a [u32]),
    Some(&'a UInt32Array),
}

impl<'a> Buckets<'a> {
    fn of(buckets: Option<&'a UInt32Array>) -> Self {
        match buckets {
            None => Self::None,
            Some(buckets) if buckets.null_count() == 0 => Self::All(buckets.values()),
            Some(buckets) => Self::Some(buckets),
        }
    }

    fn at(&self, row: usize) -> u32 {
        match self {
            Self::None => NO_BUCKET,
            Self::All(buckets) => buckets.get(row).copied().unwrap_or(NO_BUCKET),
            Self::Some(buckets) if buckets.is_valid(row) => buckets.value(row),
            Self::Some(_) => NO_BUCKET,
        }
    }
}
