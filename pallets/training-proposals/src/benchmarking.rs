//! What results, and the steps of rounds, take at most. Run by `hydra-weights`, which says how.
#![allow(clippy::unwrap_used, clippy::arithmetic_side_effects)]

use crate::{
    Backlog, Call, Config, Dues, DuesState, DutyBacklog, FoldedUpdate, History, ModelTerms, Models, MovedOn,
    Pallet, Payout, Payouts, PerPlace, Place, Places, Providers, Round, RoundRecord, Rounds, Terms,
    VersionInfo, Versions, rounds::Step,
};
use alloc::{vec, vec::Vec};
use core::slice;
use frame_benchmarking::v2::*;
use frame_support::{
    BoundedVec,
    traits::{ConstU32, Get, Hooks},
    weights::{Weight, WeightMeter},
};
use frame_system::RawOrigin;
use hydra_primitives::{
    Balance, BlobRef, BlockNumber, H256, HYDRA, ModelId,
    benchmarks::BenchmarkChain,
    dataset::{DatasetManifest, MAX_SHARDS},
    digits::{digits_manifest, digits_spec},
    duty::{DutyResult, MAX_PROVIDERS, MAX_RESULTS},
    electorate::{Purpose, REDRAWS, SEATS_FIRST_MAX},
    model::{Architecture, MAX_ROSTER, ModelSpec, PhaseLengths},
    poll::{Decision, Draw, Finding, Opening, PollId},
    proposal::Claim,
    status::{Outcome, Phase, PlaceSummary, Waiting},
    task::PlaceIndex,
    traits::{
        Electorate as _, Heartbeats as _, MAX_FIRST, Nodes as _, PollOutcome, Polls as _, Sessions as _,
        Stakes as _,
    },
};
use sp_runtime::traits::SaturatedConversion;

/// A block in which things may have been going on for a while.
const NOW: BlockNumber = 1_000;
/// More than any forfeit.
const BOND: Balance = 10_000 * HYDRA;
const POLL: PollId = H256::repeat_byte(3);
/// Accounts of a poll for each 16 seats of a draw: in the last draw, all seats of all three draws may be another's.
const ACCOUNTS_PER_16_SEATS: u32 = 21;

/// The spec that takes the longest to check and to hash.
fn spec() -> ModelSpec {
    ModelSpec {
        architecture: Architecture::Mlp {
            layers: BoundedVec::truncate_from(vec![64, 64, 64, 64, 64, 64, 64, 10]),
        },
        phases: PhaseLengths {
            train: 100,
            verify: 100,
        },
        roster: MAX_ROSTER,
        first_seats: u8::try_from(SEATS_FIRST_MAX).unwrap(),
        ..digits_spec()
    }
}

/// As many shards as a data set may have.
fn dataset() -> DatasetManifest {
    let digits = digits_manifest();
    let shard = digits.shard(0).unwrap();
    let shards = (0..MAX_SHARDS).map(|_| shard).collect::<Vec<_>>();
    DatasetManifest {
        name: BoundedVec::truncate_from(vec![b'x'; 64]),
        shards: BoundedVec::truncate_from(shards),
        ..digits
    }
}

fn update() -> BlobRef {
    BlobRef {
        hash: H256::repeat_byte(5),
        size: Terms::of(
            0,
            &crate::Model {
                spec: spec(),
                dataset: dataset(),
            },
        )
        .update_size,
    }
}

fn opening() -> Opening {
    Opening {
        finding: Finding::Update(H256::repeat_byte(1)),
        witness: H256::repeat_byte(2),
    }
}

fn at_block<T: Config>(now: BlockNumber) {
    frame_system::Pallet::<T>::set_block_number(now.saturated_into());
}

/// The next model there is, in its first pause.
fn model<T: Config>() -> (ModelId, Terms, Round) {
    at_block::<T>(NOW);
    let model = Models::<T>::count();
    Pallet::<T>::start_model(model, spec(), dataset(), H256::repeat_byte(4));
    let terms = ModelTerms::<T>::get(model).unwrap();
    (model, terms, Rounds::<T>::get(model).unwrap())
}

fn accounts<T: Config>(count: u32) -> Vec<T::AccountId> {
    (0..count).map(|index| account("node", index, 0)).collect()
}

fn claim() -> Claim {
    Claim {
        base: H256::repeat_byte(4),
        update: update(),
    }
}

