//! What this PC's account has, what it earned today, and what may still come of work that isn't paid yet.
//!
//! It must never ask for what can't have changed: rounds of today are read again only where one was settled or paid since.

use hydra_primitives::{
    AccountBytes, Balance, ModelId, RoundNumber, Version,
    status::{ModelStatus, NodeStatus, RoundSummary},
};
use std::{collections::BTreeMap, time::SystemTime};

use super::{earned, presence::Presence};
use crate::{
    chain::{Block, Chain, Funds, Part, Unbond},
    error::Error,
    trainer::Status,
};

/// This PC's account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Me {
    /// The account.
    pub account: AccountBytes,
    /// What it has.
    pub funds: Funds,
    /// What the chain says of it.
    pub status: NodeStatus,
    /// Whether it takes part, and if not, why.
    pub presence: Presence,
    /// What of its stake is on its way back, the oldest first.
    pub unbonding: Vec<Unbond>,
    /// Its part of each model, in the models' order.
    pub parts: Vec<Part>,
    /// What it earned today.
    pub earned: Earned,
    /// What its work that isn't paid yet earns if all goes well.
    pub pending: Balance,
}

impl Me {
    /// What it can claim of what questions to all models paid.
    pub fn owed(&self) -> Balance {
        let owed = self.parts.iter().map(|part| part.owed);
        owed.fold(0, |sum: Balance, owed| sum.saturating_add(owed))
    }
}

/// What was earned today.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Earned {
    /// How much.
    pub amount: Balance,
    /// Whether the chain's records do not go back to midnight.
    pub partly: bool,
}

/// The account that a trainer says it works for.
pub fn account_of(trainer: &Status) -> Option<AccountBytes> {
    let mut account = AccountBytes::default();
    let digits = trainer.account.as_deref()?.trim_start_matches("0x");
    hex::decode_to_slice(digits, &mut account).ok()?;
    Some(account)
}

/// An account's share of all accepted work on a model; `None` where none was accepted yet.
pub fn share(part: &Part) -> Option<f64> {
    (part.of > 0).then(|| part.shares as f64 / part.of as f64)
}

/// Reads it, and remembers what was settled today.
#[derive(Debug, Default)]
pub struct Books {
    today: BTreeMap<ModelId, Today>,
}

/// Rounds of a model that were settled today.
#[derive(Debug)]
struct Today {
    /// When today began.
    start: SystemTime,
    /// The model's round and its confirmed version when they were read, and whether work for the account was pending.
    read_in: (RoundNumber, Version, bool),
    rounds: Vec<RoundSummary<AccountBytes>>,
    /// Whether the records do not go back to midnight.
    partly: bool,
}

impl Books {
    /// What the account has at this block. `models` are all there are.
    pub async fn look(
        &mut self,
        chain: &Chain,
        account: AccountBytes,
        models: &[ModelStatus],
        at: Block,
    ) -> Result<Me, Error> {
        let mut parts = Vec::new();
        let mut sum = Earned::default();
        let mut pending: Balance = 0;
        for model in models {
            parts.push(chain.part(model.model, &account, at.hash).await?);
            let own = chain.pending(model.model, &account, at.hash).await?;
            pending = pending.saturating_add(own);
            // What is no longer pending may have been paid.
            let read_in = (model.round, model.confirmed_version, own > 0);
            let today = self.today(chain, model.model, read_in, at).await?;
            let amount = earned::earned(&today.rounds, &account);
            sum.amount = sum.amount.saturating_add(amount);
            sum.partly |= today.partly;
        }
        let status = chain.node_status(&account, at.hash).await?;
        Ok(Me {
            account,
            funds: chain.funds(&account, at.hash).await?,
            presence: Presence::read(chain, &account, &status, at.hash).await?,
            unbonding: match status.unbonding {
                0 => Vec::new(),
                _ => chain.unbonding(&account, at.hash).await?,
            },
            status,
            parts,
            earned: sum,
            pending,
        })
    }

    /// What was settled today, read again only where a round or a day has passed.
    async fn today(
        &mut self,
        chain: &Chain,
        model: ModelId,
        read_in: (RoundNumber, Version, bool),
        at: Block,
    ) -> Result<&Today, Error> {
        let start = earned::start_of_day(SystemTime::now());
        let before = self.today.remove(&model).filter(|today| today.start == start);
        let today = match before {
            Some(today) if today.read_in == read_in => today,
            Some(today) => {
                let first = today.rounds.first().map_or(today.read_in.0, |round| round.round);
                Today {
                    read_in,
                    rounds: chain.rounds_from(model, first, at.hash).await?,
                    ..today
                }
            }
            None => {
                let mut rounds = chain.rounds(model, at.hash).await?;
                let before = earned::settled_before(chain, &rounds, start, at.hash).await?;
                let all = rounds.first().is_none_or(|first| first.round == 0);
                rounds.drain(..before.min(rounds.len()));
                Today {
                    start,
                    read_in,
                    rounds,
                    partly: before == 0 && !all,
                }
            }
        };
        Ok(&*self.today.entry(model).or_insert(today))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_account_is_the_one_that_the_trainer_says() {
        let of = |account: &str| {
            let text = format!(
                r#"{{"version":"1","peer_id":"12D3","engine":{{"state":"ready"}},"account":{account}}}"#
            );
            account_of(&serde_json::from_str(&text).unwrap())
        };
        assert_eq!(of(&format!(r#""0x{}""#, "07".repeat(32))), Some([7; 32]));
        assert_eq!(of(r#""0x07""#), None);
        assert_eq!(of(r#""no digits""#), None);
        assert_eq!(of("null"), None);
    }

    #[test]
    fn a_share_is_told_only_of_work_that_was_accepted() {
        let part = |shares, of| Part { owed: 0, shares, of };
        assert_eq!(share(&part(0, 0)), None);
        assert_eq!(share(&part(0, 4)), Some(0.0));
        assert_eq!(share(&part(1, 4)), Some(0.25));
    }
}
