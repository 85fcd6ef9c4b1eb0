//! Sixteen lanes as one register of AVX-512.

// Intrinsics are unsafe to call where the compiler does not know that the instructions are there. Every method here has the
// instance of the type as its proof, which only `run` makes; functions that call some without one are unsafe themselves. Instructions that move
// values take any address, aligned or not.
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::{
    Kernel, LANES, Lanes,
    avx2::{self, largest_of_eight, sum_of_eight},
};

/// AVX-512 F and DQ.
#[derive(Clone, Copy, Debug)]
pub struct Avx512(());

/// Runs a kernel compiled for these instructions.
///
/// # Safety
/// The processor must have AVX-512 F and DQ, AVX2 and FMA.
#[target_feature(enable = "avx512f,avx512dq,avx2,fma")]
pub unsafe fn run<K: Kernel>(kernel: K) -> K::Output {
    kernel.run(Avx512(()))
}

impl Lanes for Avx512 {
    type V = [__m512; 1];
    type I = [__m512i; 1];
    type M = [__mmask16; 1];
    const REGISTERS: usize = 32;

    #[inline(always)]
    fn splat(self, value: f32) -> Self::V {
        // SAFETY: `self` is proof of the instructions.
        unsafe { [_mm512_set1_ps(value)] }
    }
    #[inline(always)]
    fn load(self, from: &[f32; LANES]) -> Self::V {
        // SAFETY: `self` is proof of the instructions; the array is as long as what is moved.
        unsafe { [_mm512_loadu_ps(from.as_ptr())] }
    }
    #[inline(always)]
    fn store(self, value: Self::V, to: &mut [f32; LANES]) {
        // SAFETY: `self` is proof of the instructions; the array is as long as what is moved.
        unsafe {
            _mm512_storeu_ps(to.as_mut_ptr(), value[0]);
        }
    }
    #[inline(always)]
    fn add(self, a: Self::V, b: Self::V) -> Self::V {
        // SAFETY: `self` is proof of the instructions.
        unsafe { [_mm512_add_ps(a[0], b[0])] }
    }
    #[inline(always)]
    fn sub(self, a: Self::V, b: Self::V) -> Self::V {
        // SAFETY: `self` is proof of the instructions.
        unsafe { [_mm512_sub_ps(a[0], b[0])] }
    }
    #[inline(always)]
    fn mul(self, a: Self::V, b: Self::V) -> Self::V {
        // SAFETY: `self` is proof of the instructions.
        unsafe { [_mm512_mul_ps(a[0], b[0])] }
    }
    #[inline(always)]
    fn div(self, a: Self::V, b: Self::V) -> Self::V {
        // SAFETY: `self` is proof of the instructions.
        unsafe { [_mm512_div_ps(a[0], b[0])] }
    }
    #[inline(always)]
    fn sqrt(self, a: Self::V) -> Self::V {
        // SAFETY: `self` is proof of the instructions.
        unsafe { [_mm512_sqrt_ps(a[0])] }
    }
    #[inline(always)]
    fn fma(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V {
        // SAFETY: `self` is proof of the instructions.
        unsafe { [_mm512_fmadd_ps(a[0], b[0], c[0])] }
    }
    #[inline(always)]
    fn larger(self, a: Self::V, b: Self::V) -> Self::V {
        // SAFETY: `self` is proof of the instructions.
        unsafe { [_mm512_max_ps(a[0], b[0])] }
    }
    #[inline(always)]
    fn smaller(self, a: Self::V, b: Self::V) -> Self::V {
        // SAFETY: `self` is proof of the instructions.
        unsafe { [_mm512_min_ps(a[0], b[0])] }
    }
    #[inline(always)]
    fn gt(self, a: Self::V, b: Self::V) -> Self::M {
        // SAFETY: `self` is proof of the instructions.
        unsafe { [_mm512_cmp_ps_mask::<_CMP_GT_OQ>(a[0], b[0])] }
    }
    #[inline(always)]
    fn le(self, a: Self::V, b: Self::V) -> Self::M {
        // SAFETY: `self` is proof of the instructions.
        unsafe { [_mm512_cmp_ps_mask::<_CMP_LE_OQ>(a[0], b[0])] }
    }
    #[inline(always)]
    fn is_nan(self, a: Self::V) -> Self::M {
        // SAFETY: `self` is proof of the instructions.
        unsafe { [_mm512_cmp_ps_mask::<_CMP_UNORD_Q>(a[0], a[0])] }
    }
    #[inline(always)]
    fn select(self, mask: Self::M, a: Self::V, b: Self::V) -> Self::V {
        // SAFETY: `self` is proof of the instructions.
        unsafe { [_mm512_mask_blend_ps(mask[0], b[0], a[0])] }
    }
    #[inline(always)]
    fn isplat(self, value: i32) -> Self::I {
        // SAFETY: `self` is proof of the instructions.
        unsafe { [_mm512_set1_epi32(value)] }
    }
    #[inline(always)]
    fn bits(self, a: Self::V) -> Self::I {
        // SAFETY: `self` is proof of the instructions.
        unsafe { [_mm512_castps_si512(a[0])] }
    }
    #[inline(always)]
    fn from_bits(self, a: Self::I) -> Self::V {
        // SAFETY: `self` is proof of the instructions.
        unsafe { [_mm512_castsi512_ps(a[0])] }
    }
    #[inline(always)]
    fn to_int(self, a: Self::V) -> Self::I {
        // SAFETY: `self` is proof of the instructions.
        unsafe { [_mm512_cvtps_epi32(a[0])] }
    }
    #[inline(always)]
    fn from_int(self, a: Self::I) -> Self::V {
        // SAFETY: `self` is proof of the instructions.
        unsafe { [_mm512_cvtepi32_ps(a[0])] }
    }
    #[inline(always)]
    fn iadd(self, a: Self::I, b: Self::I) -> Self::I {
        // SAFETY: `self` is proof of the instructions.
        unsafe { [_mm512_add_epi32(a[0], b[0])] }
    }
    #[inline(always)]
    fn isub(self, a: Self::I, b: Self::I) -> Self::I {
        // SAFETY: `self` is proof of the instructions.
        unsafe { [_mm512_sub_epi32(a[0], b[0])] }
    }
    #[inline(always)]
    fn iand(self, a: Self::I, b: Self::I) -> Self::I {
        // SAFETY: `self` is proof of the instructions.
        unsafe { [_mm512_and_si512(a[0], b[0])] }
    }
    #[inline(always)]
    fn ior(self, a: Self::I, b: Self::I) -> Self::I {
        // SAFETY: `self` is proof of the instructions.
        unsafe { [_mm512_or_si512(a[0], b[0])] }
    }
    #[inline(always)]
    fn ixor(self, a: Self::I, b: Self::I) -> Self::I {
        // SAFETY: `self` is proof of the instructions.
        unsafe { [_mm512_xor_si512(a[0], b[0])] }
    }
    #[inline(always)]
    fn shl<const BITS: i32>(self, a: Self::I) -> Self::I {
        // SAFETY: `self` is proof of the instructions.
        unsafe { [_mm512_sllv_epi32(a[0], _mm512_set1_epi32(BITS))] }
    }
    #[inline(always)]
    fn shr<const BITS: i32>(self, a: Self::I) -> Self::I {
        // SAFETY: `self` is proof of the instructions.
        unsafe { [_mm512_srav_epi32(a[0], _mm512_set1_epi32(BITS))] }
    }
    #[inline(always)]
    fn prefetch(self, from: &[f32]) {
        // SAFETY: the instruction takes any address, and every processor of this architecture has it.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(from.as_ptr().cast()) }
    }
    #[inline(always)]
    fn transpose(self, from: &[f32], from_step: usize, to: &mut [f32], to_step: usize) {
        // As fast as with wider registers: it is the shuffles of a cycle that count.
        // SAFETY: `self` is proof of AVX2 too.
        unsafe { avx2::transpose(from, from_step, to, to_step) }
    }
    #[inline(always)]
    fn load_some(self, from: &[f32], pad: f32) -> Self::V {
        // SAFETY: `self` is proof of the instructions; only lanes whose mask says yes are read, as many as there are values, sixteen at most.
        unsafe {
            [_mm512_mask_loadu_ps(
                _mm512_set1_ps(pad),
                first(from.len()),
                from.as_ptr(),
            )]
        }
    }
    #[inline(always)]
    fn store_some(self, value: Self::V, to: &mut [f32]) {
        // SAFETY: `self` is proof of the instructions; only lanes whose mask says yes are written, as many as there are places, sixteen at most.
        unsafe {
            _mm512_mask_storeu_ps(to.as_mut_ptr(), first(to.len()), value[0]);
        }
    }
    #[inline(always)]
    fn sum(self, value: Self::V) -> f32 {
        // SAFETY: `self` is proof of the instructions, AVX2 among them.
        unsafe {
            let (low, high) = halves(value[0]);
            sum_of_eight(_mm256_add_ps(low, high))
        }
    }
    #[inline(always)]
    fn largest(self, value: Self::V) -> f32 {
        // SAFETY: `self` is proof of the instructions, AVX2 among them.
        unsafe {
            let (low, high) = halves(value[0]);
            largest_of_eight(_mm256_max_ps(low, high))
        }
    }
}

/// Yes for the first `count` lanes, all of them at most.
#[inline(always)]
fn first(count: usize) -> __mmask16 {
    if count >= LANES { !0 } else { (1 << count) - 1 }
}

/// The first eight lanes and the others.
///
/// # Safety
/// The processor must have AVX-512 F and DQ.
#[inline(always)]
unsafe fn halves(v: __m512) -> (__m256, __m256) {
    // SAFETY: the caller's promise.
    unsafe { (_mm512_castps512_ps256(v), _mm512_extractf32x8_ps::<1>(v)) }
}
