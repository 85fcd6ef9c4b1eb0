//! The simulator: what it shows of the protocol, and that it plays by the protocol's rules.
//!
//! One program for all of them: each would link the same libraries again.

mod faults;
mod runs;
