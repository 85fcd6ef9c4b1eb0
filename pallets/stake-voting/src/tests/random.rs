//! Whatever accounts do, whatever the weights, and however little weight a block has: a poll ends, and nobody who was right loses.

use super::*;
use crate::{WeightInfo, mock::*};
use hydra_primitives::{electorate::SEATS_MAX, reputation::Deed, rewards::by_seats};
use proptest::prelude::*;
use std::collections::BTreeMap;

#[derive(Clone, Copy, PartialEq, Debug)]
enum Habit {
    /// Computes, gives, and opens when it is its turn and decides.
    Honest,
    /// The same, but not in a first draw.
    Late,
    /// Gives and opens what the other liars do.
    Lying,
    /// Gives bits that mean nothing.
    Noisy,
    /// Nothing.
    Silent,
    /// Gives the truth, and leaves in the middle of the poll.
    Leaving,
}

impl Habit {
    fn gives(self, n: u8, draw: Draw) -> Option<H256> {
        match self {
            Self::Honest | Self::Leaving => Some(digest_of(n, TRUTH)),
            Self::Late => (draw != Draw::First).then(|| digest_of(n, TRUTH)),
            Self::Lying => Some(digest_of(n, LIE)),
            Self::Noisy => Some(H256::repeat_byte(n)),
            Self::Silent => None,
        }
    }
}

fn habit() -> impl Strategy<Value = Habit> {
    prop_oneof![
        6 => Just(Habit::Honest),
        1 => Just(Habit::Late),
        2 => Just(Habit::Lying),
        1 => Just(Habit::Noisy),
        2 => Just(Habit::Silent),
        1 => Just(Habit::Leaving),
    ]
}

#[derive(Clone, Debug)]
struct Story {
    members: Vec<(Balance, Habit)>,
    /// Whose claim, and whether it is true.
    claim: Option<(usize, bool)>,
    first_seats: u32,
    window: u32,
    randomness: u64,
    /// Seats' or judgements' worth of weight in each block.
    meters: Vec<u64>,
    /// Blocks of a session.
    session: u64,
}

impl Story {
    /// The accounts and what they bond.
    fn bonds(&self) -> Vec<(u8, Balance)> {
        let bonds = self.members.iter().map(|(bond, _)| *bond);
        (1..).zip(bonds).collect()
    }

    /// The accounts and what they do.
    fn habits(&self) -> Vec<(u8, Habit)> {
        let habits = self.members.iter().map(|(_, habit)| *habit);
        (1..).zip(habits).collect()
    }
}

fn story() -> impl Strategy<Value = Story> {
    let members = prop::collection::vec((1u128..40, habit()), 1..10);
    let claim = prop::option::of((0usize..10, any::<bool>()));
    let meters = prop::collection::vec(
        prop_oneof![Just(0u64), 1u64..4, 20u64..400, Just(u64::from(SEATS_MAX))],
        1..20,
    );
    (members, claim, 0u32..80, 1u32..5, any::<u64>(), meters, 10u64..60).prop_map(
        |(members, claim, first_seats, window, randomness, meters, session)| Story {
            members,
            claim,
            first_seats,
            window,
            randomness,
            meters,
            session,
        },
    )
}

/// Blocks in which the poll is over, where at least one of so many has weight for a seat. All 1,344 seats drawn, as many accounts judged at
/// most (there are ten), two blocks for what comes after them, and the waits.
fn bound(story: &Story) -> u64 {
    let idle = u64::try_from(story.meters.len()).unwrap();
    (64 + 256 + 1_024 + 10 + 2) * idle + 3 * u64::from(story.window + OPENING_BLOCKS) + 1
}

/// Does what accounts do in a block.
fn act(habits: &[(u8, Habit)], claimant: Option<u8>) -> Result<(), TestCaseError> {
    let Some(draw) = Polls::<Test>::get(POLL).map(|poll| poll.draw) else {
        return Ok(());
    };
    for (n, habit) in habits {
        let who = account(*n);
        let owes = StakeVoting::owes_digest(&POLL, &who).is_some();
        prop_assert!(!(owes && claimant == Some(*n)));
        if owes && let Some(digest) = habit.gives(*n, draw) {
            prop_assert_eq!(StakeVoting::give(&POLL, &who, digest), Ok(()));
        }
        let opening = match habit {
            Habit::Honest | Habit::Late | Habit::Leaving => TRUTH,
            Habit::Lying | Habit::Noisy => LIE,
            Habit::Silent => continue,
        };
        if let Some((draw, _)) = StakeVoting::may_open(&POLL, &who) {
            let decides = StakeVoting::would_decide(&POLL, &who, draw, &opening);
            // Liars try it on.
            if decides || opening == LIE {
                prop_assert_eq!(open(*n, draw, opening).is_ok(), decides);
            }
        }
        if *habit == Habit::Leaving {
            node(*n, |node| node.out = true);
        }
    }
    Ok(())
}

