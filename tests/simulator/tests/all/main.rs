//! The simulator: what it shows of the protocol, that it plays by the protocol's rules, and that its sums are right.
//!
//! One program for all of them: each would link the same libraries again.

mod ends;
mod exact;
mod faults;
mod runs;
