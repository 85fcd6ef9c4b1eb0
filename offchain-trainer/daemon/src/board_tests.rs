use super::*;
use crate::plan::{
    hold_key,
    tests::{models, recipe, sheet, train, verify},
};
use hydra_primitives::{BlobRef, digits::DIGITS_INITIAL_WEIGHTS, duty::Duty};

fn started(commands: &[Command]) -> Vec<(u64, TaskKey)> {
    let start = |command: &Command| match command {
        Command::Start { run, task } => Some((*run, task.key)),
        Command::Stop { .. } => None,
    };
    commands.iter().filter_map(start).collect()
}

fn stopped(commands: &[Command]) -> Vec<u64> {
    let stop = |command: &Command| match command {
        Command::Stop { run } => Some(*run),
        Command::Start { .. } => None,
    };
    commands.iter().filter_map(stop).collect()
}

fn ready() -> Board {
    let mut board = Board::default();
    board.engine_is_ready();
    board
}

fn read(board: &mut Board, sheet: DutySheet) -> Vec<Command> {
    let models = models(&sheet);
    board.read(Arc::new(sheet), models)
}

/// Reads the sheet, finishes holding, and returns what else started.
fn hold(board: &mut Board, sheet: DutySheet) -> Vec<(u64, TaskKey)> {
    let all = started(&read(board, sheet));
    let (held, others): (Vec<_>, Vec<_>) = all
        .into_iter()
        .partition(|(_, key)| matches!(key, TaskKey::Hold { .. }));
    for (run, key) in held {
        board.finished(run, key, Ok(Outcome::Held));
    }
    others
}

fn claim(base: H256) -> Outcome {
    let update = BlobRef {
        hash: H256::zero(),
        size: 0,
    };
    Outcome::Trained(Claim { base, update })
}

/// Of training from the version with this number, not confirmed yet.
fn unconfirmed(version: u32) -> DutySheet {
    let mut sheet = sheet(vec![train()]);
    sheet.models[0].newest = Some(recipe(version));
    let Duty::Train { task, .. } = &mut sheet.models[0].duties[0] else {
        panic!("training")
    };
    task.base = None;
    sheet
}

#[test]
fn nothing_waits_for_anything_else() {
    let mut board = ready();
    let commands = read(&mut board, sheet(vec![train(), verify(1, 20), verify(2, 20)]));
    assert_eq!(started(&commands).len(), 4);
}

#[test]
fn without_an_engine_weights_are_held_and_nothing_else() {
    let mut board = Board::default();
    assert!(hold(&mut board, sheet(vec![train()])).is_empty());
    assert_eq!(started(&board.engine_is_ready()).len(), 1);
}

#[test]
fn the_same_sheet_twice_starts_nothing_twice_and_what_two_ask_for_is_done_once() {
    let mut board = ready();
    let asked = vec![verify(1, 20), verify(1, 15)];
    assert_eq!(hold(&mut board, sheet(asked.clone())).len(), 1);
    assert!(read(&mut board, sheet(asked.clone())).is_empty());
    let mut other = sheet(asked);
    other.account = [2; 32];
    assert!(read(&mut board, other).is_empty());
    assert_eq!(board.waiting(0).verify, 1);
}

#[test]
fn a_task_is_dropped_when_two_sheets_no_longer_ask_for_it() {
    let mut board = ready();
    let running = hold(&mut board, sheet(vec![train()]));
    assert!(stopped(&read(&mut board, sheet(vec![]))).is_empty());
    assert_eq!(stopped(&read(&mut board, sheet(vec![]))), [running[0].0]);
    board.finished(running[0].0, running[0].1, Ok(claim(H256::zero())));
    assert_eq!(board.outcome(&running[0].1), None);
}

#[test]
fn a_task_whose_digests_are_closed_is_stopped_at_once_and_not_begun() {
    let mut board = ready();
    let running = hold(&mut board, sheet(vec![verify(1, 15), verify(2, 16)]));
    let at = |block, duties| {
        let mut sheet = sheet(duties);
        sheet.block = block;
        sheet
    };
    // Not even where the chain still lists it.
    let commands = read(&mut board, at(15, vec![verify(1, 15), verify(3, 15)]));
    assert_eq!(stopped(&commands), [running[0].0]);
    assert!(started(&commands).is_empty());
    assert_eq!(board.waiting(0), Waiting::default());
    // Unless it is to be opened now.
    let open = Duty::Open {
        poll: H256::repeat_byte(2),
        draw: hydra_primitives::poll::Draw::First,
        asks: hydra_primitives::duty::Asks::Version,
        opens_until: 24,
    };
    assert!(read(&mut board, at(16, vec![open])).is_empty());
    assert_eq!(stopped(&read(&mut board, at(24, vec![]))), [running[1].0]);
}

