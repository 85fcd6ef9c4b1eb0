//! What work earns, and how query payments reach those who did it without ever looping over accounts.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

use crate::{Balance, BlockNumber, HYDRA};
use primitive_types::U256;

/// A standard unit of work in sample-parameters: 30 steps of 32 samples on a 64-64-10 `Mlp` (4,810 parameters).
pub const STANDARD_WORK: u64 = 30 * 32 * 4_810;
/// What a standard unit of accepted work earns.
pub const REWARD_PER_UNIT: Balance = HYDRA;
/// What a question to a model costs.
pub const QUERY_PRICE: Balance = HYDRA.saturating_div(2);
/// What the event `hydraToken.QueryPaid` begins with in a block's events: the indices of its pallet and of its name. Asker,
/// model, version, request hash and amount follow.
pub const QUERY_PAID: [u8; 2] = [23, 1];
/// Shares of later query payments that an accepted update earns its proposer, per standard unit.
pub const PROPOSER_SHARES: u64 = 10;
/// Shares of later query payments that a right seat earns its verifier, per seat of the first draw of an accepted proposal.
pub const VERIFIER_SHARES: u64 = 1;

/// What work of `work` sample-parameters is worth: 1 HYDRA for [`STANDARD_WORK`], in proportion.
pub fn worth(work: u64) -> Balance {
    Balance::from(work)
        .saturating_mul(REWARD_PER_UNIT)
        .checked_div(Balance::from(STANDARD_WORK))
        .unwrap_or_default()
}

/// A reward is at most this part of what is in the bucket, so that no model empties it for the others.
pub const BUCKET_PART: Balance = 1_000;

/// And the places of a round together get at most so many such parts: a model with more places has no larger part of the bucket.
pub const ROUND_PARTS: u32 = 32;

/// What a place earns when its version is confirmed, its verifiers' part included: what the work is worth, at most a thousandth
/// of what the payer has (of which a round with more than [`ROUND_PARTS`] places shares that many), and at most the bond of whoever
/// holds the place, so that there is always more to lose.
pub fn reward(work: u64, places: u32, payer_has: Balance, bond: Balance) -> Balance {
    let most = payer_has
        .checked_div(BUCKET_PART)
        .unwrap_or(0)
        .saturating_mul(places.min(ROUND_PARTS).into())
        .checked_div(places.into())
        .unwrap_or(0);
    worth(work).min(most).min(bond)
}

/// Of a reward, what goes to the right seats of the first draw: a fifth. The place gets the rest.
pub fn verifiers_part(reward: Balance) -> Balance {
    reward.checked_div(5).unwrap_or(0)
}

/// What a wrong result costs: the minimum stake or the task's reward, whichever is more. Never a share of the bond, which would
/// be less for those who split.
pub fn forfeit(minimum_stake: Balance, reward: Balance) -> Balance {
    minimum_stake.max(reward)
}

/// Divides `amount` by seats, rounding down; what is left over belongs to nobody.
pub fn by_seats(amount: Balance, seats: u32, all: u32) -> Balance {
    amount
        .saturating_mul(Balance::from(seats))
        .checked_div(Balance::from(all))
        .unwrap_or(0)
}

/// How new coin flows into the bucket: so much per block, and half as much after every `halving` blocks.
#[derive(
    Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen,
)]
pub struct Emission {
    /// What a block brings before the first halving, in 10⁻¹² HYDRA.
    pub per_block: Balance,
    /// Blocks between halvings; 0 for none.
    pub halving: BlockNumber,
}

impl Emission {
    /// What the blocks after `from`, up to and with `to`, bring.
    pub fn between(&self, from: BlockNumber, to: BlockNumber) -> Balance {
        self.until(to).saturating_sub(self.until(from))
    }

    /// What all blocks from 1 to `to` bring.
    fn until(&self, to: BlockNumber) -> Balance {
        let Some(eras) = to.checked_div(self.halving) else {
            return self.per_block.saturating_mul(Balance::from(to));
        };
        let rest = to.checked_rem(self.halving).unwrap_or(0);
        let mut sum: Balance = 0;
        // After 128 halvings nothing is left of any amount.
        for era in 0..eras.min(Balance::BITS) {
            let per_block = self.per_block.checked_shr(era).unwrap_or(0);
            sum = sum.saturating_add(per_block.saturating_mul(Balance::from(self.halving)));
        }
        let per_block = self.per_block.checked_shr(eras).unwrap_or(0);
        sum.saturating_add(per_block.saturating_mul(Balance::from(rest)))
    }
}

