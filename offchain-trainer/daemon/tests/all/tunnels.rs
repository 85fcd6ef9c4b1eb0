//! A node is led to other nodes by its trainer.

use std::time::Duration;

use crate::{
    http::refused,
    support::{Pc, TOKEN, json},
};
use hydra_network::PeerId;
use hydra_trainer_api::{MAX_NODE_PEERS, NODE_PATH, NodeReport, NodeTunnel, NodeTunnels, TAG_HEADER, Tag};
use reqwest::{Response, StatusCode};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};

/// The longest that a way may take to be opened, with room for a busy PC: the node is let try by itself first.
const PATIENCE: Duration = Duration::from_secs(120);
/// How often the node speaks here.
const EVERY: Duration = Duration::from_millis(50);

/// Stands for a node that says its name to whoever connects.
async fn node(name: &'static str) -> NodeReport {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let _ = socket.write_all(name.as_bytes()).await;
        }
    });
    NodeReport {
        peer_id: PeerId::random().to_string(),
        port: Some(port),
        peers: Vec::new(),
    }
}

async fn post(pc: &Pc, body: Vec<u8>) -> Response {
    let tag = Tag::of_body(&TOKEN, &body).header();
    let request = pc.http.post(pc.url(NODE_PATH)).header(TAG_HEADER, tag);
    request.body(body).send().await.unwrap()
}

async fn tell(pc: &Pc, report: &NodeReport) -> Vec<NodeTunnel> {
    let response = post(pc, serde_json::to_vec(report).unwrap()).await;
    assert_eq!(response.status(), StatusCode::OK);
    let told: NodeTunnels = serde_json::from_value(json(response).await).unwrap();
    told.tunnels
}

/// Both nodes say who they are until a way is there from the first one's.
async fn led(pc: &Pc, report: &NodeReport, (other, its): (&Pc, &NodeReport)) -> NodeTunnel {
    let wait = async {
        loop {
            if let Some(way) = tell(pc, report).await.pop() {
                return way;
            }
            tell(other, its).await;
            sleep(EVERY).await;
        }
    };
    timeout(PATIENCE, wait).await.expect("a way is opened")
}

async fn heard(port: u16) -> String {
    let mut text = String::new();
    let mut socket = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    timeout(PATIENCE, socket.read_to_string(&mut text))
        .await
        .unwrap()
        .unwrap();
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_knows_nobody_is_led_to_the_node_beside_another_trainer() {
    let there = Pc::start(31, &[], false).await;
    let other = node("there").await;
    assert_eq!(tell(&there, &other).await, []);
    let here = Pc::start(32, &[&there], false).await;
    let mut own = node("here").await;
    // The other one isn't to look for a way itself.
    let back = NodeReport {
        peers: vec![own.peer_id.clone()],
        ..other.clone()
    };
    let way = led(&here, &own, (&there, &back)).await;
    assert_eq!(way.peer_id, other.peer_id);
    assert_eq!(heard(way.port).await, "there");
    // It stays open while they are connected, and the other side knows that it needs no way back.
    own.peers = vec![other.peer_id.clone()];
    for _ in 0..20 {
        assert_eq!(tell(&there, &back).await, []);
        assert_eq!(tell(&here, &own).await, std::slice::from_ref(&way));
        sleep(EVERY).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_no_node_leads_nobody_and_is_told_why() {
    let pc = Pc::start(33, &[], false).await;
    let untagged = pc.http.post(pc.url(NODE_PATH)).body("{}").send().await.unwrap();
    refused(untagged, StatusCode::UNAUTHORIZED, "missing").await;
    let refused_with = async |body: &[u8], words: &str| {
        refused(post(&pc, body.to_vec()).await, StatusCode::BAD_REQUEST, words).await;
    };
    refused_with(b"{}", "is not understood").await;
    let good = node("node").await;
    let bad = |change: fn(&mut NodeReport)| {
        let mut bad = good.clone();
        change(&mut bad);
        serde_json::to_vec(&bad).unwrap()
    };
    refused_with(
        &bad(|report| report.peer_id = "nobody".into()),
        "no node's PeerId",
    )
    .await;
    refused_with(&bad(|report| report.port = Some(0)), "port 0").await;
    let many = bad(|report| report.peers = vec![PeerId::random().to_string(); MAX_NODE_PEERS + 1]);
    refused_with(&many, "may name").await;
    assert_eq!(tell(&pc, &good).await, []);
}
