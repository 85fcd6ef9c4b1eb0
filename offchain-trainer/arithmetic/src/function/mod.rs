//! Functions of one value: exp, log, tanh, sigmoid, gelu and its derivative, in sixteen lanes and over slices.
//!
//! Each is a range reduction and a polynomial, made of fused multiply-adds, one division at most, comparisons and bits, without
//! branches: what lanes do. "Functions" in `docs/arithmetic.md` has every step and the largest error of each over all inputs.

mod exp;
mod log;

pub(crate) use exp::exp_lanes;
pub(crate) use log::log_lanes;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Cpu, Level, canonical_bits,
        lanes::{Kernel, LANES, Lanes},
        reference,
    };

    struct Both([f32; LANES]);
    impl Kernel for Both {
        type Output = [[f32; LANES]; 2];
        #[inline(always)]
        fn run<L: Lanes>(self, lanes: L) -> Self::Output {
            let x = lanes.load(&self.0);
            [exp_lanes(lanes, x), log_lanes(lanes, x)].map(|y| lanes.array(y))
        }
    }

    #[test]
    fn every_level_has_the_bits_of_the_reference() {
        for start in (0..u32::MAX - 16_000).step_by(16_001) {
            let x: [f32; LANES] = std::array::from_fn(|i| f32::from_bits(start + 1000 * i as u32));
            let expected = [x.map(reference::function::exp), x.map(reference::function::log)];
            for level in Level::available() {
                let found = Cpu::default().with_level(level).unwrap().run(Both(x));
                assert_eq!(
                    found.map(|row| row.map(canonical_bits)),
                    expected.map(|row| row.map(canonical_bits)),
                    "{level:?} {x:?}"
                );
            }
        }
    }
}
