//! A small convolutional network: 3×3, relu, the largest of 2×2, 3×3 at a stride of 2, relu, the mean of 2×2, linear; by plain SGD.
//! Channels are odd in number, so that nothing fills its lanes.

use hydra_arithmetic::{convolution::Convolution, linear::Linear, pool::Windows};

use super::model::{Model, Optimizer, Parameter, drawn, same};
use crate::{draw::Draw, operations::Operations};

const BATCH: usize = 8;
const BATCHES: usize = 3;
const SIDE: usize = 12;
const CHANNELS: usize = 3;
const IMAGE: usize = CHANNELS * SIDE * SIDE;
const CLASSES: usize = 7;

const FIRST: Convolution = Convolution {
    samples: BATCH,
    inputs: CHANNELS,
    height: SIDE,
    width: SIDE,
    outputs: 5,
    kernel: (3, 3),
    stride: 1,
    padding: 1,
};
const LARGEST: Windows = Windows {
    planes: BATCH * FIRST.outputs,
    height: SIDE,
    width: SIDE,
    size: 2,
    stride: 2,
};
const SECOND: Convolution = Convolution {
    samples: BATCH,
    inputs: FIRST.outputs,
    height: 6,
    width: 6,
    outputs: 9,
    kernel: (3, 3),
    stride: 2,
    padding: 1,
};
const MEAN: Windows = Windows {
    planes: BATCH * SECOND.outputs,
    height: 3,
    width: 3,
    size: 2,
    stride: 1,
};
const LAST: Linear = Linear {
    samples: BATCH,
    inputs: 4 * SECOND.outputs,
    outputs: CLASSES,
};

/// Three batches, in turns.
pub struct Cnn {
    images: Vec<f32>,
    labels: Vec<usize>,
}

impl Model for Cnn {
    const NAME: &'static str = "cnn";
    const SEED: u64 = 2;
    const OPTIMIZER: Optimizer = Optimizer::Sgd(0.25);

    fn parameters() -> Vec<Parameter> {
        vec![
            drawn(FIRST.outputs * FIRST.inputs * 9, 0.25),
            same(FIRST.outputs, 0.0),
            drawn(SECOND.outputs * SECOND.inputs * 9, 0.25),
            same(SECOND.outputs, 0.0),
            drawn(LAST.outputs * LAST.inputs, 0.25),
            same(LAST.outputs, 0.0),
        ]
    }

    fn draw(draw: &mut Draw) -> Self {
        Self {
            images: draw.values(BATCHES * BATCH * IMAGE, 1.0),
            labels: (0..BATCHES * BATCH).map(|_| draw.below(CLASSES)).collect(),
        }
    }

    fn gradients(&self, on: &dyn Operations, weights: &[&[f32]], step: usize) -> (f32, Vec<Vec<f32>>) {
        let [w1, b1, w2, b2, w3, b3] = weights[..] else {
            unreachable!("as many as there are parameters")
        };
        let batch = step % BATCHES;
        let x = &self.images[batch * BATCH * IMAGE..][..BATCH * IMAGE];
        let labels = &self.labels[batch * BATCH..][..BATCH];

        let before1 = on.convolution(FIRST, x, w1, b1);
        let after1 = on.relu(&before1);
        let (pooled1, kept) = on.max_pool(LARGEST, &after1);
        let before2 = on.convolution(SECOND, &pooled1, w2, b2);
        let after2 = on.relu(&before2);
        let pooled2 = on.mean_pool(MEAN, &after2);
        let logits = on.linear(LAST, &pooled2, w3, Some(b3));
        let (loss, d_logits) = on.cross_entropy(CLASSES, &logits, labels);

        let d_pooled2 = on.linear_input_gradient(LAST, &d_logits, w3);
        let [dw3, db3] = on.linear_gradients(LAST, &d_logits, &pooled2);
        let d_after2 = on.mean_pool_gradient(MEAN, &d_pooled2);
        let d_before2 = on.relu_gradient(&before2, &d_after2);
        let d_pooled1 = on.convolution_input_gradient(SECOND, &d_before2, w2);
        let [dw2, db2] = on.convolution_gradients(SECOND, &d_before2, &pooled1);
        let d_after1 = on.max_pool_gradient(LARGEST, &d_pooled1, &kept);
        let d_before1 = on.relu_gradient(&before1, &d_after1);
        let [dw1, db1] = on.convolution_gradients(FIRST, &d_before1, x);
        (loss, vec![dw1, db1, dw2, db2, dw3, db3])
    }
}
