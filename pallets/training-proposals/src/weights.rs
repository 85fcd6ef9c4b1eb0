//! What calls and hooks may take. The numbers are estimates on the safe side, made by counting what each reads and writes, for mocks;
//! the runtime's are measured.

use frame_support::weights::{Weight, constants::ParityDbWeight};

/// A microsecond of a CPU core, in picoseconds.
const MICROSECOND: u64 = 1_000_000;
/// Making and comparing one digest, its seat's entry decoded.
const SEAT: u64 = 8 * MICROSECOND;
/// Accounts that one seat of a draw may read: five tries, each three nodes of the tree, a slot, the account's node and its bond.
const READS_PER_DRAWN: u64 = 30;

/// What calls and hooks may take.
pub trait WeightInfo {
    /// Taking a heartbeat: enters an account into the next session's electorate.
    fn heartbeat() -> Weight;
    /// Taking a proposal.
    fn propose() -> Weight;
    /// Taking a digest.
    fn digest() -> Weight;
    /// Taking an opening, where the poll's draws so far have `seats` seats: each may be another account's.
    fn open(seats: u32) -> Weight;
    /// Looking whether a result is owed. `seats`: as of an opening, 0 for others.
    fn owed(seats: u32) -> Weight;
    /// Adding a model.
    fn add_model() -> Weight;
    /// What the hooks do in every block, whatever models there are.
    fn hook() -> Weight;
    /// Looking at a model whose round may move on, and writing its round.
    fn look() -> Weight;
    /// Looking at one place.
    fn look_at_place() -> Weight;
    /// Drawing `places` places.
    fn open_round(places: u32) -> Weight;
    /// Closing a place and asking the poll on what was proposed there.
    fn close_place() -> Weight;
    /// Settling a place: what was forfeited is shared by `right` accounts.
    fn settle_place(right: u32) -> Weight;
    /// Making a version of what was accepted in `places` places, and recording the round.
    fn finish_round(places: u32) -> Weight;
    /// Confirming a version, or giving it up with the `places` places that trained from it.
    fn end_version(places: u32) -> Weight;
    /// Beginning to pay what a round earned.
    fn begin_paying() -> Weight;
    /// Paying for a place: its holder and `right` accounts.
    fn pay_place(right: u32) -> Weight;
}

fn reads_writes(reads: u64, writes: u64) -> Weight {
    ParityDbWeight::get().reads_writes(reads, writes)
}

fn micros(micros: u64) -> Weight {
    Weight::from_parts(micros.saturating_mul(MICROSECOND), 0)
}

impl WeightInfo for () {
    /// Node, bond, session; the slot and three nodes of the tree, the sums per size class.
    fn heartbeat() -> Weight {
        micros(60).saturating_add(reads_writes(12, 8))
    }

    /// Round, terms, place, confirmed version, bond; round and place.
    fn propose() -> Weight {
        micros(60).saturating_add(reads_writes(8, 3))
    }

    /// Poll and seat.
    fn digest() -> Weight {
        micros(40).saturating_add(reads_writes(4, 3))
    }

    /// Poll, and the seats of this draw with those of the draws before it.
    fn open(seats: u32) -> Weight {
        let seats = u64::from(seats);
        micros(60)
            .saturating_add(Weight::from_parts(seats.saturating_mul(SEAT), 0))
            .saturating_add(reads_writes(seats.saturating_add(4), 2))
    }

    /// As much as what is looked for, without writing.
    fn owed(seats: u32) -> Weight {
        let seats = u64::from(seats);
        micros(40)
            .saturating_add(Weight::from_parts(seats.saturating_mul(SEAT), 0))
            .saturating_add(reads_writes(seats.saturating_add(8), 0))
    }

    /// A spec with its data set, 41 kB at most, is hashed.
    fn add_model() -> Weight {
        micros(400).saturating_add(reads_writes(6, 8))
    }

    fn hook() -> Weight {
        micros(5).saturating_add(reads_writes(3, 1))
    }

    /// Round and terms; the electorate's totals, the payer, the backlog.
    fn look() -> Weight {
        micros(20).saturating_add(reads_writes(14, 2))
    }

    fn look_at_place() -> Weight {
        micros(5).saturating_add(reads_writes(1, 0))
    }

    /// Each place is drawn and written, and its holder's node changes.
    fn open_round(places: u32) -> Weight {
        let places = u64::from(places);
        micros(places.saturating_mul(40).saturating_add(60)).saturating_add(reads_writes(
            places.saturating_mul(READS_PER_DRAWN).saturating_add(8),
            places.saturating_mul(2).saturating_add(6),
        ))
    }

    /// Place, node, bond, minimum, payer; place, node or poll.
    fn close_place() -> Weight {
        micros(40).saturating_add(reads_writes(10, 4))
    }

    /// Place, payout, node, hold and balance of its holder, and the balances of those who share.
    fn settle_place(right: u32) -> Weight {
        let right = u64::from(right);
        micros(right.saturating_mul(15).saturating_add(60)).saturating_add(reads_writes(
            right.saturating_mul(2).saturating_add(10),
            right.saturating_mul(2).saturating_add(8),
        ))
    }

    /// Each place and its payout are read, places removed; the version has up to 90 kB.
    fn finish_round(places: u32) -> Weight {
        let places = u64::from(places);
        micros(places.saturating_mul(15).saturating_add(200)).saturating_add(reads_writes(
            places.saturating_mul(2).saturating_add(10),
            places.saturating_add(8),
        ))
    }

    /// The version and the round's record are read; each place is removed, and its holder's node changes.
    fn end_version(places: u32) -> Weight {
        let places = u64::from(places);
        micros(places.saturating_mul(20).saturating_add(300)).saturating_add(reads_writes(
            places.saturating_mul(2).saturating_add(8),
            places.saturating_mul(2).saturating_add(8),
        ))
    }

    /// The round's record is read and written.
    fn begin_paying() -> Weight {
        micros(60).saturating_add(reads_writes(1, 1))
    }

    /// Balance, shares and pool for each account; the payer.
    fn pay_place(right: u32) -> Weight {
        let accounts = u64::from(right.saturating_add(1));
        micros(accounts.saturating_mul(40).saturating_add(20)).saturating_add(reads_writes(
            accounts.saturating_mul(4).saturating_add(5),
            accounts.saturating_mul(4).saturating_add(4),
        ))
    }
}
