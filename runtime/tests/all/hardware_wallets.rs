//! What hardware wallets rely on: the runtime knows the hash of its own metadata, so that it takes a transaction only if
//! the wallet showed what the chain will do.
//!
//! The Wasm is run, not native code: the hash is in the Wasm only.

use codec::{Decode, Encode};
use frame_metadata::RuntimeMetadataPrefixed;
use frame_metadata_hash_extension::CheckMetadataHash;
use hydra_runtime::{
    BalancesConfig, HYDRA, Runtime, RuntimeGenesisConfig, SignedPayload, System, TxExtension,
    UncheckedExtrinsic, VERSION, WASM_BINARY,
};
use merkleized_metadata::{ExtraInfo, generate_metadata_digest};
use sc_executor::WasmExecutor;
use sp_core::traits::{CallContext, CodeExecutor, RuntimeCode, WrappedRuntimeCode};
use sp_io::{SubstrateHostFunctions, TestExternalities};
use sp_keyring::Sr25519Keyring::Alice;
use sp_runtime::{
    BuildStorage,
    generic::Era,
    transaction_validity::{
        InvalidTransaction, TransactionSource, TransactionValidity, TransactionValidityError,
    },
};

/// The hash that a wallet computes from the metadata, the money's name and its decimals.
fn metadata_hash() -> [u8; 32] {
    let metadata = Runtime::metadata_at_version(15).expect("wallets read version 15");
    let metadata = RuntimeMetadataPrefixed::decode(&mut &metadata[..]).expect("metadata");
    let extra = ExtraInfo {
        spec_version: VERSION.spec_version,
        spec_name: VERSION.spec_name.to_string(),
        base58_prefix: <Runtime as frame_system::Config>::SS58Prefix::get(),
        decimals: 12,
        token_symbol: "HYDRA".into(),
    };
    let digest = generate_metadata_digest(&metadata.1, extra).expect("the metadata is complete");
    digest.hash()
}

/// A remark by Alice, signed over this metadata hash.
fn signed_over(hash: [u8; 32]) -> UncheckedExtrinsic {
    let extension: TxExtension = (
        frame_system::CheckNonZeroSender::new(),
        frame_system::CheckSpecVersion::new(),
        frame_system::CheckTxVersion::new(),
        frame_system::CheckGenesis::new(),
        frame_system::CheckEra::from(Era::Immortal),
        frame_system::CheckNonce::from(0),
        frame_system::CheckWeight::new(),
        pallet_transaction_payment::ChargeTransactionPayment::<Runtime>::from(0).into(),
        CheckMetadataHash::new_with_custom_hash(hash),
    );
    let call = frame_system::Call::<Runtime>::remark {
        remark: b"hello".to_vec(),
    };
    let payload =
        SignedPayload::new(hydra_runtime::RuntimeCall::from(call), extension).expect("all of it is known");
    let signature = payload.using_encoded(|bytes| Alice.sign(bytes));
    let (call, extension, _) = payload.deconstruct();
    UncheckedExtrinsic::new_signed(call, Alice.to_account_id().into(), signature.into(), extension)
}

/// What the transaction pool of a node would say.
fn validate(chain: &mut TestExternalities, transaction: &UncheckedExtrinsic) -> TransactionValidity {
    let wasm = WASM_BINARY.expect("built with its Wasm");
    let code = RuntimeCode {
        code_fetcher: &WrappedRuntimeCode(wasm.into()),
        heap_pages: None,
        hash: b"the only one".to_vec(),
    };
    let parent = chain.execute_with(|| System::block_hash(0));
    let executor = WasmExecutor::<SubstrateHostFunctions>::builder().build();
    let arguments = (TransactionSource::External, transaction, parent).encode();
    let (validity, _) = executor.call(
        &mut chain.ext(),
        &code,
        "TaggedTransactionQueue_validate_transaction",
        &arguments,
        CallContext::Offchain,
    );
    TransactionValidity::decode(&mut &validity.expect("the runtime doesn't panic")[..]).expect("a validity")
}

#[test]
fn a_transaction_signed_over_the_metadata_hash_is_valid_and_one_over_another_hash_has_a_bad_signature() {
    let genesis = RuntimeGenesisConfig {
        balances: BalancesConfig {
            balances: vec![(Alice.to_account_id(), HYDRA)],
            ..Default::default()
        },
        ..Default::default()
    };
    let mut chain: TestExternalities = genesis.build_storage().expect("a genesis").into();
    // Some of the metadata's constants are in the state.
    let right = chain.execute_with(metadata_hash);
    let mut wrong = right;
    wrong[0] ^= 1;

    let transaction = chain.execute_with(|| signed_over(right));
    assert!(validate(&mut chain, &transaction).is_ok());
    let transaction = chain.execute_with(|| signed_over(wrong));
    assert_eq!(
        validate(&mut chain, &transaction),
        Err(TransactionValidityError::Invalid(InvalidTransaction::BadProof))
    );
}

/// It is computed in the build, when there is no state yet.
#[test]
fn the_metadata_hash_does_not_depend_on_the_state() {
    let mut quick = hydra_runtime::governance::Schedule::default();
    quick.root.decision = quick.root.confirm;
    quick.root.enactment = 1;
    quick.models.enactment = 1;
    quick.vote_locking = 1;
    let other = RuntimeGenesisConfig {
        network: hydra_runtime::NetworkConfig {
            slot_millis: 60_000,
            epoch_slots: 77,
            ..Default::default()
        },
        governance: hydra_runtime::GovernanceConfig {
            schedule: quick,
            ..Default::default()
        },
        ..Default::default()
    };
    let mut chain: TestExternalities = other.build_storage().expect("a genesis").into();
    assert_eq!(
        chain.execute_with(metadata_hash),
        TestExternalities::default().execute_with(metadata_hash)
    );
}