fn check(story: &Story) -> Result<(), TestCaseError> {
    let habits = story.habits();
    let all: Vec<u8> = habits.iter().map(|(n, _)| *n).collect();
    let claimant = story.claim.map(|(at, _)| all[at % all.len()]);
    let claim = claimant
        .zip(story.claim)
        .map(|(n, (_, right))| (n, if right { TRUTH } else { LIE }));
    let held = || -> Vec<Balance> { all.iter().map(|n| StakeVoting::held(&account(*n))).collect() };
    let (before, issued) = (held(), Balances::total_issuance());
    world(|world| world.randomness = story.randomness);
    StakeVoting::ask(
        POLL,
        Question {
            first_seats: story.first_seats,
            window: story.window,
            ..question(claim)
        },
    );

    let mut meters = story.meters.iter().cycle();
    let mut seen: BTreeMap<AccountId32, Seat> = BTreeMap::new();
    let mut judged_by_draw = Draw::First;
    // One block in each turn of the meters has weight for something.
    let mut blocks = 0u64;
    let outcome = loop {
        next_block();
        blocks += 1;
        prop_assert!(blocks <= bound(story), "it doesn't end");
        act(&habits, claimant)?;
        if let Some(poll) = Polls::<Test>::get(POLL) {
            judged_by_draw = poll.draw;
        }
        for (who, seat) in Seats::<Test>::iter_prefix(POLL) {
            seen.insert(who, seat);
        }
        let turn = u64::try_from(story.meters.len()).unwrap();
        let steps = if blocks.is_multiple_of(turn) {
            1
        } else {
            *meters.next().unwrap()
        };
        let step = one_seat().max(<()>::judge().saturating_add(<()>::share()));
        let mut meter = meter(step.saturating_mul(steps));
        let progress = StakeVoting::advance(&POLL, now(), &mut meter);
        prop_assert!(meter.consumed().all_lte(meter.limit()));
        if blocks.is_multiple_of(97) {
            prop_assert_eq!(StakeVoting::do_try_state(), Ok(()));
        }
        if let PollProgress::Over(outcome) = progress {
            break outcome;
        }
        if blocks.is_multiple_of(story.session) {
            next_session(&all);
        }
    };

    prop_assert_eq!(StakeVoting::do_try_state(), Ok(()));
    prop_assert_eq!(Seats::<Test>::iter().count() + Polls::<Test>::iter().count(), 0);
    prop_assert_eq!(outcome.draw, judged_by_draw);
    prop_assert!(world(|world| world.nodes.values().all(|node| node.busy == 0)));
    let by = match outcome.decision {
        Decision::Found(finding) if finding == TRUTH.finding => Some(TRUTH),
        Decision::Found(_) => Some(LIE),
        Decision::Undecided => None,
    };
    let (mut forfeited, mut right) = (0, Vec::new());
    for (n, (before, after)) in all.iter().zip(before.iter().zip(held())) {
        let seat = seen.get(&account(*n)).cloned().unwrap_or_default();
        let matches = by.map(|by| seat.digest == Some(digest_of(*n, by)));
        let wrong = seat.digest.is_some() && matches == Some(false);
        let owed = if wrong {
            FORFEIT * Balance::from(seat.first_drawn())
        } else {
            0
        };
        prop_assert_eq!(before - after, owed.min(*before), "account {}", n);
        forfeited += owed.min(*before);
        if claimant != Some(*n) && matches == Some(true) && seat.seats.first > 0 {
            right.push((account(*n), u32::from(seat.seats.first)));
        }
    }
    let mut found = outcome.right;
    found.sort();
    right.sort();
    prop_assert_eq!(&found, &right);
    if by.is_none() {
        prop_assert!(world(|world| world
            .finished
            .iter()
            .all(|(_, deed)| deed.is_none())));
    }
    let honest = |n: u8| habits[usize::from(n) - 1].1 == Habit::Honest;
    let blamed = world(|world| {
        let wrong = world
            .finished
            .iter()
            .filter(|(_, deed)| *deed == Some(Deed::Wrong));
        wrong.map(|(who, _)| who.clone()).collect::<Vec<_>>()
    });
    if by != Some(LIE) {
        prop_assert!(all.iter().all(|n| !honest(*n) || !blamed.contains(&account(*n))));
    }
    // What was forfeited is burnt, and at most half of it made anew, for those who were right.
    let shared = world(|world| world.shared.clone());
    let minted: Balance = match shared.as_slice() {
        [] => {
            prop_assert_eq!(forfeited, 0);
            0
        }
        [(amount, among)] => {
            prop_assert_eq!(*amount, forfeited);
            if let Some((claimant, claimed)) = claim {
                let seats = u32::from(
                    seen.get(&account(claimant))
                        .cloned()
                        .unwrap_or_default()
                        .seats
                        .first,
                );
                if by == Some(claimed) && seats > 0 {
                    right.push((account(claimant), seats));
                }
            }
            let mut among = among.clone();
            among.sort();
            right.sort();
            prop_assert_eq!(&among, &right);
            let all: u32 = among.iter().map(|(_, seats)| seats).sum();
            let parts = among
                .iter()
                .map(|(_, seats)| by_seats(forfeited / 2, *seats, all));
            parts.sum()
        }
        _ => return Err(TestCaseError::fail("it was shared twice")),
    };
    prop_assert!(minted <= forfeited / 2);
    prop_assert_eq!(issued - Balances::total_issuance(), forfeited - minted);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_poll_ends_and_nobody_who_was_right_forfeits(story in story()) {
        chain_of(&story.bonds()).execute_with(|| check(&story))?;
    }
}