/// A round in a phase, with a place for each of the accounts.
fn with_places<T: Config>(
    model: ModelId,
    round: &mut Round,
    phase: Phase,
    holders: &[T::AccountId],
    claim: Option<Claim>,
) {
    round.phase = phase;
    round.seed = H256::repeat_byte(6);
    round.places = PlaceIndex::try_from(holders.len()).unwrap();
    for (index, holder) in (0..).zip(holders) {
        T::Nodes::take_on(holder);
        let place = Place {
            claim,
            quoted: HYDRA,
            forfeit: HYDRA,
            ..Place::of(holder.clone())
        };
        Places::<T>::insert(model, index, place);
    }
    if claim.is_some() {
        round.proposed = round.places;
    }
    Rounds::<T>::insert(model, round.clone());
}

fn right<T: Config>(count: u32) -> Vec<(T::AccountId, u32)> {
    (0..count).map(|index| (account("right", index, 0), 1)).collect()
}

fn payout<T: Config>(right: Vec<(T::AccountId, u32)>) -> Payout<T::AccountId> {
    Payout {
        holder: account("holder", 0, 0),
        update: update(),
        reward: HYDRA,
        right: BoundedVec::truncate_from(right),
    }
}

/// The record of a round with as many places as there may be.
fn record<T: Config>() -> RoundRecord<T::AccountId> {
    let places = (0..MAX_ROSTER).map(|place| PlaceSummary {
        place,
        holder: account("node", u32::from(place), 0),
        outcome: Some(Outcome::Accepted),
        draw: Draw::First,
        reward: 0,
        verifiers: 0,
    });
    RoundRecord {
        opened_at: 0,
        settled_at: 0,
        places: PerPlace::truncate_from(places.collect::<Vec<_>>()),
        version: 1,
        weights: None,
        score: None,
        given_up: false,
    }
}

/// A version of as many updates as there may be.
fn version<T: Config>() -> VersionInfo<T::AccountId> {
    let providers = accounts::<T>(u32::try_from(MAX_PROVIDERS).unwrap());
    let updates = (0..MAX_ROSTER).map(|place| FoldedUpdate {
        place,
        update: update(),
        shard: 0,
        providers: Providers::truncate_from(providers.clone()),
    });
    VersionInfo {
        version: 1,
        round: 0,
        base: H256::repeat_byte(4),
        updates: PerPlace::truncate_from(updates.collect::<Vec<_>>()),
    }
}

fn dues(places: PlaceIndex, next: PlaceIndex) -> Dues {
    Dues {
        round: 0,
        places,
        next,
        state: DuesState::Paying,
        paid: 0,
    }
}

fn results(result: DutyResult) -> BoundedVec<DutyResult, ConstU32<MAX_RESULTS>> {
    BoundedVec::truncate_from(vec![result])
}

/// The opening of a poll at a draw of at least so many seats, with as many accounts as that may have.
fn to_open<T: Config + BenchmarkChain<T::AccountId>>(seats: u32) -> (T::AccountId, DutyResult) {
    at_block::<T>(NOW);
    let draws = [Draw::First, Draw::Appeal, Draw::Last];
    let draw = draws
        .into_iter()
        .find(|draw| draw.seats(SEATS_FIRST_MAX) >= seats);
    let draw = draw.unwrap_or(Draw::Last);
    let accounts = accounts::<T>((seats * ACCOUNTS_PER_16_SEATS).div_ceil(16));
    let opening = opening();
    T::put_poll(POLL, draw, &accounts, Some(&opening));
    let result = DutyResult::Open {
        poll: POLL,
        draw,
        opening,
    };
    (accounts.first().unwrap().clone(), result)
}

