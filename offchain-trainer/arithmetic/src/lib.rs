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

pub mod cpu;
pub mod lanes;
pub mod linear;
pub mod product;
pub mod reference;
pub mod sum;

pub use cpu::{Cpu, Level};

/// The version of the definitions (`docs/arithmetic.md`). Whatever changes a bit is another version.
pub const VERSION: u32 = 1;

/// The one NaN that is hashed: which one an operation makes differs from processor to processor.
pub const NAN: u32 = 0x7fc0_0000;

/// The bits of a value, all that is no number alike.
pub fn canonical_bits(value: f32) -> u32 {
    if value.is_nan() { NAN } else { value.to_bits() }
}
