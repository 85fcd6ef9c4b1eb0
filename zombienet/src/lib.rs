//! Networks whose nodes zombienet starts, suspends and stops, with our trainers beside them.
//!
//! The rest is the harness of `tests/network`: how a program's lines are read, how a network is watched, how `hydra up` is
//! driven. What zombienet is told, and what it is kept from doing, is in `configuration.rs` alone. Nothing here may look into
//! a program: only at what it prints, answers and leaves behind.
//!
//! Start with [`Zombienet`], then the tests, one file per story.

mod branches;
mod configuration;
mod ledger;
mod zombienet;

pub use branches::Branches;
pub use configuration::ID;
pub use ledger::{Judged, Ledger};
pub use zombienet::{Asleep, Zombienet};
