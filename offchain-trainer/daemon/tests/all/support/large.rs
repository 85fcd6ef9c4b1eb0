//! A model so large that its weights take a while to come, and whole trainer processes that get them from each other.

use std::{path::PathBuf, process::Command, time::Duration};

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
use serde_json::Value;
use tempfile::TempDir;
use tokio::time::sleep;

use super::{Chain, answer_of, json, options};
use crate::program::{Running, start};

/// The model: 130 MiB.
pub struct Large {
    spec: ModelSpec,
    /// What its weights are called.
    pub hash: H256,
    /// How many bytes they have.
    pub size: u64,
}

impl Large {
    pub fn new() -> Self {
        let spec = ModelSpec {
            architecture: Architecture::Mlp {
                layers: vec![64, 4096, 4096, 10].try_into().unwrap(),
            },
            ..digits_spec()
        };
        Self {
            hash: GlobalState::initial(&spec).hash(&spec),
            size: expected_size(&spec),
            spec,
        }
    }

    /// The sheet that has a trainer make the weights: every one makes what a model begins with.
    pub fn made(&self) -> DutySheet {
        self.sheet(0, &[])
    }

    /// The sheet that has a trainer get them: those of a later version, as it is told, which have to be had from somebody.
    pub fn had_from(&self, provider: PeerId) -> DutySheet {
        self.sheet(1, &[provider])
    }

    fn sheet(&self, version: u32, providers: &[PeerId]) -> DutySheet {
        let mut chain = Chain::new(&[]);
        chain.spec = self.spec.clone();
        chain.confirmed.version = version;
        chain.confirmed.weights = self.hash;
        chain.confirmed.providers = providers.iter().map(|peer| peer.to_bytes()).collect();
        let mut sheet = chain.sheet_of([0; 32], vec![]);
        sheet.standing = Standing::Unregistered;
        for model in &mut sheet.models {
            model.phase = Phase::Pause;
        }
        sheet
    }
}

/// A PC with one trainer after the other.
pub struct Place {
    number: u8,
    pub folder: TempDir,
    p2p: u16,
    pub running: Option<Running>,
}

impl Place {
    pub fn new(number: u8) -> Self {
        Self {
            number,
            folder: tempfile::tempdir().unwrap(),
            p2p: hydra_test_ports::free_ports(1),
            running: None,
        }
    }

    /// The trainer, which gives no more than `rate` KiB a second and can't train.
    pub fn command(&self, rate: u64, bootstrap: Option<&str>) -> Command {
        let options = options(self.number, &self.folder);
        let mut command = Command::new(env!("CARGO_BIN_EXE_hydra-trainer"));
        command.arg("--base-path").arg(options.base_path);
        command.arg("--token-file").arg(options.token_file);
        command.arg("--key-file").arg(options.key_file);
        let (port, rate) = (self.p2p.to_string(), rate.to_string());
        command.args([
            "--http-port",
            "0",
            "--p2p-address",
            "127.0.0.1",
            "--p2p-port",
            &port,
        ]);
        command.args(["--upload-limit", &rate, "--reserve-space", "0"]);
        command.args(["--worker-binary", "/bin/false", "--no-port-mapping", "--no-mdns"]);
        if let Some(bootstrap) = bootstrap {
            command.args(["--bootstrap", bootstrap]);
        }
        command
    }

    pub fn run(&mut self, command: Command) {
        assert!(self.running.is_none());
        self.running = Some(start(command));
    }

    pub fn base(&self) -> PathBuf {
        self.folder.path().join("base")
    }

    pub fn peer(&self) -> PeerId {
        let ready = &self.running.as_ref().expect("it runs").ready;
        ready.split_whitespace().nth(2).unwrap().parse().unwrap()
    }

    /// Where others find it.
    pub fn address(&self) -> String {
        format!("/ip4/127.0.0.1/tcp/{}/p2p/{}", self.p2p, self.peer())
    }

    fn url(&self) -> &str {
        &self.running.as_ref().expect("it runs").url
    }

    pub async fn status(&self, http: &Client) -> Value {
        let status = http.get(format!("{}/v1/status", self.url())).send();
        json(status.await.unwrap()).await
    }

    /// Posts a sheet, as its node would, and says which version it holds.
    pub async fn hold(&self, http: &Client, sheet: &DutySheet) -> Option<u64> {
        answer_of(http, format!("{}{DUTIES_PATH}", self.url()), sheet).await;
        self.status(http).await["models"][0]["version"].as_u64()
    }

    /// The same until it holds this one.
    pub async fn holds(&self, http: &Client, sheet: &DutySheet, version: u64) {
        while self.hold(http, sheet).await != Some(version) {
            sleep(Duration::from_millis(50)).await;
        }
    }
}
