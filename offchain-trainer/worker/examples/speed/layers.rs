//! What models are made of, on both sides: LibTorch's own operations, and the arithmetic's operators.

use hydra_torch_worker::operators;
use tch::{Device, Kind, Reduction, Tensor};

use crate::AnyError;

/// What an operation makes.
pub type Made = Result<Tensor, AnyError>;

/// Numbers around 0, the same from run to run.
pub fn normal(shape: &[i64], scale: f64) -> Made {
    Ok(Tensor::f_randn(shape, (Kind::Float, Device::Cpu))?.f_mul_scalar(scale)?)
}

/// Numbers of which gradients are asked.
pub fn learned(shape: &[i64], scale: f64) -> Made {
    Ok(normal(shape, scale)?.f_set_requires_grad(true)?)
}

/// Whole numbers from 0 on.
pub fn below(high: i64, shape: &[i64]) -> Made {
    Ok(Tensor::f_randint(high, shape, (Kind::Int64, Device::Cpu))?)
}

/// One side's operations. Shapes are those of [`operators`].
pub trait Layers {
    fn linear(&self, x: &Tensor, w: &Tensor, bias: &Tensor) -> Made;
    fn relu(&self, x: &Tensor) -> Made;
    fn gelu(&self, x: &Tensor) -> Made;
    fn softmax(&self, x: &Tensor) -> Made;
    fn cross_entropy(&self, logits: &Tensor, labels: &Tensor) -> Made;
    fn layer_norm(&self, x: &Tensor, gamma: &Tensor, beta: &Tensor) -> Made;
    fn embedding(&self, table: &Tensor, tokens: &Tensor) -> Made;
    /// A convolution of 3×3 with a border of 1.
    fn conv3x3(&self, x: &Tensor, w: &Tensor, bias: &Tensor) -> Made;
    /// The largest of each 2×2.
    fn max_pool2x2(&self, x: &Tensor) -> Made;
    /// Causal attention; `q`, `k` and `v` are `[sequences, heads, length, width]`.
    fn attention(&self, q: &Tensor, k: &Tensor, v: &Tensor) -> Made;
    /// Adds to the rows of `x [sequences × length, width]` those of `table [length, width]`, over again for each sequence.
    fn add_positions(&self, x: &Tensor, table: &Tensor, sequences: i64) -> Made;
}

/// LibTorch's own, in the fastest of its ordinary ways.
pub struct Theirs;

/// The arithmetic's operators.
pub struct Ours;

const EPSILON: f64 = 1e-5;

impl Layers for Theirs {
    fn linear(&self, x: &Tensor, w: &Tensor, bias: &Tensor) -> Made {
        Ok(x.f_linear(w, Some(bias))?)
    }
    fn relu(&self, x: &Tensor) -> Made {
        Ok(x.f_relu()?)
    }
    fn gelu(&self, x: &Tensor) -> Made {
        Ok(x.f_gelu("tanh")?)
    }
    fn softmax(&self, x: &Tensor) -> Made {
        Ok(x.f_softmax(-1, Kind::Float)?)
    }
    fn cross_entropy(&self, logits: &Tensor, labels: &Tensor) -> Made {
        Ok(logits.f_cross_entropy_loss(labels, None::<&Tensor>, Reduction::Mean, -100, 0.0)?)
    }
    fn layer_norm(&self, x: &Tensor, gamma: &Tensor, beta: &Tensor) -> Made {
        Ok(x.f_layer_norm(gamma.size(), Some(gamma), Some(beta), EPSILON, false)?)
    }
    fn embedding(&self, table: &Tensor, tokens: &Tensor) -> Made {
        Ok(Tensor::f_embedding(table, tokens, -1, false, false)?)
    }
    fn conv3x3(&self, x: &Tensor, w: &Tensor, bias: &Tensor) -> Made {
        Ok(x.f_conv2d(w, Some(bias), [1, 1], [1, 1], [1, 1], 1)?)
    }
    fn max_pool2x2(&self, x: &Tensor) -> Made {
        Ok(x.f_max_pool2d([2, 2], [2, 2], [0, 0], [1, 1], false)?)
    }
    fn attention(&self, q: &Tensor, k: &Tensor, v: &Tensor) -> Made {
        let none = None::<&Tensor>;
        Ok(Tensor::f_scaled_dot_product_attention(
            q,
            k,
            v,
            none,
            0.0,
            true,
            None::<f64>,
            false,
        )?)
    }
    fn add_positions(&self, x: &Tensor, table: &Tensor, sequences: i64) -> Made {
        let (length, width) = table.size2()?;
        let sum = x.f_reshape([sequences, length, width])?.f_add(table)?;
        Ok(sum.f_reshape([sequences * length, width])?)
    }
}

impl Layers for Ours {
    fn linear(&self, x: &Tensor, w: &Tensor, bias: &Tensor) -> Made {
        Ok(operators::linear(x, w, Some(bias))?)
    }
    fn relu(&self, x: &Tensor) -> Made {
        Ok(operators::relu(x)?)
    }
    fn gelu(&self, x: &Tensor) -> Made {
        Ok(operators::gelu(x)?)
    }
    fn softmax(&self, x: &Tensor) -> Made {
        Ok(operators::softmax(x)?)
    }
    fn cross_entropy(&self, logits: &Tensor, labels: &Tensor) -> Made {
        Ok(operators::cross_entropy_mean(logits, labels)?)
    }
    fn layer_norm(&self, x: &Tensor, gamma: &Tensor, beta: &Tensor) -> Made {
        Ok(operators::layer_norm(x, gamma, beta, EPSILON)?)
    }
    fn embedding(&self, table: &Tensor, tokens: &Tensor) -> Made {
        Ok(operators::embedding(table, tokens)?)
    }
    fn conv3x3(&self, x: &Tensor, w: &Tensor, bias: &Tensor) -> Made {
        Ok(operators::conv2d(x, w, Some(bias), 1, 1)?)
    }
    fn max_pool2x2(&self, x: &Tensor) -> Made {
        Ok(operators::max_pool2d(x, 2, 2)?)
    }
    fn attention(&self, q: &Tensor, k: &Tensor, v: &Tensor) -> Made {
        let shape = q.size();
        let (length, width) = match shape[..] {
            [_, _, length, width] => (length, width),
            _ => return Err("attention is of four dimensions here".into()),
        };
        // Copies, where heads don't lie one after the other.
        let flat = |x: &Tensor| x.f_reshape([-1, length, width]);
        let o = operators::causal_attention(&flat(q)?, &flat(k)?, &flat(v)?)?;
        Ok(o.f_reshape(shape)?)
    }
    fn add_positions(&self, x: &Tensor, table: &Tensor, sequences: i64) -> Made {
        // A table's rows by their numbers: the gradient of LibTorch's own way is a sum of LibTorch's.
        let (length, _) = table.size2()?;
        let numbers = Tensor::f_arange(length, (Kind::Int64, Device::Cpu))?.f_repeat([sequences])?;
        Ok(x.f_add(&operators::embedding(table, &numbers)?)?)
    }
}
