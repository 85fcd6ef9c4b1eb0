//! A PC loses its power in the middle of a round.

use std::time::Duration;

use hydra_cli::{accounts, chain::Chain};
use hydra_network_tests::LocalNetwork;
use hydra_primitives::{
    AccountBytes,
    status::{Outcome, Phase, RoundSummary},
};

/// Who was killed has missed the session's heartbeat, and takes part from the next one on, two minutes later at the most.
const LIMIT: Duration = Duration::from_secs(300);

#[tokio::test(flavor = "multi_thread")]
async fn a_pc_that_is_killed_in_a_round_comes_back_with_the_same_model_and_earns_again() {
    let network = LocalNetwork::start().await;
    network.wait_for_version(1, LIMIT).await;
    let bob = accounts::development("Bob").expect("a development account");

    // In the middle of a round: its digests are given or about to be.
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
        let places = settled.places.iter();
        places.filter(|p| p.outcome == Some(Outcome::Accepted)).count()
    };
    assert!(
        without.iter().any(|settled| accepted(settled) >= 1),
        "{without:?}"
    );
    for place in without.iter().flat_map(|settled| &settled.places) {
        assert!(
            place.holder != bob || place.outcome.is_none(),
            "Bob proposed while he was dead: {place:?}"
        );
        assert_ne!(
            place.outcome,
            Some(Outcome::Rejected),
            "honest work was turned down: {place:?}"
        );
    }

    // Bob is back, and earns: with the version that the others confirm, too.
    let back_at = network.best().await.number;
    let restarted = network.restart("bob");
    network
        .wait("an accepted result of Bob that is paid", LIMIT, async || {
            let rounds = network.rounds().await;
            let is_paid = |settled: &RoundSummary<AccountBytes>| {
                u64::from(settled.opened_at) > back_at
                    && settled
                        .places
                        .iter()
                        .any(|p| p.holder == bob && p.outcome == Some(Outcome::Accepted) && p.reward > 0)
            };
            rounds.iter().any(is_paid).then_some(())
        })
        .await;
    // He lost some score, and no stake.
    let status = network.node(&bob).await;
    assert!(status.stake >= hydra_primitives::HYDRA * 100, "{status:?}");

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
