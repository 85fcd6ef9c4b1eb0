//! What the calls take at most. Run by `hydra-weights`, which says how.
#![allow(clippy::unwrap_used, clippy::arithmetic_side_effects)]

use crate::{Call, Config, Node, Nodes, Pallet, PeerIdBytes, PeerIds};
use alloc::vec::Vec;
use frame_benchmarking::v2::*;
use frame_support::traits::Get;
use frame_system::RawOrigin;
use hydra_primitives::{
    HYDRA,
    benchmarks::BenchmarkChain,
    model::MAX_SIZE_CLASS,
    node::Registration,
    reputation::FOUNDER,
    traits::{Sessions as _, Stakes as _, bytes_of},
};
use sp_core::crypto::KeyTypeId;

/// For the key of a data-plane identity.
const KEY_TYPE: KeyTypeId = KeyTypeId(*b"peer");

/// The PeerId of an Ed25519 key.
fn peer_id(key: &[u8; 32]) -> PeerIdBytes {
    let bytes: Vec<u8> = [&[0x00, 0x24, 0x08, 0x01, 0x12, 0x20], key.as_slice()].concat();
    PeerIdBytes::truncate_from(bytes)
}

/// Registers an account without a bond.
fn register_one<T: Config>(who: &T::AccountId) {
    let peer_id = peer_id(&bytes_of(who));
    PeerIds::<T>::insert(&peer_id, who);
    Nodes::<T>::insert(who, Node::founder(peer_id, MAX_SIZE_CLASS, 1, FOUNDER));
}

#[benchmarks(where T: BenchmarkChain<T::AccountId>)]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn register() {
        let caller: T::AccountId = whitelisted_caller();
        let bond = T::Stakes::minimum() + HYDRA;
        T::endow(&caller, bond);
        let key = sp_io::crypto::ed25519_generate(KEY_TYPE, Some(b"//Peer".to_vec()));
        let peer_id = peer_id(&key.0);
        let genesis = Pallet::<T>::hash_of_block(0);
        let registration = Registration {
            genesis,
            anchor: genesis,
            account: bytes_of(&caller),
            peer_id: &peer_id,
        };
        let nonce = registration.find_nonce(T::WorkDifficulty::get());
        let signature = sp_io::crypto::ed25519_sign(KEY_TYPE, &key, registration.to_sign().as_bytes());
        let signature = signature.unwrap().0;

        #[extrinsic_call]
        _(
            RawOrigin::Signed(caller.clone()),
            peer_id.clone(),
            MAX_SIZE_CLASS,
            1,
            0,
            signature,
            nonce,
            bond,
        );

        let node = Nodes::<T>::get(&caller).unwrap();
        assert!(node.heartbeat.is_some(), "it stands in the next electorate");
        assert_eq!(T::Stakes::bonded(&caller), bond);
    }

    #[benchmark]
    fn pause() {
        let caller: T::AccountId = whitelisted_caller();
        register_one::<T>(&caller);

        #[extrinsic_call]
        _(RawOrigin::Signed(caller.clone()));

        assert!(Nodes::<T>::get(&caller).unwrap().paused);
    }

    #[benchmark]
    fn resume() {
        let caller: T::AccountId = whitelisted_caller();
        register_one::<T>(&caller);
        Nodes::<T>::mutate(&caller, |node| node.as_mut().unwrap().paused = true);

        #[extrinsic_call]
        _(RawOrigin::Signed(caller.clone()));

        assert!(!Nodes::<T>::get(&caller).unwrap().paused);
    }

    #[benchmark]
    fn set_room() {
        let caller: T::AccountId = whitelisted_caller();
        register_one::<T>(&caller);

        #[extrinsic_call]
        _(RawOrigin::Signed(caller.clone()), 3, 7);

        assert_eq!(Nodes::<T>::get(&caller).unwrap().room, 7);
    }

    #[benchmark]
    fn deregister() {
        let caller: T::AccountId = whitelisted_caller();
        register_one::<T>(&caller);

        #[extrinsic_call]
        _(RawOrigin::Signed(caller.clone()));

        assert!(!Nodes::<T>::contains_key(&caller));
    }

    #[benchmark]
    fn remove_abandoned() {
        let caller: T::AccountId = whitelisted_caller();
        let who: T::AccountId = account("abandoned", 0, 0);
        register_one::<T>(&who);
        T::at_session(T::Sessions::per_day() + 1);

        #[extrinsic_call]
        _(RawOrigin::Signed(caller), who.clone());

        assert!(!Nodes::<T>::contains_key(&who));
    }
}
