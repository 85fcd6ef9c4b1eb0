//! A hostile trainer: a test program that takes part in a network by its rules, except that its proposals are lies.
//!
//! It registers, bonds, proposes and serves blobs like anyone; what it claims is made by [`cheats`]. Tests start it
//! beside honest nodes and expect its proposals to be rejected. It must never be useful: nothing here looks for, or
//! uses, a weakness of a node, and it doesn't vote.
//!
//! Start with [`cheats`]: each lie, and what must come of it. `cheats_tests` shows that without a network, `tests/network`
//! with one.

pub mod chain;
pub mod cheats;
mod options;
pub mod run;

pub use options::Options;
