//! Draws by weight: who gets a place, who verifies, who attests, who makes blocks. Here is what chain and trainer must
//! agree on: the sizes, the seed of a draw, and which point of the total weight a seat falls on. Which account stands at a
//! point is state, and belongs to `pallet-stake-voting`.
//!
//! For `k` seats the total weight is cut into `k` equal stretches, and one point is drawn in each (stratified sampling;
//! Cochran, *Sampling Techniques*, 1977, chapter 5). So an account with a share `s` of the weight has `k × s` seats on
//! average, whether it is one account or a hundred, and no arrangement of accounts strays further than independent draws
//! would (Hoeffding, *On the distribution of the number of successes in independent trials*, 1956).
//!
//! Must never take anything of a claim into a seed: its author would try claims until the seats are its own. [`seed`]
//! takes a [`Purpose`], which has no field for it.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

use crate::{H256, ModelId, RoundNumber, domain_hash};

/// A session's number on its chain, from 0.
pub type SessionIndex = u32;

/// Children of each node of the sum tree.
pub const FAN_OUT: u32 = 64;
/// Levels of the sum tree: root, middle, leaves.
pub const LEVELS: u8 = 3;
/// Accounts that the sum tree has room for.
pub const SLOTS: u32 = 262_144;
const _: () = assert!(FAN_OUT.pow(LEVELS as u32) == SLOTS);

/// Seats of a poll's first draw, unless the model says otherwise. 20 let a lie of a third of the weight through once in
/// 2 × 10⁷.
pub const SEATS_FIRST: u32 = 20;
/// The fewest seats a model may choose for the first draw.
pub const SEATS_FIRST_MIN: u32 = 8;
/// The most seats a model may choose for the first draw.
pub const SEATS_FIRST_MAX: u32 = 64;
/// Seats of an appeal.
pub const SEATS_APPEAL: u32 = 256;
/// Seats of the last draw.
pub const SEATS_LAST: u32 = 1_024;
/// The most seats of any draw.
pub const SEATS_MAX: u32 = SEATS_LAST;
/// How often a seat is drawn again, in its stretch, where its point fell on an account that can't take it.
pub const REDRAWS: u8 = 4;
/// A draw of `n` different accounts looks at `n` times this many, at most: for the committee's 256, as many as a session's first block can
/// look at. So it finds `n` of those that may be in it where they have an eighth of the weight, and two thirds of `n` where they
/// have a twelfth; fewer than that keep the committee from changing.
pub const LOOKS_PER_ACCOUNT: u32 = 8;

const SEED: &str = "hydraai 2026 electorate seed v1";
const POINT: &str = "hydraai 2026 electorate point v1";
const RANK: &str = "hydraai 2026 electorate rank v1";

/// Which of a poll's draws.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    TypeInfo,
    MaxEncodedLen,
    Serialize,
    Deserialize,
)]
pub enum Draw {
    /// The first: few seats, and every digest given must match.
    #[codec(index = 0)]
    First,
    /// The second, where the first did not decide.
    #[codec(index = 1)]
    Appeal,
    /// The third. What it doesn't decide stays undecided.
    #[codec(index = 2)]
    Last,
}

impl Draw {
    /// Its seats, where the model chose `first` for the first draw.
    pub fn seats(self, first: u32) -> u32 {
        match self {
            Self::First => first.clamp(SEATS_FIRST_MIN, SEATS_FIRST_MAX),
            Self::Appeal => SEATS_APPEAL,
            Self::Last => SEATS_LAST,
        }
    }

    /// Its seats and those of the draws before it: so many accounts may a poll have by then, and what is done with all of them is done so
    /// many times.
    pub fn seats_so_far(self, first: u32) -> u32 {
        let before = match self {
            Self::First => 0,
            Self::Appeal => Self::First.seats(first),
            Self::Last => Self::First.seats(first).saturating_add(SEATS_APPEAL),
        };
        before.saturating_add(self.seats(first))
    }

    /// The draw after it.
    pub fn after(self) -> Option<Self> {
        match self {
            Self::First => Some(Self::Appeal),
            Self::Appeal => Some(Self::Last),
            Self::Last => None,
        }
    }
}

/// What is drawn for. Nothing of a claim is in it, and nothing may ever be: see the module.
#[derive(
    Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen,
)]
pub enum Purpose {
    /// Who trains: the places of a round.
    #[codec(index = 0)]
    Places {
        /// The model.
        model: ModelId,
        /// Its round.
        round: RoundNumber,
        /// How many times the round was extended.
        extension: u32,
    },
    /// Who verifies what a place proposed.
    #[codec(index = 1)]
    Verification {
        /// The model.
        model: ModelId,
        /// Its round.
        round: RoundNumber,
        /// How many times the round was extended.
        extension: u32,
        /// The place within the round.
        place: u32,
        /// Which draw of its poll.
        draw: Draw,
    },
    /// Who attests the version that a round made.
    #[codec(index = 2)]
    Attestation {
        /// The model.
        model: ModelId,
        /// Its round.
        round: RoundNumber,
        /// How many times the round was extended.
        extension: u32,
        /// Which draw of its poll.
        draw: Draw,
    },
    /// Who makes blocks.
    #[codec(index = 3)]
    Committee {
        /// The session that it is to serve in.
        session: SessionIndex,
    },
}

