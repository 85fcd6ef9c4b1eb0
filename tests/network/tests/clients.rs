//! Clients that others wrote, and a newcomer who follows the operator's guide.

use std::{
    process::{Command, Output},
    time::Duration,
};

use hydra_cli::accounts;
use hydra_network_tests::{LocalNetwork, checkout, clients::refused, proc};
use hydra_primitives::HYDRA;

const LIMIT: Duration = Duration::from_secs(240);

#[tokio::test(flavor = "multi_thread")]
async fn polkadot_js_follows_a_round_and_a_newcomer_joins() {
    let network = LocalNetwork::start().await;
    polkadot_js_tells_the_story_of_a_round(&network);
    a_newcomer_joins_with_the_script_of_the_operator_guide(&network).await;
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
        "VoteCommitted",
        "VoteRevealed",
        "ProposalAccepted",
        "Rewarded",
        "VersionConfirmed",
    ] {
        assert!(story.contains(chapter), "the story has no {chapter}:\n{story}");
    }
}

async fn a_newcomer_joins_with_the_script_of_the_operator_guide(network: &LocalNetwork) {
    let join = |arguments: &[&str]| {
        proc::run(
            Command::new("node")
                .arg(checkout("scripts/join.mjs"))
                .args(["--url", &network.pc("alice").node.rpc_url])
                .args(arguments)
                .env("HYDRA_SURI", "//Ferdie"),
        )
    };
    let said = |output: &Output| String::from_utf8_lossy(&output.stdout).into_owned();
    let peer = [
        "--peer-id",
        "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN",
        "--stake",
        "2",
    ];
    let joined = join(&peer);
    assert!(joined.status.success(), "{joined:?}");
    assert!(
        said(&joined).contains("bond 2 HYDRA: done in block"),
        "{joined:?}"
    );
    let ferdie = accounts::development("Ferdie").expect("a development account");
    network
        .wait("Ferdie is on chain", LIMIT, async || {
            let best = network.best().await;
            let status = network.chain.node_status(&ferdie, best.hash).await;
            let status = status.expect("the node answers");
            (status.registered && status.stake == 2 * HYDRA).then_some(())
        })
        .await;
    let again = join(&peer);
    assert!(said(&again).contains("is registered already"), "{again:?}");
    assert!(said(&again).contains("its stake is bonded already"), "{again:?}");
    refused(&join(&[]), 1, "name its trainer with --peer-id");
}
