use super::*;
use crate::origin::Origin;
use proptest::prelude::*;

fn bounds() -> Config {
    Config::default()
}

/// Somebody we chose, of a network and an address of its own.
fn chosen(number: u16) -> Candidate {
    let [high, low] = number.to_be_bytes();
    Candidate {
        peer: PeerId::random(),
        place: Some(Place::Direct(Origin::V4([20 + high, low, 0, 1].into()))),
        prefix: Some(Prefix::V4([20 + high, low])),
        capabilities: 0,
        chosen: true,
        visit: false,
        pinned: false,
        standing: 0,
        merit: 0.0,
    }
}

fn came(number: u16) -> Candidate {
    Candidate {
        chosen: false,
        ..chosen(number)
    }
}

const OTHERS: Situation = Situation {
    small: false,
    others: true,
};

const SMALL: Situation = Situation {
    small: true,
    others: false,
};

fn slots() -> (Slots, Instant) {
    let now = Instant::now();
    (Slots::new(bounds(), now), now)
}

#[test]
fn eight_stay_and_four_are_tried_out_until_the_eight_are_there_then_two() {
    let (mut slots, now) = slots();
    assert_eq!(slots.lacking(OTHERS), 12);
    let mut all: Vec<_> = (0..7).map(chosen).collect();
    slots.review(&all, OTHERS, now);
    assert_eq!((slots.count(Slot::LongTerm), slots.lacking(OTHERS)), (7, 5));
    assert!(!slots.is_settled());
    all.extend((7..20).map(chosen));
    slots.review(&all, OTHERS, now);
    assert_eq!(
        (slots.count(Slot::LongTerm), slots.count(Slot::Exploratory)),
        (8, 2)
    );
    assert_eq!(slots.lacking(OTHERS), 0);
    assert!(slots.is_settled());
}

#[test]
fn in_a_small_network_everybody_keeps_everybody() {
    let (mut slots, now) = slots();
    // All behind one router, some only visited.
    let mut all: Vec<_> = (0..12).map(chosen).collect();
    for one in &mut all {
        one.place = None;
        one.prefix = Some(Prefix::V4([192, 168]));
        one.visit = true;
    }
    slots.review(&all, SMALL, now);
    assert_eq!(slots.held.len(), 12);
    for hour in 1..10u32 {
        let review = slots.review(&all, SMALL, now + Duration::from_secs(3600) * hour);
        assert!(!review.changed, "nobody is exchanged");
    }
}

#[test]
fn who_comes_to_us_takes_no_place_of_those_that_we_choose() {
    let (mut slots, now) = slots();
    let all: Vec<_> = (0..100).map(came).collect();
    slots.review(&all, OTHERS, now);
    assert_eq!(slots.count(Slot::Inbound), bounds().inbound);
    assert_eq!(slots.lacking(OTHERS), 12);
}

#[test]
fn who_is_registered_takes_the_inbound_place_of_who_is_not() {
    let (mut slots, now) = slots();
    let mut all: Vec<_> = (0..32).map(came).collect();
    all[3].merit = -1.0;
    slots.review(&all, OTHERS, now);
    let member = Candidate {
        standing: 1,
        ..came(40)
    };
    let stranger = came(41);
    all.extend([member.clone(), stranger.clone()]);
    let review = slots.review(&all, OTHERS, now);
    assert_eq!(review.dismissed, [all[3].peer], "the worst one");
    assert_eq!(slots.of(&member.peer), Slot::Inbound);
    assert_eq!(slots.of(&stranger.peer), Slot::None);
    assert!(!slots.review(&all, OTHERS, now).changed, "and there it ends");
}

#[test]
fn a_fourth_identity_of_one_address_gets_no_slot_and_one_on_the_local_network_does() {
    let (mut slots, now) = slots();
    let place = chosen(1).place;
    let mut all: Vec<_> = (0..3).map(came).collect();
    all.extend((3..6).map(chosen));
    for one in &mut all {
        one.place = place;
    }
    slots.review(&all, OTHERS, now);
    assert_eq!(slots.held.len(), 3, "inbound and outbound together");
    for one in &mut all {
        one.place = None;
        one.prefix = None;
    }
    slots.review(&all, OTHERS, now);
    assert_eq!(slots.held.len(), 6);
}

#[test]
fn a_network_gets_its_quarter_while_there_are_others_and_all_if_there_are_none() {
    let (mut slots, now) = slots();
    let all: Vec<_> = (0..10)
        .map(|number| Candidate {
            prefix: Some(Prefix::V4([192, 0])),
            ..chosen(number)
        })
        .collect();
    slots.review(&all, OTHERS, now);
    assert_eq!(
        (slots.count(Slot::LongTerm), slots.count(Slot::Exploratory)),
        (2, 4)
    );
    let none = Situation::default();
    slots.review(&all, none, now);
    assert_eq!(slots.count(Slot::LongTerm), 8);
    // Others come after all: one takes a place at each exchange, until all networks have their share.
    let mut all = all;
    all.extend((20..40).map(chosen));
    let mut time = now;
    for _ in 0..30 {
        time += bounds().exchange;
        slots.review(&all, OTHERS, time);
    }
    let table: Table = all.iter().map(|c| (c.peer, c)).collect();
    assert_eq!(slots.long_term_in(Prefix::V4([192, 0]), &table), 2);
    assert!(slots.is_settled());
}

