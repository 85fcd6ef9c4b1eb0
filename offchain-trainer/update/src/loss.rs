//! The cross-entropy that witnesses and scores are made of, in bits that every machine computes alike.
//!
//! The logarithm and the exponential of a C library differ from version to version in the last bit, so both are written
//! down here with nothing but `+`, `−`, `×` and `/` in double precision, each rounded once. [`cross_entropy`] is natural, in
//! nats; sums run over samples in their order. Whatever is no finite number comes out as the one NaN [`NOT_FINITE`]. Must
//! never be written in another order of operations, or with a fused multiply-add: other bits, another witness.

/// The bits of a loss that is not a finite number: the quiet NaN.
pub const NOT_FINITE: u32 = 0x7fc0_0000;

/// ln 2 in two parts: the first has so few digits that its product with an exponent is exact.
const LN_2: [f64; 2] = [
    f64::from_bits(0x3fe6_2e42_fee0_0000),
    f64::from_bits(0x3dea_39ef_3579_3c76),
];

/// 1/n! for n from 13 down to 0.
const EXP: [f64; 14] = [
    1.0 / 6_227_020_800.0,
    1.0 / 479_001_600.0,
    1.0 / 39_916_800.0,
    1.0 / 3_628_800.0,
    1.0 / 362_880.0,
    1.0 / 40_320.0,
    1.0 / 5_040.0,
    1.0 / 720.0,
    1.0 / 120.0,
    1.0 / 24.0,
    1.0 / 6.0,
    1.0 / 2.0,
    1.0,
    1.0,
];

/// 1/(2n + 1) for n from 11 down to 0.
const LN: [f64; 12] = [
    1.0 / 23.0,
    1.0 / 21.0,
    1.0 / 19.0,
    1.0 / 17.0,
    1.0 / 15.0,
    1.0 / 13.0,
    1.0 / 11.0,
    1.0 / 9.0,
    1.0 / 7.0,
    1.0 / 5.0,
    1.0 / 3.0,
    1.0,
];

/// Below this eˣ has no normal number; it counts as 0.
const SMALLEST: f64 = -708.0;

fn horner(coefficients: &[f64], x: f64) -> f64 {
    coefficients.iter().fold(0.0, |sum, c| sum * x + c)
}

/// eˣ for x from −∞ to 0: `2ᵏ·eʳ` with k = x·log₂e rounded to the nearest (halves away from 0) and r = x − k·ln 2, eʳ by
/// Taylor's first 14 terms.
fn exp(x: f64) -> f64 {
    if x < SMALLEST {
        return 0.0;
    }
    let k = (x * std::f64::consts::LOG2_E).round();
    let r = x - k * LN_2[0] - k * LN_2[1];
    // −1022 ≤ k ≤ 0: a normal number.
    let scale = f64::from_bits(((1023 + k as i64) as u64) << 52);
    horner(&EXP, r) * scale
}

/// ln x for a finite x of at least 1: x = m·2ᵉ with m in [√½, √2), ln m = 2·artanh s with s = (m − 1)/(m + 1), by its series'
/// first 12 terms.
fn ln(x: f64) -> f64 {
    const MANTISSA: u64 = (1 << 52) - 1;
    const ONE: u64 = 1023 << 52;
    let bits = x.to_bits();
    let mut e = (bits >> 52) as i64 - 1023;
    let mut m = f64::from_bits((bits & MANTISSA) | ONE);
    if m >= std::f64::consts::SQRT_2 {
        m *= 0.5;
        e += 1;
    }
    let s = (m - 1.0) / (m + 1.0);
    let e = e as f64;
    e * LN_2[0] + (2.0 * s * horner(&LN, s * s) + e * LN_2[1])
}

/// `ln Σ exp(l) − l[label]` of one sample's logits, the largest taken out first so that nothing overflows; NaN if a logit is no
/// finite number, or there is no such label.
pub fn cross_entropy(logits: &[f32], label: u8) -> f64 {
    let Some(own) = logits.get(usize::from(label)) else {
        return f64::NAN;
    };
    if !logits.iter().all(|l| l.is_finite()) {
        return f64::NAN;
    }
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let largest = f64::from(largest);
    let sum = logits
        .iter()
        .fold(0.0, |sum, l| sum + exp(f64::from(*l) - largest));
    ln(sum) + (largest - f64::from(*own))
}

/// The sum of the samples' cross-entropies; `classes` logits to each, as many samples as labels.
pub fn sum(logits: &[f32], classes: usize, labels: &[u8]) -> f64 {
    let samples = logits.chunks(classes.max(1)).zip(labels);
    samples.fold(0.0, |sum, (logits, label)| sum + cross_entropy(logits, *label))
}

