//! A chain with this pallet, and neighbours that do what a test tells them: who is drawn, what a poll comes to, who can pay.
//!
//! What they know lies in the chain's storage, so that it goes back with it. Whole-pallet tests, with the real neighbours, live in
//! `runtime/tests` and in the simulator.

use crate::crypto::TrainerKey;
use alloc::collections::BTreeMap;
use codec::{Decode, Encode};
use frame_support::{
    derive_impl, parameter_types,
    traits::{ConstU32, ConstU128, Get, Hooks},
    weights::{IdentityFee, Weight, WeightMeter, constants::WEIGHT_REF_TIME_PER_MILLIS},
};
use frame_system::{
    limits::BlockWeights,
    offchain::{AppCrypto, CreateSignedTransaction, CreateTransactionBase, SigningTypes},
};
use hydra_primitives::{
    Balance, BlobRef, BlockNumber, H256, HYDRA, ModelId, Perbill, Permill,
    dataset::{DatasetKind, DatasetManifest},
    electorate::{Purpose, SessionIndex},
    model::{Aggregator, Architecture, ModelSpec, PhaseLengths, Profile, SizeClass, TaskSpec},
    poll::{Decision, Draw, Opening, PollId},
    reputation::{self, Deed},
    rewards,
    status::{ElectorateStatus, Outcome, Phase, PollStage, PollStatus},
    traits,
};
use sp_core::crypto::AccountId32;
use sp_runtime::{
    BoundedVec, BuildStorage, DispatchError, MultiSignature, MultiSigner,
    generic::UncheckedExtrinsic,
    traits::{Convert, IdentityLookup},
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
    pub type TransactionPayment = pallet_transaction_payment::Pallet<Test>;
    #[runtime::pallet_index(3)]
    pub type Training = crate::Pallet<Test>;
}

pub type Extrinsic = UncheckedExtrinsic<AccountId32, RuntimeCall, MultiSignature, ()>;

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = frame_system::mocking::MockBlock<Test>;
    type AccountId = AccountId32;
    type Lookup = IdentityLookup<AccountId32>;
    type AccountData = pallet_balances::AccountData<Balance>;
    type BlockWeights = Weights;
}

parameter_types! {
    pub SubmitTakes: Weight = Weight::from_parts(300_000_000, 0);
    /// As the runtime has them.
    pub Weights: BlockWeights = BlockWeights::with_sensible_defaults(
        Weight::from_parts(600 * WEIGHT_REF_TIME_PER_MILLIS, u64::MAX),
        Perbill::from_percent(75),
    );
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
    type Balance = Balance;
    type ExistentialDeposit = ConstU128<1_000_000_000>;
    type AccountStore = System;
}

#[derive_impl(pallet_transaction_payment::config_preludes::TestDefaultConfig)]
impl pallet_transaction_payment::Config for Test {
    type OnChargeTransaction = pallet_transaction_payment::FungibleAdapter<Balances, ()>;
    type WeightToFee = IdentityFee<Balance>;
    type LengthToFee = IdentityFee<Balance>;
}

/// Accounts with seats.
pub type Seats = Vec<(AccountId32, u32)>;

/// A poll that a test decides.
#[derive(Clone, Debug, Encode, Decode)]
pub struct Scripted {
    pub purpose: Vec<u8>,
    pub first_seats: u32,
    pub window: BlockNumber,
    pub size: SizeClass,
    pub claimant: Option<(AccountId32, H256)>,
    pub forfeit: Balance,
    pub asked_at: BlockNumber,
    /// Whether digests are closed.
    pub closed: bool,
    pub digests: BTreeMap<AccountId32, H256>,
    /// The opening that decides it.
    pub opens_with: Option<Opening>,
    pub outcome: Option<(Decision, Draw, Seats)>,
}

