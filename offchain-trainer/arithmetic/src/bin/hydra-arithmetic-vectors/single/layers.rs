//! Layers with their gradients.

use hydra_arithmetic::{attention::Attention, convolution::Convolution, linear::Linear, pool::Windows};

use super::case::Cases;
use crate::operations::Operations;

/// 10⁻⁵, rounded.
const EPSILON: f32 = 1e-5;

/// Small ones are written out, the last one is large.
fn begin(cases: &mut Cases, title: &str, at: usize, count: usize) {
    if at + 1 < count {
        cases.small(title, at as u64);
    } else {
        cases.large(title, at as u64);
    }
}

pub fn linear(on: &dyn Operations, cases: &mut Cases) {
    let sizes = [[1, 1, 1], [3, 17, 5], [5, 4, 18], [261, 7, 253]];
    for (at, [samples, inputs, outputs]) in sizes.into_iter().enumerate() {
        let title = format!("linear X [{samples}, {inputs}], W [{outputs}, {inputs}], b [{outputs}]");
        begin(cases, &title, at, sizes.len());
        let size = Linear {
            samples,
            inputs,
            outputs,
        };
        let x = cases.drawn("X", samples * inputs, 1.0);
        let w = cases.drawn("W", outputs * inputs, 1.0);
        let b = cases.drawn("b", outputs, 1.0);
        let dy = cases.drawn("dY", samples * outputs, 1.0);
        let [dw, db] = on.linear_gradients(size, &dy, &x);
        cases.made("Y", &on.linear(size, &x, &w, Some(&b)));
        cases.made("Y without b", &on.linear(size, &x, &w, None));
        cases.made("dX", &on.linear_input_gradient(size, &dy, &w));
        cases.made("dW", &dw);
        cases.made("db", &db);
    }
}

pub fn softmax(on: &dyn Operations, cases: &mut Cases) {
    let sizes = [[1, 1], [3, 5], [2, 21], [301, 131]];
    for (at, [rows, columns]) in sizes.into_iter().enumerate() {
        begin(
            cases,
            &format!("softmax x, dy [{rows}, {columns}]"),
            at,
            sizes.len(),
        );
        let x = cases.drawn("x", rows * columns, 8.0);
        let dy = cases.drawn("dy", rows * columns, 1.0);
        let y = on.softmax(columns, &x);
        cases.made("y", &y);
        cases.made("dx", &on.softmax_gradient(columns, &y, &dy));
    }
    cases.small("softmax x [2, 3], beyond what is finite", 0);
    let x = [f32::MAX, f32::MIN, f32::NEG_INFINITY, 1.0, f32::NAN, 2.0];
    cases.given("x", &x);
    cases.made("y", &on.softmax(3, &x));
}

pub fn cross_entropy(on: &dyn Operations, cases: &mut Cases) {
    let sizes = [[1, 2], [4, 10], [3, 19], [301, 131]];
    for (at, [rows, classes]) in sizes.into_iter().enumerate() {
        let title = format!("cross-entropy x [{rows}, {classes}], label [{rows}]");
        begin(cases, &title, at, sizes.len());
        let x = cases.drawn("x", rows * classes, 8.0);
        let labels = cases.numbers("label", rows, classes);
        let (loss, dx) = on.cross_entropy(classes, &x, &labels);
        cases.made("mean loss", &[loss]);
        cases.made("dx", &dx);
    }
}

pub fn layer_norm(on: &dyn Operations, cases: &mut Cases) {
    let sizes = [[1, 1], [3, 5], [4, 18], [301, 131]];
    for (at, [rows, columns]) in sizes.into_iter().enumerate() {
        let title = format!("layer norm x, dy [{rows}, {columns}], γ, β [{columns}], ε = 1e-5");
        begin(cases, &title, at, sizes.len());
        let x = cases.drawn("x", rows * columns, 2.0);
        let gamma = cases.drawn("γ", columns, 1.0);
        let beta = cases.drawn("β", columns, 1.0);
        let dy = cases.drawn("dy", rows * columns, 1.0);
        cases.made("y", &on.layer_norm(columns, EPSILON, &x, &gamma, &beta));
        let [dx, d_gamma, d_beta] = on.layer_norm_gradients(columns, EPSILON, &x, &gamma, &dy);
        cases.made("dx", &dx);
        cases.made("dγ", &d_gamma);
        cases.made("dβ", &d_beta);
    }
}

