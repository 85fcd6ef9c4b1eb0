//! Everything that is read from and sent to a node, over its JSON-RPC.
//!
//! Numbers and models come from the runtime's own API as the protocol's types; balances, constants, fees and errors
//! are understood through the chain's metadata. What a node says is never trusted to be well-formed.

mod events;
mod failure;
mod happening;
mod news;
mod part;
mod state;
mod transactions;

pub(crate) use failure::explain;
pub use happening::Happening;
pub use news::News;
pub use part::{Attendance, Place, Rotated, Unbond};
pub use state::{Funds, Part};
pub use transactions::Refusal;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{sync::Arc, time::Duration};
use subxt::{
    OnlineClient, PolkadotConfig,
    backend::LegacyBackend,
    config::{RpcConfigFor, substrate::SubstrateHeader},
    rpcs::{Error as RpcError, RpcClient, client::RpcSubscription, methods::legacy::LegacyRpcMethods},
};
use tokio::{net::TcpStream, sync::OnceCell, time::timeout};

use crate::{
    address,
    error::{Error, Meant},
};

/// How HydraAI's transactions look: like any Substrate chain's.
pub(crate) type Config = PolkadotConfig;
/// A block's hash.
pub type Hash = subxt::utils::H256;
/// A block's header.
pub type Header = SubstrateHeader<Hash>;

/// The longest a single question to a node may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// JSON-RPC's code for a method that the node does not have.
const METHOD_NOT_FOUND: i32 = -32601;
/// How long it may take to see whether anybody is there at all.
const PROBE: Duration = Duration::from_secs(2);
/// What the layers of the RPC client put in front of an error.
const LAYERS: [&str; 3] = ["RPC error: ", "client error: ", "Client error: "];

/// A block, as somewhere to read from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Block {
    /// Its height.
    pub number: u64,
    /// Its hash.
    pub hash: Hash,
}

/// What a node says about the clock of the PC it runs on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Clock {
    /// How far ahead it is of the other nodes', in milliseconds; negative: behind. Null until enough of them said what
    /// time it is.
    pub offset_ms: Option<i64>,
    /// What is wrong, as a sentence.
    pub warning: Option<String>,
}

/// A connection to one node.
pub struct Chain {
    url: String,
    meant: Option<Meant>,
    rpc: RpcClient,
    methods: LegacyRpcMethods<RpcConfigFor<Config>>,
    client: OnceCell<OnlineClient<Config>>,
}

impl Chain {
    /// Connects to the node at `url`.
    pub async fn connect(url: &str) -> Result<Self, Error> {
        let rpc = match timeout(PATIENCE, RpcClient::from_insecure_url(url)).await {
            Ok(Ok(rpc)) => rpc,
            Ok(Err(error)) => return Err(no_connection(url, root_cause(&error)).await),
            Err(_) => return Err(no_connection(url, "it takes too long".into()).await),
        };
        let methods = LegacyRpcMethods::new(rpc.clone());
        Ok(Self {
            url: url.into(),
            meant: None,
            rpc,
            methods,
            client: OnceCell::new(),
        })
    }

    /// The same, with why this address was taken: for whoever finds somebody else there.
    pub fn meant(mut self, meant: Meant) -> Self {
        self.meant = Some(meant);
        self
    }

    /// The node's address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The chain's name.
    pub async fn name(&self) -> Result<String, Error> {
        self.patient(self.methods.system_chain()).await
    }

    /// Whether the chain is a local or development network, where the secrets of //Alice and friends are wallets.
    pub async fn is_local(&self) -> Result<bool, Error> {
        let kind = self
            .patient(
                self.rpc
                    .request::<serde_json::Value>("system_chainType", Default::default()),
            )
            .await?;
        Ok(matches!(kind.as_str(), Some("Local" | "Development")))
    }

    /// How many other nodes this one is connected to, and whether it is still catching up.
    pub async fn health(&self) -> Result<(usize, bool), Error> {
        let health = self.patient(self.methods.system_health()).await?;
        Ok((health.peers, health.is_syncing))
    }

