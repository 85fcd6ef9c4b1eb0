//! What HydraAI is about: who takes part, what votes weigh, how models are trained, and what that earns.

use crate::{
    Balance, Balances, BlockRandomness, ForceBatch, HYDRA, HydraToken, Reputation, Runtime,
    RuntimeHoldReason, StakeVoting, TrainingProposals, governance::EnsureModelsOrRoot,
};
use frame_support::{
    PalletId, parameter_types,
    traits::{ConstU8, ConstU32},
};

/// The most nodes that may register. Everyone verifies every proposal and is on every list that is looped over, so this
/// bounds the work per block; larger networks need committees and a second vote for disputes.
const MAX_NODES: u32 = 33;

impl pallet_reputation::Config for Runtime {
    /// 2^16 hashes: some tens of milliseconds on a PC. Stake is the real price of an identity: in a full network, places
    /// without stake go to newcomers.
    type WorkDifficulty = ConstU32<16>;
    type MaxNodes = ConstU32<MAX_NODES>;
    type MaxAbsences = ConstU8<2>;
    type VotingWeight = StakeVoting;
    /// Long enough to bond after registering.
    type UnstakedGrace = ConstU32<100>;
    /// A day of 10 s blocks.
    type ForgetAfter = ConstU32<8_640>;
}

parameter_types! {
    pub const MinStake: Balance = HYDRA;
    pub const StakeCap: Balance = 10_000 * HYDRA;
    pub const EmissionCap: Balance = 1_000_000_000 * HYDRA;
    pub const PotId: PalletId = PalletId(*b"hydra/qp");
}

impl pallet_stake_voting::Config for Runtime {
    type RuntimeHoldReason = RuntimeHoldReason;
    type Currency = Balances;
    type Reputation = Reputation;
    type MinStake = MinStake;
    type StakeCap = StakeCap;
    type MaxCommittee = ConstU32<{ MAX_NODES - 1 }>;
}

impl pallet_training_proposals::Config for Runtime {
    type AuthorityId = pallet_training_proposals::crypto::TrainerKey;
    type Reputation = Reputation;
    type VotingWeight = StakeVoting;
    type Polls = StakeVoting;
    type Rewards = HydraToken;
    type Randomness = BlockRandomness;
    type BatchResults = ForceBatch;
    type ModelOrigin = EnsureModelsOrRoot;
    type MaxModels = ConstU32<16>;
    type MaxProposals = ConstU32<MAX_NODES>;
    type MaxAttestations = ConstU32<MAX_NODES>;
    type HistoryDepth = ConstU32<256>;
}

impl pallet_hydra_token::Config for Runtime {
    type Currency = Balances;
    type Models = TrainingProposals;
    type EmissionCap = EmissionCap;
    type PotId = PotId;
}
