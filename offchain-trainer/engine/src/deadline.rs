//! How long a job may take before its worker is given up.
//!
//! A deadline is a net for a worker that hangs, not a measure of a PC: it follows from the size of the job and from what
//! the slowest PC that could still be of use would need. Pure, so that nobody wonders why a job was stopped.

use std::time::Duration;

/// What a job asks of a PC.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct JobSize {
    /// Optimizer steps.
    pub steps: u64,
    /// Samples × parameters, over all steps and all measuring.
    pub work: u64,
    /// Bytes that go to the worker and come back.
    pub bytes: u64,
}

/// Samples × parameters per second of a slow PC. One core of 2021 does 4 billion (docs/benchmarks.md); this is a
/// 200th of it: an old core, emulated or left to the worker only when nobody else wants it.
pub const SLOW_WORK: u64 = 20_000_000;
/// Steps per second of a slow PC, however small the model.
pub const SLOW_STEPS: u64 = 100;
/// Bytes per second that a slow PC copies.
pub const SLOW_BYTES: u64 = 5_000_000;

/// The longest that a job of this size may take: what a slow PC needs, and never less than `floor`.
pub fn deadline(floor: Duration, size: &JobSize) -> Duration {
    let JobSize { steps, work, bytes } = *size;
    let seconds = [
        steps.div_ceil(SLOW_STEPS),
        work.div_ceil(SLOW_WORK),
        bytes.div_ceil(SLOW_BYTES),
    ];
    let seconds = seconds.into_iter().fold(0, u64::saturating_add);
    floor.max(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hydra_primitives::digits::digits_spec;

    const FLOOR: Duration = Duration::from_secs(600);

    #[test]
    fn a_small_job_gets_the_floor() {
        let spec = digits_spec();
        let size = JobSize {
            steps: spec.task.steps.into(),
            work: spec.work(),
            bytes: 1 << 21,
        };
        assert_eq!(deadline(FLOOR, &size), FLOOR);
        assert_eq!(deadline(Duration::ZERO, &JobSize::default()), Duration::ZERO);
    }

    #[test]
    fn a_large_job_gets_what_a_slow_pc_needs_for_it() {
        // 100 million parameters, 1,000 steps of 64 samples, 16 GB there and back.
        let size = JobSize {
            steps: 1000,
            work: 1000 * 64 * 100_000_000,
            bytes: 16_000_000_000,
        };
        assert_eq!(deadline(FLOOR, &size), Duration::from_secs(10 + 320_000 + 3_200));
    }

    #[test]
    fn each_part_of_the_size_counts_and_none_overflows() {
        let one = |steps, work, bytes| deadline(Duration::ZERO, &JobSize { steps, work, bytes });
        let second = Duration::from_secs(1);
        assert_eq!(
            [one(1, 0, 0), one(0, 1, 0), one(0, 0, 1)],
            [second, second, second]
        );
        assert_eq!(one(101, 0, 0), 2 * second);
        let most = one(u64::MAX, u64::MAX, u64::MAX);
        assert!(most > one(u64::MAX, 0, 0), "{most:?}");
    }
}
