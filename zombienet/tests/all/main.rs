//! Networks whose nodes zombienet runs, one file per story.
//!
//! One program for all of them: each would link the same libraries again. What is in `long` takes many minutes, and runs in
//! `scripts/soak` only.

mod equivocation;
mod full_blocks;
mod joining;
mod long;
mod stories;
mod suspended;
mod upgrade;