pub fn embedding(on: &dyn Operations, cases: &mut Cases) {
    let sizes = [[3, 5, 7], [7, 18, 4], [301, 131, 300]];
    for (at, [rows, columns, length]) in sizes.into_iter().enumerate() {
        let title =
            format!("embedding table [{rows}, {columns}], tokens [{length}], dy [{length}, {columns}]");
        begin(cases, &title, at, sizes.len());
        let table = cases.drawn("table", rows * columns, 1.0);
        let tokens = cases.numbers("tokens", length, rows);
        let dy = cases.drawn("dy", length * columns, 1.0);
        cases.made("y", &on.embedding(columns, &table, &tokens));
        cases.made("dtable", &on.embedding_gradient(columns, rows, &tokens, &dy));
    }
}

pub fn convolution(on: &dyn Operations, cases: &mut Cases) {
    let size = |[samples, inputs, height, width]: [usize; 4], outputs, kernel, stride, padding| Convolution {
        samples,
        inputs,
        height,
        width,
        outputs,
        kernel,
        stride,
        padding,
    };
    let sizes = [
        size([1, 1, 3, 3], 1, (3, 3), 1, 0),
        size([2, 2, 5, 4], 3, (3, 3), 1, 1),
        size([1, 3, 6, 7], 2, (3, 3), 2, 1),
        size([1, 1, 6, 5], 2, (2, 1), 3, 2),
        size([5, 5, 13, 15], 18, (3, 3), 1, 1),
    ];
    for (at, size) in sizes.into_iter().enumerate() {
        let Convolution {
            samples,
            inputs,
            height,
            width,
            outputs,
            kernel: (rows, columns),
            stride,
            padding,
        } = size;
        let title = format!(
            "convolution X [{samples}, {inputs}, {height}, {width}], W [{outputs}, {inputs}, {rows}, {columns}], b [{outputs}], stride {stride}, padding {padding}"
        );
        begin(cases, &title, at, sizes.len());
        let x = cases.drawn("X", samples * size.input_size(), 1.0);
        let w = cases.drawn("W", outputs * size.terms(), 1.0);
        let b = cases.drawn("b", outputs, 1.0);
        let dy = cases.drawn("dY", samples * size.output_size(), 1.0);
        cases.made("Y", &on.convolution(size, &x, &w, &b));
        let [dw, db] = on.convolution_gradients(size, &dy, &x);
        cases.made("dX", &on.convolution_input_gradient(size, &dy, &w));
        cases.made("dW", &dw);
        cases.made("db", &db);
    }
}

/// Windows over planes, and the title of their case.
fn windows(name: &str) -> [(Windows, String); 4] {
    let sizes = [
        [1, 2, 2, 2, 2],
        [2, 5, 4, 2, 2],
        [2, 5, 5, 3, 1],
        [29, 45, 47, 3, 2],
    ];
    sizes.map(|[planes, height, width, size, stride]| {
        let windows = Windows {
            planes,
            height,
            width,
            size,
            stride,
        };
        let title = format!("{name} X [{planes}, {height}, {width}], k = {size}, stride {stride}");
        (windows, title)
    })
}

pub fn max_pool(on: &dyn Operations, cases: &mut Cases) {
    let all = windows("max pool");
    for (at, (size, title)) in all.iter().enumerate() {
        begin(cases, title, at, all.len());
        let x = cases.drawn("X", size.planes * size.height * size.width, 1.0);
        let (y, kept) = on.max_pool(*size, &x);
        let dy = cases.drawn("dY", y.len(), 1.0);
        cases.made("Y", &y);
        cases.made("dX", &on.max_pool_gradient(*size, &dy, &kept));
    }
}

pub fn mean_pool(on: &dyn Operations, cases: &mut Cases) {
    let all = windows("mean pool");
    for (at, (size, title)) in all.iter().enumerate() {
        begin(cases, title, at, all.len());
        let x = cases.drawn("X", size.planes * size.height * size.width, 1.0);
        let y = on.mean_pool(*size, &x);
        let dy = cases.drawn("dY", y.len(), 1.0);
        cases.made("Y", &y);
        cases.made("dX", &on.mean_pool_gradient(*size, &dy));
    }
}

pub fn attention(on: &dyn Operations, cases: &mut Cases) {
    let sizes = [[1, 1, 1], [1, 4, 3], [2, 5, 18], [5, 67, 33]];
    for (at, [count, length, width]) in sizes.into_iter().enumerate() {
        let title = format!("causal attention Q, K, V [{count}, {length}, {width}]");
        begin(cases, &title, at, sizes.len());
        let size = Attention { count, length, width };
        let all = count * length * width;
        let [q, k, v] = ["Q", "K", "V"].map(|name| cases.drawn(name, all, 2.0));
        let d_o = cases.drawn("dO", all, 1.0);
        cases.made("O", &on.attention(size, [&q, &k, &v]));
        let [dq, dk, dv] = on.attention_gradients(size, [&q, &k, &v], &d_o);
        cases.made("dQ", &dq);
        cases.made("dK", &dk);
        cases.made("dV", &dv);
    }
}
