//! "Functions" of the page, and its constants.

use crate::lanes::fma;

/// Constants as the page gives them.
const fn constants<const N: usize>(bits: [u32; N]) -> [f32; N] {
    let mut values = [0.0; N];
    let mut i = 0;
    while i < N {
        values[i] = f32::from_bits(bits[i]);
        i += 1;
    }
    values
}

/// 1.5 × 2²³: adding it and taking it away again rounds to a whole number.
pub(crate) const ROUND: f32 = 12_582_912.0;
/// log₂ e
pub(crate) const LOG2_E: f32 = f32::from_bits(0x3fb8_aa3b);
/// ln 2, its first bits: a multiple of 2⁻¹⁵, so that whole numbers up to 2⁹ times it are exact.
pub(crate) const LN_2_HIGH: f32 = f32::from_bits(0x3f31_7200);
/// ln 2, the rest.
pub(crate) const LN_2_LOW: f32 = f32::from_bits(0x35bf_be8e);
/// (eʳ − 1 − r) ÷ r², |r| ≤ ½ ln 2, from the constant on.
pub(crate) const E: [f32; 5] = constants([0x3eff_fffe, 0x3e2a_aa49, 0x3d2a_ac56, 0x3c09_1cbe, 0x3ab5_288d]);
/// (ln(1 + f) − f + ½ f²) ÷ f³, √½ ≤ 1 + f < √2, from the constant on.
pub(crate) const LN: [f32; 8] = constants([
    0x3eaa_aaaa,
    0xbe80_0113,
    0x3e4c_d00e,
    0xbe2a_3945,
    0x3e11_6c97,
    0xbe06_c121,
    0x3e02_af63,
    0xbd9c_64ef,
]);
/// √½
pub(crate) const ROOT_HALF: f32 = f32::from_bits(0x3f35_04f3);

/// (tanh(a) − a) ÷ a³ by a², 0 ≤ a < 0.625, from the constant on.
pub(crate) const TANH: [f32; 5] =
    constants([0xbeaa_aa99, 0x3e08_837b, 0xbd5c_1ad2, 0x3ca8_fc67, 0xbbba_8671]);
/// Where [`TANH`] ends.
pub(crate) const TANH_BOUND: f32 = 0.625;
/// (2⁻ʳ − 1) ÷ r, |r| ≤ ½, from the constant on.
pub(crate) const TWO: [f32; 6] = constants([
    0xbf31_7218,
    0x3e75_fdee,
    0xbd63_57be,
    0x3c1d_96f0,
    0xbaaf_841c,
    0x3920_b5c0,
]);
/// 2 √(2/π) × log₂ e, the first 22 bits and the rest.
pub(crate) const GELU_1: [f32; 2] = constants([0x4013_5760, 0x3486_f39d]);
/// That × 0.044715, the first bits and the rest.
pub(crate) const GELU_3: [f32; 2] = constants([0x3dd2_d3e8, 0xb10a_8d57]);
/// 2 √(2/π), and 3 × 0.044715 times it.
pub(crate) const GELU_SLOPE: [f32; 2] = constants([0x3fcc_422a, 0x3e5b_33b6]);
/// Beyond, gelu is x or 0.
pub(crate) const GELU_BOUND: f32 = 11.25;

/// c₀ + c₁ x + c₂ x² …, the last first.
fn polynomial(c: &[f32], x: f32) -> f32 {
    let mut p = c[c.len() - 1];
    for i in (0..c.len() - 1).rev() {
        p = fma(p, x, c[i]);
    }
    p
}

/// 2ⁿ, −126 ≤ n ≤ 127.
fn power_of_two(n: i32) -> f32 {
    f32::from_bits(((n + 127) as u32) << 23)
}

/// The whole number next to x × y, if that is below 2²².
fn round(x: f32, y: f32) -> f32 {
    fma(x, y, ROUND) - ROUND
}

/// x − n × ln 2
fn without_powers_of_two(x: f32, n: f32) -> f32 {
    fma(n, -LN_2_LOW, fma(n, -LN_2_HIGH, x))
}

/// eʳ
fn exp_polynomial(r: f32) -> f32 {
    fma(fma(polynomial(&E, r), r, 1.0), r, 1.0)
}

/// eˣ
pub fn exp(x: f32) -> f32 {
    if x.is_nan() {
        return x;
    }
    let x = if -104.0 > x { -104.0 } else { x };
    let x = if 89.0 < x { 89.0 } else { x };
    let n = round(x, LOG2_E);
    let p = exp_polynomial(without_powers_of_two(x, n));
    let n = n as i32;
    let half = n >> 1;
    (p * power_of_two(half)) * power_of_two(n - half)
}

