use crate::{Confirmed, Error, Event, History, Rounds, Versions, mock::*};
use frame_support::{assert_noop, assert_ok, traits::Hooks, weights::Weight};
use hydra_primitives::{
    H256, HYDRA,
    duty::{Duty, DutySheet, Standing},
    proposal::{Proposal, ProposalKey, Score},
    rewards::reward,
    sortition,
    status::Phase,
    tally::Outcome,
    traits::{Models, Reputation as _},
    vote::{RejectReason, Vote, commitment},
};
use sp_core::crypto::AccountId32;
use sp_runtime::DispatchResult;

const SALT: H256 = H256::repeat_byte(3);
const REJECT: Vote = Vote::Reject(RejectReason::SegmentDiffers);

fn phase() -> Phase {
    Rounds::<Test>::get(0).expect("model 0 has a round").phase
}

fn round() -> u32 {
    Rounds::<Test>::get(0).expect("model 0 has a round").number
}

fn propose(n: u8) -> DispatchResult {
    propose_this(n, proposal(n))
}

fn propose_all(nodes: &[u8]) {
    for n in nodes {
        assert_ok!(propose(*n));
    }
}

fn propose_this(n: u8, proposal: Proposal) -> DispatchResult {
    Training::propose(
        RuntimeOrigin::signed(account(n)),
        0,
        round(),
        task_seed(n),
        proposal,
    )
}

/// The seed that node `n` has to train with in the current round.
fn task_seed(n: u8) -> H256 {
    Training::task_seed_of(
        0,
        &Rounds::<Test>::get(0).expect("model 0 has a round"),
        &account(n),
    )
}

fn recipe() -> H256 {
    Training::recipe_of(&Versions::<Test>::get(0).expect("model 0 has a version"))
}

fn key(proposer: u8) -> ProposalKey<AccountId32> {
    ProposalKey {
        model: 0,
        round: round(),
        proposer: account(proposer),
    }
}

fn sheet(n: u8) -> DutySheet {
    Training::duty_sheet(&account(n))
}

fn duties(n: u8) -> Vec<Duty> {
    sheet(n).models.remove(0).duties
}

/// Lets `verifiers` do the voting duties of their sheets; `verdict(verifier, proposer)` is their vote.
fn vote(verifiers: &[u8], verdict: impl Fn(u8, u8) -> Vote) {
    for n in verifiers {
        for duty in duties(*n) {
            let key = |k: &ProposalKey<[u8; 32]>| key(k.proposer[0]);
            match duty {
                Duty::Verify(verify) => {
                    let key = key(&verify.key);
                    let hash = commitment(&verdict(*n, verify.key.proposer[0]), &SALT, &[*n; 32], &key.id());
                    assert_ok!(StakeVoting::commit_vote(
                        RuntimeOrigin::signed(account(*n)),
                        key,
                        hash
                    ));
                }
                Duty::Reveal { verify, .. } => {
                    assert_ok!(StakeVoting::reveal_vote(
                        RuntimeOrigin::signed(account(*n)),
                        key(&verify.key),
                        verdict(*n, verify.key.proposer[0]),
                        SALT
                    ));
                }
                Duty::Attest | Duty::Train { .. } => {}
            }
        }
    }
}

fn attest(n: u8, weights: H256) -> DispatchResult {
    let version = Versions::<Test>::get(0).expect("model 0 has a version").version;
    Training::attest(
        RuntimeOrigin::signed(account(n)),
        0,
        version,
        recipe(),
        weights,
        SCORE,
    )
}

/// One round in which `nodes` do everything and vote as `verdict` says.
fn whole_round(nodes: &[u8], verdict: impl Fn(u8, u8) -> Vote) {
    for n in nodes {
        assert_ok!(propose(*n));
    }
    next_block();
    assert_eq!(phase(), Phase::Verify);
    next_block();
    vote(nodes, &verdict);
    next_block();
    assert_eq!(phase(), Phase::Reveal);
    vote(nodes, &verdict);
    next_block();
    assert_eq!(phase(), Phase::Train);
}