parameter_types! {
    /// Registered accounts; draws deal seats to them in this order.
    pub storage Accounts: Vec<AccountId32> = Vec::new();
    /// Those a point doesn't count on.
    pub storage Out: Vec<AccountId32> = Vec::new();
    pub storage Paused: Vec<AccountId32> = Vec::new();
    pub storage Busy: BTreeMap<AccountId32, u8> = BTreeMap::new();
    /// What `finish` was told, in order.
    pub storage Finished: Vec<(AccountId32, Option<Deed>)> = Vec::new();
    pub storage Left: Vec<AccountId32> = Vec::new();
    pub storage Beats: BTreeMap<AccountId32, SessionIndex> = BTreeMap::new();
    pub storage Session: SessionIndex = 0;
    pub storage Minimum: Balance = HYDRA;
    pub storage UnbondingDelay: BlockNumber = 10_000;
    pub storage Bonds: BTreeMap<AccountId32, Balance> = BTreeMap::new();
    /// Too few of those who took part lately do so now.
    pub storage TooFew: bool = false;
    pub storage NoRoom: bool = false;
    pub storage CanNotPay: bool = false;
    /// What the next draws give instead of dealing.
    pub storage Drawn: Option<Vec<Option<AccountId32>>> = None;
    /// What was drawn for, from which randomness, and how many seats.
    pub storage Draws: Vec<(Vec<u8>, H256, u32)> = Vec::new();
    pub storage Asked: BTreeMap<PollId, Scripted> = BTreeMap::new();
    /// The block whose results counted already when a poll was last taken further.
    pub storage Clock: BlockNumber = 0;
    /// What taking a poll further takes of the block.
    pub storage PollTakes: u64 = 0;
    /// What a place earns, if not what its work is worth.
    pub storage Quote: Option<Balance> = None;
    /// Of how many places one was last asked about.
    pub storage QuotedFor: u32 = 0;
    pub storage Paid: Vec<(AccountId32, Balance, Seats)> = Vec::new();
    pub storage Burnt: Balance = 0;
    pub storage Shared: Vec<(Balance, Seats)> = Vec::new();
}

/// All neighbours in one.
pub struct Neighbours;

impl traits::Sessions for Neighbours {
    fn current() -> SessionIndex {
        Session::get()
    }
    fn takes_heartbeats() -> bool {
        true
    }
    fn heartbeat_progress() -> u16 {
        u16::MAX
    }
    fn per_day() -> u32 {
        24
    }
    fn blocks() -> BlockNumber {
        360
    }
}

impl traits::Nodes<AccountId32> for Neighbours {
    fn is_registered(who: &AccountId32) -> bool {
        Accounts::get().contains(who)
    }
    fn score(_: &AccountId32) -> Perbill {
        reputation::FOUNDER
    }
    fn is_in(who: &AccountId32) -> bool {
        Self::is_registered(who) && !Out::get().contains(who) && !Paused::get().contains(who)
    }
    fn fits(_: &AccountId32, _: SizeClass) -> bool {
        true
    }
    fn has_room(_: &AccountId32) -> bool {
        true
    }
    fn take_on(who: &AccountId32) {
        let mut busy = Busy::get();
        *busy.entry(who.clone()).or_default() += 1;
        Busy::set(&busy);
    }
    fn finish(who: &AccountId32, deed: Option<Deed>, since: BlockNumber) {
        assert!(since <= BlockNumber::try_from(System::block_number()).expect("a small number"));
        let mut busy = Busy::get();
        let duties = busy.get_mut(who).expect("it had a duty");
        *duties = duties.checked_sub(1).expect("a duty ends once");
        busy.retain(|_, duties| *duties > 0);
        Busy::set(&busy);
        let mut finished = Finished::get();
        finished.push((who.clone(), deed));
        Finished::set(&finished);
    }
    fn leave(who: &AccountId32) {
        let mut left = Left::get();
        left.push(who.clone());
        Left::set(&left);
    }
    fn peer_id(who: &AccountId32) -> Option<Vec<u8>> {
        let bytes: &[u8] = who.as_ref();
        Self::is_registered(who).then(|| bytes.to_vec())
    }
    fn count() -> u32 {
        Accounts::get().len() as u32
    }
    fn entry(who: &AccountId32) -> Option<traits::NodeEntry> {
        Self::is_registered(who).then(|| traits::NodeEntry {
            joined: 0,
            heartbeat: Beats::get().get(who).copied().unwrap_or_default(),
            paused: Paused::get().contains(who),
            room: 4,
            busy: Busy::get().get(who).copied().unwrap_or_default(),
            size_class: 0,
        })
    }
    fn registered(from: Option<&AccountId32>, limit: u32) -> Vec<AccountId32> {
        let accounts = Accounts::get();
        let first = from.map_or(0, |from| {
            accounts.iter().position(|who| who == from).map_or(0, |at| at + 1)
        });
        accounts.into_iter().skip(first).take(limit as usize).collect()
    }
}

