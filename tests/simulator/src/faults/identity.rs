//! Fault 9: what a registration proves.

use codec::Encode;
use frame_support::traits::Get;
use hydra_primitives::node::find_nonce;
use hydra_runtime::{MILLI_HYDRA, Runtime, RuntimeCall};
use pallet_reputation::Error;
use sp_runtime::DispatchError;

use super::{Finding, hydra, network, nodes, outsider};
use crate::{
    chain::Applied,
    simulation::Simulation,
    strategy::{Honest, Offline},
};

/// The account registers, with the PeerId that is `of`'s: every account's is its name on chain.
fn register(simulation: &mut Simulation, account: usize, of: usize) -> Result<(), DispatchError> {
    let (who, peer_id) = (simulation.id(account), simulation.id(of).encode());
    let difficulty = <Runtime as pallet_reputation::Config>::WorkDifficulty::get();
    let nonce = find_nonce(&who.into(), &peer_id, difficulty);
    let call = RuntimeCall::Reputation(pallet_reputation::Call::register {
        peer_id: peer_id.try_into().expect("32 bytes"),
        capabilities: Default::default(),
        nonce,
    });
    match simulation.include(account, call) {
        Applied::Included(result) => result,
        other => panic!("a registration that is paid for is in a block: {other:?}"),
    }
}

/// Somebody registers with the PeerId of another one's trainer, which everyone who speaks to it knows.
pub fn taken_peer_id() -> Finding {
    let strangers = (0..2).map(|_| outsider(Honest::named("stranger")));
    let mut simulation = network([nodes(4, |_| Offline), strangers.collect()]);
    let thief = register(&mut simulation, 4, 5);
    let owner = register(&mut simulation, 5, 5);
    let taken: DispatchError = Error::<Runtime>::PeerIdTaken.into();
    Finding {
        number: 9,
        test: "a_peer_id_can_be_taken_without_its_key",
        seen: format!(
            "a stranger registers with a trainer's PeerId ({thief:?}), and its owner is {}",
            if owner == Err(taken) {
                "refused"
            } else {
                "not refused"
            }
        ),
        is_there: thief.is_ok() && owner == Err(taken),
    }
}

/// Somebody without a stake takes the last place of a network.
pub fn squatted_place() -> Finding {
    let strangers = (0..2).map(|_| outsider(Honest::named("stranger")));
    let mut simulation = network([nodes(32, |_| Offline), strangers.collect()]);
    let squatter = register(&mut simulation, 32, 32);
    let fee = simulation
        .ledger()
        .accounts
        .get(32)
        .map_or(0, |account| account.fees);
    let at_once = register(&mut simulation, 33, 33);
    simulation.steps(90);
    let later = register(&mut simulation, 33, 33);
    let full: DispatchError = Error::<Runtime>::TooManyNodes.into();
    Finding {
        number: 9,
        test: "a_place_is_squatted_for_the_fee_of_a_registration",
        seen: format!(
            "an account that never bonds keeps others out of the last place for 100 blocks, for a fee of {:.5} HYDRA",
            hydra(fee)
        ),
        is_there: squatter.is_ok()
            && at_once == Err(full)
            && later == Err(full)
            && fee > 0
            && fee < 3 * MILLI_HYDRA,
    }
}
