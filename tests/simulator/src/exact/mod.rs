//! How likely it is that a poll ends as it should not, as an exact sum: no simulation is long enough to see what happens once in a
//! million times.
//!
//! A draw is a line of weights ([`Line`]) and a number of seats; each seat falls on somebody hostile, on somebody who works, or on nobody
//! who would give anything. What decides a draw is how many seats gave the same, so a generating function has it all: the product over
//! the seats of `a·x + b`, where `a` are the cases in which a seat counts and `b` those in which it doesn't matter. Its coefficients are
//! whole numbers. Rounding comes in with [`Chance::value`] only.
//!
//! Must take its rules from [`hydra_primitives`], and never count anything by chance: the tests in `tests/all/exact.rs` do that, to check it.

mod chance;
mod line;

pub use chance::Chance;
pub use line::{Line, Seat, Who};

use hydra_primitives::electorate::Draw;
use num_bigint::BigUint;

/// What the hostile do with the seats that they have, where somebody claims what is right.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Play {
    /// They all give the same wrong digest.
    Lying,
    /// They give nothing.
    Silent,
}

/// How the draws of a poll end, and what it costs.
#[derive(Clone, Debug)]
pub struct Ends {
    /// That the hostile have what they agreed on taken for right, at most: the sum over all draws that there may be.
    pub lie: Chance,
    /// That what is right is not decided by the first draw, but asked again.
    pub appealed: Chance,
    /// That it is not decided by the second either.
    pub last: Chance,
    /// That it stays undecided.
    pub undecided: Chance,
    /// Seats that are drawn on average: each account with one or more does the task once.
    pub seats: f64,
}

/// A seat's cases: those in which it counts, those in which it may as well be there and doesn't, and all. Where the first two don't add
/// up to the third, none of the rest may happen at any seat.
type Cases = (u128, u128, u128);

/// That more than `most` of these seats count.
fn more_than(most: usize, seats: &[Cases]) -> Chance {
    match seats {
        [first, others @ ..] if others.iter().all(|seat| seat == first) => alike(most, seats.len(), *first),
        _ => product(most, seats),
    }
}

/// The same for any seats: multiplies the product out.
fn product(most: usize, seats: &[Cases]) -> Chance {
    // How many ways there are to have so many of them.
    let mut ways = vec![BigUint::from(1u8)];
    let mut whole = BigUint::from(1u8);
    for (counts, other, all) in seats {
        whole *= *all;
        ways.push(BigUint::ZERO);
        for count in (0..ways.len() - 1).rev() {
            let before = std::mem::take(&mut ways[count]);
            ways[count + 1] += &before * *counts;
            ways[count] = before * *other;
        }
    }
    let part = ways.into_iter().skip(most + 1).sum();
    Chance::new(part, whole)
}

/// The same for seats that are all alike: the binomial theorem.
fn alike(most: usize, seats: usize, (counts, other, all): Cases) -> Chance {
    let power = |number: u128, exponent: usize| {
        BigUint::from(number).pow(u32::try_from(exponent).expect("a draw has few seats"))
    };
    let mut choices = BigUint::from(1u8);
    let mut part = BigUint::ZERO;
    for count in 0..=seats {
        if count > most {
            part += &choices * power(counts, count) * power(other, seats - count);
        }
        // Exact: it is the next binomial coefficient.
        choices = choices * (seats - count) / (count + 1);
    }
    Chance::new(part, power(all, seats))
}

fn cases(seats: &[Seat], of: impl Fn(&Seat) -> (u128, u128)) -> Vec<Cases> {
    let cases = seats.iter().map(|seat| {
        let (counts, other) = of(seat);
        (counts, other, seat.whole)
    });
    cases.collect()
}

