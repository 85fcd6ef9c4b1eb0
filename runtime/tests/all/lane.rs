//! The lane of duties: what an account owes costs nothing and goes before everything else, and nothing else gets into that lane at any
//! price. Nobody who reads metadata sees it.

use crate::{
    chain::{id, metadata, on_local},
    pcs::{Applied, Conduct, FOUNDERS, Network, submit},
};
use frame_support::traits::fungible::Inspect;
use hydra_primitives::{H256, duty::DutyResult};
use hydra_runtime::{Balance, Balances, HYDRA, ProxyType, RuntimeCall, RuntimeEvent};
use pallet_training_proposals::Event as InTraining;
use pallet_transaction_payment::Event as InPayment;
use sp_keyring::Sr25519Keyring::{self, Alice, Bob, Eve, Ferdie};
use sp_runtime::transaction_validity::{InvalidTransaction, TransactionValidityError};

/// Nearly all that somebody has.
const TIP: Balance = 900_000 * HYDRA;

/// A network in whose current block everybody owes a proposal.
fn training() -> Network {
    let mut network = Network::of(4);
    assert_eq!(network.until_opened(), 4);
    network
}

fn proposal(network: &mut Network, who: Sr25519Keyring) -> Vec<DutyResult> {
    let mut results = network.owed(who, Conduct::Honest);
    results.retain(|result| matches!(result, DutyResult::Propose { .. }));
    assert_eq!(results.len(), 1, "it holds a place");
    results
}

fn owned(network: &mut Network, who: Sr25519Keyring) -> Balance {
    network.read(|| Balances::total_balance(&id(who)))
}

fn remark(bytes: usize) -> RuntimeCall {
    let remark = vec![0; bytes];
    frame_system::Call::remark { remark }.into()
}

fn batch(calls: Vec<RuntimeCall>) -> RuntimeCall {
    pallet_utility::Call::batch { calls }.into()
}

fn refused(why: InvalidTransaction) -> TransactionValidityError {
    why.into()
}

/// Fills what is left of the block for ordinary transactions.
fn fill(network: &mut Network) {
    let transfer = RuntimeCall::Balances(pallet_balances::Call::transfer_keep_alive {
        dest: id(Ferdie).into(),
        value: 1,
    });
    for calls in [400, 20, 1] {
        let spam = batch(vec![transfer.clone(); calls]);
        let last = loop {
            match network.apply(Eve, spam.clone(), HYDRA) {
                Applied::Included(Ok(())) => {}
                other => break other,
            }
        };
        assert_eq!(last, Applied::Full);
    }
}

#[test]
fn no_tip_goes_before_a_duty() {
    let mut network = training();
    let owed = proposal(&mut network, Alice);
    let duty = network.validity(Alice, submit(owed), 0).expect("it is owed");
    for spam in [remark(1), remark(100_000)] {
        let spam = network.validity(Eve, spam, TIP).expect("it is paid for");
        assert!(duty.priority > spam.priority);
    }
    network.end();
}

#[test]
fn blocks_full_of_tipped_transactions_have_room_for_duties() {
    let mut network = training();
    fill(&mut network);
    let before = FOUNDERS.map(|who| owned(&mut network, who));
    for who in FOUNDERS {
        let owed = proposal(&mut network, who);
        assert_eq!(
            network.apply(who, submit(owed), 0),
            Applied::Included(Ok(())),
            "{who:?}"
        );
    }
    assert_eq!(FOUNDERS.map(|who| owned(&mut network, who)), before);
    assert_eq!(network.model().proposals, 4);
    network.end();
}

#[test]
fn full_blocks_stop_no_round() {
    let mut network = Network::of(4);
    for _ in 0..9 {
        fill(&mut network);
        network.block();
    }
    assert_eq!(network.model().confirmed_version, 1);
    network.end();
}

#[test]
fn what_is_not_wholly_owed_is_in_no_pool_and_no_block() {
    let mut network = training();
    let owed = proposal(&mut network, Alice);
    let digest = DutyResult::Digest {
        poll: H256::zero(),
        digest: H256::zero(),
    };
    let stale = refused(InvalidTransaction::Stale);
    for (who, results) in [
        (Bob, owed.clone()),
        (Eve, owed.clone()),
        (Alice, [owed.clone(), vec![digest]].concat()),
        (Alice, [owed.clone(), owed.clone()].concat()),
        (Eve, vec![DutyResult::Heartbeat { session: 0 }]),
    ] {
        let call = submit(results);
        assert_eq!(
            network.validity(who, call.clone(), TIP),
            Err(stale),
            "{who:?}: {call:?}"
        );
        assert_eq!(network.apply(who, call, TIP), Applied::Invalid(stale));
    }
    assert_eq!(
        network.validity(Alice, submit(vec![]), TIP),
        Err(refused(InvalidTransaction::Call))
    );
    // What is owed is owed once.
    assert_eq!(
        network.apply(Alice, submit(owed.clone()), 0),
        Applied::Included(Ok(()))
    );
    assert_eq!(network.apply(Alice, submit(owed), 0), Applied::Invalid(stale));
    network.end();
}

