//! The trainer as its node, its owner and the programs on its PC meet it.
//!
//! One program for all of them: each would link the same libraries again.

mod connections;
mod diverging;
mod http;
mod killed;
mod names;
mod paid;
mod program;
mod rounds;
mod support;
mod surroundings;
mod tunnels;
