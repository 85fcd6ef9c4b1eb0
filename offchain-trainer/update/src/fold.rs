//! How accepted updates become the next weights.
//!
//! Every node computes this for itself and must get the same bits, so: updates in the order given (that of
//! their places), one value at a time, double precision with one rounding to single precision at the end, and plain `*`, `+`
//! and `/` only. Rust never contracts those into fused multiply-adds. Must never use threads, LibTorch or libm.

use hydra_primitives::{
    Permill,
    model::{Aggregator, ModelSpec},
};

use crate::{GlobalState, Update, Weights, global::has_outer_momentum};

/// An identity's weight in a mean is at most this many times the round's median number of samples.
pub const WEIGHT_CAP: u32 = 2;

/// Why updates can't be folded.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum FoldError {
    /// The base weights or their momentum don't belong to the spec.
    #[error("the base state does not belong to this model: fetch the version named on chain")]
    WrongBase,
    /// An update was decoded for another model.
    #[error("update number {index} (from 0, in the order of places) was decoded for another model")]
    WrongUpdate {
        /// Which one.
        index: usize,
    },
}

/// The state after folding `updates` into `base`, by the spec's aggregator. Each update comes with the number of samples
/// of the shard it was trained on. The order of `updates` is part of the result: that of their places.
///
/// * `Mix`: `w ← (1 − rate)·w + rate·mean(w + Δᵢ)`, every identity counted once.
/// * `WeightedMean`: `Δ = Σ nᵢ·Δᵢ / Σ nᵢ` with nᵢ the samples, at most [`WEIGHT_CAP`] × the round's (lower) median and at
///   least 1; then `m ← μ·m + Δ; w ← w + η·(Δ + μ·m)` with the new m (Sutskever et al. 2013; DiLoCo, Douillard et al.
///   2023). The m that is kept is rounded to single precision before it is used.
///
/// Values that overflow single precision become its largest number, so the result is always finite. No updates: `base`.
pub fn fold(
    spec: &ModelSpec,
    base: &GlobalState,
    updates: &[(Update, u32)],
) -> Result<GlobalState, FoldError> {
    let fits = |w: &Weights| w.fits(&spec.architecture);
    if !fits(&base.weights)
        || base.outer_momentum.is_some() != has_outer_momentum(spec)
        || !base.outer_momentum.iter().all(fits)
    {
        return Err(FoldError::WrongBase);
    }
    if let Some(index) = updates.iter().position(|(update, _)| !fits(update.values())) {
        return Err(FoldError::WrongUpdate { index });
    }
    if updates.is_empty() {
        return Ok(base.clone());
    }
    let deltas: Vec<&[f32]> = updates
        .iter()
        .map(|(update, _)| update.values().as_slice())
        .collect();
    Ok(match &spec.aggregator {
        Aggregator::Mix { rate } => mix(base, &deltas, *rate),
        Aggregator::WeightedMean {
            outer_learning_rate,
            outer_momentum,
        } => {
            let samples: Vec<u32> = updates.iter().map(|(_, samples)| *samples).collect();
            weighted_mean(
                base,
                &deltas,
                &capped(&samples),
                fraction(*outer_learning_rate),
                fraction(*outer_momentum),
            )
        }
    })
}

fn fraction(share: Permill) -> f64 {
    f64::from(share.deconstruct()) / 1_000_000.0
}

/// To single precision, once; never infinite. (A NaN can't come in: the inputs are finite and small for an f64.)
fn narrow(value: f64) -> f32 {
    value.clamp(f64::from(-f32::MAX), f64::from(f32::MAX)) as f32
}

/// Samples as weights of the mean: see [`WEIGHT_CAP`].
fn capped(samples: &[u32]) -> Vec<f64> {
    let mut sorted = samples.to_vec();
    sorted.sort_unstable();
    let median = sorted
        .get(sorted.len().saturating_sub(1) / 2)
        .copied()
        .unwrap_or(1);
    let cap = median.max(1).saturating_mul(WEIGHT_CAP);
    samples.iter().map(|n| f64::from((*n).clamp(1, cap))).collect()
}

fn mix(base: &GlobalState, deltas: &[&[f32]], rate: Permill) -> GlobalState {
    let (new, old) = (
        fraction(rate),
        fraction(Permill::from_parts(1_000_000 - rate.deconstruct())),
    );
    let count = deltas.len() as f64;
    let fold_one = |(i, w): (usize, &f32)| {
        let sum = deltas.iter().filter_map(|d| d.get(i)).fold(0.0f64, |sum, d| {
            sum + f64::from(narrow(f64::from(*w) + f64::from(*d)))
        });
        narrow(old * f64::from(*w) + new * (sum / count))
    };
    let weights = Weights::new(base.weights.as_slice().iter().enumerate().map(fold_one).collect());
    GlobalState {
        weights,
        outer_momentum: None,
    }
}

fn weighted_mean(
    base: &GlobalState,
    deltas: &[&[f32]],
    samples: &[f64],
    rate: f64,
    momentum: f64,
) -> GlobalState {
    let total = samples.iter().fold(0.0f64, |sum, n| sum + n);
    let mean = |i: usize| {
        let terms = deltas
            .iter()
            .zip(samples)
            .filter_map(|(d, n)| Some((d.get(i)?, n)));
        terms.fold(0.0f64, |sum, (d, n)| sum + n * f64::from(*d)) / total
    };
    let outer_momentum = base.outer_momentum.as_ref().map(|kept| {
        Weights::new(
            kept.as_slice()
                .iter()
                .enumerate()
                .map(|(i, m)| narrow(momentum * f64::from(*m) + mean(i)))
                .collect(),
        )
    });
    let push = |i: usize| {
        let m = outer_momentum
            .as_ref()
            .and_then(|m| m.as_slice().get(i))
            .copied()
            .unwrap_or(0.0);
        momentum * f64::from(m)
    };
    let weights = base.weights.as_slice().iter().enumerate();
    let weights = Weights::new(
        weights
            .map(|(i, w)| narrow(f64::from(*w) + rate * (mean(i) + push(i))))
            .collect(),
    );
    GlobalState {
        weights,
        outer_momentum,
    }
}

#[cfg(test)]
#[path = "fold_tests.rs"]
mod tests;
