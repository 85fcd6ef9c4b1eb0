//! A PC whose trainer somebody else started: `hydra up` makes use of it, starts no second one, and leaves it when it ends.

use std::{
    collections::BTreeMap,
    fs,
    time::{Duration, Instant},
};

use hydra_network_tests::{Member, netns::Seat, proc};
use serde_json::Value;

const LIMIT: Duration = Duration::from_secs(180);
const ID: &str = "adopting-test";

#[test]
fn a_trainer_that_runs_already_is_adopted_outlives_down_and_is_replaced_when_it_ends() {
    let folder = tempfile::tempdir().expect("a folder for the network");
    let home = folder.path().canonicalize().expect("it is there");
    let mut pc = Member::new(home.join("pc"), Seat::here(), ID);
    let out = home.join("files");
    let mut found = vec!["network", "new", "--yes", "--json", "--id", ID];
    found.extend(["--slot", "2", "--epoch", "20", "--address", "127.0.0.1"]);
    found.extend(["--out", out.to_str().expect("UTF-8")]);
    let seat = pc.seat().clone();
    found.extend(seat.ports().iter().map(String::as_str));
    proc::json(&pc.hydra(&found));

    let mut trainer = pc.trainer_by_hand(LIMIT);
    pc.up(&[]);
    let first = until(&mut pc, &["started", "adopted", "model_checked", "training"]);
    let adopted = &first["adopted"];
    assert_eq!(
        (&adopted["part"], &adopted["pid"]),
        (&"trainer".into(), &trainer.pid().into())
    );
    assert_eq!(first["started"]["part"], "node");
    assert_eq!(first["model_checked"]["dataset"], "UCI handwritten digits");
    // The node makes use of it as well: what is paid was trained there.
    pc.earns(LIMIT);
    let status = proc::json(&pc.hydra(&["status", "--json"]));
    assert_eq!(
        status["wallet"]["account"], first["account"]["address"],
        "{status}"
    );
    assert_ne!(status["wallet"]["earned_today"], "0", "{status}");
    assert_eq!(status["wallet"]["parts"][0]["share"], 1.0, "{status}");
    assert!(
        !status["happened"].as_array().expect("a list").is_empty(),
        "{status}"
    );

    pc.down();
    assert!(
        proc::alive(trainer.pid()),
        "hydra down ended what it didn't start"
    );

    pc.up(&[]);
    let adopted = pc.event("adopted", LIMIT);
    assert_eq!(adopted["pid"], trainer.pid());
    proc::kill_9(trainer.pid());
    trainer.end(LIMIT);
    let ended = pc.event("ended", LIMIT);
    assert_eq!(ended["part"], "trainer", "{ended}");
    // Its node was started before.
    let started = pc.event("started", LIMIT);
    assert_eq!(started["part"], "trainer", "{started}");
    let log = started["log"].as_str().expect("a path");
    assert!(fs::exists(log).expect("readable"), "{started}");
    pc.earns(LIMIT);
    // This one is its own.
    pc.down();
}

/// Events of these states, the last of each, as soon as each was said; and what was said meanwhile.
fn until(pc: &mut Member, states: &[&str]) -> BTreeMap<String, Value> {
    let mut said = BTreeMap::new();
    let end = Instant::now() + LIMIT;
    while !states.iter().all(|state| said.contains_key(*state)) {
        assert!(Instant::now() < end, "not all of {states:?} in {:?}", said.keys());
        let event = pc.next_event(LIMIT);
        let state = event["state"].as_str().expect("a state").to_owned();
        assert_ne!(state, "ended", "{event}");
        said.insert(state, event);
    }
    said
}
