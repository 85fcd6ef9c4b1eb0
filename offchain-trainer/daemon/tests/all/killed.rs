//! Whole trainers are killed at random moments while one fetches a large blob from the other: the one that gets it, the one that has it,
//! or both. What had come is still there, what is served is right, and in the end all of it is there.
//!
//! `HYDRA_TEST_KILLS` says how often; `scripts/soak throughput` takes 50.

use std::{
    env,
    hash::{BuildHasher, RandomState},
    process::Command,
    time::{Duration, Instant},
};

use crate::{
    program::{Running, start},
    support::{Chain, answer_of, client, json, options},
};
use hydra_blobs::BlobStore;
use hydra_network::PeerId;
use hydra_primitives::{
    H256,
    digits::digits_spec,
    duty::{DUTIES_PATH, DutySheet, Standing},
    model::{Architecture, ModelSpec},
    status::Phase,
};
use hydra_update::{GlobalState, expected_size};
use reqwest::Client;
use tempfile::TempDir;
use tokio::time::sleep;

/// KiB a second that the one who has the blob gives: it takes many kills to get all of it.
const RATE: &str = "16384";
/// The longest that a trainer lives.
const LIFE: u64 = 700;

/// A PC with one trainer after the other.
struct Place {
    number: u8,
    folder: TempDir,
    p2p: u16,
    running: Option<Running>,
}

impl Place {
    fn new(number: u8) -> Self {
        Self {
            number,
            folder: tempfile::tempdir().unwrap(),
            p2p: hydra_test_ports::free_ports(1),
            running: None,
        }
    }

    fn start(&mut self, bootstrap: Option<&str>) {
        if self.running.is_some() {
            return;
        }
        let options = options(self.number, &self.folder);
        let mut command = Command::new(env!("CARGO_BIN_EXE_hydra-trainer"));
        command.arg("--base-path").arg(options.base_path);
        command.arg("--token-file").arg(options.token_file);
        command.arg("--key-file").arg(options.key_file);
        let port = self.p2p.to_string();
        command.args([
            "--http-port",
            "0",
            "--p2p-address",
            "127.0.0.1",
            "--p2p-port",
            &port,
            "--upload-limit",
            RATE,
            "--reserve-space",
            "0",
            "--worker-binary",
            "/bin/false",
            "--no-port-mapping",
            "--no-mdns",
        ]);
        if let Some(bootstrap) = bootstrap {
            command.args(["--bootstrap", bootstrap]);
        }
        self.running = Some(start(command));
    }

    /// As a power cut would.
    fn kill(&mut self) {
        let mut running = self.running.take().expect("it runs");
        running.child.kill().unwrap();
        running.child.wait().unwrap();
    }

    fn url(&self) -> &str {
        &self.running.as_ref().expect("it runs").url
    }

    fn peer(&self) -> PeerId {
        let ready = &self.running.as_ref().expect("it runs").ready;
        ready.split_whitespace().nth(2).unwrap().parse().unwrap()
    }

    /// What is in its store, looked at while nobody uses it: slices that have come, each of them right, and whether all is there.
    fn looked_at(&self, hash: H256, size: u64) -> (u64, bool) {
        assert!(self.running.is_none());
        let store = BlobStore::open(self.folder.path().join("base/blobs")).unwrap();
        if store.has(hash) {
            assert!(store.verify(hash).unwrap(), "it would serve something wrong");
            return (size.div_ceil(1 << 20), true);
        }
        // What comes back has been read and hashed.
        let partial = store.resume(hash, |found| found == size).unwrap();
        (partial.map_or(0, |partial| partial.slices().len()), false)
    }

    /// Posts a sheet, as its node would, and says which version it holds.
    async fn hold(&self, http: &Client, sheet: &DutySheet) -> Option<u64> {
        answer_of(http, format!("{}{DUTIES_PATH}", self.url()), sheet).await;
        let status = http.get(format!("{}/v1/status", self.url())).send();
        json(status.await.unwrap()).await["models"][0]["version"].as_u64()
    }
}

/// The sheet that has a trainer hold this version of a large model, from those who have it.
fn sheet(spec: &ModelSpec, version: u32, hash: H256, providers: &[PeerId]) -> DutySheet {
    let mut chain = Chain::new(&[]);
    chain.spec = spec.clone();
    chain.confirmed.version = version;
    chain.confirmed.weights = hash;
    chain.confirmed.providers = providers.iter().map(|peer| peer.to_bytes()).collect();
    let mut sheet = chain.sheet_of([0; 32], vec![]);
    sheet.standing = Standing::Unregistered;
    for model in &mut sheet.models {
        model.phase = Phase::Pause;
    }
    sheet
}

#[tokio::test(flavor = "multi_thread")]
async fn trainers_that_are_killed_at_any_moment_lose_nothing_and_serve_nothing_wrong() {
    let kills: usize = env::var("HYDRA_TEST_KILLS").map_or(6, |kills| kills.parse().unwrap());
    let spec = ModelSpec {
        architecture: Architecture::Mlp {
            layers: vec![64, 4096, 4096, 10].try_into().unwrap(),
        },
        ..digits_spec()
    };
    let (hash, size) = (GlobalState::initial(&spec).hash(&spec), expected_size(&spec));
    let http = client();
    let random = RandomState::new();
    let (mut has, mut gets) = (Place::new(61), Place::new(62));
    has.start(None);
    let provider = has.peer();
    // Every trainer makes what a model begins with; a later version has to be had from somebody.
    let (made, had) = (sheet(&spec, 0, hash, &[]), sheet(&spec, 1, hash, &[provider]));
    while has.hold(&http, &made).await != Some(0) {
        sleep(Duration::from_millis(50)).await;
    }
    let bootstrap = format!("/ip4/127.0.0.1/tcp/{}/p2p/{provider}", has.p2p);
    let (mut came, mut whole) = (0, 0);
    for kill in 0..kills {
        has.start(None);
        gets.start(Some(&bootstrap));
        let life = Duration::from_millis(random.hash_one(kill) % LIFE);
        let end = Instant::now() + life;
        while Instant::now() < end {
            has.hold(&http, &made).await;
            gets.hold(&http, &had).await;
            sleep(Duration::from_millis(50)).await;
        }
        if kill % 3 != 0 {
            has.kill();
            assert!(has.looked_at(hash, size).1, "after {kill} kills, {life:?}");
        }
        if kill % 3 != 1 {
            gets.kill();
            let (slices, all) = gets.looked_at(hash, size);
            assert!(
                slices >= came,
                "{slices} of {came} are left after {kill} kills, {life:?}"
            );
            came = slices;
            if all {
                // Again from the start.
                gets.folder = tempfile::tempdir().unwrap();
                (came, whole) = (0, whole + 1);
            }
        }
    }
    has.start(None);
    gets.start(Some(&bootstrap));
    let all = async {
        loop {
            has.hold(&http, &made).await;
            if gets.hold(&http, &had).await == Some(1) {
                return;
            }
            sleep(Duration::from_millis(100)).await;
        }
    };
    let all = tokio::time::timeout(Duration::from_secs(120), all).await;
    assert!(all.is_ok(), "the blob doesn't come any more");
    gets.kill();
    assert!(gets.looked_at(hash, size).1);
    eprintln!(
        "{kills} kills; the blob of {} MiB came {} times",
        size >> 20,
        whole + 1
    );
}
