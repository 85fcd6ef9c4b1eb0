//! Real trainers for tests: real HTTP, real libp2p on this PC, real LibTorch workers. The chain is a script: the tests
//! post the duty sheets that a node would.
#![allow(dead_code, reason = "each test program uses a part of it")]

mod chain;
pub mod large;

pub use chain::{Chain, attestation, claim_of, digest_of, found, opening_of};

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use codec::{Decode, Encode};
use futures::StreamExt;
use hydra_network::wire::PROTOCOL;
use hydra_primitives::{
    AccountBytes,
    duty::{DUTIES_PATH, DutyAnswer, DutyResult, DutySheet, TAG_HEADER, answer_tag, request_tag},
};
use hydra_trainer::{Options, ReachOptions, Trainer};
use hydra_trainer_api::{Tag, weights_path};
use libp2p::{SwarmBuilder, noise, swarm::SwarmEvent, tcp, yamux};
use reqwest::{Client, Response, StatusCode};
use serde_json::Value;
use tempfile::TempDir;
use tokio::task::JoinHandle;

/// Between two sheets, as between two blocks.
const BLOCK: Duration = Duration::from_millis(50);
/// The longest that anything in these tests may take.
const PATIENCE: Duration = Duration::from_secs(120);

pub const TOKEN: [u8; 32] = [0xab; 32];

/// One PC's trainer with its folder.
pub struct Pc {
    pub account: AccountBytes,
    pub folder: TempDir,
    pub options: Options,
    pub trainer: Option<Trainer>,
    pub http: Client,
}

pub fn datasets() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../datasets/digits")
}

/// Options for the PC with this number, with its secrets in `folder`.
pub fn options(number: u8, folder: &TempDir) -> Options {
    let write = |name: &str, secret: [u8; 32]| {
        let path = folder.path().join(name);
        std::fs::write(&path, hex::encode(secret)).unwrap();
        path
    };
    Options {
        base_path: folder.path().join("base"),
        http_port: 0,
        // Where nobody is, unless a test puts somebody there.
        node_rpc_port: 1,
        token_file: write("token", TOKEN),
        p2p_address: vec![[0, 0, 0, 0].into()],
        p2p_port: 0,
        key_file: write("key", [number; 32]),
        bootstrap: vec![],
        network: None,
        // The disk under the tests is not what they test.
        reserve_space: 0,
        store_quota: None,
        dataset: vec![],
        workers: Some(1),
        worker_binary: None,
        // Tests find each other by address alone, and leave the router alone.
        reach: ReachOptions {
            no_mdns: true,
            no_port_mapping: true,
            ..ReachOptions::default()
        },
    }
}

impl Pc {
    /// Starts a trainer that knows `friends`, with the data set or without.
    pub async fn start(number: u8, friends: &[&Pc], with_data: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut options = options(number, &folder);
        options.bootstrap = friends.iter().map(|pc| pc.address()).collect();
        if with_data {
            options.dataset = vec![datasets()];
        }
        let trainer = Some(Trainer::start(options.clone()).await.unwrap());
        Self {
            account: [number; 32],
            folder,
            options,
            trainer,
            http: client(),
        }
    }

    pub async fn stop(&mut self) {
        self.trainer.take().unwrap().stop().await;
    }

    pub async fn start_again(&mut self) {
        self.trainer = Some(Trainer::start(self.options.clone()).await.unwrap());
    }

    pub fn running(&self) -> &Trainer {
        self.trainer.as_ref().unwrap()
    }

    pub fn peer_id(&self) -> Vec<u8> {
        self.running().peer_id().to_bytes()
    }

    pub fn address(&self) -> hydra_network::Multiaddr {
        let all = self.running().listen_addresses();
        all.into_iter()
            .find(|address| address.to_string().contains("/127.0.0.1/"))
            .unwrap()
    }

    pub fn url(&self, path: &str) -> String {
        url(self.running().http_address(), path)
    }

    pub async fn status(&self) -> Value {
        json(self.http.get(self.url("/v1/status")).send().await.unwrap()).await
    }

    /// Asks for the status until `fits`.
    pub async fn status_with(&self, fits: impl Fn(&Value) -> bool) -> Value {
        let wait = async {
            loop {
                let status = self.status().await;
                if fits(&status) {
                    return status;
                }
                tokio::time::sleep(BLOCK).await;
            }
        };
        match tokio::time::timeout(PATIENCE, wait).await {
            Ok(status) => status,
            Err(_) => panic!("the status did not come: {:#}", self.status().await),
        }
    }

    /// Posts a sheet once.
    pub async fn post(&self, sheet: &DutySheet) -> Vec<DutyResult> {
        let answer = self.answer(sheet).await;
        assert!(answer.unknown.is_empty());
        answer.results
    }

