//! Pays those who were let in, one after the other, and tells each what became of it.
//!
//! It must never pay on another chain than the one that it was started for, nor begin before everything was looked at that can
//! be known beforehand.

use hydra_primitives::{AccountBytes, Balance};
use std::{
    rc::Rc,
    time::{SystemTime, UNIX_EPOCH},
};
use tokio::sync::{mpsc, oneshot, watch};

use super::{
    refusal::Refusal,
    say::{Event, Say},
    till::{Outcome, Till},
};
use crate::{
    accounts, amount,
    chain::{Chain, Hash},
    coins::Given,
    error::Error,
    keys::key::Key,
    payment::{self, Call, Order, Payment},
    readiness,
    target::Target,
};

/// What becomes of a wish.
pub type Answer = Result<Given, Refusal>;

/// Somebody who was let in.
pub struct Job {
    /// Whom to pay.
    pub to: AccountBytes,
    /// Who hears what became of it. They may have gone; the coins come all the same.
    pub answer: oneshot::Sender<Answer>,
}

/// Whose coins, on which chain, and how much.
#[derive(Debug)]
pub struct Source {
    /// Which node.
    pub target: Target,
    /// The hash of its chain's first block.
    pub genesis: Hash,
    /// Whose coins are given away.
    pub key: Key,
    /// How much an address gets.
    pub amount: Balance,
}

/// The one who pays.
pub struct Teller {
    source: Source,
    till: Till,
    say: Say,
    told: Told,
    chain: Option<Rc<Chain>>,
}

/// What was said last of why nobody is paid. Strangers ask as often as they like, and the owner reads it once.
#[derive(Debug, Default)]
struct Told(Option<String>);

impl Told {
    /// Whether this reason is another one than the last.
    fn is_new(&mut self, reason: &str) -> bool {
        let is_new = self.0.as_deref() != Some(reason);
        if is_new {
            self.0 = Some(reason.into());
        }
        is_new
    }

    /// Somebody was paid: whatever comes is new.
    fn forget(&mut self) {
        self.0 = None;
    }
}

/// Seconds since 1970.
pub fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

impl Teller {
    /// Pays from `source`.
    pub fn new(source: Source, till: Till, say: Say) -> Self {
        Self {
            source,
            till,
            say,
            told: Told::default(),
            chain: None,
        }
    }

    /// Works until nobody can ask any more. Once it is `ending`, those who wait are turned away.
    pub async fn work(mut self, mut jobs: mpsc::Receiver<Job>, ending: watch::Receiver<bool>) {
        while let Some(job) = jobs.recv().await {
            let ends = *ending.borrow();
            let answer = match ends {
                true => {
                    self.till.turn_away(&job.to);
                    Err(Refusal::Stopping)
                }
                false => self.serve(&job.to).await,
            };
            drop(job.answer.send(answer));
        }
    }

    async fn serve(&mut self, to: &AccountBytes) -> Answer {
        let chain = match self.look(to).await {
            Ok(chain) => chain,
            Err(refusal) => {
                self.till.turn_away(to);
                return Err(refusal);
            }
        };
        let call = Call::Send(*to, self.source.amount);
        let order = Order {
            key: &self.source.key,
            call: &call,
        };
        let pay = async {
            // In a block that stays: what was said to be paid must not be undone.
            let paid = payment::pay(&chain, order, true, |_: &str| ()).await;
            let outcome = outcome(&paid);
            (outcome, (outcome, paid))
        };
        let address = accounts::address(to);
        let (outcome, paid) = match self.till.hand_out(to, now(), pay).await {
            Ok((paid, None)) => paid,
            Ok((paid, Some(error))) => {
                self.problem(format!("what became of {address} can't be noted: {error}"));
                paid
            }
            Err(error) => {
                self.once(format!("nobody is paid, since that can't be noted: {error}"));
                return Err(Refusal::Broken);
            }
        };
        match (paid, outcome) {
            (Ok(payment), _) => {
                self.told.forget();
                Ok(self.given(address, &payment))
            }
            (Err(error), Outcome::Unclear) => {
                self.problem(format!("{address} was perhaps paid, and gets no more: {error}"));
                Err(Refusal::Unclear)
            }
            // It cost a fee, and counts for the limits.
            (Err(error), Outcome::Failed) => {
                self.problem(format!("{address} was not paid: {error}"));
                Err(Refusal::NotPaid)
            }
            (Err(error), _) => {
                self.once(format!("a payment was not taken: {error}"));
                Err(Refusal::NotPaid)
            }
        }
    }

