//! Accounts that act for others.

use crate::chain::{ANY_WEIGHT, ayes, id, mark, next_block, on_local, propose, signed, until};
use frame_support::{assert_noop, assert_ok, traits::Currency};
use hydra_runtime::{
    AccountId, Balances, HYDRA, Multisig, Proxy, ProxyType, Runtime, RuntimeCall, RuntimeEvent,
};
use pallet_conviction_voting::{AccountVote, Conviction, Vote};
use sp_keyring::Sr25519Keyring::{self, Alice, Bob, Charlie, Dave, Ferdie};
use sp_runtime::{DispatchError, DispatchResult};

fn transfer(to: Sr25519Keyring) -> RuntimeCall {
    RuntimeCall::Balances(pallet_balances::Call::transfer_keep_alive {
        dest: id(to).into(),
        value: HYDRA,
    })
}

fn aye(index: u32) -> RuntimeCall {
    RuntimeCall::ConvictionVoting(pallet_conviction_voting::Call::vote {
        poll_index: index,
        vote: AccountVote::Standard {
            vote: Vote {
                aye: true,
                conviction: Conviction::None,
            },
            balance: 10 * HYDRA,
        },
    })
}

/// Bob does this for Alice; what came of it.
fn bob_for_alice(call: RuntimeCall) -> DispatchResult {
    next_block();
    assert_ok!(Proxy::proxy(signed(Bob), id(Alice).into(), None, Box::new(call)));
    until("the proxy's call", |event| match event {
        RuntimeEvent::Proxy(pallet_proxy::Event::ProxyExecuted { result }) => Some(*result),
        _ => None,
    })
}

fn filtered() -> DispatchResult {
    Err(frame_system::Error::<Runtime>::CallFiltered.into())
}

#[test]
fn a_governance_proxy_votes_with_the_stake_of_another_and_can_not_spend_it() {
    on_local(|| {
        let index = propose(Charlie, frame_system::RawOrigin::Root, mark());
        assert_ok!(Proxy::add_proxy(
            signed(Alice),
            id(Bob).into(),
            ProxyType::Governance,
            0
        ));
        assert_ok!(bob_for_alice(aye(index)));
        assert_eq!(ayes(index), HYDRA, "a tenth of 10, without conviction");
        let before = Balances::total_balance(&id(Ferdie));
        assert_eq!(bob_for_alice(transfer(Ferdie)), filtered());
        // A batch is taken apart.
        assert_ok!(bob_for_alice(RuntimeCall::Utility(
            pallet_utility::Call::force_batch {
                calls: vec![transfer(Ferdie)]
            }
        )));
        assert_eq!(Balances::total_balance(&id(Ferdie)), before);
    });
}

#[test]
fn a_proxy_that_may_do_all_but_spend_bonds_and_spends_nothing() {
    on_local(|| {
        assert_ok!(Proxy::add_proxy(
            signed(Alice),
            id(Bob).into(),
            ProxyType::NonTransfer,
            0
        ));
        // Dave trusts Alice with everything, and didn't mean Bob.
        assert_ok!(Proxy::add_proxy(
            signed(Dave),
            id(Alice).into(),
            ProxyType::Any,
            0
        ));
        assert_ok!(bob_for_alice(RuntimeCall::StakeVoting(
            pallet_stake_voting::Call::bond { amount: HYDRA }
        )));
        for spends in [
            transfer(Ferdie),
            RuntimeCall::HydraToken(pallet_hydra_token::Call::pay_query {
                model: 0,
                request_hash: Default::default(),
            }),
            RuntimeCall::Proxy(pallet_proxy::Call::proxy {
                real: id(Dave).into(),
                force_proxy_type: None,
                call: Box::new(transfer(Ferdie)),
            }),
            RuntimeCall::Proxy(pallet_proxy::Call::add_proxy {
                delegate: id(Bob).into(),
                proxy_type: ProxyType::Any,
                delay: 0,
            }),
            RuntimeCall::Multisig(pallet_multisig::Call::as_multi_threshold_1 {
                other_signatories: vec![id(Bob)],
                call: Box::new(transfer(Ferdie)),
            }),
        ] {
            let name = format!("{spends:?}");
            assert_eq!(bob_for_alice(spends), filtered(), "{name}");
        }
    });
}

#[test]
fn whoever_was_not_named_is_no_proxy() {
    on_local(|| {
        assert_noop!(
            Proxy::proxy(signed(Bob), id(Alice).into(), None, Box::new(transfer(Bob))),
            DispatchError::from(pallet_proxy::Error::<Runtime>::NotProxy)
        );
    });
}

#[test]
fn two_of_three_move_what_belongs_to_all_three() {
    on_local(|| {
        let mut members = [Alice, Bob, Charlie].map(id).to_vec();
        members.sort();
        let others = |who: Sr25519Keyring| -> Vec<AccountId> {
            members
                .iter()
                .filter(|member| **member != id(who))
                .cloned()
                .collect()
        };
        let shared = Multisig::multi_account_id(&members, 2);
        assert_ok!(Balances::transfer_keep_alive(
            signed(Alice),
            shared.clone().into(),
            10 * HYDRA
        ));
        let (call, began) = (transfer(Ferdie), Multisig::timepoint());
        assert_ok!(Multisig::as_multi(
            signed(Alice),
            2,
            others(Alice),
            None,
            Box::new(call.clone()),
            ANY_WEIGHT
        ));
        assert_eq!(Balances::total_balance(&shared), 10 * HYDRA, "one is not enough");
        next_block();
        assert_ok!(Multisig::as_multi(
            signed(Bob),
            2,
            others(Bob),
            Some(began),
            Box::new(call),
            ANY_WEIGHT
        ));
        assert_eq!(Balances::total_balance(&shared), 9 * HYDRA);
    });
}