    /// The highest block that the node has heard of.
    pub async fn sync_target(&self) -> Result<u64, Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct State {
            highest_block: u64,
        }
        let state = self.rpc.request::<State>("system_syncState", Default::default());
        Ok(self.patient(state).await?.highest_block)
    }

    /// What the node says about this PC's clock; `None` from a node that does not watch it.
    pub async fn clock(&self) -> Result<Option<Clock>, Error> {
        let answer = self.rpc.request::<Clock>("hydra_clock", Default::default());
        match self.within(answer).await? {
            Ok(clock) => Ok(Some(clock)),
            Err(RpcError::User(error)) if error.code == METHOD_NOT_FOUND => Ok(None),
            Err(error) => Err(self.rpc_error(error)),
        }
    }

    /// The node's own version.
    pub async fn node_version(&self) -> Result<String, Error> {
        self.patient(self.methods.system_version()).await
    }

    /// The version of the chain's rules.
    pub async fn spec_version(&self) -> Result<u32, Error> {
        let version = self.methods.state_get_runtime_version(None);
        Ok(self.patient(version).await?.spec_version)
    }

    /// The newest block.
    pub async fn best(&self) -> Result<Block, Error> {
        let hash = self.patient(self.methods.chain_get_block_hash(None)).await?;
        self.block(hash.ok_or_else(|| self.strange("it has no best block"))?)
            .await
    }

    /// The newest block that can't be undone.
    pub async fn finalised(&self) -> Result<Block, Error> {
        let hash = self.patient(self.methods.chain_get_finalized_head()).await?;
        self.block(hash).await
    }

    /// The block of this height on the best branch.
    pub async fn block_at(&self, number: u64) -> Result<Block, Error> {
        let hash = self
            .patient(self.methods.chain_get_block_hash(Some(number.into())))
            .await?;
        let hash = hash.ok_or_else(|| self.strange(format!("it has no block {number}")))?;
        Ok(Block { number, hash })
    }

    /// The block before this one.
    pub async fn parent(&self, block: Block) -> Result<Block, Error> {
        Ok(Block {
            number: block.number.saturating_sub(1),
            hash: self.header(block.hash).await?.parent_hash,
        })
    }

    async fn block(&self, hash: Hash) -> Result<Block, Error> {
        Ok(Block {
            number: self.header(hash).await?.number,
            hash,
        })
    }

    async fn header(&self, hash: Hash) -> Result<Header, Error> {
        let header = self.patient(self.methods.chain_get_header(Some(hash))).await?;
        header.ok_or_else(|| self.strange("it does not know a block that it named"))
    }

    /// Every new best block's header.
    pub async fn new_heads(&self) -> Result<RpcSubscription<Header>, Error> {
        self.patient(self.methods.chain_subscribe_new_heads()).await
    }

    /// Headers of blocks as they become final.
    pub async fn finalised_heads(&self) -> Result<RpcSubscription<Header>, Error> {
        self.patient(self.methods.chain_subscribe_finalized_heads()).await
    }

    /// The chain as it was at a block.
    pub(crate) async fn at(&self, hash: Hash) -> Result<subxt::OnlineClientAtBlock<Config>, Error> {
        let client = self
            .client
            .get_or_try_init(|| async {
                let backend = LegacyBackend::<Config>::builder().build(self.rpc.clone());
                self.within(OnlineClient::from_backend(Arc::new(backend)))
                    .await?
                    .map_err(|error| self.strange(error))
            })
            .await?;
        self.within(client.at_block(hash))
            .await?
            .map_err(|error| self.strange(error))
    }

    /// An RPC call, bounded in time, its errors told apart: a node that answers with an error is there.
    async fn patient<T>(&self, call: impl Future<Output = Result<T, RpcError>>) -> Result<T, Error> {
        self.within(call).await?.map_err(|error| self.rpc_error(error))
    }

    fn rpc_error(&self, error: RpcError) -> Error {
        match error {
            RpcError::User(error) => self.strange(error.message.trim_start_matches("Client error: ")),
            RpcError::Deserialization(error) => self.strange(error),
            error => Error::NodeLost {
                url: self.url.clone(),
                reason: root_cause(&error),
            },
        }
    }

    /// Bounds a question to the node in time.
    pub(crate) async fn within<T>(&self, call: impl Future<Output = T>) -> Result<T, Error> {
        timeout(PATIENCE, call).await.map_err(|_| Error::NodeLost {
            url: self.url.clone(),
            reason: format!("no answer within {} s", PATIENCE.as_secs()),
        })
    }

    /// The node does not answer as a HydraAI node does.
    pub(crate) fn strange(&self, reason: impl ToString) -> Error {
        Error::NotHydra {
            url: self.url.clone(),
            reason: reason.to_string(),
            meant: self.meant.clone(),
        }
    }
}

