//! The dashboard in a real Chromium: what it shows beside what chain and trainer say, what it does with money, who may not read
//! it, and how it is when trainer or node goes away.
//!
//! The stories are in `dashboard/tests/browser`, one file per subject; they share one start of a network.

use std::{process::Command, time::Duration};

use hydra_network_tests::{LocalNetwork, checkout, proc, program};

const LIMIT: Duration = Duration::from_secs(240);

#[tokio::test(flavor = "multi_thread")]
async fn the_dashboard_shows_what_is_and_moves_money_only_when_asked() {
    let network = LocalNetwork::start().await;
    // Accuracy, rounds and earnings are there to be shown, and the model knows its digits.
    network.wait_for_version(4, LIMIT).await;
    let alice = network.pc("alice");
    let arguments: Vec<String> = alice
        .node_arguments(&network.network)
        .into_iter()
        .map(|argument| argument.into_string().expect("UTF-8"))
        .collect();
    let running = hydra_cli::network::Network::read(network.folder())
        .expect("network.json is readable")
        .expect("network.json is there");
    let programs = running.pc("alice").expect("Alice");
    let output = proc::run(
        Command::new("node")
            .arg(checkout("dashboard/tests/browser/run.mjs"))
            .args(["--page", &format!("{}/", alice.trainer.http_url)])
            .args(["--rpc", &alice.node.rpc_url])
            .args(["--node-pid", &programs.node.pid.to_string()])
            .args(["--trainer-pid", &programs.trainer.pid.to_string()])
            .arg("--node")
            .arg(program("hydra-node"))
            .args([
                "--node-args",
                &serde_json::to_string(&arguments).expect("a list of words"),
            ]),
    );
    let (stories, complaints) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{stories}\n{complaints}");
    for subject in [
        "every_panel",
        "is_sent",
        "is_paid_for",
        "gets_nothing",
        "no_token",
        "barrier",
        "change_of_the_rules",
        "a_pause_is_shown",
        "scrolled_away",
        "hangs",
        "found_again",
    ] {
        assert!(stories.contains(subject), "no story about {subject}:\n{stories}");
    }
    network.stop();
}
