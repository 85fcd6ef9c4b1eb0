//! Matrices in memory, as products read them.

use std::ops::Range;

/// A matrix in memory, however its rows and columns lie there.
#[derive(Clone, Copy, Debug)]
pub struct Matrix<'a> {
    values: &'a [f32],
    rows: usize,
    columns: usize,
    row_step: usize,
    column_step: usize,
}

/// How many values a matrix reaches over; none if it has none.
fn reach(rows: usize, columns: usize, row_step: usize, column_step: usize) -> Option<usize> {
    if rows == 0 || columns == 0 {
        return Some(0);
    }
    let down = (rows - 1).checked_mul(row_step)?;
    let along = (columns - 1).checked_mul(column_step)?;
    down.checked_add(along)?.checked_add(1)
}

impl<'a> Matrix<'a> {
    /// `[rows, columns]`, row by row.
    ///
    /// # Panics
    /// If there are fewer or more values.
    pub fn new(values: &'a [f32], rows: usize, columns: usize) -> Self {
        assert_eq!(
            rows.checked_mul(columns),
            Some(values.len()),
            "a matrix [{rows}, {columns}] has as many values"
        );
        Self::with_steps(values, rows, columns, columns, 1)
    }

    /// `[rows, columns]`, with `row_step` values from a row to the next and `column_step` from a column to the next. Values may be shared:
    /// with a step of 0 all rows are the same.
    ///
    /// # Panics
    /// If it reaches beyond the values.
    pub fn with_steps(
        values: &'a [f32],
        rows: usize,
        columns: usize,
        row_step: usize,
        column_step: usize,
    ) -> Self {
        let reach = reach(rows, columns, row_step, column_step);
        assert!(
            reach.is_some_and(|reach| reach <= values.len()),
            "a matrix [{rows}, {columns}] with steps {row_step} and {column_step} reaches beyond {} values",
            values.len()
        );
        Self {
            values: &values[..reach.unwrap_or(0)],
            rows,
            columns,
            row_step,
            column_step,
        }
    }

    /// The same values, rows as columns.
    pub fn transposed(self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
            row_step: self.column_step,
            column_step: self.row_step,
            ..self
        }
    }

    /// Some of its rows and columns.
    ///
    /// # Panics
    /// If it doesn't have them.
    pub fn part(self, rows: Range<usize>, columns: Range<usize>) -> Self {
        assert!(
            rows.start <= rows.end && rows.end <= self.rows,
            "rows of a part are some of the {} rows",
            self.rows
        );
        assert!(
            columns.start <= columns.end && columns.end <= self.columns,
            "columns of a part are some of the {} columns",
            self.columns
        );
        let values = if rows.is_empty() || columns.is_empty() {
            &[]
        } else {
            &self.values[rows.start * self.row_step + columns.start * self.column_step..]
        };
        Self::with_steps(values, rows.len(), columns.len(), self.row_step, self.column_step)
    }

    /// How many rows it has.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// How many columns it has.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Its memory, from its first value to its last one.
    pub fn values(&self) -> &'a [f32] {
        self.values
    }

    /// How many values there are from a row to the next.
    pub fn row_step(&self) -> usize {
        self.row_step
    }

    /// How many values there are from a column to the next.
    pub fn column_step(&self) -> usize {
        self.column_step
    }

    /// One value.
    ///
    /// # Panics
    /// If it hasn't got it.
    pub fn at(&self, row: usize, column: usize) -> f32 {
        assert!(
            row < self.rows && column < self.columns,
            "row {row}, column {column} are within [{}, {}]",
            self.rows,
            self.columns
        );
        self.values[row * self.row_step + column * self.column_step]
    }
}

/// Matrices of one shape, one after the other in memory.
#[derive(Clone, Copy, Debug)]
pub struct Matrices<'a> {
    values: &'a [f32],
    count: usize,
    step: usize,
    rows: usize,
    columns: usize,
    row_step: usize,
    column_step: usize,
}

impl<'a> Matrices<'a> {
    /// `[count, rows, columns]`, row by row.
    ///
    /// # Panics
    /// If there are fewer or more values.
    pub fn new(values: &'a [f32], count: usize, rows: usize, columns: usize) -> Self {
        let size = rows.checked_mul(columns);
        assert_eq!(
            size.and_then(|size| size.checked_mul(count)),
            Some(values.len()),
            "matrices [{count}, {rows}, {columns}] have as many values"
        );
        let step = size.unwrap_or(0);
        Self::with_steps(values, (count, step), (rows, columns), (columns, 1))
    }

    /// `count` matrices, `step` values from each to the next; `(rows, columns)` and the steps of each as in [`Matrix::with_steps`]. With a
    /// step of 0 all are the same.
    ///
    /// # Panics
    /// If they reach beyond the values.
    pub fn with_steps(
        values: &'a [f32],
        (count, step): (usize, usize),
        (rows, columns): (usize, usize),
        (row_step, column_step): (usize, usize),
    ) -> Self {
        let one = reach(rows, columns, row_step, column_step);
        let reach = match (count, one) {
            (0, _) | (_, Some(0)) => Some(0),
            (_, one) => (count - 1)
                .checked_mul(step)
                .and_then(|all| all.checked_add(one?)),
        };
        assert!(
            reach.is_some_and(|reach| reach <= values.len()),
            "{count} matrices [{rows}, {columns}] with steps {step}, {row_step} and {column_step} reach beyond {} values",
            values.len()
        );
        Self {
            values,
            count,
            step,
            rows,
            columns,
            row_step,
            column_step,
        }
    }

    /// Each of them transposed.
    pub fn transposed(self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
            row_step: self.column_step,
            column_step: self.row_step,
            ..self
        }
    }

    /// How many they are.
    pub fn count(&self) -> usize {
        self.count
    }

    /// How many rows each has.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// How many columns each has.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// One of them.
    ///
    /// # Panics
    /// If there are fewer.
    pub fn at(&self, index: usize) -> Matrix<'a> {
        assert!(index < self.count, "matrix {index} is one of {}", self.count);
        let values = if self.rows == 0 || self.columns == 0 {
            &[]
        } else {
            &self.values[index * self.step..]
        };
        Matrix::with_steps(values, self.rows, self.columns, self.row_step, self.column_step)
    }
}
