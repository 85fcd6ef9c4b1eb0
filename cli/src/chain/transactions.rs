//! Nonces, and handing a signed transaction over.

use hydra_primitives::AccountBytes;
use subxt::{rpcs::Error as RpcError, utils::AccountId32};

use super::{Chain, Hash};
use crate::error::Error;

/// A node's words for a transaction whose validity ended before it came.
const TOO_OLD: &str = "ancient birth block";

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

    /// Whether it was made for a block that lies too far back by now. The same for a newer one may be taken.
    pub fn is_too_old(&self) -> bool {
        self.message.contains(TOO_OLD)
    }

    /// The same for people.
    pub fn words(&self) -> String {
        match self.is_too_old() {
            true => "it was made for a block that is too old by now, and can be sent again".into(),
            false => self.message.clone(),
        }
    }
}

impl Chain {
    /// The nonce of the account's next transaction, after those that wait in the node's pool.
    pub async fn next_nonce(&self, account: &AccountBytes) -> Result<u64, Error> {
        self.patient(self.methods.system_account_next_index(&AccountId32(*account)))
            .await
    }

    /// How many transactions of the account are in blocks that can't be undone.
    pub async fn nonce_at(&self, account: &AccountBytes, block: Hash) -> Result<u64, Error> {
        let at = self.at(block).await?;
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transaction_that_came_too_late_is_said_to_be_that() {
        let refusal = |message: &str| Refusal {
            code: 1010,
            message: message.into(),
        };
        // As the SDK words it.
        let late = refusal("Transaction has an ancient birth block");
        assert!(late.is_too_old() && late.words().contains("can be sent again"));
        let poor = refusal("Inability to pay some fees (e.g. account balance too low)");
        assert!(!poor.is_too_old());
        assert_eq!(poor.words(), poor.message);
    }
}
