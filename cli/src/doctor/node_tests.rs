use super::*;
use hydra_primitives::HYDRA;

fn facts() -> Facts {
    Facts {
        version: "0.1.0".into(),
        rules: KNOWN_RULES,
        best: 100,
        finalised: 98,
        target: 100,
        block_age: Some(4.0),
        slot: Duration::from_secs(10),
        peers: 2,
        syncing: false,
        clock: None,
        account: None,
    }
}

fn account() -> Account {
    Account {
        account: [7; 32],
        registered: true,
        elsewhere: false,
        presence: Presence::In,
        stake: HYDRA,
        least: HYDRA,
        spendable: HYDRA,
    }
}

const JOINED: Around = Around {
    has_others: true,
    validator: false,
    can_finalise: true,
    trains: true,
    bonded: true,
    wanted: HYDRA,
};

fn state(check: &Check) -> State {
    check.state
}

#[test]
fn a_node_that_is_well_gives_short_lines() {
    let with_account = Facts {
        account: Some(account()),
        ..facts()
    };
    let checks = judge(&with_account, JOINED);
    assert!(
        checks
            .iter()
            .all(|check| check.state == State::Ok && check.found.len() < 57),
        "{checks:?}"
    );
    assert_eq!(checks.len(), 6);
}

#[test]
fn a_node_that_catches_up_or_hears_nothing_new_is_told_apart() {
    let syncing = Facts {
        syncing: true,
        block_age: Some(1e6),
        finalised: 0,
        best: 1_000,
        ..facts()
    };
    assert_eq!(state(&sync(&syncing)), State::Warning);
    assert_eq!(state(&finality(&syncing, JOINED)), State::Ok);
    let with = |block_age| sync(&Facts { block_age, ..facts() });
    let old = with(Some(300.0));
    assert_eq!(state(&old), State::Fault);
    assert!(old.found.contains("5 min old"), "{}", old.found);
    assert_eq!(state(&with(Some(170.0))), State::Ok);
    // Slots may take a minute, and some have no block.
    let slow = |age| {
        sync(&Facts {
            block_age: Some(age),
            slot: Duration::from_secs(60),
            ..facts()
        })
    };
    assert_eq!(state(&slow(350.0)), State::Ok);
    assert_eq!(state(&slow(370.0)), State::Fault);
    assert_eq!(state(&with(Some(-900.0))), State::Ok, "the clock's line says it");
    assert_eq!(state(&with(None)), State::Warning);
}

#[test]
fn nothing_is_said_of_an_account_by_an_old_block() {
    let unpaid = Account {
        stake: 0,
        registered: false,
        presence: Presence::Unregistered,
        ..account()
    };
    let said = |syncing| {
        let facts = Facts {
            syncing,
            account: Some(unpaid.clone()),
            ..facts()
        };
        let checks = judge(&facts, JOINED);
        let of_account = checks
            .into_iter()
            .filter(|check| matches!(check.check, Topic::Registration | Topic::Stake));
        of_account.map(|check| check.state).collect::<Vec<_>>()
    };
    assert_eq!(said(true), []);
    assert_eq!(said(false), [State::Warning, State::Fault]);
}

#[test]
fn to_be_alone_is_a_fault_for_who_needs_others() {
    let alone = Facts { peers: 0, ..facts() };
    assert_eq!(state(&peers(&alone, JOINED)), State::Fault);
    let founder = Around {
        validator: true,
        ..JOINED
    };
    assert_eq!(state(&peers(&alone, founder)), State::Warning);
    let single = Around {
        has_others: false,
        ..founder
    };
    assert_eq!(state(&peers(&alone, single)), State::Ok);
}

