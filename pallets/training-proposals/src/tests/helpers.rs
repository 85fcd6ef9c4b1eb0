//! What tests do over and over.

use crate::{Confirmed, Error, Event, Place, Places, Round, Rounds, Versions, mock::*};
use frame_support::assert_ok;
use hydra_primitives::{
    BlobRef, H256,
    duty::DutyResult,
    poll::{Decision, Draw, Finding, Opening, PollId},
    proposal::{Claim, PlaceKey, Score},
    reputation::Deed,
    task::PlaceIndex,
};
use sp_core::crypto::AccountId32;
use sp_runtime::{BoundedVec, DispatchError};

pub fn round() -> Round {
    round_of(0)
}

pub fn round_of(model: u32) -> Round {
    Rounds::<Test>::get(model).expect("every model has a round")
}

pub fn place(index: PlaceIndex) -> Place<AccountId32> {
    Places::<Test>::get(0, index).expect("the round has this place")
}

/// The weights of a version, by agreement of these tests.
pub fn weights_of(version: u32) -> H256 {
    if version == 0 {
        INITIAL
    } else {
        H256::from_low_u64_be(u64::from(version))
    }
}

/// The weights of the newest version, as whoever computes finds them.
pub fn base() -> H256 {
    let newest = Versions::<Test>::get(0).map(|version| version.version);
    newest.map_or_else(
        || Confirmed::<Test>::get(0).expect("there is a version").weights,
        weights_of,
    )
}

/// What the holder of a place claims who does its work.
pub fn claim(index: PlaceIndex) -> Claim {
    Claim {
        base: base(),
        update: BlobRef {
            hash: H256::from_low_u64_be(0x1000 + u64::from(index)),
            size: 16 + 4 * spec().architecture.parameters(),
        },
    }
}

pub fn proposal(index: PlaceIndex) -> DutyResult {
    let round = round();
    DutyResult::Propose {
        key: PlaceKey {
            model: 0,
            round: round.number,
            place: index,
        },
        task_seed: Training::task_seed_of(0, &round, index),
        claim: claim(index),
    }
}

/// Submits, and says what was refused.
pub fn submit(who: &AccountId32, results: Vec<DutyResult>) -> Vec<(u32, DispatchError)> {
    System::reset_events();
    assert_ok!(Training::submit(
        RuntimeOrigin::signed(who.clone()),
        BoundedVec::truncate_from(results)
    ));
    let refused = System::events()
        .into_iter()
        .filter_map(|record| match record.event {
            RuntimeEvent::Training(Event::ResultRefused { index, reason, .. }) => Some((index, reason)),
            _ => None,
        });
    refused.collect()
}

/// The only result was refused because of this.
pub fn only(error: Error<Test>) -> Vec<(u32, DispatchError)> {
    vec![(0, error.into())]
}

/// The holders of these places propose what is right.
pub fn propose(places: impl IntoIterator<Item = PlaceIndex>) {
    for index in places {
        let refused = submit(&place(index).holder, vec![proposal(index)]);
        assert!(refused.is_empty(), "{refused:?}");
    }
}

pub fn propose_all() {
    propose(0..round().places);
}

pub fn poll_of(index: PlaceIndex) -> PollId {
    place(index).poll.expect("a poll is asked on this place")
}

/// What opens the polls of these tests.
pub const OPENING: Opening = Opening {
    finding: Finding::Update(H256::repeat_byte(7)),
    witness: H256::repeat_byte(8),
};

pub fn open(poll: PollId, opening: Opening) -> DutyResult {
    DutyResult::Open {
        poll,
        draw: Draw::First,
        opening,
    }
}

/// Digests are taken no more: whoever opens it with [`OPENING`] decides it, and nothing else does.
pub fn close(poll: &PollId) {
    change(poll, |poll| {
        poll.closed = true;
        poll.opens_with = Some(OPENING);
    });
}

/// Everybody proposes, and the poll on the second place is closed.
pub fn closed_poll() -> PollId {
    propose_all();
    next_block();
    let poll = poll_of(1);
    close(&poll);
    poll
}

pub fn decide(poll: PollId, decision: Decision, right: Seats) {
    change(&poll, |poll| poll.outcome = Some((decision, Draw::First, right)));
}

/// The network finds what these places claim; all accounts but the holder are right with two seats each.
pub fn accept(places: impl IntoIterator<Item = PlaceIndex>) {
    for index in places {
        let place = place(index);
        let found = place.claim.expect("something was proposed").update.hash;
        let right = Accounts::get().into_iter().filter(|who| *who != place.holder);
        let right = right.map(|who| (who, 2)).collect();
        decide(poll_of(index), Decision::Found(Finding::Update(found)), right);
    }
}

/// Everybody proposes, and everything is accepted.
pub fn whole_round() {
    propose_all();
    next_block();
    accept(0..round().places);
    next_block();
}

pub fn score(loss: u32) -> Score {
    Score {
        correct: 8,
        total: 10,
        loss,
    }
}

/// The network finds the newest version's weights.
pub fn found(loss: u32) -> Decision {
    let version = Versions::<Test>::get(0)
        .expect("a version is in question")
        .version;
    Decision::Found(Finding::Version {
        weights: weights_of(version),
        score: score(loss),
    })
}

/// The poll on the newest version comes to this.
pub fn decide_version(decision: Decision) {
    let right = Accounts::get().into_iter().map(|who| (who, 2)).collect();
    decide(
        round().question.expect("a version is in question"),
        decision,
        right,
    );
}

/// How duties ended, by account.
pub fn finished() -> Vec<(AccountId32, Option<Deed>)> {
    let mut finished = Finished::get();
    finished.sort_by(|(a, _), (b, _)| a.cmp(b));
    finished
}

pub fn blocks(number: u32) {
    for _ in 0..number {
        next_block();
    }
}

pub fn now() -> u32 {
    Training::now()
}

/// Whether this event happened since events were last cleared.
pub fn happened(event: &Event<Test>) -> bool {
    let wanted = RuntimeEvent::Training(event.clone());
    System::events().iter().any(|record| record.event == wanted)
}
