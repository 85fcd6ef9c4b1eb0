//! Sums of many values: sixteen partial sums, one to a lane, then the lanes' tree.

use crate::{
    Cpu,
    lanes::{Kernel, LANES, Lanes},
};

/// Σ xᵢ: lane l adds up the values whose index is l mod 16, in ascending order, from +0; then the lanes are added as [`Lanes::sum`] does.
#[inline(always)]
pub(crate) fn sum_lanes<L: Lanes>(lanes: L, values: &[f32]) -> f32 {
    let (whole, rest) = values.as_chunks::<LANES>();
    let mut sums = lanes.splat(0.0);
    for chunk in whole {
        sums = lanes.add(sums, lanes.load(chunk));
    }
    if !rest.is_empty() {
        // A partial sum is never −0, so adding +0 to it changes nothing.
        sums = lanes.add(sums, lanes.load_some(rest, 0.0));
    }
    lanes.sum(sums)
}

/// Σ xᵢ of all values, `[n]`; +0 of none. Errors grow with n/16, not with n.
pub fn sum(cpu: &Cpu, values: &[f32]) -> f32 {
    struct Sum<'a>(&'a [f32]);
    impl Kernel for Sum<'_> {
        type Output = f32;
        #[inline(always)]
        fn run<L: Lanes>(self, lanes: L) -> f32 {
            sum_lanes(lanes, self.0)
        }
    }
    cpu.run(Sum(values))
}
