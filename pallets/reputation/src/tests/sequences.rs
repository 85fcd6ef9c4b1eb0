//! Whatever happens to an account, in whatever order.

use hydra_primitives::{
    HYDRA,
    reputation::Deed,
    traits::{Heartbeats, Nodes as _},
};
use proptest::prelude::*;

use crate::mock::*;

fn now() -> u32 {
    u32::try_from(System::block_number()).expect("a test is short")
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Beat,
    Missed,
    Wrong,
    Right,
    Leave,
    Pause,
    Resume,
    Bond(u128),
    Late,
    Progress(u16),
    Blocks(u64),
    NextSession,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => Just(Step::Beat),
        2 => Just(Step::Missed),
        1 => Just(Step::Wrong),
        1 => Just(Step::Right),
        1 => Just(Step::Leave),
        1 => Just(Step::Pause),
        2 => Just(Step::Resume),
        1 => (0u128..3).prop_map(Step::Bond),
        1 => Just(Step::Late),
        1 => any::<u16>().prop_map(Step::Progress),
        2 => (1u64..60).prop_map(Step::Blocks),
        3 => Just(Step::NextSession),
    ]
}

proptest! {
    /// It enters each electorate once (the scripted one insists); it is in only where it stands in this session's, with stake, not
    /// paused; it is out right after whatever takes it out; and whatever happened, it can come back within three sessions.
    #[test]
    fn an_account_is_in_only_where_it_stands_and_can_always_come_back(steps in prop::collection::vec(step(), 0..60)) {
        with_chain(|| {
            let who = account(1);
            let signed = || RuntimeOrigin::signed(account(1));
            let mut paused = false;
            for step in steps {
                let session = Session::get();
                match step {
                    Step::Beat => {
                        if let Some(owed) = Reputation::owed(&who) {
                            assert_eq!(owed, session);
                            Reputation::beat(&who, owed).unwrap();
                        } else {
                            Reputation::beat(&who, session).unwrap_err();
                        }
                        assert!(Reputation::owed(&who).is_none());
                    }
                    Step::Missed => Reputation::finish(&who, Some(Deed::Missed), now()),
                    Step::Wrong => Reputation::finish(&who, Some(Deed::Wrong), now()),
                    Step::Right => Reputation::finish(&who, Some(Deed::Right), now()),
                    Step::Leave => Reputation::leave(&who),
                    Step::Pause => {
                        assert_eq!(Reputation::pause(signed()).is_ok(), !paused);
                        paused = true;
                    }
                    Step::Resume => {
                        assert_eq!(Reputation::resume(signed()).is_ok(), paused);
                        paused = false;
                    }
                    Step::Bond(hydra) => set_bond(&who, hydra * HYDRA),
                    Step::Late => Taking::set(&false),
                    Step::Progress(progress) => Progress::set(&progress),
                    Step::Blocks(blocks) => System::set_block_number(System::block_number() + blocks),
                    Step::NextSession => next_session(),
                }
                let falls = matches!(step, Step::Missed | Step::Wrong | Step::Leave | Step::Pause | Step::Bond(0));
                let session = Session::get();
                let stands = stands_in(1, session) || session == 0;
                if Reputation::is_in(&who) {
                    assert!(stands && !paused && !falls);
                }
                Reputation::do_try_state().unwrap();
            }
            set_bond(&who, HYDRA);
            let _ = Reputation::resume(signed());
            Progress::set(&u16::MAX);
            for _ in 0..3 {
                next_session();
                System::set_block_number(System::block_number() + 100);
                if let Some(owed) = Reputation::owed(&who) {
                    Reputation::beat(&who, owed).unwrap();
                }
            }
            assert!(Reputation::is_in(&who));
        });
    }
}
