//! A PC is suspended in the middle of a round, as a laptop is whose lid is closed, and wakes up later.

use std::time::Duration;

use hydra_cli::{accounts, chain::Chain};
use hydra_primitives::{status::Phase, tally::Outcome};
use hydra_zombienet_tests::Zombienet;

const LIMIT: Duration = Duration::from_secs(240);

pub async fn a_pc_that_is_suspended_in_a_round_wakes_up_catches_up_and_earns_again(network: &Zombienet) {
    let bob = accounts::development("Bob").expect("a development account");

    network
        .wait("a round that is verified", LIMIT, async || {
            (network.model().await.phase == Phase::Verify).then_some(())
        })
        .await;
    let asleep = network.suspend("bob").await;
    // Read now: the round may have ended just before.
    let model = network.model().await;
    let round = model.round;

    // Unlike a PC that is off, it holds its connections open and is silent. The three others go on without it.
    network.wait_for_version(model.version + 2, LIMIT).await;
    let rounds = network.rounds().await;
    // The round of the suspension may hold what he did before it.
    let without: Vec<_> = rounds.iter().filter(|settled| settled.round > round).collect();
    let proposals: Vec<_> = without.iter().flat_map(|settled| &settled.proposals).collect();
    assert!(
        proposals.iter().any(|p| p.outcome == Outcome::Accepted),
        "{without:?}"
    );
    for proposal in proposals {
        assert_ne!(proposal.proposer, bob, "Bob proposed while he slept");
        assert_ne!(
            proposal.outcome,
            Outcome::Rejected,
            "honest work was voted down: {proposal:?}"
        );
    }

    let awake_at = network.best().await.number;
    network.wake(asleep).await;
    let settled = network
        .wait(
            "an accepted proposal of Bob, and his attestation",
            LIMIT,
            async || {
                network.rounds().await.into_iter().find(|round| {
                    u64::from(round.settled_at) > awake_at
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
    assert!(
        settled
            .attestations
            .iter()
            .all(|(_, weights)| Some(*weights) == settled.weights),
        "the nodes disagree: {:?}",
        settled.attestations
    );
    let bobs = Chain::connect(&network.pc("bob").node.rpc_url)
        .await
        .expect("Bob's node answers");
    let behind = network
        .best()
        .await
        .number
        .saturating_sub(bobs.best().await.expect("it has blocks").number);
    assert!(behind <= 3, "Bob's node is {behind} blocks behind");
}
