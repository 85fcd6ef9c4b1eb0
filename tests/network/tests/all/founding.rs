//! A network from nothing: one PC founds it, another joins with coins, two without, who are invited; and they lose their power
//! in each state of joining, the fourth also between sending a transaction and a block with it. Nothing is asked, and no PC has
//! anything of another but the network's file.

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    process::Output,
    thread,
    time::{Duration, Instant},
};

use hydra_cli::{accounts, keys::key::Key};
use hydra_network_tests::{
    Member,
    netns::{Lan, Way},
    proc,
};
use hydra_primitives::AccountBytes;
use serde_json::{Value, json};
use subxt::utils::AccountId32;

const LIMIT: Duration = Duration::from_secs(180);
const ID: &str = "founding-test";

/// What every `hydra up` that joins without coins says, and the PC is killed in. A trainer that is ready before the node says
/// nothing of its test: in `engine_starting` and `engine_ready` the PC is killed, too, if they are said. So it is in `resting`, which
/// it says until its first session, unless that has begun when the PC comes back. `registered` isn't said where it was killed with
/// the transaction on its way, since the chain has that when the PC comes back: another one, which wasn't killed before, is killed in
/// it, and a third in `resting`.
const STATES: [&str; 10] = [
    "machine",
    "account",
    "network",
    "started",
    "syncing",
    "synced",
    "waiting_for_coins",
    "coins_came",
    "registering",
    "training",
];
/// In this one it sends a transaction, registration and stake in one, after a moment: it is killed in it again when that waits for a
/// block.
const PAYING: &str = "registering";
/// What may be said at any time, and is no state of joining.
const NEWS: [&str; 6] = [
    "problem",
    "ended",
    "round",
    "clock",
    "reachability",
    "model_checked",
];

#[test]
fn four_pcs_found_a_network_and_join_it_killed_in_each_state_and_all_earn() {
    let begun = Instant::now();
    let folder = tempfile::tempdir().expect("a folder for the network");
    let home = folder.path().canonicalize().expect("it is there");
    let lan = Lan::new(4);
    let pc = |number, name: &str| Member::new(home.join(name), lan.seat(number), ID);
    let (mut founder, mut second) = (pc(0, "founder"), pc(1, "second"));
    let (mut third, mut fourth) = (pc(2, "third"), pc(3, "fourth"));
    if lan.way() != Way::Loopback {
        a_pc_without_the_internet_finds_its_own_address(&second, &home);
    }

    // An account that owns something from the beginning, with a seed that only this test knows.
    let seed = format!("0x{}", blake3::hash(home.as_os_str().as_encoded_bytes()).to_hex());
    fs::write(home.join("seed"), &seed).expect("a new file");
    let rich = Key::from_suri(&seed).expect("a seed").account();
    let file = found(&founder, &home, &rich);

    founder.up(&[]);
    let account = founder.event("account", LIMIT)["address"].clone();
    let page = founder.event("dashboard", LIMIT)["url"].clone();
    founder.event("training", LIMIT);
    // Its node lets this PC's dashboard in, and no other page of the machine.
    let page = page.as_str().expect("an address").trim_end_matches('/');
    assert_eq!(founder.answer_to_page(page), "200");
    // No PC's trainer has this port, neither by default nor by choice.
    assert_eq!(founder.answer_to_page("http://127.0.0.1:8791"), "403");
    let seed_file = format!("{}/seed", home.display());
    second.up(&joining(&second, &file, &["--phrase-file", &seed_file]));
    third.up(&joining(&third, &file, &[]));
    assert_eq!(
        second.event("account", LIMIT)["address"],
        accounts::address(&rich)
    );

    let registered = power_cut_in("registered", &mut second);
    assert_eq!(registered["amount"], "1", "{registered}");

    let waits = third.event("waiting_for_coins", LIMIT);
    assert_eq!(
        (&waits["spendable"], &waits["needed"]),
        (&"0".into(), &"1.2".into())
    );
    let invited = waits["address"].as_str().expect("an address").to_owned();
    // Nobody says yes to the first.
    let refused = founder.hydra(&["invite", &invited]);
    assert_eq!(refused.status.code(), Some(6), "{refused:?}");
    let paid = proc::json(&founder.hydra(&["invite", &invited, "--yes", "--json"]));
    assert_eq!((&paid["from"], &paid["amount"]), (&account, &"1.2".into()));
    let came = third.event("coins_came", LIMIT);
    assert_eq!(came["from"], Value::from(vec![account.clone()]), "{came}");
    let registered = third.event("registered", LIMIT);
    assert_eq!(registered["amount"], "1", "{registered}");
    assert!(
        registered["work_seconds"].as_f64().expect("a number") > 0.0,
        "{registered}"
    );
    let rests = power_cut_in("resting", &mut third);
    // From the next session on, or the one after if this one took no more heartbeats.
    assert!(
        ["joining", "silent"].contains(&rests["presence"].as_str().expect("a word")),
        "{rests}"
    );

    let options = joining(&fourth, &file, &[]);
    let survivor = join_with_power_cuts(&mut fourth, &options, &founder, |address| {
        // Not only the founder can invite.
        second.event("training", LIMIT);
        let paid = proc::json(&second.hydra(&["invite", address, "--yes", "--json"]));
        assert_eq!(paid["from"], accounts::address(&rich));
    });
    third.event("training", LIMIT);

    let mut everyone = [founder, second, third, fourth];
    for pc in &mut everyone {
        pc.earns(LIMIT * 2);
    }
    eprintln!("all four earned after {:?}", begun.elapsed());
    let joined = [accounts::address(&rich), invited, survivor];
    let mut accounts = vec![account.as_str().expect("an address").to_owned()];
    accounts.extend(joined.clone());
    for pc in &mut everyone {
        // Another PC may have seen the last block a moment earlier.
        loop {
            let poor = not_paid(&pc.hydra(&["rounds", "--json"]), &accounts);
            if poor.is_empty() {
                break;
            }
            eprintln!("not paid yet: {poor:?}");
            pc.next_event(LIMIT);
        }
        nobody_joined_twice(&pc.hydra(&["status", "--json"]), &accounts, &joined);
    }
    what_a_pc_owns_is_spent_by_its_name(&everyone[1], &joined[0], &accounts[0]);
    a_doctor_finds_no_fault(&everyone[0]);
    for pc in everyone.iter_mut().rev() {
        pc.down();
    }
}

