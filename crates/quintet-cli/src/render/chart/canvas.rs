//! A grid of terminal cells with eight dots each (Unicode braille), on which lines are drawn.

/// Where a dot is: columns from the left and rows from the top, two by four to a cell.
pub(super) type Dot = (usize, usize);

/// The grid. It knows dots and owners, not what they mean.
pub(super) struct Canvas {
    columns: usize,
    cells: Vec<Cell>,
}

#[derive(Clone, Copy, Default)]
struct Cell {
    dots: u8,
    mark: Option<char>,
    owner: usize,
}

/// The bit of each dot of a braille cell, by row and column.
const BITS: [[u8; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];

impl Canvas {
    pub(super) fn new(columns: usize, rows: usize) -> Self {
        Self {
            columns,
            cells: vec![Cell::default(); columns * rows],
        }
    }

    /// Sets the dots of the straight line between two dots.
    pub(super) fn line(&mut self, from: Dot, to: Dot, owner: usize) {
        let steps = from.0.abs_diff(to.0).max(from.1.abs_diff(to.1)).max(1);
        let between = |a: usize, b: usize, step: usize| {
            let (a, b) = (a as f64, b as f64);
            (a + (b - a) * step as f64 / steps as f64).round() as usize
        };
        for step in 0..=steps {
            self.dot(
                (between(from.0, to.0, step), between(from.1, to.1, step)),
                owner,
            );
        }
    }

    fn dot(&mut self, (x, y): Dot, owner: usize) {
        let columns = self.columns;
        if let Some(cell) = self
            .cells
            .get_mut(y / 4 * columns + x / 2)
            .filter(|_| x / 2 < columns)
        {
            cell.dots |= BITS[y % 4][x % 2];
            cell.owner = owner;
        }
    }

    /// Puts a sign over the cell of a dot.
    pub(super) fn mark(&mut self, (x, y): Dot, mark: char, owner: usize) {
        if let Some(cell) = self.cells.get_mut(y / 4 * self.columns + x / 2) {
            *cell = Cell {
                mark: Some(mark),
                owner,
                ..*cell
            };
        }
    }

    /// The text of a row, each drawn sign passed through `colour` with its owner.
    pub(super) fn row(&self, row: usize, colour: impl Fn(&str, usize) -> String) -> String {
        let cells = &self.cells[row * self.columns..(row + 1) * self.columns];
        let mut out = String::new();
        for cell in cells {
            let sign = match cell.mark {
                Some(mark) => mark,
                None if cell.dots == 0 => ' ',
                None => char::from_u32(0x2800 + u32::from(cell.dots)).unwrap_or(' '),
            };
            if sign == ' ' {
                out.push(' ');
            } else {
                out.push_str(&colour(sign.encode_utf8(&mut [0; 4]), cell.owner));
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diagonal_is_a_row_of_dots() {
        let mut canvas = Canvas::new(2, 1);
        canvas.line((0, 3), (3, 0), 0);
        assert_eq!(canvas.row(0, |sign, _| sign.to_owned()), "⡠⠊");
    }

    #[test]
    fn a_mark_hides_the_dots_of_its_cell_and_nothing_leaves_the_grid() {
        let mut canvas = Canvas::new(2, 1);
        canvas.line((0, 0), (9, 0), 0);
        canvas.mark((3, 0), '●', 1);
        assert_eq!(
            canvas.row(0, |sign, owner| format!("{owner}{sign}")),
            "0⠉1●"
        );
    }
}
