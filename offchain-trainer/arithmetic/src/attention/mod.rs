//! Causal attention: `docs/arithmetic.md`, *Causal attention*.
//!
//! Some rows at a time, from their products with what they look at, through softmax, to their share of the result, while they are in the
//! cache. What a position must not look at is computed where that is cheaper than leaving it out, but never added to anything: even a
//! product with +0 could change a sum's sign or make it NaN.

#[cfg(test)]
mod tests;
mod tiles;

use std::sync::Mutex;

use self::tiles::{Side, Triangle, columns, rows, scores};
use crate::{
    Cpu,
    lanes::{Kernel, LANES, Lanes},
    pieces::pieces_at_once,
    softmax,
};

/// The sizes of attention and its batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Attention {
    /// Heads, of all sequences together.
    pub count: usize,
    /// Positions of a sequence.
    pub length: usize,
    /// Values of a head at a position.
    pub width: usize,
}

/// One of several parts of a result, on its way to the thread that writes it.
type Part<T> = Mutex<Option<T>>;

impl Attention {
    /// f = 1 ÷ √width.
    pub fn factor(&self) -> f32 {
        1.0 / (self.width as f32).sqrt()
    }

    /// Stops what isn't attention, or is larger than memory can be.
    fn check<const N: usize>(&self, arrays: [&[f32]; N], p: &[f32]) {
        assert!(self.width > 0, "heads of attention have values");
        let size = |a: usize, b: usize| self.count.checked_mul(a)?.checked_mul(b);
        for array in arrays {
            assert_eq!(
                size(self.length, self.width),
                Some(array.len()),
                "attention's q, k, v, o and their gradients are [count, length, width]"
            );
        }
        assert_eq!(
            size(self.length, self.length),
            Some(p.len()),
            "attention's p is [count, length, length]"
        );
    }

    /// `o [count, length, width]` of `q`, `k` and `v`, all alike; `p [count, length, length]` is kept for the gradient, +0 where a position
    /// would look ahead.
    ///
    /// # Panics
    /// If the sizes don't fit, or there is no width.
    pub fn forward(self, cpu: &Cpu, q: &[f32], k: &[f32], v: &[f32], p: &mut [f32], o: &mut [f32]) {
        self.check([q, k, v, o], p);
        if p.is_empty() {
            return;
        }
        let some = pieces_at_once(cpu, self.count);
        let (input, square) = (some * self.length * self.width, some * self.length * self.length);
        let parts: Vec<Part<Forward>> = (q.chunks(input).zip(k.chunks(input)).zip(v.chunks(input)))
            .zip(p.chunks_mut(square).zip(o.chunks_mut(input)))
            .map(|(((q, k), v), (p, o))| {
                let shape = self;
                Mutex::new(Some(Forward { shape, q, k, v, p, o }))
            })
            .collect();
        spread(cpu, &parts);
    }

    /// The gradients of `q`, `k` and `v`, `dq`, `dk` and `dv`, from that of `o`, `d_o`, and the `p` that was kept.
    ///
    /// # Panics
    /// If the sizes don't fit, or there is no width.
    pub fn gradient(
        self,
        cpu: &Cpu,
        (q, k, v): (&[f32], &[f32], &[f32]),
        p: &[f32],
        d_o: &[f32],
        (dq, dk, dv): (&mut [f32], &mut [f32], &mut [f32]),
    ) {
        self.check([q, k, v, d_o, dq, dk, dv], p);
        if p.is_empty() {
            return;
        }
        let some = pieces_at_once(cpu, self.count);
        let (input, square) = (some * self.length * self.width, some * self.length * self.length);
        let inputs = (q.chunks(input).zip(k.chunks(input))).zip(v.chunks(input).zip(d_o.chunks(input)));
        let outputs = (dq.chunks_mut(input).zip(dk.chunks_mut(input))).zip(dv.chunks_mut(input));
        let parts: Vec<Part<Gradient>> = inputs
            .zip(p.chunks(square))
            .zip(outputs)
            .map(|((((q, k), (v, d_o)), p), ((dq, dk), dv))| {
                let shape = self;
                Mutex::new(Some(Gradient {
                    shape,
                    inputs: [q, k, v, d_o],
                    p,
                    outputs: [dq, dk, dv],
                }))
            })
            .collect();
        spread(cpu, &parts);
    }
}

/// Runs the parts, each on one thread.
fn spread<K: Kernel<Output = ()> + Send>(cpu: &Cpu, parts: &[Part<K>]) {
    cpu.spread(parts.len(), |i| {
        let part = parts[i].lock().ok().and_then(|mut part| part.take());
        cpu.run(part.expect("each part is taken once"));
    });
}

/// Some heads.
struct Forward<'a> {
    shape: Attention,
    q: &'a [f32],
    k: &'a [f32],
    v: &'a [f32],
    p: &'a mut [f32],
    o: &'a mut [f32],
}

