//! The arithmetic's operators in LibTorch: their values and gradients are LibTorch's but for rounding, and the arithmetic's to the last bit.
//!
//! A program of its own: it has LibTorch in itself, whose environment the tests of the worker spoil.

use hydra_arithmetic::{Cpu, Level, cross_entropy, linear::Linear};
use hydra_torch_worker::{operators, processor};
use tch::{Device, Kind, Tensor};

/// Values that a gradient is asked for.
fn values(shape: &[i64]) -> Tensor {
    Tensor::randn(shape, (Kind::Float, Device::Cpu)).set_requires_grad(true)
}

fn slice(tensor: &Tensor) -> Vec<f32> {
    let mut values = vec![0.0; tensor.numel()];
    tensor
        .detach()
        .contiguous()
        .copy_data(&mut values, tensor.numel());
    values
}

/// Of the same inputs, with the same gradient of what came out.
#[track_caller]
fn agree(inputs: &[&Tensor], ours: &Tensor, theirs: &Tensor) {
    let close = |ours: &Tensor, theirs: &Tensor| {
        assert_eq!(ours.size(), theirs.size());
        let pairs = slice(ours).into_iter().zip(slice(theirs));
        let furthest = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(furthest < 1e-4, "{furthest}");
    };
    close(ours, theirs);
    let seed = ours.randn_like();
    let gradients = |of: &Tensor| {
        let surrogate = (of * &seed).sum(Kind::Float);
        Tensor::run_backward(&[surrogate], inputs, false, false)
    };
    for (ours, theirs) in gradients(ours).iter().zip(&gradients(theirs)) {
        close(ours, theirs);
    }
}

#[test]
fn linear_layers_agree_also_where_memory_lies_across_or_there_is_no_bias() {
    let (x, w, b) = (values(&[5, 7]), values(&[3, 7]), values(&[3]));
    let ours = operators::linear(&x, &w, Some(&b)).unwrap();
    agree(&[&x, &w, &b], &ours, &x.linear(&w, Some(&b)));
    let ours = operators::linear(&x, &w, None).unwrap();
    agree(&[&x, &w], &ours, &x.linear(&w, None::<&Tensor>));
    let across = values(&[7, 5]);
    let ours = operators::linear(&across.tr(), &w, Some(&b)).unwrap();
    agree(&[&across, &w, &b], &ours, &across.tr().linear(&w, Some(&b)));
}

#[test]
fn element_wise_operations_and_rows_agree() {
    let x = values(&[4, 37]);
    agree(&[&x], &operators::relu(&x).unwrap(), &x.relu());
    agree(&[&x], &operators::gelu(&x).unwrap(), &x.gelu("tanh"));
    agree(
        &[&x],
        &operators::softmax(&x).unwrap(),
        &x.softmax(-1, Kind::Float),
    );
    let (gamma, beta) = (values(&[37]), values(&[37]));
    let ours = operators::layer_norm(&x, &gamma, &beta, 1e-5).unwrap();
    let theirs = x.layer_norm([37], Some(&gamma), Some(&beta), 1e-5, false);
    agree(&[&x, &gamma, &beta], &ours, &theirs);
    let labels = Tensor::from_slice(&[0i64, 36, 5, 5]);
    let ours = operators::cross_entropy_mean(&x, &labels).unwrap();
    agree(&[&x], &ours, &x.cross_entropy_for_logits(&labels));
    let tokens = Tensor::from_slice(&[3i64, 0, 3, 1, 1, 3]).view([2, 3]);
    let ours = operators::embedding(&x, &tokens).unwrap();
    agree(&[&x], &ours, &Tensor::embedding(&x, &tokens, -1, false, false));
}

#[test]
fn images_agree() {
    let (x, w, b) = (values(&[2, 3, 9, 8]), values(&[4, 3, 3, 2]), values(&[4]));
    for (stride, padding) in [(1, 0), (2, 1)] {
        let ours = operators::conv2d(&x, &w, Some(&b), stride, padding).unwrap();
        let theirs = x.conv2d(&w, Some(&b), [stride, stride], [padding, padding], [1, 1], 1);
        agree(&[&x, &w, &b], &ours, &theirs);
    }
    let ours = operators::max_pool2d(&x, 3, 2).unwrap();
    agree(&[&x], &ours, &x.max_pool2d([3, 3], [2, 2], [0, 0], [1, 1], false));
    let ours = operators::mean_pool2d(&x, 3, 2).unwrap();
    let theirs = x.avg_pool2d([3, 3], [2, 2], [0, 0], false, true, None::<i64>);
    agree(&[&x], &ours, &theirs);
}

#[test]
fn attention_agrees() {
    let [q, k, v] = [(); 3].map(|()| values(&[2, 19, 4]));
    let ours = operators::causal_attention(&q, &k, &v).unwrap();
    let theirs =
        Tensor::scaled_dot_product_attention(&q, &k, &v, None::<&Tensor>, 0.0, true, None::<f64>, false);
    agree(&[&q, &k, &v], &ours, &theirs);
}