#[benchmarks(where T: BenchmarkChain<T::AccountId>)]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn heartbeat() {
        let who: T::AccountId = whitelisted_caller();
        T::join(slice::from_ref(&who), BOND);
        T::at_heartbeats();
        let session = T::Sessions::current();

        #[extrinsic_call]
        submit(
            RawOrigin::Signed(who.clone()),
            results(DutyResult::Heartbeat { session }),
        );

        assert_eq!(T::Heartbeats::owed(&who), None);
    }

    #[benchmark]
    fn propose() {
        let who: T::AccountId = whitelisted_caller();
        T::join(slice::from_ref(&who), BOND);
        let (model, _, mut round) = model::<T>();
        with_places::<T>(model, &mut round, Phase::Train, slice::from_ref(&who), None);
        let result = DutyResult::Propose {
            key: Pallet::<T>::key_of(model, &round, 0),
            task_seed: Pallet::<T>::task_seed_of(model, &round, 0),
            claim: claim(),
        };

        #[extrinsic_call]
        submit(RawOrigin::Signed(who), results(result));

        assert!(Places::<T>::get(model, 0).unwrap().claim.is_some());
    }

    #[benchmark]
    fn digest() {
        let who: T::AccountId = whitelisted_caller();
        at_block::<T>(NOW);
        T::put_poll(POLL, Draw::Last, slice::from_ref(&who), None);
        let result = DutyResult::Digest {
            poll: POLL,
            digest: H256::repeat_byte(7),
        };

        #[extrinsic_call]
        submit(RawOrigin::Signed(who.clone()), results(result));

        assert_eq!(T::Polls::owes_digest(&POLL, &who), None);
    }

    /// `s`: seats of the draw.
    #[benchmark]
    fn open(s: Linear<8, 1024>) {
        let (who, result) = to_open::<T>(s);

        #[extrinsic_call]
        submit(RawOrigin::Signed(who.clone()), results(result));

        assert_eq!(T::Polls::may_open(&POLL, &who), None);
    }

    /// `s`: seats of the draw, of an opening; so for everything else its least.
    #[benchmark]
    fn owed(s: Linear<8, 1024>) {
        let (who, result) = to_open::<T>(s);
        let all;

        #[block]
        {
            all = Pallet::<T>::all_owed(&who, &[result]);
        }

        assert!(all);
    }

    #[benchmark]
    fn add_model() {
        let before = Models::<T>::count();

        #[extrinsic_call]
        _(RawOrigin::Root, spec(), dataset(), H256::repeat_byte(4));

        assert_eq!(Models::<T>::count(), before + 1);
    }

    /// Both hooks of a block in which there is nothing to move on.
    #[benchmark]
    fn hook() {
        let _ = Models::<T>::clear(u32::MAX, None);
        at_block::<T>(NOW);
        MovedOn::<T>::put(NOW - 1);

        #[block]
        {
            Pallet::<T>::on_initialize(NOW.saturated_into());
            Pallet::<T>::on_idle(NOW.saturated_into(), Weight::MAX);
        }

        assert_eq!(MovedOn::<T>::get(), NOW);
    }

    /// A round that could open, but must wait for its turn: everything is looked at.
    #[benchmark]
    fn look() {
        T::join(&accounts::<T>(1), BOND);
        let (model, ..) = model::<T>();
        DutyBacklog::<T>::put(Backlog {
            weight: u64::MAX,
            at: NOW,
        });
        let mut meter = WeightMeter::new();

        #[block]
        {
            Pallet::<T>::advance(model, NOW, &mut meter);
        }

        assert_eq!(Rounds::<T>::get(model).unwrap().waiting, Some(Waiting::Turn));
    }

    #[benchmark]
    fn look_at_place() {
        let (model, _, mut round) = model::<T>();
        with_places::<T>(model, &mut round, Phase::Verify, &accounts::<T>(1), Some(claim()));
        let place;

        #[block]
        {
            place = Places::<T>::get(model, 0);
        }

        assert!(place.is_some());
    }

    /// `p`: places. Each may fall four times on an account that is out before it is taken: looking at such an account takes what looking
    /// at any other takes, so a draw of five times as many seats comes first. It must fit into the largest draw.
    #[benchmark]
    fn open_round(p: Linear<1, 204>) {
        let places = p;
        let looks = places * (u32::from(REDRAWS) + 1);
        // So many that each seat of it falls on another.
        T::join(&accounts::<T>(looks), BOND);
        let (model, mut terms, mut round) = model::<T>();
        terms.roster = u16::try_from(places).unwrap();
        let purpose = Purpose::Places {
            model,
            round: 9,
            extension: 9,
        };
        let randomness = H256::repeat_byte(8);
        let mut meter = WeightMeter::new();
        let step;

        #[block]
        {
            T::Electorate::draw(&purpose, &randomness, looks, terms.size);
            step = Pallet::<T>::try_to_open(model, &terms, &mut round, NOW, &mut meter);
        }

        assert_eq!(step, Step::Moved);
        assert_eq!(u32::from(round.places), places);
    }

    /// Of a place on which a poll is asked.
    #[benchmark]
    fn close_place() {
        let holders = accounts::<T>(1);
        T::join(&holders, BOND);
        let (model, terms, mut round) = model::<T>();
        with_places::<T>(model, &mut round, Phase::Verify, &holders, Some(claim()));

        #[block]
        {
            Pallet::<T>::close_place(model, &terms, &mut round, claim().base);
        }

        assert!(Places::<T>::get(model, 0).unwrap().poll.is_some());
    }

    /// Of a place whose holder forfeits. `r`: accounts that share it.
    #[benchmark]
    fn settle_place(r: Linear<0, 64>) {
        let holders = accounts::<T>(1);
        T::join(&holders, BOND);
        let (model, _, mut round) = model::<T>();
        with_places::<T>(model, &mut round, Phase::Verify, &holders, Some(claim()));
        let place = Places::<T>::get(model, 0).unwrap();
        let right = right::<T>(r);
        right.iter().for_each(|(who, _)| T::endow(who, HYDRA));
        let outcome = PollOutcome {
            decision: Decision::Found(opening().finding),
            draw: Draw::Last,
            right,
        };
        let before = T::Stakes::bonded(&place.holder);

        #[block]
        {
            Pallet::<T>::settle_place(model, &mut round, 0, place, outcome);
        }

        let place = Places::<T>::get(model, 0).unwrap();
        assert_eq!(place.outcome, Some(Outcome::Rejected));
        assert!(T::Stakes::bonded(&place.holder) < before);
    }

    /// `p`: places, all of them accepted.
    #[benchmark]
    fn finish_round(p: Linear<1, 256>) {
        let holders = accounts::<T>(p);
        T::join(&holders, BOND);
        let (model, terms, mut round) = model::<T>();
        with_places::<T>(model, &mut round, Phase::Verify, &holders, Some(claim()));
        let right = right::<T>(MAX_FIRST);
        for index in 0..round.places {
            Places::<T>::mutate(model, index, |place| {
                place.as_mut().unwrap().outcome = Some(Outcome::Accepted);
            });
            Payouts::<T>::insert(model, index, payout::<T>(right.clone()));
        }
        round.accepted = round.places;
        round.number = T::HistoryDepth::get();
        History::<T>::insert(model, 0, record::<T>());
        let mut meter = WeightMeter::new();
        let step;

        #[block]
        {
            step = Pallet::<T>::finish_round(model, &terms, &mut round, &mut meter);
        }

        assert_eq!(step, Step::Moved);
        let made = Versions::<T>::get(model).unwrap();
        assert_eq!(u32::try_from(made.updates.len()), Ok(p));
        assert!(!History::<T>::contains_key(model, 0));
    }

    /// The version is given up. `p`: places that trained from it.
    #[benchmark]
    fn end_version(p: Linear<1, 256>) {
        let holders = accounts::<T>(p);
        T::join(&holders, BOND);
        let (model, _, mut round) = model::<T>();
        with_places::<T>(model, &mut round, Phase::Train, &holders, Some(claim()));
        History::<T>::insert(model, 0, record::<T>());
        Versions::<T>::insert(model, version::<T>());
        round.dues = Some(Dues {
            state: DuesState::Waiting,
            ..dues(MAX_ROSTER, 0)
        });
        // A poll that nobody asked is undecided.
        round.question = Some(POLL);
        let mut meter = WeightMeter::new();

        #[block]
        {
            Pallet::<T>::ask_for_version(model, &mut round, NOW, &mut meter);
        }

        assert!(round.question.is_none() && round.phase == Phase::Pause);
        assert!(!Versions::<T>::contains_key(model) && !Places::<T>::contains_key(model, 0));
    }

    #[benchmark]
    fn begin_paying() {
        let (model, terms, mut round) = model::<T>();
        History::<T>::insert(model, 0, record::<T>());
        round.dues = Some(dues(MAX_ROSTER, MAX_ROSTER));
        let mut meter = WeightMeter::new();

        #[block]
        {
            Pallet::<T>::pay_out(model, &terms, &mut round, &mut meter);
        }

        assert_eq!(round.dues, None);
    }

    /// `r`: accounts that were right. All of them, and the holder, are owed something of the model's query payments.
    #[benchmark]
    fn pay_place(r: Linear<0, 64>) {
        let (model, terms, _) = model::<T>();
        let payout = payout::<T>(right::<T>(r));
        let mut paid: Vec<T::AccountId> = payout.right.iter().map(|(who, _)| who.clone()).collect();
        paid.push(payout.holder.clone());
        paid.iter().for_each(|who| T::endow(who, HYDRA));
        T::owe(model, &paid);
        Payouts::<T>::insert(model, 0, payout);
        let mut meter = WeightMeter::new();
        let left;

        #[block]
        {
            left = Pallet::<T>::pay_places(model, &terms, dues(1, 0), &mut meter);
        }

        assert_eq!(left, None);
        assert!(!Payouts::<T>::contains_key(model, 0));
    }
}
