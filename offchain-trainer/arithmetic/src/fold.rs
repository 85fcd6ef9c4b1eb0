//! What many machines' updates make of a model's weights, in double precision. `docs/arithmetic.md`, *Folding updates*.
//!
//! Updates come one after the other, each in as many pieces as it is read in, so whoever folds needs no two in memory: [`Folding`] has eight bytes
//! for each value. It may be made for a range of a model's weights only, and then for the next one, where updates can be read so. Where all are in
//! memory, [`fold`] goes through them block by block, which is fastest: the sums stay near.
//!
//! Who may take part, and with which weight, isn't decided here.

use crate::{
    Cpu,
    lanes::{Kernel, LANES, Lanes},
    pieces::{rows_at_once, spread_each},
};

/// How the mean of the updates is used.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Rule {
    /// `w ← rest·w + rate·mean(w + Δᵢ)`, every update counted once, whatever its weight.
    Mix {
        /// The share of the mean.
        rate: f64,
        /// The share of what was: 1 − rate, as the caller computes it.
        rest: f64,
    },
    /// `Δ = Σ nᵢ·Δᵢ ÷ Σ nᵢ`, with the weights n; `m ← momentum·m + Δ`; `w ← w + rate·(Δ + momentum·m)` with the new m. Where no m is
    /// kept, it is 0.
    Mean {
        /// The outer learning rate.
        rate: f64,
        /// The outer momentum.
        momentum: f64,
    },
}

/// So many values of a sum are near enough for all that is added to them: half of a first-level cache. A thread takes a block at a time; those of
/// tests are smaller.
const BLOCK: usize = if cfg!(test) { 3 * LANES } else { 2048 };

/// Updates on their way into weights.
pub struct Folding<'a> {
    rule: Rule,
    base: &'a [f32],
    sums: Vec<f64>,
    /// Σ nᵢ and how many there are.
    total: f64,
    count: usize,
    /// The last update's weight, and how much of it has come.
    weight: f64,
    at: usize,
}

impl<'a> Folding<'a> {
    /// No updates, for weights (or some of a model's weights) that are `base` now.
    pub fn new(rule: Rule, base: &'a [f32]) -> Self {
        Self {
            rule,
            base,
            sums: vec![0.0; base.len()],
            total: 0.0,
            count: 0,
            weight: 0.0,
            at: base.len(),
        }
    }

    /// Begins the next update. The order of updates is part of the result.
    ///
    /// # Panics
    /// If the one before isn't complete.
    pub fn next_update(&mut self, weight: f64) {
        self.check_complete();
        self.total += weight;
        self.count += 1;
        (self.weight, self.at) = (weight, 0);
    }

    /// The next values of the update that was begun last.
    ///
    /// # Panics
    /// If these are more than there are weights.
    pub fn add(&mut self, cpu: &Cpu, values: &[f32]) {
        let to = self
            .at
            .checked_add(values.len())
            .filter(|to| *to <= self.base.len());
        let Some(to) = to else {
            panic!("an update has more values than the {} weights", self.base.len());
        };
        let range = self.at..to;
        self.at = to;
        let (sums, base) = (&mut self.sums[range.clone()], &self.base[range]);
        let length = rows_at_once(cpu, values.len(), 1);
        let pieces = sums
            .chunks_mut(length)
            .zip(base.chunks(length))
            .zip(values.chunks(length));
        let (rule, weight) = (self.rule, self.weight);
        spread_each(cpu, pieces, |((sums, base), values)| {
            cpu.run(Add {
                rule,
                sums,
                base,
                updates: [(weight, values)],
            });
        });
    }

    /// Writes the new weights to `weights`, and to `kept` the new m, if m is kept. Without updates the weights are the base.
    ///
    /// # Panics
    /// If the last update isn't complete, lengths differ from the base's, or something is kept though the rule keeps nothing.
    pub fn finish(self, cpu: &Cpu, kept: Option<&mut [f32]>, weights: &mut [f32]) {
        self.check_complete();
        let n = self.base.len();
        assert_eq!(weights.len(), n, "a new weight for each");
        assert!(
            kept.as_ref().is_none_or(|kept| kept.len() == n),
            "what is kept has a value for each weight"
        );
        assert!(
            kept.is_none() || matches!(self.rule, Rule::Mean { .. }),
            "mixing keeps nothing"
        );
        if self.count == 0 {
            return weights.copy_from_slice(self.base);
        }
        let length = rows_at_once(cpu, n, 1);
        let (rule, total, count) = (self.rule, self.total, self.count as f64);
        let pieces = self
            .sums
            .chunks(length)
            .zip(self.base.chunks(length))
            .zip(weights.chunks_mut(length));
        match kept {
            Some(kept) => {
                spread_each(cpu, pieces.zip(kept.chunks_mut(length)), |(((s, b), w), kept)| {
                    cpu.run(Finish(rule, total, count, s, b, Some(kept), w));
                });
            }
            None => spread_each(cpu, pieces, |((s, b), w)| {
                cpu.run(Finish(rule, total, count, s, b, None, w));
            }),
        }
    }