#[test]
fn what_failed_is_tried_again_with_the_next_sheet_unless_it_failed_for_good() {
    let mut board = ready();
    let running = hold(&mut board, sheet(vec![train()]));
    board.finished(running[0].0, running[0].1, Err(false));
    assert!(board.has_failed(&running[0].1));
    let again = started(&read(&mut board, sheet(vec![train()])));
    assert_eq!(again[0].1, running[0].1);
    board.finished(again[0].0, again[0].1, Err(true));
    assert!(read(&mut board, sheet(vec![train()])).is_empty());
    assert!(board.has_failed(&running[0].1));
}

#[test]
fn training_from_a_version_goes_on_when_it_is_confirmed_and_is_done_anew_if_another_is() {
    for (confirmed, stays) in [(1, true), (2, false)] {
        let mut board = ready();
        let running = hold(&mut board, unconfirmed(1));
        let mut after = sheet(vec![train()]);
        after.models[0].confirmed.version = 1;
        let Duty::Train { task, .. } = &mut after.models[0].duties[0] else {
            panic!("training")
        };
        task.base = Some(H256::repeat_byte(confirmed));
        let commands = read(&mut board, after.clone());
        assert!(stopped(&commands).is_empty());
        let (run, key) = running[0];
        board.finished(run, key, Ok(claim(H256::repeat_byte(1))));
        let again = hold(&mut board, after);
        assert_eq!(board.outcome(&key).is_some(), stays);
        assert_eq!(again.iter().any(|(_, started)| *started == key), !stays);
    }
}

#[test]
fn training_from_a_version_that_is_another_one_on_this_branch_is_begun_anew_at_once() {
    let mut board = ready();
    let running = hold(&mut board, unconfirmed(1));
    let commands = read(&mut board, unconfirmed(2));
    assert_eq!(stopped(&commands), [running[0].0]);
    assert_eq!(started(&commands)[0].1, running[0].1);
}

#[test]
fn claims_stay_for_a_round_and_go_then() {
    let mut board = ready();
    let running = hold(&mut board, sheet(vec![train()]));
    let (run, key) = running[0];
    board.finished(run, key, Ok(claim(DIGITS_INITIAL_WEIGHTS)));
    for (round, kept) in [(3, true), (4, true), (5, false)] {
        let mut later = sheet(vec![]);
        later.models[0].round = round;
        read(&mut board, later);
        assert_eq!(board.outcome(&key).is_some(), kept, "round {round}");
    }
}

#[test]
fn another_chain_resets_everything() {
    let mut board = ready();
    let running = hold(&mut board, sheet(vec![train()]));
    let mut other = sheet(vec![]);
    other.genesis = H256::repeat_byte(9);
    let commands = read(&mut board, other);
    assert_eq!(stopped(&commands), [running[0].0]);
    assert_eq!(started(&commands).len(), 1, "weights are held anew");
}

/// It would take the newer one's place if it came later.
#[test]
fn an_older_version_is_no_longer_fetched_when_there_is_a_newer_one() {
    let mut board = ready();
    let older = started(&read(&mut board, sheet(vec![])));
    let mut after = sheet(vec![]);
    after.models[0].confirmed.version = 1;
    assert_eq!(stopped(&read(&mut board, after)), [older[0].0]);
}

#[test]
fn accounts_beyond_the_limit_make_room() {
    let mut board = ready();
    for n in 0..20 {
        let mut sheet = sheet(vec![]);
        sheet.account = [n; 32];
        read(&mut board, sheet);
    }
    assert_eq!(board.seats.len(), MAX_ACCOUNTS);
    assert_eq!(board.newest_sheet().unwrap().account, [19; 32]);
}

/// It would put old weights in the place of newer ones, with every sheet of the others.
#[test]
fn what_an_account_last_asked_for_is_not_done_again_when_it_is_over() {
    let mut board = ready();
    assert!(hold(&mut board, sheet(vec![])).is_empty());
    for version in 1..5 {
        // The account before has no sheets any more.
        let mut after = sheet(vec![]);
        after.account = [2; 32];
        after.models[0].confirmed.version = version;
        let expected = hold_key(&after.models[0]);
        let started = started(&read(&mut board, after));
        let [(run, key)] = started[..] else {
            panic!("{started:?}")
        };
        assert_eq!(key, expected);
        board.finished(run, key, Ok(Outcome::Held));
    }
}

#[test]
fn on_a_full_disk_nothing_is_started_and_what_is_done_is_still_answered() {
    let mut board = ready();
    let next = hold(&mut board, sheet(vec![train()]));
    let [(run, key)] = next[..] else {
        panic!("{next:?}")
    };
    board.set_room(false);
    // What runs goes on and is remembered; what comes after it is not started.
    board.finished(run, key, Ok(claim(DIGITS_INITIAL_WEIGHTS)));
    let commands = read(&mut board, sheet(vec![train(), verify(1, 20)]));
    assert!(commands.is_empty(), "{commands:?}");
    assert_eq!(board.outcome(&key), Some(claim(DIGITS_INITIAL_WEIGHTS)));
    // And it goes on when there is room again.
    board.set_room(true);
    let next = started(&read(&mut board, sheet(vec![train(), verify(1, 20)])));
    assert!(matches!(next[..], [(_, TaskKey::Find { .. })]), "{next:?}");
}
