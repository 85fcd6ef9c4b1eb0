//! A fifth PC that has nothing joins a network that trains: `hydra up`, an invitation, work, and a reward; and then it makes
//! blocks with the others.

use std::time::Duration;

use hydra_network_tests::{Member, netns::Seat, proc};
use hydra_primitives::{AccountBytes, Perbill};
use hydra_zombienet_tests::{ID, Ledger, Zombienet};
use serde_json::Value;
use subxt::utils::AccountId32;

/// A session is 40 s, and it may take two until a PC takes part.
const LIMIT: Duration = Duration::from_secs(240);
/// As much as the members have, so that it is drawn as often once its score is as good.
const STAKE: &str = "100";
const INVITED_WITH: &str = "100.2";

/// The PC, which is not started yet.
pub fn fifth(network: &Zombienet) -> Member {
    // The nodes listen on this PC's loopback address only.
    Member::new(network.folder().join("fifth"), Seat::here(), ID)
}

pub async fn a_fifth_pc_that_has_nothing_joins_with_hydra_up_is_invited_trains_and_earns(
    network: &Zombienet,
    fifth: &mut Member,
) {
    let spec = network.spec();
    let mut options = vec!["--network".to_owned(), spec.to_str().expect("UTF-8").to_owned()];
    options.extend(["--stake", STAKE].map(str::to_owned));
    options.extend_from_slice(fifth.seat().ports());
    fifth.up(&options);
    let waits = fifth.event("waiting_for_coins", LIMIT);
    assert_eq!(waits["needed"], INVITED_WITH);
    let address = waits["address"].as_str().expect("an address").to_owned();

    // From an account of the network that is no PC's.
    let invite = [
        "invite",
        &address,
        "--amount",
        INVITED_WITH,
        "--from",
        "//Ferdie",
        "--yes",
        "--json",
    ];
    let paid = proc::json(&network.hydra("alice", &invite));
    assert_eq!(paid["amount"], INVITED_WITH);
    fifth.event("coins_came", LIMIT);
    // One transaction registers and bonds.
    assert_eq!(fifth.event("registered", LIMIT)["amount"], STAKE);
    let rests = fifth.event("resting", LIMIT);
    // From the next session on, or the one after if this one took no more heartbeats.
    assert!(
        ["joining", "silent"].contains(&rests["presence"].as_str().expect("a word")),
        "{rests}"
    );
    fifth.event("training", LIMIT);
    fifth.earns(LIMIT);

    // The others see it as it sees itself, if a moment later.
    let account = own_account(fifth);
    network
        .wait("the fifth PC, registered", LIMIT, async || {
            network.node(&account).await.registered.then_some(())
        })
        .await;
}

pub async fn a_joiner_is_drawn_into_the_committee_and_makes_blocks(network: &Zombienet, fifth: &mut Member) {
    let account = own_account(fifth);
    // Some fifty duties.
    network
        .wait("a good score of the fifth PC", 2 * LIMIT, async || {
            (network.node(&account).await.reputation >= Perbill::from_percent(80)).then_some(())
        })
        .await;
    let said = proc::json(&fifth.hydra(&["validate", "--yes", "--json"]));
    assert_eq!(said["action"], "validate", "{said}");
    // From now on its node makes blocks when the account is drawn.
    fifth.down();
    fifth.up(&[]);

    network
        .wait("the fifth PC in the committee", LIMIT, async || {
            let best = network.best().await;
            let committee = network.chain.committee(best.hash).await;
            committee
                .expect("the node answers")
                .contains(&account)
                .then_some(())
        })
        .await;
    let ledger = Ledger::open(&network.pc("alice").node.rpc_url).await;
    let finalised = async || network.chain.finalised().await.expect("the node answers");
    let mut next = finalised().await.number + 1;
    network
        .wait("a final block that the fifth PC made", LIMIT, async || {
            let last = finalised().await.number;
            while next <= last {
                let block = network.chain.block_at(next).await.expect("the node has it");
                next += 1;
                if ledger.maker(&network.chain, block).await == account {
                    return Some(());
                }
            }
            None
        })
        .await;
    // It trains as before.
    fifth.earns(LIMIT);
}

fn own_account(pc: &Member) -> AccountBytes {
    let status: Value = proc::json(&pc.hydra(&["status", "--json"]));
    let address = status["wallet"]["account"].as_str().expect("its account");
    address.parse::<AccountId32>().expect("an address").0
}
