//! Kernels over rows: softmax, cross-entropy, layer norm, embedding. SAFETY is as the module above says.

use std::ffi::c_int;

use hydra_arithmetic::{cross_entropy, embedding, layer_norm, softmax};

use super::{area, kernel, read, write};

#[unsafe(no_mangle)]
unsafe extern "C" fn hydra_softmax(x: *const f32, y: *mut f32, rows: usize, columns: usize) -> c_int {
    kernel(|cpu| {
        let count = area(&[rows, columns]);
        // SAFETY: as above.
        let (x, y) = unsafe { (read(x, count), write(y, count)) };
        softmax::forward(cpu, x, columns, y);
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn hydra_softmax_gradient(
    y: *const f32,
    dy: *const f32,
    dx: *mut f32,
    rows: usize,
    columns: usize,
) -> c_int {
    kernel(|cpu| {
        let count = area(&[rows, columns]);
        // SAFETY: as above.
        let (y, dy, dx) = unsafe { (read(y, count), read(dy, count), write(dx, count)) };
        softmax::gradient(cpu, dy, y, columns, dx);
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn hydra_cross_entropy(
    logits: *const f32,
    labels: *const i64,
    mean: *mut f32,
    dx: *mut f32,
    rows: usize,
    columns: usize,
) -> c_int {
    kernel(|cpu| {
        let count = area(&[rows, columns]);
        // SAFETY: as above.
        let (logits, labels, mean) = unsafe { (read(logits, count), read(labels, rows), write(mean, 1)) };
        let mut losses = vec![0.0; rows];
        if dx.is_null() {
            cross_entropy::losses(cpu, logits, columns, labels, &mut losses);
        } else {
            // SAFETY: as above; it isn't null.
            let dx = unsafe { write(dx, count) };
            cross_entropy::gradient(cpu, logits, columns, labels, &mut losses, dx);
        }
        mean.fill(cross_entropy::mean(cpu, &losses));
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn hydra_layer_norm(
    x: *const f32,
    gamma: *const f32,
    beta: *const f32,
    epsilon: f32,
    y: *mut f32,
    statistics: *mut [f32; 2],
    rows: usize,
    columns: usize,
) -> c_int {
    kernel(|cpu| {
        let count = area(&[rows, columns]);
        // SAFETY: as above.
        let (x, gamma, beta) = unsafe { (read(x, count), read(gamma, columns), read(beta, columns)) };
        // SAFETY: as above; there are two statistics for each row.
        let (y, statistics) = unsafe { (write(y, count), write(statistics, rows)) };
        layer_norm::forward(cpu, x, gamma, beta, epsilon, y, statistics);
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn hydra_layer_norm_gradient(
    dy: *const f32,
    x: *const f32,
    gamma: *const f32,
    statistics: *const [f32; 2],
    dx: *mut f32,
    d_gamma: *mut f32,
    d_beta: *mut f32,
    rows: usize,
    columns: usize,
) -> c_int {
    kernel(|cpu| {
        let count = area(&[rows, columns]);
        // SAFETY: as above.
        let (dy, x, gamma) = unsafe { (read(dy, count), read(x, count), read(gamma, columns)) };
        // SAFETY: as above; there are two statistics for each row.
        let (statistics, dx) = unsafe { (read(statistics, rows), write(dx, count)) };
        // SAFETY: as above.
        let parameters = unsafe { [write(d_gamma, columns), write(d_beta, columns)] };
        layer_norm::gradient(cpu, dy, x, gamma, statistics, dx, parameters);
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn hydra_embedding(
    table: *const f32,
    tokens: *const i64,
    y: *mut f32,
    entries: usize,
    positions: usize,
    columns: usize,
) -> c_int {
    kernel(|cpu| {
        // SAFETY: as above.
        let (table, tokens) = unsafe { (read(table, area(&[entries, columns])), read(tokens, positions)) };
        // SAFETY: as above.
        let y = unsafe { write(y, area(&[positions, columns])) };
        embedding::forward(cpu, table, columns, tokens, y);
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn hydra_embedding_gradient(
    dy: *const f32,
    tokens: *const i64,
    d_table: *mut f32,
    entries: usize,
    positions: usize,
    columns: usize,
) -> c_int {
    kernel(|cpu| {
        // SAFETY: as above.
        let (dy, tokens) = unsafe { (read(dy, area(&[positions, columns])), read(tokens, positions)) };
        // SAFETY: as above.
        let d_table = unsafe { write(d_table, area(&[entries, columns])) };
        embedding::gradient(cpu, dy, columns, tokens, d_table);
    })
}
