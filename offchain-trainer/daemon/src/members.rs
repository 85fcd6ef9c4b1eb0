//! Tells the network who is registered on the chain: who is goes before who isn't, where there isn't room for all.
//!
//! The registry is read from this PC's node page by page, with pauses, so that a quarter of a million accounts are no load for it; a pass
//! over a small network is one page. Nothing depends on it: while the node doesn't answer, what was known last stays.

use std::time::Duration;

use codec::Decode;
use hydra_network::{Member, NetworkHandle, PeerId, peer_id_from_bytes};
use hydra_primitives::{electorate::SessionIndex, model::SizeClass};
use tokio::time::{Instant, sleep};

use crate::node::{Entry, Node, NodeError};

/// Accounts that are asked for at a time.
const PAGE: usize = 500;
/// Pages that are read at the most: as many accounts as the chain registers.
const MOST_PAGES: usize = 500;
/// Between two pages, and before one is asked for again; then twice as long, and so on.
const BREATH: Duration = Duration::from_millis(500);
/// How often a page is asked for: a node that is busy for a moment doesn't answer in time, and a pass may be a thousand questions.
const TRIES: u32 = 4;
/// Between two passes, at least; and at least as long as a pass took.
const PAUSE: Duration = Duration::from_secs(60);
/// As long as the node doesn't answer.
const RETRY: Duration = Duration::from_secs(10);
/// Where the registered accounts are: `twox128("Reputation") ++ twox128("Nodes")`.
const NODES: &str = "0x19ebab52d1fc3244db45364979b4af8e519dfc7fdad21b84f64a5310fa178ef2";

/// Tells it for as long as it is let.
pub(crate) async fn tell(node: Node, network: NetworkHandle) {
    loop {
        let began = Instant::now();
        let pause = match registered(&node).await {
            Ok(members) => {
                tracing::debug!(members = members.len(), "read who is registered");
                network.set_members(members);
                PAUSE.max(began.elapsed())
            }
            Err(error) => {
                tracing::debug!("can't read who is registered: {error}");
                RETRY
            }
        };
        sleep(pause).await;
    }
}

/// Who is registered.
async fn registered(node: &Node) -> Result<Vec<Member>, NodeError> {
    let mut members = Vec::new();
    let mut after: Option<String> = None;
    for _ in 0..MOST_PAGES {
        let page = page(node, after.as_deref()).await?;
        let is_last = page.len() < PAGE;
        members.extend(page.iter().filter_map(member));
        after = page.into_iter().next_back().map(|entry| entry.key);
        if is_last {
            break;
        }
        sleep(BREATH).await;
    }
    Ok(members)
}

/// The accounts after this one.
async fn page(node: &Node, after: Option<&str>) -> Result<Vec<Entry>, NodeError> {
    let mut pause = BREATH;
    for _ in 1..TRIES {
        match node.entries(NODES, PAGE, after).await {
            Err(NodeError::Slow | NodeError::Refused { .. }) => sleep(pause).await,
            answer => return answer,
        }
        pause = pause.saturating_mul(2);
    }
    node.entries(NODES, PAGE, after).await
}

/// One account, if this is one.
fn member(entry: &Entry) -> Option<Member> {
    let (peer, weight) = account(&entry.value)?;
    Some(Member { peer, weight })
}

/// The PeerId and the weight of an account, as the pallet `reputation` stores it (`Node` in `pallets/reputation/src/node.rs`; what follows the
/// heartbeat doesn't matter here). The weight is the score in millionths, and 0 for who was never heard of. Who was once keeps it, whether or not
/// anything is bonded since: what is bonded is stored elsewhere, and a large stake should not decide who is served.
fn account(value: &[u8]) -> Option<(PeerId, u32)> {
    type Beginning = (
        Vec<u8>,
        SizeClass,
        // Room, and how much of it is taken.
        (u8, u8),
        // Its score, in billionths.
        u32,
        // When it joined, and its last heartbeat.
        (SessionIndex, Option<SessionIndex>),
    );
    let (peer, _, _, score, (joined, heartbeat)) = Beginning::decode(&mut &*value).ok()?;
    // Those that genesis named take part without one.
    let takes_part = heartbeat.is_some() || joined == 0;
    let weight = if takes_part { (score / 1000).max(1) } else { 0 };
    Some((peer_id_from_bytes(&peer).ok()?, weight))
}

#[cfg(test)]
mod tests {
    use super::*;
    use codec::Encode;
    use proptest::prelude::*;
    use serde_json::{Value, json};
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    fn peer(number: u8) -> PeerId {
        hydra_network::data_plane_keypair(&[number; 32])
            .public()
            .to_peer_id()
    }

    fn stored(peer: PeerId, score: u32, joined: u32, heartbeat: Option<u32>) -> Vec<u8> {
        let more = (3u32, false, 0u32, 0u32, None::<(u32, u8)>, 0u32, false);
        (peer.to_bytes(), 8u8, 64u8, 0u8, score, joined, heartbeat, more).encode()
    }

