//! How a gradient changes weights: SGD, with momentum or without, and AdamW. `docs/arithmetic.md`, *Optimizers*.
//!
//! Value by value, so a model's tensors may be given one by one or as one slice.

use crate::{
    Cpu,
    lanes::{Kernel, LANES, Lanes},
    pieces::{rows_at_once, spread_each},
};

/// `w ← fma(−η, g, w)`: a step of `weights` against `gradient`, both `[n]`.
///
/// # Panics
/// If their lengths differ.
pub fn sgd(cpu: &Cpu, rate: f32, gradient: &[f32], weights: &mut [f32]) {
    struct Sgd<'a>(f32, &'a [f32], &'a mut [f32]);
    impl Kernel for Sgd<'_> {
        type Output = ();
        #[inline(always)]
        fn run<L: Lanes>(self, l: L) {
            let Self(rate, gradient, weights) = self;
            let minus_rate = l.splat(-rate);
            let (g, g_rest) = gradient.as_chunks::<LANES>();
            let (w, w_rest) = weights.as_chunks_mut::<LANES>();
            for (g, w) in g.iter().zip(w) {
                l.store(l.fma(minus_rate, l.load(g), l.load(w)), w);
            }
            if !w_rest.is_empty() {
                let w = l.fma(minus_rate, l.load_some(g_rest, 0.0), l.load_some(w_rest, 0.0));
                l.store_some(w, w_rest);
            }
        }
    }
    assert_eq!(gradient.len(), weights.len(), "a gradient for each weight");
    let length = rows_at_once(cpu, weights.len(), 1);
    cpu.spread_pieces(weights, length, |i, weights| {
        let gradient = &gradient[i * length..][..weights.len()];
        cpu.run(Sgd(rate, gradient, weights));
    });
}

/// `m ← fma(μ, m, g)`; `w ← fma(−η, m, w)`: a step of `weights`, with `velocity` as m, which is zeros before the first; all `[n]`.
///
/// # Panics
/// If their lengths differ.
pub fn sgd_with_momentum(
    cpu: &Cpu,
    rate: f32,
    momentum: f32,
    gradient: &[f32],
    velocity: &mut [f32],
    weights: &mut [f32],
) {
    struct Momentum<'a>(f32, f32, &'a [f32], &'a mut [f32], &'a mut [f32]);
    impl Kernel for Momentum<'_> {
        type Output = ();
        #[inline(always)]
        fn run<L: Lanes>(self, l: L) {
            let Self(rate, momentum, gradient, velocity, weights) = self;
            let (minus_rate, momentum) = (l.splat(-rate), l.splat(momentum));
            let (g, g_rest) = gradient.as_chunks::<LANES>();
            let (m, m_rest) = velocity.as_chunks_mut::<LANES>();
            let (w, w_rest) = weights.as_chunks_mut::<LANES>();
            for ((g, m), w) in g.iter().zip(m).zip(w) {
                let new = l.fma(momentum, l.load(m), l.load(g));
                l.store(new, m);
                l.store(l.fma(minus_rate, new, l.load(w)), w);
            }
            if !w_rest.is_empty() {
                let new = l.fma(momentum, l.load_some(m_rest, 0.0), l.load_some(g_rest, 0.0));
                l.store_some(new, m_rest);
                l.store_some(l.fma(minus_rate, new, l.load_some(w_rest, 0.0)), w_rest);
            }
        }
    }
    assert!(
        gradient.len() == weights.len() && velocity.len() == weights.len(),
        "a gradient and a velocity for each weight"
    );
    let length = rows_at_once(cpu, weights.len(), 1);
    let pieces = gradient
        .chunks(length)
        .zip(velocity.chunks_mut(length))
        .zip(weights.chunks_mut(length));
    spread_each(cpu, pieces, |((gradient, velocity), weights)| {
        cpu.run(Momentum(rate, momentum, gradient, velocity, weights));
    });
}

/// What AdamW is told (Loshchilov and Hutter 2019).
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct AdamW {
    /// The learning rate η.
    pub rate: f64,
    /// β₁, of the mean of gradients.
    pub beta1: f64,
    /// β₂, of the mean of their squares.
    pub beta2: f64,
    /// ε, which is added to the root of the mean of squares.
    pub epsilon: f64,
    /// λ, times η the share of itself that a weight loses in each step.
    pub decay: f64,
}