/// The bits of a batch's loss: the mean, rounded once to single precision.
pub fn mean_bits(sum: f64, samples: u32) -> u32 {
    let mean = (sum / f64::from(samples)) as f32;
    if mean.is_finite() {
        mean.to_bits()
    } else {
        NOT_FINITE
    }
}

/// A mean in millionths of a nat: × 10⁶, rounded to the nearest (halves away from 0), at most `u32::MAX`. `None` if it is no
/// finite number.
pub fn millionths(sum: f64, samples: u32) -> Option<u32> {
    let mean = sum / f64::from(samples);
    // Never negative, and a number that is too large becomes the largest.
    mean.is_finite().then(|| (mean * 1e6).round() as u32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Units in the last place between two numbers of the same sign.
    fn apart(a: f64, b: f64) -> u64 {
        a.to_bits().abs_diff(b.to_bits())
    }

    proptest! {
        #[test]
        fn the_exponential_and_the_logarithm_are_right_but_for_the_last_bits(x in -708.0f64..=0.0, y in 1.0f64..1e6) {
            prop_assert!(apart(exp(x), x.exp()) <= 4, "{} {}", exp(x), x.exp());
            prop_assert!(apart(ln(y), y.ln()) <= 4 || (ln(y) - y.ln()).abs() < 1e-16, "{} {}", ln(y), y.ln());
        }

        #[test]
        fn a_loss_is_finite_exactly_where_all_logits_are(bits in prop::collection::vec(any::<u32>(), 1..20), label in 0u8..20) {
            let logits: Vec<f32> = bits.into_iter().map(f32::from_bits).collect();
            let loss = cross_entropy(&logits, label);
            let finite = usize::from(label) < logits.len() && logits.iter().all(|l| l.is_finite());
            prop_assert_eq!(loss.is_finite(), finite);
            prop_assert!(loss.is_nan() || loss >= 0.0);
        }
    }

    #[test]
    fn even_odds_cost_the_logarithm_of_their_number() {
        let expected = 10f64.ln();
        assert!((cross_entropy(&[0.5; 10], 3) - expected).abs() < 1e-15);
        assert!((sum(&[1.0; 20], 10, &[0, 9]) - 2.0 * expected).abs() < 1e-15);
        assert_eq!(cross_entropy(&[7.0], 0), 0.0);
        assert_eq!(cross_entropy(&[f32::MAX, -f32::MAX], 0), 0.0);
        assert_eq!(
            cross_entropy(&[f32::MAX, -f32::MAX], 1),
            2.0 * f64::from(f32::MAX)
        );
    }

    #[test]
    fn what_is_no_number_has_one_form() {
        for bad in [f32::NAN, -f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let loss = sum(&[bad, 1.0], 2, &[1]);
            assert_eq!((mean_bits(loss, 1), millionths(loss, 1)), (NOT_FINITE, None));
        }
        // Finite, and too large for single precision.
        let huge = cross_entropy(&[f32::MAX, -f32::MAX], 1);
        assert_eq!(
            (mean_bits(huge, 1), millionths(huge, 1)),
            (NOT_FINITE, Some(u32::MAX))
        );
    }

    #[test]
    fn means_are_rounded_to_the_nearest() {
        assert_eq!(millionths(3.0, 2), Some(1_500_000));
        assert_eq!(millionths(0.000_002_5, 1), Some(3));
        assert_eq!(millionths(0.000_002_4, 1), Some(2));
        assert_eq!(mean_bits(3.0, 2), 1.5f32.to_bits());
    }

    /// Catches any change of bits.
    #[test]
    fn the_bits_are_pinned() {
        let logits = [0.25f32, -1.5, 3.75, 0.1, -0.7];
        let bits: Vec<u64> = (0..5u8)
            .map(|label| cross_entropy(&logits, label).to_bits())
            .collect();
        assert_eq!(bits, PINNED);
        assert_eq!(
            [exp(-0.3), exp(-20.7), ln(1.7), ln(9.3)].map(f64::to_bits),
            FUNCTIONS
        );
    }

    const PINNED: [u64; 5] = [
        0x400c_9084_84c4_11f7,
        0x4015_4842_4262_08fc,
        0x3fb2_1090_9882_3ee5,
        0x400d_c3b7_b7c4_11f7,
        0x4012_150f_0e62_08fc,
    ];
    const FUNCTIONS: [u64; 4] = [
        0x3fe7_b4c8_69c3_7c05,
        0x3e11_9592_0309_b9da,
        0x3fe0_fae8_1914_a991,
        0x4001_d711_ca32_57ca,
    ];
}