/// Blocks until the current round is over, while `voters` vote as they can.
fn finish_round(voters: &[u8]) -> u32 {
    let (this, opened) = (round(), System::block_number());
    while round() == this {
        vote(voters, |_, _| Vote::Accept);
        next_block();
        assert!(System::block_number() < opened + 100, "the round never ends");
    }
    u32::try_from(System::block_number() - opened).expect("few blocks")
}

/// Nodes attest the newest version, if there is anything to attest, and propose from it.
fn attest_and_propose(nodes: &[u8]) {
    let version = Versions::<Test>::get(0).expect("there is a version");
    let weights = H256::repeat_byte(version.version.try_into().expect("few versions"));
    for n in nodes {
        let mut made = proposal(*n);
        if version.version > 0 {
            made.base = weights;
            assert_ok!(attest(*n, weights));
        }
        assert_ok!(propose_this(*n, made));
    }
}

fn version() -> u32 {
    Versions::<Test>::get(0).expect("there is a version").version
}

#[test]
fn an_honest_round_pays_everyone_and_makes_a_version_that_attestations_confirm() {
    with_nodes(4, || {
        let before = Balances::free_balance(account(1));
        whole_round(&[1, 2, 3, 4], |_, _| Vote::Accept);
        assert_eq!(round(), 1);
        assert_eq!(Balances::free_balance(account(1)) - before, reward(spec().work()));
        let version = Versions::<Test>::get(0).expect("there is a version");
        assert_eq!(
            (version.version, version.base, version.weights),
            (1, INITIAL, None)
        );
        let proposers: Vec<_> = version.updates.iter().map(|u| u.proposer.clone()).collect();
        assert_eq!(proposers, (1..=4).map(account).collect::<Vec<_>>());
        assert_eq!(Training::confirmed_version(0), Some(0));

        let weights = H256::repeat_byte(1);
        assert_ok!(attest(1, weights));
        assert_ok!(attest(2, weights));
        next_block();
        assert_eq!(
            Training::confirmed_version(0),
            Some(0),
            "half of the weight is not more than half"
        );
        assert_ok!(attest(3, weights));
        next_block();
        let confirmed = Confirmed::<Test>::get(0).expect("confirmed");
        assert_eq!(
            (confirmed.version, confirmed.weights, confirmed.score),
            (1, weights, Some(SCORE))
        );
        assert_ok!(attest(4, weights));
        let record = History::<Test>::get(0, 0).expect("the round is on record");
        assert_eq!(record.attestations.len(), 4);
        assert_eq!((record.weights, record.score), (Some(weights), Some(SCORE)));
    });
}

#[test]
fn a_cheat_is_rejected_unpaid_and_loses_reputation_while_the_others_go_on() {
    with_nodes(5, || {
        let (cheat, honest) = (Balances::free_balance(account(5)), Reputation::score(&account(1)));
        let newcomer = Reputation::score(&account(5));
        // The cheat votes against everyone else.
        let verdict = |verifier: u8, proposer: u8| match (verifier == 5, proposer == 5) {
            (true, _) | (_, true) => REJECT,
            _ => Vote::Accept,
        };
        whole_round(&[1, 2, 3, 4, 5], verdict);
        assert_eq!(Balances::free_balance(account(5)), cheat);
        assert!(Reputation::score(&account(5)) < newcomer);
        assert!(Reputation::score(&account(1)) > honest);
        let record = History::<Test>::get(0, 0).expect("the round is on record");
        let outcomes: Vec<_> = record.proposals.iter().map(|p| p.outcome).collect();
        assert_eq!(outcomes[4], Outcome::Rejected);
        assert_eq!(outcomes[..4], [Outcome::Accepted; 4]);
        assert_eq!(
            Versions::<Test>::get(0)
                .expect("there is a version")
                .updates
                .len(),
            4
        );
    });
}

