//! A small Gpt: two blocks of causal attention and an Mlp, on a text of 23 symbols, by AdamW. No size is a multiple of 16.

use hydra_arithmetic::{attention::Attention, linear::Linear, optimizer::AdamW};

use super::model::{Model, Optimizer, Parameter, drawn, same};
use crate::{draw::Draw, operations::Operations};

const TEXTS: usize = 3;
const LENGTH: usize = 23;
const HEADS: usize = 2;
const HEAD: usize = 9;
const WIDTH: usize = HEADS * HEAD;
const HIDDEN: usize = 37;
const SYMBOLS: usize = 19;
const BLOCKS: usize = 2;
/// 10⁻⁵, rounded.
const EPSILON: f32 = 1e-5;

const fn linear(inputs: usize, outputs: usize) -> Linear {
    Linear {
        samples: LENGTH,
        inputs,
        outputs,
    }
}
const QKV: Linear = linear(WIDTH, 3 * WIDTH);
const MERGE: Linear = linear(WIDTH, WIDTH);
const WIDEN: Linear = linear(WIDTH, HIDDEN);
const NARROW: Linear = linear(HIDDEN, WIDTH);
const SYMBOL: Linear = linear(WIDTH, SYMBOLS);
const ATTENTION: Attention = Attention {
    count: HEADS,
    length: LENGTH,
    width: HEAD,
};

/// Weights of a block: two of the first norm, two of Q, K and V's layer, two of the heads' merging, two of the second norm, four of the Mlp.
const PER_BLOCK: usize = 12;

/// Texts of one symbol more than the model reads, in turns: from each it is to say the next.
pub struct Gpt {
    texts: Vec<usize>,
}

/// What a block's gradient needs of its forward pass.
struct Kept {
    x: Vec<f32>,
    normed1: Vec<f32>,
    qkv: [Vec<f32>; 3],
    attended: Vec<f32>,
    middle: Vec<f32>,
    normed2: Vec<f32>,
    wide: Vec<f32>,
    activated: Vec<f32>,
}

/// `[length, parts × heads × head]` → for each part `[heads, length, head]`.
fn split<const PARTS: usize>(from: &[f32]) -> [Vec<f32>; PARTS] {
    std::array::from_fn(|part| {
        let rows = from.chunks_exact(PARTS * WIDTH);
        (0..HEADS)
            .flat_map(|head| {
                rows.clone()
                    .flat_map(move |row| &row[part * WIDTH + head * HEAD..][..HEAD])
            })
            .copied()
            .collect()
    })
}

/// The way back.
fn join<const PARTS: usize>(from: [&[f32]; PARTS]) -> Vec<f32> {
    let mut to = Vec::with_capacity(PARTS * LENGTH * WIDTH);
    for at in 0..LENGTH {
        for part in from {
            for head in 0..HEADS {
                to.extend(&part[(head * LENGTH + at) * HEAD..][..HEAD]);
            }
        }
    }
    to
}

fn forward(on: &dyn Operations, w: &[&[f32]], x: Vec<f32>) -> (Vec<f32>, Kept) {
    let normed1 = on.layer_norm(WIDTH, EPSILON, &x, w[0], w[1]);
    let qkv = split::<3>(&on.linear(QKV, &normed1, w[2], Some(w[3])));
    let attended = join([&on.attention(ATTENTION, [&qkv[0], &qkv[1], &qkv[2]])]);
    let middle = on.add(&x, &on.linear(MERGE, &attended, w[4], Some(w[5])));
    let normed2 = on.layer_norm(WIDTH, EPSILON, &middle, w[6], w[7]);
    let wide = on.linear(WIDEN, &normed2, w[8], Some(w[9]));
    let activated = on.gelu(&wide);
    let y = on.add(&middle, &on.linear(NARROW, &activated, w[10], Some(w[11])));
    let kept = Kept {
        x,
        normed1,
        qkv,
        attended,
        middle,
        normed2,
        wide,
        activated,
    };
    (y, kept)
}

