//! A referendum replaces the runtime of a network that is training.

use std::{process::Command, time::Duration};

use hydra_network_tests::{checkout, proc};
use hydra_zombienet_tests::Zombienet;

const LIMIT: Duration = Duration::from_secs(240);

#[tokio::test(flavor = "multi_thread")]
async fn four_pcs_upgrade_their_runtime_by_referendum_and_go_on_training() {
    let network = Zombienet::start().await;
    network.wait_for_version(1, LIMIT).await;
    let file = network.folder().join("next-release.wasm");
    std::fs::write(
        &file,
        hydra_upgrade_trial::WASM_BINARY.expect("built with its Wasm"),
    )
    .expect("a file");

    let output = proc::run(
        Command::new("node")
            .arg(checkout("tests/polkadot-js/governance.mjs"))
            .args([
                "--url",
                &network.pc("bob").node.rpc_url,
                "--timeout",
                "240",
                "--upgrade",
            ])
            .arg(&file),
    );
    let (said, complaints) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{said}\n{complaints}");
    assert!(said.contains("upgraded from version"), "{said}");

    // Rounds that were under way are settled, and new ones opened, by the new runtime.
    let before = network.model().await.confirmed_version;
    network.wait_for_version(before + 2, LIMIT).await;
    let rejected = network
        .rounds()
        .await
        .iter()
        .flat_map(|round| &round.proposals)
        .filter(|proposal| proposal.outcome == hydra_primitives::tally::Outcome::Rejected)
        .count();
    assert_eq!(rejected, 0, "honest work was voted down");
    network.stop().await;
}