/// What `hydra up` is given the first time.
fn joining(pc: &Member, file: &str, more: &[&str]) -> Vec<String> {
    let mut options = vec!["--network".to_owned(), file.to_owned()];
    options.extend(more.iter().map(ToString::to_string));
    options.extend_from_slice(pc.seat().ports());
    options
}

/// Kills a PC in this state, as soon as it says so, and starts it again. Returns what it said.
fn power_cut_in(wanted: &str, pc: &mut Member) -> Value {
    let event = pc.event(wanted, LIMIT);
    let life = pc.kill();
    eprintln!("killed at '{wanted}', in '{}'", last_state(&life, wanted));
    pc.up(&[]);
    event
}

/// Joins, and is killed in each state in which its `hydra up` says to be, as soon as it says so; then it is started again.
/// `invite` has coins sent to its account, once it has waited for them, was killed and waits again. Where it pays it is killed
/// once more, after it has sent the transaction and before a block has it: only `maker` makes blocks. Returns the account.
///
/// A state that ends at once is killed in, too, or right after: then the last one that it came to counts as well.
fn join_with_power_cuts(
    pc: &mut Member,
    options: &[String],
    maker: &Member,
    mut invite: impl FnMut(&str),
) -> String {
    let mut killed: BTreeSet<String> = BTreeSet::new();
    let mut killed_after_sending = false;
    let mut account: Option<String> = None;
    let mut is_invited = false;
    loop {
        // Once it has its folder, `hydra up` is all it takes.
        pc.up(if account.is_none() { options } else { &[] });
        let begun = Instant::now();
        let new = loop {
            let event = pc.next_event(LIMIT);
            let state = state(&event);
            if let Some(address) = event["address"].as_str() {
                let account = account.get_or_insert_with(|| address.to_owned());
                assert_eq!(account.as_str(), address, "another account after a kill");
            }
            if NEWS.contains(&state.as_str()) {
                eprintln!("{event}");
                continue;
            }
            if !killed.contains(&state) {
                break Some((state, None));
            }
            if state == PAYING
                && !killed_after_sending
                && let Some(account) = &account
            {
                let no_blocks = maker.suspend_node();
                if waits_in_the_pool(pc, account) {
                    break Some((state, Some(no_blocks)));
                }
                // A block had it before its maker was suspended.
            }
            match (state.as_str(), &account) {
                ("waiting_for_coins", Some(account)) if !is_invited => {
                    invite(account);
                    is_invited = true;
                }
                ("training", _) => break None,
                _ => {}
            }
        };
        let Some((new, no_blocks)) = new else { break };
        let lived = begun.elapsed();
        let life = pc.kill();
        let last = last_state(&life, &new);
        eprintln!("killed after {lived:?}, at '{new}', in '{last}'");
        if no_blocks.is_some() {
            assert_eq!(last, new, "no block had the transaction");
            eprintln!("with a transaction that no block had");
            killed_after_sending = true;
        }
        // Blocks go on.
        drop(no_blocks);
        killed.extend([new, last]);
    }
    // Unless the first kill came late, when its transaction was sent: then that one was it.
    if !killed_after_sending {
        eprintln!("not killed between sending a transaction and a block with it, but in {killed:?}");
    }
    for state in STATES {
        assert!(
            killed.contains(state),
            "not killed in '{state}', but in {killed:?}"
        );
    }
    account.expect("it was said")
}