/// A proposer's query shares for accepted work of `work` sample-parameters, at least one.
pub fn proposer_shares(work: u64) -> u64 {
    let shares = u128::from(work)
        .saturating_mul(u128::from(PROPOSER_SHARES))
        .checked_div(u128::from(STANDARD_WORK))
        .unwrap_or_default();
    u64::try_from(shares).unwrap_or(u64::MAX).max(1)
}

/// Distributes payments over shares with one accumulator: paying, earning shares and claiming are all O(1).
///
/// `per_share` only grows. What an account is owed is its shares times the growth since it was last settled. Rounding
/// always goes down and the remainder is carried to the next payment, so the pool never owes more than it holds.
#[derive(
    Clone, Copy, Default, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen,
)]
pub struct Pool {
    /// Payments per share so far, in 2⁻⁶⁴ units.
    pub per_share: U256,
    /// Shares in all.
    pub shares: u128,
    /// What the last payment could not divide evenly, in 2⁻⁶⁴ units.
    pub carry: U256,
    /// Everything ever paid in.
    pub paid_in: Balance,
    /// Everything ever paid out.
    pub paid_out: Balance,
}

/// One account's part in a [`Pool`].
#[derive(
    Clone, Copy, Default, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen,
)]
pub struct Share {
    /// How many shares it has.
    pub shares: u128,
    /// The pool's `per_share` from which on these shares are owed: when they were last settled, or later if more came meanwhile, since
    /// those take no part in what was owed before.
    pub settled_at: U256,
}

const FRACTION_BITS: usize = 64;

impl Pool {
    /// Takes in a payment. False, and nothing changes, when there are no shares to give it to.
    #[must_use]
    pub fn pay_in(&mut self, amount: Balance) -> bool {
        if self.shares == 0 {
            return false;
        }
        let shares = U256::from(self.shares);
        let scaled = U256::from(amount)
            .checked_shl(FRACTION_BITS)
            .saturating_add(self.carry);
        let per_share = scaled.checked_div(shares).unwrap_or_default();
        self.carry = scaled.saturating_sub(per_share.saturating_mul(shares));
        self.per_share = self.per_share.saturating_add(per_share);
        self.paid_in = self.paid_in.saturating_add(amount);
        true
    }

    /// What `share` is owed now.
    pub fn owed(&self, share: &Share) -> Balance {
        Balance::try_from(self.owed_scaled(share).checked_shr(FRACTION_BITS)).unwrap_or(Balance::MAX)
    }

    /// Settles `share`: returns what it was owed, which the caller pays out.
    #[must_use]
    pub fn settle(&mut self, share: &mut Share) -> Balance {
        let owed = self.owed(share);
        share.settled_at = self.per_share;
        self.paid_out = self.paid_out.saturating_add(owed);
        owed
    }

    /// Gives a share `more` shares of later payments. If it isn't settled, it stays owed what it was, rounded down.
    pub fn add_shares(&mut self, share: &mut Share, more: u128) {
        let owed = self.owed_scaled(share);
        share.shares = share.shares.saturating_add(more);
        let of_each = owed.checked_div(U256::from(share.shares)).unwrap_or_default();
        share.settled_at = self.per_share.saturating_sub(of_each);
        self.shares = self.shares.saturating_add(more);
    }

    fn owed_scaled(&self, share: &Share) -> U256 {
        self.per_share
            .saturating_sub(share.settled_at)
            .saturating_mul(U256::from(share.shares))
    }
}

/// Shifts without the panics of the operators.
trait Shift {
    fn checked_shl(self, bits: usize) -> Self;
    fn checked_shr(self, bits: usize) -> Self;
}

