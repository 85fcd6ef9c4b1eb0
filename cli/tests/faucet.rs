//! `hydra faucet` as far as it goes without a network: what it refuses to start with, and a faucet whose node is away or stuck,
//! with clients of all kinds.

use hydra_cli::{
    accounts,
    args::TargetArgs,
    chain::Hash,
    coins::COINS_PATH,
    faucet::{Faucet, Rates, Say, Source},
    keys::key::Key,
    target::Target,
};
use hydra_primitives::HYDRA;
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};
use serde_json::Value;
use std::{
    fs,
    net::SocketAddr,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream},
    sync::watch,
    task::JoinSet,
    time::timeout,
};

/// Longer than any answer may take that needs no node.
const SOON: Duration = Duration::from_secs(30);
const RATES: Rates = Rates {
    per_day: 1_000,
    per_client: 1_000,
};

fn refused(arguments: &[&str], code: i32, words: &str) {
    let home = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_hydra"));
    for variable in ["HYDRA_URL", "HYDRA_KEYS", "XDG_CONFIG_HOME", "XDG_DATA_HOME"] {
        command.env_remove(variable);
    }
    let output = command
        .env("HOME", home.path())
        .current_dir(home.path())
        .stdin(Stdio::null())
        .arg("faucet")
        .args(arguments)
        .output()
        .unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{complaint}");
    assert!(complaint.contains(words), "expected '{words}', got: {complaint}");
    assert!(!complaint.contains("panicked"), "{complaint}");
}

#[test]
fn a_faucet_that_can_not_be_is_not_opened() {
    let url = format!("ws://{}", away());
    refused(&["--yes"], 2, "--from");
    refused(&["--from", "main"], 6, "with --yes");
    refused(
        &["--from", "main", "--yes", "--listen", "localhost:1"],
        2,
        "--listen",
    );
    refused(&["--from", "main", "--yes", "--url", &url], 3, "no node answers");
}

/// A faucet at a node of this address. It ends when the returned sender does.
async fn faucet(
    node: SocketAddr,
    memory: &Path,
) -> (SocketAddr, watch::Sender<bool>, impl Future<Output = ()>) {
    let args = TargetArgs {
        url: Some(format!("ws://{node}")),
        ..TargetArgs::default()
    };
    let source = Source {
        target: Target::new(&args).unwrap(),
        genesis: Hash::default(),
        key: Key::from_suri("//Eve").unwrap(),
        amount: HYDRA,
    };
    let faucet = Faucet::new(source, RATES, memory, Say::new(false)).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (end, ending) = watch::channel(false);
    (address, end, faucet.open(listener, ending))
}

/// Where no node is.
fn away() -> SocketAddr {
    ([127, 0, 0, 1], hydra_test_ports::free_ports(1)).into()
}

/// What is answered to these bytes, until the connection ends.
async fn said(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    said_over(TcpStream::connect(address).await.unwrap(), bytes, SOON).await
}

/// The same over this connection, within this time.
async fn said_over(mut stream: TcpStream, bytes: &[u8], within: Duration) -> Vec<u8> {
    let exchange = async {
        // It may have heard enough before the end.
        let _ = stream.write_all(bytes).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        answer
    };
    timeout(within, exchange)
        .await
        .expect("an answer, or the end of the connection")
}

fn post(body: &str, more: &str) -> Vec<u8> {
    let length = body.len();
    format!("POST {COINS_PATH} HTTP/1.1\r\nhost: faucet\r\n{more}content-length: {length}\r\n\r\n{body}")
        .into_bytes()
}

