//! `docs/arithmetic.md` as code: one value after the other, one loop after the other, as the page says it. Slow, obvious, and the judge of
//! everything else in this crate.

pub mod embedding;
pub mod fold;
pub mod function;
pub mod optimizer;
pub mod pool;
pub mod sum;
