//! The three models whose steps are measured, and what they learn: drawn, so that both sides begin with the same.

use tch::Tensor;

use crate::{
    AnyError,
    layers::{Layers, Made, below, learned, normal},
};

/// A model's weights and samples.
pub trait Model {
    /// The weights before the first step.
    fn weights(&self) -> Result<Vec<Tensor>, AnyError>;
    /// The loss of a step's batch.
    fn loss(&self, layers: &dyn Layers, weights: &[Tensor], step: usize) -> Made;
}

/// Weights and bias of a linear layer.
fn linear(outputs: i64, inputs: i64) -> Result<[Tensor; 2], AnyError> {
    let scale = 1.0 / (inputs as f64).sqrt();
    Ok([learned(&[outputs, inputs], scale)?, learned(&[outputs], 0.01)?])
}

/// The digits': 64-64-10 in batches of 32, picked from a shard as the worker does.
pub struct Mlp {
    inputs: Tensor,
    labels: Tensor,
    batches: Vec<Tensor>,
}

impl Mlp {
    pub fn new() -> Result<Self, AnyError> {
        Ok(Self {
            inputs: normal(&[360, 64], 1.0)?,
            labels: below(10, &[360])?,
            batches: (0..30)
                .map(|_| below(360, &[32]))
                .collect::<Result<_, AnyError>>()?,
        })
    }
}

impl Model for Mlp {
    fn weights(&self) -> Result<Vec<Tensor>, AnyError> {
        Ok([linear(64, 64)?, linear(10, 64)?].into_iter().flatten().collect())
    }

    fn loss(&self, layers: &dyn Layers, weights: &[Tensor], step: usize) -> Made {
        let [w1, b1, w2, b2] = weights else {
            return Err("two layers have four tensors".into());
        };
        let batch = &self.batches[step % self.batches.len()];
        let inputs = self.inputs.f_index_select(0, batch)?;
        let labels = self.labels.f_index_select(0, batch)?;
        let hidden = layers.relu(&layers.linear(&inputs, w1, b1)?)?;
        layers.cross_entropy(&layers.linear(&hidden, w2, b2)?, &labels)
    }
}

/// Four times 3×3, relu and the largest of 2×2, and a linear layer; batches of 32 images of 3 × 32 × 32.
pub struct Cnn {
    images: Tensor,
    labels: Tensor,
}

impl Cnn {
    pub fn new() -> Result<Self, AnyError> {
        Ok(Self {
            images: normal(&[32, 3, 32, 32], 1.0)?,
            labels: below(10, &[32])?,
        })
    }
}

impl Model for Cnn {
    fn weights(&self) -> Result<Vec<Tensor>, AnyError> {
        let mut weights = Vec::new();
        for (inputs, outputs) in [(3, 16), (16, 32), (32, 64), (64, 64)] {
            let scale = (2.0 / (9 * inputs) as f64).sqrt();
            weights.push(learned(&[outputs, inputs, 3, 3], scale)?);
            weights.push(learned(&[outputs], 0.01)?);
        }
        weights.extend(linear(10, 64 * 2 * 2)?);
        Ok(weights)
    }

    fn loss(&self, layers: &dyn Layers, weights: &[Tensor], _step: usize) -> Made {
        let (filters, last) = weights.split_at(8);
        let mut x = self.images.shallow_clone();
        for layer in filters.chunks_exact(2) {
            x = layers.max_pool2x2(&layers.relu(&layers.conv3x3(&x, &layer[0], &layer[1])?)?)?;
        }
        let logits = layers.linear(&x.f_reshape([32, 64 * 2 * 2])?, &last[0], &last[1])?;
        layers.cross_entropy(&logits, &self.labels)
    }
}

const BLOCKS: usize = 4;
const WIDTH: i64 = 128;
const HEADS: i64 = 4;
const LENGTH: i64 = 128;
const SEQUENCES: i64 = 8;
const VOCABULARY: i64 = 1000;
/// Tensors of a block.
const PER_BLOCK: usize = 12;

/// Four blocks, 128 wide, of four heads; eight texts of 128 symbols, of which there are 1,000.
pub struct Gpt {
    symbols: Tensor,
    next: Tensor,
}

impl Gpt {
    pub fn new() -> Result<Self, AnyError> {
        Ok(Self {
            symbols: below(VOCABULARY, &[SEQUENCES * LENGTH])?,
            next: below(VOCABULARY, &[SEQUENCES * LENGTH])?,
        })
    }
}

/// γ and β of a layer norm.
fn norm() -> Result<[Tensor; 2], AnyError> {
    Ok([learned(&[WIDTH], 1.0)?, learned(&[WIDTH], 0.01)?])
}

/// `x [sequences × length, width]` and its attention, added.
fn attend(layers: &dyn Layers, x: &Tensor, w: &[Tensor]) -> Made {
    let qkv = layers.linear(&layers.layer_norm(x, &w[0], &w[1])?, &w[2], &w[3])?;
    let heads: Vec<Tensor> = qkv
        .f_chunk(3, 1)?
        .iter()
        .map(|part| {
            part.f_reshape([SEQUENCES, LENGTH, HEADS, WIDTH / HEADS])?
                .f_transpose(1, 2)
        })
        .collect::<Result<_, _>>()?;
    let o = layers.attention(&heads[0], &heads[1], &heads[2])?;
    let o = o.f_transpose(1, 2)?.f_reshape([SEQUENCES * LENGTH, WIDTH])?;
    Ok(x.f_add(&layers.linear(&o, &w[4], &w[5])?)?)
}

impl Model for Gpt {
    fn weights(&self) -> Result<Vec<Tensor>, AnyError> {
        let mut weights = vec![
            learned(&[VOCABULARY, WIDTH], 0.1)?,
            learned(&[LENGTH, WIDTH], 0.1)?,
        ];
        for _ in 0..BLOCKS {
            weights.extend(norm()?);
            weights.extend(linear(3 * WIDTH, WIDTH)?);
            weights.extend(linear(WIDTH, WIDTH)?);
            weights.extend(norm()?);
            weights.extend(linear(4 * WIDTH, WIDTH)?);
            weights.extend(linear(WIDTH, 4 * WIDTH)?);
        }
        weights.extend(norm()?);
        weights.extend(linear(VOCABULARY, WIDTH)?);
        Ok(weights)
    }

    fn loss(&self, layers: &dyn Layers, weights: &[Tensor], _step: usize) -> Made {
        let (tables, rest) = weights.split_at(2);
        let (blocks, last) = rest.split_at(BLOCKS * PER_BLOCK);
        let mut x = layers.embedding(&tables[0], &self.symbols)?;
        x = layers.add_positions(&x, &tables[1], SEQUENCES)?;
        for w in blocks.chunks_exact(PER_BLOCK) {
            let y = attend(layers, &x, w)?;
            let wide = layers.linear(&layers.layer_norm(&y, &w[6], &w[7])?, &w[8], &w[9])?;
            x = y.f_add(&layers.linear(&layers.gelu(&wide)?, &w[10], &w[11])?)?;
        }
        let x = layers.layer_norm(&x, &last[0], &last[1])?;
        layers.cross_entropy(&layers.linear(&x, &last[2], &last[3])?, &self.next)
    }
}
