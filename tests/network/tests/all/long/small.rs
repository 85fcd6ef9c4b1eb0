//! Networks of two and of three PCs of which one is gone, or lies: the others decide without it, and nobody honest loses anything.

use std::time::Duration;

use hydra_cli::{accounts, keys::key::Key};
use hydra_network_tests::{
    Adversary, Member,
    netns::{Lan, Way},
    proc,
};

use super::founded::{Status, found, nothing_was_lost, until};

const LIMIT: Duration = Duration::from_secs(180);
/// One of two is half of the weight, which decides nothing: three draws come to nothing, in blocks that come half as often and ever more
/// slowly where nothing becomes final, until a session is over in which nothing was heard of the other.
const ALONE: Duration = Duration::from_secs(900);
/// A session, and a few rounds in which every poll is appealed.
const LYING: Duration = Duration::from_secs(480);
const ID: &str = "small-test";
/// With a score of 0.1 as much as each member weighs.
const STAKE: u32 = 900;
const LIAR: &str = "//Liar";

#[test]
fn three_pcs_decide_rightly_with_one_absent() {
    one_is_gone_of(3);
}

#[test]
fn two_pcs_decide_rightly_with_one_absent_once_its_session_is_over() {
    one_is_gone_of(2);
}

fn one_is_gone_of(pcs: u8) {
    let folder = tempfile::tempdir().expect("a folder for the network");
    let home = folder.path().canonicalize().expect("it is there");
    let lan = Lan::new(pcs);
    let pc = |number: u8| {
        let seat = lan.seat(usize::from(number));
        Member::new(home.join(format!("pc{number}")), seat, ID)
    };
    let mut members: Vec<Member> = (0..pcs).map(pc).collect();
    let file = found(&members, &home, ID, &[]);
    all_train(&mut members, file);

    let mut gone = members.pop().expect("there are two at least");
    gone.kill();
    let before = Status::of(&members[0]);
    // What was made of the round that was open may have been found with its help, and so may what is in question.
    until("two versions that it had no part in", ALONE, || {
        Status::of(&members[0]).confirmed >= before.version + 2
    });
    nothing_was_lost(&members[0]);
    for pc in members.iter_mut().rev() {
        pc.down();
    }
}

#[test]
fn three_pcs_decide_rightly_with_one_lying() {
    let folder = tempfile::tempdir().expect("a folder for the network");
    let home = folder.path().canonicalize().expect("it is there");
    // The adversary is a program of this machine.
    let lan = Lan::made(Way::Loopback, 2).expect("every machine has it");
    let pc = |number: usize| Member::new(home.join(format!("pc{number}")), lan.seat(number), ID);
    let mut members: Vec<Member> = (0..2).map(pc).collect();
    let account = Key::from_suri(LIAR).expect("its secret is known").account();
    let address = accounts::address(&account);
    let owns = format!("{address}={}", STAKE + 1);
    let file = found(&members, &home, ID, &["--allocate", &owns]);
    all_train(&mut members, file);

    let pcs: Vec<_> = members.iter().map(Member::pc).collect();
    let liar = Adversary::start(&pcs, LIAR, STAKE, &["lie"], LIMIT);
    let stake = || -> f64 {
        let status = proc::json(&members[0].hydra(&["status", "--json"]));
        let listed = status["accounts"].as_array().expect("a list");
        let listed = listed.iter().find(|one| one["account"] == address);
        let stake = listed.and_then(|one| one["stake"].as_str());
        stake.expect("it is registered").parse().expect("an amount")
    };
    assert!(stake() >= f64::from(STAKE));
    until("a lie that is found out", LYING, || {
        stake() <= f64::from(STAKE - 1)
    });
    let before = Status::of(&members[0]);
    until("two versions more", LYING, || {
        Status::of(&members[0]).confirmed >= before.version + 2
    });
    nothing_was_lost(&members[0]);
    liar.stop(LIMIT);
    for pc in members.iter_mut().rev() {
        pc.down();
    }
}

/// Starts all of them, and waits until they train and the first earns.
fn all_train(members: &mut [Member], file: String) {
    let options = ["--network".to_owned(), file];
    for pc in members.iter_mut() {
        pc.up(&options);
    }
    for pc in members.iter_mut() {
        pc.event("training", LIMIT);
    }
    let first = members.first_mut().expect("there are two at least");
    first.earns(LIMIT);
}
