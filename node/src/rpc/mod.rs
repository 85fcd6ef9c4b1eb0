//! JSON-RPC: which methods there are, who may call them, and the server that answers.

mod cors;
mod guard;
mod methods;
mod server;

pub use methods::Dependencies;
pub use server::{Server, take_over};
