//! What this PC's account has, as programs and people read it.

use hydra_primitives::{ModelId, status::ModelStatus};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    accounts, amount,
    report::{
        own::{self, Me},
        unbonding::Unbonding,
    },
};

/// What this PC's account has, in HYDRA.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Wallet {
    /// Its address.
    pub account: String,
    /// In short.
    pub name: String,
    /// What it can spend, in HYDRA.
    pub spendable: String,
    /// What it has at stake, in HYDRA.
    pub stake: String,
    /// What of its stake is on its way back, in HYDRA, the oldest first.
    pub unbonding: Vec<Unbonding>,
    /// Whether it takes part, and if not, why: `in`, `joining` (from the next session on), `silent` (from the session on that
    /// follows its next heartbeat), `away` (until it is heard of again), `out`, `paused`, `unstaked` or `unregistered`.
    pub presence: &'static str,
    /// The session in which it may take part again, if it is out.
    pub out_until: Option<u32>,
    /// How well it did its duties lately, from 0 to 1.
    #[schemars(range(min = 0, max = 1))]
    pub score: f64,
    /// What its places earned since midnight, in HYDRA.
    pub earned_today: String,
    /// Whether the chain's records go back to midnight. If not, it earned that much at least.
    pub earned_today_complete: bool,
    /// What its work that isn't paid yet earns if all goes well, in HYDRA.
    pub pending: String,
    /// What it can claim of what questions paid, in HYDRA.
    pub claimable: String,
    /// Its part of each model.
    pub parts: Vec<Part>,
    /// The same as numbers, to be shown rounded.
    #[serde(skip)]
    me: Me,
}

/// Its part of a model.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Part {
    /// The model.
    pub model: ModelId,
    /// Its share of all accepted work on it, from 0 to 1; null before any was accepted.
    #[schemars(range(min = 0, max = 1))]
    pub share: Option<f64>,
}

impl Wallet {
    /// Of what the chain says. `models` are those that it was read for.
    pub fn new(me: Me, models: &[ModelStatus]) -> Self {
        let parts = models.iter().zip(&me.parts).map(|(model, part)| Part {
            model: model.model,
            share: own::share(part),
        });
        Self {
            account: accounts::address(&me.account),
            name: accounts::short(&me.account),
            spendable: amount::exact(me.funds.spendable),
            stake: amount::exact(me.status.stake),
            unbonding: me.unbonding.iter().map(Unbonding::new).collect(),
            presence: me.presence.word(),
            out_until: me.presence.out_until(),
            score: f64::from(me.status.reputation.deconstruct()) / 1e9,
            earned_today: amount::exact(me.earned.amount),
            earned_today_complete: !me.earned.partly,
            pending: amount::exact(me.pending),
            claimable: amount::exact(me.owed()),
            parts: parts.collect(),
            me,
        }
    }

    /// Whether it is registered.
    pub(super) fn is_registered(&self) -> bool {
        self.me.status.registered
    }

    /// Three sentences: what it has, whether it takes part, and what it earned.
    pub(super) fn sentences(&self) -> [String; 3] {
        let me = &self.me;
        let more = |amount: u128, what: &str| match amount {
            0 => String::new(),
            amount => format!(", {} {what}", amount::short(amount)),
        };
        let has = format!(
            "Wallet of {}: {} HYDRA to spend, {} at stake{}{}",
            self.name,
            amount::short(me.funds.spendable),
            amount::short(me.status.stake),
            more(me.status.unbonding, "more on the way back"),
            more(me.owed(), "to claim"),
        );
        let takes_part = format!("{}, with a score of {:.3}", me.presence.words(), self.score);
        let least = if me.earned.partly { "at least " } else { "" };
        let mut earned = format!(
            "earned today {least}{}{}",
            amount::short(me.earned.amount),
            more(me.pending, "more pending"),
        );
        let shares = self.parts.iter().filter_map(|part| {
            let share = part.share?;
            Some(format!(
                "{:.1} % of the accepted work on model {}",
                share * 100.0,
                part.model
            ))
        });
        let shares: Vec<String> = shares.collect();
        if !shares.is_empty() {
            earned += &format!("; {}", shares.join(", "));
        }
        [has, takes_part, earned]
    }
}
