//! How accepted updates become the next weights.
//!
//! Every node computes this for itself and must get the same bits, so: updates in the order given (that of
//! their places), in double precision with one rounding to single precision at the end, and plain `*`, `+`
//! and `/` only, as `docs/arithmetic.md` says; [`hydra_arithmetic::fold`] does it. Here is which updates fit, and what each counts.
//! Must never use LibTorch or libm.

use hydra_arithmetic::{
    Cpu,
    fold::{Rule, fold as fold_values},
};
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
    check_base(spec, base)?;
    let fits = |update: &Update| update.values().fits(&spec.architecture);
    if let Some(index) = updates.iter().position(|(update, _)| !fits(update)) {
        return Err(FoldError::WrongUpdate { index });
    }
    if updates.is_empty() {
        return Ok(base.clone());
    }
    let samples: Vec<u32> = updates.iter().map(|(_, samples)| *samples).collect();
    let weighted: Vec<(f64, &[f32])> = capped(&samples)
        .into_iter()
        .zip(updates)
        .map(|(weight, (update, _))| (weight, update.values().as_slice()))
        .collect();
    let base_values = base.weights.as_slice();
    let mut weights = vec![0.0; base_values.len()];
    let mut kept = base.outer_momentum.as_ref().map(|m| m.as_slice().to_vec());
    let cpu = Cpu::default();
    fold_values(
        &cpu,
        rule(spec),
        base_values,
        &weighted,
        kept.as_deref_mut(),
        &mut weights,
    );
    Ok(GlobalState {
        weights: Weights::new(weights),
        outer_momentum: kept.map(Weights::new),
    })
}

/// Whether weights and momentum are those of a version of this model.
pub(crate) fn check_base(spec: &ModelSpec, base: &GlobalState) -> Result<(), FoldError> {
    let fits = |w: &Weights| w.fits(&spec.architecture);
    let momentum = &base.outer_momentum;
    if !fits(&base.weights) || momentum.is_some() != has_outer_momentum(spec) || !momentum.iter().all(fits) {
        return Err(FoldError::WrongBase);
    }
    Ok(())
}

/// The spec's aggregator, for the arithmetic.
pub(crate) fn rule(spec: &ModelSpec) -> Rule {
    match &spec.aggregator {
        Aggregator::Mix { rate } => Rule::Mix {
            rate: fraction(*rate),
            rest: fraction(Permill::from_parts(1_000_000 - rate.deconstruct())),
        },
        Aggregator::WeightedMean {
            outer_learning_rate,
            outer_momentum,
        } => Rule::Mean {
            rate: fraction(*outer_learning_rate),
            momentum: fraction(*outer_momentum),
        },
    }
}

fn fraction(share: Permill) -> f64 {
    f64::from(share.deconstruct()) / 1_000_000.0
}

/// Samples as weights of the mean: see [`WEIGHT_CAP`].
pub(crate) fn capped(samples: &[u32]) -> Vec<f64> {
    let mut sorted = samples.to_vec();
    sorted.sort_unstable();
    let median = sorted
        .get(sorted.len().saturating_sub(1) / 2)
        .copied()
        .unwrap_or(1);
    let cap = median.max(1).saturating_mul(WEIGHT_CAP);
    samples.iter().map(|n| f64::from((*n).clamp(1, cap))).collect()
}

#[cfg(test)]
#[path = "fold_tests.rs"]
mod tests;
