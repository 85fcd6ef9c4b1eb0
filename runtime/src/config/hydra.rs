//! What HydraAI is about: who takes part and is drawn, how models are trained, and what that earns.

use crate::{
    Balance, Balances, BlockRandomness, HYDRA, Hash, HydraToken, Reputation, Runtime, RuntimeCall,
    RuntimeHoldReason, StakeVoting, System, TrainingProposals,
    config::{
        money::SpaceFee,
        offchain::SubmitBase,
        randomness::EpochRandomness,
        sessions::{BlocksPerHour, Sessions},
    },
    governance::EnsureModelsOrRoot,
    weights,
};
use codec::Encode;
use frame_support::{
    PalletId, parameter_types,
    traits::{ConstU32, Contains},
};
use hydra_primitives::{
    BlockNumber,
    electorate::SLOTS,
    model::{LONGEST_UNTIL_PAID, MAX_ROUND},
};
use sp_runtime::traits::{BlakeTwo256, Hash as _};

impl pallet_reputation::Config for Runtime {
    /// 2^16 hashes: some tens of milliseconds on a PC. Stake is the real price of an identity.
    type WorkDifficulty = ConstU32<16>;
    /// As many as an electorate has room for: no block's work depends on how many there are.
    type MaxNodes = ConstU32<SLOTS>;
    type Sessions = Sessions;
    type Stakes = StakeVoting;
    type Electorate = StakeVoting;
    type WeightInfo = weights::pallet_reputation::WeightInfo;
}

parameter_types! {
    pub const MinStake: Balance = HYDRA;
    pub const EmissionCap: Balance = 1_000_000_000 * HYDRA;
    /// What a round takes at most from its opening until it is paid, and a tenth more for blocks without room: 86,400 blocks, ten days of
    /// 10 s. At most that is three polls one after the other, on the version before it, on its places and on its own version, each of three
    /// draws of (verify + 8) blocks and a block before the first: 3 × (1 + 3 × (8,639 + 8)) = 77,826, with `MAX_ROUND` = 8,640 blocks for both
    /// phases. Where the guard holds a draw up it may be longer: up to a day for each of them.
    pub const SponsorNotice: BlockNumber = 10 * MAX_ROUND;
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
    type WeightInfo = weights::pallet_stake_voting::WeightInfo;
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
    type SubmitBase = SubmitBase;
    type DutyFee = SpaceFee;
    type Reserved = AuthorisedCode;
    type ModelOrigin = EnsureModelsOrRoot;
    type WeightInfo = weights::pallet_training_proposals::WeightInfo;
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
    type WeightInfo = weights::pallet_hydra_token::WeightInfo;
}

// Whoever pays for a round when it opens is still there when it is paid.
const _: () = assert!(10 * MAX_ROUND > LONGEST_UNTIL_PAID);

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
