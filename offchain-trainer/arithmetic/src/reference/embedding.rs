//! Rows of a table, one after the other.

/// `to[p]` = row `tokens[p]` of the table.
pub fn forward(table: &[f32], columns: usize, tokens: &[i64], to: &mut [f32]) {
    for (p, token) in tokens.iter().enumerate() {
        for j in 0..columns {
            to[p * columns + j] = table[*token as usize * columns + j];
        }
    }
}

/// From +0, for each position in ascending order: row of its token ← that + dy.
pub fn gradient(dy: &[f32], columns: usize, tokens: &[i64], d_table: &mut [f32]) {
    d_table.fill(0.0);
    for (p, token) in tokens.iter().enumerate() {
        for j in 0..columns {
            d_table[*token as usize * columns + j] += dy[p * columns + j];
        }
    }
}
