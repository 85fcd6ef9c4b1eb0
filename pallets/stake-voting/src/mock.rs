//! A chain with balances and this pallet. What it knows of other pallets is a script in [`World`].

use crate::WeightInfo;
use frame_support::{
    derive_impl, parameter_types,
    traits::{ConstU128, Get, fungible::Mutate},
    weights::{Weight, WeightMeter},
};
use hydra_primitives::{
    Balance, H256, HYDRA, ModelId, Perbill, domain_hash,
    electorate::SessionIndex,
    model::SizeClass,
    reputation::Deed,
    rewards::by_seats,
    traits::{self, Electorate as _, Stakes as _},
};
use sp_core::crypto::AccountId32;
use sp_runtime::{BuildStorage, traits::IdentityLookup};
use std::{cell::RefCell, collections::BTreeMap};

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
    pub type StakeVoting = crate::Pallet<Test>;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = frame_system::mocking::MockBlock<Test>;
    type AccountId = AccountId32;
    type Lookup = IdentityLookup<AccountId32>;
    type AccountData = pallet_balances::AccountData<Balance>;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
    type Balance = Balance;
    type ExistentialDeposit = ConstU128<1_000_000_000>;
    type AccountStore = System;
}

parameter_types! {
    pub const MinStake: Balance = HYDRA;
}

impl crate::Config for Test {
    type RuntimeHoldReason = RuntimeHoldReason;
    type Currency = Balances;
    type Nodes = Others;
    type Rewards = Others;
    type Sessions = Others;
    type Randomness = Others;
    type MinStake = MinStake;
    type WeightInfo = ();
}

/// A registered account.
#[derive(Clone, Debug)]
pub struct Node {
    pub score: Perbill,
    pub size: SizeClass,
    pub room: u32,
    pub busy: u32,
    pub out: bool,
}

impl Default for Node {
    fn default() -> Self {
        Self {
            score: Perbill::one(),
            size: 3,
            room: 1,
            busy: 0,
            out: false,
        }
    }
}

/// What other pallets would know, and what they were told.
pub struct World {
    pub nodes: BTreeMap<AccountId32, Node>,
    /// Registered accounts beyond `nodes`.
    pub others: u32,
    pub session: SessionIndex,
    pub per_day: u32,
    /// The randomness of a block is made of it and of the block's number.
    pub randomness: u64,
    pub finished: Vec<(AccountId32, Option<Deed>)>,
    pub left: Vec<AccountId32>,
    /// What was shared, and among whom.
    pub shared: Vec<(Balance, Vec<(AccountId32, u32)>)>,
}

impl Default for World {
    fn default() -> Self {
        Self {
            nodes: BTreeMap::new(),
            others: 0,
            session: 0,
            per_day: 24,
            randomness: 0,
            finished: Vec::new(),
            left: Vec::new(),
            shared: Vec::new(),
        }
    }
}

thread_local! {
    static WORLD: RefCell<World> = RefCell::default();
}

pub fn world<R>(with: impl FnOnce(&mut World) -> R) -> R {
    WORLD.with_borrow_mut(with)
}

/// Lets a node be changed.
pub fn node(n: u8, change: impl FnOnce(&mut Node)) {
    world(|world| change(world.nodes.get_mut(&account(n)).expect("it is registered")));
}

/// The other pallets.
pub struct Others;

impl traits::Sessions for Others {
    fn current() -> SessionIndex {
        world(|world| world.session)
    }

    fn takes_heartbeats() -> bool {
        true
    }

    fn heartbeat_progress() -> u16 {
        u16::MAX
    }

    fn per_day() -> u32 {
        world(|world| world.per_day)
    }

    fn blocks() -> u32 {
        25
    }
}

impl Get<H256> for Others {
    fn get() -> H256 {
        let randomness = world(|world| world.randomness);
        let block = System::block_number();
        domain_hash(
            "randomness of tests",
            &[&randomness.to_le_bytes(), &block.to_le_bytes()],
        )
    }
}

impl traits::Nodes<AccountId32> for Others {
    fn is_registered(who: &AccountId32) -> bool {
        world(|world| world.nodes.contains_key(who))
    }

    fn score(who: &AccountId32) -> Perbill {
        world(|world| world.nodes.get(who).map_or(Perbill::zero(), |node| node.score))
    }

    fn is_in(who: &AccountId32) -> bool {
        world(|world| world.nodes.get(who).is_some_and(|node| !node.out)) && StakeVoting::is_staked(who)
    }

    fn fits(who: &AccountId32, size: SizeClass) -> bool {
        world(|world| world.nodes.get(who).is_some_and(|node| size <= node.size))
    }

    fn has_room(who: &AccountId32) -> bool {
        world(|world| world.nodes.get(who).is_some_and(|node| node.busy < node.room))
    }

    fn take_on(who: &AccountId32) {
        world(|world| world.nodes.get_mut(who).expect("only nodes are drawn").busy += 1);
    }

