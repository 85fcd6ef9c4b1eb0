//! The repository itself: its shape, its scripts, its documents.
//!
//! One program for all of them: each would link the same libraries again.

mod documents;
mod scripts;
mod shape;
