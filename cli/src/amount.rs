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

/// What a person typed: digits, perhaps a point and up to twelve more. Never by way of a float.
pub fn parse(text: &str) -> Result<Balance, String> {
    const DECIMALS: usize = 12;
    if text.contains(',') {
        return Err("write a decimal point, and no separators of thousands, for example 1000.5".into());
    }
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        return Err("give an amount of HYDRA, for example 1.5".into());
    }
    if fraction.len() > DECIMALS {
        return Err(format!(
            "an amount has at most {DECIMALS} decimals: the smallest is 0.000000000001"
        ));
    }
    let too_much = || "there is not that much HYDRA".to_owned();
    let whole = whole.parse::<Balance>().map_err(|_| too_much())?;
    let fraction = format!("{fraction:0<DECIMALS$}")
        .parse::<Balance>()
        .map_err(|_| too_much())?;
    whole
        .checked_mul(HYDRA)
        .and_then(|units| units.checked_add(fraction))
        .ok_or_else(too_much)
}

/// The same, for what is sent or bonded: something.
pub fn parse_positive(text: &str) -> Result<Balance, String> {
    match parse(text)? {
        0 => Err("give an amount above 0".into()),
        amount => Ok(amount),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn amounts_are_read_as_they_are_written() {
        assert_eq!(parse("1.5"), Ok(HYDRA + HYDRA / 2));
        assert_eq!(parse("0.000000000001"), Ok(1));
        assert_eq!(parse("007"), Ok(7 * HYDRA));
        assert_eq!(parse_positive("0.1"), Ok(HYDRA / 10));
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        let huge = "9".repeat(60);
        for bad in [
            "",
            ".",
            "1.",
            ".5",
            "-1",
            "+1",
            "1e3",
            "0x10",
            "1 000",
            "1,5",
            "NaN",
            "inf",
            "1.0000000000001",
            "٣",
            huge.as_str(),
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
        assert!(parse_positive("0.000").is_err());
        assert!(
            parse("340282366920938463463374607.431768211456").is_err(),
            "one unit too many"
        );
        assert_eq!(
            parse("340282366920938463463374607.431768211455"),
            Ok(Balance::MAX)
        );
    }

    proptest! {
        #[test]
        fn what_is_shown_exactly_is_read_as_the_same(amount: Balance) {
            prop_assert_eq!(parse(&exact(amount)), Ok(amount));
        }

        #[test]
        fn hostile_bytes_are_no_amount_or_one(text in ".{0,60}") {
            let _ = parse(&text);
        }
    }

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
