//! Functions of one value: exp, log, tanh, sigmoid, gelu and its derivative, in sixteen lanes and over slices.
//!
//! Each is a range reduction and a polynomial, made of fused multiply-adds, one division at most, comparisons and bits, without
//! branches: what lanes do. "Functions" in `docs/arithmetic.md` has every step and the largest error of each over all inputs.

mod exp;
mod gelu;
mod log;
mod sigmoid;
mod tanh;
#[cfg(test)]
mod tests;

pub(crate) use exp::exp_lanes;
pub(crate) use gelu::{gelu_derivative_lanes, gelu_lanes};
pub(crate) use log::log_lanes;
pub(crate) use sigmoid::sigmoid_lanes;
pub(crate) use tanh::tanh_lanes;

use crate::{
    Cpu,
    lanes::Lanes,
    map::{self, Binary, Unary},
};

/// A function over slices, from the one in lanes.
macro_rules! over_slices {
    ($(#[$doc:meta])* $name:ident, $type:ident, $lanes:ident) => {
        #[derive(Clone, Copy)]
        struct $type;
        impl Unary for $type {
            #[inline(always)]
            fn of<L: Lanes>(self, lanes: L, x: L::V) -> L::V {
                $lanes(lanes, x)
            }
        }
        $(#[$doc])*
        ///
        /// Both `[n]`. "Functions" in `docs/arithmetic.md`.
        ///
        /// # Panics
        /// If one is longer than the other.
        pub fn $name(cpu: &Cpu, x: &[f32], y: &mut [f32]) {
            map::unary(cpu, $type, x, y);
        }
    };
}

over_slices! {
    /// yᵢ = e to the xᵢ: +∞ above 88.72…, +0 below −103.97….
    exp, Exp, exp_lanes
}
over_slices! {
    /// yᵢ = ln xᵢ: −∞ of 0 and −0, NaN of less.
    log, Log, log_lanes
}
over_slices! {
    /// yᵢ = tanh xᵢ.
    tanh, Tanh, tanh_lanes
}
over_slices! {
    /// yᵢ = 1 ÷ (1 + e to the −xᵢ).
    sigmoid, Sigmoid, sigmoid_lanes
}
over_slices! {
    /// yᵢ = gelu(xᵢ) = ½ x (1 + tanh(√(2/π) (x + 0.044715 x³))).
    gelu, Gelu, gelu_lanes
}
over_slices! {
    /// yᵢ = gelu′(xᵢ).
    gelu_derivative, GeluDerivative, gelu_derivative_lanes
}

#[derive(Clone, Copy)]
struct GeluGradient;
impl Binary for GeluGradient {
    #[inline(always)]
    fn of<L: Lanes>(self, lanes: L, x: L::V, dy: L::V) -> L::V {
        lanes.mul(dy, gelu_derivative_lanes(lanes, x))
    }
}

/// What a loss changes by with gelu's argument x, from what it changes by with its result: dxᵢ = dyᵢ × gelu′(xᵢ); all `[n]`. "Functions" in
/// `docs/arithmetic.md`.
///
/// # Panics
/// If one is longer than another.
pub fn gelu_gradient(cpu: &Cpu, x: &[f32], dy: &[f32], dx: &mut [f32]) {
    map::binary(cpu, GeluGradient, x, dy, dx);
}