    fn check_complete(&self) {
        assert_eq!(self.at, self.base.len(), "an update ends before its last value");
    }
}

/// Folds `updates`, each with its weight, into `base`: what [`Folding`] makes of them in this order, with all of them in memory. `weights`
/// are the new ones; `kept` is m, before and afterwards, if the rule keeps one.
///
/// # Panics
/// If lengths differ, or something is kept though the rule keeps nothing.
pub fn fold(
    cpu: &Cpu,
    rule: Rule,
    base: &[f32],
    updates: &[(f64, &[f32])],
    kept: Option<&mut [f32]>,
    weights: &mut [f32],
) {
    let n = base.len();
    assert!(
        updates.iter().all(|(_, update)| update.len() == n),
        "an update has a value for each weight"
    );
    assert_eq!(weights.len(), n, "a new weight for each");
    assert!(
        kept.as_ref().is_none_or(|kept| kept.len() == n),
        "what is kept has a value for each weight"
    );
    assert!(
        kept.is_none() || matches!(rule, Rule::Mean { .. }),
        "mixing keeps nothing"
    );
    if updates.is_empty() {
        return weights.copy_from_slice(base);
    }
    let (mut total, count) = (0.0, updates.len() as f64);
    updates.iter().for_each(|(weight, _)| total += weight);
    let block = |first: usize, kept: Option<&mut [f32]>, weights: &mut [f32]| {
        let range = first..first + weights.len();
        let (base, mut sums) = (&base[range.clone()], [0.0; BLOCK]);
        let sums = &mut sums[..weights.len()];
        let (fours, rest) = updates.as_chunks::<4>();
        for four in fours {
            cpu.run(Add {
                rule,
                sums,
                base,
                updates: four.map(|(weight, update)| (weight, &update[range.clone()])),
            });
        }
        for (weight, update) in rest {
            cpu.run(Add {
                rule,
                sums,
                base,
                updates: [(*weight, &update[range.clone()])],
            });
        }
        cpu.run(Finish(rule, total, count, sums, base, kept, weights));
    };
    let pieces = weights.chunks_mut(BLOCK).enumerate();
    match kept {
        Some(kept) => spread_each(cpu, pieces.zip(kept.chunks_mut(BLOCK)), |((i, weights), kept)| {
            block(i * BLOCK, Some(kept), weights);
        }),
        None => spread_each(cpu, pieces, |(i, weights)| block(i * BLOCK, None, weights)),
    }
}

/// To single precision, once; never infinite.
#[inline(always)]
fn narrow(value: f64) -> f32 {
    (value as f32).clamp(-f32::MAX, f32::MAX)
}

/// Adds the values of `N` updates, each with its weight, to the sums, one update after the other. Lanes are of single precision: of
/// what is double here the compiler makes vectors, which it may, since no value has to do with another.
struct Add<'a, const N: usize> {
    rule: Rule,
    sums: &'a mut [f64],
    base: &'a [f32],
    updates: [(f64, &'a [f32]); N],
}

impl<const N: usize> Kernel for Add<'_, N> {
    type Output = ();
    #[inline(always)]
    fn run<L: Lanes>(self, l: L) {
        match self.rule {
            Rule::Mix { .. } => self.mixed(l),
            Rule::Mean { .. } => self.weighted(l),
        }
    }
}

impl<const N: usize> Add<'_, N> {
    #[inline(always)]
    fn weighted<L: Lanes>(self, l: L) {
        let (sums, sums_rest) = self.sums.as_chunks_mut::<LANES>();
        let updates = self
            .updates
            .map(|(weight, values)| (weight, values.as_chunks::<LANES>()));
        for (i, to) in sums.iter_mut().enumerate() {
            let mut sum = *to;
            for (weight, (values, _)) in updates {
                // Through lanes, from where the compiler converts them together.
                let values = l.array(l.load(&values[i])).map(f64::from);
                let terms = values.map(|value| weight * value);
                for k in 0..LANES {
                    sum[k] += terms[k];
                }
            }
            *to = sum;
        }
        for (weight, (_, values)) in updates {
            for (sum, value) in sums_rest.iter_mut().zip(values) {
                *sum += weight * f64::from(*value);
            }
        }
    }

    #[inline(always)]
    fn mixed<L: Lanes>(self, l: L) {
        let (sums, sums_rest) = self.sums.as_chunks_mut::<LANES>();
        let (base, base_rest) = self.base.as_chunks::<LANES>();
        let updates = self.updates.map(|(_, values)| values.as_chunks::<LANES>());
        for (i, (to, base)) in sums.iter_mut().zip(base).enumerate() {
            let mut sum = *to;
            for (values, _) in updates {
                let moved = l.array(moved(l, l.load(base), l.load(&values[i])));
                for k in 0..LANES {
                    sum[k] += f64::from(moved[k]);
                }
            }
            *to = sum;
        }
        for (_, values) in updates {
            let moved = l.array(moved(l, l.load_some(base_rest, 0.0), l.load_some(values, 0.0)));
            for (sum, moved) in sums_rest.iter_mut().zip(moved) {
                *sum += f64::from(moved);
            }
        }
    }
}

