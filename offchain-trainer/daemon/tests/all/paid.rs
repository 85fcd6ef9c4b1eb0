//! Questions from who knows no token and has paid, as the dashboard puts them. The node here is a program that answers what a
//! node would; the real one is in the network tests.

use crate::{
    http::refused,
    support::{Chain, Pc, json},
};
use hydra_primitives::{
    content_hash,
    rewards::{QUERY_PAID, QUERY_PRICE},
};
use hydra_trainer_api::{PAID_IN_HEADER, PAID_PATH};
use reqwest::{Response, StatusCode};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// What the node is asked for the newest header.
const NEWEST: &str = r#""chain_getHeader","params":[]"#;
/// What a server says that begins to read a body.
const CONTINUE: &[u8; 25] = b"HTTP/1.1 100 Continue\r\n\r\n";
/// The block with the payment.
fn block() -> String {
    format!("0x{}", "33".repeat(32))
}

/// What a node says that can't tell.
const CANT_TELL: &str = "State already discarded";

/// A node that gives the first of these answers whose words are in the question, for as long as the test runs.
async fn node(answers: Vec<(&'static str, Value)>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (mut asked, mut text) = (vec![0; 4096], String::new());
            while !text.ends_with('}') {
                let length = stream.read(&mut asked).await.unwrap();
                assert!(length > 0, "cut off: {text}");
                text += &String::from_utf8_lossy(&asked[..length]);
            }
            let answer = answers.iter().find(|(words, _)| text.contains(words));
            let result = answer.map(|(_, result)| result);
            let said = if result.is_some_and(|result| result == CANT_TELL) {
                serde_json::json!({ "jsonrpc": "2.0", "id": 1, "error": { "code": 4003, "message": CANT_TELL } })
            } else {
                serde_json::json!({ "jsonrpc": "2.0", "id": 1, "result": result })
            };
            let body = said.to_string();
            let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    port
}

/// A question as the dashboard puts it.
fn salted(index: u32) -> Vec<u8> {
    let salt = "5c".repeat(32);
    format!(r#"{{"model":0,"image":{{"ValidationIndex":{index}}},"salt":"{salt}"}}"#).into_bytes()
}

/// A node whose block 1 has the payment of this question, and whose newest is this one.
async fn node_with_payment(question: &[u8], newest: &str) -> u16 {
    let paid = [
        // How many events, of which extrinsic.
        &[4, 0, 2, 0, 0, 0][..],
        &QUERY_PAID,
        // Asker, model, version, request, price, no topics.
        &[9; 32],
        &0u32.to_le_bytes(),
        &1u32.to_le_bytes(),
        &content_hash(question).0,
        &QUERY_PRICE.to_le_bytes(),
        &[0],
    ]
    .concat();
    node_with_events(serde_json::json!(format!("0x{}", hex::encode(paid))), newest).await
}

/// A node that says this of the events of its block 1, and whose newest is this one.
async fn node_with_events(events: Value, newest: &str) -> u16 {
    node(vec![
        (NEWEST, serde_json::json!({ "number": newest })),
        ("chain_getHeader", serde_json::json!({ "number": "0x1" })),
        ("chain_getBlockHash", serde_json::json!(block())),
        ("state_getStorage", events),
    ])
    .await
}

async fn ask(pc: &Pc, question: &[u8], block: &str) -> Response {
    let request = pc.http.post(pc.url(PAID_PATH));
    request
        .header(PAID_IN_HEADER, block)
        .body(question.to_vec())
        .send()
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_is_paid_for_needs_no_token_and_one_that_is_not_gets_no_answer() {
    let (question, block) = (salted(3), block());
    let port = node_with_payment(&question, "0x5").await;
    let mut pc = Pc::start(28, &[], true).await;
    pc.stop().await;
    pc.options.node_rpc_port = port;
    pc.start_again().await;
    pc.post(&Chain::new(&[&pc]).sheet(&pc, vec![])).await;
    pc.status_with(|s| s["engine"]["state"] == "ready" && s["models"][0]["version"] == 0)
        .await;
    // Shown twice at the same time.
    let (answer, at_once) = tokio::join!(ask(&pc, &question, &block), ask(&pc, &question, &block));
    assert_eq!(answer.status(), StatusCode::OK);
    let answer = json(answer).await;
    assert_eq!(json(at_once).await, answer);
    assert!(
        answer["label"].as_u64().is_some_and(|label| label < 10),
        "{answer}"
    );
    assert_eq!(
        json(ask(&pc, &question, &block).await).await,
        answer,
        "the same payment, the same answer"
    );

    // What the command line pays for has no salt: whoever sees the payment could guess it.
    let guessed = br#"{"model":0,"image":{"ValidationIndex":3}}"#;
    refused(ask(&pc, guessed, &block).await, StatusCode::BAD_REQUEST, "salt").await;
    let other = salted(4);
    refused(
        ask(&pc, &other, &block).await,
        StatusCode::PAYMENT_REQUIRED,
        "no payment for this",
    )
    .await;
    refused(
        ask(&pc, &other, &format!("0x{}", "44".repeat(32))).await,
        StatusCode::SERVICE_UNAVAILABLE,
        "on its branch",
    )
    .await;
    refused(
        ask(&pc, &question, "12").await,
        StatusCode::PAYMENT_REQUIRED,
        "64 hexadecimal",
    )
    .await;
    let foreign = pc
        .http
        .post(pc.url(PAID_PATH))
        .header("origin", "http://127.0.0.1:1")
        .header(PAID_IN_HEADER, &block)
        .body(question.clone());
    refused(
        foreign.send().await.unwrap(),
        StatusCode::FORBIDDEN,
        "other sites",
    )
    .await;
    pc.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_s_age_is_known_without_a_duty_sheet() {
    let question = salted(3);
    // 200 blocks after the payment, and one more.
    for (number, newest, status, words) in [
        (
            29,
            "0xc9",
            StatusCode::SERVICE_UNAVAILABLE,
            "hasn't heard from its node",
        ),
        (30, "0xca", StatusCode::PAYMENT_REQUIRED, "200 blocks old"),
    ] {
        let port = node_with_payment(&question, newest).await;
        let mut pc = Pc::start(number, &[], true).await;
        pc.stop().await;
        pc.options.node_rpc_port = port;
        pc.start_again().await;
        refused(ask(&pc, &question, &block()).await, status, words).await;
        pc.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_does_not_know_the_block_s_events_is_asked_again() {
    let question = salted(3);
    for (number, events, words) in [
        (32, Value::Null, "no state of that block"),
        (33, Value::from(CANT_TELL), CANT_TELL),
    ] {
        let port = node_with_events(events, "0x5").await;
        let mut pc = Pc::start(number, &[], true).await;
        pc.stop().await;
        pc.options.node_rpc_port = port;
        pc.start_again().await;
        // The payment may be there all the same.
        let answer = ask(&pc, &question, &block()).await;
        refused(answer, StatusCode::SERVICE_UNAVAILABLE, words).await;
        pc.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_sends_no_body_keeps_no_payer_out() {
    let question = salted(3);
    let port = node_with_payment(&question, "0x5").await;
    let mut pc = Pc::start(31, &[], true).await;
    pc.stop().await;
    pc.options.node_rpc_port = port;
    pc.start_again().await;
    pc.post(&Chain::new(&[&pc]).sheet(&pc, vec![])).await;
    pc.status_with(|s| s["engine"]["state"] == "ready" && s["models"][0]["version"] == 0)
        .await;
    let address = pc.url("").replace("http://", "");
    let address = address.trim_end_matches('/').to_owned();
    let head = format!(
        "POST {PAID_PATH} HTTP/1.1\r\nhost: {address}\r\n{PAID_IN_HEADER}: {}\r\ncontent-length: 100\r\n\
         expect: 100-continue\r\n\r\n",
        block()
    );
    let mut silent = Vec::new();
    for _ in 0..16 {
        let mut stream = TcpStream::connect(&address).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        // The trainer waits for the body now.
        let mut waits = [0; CONTINUE.len()];
        stream.read_exact(&mut waits).await.unwrap();
        assert_eq!(&waits, CONTINUE);
        silent.push(stream);
    }
    assert_eq!(ask(&pc, &question, &block()).await.status(), StatusCode::OK);
    pc.stop().await;
}
