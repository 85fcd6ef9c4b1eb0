//! Arithmetic whose every bit is defined: what training consists of, in single precision, with the same result on every processor and
//! with any number of threads.
//!
//! `docs/arithmetic.md` defines the operations by IEEE 754 alone, in an order that depends on shapes only. [`mod@reference`] is that
//! page as code, slow and obvious, and the judge of everything else. The other modules compute the same fast: over [`lanes`], which are
//! sixteen values wide everywhere, whatever the processor's registers are, with the instructions that it has ([`Level`]) and the
//! threads that they are given ([`Cpu`]).
//!
//! Nothing here may call a mathematical function of a library, add up in an order that the number of threads or the width of a register
//! decides, or leave it to the compiler whether a product and a sum are rounded once or twice.

pub mod attention;
pub mod convolution;
pub mod cpu;
pub mod cross_entropy;
pub mod elementwise;
pub mod embedding;
pub mod fold;
pub mod function;
mod known_answer;
pub mod lanes;
pub mod layer_norm;
pub mod linear;
mod map;
pub mod optimizer;
mod pieces;
pub mod pool;
pub mod product;
pub mod reference;
#[cfg(test)]
mod rows_testing;
pub mod softmax;
pub mod sum;
mod tail;

pub use cpu::{Cpu, Level};
pub use known_answer::known_answer;

/// The version of the definitions (`docs/arithmetic.md`). Whatever changes a bit is another version.
pub const VERSION: u32 = 1;

/// The one NaN that is hashed: which one an operation makes differs from processor to processor.
pub const NAN: u32 = 0x7fc0_0000;

/// The bits of a value, all that is no number alike. What is hashed and may be no number goes through here. Nothing else
/// changes: −0 stays −0.
pub fn canonical_bits(value: f32) -> u32 {
    if value.is_nan() { NAN } else { value.to_bits() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_has_one_form_and_all_others_their_own() {
        // Quiet and signalling, of either sign, with any payload.
        for nan in [
            0x7fc0_0000,
            0xffc0_0000,
            0x7f80_0001,
            0xff80_0001,
            0x7fff_ffff,
            0xffff_ffff,
        ] {
            assert_eq!(canonical_bits(f32::from_bits(nan)), 0x7fc0_0000);
        }
        for number in [
            0,
            0x8000_0000,
            1,
            0x8000_0001,
            0x3f80_0000,
            0x7f80_0000,
            0xff80_0000,
        ] {
            assert_eq!(canonical_bits(f32::from_bits(number)), number);
        }
    }
}