impl Purpose {
    /// The same for another draw of its poll. What has no draws stays as it is.
    pub fn of_draw(self, of: Draw) -> Self {
        let mut purpose = self;
        match &mut purpose {
            Self::Verification { draw, .. } | Self::Attestation { draw, .. } => *draw = of,
            Self::Places { .. } | Self::Committee { .. } => {}
        }
        purpose
    }
}

/// The seed of a draw. `genesis` keeps chains apart, `purpose` the draws of one chain; `randomness` must have become known
/// after everything that the draw judges was fixed.
pub fn seed(genesis: &H256, purpose: &Purpose, randomness: &H256) -> H256 {
    purpose.using_encoded(|purpose| domain_hash(SEED, &[genesis.as_bytes(), purpose, randomness.as_bytes()]))
}

/// The point of `0..total` that seat `seat` of `seats` falls on at try `attempt` (0, then [`REDRAWS`] more): one of its
/// stretch, each as likely. `None` where there is no such seat, or no weight.
pub fn point(seed: &H256, seat: u32, attempt: u8, seats: u32, total: u64) -> Option<u64> {
    let hash = domain_hash(POINT, &[seed.as_bytes(), &seat.to_le_bytes(), &[attempt]]);
    point_of(seat, seats, below(&hash, total)?, total)
}

/// The point of `0..total` at `offset`, of `0..total`, in the stretch of seat `seat` of `seats`.
///
/// Each unit of weight counts as `seats` parts, so that every stretch has exactly `total` of them, and stretches are equal
/// where `seats` does not divide `total`, or is even more. Over all seats and offsets, each unit is met exactly `seats`
/// times: the number of seats that a weight can expect depends on nothing but its share.
pub fn point_of(seat: u32, seats: u32, offset: u64, total: u64) -> Option<u64> {
    if seat >= seats || offset >= total {
        return None;
    }
    let part = u128::from(seat)
        .checked_mul(u128::from(total))?
        .checked_add(u128::from(offset))?;
    u64::try_from(part.checked_div(u128::from(seats))?).ok()
}

/// A number of `0..left`, each as likely, for draw `attempt` of different accounts. `None` where nothing is left.
pub fn rank(seed: &H256, attempt: u32, left: u64) -> Option<u64> {
    below(
        &domain_hash(RANK, &[seed.as_bytes(), &attempt.to_le_bytes()]),
        left,
    )
}

