//! The trial, as Wasm, over a state that this release's Wasm has made.

use codec::{Decode, Encode};
use frame_support::{traits::UpgradeCheckSelect, weights::Weight};
use sc_chain_spec::GenesisConfigBuilderRuntimeCaller;
use sc_executor::WasmExecutor;
use sp_core::traits::{CallContext, CodeExecutor, RuntimeCode, WrappedRuntimeCode};
use sp_io::{SubstrateHostFunctions, TestExternalities};
use sp_version::RuntimeVersion;

fn trial() -> &'static [u8] {
    hydra_upgrade_trial::WASM_BINARY.expect("built with its Wasm")
}

fn call(chain: &mut TestExternalities, function: &str, arguments: &[u8]) -> Vec<u8> {
    let code = RuntimeCode {
        code_fetcher: &WrappedRuntimeCode(trial().into()),
        heap_pages: None,
        hash: b"the trial".to_vec(),
    };
    WasmExecutor::<SubstrateHostFunctions>::builder()
        .build()
        .call(
            &mut chain.ext(),
            &code,
            function,
            arguments,
            CallContext::Offchain,
        )
        .0
        .unwrap_or_else(|error| panic!("{function}: {error}"))
}

#[test]
fn it_is_the_same_chain_in_a_later_version() {
    let version = call(&mut TestExternalities::default(), "Core_version", &[]);
    let version = RuntimeVersion::decode(&mut &version[..]).expect("a version");
    let today = hydra_runtime::VERSION;
    assert_eq!(version.spec_name, today.spec_name);
    assert_eq!(version.spec_version, today.spec_version + 1);
    assert_eq!(version.transaction_version, today.transaction_version);
}

#[test]
fn an_upgrade_to_it_passes_the_checks_of_the_pallets_and_fits_a_block() {
    let wasm = hydra_runtime::WASM_BINARY.expect("built with its Wasm");
    let state = GenesisConfigBuilderRuntimeCaller::<()>::new(wasm)
        .get_storage_for_named_preset(Some(&hydra_runtime::presets::LOCAL_TESTNET.to_string()))
        .expect("the runtime builds its own genesis");
    let mut chain = TestExternalities::from(state);
    let done = call(
        &mut chain,
        "TryRuntime_on_runtime_upgrade",
        &UpgradeCheckSelect::All.encode(),
    );
    let (used, of) = <(Weight, Weight)>::decode(&mut &done[..]).expect("two weights");
    assert!(used.all_lt(of), "{used:?} of {of:?}");
    let mark = chain.execute_with(|| sp_io::storage::get(b"hydra upgrade trial"));
    let mark = mark.expect("the migration ran");
    assert_eq!(<(u32, u32)>::decode(&mut &mark[..]), Ok((1, 0)));
}
