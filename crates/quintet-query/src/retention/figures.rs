//! What the engine counts: how many actors stand in each cell, and what their events add up to.

use std::collections::BTreeMap;

/// The cells of retention, by breakdown value. Cells that nothing was added to are empty.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Figures {
    blocks: BTreeMap<String, Cells>,
}

/// The cells of one breakdown value, by row and column.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Cells(BTreeMap<(usize, usize), Cell>);

/// One cell.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Cell {
    pub(super) actors: u64,
    /// What the amounts of their events add up to.
    pub(super) amount: f64,
}

impl Figures {
    /// Adds the cohort of one actor: the columns in which it counts, and what each adds up to if anything is.
    ///
    /// `value` is the text of the breakdown value; `None` where it is null or absent, and without a breakdown. Of a cohort
    /// breakdown it is the position in [`Breakdown::Cohorts`](crate::breakdown::Breakdown::Cohorts) as decimal text.
    pub fn add_actor(
        &mut self,
        value: Option<&str>,
        row: usize,
        columns: &[usize],
        amounts: &[f64],
    ) {
        let cells = self.block(value);
        for (at, column) in columns.iter().enumerate() {
            cells.add(row, *column, 1, amounts.get(at).copied().unwrap_or(0.0));
        }
    }

    /// Adds actors that were counted already, and what their events in the cell add up to. `value` is as in
    /// [`add_actor`](Self::add_actor).
    pub fn add(
        &mut self,
        value: Option<&str>,
        row: usize,
        column: usize,
        actors: u64,
        amount: f64,
    ) {
        self.block(value).add(row, column, actors, amount);
    }

    fn block(&mut self, value: Option<&str>) -> &mut Cells {
        self.blocks
            .entry(value.unwrap_or_default().to_owned())
            .or_default()
    }

    /// The cells of every breakdown value, null and absent being the empty text.
    pub(super) fn blocks(&self) -> impl Iterator<Item = (&str, &Cells)> {
        self.blocks
            .iter()
            .map(|(value, cells)| (value.as_str(), cells))
    }
}

impl Cells {
    fn add(&mut self, row: usize, column: usize, actors: u64, amount: f64) {
        let cell = self.0.entry((row, column)).or_default();
        cell.actors = cell.actors.saturating_add(actors);
        cell.amount += amount;
    }

    /// Adds the cells of another breakdown value.
    pub(super) fn fold(&mut self, other: &Self) {
        for ((row, column), cell) in &other.0 {
            self.add(*row, *column, cell.actors, cell.amount);
        }
    }

    pub(super) fn get(&self, row: usize, column: usize) -> Cell {
        self.0.get(&(row, column)).copied().unwrap_or_default()
    }

    /// The sizes of all cohorts together.
    pub(super) fn size(&self) -> u64 {
        self.0
            .iter()
            .filter(|((_, column), _)| *column == 0)
            .fold(0, |size, (_, cell)| size.saturating_add(cell.actors))
    }
}
