//! Amounts of HYDRA as people read them.

use hydra_primitives::{Balance, HYDRA};

/// Exactly, without trailing zeros: `1000000.5`.
pub fn exact(amount: Balance) -> String {
    let (whole, fraction) = (amount / HYDRA, amount % HYDRA);
    if fraction == 0 {
        return whole.to_string();
    }
    let digits = format!("{fraction:012}");
    format!("{whole}.{}", digits.trim_end_matches('0'))
}

/// To four decimals, rounded down so that nobody seems to own more than they do; tiny amounts are shown exactly.
pub fn short(amount: Balance) -> String {
    const SHOWN: Balance = HYDRA / 10_000;
    if amount > 0 && amount < SHOWN {
        exact(amount)
    } else {
        exact(amount - amount % SHOWN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_lose_nothing_but_zeros() {
        assert_eq!(exact(0), "0");
        assert_eq!(exact(HYDRA), "1");
        assert_eq!(exact(HYDRA / 2), "0.5");
        assert_eq!(exact(1_000_000 * HYDRA + 1), "1000000.000000000001");
    }

    #[test]
    fn short_amounts_are_rounded_down_but_never_to_nothing() {
        assert_eq!(short(HYDRA - 1), "0.9999");
        assert_eq!(short(1), "0.000000000001");
        assert_eq!(short(0), "0");
    }
}