#[test]
fn finality_that_falls_behind_is_a_warning_and_then_a_fault() {
    let with = |best, around| {
        finality(
            &Facts {
                best,
                finalised: 0,
                ..facts()
            },
            around,
        )
    };
    assert_eq!(with(0, JOINED).found, "0 blocks behind");
    assert_eq!(with(1, JOINED).found, "1 block behind");
    assert_eq!(state(&with(8, JOINED)), State::Ok);
    assert_eq!(state(&with(9, JOINED)), State::Warning);
    assert_eq!(state(&with(100, JOINED)), State::Fault);
    let two_of_four = Around {
        can_finalise: false,
        ..JOINED
    };
    assert_eq!(state(&with(1_000, two_of_four)), State::Warning);
}

#[test]
fn rules_that_are_newer_than_this_release_are_said_to_be() {
    assert_eq!(state(&rules(KNOWN_RULES)), State::Ok);
    assert_eq!(state(&rules(KNOWN_RULES - 1)), State::Ok);
    assert_eq!(state(&rules(KNOWN_RULES + 1)), State::Warning);
}

#[test]
fn an_account_s_part_is_judged_by_what_its_owner_wants() {
    let said = |account: Account, around| registration(&account, around).map(|check| check.state);
    assert_eq!(said(account(), JOINED), Some(State::Ok));
    let elsewhere = Account {
        elsewhere: true,
        ..account()
    };
    assert_eq!(said(elsewhere.clone(), JOINED), Some(State::Fault));
    let watching = Around {
        trains: false,
        ..JOINED
    };
    assert_eq!(said(elsewhere, watching), Some(State::Ok));
    let with = |presence| Account {
        presence,
        ..account()
    };
    for (presence, state) in [
        (Presence::Joining, State::Ok),
        (Presence::Paused, State::Ok),
        (Presence::Silent, State::Warning),
        (Presence::Away { from: None }, State::Warning),
        (Presence::Out { until: 7 }, State::Warning),
        (Presence::Unstaked, State::Warning),
    ] {
        assert_eq!(said(with(presence), JOINED), Some(state), "{presence:?}");
    }
    let new = Account {
        registered: false,
        presence: Presence::Unregistered,
        stake: 0,
        spendable: 0,
        ..account()
    };
    assert_eq!(said(new.clone(), JOINED), Some(State::Warning));
    assert_eq!(said(new.clone(), watching), Some(State::Ok));
    assert_eq!(stake(&new, watching).state, State::Ok);
}

#[test]
fn a_stake_that_shrank_is_a_fault_and_one_to_come_waits_for_coins() {
    let shrunk = Account {
        stake: HYDRA / 2,
        ..account()
    };
    assert_eq!(stake(&shrunk, JOINED).state, State::Fault);
    let unregistered = Account {
        registered: false,
        ..shrunk
    };
    assert_eq!(stake(&unregistered, JOINED).state, State::Fault);
    let new = Account {
        registered: false,
        stake: 0,
        spendable: HYDRA,
        ..account()
    };
    let joining = Around {
        bonded: false,
        ..JOINED
    };
    let poor = stake(&new, joining);
    assert_eq!(poor.state, State::Warning);
    assert!(poor.found.ends_with("it needs 1.2"), "{}", poor.found);
    assert!(poor.todo.unwrap().starts_with("ask a member for `hydra invite 5"));
    // What was asked for came, less what an account must keep.
    let has = |spendable| Account {
        spendable,
        ..new.clone()
    };
    let gift = has(HYDRA + FEES - HYDRA / 1_000);
    assert_eq!(
        stake(&gift, joining).todo.as_deref(),
        Some("`hydra up` registers with the stake, or adds to it")
    );
    // Who wants more at stake needs more.
    let eager = Around {
        wanted: 5 * HYDRA,
        ..joining
    };
    let poor = stake(&gift, eager);
    assert!(poor.found.ends_with("it needs 5.2"), "{}", poor.found);
    let rich = stake(&has(5 * HYDRA + FEES), eager);
    assert_eq!(
        rich.todo.as_deref(),
        Some("`hydra up` registers with the stake, or adds to it")
    );
    // And once that was there, the least of it is enough.
    assert_eq!(
        stake(
            &account(),
            Around {
                bonded: true,
                ..eager
            }
        )
        .state,
        State::Ok
    );
}