    /// Looks at everything that can be known before anything is noted or paid.
    async fn look(&mut self, to: &AccountBytes) -> Result<Rc<Chain>, Refusal> {
        let error = match self.prepare(to).await {
            Ok(answer) => return answer,
            Err(error) => error,
        };
        match error {
            Error::TooPoor { spendable, .. } => {
                let left = amount::exact(spendable);
                self.once(format!(
                    "the faucet is empty, with {left} HYDRA left: send it more"
                ));
                Err(Refusal::Empty)
            }
            // Its sentence is for whoever can do without.
            Error::NoFinality { finalised, .. } => {
                self.once(format!(
                    "blocks don't become final (the newest final one is {finalised}), so nothing is paid: see that more than two \
                     thirds of the validators run"
                ));
                Err(Refusal::NodeAway)
            }
            error => {
                self.once(error.to_string());
                Err(Refusal::NodeAway)
            }
        }
    }

    async fn prepare(&mut self, to: &AccountBytes) -> Result<Result<Rc<Chain>, Refusal>, Error> {
        let chain = self.ready().await?;
        let has = chain.funds(to, chain.best().await?.hash).await?;
        if has.free.saturating_add(has.held) >= self.source.amount {
            return Ok(Err(Refusal::HasEnough));
        }
        let call = Call::Send(*to, self.source.amount);
        let order = Order {
            key: &self.source.key,
            call: &call,
        };
        payment::quote(&chain, order).await?;
        Ok(Ok(chain))
    }

    /// The chain, once it can take a payment that stays. A connection that broke is made anew.
    async fn ready(&mut self) -> Result<Rc<Chain>, Error> {
        if let Some(chain) = self.chain.take() {
            match readiness::check(&chain, true).await {
                Err(Error::NodeLost { .. } | Error::NotHydra { .. }) => {}
                checked => {
                    self.chain = Some(chain.clone());
                    return checked.map(|()| chain);
                }
            }
        }
        let chain = self.source.target.chain().await?;
        if chain.block_at(0).await?.hash != self.source.genesis {
            return Err(chain.strange("it is of another network than when the faucet was started"));
        }
        readiness::check(&chain, true).await?;
        let chain = Rc::new(chain);
        self.chain = Some(chain.clone());
        Ok(chain)
    }

    fn given(&self, address: String, payment: &Payment) -> Given {
        let given = Given {
            address,
            amount: amount::exact(self.source.amount),
            block: payment.block.number,
            block_hash: hex::encode(payment.block.hash.0),
            transaction: hex::encode(payment.transaction.0),
        };
        self.say.tell(&Event::Paid {
            address: given.address.clone(),
            amount: given.amount.clone(),
            block: given.block,
            transaction: given.transaction.clone(),
        });
        given
    }

    /// Says what keeps everybody from being paid, if that is news.
    fn once(&mut self, reason: String) {
        if self.told.is_new(&reason) {
            self.problem(reason);
        }
    }

    fn problem(&self, reason: String) {
        self.say.tell(&Event::Problem { reason });
    }
}

/// What became of a payment that is to be final. Only what is known for certain not to have been paid may be tried again.
fn outcome(paid: &Result<Payment, Error>) -> Outcome {
    match paid {
        Ok(payment) => Outcome::Paid(payment.block.number),
        Err(Error::TransactionFailed(_)) => Outcome::Failed,
        // Each of these comes before anything was sent, or once the node took nothing of it.
        Err(
            Error::TransactionRefused(_)
            | Error::TooPoor { .. }
            | Error::NodeUnreachable { .. }
            | Error::NodeLost { .. }
            | Error::NotHydra { .. },
        ) => Outcome::NotPaid,
        Err(_) => Outcome::Unclear,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_keeps_everybody_waiting_is_said_once_until_somebody_is_paid() {
        let mut told = Told::default();
        assert!(told.is_new("the faucet is empty"));
        assert!((0..1_000).all(|_| !told.is_new("the faucet is empty")));
        assert!(told.is_new("no node answers"));
        told.forget();
        assert!(told.is_new("no node answers"));
    }

    #[test]
    fn only_what_was_certainly_not_paid_may_be_tried_again() {
        let unclear = outcome(&Err(Error::PaymentUnclear("lost".into())));
        assert_eq!(unclear, Outcome::Unclear);
        // Whatever else may come.
        assert_eq!(outcome(&Err(Error::NoNetworkYet)), Outcome::Unclear);
        let refused = outcome(&Err(Error::TransactionRefused("bad".into())));
        assert_eq!(refused, Outcome::NotPaid);
        let failed = outcome(&Err(Error::TransactionFailed("late".into())));
        assert_eq!(failed, Outcome::Failed);
    }
}