/// The gradient of x, and those of the block's weights.
fn backward(on: &dyn Operations, w: &[&[f32]], kept: &Kept, dy: &[f32]) -> (Vec<f32>, Vec<Vec<f32>>) {
    let d_activated = on.linear_input_gradient(NARROW, dy, w[10]);
    let [dw10, db11] = on.linear_gradients(NARROW, dy, &kept.activated);
    let d_wide = on.gelu_gradient(&kept.wide, &d_activated);
    let d_normed2 = on.linear_input_gradient(WIDEN, &d_wide, w[8]);
    let [dw8, db9] = on.linear_gradients(WIDEN, &d_wide, &kept.normed2);
    let [d_middle, dw6, dw7] = on.layer_norm_gradients(WIDTH, EPSILON, &kept.middle, w[6], &d_normed2);
    let d_middle = on.add(dy, &d_middle);
    let d_attended = on.linear_input_gradient(MERGE, &d_middle, w[4]);
    let [dw4, db5] = on.linear_gradients(MERGE, &d_middle, &kept.attended);
    let [d_o] = split::<1>(&d_attended);
    let [q, k, v] = &kept.qkv;
    let [dq, dk, dv] = on.attention_gradients(ATTENTION, [q, k, v], &d_o);
    let d_qkv = join([&dq, &dk, &dv]);
    let d_normed1 = on.linear_input_gradient(QKV, &d_qkv, w[2]);
    let [dw2, db3] = on.linear_gradients(QKV, &d_qkv, &kept.normed1);
    let [dx, dw0, dw1] = on.layer_norm_gradients(WIDTH, EPSILON, &kept.x, w[0], &d_normed1);
    let dx = on.add(&d_middle, &dx);
    let weights = vec![dw0, dw1, dw2, db3, dw4, db5, dw6, dw7, dw8, db9, dw10, db11];
    (dx, weights)
}

impl Model for Gpt {
    const NAME: &'static str = "gpt";
    const SEED: u64 = 3;
    const OPTIMIZER: Optimizer = Optimizer::AdamW(AdamW {
        rate: 0.01,
        beta1: 0.9,
        beta2: 0.999,
        epsilon: 1e-8,
        decay: 0.01,
    });

    fn parameters() -> Vec<Parameter> {
        let mut all = vec![drawn(SYMBOLS * WIDTH, 0.25), drawn(LENGTH * WIDTH, 0.25)];
        for _ in 0..BLOCKS {
            all.extend([
                same(WIDTH, 1.0),
                same(WIDTH, 0.0),
                drawn(QKV.outputs * QKV.inputs, 0.25),
                same(QKV.outputs, 0.0),
                drawn(MERGE.outputs * MERGE.inputs, 0.25),
                same(MERGE.outputs, 0.0),
                same(WIDTH, 1.0),
                same(WIDTH, 0.0),
                drawn(WIDEN.outputs * WIDEN.inputs, 0.25),
                same(WIDEN.outputs, 0.0),
                drawn(NARROW.outputs * NARROW.inputs, 0.25),
                same(NARROW.outputs, 0.0),
            ]);
        }
        all.extend([
            same(WIDTH, 1.0),
            same(WIDTH, 0.0),
            drawn(SYMBOL.outputs * SYMBOL.inputs, 0.25),
            same(SYMBOL.outputs, 0.0),
        ]);
        all
    }

    fn draw(draw: &mut Draw) -> Self {
        Self {
            texts: (0..TEXTS * (LENGTH + 1)).map(|_| draw.below(SYMBOLS)).collect(),
        }
    }

    fn gradients(&self, on: &dyn Operations, weights: &[&[f32]], step: usize) -> (f32, Vec<Vec<f32>>) {
        let text = &self.texts[step % TEXTS * (LENGTH + 1)..][..LENGTH + 1];
        let (symbols, next) = (&text[..LENGTH], &text[1..]);
        let (tables, rest) = weights.split_at(2);
        let (blocks, last) = rest.split_at(BLOCKS * PER_BLOCK);

        let mut x = on.add(&on.embedding(WIDTH, tables[0], symbols), tables[1]);
        let mut kept = Vec::new();
        for block in blocks.chunks_exact(PER_BLOCK) {
            let (y, of_block) = forward(on, block, x);
            kept.push(of_block);
            x = y;
        }
        let normed = on.layer_norm(WIDTH, EPSILON, &x, last[0], last[1]);
        let logits = on.linear(SYMBOL, &normed, last[2], Some(last[3]));
        let (loss, d_logits) = on.cross_entropy(SYMBOLS, &logits, next);

        let d_normed = on.linear_input_gradient(SYMBOL, &d_logits, last[2]);
        let [dw, db] = on.linear_gradients(SYMBOL, &d_logits, &normed);
        let [mut dx, d_gamma, d_beta] = on.layer_norm_gradients(WIDTH, EPSILON, &x, last[0], &d_normed);
        let mut of_blocks = Vec::new();
        for (block, kept) in blocks.chunks_exact(PER_BLOCK).zip(&kept).rev() {
            let (before, of_block) = backward(on, block, kept, &dx);
            of_blocks.push(of_block);
            dx = before;
        }
        let mut gradients = vec![on.embedding_gradient(WIDTH, SYMBOLS, symbols, &dx), dx];
        gradients.extend(of_blocks.into_iter().rev().flatten());
        gradients.extend([d_gamma, d_beta, dw, db]);
        (loss, gradients)
    }
}