#[test]
fn a_node_that_vanished_delays_a_round_and_counts_again_when_it_comes_back() {
    with_nodes(4, || {
        let mut lengths = Vec::new();
        for number in 0..4 {
            attest_and_propose(&[1, 2, 3]);
            lengths.push(finish_round(&[1, 2, 3]));
            let made = Versions::<Test>::get(0).expect("there is a version");
            assert_eq!(made.updates.len(), 3, "round {number}");
        }
        assert!(lengths[0] > 12 && lengths[1..] == [4, 4, 4], "{lengths:?}");
        assert!(!Reputation::is_active(&account(4)));
        assert_ok!(attest(4, H256::repeat_byte(1)));
        assert!(Reputation::is_active(&account(4)));
    });
}

#[test]
fn a_round_waits_for_a_proposal_and_for_the_confirmation_of_what_it_trains_from() {
    with_nodes(4, || {
        for _ in 0..11 {
            next_block();
        }
        assert_eq!((round(), phase()), (0, Phase::Train));
        System::assert_has_event(
            Event::RoundExtended {
                model: 0,
                round: 0,
                ends_at: 20,
            }
            .into(),
        );
        assert!(
            (1..=4).all(|n| Reputation::is_active(&account(n))),
            "when nobody acts, nobody is absent"
        );
        whole_round(&[1, 2, 3, 4], |_, _| Vote::Accept);
        for n in 1..=4 {
            assert_ok!(propose(n));
        }
        next_block();
        assert_eq!(phase(), Phase::Train, "version 1 is not confirmed");
        for n in 1..=3 {
            assert_ok!(attest(n, H256::repeat_byte(9)));
        }
        next_block();
        assert_eq!(phase(), Phase::Verify);
        assert_noop!(propose(1), Error::<Test>::NotInTrainPhase);
    });
}

#[test]
fn a_hostile_third_can_neither_confirm_other_weights_nor_prevent_the_right_ones() {
    with_nodes(3, || {
        whole_round(&[1, 2, 3], |_, _| Vote::Accept);
        assert_ok!(attest(3, H256::repeat_byte(0xEE)));
        next_block();
        assert_ok!(attest(1, H256::repeat_byte(1)));
        next_block();
        assert_eq!(Training::confirmed_version(0), Some(0), "1 : 1 is no agreement");
        assert_ok!(attest(2, H256::repeat_byte(1)));
        next_block();
        let confirmed = Confirmed::<Test>::get(0).expect("confirmed");
        assert_eq!((confirmed.version, confirmed.weights), (1, H256::repeat_byte(1)));
        assert_noop!(attest(3, H256::repeat_byte(1)), Error::<Test>::AlreadyAttested);
    });
}

#[test]
fn half_of_the_network_vanishing_holds_a_version_up_for_a_while_and_not_for_ever() {
    with_nodes(4, || {
        whole_round(&[1, 2, 3, 4], |_, _| Vote::Accept);
        for n in [1, 2] {
            assert_ok!(attest(n, H256::repeat_byte(1)));
            let mut next = proposal(n);
            next.base = H256::repeat_byte(1);
            assert_ok!(propose_this(n, next));
        }
        let mut blocks = 0;
        while Training::confirmed_version(0) == Some(0) {
            next_block();
            blocks += 1;
            assert!(blocks < 40, "never confirmed");
        }
        assert!(!Reputation::is_active(&account(3)) && Reputation::is_active(&account(1)));
    });
}

#[test]
fn a_hostile_third_that_rejects_everything_changes_nothing() {
    with_nodes(3, || {
        let verdict = |verifier, _| if verifier == 3 { REJECT } else { Vote::Accept };
        for _ in 0..3 {
            let before = version();
            attest_and_propose(&[1, 2, 3]);
            next_block();
            next_block();
            vote(&[1, 2, 3], verdict);
            next_block();
            vote(&[1, 2, 3], verdict);
            next_block();
            let made = Versions::<Test>::get(0).expect("there is a version");
            assert_eq!((made.version, made.updates.len()), (before + 1, 3));
        }
        assert!(Reputation::score(&account(3)) < Reputation::score(&account(1)));
    });
}