impl Kernel for Forward<'_> {
    type Output = ();
    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        let (t, d, f) = (self.shape.length, self.shape.width, self.shape.factor());
        let size = t * d;
        let heads = (self.q.chunks_exact(size).zip(self.k.chunks_exact(size))).zip(self.v.chunks_exact(size));
        let results = self.p.chunks_exact_mut(t * t).zip(self.o.chunks_exact_mut(size));
        let pitch = t.next_multiple_of(LANES);
        let mut turned = vec![0.0; d * pitch];
        let mut block = vec![0.0; tiles::ROWS * pitch];
        let mut side = Side::new(t, d);
        for (((q, k), v), (p, o)) in heads.zip(results) {
            turn(lanes, k, d, &mut turned, pitch);
            let v = side.of(v);
            for first in (0..t).step_by(tiles::ROWS) {
                let end = t.min(first + tiles::ROWS);
                scores(
                    lanes,
                    &q[first * d..end * d],
                    (d, pitch),
                    &turned,
                    end,
                    &mut block,
                );
                for (i, s) in (first..end).zip(block.chunks_exact_mut(pitch)) {
                    let s = &mut s[..=i];
                    scale(lanes, f, s);
                    let (seen, ahead) = p[i * t..][..t].split_at_mut(i + 1);
                    softmax::row(lanes, s, seen);
                    ahead.fill(0.0);
                }
                let p = Triangle { values: p, step: t };
                rows(lanes, p, (first, end), &v, &mut o[first * d..end * d]);
            }
        }
    }
}

/// Some heads: Q, K, V and dO, and dQ, dK and dV.
struct Gradient<'a> {
    shape: Attention,
    inputs: [&'a [f32]; 4],
    p: &'a [f32],
    outputs: [&'a mut [f32]; 3],
}

impl Kernel for Gradient<'_> {
    type Output = ();
    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        let (t, d, f) = (self.shape.length, self.shape.width, self.shape.factor());
        let size = t * d;
        let [dq, dk, dv] = self.outputs;
        let pitch = t.next_multiple_of(LANES);
        let mut turned = vec![0.0; d * pitch];
        let mut block = vec![0.0; tiles::ROWS * pitch];
        // Not a power of two from row to row: columns are read, too.
        let step = pitch + LANES;
        let mut ds = vec![0.0; t * step];
        let mut sides = [(); 3].map(|()| Side::new(t, d));
        for (head, p) in self.p.chunks_exact(t * t).enumerate() {
            let here = head * size..(head + 1) * size;
            let [q, k, v, d_o] = self.inputs.map(|values| &values[here.clone()]);
            turn(lanes, v, d, &mut turned, pitch);
            let [side_q, side_k, side_o] = &mut sides;
            let (side_q, side_k, side_o) = (side_q.of(q), side_k.of(k), side_o.of(d_o));
            let dq = &mut dq[here.clone()];
            for first in (0..t).step_by(tiles::ROWS) {
                let end = t.min(first + tiles::ROWS);
                scores(
                    lanes,
                    &d_o[first * d..end * d],
                    (d, pitch),
                    &turned,
                    end,
                    &mut block,
                );
                for (i, dp) in (first..end).zip(block.chunks_exact(pitch)) {
                    let ds = &mut ds[i * step..][..=i];
                    softmax::row_gradient(lanes, &dp[..=i], &p[i * t..][..=i], ds);
                    scale(lanes, f, ds);
                }
                let ds = Triangle { values: &ds, step };
                rows(lanes, ds, (first, end), &side_k, &mut dq[first * d..end * d]);
            }
            let (ds, p) = (Triangle { values: &ds, step }, Triangle { values: p, step: t });
            columns(lanes, ds, t, &side_q, &mut dk[here.clone()]);
            columns(lanes, p, t, &side_o, &mut dv[here]);
        }
    }
}

/// Each value times f.
#[inline(always)]
fn scale<L: Lanes>(lanes: L, f: f32, values: &mut [f32]) {
    let f = lanes.splat(f);
    let (whole, rest) = values.as_chunks_mut::<LANES>();
    for values in whole {
        lanes.store(lanes.mul(lanes.load(values), f), values);
    }
    if !rest.is_empty() {
        lanes.store_some(lanes.mul(lanes.load_some(rest, 0.0), f), rest);
    }
}

/// `from [rows, d]` as `to [d, pitch]`.
#[inline(always)]
fn turn<L: Lanes>(lanes: L, from: &[f32], d: usize, to: &mut [f32], pitch: usize) {
    let rows = from.len() / d;
    let whole = (rows / LANES * LANES, d / LANES * LANES);
    for i in (0..whole.0).step_by(LANES) {
        for c in (0..whole.1).step_by(LANES) {
            lanes.transpose(&from[i * d + c..], d, &mut to[c * pitch + i..], pitch);
        }
    }
    for (i, from) in from.chunks_exact(d).enumerate() {
        let done = if i < whole.0 { whole.1 } else { 0 };
        for (c, value) in from.iter().enumerate().skip(done) {
            to[c * pitch + i] = *value;
        }
    }
}
