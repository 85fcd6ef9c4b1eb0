//! Four members whose network is cut in two halves for several rounds. Neither half can make anything final, both train on; when the
//! cut is healed, while each half has a version in question, one branch is everybody's, and nobody has lost anything by what was said on
//! the other.

use std::time::Duration;

use hydra_network_tests::{
    Member,
    netns::{Lan, Way},
    proc,
};

use super::founded::{Status, found, nothing_was_lost, until};

const LIMIT: Duration = Duration::from_secs(180);
/// In each half: three draws without a decision, in blocks that come half as often, then a session; and then the rounds.
const APART: Duration = Duration::from_secs(900);
/// How long connections may take to come back, and finality with them.
const HEALING: Duration = Duration::from_secs(420);
/// Rounds that each half settles by itself.
const ROUNDS: u64 = 3;
const ID: &str = "partition-test";
/// Those that are cut off.
const HALF: [usize; 2] = [2, 3];

#[test]
fn two_halves_that_are_cut_apart_for_several_rounds_agree_again_and_nobody_forfeits() {
    let folder = tempfile::tempdir().expect("a folder for the network");
    let home = folder.path().canonicalize().expect("it is there");
    let lan = Lan::new(4);
    assert_ne!(
        lan.way(),
        Way::Loopback,
        "only PCs with network namespaces of their own can be cut apart"
    );
    let pc = |number: usize| Member::new(home.join(format!("pc{number}")), lan.seat(number), ID);
    let mut members: Vec<Member> = (0..4).map(pc).collect();
    let options = ["--network".to_owned(), found(&members, &home, ID, &[])];
    for pc in &mut members {
        pc.up(&options);
    }
    for pc in &mut members {
        pc.event("training", LIMIT);
    }
    members[0].earns(LIMIT);

    lan.cut(&HALF);
    let cut_at = Status::of(&members[0]);
    // One PC of each half.
    for number in [0, 2] {
        let pc = &members[number];
        until(
            &format!("{ROUNDS} rounds in the half of PC {number}"),
            APART,
            || Status::of(pc).round >= cut_at.round + ROUNDS,
        );
    }
    let halves = [Status::of(&members[0]), Status::of(&members[2])];
    eprintln!("cut apart at {cut_at:?}; before it is healed {halves:?}");
    for half in &halves {
        assert!(
            half.finalised <= cut_at.block + 3,
            "half of the members made blocks final: {half:?}"
        );
    }
    // At one height they have different blocks.
    let height = halves[0].block.min(halves[1].block);
    let block_of = |pc: &Member, height: u64| pc.rpc("chain_getBlockHash", &serde_json::json!([height]));
    assert_ne!(block_of(&members[0], height), block_of(&members[2], height));

    // Whichever branch goes, digests were given on it that nobody has opened yet.
    until("a version in question in each half", HEALING, || {
        is_in_question(&members[0]) && is_in_question(&members[2])
    });
    lan.heal(&HALF);
    let [one, other] = [0, 2].map(|number: usize| Status::of(&members[number]).block);
    let highest = one.max(other);
    for pc in &members {
        until("finality on one branch", HEALING, || {
            Status::of(pc).finalised > highest
        });
    }
    for pc in &members {
        assert_eq!(block_of(pc, highest), block_of(&members[0], highest));
    }
    for pc in &mut members {
        pc.earns(HEALING);
    }
    nothing_was_lost(&members[0]);
    for pc in members.iter_mut().rev() {
        pc.down();
    }
}

/// Whether the newest version waits for digests, of which some are given, or for an opening, as this PC's node sees it.
fn is_in_question(pc: &Member) -> bool {
    let status = proc::json(&pc.hydra(&["status", "--json"]));
    let poll = &status["models"][0]["version_poll"];
    ["Digests", "Opening"].iter().any(|stage| poll["stage"] == *stage) && poll["given"].as_u64() > Some(0)
}