    /// As [`post`](Self::post), whether or not all models are known.
    pub async fn answer(&self, sheet: &DutySheet) -> DutyAnswer {
        answer_of(&self.http, self.url(DUTIES_PATH), sheet).await
    }

    /// Posts a sheet in every block until there are `count` results. The block's number stays, so that no phase ends.
    pub async fn results(&self, sheet: &DutySheet, count: usize) -> Vec<DutyResult> {
        let wait = async {
            loop {
                let results = self.post(sheet).await;
                if results.len() >= count {
                    return results;
                }
                tokio::time::sleep(BLOCK).await;
            }
        };
        match tokio::time::timeout(PATIENCE, wait).await {
            Ok(results) => results,
            Err(_) => panic!("no results: {:#}", self.status().await),
        }
    }

    pub async fn one_result(&self, sheet: &DutySheet) -> DutyResult {
        let results = self.results(sheet, 1).await;
        assert_eq!(results.len(), 1, "{results:?}");
        results.into_iter().next().unwrap()
    }

    /// Asks for the weights of model 0 with the tag.
    pub async fn weights(&self) -> Response {
        let path = weights_path(0);
        let tag = Tag::of_path(&TOKEN, &path).header();
        let request = self.http.get(self.url(&path)).header(TAG_HEADER, tag);
        request.send().await.unwrap()
    }

    /// Posts `body` with its tag and returns status and JSON.
    pub async fn ask(&self, path: &str, body: &str) -> (StatusCode, Value) {
        let tag = request_tag(&TOKEN, body.as_bytes());
        let request = self
            .http
            .post(self.url(path))
            .header(TAG_HEADER, hex::encode(tag))
            .body(body.to_owned());
        let response = request.send().await.unwrap();
        let answered = response
            .headers()
            .get(TAG_HEADER)
            .expect("refusals are tagged, too")
            .clone();
        let status = response.status();
        let bytes = response.bytes().await.unwrap();
        assert_eq!(
            answered.to_str().unwrap(),
            hex::encode(answer_tag(&TOKEN, &tag, &bytes))
        );
        (status, serde_json::from_slice(&bytes).unwrap())
    }
}

/// What a trainer answers to a sheet that is posted to this address.
pub async fn answer_of(http: &Client, duties: String, sheet: &DutySheet) -> DutyAnswer {
    let body = sheet.encode();
    let tag = request_tag(&TOKEN, &body);
    let request = http.post(duties).header(TAG_HEADER, hex::encode(tag)).body(body);
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let answered = response
        .headers()
        .get(TAG_HEADER)
        .unwrap()
        .to_str()
        .unwrap()
        .to_owned();
    let body = response.bytes().await.unwrap();
    assert_eq!(answered, hex::encode(answer_tag(&TOKEN, &tag, &body)));
    DutyAnswer::decode(&mut &body[..]).unwrap()
}

pub fn url(address: SocketAddr, path: &str) -> String {
    format!("http://{address}{path}")
}

pub fn client() -> Client {
    Client::builder().no_proxy().timeout(PATIENCE).build().unwrap()
}

pub async fn json(response: Response) -> Value {
    serde_json::from_slice(&response.bytes().await.unwrap()).unwrap()
}

/// A trainer on the data plane that takes every request and never answers.
pub struct Silent {
    pub peer_id: Vec<u8>,
    task: JoinHandle<()>,
}

impl Silent {
    /// Connects to `pc`.
    pub async fn meet(pc: &Pc) -> Self {
        let mut swarm = SwarmBuilder::with_new_identity()
            .with_tokio()
            .with_tcp(tcp::Config::default(), noise::Config::new, yamux::Config::default)
            .unwrap()
            .with_behaviour(|_| libp2p_stream::Behaviour::new())
            .unwrap()
            .with_swarm_config(|config| config.with_idle_connection_timeout(Duration::MAX))
            .build();
        let peer_id = swarm.local_peer_id().to_bytes();
        let mut incoming = swarm.behaviour().new_control().accept(PROTOCOL).unwrap();
        swarm.dial(pc.address()).unwrap();
        while !matches!(
            swarm.select_next_some().await,
            SwarmEvent::ConnectionEstablished { .. }
        ) {}
        let task = tokio::spawn(async move {
            let mut held = Vec::new();
            loop {
                tokio::select! {
                    _ = swarm.select_next_some() => {}
                    Some((_, stream)) = incoming.next() => held.push(stream),
                }
            }
        });
        Self { peer_id, task }
    }
}

impl Drop for Silent {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The worker processes of a trainer in this process.
pub fn workers_of(pid: u32) -> Vec<u32> {
    let children = std::fs::read_dir(format!("/proc/{pid}/task"))
        .unwrap()
        .flat_map(|task| {
            std::fs::read_to_string(task.unwrap().path().join("children"))
                .unwrap_or_default()
                .split_whitespace()
                .map(|pid| pid.parse().unwrap())
                .collect::<Vec<u32>>()
        });
    children.collect()
}
