//! Stake on its way back, as programs read it.

use schemars::JsonSchema;
use serde::Serialize;

use crate::{amount, chain::Unbond};

/// Stake on its way back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Unbonding {
    /// How much, in HYDRA.
    pub amount: String,
    /// The block from which on it can be withdrawn.
    pub until: u32,
}

impl Unbonding {
    /// Of what the chain says.
    pub fn new(unbond: &Unbond) -> Self {
        Self {
            amount: amount::exact(unbond.amount),
            until: unbond.until,
        }
    }
}
