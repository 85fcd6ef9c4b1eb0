//! Three small models in training, forward, backward and optimizer written out: what the table of `docs/arithmetic.md` compares.

mod cnn;
mod gpt;
mod mlp;
mod model;

use crate::{draw::hash, operations::Operations};
use model::{Model, Training};

/// A line for each step: model, step, the weights' hash after it, and the bits of its loss.
pub fn lines(on: &dyn Operations, model: Option<&str>, steps: usize) -> Vec<String> {
    let mut lines = Vec::new();
    train::<mlp::Mlp>(on, model, steps, &mut lines);
    train::<cnn::Cnn>(on, model, steps, &mut lines);
    train::<gpt::Gpt>(on, model, steps, &mut lines);
    lines
}

fn train<M: Model>(on: &dyn Operations, model: Option<&str>, steps: usize, lines: &mut Vec<String>) {
    if model.is_some_and(|model| model != M::NAME) {
        return;
    }
    let mut training = Training::<M>::new();
    for step in 1..=steps {
        let loss = training.step(on);
        lines.push(format!(
            "{} {step} {:016x} {:08x}",
            M::NAME,
            hash(training.weights()),
            loss.to_bits()
        ));
    }
}
