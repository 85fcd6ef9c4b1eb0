//! A fifth trainer joins an honest network and claims work that it did not do; what people see of that in the dashboard.

use std::{process::Command, time::Duration};

use hydra_cli::accounts;
use hydra_network_tests::{
    LocalNetwork, checkout, free_ports,
    proc::{self, Running, Stream},
    program,
};
use hydra_primitives::{AccountBytes, status::ProposalSummary, tally::Outcome};
use nix::sys::signal::Signal;
use serde_json::Value;

const LIMIT: Duration = Duration::from_secs(420);
/// The story of `dashboard/tests/browser` that needs a cheat.
const STORY: &str = "a_made_up_result_is_told_with_why_it_was_rejected";
const CHEATS: [&str; 3] = ["zero-update", "false-losses", "forged-trace"];

/// The rounds in which the adversary says that it proposed this.
fn proposed_in(lines: &[String], cheat: &str) -> Vec<u64> {
    let events = lines
        .iter()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let proposed = events.filter(|event| event["event"] == "proposed" && event["cheat"] == cheat);
    proposed.filter_map(|event| event["round"].as_u64()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn claimed_work_that_was_not_done_is_voted_down_unpaid_and_costs_reputation_while_training_goes_on() {
    let network = LocalNetwork::start().await;
    network.wait_for_version(1, LIMIT).await;
    let eve = accounts::development("Eve").expect("a development account");

    let folder = tempfile::tempdir().expect("a folder");
    let mut command = Command::new(program("hydra-adversary"));
    command
        .args(["--url", &network.pc("alice").node.rpc_url, "--suri", "//Eve"])
        .args([
            "--p2p-port",
            &free_ports(1).to_string(),
            "--cheats",
            &CHEATS.join(","),
        ])
        .arg("--dataset")
        .arg(checkout("datasets/digits"))
        .arg("--base-path")
        .arg(folder.path());
    for pc in &network.network.pcs {
        command.args(["--bootstrap", &pc.trainer.multiaddr]);
    }
    let mut adversary = Running::start("hydra-adversary", &mut command, Stream::Stdout);
    adversary.line_with("bonded", LIMIT);
    // The block with the bond may be replaced by another one before it is in a block that stays.
    let (best, newcomer) = network
        .wait("a cheat that is taken for a newcomer", LIMIT, async || {
            let best = network.best().await;
            let status = network.chain.node_status(&eve, best.hash).await;
            let status = status.expect("the node answers");
            (status.registered && status.weight > 0).then_some((best, status))
        })
        .await;
    let funds = network
        .chain
        .funds(&eve, best.hash)
        .await
        .expect("the node answers")
        .free;

    // It watches meanwhile: who comes later has not seen the single votes.
    let (alice, mut story) = (network.pc("alice"), Command::new("node"));
    story
        .arg(checkout("dashboard/tests/browser/run.mjs"))
        .args(["--only", STORY])
        .args(["--page", &format!("{}/", alice.trainer.http_url)])
        .args(["--rpc", &alice.node.rpc_url]);
    let seen = tokio::task::spawn_blocking(move || proc::run(&mut story));

    // Until each of the three was voted down once. A slow PC may leave one of them undecided; then it is tried again.
    let tried = network
        .wait("a rejected proposal of each cheat", LIMIT, async || {
            let rounds = network.rounds().await;
            let rejected = |cheat: &str| {
                let of_eve =
                    |p: &ProposalSummary<AccountBytes>| p.proposer == eve && p.outcome == Outcome::Rejected;
                let proposed = proposed_in(adversary.lines(), cheat);
                rounds
                    .iter()
                    .any(|r| proposed.contains(&u64::from(r.round)) && r.proposals.iter().any(of_eve))
            };
            CHEATS.iter().copied().all(rejected).then_some(rounds)
        })
        .await;
    let seen = seen.await.expect("the story is told to its end");
    let (told, complaints) = (
        String::from_utf8_lossy(&seen.stdout),
        String::from_utf8_lossy(&seen.stderr),
    );
    assert!(
        seen.status.success() && told.contains(STORY),
        "{told}\n{complaints}"
    );
    adversary.signal(Signal::SIGTERM);
    adversary.end(LIMIT);
    for (round, proposal) in tried
        .iter()
        .flat_map(|round| round.proposals.iter().map(|p| (round.round, p)))
    {
        if proposal.proposer == eve {
            assert_ne!(proposal.outcome, Outcome::Accepted, "round {round}: {proposal:?}");
            assert_eq!(proposal.reward, 0, "round {round}: {proposal:?}");
        } else {
            assert_ne!(proposal.outcome, Outcome::Rejected, "round {round}: {proposal:?}");
            assert_eq!(
                proposal.reward > 0,
                proposal.outcome == Outcome::Accepted,
                "round {round}: {proposal:?}"
            );
        }
    }
    let best = network.best().await;
    let known = network
        .chain
        .node_status(&eve, best.hash)
        .await
        .expect("the node answers");
    assert!(
        known.reputation < newcomer.reputation,
        "{:?} after {:?}",
        known.reputation,
        newcomer.reputation
    );
    let left = network
        .chain
        .funds(&eve, best.hash)
        .await
        .expect("the node answers")
        .free;
    assert!(left < funds, "fees were paid and nothing was earned");

    let version = network.model().await.confirmed_version;
    network.wait_for_version(version + 1, LIMIT).await;
    network.stop();
}
