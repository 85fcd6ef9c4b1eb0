//! Somebody pays a tip for each of so many transfers that no block has room for all of them. What duties need of a block can't be
//! bought.

use std::{process::Command, time::Duration};

use hydra_network_tests::{
    Chronicle, checkout,
    proc::{Running, Stream},
};
use hydra_primitives::status::Outcome;
use hydra_zombienet_tests::Zombienet;
use serde_json::Value;

const LIMIT: Duration = Duration::from_secs(240);
/// Versions that are to be confirmed meanwhile.
const VERSIONS: u32 = 3;

pub async fn rounds_go_on_while_blocks_are_full_of_tipped_transfers(network: &Zombienet) {
    let mut command = Command::new("setpriv");
    command
        .args(["--pdeathsig", "TERM", "node"])
        .arg(checkout("tests/polkadot-js/fill.mjs"))
        .args(["--url", &network.pc("bob").node.rpc_url, "--suri", "//Ferdie"]);
    let mut filling = Running::start("fill.mjs", &mut command, Stream::Stdout);
    filling.line_with("\"full\":true", LIMIT);

    let (first, mut chronicle) = (network.best().await.number, Chronicle::begin(network).await);
    let version = network.model().await.version;
    network.wait_for_version(version + VERSIONS, LIMIT).await;
    let last = network.best().await.number;
    let blocks: Vec<Value> = filling
        .lines()
        .iter()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|block| {
            block["block"]
                .as_u64()
                .is_some_and(|number| number > first && number <= last)
        })
        .collect();
    drop(filling);

    let full = blocks.iter().filter(|block| block["full"] == true).count();
    eprintln!("{full} of {} blocks were full", blocks.len());
    assert!(
        full * 4 >= blocks.len() * 3,
        "too few blocks were full: {blocks:?}"
    );
    let rounds = network.rounds().await;
    let places: Vec<_> = rounds
        .iter()
        .filter(|round| u64::from(round.opened_at) > first && u64::from(round.settled_at) <= last)
        .flat_map(|round| &round.places)
        .collect();
    let accepted = places
        .iter()
        .filter(|place| place.outcome == Some(Outcome::Accepted))
        .count();
    // A fork may cost a proposal its round.
    assert!(
        accepted > 0 && accepted * 4 >= places.len() * 3,
        "what was due didn't get into the blocks: {places:?}"
    );
    assert!(
        !places
            .iter()
            .any(|place| place.outcome == Some(Outcome::Rejected)),
        "{places:?}"
    );
    // It was somebody's transfers that filled them.
    let sent = chronicle.read(network).await;
    let most = sent.iter().map(|news| news.transactions).max();
    assert!(most > Some(5), "{most:?}");
}
