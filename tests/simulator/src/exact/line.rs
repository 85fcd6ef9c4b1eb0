//! Who stands on the electorate's line, and what may become of a seat that is drawn from it.

use hydra_primitives::electorate::REDRAWS;

/// What whoever stands somewhere on the line does with a seat.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Who {
    /// Whatever it likes.
    Hostile,
    /// The work.
    Working,
    /// Nothing: it is honest, and not there.
    Absent,
    /// It takes none: the seat is drawn again in its stretch.
    Out,
}

/// What may become of one seat: so many cases of [`whole`](Self::whole) that are equally likely. In all others nobody gives anything
/// for it: it is empty, or its account isn't there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Seat {
    /// Cases in which the hostile have it.
    pub hostile: u128,
    /// Cases in which somebody has it who works.
    pub working: u128,
    /// All cases.
    pub whole: u128,
}

impl Seat {
    /// Cases in which nobody gives anything who is honest, and the hostile don't have it.
    pub fn silent(&self) -> u128 {
        self.whole - self.hostile - self.working
    }

    /// A seat that is drawn in a stretch in which so much is of each kind: hostile, working, absent, out.
    fn drawn_in([hostile, working, absent, out]: [u128; 4]) -> Self {
        let stretch = hostile + working + absent + out;
        assert!(stretch > 0, "a line has a length");
        // The k-th try comes about when all before it fell on somebody who is out: out^k of stretch^k cases.
        let tries = if out == 0 { 0 } else { u32::from(REDRAWS) };
        let power = |number: u128, exponent: u32| {
            number
                .checked_pow(exponent)
                .expect("a line with accounts that are out is at most ten million units long")
        };
        let ways = (0..=tries)
            .map(|k| power(out, k) * power(stretch, tries - k))
            .sum::<u128>();
        let (hostile, working, whole) = (hostile * ways, working * ways, power(stretch, tries + 1));
        let common = greatest_common_divisor(greatest_common_divisor(hostile, working), whole);
        Self {
            hostile: hostile / common,
            working: working / common,
            whole: whole / common,
        }
    }
}

fn greatest_common_divisor(a: u128, b: u128) -> u128 {
    if b == 0 {
        a
    } else {
        greatest_common_divisor(b, a % b)
    }
}

/// The line: accounts side by side, or whole groups of them, each as long as its weight.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line(Vec<(Who, u64)>);

impl Line {
    /// Accounts in this order, with their weights.
    pub fn of(accounts: impl IntoIterator<Item = (Who, u64)>) -> Self {
        Self(accounts.into_iter().collect())
    }

    /// Three groups in parts of a million: a share of the weight that is hostile, and of the rest a share that is absent.
    pub fn shares(hostile: f64, absent: f64) -> Self {
        const WHOLE: f64 = 1e6;
        let hostile = (hostile.clamp(0.0, 1.0) * WHOLE).round();
        let away = ((WHOLE - hostile) * absent.clamp(0.0, 1.0)).round();
        Self::of([
            (Who::Hostile, hostile as u64),
            (Who::Absent, away as u64),
            (Who::Working, (WHOLE - hostile - away) as u64),
        ])
    }

    /// Its length.
    pub fn total(&self) -> u64 {
        self.0.iter().map(|(_, weight)| weight).sum()
    }

    /// Who stands at a point of it.
    pub fn at(&self, point: u64) -> Option<Who> {
        let mut end = 0;
        self.0.iter().find_map(|(who, weight)| {
            end += weight;
            (point < end).then_some(*who)
        })
    }

    /// Seats that are each drawn from the whole line.
    pub fn independent(&self, seats: u32) -> Vec<Seat> {
        let seat = Seat::drawn_in(self.between(0, u128::from(self.total()), 1));
        vec![seat; seats as usize]
    }

    /// Seats as the chain draws them: each from a stretch of its own of as many equal ones.
    pub fn stratified(&self, seats: u32) -> Vec<Seat> {
        let total = u128::from(self.total());
        (0..u128::from(seats))
            .map(|seat| Seat::drawn_in(self.between(seat * total, (seat + 1) * total, seats.into())))
            .collect()
    }

    /// How much of each kind there is between two points, where each unit of weight is `scale` long.
    fn between(&self, from: u128, to: u128, scale: u128) -> [u128; 4] {
        let mut lengths = [0; 4];
        let mut start = 0;
        for (who, weight) in &self.0 {
            let end = start + u128::from(*weight) * scale;
            let length = end.min(to).saturating_sub(start.max(from));
            let [hostile, working, absent, out] = &mut lengths;
            *match who {
                Who::Hostile => hostile,
                Who::Working => working,
                Who::Absent => absent,
                Who::Out => out,
            } += length;
            start = end;
        }
        let common = lengths.iter().copied().fold(0, greatest_common_divisor).max(1);
        lengths.map(|length| length / common)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_equal_accounts_hold_five_of_twenty_seats_each() {
        let line = Line::of([
            (Who::Hostile, 7),
            (Who::Working, 7),
            (Who::Absent, 7),
            (Who::Working, 7),
        ]);
        let seats = line.stratified(20);
        let count = |is: fn(&Seat) -> bool| seats.iter().filter(|seat| is(seat)).count();
        assert_eq!(count(|seat| seat.hostile == seat.whole), 5);
        assert_eq!(count(|seat| seat.working == seat.whole), 10);
        assert_eq!(count(|seat| seat.silent() == seat.whole), 5);
    }

    #[test]
    fn a_seat_is_drawn_again_four_times_where_it_falls_on_somebody_who_is_out() {
        let line = Line::of([(Who::Hostile, 1), (Who::Out, 1)]);
        let [seat]: [Seat; 1] = line.independent(1).try_into().expect("one seat");
        // 1/2 + 1/4 + 1/8 + 1/16 + 1/32.
        assert_eq!((seat.hostile, seat.working, seat.whole), (31, 0, 32));
        assert_eq!(seat.silent(), 1);
    }

    #[test]
    fn stretches_cut_through_accounts_where_they_fall() {
        // Two seats on a line of three: the middle account is in both stretches.
        let line = Line::of([(Who::Hostile, 1), (Who::Working, 1), (Who::Absent, 1)]);
        let seats = line.stratified(2);
        let cases: Vec<_> = seats
            .iter()
            .map(|seat| (seat.hostile, seat.working, seat.whole))
            .collect();
        assert_eq!(cases, [(2, 1, 3), (0, 1, 3)]);
        let points: Vec<_> = (0..4).map(|point| line.at(point)).collect();
        let here = [Who::Hostile, Who::Working, Who::Absent].map(Some);
        assert_eq!((&points[..3], points[3]), (&here[..], None));
    }

    #[test]
    fn shares_add_up_to_the_whole_line() {
        let line = Line::shares(0.33, 0.15);
        assert_eq!(line.total(), 1_000_000);
        let [seat]: [Seat; 1] = line.independent(1).try_into().expect("one seat");
        let share = |cases: u128| cases as f64 / seat.whole as f64;
        assert!((share(seat.hostile) - 0.33).abs() < 1e-9);
        assert!((share(seat.working) - 0.5695).abs() < 1e-9);
        assert!((share(seat.silent()) - 0.1005).abs() < 1e-9);
    }
}
