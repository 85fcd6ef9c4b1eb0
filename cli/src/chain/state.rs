//! What a chain's state says: models and rounds through the runtime's own API, balances and constants through metadata.

use codec::{Decode, Encode};
use hydra_primitives::{
    AccountBytes, Balance, ModelId, RoundNumber,
    poll::PollId,
    reputation::minimum_stake,
    rewards::{Pool, Share},
    status::{ElectorateStatus, ModelStatus, NodeStatus, PollStatus, RoundSummary},
};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use subxt::{OnlineClientAtBlock, dynamic, ext::scale_decode::DecodeAsType};

use super::{Chain, Config, Hash};
use crate::error::Error;

/// Rounds asked for at once.
const PAGE: u32 = 50;
/// Accounts asked for at once.
const ACCOUNTS_PAGE: u32 = 1_000;

/// An account's balance.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Funds {
    /// Everything that is not on hold.
    pub free: Balance,
    /// What can be spent without the account ceasing to exist.
    pub spendable: Balance,
    /// What is on hold, as a bond for example. It comes on top of what is free.
    pub held: Balance,
}

/// An account's part of what is paid for questions to a model.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Part {
    /// What it can claim.
    pub owed: Balance,
    /// Its shares, by accepted work.
    pub shares: u128,
    /// All shares.
    pub of: u128,
}

impl Chain {
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

    /// Registered accounts, `limit` of them at the most: there may be a quarter of a million.
    pub async fn registered(&self, limit: usize, at: Hash) -> Result<Vec<AccountBytes>, Error> {
        let mut accounts: Vec<AccountBytes> = Vec::new();
        while accounts.len() < limit {
            let missing = u32::try_from(limit - accounts.len()).unwrap_or(u32::MAX);
            let wanted = missing.min(ACCOUNTS_PAGE);
            let page: Vec<AccountBytes> = self
                .ask("registered", (accounts.last().copied(), wanted), at)
                .await?;
            let is_last = page.len() < usize::try_from(wanted).unwrap_or(usize::MAX);
            accounts.extend(page);
            if is_last {
                break;
            }
        }
        accounts.truncate(limit);
        Ok(accounts)
    }

    /// Who is drawn from, and how many are registered.
    pub async fn electorate(&self, at: Hash) -> Result<ElectorateStatus, Error> {
        self.ask("electorate", (), at).await
    }

    /// A poll; `None` when it is over.
    pub async fn poll(&self, poll: PollId, at: Hash) -> Result<Option<PollStatus<AccountBytes>>, Error> {
        self.ask("poll_status", poll, at).await
    }

    /// One account's part in the network.
    pub async fn node_status(&self, account: &AccountBytes, at: Hash) -> Result<NodeStatus, Error> {
        self.ask("node_status", account, at).await
    }

    /// Of the accounts whose keys a PC has, the one that counts: as the node has it, the registered one, else the first.
    pub async fn counting(&self, accounts: &[AccountBytes]) -> Result<Option<AccountBytes>, Error> {
        if let [_, _, ..] = accounts {
            let at = self.best().await?.hash;
            for account in accounts {
                if self.node_status(account, at).await?.registered {
                    return Ok(Some(*account));
                }
            }
        }
        Ok(accounts.first().copied())
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
                held: 0,
            });
        };
        let Data {
            free,
            reserved,
            frozen,
        } = value.decode().map_err(|error| self.strange(error))?.data;
        let minimum = self.constant(&at, "Balances", "ExistentialDeposit")?;
        let locked = frozen.saturating_sub(reserved).max(minimum);
        Ok(Funds {
            free,
            spendable: free.saturating_sub(locked),
            held: reserved,
        })
    }

    /// The time that a block says it was made at.
    pub async fn time(&self, at: Hash) -> Result<SystemTime, Error> {
        let at = self.at(at).await?;
        let address = dynamic::storage::<(), u64>("Timestamp", "Now");
        let value = self.within(at.storage().fetch(address, ())).await?;
        let value = value.map_err(|error| self.strange(error))?;
        let milliseconds = value.decode().map_err(|error| self.strange(error))?;
        Ok(UNIX_EPOCH + Duration::from_millis(milliseconds))
    }

    /// How long a slot lasts, which is the time between blocks where nobody is away. It never changes.
    pub async fn slot(&self, at: Hash) -> Result<Duration, Error> {
        let at = self.at(at).await?;
        let address = dynamic::storage::<(), u64>("Network", "SlotMillis");
        let value = self.within(at.storage().fetch(address, ())).await?;
        let value = value.map_err(|error| self.strange(error))?;
        let milliseconds = value.decode().map_err(|error| self.strange(error))?;
        Ok(Duration::from_millis(milliseconds))
    }

    /// How many leading zero bits the proof of work of a registration needs.
    pub async fn work_difficulty(&self, at: Hash) -> Result<u32, Error> {
        let at = self.at(at).await?;
        self.constant(&at, "Reputation", "WorkDifficulty")
    }

    /// Without this much an account does not exist.
    pub async fn existential_deposit(&self, at: Hash) -> Result<Balance, Error> {
        let at = self.at(at).await?;
        self.constant(&at, "Balances", "ExistentialDeposit")
    }

    /// The least that an account may bond in all. It grows with the number of registered accounts.
    pub async fn least_stake(&self, at: Hash) -> Result<Balance, Error> {
        let registered = self.electorate(at).await?.registered;
        let at = self.at(at).await?;
        let least: Balance = self.constant(&at, "StakeVoting", "MinStake")?;
        Ok(minimum_stake(least, registered))
    }

    /// What an account can claim of the payments for questions to a model.
    pub async fn owed(&self, model: ModelId, account: &AccountBytes, at: Hash) -> Result<Balance, Error> {
        Ok(self.part(model, account, at).await?.owed)
    }

    /// An account's part of what is paid for questions to a model.
    pub async fn part(&self, model: ModelId, account: &AccountBytes, at: Hash) -> Result<Part, Error> {
        let at = self.at(at).await?;
        let address = dynamic::storage::<(ModelId,), dynamic::Value>("HydraToken", "Pools");
        let pool = self.within(at.storage().try_fetch(address, (model,))).await?;
        let address = dynamic::storage::<(ModelId, [u8; 32]), dynamic::Value>("HydraToken", "Shares");
        let share = self
            .within(at.storage().try_fetch(address, (model, *account)))
            .await?;
        let (pool, share) = (
            pool.map_err(|error| self.strange(error))?,
            share.map_err(|error| self.strange(error))?,
        );
        let (Some(pool), Some(share)) = (pool, share) else {
            return Ok(Part::default());
        };
        let garbled = |_| self.strange("its pool of payments has another format");
        let pool = Pool::decode(&mut pool.bytes()).map_err(garbled)?;
        let share = Share::decode(&mut share.bytes()).map_err(garbled)?;
        Ok(Part {
            owed: pool.owed(&share),
            shares: share.shares,
            of: pool.shares,
        })
    }

    pub(super) fn constant<T: DecodeAsType>(
        &self,
        at: &OnlineClientAtBlock<Config>,
        pallet: &str,
        name: &str,
    ) -> Result<T, Error> {
        at.constants()
            .entry(dynamic::constant::<T>(pallet, name))
            .map_err(|error| self.strange(error))
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
}
