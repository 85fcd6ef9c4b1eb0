//! How many fit, and what each operation reads and writes.

use super::{Memory, appended, at, memory::Counts, seed, with};
use crate::electorate::{Electorate, Error, Node};
use codec::{Encode, MaxEncodedLen};
use hydra_primitives::electorate::{SEATS_LAST, SLOTS};

fn nodes(counts: Counts) -> (usize, usize) {
    (counts.nodes_read, counts.nodes_written)
}

/// With 3 accounts and with 100,000 alike.
#[test]
fn what_is_read_and_written_does_not_depend_on_the_number_of_accounts() {
    for accounts in [3, 100_000] {
        let mut electorate = with(&vec![7; accounts]);
        electorate.store.counts();
        electorate.total().unwrap();
        assert_eq!(nodes(electorate.store.counts()), (1, 0), "total");
        electorate.at(20).unwrap();
        let counts = electorate.store.counts();
        assert_eq!((nodes(counts), counts.others_read), ((3, 0), 1), "a draw");
        electorate.append(&200_000, 9).unwrap();
        let counts = electorate.store.counts();
        assert_eq!(
            (nodes(counts), counts.others_read, counts.others_written),
            ((3, 3), 1, 2),
            "appending"
        );
        let mut later = at(&electorate, 2);
        later.store.counts();
        later.append(&200_000, 5).unwrap();
        let counts = later.store.counts();
        assert_eq!(
            (nodes(counts), counts.others_read, counts.others_written),
            ((3, 3), 1, 2),
            "the first of a session, in the place of another"
        );
        later.check().unwrap();
    }
}

#[test]
fn a_draw_of_many_seats_reads_each_node_once() {
    let electorate = with(&vec![1_000_000; 10_000]);
    electorate.store.counts();
    let seats = electorate.seats(&seed(1), SEATS_LAST, |_| true).unwrap();
    assert!(seats.iter().all(Option::is_some));
    let counts = electorate.store.counts();
    // The root, 3 middle nodes, and the 157 leaves that 10,000 accounts fill.
    assert!(counts.nodes_read <= 1 + 3 + 157, "{counts:?}");
    assert_eq!(counts.others_read, 1_024);
    // However many are refused, five points are looked at for each seat.
    electorate.seats(&seed(1), 20, |_| false).unwrap();
    let counts = electorate.store.counts();
    assert_eq!(counts.others_read, 100);
    assert!(counts.nodes_read <= 1 + 2 * 100, "{counts:?}");
}

#[test]
fn a_draw_of_different_accounts_looks_at_eight_times_their_number_at_most() {
    let electorate = with(&vec![3; 5_000]);
    electorate.store.counts();
    assert_eq!(electorate.distinct(&seed(1), 64, |_| false), Ok(vec![]));
    let counts = electorate.store.counts();
    assert_eq!(counts.others_read, 8 * 64);
    assert!(counts.nodes_read <= 1 + 2 * 8 * 64, "{counts:?}");
}

#[test]
fn a_draw_of_too_many_is_refused() {
    let electorate = with(&[1]);
    assert_eq!(electorate.seats(&seed(1), 1_025, |_| true), Err(Error::TooMany));
    assert_eq!(
        electorate.distinct(&seed(1), 1_025, |_| true),
        Err(Error::TooMany)
    );
    assert_eq!(electorate.seats(&seed(1), 0, |_| true), Ok(vec![]));
    assert_eq!(electorate.distinct(&seed(1), 0, |_| true), Ok(vec![]));
}

#[test]
fn more_than_250_000_accounts_fit_and_the_next_is_refused_until_the_next_session() {
    let weight = |who: u32| u64::from(who % 7);
    let mut electorate = Electorate::new(Memory::<u32>::default(), 0);
    let mut ends = Vec::new();
    let mut end = 0;
    for who in 0..SLOTS {
        assert_eq!(electorate.append(&who, weight(who)), Ok(who));
        end += weight(who);
        ends.push(end);
    }
    assert!(ends.len() >= 250_000);
    assert_eq!(electorate.total(), Ok(end));
    let before = electorate.store.nodes.clone();
    assert_eq!(electorate.append(&SLOTS, 1), Err(Error::Full));
    assert_eq!(electorate.store.nodes, before);
    assert_eq!(electorate.len(), SLOTS);
    for point in (0..end).step_by(997).chain([end - 1]) {
        let who = ends.partition_point(|end| *end <= point);
        let drawn = electorate.at(point).unwrap();
        assert_eq!(usize::try_from(drawn.who).unwrap(), who, "at {point}");
        assert_eq!(drawn.weight, weight(drawn.who));
    }
    electorate.check().unwrap();
    let next = appended(at(&electorate, 1), &[1, 1]);
    assert_eq!((next.len(), at(&next, 0).len()), (2, SLOTS));
    let after = appended(at(&next, 2), &[1]);
    assert_eq!((after.len(), after.total()), (1, Ok(1)));
    after.check().unwrap();
}

#[test]
fn a_node_is_stored_in_half_a_kibibyte() {
    assert_eq!(Node::default().encode().len(), 4 + 64 * 8);
    assert_eq!(Node::max_encoded_len(), 4 + 64 * 8);
}
