//! The digits' network: 64 → 64 → 10, in batches of 32, by SGD with momentum.

use hydra_arithmetic::linear::Linear;

use super::model::{Model, Optimizer, Parameter, drawn, same};
use crate::{draw::Draw, operations::Operations};

const BATCH: usize = 32;
const BATCHES: usize = 4;
const INPUTS: usize = 64;
const HIDDEN: usize = 64;
const CLASSES: usize = 10;

/// Four batches, in turns.
pub struct Mlp {
    images: Vec<f32>,
    labels: Vec<usize>,
}

impl Model for Mlp {
    const NAME: &'static str = "mlp";
    const SEED: u64 = 1;
    const OPTIMIZER: Optimizer = Optimizer::Momentum(0.1, 0.9);

    fn parameters() -> Vec<Parameter> {
        vec![
            drawn(HIDDEN * INPUTS, 0.125),
            same(HIDDEN, 0.0),
            drawn(CLASSES * HIDDEN, 0.125),
            same(CLASSES, 0.0),
        ]
    }

    fn draw(draw: &mut Draw) -> Self {
        Self {
            images: draw.values(BATCHES * BATCH * INPUTS, 1.0),
            labels: (0..BATCHES * BATCH).map(|_| draw.below(CLASSES)).collect(),
        }
    }

    fn gradients(&self, on: &dyn Operations, weights: &[&[f32]], step: usize) -> (f32, Vec<Vec<f32>>) {
        let [w1, b1, w2, b2] = weights[..] else {
            unreachable!("as many as there are parameters")
        };
        let batch = step % BATCHES;
        let x = &self.images[batch * BATCH * INPUTS..][..BATCH * INPUTS];
        let labels = &self.labels[batch * BATCH..][..BATCH];
        let first = Linear {
            samples: BATCH,
            inputs: INPUTS,
            outputs: HIDDEN,
        };
        let second = Linear {
            samples: BATCH,
            inputs: HIDDEN,
            outputs: CLASSES,
        };
        let before = on.linear(first, x, w1, Some(b1));
        let hidden = on.relu(&before);
        let logits = on.linear(second, &hidden, w2, Some(b2));
        let (loss, d_logits) = on.cross_entropy(CLASSES, &logits, labels);
        let d_hidden = on.linear_input_gradient(second, &d_logits, w2);
        let [dw2, db2] = on.linear_gradients(second, &d_logits, &hidden);
        let d_before = on.relu_gradient(&before, &d_hidden);
        let [dw1, db1] = on.linear_gradients(first, &d_before, x);
        (loss, vec![dw1, db1, dw2, db2])
    }
}
