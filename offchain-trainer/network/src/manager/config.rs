//! How many peers are kept, and for how long.

use std::time::Duration;

/// How many peers are kept, and for how long. The defaults suit a PC at home; tests take less.
#[derive(Debug, Clone)]
pub struct Config {
    /// Peers that we dialled and stay with.
    pub long_term: usize,
    /// Peers that we dialled and try out, while there aren't enough long-term ones.
    pub exploratory: usize,
    /// As many once there are.
    pub exploratory_settled: usize,
    /// Peers that came to us and may stay.
    pub inbound: usize,
    /// Peers that came to us and have no slot: they may stay while something moves.
    pub guests: usize,
    /// Peers at one public IP address (for IPv6, in one network of 2⁶⁴ addresses) that may have a slot.
    pub per_origin: usize,
    /// Up to so many known peers, ourselves not counted, everybody is connected with everybody.
    pub small: usize,
    /// How often one of the peers that are tried out gives way to another, or takes the place of a worse long-term one.
    pub exchange: Duration,
    /// Peers that are dialled at a time for slots; twice as many with those that are wanted for a fetch.
    pub dials: usize,
    /// After so long without a stream a connection with a peer without slot ends.
    pub idle: Duration,
    /// Whether faults count: who did wrong loses its slot, and who did too much is kept out for a while.
    pub bans: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            long_term: 8,
            exploratory: 4,
            exploratory_settled: 2,
            inbound: 32,
            // With those that have a slot, below the bound on all connections; and enough for who uses us as a relay.
            guests: 144,
            per_origin: 3,
            small: 12,
            exchange: Duration::from_secs(180),
            dials: 8,
            idle: Duration::from_secs(10),
            bans: true,
        }
    }
}
