//! Several stories on one network, one after the other, which saves a start.

use std::time::{Duration, Instant};

use hydra_zombienet_tests::Zombienet;

use crate::{equivocation, full_blocks, joining, suspended};

const LIMIT: Duration = Duration::from_secs(240);

#[tokio::test(flavor = "multi_thread")]
async fn a_pc_that_is_suspended_earns_again_rounds_go_on_in_full_blocks_and_who_signs_twice_forfeits() {
    let network = Zombienet::start().await;
    network.wait_for_version(1, LIMIT).await;
    story(
        "a_pc_that_is_suspended_in_a_round_wakes_up_catches_up_and_earns_again",
        suspended::a_pc_that_is_suspended_in_a_round_wakes_up_catches_up_and_earns_again(&network),
    )
    .await;
    story(
        "rounds_go_on_while_blocks_are_full_of_tipped_transfers",
        full_blocks::rounds_go_on_while_blocks_are_full_of_tipped_transfers(&network),
    )
    .await;
    // Last: afterwards there are three members.
    story(
        "a_member_whose_keys_two_nodes_have_forfeits_and_leaves_the_committee",
        equivocation::a_member_whose_keys_two_nodes_have_forfeits_and_leaves_the_committee(&network),
    )
    .await;
    network.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fifth_pc_that_has_nothing_joins_earns_is_drawn_into_the_committee_and_makes_blocks() {
    let network = Zombienet::start().await;
    network.wait_for_version(1, LIMIT).await;
    let mut fifth = joining::fifth(&network);
    story(
        "a_fifth_pc_that_has_nothing_joins_with_hydra_up_is_invited_trains_and_earns",
        joining::a_fifth_pc_that_has_nothing_joins_with_hydra_up_is_invited_trains_and_earns(
            &network, &mut fifth,
        ),
    )
    .await;
    story(
        "a_joiner_is_drawn_into_the_committee_and_makes_blocks",
        joining::a_joiner_is_drawn_into_the_committee_and_makes_blocks(&network, &mut fifth),
    )
    .await;
    fifth.down();
    network.stop().await;
}

/// Tells one, and says so by name: in the output of a test that fails, the last one that began is the one that broke.
pub async fn story(name: &str, told: impl Future<Output = ()>) {
    let begun = Instant::now();
    eprintln!("{name} ...");
    told.await;
    eprintln!("{name} ... ok, after {:.0?}", begun.elapsed());
}
