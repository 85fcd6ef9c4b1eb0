//! The chain: the real runtime, block by block, in one process.
//!
//! Everything that a block does is done by the runtime's own `Executive`: hooks, inherents, fees, nonces, weights. What is left
//! out is consensus (one author, who never misses a slot) and signatures: an extrinsic is as long as if it were signed, and is
//! taken as signed by whoever sends it. A state can be saved and gone back to, as in a reorganisation; and a block that was made can
//! be undone, as if its author had left the slot empty.
//!
//! Must know nothing of the protocol's own pallets beyond their genesis.

use codec::Encode;
use frame_support::{
    dispatch::{DispatchClass, DispatchInfo, GetDispatchInfo},
    storage::with_transaction_unchecked,
};
use hydra_primitives::{dataset::DatasetManifest, model::ModelSpec};
use hydra_runtime::{
    AccountId, Address, Balance, BalancesConfig, BlockNumber, Charge, Executive, HYDRA, Hash, Header,
    HydraTokenConfig, NetworkConfig, ReputationConfig, Runtime, RuntimeCall, RuntimeEvent,
    RuntimeGenesisConfig, RuntimeOrigin, SessionConfig, SessionKeys, Signature, StakeVotingConfig, System,
    TrainingProposalsConfig, TxExtension, UncheckedExtrinsic, network,
};
use sp_consensus_babe::digests::{CompatibleDigestItem, PreDigest, SecondaryPlainPreDigest};
use sp_core::{Blake2Hasher, sr25519};
use sp_io::TestExternalities;
use sp_keyring::{Ed25519Keyring, Sr25519Keyring};
use sp_runtime::{
    BuildStorage, Digest, DigestItem, DispatchResult, TransactionOutcome,
    generic::Era,
    traits::{DispatchTransaction, TransactionExtension},
    transaction_validity::{TransactionPriority, TransactionSource, TransactionValidityError},
};
use sp_state_machine::InMemoryBackend;

use crate::dice;

/// No block is made before this slot.
const FIRST_SLOT: u64 = 1_000;
/// What an account has beside its stake: enough for the fees of any run.
const POCKET: Balance = 1_000 * HYDRA;
/// What is in the bucket: enough for a reward that is a thousandth of it to be what any task here is worth, for as long as any run
/// lasts.
const BUCKET: Balance = 1_000_000 * HYDRA;
/// What flows into it in a block.
const EMISSION_PER_BLOCK: Balance = 10 * HYDRA;
/// Longer than any round; two sessions if that is more, as the chain asks.
const UNBONDING_DELAY: BlockNumber = 1_000;
/// What is no longer referred to is thrown away every so many blocks.
const TIDY_EVERY: BlockNumber = 64;

/// How the chain begins.
pub struct Genesis {
    /// The nodes with their stakes.
    pub nodes: Vec<(AccountId, Balance)>,
    /// Accounts that own something and take no part.
    pub others: Vec<AccountId>,
    /// The models, with the hash of their initial weights.
    pub models: Vec<(ModelSpec, DatasetManifest, Hash)>,
    /// Slots of a session.
    pub session: u64,
    /// What chance follows from.
    pub seed: u64,
}

/// What became of an extrinsic.
#[derive(Debug)]
pub enum Applied {
    /// It is in the block; its call may have failed all the same.
    Included(DispatchResult),
    /// The block has no room for it.
    Full,
    /// No block takes it.
    Invalid(TransactionValidityError),
}

/// A block that was made.
pub struct Block {
    /// Its height.
    pub number: BlockNumber,
    /// Its hash.
    pub hash: Hash,
    /// The share of the block's weight that normal, operational and mandatory work took.
    pub shares: [f64; 3],
    /// What happened in it.
    pub events: Vec<RuntimeEvent>,
}

/// A state to go back to.
pub struct Snapshot {
    backend: InMemoryBackend<Blake2Hasher>,
    parent: Hash,
    number: BlockNumber,
    slot: u64,
}

impl Snapshot {
    /// The newest block in it.
    pub fn number(&self) -> BlockNumber {
        self.number
    }
}

/// The chain, between two blocks or in one.
pub struct Chain {
    state: TestExternalities,
    parent: Hash,
    number: BlockNumber,
    slot: u64,
    branch: u32,
    seed: u64,
}

impl Chain {
    /// The chain before its first block.
    pub fn new(genesis: Genesis) -> Self {
        let seed = genesis.seed;
        Self {
            state: build(genesis),
            // The chain's name, which is in every draw.
            parent: dice::bytes(seed, "genesis", &[]).into(),
            number: 0,
            slot: FIRST_SLOT,
            branch: 0,
            seed,
        }
    }

