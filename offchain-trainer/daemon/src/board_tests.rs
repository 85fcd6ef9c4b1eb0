use super::*;
use crate::plan::tests::{sheet, train};
use hydra_primitives::{BlobRef, digits::DIGITS_INITIAL_WEIGHTS, duty::Duty, proposal::Report};

fn started(commands: &[Command]) -> Vec<(u64, TaskKey)> {
    let start = |command: &Command| match command {
        Command::Start { run, task } => Some((*run, task.key)),
        _ => None,
    };
    commands.iter().filter_map(start).collect()
}

fn stopped(commands: &[Command]) -> Vec<u64> {
    let stop = |command: &Command| match command {
        Command::Stop { run } => Some(*run),
        _ => None,
    };
    commands.iter().filter_map(stop).collect()
}

fn ready() -> Board {
    let mut board = Board::default();
    board.engine_is_ready();
    board
}

/// Reads the sheet and finishes holding; returns what started then.
fn hold(board: &mut Board, sheet: DutySheet) -> Vec<(u64, TaskKey)> {
    let commands = board.read(Arc::new(sheet));
    let [(run, key)] = started(&commands)[..] else {
        panic!("{commands:?}")
    };
    assert_eq!(key.rank(), 0);
    started(&board.finished(run, key, Ok(Outcome::Held(DIGITS_INITIAL_WEIGHTS))))
}

fn proposal(base: H256) -> Proposal {
    let blob = BlobRef {
        hash: H256::zero(),
        size: 0,
    };
    let score = Score { correct: 1, total: 2 };
    let report = Report {
        loss_before: 1,
        loss_after: 1,
        validation: score,
        steps: 1,
        milliseconds: 1,
    };
    Proposal {
        base,
        update: blob,
        trace_root: H256::zero(),
        report,
    }
}

#[test]
fn tasks_of_a_model_run_one_rank_after_the_other() {
    let mut board = ready();
    let next = hold(&mut board, sheet(vec![train(), Duty::Attest]));
    let [(run, key)] = next[..] else {
        panic!("{next:?}")
    };
    assert_eq!(key.rank(), 1);
    let next = started(&board.finished(run, key, Err(false)));
    assert_eq!(next[0].1.rank(), 2, "what failed holds nothing up");
}

#[test]
fn without_an_engine_weights_are_held_and_nothing_else() {
    let mut board = Board::default();
    assert!(hold(&mut board, sheet(vec![train()])).is_empty());
    assert_eq!(started(&board.engine_is_ready()).len(), 1);
}

#[test]
fn the_same_sheet_twice_starts_nothing_twice() {
    let mut board = ready();
    assert_eq!(hold(&mut board, sheet(vec![train()])).len(), 1);
    assert!(board.read(Arc::new(sheet(vec![train()]))).is_empty());
}

#[test]
fn a_task_is_dropped_when_two_sheets_no_longer_ask_for_it() {
    let mut board = ready();
    let running = hold(&mut board, sheet(vec![train()]));
    assert!(stopped(&board.read(Arc::new(sheet(vec![])))).is_empty());
    assert_eq!(stopped(&board.read(Arc::new(sheet(vec![])))), [running[0].0]);
    let late = board.finished(
        running[0].0,
        running[0].1,
        Ok(Outcome::Trained(proposal(H256::zero()))),
    );
    assert!(late.is_empty());
    assert_eq!(board.outcome(&running[0].1), None);
}

#[test]
fn what_failed_is_tried_again_with_the_next_sheet_unless_it_failed_for_good() {
    let mut board = ready();
    let running = hold(&mut board, sheet(vec![train()]));
    assert!(board.finished(running[0].0, running[0].1, Err(false)).is_empty());
    let again = started(&board.read(Arc::new(sheet(vec![train()]))));
    assert_eq!(again[0].1, running[0].1);
    board.finished(again[0].0, again[0].1, Err(true));
    assert!(board.read(Arc::new(sheet(vec![train()]))).is_empty());
}

#[test]
fn training_from_weights_that_were_not_confirmed_is_done_anew() {
    let mut board = ready();
    let mut unconfirmed = sheet(vec![train()]);
    unconfirmed.models[0].version.weights = None;
    let running = hold(&mut board, unconfirmed);
    board.finished(
        running[0].0,
        running[0].1,
        Ok(Outcome::Trained(proposal(H256::repeat_byte(1)))),
    );
    assert!(board.outcome(&running[0].1).is_some());
    assert!(
        hold(&mut board, sheet(vec![train()]))
            .iter()
            .any(|(_, key)| *key == running[0].1)
    );
}

#[test]
fn results_stay_for_a_round_and_go_then() {
    let mut board = ready();
    let running = hold(&mut board, sheet(vec![train()]));
    let key = running[0].1;
    board.finished(
        running[0].0,
        key,
        Ok(Outcome::Trained(proposal(DIGITS_INITIAL_WEIGHTS))),
    );
    for (round, kept) in [(3, true), (4, true), (5, false)] {
        let mut later = sheet(vec![]);
        later.models[0].round = round;
        board.read(Arc::new(later));
        assert_eq!(board.outcome(&key).is_some(), kept, "round {round}");
    }
}

#[test]
fn another_chain_resets_everything() {
    let mut board = ready();
    let running = hold(&mut board, sheet(vec![train()]));
    let mut other = sheet(vec![]);
    other.genesis = H256::repeat_byte(9);
    let commands = board.read(Arc::new(other));
    assert_eq!(stopped(&commands), [running[0].0]);
    assert_eq!(started(&commands).len(), 1, "weights are held anew");
}

#[test]
fn a_running_task_hears_of_its_last_chance() {
    let mut board = ready();
    let running = hold(&mut board, sheet(vec![train()]));
    let mut late = sheet(vec![train()]);
    late.block = 19;
    let commands = board.read(Arc::new(late));
    assert!(
        matches!(commands[..], [Command::LastChance { run }] if run == running[0].0),
        "{commands:?}"
    );
}

#[test]
fn accounts_beyond_the_limit_make_room() {
    let mut board = ready();
    for n in 0..20 {
        let mut sheet = sheet(vec![]);
        sheet.account = [n; 32];
        board.read(Arc::new(sheet));
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
        after.models[0].version.version = version;
        let started = started(&board.read(Arc::new(after)));
        let [(run, key @ TaskKey::Hold { version: held, .. })] = started[..] else {
            panic!("{started:?}")
        };
        assert_eq!(held, version);
        board.finished(run, key, Ok(Outcome::Held(DIGITS_INITIAL_WEIGHTS)));
    }
}

#[test]
fn on_a_full_disk_nothing_is_started_and_what_is_done_is_still_answered() {
    let mut board = ready();
    let next = hold(&mut board, sheet(vec![Duty::Attest, train()]));
    let [(run, attest)] = next[..] else {
        panic!("{next:?}")
    };
    board.set_room(false);
    let measured = Outcome::Measured {
        weights: DIGITS_INITIAL_WEIGHTS,
        score: Score { correct: 1, total: 2 },
    };
    // What runs goes on and is remembered; what comes after it is not started.
    assert!(started(&board.finished(run, attest, Ok(measured.clone()))).is_empty());
    let commands = board.read(Arc::new(sheet(vec![Duty::Attest, train()])));
    assert!(commands.is_empty(), "{commands:?}");
    assert_eq!(board.outcome(&attest), Some(&measured));
    // And it goes on when there is room again.
    board.set_room(true);
    let next = started(&board.read(Arc::new(sheet(vec![Duty::Attest, train()]))));
    assert!(matches!(next[..], [(_, TaskKey::Train { .. })]), "{next:?}");
}