#[test]
fn a_verification_that_nobody_could_do_blames_nobody_and_the_next_round_goes_on() {
    for nodes in [1, 4] {
        with_nodes(nodes, || {
            let all: Vec<_> = (1..=nodes).collect();
            for _ in 0..3 {
                propose_all(&all);
                finish_round(&[]);
                assert_eq!(version(), 0, "nobody voted");
            }
            assert!(all.iter().all(|n| Reputation::is_waited_for(&account(*n))));
            propose_all(&all);
            assert_eq!(finish_round(&all), 4);
            assert_eq!(version(), 1);
        });
    }
}

#[test]
fn a_quick_minority_closes_no_round_to_the_others_even_if_nobody_waits_for_them() {
    with_nodes(4, || {
        for n in 1..=3 {
            Reputation::kept_others_waiting(&account(n));
            Reputation::kept_others_waiting(&account(n));
        }
        assert_ok!(propose(4));
        for _ in 0..5 {
            next_block();
            assert_eq!(phase(), Phase::Train);
        }
        for n in 1..=3 {
            assert_ok!(propose(n));
        }
        next_block();
        next_block();
        vote(&[4], |_, _| Vote::Accept);
        next_block();
        assert_eq!(phase(), Phase::Verify, "a quarter of the weight is not enough");
        finish_round(&[1, 2, 3, 4]);
        assert_eq!(
            Versions::<Test>::get(0)
                .expect("there is a version")
                .updates
                .len(),
            4
        );
        attest_and_propose(&[1, 2, 3, 4]);
        finish_round(&[1, 2, 3, 4]);
        assert!(
            (1..=3).all(|n| Reputation::is_waited_for(&account(n))),
            "who keeps pace counts again"
        );
    });
}

#[test]
fn one_who_commits_and_never_reveals_is_soon_no_longer_waited_for() {
    with_nodes(4, || {
        let mut lengths = Vec::new();
        for _ in 0..4 {
            attest_and_propose(&[1, 2, 3, 4]);
            let (this, opened) = (round(), System::block_number());
            while round() == this {
                let voters: &[u8] = if phase() == Phase::Reveal {
                    &[1, 2, 3]
                } else {
                    &[1, 2, 3, 4]
                };
                vote(voters, |_, _| Vote::Accept);
                next_block();
            }
            lengths.push(System::block_number() - opened);
        }
        assert!(lengths[0] > 5, "{lengths:?}");
        assert_eq!(lengths[2..], [4, 4], "{lengths:?}");
        assert!(Reputation::score(&account(4)) < Reputation::score(&account(1)));
    });
}

#[test]
fn a_few_that_stay_while_most_are_away_decide_nothing_for_them() {
    with_nodes(4, || {
        whole_round(&[1, 2, 3, 4], |_, _| Vote::Accept);
        // The others lose their power. Whoever stays proposes, votes and attests what it likes.
        let mut made = proposal(1);
        made.base = H256::repeat_byte(0xEE);
        assert_ok!(attest(1, H256::repeat_byte(0xEE)));
        assert_ok!(propose_this(1, made));
        for _ in 0..60 {
            vote(&[1], |_, _| Vote::Accept);
            next_block();
        }
        assert!(!Reputation::is_active(&account(2)), "nobody waits for them");
        assert_eq!((Training::confirmed_version(0), round()), (Some(0), 1));

        // They come back, and it goes on with what they say.
        for n in 2..=4 {
            assert_ok!(attest(n, H256::repeat_byte(1)));
        }
        next_block();
        let confirmed = Confirmed::<Test>::get(0).expect("confirmed");
        assert_eq!((confirmed.version, confirmed.weights), (1, H256::repeat_byte(1)));
    });
}

#[test]
fn those_who_never_come_back_are_forgotten_in_the_end() {
    with_nodes(4, || {
        whole_round(&[1, 2, 3, 4], |_, _| Vote::Accept);
        assert_ok!(attest(1, H256::repeat_byte(1)));
        for _ in 0..120 {
            next_block();
        }
        // A sign of life of its own, as a running node gives in every round.
        let mut made = proposal(1);
        made.base = H256::repeat_byte(1);
        assert_ok!(propose_this(1, made));
        next_block();
        assert_eq!(Training::confirmed_version(0), Some(1));
        finish_round(&[1]);
        assert_eq!(version(), 2);
    });
}

