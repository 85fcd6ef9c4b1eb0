//! One kind of question for everything the network must know: drawn seats compute the result from public inputs alone and give
//! it hidden; one plain copy opens all of them.
//!
//! A task has one right result, and so has a fold, since training is exact. A seat's account computes the result `r` and a
//! witness `w`, and gives the digest `H(poll, r, w, account)`. When the digests are closed, any seat may open with `r` and `w`;
//! the chain makes every digest again and sees whose match. Nothing here may depend on what was claimed but a poll's name.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

use crate::{AccountBytes, H256, domain_hash};

pub use crate::electorate::Draw;

const DIGEST: &str = "hydraai 2026 poll digest v2";
const UPDATE: &str = "hydraai 2026 poll result update v2";
const VERSION: &str = "hydraai 2026 poll result version v2";

/// Blocks that an opening may take, before the next draw is made.
pub const OPENING_BLOCKS: u32 = 8;

/// The name of a poll: a hash of what it asks, so that nothing given for one means anything for another
/// ([`crate::proposal::proposal_poll`], [`crate::proposal::version_poll`]).
pub type PollId = H256;

/// What a draw's seats gave, counted in seats against one opening.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Count {
    /// All seats drawn, empty ones (on which nobody with room stood) included.
    pub seats: u32,
    /// Seats whose digest matches.
    pub matching: u32,
    /// Seats whose digest doesn't.
    pub differing: u32,
    /// Seats that are empty because whoever they fell on had enough to do.
    pub busy: u32,
}

impl Count {
    /// Whether an opening with this count decides the draw. The first one rests on it that somebody would contradict: where those who would
    /// have enough to do, it decides nothing.
    pub fn decides(&self, draw: Draw) -> bool {
        let most = self.matching.saturating_mul(2) > self.seats;
        match draw {
            Draw::First => most && self.differing == 0 && self.busy.saturating_mul(4) <= self.seats,
            Draw::Appeal | Draw::Last => most,
        }
    }
}

/// What a seat gives while results are hidden: it binds result and witness to the poll and to the account, so that nobody can
/// hand in another's.
pub fn digest(poll: &PollId, result: &H256, witness: &H256, account: &AccountBytes) -> H256 {
    domain_hash(
        DIGEST,
        &[poll.as_bytes(), result.as_bytes(), witness.as_bytes(), account],
    )
}

/// How a version's weights do on the validation set. Every node computes the same bits.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    TypeInfo,
    MaxEncodedLen,
    Serialize,
    Deserialize,
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Score {
    /// Samples classified right.
    pub correct: u32,
    /// Samples in all.
    pub total: u32,
    /// Mean cross-entropy, in millionths of a nat.
    pub loss: u32,
}

impl Score {
    /// Whether the share of right answers is at least `share`.
    pub fn at_least(&self, share: crate::Permill) -> bool {
        u64::from(self.correct).saturating_mul(1_000_000)
            >= u64::from(self.total).saturating_mul(u64::from(share.deconstruct()))
    }
}

/// What the right result is, in plain.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    TypeInfo,
    MaxEncodedLen,
    Serialize,
    Deserialize,
)]
pub enum Finding {
    /// A place's task gives this update (BLAKE3 of its blob).
    Update(H256),
    /// A version's recipe gives these weights.
    Version {
        /// BLAKE3 of their safetensors file.
        weights: H256,
        /// How they do on the validation set.
        score: Score,
    },
    /// What comes out has a value that is not a finite number.
    NotFinite,
}

impl Finding {
    /// The result as digests are made of it.
    pub fn result(&self) -> H256 {
        match self {
            Self::Update(hash) => domain_hash(UPDATE, &[hash.as_bytes()]),
            Self::Version { weights, score } => {
                score.using_encoded(|score| domain_hash(VERSION, &[weights.as_bytes(), score]))
            }
            Self::NotFinite => domain_hash(VERSION, &[]),
        }
    }
}

