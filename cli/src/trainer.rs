//! The local trainer's HTTP interface, as a client.
//!
//! Only ever talks to 127.0.0.1. Answers are bounded before they are read and never trusted to be well-formed.

pub use hydra_trainer_api::{Answer, Checked, Image, Question, Status};

use hydra_primitives::ModelId;
use hydra_trainer_api::{CHECK_PATH, INFER_PATH, Refusal, STATUS_PATH, TAG_HEADER, Tag, weights_path};
use reqwest::{RequestBuilder, Response};
use serde::de::DeserializeOwned;
use std::{path::Path, time::Duration};

use crate::{
    error::{Error, Place, TrainerState},
    files,
    network::{self, Pc},
};

/// The largest JSON answer.
const MAX_JSON: usize = 1 << 20;
/// The longest it may take to say how it is, or whether it could answer: nothing is computed for that.
const PROMPT: Duration = Duration::from_secs(6);
/// The longest a question may take: a little more than the trainer itself waits for its engine.
const PATIENCE: Duration = Duration::from_secs(75);
/// The longest a file of weights may take.
const DOWNLOAD_PATIENCE: Duration = Duration::from_secs(600);

/// The local trainer.
#[derive(Clone, Debug)]
pub struct Trainer {
    http: reqwest::Client,
    url: String,
    port: u16,
    token: Option<[u8; 32]>,
    home: Option<(Pc, Place)>,
}

impl Trainer {
    /// The trainer on 127.0.0.1:`port`. Without a token it can only be asked how it is.
    pub fn new(port: u16, token: Option<[u8; 32]>) -> Result<Self, Error> {
        let url = format!("http://127.0.0.1:{port}");
        // A proxy would see the questions, and could not reach this machine's loopback anyway.
        let http = reqwest::Client::builder()
            .no_proxy()
            .connect_timeout(Duration::from_secs(5))
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| Error::TrainerUnreachable {
                url: url.clone(),
                reason: innermost(&error),
                state: TrainerState::Unknown,
            })?;
        Ok(Self {
            http,
            url,
            port,
            token,
            home: None,
        })
    }

    /// The same, known to be this PC's of the network in `place`: for what is said if it doesn't answer.
    pub fn of_pc(mut self, pc: Pc, place: Place) -> Self {
        self.home = Some((pc, place));
        self
    }

    /// The trainer on `port`, with the token in `path`.
    pub fn with_token_file(port: u16, path: &Path) -> Result<Self, Error> {
        let token = files::read_secret(path).map_err(Error::file("read the trainer's token file", path))?;
        Self::new(port, Some(token.ok_or_else(|| Error::BadTokenFile(path.into()))?))
    }

    /// Its address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// How it is.
    pub async fn status(&self) -> Result<Status, Error> {
        self.json(self.http.get(format!("{}{STATUS_PATH}", self.url)))
            .await
    }

    /// Whether it can answer the question, without an answer. `body` is the question exactly as it will be paid for.
    pub async fn check(&self, body: &[u8]) -> Result<Checked, Error> {
        self.ask(CHECK_PATH, body, PROMPT).await
    }

    /// Its answer to the question.
    pub async fn infer(&self, body: &[u8]) -> Result<Answer, Error> {
        let answer: Answer = self.ask(INFER_PATH, body, PATIENCE).await?;
        match answer.confidence() {
            Some(share) if (0.0..=1.0).contains(&share) => Ok(answer),
            _ => Err(Error::TrainerGarbled("it is sure of nothing".into())),
        }
    }

    /// The newest confirmed weights it holds, if they have `limit` bytes at the most.
    pub async fn weights(&self, model: ModelId, limit: usize) -> Result<Vec<u8>, Error> {
        let token = self.token.as_ref().ok_or(Error::NoTrainer)?;
        let path = weights_path(model);
        // The answer carries no tag, it is too large to wait for one: its hash must be one that the chain has confirmed.
        let request = self
            .http
            .get(format!("{}{path}", self.url))
            .header(TAG_HEADER, Tag::of_path(token, &path).header())
            .timeout(DOWNLOAD_PATIENCE);
        let response = self.send(request).await?;
        self.read(response, limit).await
    }

    /// Asks what only those who know the token may ask, and believes only an answer by someone who knows it, too.
    async fn ask<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &[u8],
        patience: Duration,
    ) -> Result<T, Error> {
        let token = self.token.as_ref().ok_or(Error::NoTrainer)?;
        let tag = Tag::of_body(token, body);
        let request = self
            .http
            .post(format!("{}{path}", self.url))
            .timeout(patience)
            .header(TAG_HEADER, tag.header())
            .header("content-type", "application/json")
            .body(body.to_vec());
        let response = self.send(request).await?;
        let given = response
            .headers()
            .get(TAG_HEADER)
            .map(|value| Tag::parse(value.as_bytes()));
        let bytes = self.read(response, MAX_JSON).await?;
        if given != Some(Ok(tag.of_answer(token, &bytes))) {
            return Err(Error::NotOurTrainer {
                url: self.url.clone(),
            });
        }
        serde_json::from_slice(&bytes).map_err(|error| Error::TrainerGarbled(error.to_string()))
    }

    async fn json<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, Error> {
        let response = self.send(request.timeout(PROMPT)).await?;
        let bytes = self.read(response, MAX_JSON).await?;
        serde_json::from_slice(&bytes).map_err(|error| Error::TrainerGarbled(error.to_string()))
    }

    /// Sends, and turns an error answer into the trainer's own sentence.
    async fn send(&self, request: RequestBuilder) -> Result<Response, Error> {
        let response = request.send().await.map_err(|error| self.unreachable(&error))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let bytes = self.read(response, MAX_JSON).await?;
        Err(match serde_json::from_slice::<Refusal>(&bytes) {
            Ok(refusal) => Error::TrainerRefused(refusal.error),
            Err(_) => Error::TrainerGarbled(format!("HTTP status {}", status.as_u16())),
        })
    }

    async fn read(&self, mut response: Response, limit: usize) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.unreachable(&error))? {
            if chunk.len() > limit.saturating_sub(bytes.len()) {
                return Err(Error::TrainerGarbled(format!("more than {limit} bytes")));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }

    fn unreachable(&self, error: &reqwest::Error) -> Error {
        Error::TrainerUnreachable {
            url: self.url.clone(),
            reason: innermost(error),
            state: self.state(error.is_timeout()),
        }
    }

    /// Why it doesn't answer, as far as this PC's processes tell.
    fn state(&self, silent: bool) -> TrainerState {
        if silent {
            return hydra_host::port_holder(self.port).map_or(TrainerState::Unknown, TrainerState::Silent);
        }
        match &self.home {
            Some((pc, _)) if network::trainer_runs(pc) => TrainerState::Starting { pid: pc.trainer.pid },
            Some((pc, place)) => TrainerState::Ended {
                pc: pc.name.clone(),
                place: place.clone(),
            },
            None => TrainerState::Unknown,
        }
    }
}

