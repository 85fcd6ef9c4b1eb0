//! The local trainer's HTTP interface, as a client.
//!
//! Only ever talks to 127.0.0.1. Answers are bounded before they are read and never trusted to be well-formed.

use hydra_primitives::{
    ModelId, RoundNumber, Version,
    duty::{TAG_HEADER, answer_tag, request_tag, tags_equal},
};
use reqwest::{RequestBuilder, Response};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{path::Path, time::Duration};

use crate::{error::Error, files};

/// The largest JSON answer.
const MAX_JSON: usize = 1 << 20;
/// The longest a question may take: a little more than the trainer itself waits for its engine.
const PATIENCE: Duration = Duration::from_secs(75);
/// The longest a file of weights may take.
const DOWNLOAD_PATIENCE: Duration = Duration::from_secs(600);

/// Header with the BLAKE3 of a file of weights.
pub const WEIGHTS_HASH_HEADER: &str = "x-hydra-weights-hash";

/// What `GET /v1/status` says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Status {
    /// The trainer's version.
    pub version: String,
    /// The account it works for, once the node has told it.
    #[serde(default)]
    pub account: Option<String>,
    /// Its data-plane identity.
    pub peer_id: String,
    /// Connected trainers.
    #[serde(default)]
    pub peers: Vec<Peer>,
    /// The engine that trains.
    pub engine: Engine,
    /// The models it works on.
    #[serde(default)]
    pub models: Vec<ModelWork>,
    /// The last duty sheet from the node.
    #[serde(default)]
    pub last_sheet: Option<Sheet>,
    /// What went wrong lately, oldest first.
    #[serde(default)]
    pub errors: Vec<String>,
    /// Whatever else it says: shown as it is.
    #[serde(flatten)]
    pub more: serde_json::Map<String, serde_json::Value>,
}

/// A duty sheet, as far as a person wants to know.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Sheet {
    /// The block it was made at.
    pub block: u64,
    /// How long ago that was.
    #[serde(default)]
    pub seconds_ago: Option<u64>,
}

/// A connected trainer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Peer {
    /// Its identity.
    pub peer_id: String,
    /// Where it is.
    #[serde(default)]
    pub address: Option<String>,
    /// Time to it and back, in milliseconds.
    #[serde(default)]
    pub latency_ms: Option<f64>,
}

/// The engine's condition.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Engine {
    /// `ready`, `starting` or `failed`.
    pub state: String,
    /// Why it failed.
    #[serde(default)]
    pub reason: Option<String>,
}

/// A model as the trainer sees it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ModelWork {
    /// The model.
    pub model: ModelId,
    /// The version it holds.
    #[serde(default)]
    pub version: Option<Version>,
    /// BLAKE3 of that version's weights.
    #[serde(default)]
    pub weights: Option<String>,
    /// `idle`, `training`, `verifying` or `folding`.
    pub state: String,
    /// The round it works on.
    #[serde(default)]
    pub round: Option<RoundNumber>,
    /// What it does, in words.
    #[serde(default)]
    pub task: Option<String>,
}

/// A question to a model.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Question {
    /// The model.
    pub model: ModelId,
    /// What it is to look at.
    pub image: Image,
}

/// What a model is to look at.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum Image {
    /// Pixels row by row, each from 0 to 16.
    Pixels(Vec<u8>),
    /// An image of the validation set.
    ValidationIndex(u32),
}

/// A model's answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Answer {
    /// The model.
    pub model: ModelId,
    /// The version that answered.
    pub version: Version,
    /// BLAKE3 of its weights.
    pub weights: String,
    /// The class it saw.
    pub label: u8,
    /// How sure it is of each class.
    pub probabilities: Vec<f64>,
    /// The class it really is, for an image of the validation set.
    #[serde(default)]
    pub truth: Option<u8>,
}

/// What a question that can be answered will be answered with.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Checked {
    /// The version that will answer.
    pub version: Version,
    /// BLAKE3 of its weights.
    pub weights: String,
}

impl Answer {
    /// How sure the model is of its answer.
    pub fn confidence(&self) -> Option<f64> {
        self.probabilities.get(usize::from(self.label)).copied()
    }
}

