//! Fault 8: what was meant for one branch of the chain counts on no other. And what could be ground is not.

use hydra_primitives::HYDRA;
use hydra_runtime::Runtime;
use pallet_stake_voting::{Polls, Seats};
use pallet_training_proposals::Places;
use std::collections::BTreeMap;

use super::{Finding, forfeited, honest, hydra, network, nodes};
use crate::{
    simulation::Simulation,
    strategy::{Equivocating, Forging, Honest},
};

/// One of four claims the right result; the others check it and give their digests. Then five blocks are taken back, and on the
/// other branch it claims something else.
pub fn reorganised_digest() -> Finding {
    let mut simulation = network([nodes(1, |_| Equivocating), honest(3)]);
    let mut ended = simulation.rounds(1);
    let fork = simulation.snapshot();
    // It claims; the version before is confirmed; seats are drawn; the others give their digests.
    simulation.steps(5);
    simulation.reorganise(&fork);
    ended &= simulation.rounds(2);
    let wrong = simulation.ledger().wrong;
    let (lost, unjust) = (forfeited(&simulation, 0..1), forfeited(&simulation, 1..4));
    Finding {
        number: 8,
        test: "what_was_found_on_one_branch_counts_on_no_other",
        seen: format!(
            "three honest verifiers that have checked the claim of one branch accept {} wrong claims on the other and reject {}; who \
             made them forfeits {:.1} HYDRA",
            wrong.accepted,
            wrong.rejected,
            hydra(lost)
        ),
        is_gone: ended && wrong.accepted == 0 && wrong.rejected >= 1 && lost >= HYDRA && unjust == 0,
    }
}

/// Who has how many seats of the poll on each place.
type Drawn = BTreeMap<u16, BTreeMap<[u8; 32], u16>>;

/// The seats of the first round's polls, once all of them are drawn.
fn seats(simulation: &mut Simulation) -> Drawn {
    let drawn = |simulation: &mut Simulation| -> Drawn {
        simulation.read(|| {
            let polls =
                Places::<Runtime>::iter_prefix(0).filter_map(|(index, place)| Some((index, place.poll?)));
            polls
                .map(|(index, poll)| {
                    let seats = Seats::<Runtime>::iter_prefix(poll);
                    (
                        index,
                        seats.map(|(who, seat)| (who.into(), seat.seats.first)).collect(),
                    )
                })
                .collect()
        })
    };
    simulation.until(30, |simulation| {
        let drawn = drawn(simulation);
        let polls = simulation.read(|| Polls::<Runtime>::iter_keys().count());
        polls > 0 && drawn.len() == polls && drawn.values().all(|seats| !seats.is_empty())
    });
    drawn(simulation)
}

/// A proposer tries another claim where it knows what the next block draws by.
pub fn ground_claims() -> Finding {
    let mut simulation = network([nodes(1, |_| Honest::named("grinding")), honest(11)]);
    let fork = simulation.snapshot();
    simulation.replay(&fork);
    let one = seats(&mut simulation);
    simulation.replay(&fork);
    simulation.play(0, Forging::all());
    let other = seats(&mut simulation);
    let claims = simulation.read(|| Places::<Runtime>::iter_prefix(0).count());
    Finding {
        number: 8,
        test: "no_claim_changes_who_verifies_it",
        seen: format!(
            "of {claims} claims {} are verified by the same seats when one proposer claims something else and all chance is the same",
            one.iter()
                .filter(|(index, seats)| other.get(*index) == Some(*seats))
                .count()
        ),
        is_gone: !one.is_empty() && one == other,
    }
}
