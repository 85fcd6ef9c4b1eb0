//! `docs/arithmetic.md` as code, one loop after the other: the judge of everything else in this crate, and never used by it.

pub mod embedding;
pub mod fold;
pub mod optimizer;
pub mod pool;