#[test]
fn the_space_for_duties_can_not_be_bought() {
    let mut network = training();
    let owed = submit(proposal(&mut network, Alice));
    let proxy = pallet_proxy::Call::add_proxy {
        delegate: id(Bob).into(),
        proxy_type: ProxyType::Any,
        delay: 0,
    };
    network.call(Alice, proxy).expect("it is paid for");
    let for_alice = RuntimeCall::Proxy(pallet_proxy::Call::proxy {
        real: id(Alice).into(),
        force_proxy_type: None,
        call: Box::new(owed.clone()),
    });
    let multisig = pallet_multisig::Call::as_multi_threshold_1 {
        other_signatories: vec![id(Bob)],
        call: Box::new(owed.clone()),
    };
    let in_vain = frame_system::Call::set_storage {
        items: vec![(vec![0; 100_000], Vec::new())],
    };
    let code = frame_system::Call::apply_authorized_upgrade {
        code: vec![0; 100_000],
    };
    for (who, call) in [
        (Alice, batch(vec![owed.clone(), owed.clone()])),
        (Alice, batch(vec![batch(vec![owed.clone()])])),
        (
            Alice,
            pallet_utility::Call::force_batch {
                calls: vec![owed.clone()],
            }
            .into(),
        ),
        (
            Alice,
            pallet_utility::Call::batch_all {
                calls: vec![owed.clone()],
            }
            .into(),
        ),
        (Alice, multisig.into()),
        (Bob, for_alice),
        (Eve, in_vain.into()),
        // Nobody authorised it.
        (Eve, code.into()),
    ] {
        let refusal = refused(InvalidTransaction::Call);
        assert_eq!(network.validity(who, call.clone(), TIP), Err(refusal), "{call:?}");
        assert_eq!(network.apply(who, call, TIP), Applied::Invalid(refusal));
    }
    network.end();
}

#[test]
fn a_submission_in_a_batch_of_ordinary_calls_pays_as_they_do() {
    let mut network = training();
    let owed = proposal(&mut network, Alice);
    let stale = DutyResult::Heartbeat { session: 9 };
    let calls = vec![submit([owed, vec![stale]].concat()), remark(1)];
    assert_eq!(network.apply(Alice, batch(calls), 0), Applied::Included(Ok(())));
    assert_eq!(network.model().proposals, 1);
    let events = network.block();
    // What the others submit in the same block costs them nothing.
    let payers: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            RuntimeEvent::TransactionPayment(InPayment::TransactionFeePaid { who, actual_fee, .. }) => {
                Some((who.clone(), *actual_fee > 0))
            }
            _ => None,
        })
        .collect();
    assert_eq!(payers, [(id(Alice), true)]);
    // What is refused is named, and stops nothing.
    let refusals = events.iter().filter(|event| {
        matches!(
            event,
            RuntimeEvent::TrainingProposals(InTraining::ResultRefused { index: 1, .. })
        )
    });
    assert_eq!(refusals.count(), 1);
    network.end();
}

/// Otherwise wallets would warn of it, or refuse to sign.
#[test]
fn wallets_see_standard_extensions_and_nothing_of_the_lane() {
    on_local(|| {
        let metadata = metadata();
        let extensions = &metadata.extrinsic.signed_extensions;
        let names: Vec<_> = extensions
            .iter()
            .map(|extension| extension.identifier.as_str())
            .collect();
        assert_eq!(
            names,
            [
                "CheckNonZeroSender",
                "CheckSpecVersion",
                "CheckTxVersion",
                "CheckGenesis",
                "CheckMortality",
                "CheckNonce",
                "CheckWeight",
                "ChargeTransactionPayment",
                "CheckMetadataHash",
            ]
        );
        let charge = metadata.types.resolve(extensions[7].ty.id).expect("a known type");
        assert_eq!(
            charge.path.segments,
            ["pallet_transaction_payment", "ChargeTransactionPayment"]
        );
        for ty in &metadata.types.types {
            let path = ty.ty.path.segments.join("::");
            assert!(!path.contains("FreeWhenOwed"), "{path}");
        }
    });
}

/// People read it in polkadot-js Apps.
#[test]
fn every_call_event_and_error_of_ours_has_its_sentence() {
    on_local(|| {
        let metadata = metadata();
        let ours = ["Reputation", "StakeVoting", "TrainingProposals", "HydraToken"];
        for pallet in metadata
            .pallets
            .iter()
            .filter(|pallet| ours.contains(&pallet.name.as_str()))
        {
            let types = [
                pallet.calls.as_ref().map(|calls| calls.ty.id),
                pallet.event.as_ref().map(|event| event.ty.id),
                pallet.error.as_ref().map(|error| error.ty.id),
            ];
            for ty in types {
                let ty = ty.expect("each of ours has calls, events and errors");
                let ty = metadata.types.resolve(ty).expect("a known type");
                let scale_info::TypeDef::Variant(variants) = &ty.type_def else {
                    panic!("{} is no list of variants", pallet.name);
                };
                for variant in &variants.variants {
                    assert!(!variant.docs.is_empty(), "{}.{}", pallet.name, variant.name);
                }
            }
        }
    });
}