#[test]
fn one_who_never_votes_is_soon_no_longer_waited_for() {
    with_nodes(4, || {
        let mut lengths = Vec::new();
        for _ in 0..4 {
            attest_and_propose(&[1, 2, 3, 4]);
            lengths.push(finish_round(&[1, 2, 3]));
        }
        assert!(lengths[0] > 6 && lengths[1] > 6, "{lengths:?}");
        assert_eq!(lengths[2..], [4, 4], "{lengths:?}");
    });
}

#[test]
fn nothing_accepted_keeps_the_version_and_opens_the_next_round() {
    with_nodes(3, || {
        whole_round(&[1, 2, 3], |_, _| REJECT);
        assert_eq!(round(), 1);
        assert_eq!(Versions::<Test>::get(0).expect("there is a version").version, 0);
        System::assert_has_event(
            Event::RoundSettled {
                model: 0,
                round: 0,
                accepted: 0,
                rejected: 3,
                undecided: 0,
                version: 0,
            }
            .into(),
        );
        assert_noop!(attest(1, INITIAL), Error::<Test>::NothingToAttest);
    });
}

#[test]
fn silent_verifiers_leave_a_proposal_undecided_and_nobody_is_paid() {
    with_nodes(4, || {
        assert_ok!(propose(1));
        for _ in 0..10 {
            next_block();
        }
        assert_eq!(phase(), Phase::Verify);
        next_block();
        vote(&[2], |_, _| Vote::Accept);
        for _ in 0..6 {
            next_block();
        }
        vote(&[2], |_, _| Vote::Accept);
        next_block();
        assert_eq!(round(), 1);
        let record = History::<Test>::get(0, 0).expect("on record");
        assert_eq!(record.proposals[0].outcome, Outcome::Undecided);
        assert_eq!(record.proposals[0].reward, 0);
        assert_eq!(
            Balances::total_issuance(),
            4_000 * HYDRA + 1_000_000_000,
            "nothing was minted but the pot's deposit"
        );
    });
}

#[test]
fn a_network_of_one_verifies_itself_but_earns_no_verifier_shares() {
    with_nodes(1, || {
        whole_round(&[1], |_, _| Vote::Accept);
        assert_ok!(attest(1, H256::repeat_byte(1)));
        next_block();
        assert_eq!(Training::confirmed_version(0), Some(1));
        let pool = pallet_hydra_token::Pools::<Test>::get(0);
        assert_eq!(
            pool.shares,
            u128::from(hydra_primitives::rewards::proposer_shares(spec().work()))
        );
    });
}

#[test]
fn the_duty_sheet_is_the_same_truth_that_the_calls_enforce() {
    with_nodes(5, || {
        let sheet1 = sheet(1);
        assert_eq!(sheet1.standing, Standing::Ready);
        let current = Rounds::<Test>::get(0).expect("there is a round");
        let shard = sortition::shard_of(&current.train_seed, 0, 0, &[1; 32], 8);
        assert!(matches!(duties(1)[..], [Duty::Train { shard: s, .. }] if s == shard));
        assert_ok!(propose(1));
        assert!(duties(1).is_empty());
        for n in 2..=5 {
            assert_ok!(propose(n));
        }
        next_block();
        assert!(
            (1..=5).all(|n| duties(n).is_empty()),
            "who checks what is not drawn yet"
        );
        next_block();
        // Everyone verifies everyone else.
        let owed: usize = (1..=5).map(|n| duties(n).len()).sum();
        assert_eq!(owed, 20);
        for n in 1..=5 {
            assert!(
                duties(n)
                    .iter()
                    .all(|d| matches!(d, Duty::Verify(v) if v.key.proposer != [n; 32] && v.segment < 30))
            );
        }
        vote(&[1, 2, 3, 4, 5], |_, _| Vote::Accept);
        assert!((1..=5).all(|n| duties(n).is_empty()));
        next_block();
        assert_eq!((1..=5).map(|n| duties(n).len()).sum::<usize>(), 20);
        let stranger = sheet(99);
        assert_eq!(stranger.standing, Standing::Unregistered);
        assert!(duties(99).is_empty(), "a stranger owes nothing");
        let known = |sheet: DutySheet| -> Vec<_> {
            let models = sheet.models.into_iter();
            models.map(|m| (m.model, m.version, m.providers)).collect()
        };
        assert_eq!(known(stranger), known(sheet(1)), "but may ask every model");
    });
}

