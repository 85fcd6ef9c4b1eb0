//! Somebody runs a second node with a member's session keys: two blocks in a slot are proven on chain, and cost stake.

use std::time::Duration;

use hydra_cli::accounts;
use hydra_zombienet_tests::Zombienet;

const LIMIT: Duration = Duration::from_secs(240);

pub async fn a_member_whose_keys_two_nodes_have_forfeits_and_leaves_the_committee(network: &Zombienet) {
    let dave = accounts::development("Dave").expect("a development account");
    let before = network.node(&dave).await.stake;
    let twin = network.twin("dave");
    // One of four in a session: (3/4)² of all that it has.
    let left = before - before / 16 * 9;
    network
        .wait("what Dave forfeits", LIMIT, async || {
            (network.node(&dave).await.stake <= left).then_some(())
        })
        .await;
    drop(twin);
    let status = network.node(&dave).await;
    assert!(!status.active, "he is drawn though he signed twice: {status:?}");

    // Not out of the committee that is sitting, but of the next one that is drawn; and not into another one afterwards.
    network
        .wait("a committee without Dave", LIMIT, async || {
            let best = network.best().await;
            let committee = network
                .chain
                .committee(best.hash)
                .await
                .expect("the node answers");
            (committee.len() == 3 && !committee.contains(&dave)).then_some(())
        })
        .await;
    let drawn_in = network.best().await.number;
    let version = network.model().await.confirmed_version;
    network.wait_for_version(version + 1, LIMIT).await;
    network
        .wait("a final block of that committee", LIMIT, async || {
            let last = network.chain.finalised().await.expect("the node answers");
            (last.number > drawn_in).then_some(())
        })
        .await;
    // Nobody else lost anything.
    for name in ["Alice", "Bob", "Charlie"] {
        let other = accounts::development(name).expect("a development account");
        let status = network.node(&other).await;
        assert!(
            status.stake >= 100 * hydra_primitives::HYDRA,
            "{name}: {status:?}"
        );
    }
}
