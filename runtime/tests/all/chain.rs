//! The local network without nodes: its genesis, its accounts, and blocks that are made by calling the runtime.

use codec::{Decode, Encode};
use frame_metadata::{RuntimeMetadata, RuntimeMetadataPrefixed, v15::RuntimeMetadataV15};
use frame_support::{
    traits::{Bounded, Hooks},
    weights::{Weight, constants::WEIGHT_REF_TIME_PER_SECOND},
};
use frame_system::ConsumedWeight;
use hydra_runtime::{
    AccountId, Balance, BlockNumber, ConvictionVoting, Executive, HYDRA, Hash, Header, HydraToken,
    OriginCaller, Preimage, Referenda, Reputation, Runtime, RuntimeCall, RuntimeEvent, RuntimeGenesisConfig,
    RuntimeOrigin, Session, StakeVoting, System, TrainingProposals, presets,
};
use pallet_conviction_voting::{AccountVote, Conviction, Vote};
use pallet_referenda::{ReferendumCount, ReferendumIndex, ReferendumInfo, ReferendumInfoFor};
use serde_json::Value;
use sp_consensus_babe::digests::{CompatibleDigestItem, PreDigest, SecondaryPlainPreDigest};
use sp_io::TestExternalities;
use sp_keyring::Sr25519Keyring;
use sp_runtime::{
    BuildStorage, Digest, DigestItem,
    traits::{BlakeTwo256, Dispatchable, Hash as _},
};

/// Every account of the local network begins with it.
pub const ENDOWMENT: Balance = 1_000_000 * HYDRA;
/// No block is mined before this slot.
const FIRST_SLOT: u64 = 1_000;
/// More than a referendum of the local network can last.
const PATIENCE: BlockNumber = 100;

/// The genesis of the local network.
pub fn genesis() -> RuntimeGenesisConfig {
    let patch = presets::get_preset(&presets::LOCAL_TESTNET.into()).expect("a preset");
    let patch = serde_json::from_slice(&patch).expect("JSON");
    let mut config = serde_json::to_value(RuntimeGenesisConfig::default()).expect("JSON");
    merge(&mut config, patch);
    serde_json::from_value(config).expect("a genesis")
}

/// The first block after a genesis, and what comes after it.
pub fn begin(genesis: RuntimeGenesisConfig) -> TestExternalities {
    let mut chain: TestExternalities = genesis.build_storage().expect("a genesis").into();
    chain.execute_with(begin_block);
    chain
}

/// The first block of the local network, and what comes after it.
pub fn local() -> TestExternalities {
    begin(genesis())
}

/// Runs `test` on the local network, and afterwards the checks that pallets come with.
pub fn on_local(test: impl FnOnce()) {
    local().execute_with(|| {
        test();
        check_state();
    });
}

/// The checks that pallets come with (not every one has any), and that every value in the state can be read.
pub fn check_state() {
    use frame_support::traits::{TryDecodeEntireStorage, TryState, TryStateSelect};
    type Pallets = hydra_runtime::AllPalletsWithSystem;
    let now = System::block_number();
    // Ours by themselves, since together they don't say what is wrong.
    for (pallet, checked) in [
        ("reputation", <Reputation as Hooks<BlockNumber>>::try_state(now)),
        (
            "stake-voting",
            <StakeVoting as Hooks<BlockNumber>>::try_state(now),
        ),
        (
            "training-proposals",
            <TrainingProposals as Hooks<BlockNumber>>::try_state(now),
        ),
        ("hydra-token", <HydraToken as Hooks<BlockNumber>>::try_state(now)),
        ("session", <Session as Hooks<BlockNumber>>::try_state(now)),
    ] {
        checked.unwrap_or_else(|why| panic!("{pallet}: {why:?}"));
    }
    <Pallets as TryState<BlockNumber>>::try_state(now, TryStateSelect::All).expect("all checks pass");
    Pallets::try_decode_entire_state().expect("every value can be read");
}

/// What wallets know of the runtime.
pub fn metadata() -> RuntimeMetadataV15 {
    let metadata = Runtime::metadata_at_version(15).expect("wallets read version 15");
    match RuntimeMetadataPrefixed::decode(&mut &metadata[..])
        .expect("metadata")
        .1
    {
        RuntimeMetadata::V15(metadata) => metadata,
        other => panic!("version {}", other.version()),
    }
}

fn merge(whole: &mut Value, patch: Value) {
    match (whole, patch) {
        (Value::Object(whole), Value::Object(patch)) => {
            for (key, value) in patch {
                merge(whole.entry(key).or_insert(Value::Null), value);
            }
        }
        (whole, patch) => *whole = patch,
    }
}

