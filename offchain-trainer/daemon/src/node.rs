//! Questions to this PC's node, over its JSON-RPC on 127.0.0.1.
//!
//! For what a duty sheet does not tell: because a person asked for something, and now and then who is registered. The trainer's work never
//! waits for an answer from here. Must never talk to another address, nor believe an answer to be well-formed.

use std::{collections::HashMap, io, net::Ipv4Addr, time::Duration};

use axum::body::{Body, to_bytes};
use hydra_primitives::{BlockNumber, H256};
use hyper::{Request, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};

/// The longest that one question may take: the node is on this PC.
const PATIENCE: Duration = Duration::from_millis(1_000);
/// The largest answer: a block's events, as hexadecimal digits.
const MAX_ANSWER: usize = 8 << 20;
/// Where FRAME keeps a block's events: `twox128("System") ++ twox128("Events")`.
const EVENTS_KEY: &str = "0x26aa394eea5630e07c48ae0c9558cef780d41e5e16056765bc8461851072c9d7";

/// Why the node did not answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NodeError {
    /// Nobody is there.
    #[error(
        "the node does not answer on 127.0.0.1:{port} ({source}): start it, or name its port with --node-rpc-port"
    )]
    Away {
        /// The port.
        port: u16,
        /// What the system said.
        source: io::Error,
    },
    /// It took too long.
    #[error("the node took over {} ms to answer: try again in a moment", PATIENCE.as_millis())]
    Slow,
    /// It answered that it can't tell.
    #[error("the node could not tell ({reason}): try again in a moment")]
    Refused {
        /// What it said.
        reason: String,
    },
    /// Somebody is there, who does not speak as a node does.
    #[error(
        "what answers on 127.0.0.1:{port} does not answer as a node does ({reason}): name the node's port with --node-rpc-port"
    )]
    Strange {
        /// The port.
        port: u16,
        /// What is wrong.
        reason: String,
    },
}

/// This PC's node.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node {
    port: u16,
}

impl Node {
    /// The one whose JSON-RPC listens on this port.
    pub(crate) fn new(port: u16) -> Self {
        Self { port }
    }

    /// Where it listens.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The number of the newest block.
    pub(crate) async fn newest(&self) -> Result<BlockNumber, NodeError> {
        let number = self.number(json!([])).await?;
        number.ok_or_else(|| self.strange("it knows no newest block"))
    }

    /// The number of the block with this hash, if it is on the branch that the node takes for the best.
    pub(crate) async fn height(&self, block: H256) -> Result<Option<BlockNumber>, NodeError> {
        let Some(number) = self.number(json!([digits_of(block)])).await? else {
            return Ok(None);
        };
        let there: Option<String> = self.ask("chain_getBlockHash", json!([number])).await?;
        Ok((there == Some(digits_of(block))).then_some(number))
    }

    /// Of the header that these parameters name.
    async fn number(&self, parameters: Value) -> Result<Option<BlockNumber>, NodeError> {
        #[derive(Deserialize)]
        struct Header {
            number: String,
        }
        let header: Option<Header> = self.ask("chain_getHeader", parameters).await?;
        let parsed =
            header.map(|header| BlockNumber::from_str_radix(header.number.trim_start_matches("0x"), 16));
        parsed.transpose().map_err(|error| self.strange(error))
    }

    /// The events of a block, as they are stored; `None` where the node no longer has its state.
    pub(crate) async fn events(&self, block: H256) -> Result<Option<Vec<u8>>, NodeError> {
        let stored: Option<String> = self
            .ask("state_getStorage", json!([EVENTS_KEY, digits_of(block)]))
            .await?;
        stored
            .map(|digits| hex::decode(digits.trim_start_matches("0x")).map_err(|error| self.strange(error)))
            .transpose()
    }

    /// What is stored under keys that begin with `prefix`, in their order: at most `count` of those after `after`. Whatever isn't there any
    /// more when its value is asked for has an empty one.
    pub(crate) async fn entries(
        &self,
        prefix: &str,
        count: usize,
        after: Option<&str>,
    ) -> Result<Vec<Entry>, NodeError> {
        #[derive(Deserialize)]
        struct Changes {
            changes: Vec<(String, Option<String>)>,
        }
        let keys: Vec<String> = self
            .ask("state_getKeysPaged", json!([prefix, count, after]))
            .await?;
        let in_order = after.into_iter().chain(keys.iter().map(String::as_str));
        let asked_for = keys.len() <= count && keys.iter().all(|key| key.starts_with(prefix));
        if !asked_for || !in_order.is_sorted_by(|a, b| a < b) {
            return Err(self.strange("it lists keys that were not asked for"));
        }
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let found: Vec<Changes> = self.ask("state_queryStorageAt", json!([keys])).await?;
        let mut values: HashMap<String, String> = found
            .into_iter()
            .flat_map(|found| found.changes)
            .filter_map(|(key, value)| Some((key, value?)))
            .collect();
        let entries = keys.into_iter().map(|key| {
            let digits = values.remove(&key).unwrap_or_default();
            let value = hex::decode(digits.trim_start_matches("0x")).map_err(|error| self.strange(error))?;
            Ok(Entry { key, value })
        });
        entries.collect()
    }

    async fn ask<T: for<'a> Deserialize<'a>>(&self, method: &str, parameters: Value) -> Result<T, NodeError> {
        match timeout(PATIENCE, self.call(method, parameters)).await {
            Ok(answer) => serde_json::from_value(answer?).map_err(|error| self.strange(error)),
            Err(_) => Err(NodeError::Slow),
        }
    }

    async fn call(&self, method: &str, parameters: Value) -> Result<Value, NodeError> {
        let port = self.port;
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))
            .await
            .map_err(|source| NodeError::Away { port, source })?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| self.strange(error))?;
        // Ends with the sender.
        tokio::spawn(connection);
        let question = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": parameters });
        let request = Request::post("/")
            .header(header::HOST, format!("127.0.0.1:{port}"))
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(question.to_string()))
            .map_err(|error| self.strange(error))?;
        let response = sender
            .send_request(request)
            .await
            .map_err(|error| self.strange(error))?;
        let body = Body::new(response.into_body());
        let bytes = to_bytes(body, MAX_ANSWER)
            .await
            .map_err(|error| self.strange(error))?;
        let answer: Answer = serde_json::from_slice(&bytes).map_err(|error| self.strange(error))?;
        match answer.error {
            Some(error) => Err(NodeError::Refused {
                reason: error
                    .get("message")
                    .and_then(Value::as_str)
                    .map_or_else(|| error.to_string(), str::to_owned),
            }),
            None => Ok(answer.result),
        }
    }

    fn strange(&self, reason: impl ToString) -> NodeError {
        NodeError::Strange {
            port: self.port,
            reason: reason.to_string(),
        }
    }
}

/// Something that is stored.
pub(crate) struct Entry {
    /// Where: `0x` and hexadecimal digits.
    pub(crate) key: String,
    /// What.
    pub(crate) value: Vec<u8>,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    result: Value,
    error: Option<Value>,
}

fn digits_of(hash: H256) -> String {
    format!("{hash:?}")
}
