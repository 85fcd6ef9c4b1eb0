//! Clients that others wrote, and newcomers who follow the operator's guide.

use std::{
    process::{Command, Stdio},
    time::Duration,
};

use hydra_cli::accounts;
use hydra_network_tests::{LocalNetwork, Newcomer, checkout, clients::refused, proc};
use hydra_primitives::{HYDRA, digits::DIGITS_INITIAL_WEIGHTS};

const LIMIT: Duration = Duration::from_secs(240);

#[tokio::test(flavor = "multi_thread")]
async fn polkadot_js_follows_a_round_newcomers_ask_and_join_and_referenda_change_the_rules() {
    let network = LocalNetwork::start().await;
    // It catches up while the story is told.
    let newcomer = Newcomer::start(&network, "//Ferdie");
    polkadot_js_tells_the_story_of_a_round(&network);
    whoever_is_not_registered_asks_at_a_pc_of_his_own(&network, &newcomer).await;
    the_chain_takes_what_hydra_registration_prints(&network, &newcomer).await;
    drop(newcomer);
    // Last: a second model takes time from the first.
    polkadot_js_changes_the_rules_by_referendum(&network);
    network.stop();
}

fn polkadot_js_tells_the_story_of_a_round(network: &LocalNetwork) {
    let output = proc::run(
        Command::new("node")
            .arg(checkout("tests/polkadot-js/story.mjs"))
            .args(["--url", &network.pc("charlie").node.rpc_url, "--timeout", "120"]),
    );
    let (story, complaints) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{story}\n{complaints}");
    for chapter in [
        "Proposed",
        "SeatsDrawn",
        "DigestGiven",
        "PollOpened",
        "PlaceSettled",
        "Rewarded",
        "VersionConfirmed",
    ] {
        assert!(story.contains(chapter), "the story has no {chapter}:\n{story}");
    }
}

fn polkadot_js_changes_the_rules_by_referendum(network: &LocalNetwork) {
    let weights = format!("0x{}", hex::encode(DIGITS_INITIAL_WEIGHTS));
    let output = proc::run(
        Command::new("node")
            .arg(checkout("tests/polkadot-js/governance.mjs"))
            .args(["--url", &network.pc("bob").node.rpc_url, "--timeout", "240"])
            .args(["--initial-weights", &weights]),
    );
    let (said, complaints) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{said}\n{complaints}");
    for chapter in [
        "referenda.Confirmed (track root)",
        "referenda.Confirmed (track models)",
        "scheduler.Dispatched (track root)",
        "trainingProposals.ModelAdded",
        "the state is what was voted on",
    ] {
        assert!(said.contains(chapter), "nothing of {chapter}:\n{said}");
    }
}

/// Anyone may ask: an account that isn't registered, at a node and a trainer that take no part.
async fn whoever_is_not_registered_asks_at_a_pc_of_his_own(network: &LocalNetwork, newcomer: &Newcomer) {
    let answer = network
        .wait("the newcomer's trainer has the model", LIMIT, async || {
            let output = newcomer.hydra(&["ask", "3", "--suri", "//Ferdie", "--json"]);
            // Until it has, it says so, and nothing is paid.
            let waits = matches!(output.status.code(), Some(4 | 6));
            (!waits).then_some(output)
        })
        .await;
    let answer = proc::json(&answer);
    assert!(
        answer["label"].as_u64().is_some_and(|label| label < 10),
        "{answer}"
    );
    let status = proc::json(&newcomer.hydra(&["status", "--json"]));
    assert_eq!(status["trainer"]["standing"], "unregistered", "{status}");
}

/// Who has the trainer's identity is proven by that program, and signed for by a wallet that knows nothing of it; the stake is bonded
/// in the same call.
async fn the_chain_takes_what_hydra_registration_prints(network: &LocalNetwork, newcomer: &Newcomer) {
    let arguments = ["registration", "--json", "--key-file", newcomer.key_file()];
    let registration = newcomer.hydra(&arguments);
    assert!(registration.status.success(), "{registration:?}");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("registration.json");
    std::fs::write(&file, &registration.stdout).expect("a file");
    let register = |suri: &str| {
        Command::new("node")
            .arg(checkout("tests/polkadot-js/register.mjs"))
            .args(["--url", &newcomer.url(), "--suri", suri])
            .stdin(Stdio::from(std::fs::File::open(&file).expect("the file")))
            .output()
            .expect("Node.js runs")
    };
    // What was proven for one account is of no use to another.
    refused(&register("//Eve"), 1, "reputation.NotEnoughWork");
    let registered = register("//Ferdie");
    assert!(registered.status.success(), "{registered:?}");
    refused(&newcomer.hydra(&arguments), 6, "is registered already");
    let ferdie = accounts::development("Ferdie").expect("a development account");
    network
        .wait("Ferdie is on chain", LIMIT, async || {
            let status = network.node(&ferdie).await;
            (status.registered && status.stake == HYDRA).then_some(())
        })
        .await;
}
