//! What the crate computes, seen from outside.

mod accuracy;
mod judge;
mod vectors;
