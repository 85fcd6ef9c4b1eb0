//! The exact sums: that they say what the protocol's design says, and that counting draws by chance comes to the same.

use hydra_primitives::{
    H256,
    electorate::{Draw, REDRAWS, SEATS_APPEAL, SEATS_FIRST, SEATS_LAST, point},
    poll::Count,
};
use hydra_simulator::{
    dice,
    exact::{Chance, Ends, Line, Play, Seat, Who, ends, hostile_hold, lie_wins, stays_open},
};

/// A third of the weight is hostile, and 15 % of the rest is off.
fn usual() -> Line {
    Line::shares(0.33, 0.15)
}

fn within(found: f64, from: f64, to: f64) {
    assert!(
        (from..=to).contains(&found),
        "{found:e} is not in {from:e}..={to:e}"
    );
}

#[test]
fn twenty_seats_let_a_lie_through_once_in_twenty_million_and_twelve_once_in_twenty_five_thousand() {
    let first = |seats| lie_wins(Draw::First, &usual().independent(seats)).once_in();
    within(first(SEATS_FIRST), 2.0e7, 2.2e7);
    within(first(12), 2.5e4, 2.65e4);
    within(first(8), 900.0, 970.0);
    assert!(first(64) > 1e23);
}

#[test]
fn an_appeal_lets_a_lie_through_less_than_once_in_a_hundred_million_and_a_last_draw_never() {
    let appeal = lie_wins(Draw::Appeal, &usual().independent(SEATS_APPEAL));
    within(appeal.value(), 6e-9, 1e-8);
    let last = lie_wins(Draw::Last, &usual().independent(SEATS_LAST));
    within(last.value(), 1e-30, 1e-27);
}

#[test]
fn a_third_holds_fourteen_of_twenty_seats_once_in_thirteen_hundred_draws() {
    let quick = hostile_hold(14, &usual().independent(SEATS_FIRST));
    within(quick.once_in(), 1_200.0, 1_350.0);
}

#[test]
fn a_hundredth_and_a_half_of_appeals_goes_to_the_last_draw_and_five_in_a_million_of_those_stay_undecided() {
    let open = |draw, seats| stays_open(draw, &usual().independent(seats), Play::Lying).value();
    within(open(Draw::Appeal, SEATS_APPEAL), 0.0145, 0.0152);
    within(open(Draw::Last, SEATS_LAST), 4e-6, 5.5e-6);
}

#[test]
fn a_whole_poll_is_wrong_less_than_once_in_a_million_and_honest_work_is_decided_in_all_but_a_thousandth() {
    for play in [Play::Lying, Play::Silent] {
        let Ends {
            lie,
            undecided,
            appealed,
            seats,
            ..
        } = ends(&usual(), SEATS_FIRST, play);
        within(lie.value(), 4e-8, 1e-6);
        assert!(undecided.value() < 1e-3, "{play:?}: {}", undecided.value());
        // What it costs, in tasks: 20 in peace.
        match play {
            Play::Lying => {
                assert!(appealed.value() > 0.99);
                within(seats, 285.0, 295.0);
            }
            Play::Silent => {
                within(appealed.value(), 0.33, 0.35);
                within(seats, 110.0, 115.0);
            }
        }
    }
    let peace = ends(&Line::shares(0.0, 0.0), SEATS_FIRST, Play::Lying);
    assert!(peace.appealed.is_none() && peace.seats == 20.0);
}

#[test]
fn with_a_quarter_offline_a_fifth_stays_undecided() {
    let line = Line::shares(0.33, 0.25);
    let found = ends(&line, SEATS_FIRST, Play::Lying);
    within(found.undecided.value(), 0.2, 0.25);
}

#[test]
fn once_the_absent_have_left_nothing_stays_undecided() {
    // The same quarter of the honest, but every point that falls on them is drawn again.
    let line = Line::of([(Who::Hostile, 3_300), (Who::Out, 1_675), (Who::Working, 5_025)]);
    let open = |draw, seats| stays_open(draw, &line.independent(seats), Play::Lying).value();
    let left = open(Draw::Appeal, SEATS_APPEAL);
    assert!(left < 1e-3, "{left}");
    // Nor does it help a lie that fewer seats are left: it has 39.6 % of them now.
    within(
        lie_wins(Draw::First, &line.independent(SEATS_FIRST)).once_in(),
        1e7,
        1e9,
    );
}

/// However accounts stand on the line, a draw from stretches is no better for a lie than one from the whole line.
#[test]
fn no_arrangement_of_accounts_makes_a_lie_more_likely() {
    use Who::{Absent, Hostile, Working};
    let arrangements = [
        vec![(Hostile, 33), (Absent, 10), (Working, 57)],
        vec![(Working, 20), (Hostile, 33), (Working, 37), (Absent, 10)],
        (0..30)
            .flat_map(|_| [(Hostile, 11), (Working, 19), (Absent, 3)])
            .collect(),
        (0..11)
            .flat_map(|_| [(Hostile, 3), (Absent, 1), (Working, 5)])
            .collect(),
        vec![(Hostile, 1), (Working, 1), (Hostile, 1), (Working, 3)],
    ];
    for accounts in arrangements {
        let line = Line::of(accounts);
        for (draw, seats) in [
            (Draw::First, 20),
            (Draw::First, 8),
            (Draw::Appeal, 40),
            (Draw::Appeal, SEATS_APPEAL),
        ] {
            let (drawn, anywhere) = (
                lie_wins(draw, &line.stratified(seats)),
                lie_wins(draw, &line.independent(seats)),
            );
            assert!(
                drawn.is_at_most(&anywhere),
                "{line:?} {draw:?} {seats}: {} and {}",
                drawn.value(),
                anywhere.value()
            );
        }
    }
}

