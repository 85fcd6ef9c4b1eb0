//! Kernels of causal attention. SAFETY is as the module above says.

use std::ffi::c_int;

use hydra_arithmetic::attention::Attention;

use super::{area, kernel, read, write};

/// The layer, how many values its queries have, and how many its shares.
fn layer(count: usize, length: usize, width: usize) -> (Attention, usize, usize) {
    let layer = Attention { count, length, width };
    (
        layer,
        area(&[count, length, width]),
        area(&[count, length, length]),
    )
}

#[unsafe(no_mangle)]
unsafe extern "C" fn hydra_attention(
    q: *const f32,
    k: *const f32,
    v: *const f32,
    shares: *mut f32,
    y: *mut f32,
    heads: usize,
    length: usize,
    width: usize,
) -> c_int {
    kernel(|cpu| {
        let (layer, values, pairs) = layer(heads, length, width);
        // SAFETY: as above.
        let (q, k, v) = unsafe { (read(q, values), read(k, values), read(v, values)) };
        // SAFETY: as above.
        let (shares, y) = unsafe { (write(shares, pairs), write(y, values)) };
        layer.forward(cpu, q, k, v, shares, y);
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn hydra_attention_gradient(
    q: *const f32,
    k: *const f32,
    v: *const f32,
    shares: *const f32,
    dy: *const f32,
    dq: *mut f32,
    dk: *mut f32,
    dv: *mut f32,
    heads: usize,
    length: usize,
    width: usize,
) -> c_int {
    kernel(|cpu| {
        let (layer, values, pairs) = layer(heads, length, width);
        // SAFETY: as above.
        let (q, k, v) = unsafe { (read(q, values), read(k, values), read(v, values)) };
        // SAFETY: as above.
        let (shares, dy) = unsafe { (read(shares, pairs), read(dy, values)) };
        // SAFETY: as above.
        let (dq, dk, dv) = unsafe { (write(dq, values), write(dk, values), write(dv, values)) };
        layer.gradient(cpu, (q, k, v), shares, dy, (dq, dk, dv));
    })
}