/// `hash`, of which 128 bits are taken, as a number of `0..bound`: `⌊bits × bound / 2¹²⁸⌋`. No number's chance is further
/// from `1 / bound` than 2⁻¹²⁸, so all of them together are biased by less than 2⁻⁶⁴ (Lemire, *Fast random integer
/// generation in an interval*, 2019, without its rejections).
fn below(hash: &H256, bound: u64) -> Option<u64> {
    if bound == 0 {
        return None;
    }
    let bits = u128::from_le_bytes(*hash.as_fixed_bytes().first_chunk::<16>()?);
    let bound = u128::from(bound);
    let (high, low) = (bits.wrapping_shr(64), bits & u128::from(u64::MAX));
    let carry = low.checked_mul(bound)?.wrapping_shr(64);
    let product = high.checked_mul(bound)?.checked_add(carry)?;
    u64::try_from(product.wrapping_shr(64)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bits(bits: u128) -> H256 {
        let mut hash = [0xa5; 32];
        hash[..16].copy_from_slice(&bits.to_le_bytes());
        H256(hash)
    }

    proptest! {
        #[test]
        fn a_number_stays_below_its_bound_and_falls_where_its_bits_say(first: u128, bound: u64, power in 0u32..64) {
            match below(&bits(first), bound) {
                Some(number) => prop_assert!(number < bound),
                None => prop_assert_eq!(bound, 0),
            }
            let top = first.checked_shr(128 - power).unwrap_or(0);
            prop_assert_eq!(below(&bits(first), 1u64 << power).map(u128::from), Some(top));
        }

        #[test]
        fn a_point_lies_in_its_seat_s_stretch(seed: [u8; 32], seats in 1u32..=SEATS_MAX, total in 1u64..=u64::MAX, attempt: u8) {
            let mut before = 0;
            for seat in 0..seats {
                let point = point(&H256(seed), seat, attempt, seats, total).unwrap();
                let (low, high) = (
                    u128::from(seat) * u128::from(total) / u128::from(seats),
                    (u128::from(seat + 1) * u128::from(total)).div_ceil(u128::from(seats)),
                );
                prop_assert!((low..high).contains(&u128::from(point)));
                prop_assert!(point >= before && point < total);
                before = point;
            }
        }

        #[test]
        fn each_unit_of_weight_is_met_as_often_as_there_are_seats(seats in 1u32..70, total in 1u64..70) {
            let mut met = vec![0; usize::try_from(total).unwrap()];
            for seat in 0..seats {
                for offset in 0..total {
                    met[usize::try_from(point_of(seat, seats, offset, total).unwrap()).unwrap()] += 1;
                }
            }
            prop_assert!(met.iter().all(|times| *times == seats), "{:?}", met);
        }
    }

    #[test]
    fn the_smallest_and_the_largest_bits_give_the_first_and_the_last_number() {
        for bound in [1, 2, 3, 20, 1 << 50, u64::MAX] {
            assert_eq!(below(&bits(0), bound), Some(0));
            assert_eq!(below(&bits(u128::MAX), bound), Some(bound - 1));
        }
    }

    #[test]
    fn without_weight_or_seats_there_is_no_point() {
        assert_eq!(point(&H256::zero(), 0, 0, 20, 0), None);
        assert_eq!(point(&H256::zero(), 20, 0, 20, 100), None);
        assert_eq!(point(&H256::zero(), 0, 0, 0, 100), None);
        assert_eq!(point_of(0, 1, 100, 100), None);
        assert_eq!(rank(&H256::zero(), 0, 0), None);
        assert_eq!(rank(&H256::zero(), 7, 1), Some(0));
    }

    #[test]
    fn every_part_of_a_seed_changes_it() {
        let (genesis, randomness) = (H256::repeat_byte(1), H256::repeat_byte(2));
        let verification = |model, round, extension, place, draw| Purpose::Verification {
            model,
            round,
            extension,
            place,
            draw,
        };
        let attestation = |model, round, extension, draw| Purpose::Attestation {
            model,
            round,
            extension,
            draw,
        };
        let places = |model, round, extension| Purpose::Places {
            model,
            round,
            extension,
        };
        let mut purposes = vec![
            places(0, 0, 0),
            places(1, 0, 0),
            places(0, 1, 0),
            places(0, 0, 1),
            verification(0, 0, 0, 0, Draw::First),
            verification(1, 0, 0, 0, Draw::First),
            verification(0, 1, 0, 0, Draw::First),
            verification(0, 0, 1, 0, Draw::First),
            verification(0, 0, 0, 1, Draw::First),
            verification(0, 0, 0, 0, Draw::Appeal),
            verification(0, 0, 0, 0, Draw::Last),
            attestation(0, 0, 0, Draw::First),
            attestation(1, 0, 0, Draw::First),
            attestation(0, 1, 0, Draw::First),
            attestation(0, 0, 1, Draw::First),
            attestation(0, 0, 0, Draw::Appeal),
            attestation(0, 0, 0, Draw::Last),
        ];
        purposes.extend([0, 1].map(|session| Purpose::Committee { session }));
        let mut seeds: Vec<H256> = purposes
            .iter()
            .map(|purpose| seed(&genesis, purpose, &randomness))
            .collect();
        seeds.push(seed(&randomness, &purposes[0], &randomness));
        seeds.push(seed(&genesis, &purposes[0], &genesis));
        seeds.push(seed(&randomness, &purposes[0], &genesis));
        let count = seeds.len();
        seeds.sort();
        seeds.dedup();
        assert_eq!(seeds.len(), count);
    }

    #[test]
    fn seats_and_tries_are_drawn_apart() {
        let seed = H256::repeat_byte(3);
        let draw = |seat, attempt| point(&seed, seat, attempt, 2, 1 << 60).unwrap();
        assert_ne!(draw(0, 0), draw(0, 1));
        assert_ne!(draw(0, 0) + (1 << 59), draw(1, 0));
        assert_ne!(rank(&seed, 0, 1 << 60), rank(&seed, 1, 1 << 60));
    }

    #[test]
    fn a_poll_has_three_draws_each_larger_than_the_one_before() {
        let draws: Vec<Draw> = core::iter::successors(Some(Draw::First), |draw| draw.after()).collect();
        assert_eq!(draws, [Draw::First, Draw::Appeal, Draw::Last]);
        assert_eq!(
            draws
                .iter()
                .map(|draw| draw.seats(SEATS_FIRST))
                .collect::<Vec<_>>(),
            [20, 256, 1_024]
        );
        assert_eq!(
            draws
                .iter()
                .map(|draw| draw.seats_so_far(SEATS_FIRST_MAX))
                .collect::<Vec<_>>(),
            [64, 64 + 256, 64 + 256 + 1_024]
        );
        assert_eq!((Draw::First.seats(0), Draw::First.seats(1_000)), (8, 64));
        assert!(draws.iter().all(|draw| draw.seats(SEATS_FIRST) <= SEATS_MAX));
    }
}
