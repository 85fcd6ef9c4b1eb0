//! Everything that is read from and sent to a node, over its JSON-RPC.
//!
//! Numbers and models come from the runtime's own API as the protocol's types; balances, constants, fees and errors
//! are understood through the chain's metadata. What a node says is never trusted to be well-formed.

use codec::{Decode, Encode};
use hydra_primitives::{
    AccountBytes, Balance, ModelId, RoundNumber,
    status::{ModelStatus, NodeStatus, RoundSummary},
};
use std::{sync::Arc, time::Duration};
use subxt::{
    OnlineClient, PolkadotConfig,
    backend::LegacyBackend,
    config::{RpcConfigFor, substrate::SubstrateHeader},
    dynamic,
    ext::scale_decode::DecodeAsType,
    rpcs::{Error as RpcError, RpcClient, client::RpcSubscription, methods::legacy::LegacyRpcMethods},
    utils::AccountId32,
};
use tokio::{sync::OnceCell, time::timeout};

use crate::error::Error;

/// How HydraAI's transactions look: like any Substrate chain's.
pub(crate) type Config = PolkadotConfig;
/// A block's hash.
pub type Hash = subxt::utils::H256;
/// A block's header.
pub type Header = SubstrateHeader<Hash>;

/// Rounds asked for at once.
const PAGE: u32 = 50;
/// The longest a single question to a node may take.
const PATIENCE: Duration = Duration::from_secs(20);
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

/// An account's balance.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Funds {
    /// Everything that is not on hold.
    pub free: Balance,
    /// What can be spent without the account ceasing to exist.
    pub spendable: Balance,
}

/// Why a transaction pool did not take a transaction.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// The JSON-RPC error's code.
    pub code: i32,
    /// The node's words.
    pub message: String,
}

impl Refusal {
    /// Whether the pool has this transaction already, or one of the same account with the same nonce.
    pub fn is_rivalry(&self) -> bool {
        // Already imported, and priority too low: the codes of polkadot-sdk's `author` methods.
        matches!(self.code, 1013 | 1014)
    }
}

/// A connection to one node.
pub struct Chain {
    url: String,
    rpc: RpcClient,
    methods: LegacyRpcMethods<RpcConfigFor<Config>>,
    client: OnceCell<OnlineClient<Config>>,
}

