//! The loss in a version's score, made of the losses of its samples.
//!
//! Those are the arithmetic's (*Rows* in `docs/arithmetic.md`), in nats. Must never be added up in another order: another score.

/// The mean of losses, added up in double precision in the order in which they come.
#[derive(Clone, Copy, PartialEq, Default, Debug)]
pub struct MeanLoss {
    sum: f64,
    samples: u32,
}

impl MeanLoss {
    /// The losses of more samples.
    pub fn add(&mut self, losses: &[f32]) {
        self.sum = losses.iter().fold(self.sum, |sum, loss| sum + f64::from(*loss));
        // A file of samples has 32 bits for their number.
        let more = u32::try_from(losses.len()).unwrap_or(u32::MAX);
        self.samples = self.samples.saturating_add(more);
    }

    /// How many there are.
    pub fn samples(&self) -> u32 {
        self.samples
    }

    /// In millionths of a nat: × 10⁶, rounded to the nearest (halves away from 0), at most `u32::MAX`. `None` if it is no finite number, as
    /// where there are no samples.
    pub fn millionths(&self) -> Option<u32> {
        let mean = self.sum / f64::from(self.samples);
        // Never negative but for a last bit, and what is out of range becomes the nearest that isn't.
        mean.is_finite().then(|| (mean * 1e6).round() as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(parts: &[&[f32]]) -> MeanLoss {
        let mut mean = MeanLoss::default();
        parts.iter().for_each(|losses| mean.add(losses));
        mean
    }

    #[test]
    fn means_are_rounded_to_the_nearest() {
        assert_eq!(of(&[&[1.0, 2.0]]).millionths(), Some(1_500_000));
        assert_eq!(of(&[&[0.0, 0.000_005]]).millionths(), Some(2));
        assert_eq!(of(&[&[0.0, 0.000_005_1]]).millionths(), Some(3));
        assert_eq!(of(&[&[f32::MAX]]).millionths(), Some(u32::MAX));
        assert_eq!(of(&[&[-1e-9]]).millionths(), Some(0));
    }

    #[test]
    fn batches_change_nothing_and_every_sample_counts() {
        let losses: Vec<f32> = (0..700).map(|i| (i as f32).sin().abs()).collect();
        let whole = of(&[&losses]);
        assert_eq!(whole.samples(), 700);
        assert_eq!(of(&losses.chunks(256).collect::<Vec<_>>()), whole);
    }

    #[test]
    fn what_is_no_finite_number_has_no_score() {
        for bad in [f32::NAN, f32::INFINITY] {
            assert_eq!(of(&[&[1.0], &[bad], &[1.0]]).millionths(), None);
        }
        assert_eq!(of(&[]).millionths(), None);
    }
}