fn wish(n: u8) -> String {
    format!(r#"{{"address":"{}"}}"#, accounts::address(&[n; 32]))
}

/// Status and body of an answer.
fn read(answer: &[u8]) -> (u16, String) {
    let text = String::from_utf8(answer.to_vec()).expect("text");
    let (head, body) = text
        .split_once("\r\n\r\n")
        .unwrap_or_else(|| panic!("no answer: {text}"));
    let status = head
        .split(' ')
        .nth(1)
        .expect("a status")
        .parse()
        .expect("a number");
    (status, body.into())
}

fn kind(answer: &[u8]) -> (u16, String) {
    let (status, body) = read(answer);
    let body: Value = serde_json::from_str(&body).unwrap_or_else(|error| panic!("{error}: {body}"));
    assert!(!body["error"].as_str().expect("a sentence").is_empty());
    (status, body["kind"].as_str().expect("a word").into())
}

#[tokio::test]
async fn each_mistake_has_its_answer_and_nothing_is_noted_of_any() {
    let folder = tempfile::tempdir().unwrap();
    let memory = folder.path().join("faucet.log");
    let (address, end, open) = faucet(away(), &memory).await;
    let clients = async {
        let get = |path: &str| format!("GET {path} HTTP/1.1\r\nhost: faucet\r\n\r\n").into_bytes();
        let (status, about) = read(&said(address, &get("/")).await);
        assert_eq!(status, 200);
        assert!(
            about.starts_with("A HydraAI faucet") && about.lines().count() == 1,
            "{about}"
        );

        let own = accounts::address(&[1; 32]);
        let foreign = "13DyfGHEWo6GF98AxoBbovBHy82rrr4H3LrWaxggtEpgku8o";
        let long = format!(r#"{{"address":"{}"}}"#, "5".repeat(1_100));
        for (request, expected) in [
            (get("/v2"), (404, "not_found")),
            (get(COINS_PATH), (405, "wrong_method")),
            (post("", ""), (400, "bad_request")),
            (post(&own, ""), (400, "bad_request")),
            (
                post(&format!(r#"{{"address":"{own}","amount":9}}"#), ""),
                (400, "bad_request"),
            ),
            (post(r#"{"address":"//Alice"}"#, ""), (400, "bad_address")),
            (
                post(&format!(r#"{{"address":"{foreign}"}}"#), ""),
                (400, "foreign_address"),
            ),
            (post(&long, ""), (413, "too_large")),
            (post(&wish(1), "origin: http://faucet\r\n"), (403, "page")),
            // Asked as it should be, twice: nothing was paid, so it may ask again.
            (post(&wish(1), ""), (503, "node_away")),
            (post(&wish(1), ""), (503, "node_away")),
        ] {
            let (status, word) = kind(&said(address, &request).await);
            assert_eq!((status, word.as_str()), expected);
        }
        end.send_replace(true);
    };
    tokio::join!(open, clients);
    assert_eq!(fs::read_to_string(&memory).unwrap(), "");
}

#[tokio::test]
async fn hostile_bytes_end_one_connection_and_not_the_faucet() {
    let folder = tempfile::tempdir().unwrap();
    let memory = folder.path().join("faucet.log");
    let (address, end, open) = faucet(away(), &memory).await;
    let clients = async {
        let mut runner = TestRunner::deterministic();
        let bytes = proptest::collection::vec(any::<u8>(), 0..600);
        for _ in 0..60 {
            let mut noise = bytes.new_tree(&mut runner).unwrap().current();
            // Enough for whoever waits for the end of a head.
            noise.extend_from_slice(b"\r\n\r\n");
            said(address, &noise).await;
            let body = String::from_utf8_lossy(&noise).into_owned();
            let (status, word) = kind(&said(address, &post(&body, "")).await);
            assert!(matches!(status, 400 | 413), "{status} {word}");
        }
        let endless_head = [&b"GET / HTTP/1.1\r\nx: "[..], &[b'x'; 20_000]].concat();
        let answer = said(address, &endless_head).await;
        assert!(
            answer.is_empty() || answer.starts_with(b"HTTP/1.1 431"),
            "{answer:?}"
        );
        let (status, _) = read(&said(address, b"GET / HTTP/1.1\r\nhost: faucet\r\n\r\n").await);
        assert_eq!(status, 200);
        end.send_replace(true);
    };
    tokio::join!(open, clients);
}

#[tokio::test]
async fn clients_that_say_nothing_keep_nobody_out() {
    let folder = tempfile::tempdir().unwrap();
    let memory = folder.path().join("faucet.log");
    let (address, end, open) = faucet(away(), &memory).await;
    let clients = async {
        let mut silent = Vec::new();
        for n in 0..100 {
            let mut stream = TcpStream::connect(address).await.unwrap();
            if n % 2 == 0 {
                // A body whose end never comes.
                let begun =
                    format!("POST {COINS_PATH} HTTP/1.1\r\nhost: faucet\r\ncontent-length: 9\r\n\r\n{{");
                // Most are hung up on.
                let _ = stream.write_all(begun.as_bytes()).await;
            }
            silent.push(stream);
        }
        // Somebody elsewhere is heard long before any of them is given up.
        let elsewhere = TcpSocket::new_v4().unwrap();
        elsewhere.bind("127.0.1.1:0".parse().unwrap()).unwrap();
        let stream = elsewhere.connect(address).await.unwrap();
        let at_once = Duration::from_secs(5);
        let answer = said_over(stream, b"GET / HTTP/1.1\r\nhost: faucet\r\n\r\n", at_once).await;
        assert_eq!(read(&answer).0, 200);
        // And who is gone holds no place.
        drop(silent);
        let again = async {
            let get = b"GET / HTTP/1.1\r\nhost: faucet\r\n\r\n";
            while said(address, get).await.is_empty() {}
        };
        timeout(SOON, again).await.expect("a place");
        end.send_replace(true);
    };
    tokio::join!(open, clients);
}

#[tokio::test]
async fn the_queue_is_bounded_and_who_waits_is_told_when_it_ends() {
    let folder = tempfile::tempdir().unwrap();
    let memory = folder.path().join("faucet.log");
    // Whoever connects hears nothing.
    let stuck = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, end, open) = faucet(stuck.local_addr().unwrap(), &memory).await;
    let clients = async {
        let mut asked = JoinSet::new();
        let ask = |n| async move { kind(&said(address, &post(&wish(n), "")).await) };
        asked.spawn(ask(0));
        // Now the teller is busy with it, and eight find a place.
        let held = stuck.accept().await.unwrap();
        for n in 1..=11 {
            asked.spawn(ask(n));
        }
        for _ in 0..3 {
            let answer = asked.join_next().await.unwrap().unwrap();
            assert_eq!(answer, (503, "busy".into()));
        }
        end.send_replace(true);
        drop((held, stuck));
        let mut answers = asked.join_all().await;
        answers.sort();
        let mut expected = vec![(503, "stopping".to_owned()); 9];
        expected[0].1 = "node_away".into();
        assert_eq!(answers, expected);
    };
    tokio::join!(open, clients);
    assert_eq!(fs::read_to_string(&memory).unwrap(), "");
}
