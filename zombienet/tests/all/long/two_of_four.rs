//! Half of the committee is away: rounds go on without them, nothing becomes final, and when they are back everything is made up for.

use std::time::Duration;

use hydra_cli::accounts;
use hydra_primitives::HYDRA;
use hydra_zombienet_tests::Zombienet;

use crate::suspended::earns;

const LIMIT: Duration = Duration::from_secs(240);
/// Polls that began with all four are decided by nobody: three draws in blocks that come half as often. Then two sessions.
const WITHOUT: Duration = Duration::from_secs(900);
/// Blocks that may become final by votes that were on their way.
const ON_THEIR_WAY: u64 = 3;

#[tokio::test(flavor = "multi_thread")]
async fn two_of_four_are_gone_rounds_go_on_and_when_they_are_back_blocks_become_final_and_all_earn() {
    let network = Zombienet::start().await;
    network.wait_for_version(1, LIMIT).await;
    let finalised = async || network.chain.finalised().await.expect("the node answers").number;

    let gone = [network.suspend("bob").await, network.suspend("charlie").await];
    let last = finalised().await;
    let version = network.model().await.version;
    network.wait_for_version(version + 2, WITHOUT).await;
    let now = finalised().await;
    assert!(
        now <= last + ON_THEIR_WAY,
        "blocks became final with two of four: {last}, then {now}"
    );

    let back_at = network.best().await.number;
    for asleep in gone {
        network.wake(asleep).await;
    }
    network
        .wait("all blocks since, final", LIMIT, async || {
            (finalised().await >= back_at).then_some(())
        })
        .await;
    let everybody = ["Alice", "Bob", "Charlie", "Dave"]
        .map(|name| accounts::development(name).expect("a development account"));
    network
        .wait("a paid result of each", 2 * LIMIT, async || {
            let rounds = network.rounds().await;
            let all = everybody.iter().all(|who| earns(who, &rounds, back_at));
            all.then_some(())
        })
        .await;
    // To be away costs no stake.
    for who in everybody {
        let status = network.node(&who).await;
        assert!(status.stake >= 100 * HYDRA, "{status:?}");
    }
    network.stop().await;
}
