//! Tensors as slices, for what has no operator yet and is called directly.

// The memory behind tensors.
#![allow(unsafe_code)]

use std::slice;

use tch::{Kind, Tensor};

/// Whether its values lie in memory row by row, in single precision.
fn check(tensor: &Tensor) {
    assert!(
        tensor.kind() == Kind::Float && tensor.is_contiguous() && tensor.numel() > 0,
        "a tensor of single precision, row by row"
    );
}

/// Its values.
pub fn values(tensor: &Tensor) -> &[f32] {
    check(tensor);
    // SAFETY: so many values are there as long as the tensor is; this program has one thread that changes tensors, and borrows those that it does.
    unsafe { slice::from_raw_parts(tensor.data_ptr().cast::<f32>().cast_const(), tensor.numel()) }
}

/// Its values, to be changed.
pub fn values_mut(tensor: &mut Tensor) -> &mut [f32] {
    check(tensor);
    // SAFETY: as above, and none of this program's calls has another slice of a tensor that shares its memory.
    unsafe { slice::from_raw_parts_mut(tensor.data_ptr().cast::<f32>(), tensor.numel()) }
}