/// Counts AdamW's steps.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct AdamWSteps {
    /// What it is told; the learning rate may change between steps.
    pub settings: AdamW,
    /// β₁ᵗ and β₂ᵗ.
    powers: [f64; 2],
}

impl AdamWSteps {
    /// Before the first step.
    pub fn new(settings: AdamW) -> Self {
        Self {
            settings,
            powers: [1.0; 2],
        }
    }

    /// The next step. Each of the model's tensors takes it once.
    pub fn next_step(&mut self) -> AdamWStep {
        let AdamW {
            rate,
            beta1,
            beta2,
            epsilon,
            decay,
        } = self.settings;
        self.powers[0] *= beta1;
        self.powers[1] *= beta2;
        AdamWStep {
            beta1: beta1 as f32,
            beta2: beta2 as f32,
            rest1: (1.0 - beta1) as f32,
            rest2: (1.0 - beta2) as f32,
            rate: (rate / (1.0 - self.powers[0])) as f32,
            // An instruction of IEEE 754, not a library's function.
            scale: (1.0 / (1.0 - self.powers[1]).sqrt()) as f32,
            epsilon: epsilon as f32,
            keep: (1.0 - rate * decay) as f32,
        }
    }
}

/// The constants of one step of AdamW.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct AdamWStep {
    beta1: f32,
    beta2: f32,
    /// u₁ and u₂.
    rest1: f32,
    rest2: f32,
    /// a
    rate: f32,
    /// c
    scale: f32,
    epsilon: f32,
    /// k
    keep: f32,
}

impl AdamWStep {
    /// Takes the step with `weights` against `gradient`. `mean` and `square` are m and v, zeros before the first step; all `[n]`.
    ///
    /// # Panics
    /// If their lengths differ.
    pub fn take(
        &self,
        cpu: &Cpu,
        gradient: &[f32],
        mean: &mut [f32],
        square: &mut [f32],
        weights: &mut [f32],
    ) {
        let n = weights.len();
        assert!(
            gradient.len() == n && mean.len() == n && square.len() == n,
            "a gradient and two means for each weight"
        );
        let length = rows_at_once(cpu, n, 1);
        let means = mean.chunks_mut(length).zip(square.chunks_mut(length));
        let pieces = gradient.chunks(length).zip(means).zip(weights.chunks_mut(length));
        spread_each(cpu, pieces, |((gradient, (mean, square)), weights)| {
            cpu.run(Adam(*self, gradient, mean, square, weights));
        });
    }
}

/// The constants in all lanes.
struct Constants<L: Lanes> {
    beta1: L::V,
    beta2: L::V,
    rest1: L::V,
    rest2: L::V,
    minus_rate: L::V,
    scale: L::V,
    epsilon: L::V,
    keep: L::V,
}

impl<L: Lanes> Constants<L> {
    #[inline(always)]
    fn new(l: L, step: &AdamWStep) -> Self {
        Self {
            beta1: l.splat(step.beta1),
            beta2: l.splat(step.beta2),
            rest1: l.splat(step.rest1),
            rest2: l.splat(step.rest2),
            minus_rate: l.splat(-step.rate),
            scale: l.splat(step.scale),
            epsilon: l.splat(step.epsilon),
            keep: l.splat(step.keep),
        }
    }

    /// The new m, v and w.
    #[inline(always)]
    fn step(&self, l: L, g: L::V, [m, v, w]: [L::V; 3]) -> [L::V; 3] {
        let m = l.fma(self.beta1, m, l.mul(self.rest1, g));
        let v = l.fma(self.beta2, v, l.mul(self.rest2, l.mul(g, g)));
        let q = l.fma(l.sqrt(v), self.scale, self.epsilon);
        let w = l.fma(self.minus_rate, l.div(m, q), l.mul(w, self.keep));
        [m, v, w]
    }
}

/// A step of values that lie together: gradient, m, v, weights.
struct Adam<'a>(AdamWStep, &'a [f32], &'a mut [f32], &'a mut [f32], &'a mut [f32]);

