//! No account acts as root or as the *models* track by a call that carries another call.
//!
//! That is how an account might get there, so every one of them is tried, and one that is added later has to be added here. It
//! isn't a proof that there is no other way.

use crate::chain::{ANY_WEIGHT, id, is_marked, mark, metadata, next_block, on_local, signed};
use frame_support::{assert_ok, dispatch::GetDispatchInfo, traits::PalletsInfoAccess};
use frame_system::RawOrigin;
use hydra_primitives::digits::{DIGITS_INITIAL_WEIGHTS, digits_manifest, digits_spec};
use hydra_runtime::{
    AllPalletsWithSystem, Multisig, OriginCaller, Proxy, ProxyType, Runtime, RuntimeCall, RuntimeOrigin,
    TrainingProposals, governance::Origin,
};
use scale_info::{PortableRegistry, TypeDef};
use sp_keyring::Sr25519Keyring::{Alice, Bob};
use sp_runtime::{DispatchError, traits::Dispatchable};
use std::collections::BTreeSet;

/// Whether a value of the type `ty` may have one of the type `wanted` in it, however deep. `seen` are the types that were looked
/// into already.
fn carries(types: &PortableRegistry, ty: u32, wanted: u32, seen: &mut BTreeSet<u32>) -> bool {
    if ty == wanted {
        return true;
    }
    if !seen.insert(ty) {
        return false;
    }
    let inner: Vec<u32> = match &types.resolve(ty).expect("a known type").type_def {
        TypeDef::Sequence(list) => vec![list.type_param.id],
        TypeDef::Array(list) => vec![list.type_param.id],
        TypeDef::Compact(number) => vec![number.type_param.id],
        TypeDef::Tuple(tuple) => tuple.fields.iter().map(|field| field.id).collect(),
        TypeDef::Variant(one) => {
            let fields = one.variants.iter().flat_map(|variant| &variant.fields);
            fields.map(|field| field.ty.id).collect()
        }
        TypeDef::Composite(whole) => whole.fields.iter().map(|field| field.ty.id).collect(),
        TypeDef::Primitive(_) | TypeDef::BitSequence(_) => Vec::new(),
    };
    inner.into_iter().any(|ty| carries(types, ty, wanted, seen))
}

/// `Pallet.call` of every call that carries another one.
fn carriers() -> BTreeSet<String> {
    let metadata = metadata();
    let wanted = metadata.outer_enums.call_enum_ty.id;
    let mut found = BTreeSet::new();
    for pallet in &metadata.pallets {
        let Some(calls) = &pallet.calls else { continue };
        let TypeDef::Variant(calls) = &metadata
            .types
            .resolve(calls.ty.id)
            .expect("a known type")
            .type_def
        else {
            panic!("the calls of {} are no variants", pallet.name);
        };
        for call in &calls.variants {
            if call
                .fields
                .iter()
                .any(|field| carries(&metadata.types, field.ty.id, wanted, &mut BTreeSet::new()))
            {
                found.insert(format!("{}.{}", pallet.name, call.name));
            }
        }
    }
    found
}

/// A call in everything that can carry it, made as `origin` where the carrier lets one choose.
fn wrapped(call: &RuntimeCall, origin: &OriginCaller) -> Vec<RuntimeCall> {
    use pallet_multisig::Call as InMultisig;
    use pallet_proxy::Call as InProxy;
    use pallet_scheduler::Call as InScheduler;
    use pallet_utility::Call as InUtility;
    let one = || Box::new(call.clone());
    let list = || vec![call.clone()];
    let chosen = || Box::new(origin.clone());
    vec![
        InUtility::batch { calls: list() }.into(),
        InUtility::batch_all { calls: list() }.into(),
        InUtility::force_batch { calls: list() }.into(),
        InUtility::as_derivative {
            index: 0,
            call: one(),
        }
        .into(),
        InUtility::dispatch_as {
            as_origin: chosen(),
            call: one(),
        }
        .into(),
        InUtility::dispatch_as_fallible {
            as_origin: chosen(),
            call: one(),
        }
        .into(),
        InUtility::with_weight {
            call: one(),
            weight: ANY_WEIGHT,
        }
        .into(),
        InUtility::if_else {
            main: one(),
            fallback: one(),
        }
        .into(),
        InProxy::proxy {
            real: id(Bob).into(),
            force_proxy_type: None,
            call: one(),
        }
        .into(),
        InProxy::proxy_announced {
            delegate: id(Alice).into(),
            real: id(Bob).into(),
            force_proxy_type: None,
            call: one(),
        }
        .into(),
        InMultisig::as_multi_threshold_1 {
            other_signatories: vec![id(Bob)],
            call: one(),
        }
        .into(),
        InMultisig::as_multi {
            threshold: 2,
            other_signatories: vec![id(Bob)],
            maybe_timepoint: None,
            call: one(),
            max_weight: ANY_WEIGHT,
        }
        .into(),
        InScheduler::schedule {
            when: 5,
            maybe_periodic: None,
            priority: 0,
            call: one(),
        }
        .into(),
        InScheduler::schedule_named {
            id: [1; 32],
            when: 5,
            maybe_periodic: None,
            priority: 0,
            call: one(),
        }
        .into(),
        InScheduler::schedule_after {
            after: 1,
            maybe_periodic: None,
            priority: 0,
            call: one(),
        }
        .into(),
        InScheduler::schedule_named_after {
            id: [2; 32],
            after: 1,
            maybe_periodic: None,
            priority: 0,
            call: one(),
        }
        .into(),
    ]
}

