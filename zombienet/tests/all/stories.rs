//! A PC that is suspended and one that joins, on one network, one after the other, which saves a start.

use std::time::{Duration, Instant};

use hydra_zombienet_tests::Zombienet;

use crate::{joining, suspended};

const LIMIT: Duration = Duration::from_secs(240);

#[tokio::test(flavor = "multi_thread")]
async fn a_pc_that_is_suspended_earns_again_and_a_fifth_that_has_nothing_joins_and_earns() {
    let network = Zombienet::start().await;
    network.wait_for_version(1, LIMIT).await;
    story(
        "a_pc_that_is_suspended_in_a_round_wakes_up_catches_up_and_earns_again",
        suspended::a_pc_that_is_suspended_in_a_round_wakes_up_catches_up_and_earns_again(&network),
    )
    .await;
    story(
        "a_fifth_pc_that_has_nothing_joins_with_hydra_up_is_invited_trains_and_earns",
        joining::a_fifth_pc_that_has_nothing_joins_with_hydra_up_is_invited_trains_and_earns(&network),
    )
    .await;
    network.stop().await;
}

/// Tells one, and says so by name: in the output of a test that fails, the last one that began is the one that broke.
async fn story(name: &str, told: impl Future<Output = ()>) {
    let begun = Instant::now();
    eprintln!("{name} ...");
    told.await;
    eprintln!("{name} ... ok, after {:.0?}", begun.elapsed());
}
