//! The result of a product, cut into rectangles for the threads that compute them.

use std::{marker::PhantomData, ops::Range};

/// A matrix `[rows, columns]` to write to, its rows `row_step` values apart.
pub(super) struct Output<'a> {
    first: *mut f32,
    rows: usize,
    columns: usize,
    row_step: usize,
    memory: PhantomData<&'a mut [f32]>,
}

// SAFETY: it is a mutable slice, whose values are `Send`. Threads that share it reach them through rectangles only, and whoever makes several of
// those vouches that no two overlap; what else there is to read never changes.
#[allow(unsafe_code)]
unsafe impl Sync for Output<'_> {}

impl<'a> Output<'a> {
    /// Over this memory.
    ///
    /// # Panics
    /// If rows overlap or reach beyond it.
    pub fn new(memory: &'a mut [f32], rows: usize, columns: usize, row_step: usize) -> Self {
        assert!(
            rows < 2 || row_step >= columns,
            "rows of a product's result don't overlap"
        );
        let end = match rows {
            0 => Some(0),
            _ => (rows - 1)
                .checked_mul(row_step)
                .and_then(|at| at.checked_add(columns)),
        };
        assert!(
            end.is_some_and(|end| end <= memory.len()),
            "a product's result [{rows}, {columns}] with row step {row_step} reaches beyond {} values",
            memory.len()
        );
        Self {
            first: memory.as_mut_ptr(),
            rows,
            columns,
            row_step,
            memory: PhantomData,
        }
    }

    /// All of it.
    pub fn whole(&mut self) -> Rectangle<'_> {
        Rectangle {
            rows: 0..self.rows,
            columns: 0..self.columns,
            output: self,
        }
    }

    /// These rows and columns of it.
    ///
    /// # Safety
    /// No other rectangle that has any of its values may exist at the same time.
    #[allow(unsafe_code)]
    pub unsafe fn rectangle(&self, rows: Range<usize>, columns: Range<usize>) -> Rectangle<'_> {
        assert!(
            rows.start <= rows.end && rows.end <= self.rows,
            "rows of a rectangle are some of the result's"
        );
        assert!(
            columns.start <= columns.end && columns.end <= self.columns,
            "columns of a rectangle are some of the result's"
        );
        Rectangle {
            output: self,
            rows,
            columns,
        }
    }
}

/// Some rows and columns of the result, which nobody else has.
pub(super) struct Rectangle<'a> {
    output: &'a Output<'a>,
    rows: Range<usize>,
    columns: Range<usize>,
}

impl Rectangle<'_> {
    /// Which rows of the result.
    pub fn rows(&self) -> Range<usize> {
        self.rows.clone()
    }

    /// Which columns of the result.
    pub fn columns(&self) -> Range<usize> {
        self.columns.clone()
    }

    /// A piece of one of its rows; rows and columns are the result's.
    #[inline(always)]
    pub fn piece(&mut self, row: usize, columns: Range<usize>) -> &mut [f32] {
        assert!(self.rows.start <= row && row < self.rows.end);
        assert!(
            self.columns.start <= columns.start
                && columns.start <= columns.end
                && columns.end <= self.columns.end
        );
        // SAFETY: `Output::new` has seen that all columns of all rows lie within the memory, which is borrowed as long as the output
        // lives; both places at which a piece may end are asserted above, so the sum can't be too large either. Nobody else has any of the
        // rectangle, which is borrowed mutably as long as the piece lives.
        #[allow(unsafe_code)]
        unsafe {
            let first = self.output.first.add(row * self.output.row_step + columns.start);
            std::slice::from_raw_parts_mut(first, columns.len())
        }
    }
}
