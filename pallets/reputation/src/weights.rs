//! What the calls weigh.

use frame_support::weights::{Weight, constants::RocksDbWeight};

/// What each call weighs.
pub trait WeightInfo {
    /// `register`, with the bond and the entry into the next electorate.
    fn register() -> Weight;
    /// `pause`.
    fn pause() -> Weight;
    /// `resume`.
    fn resume() -> Weight;
    /// `set_room`.
    fn set_room() -> Weight;
    /// `deregister`.
    fn deregister() -> Weight;
    /// `remove_abandoned`.
    fn remove_abandoned() -> Weight;
}

/// Made by hand, for mocks; the runtime's are measured: so many reads and writes, at RocksDB's price, and generous time for what is computed.
/// A call that touches one entry takes 20 µs of it; a registration verifies a signature (60 µs), hashes twice and bonds.
impl WeightInfo for () {
    // Reads: node, PeerId, count, two block hashes, session (3), bond (account, holds, locks, minimum: 6), electorate (8).
    // Writes: node, PeerId, count, bond (account, holds: 3), electorate (8), events (2).
    fn register() -> Weight {
        Weight::from_parts(250_000_000, 16_000).saturating_add(RocksDbWeight::get().reads_writes(22, 16))
    }
    fn pause() -> Weight {
        Weight::from_parts(20_000_000, 4_000).saturating_add(RocksDbWeight::get().reads_writes(1, 1))
    }
    fn resume() -> Weight {
        Weight::from_parts(20_000_000, 4_000).saturating_add(RocksDbWeight::get().reads_writes(1, 1))
    }
    fn set_room() -> Weight {
        Weight::from_parts(20_000_000, 4_000).saturating_add(RocksDbWeight::get().reads_writes(1, 1))
    }
    // Reads: node, count, holds, what is unbonding. Writes: node, PeerId, count.
    fn deregister() -> Weight {
        Weight::from_parts(30_000_000, 8_000).saturating_add(RocksDbWeight::get().reads_writes(4, 3))
    }
    // The session and the day's sessions more.
    fn remove_abandoned() -> Weight {
        Weight::from_parts(30_000_000, 8_000).saturating_add(RocksDbWeight::get().reads_writes(7, 3))
    }
}
