//! A member takes all of its stake back: it is drawn for nothing from then on, and gets the stake when the delay is over, not sooner.

use std::time::Duration;

use hydra_cli::{
    accounts, amount,
    chain::{Block, Hash},
};
use hydra_network_tests::{clients::refused, proc};
use hydra_zombienet_tests::Zombienet;
use serde_json::Value;

const LIMIT: Duration = Duration::from_secs(300);

#[tokio::test(flavor = "multi_thread")]
async fn a_member_unbonds_leaves_and_is_paid_out_after_the_delay_and_not_before() {
    let network = Zombienet::start().await;
    network.wait_for_version(1, LIMIT).await;
    let dave = accounts::development("Dave").expect("a development account");
    let before = network.node(&dave).await;

    let all = ["stake", "unbond", "--all", "--from", "//Dave", "--yes", "--json"];
    let unbonded = proc::json(&network.hydra("alice", &all));
    assert_eq!(unbonded["amount"], amount::exact(before.stake), "{unbonded}");
    let unbonded_in = unbonded["block"].as_u64().expect("a number");
    let withdraw = ["stake", "withdraw", "--from", "//Dave", "--yes", "--json"];
    refused(&network.hydra("alice", &withdraw), 6, "can be withdrawn now");
    let (status, until) = network
        .wait("what Dave unbonds", LIMIT, async || {
            let best = network.best().await;
            let unbonding = network.chain.unbonding(&dave, best.hash).await;
            let unbonding = unbonding.expect("the node answers");
            let only = unbonding.first()?;
            assert_eq!((unbonding.len(), only.amount), (1, before.stake));
            Some((network.node(&dave).await, u64::from(only.until)))
        })
        .await;
    assert_eq!((status.stake, status.unbonding), (0, before.stake), "{status:?}");
    assert!(!status.active, "{status:?}");
    assert!(
        until >= unbonded_in + 90,
        "{until} is too early after {unbonded_in}"
    );

    // He leaves the committee, which the others go on with.
    network
        .wait("a committee without Dave", LIMIT, async || {
            let best = network.best().await;
            let committee = network
                .chain
                .committee(best.hash)
                .await
                .expect("the node answers");
            (!committee.contains(&dave)).then_some(())
        })
        .await;
    network
        .wait("the end of the delay, final", LIMIT, async || {
            let last = network.chain.finalised().await.expect("the node answers");
            (last.number >= until).then_some(())
        })
        .await;
    let withdrawn = proc::json(&network.hydra("alice", &withdraw));
    assert_eq!(withdrawn["amount"], amount::exact(before.stake), "{withdrawn}");
    let block = block_of(&withdrawn);
    let parent = network.chain.parent(block).await.expect("the block is known");
    let funds = async |at: Hash| network.chain.funds(&dave, at).await.expect("the node answers");
    let (had, has) = (funds(parent.hash).await, funds(block.hash).await);
    let fee = amount::parse(withdrawn["fee"].as_str().expect("an amount")).expect("an amount of HYDRA");
    assert_eq!(had.free + before.stake, has.free + fee, "{had:?}, then {has:?}");
    assert_eq!(had.held - before.stake, has.held);

    // No round that opened since he left has a place of his, and rounds go on.
    let version = network.model().await.confirmed_version;
    network.wait_for_version(version + 1, LIMIT).await;
    let rounds = network.rounds().await;
    let later = rounds
        .iter()
        .filter(|round| u64::from(round.opened_at) > unbonded_in);
    let mut places = later.flat_map(|round| &round.places);
    assert!(!places.any(|place| place.holder == dave), "{rounds:?}");
    network.stop().await;
}

fn block_of(receipt: &Value) -> Block {
    let hash = receipt["block_hash"].as_str().expect("a hash");
    Block {
        number: receipt["block"].as_u64().expect("a number"),
        hash: hash.trim_start_matches("0x").parse().expect("a block's hash"),
    }
}
