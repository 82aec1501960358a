//! Cohorts as columns: across for people, one cell a record for programs.

use super::super::view::{Block, Cell, Cohort, Retention};
use super::super::words::Unit;
use super::{Column, Sheet};

/// A triangle per breakdown value: one row per cohort, one column per period since its start.
pub(super) fn triangles(retention: &Retention) -> Vec<Sheet<'static>> {
    let sheet = |block: &Block| Sheet {
        heading: block.value.clone(),
        columns: triangle(retention, block),
        notes: Vec::new(),
    };
    retention.blocks.iter().map(sheet).collect()
}

fn triangle(retention: &Retention, block: &Block) -> Vec<Column<'static>> {
    let cohorts = || block.cohorts.iter();
    let of_column = |(column, offset): (usize, &String)| {
        let figures = cohorts().map(|cohort| retention.figure(cohort, column));
        Column::figures(offset, retention.unit, figures)
    };
    let mut columns = vec![
        Column::texts(
            &retention.period,
            cohorts().map(|cohort| cohort.name.clone()),
        ),
        Column::counts("size", cohorts().map(Cohort::size)),
    ];
    columns.extend(retention.offsets.iter().enumerate().map(of_column));
    columns
}

/// One record per cohort and column.
pub(super) fn records(retention: &Retention) -> Vec<Column<'static>> {
    let cells: Vec<Record<'_>> = retention.blocks.iter().flat_map(of_block).collect();
    let records = || cells.iter();
    let mut columns = Vec::new();
    columns.extend(Column::optional(
        "breakdown",
        records().map(|record| record.block.value.as_deref()),
    ));
    columns.extend([
        Column::texts(
            "cohort",
            records().map(|record| record.cohort.start.clone()),
        ),
        Column::texts(
            "interval",
            records().map(|record| retention.label(record.column)),
        ),
        Column::counts("count", records().map(|record| record.cell.count)),
        Column::figures(
            "rate",
            Unit::Percent,
            records().map(|record| record.cohort.rate(record.column)),
        ),
    ]);
    if retention.unit == Unit::Plain {
        columns.push(Column::counts(
            "value",
            records().map(|record| record.cell.aggregate),
        ));
    }
    columns
}

/// A cell and where it stands.
struct Record<'a> {
    block: &'a Block,
    cohort: &'a Cohort,
    column: usize,
    cell: &'a Cell,
}

fn of_block(block: &Block) -> impl Iterator<Item = Record<'_>> {
    block.cohorts.iter().flat_map(move |cohort| {
        let cells = cohort.cells.iter().enumerate();
        cells.map(move |(column, cell)| Record {
            block,
            cohort,
            column,
            cell,
        })
    })
}
