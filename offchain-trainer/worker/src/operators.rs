//! The operations of the arithmetic on LibTorch's tensors, as `docs/arithmetic.md` defines them: `operators.cpp`, called from Rust.
//!
//! What comes out is part of the graph that [`Tensor::run_backward`] follows, unless gradients are off. Tensors are single precision in
//! this PC's memory; indices are 64 bits. Whatever doesn't fit is an error, and leaves everything as it was. Gradients of gradients there are none.

// Calls of C++, and tensors that it makes.
#![allow(unsafe_code)]

use std::ffi::{c_char, c_void};

use tch::Tensor;

/// Room for C++'s messages.
const ROOM: usize = 1024;

/// Why an operation has no result.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{operation}: {detail}")]
pub struct OperatorError {
    /// Which operation.
    pub operation: &'static str,
    /// What was wrong.
    pub detail: String,
}

// A pointer is an `at::Tensor`; what is returned is the caller's, or null and a message that ends with 0.
unsafe extern "C" {
    fn hydra_operator_linear(
        x: *const c_void,
        w: *const c_void,
        bias: *const c_void,
        message: *mut c_char,
        room: usize,
    ) -> *mut c_void;
    fn hydra_operator_relu(x: *const c_void, message: *mut c_char, room: usize) -> *mut c_void;
    fn hydra_operator_gelu(x: *const c_void, message: *mut c_char, room: usize) -> *mut c_void;
    fn hydra_operator_softmax(x: *const c_void, message: *mut c_char, room: usize) -> *mut c_void;
    fn hydra_operator_cross_entropy_mean(
        logits: *const c_void,
        labels: *const c_void,
        message: *mut c_char,
        room: usize,
    ) -> *mut c_void;
    fn hydra_operator_layer_norm(
        x: *const c_void,
        gamma: *const c_void,
        beta: *const c_void,
        epsilon: f64,
        message: *mut c_char,
        room: usize,
    ) -> *mut c_void;
    fn hydra_operator_embedding(
        table: *const c_void,
        tokens: *const c_void,
        message: *mut c_char,
        room: usize,
    ) -> *mut c_void;
    fn hydra_operator_conv2d(
        x: *const c_void,
        w: *const c_void,
        bias: *const c_void,
        stride: i64,
        padding: i64,
        message: *mut c_char,
        room: usize,
    ) -> *mut c_void;
    fn hydra_operator_max_pool2d(
        x: *const c_void,
        window: i64,
        stride: i64,
        message: *mut c_char,
        room: usize,
    ) -> *mut c_void;
    fn hydra_operator_mean_pool2d(
        x: *const c_void,
        window: i64,
        stride: i64,
        message: *mut c_char,
        room: usize,
    ) -> *mut c_void;
    fn hydra_operator_causal_attention(
        q: *const c_void,
        k: *const c_void,
        v: *const c_void,
        message: *mut c_char,
        room: usize,
    ) -> *mut c_void;
    fn hydra_operator_sgd(
        weights: *const c_void,
        buffer: *const c_void,
        gradient: *const c_void,
        rate: f32,
        momentum: f32,
        message: *mut c_char,
        room: usize,
    ) -> *mut c_void;
}

fn pointer(tensor: &Tensor) -> *const c_void {
    tensor.as_ptr().cast()
}

fn optional(tensor: Option<&Tensor>) -> *const c_void {
    tensor.map_or(std::ptr::null(), pointer)
}

/// What C++ makes.
fn made(
    operation: &'static str,
    make: impl FnOnce(*mut c_char, usize) -> *mut c_void,
) -> Result<Tensor, OperatorError> {
    let mut message = [0u8; ROOM];
    let tensor = make(message.as_mut_ptr().cast(), message.len());
    if tensor.is_null() {
        let text = message.split(|byte| *byte == 0).next().unwrap_or_default();
        return Err(OperatorError {
            operation,
            detail: String::from_utf8_lossy(text).into_owned(),
        });
    }
    // SAFETY: C++ made it for us to keep.
    Ok(unsafe { Tensor::from_ptr(tensor.cast()) })
}

