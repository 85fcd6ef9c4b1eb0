//! A probability as a fraction of two whole numbers, so that what is added up has lost nothing.

use num_bigint::BigUint;

/// A probability.
#[derive(Clone, Debug)]
pub struct Chance {
    part: BigUint,
    whole: BigUint,
}

impl Chance {
    /// So many cases of so many that are equally likely.
    ///
    /// # Panics
    ///
    /// If there are no cases at all.
    pub fn new(part: BigUint, whole: BigUint) -> Self {
        assert!(whole.bits() > 0, "a chance is a part of something");
        Self { part, whole }
    }

    /// That both happen, if neither has to do with the other.
    pub fn and(&self, other: &Self) -> Self {
        Self::new(&self.part * &other.part, &self.whole * &other.whole)
    }

    /// That one of them happens, if they can't both; otherwise no less than that.
    pub fn plus(&self, other: &Self) -> Self {
        let part = &self.part * &other.whole + &other.part * &self.whole;
        Self::new(part, &self.whole * &other.whole)
    }

    /// That it does not happen.
    pub fn complement(&self) -> Self {
        let part = if self.part < self.whole {
            &self.whole - &self.part
        } else {
            BigUint::ZERO
        };
        Self::new(part, self.whole.clone())
    }

    /// Whether it is no more likely than another.
    pub fn is_at_most(&self, other: &Self) -> bool {
        &self.part * &other.whole <= &other.part * &self.whole
    }

    /// Whether it can't happen.
    pub fn is_none(&self) -> bool {
        self.part.bits() == 0
    }

    /// The nearest number below it, but for the last of its 53 bits; zero if it is less than any number of that kind.
    pub fn value(&self) -> f64 {
        if self.is_none() {
            return 0.0;
        }
        // So that 64 bits or 65 stand before the point.
        let shift = (self.whole.bits() + 64).saturating_sub(self.part.bits());
        let quotient = (&self.part << shift) / &self.whole;
        let digits = u128::try_from(&quotient).unwrap_or(u128::MAX) as f64;
        let shift = i32::try_from(shift).unwrap_or(i32::MAX);
        digits * 2f64.powi(-shift)
    }

    /// In how many cases it happens once.
    pub fn once_in(&self) -> f64 {
        1.0 / self.value()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chance(part: u32, whole: u32) -> Chance {
        Chance::new(part.into(), whole.into())
    }

    #[test]
    fn fractions_are_added_multiplied_and_compared_without_rounding() {
        let (third, sixth) = (chance(1, 3), chance(1, 6));
        assert_eq!(third.plus(&sixth).value(), 0.5);
        assert!((third.and(&sixth).once_in() - 18.0).abs() < 1e-12);
        assert_eq!(third.plus(&sixth).complement().value(), 0.5);
        assert!(sixth.is_at_most(&third) && !third.is_at_most(&sixth) && third.is_at_most(&chance(2, 6)));
        assert!(chance(0, 7).is_none() && chance(0, 7).value() == 0.0 && !sixth.is_none());
        assert!(chance(7, 7).complement().is_none());
    }

    #[test]
    fn what_is_smaller_than_a_part_in_ten_to_the_thirty_still_has_its_value() {
        let tiny = (0..100).fold(chance(1, 1), |product, _| product.and(&chance(1, 10)));
        assert!((tiny.value() / 1e-100 - 1.0).abs() < 1e-12, "{}", tiny.value());
    }
}
