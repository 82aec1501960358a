//! Which cell a row belongs to: one for every combination of values and bucket that there is.

use std::mem::size_of;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, UInt32Array};
use datafusion::arrow::compute::take;
use datafusion::common::{exec_datafusion_err, internal_err};
use datafusion::error::Result;
use hashbrown::HashMap;

use super::values::Texts;

/// The bucket of what lies in none.
const NO_BUCKET: u32 = u32::MAX;

/// Cells by combination of values and bucket.
pub(super) struct Cells {
    /// Of each key that is a text.
    pub(super) texts: Vec<Texts>,
    /// Where there is more than one: combinations of codes, each with its number. Of one key it is the code itself.
    combinations: HashMap<Box<[u32]>, u32>,
    /// Combination and bucket of every cell.
    cells: Vec<(u32, u32)>,
    /// The cells by combination of what lies in no bucket.
    in_none: Vec<u32>,
    /// The cells of each bucket, and where that is.
    by_bucket: Vec<Bucket>,
    buckets: HashMap<u32, usize>,
    /// The bucket met last, and where it is: rows come mostly in order of time.
    here: Option<(u32, usize)>,
    /// Bytes of pages.
    paged: usize,
}

/// The cells of a bucket by combination, in pages: a bucket need not have many of all combinations.
#[derive(Default)]
struct Bucket(Vec<Option<Box<Page>>>);

/// Cells of neighbouring combinations.
type Page = [u32; PAGE];

const PAGE: usize = 64;

/// The cell of what has none yet.
const NO_CELL: u32 = u32::MAX;

impl Bucket {
    fn get(&self, combination: u32) -> Option<u32> {
        let at = combination as usize;
        let page = self.0.get(at / PAGE)?.as_ref()?;
        let cell = page.get(at % PAGE).copied()?;
        (cell != NO_CELL).then_some(cell)
    }

    /// Where the cell of a combination is to stand, and how many bytes that took.
    fn slot(&mut self, combination: u32) -> (Option<&mut u32>, usize) {
        let at = combination as usize;
        if at / PAGE >= self.0.len() {
            self.0.resize_with(at / PAGE + 1, || None);
        }
        let Some(page) = self.0.get_mut(at / PAGE) else {
            return (None, 0);
        };
        let taken = if page.is_none() { size_of::<Page>() } else { 0 };
        let page = page.get_or_insert_with(|| Box::new([NO_CELL; PAGE]));
        (page.get_mut(at % PAGE), taken)
    }
}

/// The number of what comes after so many others.
pub(super) fn number(count: usize) -> Result<u32> {
    u32::try_from(count).map_err(|_| exec_datafusion_err!("more than {} groups", u32::MAX))
}

impl Cells {
    /// None yet, for so many keys that are texts.
    pub(super) fn new(texts: usize) -> Self {
        Self {
            texts: (0..texts).map(|_| Texts::default()).collect(),
            combinations: HashMap::new(),
            cells: Vec::new(),
            in_none: Vec::new(),
            by_bucket: Vec::new(),
            buckets: HashMap::new(),
            here: None,
            paged: 0,
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.cells.len()
    }

    /// The cells of rows: `codes` of each key by the rows that are looked at, and the buckets of all rows of the batch if there are any.
    pub(super) fn find(
        &mut self,
        rows: Rows<'_>,
        codes: &[Vec<u32>],
        buckets: Option<&UInt32Array>,
        found: &mut Vec<usize>,
    ) -> Result<()> {
        found.clear();
        let buckets = Buckets::of(buckets);
        let bucket = |at: usize| buckets.at(rows.row(at));
        match codes {
            [only] => {
                for (at, combination) in only.iter().enumerate().take(rows.len()) {
                    found.push(self.cell(*combination, bucket(at))?);
                }
            }
            [] => match (rows, &buckets) {
                (Rows::All(_), Buckets::All(buckets)) => {
                    for same in buckets.chunk_by(|bucket, next| bucket == next) {
                        let cell = match same.first() {
                            Some(bucket) => self.cell(0, *bucket)?,
                            None => continue,
                        };
                        found.resize(found.len() + same.len(), cell);
                    }
                }
                _ => {
                    for at in 0..rows.len() {
                        found.push(self.cell(0, bucket(at))?);
                    }
                }
            },
            several => {
                let mut together = Vec::with_capacity(several.len());
                for at in 0..rows.len() {
                    together.clear();
                    together.extend(several.iter().filter_map(|codes| codes.get(at)));
                    let combination = self.combination(&together)?;
                    found.push(self.cell(combination, bucket(at))?);
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

    #[inline]
    fn cell(&mut self, combination: u32, bucket: u32) -> Result<usize> {
        let known = match self.here {
            _ if bucket == NO_BUCKET => {
                let cell = self.in_none.get(combination as usize).copied();
                cell.filter(|cell| *cell != NO_CELL)
            }
            Some((here, at)) if here == bucket => {
                let cells = self.by_bucket.get(at);
                cells.and_then(|cells| cells.get(combination))
            }
            _ => None,
        };
        match known {
            Some(cell) => Ok(cell as usize),
            None => self.look_up(combination, bucket),
        }
    }

    #[cold]
    fn look_up(&mut self, combination: u32, bucket: u32) -> Result<usize> {
        if bucket == NO_BUCKET {
            let cell = self.new_cell(combination, bucket)?;
            let at = combination as usize;
            if at >= self.in_none.len() {
                self.in_none.resize(at + 1, NO_CELL);
            }
            if let Some(slot) = self.in_none.get_mut(at) {
                *slot = cell;
            }
            return Ok(cell as usize);
        }
        let at = *self.buckets.entry(bucket).or_insert_with(|| {
            self.by_bucket.push(Bucket::default());
            self.by_bucket.len() - 1
        });
        self.here = Some((bucket, at));
        let known = self.by_bucket.get(at);
        if let Some(cell) = known.and_then(|cells| cells.get(combination)) {
            return Ok(cell as usize);
        }
        let cell = self.new_cell(combination, bucket)?;
        let Some(cells) = self.by_bucket.get_mut(at) else {
            return internal_err!("a bucket was lost");
        };
        let (slot, taken) = cells.slot(combination);
        if let Some(slot) = slot {
            *slot = cell;
        }
        self.paged += taken;
        Ok(cell as usize)
    }

    fn new_cell(&mut self, combination: u32, bucket: u32) -> Result<u32> {
        let cell = number(self.cells.len())?;
        self.cells.push((combination, bucket));
        Ok(cell)
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
            + self.cells.capacity() * pair
            + self.in_none.capacity() * size_of::<u32>()
            + self.paged
    }
}

/// Rows of a batch.
#[derive(Clone, Copy)]
pub(super) enum Rows<'a> {
    /// So many from the first on.
    All(usize),
    These(&'a [u32]),
}

impl Rows<'_> {
    fn len(self) -> usize {
        match self {
            Self::All(rows) => rows,
            Self::These(rows) => rows.len(),
        }
    }

    /// The row that is looked at as the n-th.
    fn row(self, at: usize) -> usize {
        match self {
            Self::All(_) => at,
            Self::These(rows) => rows.get(at).copied().unwrap_or_default() as usize,
        }
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