    /// The height of the newest block.
    pub fn number(&self) -> BlockNumber {
        self.number
    }

    /// How often the chain went back.
    pub fn branch(&self) -> u32 {
        self.branch
    }

    /// Reads the state.
    pub fn read<R>(&mut self, read: impl FnOnce() -> R) -> R {
        self.state.execute_with(read)
    }

    /// Writes into the state, between two blocks, as no transaction could: for scenarios.
    pub fn change<R>(&mut self, change: impl FnOnce() -> R) -> R {
        let result = self.state.execute_with(change);
        self.state
            .commit_all()
            .expect("no transaction is open between blocks");
        result
    }

    /// Begins the next block as its author would: a slot, the randomness of the author before, the time. `attempt`: how many authors
    /// left their slot empty before.
    pub fn begin(&mut self, attempt: u32) {
        self.number += 1;
        self.slot += 1;
        let (number, slot) = (self.number, self.slot);
        let randomness = dice::bytes(self.seed, "block", &[self.branch, number, attempt]);
        let header = Header {
            parent_hash: self.parent,
            number,
            state_root: Default::default(),
            extrinsics_root: Default::default(),
            digest: Digest {
                logs: vec![DigestItem::babe_pre_digest(PreDigest::SecondaryPlain(
                    SecondaryPlainPreDigest {
                        authority_index: 0,
                        slot: slot.into(),
                    },
                ))],
            },
        };
        self.state.execute_with(|| {
            // A secondary slot has no output of a VRF; this stands for the one that the author before would have had.
            pallet_babe::AuthorVrfRandomness::<Runtime>::put(Some(randomness));
            Executive::initialize_block(&header);
            let now = slot * network::Pallet::<Runtime>::slot_millis();
            let time = RuntimeCall::Timestamp(pallet_timestamp::Call::set { now });
            Executive::apply_extrinsic(UncheckedExtrinsic::new_bare(time))
                .expect("the inherent is valid")
                .expect("the time is in its slot");
        });
    }

    /// Puts an extrinsic into the block that was begun, with whatever nonce is next.
    pub fn apply(&mut self, who: &AccountId, call: RuntimeCall, tip: Balance) -> Applied {
        self.state.execute_with(|| {
            if !System::inherents_applied() {
                Executive::inherents_applied();
            }
            // As in a block builder: an extrinsic that can't be taken leaves nothing behind.
            with_transaction_unchecked(|| {
                let (extension, encoded, info) = prepare(who, &call, tip);
                let length = encoded.len();
                System::note_extrinsic(encoded);
                let origin = RuntimeOrigin::signed(who.clone());
                match extension.dispatch_transaction(origin, call, &info, length, 0) {
                    Ok(done) => {
                        System::note_applied_extrinsic(&done, info);
                        let result = done.map(|_| ()).map_err(|failed| failed.error);
                        TransactionOutcome::Commit(Applied::Included(result))
                    }
                    Err(why) if why.exhausted_resources() => TransactionOutcome::Rollback(Applied::Full),
                    Err(why) => TransactionOutcome::Rollback(Applied::Invalid(why)),
                }
            })
        })
    }

    /// The priority that a pool gives an extrinsic; why it refuses it.
    pub fn priority(
        &mut self,
        who: &AccountId,
        call: &RuntimeCall,
        tip: Balance,
    ) -> Result<TransactionPriority, TransactionValidityError> {
        self.state.execute_with(|| {
            with_transaction_unchecked(|| {
                let (extension, encoded, info) = prepare(who, call, tip);
                let origin = RuntimeOrigin::signed(who.clone());
                let source = TransactionSource::External;
                let valid = extension.validate_only(origin, call, &info, encoded.len(), source, 0);
                TransactionOutcome::Rollback(valid.map(|(valid, _, _)| valid.priority))
            })
        })
    }

    /// Ends the block. It is to be kept or undone next; until then its state can be read.
    pub fn end(&mut self) -> Block {
        let number = self.number;
        self.state.execute_with(|| {
            let hash = Executive::finalize_block().hash();
            let weights = System::block_weight();
            let limits: frame_system::limits::BlockWeights =
                <Runtime as frame_system::Config>::BlockWeights::get();
            let whole = limits.max_block.ref_time() as f64;
            let shares = [
                DispatchClass::Normal,
                DispatchClass::Operational,
                DispatchClass::Mandatory,
            ]
            .map(|class| weights.get(class).ref_time() as f64 / whole);
            let events = System::read_events_no_consensus()
                .map(|record| record.event)
                .collect();
            Block {
                number,
                hash,
                shares,
                events,
            }
        })
    }