#[test]
fn the_better_takes_the_place_of_the_worst_only_if_it_is_clearly_better() {
    let (mut slots, now) = slots();
    let mut all: Vec<_> = (0..8).map(chosen).collect();
    all[5].merit = -10.0;
    slots.review(&all, OTHERS, now);
    let tried = Candidate {
        merit: -10.0 + CLEARLY - 1.0,
        ..chosen(9)
    };
    all.push(tried.clone());
    let later = now + bounds().exchange;
    slots.review(&all, Situation::default(), later);
    assert_eq!(slots.of(&tried.peer), Slot::Exploratory);
    all[8].merit = -10.0 + CLEARLY + 1.0;
    let review = slots.review(&all, Situation::default(), later);
    assert!(!review.changed, "not yet");
    let review = slots.review(&all, Situation::default(), later + bounds().exchange);
    assert_eq!(review.dismissed, [all[5].peer]);
    assert_eq!(slots.of(&tried.peer), Slot::LongTerm);
    // And back only if it becomes clearly better itself, and not while it is still connected.
    assert_eq!(slots.of(&all[5].peer), Slot::None);
}

#[test]
fn those_that_are_tried_out_give_way_to_others_every_few_minutes() {
    let (mut slots, now) = slots();
    let mut all: Vec<_> = (0..10).map(chosen).collect();
    slots.review(&all, OTHERS, now);
    let tried: Vec<_> = slots
        .holders()
        .into_iter()
        .filter(|p| slots.of(p) == Slot::Exploratory)
        .collect();
    let review = slots.review(&all, OTHERS, now + bounds().exchange);
    assert_eq!(review.dismissed.len(), 1);
    assert!(tried.contains(&review.dismissed[0]));
    assert_eq!(slots.lacking(OTHERS), 1, "somebody else is to be dialled");
    let new = chosen(30);
    all.push(new.clone());
    slots.review(&all, OTHERS, now + bounds().exchange);
    assert_eq!(slots.of(&new.peer), Slot::Exploratory);
    // With nobody else to try, they stay.
    let none = Situation::default();
    let review = slots.review(&all, none, now + bounds().exchange * 5);
    assert!(review.dismissed.is_empty());
}

#[test]
fn a_visit_takes_no_slot_where_all_are_taken_and_one_where_some_are_free() {
    let (mut slots, now) = slots();
    let visit = Candidate {
        visit: true,
        merit: 50.0,
        ..chosen(90)
    };
    let mut all: Vec<_> = (0..9).map(chosen).collect();
    slots.review(&all, OTHERS, now);
    all.push(visit.clone());
    slots.review(&all, OTHERS, now);
    assert_eq!(slots.of(&visit.peer), Slot::None);
    all.drain(0..4);
    slots.review(&all, OTHERS, now);
    assert_eq!(slots.of(&visit.peer), Slot::LongTerm);
}

#[test]
fn a_bootstrap_peer_stays_whatever_happens_and_counts_for_its_address() {
    let (mut slots, now) = slots();
    let boot = Candidate {
        pinned: true,
        merit: DISGRACED - 10.0,
        ..came(1)
    };
    let mut all: Vec<_> = (0..20).map(chosen).collect();
    for one in all.iter_mut().take(3) {
        one.place = boot.place;
        one.standing = 2;
    }
    slots.review(&all, OTHERS, now);
    all.push(boot.clone());
    for later in 0..5u32 {
        slots.review(&all, OTHERS, now + bounds().exchange * later);
        assert_eq!(slots.of(&boot.peer), Slot::LongTerm);
    }
}

#[test]
fn who_did_wrong_loses_its_slot() {
    let (mut slots, now) = slots();
    let mut all = vec![chosen(1), came(2)];
    slots.review(&all, OTHERS, now);
    for one in &mut all {
        one.merit = DISGRACED;
    }
    let review = slots.review(&all, OTHERS, now);
    assert!(review.changed && review.dismissed.len() == 2);
    assert!(slots.held.is_empty());
}

#[test]
fn the_only_one_that_can_do_something_is_not_given_up_and_one_that_brings_it_is_taken() {
    let (mut slots, now) = slots();
    let mut all: Vec<_> = (0..8).map(chosen).collect();
    all[2].capabilities = 1;
    all[2].merit = -15.0;
    slots.review(&all, OTHERS, now);
    all.push(Candidate {
        capabilities: 2,
        ..chosen(10)
    });
    all.push(Candidate {
        merit: 20.0,
        ..chosen(11)
    });
    let mut time = now;
    for _ in 0..6 {
        slots.review(&all, Situation::default(), time);
        time += bounds().exchange;
    }
    for able in [&all[2], &all[8]] {
        assert_eq!(slots.of(&able.peer), Slot::LongTerm);
    }
}

