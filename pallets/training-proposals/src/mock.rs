//! A chain with the four pallets as the runtime wires them, and a small model.

use crate::{BatchResults, crypto::TrainerKey};
use frame_support::{
    PalletId, derive_impl, parameter_types,
    traits::{ConstU8, ConstU32, ConstU128, Get, Hooks},
    weights::Weight,
};
use frame_system::offchain::{AppCrypto, CreateSignedTransaction, CreateTransactionBase, SigningTypes};
use hydra_primitives::{
    Balance, BlobRef, H256, HYDRA, Permill,
    dataset::{DatasetKind, DatasetManifest},
    duty::DutyResult,
    model::{Aggregator, Architecture, ModelSpec, PhaseLengths, Profile, TaskSpec},
    proposal::{ProposalKey, Report, Score},
};
use sp_core::crypto::AccountId32;
use sp_runtime::{
    BoundedVec, BuildStorage, MultiSignature, MultiSigner, generic::UncheckedExtrinsic,
    traits::IdentityLookup,
};

#[frame_support::runtime]
mod runtime {
    #[runtime::runtime]
    #[runtime::derive(
        RuntimeCall,
        RuntimeEvent,
        RuntimeError,
        RuntimeOrigin,
        RuntimeFreezeReason,
        RuntimeHoldReason,
        RuntimeSlashReason,
        RuntimeLockId,
        RuntimeTask,
        RuntimeViewFunction
    )]
    pub struct Test;

    #[runtime::pallet_index(0)]
    pub type System = frame_system::Pallet<Test>;
    #[runtime::pallet_index(1)]
    pub type Balances = pallet_balances::Pallet<Test>;
    #[runtime::pallet_index(2)]
    pub type Utility = pallet_utility::Pallet<Test>;
    #[runtime::pallet_index(3)]
    pub type Reputation = pallet_reputation::Pallet<Test>;
    #[runtime::pallet_index(4)]
    pub type StakeVoting = pallet_stake_voting::Pallet<Test>;
    #[runtime::pallet_index(5)]
    pub type Training = crate::Pallet<Test>;
    #[runtime::pallet_index(6)]
    pub type HydraToken = pallet_hydra_token::Pallet<Test>;
}

pub type Extrinsic = UncheckedExtrinsic<AccountId32, RuntimeCall, MultiSignature, ()>;

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = frame_system::mocking::MockBlock<Test>;
    type AccountId = AccountId32;
    type Lookup = IdentityLookup<AccountId32>;
    type AccountData = pallet_balances::AccountData<Balance>;
    // Weights that count: what on_initialize can't pay for must not happen here either.
    type DbWeight = frame_support::weights::constants::ParityDbWeight;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
    type Balance = Balance;
    type ExistentialDeposit = ConstU128<1_000_000_000>;
    type AccountStore = System;
}

impl pallet_utility::Config for Test {
    type RuntimeEvent = RuntimeEvent;
    type RuntimeCall = RuntimeCall;
    type PalletsOrigin = OriginCaller;
    type WeightInfo = ();
}

impl pallet_reputation::Config for Test {
    type WorkDifficulty = ConstU32<4>;
    type MaxNodes = ConstU32<16>;
    type MaxAbsences = ConstU8<2>;
    type VotingWeight = StakeVoting;
    type UnstakedGrace = ConstU32<10>;
    type ForgetAfter = ConstU32<100>;
}

parameter_types! {
    pub const MinStake: Balance = HYDRA;
    pub const StakeCap: Balance = 1_000 * HYDRA;
    pub const MaxCommittee: u32 = 16;
    pub const EmissionCap: Balance = 1_000_000 * HYDRA;
    pub const PotId: PalletId = PalletId(*b"hydra/pt");
}

impl pallet_stake_voting::Config for Test {
    type RuntimeHoldReason = RuntimeHoldReason;
    type Currency = Balances;
    type Reputation = Reputation;
    type MinStake = MinStake;
    type StakeCap = StakeCap;
    type MaxCommittee = MaxCommittee;
}

impl pallet_hydra_token::Config for Test {
    type Currency = Balances;
    type Models = Training;
    type EmissionCap = EmissionCap;
    type PotId = PotId;
}

/// Not random, but different in every block.
pub struct BlockNumberHash;
impl Get<H256> for BlockNumberHash {
    fn get() -> H256 {
        hydra_primitives::content_hash(&System::block_number().to_le_bytes())
    }
}

/// As the runtime does it.
pub struct ForceBatch;
impl BatchResults<RuntimeCall> for ForceBatch {
    fn batch(results: Vec<DutyResult>) -> RuntimeCall {
        let key = |key: ProposalKey<[u8; 32]>| ProposalKey {
            model: key.model,
            round: key.round,
            proposer: AccountId32::new(key.proposer),
        };
        let calls = results.into_iter().map(|result| match result {
            DutyResult::Attest {
                model,
                version,
                recipe,
                weights,
                score,
            } => crate::Call::attest {
                model,
                version,
                recipe,
                weights,
                score,
            }
            .into(),
            DutyResult::Propose {
                model,
                round,
                task_seed,
                proposal,
            } => crate::Call::propose {
                model,
                round,
                task_seed,
                proposal,
            }
            .into(),
            DutyResult::CommitVote { key: k, commitment } => pallet_stake_voting::Call::commit_vote {
                proposal: key(k),
                commitment,
            }
            .into(),
            DutyResult::RevealVote { key: k, vote, salt } => pallet_stake_voting::Call::reveal_vote {
                proposal: key(k),
                vote,
                salt,
            }
            .into(),
        });
        pallet_utility::Call::force_batch {
            calls: calls.collect(),
        }
        .into()
    }
}

