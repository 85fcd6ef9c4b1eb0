use crate::{Error, OpenError, Polls, mock::*};
use frame_support::{assert_noop, assert_ok};
use hydra_primitives::{
    H256, HYDRA,
    proposal::ProposalKey,
    reputation::Deed,
    status::BallotView,
    tally::Outcome,
    traits::{Polls as _, Reputation as _, VotingWeight},
    vote::{Missing, RejectReason, Vote, commitment},
};
use sp_core::crypto::AccountId32;

const SALT: H256 = H256::repeat_byte(7);
const REJECT: Vote = Vote::Reject(RejectReason::SegmentDiffers);

fn key() -> ProposalKey<AccountId32> {
    ProposalKey {
        model: 0,
        round: 3,
        proposer: account(1),
    }
}

fn commit(n: u8, vote: Vote) -> Result<(), sp_runtime::DispatchError> {
    let hash = commitment(&vote, &SALT, &[n; 32], &key().id());
    StakeVoting::commit_vote(RuntimeOrigin::signed(account(n)), key(), hash)
}

fn reveal(n: u8, vote: Vote) -> Result<(), sp_runtime::DispatchError> {
    StakeVoting::reveal_vote(RuntimeOrigin::signed(account(n)), key(), vote, SALT)
}

fn open(members: &[u8]) {
    assert_ok!(StakeVoting::open(
        &key(),
        members.iter().map(|n| account(*n)).collect()
    ));
}

#[test]
fn a_bond_is_held_and_weighs_by_reputation_up_to_the_cap() {
    with_chain(|| {
        assert_eq!(StakeVoting::weight(&account(1)), HYDRA);
        assert_ok!(StakeVoting::bond(RuntimeOrigin::signed(account(1)), 490 * HYDRA));
        assert_eq!(StakeVoting::bonded(&account(1)), 500 * HYDRA);
        assert_eq!(Balances::free_balance(account(1)), 500 * HYDRA);
        assert_eq!(StakeVoting::weight(&account(1)), 10 * HYDRA);
        Reputation::record(&account(1), Deed::ProposalAccepted);
        assert!(StakeVoting::weight(&account(1)) > 10 * HYDRA);
    });
}

#[test]
fn rejects_a_bond_of_a_stranger_below_the_minimum_or_beyond_the_balance() {
    with_chain(|| {
        assert_noop!(
            StakeVoting::bond(RuntimeOrigin::signed(account(9)), HYDRA),
            Error::<Test>::NotRegistered
        );
        assert_noop!(
            StakeVoting::bond(RuntimeOrigin::signed(account(1)), 0),
            Error::<Test>::NothingToBond
        );
        assert!(StakeVoting::bond(RuntimeOrigin::signed(account(1)), 10_000 * HYDRA).is_err());
        let nonce = hydra_primitives::node::find_nonce(&[9; 32], b"nine", 4);
        assert_ok!(Reputation::register(
            RuntimeOrigin::signed(account(9)),
            b"nine".to_vec().try_into().expect("short"),
            Default::default(),
            nonce
        ));
        assert_noop!(
            StakeVoting::bond(RuntimeOrigin::signed(account(9)), HYDRA - 1),
            Error::<Test>::BelowMinimumStake
        );
        assert_eq!(StakeVoting::weight(&account(9)), 0);
        assert!(!StakeVoting::is_staked(&account(9)));
        assert_ok!(StakeVoting::bond(RuntimeOrigin::signed(account(9)), HYDRA));
        assert!(StakeVoting::is_staked(&account(9)));
    });
}

#[test]
fn a_poll_goes_from_commitments_to_a_decision() {
    with_chain(|| {
        open(&[4, 2, 3]);
        for n in 2..=4 {
            assert!(!StakeVoting::is_complete(&key()));
            assert_ok!(commit(n, Vote::Accept));
        }
        assert!(StakeVoting::is_complete(&key()));
        StakeVoting::begin_reveal(&key());
        assert_ok!(reveal(2, Vote::Accept));
        assert_ok!(reveal(3, Vote::Accept));
        assert!(!StakeVoting::is_complete(&key()));
        let result = StakeVoting::close(&key()).expect("the poll is open");
        assert_eq!(result.outcome, Outcome::Accepted);
        // Three members and the proposer; two of them and its claim.
        assert_eq!(
            (result.tally.committee, result.tally.accept),
            (4 * HYDRA, 3 * HYDRA)
        );
        assert_eq!(
            result.ballots[0],
            (account(2), BallotView::Revealed(Vote::Accept))
        );
        assert!(matches!(result.ballots[2], (_, BallotView::Committed(_))));
        assert!(StakeVoting::close(&key()).is_none());
    });
}

