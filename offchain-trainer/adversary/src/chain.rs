//! The node's JSON-RPC, as far as a trainer without a node of its own needs it.
//!
//! Must never retry a transaction: whoever calls decides whether it still makes sense.

use std::sync::Arc;

use codec::{Compact, Decode, Encode};
use hydra_primitives::{
    AccountBytes, Balance, BlockNumber, H256, ModelId,
    duty::{DutyResult, DutySheet, ModelDescription},
    model::MAX_SIZE_CLASS,
    status::ModelStatus,
};
use subxt::{
    OnlineClient, PolkadotConfig,
    backend::LegacyBackend,
    config::{DefaultExtrinsicParamsBuilder, RpcConfigFor, substrate::SubstrateHeader},
    dynamic,
    ext::scale_encode::{self, EncodeAsFields, FieldIter, TypeResolver},
    rpcs::{RpcClient, client::RpcSubscription, methods::legacy::LegacyRpcMethods},
    tx::TransactionStatus,
    utils::AccountId32,
};
use subxt_signer::sr25519::Keypair;

type Hash = subxt::utils::H256;

/// Blocks that a transaction stays valid.
const MORTAL_BLOCKS: u64 = 32;
/// Tasks that it says it takes on at a time: it doesn't care how many.
const ROOM: u8 = 64;

/// Why the chain can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ChainError {
    /// The node does not answer, or not as a HydraAI node does.
    #[error("the node at {url} can't be used ({reason}): check that a HydraAI node runs there")]
    Node {
        /// Its address.
        url: String,
        /// What was wrong.
        reason: String,
    },
    /// A transaction was refused or failed.
    #[error("{call} was refused: {reason}")]
    Refused {
        /// The call.
        call: &'static str,
        /// What the chain said.
        reason: String,
    },
}

/// Arguments of a call that are encoded already: our types are the runtime's own.
struct Encoded(Vec<u8>);

impl EncodeAsFields for Encoded {
    fn encode_as_fields_to<R: TypeResolver>(
        &self,
        _: &mut dyn FieldIter<'_, R::TypeId>,
        _: &R,
        out: &mut Vec<u8>,
    ) -> Result<(), scale_encode::Error> {
        out.extend_from_slice(&self.0);
        Ok(())
    }
}

/// A connection to a node, with the account that signs.
pub struct Chain {
    url: String,
    methods: LegacyRpcMethods<RpcConfigFor<PolkadotConfig>>,
    client: OnlineClient<PolkadotConfig>,
    signer: Keypair,
}

impl Chain {
    /// Connects to the node at `url`.
    ///
    /// # Errors
    /// [`ChainError::Node`].
    pub async fn connect(url: &str, signer: Keypair) -> Result<Self, ChainError> {
        let strange = |error: &dyn std::fmt::Display| ChainError::Node {
            url: url.into(),
            reason: error.to_string(),
        };
        let rpc = RpcClient::from_insecure_url(url)
            .await
            .map_err(|error| strange(&error))?;
        let backend = LegacyBackend::<PolkadotConfig>::builder().build(rpc.clone());
        let client = OnlineClient::from_backend(Arc::new(backend))
            .await
            .map_err(|error| strange(&error))?;
        Ok(Self {
            url: url.into(),
            methods: LegacyRpcMethods::new(rpc),
            client,
            signer,
        })
    }

    /// The account that signs.
    pub fn account(&self) -> AccountBytes {
        self.signer.public_key().0
    }

    /// Every new best block's header.
    ///
    /// # Errors
    /// [`ChainError::Node`].
    pub async fn new_heads(&self) -> Result<RpcSubscription<SubstrateHeader<Hash>>, ChainError> {
        self.methods
            .chain_subscribe_new_heads()
            .await
            .map_err(|error| self.strange(&error))
    }

    /// What the account owes at the best block; `None` when it is not registered.
    ///
    /// # Errors
    /// [`ChainError::Node`].
    pub async fn duty_sheet(&self) -> Result<Option<DutySheet>, ChainError> {
        self.ask("TrainingApi_duty_sheet", self.account()).await
    }

    /// What never changes about a model; `None` when there is no such model.
    ///
    /// # Errors
    /// [`ChainError::Node`].
    pub async fn description(&self, model: ModelId) -> Result<Option<ModelDescription>, ChainError> {
        let status: Option<ModelStatus> = self.ask("TrainingApi_model_status", model).await?;
        Ok(status.map(|ModelStatus { spec, dataset, .. }| ModelDescription { model, spec, dataset }))
    }

    /// Asks the runtime.
    async fn ask<T: Decode>(&self, function: &str, argument: impl Encode) -> Result<T, ChainError> {
        let argument = argument.encode();
        let call = self.methods.state_call(function, Some(&argument), None);
        let bytes = call.await.map_err(|error| self.strange(&error))?;
        T::decode(&mut bytes.as_slice()).map_err(|error| self.strange(&error))
    }

