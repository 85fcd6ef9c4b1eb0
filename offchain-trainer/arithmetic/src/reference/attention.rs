//! *Causal attention*.

use crate::{
    attention::Attention,
    lanes::fma,
    product::{Matrix, Start},
    reference::{product::product, softmax},
};

/// P `[count, length, length]`, +0 where a position would look ahead, and O.
pub fn forward(shape: Attention, q: &[f32], k: &[f32], v: &[f32]) -> (Vec<f32>, Vec<f32>) {
    let (t, d) = (shape.length, shape.width);
    let (mut all_p, mut all_o) = (Vec::new(), Vec::new());
    for head in 0..shape.count {
        let here = head * t * d..(head + 1) * t * d;
        let [q, k, v] = [q, k, v].map(|values| &values[here.clone()]);
        let mut s = vec![0.0; t * t];
        product(
            Matrix::new(q, t, d),
            Matrix::new(k, t, d).transposed(),
            Start::Zero,
            &mut s,
        );
        for i in 0..t {
            let row: Vec<f32> = (0..=i).map(|j| s[i * t + j] * shape.factor()).collect();
            let mut p = vec![0.0; i + 1];
            softmax::forward(&row, i + 1, &mut p);
            for c in 0..d {
                let mut sum = 0.0;
                for j in 0..=i {
                    sum = fma(p[j], v[j * d + c], sum);
                }
                all_o.push(sum);
            }
            all_p.extend(&p);
            all_p.extend((i + 1..t).map(|_| 0.0));
        }
    }
    (all_p, all_o)
}

/// dQ, dK and dV, from what `forward` kept.
pub fn gradient(
    shape: Attention,
    (q, k, v): (&[f32], &[f32], &[f32]),
    p: &[f32],
    d_o: &[f32],
) -> (Vec<f32>, Vec<f32>, Vec<f32>) {
    let (t, d) = (shape.length, shape.width);
    let (mut all_dq, mut all_dk, mut all_dv) = (Vec::new(), Vec::new(), Vec::new());
    for head in 0..shape.count {
        let here = head * t * d..(head + 1) * t * d;
        let [q, k, v, d_o] = [q, k, v, d_o].map(|values| &values[here.clone()]);
        let p = &p[head * t * t..][..t * t];
        let mut dp = vec![0.0; t * t];
        product(
            Matrix::new(d_o, t, d),
            Matrix::new(v, t, d).transposed(),
            Start::Zero,
            &mut dp,
        );
        let mut ds = vec![0.0; t * t];
        for i in 0..t {
            let mut row = vec![0.0; i + 1];
            softmax::gradient(&dp[i * t..][..i + 1], &p[i * t..][..i + 1], i + 1, &mut row);
            for j in 0..=i {
                ds[i * t + j] = row[j] * shape.factor();
            }
        }
        for at in 0..t {
            for c in 0..d {
                let mut dq = 0.0;
                for j in 0..=at {
                    dq = fma(ds[at * t + j], k[j * d + c], dq);
                }
                all_dq.push(dq);
                let (mut dk, mut dv) = (0.0, 0.0);
                for i in at..t {
                    dk = fma(ds[i * t + at], q[i * d + c], dk);
                    dv = fma(p[i * t + at], d_o[i * d + c], dv);
                }
                all_dk.push(dk);
                all_dv.push(dv);
            }
        }
    }
    (all_dq, all_dk, all_dv)
}
