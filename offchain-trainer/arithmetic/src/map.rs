//! One function of one value or of two, over slices and threads.

use crate::{
    Cpu,
    lanes::{Kernel, LANES, Lanes},
};

/// Values in one thread's piece: large enough to be worth a thread, and whole lanes, so that only the last piece has a rest.
const PIECE: usize = if cfg!(test) { 2 * LANES } else { 1 << 14 };

/// y = f(x)
pub(crate) trait Unary: Copy + Sync {
    /// Sixteen times.
    fn of<L: Lanes>(self, lanes: L, x: L::V) -> L::V;
}

/// z = f(x, y)
pub(crate) trait Binary: Copy + Sync {
    /// Sixteen times.
    fn of<L: Lanes>(self, lanes: L, x: L::V, y: L::V) -> L::V;
}

/// yᵢ = f(xᵢ)
pub(crate) fn unary<F: Unary>(cpu: &Cpu, f: F, x: &[f32], y: &mut [f32]) {
    struct Piece<'a, F>(F, &'a [f32], &'a mut [f32]);
    impl<F: Unary> Kernel for Piece<'_, F> {
        type Output = ();
        #[inline(always)]
        fn run<L: Lanes>(self, lanes: L) {
            let (x, x_rest) = self.1.as_chunks::<LANES>();
            let (y, y_rest) = self.2.as_chunks_mut::<LANES>();
            for (x, y) in x.iter().zip(y) {
                lanes.store(self.0.of(lanes, lanes.load(x)), y);
            }
            if !x_rest.is_empty() {
                lanes.store_some(self.0.of(lanes, lanes.load_some(x_rest, 0.0)), y_rest);
            }
        }
    }
    assert_eq!(x.len(), y.len(), "as many results as there are values");
    cpu.spread_pieces(y, PIECE, |i, y| cpu.run(Piece(f, &x[i * PIECE..][..y.len()], y)));
}

/// zᵢ = f(xᵢ, yᵢ)
pub(crate) fn binary<F: Binary>(cpu: &Cpu, f: F, x: &[f32], y: &[f32], z: &mut [f32]) {
    struct Piece<'a, F>(F, &'a [f32], &'a [f32], &'a mut [f32]);
    impl<F: Binary> Kernel for Piece<'_, F> {
        type Output = ();
        #[inline(always)]
        fn run<L: Lanes>(self, lanes: L) {
            let (x, x_rest) = self.1.as_chunks::<LANES>();
            let (y, y_rest) = self.2.as_chunks::<LANES>();
            let (z, z_rest) = self.3.as_chunks_mut::<LANES>();
            for ((x, y), z) in x.iter().zip(y).zip(z) {
                lanes.store(self.0.of(lanes, lanes.load(x), lanes.load(y)), z);
            }
            if !x_rest.is_empty() {
                let (x, y) = (lanes.load_some(x_rest, 0.0), lanes.load_some(y_rest, 0.0));
                lanes.store_some(self.0.of(lanes, x, y), z_rest);
            }
        }
    }
    assert_eq!(x.len(), y.len(), "two slices of one length");
    assert_eq!(x.len(), z.len(), "as many results as there are values");
    cpu.spread_pieces(z, PIECE, |i, z| {
        let at = i * PIECE;
        cpu.run(Piece(f, &x[at..][..z.len()], &y[at..][..z.len()], z));
    });
}
