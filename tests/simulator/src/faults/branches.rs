//! Fault 8: what was meant for one branch of the chain counts on another.

use super::{Finding, earned, honest, hydra, network, nodes};
use crate::strategy::Equivocating;

/// One of four claims the right result; the others check it and commit. Then three blocks are taken back, and on the other branch
/// it claims something else.
pub fn reorganised_commitment() -> Finding {
    let mut simulation = network([nodes(1, |_| Equivocating), honest(3)]);
    let mut ended = simulation.rounds(1);
    let before = earned(&simulation, 0..1);
    let fork = simulation.snapshot();
    // It claims; a poll opens; the others commit.
    simulation.steps(3);
    simulation.reorganise(&fork);
    ended &= simulation.rounds(1);
    let lies = simulation.ledger().lies_accepted;
    let paid = hydra(earned(&simulation, 0..1) - before);
    Finding {
        number: 8,
        test: "a_commitment_made_for_one_claim_counts_for_another_after_a_reorganisation",
        seen: format!(
            "three honest verifiers that have checked the claim of one branch accept {lies} wrong claim on the other, which is paid \
             {paid:.0} HYDRA"
        ),
        is_there: ended && lies == 1 && paid >= 1.0,
    }
}
