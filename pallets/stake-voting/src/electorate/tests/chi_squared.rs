//! Whether draws match weights: Pearson's χ² over fixed seeds. The critical values are those that χ² exceeds once in a
//! million where the weights are matched. A sampler that doesn't match them must exceed them.

use super::{appended, at, seed, with};

/// 9 degrees of freedom, p = 10⁻⁶.
const TEN_OUTCOMES: f64 = 44.81;
/// 11 degrees of freedom, p = 10⁻⁶.
const TWELVE_OUTCOMES: f64 = 48.87;

const WEIGHTS: [u64; 10] = [1, 10, 3, 8, 5, 6, 7, 4, 9, 2];
const TOTAL: f64 = 55.0;

/// χ² of how often each outcome was drawn, against its chance.
fn chi_squared(drawn: &[u32], chances: &[f64]) -> f64 {
    let draws = f64::from(drawn.iter().sum::<u32>());
    assert!((chances.iter().sum::<f64>() - 1.0).abs() < 1e-9);
    drawn
        .iter()
        .zip(chances)
        .map(|(drawn, chance)| {
            let expected = draws * chance;
            (f64::from(*drawn) - expected).powi(2) / expected
        })
        .sum()
}

/// χ² of 22,000 draws of the ten accounts, which weigh what [`WEIGHTS`] says, `per_call` draws from each seed.
fn chi_squared_of_ten(per_call: u32, draw: impl Fn(u32) -> Vec<u32>) -> f64 {
    let mut drawn = [0; 10];
    for number in 0..22_000 / per_call {
        for who in draw(number) {
            drawn[usize::try_from(who).unwrap()] += 1;
        }
    }
    assert_eq!(drawn.iter().sum::<u32>(), 22_000);
    chi_squared(&drawn, &WEIGHTS.map(|weight| weight as f64 / TOTAL))
}

#[test]
fn seats_match_weights() {
    // The line is long, and its length no power of two.
    let electorate = with(&WEIGHTS.map(|weight| weight * 1_000_003));
    for seats in [1, 2, 20] {
        let chi_squared = chi_squared_of_ten(seats, |number| {
            let seats = electorate.seats(&seed(number), seats, |_| true).unwrap();
            seats.into_iter().flatten().collect()
        });
        assert!(chi_squared < TEN_OUTCOMES, "{seats} seats: {chi_squared}");
    }
}

#[test]
fn seats_match_the_weights_of_the_session_where_accounts_without_room_are_passed_over() {
    let weights = [WEIGHTS.as_slice(), &[1]].concat();
    // Between an electorate that was in its place, and the next.
    let before = appended(with(&[9; 80]), &[1; 3]);
    let electorate = at(&appended(at(&appended(at(&before, 2), &weights), 3), &[5]), 2);
    let chi_squared = chi_squared_of_ten(1, |number| {
        // After four redraws the seat stays empty, once in 5 × 10⁸; none of these does.
        let seats = electorate.seats(&seed(number), 1, |who| *who != 10).unwrap();
        seats.into_iter().flatten().collect()
    });
    assert!(chi_squared < TEN_OUTCOMES, "{chi_squared}");
}

#[test]
fn a_sampler_that_does_not_match_weights_is_found_out() {
    let electorate = with(&WEIGHTS);
    let random = |number, bound| hydra_primitives::electorate::rank(&seed(number), 0, bound).unwrap();
    let alike = chi_squared_of_ten(1, |number| vec![u32::try_from(random(number, 10)).unwrap()]);
    assert!(alike > TEN_OUTCOMES, "everybody alike: {alike}");
    let at = |point| vec![electorate.at(point).unwrap().who];
    let short = chi_squared_of_ten(1, |number| at(random(number, 54) + 1));
    assert!(short > TEN_OUTCOMES, "never the first unit: {short}");
    let coarse = chi_squared_of_ten(1, |number| at(random(number, 256) % 55));
    assert!(coarse > TEN_OUTCOMES, "a byte modulo the total: {coarse}");
    let right = chi_squared_of_ten(1, |number| at(random(number, 55)));
    assert!(right < TEN_OUTCOMES, "the right one: {right}");
}

/// Chances of each ordered pair of different accounts of four, the second by weight among those that are left.
fn pairs(weights: [f64; 4]) -> Vec<((usize, usize), f64)> {
    let total: f64 = weights.iter().sum();
    let chance = |a: usize, b: usize| weights[a] / total * weights[b] / (total - weights[a]);
    (0..4)
        .flat_map(|a| (0..4).map(move |b| (a, b)))
        .filter(|(a, b)| a != b)
        .map(|(a, b)| ((a, b), chance(a, b)))
        .collect()
}

fn chi_squared_of_pairs(draw: impl Fn(u32) -> (usize, usize)) -> f64 {
    let pairs = pairs([1.0, 4.0, 2.0, 3.0]);
    let mut drawn = vec![0; pairs.len()];
    for number in 0..24_000 {
        let pair = draw(number);
        drawn[pairs.iter().position(|(known, _)| *known == pair).unwrap()] += 1;
    }
    let chances: Vec<f64> = pairs.iter().map(|(_, chance)| *chance).collect();
    chi_squared(&drawn, &chances)
}

#[test]
fn different_accounts_are_drawn_by_weight_among_those_that_are_left() {
    let electorate = with(&[100, 400, 200, 300]);
    let number_of = |who: u32| usize::try_from(who).unwrap();
    let right = chi_squared_of_pairs(|number| {
        let drawn = electorate.distinct(&seed(number), 2, |_| true).unwrap();
        (number_of(drawn[0]), number_of(drawn[1]))
    });
    assert!(right < TWELVE_OUTCOMES, "{right}");
    let neighbour = chi_squared_of_pairs(|number| {
        let drawn = electorate.distinct(&seed(number), 1, |_| true).unwrap();
        (number_of(drawn[0]), (number_of(drawn[0]) + 1) % 4)
    });
    assert!(neighbour > TWELVE_OUTCOMES, "the one beside it: {neighbour}");
}
