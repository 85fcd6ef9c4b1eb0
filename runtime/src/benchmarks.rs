//! What the benchmarks of our pallets need of the chain around them.
//!
//! In native code, where tests run each of them, and in the Wasm that is measured; in no other.

use crate::{
    AccountId, Balance, Balances, HYDRA, HydraToken, Runtime, StakeVoting,
    config::money::EXISTENTIAL_DEPOSIT, network::EpochDuration,
};
use alloc::vec::Vec;
use codec::Encode;
use frame_support::traits::{Get, fungible::Mutate};
use hydra_primitives::{
    ModelId,
    benchmarks::BenchmarkChain,
    electorate::SessionIndex,
    model::MAX_SIZE_CLASS,
    poll::{Draw, Opening, PollId},
    reputation::FOUNDER,
    traits::Stakes,
};
use pallet_reputation::{Node, Nodes, PeerIdBytes, PeerIds};
use sp_consensus_babe::Slot;

/// What is paid into the pool that accounts are owed a part of.
const QUERIES: Balance = 10_000 * HYDRA;

impl BenchmarkChain<AccountId> for Runtime {
    fn endow(who: &AccountId, amount: Balance) {
        let amount = amount.saturating_add(EXISTENTIAL_DEPOSIT);
        Balances::mint_into(who, amount).expect("there is no most that may be issued");
    }

    fn join(accounts: &[AccountId], bond: Balance) {
        for who in accounts {
            Self::endow(who, bond);
            // As long as a PeerId is.
            let peer_id: Vec<u8> = (*b"peer: ", who).encode();
            let peer_id = PeerIdBytes::truncate_from(peer_id);
            PeerIds::<Runtime>::insert(&peer_id, who);
            Nodes::<Runtime>::insert(who, Node::founder(peer_id, MAX_SIZE_CLASS, u8::MAX, FOUNDER));
            <StakeVoting as Stakes<_>>::bond(who, bond).expect("it owns what it bonds");
        }
        StakeVoting::put_electorate(0, accounts);
    }

    fn at_session(session: SessionIndex) {
        pallet_session::CurrentIndex::<Runtime>::put(session);
    }

    fn at_heartbeats() {
        let slots = EpochDuration::<Runtime>::get();
        // The last of those that take them.
        let slot = slots.saturating_sub(slots.div_ceil(8)).saturating_sub(1);
        let begin = *crate::Babe::current_epoch_start();
        pallet_babe::CurrentSlot::<Runtime>::put(Slot::from(begin.saturating_add(slot)));
    }

    fn confirm(model: ModelId) {
        pallet_training_proposals::Confirmed::<Runtime>::mutate(model, |confirmed| {
            if let Some(confirmed) = confirmed {
                confirmed.version = confirmed.version.max(1);
            }
        });
    }

    fn owe(model: ModelId, accounts: &[AccountId]) {
        Self::endow(&HydraToken::pot(), QUERIES);
        pallet_hydra_token::Pools::<Runtime>::mutate(model, |pool| {
            for who in accounts {
                pallet_hydra_token::Shares::<Runtime>::mutate(model, who, |share| pool.add_shares(share, 1));
            }
            assert!(pool.pay_in(QUERIES), "somebody has shares");
        });
    }

    fn put_poll(poll: PollId, draw: Draw, accounts: &[AccountId], opening: Option<&Opening>) {
        StakeVoting::put_poll(poll, draw, accounts, opening);
    }
}
