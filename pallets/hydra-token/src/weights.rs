//! What the calls weigh.

use frame_support::weights::{Weight, constants::RocksDbWeight};

/// What each call weighs.
pub trait WeightInfo {
    /// `pay_query`.
    fn pay_query() -> Weight;
    /// `claim`.
    fn claim() -> Weight;
    /// `set_sponsor`.
    fn set_sponsor() -> Weight;
    /// `sponsor`.
    fn sponsor() -> Weight;
    /// `withdraw_sponsorship`.
    fn withdraw_sponsorship() -> Weight;
}

/// Made by hand, for mocks; the runtime's are measured: so many reads and writes, at RocksDB's price, and 60 µs for what is computed: a balance
/// that moves takes 40 µs of it, as in `pallet-balances`' own weights.
impl WeightInfo for () {
    // Reads: the model's version, pool, both accounts. Writes: pool, both accounts.
    fn pay_query() -> Weight {
        Weight::from_parts(60_000_000, 8_000).saturating_add(RocksDbWeight::get().reads_writes(5, 3))
    }
    // Pool, share, both accounts.
    fn claim() -> Weight {
        Weight::from_parts(60_000_000, 8_000).saturating_add(RocksDbWeight::get().reads_writes(4, 4))
    }
    // Reads: the model's version, sponsorship, the former sponsor's account and holds. Writes: all but the first.
    fn set_sponsor() -> Weight {
        Weight::from_parts(60_000_000, 8_000).saturating_add(RocksDbWeight::get().reads_writes(4, 3))
    }
    // Sponsorship, account, holds.
    fn sponsor() -> Weight {
        Weight::from_parts(60_000_000, 8_000).saturating_add(RocksDbWeight::get().reads_writes(3, 3))
    }
    // Sponsorship, account, holds.
    fn withdraw_sponsorship() -> Weight {
        Weight::from_parts(60_000_000, 8_000).saturating_add(RocksDbWeight::get().reads_writes(3, 3))
    }
}
