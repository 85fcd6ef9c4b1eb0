//! The order in which a task sees its shard's samples: fixed by the task's seed, so that nobody can pick an order that
//! suits them, and open to anyone.
//!
//! Must never depend on LibTorch, or on which steps were asked for before.

use hydra_primitives::H256;

const CONTEXT: &str = "hydraai 2026 sample order v1";

/// The batches of one task.
///
/// Samples pass epoch after epoch; a batch that reaches an epoch's end goes on with the next one, so every batch has
/// exactly `batch_size` samples. An epoch's order is a Fisher–Yates shuffle (Durstenfeld 1964) of `0..samples` from the
/// top down, driven by a stream of 32-bit little-endian integers: BLAKE3 in key-derivation mode of the task's seed and
/// the epoch (8 bytes, little-endian). A number in `0..n` is the first of the stream under the largest multiple of n
/// that 2³² holds, modulo n: no number is likelier than another.
#[derive(Clone, Debug)]
pub struct Batches {
    seed: H256,
    samples: u32,
    batch_size: u32,
    epoch: Option<(u64, Vec<u32>)>,
}

impl Batches {
    /// The batches of the task with this seed on a shard of `samples` samples; `None` if there are no samples.
    pub fn new(seed: H256, samples: u32, batch_size: u32) -> Option<Self> {
        (samples > 0).then_some(Self {
            seed,
            samples,
            batch_size,
            epoch: None,
        })
    }

    /// The samples of step `step` (from 0): `batch_size` indices in `0..samples`.
    pub fn step(&mut self, step: u32) -> Vec<u32> {
        let first = u64::from(step) * u64::from(self.batch_size);
        (first..first + u64::from(self.batch_size))
            .map(|position| self.at(position))
            .collect()
    }

    fn at(&mut self, position: u64) -> u32 {
        let samples = u64::from(self.samples);
        let (epoch, index) = (position / samples, (position % samples) as usize);
        let order = match self.epoch.take() {
            Some((have, order)) if have == epoch => order,
            _ => shuffled(&self.seed, epoch, self.samples),
        };
        let sample = order.get(index).copied().unwrap_or(0);
        self.epoch = Some((epoch, order));
        sample
    }
}

fn shuffled(seed: &H256, epoch: u64, samples: u32) -> Vec<u32> {
    let mut stream = blake3::Hasher::new_derive_key(CONTEXT)
        .update(seed.as_bytes())
        .update(&epoch.to_le_bytes())
        .finalize_xof();
    let mut order: Vec<u32> = (0..samples).collect();
    for last in (1..samples).rev() {
        order.swap(last as usize, below(&mut stream, last + 1) as usize);
    }
    order
}

/// A number in `0..bound`; `bound` must not be 0.
fn below(stream: &mut blake3::OutputReader, bound: u32) -> u32 {
    let limit = (1u64 << 32) / u64::from(bound) * u64::from(bound);
    loop {
        let mut bytes = [0u8; 4];
        stream.fill(&mut bytes);
        let drawn = u32::from_le_bytes(bytes);
        if u64::from(drawn) < limit {
            return drawn % bound;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn each_epoch_shows_every_sample_once(seed: [u8; 32], samples in 1u32..200, batch in 1u32..50) {
            let mut batches = Batches::new(H256(seed), samples, batch).unwrap();
            let all: Vec<u32> = (0..2 * samples.div_ceil(batch) + 1).flat_map(|s| batches.step(s)).collect();
            for epoch in all.chunks_exact(samples as usize) {
                let mut sorted = epoch.to_vec();
                sorted.sort_unstable();
                prop_assert_eq!(sorted, (0..samples).collect::<Vec<_>>());
            }
        }

        #[test]
        fn a_step_does_not_depend_on_the_steps_before(seed: [u8; 32], samples in 1u32..200, step in 0u32..100) {
            let mut walked = Batches::new(H256(seed), samples, 32).unwrap();
            let mut last = Vec::new();
            for s in 0..=step {
                last = walked.step(s);
            }
            prop_assert_eq!(last.len(), 32);
            prop_assert_eq!(Batches::new(H256(seed), samples, 32).unwrap().step(step), last);
        }
    }

    #[test]
    fn the_order_is_pinned() {
        let order = Batches::new(H256::repeat_byte(7), 10, 12).unwrap().step(0);
        assert_eq!(order, PINNED);
    }

    const PINNED: [u32; 12] = [8, 3, 0, 2, 7, 4, 1, 6, 5, 9, 3, 1];

    #[test]
    fn first_places_are_taken_evenly() {
        let mut counts = [0u32; 10];
        for epoch in 0..10_000 {
            counts[shuffled(&H256::zero(), epoch, 10)[0] as usize] += 1;
        }
        // 1,000 expected each, standard deviation 30.
        assert!(counts.iter().all(|n| n.abs_diff(1000) < 150), "{counts:?}");
    }

    #[test]
    fn an_empty_shard_has_no_batches() {
        assert!(Batches::new(H256::zero(), 0, 1).is_none());
    }
}
