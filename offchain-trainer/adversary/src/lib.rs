//! A hostile trainer: a test program that takes part in a network by its rules, except for one thing at a time.
//!
//! It registers, bonds, says that it is there, and does its duties like anyone; where it cheats, [`cheats`] says how. Tests start it
//! beside honest nodes and expect it to lose by it. It must never be useful: nothing here looks for, or uses, a weakness of a
//! node.
//!
//! Start with [`cheats`]: each lie, and what must come of it. `cheats_tests` shows that without a network, `tests/network`
//! with one.

pub mod chain;
pub mod cheats;
pub mod error;
mod options;
pub mod run;
mod work;

pub use options::Options;