#[test]
fn rejects_proposals_of_strangers_twice_late_or_of_the_wrong_size() {
    with_nodes(3, || {
        let origin = RuntimeOrigin::signed;
        assert_noop!(
            Training::propose(origin(account(9)), 0, 0, task_seed(9), proposal(9)),
            Error::<Test>::NotAParticipant
        );
        assert_noop!(
            Training::propose(origin(account(1)), 7, 0, task_seed(1), proposal(1)),
            Error::<Test>::UnknownModel
        );
        assert_noop!(
            Training::propose(origin(account(1)), 0, 1, task_seed(1), proposal(1)),
            Error::<Test>::WrongRound
        );
        assert_noop!(
            Training::propose(origin(account(1)), 0, 0, task_seed(2), proposal(1)),
            Error::<Test>::WrongSeed
        );
        let mut stale = proposal(1);
        stale.base = H256::zero();
        assert_noop!(propose_this(1, stale), Error::<Test>::WrongBase);
        let mut huge = proposal(1);
        huge.update.size = u64::MAX;
        assert_noop!(propose_this(1, huge), Error::<Test>::WrongUpdateSize);
        assert_ok!(propose(1));
        assert_noop!(propose(1), Error::<Test>::AlreadyProposed);
        assert_ok!(propose(2));
        assert_ok!(propose(3));
        next_block();
        assert_noop!(propose(3), Error::<Test>::NotInTrainPhase);
    });
}

#[test]
fn rejects_attestations_of_strangers_twice_of_old_versions_and_with_impossible_scores() {
    with_nodes(3, || {
        whole_round(&[1, 2, 3], |_, _| Vote::Accept);
        let attest = |n: u8, version, score| {
            Training::attest(
                RuntimeOrigin::signed(account(n)),
                0,
                version,
                recipe(),
                H256::zero(),
                score,
            )
        };
        assert_noop!(attest(9, 1, SCORE), Error::<Test>::NotAParticipant);
        assert_noop!(attest(1, 0, SCORE), Error::<Test>::WrongVersion);
        assert_noop!(attest(1, 2, SCORE), Error::<Test>::WrongVersion);
        assert_noop!(
            attest(1, 1, Score { correct: 2, total: 1 }),
            Error::<Test>::BadScore
        );
        assert_noop!(
            attest(1, 1, Score { correct: 0, total: 0 }),
            Error::<Test>::BadScore
        );
        let other = Training::attest(
            RuntimeOrigin::signed(account(1)),
            0,
            1,
            H256::zero(),
            H256::zero(),
            SCORE,
        );
        assert_eq!(
            other,
            Err(Error::<Test>::WrongRecipe.into()),
            "folded from what another branch accepted"
        );
        assert_ok!(attest(1, 1, SCORE));
        assert_noop!(attest(1, 1, SCORE), Error::<Test>::AlreadyAttested);
    });
}

#[test]
fn full_blocks_do_not_stop_a_round_and_old_rounds_leave_the_record() {
    with_nodes(2, || {
        assert_ok!(propose(1));
        while phase() == Phase::Train {
            // No weight left for on_idle: only on_initialize runs.
            Training::on_idle(System::block_number(), Weight::zero());
            System::set_block_number(System::block_number() + 1);
            Training::on_initialize(System::block_number());
            assert!(System::block_number() < 20);
        }
        for _ in 0..6 {
            for _ in 0..30 {
                next_block();
            }
            let _ = propose(1);
        }
        assert!(History::<Test>::iter_prefix(0).count() <= 4);
        assert!(round() > 4);
    });
}