#[test]
fn rejects_votes_of_outsiders_twice_or_in_the_wrong_stage() {
    with_chain(|| {
        assert_noop!(commit(2, Vote::Accept), Error::<Test>::NoSuchPoll);
        open(&[2, 3]);
        assert_noop!(commit(5, Vote::Accept), Error::<Test>::NotOnCommittee);
        assert_noop!(reveal(2, Vote::Accept), Error::<Test>::RevealNotOpen);
        assert_ok!(commit(2, Vote::Accept));
        assert_noop!(commit(2, REJECT), Error::<Test>::AlreadyCommitted);
        StakeVoting::begin_reveal(&key());
        assert_noop!(commit(3, Vote::Accept), Error::<Test>::CommitmentsClosed);
        assert_noop!(reveal(3, Vote::Accept), Error::<Test>::NothingCommitted);
        assert_noop!(reveal(5, Vote::Accept), Error::<Test>::NotOnCommittee);
    });
}

#[test]
fn rejects_a_vote_revealed_twice_or_other_than_committed() {
    with_chain(|| {
        open(&[2, 3]);
        assert_ok!(commit(2, Vote::Accept));
        StakeVoting::begin_reveal(&key());
        assert_noop!(reveal(2, REJECT), Error::<Test>::CommitmentMismatch);
        assert_noop!(
            StakeVoting::reveal_vote(
                RuntimeOrigin::signed(account(2)),
                key(),
                Vote::Accept,
                H256::zero()
            ),
            Error::<Test>::CommitmentMismatch
        );
        assert_ok!(reveal(2, Vote::Accept));
        assert_noop!(reveal(2, Vote::Accept), Error::<Test>::AlreadyRevealed);
    });
}

#[test]
fn a_copied_commitment_can_not_be_revealed_by_the_copier() {
    with_chain(|| {
        open(&[2, 3]);
        let copied = commitment(&Vote::Accept, &SALT, &[2; 32], &key().id());
        assert_ok!(commit(2, Vote::Accept));
        assert_ok!(StakeVoting::commit_vote(
            RuntimeOrigin::signed(account(3)),
            key(),
            copied
        ));
        StakeVoting::begin_reveal(&key());
        assert_noop!(reveal(3, Vote::Accept), Error::<Test>::CommitmentMismatch);
    });
}

#[test]
fn weights_are_fixed_when_the_poll_opens() {
    with_chain(|| {
        open(&[2, 3]);
        assert_ok!(StakeVoting::bond(RuntimeOrigin::signed(account(2)), 90 * HYDRA));
        assert_ok!(commit(2, Vote::Accept));
        StakeVoting::begin_reveal(&key());
        assert_ok!(reveal(2, Vote::Accept));
        let result = StakeVoting::close(&key()).expect("the poll is open");
        assert_eq!(
            result.tally.accept,
            2 * HYDRA,
            "its weight when the poll opened, and the claim"
        );
    });
}

#[test]
fn rejection_needs_the_majority_and_missing_data_blames_nobody() {
    for (votes, outcome) in [
        ([REJECT, REJECT, REJECT], Outcome::Rejected),
        ([REJECT, REJECT, Vote::Accept], Outcome::Undecided),
        ([REJECT, Vote::Accept, Vote::Accept], Outcome::Accepted),
        ([Vote::Unavailable(Missing::Update); 3], Outcome::Undecided),
        (
            [Vote::Unavailable(Missing::Update), REJECT, Vote::Accept],
            Outcome::Undecided,
        ),
    ] {
        with_chain(|| {
            open(&[2, 3, 4]);
            for (n, vote) in (2..).zip(votes) {
                assert_ok!(commit(n, vote));
            }
            StakeVoting::begin_reveal(&key());
            for (n, vote) in (2..).zip(votes) {
                assert_ok!(reveal(n, vote));
            }
            assert_eq!(
                StakeVoting::close(&key()).expect("open").outcome,
                outcome,
                "{votes:?}"
            );
        });
    }
}

#[test]
fn a_poll_needs_a_committee_within_bounds_and_opens_once() {
    with_chain(|| {
        assert_eq!(StakeVoting::open(&key(), vec![]), Err(OpenError::EmptyCommittee));
        assert_eq!(
            StakeVoting::open(&key(), (1..=5).map(account).collect()),
            Err(OpenError::CommitteeTooLarge)
        );
        open(&[2]);
        assert_eq!(
            StakeVoting::open(&key(), vec![account(3)]),
            Err(OpenError::AlreadyOpen)
        );
        assert_eq!(Polls::<Test>::iter().count(), 1);
    });
}

#[test]
fn a_third_of_the_network_can_not_reject_honest_work() {
    with_chain(|| {
        // Accounts 1 (which proposed), 2 and 3 weigh the same; 3 is hostile.
        open(&[2, 3]);
        assert_ok!(commit(2, Vote::Accept));
        assert_ok!(commit(3, REJECT));
        StakeVoting::begin_reveal(&key());
        assert_ok!(reveal(2, Vote::Accept));
        assert_ok!(reveal(3, REJECT));
        assert_eq!(
            StakeVoting::close(&key()).expect("open").outcome,
            Outcome::Accepted
        );
    });
}

#[test]
fn a_proposer_on_its_own_committee_counts_once() {
    with_chain(|| {
        open(&[1]);
        assert_ok!(commit(1, REJECT));
        StakeVoting::begin_reveal(&key());
        assert_ok!(reveal(1, REJECT));
        let result = StakeVoting::close(&key()).expect("open");
        assert_eq!((result.tally.committee, result.tally.accept), (HYDRA, 0));
    });
}
