//! Fault 9: what a registration proves.

use frame_support::traits::Get;
use hydra_primitives::{HYDRA, node::Registration};
use hydra_runtime::{Balance, BlockNumber, Runtime, RuntimeCall, System};
use pallet_reputation::Error;
use sp_core::{Pair as _, ed25519};
use sp_runtime::DispatchError;

use super::{Finding, network, nodes, outsider};
use crate::{
    chain::Applied,
    simulation::Simulation,
    strategy::{Honest, Offline},
};

/// What an Ed25519 PeerId begins with.
const PEER_ID: [u8; 6] = [0x00, 0x24, 0x08, 0x01, 0x12, 0x20];

/// The key of an account's trainer.
fn key(account: usize) -> ed25519::Pair {
    let byte = u8::try_from(account).expect("few accounts register");
    ed25519::Pair::from_seed(&[byte; 32])
}

/// The registration of an account, made for the block `anchor`, with the PeerId of `of`'s trainer and a signature by its own.
pub(super) fn registration(
    simulation: &mut Simulation,
    account: usize,
    of: usize,
    anchor: BlockNumber,
    bond: Balance,
) -> RuntimeCall {
    let who = simulation.id(account);
    let peer_id = [PEER_ID.as_slice(), key(of).public().0.as_slice()].concat();
    let (genesis, hash) = simulation.read(|| (System::block_hash(0), System::block_hash(anchor)));
    let made = Registration {
        genesis,
        anchor: hash,
        account: who.into(),
        peer_id: &peer_id,
    };
    let nonce = made.find_nonce(<Runtime as pallet_reputation::Config>::WorkDifficulty::get());
    let signature = key(account).sign(made.to_sign().as_bytes());
    RuntimeCall::Reputation(pallet_reputation::Call::register {
        peer_id: peer_id.try_into().expect("38 bytes"),
        size_class: 8,
        room: 16,
        anchor,
        signature: signature.0,
        nonce,
        bond,
    })
}

fn register(
    simulation: &mut Simulation,
    account: usize,
    of: usize,
    anchor: BlockNumber,
    bond: Balance,
) -> Result<(), DispatchError> {
    let call = registration(simulation, account, of, anchor, bond);
    include(simulation, account, call)
}

fn include(simulation: &mut Simulation, account: usize, call: RuntimeCall) -> Result<(), DispatchError> {
    match simulation.include(account, call) {
        Applied::Included(result) => result,
        other => panic!("a registration that is paid for is in a block: {other:?}"),
    }
}

fn strangers() -> Simulation {
    let strangers = (0..2).map(|_| outsider(Honest::named("stranger")));
    network([nodes(4, |_| Offline), strangers.collect()])
}

/// Somebody registers with the PeerId of another one's trainer, which everyone who speaks to it knows.
pub fn taken_peer_id() -> Finding {
    let mut simulation = strangers();
    simulation.step();
    let thief = register(&mut simulation, 4, 5, 0, HYDRA);
    let owner = register(&mut simulation, 5, 5, 0, HYDRA);
    let refused: DispatchError = Error::<Runtime>::NotYourPeerId.into();
    Finding {
        number: 9,
        test: "a_peer_id_is_registered_by_who_has_its_key",
        seen: format!(
            "a stranger with another trainer's PeerId is {}, and its owner {}",
            if thief == Err(refused) {
                "refused"
            } else {
                "not refused"
            },
            if owner.is_ok() { "registers" } else { "is refused" },
        ),
        is_gone: thief == Err(refused) && owner == Ok(()),
    }
}

/// Somebody without a stake registers, and somebody with a registration that was made long before.
pub fn squatted_place() -> Finding {
    let mut simulation = strangers();
    simulation.step();
    let squatter = register(&mut simulation, 4, 4, 0, 0);
    let old = registration(&mut simulation, 5, 5, 0, HYDRA);
    simulation.steps(300);
    let hoarder = include(&mut simulation, 5, old);
    let recent = simulation.number() - 20;
    let honest = register(&mut simulation, 5, 5, recent, HYDRA);
    let (bond, age): (DispatchError, DispatchError) = (
        Error::<Runtime>::BondBelowMinimum.into(),
        Error::<Runtime>::AnchorTooOld.into(),
    );
    Finding {
        number: 9,
        test: "a_registration_bonds_at_once_and_can_not_be_made_in_advance",
        seen: format!(
            "a registration without a bond is {}, one that was made 300 blocks before {}, one with both {}",
            if squatter == Err(bond) {
                "refused"
            } else {
                "not refused"
            },
            if hoarder == Err(age) { "as well" } else { "not" },
            if honest.is_ok() { "is taken" } else { "is refused" },
        ),
        is_gone: squatter == Err(bond) && hoarder == Err(age) && honest == Ok(()),
    }
}
