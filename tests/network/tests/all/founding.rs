//! A network from nothing: one PC founds it, another joins with coins, a third without, and is invited.

use std::{fs, process::Command, time::Duration};

use hydra_cli::{accounts, chain::Chain, keys::key::Key};
use hydra_network_tests::{Member, free_ports, proc, program};
use hydra_primitives::{AccountBytes, HYDRA, tally::Outcome};

const LIMIT: Duration = Duration::from_secs(180);

#[tokio::test(flavor = "multi_thread")]
async fn a_network_is_founded_joined_and_grown_by_an_invitation() {
    let folder = tempfile::tempdir().expect("a folder for the network");
    let home = folder.path().canonicalize().expect("it is there");
    let first = free_ports(12);
    let mut founder = Member::new(home.join("founder"), first);
    let mut second = Member::new(home.join("second"), first + 4);
    let mut third = Member::new(home.join("third"), first + 8);

    // An account that owns something from the beginning, with a seed that only this test knows.
    let seed = format!("0x{}", blake3::hash(home.as_os_str().as_encoded_bytes()).to_hex());
    fs::write(home.join("seed"), &seed).expect("a new file");
    let rich = Key::from_suri(&seed).expect("a seed").account();
    let file = found(&founder, &home, &rich);

    founder.up(&[]);
    let account = founder.event("account", LIMIT)["address"].clone();
    assert_eq!(founder.event("training", LIMIT)["state"], "training");
    let seed_file = format!("{}/seed", home.display());
    second.up(&joining(&second, &file, &["--phrase-file", &seed_file]));
    let joined = second.event("account", LIMIT);
    assert_eq!(joined["address"], accounts::address(&rich));
    second.event("registered", LIMIT);
    assert_eq!(second.event("bonded", LIMIT)["amount"], "1");
    second.event("training", LIMIT);

    // Killed while it waits, it waits again, for the same account.
    third.up(&joining(&third, &file, &[]));
    let waits = third.event("waiting_for_coins", LIMIT);
    assert_eq!(waits["needed"], "1.2");
    third.kill();
    third.up(&[]);
    let address = waits["address"].as_str().expect("an address").to_owned();
    assert_eq!(
        third.event("waiting_for_coins", LIMIT)["address"],
        address.as_str()
    );

    // Nobody says yes to the first.
    let refused = founder.hydra(&["invite", &address]);
    assert_eq!(refused.status.code(), Some(6), "{refused:?}");
    let invited = proc::json(&founder.hydra(&["invite", &address, "--yes", "--json"]));
    assert_eq!((&invited["from"], &invited["amount"]), (&account, &"1.2".into()));
    third.event("coins_came", LIMIT);
    third.event("registered", LIMIT);
    third.event("bonded", LIMIT);
    third.event("training", LIMIT);

    let newcomer = third_account(&third.hydra(&["status", "--json"]), &address);
    earns(&third, newcomer).await;
    for pc in [&mut third, &mut second, &mut founder] {
        pc.down();
    }
}

/// What `hydra up` is given the first time.
fn joining(pc: &Member, file: &str, more: &[&str]) -> Vec<String> {
    let mut options = vec!["--network".to_owned(), file.to_owned()];
    options.extend(more.iter().map(ToString::to_string));
    options.extend(pc.ports());
    options
}

/// Founds the network, and returns the file for everybody.
fn found(founder: &Member, home: &std::path::Path, rich: &AccountBytes) -> String {
    let mut command = Command::new(program("hydra"));
    command
        .args([
            "network",
            "new",
            "--yes",
            "--json",
            "--id",
            "founding-test",
            "--name",
            "Founding Test",
        ])
        .args(["--slot", "2", "--epoch", "20", "--address", "127.0.0.1", "--out"])
        .arg(home.join("files"))
        .args(["--allocate", &format!("{}=10", accounts::address(rich))])
        .args(founder.ports())
        .arg("--base-path")
        .arg(founder.folder())
        .env("HOME", home)
        .env_remove("XDG_DATA_HOME");
    let founded = proc::json(&proc::run(&mut command));
    let file = founded["file"].as_str().expect("a path").to_owned();
    let spec = fs::read_to_string(&file).expect("it was written");
    let spec: serde_json::Value = serde_json::from_str(&spec).expect("JSON");
    assert_eq!(
        (&spec["chainType"], &spec["name"]),
        (&"Local".into(), &"Founding Test".into())
    );
    assert_eq!(spec["bootNodes"], founded["boot_nodes"]);
    assert_eq!(spec["trainers"].as_array().expect("a list").len(), 1);
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

/// Everybody sees the newcomer.
fn third_account(status: &std::process::Output, address: &str) -> AccountBytes {
    let status = proc::json(status);
    let listed = status["accounts"].as_array().expect("a list");
    assert_eq!(listed.len(), 3, "{status}");
    let account = listed.iter().find(|account| account["account"] == address);
    assert_eq!(account.expect("it is registered")["stake"], "1");
    let account: subxt::utils::AccountId32 = address.parse().expect("an address");
    account.0
}

/// Waits until a proposal of this account is accepted and paid.
async fn earns(pc: &Member, account: AccountBytes) {
    let chain = Chain::connect(&pc.url()).await.expect("its node answers");
    let search = async {
        let mut heads = chain.new_heads().await.expect("the node answers");
        loop {
            let best = chain.best().await.expect("the node answers");
            let rounds = chain.rounds(0, best.hash).await.expect("the node answers");
            let paid = rounds.iter().flat_map(|round| &round.proposals).find(|proposal| {
                proposal.proposer == account && proposal.outcome == Outcome::Accepted && proposal.reward > 0
            });
            if let Some(paid) = paid {
                assert!(paid.reward <= HYDRA, "{paid:?}");
                return;
            }
            heads
                .next()
                .await
                .expect("blocks go on")
                .expect("the node answers");
        }
    };
    if tokio::time::timeout(LIMIT * 2, search).await.is_err() {
        let log = hydra_cli::local::process::tail(&pc.trainer_log());
        panic!(
            "the newcomer earned nothing within {:?}; its trainer's log ends with:\n{log}",
            LIMIT * 2
        );
    }
}
