//! What the crate computes, seen from outside.

mod vectors;
