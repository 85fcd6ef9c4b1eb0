use hydra_primitives::{
    Perbill,
    reputation::{Deed, FOUNDER, NEWCOMER, after},
    traits::Nodes as _,
};

use crate::{Event, mock::*};

fn score() -> Perbill {
    Reputation::score(&account(1))
}

#[test]
fn a_duty_moves_the_score_by_a_32nd_and_says_so() {
    with_chain(|| {
        for deed in [Deed::Right, Deed::Missed] {
            let before = score();
            Reputation::finish(&account(1), Some(deed), 300);
            assert_eq!(score(), after(before, deed));
            assert!((score() > before) == (deed == Deed::Right));
            System::assert_has_event(
                Event::ScoreChanged {
                    who: account(1),
                    deed,
                    score: score(),
                }
                .into(),
            );
        }
    });
}

#[test]
fn nobody_is_judged_by_a_duty_that_ends_without_a_judgement() {
    with_chain(|| {
        Reputation::take_on(&account(1));
        Reputation::finish(&account(1), None, 300);
        assert_eq!(score(), FOUNDER);
        assert!(Reputation::is_in(&account(1)));
        assert!(System::events().is_empty());
    });
}

#[test]
fn a_wrong_result_sets_a_score_back_to_a_tenth_and_leaves_a_lower_one() {
    with_chain(|| {
        Reputation::finish(&account(1), Some(Deed::Wrong), 300);
        assert_eq!(score(), NEWCOMER);
        assert!(!Reputation::is_in(&account(1)));
        (0..10).for_each(|_| Reputation::finish(&account(1), Some(Deed::Missed), 300));
        let low = score();
        assert!(low < NEWCOMER);
        Reputation::finish(&account(1), Some(Deed::Wrong), 300);
        assert_eq!(score(), low);
    });
}

#[test]
fn who_forges_every_other_time_never_gets_beyond_the_weight_of_a_newcomer_for_long() {
    with_chain(|| {
        for _ in 0..100 {
            Reputation::finish(&account(1), Some(Deed::Wrong), 300);
            Reputation::finish(&account(1), Some(Deed::Right), 300);
            assert!(score() <= after(NEWCOMER, Deed::Right));
        }
    });
}

#[test]
fn more_bad_deeds_never_raise_a_score() {
    with_chain(|| {
        for deed in [Deed::Missed, Deed::Wrong, Deed::Missed] {
            for _ in 0..300 {
                let before = score();
                Reputation::finish(&account(1), Some(deed), 300);
                assert!(score() <= before);
            }
        }
    });
}

#[test]
fn strangers_have_no_score_and_get_none() {
    with_chain(|| {
        Reputation::take_on(&account(9));
        Reputation::finish(&account(9), Some(Deed::Right), 300);
        Reputation::finish(&account(9), Some(Deed::Wrong), 300);
        assert_eq!(Reputation::score(&account(9)), Perbill::zero());
        assert!(!Reputation::is_registered(&account(9)) && Reputation::peer_id(&account(9)).is_none());
        assert!(System::events().is_empty());
    });
}