/// w + Δ as [`narrow`] makes it of them: a sum that is rounded to double and then to single precision is what single precision makes of the two
/// at once, since double has more than twice the bits (Figueroa 1995).
#[inline(always)]
fn moved<L: Lanes>(l: L, w: L::V, update: L::V) -> L::V {
    // Both keep NaN, which is their second argument.
    let sum = l.larger(l.splat(-f32::MAX), l.add(w, update));
    l.smaller(l.splat(f32::MAX), sum)
}

/// The rule, Σ nᵢ, the number of updates, the sums, the base, what is kept, the new weights.
struct Finish<'a>(
    Rule,
    f64,
    f64,
    &'a [f64],
    &'a [f32],
    Option<&'a mut [f32]>,
    &'a mut [f32],
);

impl Kernel for Finish<'_> {
    type Output = ();
    #[inline(always)]
    fn run<L: Lanes>(self, _: L) {
        let Self(rule, total, count, sums, base, kept, weights) = self;
        let values = weights.iter_mut().zip(base).zip(sums);
        match (rule, kept) {
            (Rule::Mix { rate, rest }, _) => {
                for ((to, w), sum) in values {
                    *to = narrow(rest * f64::from(*w) + rate * (sum / count));
                }
            }
            (Rule::Mean { rate, momentum }, Some(kept)) => {
                for (((to, w), sum), m) in values.zip(kept) {
                    let mean = sum / total;
                    *m = narrow(momentum * f64::from(*m) + mean);
                    *to = narrow(f64::from(*w) + rate * (mean + momentum * f64::from(*m)));
                }
            }
            (Rule::Mean { rate, momentum }, None) => {
                for ((to, w), sum) in values {
                    *to = narrow(f64::from(*w) + rate * (sum / total + momentum * 0.0));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{reference, rows_testing::*};
    use proptest::prelude::*;

    /// An update with its weight.
    type Weighted = (f64, Vec<f32>);

    /// Up to five updates of up to a hundred blocks, their base, what is kept, and the rule.
    fn case() -> impl Strategy<Value = (Rule, Vec<f32>, Vec<f32>, Vec<Weighted>)> {
        let length = prop_oneof![4 => columns(), 1 => 2000usize..5000];
        (length, 0usize..6, 0f64..=1.0, 0f64..=1.0, any::<bool>()).prop_flat_map(
            |(n, count, rate, momentum, mix)| {
                let rule = if mix {
                    Rule::Mix {
                        rate,
                        rest: 1.0 - rate,
                    }
                } else {
                    Rule::Mean { rate, momentum }
                };
                let updates = prop::collection::vec(((1u32..2000).prop_map(f64::from), values(n)), count);
                (Just(rule), values(n), values(n), updates)
            },
        )
    }

    proptest! {
        #[test]
        fn updates_piece_by_piece_and_all_at_once_are_the_references((rule, base, kept, updates) in case(), piece in 1usize..3000) {
            let updates: Vec<(f64, &[f32])> = updates.iter().map(|(n, update)| (*n, update.as_slice())).collect();
            let mean = matches!(rule, Rule::Mean { .. });
            for keeps in [false, true] {
                if keeps && !mean {
                    continue;
                }
                let (mut weights, mut m) = (base.clone(), kept.clone());
                reference::fold::fold(rule, &updates, keeps.then_some(&mut m), &mut weights);
                for cpu in every_cpu() {
                    let (mut found, mut found_m) = (vec![7.0; base.len()], kept.clone());
                    fold(cpu, rule, &base, &updates, keeps.then_some(&mut found_m), &mut found);
                    prop_assert_eq!(bits(&found), bits(&weights), "{:?}", cpu);
                    prop_assert_eq!(bits(&found_m), bits(&m), "{:?}", cpu);
                    let (mut found, mut found_m) = (vec![7.0; base.len()], kept.clone());
                    let mut folding = Folding::new(rule, &base);
                    for (weight, update) in &updates {
                        folding.next_update(*weight);
                        for values in update.chunks(piece) {
                            folding.add(cpu, values);
                        }
                    }
                    folding.finish(cpu, keeps.then_some(&mut found_m), &mut found);
                    prop_assert_eq!(bits(&found), bits(&weights), "{:?}", cpu);
                    prop_assert_eq!(bits(&found_m), bits(&m), "{:?}", cpu);
                }
            }
        }
    }

    #[test]
    #[should_panic = "ends before its last value"]
    fn an_update_that_is_cut_short_is_refused() {
        let mut folding = Folding::new(
            Rule::Mean {
                rate: 1.0,
                momentum: 0.0,
            },
            &[1.0, 2.0],
        );
        folding.next_update(1.0);
        folding.add(&Cpu::default(), &[1.0]);
        folding.next_update(1.0);
    }

    #[test]
    #[should_panic = "more values than the 2 weights"]
    fn an_update_that_is_too_long_is_refused() {
        let mut folding = Folding::new(
            Rule::Mean {
                rate: 1.0,
                momentum: 0.0,
            },
            &[1.0, 2.0],
        );
        folding.next_update(1.0);
        folding.add(&Cpu::default(), &[1.0; 3]);
    }
}
