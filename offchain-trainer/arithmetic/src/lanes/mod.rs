//! Sixteen values at once: what kernels are written in.
//!
//! A kernel is generic over [`Lanes`] and compiled once for each [`crate::Level`]. There are sixteen lanes on every processor, in one
//! register, two or four, so the order of every sum is the same everywhere. Each operation is that of IEEE 754 in each lane, rounded
//! to the nearest, and nothing is ever fused that isn't called [`Lanes::fma`]. NaNs are NaNs everywhere, but not the same ones.
//!
//! A value of a type that implements [`Lanes`] exists only where the processor has its instructions: that makes its methods sound.

#[cfg(target_arch = "x86_64")]
pub mod avx2;
#[cfg(target_arch = "x86_64")]
pub mod avx512;
#[cfg(target_arch = "aarch64")]
pub mod neon;
mod portable;
#[cfg(test)]
mod tests;

pub use portable::{Portable, fma};

/// How many lanes there are.
pub const LANES: usize = 16;

/// Work that is compiled for each level. Mark `run`, and all that it calls with lanes, `#[inline(always)]`: only what is inlined is
/// compiled with the level's instructions.
pub trait Kernel {
    /// What it returns.
    type Output;
    /// Does the work.
    fn run<L: Lanes>(self, lanes: L) -> Self::Output;
}

/// Sixteen lanes of a processor. Take the instance that a [`Kernel`] gets along: it is proof that the instructions are there.
pub trait Lanes: Copy + Send + Sync {
    /// Sixteen single-precision values.
    type V: Copy;
    /// Sixteen 32-bit integers.
    type I: Copy;
    /// Sixteen times yes or no.
    type M: Copy;

    /// How many times sixteen values its registers hold: kernels that keep more at once are slow.
    const REGISTERS: usize;

    /// The same value in each lane.
    fn splat(self, value: f32) -> Self::V;
    /// What memory holds.
    fn load(self, from: &[f32; LANES]) -> Self::V;
    /// To memory.
    fn store(self, value: Self::V, to: &mut [f32; LANES]);

