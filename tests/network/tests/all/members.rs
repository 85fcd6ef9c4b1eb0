//! A network that four PCs found together, as `chain-specs/README.md` says for boot nodes: each makes its own keys, one file is
//! made of what they send each other, and each starts with that file. Several of them make the blocks, which become final while
//! one of them is away.

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    time::{Duration, Instant},
};

use hydra_network_tests::{Member, netns::Lan, proc};
use serde_json::{Value, json};
use subxt::{
    config::substrate::{DigestItem, SubstrateHeader},
    utils::H256,
};

const LIMIT: Duration = Duration::from_secs(180);
/// How often a node is asked: no event of it reaches out of its PC.
const LOOK: Duration = Duration::from_millis(200);
const ID: &str = "members-test";

#[test]
fn four_members_found_a_network_several_make_its_blocks_and_they_become_final_without_one() {
    let begun = Instant::now();
    let folder = tempfile::tempdir().expect("a folder for the network");
    let home = folder.path().canonicalize().expect("it is there");
    let lan = Lan::new(4);
    let pc = |number: usize| Member::new(home.join(format!("pc{number}")), lan.seat(number), ID);
    let mut members: Vec<Member> = (0..4).map(pc).collect();
    let (files, keys): (Vec<String>, Vec<Value>) = (0..)
        .zip(&members)
        .map(|(number, pc)| keys_of(pc, &home.join(format!("boot{number}.json"))))
        .unzip();
    let file = found(&members, &files, &keys, &home.join("spec"));

    let options = ["--network".to_owned(), file];
    for pc in &mut members {
        pc.up(&options);
    }
    for pc in &mut members {
        pc.event("training", LIMIT);
    }
    let away = members.split_off(3);
    let first = members.first().expect("three are left");
    each_has_its_stake(first, &keys);
    let makers = makers_of_final_blocks(first, 0);
    eprintln!(
        "after {:?}, members that made final blocks: {makers:?}",
        begun.elapsed()
    );

    for mut pc in away {
        pc.kill();
    }
    // One of its blocks may be on its way.
    let last = newest(first).number + 1;
    let makers = makers_of_final_blocks(first, last);
    eprintln!("without one of them, after {:?}: {makers:?}", begun.elapsed());
    for pc in &mut members {
        pc.kill();
    }
}

/// A PC's own keys, made before there is a network. Returns the file for whoever founds it, and what it says.
fn keys_of(pc: &Member, out: &Path) -> (String, Value) {
    let out = out.to_str().expect("UTF-8");
    let mut arguments = vec!["network", "member", "--json", "--id", ID, "--out", out];
    for address in pc.seat().addresses() {
        arguments.extend(["--address", address.as_str()]);
    }
    arguments.extend(pc.seat().ports().iter().map(String::as_str));
    let said = proc::json(&pc.hydra(&arguments));
    let written = fs::read_to_string(out).expect("it was written");
    assert_eq!(
        serde_json::from_str::<Value>(&written).expect("JSON"),
        said,
        "another file than it says"
    );
    (out.to_owned(), said)
}

/// Founds the network of these members' files, and returns the file for everybody.
fn found(members: &[Member], files: &[String], keys: &[Value], out: &Path) -> String {
    let out = out.to_str().expect("UTF-8");
    let mut arguments = vec!["network", "new", "--yes", "--json", "--id", ID, "--out", out];
    arguments.extend(["--name", "Members Test", "--slot", "2", "--epoch", "20"]);
    for file in files {
        arguments.extend(["--member", file.as_str()]);
    }
    let founder = members.first().expect("a network has a founder");
    let founded = proc::json(&founder.hydra(&arguments));
    let of_each = |field: &str| -> Vec<Value> { keys.iter().map(|member| member[field].clone()).collect() };
    assert_eq!(founded["members"], Value::Array(of_each("account")));
    let file = founded["file"].as_str().expect("a path").to_owned();
    let spec = fs::read_to_string(&file).expect("it was written");
    let spec: Value = serde_json::from_str(&spec).expect("JSON");
    for (list, field) in [("bootNodes", "node_addresses"), ("trainers", "trainer_addresses")] {
        let addresses = of_each(field);
        let addresses = addresses.iter().filter_map(Value::as_array).flatten();
        assert_eq!(
            spec[list],
            Value::Array(addresses.cloned().collect()),
            "the {list} of {file}"
        );
    }
    file
}

/// The chain has these members and no others, with what they have at stake from the beginning.
fn each_has_its_stake(pc: &Member, keys: &[Value]) {
    let status = proc::json(&pc.hydra(&["status", "--json"]));
    let listed = status["accounts"].as_array().expect("a list");
    assert_eq!(listed.len(), keys.len(), "{status:#}");
    for member in keys {
        let account = listed.iter().find(|one| one["account"] == member["account"]);
        let account = account.unwrap_or_else(|| panic!("no {}: {status:#}", member["account"]));
        assert_eq!(account["stake"], "100", "{account}");
    }
}

/// Waits until blocks above this height are final that several members made. Returns who made them, by their numbers.
fn makers_of_final_blocks(pc: &Member, above: u64) -> BTreeSet<u32> {
    let end = Instant::now() + LIMIT;
    let mut makers = BTreeSet::new();
    let mut next = above + 1;
    while makers.len() < 2 {
        if newest_final(pc).number < next {
            assert!(
                Instant::now() < end,
                "block {next} isn't final within {LIMIT:?}; the newest is {}",
                newest(pc).number
            );
            std::thread::sleep(LOOK);
            continue;
        }
        makers.insert(maker(&header(pc, &pc.rpc("chain_getBlockHash", &json!([next])))));
        next += 1;
    }
    makers
}

fn newest(pc: &Member) -> SubstrateHeader<H256> {
    header(pc, &pc.rpc("chain_getBlockHash", &json!([])))
}

fn newest_final(pc: &Member) -> SubstrateHeader<H256> {
    header(pc, &pc.rpc("chain_getFinalizedHead", &json!([])))
}

fn header(pc: &Member, hash: &Value) -> SubstrateHeader<H256> {
    let header = pc.rpc("chain_getHeader", &json!([hash]));
    serde_json::from_value(header.clone()).unwrap_or_else(|error| panic!("no header ({error}): {header}"))
}

/// The number of the member that made a block, which BABE notes behind the kind of its slot.
fn maker(header: &SubstrateHeader<H256>) -> u32 {
    let note = header.digest.logs.iter().find_map(|item| match item {
        DigestItem::PreRuntime([b'B', b'A', b'B', b'E'], note) => note.get(1..5),
        _ => None,
    });
    let number: Option<[u8; 4]> = note.and_then(|number| number.try_into().ok());
    u32::from_le_bytes(number.unwrap_or_else(|| panic!("nobody made {header:?}")))
}
