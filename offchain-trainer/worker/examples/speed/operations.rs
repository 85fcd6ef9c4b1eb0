//! Single operations: forward alone, and with the gradients of all that they are made of.

use hydra_arithmetic::product::{Matrices, Start, product_batch};
use hydra_torch_worker::processor;
use tch::{Device, Kind, Tensor};

use crate::{
    AnyError,
    layers::{Layers, Made, Ours, Theirs, below, learned, normal},
    measure::{Bench, Outcome, Sides},
    memory::{values, values_mut},
};

type Done = Result<(), AnyError>;

/// Without a graph.
fn forward(
    bench: &mut Bench,
    operation: &str,
    shape: &str,
    goal: f64,
    apply: &dyn Fn(&dyn Layers) -> Made,
) -> Done {
    let run = |layers: &dyn Layers| -> Outcome { tch::no_grad(|| Ok(vec![apply(layers)?])) };
    let sides = Sides {
        theirs: &mut || run(&Theirs),
        ours: &mut || run(&Ours),
        common: None,
    };
    bench.compare(&format!("{operation}, forward"), shape, goal, sides)
}

/// With gradients of `inputs` from a gradient of what comes out that is different everywhere. What this gradient takes, a product and a sum,
/// is measured by itself and taken off.
fn both(
    bench: &mut Bench,
    operation: &str,
    shape: &str,
    goal: f64,
    inputs: &[&Tensor],
    apply: &dyn Fn(&dyn Layers) -> Made,
) -> Done {
    let operation = format!("{operation}, forward and backward");
    if !bench.wants(&operation) {
        return Ok(());
    }
    let like = tch::no_grad(|| apply(&Theirs))?.size();
    let count: i64 = like.iter().product();
    let (seed, leaf) = (normal(&[count], 1.0)?, learned(&like, 1.0)?);
    let back = |y: &Tensor, inputs: &[&Tensor]| -> Outcome {
        let loss = y.f_reshape([-1])?.f_dot(&seed)?;
        Ok(Tensor::f_run_backward(&[loss], inputs, false, false)?)
    };
    let run = |layers: &dyn Layers| -> Outcome {
        let y = apply(layers)?;
        let mut results = back(&y, inputs)?;
        results.push(y);
        Ok(results)
    };
    let sides = Sides {
        theirs: &mut || run(&Theirs),
        ours: &mut || run(&Ours),
        common: Some(&mut || back(&leaf, &[&leaf])),
    };
    bench.compare(&operation, shape, goal, sides)
}

/// A loss is a single value, and needs no such gradient.
fn loss(
    bench: &mut Bench,
    operation: &str,
    shape: &str,
    goal: f64,
    inputs: &[&Tensor],
    apply: &dyn Fn(&dyn Layers) -> Made,
) -> Done {
    let run = |layers: &dyn Layers| -> Outcome {
        let y = apply(layers)?;
        let mut results = Tensor::f_run_backward(&[&y], inputs, false, false)?;
        results.push(y);
        Ok(results)
    };
    let sides = Sides {
        theirs: &mut || run(&Theirs),
        ours: &mut || run(&Ours),
        common: None,
    };
    bench.compare(&format!("{operation}, forward and backward"), shape, goal, sides)
}

/// Samples × inputs × outputs.
pub fn linear(bench: &mut Bench) -> Done {
    bench.comparisons("Linear layers with bias, samples × inputs × outputs:");
    for (samples, inputs, outputs) in [
        (32, 64, 64),
        (32, 1024, 1024),
        (128, 784, 200),
        (256, 1024, 1024),
        (512, 768, 768),
        (512, 768, 3072),
        (512, 3072, 768),
    ] {
        let x = learned(&[samples, inputs], 1.0)?;
        let (w, b) = (learned(&[outputs, inputs], 0.05)?, learned(&[outputs], 0.05)?);
        let shape = format!("{samples} × {inputs} × {outputs}");
        let apply = |layers: &dyn Layers| layers.linear(&x, &w, &b);
        both(bench, "linear", &shape, 1.0, &[&x, &w, &b], &apply)?;
    }
    Ok(())
}

/// Heads of all sequences.
const HEADS: i64 = 32;
const WIDTH: i64 = 64;

/// Attention's products, and attention.
pub fn attention(bench: &mut Bench) -> Done {
    bench.comparisons(
        "Attention of 32 heads, 64 wide, by length; products are whole, without the causal mask:",
    );
    for length in [64, 128, 256, 512] {
        products(bench, length)?;
    }
    for length in [64, 128, 256, 512] {
        let shape = [4, HEADS / 4, length, WIDTH];
        let (q, k, v) = (
            learned(&shape, 1.0)?,
            learned(&shape, 1.0)?,
            learned(&shape, 1.0)?,
        );
        let apply = |layers: &dyn Layers| layers.attention(&q, &k, &v);
        let shape = format!("32 × {length} × 64");
        forward(bench, "causal attention", &shape, 1.0, &apply)?;
        both(bench, "causal attention", &shape, 1.0, &[&q, &k, &v], &apply)?;
    }
    Ok(())
}

