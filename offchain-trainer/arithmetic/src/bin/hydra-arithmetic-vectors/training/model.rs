//! What the three models have in common: their weights in one array, and how a step changes it.

use hydra_arithmetic::optimizer::AdamW;

use crate::{draw::Draw, operations::Operations};

/// Some of the weights: how many, and what they are at first.
pub struct Parameter {
    /// How many values.
    pub count: usize,
    /// What they are at first.
    pub first: First,
}

/// What weights are before the first step.
pub enum First {
    /// Drawn, between −bound and bound.
    Drawn(f32),
    /// All the same.
    Same(f32),
}

/// Weights that are drawn.
pub const fn drawn(count: usize, bound: f32) -> Parameter {
    Parameter {
        count,
        first: First::Drawn(bound),
    }
}

/// Weights that are all the same.
pub const fn same(count: usize, value: f32) -> Parameter {
    Parameter {
        count,
        first: First::Same(value),
    }
}

/// How a model's weights follow its gradients.
pub enum Optimizer {
    /// Without momentum: its rate.
    Sgd(f32),
    /// Its rate and its momentum.
    Momentum(f32, f32),
    /// Step by step.
    AdamW(AdamW),
}

/// A small model and what it learns.
pub trait Model {
    /// What it is called.
    const NAME: &'static str;
    /// Where its numbers are drawn from: first its weights, then its samples.
    const SEED: u64;
    /// How it learns.
    const OPTIMIZER: Optimizer;

    /// Its weights, in the order in which they lie in memory and are drawn.
    fn parameters() -> Vec<Parameter>;

    /// What it learns, drawn.
    fn draw(draw: &mut Draw) -> Self;

    /// The loss of a step's batch, and the gradient of each of the parameters.
    fn gradients(&self, on: &dyn Operations, weights: &[&[f32]], step: usize) -> (f32, Vec<Vec<f32>>);
}

/// A model in training.
pub struct Training<M> {
    model: M,
    weights: Vec<f32>,
    /// Momentum, or AdamW's two means.
    moments: [Vec<f32>; 2],
    step: usize,
}

impl<M: Model> Training<M> {
    /// Before the first step.
    pub fn new() -> Self {
        let mut draw = Draw::new(M::SEED);
        let mut weights = Vec::new();
        for Parameter { count, first } in M::parameters() {
            weights.extend(match first {
                First::Drawn(bound) => draw.values(count, bound),
                First::Same(value) => vec![value; count],
            });
        }
        let zeros = vec![0.0; weights.len()];
        Self {
            model: M::draw(&mut draw),
            weights,
            moments: [zeros.clone(), zeros],
            step: 0,
        }
    }

    /// Takes a step; returns its loss, from before the weights change.
    pub fn step(&mut self, on: &dyn Operations) -> f32 {
        let mut rest = &self.weights[..];
        let weights: Vec<&[f32]> = M::parameters()
            .iter()
            .map(|parameter| {
                let (one, others) = rest.split_at(parameter.count);
                rest = others;
                one
            })
            .collect();
        let (loss, gradients) = self.model.gradients(on, &weights, self.step);
        for (gradient, weights) in gradients.iter().zip(&weights) {
            assert_eq!(gradient.len(), weights.len(), "a gradient for each weight");
        }
        let gradient = gradients.concat();
        self.step += 1;
        let [first, second] = &mut self.moments;
        match M::OPTIMIZER {
            Optimizer::Sgd(rate) => on.sgd(rate, &gradient, &mut self.weights),
            Optimizer::Momentum(rate, momentum) => {
                on.sgd_with_momentum(rate, momentum, &gradient, first, &mut self.weights);
            }
            Optimizer::AdamW(settings) => {
                on.adam_w(self.step, settings, &gradient, [first, second], &mut self.weights);
            }
        }
        loss
    }

    /// All weights.
    pub fn weights(&self) -> &[f32] {
        &self.weights
    }
}
