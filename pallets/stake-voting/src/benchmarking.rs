//! What the calls, and the steps of polls, take at most. Run by `hydra-weights`, which says how.
#![allow(clippy::unwrap_used, clippy::arithmetic_side_effects)]

use crate::{
    Call, Config, MAX_UNBONDING, Pallet, Polls, Seats, SizesTaken, Unbond, Unbonding, WeightInfo,
    electorate::{
        Look, parity,
        storage::{electorate, spread},
    },
    poll::{Judging, PerDraw, Poll, Seat, Stage, Tally, draw, judging},
};
use alloc::vec::Vec;
use core::slice;
use frame_benchmarking::v2::*;
use frame_support::{BoundedVec, weights::WeightMeter};
use frame_system::RawOrigin;
use hydra_primitives::{
    Balance, BlockNumber, H256, HYDRA,
    benchmarks::BenchmarkChain,
    electorate::{Purpose, SEATS_FIRST_MAX, SEATS_FIRST_MIN, SEATS_LAST, SessionIndex},
    model::MAX_SIZE_CLASS,
    poll::{Draw, Finding, OPENING_BLOCKS, Opening, PollId, digest},
    reputation,
    traits::{self, MAX_FIRST, Nodes as _, PollProgress, Polls as _, Rewards as _, Stakes as _, bytes_of},
};
use sp_runtime::traits::SaturatedConversion;

/// Blocks that the poll's seats have.
const WINDOW: BlockNumber = 100;
/// A block in which a poll may have been through all of its stages.
const NOW: BlockNumber = 1_000;

impl<T: Config> Pallet<T> {
    /// Makes accounts that are registered and bonded the whole electorate of `session`. For benchmarks.
    pub fn put_electorate(session: SessionIndex, accounts: &[T::AccountId]) {
        let first = accounts.first().expect("somebody stands in it");
        let weight = reputation::weight(Self::bonded(first), T::Nodes::score(first));
        spread::<T>(session, accounts, weight);
        let all = weight.saturating_mul(u64::try_from(accounts.len()).unwrap_or(u64::MAX));
        SizesTaken::<T>::mutate(parity(session), |sizes| {
            sizes.add(session, MAX_SIZE_CLASS, all);
        });
    }

    /// Puts a poll: see [`BenchmarkChain::put_poll`].
    pub fn put_poll(id: PollId, draw: Draw, accounts: &[T::AccountId], opening: Option<&Opening>) {
        let count = u32::try_from(accounts.len()).unwrap();
        let mut poll = poll::<T>(draw);
        poll.first_seats = count.clamp(SEATS_FIRST_MIN, SEATS_FIRST_MAX);
        poll.stage = match opening {
            Some(_) => Stage::Opening {
                closed_at: Self::now().saturating_sub(OPENING_BLOCKS - 1),
            },
            None => Stage::Digests {
                closes_at: Self::now() + WINDOW,
            },
        };
        // More than half of the seats, however few accounts there are.
        let each = u16::try_from(poll.seats(draw) / count + 1).unwrap();
        let accounts_of_it = u16::try_from(count).unwrap();
        let given = if opening.is_some() { accounts_of_it } else { 0 };
        *poll.tallies.get_mut(draw) = Tally {
            accounts: accounts_of_it,
            given,
            taken: accounts_of_it.saturating_mul(each),
            acted: given.saturating_mul(each),
            busy: 0,
        };
        Polls::<T>::insert(id, poll);
        for (order, who) in (0..).zip(accounts) {
            let mut seat = Seat {
                order,
                digest: opening
                    .map(|opening| digest(&id, &opening.finding.result(), &opening.witness, &bytes_of(who))),
                ..Seat::default()
            };
            *seat.seats.get_mut(draw) = each;
            Seats::<T>::insert(id, who, seat);
        }
    }
}

/// A poll whose digests were closed so long ago that the next draw is due.
fn poll<T: Config>(draw: Draw) -> Poll<T::AccountId> {
    Poll {
        purpose: Purpose::Verification {
            model: 0,
            round: 0,
            extension: 0,
            place: 0,
            draw: Draw::First,
        },
        first_seats: SEATS_FIRST_MAX,
        window: WINDOW,
        size: 0,
        claimant: Some((account("claimant", 0, 0), H256::repeat_byte(9))),
        forfeit: HYDRA,
        due_in: 0,
        asked_at: 0,
        draw,
        seed: H256::zero(),
        stage: Stage::Opening { closed_at: 0 },
        tallies: PerDraw::default(),
    }
}

fn opening() -> Opening {
    Opening {
        finding: Finding::Update(H256::repeat_byte(1)),
        witness: H256::repeat_byte(2),
    }
}

/// An account with a minimum stake and, of what it bonded before, as many amounts as may be unbonding.
fn unbonding<T: Config + BenchmarkChain<T::AccountId>>(amounts: u32, who: &T::AccountId) -> Balance {
    let unit = <Pallet<T> as traits::Stakes<_>>::minimum();
    T::join(slice::from_ref(who), unit * Balance::from(MAX_UNBONDING + 2));
    let amounts = (0..amounts).map(|until| Unbond { amount: unit, until });
    Unbonding::<T>::insert(who, BoundedVec::truncate_from(amounts.collect::<Vec<_>>()));
    unit
}