/// The local trainer.
#[derive(Clone, Debug)]
pub struct Trainer {
    http: reqwest::Client,
    url: String,
    token: Option<[u8; 32]>,
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
            .map_err(|error| unreachable(&url, &error))?;
        Ok(Self { http, url, token })
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
        self.json(self.http.get(format!("{}/v1/status", self.url))).await
    }

    /// Whether it can answer the question, without an answer. `body` is the question exactly as it will be paid for.
    pub async fn check(&self, body: &[u8]) -> Result<Checked, Error> {
        self.ask("/v1/check-image", body).await
    }

    /// Its answer to the question.
    pub async fn infer(&self, body: &[u8]) -> Result<Answer, Error> {
        let answer: Answer = self.ask("/v1/infer", body).await?;
        match answer.confidence() {
            Some(share) if (0.0..=1.0).contains(&share) => Ok(answer),
            _ => Err(Error::TrainerGarbled("it is sure of nothing".into())),
        }
    }

    /// The newest confirmed weights it holds, if they have `limit` bytes at the most.
    pub async fn weights(&self, model: ModelId, limit: usize) -> Result<Vec<u8>, Error> {
        let request = self
            .http
            .get(format!("{}/v1/model/{model}/weights", self.url))
            .timeout(DOWNLOAD_PATIENCE);
        let response = self.send(request).await?;
        self.read(response, limit).await
    }

    /// Asks what only those who know the token may ask, and believes only an answer by someone who knows it, too.
    async fn ask<T: DeserializeOwned>(&self, path: &str, body: &[u8]) -> Result<T, Error> {
        let token = self.token.as_ref().ok_or(Error::NoTrainer)?;
        let tag = request_tag(token, body);
        let request = self
            .http
            .post(format!("{}{path}", self.url))
            .timeout(PATIENCE)
            .header(TAG_HEADER, hex::encode(tag))
            .header("content-type", "application/json")
            .body(body.to_vec());
        let response = self.send(request).await?;
        let mut given = [0; 32];
        let tagged = response
            .headers()
            .get(TAG_HEADER)
            .is_some_and(|value| hex::decode_to_slice(value.as_bytes(), &mut given).is_ok());
        let bytes = self.read(response, MAX_JSON).await?;
        if !tagged || !tags_equal(&given, &answer_tag(token, &tag, &bytes)) {
            return Err(Error::NotOurTrainer {
                url: self.url.clone(),
            });
        }
        serde_json::from_slice(&bytes).map_err(|error| Error::TrainerGarbled(error.to_string()))
    }

    async fn json<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, Error> {
        let response = self.send(request.timeout(PATIENCE)).await?;
        let bytes = self.read(response, MAX_JSON).await?;
        serde_json::from_slice(&bytes).map_err(|error| Error::TrainerGarbled(error.to_string()))
    }

    /// Sends, and turns an error answer into the trainer's own sentence.
    async fn send(&self, request: RequestBuilder) -> Result<Response, Error> {
        #[derive(Deserialize)]
        struct Refusal {
            error: String,
        }
        let response = request
            .send()
            .await
            .map_err(|error| unreachable(&self.url, &error))?;
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
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| unreachable(&self.url, &error))?
        {
            if chunk.len() > limit.saturating_sub(bytes.len()) {
                return Err(Error::TrainerGarbled(format!("more than {limit} bytes")));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }
}

fn unreachable(url: &str, error: &reqwest::Error) -> Error {
    // reqwest's own words repeat the address; the innermost error says what happened.
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    Error::TrainerUnreachable {
        url: url.into(),
        reason: innermost.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_look_as_the_trainer_expects_them() {
        let pixels = Question {
            model: 0,
            image: Image::Pixels(vec![0, 16]),
        };
        assert_eq!(
            serde_json::to_string(&pixels).unwrap(),
            r#"{"model":0,"image":{"Pixels":[0,16]}}"#
        );
        let index = Question {
            model: 2,
            image: Image::ValidationIndex(7),
        };
        assert_eq!(
            serde_json::to_string(&index).unwrap(),
            r#"{"model":2,"image":{"ValidationIndex":7}}"#
        );
    }

    #[test]
    fn a_starting_trainer_has_little_to_say_and_is_understood() {
        let status: Status = serde_json::from_str(
            r#"{"version":"0.1.0","peer_id":"12D3","engine":{"state":"starting","reason":null},"later":1,"errors":[]}"#,
        )
        .unwrap();
        assert_eq!(status.engine.state, "starting");
        assert!(status.models.is_empty() && status.last_sheet.is_none());
        assert_eq!(status.more["later"], 1);
    }

    #[tokio::test]
    async fn without_a_token_nothing_is_asked() {
        let trainer = Trainer::new(1, None).unwrap();
        assert!(matches!(trainer.check(b"{}").await, Err(Error::NoTrainer)));
    }

    #[tokio::test]
    async fn nobody_listening_is_one_clear_sentence() {
        let free = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let error = Trainer::new(free, None).unwrap().status().await.unwrap_err();
        assert!(matches!(error, Error::TrainerUnreachable { .. }), "{error}");
        assert!(error.to_string().contains(&free.to_string()));
    }
}