impl traits::Heartbeats<AccountId32> for Neighbours {
    type Error = DispatchError;
    fn owed(who: &AccountId32) -> Option<SessionIndex> {
        let given = Beats::get().get(who) == Some(&Session::get());
        (Accounts::get().contains(who) && !given).then(Session::get)
    }
    fn beat(who: &AccountId32, session: SessionIndex) -> Result<(), DispatchError> {
        if Self::owed(who) != Some(session) {
            return Err(DispatchError::Other("no heartbeat is owed"));
        }
        let mut beats = Beats::get();
        beats.insert(who.clone(), session);
        Beats::set(&beats);
        Ok(())
    }
}

impl traits::Stakes<AccountId32> for Neighbours {
    fn bonded(who: &AccountId32) -> Balance {
        Bonds::get().get(who).copied().unwrap_or_default()
    }
    fn unbonding(_: &AccountId32) -> Balance {
        0
    }
    fn unbonding_delay() -> BlockNumber {
        UnbondingDelay::get()
    }
    fn is_staked(who: &AccountId32) -> bool {
        Self::bonded(who) >= Self::minimum()
    }
    fn minimum() -> Balance {
        Minimum::get()
    }
    fn bond(_: &AccountId32, _: Balance) -> Result<(), traits::BondError> {
        Ok(())
    }
    fn forfeit(who: &AccountId32, amount: Balance) -> Balance {
        let mut bonds = Bonds::get();
        let bond = bonds.entry(who.clone()).or_default();
        let lost = amount.min(*bond);
        *bond -= lost;
        Bonds::set(&bonds);
        lost
    }
}

impl traits::Electorate<AccountId32> for Neighbours {
    fn enter(_: &AccountId32, _: SizeClass, _: u8) -> Result<(), traits::ElectorateFull> {
        Ok(())
    }
    fn draw(purpose: &Purpose, randomness: &H256, k: u32, _: SizeClass) -> Vec<Option<AccountId32>> {
        let mut draws = Draws::get();
        draws.push((purpose.encode(), *randomness, k));
        Draws::set(&draws);
        let (accounts, out) = (Accounts::get(), Out::get());
        let drawn: Vec<Option<AccountId32>> = Drawn::get().unwrap_or_else(|| {
            let deal = |seat: u32| accounts[seat as usize * accounts.len() / k as usize].clone();
            let seats = (0..k).map(|seat| Some(deal(seat)));
            seats.map(|seat| seat.filter(|who| !out.contains(who))).collect()
        });
        drawn
            .iter()
            .flatten()
            .for_each(<Self as traits::Nodes<_>>::take_on);
        drawn
    }
    fn distinct(_: &Purpose, _: &H256, _: u32, _: impl FnMut(&AccountId32) -> bool) -> Vec<AccountId32> {
        Vec::new()
    }
    fn accounts() -> u32 {
        Accounts::get().len() as u32
    }
    fn may_ask() -> bool {
        !TooFew::get()
    }
    fn has_room(_: SizeClass) -> bool {
        !NoRoom::get()
    }
    fn status() -> ElectorateStatus {
        ElectorateStatus {
            session: Session::get(),
            accounts: Self::accounts(),
            ..Default::default()
        }
    }
}

impl traits::Polls<AccountId32> for Neighbours {
    type Error = DispatchError;
    fn ask(poll: PollId, question: traits::Question<AccountId32>) {
        let mut asked = Asked::get();
        let new = Scripted {
            purpose: question.purpose.encode(),
            first_seats: question.first_seats,
            window: question.window,
            size: question.size,
            claimant: question.claimant,
            forfeit: question.forfeit,
            asked_at: Training::now(),
            closed: false,
            digests: BTreeMap::new(),
            opens_with: None,
            outcome: None,
        };
        assert!(asked.insert(poll, new).is_none(), "a poll is asked once");
        Asked::set(&asked);
    }
    fn advance(
        poll: &PollId,
        clock: BlockNumber,
        meter: &mut WeightMeter,
    ) -> traits::PollProgress<AccountId32> {
        let mut asked = Asked::get();
        let open = asked.get(poll).expect("only what was asked is taken further");
        Clock::set(&clock);
        let takes = Weight::from_parts(PollTakes::get(), 0);
        let ready = open.asked_at < Training::now() && meter.try_consume(takes).is_ok();
        let Some((decision, draw, right)) = open.outcome.clone().filter(|_| ready) else {
            return traits::PollProgress::Open;
        };
        asked.remove(poll);
        Asked::set(&asked);
        traits::PollProgress::Over(traits::PollOutcome {
            decision,
            draw,
            right,
        })
    }
    fn weight(seats: u32, blocks: u32) -> Weight {
        Weight::from_parts(1_000_000, 0).saturating_mul(u64::from(seats.saturating_add(blocks)))
    }