#[test]
fn near_and_old_peers_have_merit_and_no_latency_makes_an_enemy() {
    let zero = Duration::ZERO;
    assert!(merit(0.0, Some(zero), zero) > merit(0.0, Some(Duration::from_millis(200)), zero));
    assert!(merit(0.0, Some(Duration::from_secs(9)), zero) >= 0.0);
    assert!(merit(0.0, None, Duration::from_secs(7200)) > merit(0.0, None, Duration::from_secs(60)));
}

/// Peers of few addresses and networks, so that bounds are met.
fn candidate() -> impl Strategy<Value = Candidate> {
    let where_ = (0..3u8, 0..4u8, 0..4u8);
    let what = (
        0..8u32,
        any::<bool>(),
        any::<bool>(),
        0..20u8,
        0..3u8,
        -40.0..40.0f64,
    );
    (where_, what).prop_map(
        |((kind, net, host), (capabilities, chosen, visit, pinned, standing, merit))| {
            let origin = Origin::V4([30, net, 0, host].into());
            Candidate {
                peer: PeerId::random(),
                place: match kind {
                    0 => None,
                    1 => Some(Place::Direct(origin)),
                    _ => Some(Place::Relayed(origin)),
                },
                prefix: (kind > 0).then_some(Prefix::V4([30, net])),
                capabilities,
                chosen,
                visit,
                pinned: pinned == 0,
                standing,
                merit,
            }
        },
    )
}

fn check(slots: &Slots, connected: &[Candidate], others: bool) -> Result<(), TestCaseError> {
    let bounds = bounds();
    let table: Table = connected.iter().map(|c| (c.peer, c)).collect();
    prop_assert!(
        slots.held.keys().all(|peer| table.contains_key(peer)),
        "nobody is kept who is gone"
    );
    prop_assert!(slots.dismissed.iter().all(|peer| table.contains_key(peer)));
    let pinned = connected.iter().filter(|c| c.pinned).count();
    prop_assert!(slots.count(Slot::LongTerm) <= bounds.long_term.max(pinned));
    prop_assert!(slots.count(Slot::Exploratory) <= bounds.exploratory);
    prop_assert!(slots.count(Slot::Inbound) <= bounds.inbound);
    let mut places: BTreeMap<Place, usize> = BTreeMap::new();
    let mut prefixes: BTreeMap<Prefix, usize> = BTreeMap::new();
    for (peer, held) in &slots.held {
        let c = table[peer];
        prop_assert!(c.merit > DISGRACED || c.pinned);
        prop_assert!(c.chosen || c.pinned || held.slot == Slot::Inbound);
        if let Some(place) = c.place
            && !c.pinned
        {
            *places.entry(place).or_default() += 1;
        }
        if let Some(prefix) = c.prefix
            && held.slot == Slot::LongTerm
            && !c.pinned
        {
            *prefixes.entry(prefix).or_default() += 1;
        }
    }
    prop_assert!(
        places.values().all(|count| *count <= bounds.per_origin),
        "{places:?}"
    );
    if others {
        prop_assert!(
            prefixes.values().all(|count| *count <= bounds.long_term / 4),
            "{prefixes:?}"
        );
    }
    // Nobody who isn't registered has an inbound slot that somebody who is could have.
    let inbound = |c: &&&Candidate| slots.of(&c.peer) == Slot::Inbound;
    let worst = table.values().filter(inbound).map(|c| c.standing).min();
    let waits = table
        .values()
        .filter(|c| !c.chosen && slots.of(&c.peer) == Slot::None && slots.may_have_one(c, &table))
        .map(|c| c.standing)
        .max();
    if let Some(waits) = waits {
        prop_assert_eq!(slots.count(Slot::Inbound), bounds.inbound);
        prop_assert!(worst >= Some(waits));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn whoever_comes_and_goes_all_bounds_hold(
        waves in prop::collection::vec((prop::collection::vec(candidate(), 0..60), 0..400u64, 0..50u8), 1..12),
    ) {
        let (mut slots, mut now) = slots();
        let mut connected: Vec<Candidate> = Vec::new();
        for (news, pause, leave) in waves {
            now += Duration::from_secs(pause);
            connected.retain(|c| c.peer.to_bytes().last().is_none_or(|last| last % 50 >= leave));
            connected.extend(news);
            slots.review(&connected, OTHERS, now);
            check(&slots, &connected, true)?;
        }
    }

    #[test]
    fn whatever_the_situation_the_bounds_per_address_hold(
        waves in prop::collection::vec(
            (prop::collection::vec(candidate(), 0..30), 0..400u64, any::<(bool, bool)>()), 1..8
        ),
    ) {
        let (mut slots, mut now) = slots();
        let mut connected: Vec<Candidate> = Vec::new();
        for (news, pause, (small, others)) in waves {
            now += Duration::from_secs(pause);
            connected.extend(news);
            slots.review(&connected, Situation { small, others }, now);
            check(&slots, &connected, false)?;
        }
    }
}
