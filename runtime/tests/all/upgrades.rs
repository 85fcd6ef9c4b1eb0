//! The runtime replaces itself: by a referendum, within a block's weight, and with the checks that pallets come with afterwards.
//!
//! The code stays the same here but for what it says of its version, and so does the form of the state: a release with migrations
//! has to show more, over a state that the release before has made.
//!
//! A whole network does it in `zombienet/`, with a runtime that was really built anew.

use crate::chain::{check_state, enacted, is_approved, local, next_block, propose, signed, vote};
use codec::Encode;
use frame_support::{
    assert_ok,
    traits::{Get, UpgradeCheckSelect},
    weights::Weight,
};
use frame_system::{LastRuntimeUpgrade, LastRuntimeUpgradeInfo, RawOrigin, WeightInfo as _};
use hydra_runtime::{Executive, HYDRA, Runtime, RuntimeCall, VERSION, WASM_BINARY};
use pallet_scheduler::WeightInfo as _;
use sc_executor::WasmExecutor;
use sp_core::{
    storage::well_known_keys::CODE,
    traits::{
        CallContext, CodeExecutor, Externalities, ReadRuntimeVersion, ReadRuntimeVersionExt, RuntimeCode,
        WrappedRuntimeCode,
    },
};
use sp_io::{SubstrateHostFunctions, TestExternalities};
use sp_keyring::Sr25519Keyring::{Alice, Bob, Charlie};
use sp_runtime::traits::{BlakeTwo256, Dispatchable, Hash as _};

type Scheduler = <Runtime as pallet_scheduler::Config>::WeightInfo;
type System = <Runtime as frame_system::Config>::SystemWeightInfo;

fn wasm() -> Vec<u8> {
    WASM_BINARY.expect("built with its Wasm").to_vec()
}

fn max_block() -> Weight {
    <Runtime as frame_system::Config>::BlockWeights::get().max_block
}

/// Says of every code that it is the next release's: this one can't say so of itself.
struct NextRelease;

impl ReadRuntimeVersion for NextRelease {
    fn read_runtime_version(&self, _: &[u8], _: &mut dyn Externalities) -> Result<Vec<u8>, String> {
        let mut next = VERSION;
        next.spec_version += 1;
        Ok(next.encode())
    }
}

/// Otherwise upgrades would be approved, and never run.
#[test]
fn the_scheduler_has_room_for_an_upgrade() {
    local().execute_with(|| {
        let room: Weight = <Runtime as pallet_scheduler::Config>::MaximumWeight::get();
        // The largest preimage there can be.
        let largest = 4 * 1024 * 1024;
        let needed = Scheduler::service_agendas_base()
            .saturating_add(Scheduler::service_agenda_base(
                <Runtime as pallet_scheduler::Config>::MaxScheduledPerBlock::get(),
            ))
            .saturating_add(Scheduler::service_task_fetched(largest))
            .saturating_add(Scheduler::execute_dispatch_unsigned())
            .saturating_add(System::set_code());
        assert!(needed.all_lte(room), "{needed:?} of {room:?}");
        assert!(
            room.all_lt(max_block()),
            "nothing is left for the block's own work"
        );
    });
}

#[test]
fn a_referendum_replaces_the_code() {
    let mut chain = local();
    chain.register_extension(ReadRuntimeVersionExt::new(NextRelease));
    chain.execute_with(|| {
        let code = wasm();
        assert_ne!(
            sp_io::storage::get(CODE).map(|code| code.to_vec()),
            Some(code.clone())
        );
        let call = RuntimeCall::System(frame_system::Call::set_code { code: code.clone() });
        let index = propose(Alice, RawOrigin::Root, call);
        for who in [Alice, Bob, Charlie] {
            vote(who, index, true, 900_000 * HYDRA);
        }
        assert!(is_approved(index));
        assert_ok!(enacted());
        assert_eq!(sp_io::storage::get(CODE).map(|code| code.to_vec()), Some(code));
        check_state();
    });
}

/// The operator's guide says how to compute from the file what a referendum is about.
#[test]
fn the_call_of_an_upgrade_is_two_bytes_a_length_and_the_file() {
    let code = wasm();
    let length = u32::try_from(code.len() * 4 + 2).expect("below a gigabyte");
    let call = RuntimeCall::System(frame_system::Call::set_code { code: code.clone() });
    let computed = [
        [0_u8, 2].as_slice(),
        length.to_le_bytes().as_slice(),
        code.as_slice(),
    ]
    .concat();
    assert!(call.encode() == computed);
}

/// The short way: the referendum is about 32 bytes, and anybody brings the code.
#[test]
fn a_referendum_authorises_code_that_anybody_then_brings() {
    let mut chain = local();
    chain.register_extension(ReadRuntimeVersionExt::new(NextRelease));
    chain.execute_with(|| {
        let code = wasm();
        let call = RuntimeCall::System(frame_system::Call::authorize_upgrade {
            code_hash: BlakeTwo256::hash(&code),
        });
        let index = propose(Alice, RawOrigin::Root, call);
        for who in [Alice, Bob, Charlie] {
            vote(who, index, true, 900_000 * HYDRA);
        }
        assert!(is_approved(index));
        assert_ok!(enacted());
        let bring = |code| RuntimeCall::System(frame_system::Call::apply_authorized_upgrade { code });
        assert!(bring(vec![0; 8]).dispatch(signed(Bob)).is_err());
        assert_ok!(bring(code.clone()).dispatch(signed(Bob)));
        assert_eq!(sp_io::storage::get(CODE).map(|code| code.to_vec()), Some(code));
    });
}

/// This release's migrations, over a state that this release has made itself, with the checks that pallets and migrations come
/// with.
#[test]
fn the_migrations_of_an_upgrade_pass_the_checks_of_the_pallets_and_fit_a_block() {
    local().execute_with(|| {
        for _ in 0..20 {
            next_block();
        }
        LastRuntimeUpgrade::<Runtime>::put(LastRuntimeUpgradeInfo {
            spec_version: (VERSION.spec_version - 1).into(),
            spec_name: VERSION.spec_name,
        });
        let weight = Executive::try_runtime_upgrade(UpgradeCheckSelect::All).expect("every check passes");
        assert!(weight.all_lt(max_block()), "{weight:?}");
        let now = LastRuntimeUpgrade::<Runtime>::get().expect("noted");
        assert_eq!(now.spec_version.0, VERSION.spec_version);
        next_block();
    });
}

/// Checks cost time and space that a PC needs for other things, and one of them may stop a block.
#[test]
fn the_wasm_of_a_release_has_no_checks_in_it() {
    let wasm = wasm();
    let code = RuntimeCode {
        code_fetcher: &WrappedRuntimeCode(wasm.into()),
        heap_pages: None,
        hash: b"the only one".to_vec(),
    };
    let executor = WasmExecutor::<SubstrateHostFunctions>::builder().build();
    let arguments = UpgradeCheckSelect::None.encode();
    let ask = |function: &str, arguments: &[u8]| {
        executor
            .call(
                &mut TestExternalities::default().ext(),
                &code,
                function,
                arguments,
                CallContext::Offchain,
            )
            .0
            .map_err(|error| error.to_string())
    };
    assert!(ask("Core_version", &[]).is_ok());
    let refusal = ask("TryRuntime_on_runtime_upgrade", &arguments).expect_err("it isn't there");
    assert!(refusal.contains("TryRuntime_on_runtime_upgrade"), "{refusal}");
}
