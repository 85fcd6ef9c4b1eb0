//! One opinion from several looks at the same thing.

/// How sharply the averaged probabilities are read: each is raised to this power, then they are scaled to add up to 1.
/// An average over readings that differ on purpose is less sure than it is right. Chosen on one draw of distorted digits,
/// measured on another: see `docs/benchmarks.md`.
pub const SHARPNESS: f64 = 1.3;

/// Probabilities from the logits of one sample; for people, not for consensus.
pub fn softmax(logits: &[f32]) -> Vec<f64> {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    normalised(logits.iter().map(|l| f64::from(l - largest).exp()).collect())
}

/// Probabilities from the logits of several readings of one thing, `classes` to each: their mean in the order given,
/// sharpened. Of a single reading it is its [`softmax`].
pub fn opinion(logits: &[f32], classes: usize) -> Vec<f64> {
    let readings: Vec<Vec<f64>> = logits.chunks_exact(classes.max(1)).map(softmax).collect();
    if let [only] = readings.as_slice() {
        return only.clone();
    }
    let mut mean = vec![0.0; classes];
    for reading in &readings {
        for (sum, probability) in mean.iter_mut().zip(reading) {
            *sum += probability / readings.len() as f64;
        }
    }
    normalised(mean.into_iter().map(|p| p.powf(SHARPNESS)).collect())
}

fn normalised(values: Vec<f64>) -> Vec<f64> {
    let sum: f64 = values.iter().sum();
    values.iter().map(|value| value / sum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_add_up_even_for_huge_logits() {
        let p = softmax(&[1000.0, 1000.0, -1000.0]);
        assert!(
            (p.iter().sum::<f64>() - 1.0).abs() < 1e-12 && (p[0] - 0.5).abs() < 1e-12,
            "{p:?}"
        );
    }

    #[test]
    fn one_reading_is_its_own_opinion() {
        let logits = [1.0, 2.0, -0.5];
        assert_eq!(opinion(&logits, 3), softmax(&logits));
    }

    #[test]
    fn readings_that_agree_are_sure_and_those_that_differ_are_not() {
        let sure = opinion(&[5.0, 0.0, 0.0, 6.0, 0.0, 0.0], 3);
        let torn = opinion(&[9.0, 0.0, 0.0, 0.0, 9.0, 0.0], 3);
        assert!(sure[0] > 0.98, "{sure:?}");
        assert!((torn[0] - torn[1]).abs() < 1e-9 && torn[0] < 0.501, "{torn:?}");
        for opinion in [sure, torn] {
            assert!((opinion.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        }
    }
}
