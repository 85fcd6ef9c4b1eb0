//! What people do wrong with a running network gets a sentence, costs nothing and harms nobody.

use std::{fs, path::Path, process::Command, time::Duration};

use hydra_cli::{accounts, chain::Chain, network::Network};
use hydra_network_tests::{
    LocalNetwork, checkout,
    clients::refused,
    proc::{self, Running, Stream},
    program,
};

const LIMIT: Duration = Duration::from_secs(240);

#[tokio::test(flavor = "multi_thread")]
async fn what_people_do_wrong_gets_a_sentence_and_harms_nobody() {
    let network = LocalNetwork::start().await;
    what_is_not_trained_yet_is_neither_exported_nor_asked(&network);
    network.wait_for_version(1, LIMIT).await;
    questions_and_starts_that_can_not_be_are_refused(&network);
    no_trainer_and_a_trainer_with_another_token_leave_the_node_running(&network).await;
    a_final_answer_is_not_paid_for_where_nothing_becomes_final(&network).await;
    network.stop();
}

fn what_is_not_trained_yet_is_neither_exported_nor_asked(network: &LocalNetwork) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("model.safetensors");
    let file = file.to_str().expect("UTF-8");
    // Its first round takes many blocks.
    refused(
        &network.hydra("alice", &["model", "export", "--out", file]),
        6,
        "has not been trained yet",
    );
    refused(
        &network.hydra("alice", &["ask", "3"]),
        6,
        "has not been trained yet",
    );
    assert!(fs::read_dir(folder.path()).expect("it is there").next().is_none());
}

fn questions_and_starts_that_can_not_be_are_refused(network: &LocalNetwork) {
    let folder = tempfile::tempdir().expect("a folder");
    let broken = folder.path().join("broken.png");
    fs::write(&broken, b"\x89PNG\r\n\x1a\nthis is no picture").expect("a new file");
    let ask = |arguments: &[&str]| network.hydra("alice", &[&["ask"], arguments].concat());

    refused(
        &ask(&["3", "--model", "7"]),
        6,
        "there is no model 7 on this chain",
    );
    refused(&ask(&[broken.to_str().expect("UTF-8")]), 6, "broken.png");
    refused(&ask(&["no-such-file.png"]), 6, "no-such-file.png");
    refused(&ask(&["100000"]), 4, "choose one from 0 to 359");
    refused(&ask(&["3", "--suri", "//Nobody"]), 6, "has 0 HYDRA to spend");
    let bobs_token = network.pc("bob").trainer.token_file.clone();
    let wrong_token = ["3", "--trainer-token-file", bobs_token.to_str().expect("UTF-8")];
    refused(
        &ask(&wrong_token),
        4,
        "give node, trainer and command line the same token file",
    );

    // A port that is in use, and a network that runs already.
    let port = network.network.base_port.to_string();
    let demo = |base_path: &Path, port: &str| {
        proc::run(
            Command::new(program("hydra"))
                .args(["demo", "--base-port", port, "--base-path"])
                .arg(base_path)
                .arg("--datasets")
                .arg(checkout("datasets")),
        )
    };
    refused(
        &demo(&folder.path().join("network"), &port),
        8,
        &format!("port {port} (for Alice's RPC) is taken"),
    );
    refused(&demo(network.folder(), "1024"), 8, "is running already");
}

/// A worker that can't find LibTorch: see the trainer's own tests.
async fn no_trainer_and_a_trainer_with_another_token_leave_the_node_running(network: &LocalNetwork) {
    let dave = network.pc("dave");
    let daves = Chain::connect(&dave.node.rpc_url)
        .await
        .expect("Dave's node answers");
    let says = async |sentence: &str| {
        let from = daves.best().await.expect("it has blocks").number;
        let what = format!("Dave's node goes on and says '{sentence}'");
        network
            .wait(&what, Duration::from_secs(120), async || {
                let log = fs::read_to_string(&dave.node.log).expect("Dave's node writes a log");
                let best = daves.best().await.expect("it has blocks").number;
                (best >= from + 10 && log.contains(sentence)).then_some(())
            })
            .await;
    };

    proc::kill_9(dave.trainer.pid);
    refused(&network.hydra("dave", &["ask", "3"]), 4, "does not answer");
    says("no trainer answers on 127.0.0.1").await;
    // Whoever looks is told, whichever PC is looked at, and what still runs is made use of.
    let status = network.hydra("alice", &["status"]);
    let status = String::from_utf8_lossy(&status.stdout);
    // As one line: a command that is to be copied begins a new one where it doesn't fit.
    let status = status.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        status.contains("Dave's trainer does not run: start it again with `hydra demo --only dave"),
        "{status}"
    );
    let restarted = network.restart("dave");
    let now = Network::read(network.folder()).expect("readable").expect("there");
    let again = now.pc("dave").expect("a PC of the network");
    assert_eq!(again.node.pid, dave.node.pid);
    assert_ne!(again.trainer.pid, dave.trainer.pid);
    let output = network.hydra("dave", &["status", "--json"]);
    assert_eq!(proc::json(&output)["trainer"]["engine"]["state"], "ready");
    drop(restarted);

    // Two of four can make blocks, and none of them final.
    network.power_cut("bob");
    network.power_cut("charlie");
    fs::write(&dave.trainer.token_file, format!("{}\n", "5a".repeat(32))).expect("Dave's token file");
    let datasets = [checkout("datasets/digits")];
    let mut trainer = Running::start(
        "Dave's trainer",
        Command::new(program("hydra-trainer")).args(dave.trainer_arguments(&network.network, &datasets, 1)),
        Stream::Stdout,
    );
    trainer.line_with("ready: peer", LIMIT);
    says("does not accept our token").await;
}

/// Two of the four PCs are gone.
async fn a_final_answer_is_not_paid_for_where_nothing_becomes_final(network: &LocalNetwork) {
    let ferdie = accounts::development("Ferdie").expect("a development account");
    let funds = async || {
        let best = network.best().await;
        let funds = network.chain.funds(&ferdie, best.hash).await;
        funds.expect("the node answers").free
    };
    let before = funds().await;
    refused(
        &network.hydra("alice", &["ask", "3", "--suri", "//Ferdie", "--finalized"]),
        6,
        "blocks do not become final",
    );
    assert_eq!(funds().await, before);
    // What needs not be final is answered all the same.
    let output = network.hydra("alice", &["ask", "3", "--suri", "//Ferdie"]);
    assert!(output.status.success(), "{output:?}");
}