/// Opens a poll: one plain copy of what its seats gave hidden.
#[derive(
    Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen,
)]
pub struct Opening {
    /// What came out.
    pub finding: Finding,
    /// What shows that it was computed.
    pub witness: H256,
}

/// What became of a poll.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    TypeInfo,
    MaxEncodedLen,
    Serialize,
    Deserialize,
)]
pub enum Decision {
    /// The network found this.
    Found(Finding),
    /// No draw was decided: nothing is known, and nobody is judged.
    Undecided,
}

/// What one account's part in a poll turned out to be.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    TypeInfo,
    MaxEncodedLen,
    Serialize,
    Deserialize,
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum SeatVerdict {
    /// Its digest matches what was found.
    Right,
    /// Its digest is of something else: it forfeits.
    Wrong,
    /// It gave none in time.
    Missed,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_digest_binds_poll_result_witness_and_account() {
        let [zero, one] = [H256::zero(), H256::repeat_byte(1)];
        let base = digest(&zero, &zero, &zero, &[1; 32]);
        assert_ne!(base, digest(&one, &zero, &zero, &[1; 32]));
        assert_ne!(base, digest(&zero, &one, &zero, &[1; 32]));
        assert_ne!(base, digest(&zero, &zero, &one, &[1; 32]));
        assert_ne!(base, digest(&zero, &zero, &zero, &[2; 32]));
    }

    #[test]
    fn findings_of_different_kinds_never_have_the_same_result() {
        let hash = H256::repeat_byte(7);
        let score = Score {
            correct: 1,
            total: 2,
            loss: 3,
        };
        let version = |weights, score| Finding::Version { weights, score }.result();
        assert_ne!(Finding::Update(hash).result(), version(hash, score));
        assert_ne!(version(hash, score), version(H256::zero(), score));
        assert_ne!(version(hash, score), version(hash, Score { loss: 4, ..score }));
        assert_ne!(version(hash, score), Finding::NotFinite.result());
    }

    #[test]
    fn one_digest_that_differs_takes_a_first_draw_to_an_appeal_and_not_an_appeal_further() {
        let count = Count {
            seats: 20,
            matching: 19,
            differing: 1,
            busy: 0,
        };
        assert!(!count.decides(Draw::First));
        assert!(count.decides(Draw::Appeal));
        assert!(
            Count {
                differing: 0,
                ..count
            }
            .decides(Draw::First)
        );
    }

    #[test]
    fn a_first_draw_decides_nothing_where_more_than_a_quarter_of_its_seats_are_of_the_busy() {
        let count = |busy| Count {
            seats: 20,
            matching: 11,
            differing: 0,
            busy,
        };
        assert!(count(5).decides(Draw::First) && !count(6).decides(Draw::First));
        assert!(count(9).decides(Draw::Appeal) && count(9).decides(Draw::Last));
    }

    proptest! {
        /// Two openings that differ can't both decide a draw: their matching seats are different ones.
        #[test]
        fn no_draw_can_be_decided_in_two_ways(seats in 1u32..2000, a in 0u32..2000, b in 0u32..2000) {
            let a = a % (seats + 1);
            let b = b % (seats - a + 1);
            for draw in [Draw::First, Draw::Appeal, Draw::Last] {
                let one = Count { seats, matching: a, differing: b, busy: 0 };
                let other = Count { seats, matching: b, differing: a, busy: 0 };
                prop_assert!(!(one.decides(draw) && other.decides(draw)));
            }
        }

        /// Half of the seats, or fewer, decide nothing.
        #[test]
        fn half_of_the_seats_decide_nothing(seats in 0u32..2000, matching in 0u32..2000) {
            let count = Count { seats, matching: matching % (seats / 2 + 1), differing: 0, busy: 0 };
            for draw in [Draw::First, Draw::Appeal, Draw::Last] {
                prop_assert!(!count.decides(draw));
            }
        }
    }
}
