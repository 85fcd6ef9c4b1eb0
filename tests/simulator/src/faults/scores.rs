//! Faults 2 and 6: what the score says, and what it is taken down for.

use hydra_primitives::{reputation::Deed, traits::Reputation as _};
use hydra_runtime::Reputation;

use super::{Finding, earned, honest, hydra, network, nodes};
use crate::{
    duty::Kind,
    protocol,
    strategy::{Forging, Late, Lazy, Offline},
};

/// One of 33 forges every task and votes honestly; then 20 of the others accept whatever is claimed.
pub fn forging() -> Finding {
    let mut watched = network([nodes(1, |_| Forging::all()), honest(32)]);
    let mut ended = watched.rounds(25);
    let (score, nothing) = (watched.score(0), earned(&watched, 0..1));
    let mut unwatched = network([nodes(1, |_| Forging::all()), nodes(20, |_| Lazy), honest(12)]);
    ended &= unwatched.rounds(6);
    let paid = hydra(earned(&unwatched, 0..1));
    Finding {
        number: 2,
        test: "forging_every_round_settles_at_a_score_and_is_paid_when_verifiers_are_lazy",
        seen: format!(
            "after 25 rounds in which all its tasks were forged and rejected its score is {score:.2}; with 20 lazy verifiers of \
             32 it is paid {paid:.0} HYDRA in 6 rounds",
        ),
        is_there: ended && (0.6..0.73).contains(&score) && nothing == 0 && paid >= 6.0,
    }
}

/// 33 newcomers in their first round.
pub fn newcomer() -> Finding {
    let mut simulation = network([honest(33)]);
    let before = simulation.score(0);
    let ended = simulation.rounds(1);
    let after = simulation.score(0);
    Finding {
        number: 2,
        test: "a_newcomer_reaches_three_quarters_in_one_round",
        seen: format!("one round takes a newcomer from {before:.2} to {after:.2}"),
        is_there: ended && before == 0.1 && after > 0.7,
    }
}

/// An account with many bad deeds does another one.
pub fn bad_deeds() -> Finding {
    let mut simulation = network([honest(4)]);
    let who = simulation.id(0);
    let (before, after) = simulation.read(|| {
        for _ in 0..40 {
            Reputation::record(&who, Deed::ProposalRejected);
        }
        let before = protocol::score(&who);
        Reputation::record(&who, Deed::DidNotReveal);
        (before, protocol::score(&who))
    });
    Finding {
        number: 2,
        test: "more_bad_deeds_can_raise_the_score",
        seen: format!(
            "after 40 rejected proposals a vote that isn't revealed takes the score from {before:.6} to {after:.6}"
        ),
        is_there: after > before,
    }
}

/// One of 33, at its best, is off for a round, so that nobody waits for it, and is a block late with its reveals in the next.
pub fn early_end() -> Finding {
    let mut simulation = network([honest(33)]);
    let mut ended = simulation.rounds(8);
    simulation.play(0, Offline);
    // What it had sent for the round that has just begun.
    simulation.lose(0);
    ended &= simulation.rounds(1);
    simulation.play(0, Late::with(Kind::Reveal, 1));
    let before = simulation.score(0);
    ended &= simulation.rounds(1);
    let after = simulation.score(0);
    Finding {
        number: 6,
        test: "an_early_end_blames_those_on_their_way",
        seen: format!(
            "reveals that are a block late, in a phase that lasts four and ended after one, take a node from {before:.2} to \
             {after:.2}"
        ),
        is_there: ended && before > 0.83 && after < 0.5,
    }
}