impl crate::Config for Test {
    type AuthorityId = TrainerKey;
    type Reputation = Reputation;
    type VotingWeight = StakeVoting;
    type Polls = StakeVoting;
    type Rewards = HydraToken;
    type Randomness = BlockNumberHash;
    type BatchResults = ForceBatch;
    type ModelOrigin = frame_system::EnsureRoot<AccountId32>;
    type MaxModels = ConstU32<2>;
    type MaxProposals = ConstU32<16>;
    type MaxAttestations = ConstU32<16>;
    type HistoryDepth = ConstU32<4>;
}

impl SigningTypes for Test {
    type Public = MultiSigner;
    type Signature = MultiSignature;
}

impl<C> CreateTransactionBase<C> for Test
where
    RuntimeCall: From<C>,
{
    type RuntimeCall = RuntimeCall;
    type Extrinsic = Extrinsic;
}

impl<C> CreateSignedTransaction<C> for Test
where
    RuntimeCall: From<C>,
{
    fn create_signed_transaction<K: AppCrypto<MultiSigner, MultiSignature>>(
        call: RuntimeCall,
        public: MultiSigner,
        account: AccountId32,
        nonce: u32,
    ) -> Option<Extrinsic> {
        let signature = K::sign(&codec::Encode::encode(&(&call, nonce)), public)?;
        Some(Extrinsic::new_signed(call, account, signature, ()))
    }
}

pub fn account(n: u8) -> AccountId32 {
    AccountId32::new([n; 32])
}

pub fn dataset() -> DatasetManifest {
    DatasetManifest {
        name: BoundedVec::truncate_from(b"dots".to_vec()),
        kind: DatasetKind::Images {
            height: 2,
            width: 2,
            channels: 1,
            classes: 2,
            max_value: 1,
        },
        shards: BoundedVec::truncate_from((0..8).map(|n| BlobRef::of(&[n])).collect()),
        validation: BlobRef::of(b"validation"),
    }
}

pub fn spec() -> ModelSpec {
    ModelSpec {
        architecture: Architecture::Mlp {
            layers: BoundedVec::truncate_from(vec![4, 3, 2]),
        },
        profile: Profile::ExactLibTorch2110Avx2,
        task: TaskSpec {
            steps: 30,
            batch_size: 32,
            learning_rate: Permill::from_percent(10),
            momentum: Permill::from_percent(90),
            checkpoint_every: 1,
        },
        aggregator: Aggregator::Mix {
            rate: Permill::from_percent(10),
        },
        init_seed: 0,
        phases: PhaseLengths {
            train: 10,
            verify: 6,
            reveal: 4,
        },
    }
}

pub const INITIAL: H256 = H256::repeat_byte(0xAA);
pub const SCORE: Score = Score {
    correct: 8,
    total: 10,
};

/// A proposal as trainer `n` would make it.
pub fn proposal(n: u8) -> hydra_primitives::proposal::Proposal {
    let size = 16 + 4 * spec().architecture.parameters();
    hydra_primitives::proposal::Proposal {
        base: INITIAL,
        update: BlobRef {
            hash: H256::repeat_byte(n),
            size,
        },
        trace_root: H256::repeat_byte(n),
        report: Report {
            loss_before: 2,
            loss_after: 1,
            validation: SCORE,
            steps: 30,
            milliseconds: 1,
        },
    }
}

/// The genesis of a chain where accounts 1 to `nodes` are registered, own 1,000 HYDRA and have bonded 10.
pub fn genesis(nodes: Vec<AccountId32>) -> sp_io::TestExternalities {
    genesis_with(nodes, vec![(spec(), dataset(), INITIAL)])
}

/// The same with these models.
pub fn genesis_with(
    nodes: Vec<AccountId32>,
    models: Vec<(ModelSpec, DatasetManifest, H256)>,
) -> sp_io::TestExternalities {
    RuntimeGenesisConfig {
        balances: pallet_balances::GenesisConfig {
            balances: nodes.iter().map(|who| (who.clone(), 1_000 * HYDRA)).collect(),
            ..Default::default()
        },
        reputation: pallet_reputation::GenesisConfig {
            nodes: nodes
                .iter()
                .map(|who| (who.clone(), AsRef::<[u8]>::as_ref(who).to_vec()))
                .collect(),
        },
        stake_voting: pallet_stake_voting::GenesisConfig {
            bonds: nodes.iter().map(|who| (who.clone(), 10 * HYDRA)).collect(),
        },
        training: crate::GenesisConfig {
            models,
            ..Default::default()
        },
        ..Default::default()
    }
    .build_storage()
    .expect("the genesis is valid")
    .into()
}

/// Runs `test` on a chain with that many nodes, and checks every pallet's invariants afterwards.
pub fn with_nodes(nodes: u8, test: impl FnOnce()) {
    genesis((1..=nodes).map(account).collect()).execute_with(|| {
        System::set_block_number(1);
        test();
        check_invariants();
    });
}

pub fn check_invariants() {
    Training::do_try_state().expect("the invariants hold");
    StakeVoting::do_try_state().expect("the invariants hold");
    Reputation::do_try_state().expect("the invariants hold");
    HydraToken::do_try_state().expect("the invariants hold");
    for key in pallet_stake_voting::Polls::<Test>::iter_keys() {
        let round = crate::Rounds::<Test>::get(key.model).expect("polls are on models that exist");
        assert!(
            round.number == key.round && crate::Proposals::<Test>::get(key.model).contains_key(&key.proposer),
            "{key:?} is a poll on a proposal that does not exist"
        );
    }
}

/// Ends the block and begins the next, as the runtime does.
pub fn next_block() {
    Training::on_idle(System::block_number(), Weight::MAX);
    check_invariants();
    System::set_block_number(System::block_number() + 1);
    Training::on_initialize(System::block_number());
}
