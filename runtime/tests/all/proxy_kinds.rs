//! What each kind of proxy may do: every call of the runtime, asked of every kind.

use crate::chain::{metadata, on_local};
use codec::Decode;
use frame_support::traits::{GetCallMetadata, InstanceFilter};
use hydra_runtime::{ProxyType, RuntimeCall};
use scale_info::TypeDef;
use sp_runtime::traits::TrailingZeroInput;
use std::collections::BTreeSet;

const BATCHES: [&str; 3] = ["Utility.batch", "Utility.batch_all", "Utility.force_batch"];
const STAKING: [&str; 11] = [
    "HydraToken.claim",
    "Reputation.deregister",
    "Reputation.pause",
    "Reputation.register",
    "Reputation.resume",
    "Reputation.set_room",
    "Session.purge_keys",
    "Session.set_keys",
    "StakeVoting.bond",
    "StakeVoting.unbond",
    "StakeVoting.withdraw",
];
const GOVERNANCE: [&str; 6] = [
    "ConvictionVoting.delegate",
    "ConvictionVoting.remove_other_vote",
    "ConvictionVoting.remove_vote",
    "ConvictionVoting.undelegate",
    "ConvictionVoting.unlock",
    "ConvictionVoting.vote",
];
const CANCEL_PROXY: [&str; 1] = ["Proxy.reject_announcement"];
const NON_TRANSFER_ALONE: [&str; 3] = [
    "Reputation.remove_abandoned",
    "System.remark",
    "System.remark_with_event",
];

/// How arguments begin that are zero from there on, each where the ones before are no value: `addModel`'s profile is never 0.
const BEGINNINGS: [&[u8]; 3] = [&[], &[1], &[0, 0, 1]];

/// Every call there is, with arguments that are zero but for their beginning.
fn calls() -> Vec<RuntimeCall> {
    let metadata = metadata();
    let mut calls = Vec::new();
    for pallet in &metadata.pallets {
        let Some(ty) = &pallet.calls else { continue };
        let TypeDef::Variant(variants) = &metadata.types.resolve(ty.ty.id).expect("a known type").type_def
        else {
            panic!("the calls of {} are no variants", pallet.name);
        };
        for variant in &variants.variants {
            let call = BEGINNINGS
                .into_iter()
                .find_map(|beginning| {
                    let bytes = [[pallet.index, variant.index].as_slice(), beginning].concat();
                    RuntimeCall::decode(&mut TrailingZeroInput::new(&bytes)).ok()
                })
                .unwrap_or_else(|| panic!("{}.{} needs other arguments", pallet.name, variant.name));
            assert_eq!(name(&call), format!("{}.{}", pallet.name, variant.name));
            calls.push(call);
        }
    }
    calls
}

fn name(call: &RuntimeCall) -> String {
    let metadata = call.get_call_metadata();
    format!("{}.{}", metadata.pallet_name, metadata.function_name)
}

fn allowed(kind: ProxyType) -> BTreeSet<String> {
    let calls = calls();
    calls.iter().filter(|call| kind.filter(*call)).map(name).collect()
}

fn names(lists: &[&[&str]]) -> BTreeSet<String> {
    lists.concat().into_iter().map(String::from).collect()
}

#[test]
fn each_kind_of_proxy_may_make_these_calls_and_no_others() {
    on_local(|| {
        assert_eq!(allowed(ProxyType::Staking), names(&[&BATCHES, &STAKING]));
        assert_eq!(allowed(ProxyType::Governance), names(&[&BATCHES, &GOVERNANCE]));
        assert_eq!(allowed(ProxyType::CancelProxy), names(&[&BATCHES, &CANCEL_PROXY]));
        assert_eq!(
            allowed(ProxyType::NonTransfer),
            names(&[
                &BATCHES,
                &STAKING,
                &GOVERNANCE,
                &CANCEL_PROXY,
                &NON_TRANSFER_ALONE
            ])
        );
        assert_eq!(allowed(ProxyType::Any).len(), calls().len());
    });
}

#[test]
fn a_kind_that_contains_another_may_do_all_that_the_other_may() {
    use ProxyType::{Any, CancelProxy, Governance, NonTransfer, Staking};
    on_local(|| {
        let kinds = [Any, NonTransfer, Staking, Governance, CancelProxy];
        for one in kinds {
            for other in kinds {
                if InstanceFilter::<RuntimeCall>::is_superset(&one, &other) {
                    assert!(allowed(one).is_superset(&allowed(other)), "{one:?}, {other:?}");
                }
            }
        }
    });
}