    /// The number of the best block.
    ///
    /// # Errors
    /// [`ChainError::Node`].
    pub async fn best_number(&self) -> Result<BlockNumber, ChainError> {
        let header = self.methods.chain_get_header(None).await;
        let header = header
            .map_err(|error| self.strange(&error))?
            .ok_or_else(|| self.strange(&"it has no best block"))?;
        BlockNumber::try_from(header.number).map_err(|error| self.strange(&error))
    }

    /// The hash of a block on the best branch.
    ///
    /// # Errors
    /// [`ChainError::Node`].
    pub async fn block_hash(&self, number: BlockNumber) -> Result<H256, ChainError> {
        let hash = self.methods.chain_get_block_hash(Some(number.into())).await;
        let hash = hash
            .map_err(|error| self.strange(&error))?
            .ok_or_else(|| self.strange(&format!("it has no block {number}")))?;
        Ok(H256(hash.0))
    }

    /// Bits of work that a registration needs.
    ///
    /// # Errors
    /// [`ChainError::Node`].
    pub async fn work_difficulty(&self) -> Result<u32, ChainError> {
        let at = self
            .client
            .at_block(self.best().await?)
            .await
            .map_err(|error| self.strange(&error))?;
        let constant = dynamic::constant::<u32>("Reputation", "WorkDifficulty");
        at.constants()
            .entry(constant)
            .map_err(|error| self.strange(&error))
    }

    /// Registers the account with this data-plane identity, and bonds stake, in 10⁻¹² HYDRA. `signature` and `nonce` are over the
    /// hash of block `anchor`.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn register(
        &self,
        peer_id: &[u8],
        anchor: BlockNumber,
        signature: [u8; 64],
        nonce: u64,
        bond: Balance,
    ) -> Result<(), ChainError> {
        let arguments = (peer_id, MAX_SIZE_CLASS, ROOM, anchor, signature, nonce, bond);
        self.submit("register", "Reputation", arguments.encode()).await
    }

    /// Bonds stake, in 10⁻¹² HYDRA.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn bond(&self, amount: Balance) -> Result<(), ChainError> {
        self.submit("bond", "StakeVoting", Compact(amount).encode()).await
    }

    /// Puts results on chain.
    ///
    /// # Errors
    /// [`ChainError`].
    pub async fn give(&self, results: &[DutyResult]) -> Result<(), ChainError> {
        self.submit("submit", "TrainingProposals", results.encode()).await
    }

    /// Signs and sends a call, and waits until a block has executed it.
    async fn submit(&self, call: &'static str, pallet: &str, arguments: Vec<u8>) -> Result<(), ChainError> {
        let refused = |reason: String| ChainError::Refused { call, reason };
        let account = AccountId32(self.account());
        let nonce = self
            .methods
            .system_account_next_index(&account)
            .await
            .map_err(|error| self.strange(&error))?;
        // A transaction names the hash of the block it begins to be valid at: one that no fork can remove.
        let last = self.methods.chain_get_finalized_head().await;
        let at = self
            .client
            .at_block(last.map_err(|error| self.strange(&error))?)
            .await
            .map_err(|error| self.strange(&error))?;
        let payload = dynamic::tx(pallet, call, Encoded(arguments));
        let params = DefaultExtrinsicParamsBuilder::<PolkadotConfig>::new()
            .mortal(MORTAL_BLOCKS)
            .nonce(nonce)
            .build();
        let transactions = at.transactions();
        let signable = transactions.create_signable(&payload, &account, params).await;
        let signed = signable.map_err(|error| self.strange(&error))?.sign(&self.signer);
        let signed = signed.map_err(|error| refused(error.to_string()))?;
        let mut progress = signed
            .submit_and_watch()
            .await
            .map_err(|error| refused(error.to_string()))?;
        while let Some(status) = progress.next().await {
            match status.map_err(|error| self.strange(&error))? {
                TransactionStatus::InBestBlock(block) | TransactionStatus::InFinalizedBlock(block) => {
                    let done = block.wait_for_success().await;
                    return done.map(drop).map_err(|error| refused(error.to_string()));
                }
                TransactionStatus::Error { message }
                | TransactionStatus::Invalid { message }
                | TransactionStatus::Dropped { message } => return Err(refused(message)),
                _ => {}
            }
        }
        Err(refused("the node no longer says what became of it".into()))
    }

    async fn best(&self) -> Result<Hash, ChainError> {
        let hash = self
            .methods
            .chain_get_block_hash(None)
            .await
            .map_err(|error| self.strange(&error))?;
        hash.ok_or_else(|| self.strange(&"it has no best block"))
    }

    fn strange(&self, error: &dyn std::fmt::Display) -> ChainError {
        ChainError::Node {
            url: self.url.clone(),
            reason: error.to_string(),
        }
    }
}