    fn give(poll: &PollId, who: &AccountId32, digest: H256) -> Result<(), DispatchError> {
        if Self::owes_digest(poll, who).is_none() {
            return Err(DispatchError::Other("no digest is owed"));
        }
        change(poll, |poll| {
            poll.digests.insert(who.clone(), digest);
        });
        Ok(())
    }
    fn open(poll: &PollId, who: &AccountId32, draw: Draw, opening: &Opening) -> Result<(), DispatchError> {
        if Self::may_open(poll, who).is_none() || !Self::would_decide(poll, who, draw, opening) {
            return Err(DispatchError::Other("this opening decides nothing"));
        }
        change(poll, |poll| {
            poll.outcome = Some((Decision::Found(opening.finding), draw, Vec::new()));
        });
        Ok(())
    }
    fn owes_digest(poll: &PollId, who: &AccountId32) -> Option<BlockNumber> {
        let poll = Asked::get().remove(poll)?;
        let claims = poll.claimant.is_some_and(|(claimant, _)| claimant == *who);
        let owes =
            Accounts::get().contains(who) && !claims && !poll.closed && !poll.digests.contains_key(who);
        owes.then_some(poll.asked_at + poll.window)
    }
    fn may_open(poll: &PollId, who: &AccountId32) -> Option<(Draw, BlockNumber)> {
        let poll = Asked::get().remove(poll)?;
        let may = Accounts::get().contains(who) && poll.closed && poll.outcome.is_none();
        may.then_some((Draw::First, 100))
    }
    fn would_decide(poll: &PollId, _: &AccountId32, draw: Draw, opening: &Opening) -> bool {
        let right = Asked::get().remove(poll).and_then(|poll| poll.opens_with);
        draw == Draw::First && right == Some(*opening)
    }
    fn status(poll: &PollId) -> Option<PollStatus<AccountId32>> {
        let asked = Asked::get().remove(poll)?;
        Some(PollStatus {
            poll: *poll,
            draw: Draw::First,
            stage: PollStage::Digests,
            ends_at: asked.asked_at + asked.window,
            seats: asked.first_seats,
            given: asked.digests.len() as u32,
            accounts: Vec::new(),
        })
    }
}

/// Changes a poll.
pub fn change(poll: &PollId, how: impl FnOnce(&mut Scripted)) {
    let mut asked = Asked::get();
    how(asked.get_mut(poll).expect("this poll is asked"));
    Asked::set(&asked);
}

impl traits::Rewards<AccountId32> for Neighbours {
    fn quote(_: ModelId, work: u64, places: u32, bond: Balance) -> Balance {
        QuotedFor::set(&places);
        Quote::get().unwrap_or(rewards::worth(work)).min(bond)
    }
    fn can_pay(_: ModelId, _: Balance) -> bool {
        !CanNotPay::get()
    }
    fn pay(
        _: ModelId,
        holder: &AccountId32,
        _: u64,
        reward: Balance,
        right: &[(AccountId32, u32)],
    ) -> traits::Paid {
        let mut paid = Paid::get();
        paid.push((holder.clone(), reward, right.to_vec()));
        Paid::set(&paid);
        let verifiers = rewards::verifiers_part(reward);
        traits::Paid {
            holder: reward - verifiers,
            verifiers,
        }
    }
    fn burn_for_duties(_: ModelId, amount: Balance) {
        Burnt::set(&(Burnt::get() + amount));
    }
    fn share_forfeit(amount: Balance, right: &[(AccountId32, u32)]) {
        let mut shared = Shared::get();
        shared.push((amount, right.to_vec()));
        Shared::set(&shared);
    }
}

/// Not random, but different in every session.
pub struct SessionHash;
impl Get<H256> for SessionHash {
    fn get() -> H256 {
        hydra_primitives::content_hash(&Session::get().to_le_bytes())
    }
}

/// A smallest unit for each picosecond.
pub struct PerPicosecond;
impl Convert<Weight, Balance> for PerPicosecond {
    fn convert(weight: Weight) -> Balance {
        Balance::from(weight.ref_time())
    }
}