impl Chain {
    /// Connects to the node at `url`.
    pub async fn connect(url: &str) -> Result<Self, Error> {
        let unreachable = |reason: String| Error::NodeUnreachable {
            url: url.into(),
            reason,
        };
        let rpc = timeout(PATIENCE, RpcClient::from_insecure_url(url))
            .await
            .map_err(|_| unreachable("it takes too long".into()))?
            .map_err(|error| unreachable(root_cause(&error)))?;
        let methods = LegacyRpcMethods::new(rpc.clone());
        Ok(Self {
            url: url.into(),
            rpc,
            methods,
            client: OnceCell::new(),
        })
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

    /// The models on chain.
    pub async fn models(&self, at: Hash) -> Result<Vec<ModelId>, Error> {
        self.ask("models", (), at).await
    }

    /// A model and its current round.
    pub async fn model(&self, model: ModelId, at: Hash) -> Result<Option<ModelStatus>, Error> {
        self.ask("model_status", model, at).await
    }

    /// Like [`Chain::model`], for a command that needs the model to exist.
    pub async fn existing_model(&self, model: ModelId, at: Hash) -> Result<ModelStatus, Error> {
        if let Some(status) = self.model(model, at).await? {
            return Ok(status);
        }
        let known = match self.models(at).await?.as_slice() {
            [] => "it has none".into(),
            models => format!(
                "it has {}",
                models.iter().map(u32::to_string).collect::<Vec<_>>().join(", ")
            ),
        };
        Err(Error::NoModel { model, known })
    }

    /// Every settled round of a model, from the first.
    pub async fn rounds(&self, model: ModelId, at: Hash) -> Result<Vec<RoundSummary<AccountBytes>>, Error> {
        self.rounds_from(model, 0, at).await
    }

    /// The settled rounds from number `from` on.
    pub async fn rounds_from(
        &self,
        model: ModelId,
        mut from: RoundNumber,
        at: Hash,
    ) -> Result<Vec<RoundSummary<AccountBytes>>, Error> {
        let mut rounds: Vec<RoundSummary<AccountBytes>> = Vec::new();
        loop {
            let page: Vec<RoundSummary<AccountBytes>> = self.ask("rounds", (model, from, PAGE), at).await?;
            let Some(last) = page.iter().map(|round| round.round).max() else {
                break;
            };
            if last < from {
                return Err(self.strange("it lists rounds that were not asked for"));
            }
            rounds.extend(page);
            match last.checked_add(1) {
                Some(next) => from = next,
                None => break,
            }
        }
        rounds.sort_by_key(|round| round.round);
        Ok(rounds)
    }

    /// Every registered account.
    pub async fn registered(&self, at: Hash) -> Result<Vec<AccountBytes>, Error> {
        self.ask("registered", (), at).await
    }

    /// One account's part in the network.
    pub async fn node_status(&self, account: &AccountBytes, at: Hash) -> Result<NodeStatus, Error> {
        self.ask("node_status", account, at).await
    }

    /// An account's balance; zero for an account that does not exist.
    pub async fn funds(&self, account: &AccountBytes, at: Hash) -> Result<Funds, Error> {
        #[derive(DecodeAsType)]
        #[decode_as_type(crate_path = "subxt::ext::scale_decode")]
        struct Info {
            data: Data,
        }
        #[derive(DecodeAsType)]
        #[decode_as_type(crate_path = "subxt::ext::scale_decode")]
        struct Data {
            free: u128,
            reserved: u128,
            frozen: u128,
        }
        let at = self.at(at).await?;
        let address = dynamic::storage::<([u8; 32],), Info>("System", "Account");
        let value = self.within(at.storage().try_fetch(address, (*account,))).await?;
        let Some(value) = value.map_err(|error| self.strange(error))? else {
            return Ok(Funds {
                free: 0,
                spendable: 0,
            });
        };
        let Data {
            free,
            reserved,
            frozen,
        } = value.decode().map_err(|error| self.strange(error))?.data;
        let minimum = at
            .constants()
            .entry(dynamic::constant::<u128>("Balances", "ExistentialDeposit"))
            .map_err(|error| self.strange(error))?;
        let locked = frozen.saturating_sub(reserved).max(minimum);
        Ok(Funds {
            free,
            spendable: free.saturating_sub(locked),
        })
    }

    /// The nonce of the account's next transaction, after those that wait in the node's pool.
    pub async fn next_nonce(&self, account: &AccountBytes) -> Result<u64, Error> {
        self.patient(self.methods.system_account_next_index(&AccountId32(*account)))
            .await
    }

    /// How many transactions of the account are in blocks that can't be undone.
    pub async fn final_nonce(&self, account: &AccountBytes) -> Result<u64, Error> {
        let at = self.at(self.finalised().await?.hash).await?;
        self.within(at.transactions().account_nonce(&AccountId32(*account)))
            .await?
            .map_err(|error| self.strange(error))
    }

    /// Hands a signed transaction to the node's pool.
    pub async fn submit(&self, transaction: &[u8]) -> Result<Result<(), Refusal>, Error> {
        match self
            .within(self.methods.author_submit_extrinsic(transaction))
            .await?
        {
            Ok(_) => Ok(Ok(())),
            Err(RpcError::User(error)) => {
                let reason = error.data.as_ref().map(|data| data.get().trim_matches('"'));
                Ok(Err(Refusal {
                    code: error.code,
                    message: reason.unwrap_or(&error.message).into(),
                }))
            }
            Err(error) => Err(self.rpc_error(error)),
        }
    }

    /// Asks one of the runtime's own functions, and refuses an answer that is not exactly what was asked for.
    async fn ask<Answer: Decode>(
        &self,
        method: &str,
        arguments: impl Encode,
        at: Hash,
    ) -> Result<Answer, Error> {
        let function = format!("TrainingApi_{method}");
        let bytes = self
            .patient(
                self.methods
                    .state_call(&function, Some(&arguments.encode()), Some(at)),
            )
            .await?;
        let mut input = bytes.as_slice();
        match Answer::decode(&mut input) {
            Ok(answer) if input.is_empty() => Ok(answer),
            _ => Err(self.strange(format!("{function} answers in another format"))),
        }
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
        }
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
        let free = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
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
}
