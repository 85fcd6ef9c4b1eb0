//! The arithmetic's operations as C functions, for `operators.cpp`; `kernels.h` declares them.
//!
//! Each makes slices of what C++ points to, and calls the operation. Must never let a panic out: what panicked returns 1, its message is on
//! standard error, and C++ makes an exception of it.

#![allow(unsafe_code)]
#![allow(
    clippy::too_many_arguments,
    reason = "C functions of several arrays and their sizes"
)]

mod attention;
mod images;
mod rows;

use std::{
    ffi::c_int,
    panic::{AssertUnwindSafe, catch_unwind},
    slice,
};

use hydra_arithmetic::{Cpu, elementwise, function, linear::Linear, optimizer};

use crate::processor;

/// An array to be read.
///
/// # Safety
/// There are so many values, which nobody changes meanwhile.
unsafe fn read<'a, T>(from: *const T, count: usize) -> &'a [T] {
    if count == 0 {
        // LibTorch points nowhere then.
        return &[];
    }
    // SAFETY: the caller says so.
    unsafe { slice::from_raw_parts(from, count) }
}

/// An array to be written, whatever is in it.
///
/// # Safety
/// There is room for so many values, which nobody else looks at meanwhile.
unsafe fn write<'a, T>(to: *mut T, count: usize) -> &'a mut [T] {
    if count == 0 {
        return &mut [];
    }
    // SAFETY: the caller says so.
    unsafe { slice::from_raw_parts_mut(to, count) }
}

/// A bias, unless it is null.
///
/// # Safety
/// As [`read`].
unsafe fn bias_of<'a>(from: *const f32, count: usize) -> Option<&'a [f32]> {
    // SAFETY: the caller says so.
    (!from.is_null()).then(|| unsafe { read(from, count) })
}

/// How many values an array of these sizes has.
fn area(sizes: &[usize]) -> usize {
    let area = sizes
        .iter()
        .try_fold(1usize, |area, size| area.checked_mul(*size));
    area.unwrap_or_else(|| panic!("an array of {sizes:?} values fits no memory"))
}

/// 0 when it is done, 1 if it panics.
fn kernel(work: impl FnOnce(&Cpu)) -> c_int {
    // What a panic leaves half done is never looked at: there is no result.
    let done = catch_unwind(AssertUnwindSafe(|| work(&processor::cpu())));
    c_int::from(done.is_err())
}

// In all kernels, SAFETY is `operators.cpp`'s: it checks every tensor's kind and shape, and outputs are tensors that it has just made.

#[unsafe(no_mangle)]
unsafe extern "C" fn hydra_linear(
    x: *const f32,
    w: *const f32,
    bias: *const f32,
    y: *mut f32,
    samples: usize,
    inputs: usize,
    outputs: usize,
) -> c_int {
    let layer = Linear {
        samples,
        inputs,
        outputs,
    };
    kernel(|cpu| {
        // SAFETY: as above.
        let (x, w) = unsafe {
            (
                read(x, area(&[samples, inputs])),
                read(w, area(&[outputs, inputs])),
            )
        };
        // SAFETY: as above.
        let (bias, y) = unsafe { (bias_of(bias, outputs), write(y, area(&[samples, outputs]))) };
        layer.forward(cpu, x, w, bias, y);
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn hydra_linear_inputs(
    dy: *const f32,
    w: *const f32,
    dx: *mut f32,
    samples: usize,
    inputs: usize,
    outputs: usize,
) -> c_int {
    let layer = Linear {
        samples,
        inputs,
        outputs,
    };
    kernel(|cpu| {
        // SAFETY: as above.
        let (dy, w) = unsafe {
            (
                read(dy, area(&[samples, outputs])),
                read(w, area(&[outputs, inputs])),
            )
        };
        // SAFETY: as above.
        layer.input_gradient(cpu, dy, w, unsafe { write(dx, area(&[samples, inputs])) });
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn hydra_linear_weights(
    dy: *const f32,
    x: *const f32,
    dw: *mut f32,
    samples: usize,
    inputs: usize,
    outputs: usize,
) -> c_int {
    let layer = Linear {
        samples,
        inputs,
        outputs,
    };
    kernel(|cpu| {
        // SAFETY: as above.
        let (dy, x) = unsafe {
            (
                read(dy, area(&[samples, outputs])),
                read(x, area(&[samples, inputs])),
            )
        };
        // SAFETY: as above.
        layer.weight_gradient(cpu, dy, x, unsafe { write(dw, area(&[outputs, inputs])) });
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn hydra_linear_bias(
    dy: *const f32,
    db: *mut f32,
    samples: usize,
    outputs: usize,
) -> c_int {
    let layer = Linear {
        samples,
        inputs: 0,
        outputs,
    };
    kernel(|cpu| {
        // SAFETY: as above.
        let (dy, db) = unsafe { (read(dy, area(&[samples, outputs])), write(db, outputs)) };
        layer.bias_gradient(cpu, dy, db);
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn hydra_relu(x: *const f32, y: *mut f32, count: usize) -> c_int {
    // SAFETY: as above.
    kernel(|cpu| elementwise::relu(cpu, unsafe { read(x, count) }, unsafe { write(y, count) }))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn hydra_relu_gradient(y: *const f32, dy: *const f32, dx: *mut f32, count: usize) -> c_int {
    kernel(|cpu| {
        // SAFETY: as above.
        let (y, dy, dx) = unsafe { (read(y, count), read(dy, count), write(dx, count)) };
        elementwise::relu_gradient(cpu, y, dy, dx);
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn hydra_gelu(x: *const f32, y: *mut f32, count: usize) -> c_int {
    // SAFETY: as above.
    kernel(|cpu| function::gelu(cpu, unsafe { read(x, count) }, unsafe { write(y, count) }))
}

#[unsafe(no_mangle)]
unsafe extern "C" fn hydra_gelu_gradient(x: *const f32, dy: *const f32, dx: *mut f32, count: usize) -> c_int {
    kernel(|cpu| {
        // SAFETY: as above.
        let (x, dy, dx) = unsafe { (read(x, count), read(dy, count), write(dx, count)) };
        function::gelu_gradient(cpu, x, dy, dx);
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn hydra_sgd(w: *mut f32, gradient: *const f32, rate: f32, count: usize) -> c_int {
    kernel(|cpu| {
        // SAFETY: as above.
        let (gradient, w) = unsafe { (read(gradient, count), write(w, count)) };
        optimizer::sgd(cpu, rate, gradient, w);
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn hydra_sgd_momentum(
    w: *mut f32,
    buffer: *mut f32,
    gradient: *const f32,
    rate: f32,
    momentum: f32,
    count: usize,
) -> c_int {
    kernel(|cpu| {
        // SAFETY: as above.
        let (gradient, buffer, w) = unsafe { (read(gradient, count), write(buffer, count), write(w, count)) };
        optimizer::sgd_with_momentum(cpu, rate, momentum, gradient, buffer, w);
    })
}
