//! What these stories share: a network that its members found together, and how far it is as one of its PCs sees it.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use hydra_network_tests::{Member, proc};
use serde_json::Value;

/// How often a node is asked: no event of it reaches out of its PC.
const LOOK: Duration = Duration::from_secs(1);

/// How far a PC's chain is.
#[derive(Debug)]
pub struct Status {
    /// The newest block.
    pub block: u64,
    /// The newest final one.
    pub finalised: u64,
    /// The round of model 0.
    pub round: u64,
    /// Its newest version, confirmed or not.
    pub version: u64,
    /// Its newest confirmed version.
    pub confirmed: u64,
}

impl Status {
    /// As its node sees it now.
    pub fn of(pc: &Member) -> Self {
        let status = proc::json(&pc.hydra(&["status", "--json"]));
        let model = &status["models"][0];
        let number = |value: &Value| value.as_u64().expect("a number");
        Self {
            block: number(&status["block"]),
            finalised: number(&status["finalised"]),
            round: number(&model["round"]),
            version: number(&model["version"]),
            confirmed: number(&model["confirmed_version"]),
        }
    }
}

/// Waits until this is so.
pub fn until(what: &str, limit: Duration, is_so: impl Fn() -> bool) {
    let end = Instant::now() + limit;
    while !is_so() {
        assert!(Instant::now() < end, "{what}: not within {limit:?}");
        std::thread::sleep(LOOK);
    }
}

/// Nobody has less at stake than at first, and no honest result was turned down, on whichever branch that was.
pub fn nothing_was_lost(pc: &Member) {
    let status = proc::json(&pc.hydra(&["status", "--json"]));
    for account in status["accounts"].as_array().expect("a list") {
        let stake: f64 = account["stake"]
            .as_str()
            .and_then(|stake| stake.parse().ok())
            .expect("an amount");
        assert!(stake >= 100.0, "{account}");
    }
    let rounds = proc::json(&pc.hydra(&["rounds", "--json"]));
    for round in rounds["rounds"].as_array().expect("a list") {
        assert_eq!(round["rejected"], 0, "{round}");
    }
}

/// Founds a network of these members, with these options besides, and returns the file for everybody.
pub fn found(members: &[Member], home: &Path, id: &str, options: &[&str]) -> String {
    let out = home.join("spec");
    let out = out.to_str().expect("UTF-8");
    let mut arguments = vec![
        "network".to_owned(),
        "new".into(),
        "--yes".into(),
        "--json".into(),
    ];
    let more = [
        "--id",
        id,
        "--name",
        "Founded By Members",
        "--slot",
        "2",
        "--epoch",
        "20",
        "--out",
        out,
    ];
    arguments.extend(more.iter().chain(options).map(|word| (*word).to_owned()));
    for (number, pc) in members.iter().enumerate() {
        let file = home.join(format!("member{number}.json"));
        let file = file.to_str().expect("UTF-8");
        let mut member = vec!["network", "member", "--json", "--id", id, "--out", file];
        for address in pc.seat().addresses() {
            member.extend(["--address", address.as_str()]);
        }
        member.extend(pc.seat().ports().iter().map(String::as_str));
        proc::json(&pc.hydra(&member));
        assert!(fs::exists(file).expect("readable"), "{file}");
        arguments.extend(["--member".to_owned(), file.to_owned()]);
    }
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let founder = members.first().expect("a network has a founder");
    let founded = proc::json(&founder.hydra(&words));
    founded["file"].as_str().expect("a path").to_owned()
}