/// Begins the block after the newest one, as its author would: a slot, and the time in it.
fn begin_block() {
    let number = System::block_number() + 1;
    let slot = FIRST_SLOT + u64::from(number);
    let digest = PreDigest::SecondaryPlain(SecondaryPlainPreDigest {
        authority_index: 0,
        slot: slot.into(),
    });
    Executive::initialize_block(&Header {
        parent_hash: Hash::repeat_byte(1),
        number,
        state_root: Default::default(),
        extrinsics_root: Default::default(),
        digest: Digest {
            logs: vec![DigestItem::babe_pre_digest(digest)],
        },
    });
    let now = slot * hydra_runtime::network::Pallet::<Runtime>::slot_millis();
    RuntimeCall::Timestamp(pallet_timestamp::Call::set { now })
        .dispatch(RuntimeOrigin::none())
        .expect("the time is in its slot");
}

/// Ends the block and begins the next. Every call that a test makes is in the block that it is made in. What happened in the block.
pub fn next_block() -> Vec<RuntimeEvent> {
    weighed_block().0
}

/// The same, with what the block has weighed.
pub fn weighed_block() -> (Vec<RuntimeEvent>, ConsumedWeight) {
    Executive::finalize_block();
    let events = System::events().into_iter().map(|record| record.event).collect();
    let weight = System::block_weight();
    begin_block();
    (events, weight)
}

/// Makes blocks until `found` finds what it looks for among a block's events.
pub fn until<T>(what: &str, found: impl Fn(&RuntimeEvent) -> Option<T>) -> T {
    for _ in 0..PATIENCE {
        if let Some(found) = System::events().iter().find_map(|record| found(&record.event)) {
            return found;
        }
        next_block();
    }
    panic!("{what}: not within {PATIENCE} blocks");
}

pub fn id(who: Sr25519Keyring) -> AccountId {
    who.to_account_id()
}

pub fn signed(who: Sr25519Keyring) -> RuntimeOrigin {
    RuntimeOrigin::signed(id(who))
}

/// A call that only root can make, and whose effect is seen by [`is_marked`].
pub fn mark() -> RuntimeCall {
    RuntimeCall::System(frame_system::Call::set_storage {
        items: vec![(MARK.to_vec(), b"here".to_vec())],
    })
}

pub fn is_marked() -> bool {
    sp_io::storage::get(MARK).is_some()
}

const MARK: &[u8] = b"root was here";

/// Puts a call to the vote, as anybody would in polkadot-js Apps: preimage, submission, decision deposit.
pub fn propose(who: Sr25519Keyring, origin: impl Into<OriginCaller>, call: RuntimeCall) -> ReferendumIndex {
    let bytes = call.encode();
    let proposal = Bounded::Lookup {
        hash: BlakeTwo256::hash(&bytes),
        len: u32::try_from(bytes.len()).expect("short"),
    };
    Preimage::note_preimage(signed(who), bytes).expect("the preimage is new and paid for");
    Referenda::submit(
        signed(who),
        Box::new(origin.into()),
        proposal,
        frame_support::traits::schedule::DispatchTime::After(0),
    )
    .expect("anybody may ask");
    let index = ReferendumCount::<Runtime>::get() - 1;
    Referenda::place_decision_deposit(signed(who), index).expect("it is paid for");
    index
}

/// Votes with conviction 1: every HYDRA counts once.
pub fn vote(who: Sr25519Keyring, index: ReferendumIndex, aye: bool, balance: Balance) {
    let vote = Vote {
        aye,
        conviction: Conviction::Locked1x,
    };
    ConvictionVoting::vote(signed(who), index, AccountVote::Standard { vote, balance })
        .expect("the account owns what it votes with");
}

/// The weight of the ayes so far.
pub fn ayes(index: ReferendumIndex) -> Balance {
    match ReferendumInfoFor::<Runtime>::get(index) {
        Some(ReferendumInfo::Ongoing(status)) => status.tally.ayes,
        other => panic!("referendum {index} is not under way: {other:?}"),
    }
}

/// Whether the referendum is approved in the end.
pub fn is_approved(index: ReferendumIndex) -> bool {
    use pallet_referenda::Event;
    until("a decision", |event| match event {
        RuntimeEvent::Referenda(Event::Confirmed { index: i, .. }) if *i == index => Some(true),
        RuntimeEvent::Referenda(Event::Rejected { index: i, .. }) if *i == index => Some(false),
        _ => None,
    })
}

/// What came of the call that an approved referendum was about.
pub fn enacted() -> frame_support::dispatch::DispatchResult {
    until("the enactment", |event| match event {
        // Referenda wake up by unnamed tasks.
        RuntimeEvent::Scheduler(pallet_scheduler::Event::Dispatched {
            id: Some(_), result, ..
        }) => Some(*result),
        _ => None,
    })
}

/// What any single call may weigh here.
pub const ANY_WEIGHT: Weight = Weight::from_parts(WEIGHT_REF_TIME_PER_SECOND, u64::MAX);