    /// Keeps the block that was ended.
    pub fn keep(&mut self, block: &Block) {
        self.parent = block.hash;
        self.state
            .commit_all()
            .expect("no transaction is open between blocks");
        if block.number.is_multiple_of(TIDY_EVERY) {
            self.state.backend.backend_storage_mut().purge();
        }
    }

    /// Undoes the block that was ended: its slot stays empty.
    pub fn undo(&mut self) {
        self.state.reset_overlay();
        self.number -= 1;
    }

    /// Plays blocks that nobody sees, and goes back: what whoever makes the next block can do before.
    pub fn rehearse<R>(&mut self, play: impl FnOnce(&mut Self) -> R) -> R {
        let before = (self.parent, self.number, self.slot);
        let result = play(self);
        self.state.reset_overlay();
        (self.parent, self.number, self.slot) = before;
        result
    }

    /// Goes on from the block that was ended, without keeping it.
    pub fn follow(&mut self, block: &Block) {
        self.parent = block.hash;
    }

    /// The state between two blocks, to go back to.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            backend: self.state.backend.clone(),
            parent: self.parent,
            number: self.number,
            slot: self.slot,
        }
    }

    /// Goes back, between two blocks: what follows is another branch, with other randomness.
    pub fn restore(&mut self, snapshot: &Snapshot) {
        self.replay(snapshot);
        self.branch += 1;
    }

    /// Goes back, between two blocks: what follows has the same randomness again.
    pub fn replay(&mut self, snapshot: &Snapshot) {
        self.state.reset_overlay();
        self.state.backend = snapshot.backend.clone();
        self.parent = snapshot.parent;
        self.number = snapshot.number;
        self.slot = snapshot.slot;
    }
}

/// What goes with a call, the extrinsic as it travels, and what it weighs.
fn prepare(who: &AccountId, call: &RuntimeCall, tip: Balance) -> (TxExtension, Vec<u8>, DispatchInfo) {
    let extension = || -> TxExtension {
        (
            frame_system::CheckNonZeroSender::new(),
            frame_system::CheckSpecVersion::new(),
            frame_system::CheckTxVersion::new(),
            frame_system::CheckGenesis::new(),
            frame_system::CheckEra::from(Era::Immortal),
            frame_system::CheckNonce::from(System::account_nonce(who)),
            frame_system::CheckWeight::new(),
            Charge::from(pallet_transaction_payment::ChargeTransactionPayment::from(tip)),
            frame_metadata_hash_extension::CheckMetadataHash::new(false),
        )
    };
    let encoded = UncheckedExtrinsic::new_signed(
        call.clone(),
        Address::Id(who.clone()),
        Signature::Sr25519(sr25519::Signature::from_raw([0; 64])),
        extension(),
    )
    .encode();
    let extension = extension();
    let mut info = call.get_dispatch_info();
    info.extension_weight = TransactionExtension::<RuntimeCall>::weight(&extension, call);
    (extension, encoded, info)
}

fn build(genesis: Genesis) -> TestExternalities {
    let author = Sr25519Keyring::Alice.to_account_id();
    let keys = SessionKeys {
        babe: Sr25519Keyring::Alice.public().into(),
        grandpa: Ed25519Keyring::Alice.public().into(),
    };
    let owners = genesis.nodes.iter().map(|(who, stake)| (who, *stake));
    let others = genesis.others.iter().chain([&author]).map(|who| (who, 0));
    let balances = owners
        .chain(others)
        .map(|(who, stake)| (who.clone(), POCKET + stake))
        .collect();
    RuntimeGenesisConfig {
        balances: BalancesConfig {
            balances,
            ..Default::default()
        },
        session: SessionConfig {
            keys: vec![(author.clone(), author.clone(), keys)],
            ..Default::default()
        },
        reputation: ReputationConfig {
            nodes: genesis
                .nodes
                .iter()
                .map(|(who, _)| (who.clone(), who.encode()))
                .collect(),
        },
        stake_voting: StakeVotingConfig {
            bonds: genesis.nodes,
            unbonding_delay: UNBONDING_DELAY
                .max(2 * u32::try_from(genesis.session).expect("a session of few slots")),
        },
        training_proposals: TrainingProposalsConfig {
            models: genesis.models,
            ..Default::default()
        },
        hydra_token: HydraTokenConfig {
            emission_per_block: EMISSION_PER_BLOCK,
            bucket: BUCKET,
            ..Default::default()
        },
        network: NetworkConfig {
            epoch_slots: genesis.session,
            ..Default::default()
        },
        ..Default::default()
    }
    .build_storage()
    .expect("the genesis is valid")
    .into()
}
