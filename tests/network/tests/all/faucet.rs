//! What a newcomer gets from a faucet on a running network, and what nobody gets. Part of the story of [`crate::asking`], so that
//! no network is started for it alone.

use std::{
    io::{Read, Write},
    net::TcpStream,
    process::Command,
    time::Duration,
};

use hydra_cli::{accounts, chain::Chain};
use hydra_network_tests::{
    LocalNetwork,
    proc::{Running, Stream},
    program,
};
use hydra_primitives::{AccountBytes, HYDRA};
use nix::sys::signal::Signal;
use serde_json::{Value, json};

/// Longest wait for the faucet to listen, and to end.
const START: Duration = Duration::from_secs(60);
/// Longest wait for an answer: a payment becomes final.
const ANSWER: Duration = Duration::from_secs(180);

/// A running faucet, and where it is asked.
struct Faucet {
    process: Running,
    address: String,
}

impl Faucet {
    fn start(network: &LocalNetwork) -> Self {
        let mut command = Command::new("setpriv");
        command
            .args(["--pdeathsig", "TERM"])
            .arg(program("hydra"))
            .args(["faucet", "--from", "//Eve", "--listen", "127.0.0.1:0", "--yes"])
            .args(["--pc", "bob", "--base-path"])
            .arg(network.folder())
            .env_remove("HYDRA_URL");
        let mut process = Running::start("hydra faucet", &mut command, Stream::Stderr);
        let line = process.line_with("listening on http://", START);
        let address = line
            .split("http://")
            .nth(1)
            .and_then(|rest| rest.split(';').next())
            .expect("an address")
            .to_owned();
        Self { process, address }
    }

    /// Status and answer to this body.
    fn post(&self, body: &str) -> (u16, Value) {
        let mut stream = TcpStream::connect(&self.address).expect("it listens");
        stream.set_read_timeout(Some(ANSWER)).expect("a limit");
        let length = body.len();
        write!(
            stream,
            "POST /v1/coins HTTP/1.1\r\nhost: faucet\r\ncontent-length: {length}\r\n\r\n{body}"
        )
        .expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        let (head, body) = answer.split_once("\r\n\r\n").expect("an HTTP answer");
        let status = head
            .split(' ')
            .nth(1)
            .expect("a status")
            .parse()
            .expect("a number");
        (status, serde_json::from_str(body).expect("JSON"))
    }

    fn ask(&self, address: &str) -> (u16, Value) {
        self.post(&json!({ "address": address }).to_string())
    }

    fn refuses(&self, body: &str, status: u16, kind: &str) {
        let (got, answer) = self.post(body);
        assert_eq!((got, &answer["kind"]), (status, &kind.into()), "{answer}");
        let sentence = answer["error"].as_str().expect("a sentence");
        assert!(!sentence.is_empty());
    }

    fn stop(mut self) {
        self.process.signal(Signal::SIGTERM);
        let (status, lines) = self.process.end(START);
        assert!(status.success(), "{status}: {lines:?}");
    }
}

/// Two newcomers, and others who get nothing.
pub async fn newcomers_get_their_first_coins_once(network: &LocalNetwork) {
    let chain = Chain::connect(&network.pc("bob").node.rpc_url)
        .await
        .expect("the node answers");
    let free = async |account: &AccountBytes| {
        let last = chain.finalised().await.expect("the node answers");
        let funds = chain.funds(account, last.hash).await.expect("the node answers");
        funds.free
    };
    let (first, second): (AccountBytes, AccountBytes) = ([201; 32], [202; 32]);
    let (first_address, second_address) = (accounts::address(&first), accounts::address(&second));
    let faucet = Faucet::start(network);

    let (status, given) = faucet.ask(&first_address);
    assert_eq!(status, 200, "{given}");
    assert_eq!(given["amount"], "1.2", "{given}");
    // What it says stays: it is in the final state already.
    assert_eq!(free(&first).await, HYDRA + HYDRA / 5, "{given}");

    let again = json!({ "address": first_address }).to_string();
    faucet.refuses(&again, 409, "already_served");
    faucet.refuses("garbage", 400, "bad_request");
    faucet.refuses(r#"{"address":"5Garbage"}"#, 400, "bad_address");
    let overlong = json!({ "address": "5".repeat(1_100) }).to_string();
    faucet.refuses(&overlong, 413, "too_large");
    let ferdie = accounts::address(&accounts::development("Ferdie").expect("a development account"));
    faucet.refuses(&json!({ "address": ferdie }).to_string(), 409, "has_enough");
    faucet.stop();

    // It remembers whom it paid, and goes on with others.
    let faucet = Faucet::start(network);
    faucet.refuses(&again, 409, "already_served");
    let (status, given) = faucet.ask(&second_address);
    assert_eq!(status, 200, "{given}");
    assert_eq!(free(&second).await, HYDRA + HYDRA / 5, "{given}");
    faucet.stop();
    assert_eq!(free(&first).await, HYDRA + HYDRA / 5, "paid once");
}
