//! Rows of a table, picked by number: what a language model begins with. `docs/arithmetic.md`, *Rows*.

use crate::{
    Cpu,
    lanes::{Kernel, LANES, Lanes},
    pieces::rows_at_once,
};

/// Checks that `table` has whole rows and each token is one of them.
fn check(table: &[f32], columns: usize, tokens: &[i64], positions: &[f32]) {
    assert!(
        columns > 0 && table.len().is_multiple_of(columns),
        "the table is no whole number of rows of {columns} values"
    );
    assert_eq!(
        tokens.len().checked_mul(columns),
        Some(positions.len()),
        "a row of {columns} values for each token"
    );
    let rows = table.len() / columns;
    assert!(
        tokens
            .iter()
            .all(|token| usize::try_from(*token).is_ok_and(|token| token < rows)),
        "a token is not one of the table's {rows} rows"
    );
}

/// `to [tokens, columns]`: row `tokens[p]` of `table [rows, columns]` at position p.
///
/// # Panics
/// If the lengths don't fit each other, or a token is no row of the table.
pub fn forward(cpu: &Cpu, table: &[f32], columns: usize, tokens: &[i64], to: &mut [f32]) {
    check(table, columns, tokens, to);
    let at_once = rows_at_once(cpu, tokens.len(), columns);
    cpu.spread_pieces(to, at_once * columns, |i, to| {
        let tokens = &tokens[i * at_once..];
        for (token, to) in tokens.iter().zip(to.chunks_exact_mut(columns)) {
            to.copy_from_slice(&table[*token as usize * columns..][..columns]);
        }
    });
}

/// `d_table [rows, columns]`, the gradient with respect to the table: for each of its rows the sum of `dy` at the positions that have
/// it, in ascending order.
///
/// # Panics
/// If the lengths don't fit each other, or a token is no row of the table.
pub fn gradient(cpu: &Cpu, dy: &[f32], columns: usize, tokens: &[i64], d_table: &mut [f32]) {
    check(d_table, columns, tokens, dy);
    let rows = d_table.len() / columns;
    // Each thread has some of the table's rows and looks through all positions for theirs: so the order is the same with any number.
    let at_once = rows_at_once(cpu, rows, columns.max(dy.len() / rows.max(1)));
    cpu.spread_pieces(d_table, at_once * columns, |i, piece| {
        piece.fill(0.0);
        cpu.run(AddRows {
            dy,
            columns,
            tokens,
            first: i * at_once,
            to: piece,
        });
    });
}

/// Adds `dy` to the rows of a table from number `first` on.
struct AddRows<'a> {
    dy: &'a [f32],
    columns: usize,
    tokens: &'a [i64],
    first: usize,
    to: &'a mut [f32],
}

impl Kernel for AddRows<'_> {
    type Output = ();
    #[inline(always)]
    fn run<L: Lanes>(self, l: L) {
        let rows = self.to.len() / self.columns;
        for (token, dy) in self.tokens.iter().zip(self.dy.chunks_exact(self.columns)) {
            let row = (*token as usize).wrapping_sub(self.first);
            if row >= rows {
                continue;
            }
            let (d, d_rest) = dy.as_chunks::<LANES>();
            let (to, to_rest) = self.to[row * self.columns..][..self.columns].as_chunks_mut::<LANES>();
            for (d, to) in d.iter().zip(to) {
                l.store(l.add(l.load(to), l.load(d)), to);
            }
            for (d, to) in d_rest.iter().zip(to_rest) {
                *to += d;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{reference, rows_testing::*};
    use proptest::prelude::*;

    /// A table, tokens of it, and dy.
    fn case() -> impl Strategy<Value = (usize, Vec<f32>, Vec<i64>, Vec<f32>)> {
        (1usize..40, 1usize..70, 0usize..50).prop_flat_map(|(rows, columns, positions)| {
            let tokens = prop::collection::vec(0..rows as i64, positions);
            (
                Just(columns),
                values(rows * columns),
                tokens,
                values(positions * columns),
            )
        })
    }

    proptest! {
        #[test]
        fn both_directions_are_the_references((columns, table, tokens, dy) in case()) {
            let (mut y, mut d_table) = (vec![0.0; dy.len()], vec![7.0; table.len()]);
            reference::embedding::forward(&table, columns, &tokens, &mut y);
            reference::embedding::gradient(&dy, columns, &tokens, &mut d_table);
            for cpu in every_cpu() {
                let mut found = vec![7.0; y.len()];
                forward(cpu, &table, columns, &tokens, &mut found);
                prop_assert_eq!(bits(&found), bits(&y), "{:?}", cpu);
                let mut found = vec![-7.0; table.len()];
                gradient(cpu, &dy, columns, &tokens, &mut found);
                prop_assert_eq!(bits(&found), bits(&d_table), "{:?}", cpu);
            }
        }
    }

    #[test]
    #[should_panic = "not one of the table's 2 rows"]
    fn a_token_without_a_row_is_refused() {
        forward(&Cpu::default(), &[1.0, 2.0], 1, &[2], &mut [0.0]);
    }
}
