//! Seats in their stretches, redraws, and draws of different accounts.

use super::{appended, at, line, seed, with};
use hydra_primitives::electorate::{SEATS_APPEAL, SEATS_FIRST, point_of};
use proptest::prelude::*;

/// How many seats each of `accounts` holds.
fn held(seats: &[Option<u32>], accounts: u32) -> Vec<usize> {
    (0..accounts)
        .map(|who| seats.iter().filter(|seat| **seat == Some(who)).count())
        .collect()
}

/// How often each of `accounts` is met over all points of all stretches.
fn met(weights: &[u64], seats: u32) -> Vec<u64> {
    let electorate = with(weights);
    let line = line(&electorate);
    let total = electorate.total().unwrap();
    let mut met = vec![0; weights.len()];
    for seat in 0..seats {
        for offset in 0..total {
            let point = point_of(seat, seats, offset, total).unwrap();
            met[line[point as usize] as usize] += 1;
        }
    }
    met
}

#[test]
fn four_equal_accounts_hold_five_of_twenty_seats_each_and_one_account_all() {
    for weight in [1, 3, 1_000_000, u64::MAX / 4] {
        let (four, one) = (with(&[weight; 4]), with(&[weight]));
        for number in 0..50 {
            let seats = four.seats(&seed(number), SEATS_FIRST, |_| true).unwrap();
            assert_eq!(held(&seats, 4), [5; 4], "weight {weight}");
            let seats = one.seats(&seed(number), SEATS_FIRST, |_| true).unwrap();
            assert_eq!(seats, [Some(0); 20], "weight {weight}");
        }
    }
}

