//! A PC loses its power in the middle of a round.

use std::time::Duration;

use hydra_cli::{accounts, chain::Chain};
use hydra_network_tests::LocalNetwork;
use hydra_primitives::{
    AccountBytes, H256,
    status::{Phase, RoundSummary},
    tally::Outcome,
};

const LIMIT: Duration = Duration::from_secs(240);

#[tokio::test(flavor = "multi_thread")]
async fn a_pc_that_is_killed_in_a_round_comes_back_with_the_same_model_and_earns_again() {
    let network = LocalNetwork::start().await;
    network.wait_for_version(1, LIMIT).await;
    let bob = accounts::development("Bob").expect("a development account");

    // In the middle of a round: its votes are committed or about to be.
    let round = network
        .wait("a round that is verified", LIMIT, async || {
            let model = network.model().await;
            (model.phase == Phase::Verify).then_some(model.round)
        })
        .await;
    network.power_cut("bob");

    // The others go on: two more versions without Bob. A late proposal may miss a round, so what counts is that work is
    // accepted, not how much of it.
    let version = network.model().await.version;
    network.wait_for_version(version + 2, LIMIT).await;
    let rounds = network.rounds().await;
    // The round of the power cut may hold what he did before it.
    let without: Vec<_> = rounds.iter().filter(|settled| settled.round > round).collect();
    let accepted = |settled: &RoundSummary<AccountBytes>| {
        settled
            .proposals
            .iter()
            .filter(|p| p.outcome == Outcome::Accepted)
            .count()
    };
    assert!(
        without.iter().any(|settled| accepted(settled) >= 1),
        "{without:?}"
    );
    for proposal in without.iter().flat_map(|settled| &settled.proposals) {
        assert_ne!(proposal.proposer, bob, "Bob proposed while he was dead");
        assert_ne!(
            proposal.outcome,
            Outcome::Rejected,
            "honest work was voted down: {proposal:?}"
        );
    }

    // Bob is back: attests what the others attest, and earns.
    let back_at = network.best().await.number;
    let restarted = network.restart("bob");
    let settled = network
        .wait(
            "an accepted proposal of Bob, and his attestation",
            LIMIT,
            async || {
                network.rounds().await.into_iter().find(|round| {
                    u64::from(round.settled_at) > back_at
                        && round.weights.is_some()
                        && round
                            .proposals
                            .iter()
                            .any(|p| p.proposer == bob && p.outcome == Outcome::Accepted && p.reward > 0)
                        && round.attestations.iter().any(|(who, _)| *who == bob)
                })
            },
        )
        .await;
    let weights: Vec<H256> = settled.attestations.iter().map(|(_, weights)| *weights).collect();
    assert!(
        weights.windows(2).all(|pair| pair[0] == pair[1]),
        "the nodes disagree: {:?}",
        settled.attestations
    );
    assert_eq!(settled.weights, weights.first().copied());

    let bobs = Chain::connect(&network.pc("bob").node.rpc_url)
        .await
        .expect("Bob's node answers");
    let behind = network
        .best()
        .await
        .number
        .saturating_sub(bobs.best().await.expect("it has blocks").number);
    assert!(behind <= 3, "Bob's node is {behind} blocks behind");
    drop(restarted);

    // `hydra demo` itself is killed: nothing that it started is left running.
    network.kill();
}