/// Waits until its node's pool has a transaction of this account, which is in no block then. False if none came in half a minute.
fn waits_in_the_pool(pc: &Member, account: &str) -> bool {
    let account: AccountId32 = account.parse().expect("an address");
    let signer = hex::encode(account.0);
    let end = Instant::now() + Duration::from_secs(30);
    while Instant::now() < end {
        if pc
            .rpc("author_pendingExtrinsics", &json!([]))
            .to_string()
            .contains(&signer)
        {
            return true;
        }
        // No event of it reaches out of that PC.
        thread::sleep(Duration::from_millis(100));
    }
    false
}

fn state(event: &Value) -> String {
    event["state"].as_str().expect("a state").to_owned()
}

/// The last state of joining that a life came to: this one at least.
fn last_state(life: &[Value], at_least: &str) -> String {
    let last = life
        .iter()
        .map(state)
        .rfind(|last| !NEWS.contains(&last.as_str()));
    last.unwrap_or_else(|| at_least.to_owned())
}

/// Founds the network, and returns the file for everybody.
fn found(founder: &Member, home: &Path, rich: &AccountBytes) -> String {
    let (out, allocation) = (home.join("files"), format!("{}=10", accounts::address(rich)));
    let mut arguments = vec!["network", "new", "--yes", "--json", "--id", ID];
    // A session is 40 s, and the founder weighs no more than others soon will: they hold places, and earn.
    arguments.extend([
        "--name",
        "Founding Test",
        "--slot",
        "2",
        "--epoch",
        "20",
        "--bond",
        "1",
    ]);
    arguments.extend(["--out", out.to_str().expect("UTF-8"), "--allocate", &allocation]);
    for address in founder.seat().addresses() {
        arguments.extend(["--address", address.as_str()]);
    }
    arguments.extend(founder.seat().ports().iter().map(String::as_str));
    let founded = proc::json(&founder.hydra(&arguments));
    let file = founded["file"].as_str().expect("a path").to_owned();
    let spec = fs::read_to_string(&file).expect("it was written");
    let spec: Value = serde_json::from_str(&spec).expect("JSON");
    assert_eq!(
        (&spec["chainType"], &spec["name"]),
        (&"Local".into(), &"Founding Test".into())
    );
    assert_eq!(spec["bootNodes"], founded["boot_nodes"]);
    // Each address that was given, and no other.
    for list in ["bootNodes", "trainers"] {
        let list = spec[list].as_array().expect("a list");
        let hosts: Vec<&str> = list
            .iter()
            .filter_map(|multiaddress| multiaddress.as_str()?.split('/').nth(2))
            .collect();
        assert_eq!(hosts, founder.seat().addresses());
    }
    // The state names no account whose secret is public.
    let mut state = spec["genesis"]["raw"]["top"].clone();
    // The runtime, which knows the development networks, too.
    state
        .as_object_mut()
        .expect("a map")
        .remove("0x3a636f6465")
        .expect("a runtime");
    let state = state.to_string();
    for name in accounts::DEVELOPMENT {
        let account = accounts::development(name).expect("a development account");
        assert!(!state.contains(&hex::encode(account)), "{name}");
    }
    file
}

