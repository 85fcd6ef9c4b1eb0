//! What this machine says of itself: which program holds a port, how much space is free, what the terminal may be shown.
//! Node, trainer and CLI ask before they start, and again when something is refused, so that the sentence a person reads
//! names the culprit.
//!
//! It must never change anything, and never need more rights than any user has: what can't be read is not known.

mod ports;
mod space;
pub mod terminal;

pub use ports::{Holder, port_holder, udp_port_holder};
pub use space::free_space;