#[test]
fn no_seat_is_empty_where_there_is_any_weight_and_all_are_where_there_is_none() {
    let some: [&[u64]; 4] = [&[1], &[0, 1], &[1, 1, 1], &[1, 0, 2, 0]];
    for weights in some {
        for number in 0..50 {
            let seats = with(weights)
                .seats(&seed(number), SEATS_APPEAL, |_| true)
                .unwrap();
            assert_eq!(seats.len(), 256);
            for seat in seats {
                assert!(weights[seat.unwrap() as usize] > 0);
            }
        }
    }
    let none: [&[u64]; 3] = [&[], &[0], &[0, 0, 0]];
    for weights in none {
        let electorate = with(weights);
        assert_eq!(electorate.seats(&seed(0), 20, |_| true), Ok(vec![None; 20]));
        assert_eq!(electorate.distinct(&seed(0), 20, |_| true), Ok(vec![]));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_seats_that_a_weight_can_expect_depend_on_its_share_alone(
        weights in prop::collection::vec(0u64..9, 1..12), seats in 1u32..40,
    ) {
        // Over all of the total's points in each stretch: seats × weight.
        let expected: Vec<u64> = weights.iter().map(|weight| weight * u64::from(seats)).collect();
        prop_assert_eq!(met(&weights, seats), expected);
    }

    #[test]
    fn splitting_an_account_gains_no_seat_and_loses_none(
        weights in prop::collection::vec(1u64..9, 1..8), parts in prop::collection::vec(1u64..5, 2..6),
        at in 0usize..8, seats in 1u32..40,
    ) {
        let at = at % weights.len();
        let mut whole = weights.clone();
        whole[at] = parts.iter().sum();
        // The first part stays where the account was, the others stand at the end of the line, each behind a stranger.
        let mut split = weights.clone();
        split[at] = parts[0];
        let mut mine = vec![at];
        let mut strangers = 0;
        for part in &parts[1..] {
            split.extend([3, *part]);
            mine.push(split.len() - 1);
            strangers += 3;
        }
        whole.push(strangers);
        let split = met(&split, seats);
        let together: u64 = mine.iter().map(|part| split[*part]).sum();
        prop_assert_eq!(together, met(&whole, seats)[at]);
    }

    #[test]
    fn no_account_holds_two_seats_more_or_less_than_its_share(
        weights in prop::collection::vec(0u64..1_000_000, 1..12), seats in 1u32..300, number: u32,
    ) {
        let electorate = with(&weights);
        let total = electorate.total().unwrap();
        prop_assume!(total > 0);
        let drawn = electorate.seats(&seed(number), seats, |_| true).unwrap();
        let held = held(&drawn, weights.len() as u32);
        prop_assert_eq!(held.iter().sum::<usize>(), seats as usize);
        for (held, weight) in held.iter().zip(&weights) {
            // Its piece of the line reaches into at most two stretches that aren't wholly its own.
            let share = u64::from(seats) * weight;
            prop_assert!(*held as u64 <= share.div_ceil(total) + 1);
            prop_assert!(*held as u64 + 1 >= share / total);
        }
    }
}

#[test]
fn a_point_on_an_account_without_room_is_drawn_again_in_its_stretch_four_times() {
    let electorate = with(&[10, 10]);
    let mut asked = Vec::new();
    let seats = electorate.seats(&seed(1), 2, |who| {
        asked.push(*who);
        *who == 1
    });
    assert_eq!(seats, Ok(vec![None, Some(1)]));
    assert_eq!(asked, [0, 0, 0, 0, 0, 1]);
}

#[test]
fn a_draw_made_seat_by_seat_in_several_blocks_is_the_draw_made_at_once() {
    let electorate = with(&[5, 2, 7, 1, 1, 9]);
    let takes = |who: &u32| *who != 2;
    let whole = electorate.seats(&seed(5), SEATS_APPEAL, takes).unwrap();
    let mut looks = 0u32;
    let parts: Vec<Option<u32>> = (0..SEATS_APPEAL)
        .map(|seat| {
            let mut drawing = electorate.drawing(&seed(5), SEATS_APPEAL).unwrap();
            let drawn = drawing.seat(seat, takes).unwrap();
            looks += u32::from(drawn.looks);
            drawn.who
        })
        .collect();
    assert_eq!(parts, whole);
    assert!(looks > SEATS_APPEAL && looks <= 5 * SEATS_APPEAL, "{looks}");
}

#[test]
fn a_redraw_finds_others_in_the_stretch_and_leaves_few_seats_empty() {
    let electorate = with(&[10, 10]);
    let drawn = (0..2_000).map(|number| {
        let seats = electorate.seats(&seed(number), 1, |who| *who == 1).unwrap();
        seats[0]
    });
    // All five points on the other half: once in 32, so 62.5 times, with a deviation of 7.8.
    let empty = drawn.filter(Option::is_none).count();
    assert!((23..=102).contains(&empty), "{empty}");
}

#[test]
fn whoever_is_passed_over_moves_its_own_points_and_no_others() {
    let electorate = with(&[5, 2, 7, 1, 1, 9]);
    let mut moved = 0;
    for number in 0..200 {
        let all = electorate.seats(&seed(number), SEATS_FIRST, |_| true).unwrap();
        let without = electorate
            .seats(&seed(number), SEATS_FIRST, |who| *who != 2)
            .unwrap();
        for (before, after) in all.iter().zip(&without) {
            if *before == Some(2) {
                assert_ne!(*after, Some(2));
                moved += 1;
            } else {
                assert_eq!(before, after);
            }
        }
    }
    assert!(moved > 0);
}

#[test]
fn room_may_run_out_within_a_draw() {
    let electorate = with(&[50, 50]);
    let mut room = [3, 20];
    let seats = electorate.seats(&seed(4), SEATS_FIRST, |who| {
        let left = &mut room[*who as usize];
        let has_room = *left > 0;
        *left -= i32::from(has_room);
        has_room
    });
    let expected = [vec![Some(0); 3], vec![None; 7], vec![Some(1); 10]].concat();
    assert_eq!(seats, Ok(expected));
}

#[test]
fn a_draw_depends_on_its_seed_and_on_nothing_else() {
    let electorate = with(&[5, 2, 7, 1, 1, 9]);
    // The next session's is made meanwhile.
    let changed = at(&appended(at(&electorate, 1), &[9, 9]), 0);
    let mut different = 0;
    for number in 0..50 {
        let seats = electorate.seats(&seed(number), SEATS_FIRST, |_| true);
        assert_eq!(seats, changed.seats(&seed(number), SEATS_FIRST, |_| true));
        let members = electorate.distinct(&seed(number), 4, |_| true);
        assert_eq!(members, changed.distinct(&seed(number), 4, |_| true));
        let others = electorate.seats(&seed(number + 1_000), SEATS_FIRST, |_| true);
        different += u32::from(seats != others);
    }
    assert!(different > 0);
}

#[test]
fn different_accounts_are_found_whatever_they_weigh() {
    let electorate = with(&[1, u64::MAX / 2, 50, 0, 3]);
    for count in [4, 5, 256] {
        let mut members = electorate.distinct(&seed(count), count, |_| true).unwrap();
        members.sort();
        assert_eq!(members, [0, 1, 2, 4], "{count} wanted");
    }
    assert_eq!(electorate.distinct(&seed(0), 1, |_| true), Ok(vec![1]));
}

#[test]
fn only_accounts_that_can_be_taken_are_and_each_is_asked_for_once() {
    let electorate = with(&[7; 40]);
    let mut asked = Vec::new();
    let mut members = electorate
        .distinct(&seed(3), 20, |who| {
            asked.push(*who);
            who % 4 == 1
        })
        .unwrap();
    members.sort();
    assert_eq!(members, (0..10).map(|n| 4 * n + 1).collect::<Vec<u32>>());
    asked.sort();
    assert_eq!(asked, (0..40).collect::<Vec<u32>>());
}

#[test]
fn an_account_that_stands_on_the_line_twice_is_named_once() {
    let mut electorate = with(&[5, 5]);
    electorate.append(&0, 5).unwrap();
    assert_eq!(electorate.total(), Ok(15));
    let mut members = electorate.distinct(&seed(0), 3, |_| true).unwrap();
    members.sort();
    assert_eq!(members, [0, 1]);
}
