//! `docs/arithmetic.md` as code: plain loops, word by word, slow and obvious. What everything else is judged by.
//!
//! Nothing here may use lanes, blocks or threads.

pub mod product;