pub const HOUR: BlockNumber = 360;

impl crate::Config for Test {
    type AuthorityId = TrainerKey;
    type Nodes = Neighbours;
    type Heartbeats = Neighbours;
    type Stakes = Neighbours;
    type Electorate = Neighbours;
    type Polls = Neighbours;
    type Rewards = Neighbours;
    type Sessions = Neighbours;
    type EpochRandomness = SessionHash;
    type SubmitBase = SubmitTakes;
    type DutyFee = PerPicosecond;
    type Reserved = frame_support::traits::Nothing;
    type ModelOrigin = frame_system::EnsureRoot<AccountId32>;
    type WeightInfo = ();
    type BlocksPerHour = ConstU32<HOUR>;
    type MaxModels = ConstU32<3>;
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
        profile: Profile::ArithmeticV1,
        task: TaskSpec {
            steps: 30,
            batch_size: 32,
            learning_rate: Permill::from_percent(10),
            momentum: Permill::from_percent(90),
        },
        aggregator: Aggregator::Mix {
            rate: Permill::from_percent(10),
        },
        init_seed: 0,
        phases: PhaseLengths {
            train: 10,
            verify: 10,
        },
        roster: 4,
        first_seats: 8,
    }
}

pub const INITIAL: H256 = H256::repeat_byte(0xAA);

/// The genesis of a chain with one model where these accounts are registered, own 1,000 HYDRA and have bonded 10.
pub fn genesis(nodes: Vec<AccountId32>) -> sp_io::TestExternalities {
    genesis_with(nodes, vec![(spec(), dataset(), INITIAL)])
}

/// The same with these models.
pub fn genesis_with(
    nodes: Vec<AccountId32>,
    models: Vec<(ModelSpec, DatasetManifest, H256)>,
) -> sp_io::TestExternalities {
    let storage = RuntimeGenesisConfig {
        balances: pallet_balances::GenesisConfig {
            balances: nodes.iter().map(|who| (who.clone(), 1_000 * HYDRA)).collect(),
            ..Default::default()
        },
        training: crate::GenesisConfig {
            models,
            ..Default::default()
        },
        ..Default::default()
    }
    .build_storage()
    .expect("the genesis is valid");
    let mut chain = sp_io::TestExternalities::from(storage);
    chain.execute_with(|| {
        Bonds::set(&nodes.iter().map(|who| (who.clone(), 10 * HYDRA)).collect());
        Accounts::set(&nodes);
        System::set_block_number(1);
    });
    chain
}

/// Runs `test` on a chain with that many nodes whose first round is open, and checks the invariants afterwards.
pub fn with_nodes(nodes: u8, test: impl FnOnce()) {
    genesis((1..=nodes).map(account).collect()).execute_with(|| {
        next_block();
        test();
        check_invariants();
    });
}

/// The pallet's invariants, and that each account is busy exactly with the places that it holds and that aren't settled.
pub fn check_invariants() {
    Training::do_try_state().expect("the invariants hold");
    let mut held: BTreeMap<AccountId32, u8> = BTreeMap::new();
    for (model, index, place) in crate::Places::<Test>::iter() {
        let round = crate::Rounds::<Test>::get(model).expect("places are of models that exist");
        let settled = match round.phase {
            Phase::Verify if index < round.closed => place.poll.is_none() || place.outcome.is_some(),
            _ => false,
        };
        assert!(
            place.outcome != Some(Outcome::Accepted) || crate::Payouts::<Test>::contains_key(model, index)
        );
        if !settled {
            *held.entry(place.holder).or_default() += 1;
        }
    }
    assert_eq!(Busy::get(), held, "whoever holds a place is busy with it");
}

/// Ends the block and begins the next, as the runtime does.
pub fn next_block() {
    end_block(Weight::MAX);
}

/// The same where the block has only so much left.
pub fn end_block(left: Weight) {
    idle_block(left);
    Training::on_initialize(System::block_number());
    check_invariants();
}

/// The end of a block that has so much left, without the beginning of the next one.
pub fn idle_block(left: Weight) {
    if left != Weight::zero() {
        let used = Training::on_idle(System::block_number(), left);
        assert!(used.all_lte(left), "{used:?} of {left:?}");
    }
    check_invariants();
    System::set_block_number(System::block_number() + 1);
}