impl Kernel for Adam<'_> {
    type Output = ();
    #[inline(always)]
    fn run<L: Lanes>(self, l: L) {
        let Self(step, gradient, mean, square, weights) = self;
        let constants = Constants::new(l, &step);
        let (g, g_rest) = gradient.as_chunks::<LANES>();
        let (m, m_rest) = mean.as_chunks_mut::<LANES>();
        let (v, v_rest) = square.as_chunks_mut::<LANES>();
        let (w, w_rest) = weights.as_chunks_mut::<LANES>();
        for (((g, m), v), w) in g.iter().zip(m).zip(v).zip(w) {
            let [new_m, new_v, new_w] = constants.step(l, l.load(g), [l.load(m), l.load(v), l.load(w)]);
            l.store(new_m, m);
            l.store(new_v, v);
            l.store(new_w, w);
        }
        if !w_rest.is_empty() {
            let old = [
                l.load_some(m_rest, 0.0),
                l.load_some(v_rest, 0.0),
                l.load_some(w_rest, 0.0),
            ];
            let [new_m, new_v, new_w] = constants.step(l, l.load_some(g_rest, 0.0), old);
            l.store_some(new_m, m_rest);
            l.store_some(new_v, v_rest);
            l.store_some(new_w, w_rest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{reference, rows_testing::*};
    use proptest::prelude::*;

    /// Four arrays of one length, and settings that are a share each.
    fn case() -> impl Strategy<Value = ([Vec<f32>; 4], [f64; 5])> {
        columns().prop_flat_map(|n| {
            let arrays = [values(n), values(n), values(n), values(n)];
            let shares = prop::array::uniform5(prop_oneof![0f64..1.0, Just(0.0), Just(1e-3), Just(0.999)]);
            (arrays, shares)
        })
    }

    proptest! {
        #[test]
        fn sgd_is_the_references(([g, m, w, _], [rate, momentum, ..]) in case()) {
            let (rate, momentum) = (rate as f32, momentum as f32);
            let (mut w1, mut m2, mut w2) = (w.clone(), m.clone(), w.clone());
            reference::optimizer::sgd(rate, &g, &mut w1);
            reference::optimizer::sgd_with_momentum(rate, momentum, &g, &mut m2, &mut w2);
            for cpu in every_cpu() {
                let mut weights = w.clone();
                sgd(cpu, rate, &g, &mut weights);
                prop_assert_eq!(bits(&weights), bits(&w1), "{:?}", cpu);
                let (mut velocity, mut weights) = (m.clone(), w.clone());
                sgd_with_momentum(cpu, rate, momentum, &g, &mut velocity, &mut weights);
                prop_assert_eq!(bits(&velocity), bits(&m2), "{:?}", cpu);
                prop_assert_eq!(bits(&weights), bits(&w2), "{:?}", cpu);
            }
        }

        #[test]
        fn every_step_of_adam_w_is_the_references(([g, m, v, w], settings) in case(), steps in 1u64..6) {
            let v: Vec<f32> = v.into_iter().map(f32::abs).collect();
            let mut expected = [m.clone(), v.clone(), w.clone()];
            for step in 1..=steps {
                let [m, v, w] = &mut expected;
                reference::optimizer::adam_w(step, settings, &g, m, v, w);
            }
            let [rate, beta1, beta2, epsilon, decay] = settings;
            for cpu in every_cpu() {
                let mut found = [m.clone(), v.clone(), w.clone()];
                let mut count = AdamWSteps::new(AdamW { rate, beta1, beta2, epsilon, decay });
                for _ in 0..steps {
                    let [m, v, w] = &mut found;
                    count.next_step().take(cpu, &g, m, v, w);
                }
                for (found, expected) in found.iter().zip(&expected) {
                    prop_assert_eq!(bits(found), bits(expected), "{:?}", cpu);
                }
            }
        }
    }

    #[test]
    fn adam_w_finds_the_bottom_of_a_bowl() {
        let settings = AdamW {
            rate: 0.05,
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            decay: 0.0,
        };
        let (mut steps, cpu) = (AdamWSteps::new(settings), Cpu::default());
        let (mut w, mut m, mut v) = (vec![1.0f32, -2.0, 3.0], vec![0.0; 3], vec![0.0; 3]);
        for _ in 0..1000 {
            let gradient: Vec<f32> = w.iter().map(|w| 2.0 * (w - 0.5)).collect();
            steps.next_step().take(&cpu, &gradient, &mut m, &mut v, &mut w);
        }
        assert!(w.iter().all(|w| (w - 0.5).abs() < 1e-3), "{w:?}");
    }
}
