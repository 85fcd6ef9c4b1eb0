//! JSON-RPC: who may call its methods, and the server that answers.

mod body;
mod cors;
mod guard;
mod server;

pub use server::{Server, take_over};
