//! The pallet on a chain of its own.

mod bonds;
mod digests;
mod drawing;
mod judging;
mod offences;
mod opening;
mod participation;
mod random;
mod small;

use crate::{
    Error, Polls, Seats,
    mock::{StakeVoting, System, Test, account, next_block},
    poll::{Seat, Stage},
};
use frame_support::weights::WeightMeter;
use hydra_primitives::{
    Balance, H256, HYDRA,
    electorate::{Draw, Purpose},
    poll::{Decision, Finding, OPENING_BLOCKS, Opening, PollId, digest},
    traits::{PollOutcome, PollProgress, Polls as _, Question},
};
use sp_core::crypto::AccountId32;

const POLL: PollId = H256::repeat_byte(0xaa);
const WINDOW: u32 = 5;
const FORFEIT: Balance = HYDRA;
/// Blocks in which a poll is over, with a meter that stops nothing: a block to begin in, and the window and the wait of three draws.
const LONGEST: u32 = 1 + 3 * (WINDOW + OPENING_BLOCKS);

const TRUTH: Opening = Opening {
    finding: Finding::Update(H256::repeat_byte(1)),
    witness: H256::repeat_byte(2),
};
const LIE: Opening = Opening {
    finding: Finding::Update(H256::repeat_byte(3)),
    witness: H256::repeat_byte(4),
};

/// What is asked about the claim of this account, if of any: that what this opening says is so.
fn question(claim: Option<(u8, Opening)>) -> Question<AccountId32> {
    Question {
        purpose: Purpose::Verification {
            model: 0,
            round: 1,
            extension: 0,
            place: 2,
            draw: Draw::First,
        },
        first_seats: 20,
        window: WINDOW,
        size: 2,
        claimant: claim.map(|(n, opening)| (account(n), opening.finding.result())),
        forfeit: FORFEIT,
    }
}

/// Asks, and has the first seats drawn in the next block.
fn ask(claim: Option<(u8, Opening)>) {
    StakeVoting::ask(POLL, question(claim));
    assert_eq!(advance(), PollProgress::Open);
    assert_eq!(next(), PollProgress::Open);
}

fn now() -> u32 {
    u32::try_from(System::block_number()).expect("a block number")
}

/// Takes the poll as far as it goes at the beginning of the next block, if the end of this one has no room for it.
fn late() -> PollProgress<AccountId32> {
    let clock = now();
    next_block();
    StakeVoting::advance(&POLL, clock, &mut WeightMeter::new())
}

/// Takes the poll as far as it goes at the end of this block.
fn advance() -> PollProgress<AccountId32> {
    StakeVoting::advance(&POLL, now(), &mut WeightMeter::new())
}

/// Takes the poll as far as it goes in the next block.
fn next() -> PollProgress<AccountId32> {
    next_block();
    advance()
}

/// Makes blocks until this holds, in which nobody does anything.
fn wait_until(holds: impl Fn() -> bool) {
    for _ in 0..=LONGEST {
        if holds() {
            return;
        }
        assert_eq!(next(), PollProgress::Open, "it is over before");
    }
    panic!("it never comes");
}

/// Makes blocks until the poll is over, in which nobody does anything.
fn to_the_end() -> PollOutcome<AccountId32> {
    for _ in 0..=LONGEST {
        if let PollProgress::Over(outcome) = next() {
            assert_eq!(Polls::<Test>::get(POLL), None);
            assert_eq!(Seats::<Test>::iter_prefix(POLL).count(), 0);
            return outcome;
        }
    }
    panic!("it never ends");
}

/// What an account gives that found this.
fn digest_of(n: u8, opening: Opening) -> H256 {
    digest(&POLL, &opening.finding.result(), &opening.witness, &[n; 32])
}

fn give(n: u8, opening: Opening) -> Result<(), Error<Test>> {
    StakeVoting::give(&POLL, &account(n), digest_of(n, opening))
}

fn open(n: u8, draw: Draw, opening: Opening) -> Result<(), Error<Test>> {
    StakeVoting::open(&POLL, &account(n), draw, &opening)
}

fn seat(n: u8) -> Seat {
    Seats::<Test>::get(POLL, account(n)).unwrap_or_default()
}

fn stage() -> Stage<AccountId32> {
    Polls::<Test>::get(POLL).expect("it is not over").stage
}

fn is_opening(draw: Draw) -> bool {
    Polls::<Test>::get(POLL)
        .is_some_and(|poll| poll.draw == draw && matches!(poll.stage, Stage::Opening { .. }))
}

fn found(opening: Opening) -> Decision {
    Decision::Found(opening.finding)
}
