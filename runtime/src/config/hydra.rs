//! What HydraAI is about: who takes part and is drawn, how models are trained, and what that earns.

use crate::{
    Balance, Balances, BlockRandomness, HYDRA, Hash, HydraToken, Reputation, Runtime, RuntimeCall,
    RuntimeHoldReason, StakeVoting, System, TrainingProposals,
    config::{
        money::SpaceFee,
        randomness::EpochRandomness,
        sessions::{BlocksPerHour, Sessions},
    },
    governance::EnsureModelsOrRoot,
};
use codec::Encode;
use frame_support::{
    PalletId, parameter_types,
    traits::{ConstU32, Contains},
};
use hydra_primitives::{BlockNumber, electorate::SLOTS, model::MAX_ROUND};
use sp_runtime::traits::{BlakeTwo256, Hash as _};

impl pallet_reputation::Config for Runtime {
    /// 2^16 hashes: some tens of milliseconds on a PC. Stake is the real price of an identity.
    type WorkDifficulty = ConstU32<16>;
    /// As many as an electorate has room for: no block's work depends on how many there are.
    type MaxNodes = ConstU32<SLOTS>;
    type Sessions = Sessions;
    type Stakes = StakeVoting;
    type Electorate = StakeVoting;
    type WeightInfo = ();
}

parameter_types! {
    pub const MinStake: Balance = HYDRA;
    pub const EmissionCap: Balance = 1_000_000_000 * HYDRA;
    /// Four times the longest that the phases of a round may have together: training, three draws, and all of it once more for the
    /// version.
    pub const SponsorNotice: BlockNumber = 4 * MAX_ROUND;
    pub const PotId: PalletId = PalletId(*b"hydra/qp");
}

impl pallet_stake_voting::Config for Runtime {
    type RuntimeHoldReason = RuntimeHoldReason;
    type Currency = Balances;
    type Nodes = Reputation;
    type Rewards = HydraToken;
    type Sessions = Sessions;
    type Randomness = BlockRandomness;
    type MinStake = MinStake;
    type WeightInfo = ();
}

impl pallet_training_proposals::Config for Runtime {
    type AuthorityId = pallet_training_proposals::crypto::TrainerKey;
    type Nodes = Reputation;
    type Heartbeats = Reputation;
    type Stakes = StakeVoting;
    type Electorate = StakeVoting;
    type Polls = StakeVoting;
    type Rewards = HydraToken;
    type Sessions = Sessions;
    type EpochRandomness = EpochRandomness;
    type DutyFee = SpaceFee;
    type Reserved = AuthorisedCode;
    type ModelOrigin = EnsureModelsOrRoot;
    type WeightInfo = ();
    type BlocksPerHour = BlocksPerHour;
    type MaxModels = ConstU32<16>;
    type HistoryDepth = ConstU32<256>;
}

impl pallet_hydra_token::Config for Runtime {
    type RuntimeHoldReason = RuntimeHoldReason;
    type Currency = Balances;
    type Models = TrainingProposals;
    type ModelOrigin = EnsureModelsOrRoot;
    type EmissionCap = EmissionCap;
    type SponsorNotice = SponsorNotice;
    type PotId = PotId;
    type WeightInfo = ();
}

/// The one call of an account beside `submit` that may use the space which blocks keep for operational transactions: the code of
/// an upgrade, when a referendum has authorised that very code. The others of that class are root's and come from the scheduler, which
/// needs no space of theirs.
pub struct AuthorisedCode;

impl Contains<RuntimeCall> for AuthorisedCode {
    fn contains(call: &RuntimeCall) -> bool {
        let RuntimeCall::System(frame_system::Call::apply_authorized_upgrade { code }) = call else {
            return false;
        };
        // Only `std` may read the hash by name; it is the first of what is stored.
        System::authorized_upgrade().is_some_and(|authorised| {
            let hash: Hash = BlakeTwo256::hash(code);
            authorised.using_encoded(|stored| stored.starts_with(hash.as_bytes()))
        })
    }
}
