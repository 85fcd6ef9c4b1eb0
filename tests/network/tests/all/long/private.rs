//! Four whole PCs, nodes included, in four private nets, each behind a router of its own; one of them is reached by relays only. They were
//! told of one public PC, which then goes for good, and train on.

use std::{fs, path::Path, time::Duration};

use hydra_network_tests::{
    Member,
    laboratory::{Kind, Laboratory, Mapper, Plan, multiaddress},
    proc,
};
use serde_json::Value;

use super::founded::{Status, found, nothing_was_lost, until};

const LIMIT: Duration = Duration::from_secs(240);
/// A few rounds, while connections are found, and sessions in which somebody may be missed.
const ROUNDS: Duration = Duration::from_secs(900);
const ID: &str = "private-test";
/// Of the member that nobody gets to without a relay.
const RELAYED: usize = 3;

#[test]
fn four_pcs_in_private_nets_train_on_and_agree_after_the_public_boot_node_is_gone_for_good() {
    let Some(laboratory) = Laboratory::open() else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder for the network");
    let home = folder.path().canonicalize().expect("it is there");
    let public = laboratory.host();
    let mut boot = Member::new(home.join("boot"), public.seat(), ID);
    let plans = [
        // As most are at home: it lets in nobody, until it is asked to.
        Plan::behind(Kind::Restricted).with_mapper(Mapper::Upnp),
        Plan::behind(Kind::FullCone),
        Plan::behind(Kind::Remapping),
        Plan::behind(Kind::Symmetric),
    ];
    let homes = plans.map(|plan| laboratory.home(plan));
    let mut members: Vec<Member> = (0..)
        .zip(&homes)
        .map(|(number, at)| Member::new(home.join(format!("pc{number}")), at.pc(0), ID))
        .collect();
    let file = found(&members, &home, ID, &[]);
    is_known_by(&boot, &home.join("boot.json"), &file);

    let options = ["--network".to_owned(), file];
    // Who runs a boot node knows where it is reached.
    let mut as_boot_node = vec!["--no-train".to_owned()];
    for address in public.seat().addresses() {
        let host = multiaddress(address);
        for way in ["tcp/30400", "udp/30400/quic-v1"] {
            as_boot_node.extend(["--external-address".into(), format!("{host}/{way}")]);
        }
    }
    boot.up(&[&options[..], &as_boot_node].concat());
    for _ in ["node", "trainer"] {
        boot.event("started", LIMIT);
    }
    for pc in &mut members {
        pc.up(&options);
    }
    for pc in &mut members {
        pc.event("training", LIMIT);
    }
    for pc in &mut members {
        pc.earns(LIMIT);
    }
    let said = |pc: &Member| reachability(pc);
    let relayed = members.get(RELAYED).expect("it is one of four");
    until(
        "the PC behind the symmetric router says it is relayed",
        LIMIT,
        || said(relayed).0 == "relayed",
    );
    for (plan, pc) in plans.iter().zip(&members) {
        let (state, reason) = said(pc);
        eprintln!("behind a {} router: {state}: {reason}", plan.kind);
        assert!(
            !["unknown", "unreachable"].contains(&state.as_str()),
            "{state}: {reason}"
        );
    }
    trains_on(&members, "with the boot node");

    boot.kill();
    laboratory.set_line(public.customer(), false);
    trains_on(&members, "without it");
    for pc in &mut members {
        pc.earns(ROUNDS);
    }
    // Whoever is away for a moment comes back, too: what it remembers is enough.
    let mut first = members.remove(0);
    first.kill();
    first.up(&[]);
    first.event("training", ROUNDS);
    first.earns(ROUNDS);
    members.insert(0, first);
    trains_on(&members, "after one was away");
    nothing_was_lost(members.last().expect("four"));
    for pc in members.iter_mut().rev() {
        pc.down();
    }
}

/// Waits for three more rounds, confirmed, and for finality beyond the newest block of now, on every PC.
fn trains_on(members: &[Member], when: &str) {
    let before: Vec<Status> = members.iter().map(Status::of).collect();
    let highest = before.iter().map(|status| status.block).max().expect("four");
    for (number, (pc, before)) in members.iter().zip(&before).enumerate() {
        until(
            &format!("rounds and finality on PC {number} {when}"),
            ROUNDS,
            || {
                let now = Status::of(pc);
                now.round >= before.round + 3
                    && now.confirmed >= before.confirmed + 2
                    && now.finalised > highest
            },
        );
    }
}

/// Makes the boot node's keys, and has the network's file name it and nobody else: nobody is told where the members are.
fn is_known_by(boot: &Member, out: &Path, file: &str) {
    let out = out.to_str().expect("UTF-8");
    let mut arguments = vec!["network", "member", "--json", "--id", ID, "--out", out];
    let seat = boot.seat().clone();
    for address in seat.addresses() {
        arguments.extend(["--address", address.as_str()]);
    }
    let keys = proc::json(&boot.hydra(&arguments));
    let spec = fs::read_to_string(file).expect("it was written");
    let mut spec: Value = serde_json::from_str(&spec).expect("JSON");
    spec["bootNodes"] = keys["node_addresses"].clone();
    spec["trainers"] = keys["trainer_addresses"].clone();
    fs::write(file, spec.to_string()).expect("it can be written");
}

/// What the trainer of a PC says of how it can be reached.
fn reachability(pc: &Member) -> (String, String) {
    let url = format!("http://127.0.0.1:{}/v1/status", pc.pc().trainer.http_port);
    let words = ["curl", "--silent", "--max-time", "30", "--noproxy", "*", &url];
    let output = pc.seat().command(&words).output().expect("curl runs");
    let status: Value = serde_json::from_slice(&output.stdout).expect("the trainer answers");
    let said = |field: &str| {
        status["reachability"][field]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    (said("state"), said("reason"))
}
