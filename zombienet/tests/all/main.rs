//! Networks whose nodes zombienet runs, one file per story.
//!
//! One program for all of them: each would link the same libraries again.

mod joining;
mod stories;
mod suspended;
mod upgrade;