/// From the outputs of one operator to the inputs of another, through a whole layer and its loss.
#[test]
fn values_and_gradients_are_the_arithmetics_to_the_last_bit() {
    let (samples, inputs, outputs) = (33, 65, 19);
    let (x, w) = (values(&[33, 65]), values(&[19, 65]));
    let (b, labels) = (
        values(&[19]),
        Tensor::arange(33i64, (Kind::Int64, Device::Cpu)).remainder(19i64),
    );
    let logits = operators::linear(&x, &w, Some(&b)).unwrap();
    let mean = operators::cross_entropy_mean(&logits, &labels).unwrap();
    let told = slice(&mean);
    let gradients = Tensor::run_backward(&[mean], &[&x, &w, &b], false, false);

    let cpu = Cpu::default();
    let layer = Linear {
        samples,
        inputs,
        outputs,
    };
    let (x, w, b) = (slice(&x), slice(&w), slice(&b));
    let mut y = vec![0.0; samples * outputs];
    layer.forward(&cpu, &x, &w, Some(&b), &mut y);
    assert_eq!(slice(&logits), y);
    let labels: Vec<i64> = (0..33).map(|i| i % 19).collect();
    let (mut losses, mut dy) = (vec![0.0; samples], vec![0.0; y.len()]);
    cross_entropy::gradient(&cpu, &y, outputs, &labels, &mut losses, &mut dy);
    assert_eq!(told, [cross_entropy::mean(&cpu, &losses)]);
    let (mut dx, mut dw, mut db) = (vec![0.0; x.len()], vec![0.0; w.len()], vec![0.0; b.len()]);
    layer.input_gradient(&cpu, &dy, &w, &mut dx);
    layer.weight_gradient(&cpu, &dy, &x, &mut dw);
    layer.bias_gradient(&cpu, &dy, &mut db);
    let found: Vec<Vec<f32>> = gradients.iter().map(slice).collect();
    assert_eq!(found, [dx, dw, db]);
}

#[test]
fn a_step_of_training_changes_weights_and_buffer_where_they_are() {
    let mut weights = Tensor::from_slice(&[1.0f32, 2.0, 3.0]).set_requires_grad(true);
    let mut buffer = Tensor::from_slice(&[4.0f32, 0.0, -4.0]);
    let gradient = Tensor::from_slice(&[1.0f32, -1.0, 0.0]);
    let alias = weights.detach();
    operators::sgd(&mut weights, Some(&mut buffer), &gradient, 0.5, 0.25).unwrap();
    assert_eq!(slice(&buffer), [2.0, -1.0, -1.0]);
    assert_eq!(slice(&alias), [0.0, 2.5, 3.5]);
    operators::sgd(&mut weights, None, &gradient, 0.5, 0.25).unwrap();
    assert_eq!(slice(&alias), [-0.5, 3.0, 3.5]);
}

#[test]
fn what_does_not_fit_is_an_error_that_says_what() {
    let (x, w) = (values(&[5, 7]), values(&[3, 6]));
    let error = operators::linear(&x, &w, None).unwrap_err();
    assert_eq!(
        (error.operation, error.detail.as_str()),
        ("linear", "weights: [3, 6] instead of [3, 7]")
    );
    for wrong in [
        operators::relu(&x.to_kind(Kind::Double)),
        operators::linear(&x, &values(&[7]), None),
        operators::cross_entropy_mean(&x, &x),
        operators::max_pool2d(&values(&[1, 1, 2, 2]), 3, 1),
        operators::conv2d(&values(&[1, 2, 3, 3]), &values(&[1, 1, 3, 3]), None, 1, 0),
        operators::conv2d(&values(&[1, 1, 3, 3]), &values(&[1, 1, 3, 3]), None, 0, 0),
    ] {
        assert!(!wrong.unwrap_err().detail.is_empty());
    }
    // Found by the kernel.
    let labels = Tensor::from_slice(&[0i64, 7, 0, 0, 0]);
    assert!(operators::cross_entropy_mean(&x, &labels).is_err());
    // Nothing is wrong with what comes after it.
    assert!(operators::relu(&x).is_ok());
}

#[test]
fn threads_and_instructions_are_those_that_were_asked_for_last() {
    let x = values(&[300, 300]);
    let alone = slice(&operators::linear(&x, &x, None).unwrap());
    for threads in [3, 2, 0] {
        processor::use_threads(threads);
        assert_eq!(processor::cpu().threads(), threads.max(1));
        assert_eq!(slice(&operators::linear(&x, &x, None).unwrap()), alone);
    }
    processor::use_threads(2);
    for level in Level::available() {
        processor::use_level(level).unwrap();
        assert_eq!((processor::cpu().level(), processor::cpu().threads()), (level, 2));
        assert_eq!(slice(&operators::linear(&x, &x, None).unwrap()), alone);
    }
}
