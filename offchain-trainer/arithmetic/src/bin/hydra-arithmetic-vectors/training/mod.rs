//! Three small models in training, forward, backward and optimizer written out: what the table of `docs/arithmetic.md` compares.

mod cnn;
mod gpt;
mod mlp;
mod model;

use hydra_arithmetic::canonical_bits;

use crate::{draw::hash, operations::Operations};
use model::{Model, Training};

/// A line for each step: model, step, the weights' hash after it, and the bits of its loss.
pub fn lines(on: &dyn Operations, model: Option<&str>, steps: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = |name: &str, step: usize, weights: &[f32], loss: f32| {
        lines.push(format!(
            "{name} {step} {:016x} {:08x}",
            hash(weights),
            canonical_bits(loss)
        ));
    };
    train_all(on, model, steps, &mut line);
    lines
}

/// The steps alone, to be timed: a hash takes longer than a step of the smallest.
pub fn steps(on: &dyn Operations, model: Option<&str>, steps: usize) {
    train_all(on, model, steps, &mut |_, _, _, _| ());
}

/// What is told after each step: its model, its number, the weights, the loss.
type Told<'a> = &'a mut dyn FnMut(&str, usize, &[f32], f32);

fn train_all(on: &dyn Operations, model: Option<&str>, steps: usize, told: Told) {
    train::<mlp::Mlp>(on, model, steps, told);
    train::<cnn::Cnn>(on, model, steps, told);
    train::<gpt::Gpt>(on, model, steps, told);
}

fn train<M: Model>(on: &dyn Operations, model: Option<&str>, steps: usize, told: Told) {
    if model.is_some_and(|model| model != M::NAME) {
        return;
    }
    let mut training = Training::<M>::new();
    for step in 1..=steps {
        let loss = training.step(on);
        told(M::NAME, step, training.weights(), loss);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{draw::Draw, operations::Reference};
    use model::Parameter;

    /// Whether going along each parameter's gradient changes the loss as it says: so each gradient is its own parameter's, and whole.
    fn check<M: Model>() {
        let training = Training::<M>::new();
        let model = M::draw(&mut Draw::new(4));
        let weights = training.weights().to_vec();
        let loss = |weights: &[f32]| {
            let mut rest = weights;
            let mut parts = Vec::new();
            for Parameter { count, .. } in M::parameters() {
                let (part, others) = rest.split_at(count);
                parts.push(part);
                rest = others;
            }
            model.gradients(&Reference, &parts, 0)
        };
        let (_, gradients) = loss(&weights);
        let mut at = 0;
        for (i, gradient) in gradients.iter().enumerate() {
            let square: f64 = gradient.iter().map(|g| f64::from(*g).powi(2)).sum();
            assert!(square > 0.0, "{} {i}: no gradient", M::NAME);
            let far = 0.004 / square;
            let along = |sign: f64| {
                let mut moved = weights.clone();
                for (w, g) in moved[at..].iter_mut().zip(gradient) {
                    *w = (f64::from(*w) + sign * far * f64::from(*g)) as f32;
                }
                f64::from(loss(&moved).0)
            };
            let change = along(1.0) - along(-1.0);
            assert!((change / 0.008 - 1.0).abs() < 0.1, "{} {i}: {change}", M::NAME);
            at += gradient.len();
        }
        assert_eq!(at, weights.len());
    }

    #[test]
    fn gradients_are_those_of_the_loss() {
        check::<mlp::Mlp>();
        check::<cnn::Cnn>();
        check::<gpt::Gpt>();
    }
}
