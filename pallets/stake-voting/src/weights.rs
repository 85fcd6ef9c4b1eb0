//! What calls, and the steps of polls, weigh. Made by hand, for mocks; the runtime's are measured: storage as RocksDB's defaults
//! say, 25 µs a read and 100 µs a write, and computing rounded up.

use frame_support::weights::{Weight, constants::RocksDbWeight};

/// What calls, and the steps of polls, weigh.
pub trait WeightInfo {
    /// `bond`.
    fn bond() -> Weight;
    /// `unbond`.
    fn unbond() -> Weight;
    /// `withdraw`.
    fn withdraw() -> Weight;
    /// Looking at a poll and storing what became of it, whatever is done besides.
    fn look_at_poll() -> Weight;
    /// Looking at one point of the electorate's line.
    fn look_at_point() -> Weight;
    /// Giving one seat to the account that was found.
    fn take_seat() -> Weight;
    /// Judging one account, and forgetting its seats.
    fn judge() -> Weight;
    /// Sharing what was forfeited, when all accounts are judged.
    fn share() -> Weight;
}

fn weight(micros: u64, reads: u64, writes: u64) -> Weight {
    Weight::from_parts(micros.saturating_mul(1_000_000), 0)
        .saturating_add(RocksDbWeight::get().reads_writes(reads, writes))
}

impl WeightInfo for () {
    fn bond() -> Weight {
        // Reads node, count of nodes, unbonding, hold, account; writes the last two.
        weight(60, 5, 2)
    }

    fn unbond() -> Weight {
        // Reads node, count of nodes, hold, unbonding, delay; writes unbonding, and the node that leaves.
        weight(60, 5, 2)
    }

    fn withdraw() -> Weight {
        // Unbonding, hold, account, all read and written.
        weight(60, 3, 3)
    }

    fn look_at_poll() -> Weight {
        // Reads poll, session, randomness (two), the first key of its seats, the tree's root, the largest weights, the sessions of a day
        // (two); writes the poll. Up to three stages pass in one block, each with an event.
        weight(50, 9, 1)
    }

    fn look_at_point() -> Weight {
        // A middle node and a leaf, of half a kibibyte each, and the slot; then the account: node, hold, unbonding, count of nodes, and
        // whether it has a seat already. Two hashes.
        weight(25, 8, 0)
    }

    fn take_seat() -> Weight {
        // The seat and the node, read (again) and written.
        weight(20, 2, 2)
    }

    fn judge() -> Weight {
        // Reads the next key, seat, node, hold, unbonding, account; writes all but the key and the issuance. One hash, two events.
        weight(50, 6, 6)
    }

    fn share() -> Weight {
        // To each of the 64 accounts that can be right in a first draw, and to the claimant: its balance, read and written; the issuance.
        weight(700, 66, 66)
    }
}
