//! The right matrix of a product, piece by piece.

use std::ops::Range;

use super::{matrix::Matrix, pack};
use crate::lanes::Portable;

/// Where the right matrix of a product comes from, piece by piece, so that it need not be in memory as a whole: a convolution's columns are
/// picked out of the images as they are needed.
pub(crate) trait Columns: Sync {
    /// How many rows it has: what the product adds up over.
    fn rows(&self) -> usize;

    /// How many columns it has.
    fn columns(&self) -> usize;

    /// Copies a piece of it.
    ///
    /// The piece's columns come in groups of `width` (a multiple of 16), the last of which may be incomplete. Of each group, row after row,
    /// the panel has `width` values beside each other: column `columns.start + g × width + x`, row `rows.start + p` is at
    /// `panel[(g × rows.len() + p) × width + x]`. Where an incomplete group has no column, the panel has 0. The panel has exactly
    /// ⌈columns.len() ÷ width⌉ × rows.len() × width values, and each is written: it holds anything before.
    ///
    /// Called from several threads, and for the same piece more than once.
    fn pack(&self, rows: Range<usize>, columns: Range<usize>, width: usize, panel: &mut [f32]);

    /// Itself, if it is a matrix in memory: then small products read it where it is.
    fn matrix(&self) -> Option<Matrix<'_>> {
        None
    }
}

impl Columns for Matrix<'_> {
    fn rows(&self) -> usize {
        Matrix::rows(self)
    }

    fn columns(&self) -> usize {
        Matrix::columns(self)
    }

    fn pack(&self, rows: Range<usize>, columns: Range<usize>, width: usize, panel: &mut [f32]) {
        let length = rows.len() * width;
        for (i, first) in columns.clone().step_by(width).enumerate() {
            let group = first..(first + width).min(columns.end);
            let panel = &mut panel[i * length..][..length];
            pack::right(Portable, self.part(rows.clone(), group), &[], width, panel);
        }
    }

    fn matrix(&self) -> Option<Matrix<'_>> {
        Some(*self)
    }
}