fn name(call: &RuntimeCall) -> String {
    use frame_support::traits::GetCallMetadata;
    let metadata = call.get_call_metadata();
    format!("{}.{}", metadata.pallet_name, metadata.function_name)
}

#[test]
fn every_call_that_carries_another_is_tried_below() {
    on_local(|| {
        let tried: BTreeSet<_> = wrapped(&mark(), &RawOrigin::Root.into())
            .iter()
            .map(name)
            .collect();
        assert_eq!(tried, carriers());
    });
}

#[test]
fn an_account_reaches_no_origin_of_a_referendum_through_a_call_that_carries_another() {
    /// A call, the origin it needs, and whether it was made.
    type Way = (RuntimeCall, OriginCaller, fn() -> bool);
    let add_model = pallet_training_proposals::Call::add_model {
        spec: digits_spec(),
        dataset: digits_manifest(),
        weights: DIGITS_INITIAL_WEIGHTS,
    };
    let ways: [Way; 2] = [
        (mark(), RawOrigin::Root.into(), is_marked),
        (
            RuntimeCall::TrainingProposals(add_model),
            Origin::Models.into(),
            || TrainingProposals::model_ids().len() > 1,
        ),
    ];
    for (call, origin, is_done) in ways {
        on_local(|| {
            // Everything that accounts can give each other.
            assert_ok!(Proxy::add_proxy(signed(Bob), id(Alice).into(), ProxyType::Any, 0));
            for carrier in wrapped(&call, &origin) {
                for origin in [signed(Alice), RuntimeOrigin::none()] {
                    // It may succeed, with a failure inside.
                    let _ = carrier.clone().dispatch(origin);
                    assert!(!is_done(), "{} made {}", name(&carrier), name(&call));
                }
            }
            // The other half of a multisig that Alice began above.
            let began = Multisig::timepoint();
            let weight = call.get_dispatch_info().call_weight;
            let _ = Multisig::as_multi(
                signed(Bob),
                2,
                vec![id(Alice)],
                Some(began),
                Box::new(call.clone()),
                weight,
            );
            // What might have been scheduled.
            for _ in 0..10 {
                next_block();
                assert!(!is_done());
            }
            // It is the origin that was missing, and nothing else.
            assert_ok!(call.dispatch(origin.into()));
            assert!(is_done());
        });
    }
}

#[test]
fn an_account_can_not_change_the_code_or_the_state_itself() {
    on_local(|| {
        use frame_system::Call;
        let code = || vec![0; 8];
        let calls: Vec<Call<Runtime>> = vec![
            Call::set_heap_pages { pages: 1 },
            Call::set_code { code: code() },
            Call::set_code_without_checks { code: code() },
            Call::set_storage {
                items: vec![(b"key".to_vec(), code())],
            },
            Call::kill_storage {
                keys: vec![b"key".to_vec()],
            },
            Call::kill_prefix {
                prefix: b"key".to_vec(),
                subkeys: 1,
            },
            Call::authorize_upgrade {
                code_hash: Default::default(),
            },
            Call::authorize_upgrade_without_checks {
                code_hash: Default::default(),
            },
        ];
        for call in calls {
            for origin in [signed(Alice), RuntimeOrigin::none()] {
                let call = RuntimeCall::System(call.clone());
                let done = call.clone().dispatch(origin);
                assert_eq!(
                    done.expect_err("an account is not root").error,
                    DispatchError::BadOrigin,
                    "{}",
                    name(&call)
                );
            }
        }
        // What a referendum hasn't authorised can't be applied.
        let call = RuntimeCall::System(Call::apply_authorized_upgrade { code: code() });
        assert!(call.dispatch(signed(Alice)).is_err());
    });
}

#[test]
fn no_pallet_is_there_to_give_root_away() {
    let pallets: Vec<_> = AllPalletsWithSystem::infos();
    assert!(
        pallets
            .iter()
            .any(|pallet| pallet.module_name == "pallet_referenda")
    );
    for pallet in pallets {
        for one in [pallet.name, pallet.module_name] {
            let one = one.to_lowercase();
            assert!(
                !["sudo", "collective", "root_testing", "migrations"]
                    .iter()
                    .any(|bad| one.contains(bad)),
                "{one}"
            );
        }
    }
}