fn at_block<T: Config>(now: BlockNumber) {
    frame_system::Pallet::<T>::set_block_number(now.saturated_into());
}

#[benchmarks(where T: BenchmarkChain<T::AccountId>)]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn bond() {
        let caller: T::AccountId = whitelisted_caller();
        unbonding::<T>(MAX_UNBONDING, &caller);
        T::endow(&caller, HYDRA);
        let before = Pallet::<T>::bonded(&caller);

        #[extrinsic_call]
        _(RawOrigin::Signed(caller.clone()), HYDRA);

        assert_eq!(Pallet::<T>::bonded(&caller), before + HYDRA);
    }

    #[benchmark]
    fn unbond() {
        let caller: T::AccountId = whitelisted_caller();
        let unit = unbonding::<T>(MAX_UNBONDING - 1, &caller);

        #[extrinsic_call]
        _(RawOrigin::Signed(caller.clone()), unit);

        assert_eq!(
            Pallet::<T>::unbonding(&caller),
            unit * Balance::from(MAX_UNBONDING)
        );
    }

    #[benchmark]
    fn withdraw() {
        let caller: T::AccountId = whitelisted_caller();
        unbonding::<T>(MAX_UNBONDING, &caller);
        at_block::<T>(NOW);

        #[extrinsic_call]
        _(RawOrigin::Signed(caller.clone()));

        assert!(!Unbonding::<T>::contains_key(&caller));
    }

    /// The time to open is over, and the next draw begins: with the seed, and the first seat.
    #[benchmark]
    fn look_at_poll() {
        at_block::<T>(NOW);
        T::join(&[account("seat", 0, 0)], 2 * HYDRA);
        let id = H256::repeat_byte(3);
        Polls::<T>::insert(id, poll::<T>(Draw::First));
        let one_seat = T::WeightInfo::look_at_poll().saturating_add(draw::most::<T>());
        let mut meter = WeightMeter::with_limit(one_seat);

        #[block]
        {
            assert_eq!(Pallet::<T>::advance(&id, NOW, &mut meter), PollProgress::Open);
        }

        let poll = Polls::<T>::get(id).unwrap();
        assert!(poll.draw == Draw::Appeal && matches!(poll.stage, Stage::Drawing(Some(_))));
    }

    #[benchmark]
    fn look_at_point() {
        let who: T::AccountId = account("seat", 0, 0);
        T::join(slice::from_ref(&who), 2 * HYDRA);
        let id = H256::repeat_byte(3);
        let poll = poll::<T>(Draw::Last);
        let found;

        #[block]
        {
            let electorate = electorate::<T>(0);
            let mut drawing = electorate.drawing(&poll.seed, SEATS_LAST).unwrap();
            // One that has no room is looked for among the poll's seats, too.
            found = drawing
                .seat(0, |who| match draw::takes::<T>(&id, &poll, who) {
                    Look::Takes if Seats::<T>::contains_key(id, who) => Look::Out,
                    look => look,
                })
                .unwrap()
                .who;
        }

        assert_eq!(found, Some(who));
    }

    #[benchmark]
    fn take_seat() {
        let who: T::AccountId = account("seat", 0, 0);
        T::join(slice::from_ref(&who), 2 * HYDRA);
        let id = H256::repeat_byte(3);
        let mut poll = poll::<T>(Draw::Last);

        #[block]
        {
            draw::take::<T>(&id, &mut poll, &who);
        }

        assert_eq!(Seats::<T>::get(id, &who).unwrap().seats.last, 1);
    }

    /// One that was wrong, and forfeits also what it is unbonding.
    #[benchmark]
    fn judge() {
        let who: T::AccountId = account("seat", 0, 0);
        unbonding::<T>(MAX_UNBONDING, &who);
        let id = H256::repeat_byte(3);
        let mut poll = poll::<T>(Draw::First);
        poll.forfeit = 1_000_000 * HYDRA;
        let seat = Seat {
            seats: PerDraw {
                first: 1,
                ..PerDraw::default()
            },
            order: 0,
            digest: Some(H256::zero()),
        };
        Seats::<T>::insert(id, &who, seat);
        let mut judging = Judging::new(Some(opening()));

        #[block]
        {
            let (who, seat) = Seats::<T>::drain_prefix(id).next().unwrap();
            judging::judge::<T>(&id, &poll, &mut judging, &who, &seat);
        }

        assert!(judging.forfeited > 0 && !Unbonding::<T>::contains_key(&who));
        assert_eq!(Pallet::<T>::held(&who), 0);
    }

    /// As many as can be right in a first draw, and the claimant.
    #[benchmark]
    fn share() {
        let right: Vec<(T::AccountId, u32)> = (0..=MAX_FIRST)
            .map(|index| (account("right", index, 0), 1))
            .collect();
        right.iter().for_each(|(who, _)| T::endow(who, HYDRA));

        #[block]
        {
            T::Rewards::share_forfeit(1_000 * HYDRA, &right);
        }
    }
}
