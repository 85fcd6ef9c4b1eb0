//! Programs of this PC that hold connections and don't use them: they keep nobody out.

use std::time::Duration;

use crate::support::{Chain, Pc, TOKEN, client};
use codec::Encode;
use hydra_primitives::duty::{DutySheet, request_tag};
use hydra_trainer_api::{DUTIES_PATH, STATUS_PATH, TAG_HEADER};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{sleep, timeout},
};

/// What was half sent stays for at least as long as it may; an answer that waits for its end takes longer than this.
const AT_ONCE: Duration = Duration::from_secs(3);
/// The longest that a half-sent request may be held, with room for a busy PC.
const GIVEN_UP: Duration = Duration::from_secs(30);

/// Between two bytes of somebody who wants to stay.
const DRIP: Duration = Duration::from_millis(100);

/// Half of a head.
fn half_head() -> Vec<u8> {
    b"GET /v1/status HTTP/1.1\r\nHost: ".to_vec()
}

/// A whole head, and half of the body that it announces.
fn half_body(sheet: &DutySheet) -> Vec<u8> {
    let mut request = posted(sheet);
    request.truncate(request.len() - 10);
    request
}

fn posted(sheet: &DutySheet) -> Vec<u8> {
    let body = sheet.encode();
    let head = format!(
        "POST {DUTIES_PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\n{TAG_HEADER}: {}\r\nContent-Length: {}\r\n\r\n",
        hex::encode(request_tag(&TOKEN, &body)),
        body.len()
    );
    [head.into_bytes(), body].concat()
}

async fn connected(pc: &Pc, sent: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(pc.running().http_address()).await.unwrap();
    stream.write_all(sent).await.unwrap();
    stream
}

async fn nobody_is_kept_out_by(number: u8, count: usize, sent: impl Fn(&DutySheet) -> Vec<u8>) {
    let mut pc = Pc::start(number, &[], true).await;
    let sheet = Chain::new(&[&pc]).sheet(&pc, vec![]);
    let mut held = Vec::new();
    for _ in 0..count {
        held.push(connected(&pc, &sent(&sheet)).await);
    }
    // The node and a command line, as strangers to the trainer: over new connections.
    pc.http = client();
    let answered = async {
        assert!(pc.post(&sheet).await.is_empty());
        pc.http = client();
        pc.status().await
    };
    let status = timeout(AT_ONCE, answered).await.expect("nobody is kept out");
    assert_eq!(status["last_sheet"]["block"], 1);
    drop(held);
    pc.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn half_sent_heads_keep_nobody_out() {
    nobody_is_kept_out_by(41, 64, |_| half_head()).await;
    nobody_is_kept_out_by(42, 200, |_| half_head()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn half_sent_bodies_keep_nobody_out() {
    nobody_is_kept_out_by(43, 64, half_body).await;
    nobody_is_kept_out_by(44, 200, half_body).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_say_nothing_keep_nobody_out() {
    nobody_is_kept_out_by(45, 200, |_| Vec::new()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_connected_keeps_its_connection_whoever_else_comes() {
    let mut pc = Pc::start(46, &[], true).await;
    let sheet = Chain::new(&[&pc]).sheet(&pc, vec![]);
    let mut node = connected(&pc, &posted(&sheet)).await;
    let mut answer = [0; 16];
    node.read_exact(&mut answer).await.unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200"));
    let mut held = Vec::new();
    for _ in 0..200 {
        held.push(connected(&pc, &half_head()).await);
    }
    node.write_all(&posted(&sheet)).await.unwrap();
    let mut rest = Vec::new();
    let again = async {
        while rest.windows(12).filter(|part| part == b"HTTP/1.1 200").count() < 1 {
            assert_ne!(node.read_buf(&mut rest).await.unwrap(), 0, "it was closed");
        }
    };
    timeout(AT_ONCE, again).await.expect("it is answered");
    drop(held);
    pc.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_does_not_arrive_is_given_up_however_it_drips() {
    let mut pc = Pc::start(47, &[], true).await;
    let sheet = Chain::new(&[&pc]).sheet(&pc, vec![]);
    let mut head = connected(&pc, &half_head()).await;
    let mut body = connected(&pc, &half_body(&sheet)).await;
    let (dripping, mut drip) = connected(&pc, &half_head()).await.into_split();
    let drips = tokio::spawn(async move {
        while drip.write_all(b"x").await.is_ok() {
            sleep(DRIP).await;
        }
    });
    let gone = async {
        let mut said = Vec::new();
        head.read_to_end(&mut said).await.unwrap();
        assert!(said.is_empty(), "{}", String::from_utf8_lossy(&said));
        body.read_to_end(&mut said).await.unwrap();
        let said = String::from_utf8_lossy(&said).into_owned();
        assert!(
            said.starts_with("HTTP/1.1 408") && said.contains("send it again"),
            "{said}"
        );
        drips.await.unwrap();
    };
    timeout(GIVEN_UP, gone).await.expect("they are given up");
    drop(dripping);
    pc.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_nobody_reads_holds_no_place_for_ever() {
    let mut pc = Pc::start(48, &[], true).await;
    // As many requests as fit, without reading one answer.
    let (answers, mut asks) = connected(&pc, b"").await.into_split();
    let one = format!("GET {STATUS_PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    let asking = async { while asks.write_all(one.as_bytes()).await.is_ok() {} };
    timeout(GIVEN_UP, asking).await.expect("it is given up");
    drop(answers);
    assert_eq!(pc.status().await["version"], env!("CARGO_PKG_VERSION"));
    pc.stop().await;
}