impl Shift for U256 {
    fn checked_shl(self, bits: usize) -> Self {
        self.saturating_mul(U256::from(2u8).checked_pow(U256::from(bits)).unwrap_or(U256::MAX))
    }
    fn checked_shr(self, bits: usize) -> Self {
        U256::from(2u8)
            .checked_pow(U256::from(bits))
            .and_then(|divisor| self.checked_div(divisor))
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_standard_unit_earns_exactly_one_hydra_and_more_work_earns_more() {
        assert_eq!(worth(STANDARD_WORK), HYDRA);
        assert_eq!(worth(3 * STANDARD_WORK), 3 * HYDRA);
        assert_eq!(worth(0), 0);
    }

    #[test]
    fn a_reward_never_exceeds_the_bond_nor_a_thousandth_of_what_the_payer_has() {
        assert_eq!(reward(STANDARD_WORK, 4, 2_000 * HYDRA, 5 * HYDRA), HYDRA);
        assert_eq!(reward(STANDARD_WORK, 4, 500 * HYDRA, 5 * HYDRA), HYDRA / 2);
        assert_eq!(reward(9 * STANDARD_WORK, 1, Balance::MAX, 5 * HYDRA), 5 * HYDRA);
        assert_eq!(reward(u64::MAX, 1, Balance::MAX, Balance::MAX), worth(u64::MAX));
    }

    #[test]
    fn the_places_of_a_round_share_at_most_32_thousandths_of_what_the_payer_has() {
        let has = 1_000_000 * HYDRA;
        let round = |places: u32| reward(u64::MAX, places, has, Balance::MAX) * Balance::from(places);
        assert_eq!(
            [1, 2, 32].map(round),
            [1, 2, 32].map(|places| places * 1_000 * HYDRA)
        );
        for places in 33..=256 {
            let all = round(places);
            assert!(
                all <= 32_000 * HYDRA && 32_000 * HYDRA - all < Balance::from(places),
                "{places}"
            );
        }
    }

    #[test]
    fn emission_halves() {
        let emission = Emission {
            per_block: 8,
            halving: 10,
        };
        assert_eq!(emission.between(0, 10), 80);
        assert_eq!(emission.between(10, 20), 40);
        assert_eq!(emission.between(5, 15), 5 * 8 + 5 * 4);
        assert_eq!(emission.between(0, u32::MAX), 80 + 40 + 20 + 10);
        assert_eq!(
            Emission {
                per_block: 8,
                halving: 0
            }
            .between(3, 5),
            16
        );
    }

    #[test]
    fn a_payment_without_shares_is_refused() {
        let mut pool = Pool::default();
        assert!(!pool.pay_in(QUERY_PRICE));
        assert_eq!(pool, Pool::default());
    }

    proptest! {
        /// However the blocks are cut into stretches, they bring the same.
        #[test]
        fn emission_depends_on_no_schedule_of_looking(per_block in 0u128..1_000_000_000_000_000, halving in 0u32..1000, a in 0u32..5000, b in 0u32..5000, c in 0u32..5000) {
            let emission = Emission { per_block, halving };
            let mut at = [a, b, c];
            at.sort_unstable();
            let [a, b, c] = at;
            prop_assert_eq!(emission.between(a, b) + emission.between(b, c), emission.between(a, c));
        }

        #[test]
        fn seats_never_divide_more_than_there_is(amount in 0u128..u128::MAX / 2048, seats in prop::collection::vec(1u32..64, 1..64)) {
            let all = seats.iter().sum();
            let given: Balance = seats.iter().map(|n| by_seats(amount, *n, all)).sum();
            prop_assert!(given <= amount && amount - given <= 64);
        }

        /// Any sequence of payments, new shares and claims: nobody gains or loses more than rounding.
        #[test]
        fn what_is_paid_in_is_owed_or_paid_out_to_the_last_few_units(
            steps in prop::collection::vec((0u8..4, 0usize..5, 1u64..1_000_000_000_000), 1..200)
        ) {
            let mut pool = Pool::default();
            let mut shares = [Share::default(); 5];
            for (what, who, amount) in steps {
                match what {
                    0 => { let _ = pool.pay_in(amount.into()); },
                    1 => {
                        let _ = pool.settle(&mut shares[who]);
                        pool.add_shares(&mut shares[who], u128::from(amount % 97 + 1));
                    },
                    2 => { let _ = pool.settle(&mut shares[who]); },
                    _ => {
                        let before = pool.owed(&shares[who]);
                        pool.add_shares(&mut shares[who], u128::from(amount % 97 + 1));
                        let after = pool.owed(&shares[who]);
                        prop_assert!(after <= before && before - after <= 1);
                    },
                }
                let owed: Balance = shares.iter().map(|s| pool.owed(s)).sum();
                prop_assert!(pool.paid_out + owed <= pool.paid_in);
            }
            let claims = 400;
            let owed: Balance = shares.iter().map(|s| pool.owed(s)).sum();
            prop_assert!(pool.paid_in - pool.paid_out - owed <= claims);
        }
    }
}
