//! A fifth PC that has nothing joins a network that trains: `hydra up`, an invitation, work, and a reward.

use std::{
    process::{Command, Output},
    time::Duration,
};

use hydra_network_tests::{Member, netns::Seat, proc, program};
use hydra_zombienet_tests::{ID, Zombienet};
use subxt::utils::AccountId32;

const LIMIT: Duration = Duration::from_secs(240);

pub async fn a_fifth_pc_that_has_nothing_joins_with_hydra_up_is_invited_trains_and_earns(
    network: &Zombienet,
) {
    // The nodes listen on this PC's loopback address only.
    let mut fifth = Member::new(network.folder().join("fifth"), Seat::here(), ID);
    let spec = network.spec();
    let mut options = vec!["--network".to_owned(), spec.to_str().expect("UTF-8").to_owned()];
    options.extend_from_slice(fifth.seat().ports());
    fifth.up(&options);
    let waits = fifth.event("waiting_for_coins", LIMIT);
    assert_eq!(waits["needed"], "1.2");
    let address = waits["address"].as_str().expect("an address").to_owned();

    let paid = proc::json(&invite(network, &address));
    assert_eq!(paid["amount"], "1.2");
    fifth.event("coins_came", LIMIT);
    fifth.event("registered", LIMIT);
    assert_eq!(fifth.event("bonded", LIMIT)["amount"], "1");
    fifth.event("training", LIMIT);
    fifth.earns(LIMIT);

    // The others see it as it sees itself, if a moment later.
    let account: AccountId32 = address.parse().expect("an address");
    network
        .wait("the fifth PC, registered", LIMIT, async || {
            let best = network.best().await;
            let status = network.chain.node_status(&account.0, best.hash).await;
            status.expect("the node answers").registered.then_some(())
        })
        .await;
    fifth.down();
}

/// Sends it what it needs, from an account of the network that is no PC's.
fn invite(network: &Zombienet, address: &str) -> Output {
    let mut command = Command::new(program("hydra"));
    command
        .args(["invite", address, "--from", "//Ferdie", "--yes", "--json"])
        .args(["--url", &network.pc("alice").node.rpc_url])
        .env("HOME", network.folder());
    for variable in ["HYDRA_SURI", "HYDRA_KEYS", "XDG_DATA_HOME", "XDG_CONFIG_HOME"] {
        command.env_remove(variable);
    }
    proc::run(&mut command)
}