/// Why there is no connection: nobody is there, or somebody who is no node.
async fn no_connection(url: &str, reason: String) -> Error {
    let unreachable = |reason| Error::NodeUnreachable {
        url: url.into(),
        reason,
        meant: None,
    };
    let Some((host, port)) = address::host_and_port(url) else {
        return unreachable(reason);
    };
    match timeout(PROBE, TcpStream::connect((host.as_str(), port))).await {
        Ok(Ok(_)) => {
            // How a node's guard answers who calls it by a name that isn't its own.
            if reason.contains("403") {
                return Error::NotByThisName {
                    url: url.into(),
                    reason,
                };
            }
            // Nobody's TLS looks like this: the program there speaks without.
            let tls = ["InvalidContentType", "corrupt message"];
            if url.starts_with("wss:") && tls.iter().any(|words| reason.contains(words)) {
                return Error::BadUrl {
                    given: url.into(),
                    reason: "what answers there does not speak TLS",
                    example: url.replacen("wss:", "ws:", 1),
                };
            }
            let here = address::is_loopback(&host);
            let holder = here.then(|| hydra_host::port_holder(port)).flatten();
            Error::NotANode {
                url: url.into(),
                reason: holder.map_or(reason.clone(), |holder| format!("{reason}; it is {holder}")),
                meant: None,
            }
        }
        _ => unreachable(reason),
    }
}

/// The innermost error, which is the one that says what happened, without the names of the layers around it.
fn root_cause(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    let text = innermost.to_string();
    let mut words = text.as_str();
    while let Some(rest) = LAYERS.iter().find_map(|layer| words.strip_prefix(layer)) {
        words = rest;
    }
    words.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_what_happened_and_not_through_how_many_layers() {
        let error = std::io::Error::other("RPC error: client error: RPC error: Connection refused");
        assert_eq!(root_cause(&error), "Connection refused");
    }

    #[tokio::test]
    async fn nobody_listening_is_one_clear_sentence() {
        let free = hydra_test_ports::free_ports(1);
        let url = format!("ws://127.0.0.1:{free}");
        let Err(error) = Chain::connect(&url).await else {
            panic!("nobody listens there")
        };
        assert!(matches!(error, Error::NodeUnreachable { .. }), "{error}");
        assert!(
            error
                .to_string()
                .starts_with(&format!("no node answers at {url} (")),
            "{error}"
        );
    }

    #[tokio::test]
    async fn a_node_that_knows_itself_by_another_name_is_not_called_a_stranger() {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let _ = stream.read(&mut [0; 1024]).await;
                let _ = stream
                    .write_all(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n")
                    .await;
            }
        });
        let error = Chain::connect(&url).await.err().expect("it refuses");
        assert!(matches!(error, Error::NotByThisName { .. }), "{error}");
    }

    #[tokio::test]
    async fn a_program_that_is_no_node_is_named() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{}", listener.local_addr().unwrap());
        // Whoever connects is hung up on.
        let server = tokio::spawn(async move {
            loop {
                drop(listener.accept().await);
            }
        });
        let Err(error) = Chain::connect(&url).await else {
            panic!("no node is there")
        };
        server.abort();
        assert!(matches!(error, Error::NotANode { .. }), "{error}");
        let us = format!("(process {})", std::process::id());
        assert!(error.to_string().contains(&us), "{error}");
    }
}
