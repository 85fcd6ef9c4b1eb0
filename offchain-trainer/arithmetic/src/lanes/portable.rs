//! Sixteen lanes as an array, for every processor.

use super::{LANES, Lanes};

/// Plain Rust.
#[derive(Clone, Copy, Debug)]
pub struct Portable;

/// a × b + c, rounded once, made of double precision: no processor's instruction and no library's function.
///
/// The product of two single-precision numbers is exact in double precision. The sum with c may not be; then it is rounded to odd (to the
/// neighbour whose last bit is 1), after which rounding it to single precision gives what rounding the exact sum would (Boldo and Melquiond, *Emulation of
/// FMA and correctly rounded sums: proved algorithms using rounding to odd*, 2008).
#[inline(always)]
pub fn fma(a: f32, b: f32, c: f32) -> f32 {
    let product = f64::from(a) * f64::from(b);
    let c = f64::from(c);
    let sum = product + c;
    // What the sum lost, exactly (Knuth's TwoSum); NaN where something is infinite.
    let part = sum - product;
    let lost = (product - (sum - part)) + (c - part);
    let bits = sum.to_bits();
    if lost != 0.0 && lost.is_finite() && bits & 1 == 0 {
        // The exact sum lies between this one and its neighbour in the direction of what was lost: of the two, that is the odd one.
        let away_from_zero = (lost > 0.0) == (sum > 0.0);
        let odd = if away_from_zero { bits + 1 } else { bits - 1 };
        return f64::from_bits(odd) as f32;
    }
    sum as f32
}

/// One lane after the other.
#[inline(always)]
fn each<A: Copy, B>(a: [A; LANES], f: impl Fn(A) -> B) -> [B; LANES] {
    a.map(f)
}

#[inline(always)]
fn both<A: Copy, B: Copy, C: Copy + Default>(
    a: [A; LANES],
    b: [B; LANES],
    f: impl Fn(A, B) -> C,
) -> [C; LANES] {
    let mut c = [C::default(); LANES];
    for i in 0..LANES {
        c[i] = f(a[i], b[i]);
    }
    c
}

impl Lanes for Portable {
    type V = [f32; LANES];
    type I = [i32; LANES];
    type M = [bool; LANES];
    const REGISTERS: usize = 4;

    #[inline(always)]
    fn splat(self, value: f32) -> Self::V {
        [value; LANES]
    }
    #[inline(always)]
    fn load(self, from: &[f32; LANES]) -> Self::V {
        *from
    }
    #[inline(always)]
    fn store(self, value: Self::V, to: &mut [f32; LANES]) {
        *to = value;
    }
    #[inline(always)]
    fn add(self, a: Self::V, b: Self::V) -> Self::V {
        both(a, b, |a, b| a + b)
    }
    #[inline(always)]
    fn sub(self, a: Self::V, b: Self::V) -> Self::V {
        both(a, b, |a, b| a - b)
    }
    #[inline(always)]
    fn mul(self, a: Self::V, b: Self::V) -> Self::V {
        both(a, b, |a, b| a * b)
    }
    #[inline(always)]
    fn div(self, a: Self::V, b: Self::V) -> Self::V {
        both(a, b, |a, b| a / b)
    }
    #[inline(always)]
    fn sqrt(self, a: Self::V) -> Self::V {
        // An instruction of IEEE 754, not a library's function.
        each(a, f32::sqrt)
    }
    #[inline(always)]
    fn fma(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V {
        let mut d = [0.0; LANES];
        for i in 0..LANES {
            d[i] = fma(a[i], b[i], c[i]);
        }
        d
    }
    #[inline(always)]
    fn larger(self, a: Self::V, b: Self::V) -> Self::V {
        both(a, b, |a, b| if a > b { a } else { b })
    }
    #[inline(always)]
    fn smaller(self, a: Self::V, b: Self::V) -> Self::V {
        both(a, b, |a, b| if a < b { a } else { b })
    }
    #[inline(always)]
    fn gt(self, a: Self::V, b: Self::V) -> Self::M {
        both(a, b, |a, b| a > b)
    }
    #[inline(always)]
    fn le(self, a: Self::V, b: Self::V) -> Self::M {
        both(a, b, |a, b| a <= b)
    }
    #[inline(always)]
    fn is_nan(self, a: Self::V) -> Self::M {
        each(a, f32::is_nan)
    }
    #[inline(always)]
    fn select(self, mask: Self::M, a: Self::V, b: Self::V) -> Self::V {
        let mut c = b;
        for i in 0..LANES {
            if mask[i] {
                c[i] = a[i];
            }
        }
        c
    }
    #[inline(always)]
    fn isplat(self, value: i32) -> Self::I {
        [value; LANES]
    }
    #[inline(always)]
    fn bits(self, a: Self::V) -> Self::I {
        each(a, |a| a.to_bits() as i32)
    }
    #[inline(always)]
    fn from_bits(self, a: Self::I) -> Self::V {
        each(a, |a| f32::from_bits(a as u32))
    }
    #[inline(always)]
    fn to_int(self, a: Self::V) -> Self::I {
        each(a, |a| a as i32)
    }
    #[inline(always)]
    fn from_int(self, a: Self::I) -> Self::V {
        each(a, |a| a as f32)
    }
    #[inline(always)]
    fn iadd(self, a: Self::I, b: Self::I) -> Self::I {
        both(a, b, i32::wrapping_add)
    }
    #[inline(always)]
    fn isub(self, a: Self::I, b: Self::I) -> Self::I {
        both(a, b, i32::wrapping_sub)
    }
    #[inline(always)]
    fn iand(self, a: Self::I, b: Self::I) -> Self::I {
        both(a, b, |a, b| a & b)
    }
    #[inline(always)]
    fn ior(self, a: Self::I, b: Self::I) -> Self::I {
        both(a, b, |a, b| a | b)
    }
    #[inline(always)]
    fn ixor(self, a: Self::I, b: Self::I) -> Self::I {
        both(a, b, |a, b| a ^ b)
    }
    #[inline(always)]
    fn shl<const BITS: i32>(self, a: Self::I) -> Self::I {
        each(a, |a| a << BITS)
    }
    #[inline(always)]
    fn shr<const BITS: i32>(self, a: Self::I) -> Self::I {
        each(a, |a| a >> BITS)
    }
}
