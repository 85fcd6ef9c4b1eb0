//! Sixteen lanes as two registers of AVX2.

// Intrinsics are unsafe to call where the compiler does not know that the instructions are there. Every method here has the
// instance of the type as its proof, which only `run` makes; functions that call some without one are unsafe themselves. Instructions that move
// values take any address, aligned or not.
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::{Kernel, LANES, Lanes};

/// AVX2 and FMA.
#[derive(Clone, Copy, Debug)]
pub struct Avx2(());

/// Runs a kernel compiled for these instructions.
///
/// # Safety
/// The processor must have AVX2 and FMA.
#[target_feature(enable = "avx2,fma")]
pub unsafe fn run<K: Kernel>(kernel: K) -> K::Output {
    kernel.run(Avx2(()))
}

impl Lanes for Avx2 {
    type V = [__m256; 2];
    type I = [__m256i; 2];
    type M = [__m256; 2];
    const REGISTERS: usize = 8;

    #[inline(always)]
    fn splat(self, value: f32) -> Self::V {
        // SAFETY: `self` is proof of the instructions.
        unsafe { [_mm256_set1_ps(value), _mm256_set1_ps(value)] }
    }
    #[inline(always)]
    fn load(self, from: &[f32; LANES]) -> Self::V {
        // SAFETY: `self` is proof of the instructions; the array is as long as what is moved.
        unsafe {
            [
                _mm256_loadu_ps(from.as_ptr()),
                _mm256_loadu_ps(from.as_ptr().add(8)),
            ]
        }
    }
    #[inline(always)]
    fn store(self, value: Self::V, to: &mut [f32; LANES]) {
        // SAFETY: `self` is proof of the instructions; the array is as long as what is moved.
        unsafe {
            _mm256_storeu_ps(to.as_mut_ptr(), value[0]);
            _mm256_storeu_ps(to.as_mut_ptr().add(8), value[1]);
        }
    }
    #[inline(always)]
    fn add(self, a: Self::V, b: Self::V) -> Self::V {
        // SAFETY: `self` is proof of the instructions.
        unsafe { [_mm256_add_ps(a[0], b[0]), _mm256_add_ps(a[1], b[1])] }
    }
    #[inline(always)]
    fn sub(self, a: Self::V, b: Self::V) -> Self::V {
        // SAFETY: `self` is proof of the instructions.
        unsafe { [_mm256_sub_ps(a[0], b[0]), _mm256_sub_ps(a[1], b[1])] }
    }
    #[inline(always)]
    fn mul(self, a: Self::V, b: Self::V) -> Self::V {
        // SAFETY: `self` is proof of the instructions.
        unsafe { [_mm256_mul_ps(a[0], b[0]), _mm256_mul_ps(a[1], b[1])] }
    }
    #[inline(always)]
    fn div(self, a: Self::V, b: Self::V) -> Self::V {
        // SAFETY: `self` is proof of the instructions.
        unsafe { [_mm256_div_ps(a[0], b[0]), _mm256_div_ps(a[1], b[1])] }
    }
    #[inline(always)]
    fn sqrt(self, a: Self::V) -> Self::V {
        // SAFETY: `self` is proof of the instructions.
        unsafe { [_mm256_sqrt_ps(a[0]), _mm256_sqrt_ps(a[1])] }
    }
    #[inline(always)]
    fn fma(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V {
        // SAFETY: `self` is proof of the instructions.
        unsafe {
            [
                _mm256_fmadd_ps(a[0], b[0], c[0]),
                _mm256_fmadd_ps(a[1], b[1], c[1]),
            ]
        }
    }
    #[inline(always)]
    fn larger(self, a: Self::V, b: Self::V) -> Self::V {
        // SAFETY: `self` is proof of the instructions.
        unsafe { [_mm256_max_ps(a[0], b[0]), _mm256_max_ps(a[1], b[1])] }
    }
    #[inline(always)]
    fn smaller(self, a: Self::V, b: Self::V) -> Self::V {
        // SAFETY: `self` is proof of the instructions.
        unsafe { [_mm256_min_ps(a[0], b[0]), _mm256_min_ps(a[1], b[1])] }
    }
    #[inline(always)]
    fn gt(self, a: Self::V, b: Self::V) -> Self::M {
        // SAFETY: `self` is proof of the instructions.
        unsafe {
            [
                _mm256_cmp_ps::<_CMP_GT_OQ>(a[0], b[0]),
                _mm256_cmp_ps::<_CMP_GT_OQ>(a[1], b[1]),
            ]
        }
    }
    #[inline(always)]
    fn le(self, a: Self::V, b: Self::V) -> Self::M {
        // SAFETY: `self` is proof of the instructions.
        unsafe {
            [
                _mm256_cmp_ps::<_CMP_LE_OQ>(a[0], b[0]),
                _mm256_cmp_ps::<_CMP_LE_OQ>(a[1], b[1]),
            ]
        }
    }
    #[inline(always)]
    fn is_nan(self, a: Self::V) -> Self::M {
        // SAFETY: `self` is proof of the instructions.
        unsafe {
            [
                _mm256_cmp_ps::<_CMP_UNORD_Q>(a[0], a[0]),
                _mm256_cmp_ps::<_CMP_UNORD_Q>(a[1], a[1]),
            ]
        }
    }
    #[inline(always)]
    fn select(self, mask: Self::M, a: Self::V, b: Self::V) -> Self::V {
        // SAFETY: `self` is proof of the instructions.
        unsafe {
            [
                _mm256_blendv_ps(b[0], a[0], mask[0]),
                _mm256_blendv_ps(b[1], a[1], mask[1]),
            ]
        }
    }
    #[inline(always)]
    fn isplat(self, value: i32) -> Self::I {
        // SAFETY: `self` is proof of the instructions.
        unsafe { [_mm256_set1_epi32(value), _mm256_set1_epi32(value)] }
    }
    #[inline(always)]
    fn bits(self, a: Self::V) -> Self::I {
        // SAFETY: `self` is proof of the instructions.
        unsafe { [_mm256_castps_si256(a[0]), _mm256_castps_si256(a[1])] }
    }
    #[inline(always)]
    fn from_bits(self, a: Self::I) -> Self::V {
        // SAFETY: `self` is proof of the instructions.
        unsafe { [_mm256_castsi256_ps(a[0]), _mm256_castsi256_ps(a[1])] }
    }
    #[inline(always)]
    fn to_int(self, a: Self::V) -> Self::I {
        // SAFETY: `self` is proof of the instructions.
        unsafe { [_mm256_cvtps_epi32(a[0]), _mm256_cvtps_epi32(a[1])] }
    }
    #[inline(always)]
    fn from_int(self, a: Self::I) -> Self::V {
        // SAFETY: `self` is proof of the instructions.
        unsafe { [_mm256_cvtepi32_ps(a[0]), _mm256_cvtepi32_ps(a[1])] }
    }
    #[inline(always)]
    fn iadd(self, a: Self::I, b: Self::I) -> Self::I {
        // SAFETY: `self` is proof of the instructions.
        unsafe { [_mm256_add_epi32(a[0], b[0]), _mm256_add_epi32(a[1], b[1])] }
    }
    #[inline(always)]
    fn isub(self, a: Self::I, b: Self::I) -> Self::I {
        // SAFETY: `self` is proof of the instructions.
        unsafe { [_mm256_sub_epi32(a[0], b[0]), _mm256_sub_epi32(a[1], b[1])] }
    }
    #[inline(always)]
    fn iand(self, a: Self::I, b: Self::I) -> Self::I {
        // SAFETY: `self` is proof of the instructions.
        unsafe { [_mm256_and_si256(a[0], b[0]), _mm256_and_si256(a[1], b[1])] }
    }
    #[inline(always)]
    fn ior(self, a: Self::I, b: Self::I) -> Self::I {
        // SAFETY: `self` is proof of the instructions.
        unsafe { [_mm256_or_si256(a[0], b[0]), _mm256_or_si256(a[1], b[1])] }
    }
    #[inline(always)]
    fn ixor(self, a: Self::I, b: Self::I) -> Self::I {
        // SAFETY: `self` is proof of the instructions.
        unsafe { [_mm256_xor_si256(a[0], b[0]), _mm256_xor_si256(a[1], b[1])] }
    }
    #[inline(always)]
    fn shl<const BITS: i32>(self, a: Self::I) -> Self::I {
        // SAFETY: `self` is proof of the instructions.
        unsafe { [_mm256_slli_epi32::<BITS>(a[0]), _mm256_slli_epi32::<BITS>(a[1])] }
    }
    #[inline(always)]
    fn shr<const BITS: i32>(self, a: Self::I) -> Self::I {
        // SAFETY: `self` is proof of the instructions.
        unsafe { [_mm256_srai_epi32::<BITS>(a[0]), _mm256_srai_epi32::<BITS>(a[1])] }
    }
    #[inline(always)]
    fn prefetch(self, from: &[f32]) {
        // SAFETY: the instruction takes any address, and every processor of this architecture has it.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(from.as_ptr().cast()) }
    }
    #[inline(always)]
    fn transpose(self, from: &[f32], from_step: usize, to: &mut [f32], to_step: usize) {
        // SAFETY: `self` is proof of the instructions.
        unsafe { transpose(from, from_step, to, to_step) }
    }
    #[inline(always)]
    fn load_some(self, from: &[f32], pad: f32) -> Self::V {
        if let Some(whole) = from.first_chunk::<LANES>() {
            return self.load(whole);
        }
        // SAFETY: `self` is proof of the instructions; only lanes whose mask says yes are read, as many as there are values. Masks
        // are read from within their table: less than sixteen are taken away from sixteen.
        unsafe {
            let mask = MASKS.as_ptr().add(LANES - from.len());
            let (low, high) = (
                _mm256_loadu_si256(mask.cast()),
                _mm256_loadu_si256(mask.add(8).cast()),
            );
            let pad = _mm256_set1_ps(pad);
            // Not `add`: there may be no value at all that far.
            let (a, b) = (from.as_ptr(), from.as_ptr().wrapping_add(8));
            [
                _mm256_blendv_ps(pad, _mm256_maskload_ps(a, low), _mm256_castsi256_ps(low)),
                _mm256_blendv_ps(pad, _mm256_maskload_ps(b, high), _mm256_castsi256_ps(high)),
            ]
        }
    }
    #[inline(always)]
    fn sum(self, value: Self::V) -> f32 {
        // SAFETY: `self` is proof of the instructions.
        unsafe { sum_of_eight(_mm256_add_ps(value[0], value[1])) }
    }
    #[inline(always)]
    fn largest(self, value: Self::V) -> f32 {
        // SAFETY: `self` is proof of the instructions.
        unsafe { largest_of_eight(_mm256_max_ps(value[0], value[1])) }
    }
}

/// [`Lanes::transpose`], in four squares of eight by eight.
///
/// # Safety
/// The processor must have AVX2.
#[inline(always)]
pub(super) unsafe fn transpose(from: &[f32], from_step: usize, to: &mut [f32], to_step: usize) {
    for down in [0, 8] {
        for along in [0, 8] {
            // SAFETY: the caller vouches for the instructions.
            let mut rows = unsafe { [_mm256_setzero_ps(); 8] };
            for (i, row) in rows.iter_mut().enumerate() {
                let from: &[f32; 8] = from[(down + i) * from_step + along..]
                    .first_chunk()
                    .expect("a row of eight values");
                // SAFETY: the caller vouches for the instructions; the array is as long as what is moved.
                *row = unsafe { _mm256_loadu_ps(from.as_ptr()) };
            }
            // SAFETY: the caller vouches for the instructions.
            let columns = unsafe { transpose_eight(rows) };
            for (i, column) in columns.into_iter().enumerate() {
                let to: &mut [f32; 8] = to[(along + i) * to_step + down..]
                    .first_chunk_mut()
                    .expect("a row of eight values");
                // SAFETY: the caller vouches for the instructions; the array is as long as what is moved.
                unsafe { _mm256_storeu_ps(to.as_mut_ptr(), column) };
            }
        }
    }
}

/// Eight rows of eight values as columns.
///
/// # Safety
/// The processor must have AVX2.
#[inline(always)]
unsafe fn transpose_eight(r: [__m256; 8]) -> [__m256; 8] {
    // SAFETY: the caller vouches for the instructions.
    unsafe {
        // Pairs of rows, their values by turns; then of pairs fours, and of the halves of registers eights.
        let (p0, p1) = (_mm256_unpacklo_ps(r[0], r[1]), _mm256_unpackhi_ps(r[0], r[1]));
        let (p2, p3) = (_mm256_unpacklo_ps(r[2], r[3]), _mm256_unpackhi_ps(r[2], r[3]));
        let (p4, p5) = (_mm256_unpacklo_ps(r[4], r[5]), _mm256_unpackhi_ps(r[4], r[5]));
        let (p6, p7) = (_mm256_unpacklo_ps(r[6], r[7]), _mm256_unpackhi_ps(r[6], r[7]));
        let (f0, f1) = (
            _mm256_shuffle_ps::<0x44>(p0, p2),
            _mm256_shuffle_ps::<0xee>(p0, p2),
        );
        let (f2, f3) = (
            _mm256_shuffle_ps::<0x44>(p1, p3),
            _mm256_shuffle_ps::<0xee>(p1, p3),
        );
        let (f4, f5) = (
            _mm256_shuffle_ps::<0x44>(p4, p6),
            _mm256_shuffle_ps::<0xee>(p4, p6),
        );
        let (f6, f7) = (
            _mm256_shuffle_ps::<0x44>(p5, p7),
            _mm256_shuffle_ps::<0xee>(p5, p7),
        );
        [
            _mm256_permute2f128_ps::<0x20>(f0, f4),
            _mm256_permute2f128_ps::<0x20>(f1, f5),
            _mm256_permute2f128_ps::<0x20>(f2, f6),
            _mm256_permute2f128_ps::<0x20>(f3, f7),
            _mm256_permute2f128_ps::<0x31>(f0, f4),
            _mm256_permute2f128_ps::<0x31>(f1, f5),
            _mm256_permute2f128_ps::<0x31>(f2, f6),
            _mm256_permute2f128_ps::<0x31>(f3, f7),
        ]
    }
}

/// Yes sixteen times, then no sixteen times: from where one starts to read, so many lanes are left.
static MASKS: [i32; 2 * LANES] = {
    let mut masks = [0; 2 * LANES];
    let mut i = 0;
    while i < LANES {
        masks[i] = -1;
        i += 1;
    }
    masks
};

/// The lower half of the lanes' tree of sums.
///
/// # Safety
/// The processor must have AVX2.
#[inline(always)]
pub(super) unsafe fn sum_of_eight(v: __m256) -> f32 {
    // SAFETY: the caller's promise.
    unsafe {
        let v = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps::<1>(v));
        let v = _mm_add_ps(v, _mm_movehl_ps(v, v));
        _mm_cvtss_f32(_mm_add_ss(v, _mm_movehdup_ps(v)))
    }
}

/// The lower half of the lanes' tree of comparisons.
///
/// # Safety
/// The processor must have AVX2.
#[inline(always)]
pub(super) unsafe fn largest_of_eight(v: __m256) -> f32 {
    // SAFETY: the caller's promise.
    unsafe {
        let v = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps::<1>(v));
        let v = _mm_max_ps(v, _mm_movehl_ps(v, v));
        _mm_cvtss_f32(_mm_max_ss(v, _mm_movehdup_ps(v)))
    }
}