    #[test]
    fn who_was_heard_of_weighs_its_score_and_who_was_not_weighs_nothing() {
        let weight = |score, joined, heartbeat| {
            let (who, weight) = account(&stored(peer(1), score, joined, heartbeat)).unwrap();
            assert_eq!(who, peer(1));
            weight
        };
        assert_eq!(weight(900_000_000, 7, Some(8)), 900_000);
        assert_eq!(weight(900_000_000, 7, None), 0);
        assert_eq!(weight(900_000_000, 0, None), 900_000, "a founder");
        assert_eq!(weight(0, 7, Some(8)), 1);
    }

    /// A node with so many accounts, and whoever asks it in any other way than page by page gets nothing.
    async fn node(accounts: usize) -> Node {
        busy_node(accounts, usize::MAX).await.0
    }

    /// It leaves each so-manieth question unanswered, and counts them.
    async fn busy_node(accounts: usize, silent: usize) -> (Node, Arc<AtomicUsize>) {
        let asked_so_far = Arc::new(AtomicUsize::new(0));
        let count = asked_so_far.clone();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (mut asked, mut text) = (vec![0; 1 << 16], String::new());
                let question: Value = loop {
                    let length = stream.read(&mut asked).await.unwrap();
                    text += &String::from_utf8_lossy(&asked[..length]);
                    let body = text.split_once("\r\n\r\n").map_or("", |(_, body)| body);
                    match serde_json::from_str(body) {
                        Ok(question) => break question,
                        Err(_) => assert!(length > 0, "cut off: {text}"),
                    }
                };
                if count.fetch_add(1, Ordering::Relaxed) % silent == silent - 1 {
                    // Until the other side has had enough.
                    tokio::spawn(async move { stream.read(&mut [0]).await });
                    continue;
                }
                let result = answer(&question, accounts);
                let body = json!({ "jsonrpc": "2.0", "id": 1, "result": result }).to_string();
                let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        (Node::new(port), asked_so_far)
    }

    fn answer(question: &Value, accounts: usize) -> Value {
        let key = |number: usize| format!("{NODES}{number:08x}");
        let number = |key: &Value| usize::from_str_radix(&key.as_str().unwrap()[NODES.len()..], 16).unwrap();
        let parameters = &question["params"];
        match question["method"].as_str().unwrap() {
            "state_getKeysPaged" => {
                assert_eq!(parameters[0], NODES);
                let count = usize::try_from(parameters[1].as_u64().unwrap()).unwrap();
                let first = match &parameters[2] {
                    Value::Null => 0,
                    after => number(after) + 1,
                };
                let keys = (first..accounts).take(count).map(key);
                json!(keys.collect::<Vec<_>>())
            }
            "state_queryStorageAt" => {
                let value = |key: &Value| {
                    let number = number(key);
                    let seed = u8::try_from(number % 251).unwrap();
                    let value = stored(peer(seed), 1_000_000, 1, Some(u32::try_from(number).unwrap()));
                    match number {
                        // It left between the two questions.
                        5 => json!([key, null]),
                        _ => json!([key, format!("0x{}", hex::encode(value))]),
                    }
                };
                let changes: Vec<Value> = parameters[0].as_array().unwrap().iter().map(value).collect();
                json!([{ "block": "0x00", "changes": changes }])
            }
            _ => Value::Null,
        }
    }

    #[tokio::test]
    async fn all_that_are_registered_are_read_page_by_page() {
        assert!(registered(&node(0).await).await.unwrap().is_empty());
        let all = registered(&node(2 * PAGE + 7).await).await.unwrap();
        assert_eq!(all.len(), 2 * PAGE + 6, "but for the one that left");
        let peers: std::collections::BTreeSet<_> = all.iter().map(|member| member.peer).collect();
        assert_eq!(peers.len(), 251);
        assert!(all.iter().all(|member| member.weight == 1000));
    }

    #[tokio::test]
    async fn a_page_that_comes_too_late_is_asked_for_again_and_not_those_before_it() {
        let (node, asked) = busy_node(2 * PAGE, 5).await;
        let all = registered(&node).await.unwrap();
        assert_eq!(all.len(), 2 * PAGE - 1, "but for the one that left");
        // Keys and values of two pages; the third page, which is empty, has no values, and is asked for twice.
        assert_eq!(asked.load(Ordering::Relaxed), 6);
    }

    #[tokio::test]
    async fn a_node_that_is_away_or_strange_is_an_error() {
        assert!(registered(&Node::new(1)).await.is_err());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let body = json!({ "jsonrpc": "2.0", "id": 1, "result": ["0x00", "0x00"] }).to_string();
                let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
                let _ = stream.read(&mut [0; 4096]).await;
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        assert!(matches!(
            registered(&Node::new(port)).await,
            Err(NodeError::Strange { .. })
        ));
    }

    proptest! {
        #[test]
        fn any_bytes_are_an_account_or_none(bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
            let _ = account(&bytes);
        }
    }
}
