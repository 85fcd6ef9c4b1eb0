//! Nothing but a referendum, through the scheduler, acts as root.
//!
//! A call that carries another call is how an account might get there, so every one of them is tried, and one that is
//! added later has to be added here.

use crate::chain::{ANY_WEIGHT, id, is_marked, mark, next_block, on_local, signed};
use codec::Decode;
use frame_metadata::{RuntimeMetadata, RuntimeMetadataPrefixed, v15::RuntimeMetadataV15};
use frame_support::{assert_ok, dispatch::GetDispatchInfo, traits::PalletsInfoAccess};
use frame_system::RawOrigin;
use hydra_runtime::{
    AllPalletsWithSystem, Multisig, OriginCaller, Proxy, ProxyType, Runtime, RuntimeCall, RuntimeOrigin,
};
use scale_info::{PortableRegistry, TypeDef};
use sp_keyring::Sr25519Keyring::{Alice, Bob};
use sp_runtime::{DispatchError, traits::Dispatchable};
use std::collections::BTreeSet;

fn metadata() -> RuntimeMetadataV15 {
    let metadata = Runtime::metadata_at_version(15).expect("wallets read version 15");
    match RuntimeMetadataPrefixed::decode(&mut &metadata[..])
        .expect("metadata")
        .1
    {
        RuntimeMetadata::V15(metadata) => metadata,
        other => panic!("version {}", other.version()),
    }
}

/// Whether a value of the type `ty` has one of the type `wanted` in it, itself or in a list or an option.
fn carries(types: &PortableRegistry, ty: u32, wanted: u32) -> bool {
    if ty == wanted {
        return true;
    }
    match &types.resolve(ty).expect("a known type").type_def {
        TypeDef::Sequence(list) => carries(types, list.type_param.id, wanted),
        TypeDef::Array(list) => carries(types, list.type_param.id, wanted),
        TypeDef::Tuple(tuple) => tuple.fields.iter().any(|field| carries(types, field.id, wanted)),
        TypeDef::Variant(one) => one
            .variants
            .iter()
            .flat_map(|variant| &variant.fields)
            .any(|field| field.ty.id == wanted),
        TypeDef::Composite(whole) => whole.fields.iter().any(|field| field.ty.id == wanted),
        _ => false,
    }
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
                .any(|field| carries(&metadata.types, field.ty.id, wanted))
            {
                found.insert(format!("{}.{}", pallet.name, call.name));
            }
        }
    }
    found
}

/// [`mark`] in everything that can carry it.
fn wrapped() -> Vec<RuntimeCall> {
    use pallet_multisig::Call as InMultisig;
    use pallet_proxy::Call as InProxy;
    use pallet_scheduler::Call as InScheduler;
    use pallet_utility::Call as InUtility;
    let one = || Box::new(mark());
    let list = || vec![mark()];
    let as_root = || Box::new(OriginCaller::from(RawOrigin::Root));
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
            as_origin: as_root(),
            call: one(),
        }
        .into(),
        InUtility::dispatch_as_fallible {
            as_origin: as_root(),
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
        let tried: BTreeSet<_> = wrapped().iter().map(name).collect();
        assert_eq!(tried, carriers());
    });
}

#[test]
fn an_account_reaches_root_through_no_call_that_carries_another() {
    on_local(|| {
        // Everything that accounts can give each other.
        assert_ok!(Proxy::add_proxy(signed(Bob), id(Alice).into(), ProxyType::Any, 0));
        for call in wrapped() {
            for origin in [signed(Alice), RuntimeOrigin::none()] {
                // It may succeed, with a failure inside.
                let _ = call.clone().dispatch(origin);
                assert!(!is_marked(), "{} led to root", name(&call));
            }
        }
        // The other half of a multisig that Alice began above.
        let began = Multisig::timepoint();
        let weight = mark().get_dispatch_info().call_weight;
        let _ = Multisig::as_multi(
            signed(Bob),
            2,
            vec![id(Alice)],
            Some(began),
            Box::new(mark()),
            weight,
        );
        // What might have been scheduled.
        for _ in 0..10 {
            next_block();
            assert!(!is_marked());
        }
    });
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
