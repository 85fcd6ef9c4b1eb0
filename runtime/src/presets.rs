//! The genesis of development networks. Real networks have a JSON spec, which is not kept here (`chain-specs/README.md`).
//!
//! Keys here are public knowledge (`//Alice`, …): nothing of this must ever find its way into a real network.

use crate::{
    AccountId, Balance, BalancesConfig, BlockNumber, GovernanceConfig, HYDRA, HydraTokenConfig,
    NetworkConfig, ReputationConfig, RuntimeGenesisConfig, SessionConfig, SessionKeys, StakeVotingConfig,
    TrainingProposalsConfig,
    governance::{Periods, Schedule},
};
use alloc::{vec, vec::Vec};
use frame_support::build_struct_json_patch;
use hydra_primitives::digits::{DIGITS_INITIAL_WEIGHTS, digits_manifest, digits_spec};
use serde_json::Value;
use sp_genesis_builder::PresetId;
use sp_keyring::{Ed25519Keyring, Sr25519Keyring};

/// One validator: Alice. Makes blocks alone.
pub const DEVELOPMENT: &str = sp_genesis_builder::DEV_RUNTIME_PRESET;
/// Four validators: Alice, Bob, Charlie and Dave.
pub const LOCAL_TESTNET: &str = sp_genesis_builder::LOCAL_TESTNET_RUNTIME_PRESET;

/// Short slots, because a developer waits for every one of them.
const SLOT_MILLIS: u64 = 2_000;
/// Two minutes: whoever joins is drawn from the next session on, and a developer waits for that, too.
const EPOCH_SLOTS: u64 = 60;
/// A referendum is over in three minutes, and in one if everybody votes at once.
const SCHEDULE: Schedule = Schedule {
    root: Periods {
        prepare: 2,
        decision: 60,
        confirm: 5,
        enactment: 5,
    },
    models: Periods {
        prepare: 2,
        decision: 60,
        confirm: 3,
        enactment: 2,
    },
    vote_locking: 30,
};
const ENDOWMENT: Balance = 1_000_000 * HYDRA;
const STAKE: Balance = 100 * HYDRA;
/// Five minutes: longer than a round of the digits in which every poll goes through all of its draws.
const UNBONDING_DELAY: BlockNumber = 150;
/// A reward is at most a thousandth of the bucket: enough for the 1 HYDRA of a standard unit of work from the first round on.
const BUCKET: Balance = 10_000 * HYDRA;
/// More than four accounts earn.
const EMISSION_PER_BLOCK: Balance = 2 * HYDRA;
/// Half a year of blocks of 2 s.
const HALVING_BLOCKS: BlockNumber = 7_884_000;

type Member = (Sr25519Keyring, Ed25519Keyring);

/// Data-plane PeerIds of the trainers whose PCs have the node keys 0x00…01 to 0x00…04, as multihash bytes:
/// identity hash, protobuf of an Ed25519 key. `hydra-network` pins the same values.
const PEER_ID_PREFIX: [u8; 6] = [0x00, 0x24, 0x08, 0x01, 0x12, 0x20];
const PEER_KEYS: [[u8; 32]; 4] = [
    hex("954a44f39fc530a63502d52d6b9c2c00276884c32bfe22c02fa735b32049050f"),
    hex("3be696743d2cfa3549d315c27b814472907a7d04c9a51b54096f6a748c84b6cd"),
    hex("2dfed00dcd7fb2c083de030fcbb234159036cfa185f9f70c0cf1e882a9bf2547"),
    hex("1f8c2986fb58e067d1e4483a5532142c4205329580036c02b0155a54c0d12651"),
];

const ALICE: Member = (Sr25519Keyring::Alice, Ed25519Keyring::Alice);
const BOB: Member = (Sr25519Keyring::Bob, Ed25519Keyring::Bob);
const CHARLIE: Member = (Sr25519Keyring::Charlie, Ed25519Keyring::Charlie);
const DAVE: Member = (Sr25519Keyring::Dave, Ed25519Keyring::Dave);
const EVE: Member = (Sr25519Keyring::Eve, Ed25519Keyring::Eve);
const FERDIE: Member = (Sr25519Keyring::Ferdie, Ed25519Keyring::Ferdie);

/// Everybody with a balance: the validators, and Eve and Ferdie to join later.
const ENDOWED: [Member; 6] = [ALICE, BOB, CHARLIE, DAVE, EVE, FERDIE];

/// The genesis patch called `id`, as JSON.
pub fn get_preset(id: &PresetId) -> Option<Vec<u8>> {
    let patch = match id.as_ref() {
        DEVELOPMENT => genesis(&[ALICE]),
        LOCAL_TESTNET => genesis(&[ALICE, BOB, CHARLIE, DAVE]),
        _ => return None,
    };
    serde_json::to_vec(&patch).ok()
}

/// The names that [`get_preset`] knows.
pub fn preset_names() -> Vec<PresetId> {
    vec![PresetId::from(DEVELOPMENT), PresetId::from(LOCAL_TESTNET)]
}

fn genesis(validators: &[Member]) -> Value {
    let nodes = || {
        validators
            .iter()
            .zip(&PEER_KEYS)
            .map(|(member, key)| (account(member), peer_id(key)))
    };
    build_struct_json_patch!(RuntimeGenesisConfig {
        network: NetworkConfig {
            slot_millis: SLOT_MILLIS,
            epoch_slots: EPOCH_SLOTS
        },
        governance: GovernanceConfig { schedule: SCHEDULE },
        balances: BalancesConfig {
            balances: ENDOWED
                .iter()
                .map(|member| (account(member), ENDOWMENT))
                .collect(),
        },
        session: SessionConfig {
            keys: validators
                .iter()
                .map(|member| (account(member), account(member), session_keys(member)))
                .collect(),
        },
        reputation: ReputationConfig {
            nodes: nodes().collect()
        },
        stake_voting: StakeVotingConfig {
            bonds: nodes().map(|(who, _)| (who, STAKE)).collect(),
            unbonding_delay: UNBONDING_DELAY,
        },
        training_proposals: TrainingProposalsConfig {
            models: vec![(digits_spec(), digits_manifest(), DIGITS_INITIAL_WEIGHTS)],
        },
        hydra_token: HydraTokenConfig {
            emission_per_block: EMISSION_PER_BLOCK,
            halving_blocks: HALVING_BLOCKS,
            bucket: BUCKET,
        },
    })
}

fn peer_id(key: &[u8; 32]) -> Vec<u8> {
    [PEER_ID_PREFIX.as_slice(), key].concat()
}

/// The bytes that `digits` spell.
const fn hex(digits: &str) -> [u8; 32] {
    const fn nibble(digit: u8) -> u8 {
        match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => panic!("not a lower-case hexadecimal digit"),
        }
    }
    let digits = digits.as_bytes();
    assert!(digits.len() == 64, "32 bytes have 64 digits");
    let mut bytes = [0; 32];
    let mut i = 0;
    while i < 32 {
        bytes[i] = nibble(digits[2 * i]) * 16 + nibble(digits[2 * i + 1]);
        i += 1;
    }
    bytes
}

fn account((sr25519, _): &Member) -> AccountId {
    sr25519.to_account_id()
}

fn session_keys((sr25519, ed25519): &Member) -> SessionKeys {
    SessionKeys {
        babe: sr25519.public().into(),
        grandpa: ed25519.public().into(),
    }
}
