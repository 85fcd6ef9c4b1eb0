//! Sixteen lanes as four registers of NEON.

// Intrinsics are unsafe to call where the compiler does not know that the instructions are there. Every method here has the
// instance of the type as its proof, which only `run` makes, and every processor of this architecture has them. Instructions that move
// values take any address that is one of single precision.
#![allow(unsafe_code)]

use std::arch::aarch64::*;

use super::{Kernel, LANES, Lanes};

/// NEON.
#[derive(Clone, Copy, Debug)]
pub struct Neon(());

/// Runs a kernel compiled for these instructions, which every processor of this architecture has.
pub fn run<K: Kernel>(kernel: K) -> K::Output {
    kernel.run(Neon(()))
}

impl Lanes for Neon {
    type V = [float32x4_t; 4];
    type I = [int32x4_t; 4];
    type M = [uint32x4_t; 4];
    const REGISTERS: usize = 8;

    #[inline(always)]
    fn splat(self, value: f32) -> Self::V {
        // SAFETY: `self` is proof of the instructions.
        unsafe {
            [
                vdupq_n_f32(value),
                vdupq_n_f32(value),
                vdupq_n_f32(value),
                vdupq_n_f32(value),
            ]
        }
    }
    #[inline(always)]
    fn load(self, from: &[f32; LANES]) -> Self::V {
        // SAFETY: `self` is proof of the instructions; the array is as long as what is moved.
        unsafe {
            [
                vld1q_f32(from.as_ptr()),
                vld1q_f32(from.as_ptr().add(4)),
                vld1q_f32(from.as_ptr().add(8)),
                vld1q_f32(from.as_ptr().add(12)),
            ]
        }
    }
    #[inline(always)]
    fn store(self, value: Self::V, to: &mut [f32; LANES]) {
        // SAFETY: `self` is proof of the instructions; the array is as long as what is moved.
        unsafe {
            vst1q_f32(to.as_mut_ptr(), value[0]);
            vst1q_f32(to.as_mut_ptr().add(4), value[1]);
            vst1q_f32(to.as_mut_ptr().add(8), value[2]);
            vst1q_f32(to.as_mut_ptr().add(12), value[3]);
        }
    }
    #[inline(always)]
    fn add(self, a: Self::V, b: Self::V) -> Self::V {
        // SAFETY: `self` is proof of the instructions.
        unsafe {
            [
                vaddq_f32(a[0], b[0]),
                vaddq_f32(a[1], b[1]),
                vaddq_f32(a[2], b[2]),
                vaddq_f32(a[3], b[3]),
            ]
        }
    }
    #[inline(always)]
    fn sub(self, a: Self::V, b: Self::V) -> Self::V {
        // SAFETY: `self` is proof of the instructions.
        unsafe {
            [
                vsubq_f32(a[0], b[0]),
                vsubq_f32(a[1], b[1]),
                vsubq_f32(a[2], b[2]),
                vsubq_f32(a[3], b[3]),
            ]
        }
    }
    #[inline(always)]
    fn mul(self, a: Self::V, b: Self::V) -> Self::V {
        // SAFETY: `self` is proof of the instructions.
        unsafe {
            [
                vmulq_f32(a[0], b[0]),
                vmulq_f32(a[1], b[1]),
                vmulq_f32(a[2], b[2]),
                vmulq_f32(a[3], b[3]),
            ]
        }
    }
    #[inline(always)]
    fn div(self, a: Self::V, b: Self::V) -> Self::V {
        // SAFETY: `self` is proof of the instructions.
        unsafe {
            [
                vdivq_f32(a[0], b[0]),
                vdivq_f32(a[1], b[1]),
                vdivq_f32(a[2], b[2]),
                vdivq_f32(a[3], b[3]),
            ]
        }
    }
    #[inline(always)]
    fn sqrt(self, a: Self::V) -> Self::V {
        // SAFETY: `self` is proof of the instructions.
        unsafe {
            [
                vsqrtq_f32(a[0]),
                vsqrtq_f32(a[1]),
                vsqrtq_f32(a[2]),
                vsqrtq_f32(a[3]),
            ]
        }
    }
    #[inline(always)]
    fn fma(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V {
        // SAFETY: `self` is proof of the instructions.
        unsafe {
            [
                vfmaq_f32(c[0], a[0], b[0]),
                vfmaq_f32(c[1], a[1], b[1]),
                vfmaq_f32(c[2], a[2], b[2]),
                vfmaq_f32(c[3], a[3], b[3]),
            ]
        }
    }
    #[inline(always)]
    fn larger(self, a: Self::V, b: Self::V) -> Self::V {
        // SAFETY: `self` is proof of the instructions.
        unsafe {
            [
                vbslq_f32(vcgtq_f32(a[0], b[0]), a[0], b[0]),
                vbslq_f32(vcgtq_f32(a[1], b[1]), a[1], b[1]),
                vbslq_f32(vcgtq_f32(a[2], b[2]), a[2], b[2]),
                vbslq_f32(vcgtq_f32(a[3], b[3]), a[3], b[3]),
            ]
        }
    }
    #[inline(always)]
    fn smaller(self, a: Self::V, b: Self::V) -> Self::V {
        // SAFETY: `self` is proof of the instructions.
        unsafe {
            [
                vbslq_f32(vcltq_f32(a[0], b[0]), a[0], b[0]),
                vbslq_f32(vcltq_f32(a[1], b[1]), a[1], b[1]),
                vbslq_f32(vcltq_f32(a[2], b[2]), a[2], b[2]),
                vbslq_f32(vcltq_f32(a[3], b[3]), a[3], b[3]),
            ]
        }
    }
    #[inline(always)]
    fn gt(self, a: Self::V, b: Self::V) -> Self::M {
        // SAFETY: `self` is proof of the instructions.
        unsafe {
            [
                vcgtq_f32(a[0], b[0]),
                vcgtq_f32(a[1], b[1]),
                vcgtq_f32(a[2], b[2]),
                vcgtq_f32(a[3], b[3]),
            ]
        }
    }
    #[inline(always)]
    fn le(self, a: Self::V, b: Self::V) -> Self::M {
        // SAFETY: `self` is proof of the instructions.
        unsafe {
            [
                vcleq_f32(a[0], b[0]),
                vcleq_f32(a[1], b[1]),
                vcleq_f32(a[2], b[2]),
                vcleq_f32(a[3], b[3]),
            ]
        }
    }
    #[inline(always)]
    fn is_nan(self, a: Self::V) -> Self::M {
        // SAFETY: `self` is proof of the instructions.
        unsafe {
            [
                vmvnq_u32(vceqq_f32(a[0], a[0])),
                vmvnq_u32(vceqq_f32(a[1], a[1])),
                vmvnq_u32(vceqq_f32(a[2], a[2])),
                vmvnq_u32(vceqq_f32(a[3], a[3])),
            ]
        }
    }
    #[inline(always)]
    fn select(self, mask: Self::M, a: Self::V, b: Self::V) -> Self::V {
        // SAFETY: `self` is proof of the instructions.
        unsafe {
            [
                vbslq_f32(mask[0], a[0], b[0]),
                vbslq_f32(mask[1], a[1], b[1]),
                vbslq_f32(mask[2], a[2], b[2]),
                vbslq_f32(mask[3], a[3], b[3]),
            ]
        }
    }
    #[inline(always)]
    fn isplat(self, value: i32) -> Self::I {
        // SAFETY: `self` is proof of the instructions.
        unsafe {
            [
                vdupq_n_s32(value),
                vdupq_n_s32(value),
                vdupq_n_s32(value),
                vdupq_n_s32(value),
            ]
        }
    }
    #[inline(always)]
    fn bits(self, a: Self::V) -> Self::I {
        // SAFETY: `self` is proof of the instructions.
        unsafe {
            [
                vreinterpretq_s32_f32(a[0]),
                vreinterpretq_s32_f32(a[1]),
                vreinterpretq_s32_f32(a[2]),
                vreinterpretq_s32_f32(a[3]),
            ]
        }
    }
    #[inline(always)]
    fn from_bits(self, a: Self::I) -> Self::V {
        // SAFETY: `self` is proof of the instructions.
        unsafe {
            [
                vreinterpretq_f32_s32(a[0]),
                vreinterpretq_f32_s32(a[1]),
                vreinterpretq_f32_s32(a[2]),
                vreinterpretq_f32_s32(a[3]),
            ]
        }
    }
    #[inline(always)]
    fn to_int(self, a: Self::V) -> Self::I {
        // SAFETY: `self` is proof of the instructions.
        unsafe {
            [
                vcvtq_s32_f32(a[0]),
                vcvtq_s32_f32(a[1]),
                vcvtq_s32_f32(a[2]),
                vcvtq_s32_f32(a[3]),
            ]
        }
    }
    #[inline(always)]
    fn from_int(self, a: Self::I) -> Self::V {
        // SAFETY: `self` is proof of the instructions.
        unsafe {
            [
                vcvtq_f32_s32(a[0]),
                vcvtq_f32_s32(a[1]),
                vcvtq_f32_s32(a[2]),
                vcvtq_f32_s32(a[3]),
            ]
        }
    }
    #[inline(always)]
    fn iadd(self, a: Self::I, b: Self::I) -> Self::I {
        // SAFETY: `self` is proof of the instructions.
        unsafe {
            [
                vaddq_s32(a[0], b[0]),
                vaddq_s32(a[1], b[1]),
                vaddq_s32(a[2], b[2]),
                vaddq_s32(a[3], b[3]),
            ]
        }
    }
    #[inline(always)]
    fn isub(self, a: Self::I, b: Self::I) -> Self::I {
        // SAFETY: `self` is proof of the instructions.
        unsafe {
            [
                vsubq_s32(a[0], b[0]),
                vsubq_s32(a[1], b[1]),
                vsubq_s32(a[2], b[2]),
                vsubq_s32(a[3], b[3]),
            ]
        }
    }
    #[inline(always)]
    fn iand(self, a: Self::I, b: Self::I) -> Self::I {
        // SAFETY: `self` is proof of the instructions.
        unsafe {
            [
                vandq_s32(a[0], b[0]),
                vandq_s32(a[1], b[1]),
                vandq_s32(a[2], b[2]),
                vandq_s32(a[3], b[3]),
            ]
        }
    }
    #[inline(always)]
    fn ior(self, a: Self::I, b: Self::I) -> Self::I {
        // SAFETY: `self` is proof of the instructions.
        unsafe {
            [
                vorrq_s32(a[0], b[0]),
                vorrq_s32(a[1], b[1]),
                vorrq_s32(a[2], b[2]),
                vorrq_s32(a[3], b[3]),
            ]
        }
    }
    #[inline(always)]
    fn ixor(self, a: Self::I, b: Self::I) -> Self::I {
        // SAFETY: `self` is proof of the instructions.
        unsafe {
            [
                veorq_s32(a[0], b[0]),
                veorq_s32(a[1], b[1]),
                veorq_s32(a[2], b[2]),
                veorq_s32(a[3], b[3]),
            ]
        }
    }
    #[inline(always)]
    fn shl<const BITS: i32>(self, a: Self::I) -> Self::I {
        // SAFETY: `self` is proof of the instructions.
        unsafe {
            [
                vshlq_s32(a[0], vdupq_n_s32(BITS)),
                vshlq_s32(a[1], vdupq_n_s32(BITS)),
                vshlq_s32(a[2], vdupq_n_s32(BITS)),
                vshlq_s32(a[3], vdupq_n_s32(BITS)),
            ]
        }
    }
    #[inline(always)]
    fn shr<const BITS: i32>(self, a: Self::I) -> Self::I {
        // SAFETY: `self` is proof of the instructions.
        unsafe {
            [
                vshlq_s32(a[0], vdupq_n_s32(-BITS)),
                vshlq_s32(a[1], vdupq_n_s32(-BITS)),
                vshlq_s32(a[2], vdupq_n_s32(-BITS)),
                vshlq_s32(a[3], vdupq_n_s32(-BITS)),
            ]
        }
    }
    #[inline(always)]
    fn transpose(self, from: &[f32], from_step: usize, to: &mut [f32], to_step: usize) {
        for down in [0, 4, 8, 12] {
            for along in [0, 4, 8, 12] {
                let row = |i: usize| {
                    let row: &[f32; 4] = from[(down + i) * from_step + along..]
                        .first_chunk()
                        .expect("a row of four values");
                    // SAFETY: `self` is proof of the instructions; the array is as long as what is moved.
                    unsafe { vld1q_f32(row.as_ptr()) }
                };
                let (a, b, c, d) = (row(0), row(1), row(2), row(3));
                // SAFETY: `self` is proof of the instructions.
                let columns = unsafe {
                    // Pairs of values of two rows, then of the pairs fours.
                    let (ab0, ab1) = (vtrn1q_f32(a, b), vtrn2q_f32(a, b));
                    let (cd0, cd1) = (vtrn1q_f32(c, d), vtrn2q_f32(c, d));
                    let (ab0, ab1) = (vreinterpretq_f64_f32(ab0), vreinterpretq_f64_f32(ab1));
                    let (cd0, cd1) = (vreinterpretq_f64_f32(cd0), vreinterpretq_f64_f32(cd1));
                    [
                        vreinterpretq_f32_f64(vtrn1q_f64(ab0, cd0)),
                        vreinterpretq_f32_f64(vtrn1q_f64(ab1, cd1)),
                        vreinterpretq_f32_f64(vtrn2q_f64(ab0, cd0)),
                        vreinterpretq_f32_f64(vtrn2q_f64(ab1, cd1)),
                    ]
                };
                for (i, column) in columns.into_iter().enumerate() {
                    let to: &mut [f32; 4] = to[(along + i) * to_step + down..]
                        .first_chunk_mut()
                        .expect("a row of four values");
                    // SAFETY: `self` is proof of the instructions; the array is as long as what is moved.
                    unsafe { vst1q_f32(to.as_mut_ptr(), column) };
                }
            }
        }
    }
}