/// That the hostile have what they agreed on taken for right in one draw with these seats. In a first draw nobody who works may have given
/// anything: it would differ.
pub fn lie_wins(draw: Draw, seats: &[Seat]) -> Chance {
    let others = |seat: &Seat| match draw {
        Draw::First => seat.silent(),
        Draw::Appeal | Draw::Last => seat.whole - seat.hostile,
    };
    more_than(
        seats.len() / 2,
        &cases(seats, |seat| (seat.hostile, others(seat))),
    )
}

/// That what is right is not decided in one draw with these seats.
pub fn stays_open(draw: Draw, seats: &[Seat], hostile: Play) -> Chance {
    let others = |seat: &Seat| match (draw, hostile) {
        (Draw::First, Play::Lying) => seat.silent(),
        _ => seat.whole - seat.working,
    };
    let cases = cases(seats, |seat| (seat.working, others(seat)));
    more_than(seats.len() / 2, &cases).complement()
}

/// That the hostile hold at least so many of these seats.
pub fn hostile_hold(least: usize, seats: &[Seat]) -> Chance {
    let cases = cases(seats, |seat| (seat.hostile, seat.whole - seat.hostile));
    match least.checked_sub(1) {
        Some(most) => more_than(most, &cases),
        None => Chance::new(1u8.into(), 1u8.into()),
    }
}

/// How a poll ends whose first draw has `first` seats, each seat drawn from the whole line: no arrangement of accounts on the line makes a
/// lie more likely (Hoeffding 1956).
pub fn ends(line: &Line, first: u32, hostile: Play) -> Ends {
    let of = |draw: Draw| line.independent(draw.seats(first));
    let draws = [Draw::First, Draw::Appeal, Draw::Last].map(|draw| {
        let seats = of(draw);
        (
            lie_wins(draw, &seats),
            stays_open(draw, &seats, hostile),
            seats.len() as f64,
        )
    });
    let [
        (first_lie, appealed, first_seats),
        (appeal_lie, open, appeal_seats),
        (last_lie, still, last_seats),
    ] = draws;
    let last = appealed.and(&open);
    Ends {
        lie: first_lie.plus(&appeal_lie).plus(&last_lie),
        undecided: last.and(&still),
        seats: first_seats + appealed.value() * appeal_seats + last.value() * last_seats,
        appealed,
        last,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_over_few_seats_is_what_counting_all_cases_by_hand_gives() {
        // Three seats, each hostile in one case of four, working in two, silent in one.
        let seat = Seat {
            hostile: 1,
            working: 2,
            whole: 4,
        };
        let seats = [seat; 3];
        // Two or three hostile, and nobody who works: 3 × 1·1·1 + 1 of 64.
        assert_eq!(lie_wins(Draw::First, &seats).value(), 4.0 / 64.0);
        // Two or three hostile, whoever the others are: 3 × 1·1·3 + 1 of 64.
        assert_eq!(lie_wins(Draw::Appeal, &seats).value(), 10.0 / 64.0);
        assert_eq!(hostile_hold(2, &seats).value(), 10.0 / 64.0);
        assert_eq!(hostile_hold(0, &seats).value(), 1.0);
        // Two or three work, and no lie is given: 3 × 2·2·1 + 8 of 64.
        assert_eq!(
            stays_open(Draw::First, &seats, Play::Lying).value(),
            1.0 - 20.0 / 64.0
        );
        // Two or three work: 3 × 2·2·2 + 8 of 64.
        assert_eq!(
            stays_open(Draw::First, &seats, Play::Silent).value(),
            1.0 - 32.0 / 64.0
        );
    }

    #[test]
    fn the_product_and_the_binomial_theorem_come_to_the_same() {
        for seats in 1..12 {
            for most in 0..=seats {
                let (one, other) = (
                    product(most, &vec![(2, 3, 7); seats]),
                    alike(most, seats, (2, 3, 7)),
                );
                assert!(
                    one.is_at_most(&other) && other.is_at_most(&one),
                    "{most} of {seats}"
                );
            }
        }
    }
}