/// Nothing leads out of these networks, so that no way to the internet tells a PC which of its addresses is the one.
fn a_pc_without_the_internet_finds_its_own_address(pc: &Member, home: &Path) {
    let (out, keys) = (home.join("member.json"), home.join("member"));
    let member = proc::json(&pc.hydra(&[
        "network",
        "member",
        "--json",
        "--id",
        "another",
        "--out",
        out.to_str().expect("UTF-8"),
        "--base-path",
        keys.to_str().expect("UTF-8"),
    ]));
    let address = member["node_addresses"][0].as_str().expect("an address");
    let own = pc.seat().addresses().first().expect("it has one");
    assert!(
        address.starts_with(&format!("/ip4/{own}/tcp/30333/")),
        "{address}"
    );
    // It takes part in the other network only.
    fs::remove_dir_all(keys).expect("it was made");
}

/// What the account of a PC has is shown and sent without a password, and nobody has seen its secret.
fn what_a_pc_owns_is_spent_by_its_name(pc: &Member, owner: &str, to: &str) {
    let balances = proc::json(&pc.hydra(&["wallet", "balance", "--json"]));
    let own = &balances["accounts"][0];
    assert_eq!(
        (&own["name"], &own["address"]),
        (&"this-pc".into(), &owner.into())
    );
    let send = [
        "wallet", "send", to, "0.5", "--from", "this-pc", "--yes", "--json",
    ];
    let sent = proc::json(&pc.hydra(&send));
    assert_eq!(
        (&sent["from"], &sent["from_name"], &sent["amount"]),
        (&owner.into(), &"this-pc".into(), &"0.5".into())
    );
    // On a local network it pays for its questions without being named, and nobody else does.
    let asked = proc::json(&pc.hydra(&["ask", "7", "--json"]));
    assert_eq!(asked["payer"], "this-pc", "{asked}");
}

/// A PC that trains has no fault.
fn a_doctor_finds_no_fault(pc: &Member) {
    let well = proc::json(&pc.hydra(&["doctor", "--json"]));
    assert_eq!(well["faults"], 0, "{well:#}");
    let state = |report: &serde_json::Value, topic: &str| {
        let checks = report["checks"].as_array().expect("a list").clone();
        let found = checks.into_iter().find(|check| check["check"] == topic);
        found.unwrap_or_else(|| panic!("no {topic}: {report:#}"))["state"].clone()
    };
    let topics = ["node", "sync", "finality", "rules", "registration", "stake"];
    for topic in topics {
        assert_eq!(state(&well, topic), "ok", "{topic}: {well:#}");
    }
}

/// Those of these accounts that have no accepted proposal that was paid.
fn not_paid(rounds: &Output, accounts: &[String]) -> Vec<String> {
    let report = proc::json(rounds);
    let parts = report["accounts"].as_array().expect("a list");
    let is_paid = |account: &&String| {
        parts
            .iter()
            .any(|part| part["account"] == account.as_str() && part["accepted"] != 0 && part["earned"] != "0")
    };
    accounts
        .iter()
        .filter(|account| !is_paid(account))
        .cloned()
        .collect()
}

/// Everybody sees these accounts and no other, and those that joined with what they wanted at stake, not more.
fn nobody_joined_twice(status: &Output, accounts: &[String], joined: &[String]) {
    let status = proc::json(status);
    let listed = status["accounts"].as_array().expect("a list");
    let mut names: Vec<&str> = listed.iter().filter_map(|one| one["account"].as_str()).collect();
    let mut wanted: Vec<&str> = accounts.iter().map(String::as_str).collect();
    names.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(names, wanted, "{status}");
    for one in listed
        .iter()
        .filter(|one| joined.iter().any(|name| one["account"] == name.as_str()))
    {
        assert_eq!(one["stake"], "1", "{one}");
    }
}
