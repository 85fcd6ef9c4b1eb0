//! A PC is suspended in the middle of a round, as a laptop is whose lid is closed, and wakes up later.

use std::time::Duration;

use hydra_cli::{accounts, chain::Chain};
use hydra_primitives::{
    AccountBytes,
    status::{Outcome, Phase, RoundSummary},
};
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
    let places: Vec<_> = without.iter().flat_map(|settled| &settled.places).collect();
    assert!(
        places.iter().any(|p| p.outcome == Some(Outcome::Accepted)),
        "{without:?}"
    );
    for place in places {
        assert!(
            place.holder != bob || place.outcome.is_none(),
            "Bob proposed while he slept: {place:?}"
        );
        assert_ne!(
            place.outcome,
            Some(Outcome::Rejected),
            "honest work was turned down: {place:?}"
        );
    }

    let awake_at = network.best().await.number;
    network.wake(asleep).await;
    network
        .wait("an accepted result of Bob that is paid", LIMIT, async || {
            let rounds = network.rounds().await;
            earns(&bob, &rounds, awake_at).then_some(())
        })
        .await;
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

/// Whether work of this account is accepted and paid, of a round that opened after this block.
pub fn earns(who: &AccountBytes, rounds: &[RoundSummary<AccountBytes>], after: u64) -> bool {
    rounds
        .iter()
        .filter(|round| u64::from(round.opened_at) > after)
        .flat_map(|round| &round.places)
        .any(|place| place.holder == *who && place.outcome == Some(Outcome::Accepted) && place.reward > 0)
}