/// `[samples, outputs]` of `x [samples, inputs]`, `weight [outputs, inputs]` and `bias [outputs]`.
///
/// # Errors
/// If they don't fit.
pub fn linear(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor, OperatorError> {
    let (x, weight, bias) = (pointer(x), pointer(weight), optional(bias));
    // SAFETY: tensors that are there, and room for a message.
    made("linear", |message, room| unsafe {
        hydra_operator_linear(x, weight, bias, message, room)
    })
}

/// What isn't above 0 becomes 0.
///
/// # Errors
/// If it is no tensor of single precision.
pub fn relu(x: &Tensor) -> Result<Tensor, OperatorError> {
    // SAFETY: a tensor that is there, and room for a message.
    made("relu", |message, room| unsafe {
        hydra_operator_relu(pointer(x), message, room)
    })
}

/// Gelu in its form with tanh.
///
/// # Errors
/// If it is no tensor of single precision.
pub fn gelu(x: &Tensor) -> Result<Tensor, OperatorError> {
    // SAFETY: a tensor that is there, and room for a message.
    made("gelu", |message, room| unsafe {
        hydra_operator_gelu(pointer(x), message, room)
    })
}

/// Softmax over the last dimension.
///
/// # Errors
/// If it is no tensor of single precision with a dimension.
pub fn softmax(x: &Tensor) -> Result<Tensor, OperatorError> {
    // SAFETY: a tensor that is there, and room for a message.
    made("softmax", |message, room| unsafe {
        hydra_operator_softmax(pointer(x), message, room)
    })
}

/// The mean cross-entropy, a single value, of `logits [samples, classes]` and `labels [samples]` (64-bit integers).
///
/// # Errors
/// If they don't fit, or a label is no class.
pub fn cross_entropy_mean(logits: &Tensor, labels: &Tensor) -> Result<Tensor, OperatorError> {
    // SAFETY: tensors that are there, and room for a message.
    made("cross-entropy", |message, room| unsafe {
        hydra_operator_cross_entropy_mean(pointer(logits), pointer(labels), message, room)
    })
}

/// Layer norm over the last dimension, with `gamma` and `beta` of its size; `epsilon` is rounded to single precision.
///
/// # Errors
/// If they don't fit.
pub fn layer_norm(x: &Tensor, gamma: &Tensor, beta: &Tensor, epsilon: f64) -> Result<Tensor, OperatorError> {
    let (x, gamma, beta) = (pointer(x), pointer(gamma), pointer(beta));
    // SAFETY: tensors that are there, and room for a message.
    made("layer norm", |message, room| unsafe {
        hydra_operator_layer_norm(x, gamma, beta, epsilon, message, room)
    })
}

/// The rows of `table [entries, columns]` that `tokens` (64-bit integers, any shape) name.
///
/// # Errors
/// If they don't fit, or a token is no row.
pub fn embedding(table: &Tensor, tokens: &Tensor) -> Result<Tensor, OperatorError> {
    // SAFETY: tensors that are there, and room for a message.
    made("embedding", |message, room| unsafe {
        hydra_operator_embedding(pointer(table), pointer(tokens), message, room)
    })
}

/// Convolution of images `x [n, channels, height, width]` with `weight [outputs, channels, rows, columns]` and `bias [outputs]`.
///
/// # Errors
/// If they don't fit.
pub fn conv2d(
    x: &Tensor,
    weight: &Tensor,
    bias: Option<&Tensor>,
    stride: i64,
    padding: i64,
) -> Result<Tensor, OperatorError> {
    let (x, weight, bias) = (pointer(x), pointer(weight), optional(bias));
    // SAFETY: tensors that are there, and room for a message.
    made("convolution", |message, room| unsafe {
        hydra_operator_conv2d(x, weight, bias, stride, padding, message, room)
    })
}

/// The largest value of each square window of images `x [n, channels, height, width]`.
///
/// # Errors
/// If no window fits.
pub fn max_pool2d(x: &Tensor, window: i64, stride: i64) -> Result<Tensor, OperatorError> {
    // SAFETY: a tensor that is there, and room for a message.
    made("max pooling", |message, room| unsafe {
        hydra_operator_max_pool2d(pointer(x), window, stride, message, room)
    })
}

/// The mean of each square window of images `x [n, channels, height, width]`.
///
/// # Errors
/// If no window fits.
pub fn mean_pool2d(x: &Tensor, window: i64, stride: i64) -> Result<Tensor, OperatorError> {
    // SAFETY: a tensor that is there, and room for a message.
    made("mean pooling", |message, room| unsafe {
        hydra_operator_mean_pool2d(pointer(x), window, stride, message, room)
    })
}

/// Attention of each position to those before it and itself; queries, keys and values are `[heads, length, width]`, where each head of each
/// sequence counts.
///
/// # Errors
/// If they don't fit.
pub fn causal_attention(queries: &Tensor, keys: &Tensor, values: &Tensor) -> Result<Tensor, OperatorError> {
    let (q, k, v) = (pointer(queries), pointer(keys), pointer(values));
    // SAFETY: tensors that are there, and room for a message.
    made("attention", |message, room| unsafe {
        hydra_operator_causal_attention(q, k, v, message, room)
    })
}

/// A step of stochastic gradient descent, where the weights are in memory: with a buffer, first `buffer ← momentum × buffer + gradient`.
///
/// # Errors
/// If they don't fit, or aren't row by row in memory.
pub fn sgd(
    weights: &mut Tensor,
    buffer: Option<&mut Tensor>,
    gradient: &Tensor,
    rate: f32,
    momentum: f32,
) -> Result<(), OperatorError> {
    let (weights, gradient) = (pointer(weights), pointer(gradient));
    let buffer = optional(buffer.as_deref());
    // SAFETY: tensors that are there, those that change ours alone as far as Rust can tell, and room for a message.
    let step = |message, room| unsafe {
        hydra_operator_sgd(weights, buffer, gradient, rate, momentum, message, room)
    };
    made("a step of training", step).map(drop)
}