/// Called directly: no model has a batch of products by itself. Both sides write into memory that is there.
fn products(bench: &mut Bench, length: i64) -> Done {
    let (long, short) = ([HEADS, length, length], [HEADS, length, WIDTH]);
    let (q, k, v, p) = (
        normal(&short, 1.0)?,
        normal(&short, 1.0)?,
        normal(&short, 1.0)?,
        normal(&long, 1.0)?,
    );
    for (operation, left, left_across, right, right_across) in [
        ("bmm q · kᵀ", &q, false, &k, true),
        ("bmm p · v", &p, false, &v, false),
        ("bmm pᵀ · do", &p, true, &v, false),
    ] {
        let across = |tensor: &Tensor, across: bool| -> Made {
            Ok(if across {
                tensor.f_transpose(1, 2)?
            } else {
                tensor.shallow_clone()
            })
        };
        let (a, b) = (across(left, left_across)?, across(right, right_across)?);
        let (rows, columns) = (a.size()[1], b.size()[2]);
        let out = Tensor::f_zeros([HEADS, rows, columns], (Kind::Float, Device::Cpu))?;
        let mut our_out = out.f_zeros_like()?;
        let cpu = processor::cpu();
        let mut ours = || -> Outcome {
            product_batch(
                &cpu,
                matrices(left, left_across),
                matrices(right, right_across),
                Start::Zero,
                values_mut(&mut our_out),
            );
            Ok(vec![our_out.shallow_clone()])
        };
        let shape = format!("32 × {length} × 64");
        let sides = Sides {
            theirs: &mut || Ok(vec![a.f_bmm_out(&out, &b)?]),
            ours: &mut ours,
            common: None,
        };
        bench.compare(operation, &shape, 1.0, sides)?;
    }
    Ok(())
}

fn matrices(tensor: &Tensor, across: bool) -> Matrices<'_> {
    let [count, rows, columns] = [0, 1, 2].map(|i: usize| tensor.size()[i] as usize);
    let matrices = Matrices::new(values(tensor), count, rows, columns);
    if across { matrices.transposed() } else { matrices }
}

/// Of 3×3, with a border of 1.
pub fn convolutions(bench: &mut Bench) -> Done {
    bench.comparisons("Convolutions of 3×3 with bias, batch × channels in → out, size of the images:");
    for (inputs, outputs, size) in [(16, 32, 28), (32, 64, 14), (64, 64, 28), (3, 16, 32)] {
        let x = learned(&[32, inputs, size, size], 1.0)?;
        let (w, b) = (learned(&[outputs, inputs, 3, 3], 0.1)?, learned(&[outputs], 0.1)?);
        let shape = format!("32 × {inputs} → {outputs}, {size} × {size}");
        let apply = |layers: &dyn Layers| layers.conv3x3(&x, &w, &b);
        forward(bench, "conv", &shape, 0.8, &apply)?;
        both(bench, "conv", &shape, 0.8, &[&x, &w, &b], &apply)?;
    }
    Ok(())
}

/// Functions of values and rows.
pub fn rows(bench: &mut Bench) -> Done {
    bench.comparisons("Functions of values and rows:");
    for (rows, columns) in [(512, 512), (4096, 128)] {
        let (x, shape) = (learned(&[rows, columns], 2.0)?, format!("{rows} × {columns}"));
        let apply = |layers: &dyn Layers| layers.softmax(&x);
        forward(bench, "softmax", &shape, 0.8, &apply)?;
        both(bench, "softmax", &shape, 0.8, &[&x], &apply)?;
    }
    let (x, gamma, beta) = (
        learned(&[512, 768], 2.0)?,
        learned(&[768], 1.0)?,
        learned(&[768], 1.0)?,
    );
    let apply = |layers: &dyn Layers| layers.layer_norm(&x, &gamma, &beta);
    forward(bench, "layer norm", "512 × 768", 0.8, &apply)?;
    both(
        bench,
        "layer norm",
        "512 × 768",
        0.8,
        &[&x, &gamma, &beta],
        &apply,
    )?;
    let x = learned(&[512, 3072], 2.0)?;
    let apply = |layers: &dyn Layers| layers.gelu(&x);
    forward(bench, "gelu", "512 × 3072", 0.8, &apply)?;
    both(bench, "gelu", "512 × 3072", 0.8, &[&x], &apply)?;
    let (x, labels) = (learned(&[512, 1000], 2.0)?, below(1000, &[512])?);
    let apply = |layers: &dyn Layers| layers.cross_entropy(&x, &labels);
    forward(bench, "cross-entropy", "512 × 1000", 0.8, &apply)?;
    loss(bench, "cross-entropy", "512 × 1000", 0.8, &[&x], &apply)
}
