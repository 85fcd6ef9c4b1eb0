//! Whose turn it is: all duties together may take a quarter of the blocks. What a round's duties will take is booked when it opens, a
//! quarter of each block makes up for it, and a model whose round would come too early stands in a queue.

use frame_support::{traits::Get, weights::Weight};
use hydra_primitives::{
    Balance, ModelId,
    electorate::SEATS_FIRST_MAX,
    poll::Draw,
    task::PlaceIndex,
    traits::{Polls as _, Rewards as _},
};
use sp_runtime::traits::Convert;

use crate::{Backlog, Config, DutyBacklog, Pallet, Queue, Terms, WeightInfo};

/// Duties may take this part of the blocks.
const PART: u64 = 4;
/// So many blocks' part may be booked ahead, so that models need not open their rounds one after the other.
const AHEAD: u64 = 16;
/// In so many blocks of its verification it is booked that a round's polls are looked at. Most are over sooner, and one that isn't takes little
/// of each block; else a model whose verification may be long would have others wait for what is hardly ever done.
const LOOKS: u32 = 16;

impl<T: Config> Pallet<T> {
    /// Whether the model's round may open now, as far as the blocks' space goes. If not, the model stands in the queue.
    pub(crate) fn has_its_turn(model: ModelId) -> bool {
        let mut queue = Queue::<T>::get();
        let first = queue.first().is_none_or(|first| *first == model);
        if first && Self::backlog() <= Self::part_of_a_block().saturating_mul(AHEAD) {
            return true;
        }
        if !queue.contains(&model) {
            // There is room for all models.
            let _ = queue.try_push(model);
            Queue::<T>::put(queue);
        }
        false
    }

    /// The model doesn't wait for its turn any more: it has it, or can't use it.
    pub(crate) fn leave_queue(model: ModelId) {
        let mut queue = Queue::<T>::get();
        if queue.contains(&model) {
            queue.retain(|waits| *waits != model);
            Queue::<T>::put(queue);
        }
    }

    /// Books what the duties of a round with so many places will take, and burns what that space is worth.
    pub(crate) fn take_turn(model: ModelId, terms: &Terms, places: PlaceIndex) {
        Self::leave_queue(model);
        let duties = Self::duties_weight(terms, places);
        DutyBacklog::<T>::put(Backlog {
            weight: Self::backlog().saturating_add(duties.ref_time()),
            at: Self::now(),
        });
        T::Rewards::burn_for_duties(model, Self::space_fee(terms, places));
    }

    /// What the block space is worth that the duties of a round take.
    pub(crate) fn space_fee(terms: &Terms, places: PlaceIndex) -> Balance {
        T::DutyFee::convert(Self::duties_weight(terms, places))
    }

    /// What the duties of a round take when nobody disputes anything: its places' proposals, a poll on each, one on the version, and
    /// what the hooks do with them.
    pub fn duties_weight(terms: &Terms, places: PlaceIndex) -> Weight {
        let seats = u32::from(terms.first_seats);
        // The block in which a poll is asked, the one in which its seats are drawn, and the one after the last digest, in which it is opened.
        let blocks = terms.phases.verify.min(LOOKS).saturating_add(3);
        let submit = |looking: Weight, taking: Weight| {
            T::SubmitBase::get()
                .saturating_add(looking)
                .saturating_add(taking)
        };
        let given = |taking: Weight| submit(Self::looking(taking), taking);
        let most = Draw::First.seats_so_far(SEATS_FIRST_MAX);
        let poll = given(T::WeightInfo::digest())
            .saturating_mul(seats.into())
            .saturating_add(submit(T::WeightInfo::owed(most), T::WeightInfo::open(most)))
            .saturating_add(T::Polls::weight(seats, blocks));
        // Looked at in each of these blocks, and to pay for it.
        let looks = T::WeightInfo::look_at_place().saturating_mul(u64::from(blocks).saturating_add(1));
        let place = given(T::WeightInfo::propose())
            .saturating_add(T::WeightInfo::close_place())
            .saturating_add(looks)
            .saturating_add(T::WeightInfo::settle_place(seats))
            .saturating_add(T::WeightInfo::pay_place(seats));
        let round = T::WeightInfo::open_round(places.into())
            .saturating_add(T::WeightInfo::finish_round(places.into()))
            .saturating_add(T::WeightInfo::end_version(places.into()))
            .saturating_add(T::WeightInfo::begin_paying());
        let places = u64::from(places);
        place
            .saturating_mul(places)
            .saturating_add(poll.saturating_mul(places.saturating_add(1)))
            .saturating_add(round)
    }

    /// What is booked and not yet made up for, in picoseconds.
    pub(crate) fn backlog() -> u64 {
        let Backlog { weight, at } = DutyBacklog::<T>::get();
        let blocks = u64::from(Self::now().saturating_sub(at));
        weight.saturating_sub(Self::part_of_a_block().saturating_mul(blocks))
    }

    fn part_of_a_block() -> u64 {
        T::BlockWeights::get()
            .max_block
            .ref_time()
            .checked_div(PART)
            .unwrap_or(0)
    }
}
