//! A payment whose program was killed as soon as it had sent it: whoever decides again, from what was seen in the same block,
//! pays nothing more. One node takes the transactions, and nobody makes blocks until a second node does.

use std::{path::Path, process::Command, time::Duration};

use hydra_cli::{
    accounts::development,
    chain::Chain,
    error::Error,
    keys::key::Key,
    network::{node_key, peer_id},
    payment::{Call, Order, pay_as_of},
};
use hydra_network_tests::{
    Watch, free_ports,
    proc::{Running, Stream},
    program,
};
use hydra_primitives::{AccountBytes, Balance, HYDRA};

const LIMIT: Duration = Duration::from_secs(120);
/// How often a pool is looked at: it has no event for a transaction that somebody else sent.
const LOOK: Duration = Duration::from_millis(20);

#[tokio::test]
async fn of_what_was_decided_in_one_block_one_payment_is_made_though_its_program_was_killed() {
    let folder = tempfile::tempdir().expect("a folder for both nodes");
    let first_port = free_ports(6);
    let _node = node(folder.path(), 0, first_port, &[]);
    let url = format!("ws://127.0.0.1:{first_port}");
    let chain = Watch::connect(&url, LIMIT).await.chain;
    let ferdie = development("Ferdie").expect("a development account");
    let rich = Key::from_suri("//Ferdie").expect("its secret is known");
    let poor = Key::from_seed(&[7; 32]).expect("a seed");
    let (once, twice) = (
        Call::Send(poor.account(), HYDRA),
        Call::Send(poor.account(), 2 * HYDRA),
    );
    let from_rich = |call| Order { key: &rich, call };

    // Killed once the pool has it.
    let begun = chain.best().await.expect("the node answers");
    tokio::select! {
        paid = pay_as_of(&chain, from_rich(&once), begun) => panic!("nobody makes blocks, and: {paid:?}"),
        () = is_in_the_pool(&chain, &ferdie) => {}
    }
    assert_eq!(
        chain.best().await.expect("the node answers"),
        begun,
        "a block was made"
    );
    // Started again, it sees in the same block that nothing is paid. Blocks are made only then.
    let to = address(0, first_port);
    let _maker = node(folder.path(), 1, first_port + 3, &["--alice", "--bootnodes", &to]);
    let again = pay_as_of(&chain, from_rich(&twice), begun).await;
    assert!(matches!(again, Ok(None)), "{again:?}");
    assert_eq!(balance(&chain, &poor.account()).await, HYDRA);
    // So it is once a block has it, however late somebody comes who saw nothing of it.
    let late = pay_as_of(&chain, from_rich(&twice), begun).await;
    assert!(matches!(late, Ok(None)), "{late:?}");

    // What is decided after that is another payment.
    let now = chain.best().await.expect("the node answers");
    let paid = pay_as_of(&chain, from_rich(&twice), now).await;
    let paid = paid.expect("it can be paid").expect("nothing came first");
    assert!(paid.block.number > now.number, "{paid:?}");
    assert_eq!(balance(&chain, &poor.account()).await, 3 * HYDRA);

    // Who has too little left because of the first payment is told that it was made, and not that it can't be.
    let back = Call::Send(ferdie, 2 * HYDRA);
    let from_poor = Order {
        key: &poor,
        call: &back,
    };
    let now = chain.best().await.expect("the node answers");
    let paid = pay_as_of(&chain, from_poor, now).await;
    assert!(matches!(paid, Ok(Some(_))), "{paid:?}");
    let again = pay_as_of(&chain, from_poor, now).await;
    assert!(matches!(again, Ok(None)), "{again:?}");
    let now = chain.best().await.expect("the node answers");
    let refused = pay_as_of(&chain, from_poor, now).await;
    assert!(matches!(refused, Err(Error::TooPoor { .. })), "{refused:?}");
}

/// A node of the network `dev`, where Alice makes all blocks. Its three ports begin with this one.
fn node(folder: &Path, number: u8, port: u16, more: &[&str]) -> Running {
    let key = hex::encode(node_key(number));
    Running::start(
        &format!("node {number}"),
        Command::new("setpriv")
            .args(["--pdeathsig", "TERM"])
            .arg(program("hydra-node"))
            .args(["--chain", "dev", "--node-key", &key, "--base-path"])
            .arg(folder.join(number.to_string()))
            .args(["--rpc-port", &port.to_string()])
            .args(["--listen-addr", &format!("/ip4/127.0.0.1/tcp/{}", port + 1)])
            .args(["--trainer-port", &(port + 2).to_string()])
            .args(["--no-mdns", "--no-prometheus", "--no-telemetry"])
            .args(more),
        Stream::Stderr,
    )
}

/// Where the node with this number and this first port is reached.
fn address(number: u8, port: u16) -> String {
    let identity = peer_id(node_key(number));
    format!("/ip4/127.0.0.1/tcp/{}/p2p/{identity}", port + 1)
}

/// Ends when the node's pool has a transaction of this account, which has none in a block.
async fn is_in_the_pool(chain: &Chain, account: &AccountBytes) {
    while chain.next_nonce(account).await.expect("the node answers") == 0 {
        tokio::time::sleep(LOOK).await;
    }
}

async fn balance(chain: &Chain, account: &AccountBytes) -> Balance {
    let best = chain.best().await.expect("the node answers");
    let funds = chain.funds(account, best.hash).await;
    funds.expect("the node answers").free
}