    /// a + b
    fn add(self, a: Self::V, b: Self::V) -> Self::V;
    /// a − b
    fn sub(self, a: Self::V, b: Self::V) -> Self::V;
    /// a × b
    fn mul(self, a: Self::V, b: Self::V) -> Self::V;
    /// a / b
    fn div(self, a: Self::V, b: Self::V) -> Self::V;
    /// √a
    fn sqrt(self, a: Self::V) -> Self::V;
    /// a × b + c, rounded once.
    fn fma(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// a if a > b, else b: so b if one of them is NaN or both are 0.
    fn larger(self, a: Self::V, b: Self::V) -> Self::V;
    /// a if a < b, else b: so b if one of them is NaN or both are 0.
    fn smaller(self, a: Self::V, b: Self::V) -> Self::V;

    /// a > b: not where one is NaN.
    fn gt(self, a: Self::V, b: Self::V) -> Self::M;
    /// a ≤ b: not where one is NaN.
    fn le(self, a: Self::V, b: Self::V) -> Self::M;
    /// Whether it is NaN.
    fn is_nan(self, a: Self::V) -> Self::M;
    /// a where the mask says yes, else b.
    fn select(self, mask: Self::M, a: Self::V, b: Self::V) -> Self::V;

    /// The same integer in each lane.
    fn isplat(self, value: i32) -> Self::I;
    /// A value's bits.
    fn bits(self, a: Self::V) -> Self::I;
    /// The value of bits.
    // `self` is proof of the instructions, not what is converted.
    #[allow(clippy::wrong_self_convention)]
    fn from_bits(self, a: Self::I) -> Self::V;
    /// The integer that a value is; the value must be a whole number from −2³¹ to 2³¹ − 1.
    fn to_int(self, a: Self::V) -> Self::I;
    /// An integer as a value, rounded to the nearest.
    // `self` is proof of the instructions, not what is converted.
    #[allow(clippy::wrong_self_convention)]
    fn from_int(self, a: Self::I) -> Self::V;
    /// a + b, wrapping.
    fn iadd(self, a: Self::I, b: Self::I) -> Self::I;
    /// a − b, wrapping.
    fn isub(self, a: Self::I, b: Self::I) -> Self::I;
    /// a & b
    fn iand(self, a: Self::I, b: Self::I) -> Self::I;
    /// a | b
    fn ior(self, a: Self::I, b: Self::I) -> Self::I;
    /// a ^ b
    fn ixor(self, a: Self::I, b: Self::I) -> Self::I;
    /// Shifted to the left by so many bits, below 32.
    fn shl<const BITS: i32>(self, a: Self::I) -> Self::I;
    /// Shifted to the right by so many bits, below 32 and above 0, its sign kept.
    fn shr<const BITS: i32>(self, a: Self::I) -> Self::I;

    /// Up to sixteen values; `pad` in the lanes that have none.
    #[inline(always)]
    fn load_some(self, from: &[f32], pad: f32) -> Self::V {
        match from.first_chunk::<LANES>() {
            Some(whole) => self.load(whole),
            None => {
                let mut values = [pad; LANES];
                copy_few(from, &mut values);
                self.load(&values)
            }
        }
    }

    /// The first up to sixteen lanes.
    #[inline(always)]
    fn store_some(self, value: Self::V, to: &mut [f32]) {
        match to.first_chunk_mut::<LANES>() {
            Some(whole) => self.store(value, whole),
            None => copy_few(&self.array(value), to),
        }
    }

    /// Asks the processor to have ready what will be read soon. Changes nothing else.
    #[inline(always)]
    fn prefetch(self, from: &[f32]) {
        let _ = from;
    }

    /// Copies sixteen times sixteen values, rows as columns: what is in row r, lane l of `from`, at `from[r × from_step + l]`, is put
    /// into row l, lane r of `to`, at `to[l × to_step + r]`.
    ///
    /// # Panics
    /// If that reaches beyond one of them.
    #[inline(always)]
    fn transpose(self, from: &[f32], from_step: usize, to: &mut [f32], to_step: usize) {
        for r in 0..LANES {
            let row = &from[r * from_step..][..LANES];
            for (l, value) in row.iter().enumerate() {
                to[l * to_step + r] = *value;
            }
        }
    }

    /// All lanes as an array.
    #[inline(always)]
    fn array(self, value: Self::V) -> [f32; LANES] {
        let mut values = [0.0; LANES];
        self.store(value, &mut values);
        values
    }

    /// The lanes' sum: each with the one eight further on, then four, two and one.
    #[inline(always)]
    fn sum(self, value: Self::V) -> f32 {
        let mut v = self.array(value);
        let mut half = LANES / 2;
        while half > 0 {
            for i in 0..half {
                v[i] += v[i + half];
            }
            half /= 2;
        }
        v[0]
    }

    /// The largest lane: in the same tree, `a if a > b, else b`, with b the one further on.
    #[inline(always)]
    fn largest(self, value: Self::V) -> f32 {
        let mut v = self.array(value);
        let mut half = LANES / 2;
        while half > 0 {
            for i in 0..half {
                v[i] = if v[i] > v[i + half] { v[i] } else { v[i + half] };
            }
            half /= 2;
        }
        v[0]
    }
}

/// Copies as many values as the shorter side has, up to sixteen, without a call: one costs more than the values do.
#[inline(always)]
pub(crate) fn copy_few(mut from: &[f32], mut to: &mut [f32]) {
    let count = from.len().min(to.len());
    macro_rules! some {
        ($($size:literal)*) => {
            $(if count & $size != 0 {
                let (Some((now, from_rest)), Some((here, to_rest))) =
                    (from.split_first_chunk::<$size>(), to.split_first_chunk_mut::<$size>())
                else {
                    return;
                };
                *here = *now;
                (from, to) = (from_rest, to_rest);
            })*
        };
    }
    some!(16 8 4 2 1);
    let _ = (from, to);
}