/// reqwest's own words repeat the address; the innermost error says what happened.
fn innermost(error: &reqwest::Error) -> String {
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn without_a_token_nothing_is_asked() {
        let trainer = Trainer::new(1, None).unwrap();
        assert!(matches!(trainer.check(b"{}").await, Err(Error::NoTrainer)));
        assert!(matches!(trainer.weights(0, 1).await, Err(Error::NoTrainer)));
    }

    #[tokio::test]
    async fn one_that_keeps_silent_is_not_said_to_be_away() {
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let trainer = Trainer::new(silent.local_addr().unwrap().port(), None).unwrap();
        let error = trainer.status().await.unwrap_err();
        let Error::TrainerUnreachable {
            state: TrainerState::Silent(holder),
            ..
        } = &error
        else {
            panic!("{error}")
        };
        assert_eq!(holder.pid, std::process::id());
        assert!(error.to_string().contains("kill -9"), "{error}");
    }

    #[tokio::test]
    async fn a_pc_s_own_that_has_ended_or_is_starting_is_known() {
        let mut pc = network::Layout::new("/base".into(), 1, 20_000)
            .network()
            .pcs
            .remove(0);
        let free = hydra_test_ports::free_ports(1);
        let said = async |pc: &Pc| {
            let trainer = Trainer::new(free, None)
                .unwrap()
                .of_pc(pc.clone(), "/base".into());
            trainer.status().await.unwrap_err().to_string()
        };
        assert!(
            said(&pc)
                .await
                .contains("hydra demo --only alice --base-path /base")
        );
        pc.trainer.pid = std::process::id();
        assert!(said(&pc).await.contains("does not listen yet"));
    }

    #[tokio::test]
    async fn nobody_listening_is_one_clear_sentence() {
        let free = hydra_test_ports::free_ports(1);
        let error = Trainer::new(free, None).unwrap().status().await.unwrap_err();
        assert!(matches!(error, Error::TrainerUnreachable { .. }), "{error}");
        assert!(error.to_string().contains(&free.to_string()));
    }
}
