//! `docs/arithmetic.md` as code: plain loops, word by word, slow and obvious. What everything else is judged by.
//!
//! Nothing here may use lanes, blocks or threads.

pub mod attention;
pub mod convolution;
pub mod cross_entropy;
pub mod embedding;
pub mod fold;
pub mod function;
pub mod layer_norm;
pub mod optimizer;
pub mod pool;
pub mod product;
pub mod softmax;
pub mod sum;
