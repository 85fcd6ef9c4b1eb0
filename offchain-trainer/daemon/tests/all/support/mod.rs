//! Real trainers for tests: real HTTP, real libp2p on this PC, real LibTorch workers. The chain is a script: the tests
//! post the duty sheets that a node would.
#![allow(dead_code, reason = "each test program uses a part of it")]

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use codec::{Decode, Encode};
use futures::StreamExt;
use hydra_network::wire::PROTOCOL;
use hydra_primitives::{
    AccountBytes, BlockNumber, H256, RoundNumber,
    digits::{DIGITS_INITIAL_WEIGHTS, digits_manifest, digits_spec},
    duty::{
        AcceptedUpdate, DUTIES_PATH, DUTY_PROTOCOL, Duty, DutyAnswer, DutyResult, DutySheet, ModelDuties,
        Standing, TAG_HEADER, VerifyDuty, VersionRecipe, answer_tag, request_tag,
    },
    model::ModelSpec,
    proposal::{Proposal, ProposalKey},
    status::Phase,
};
use hydra_trainer::{Options, Trainer};
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
        // The disk under the tests is not what they test.
        reserve_space: 0,
        dataset: vec![],
        workers: Some(1),
        worker_binary: None,
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
        let body = sheet.encode();
        let tag = request_tag(&TOKEN, &body);
        let request = self
            .http
            .post(self.url(DUTIES_PATH))
            .header(TAG_HEADER, hex::encode(tag))
            .body(body);
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
        DutyAnswer::decode(&mut &body[..]).unwrap().results
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

pub fn url(address: SocketAddr, path: &str) -> String {
    format!("http://{address}{path}")
}

pub fn client() -> Client {
    Client::builder().no_proxy().timeout(PATIENCE).build().unwrap()
}

pub async fn json(response: Response) -> Value {
    serde_json::from_slice(&response.bytes().await.unwrap()).unwrap()
}

/// The chain as the tests want it.
#[derive(Clone)]
pub struct Chain {
    pub genesis: H256,
    pub block: BlockNumber,
    pub round: RoundNumber,
    pub phase: Phase,
    pub phase_ends_at: BlockNumber,
    pub version: VersionRecipe,
    pub providers: Vec<Vec<u8>>,
    pub spec: ModelSpec,
}

impl Chain {
    /// A new chain with these trainers.
    pub fn new(pcs: &[&Pc]) -> Self {
        Self {
            genesis: H256::repeat_byte(7),
            block: 1,
            round: 0,
            phase: Phase::Train,
            phase_ends_at: 100,
            version: VersionRecipe {
                version: 0,
                base: DIGITS_INITIAL_WEIGHTS,
                updates: vec![],
                weights: Some(DIGITS_INITIAL_WEIGHTS),
            },
            providers: pcs.iter().map(|pc| pc.peer_id()).collect(),
            spec: digits_spec(),
        }
    }

    /// What `pc` owes.
    pub fn sheet(&self, pc: &Pc, duties: Vec<Duty>) -> DutySheet {
        DutySheet {
            protocol: DUTY_PROTOCOL,
            genesis: self.genesis,
            block: self.block,
            account: pc.account,
            standing: Standing::Ready,
            models: vec![ModelDuties {
                model: 0,
                spec: self.spec.clone(),
                dataset: digits_manifest(),
                round: self.round,
                phase: self.phase,
                phase_ends_at: self.phase_ends_at,
                version: self.version.clone(),
                providers: self.providers.clone(),
                duties,
            }],
        }
    }

    /// The task that `pc` has in this round.
    pub fn train(&self, pc: &Pc) -> Duty {
        Duty::Train {
            shard: self.shard(pc),
            task_seed: self.task_seed(pc),
        }
    }

    /// The duty to check `proposer`'s claim.
    pub fn verify(&self, proposer: &Pc, proposal: &Proposal, segment: u32) -> VerifyDuty {
        VerifyDuty {
            key: ProposalKey {
                model: 0,
                round: self.round,
                proposer: proposer.account,
            },
            proposal: proposal.clone(),
            peer_id: proposer.peer_id(),
            base: self.version.weights,
            shard: self.shard(proposer),
            task_seed: self.task_seed(proposer),
            segment,
        }
    }

    /// These proposals were accepted: they make the next version, and the next round opens.
    pub fn settle(&mut self, base: H256, accepted: &[(&Pc, &Proposal)]) {
        let updates = accepted.iter().map(|(pc, proposal)| AcceptedUpdate {
            proposer: pc.account,
            peer_id: pc.peer_id(),
            update: proposal.update,
            shard: self.shard(pc),
        });
        let updates = updates.collect();
        self.version = VersionRecipe {
            version: self.version.version + 1,
            base,
            updates,
            weights: None,
        };
        self.round += 1;
        self.phase = Phase::Train;
    }

    fn shard(&self, pc: &Pc) -> u32 {
        (u32::from(pc.account[0]) + self.round) % 16
    }

    fn task_seed(&self, pc: &Pc) -> H256 {
        H256::repeat_byte(pc.account[0].wrapping_add(100 + self.round as u8))
    }
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

/// Trains on `pc` and returns its proposal.
pub async fn proposal_of(pc: &Pc, chain: &Chain) -> Proposal {
    match pc.one_result(&chain.sheet(pc, vec![chain.train(pc)])).await {
        DutyResult::Propose {
            model: 0,
            round,
            task_seed,
            proposal,
        } if round == chain.round && task_seed == chain.task_seed(pc) => proposal,
        other => panic!("{other:?}"),
    }
}

/// Verifies on `pc` and returns the commitment.
pub async fn commitment_of(pc: &Pc, chain: &Chain, duty: &VerifyDuty) -> H256 {
    match pc
        .one_result(&chain.sheet(pc, vec![Duty::Verify(duty.clone())]))
        .await
    {
        DutyResult::CommitVote { key, commitment } if key == duty.key => commitment,
        other => panic!("{other:?}"),
    }
}
