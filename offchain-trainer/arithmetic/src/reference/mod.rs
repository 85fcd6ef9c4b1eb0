//! `docs/arithmetic.md` as code: plain loops, word by word, slow and obvious. What everything else is judged by.
//!
//! Nothing here may use lanes, blocks or threads.

pub mod convolution;
pub mod function;
pub mod product;
//! `docs/arithmetic.md` as code: one value after the other, one loop after the other, as the page says it. Slow, obvious, and the judge of
//! everything else in this crate.

pub mod cross_entropy;
pub mod embedding;
pub mod fold;
pub mod function;
pub mod layer_norm;
pub mod optimizer;
pub mod pool;
pub mod softmax;
pub mod sum;