    fn finish(who: &AccountId32, deed: Option<Deed>, _: u32) {
        world(|world| {
            let node = world.nodes.get_mut(who).expect("only nodes were drawn");
            node.busy = node.busy.checked_sub(1).expect("it has a duty to finish");
            node.out |= matches!(deed, Some(Deed::Missed | Deed::Wrong));
            world.finished.push((who.clone(), deed));
        });
    }

    fn leave(who: &AccountId32) {
        world(|world| {
            world.left.push(who.clone());
            if let Some(node) = world.nodes.get_mut(who) {
                node.out = true;
            }
        });
    }

    fn peer_id(_: &AccountId32) -> Option<Vec<u8>> {
        None
    }

    fn count() -> u32 {
        world(|world| u32::try_from(world.nodes.len()).expect("few") + world.others)
    }

    fn entry(_: &AccountId32) -> Option<traits::NodeEntry> {
        unreachable!("this pallet shows nobody's entry");
    }

    fn registered(_: Option<&AccountId32>, _: u32) -> Vec<AccountId32> {
        unreachable!("this pallet lists nobody");
    }
}

impl traits::Rewards<AccountId32> for Others {
    fn quote(_: ModelId, _: u64, _: u32, _: Balance) -> Balance {
        unreachable!("this pallet pays nobody");
    }

    fn can_pay(_: ModelId, _: Balance) -> bool {
        unreachable!("this pallet pays nobody");
    }

    fn pay(_: ModelId, _: &AccountId32, _: u64, _: Balance, _: &[(AccountId32, u32)]) -> traits::Paid {
        unreachable!("this pallet pays nobody");
    }

    fn burn_for_duties(_: ModelId, _: Balance) {
        unreachable!("this pallet asks nobody to pay");
    }

    fn share_forfeit(amount: Balance, right: &[(AccountId32, u32)]) {
        let all: u32 = right.iter().map(|(_, seats)| seats).sum();
        for (who, seats) in right {
            Balances::mint_into(who, by_seats(amount / 2, *seats, all)).expect("it exists");
        }
        world(|world| world.shared.push((amount, right.to_vec())));
    }
}

pub fn account(n: u8) -> AccountId32 {
    AccountId32::new([n; 32])
}

/// A chain at block 1 on which accounts 1 to 100 own 1,000 HYDRA. Those named are registered, with a score of 1 and room for one
/// task, have bonded so many HYDRA, and are the electorate of session 0.
pub fn chain_of(members: &[(u8, Balance)]) -> sp_io::TestExternalities {
    world(|world| {
        *world = World::default();
        world.nodes = members
            .iter()
            .map(|(n, _)| (account(*n), Node::default()))
            .collect();
    });
    let storage = RuntimeGenesisConfig {
        balances: pallet_balances::GenesisConfig {
            balances: (1..=100).map(|n| (account(n), 1_000 * HYDRA)).collect(),
            ..Default::default()
        },
        stake_voting: crate::GenesisConfig {
            bonds: members
                .iter()
                .map(|(n, bond)| (account(*n), bond * HYDRA))
                .collect(),
            unbonding_delay: 50,
        },
        ..Default::default()
    }
    .build_storage()
    .expect("the genesis is valid");
    let mut chain = sp_io::TestExternalities::new(storage);
    chain.execute_with(|| System::set_block_number(1));
    chain
}

/// A chain on which nobody takes part.
pub fn new_chain() -> sp_io::TestExternalities {
    chain_of(&[])
}

/// Runs `test` on a chain with these members, and checks the invariants afterwards.
pub fn with_members(members: &[(u8, Balance)], test: impl FnOnce()) {
    chain_of(members).execute_with(|| {
        test();
        StakeVoting::do_try_state().expect("the invariants hold");
    });
}

/// Accounts 1 to 4, with 10 HYDRA each.
pub const FOUR: [(u8, Balance); 4] = [(1, 10), (2, 10), (3, 10), (4, 10)];

/// Makes the next block.
pub fn next_block() {
    System::set_block_number(System::block_number() + 1);
}

/// These accounts say that they are there, then the next session begins, and everybody in it is in again.
pub fn next_session(members: &[u8]) {
    for n in members {
        let (size, room) = world(|world| {
            let node = world.nodes.get(&account(*n)).expect("it is registered");
            (node.size, u8::try_from(node.room).expect("little"))
        });
        StakeVoting::enter(&account(*n), size, room).expect("there is room");
    }
    world(|world| {
        world.session += 1;
        for node in world.nodes.values_mut() {
            node.out = false;
        }
    });
}

/// A meter for looking at a poll, and this much more.
pub fn meter(more: Weight) -> WeightMeter {
    WeightMeter::with_limit(<()>::look_at_poll().saturating_add(more))
}

/// The most that one seat takes.
pub fn one_seat() -> Weight {
    <()>::look_at_point()
        .saturating_mul(5)
        .saturating_add(<()>::take_seat())
}

/// Everything this pallet said, in order.
pub fn said() -> Vec<crate::Event<Test>> {
    System::events()
        .into_iter()
        .filter_map(|record| match record.event {
            RuntimeEvent::StakeVoting(event) => Some(event),
            _ => None,
        })
        .collect()
}