/// How often something happens in so many draws, and how likely that is.
struct Counted {
    times: u32,
    chance: Chance,
}

/// A draw made by chance: who has each seat, `None` where it stays empty.
type Drawn = Vec<Option<Who>>;

/// Draws as the chain does it, from stretches.
fn from_stretches(line: &Line, seats: u32, trial: u32) -> Drawn {
    let seed = H256(dice::bytes(1, "exact stretches", &[trial]));
    (0..seats)
        .map(|seat| {
            (0..=REDRAWS)
                .filter_map(|attempt| line.at(point(&seed, seat, attempt, seats, line.total())?))
                .find(|who| *who != Who::Out)
        })
        .collect()
}

/// Draws each seat from the whole line.
fn from_anywhere(line: &Line, seats: u32, trial: u32) -> Drawn {
    (0..seats)
        .map(|seat| {
            let mut tries = (0..=u32::from(REDRAWS)).filter_map(|attempt| {
                let [a, b, c, d, ..] = dice::bytes(1, "exact anywhere", &[trial, seat, attempt]);
                let drawn = u64::from(u32::from_le_bytes([a, b, c, d]));
                line.at((drawn * line.total()) >> 32)
            });
            tries.find(|who| *who != Who::Out)
        })
        .collect()
}

/// Whether an opening decides that so many match and so many differ from.
fn decides(draw: Draw, drawn: &[Option<Who>], matches: Who, differs: Option<Who>) -> bool {
    let count = |kind| drawn.iter().filter(|who| **who == Some(kind)).count() as u32;
    let count = Count {
        seats: drawn.len() as u32,
        matching: count(matches),
        differing: differs.map_or(0, count),
        busy: 0,
    };
    count.decides(draw)
}

const TRIALS: u32 = 20_000;

/// As likely as the sum says, to five standard errors of a count of so many trials.
fn agree(what: &str, counted: Counted) {
    let p = counted.chance.value();
    let trials = f64::from(TRIALS);
    let (expected, error) = (trials * p, (trials * p * (1.0 - p)).sqrt());
    let off = (f64::from(counted.times) - expected).abs();
    assert!(
        off <= 5.0 * error + 1.0,
        "{what}: counted {} times, expected {expected:.1} ± {error:.1}",
        counted.times
    );
    assert!(expected > 20.0, "{what}: too rare to be counted: {expected:.1}");
}

#[test]
fn counting_draws_of_few_seats_comes_to_what_the_sums_say() {
    use Who::{Absent, Hostile, Out, Working};
    let pieces = [
        [(Hostile, 4), (Working, 3), (Out, 2), (Absent, 2)],
        [(Working, 4), (Hostile, 3), (Absent, 3), (Out, 1)],
    ];
    // Four times the one, then four times the other: stretches differ.
    let line = Line::of(pieces.into_iter().flat_map(|piece| piece.repeat(4)));
    type Sampler = fn(&Line, u32, u32) -> Drawn;
    type Way = (&'static str, Sampler, fn(&Line, u32) -> Vec<Seat>);
    let ways: [Way; 2] = [
        ("stretches", from_stretches, Line::stratified),
        ("anywhere", from_anywhere, Line::independent),
    ];
    for (name, sample, seats_of) in ways {
        for seats in [8, 9] {
            let exact = seats_of(&line, seats);
            let draws: Vec<Drawn> = (0..TRIALS).map(|trial| sample(&line, seats, trial)).collect();
            let count = |is: &dyn Fn(&Drawn) -> bool| draws.iter().filter(|drawn| is(drawn)).count() as u32;
            for draw in [Draw::First, Draw::Appeal] {
                let lies = Counted {
                    times: count(&|drawn| decides(draw, drawn, Hostile, Some(Working))),
                    chance: lie_wins(draw, &exact),
                };
                agree(&format!("a lie wins {draw:?} of {seats} from {name}"), lies);
                for (play, differs) in [(Play::Lying, Some(Hostile)), (Play::Silent, None)] {
                    let open = Counted {
                        times: count(&|drawn| !decides(draw, drawn, Working, differs)),
                        chance: stays_open(draw, &exact, play),
                    };
                    agree(
                        &format!("{draw:?} of {seats} from {name} stays open, {play:?}"),
                        open,
                    );
                }
            }
            let held = Counted {
                times: count(&|drawn| drawn.iter().filter(|who| **who == Some(Hostile)).count() >= 5),
                chance: hostile_hold(5, &exact),
            };
            agree(&format!("five of {seats} from {name} are hostile"), held);
        }
    }
}