/// ln x
pub fn log(x: f32) -> f32 {
    if x.is_nan() || x == f32::INFINITY {
        return x;
    }
    if x < 0.0 {
        return f32::NAN;
    }
    if x == 0.0 {
        return f32::NEG_INFINITY;
    }
    let (x, less) = if f32::MIN_POSITIVE > x {
        (x * 8_388_608.0, 23)
    } else {
        (x, 0)
    };
    let i = x.to_bits() as i32 - ROOT_HALF.to_bits() as i32;
    let n = ((i >> 23) - less) as f32;
    let f = f32::from_bits(((i & 0x007f_ffff) + ROOT_HALF.to_bits() as i32) as u32) - 1.0;
    let s = f * f;
    let y = polynomial(&LN, f) * (s * f);
    let y = fma(n, LN_2_LOW, y);
    let y = fma(s, -0.5, y);
    let b = n * LN_2_HIGH;
    let h = b + f;
    let l = (b - h) + f;
    h + (l + y)
}

/// tanh x
pub fn tanh(x: f32) -> f32 {
    if x.is_nan() {
        return x;
    }
    let a = x.abs();
    if TANH_BOUND > a {
        let s = a * a;
        return fma(polynomial(&TANH, s), s * a, a).copysign(x);
    }
    let b = if 10.0 < a { 10.0 } else { a };
    let y = b + b;
    let n = round(y, LOG2_E);
    let p = exp_polynomial(without_powers_of_two(y, n));
    (1.0 - 2.0 / fma(p, power_of_two(n as i32), 1.0)).copysign(x)
}

/// 1 ÷ (1 + e⁻ˣ)
pub fn sigmoid(x: f32) -> f32 {
    let e = exp(-x.abs());
    let q = e / (1.0 + e);
    if 0.0 > x { fma(e, -q, e) } else { fma(1.0, -q, 1.0) }
}

/// What gelu and its derivative are made of, for b = |x| that isn't too large.
struct Gelu {
    /// b²
    square: f32,
    /// e⁻ᵘ is (1 + q) × 2ʰ × 2ʲ.
    q: f32,
    h: i32,
    j: i32,
    /// 2ʰ × 2ʲ, rounded.
    s: f32,
    /// 1 + e⁻ᵘ
    d: f32,
}

fn gelu_parts(b: f32) -> Gelu {
    // u ÷ ln 2 = b × (w + v)
    let square = b * b;
    let less = fma(-b, b, square);
    let w = fma(GELU_3[0], square, GELU_1[0]);
    let lost = fma(GELU_3[0], square, GELU_1[0] - w);
    let v = lost + fma(-GELU_3[0], less, fma(GELU_3[1], square, GELU_1[1]));
    // −u ÷ ln 2 = n − r
    let n = round(-b, w);
    let r = fma(b, v, fma(b, w, n));
    let q = polynomial(&TWO, r) * r;
    let n = n as i32;
    let (h, j) = (n >> 1, n - (n >> 1));
    let s = power_of_two(h) * power_of_two(j);
    let d = fma(s, q, s + 1.0);
    Gelu {
        square,
        q,
        h,
        j,
        s,
        d,
    }
}

/// x ÷ (1 + e⁻ᵘ), u = 2 √(2/π) × (x + 0.044715 x³)
pub fn gelu(x: f32) -> f32 {
    if x.is_nan() || x > GELU_BOUND {
        return x;
    }
    let b = if GELU_BOUND < x.abs() { GELU_BOUND } else { x.abs() };
    let Gelu { q, h, j, s, d, .. } = gelu_parts(b);
    let d_lost = fma(s, q, s - (d - 1.0));
    let f = -1.0 / d;
    // t is b, or b × (1 + q) where x < 0; y = −t ÷ d, corrected by what was lost.
    let q = if 0.0 > x { q } else { 0.0 };
    let t = fma(b, q, b);
    let t_lost = fma(b, q, b - t);
    let y = t * f;
    let lost = fma(y, d_lost, fma(y, d, t) + t_lost);
    let y = fma(lost, f, y);
    if 0.0 > x {
        (y * power_of_two(h)) * power_of_two(j)
    } else {
        -y
    }
}

/// The derivative of [`gelu`].
pub fn gelu_derivative(x: f32) -> f32 {
    if x.is_nan() {
        return x;
    }
    let b = if GELU_BOUND < x.abs() { GELU_BOUND } else { x.abs() };
    let Gelu {
        square, q, h, j, d, ..
    } = gelu_parts(b);
    let f = 1.0 / d;
    let z = -b * fma(GELU_SLOPE[1], square, GELU_SLOPE[0]);
    let k = f * fma(z, f, 1.0);
    let m = (fma(k, q, k) * power_of_two(h)) * power_of_two(j);
    if 0.0 > x { m } else { 1.0 - m }
}
