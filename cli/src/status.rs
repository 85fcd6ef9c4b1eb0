//! `hydra status`: the chain, its models and accounts, and the local trainer.

use hydra_primitives::{
    AccountBytes, Balance, ModelId,
    status::{ModelStatus, NodeStatus, Phase},
};
use serde::Serialize;

use crate::{
    accounts, amount,
    args::StatusArgs,
    chain::{Chain, Hash},
    error::Error,
    output,
    rounds::{accuracy, percent, short_hash},
    table::{Align, Table},
    target::Target,
    trainer,
};

/// Everything `hydra status` shows.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The node's address.
    pub url: String,
    /// The chain's name.
    pub chain: String,
    /// The newest block.
    pub block: u64,
    /// The newest block that can't be undone.
    pub finalised: u64,
    /// Connected nodes.
    pub peers: usize,
    /// Whether the node is still catching up.
    pub syncing: bool,
    /// The models.
    pub models: Vec<Model>,
    /// The registered accounts.
    pub accounts: Vec<Account>,
    /// The local trainer, if it is known where it is and answers.
    pub trainer: Option<trainer::Status>,
    /// Why there is nothing about the trainer.
    pub trainer_error: Option<String>,
}

/// A model.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Model {
    /// Its number.
    pub model: ModelId,
    /// Its data set.
    pub dataset: String,
    /// Number of parameters.
    pub parameters: u64,
    /// The current round.
    pub round: u32,
    /// `Train`, `Verify`, `Reveal` or `Settle`.
    pub phase: Phase,
    /// The block in which the phase ends at the latest.
    pub phase_ends_at: u32,
    /// Proposals in this round.
    pub proposals: u32,
    /// Accounts expected to take part.
    pub participants: u32,
    /// The newest version.
    pub version: u32,
    /// The newest confirmed version.
    pub confirmed_version: u32,
    /// The confirmed version on the validation set.
    pub accuracy: Option<f64>,
    /// BLAKE3 of the confirmed version's weights.
    pub weights: String,
}

/// An account.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Account {
    /// Its address.
    pub account: String,
    /// In short.
    pub name: String,
    /// Free balance, in HYDRA.
    pub balance: String,
    /// The same in the smallest unit, to be shown rounded.
    #[serde(skip)]
    pub free: Balance,
    /// Stake, in HYDRA.
    pub stake: String,
    /// Reputation, from 0 to 1.
    pub reputation: f64,
    /// Whether it counts as showing up.
    pub active: bool,
}

impl Model {
    /// From what the chain says.
    pub fn new(status: &ModelStatus) -> Self {
        Self {
            model: status.model,
            dataset: String::from_utf8_lossy(&status.dataset.name).into_owned(),
            parameters: status.spec.architecture.parameters(),
            round: status.round,
            phase: status.phase,
            phase_ends_at: status.phase_ends_at,
            proposals: status.proposals,
            participants: status.participants,
            version: status.version,
            confirmed_version: status.confirmed_version,
            accuracy: status.score.and_then(|score| accuracy(&score)),
            weights: hex::encode(status.weights.0),
        }
    }
}

impl Account {
    /// From what the chain says.
    pub fn new(account: &AccountBytes, balance: Balance, status: &NodeStatus) -> Self {
        Self {
            account: accounts::address(account),
            name: accounts::short(account),
            balance: amount::exact(balance),
            free: balance,
            stake: amount::exact(status.stake),
            reputation: f64::from(status.reputation.deconstruct()) / 1e9,
            active: status.active,
        }
    }
}

/// Reads every model at a block.
pub async fn models(chain: &Chain, at: Hash) -> Result<Vec<ModelStatus>, Error> {
    let mut models = Vec::new();
    for model in chain.models(at).await? {
        models.extend(chain.model(model, at).await?);
    }
    Ok(models)
}

/// Reads accounts at a block.
pub async fn accounts(chain: &Chain, accounts: &[AccountBytes], at: Hash) -> Result<Vec<Account>, Error> {
    let mut rows = Vec::new();
    for account in accounts {
        let status = chain.node_status(account, at).await?;
        rows.push(Account::new(
            account,
            chain.funds(account, at).await?.free,
            &status,
        ));
    }
    rows.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(rows)
}

/// Runs the command.
pub async fn run(args: StatusArgs, json: bool) -> Result<(), Error> {
    let target = Target::new(&args.target)?;
    let chain = target.chain().await?;
    let best = chain.best().await?;
    let finalised = chain.finalised().await?;
    let (peers, syncing) = chain.health().await?;
    let registered = chain.registered(best.hash).await?;
    // The trainer may be down while the chain is fine: that is something to show, not to fail for.
    let (trainer, trainer_error) = match target.trainer() {
        Ok(Some(trainer)) => match trainer.status().await {
            Ok(status) => (Some(status), None),
            Err(error) => (None, Some(error.to_string())),
        },
        Ok(None) => (None, None),
        Err(error) => (None, Some(error.to_string())),
    };
    let report = Report {
        url: chain.url().into(),
        chain: chain.name().await?,
        block: best.number,
        finalised: finalised.number,
        peers,
        syncing,
        models: models(&chain, best.hash).await?.iter().map(Model::new).collect(),
        accounts: accounts(&chain, &registered, best.hash).await?,
        trainer,
        trainer_error,
    };
    if json {
        output::json(&report)
    } else {
        output::data(&report.text())
    }
}

impl Report {
    fn text(&self) -> String {
        let sync = if self.syncing { ", catching up" } else { "" };
        let mut text = format!(
            "{} at {}\nblock {}, finalised {}, {} peers{sync}\n\n",
            self.chain, self.url, self.block, self.finalised, self.peers
        );
        text += &models_table(&self.models);
        text.push('\n');
        text += &accounts_table(&self.accounts);
        text.push('\n');
        text += &match (&self.trainer, &self.trainer_error) {
            (Some(trainer), _) => trainer_text(trainer),
            (None, Some(error)) => format!("Trainer: {error}\n"),
            (None, None) => "Trainer: none known here; name its port with --trainer-port.\n".into(),
        };
        text
    }
}

/// The models as a table.
pub fn models_table(models: &[Model]) -> String {
    let mut table = Table::new(&[
        ("model", Align::Right),
        ("data", Align::Left),
        ("round", Align::Right),
        ("phase", Align::Left),
        ("proposals", Align::Right),
        ("version", Align::Right),
        ("confirmed", Align::Right),
        ("accuracy", Align::Right),
        ("weights", Align::Left),
    ]);
    for model in models {
        table.row([
            model.model.to_string(),
            model.dataset.clone(),
            model.round.to_string(),
            format!("{:?} until block {}", model.phase, model.phase_ends_at),
            format!("{} of {}", model.proposals, model.participants),
            model.version.to_string(),
            model.confirmed_version.to_string(),
            percent(model.accuracy),
            short_hash(&model.weights),
        ]);
    }
    table.render()
}

/// The accounts as a table.
pub fn accounts_table(accounts: &[Account]) -> String {
    let mut table = Table::new(&[
        ("account", Align::Left),
        ("balance (HYDRA)", Align::Right),
        ("stake", Align::Right),
        ("reputation", Align::Right),
        ("active", Align::Left),
    ]);
    for account in accounts {
        table.row([
            account.name.clone(),
            amount::short(account.free),
            account.stake.clone(),
            format!("{:.3}", account.reputation),
            if account.active { "yes" } else { "no" }.into(),
        ]);
    }
    table.render()
}

fn trainer_text(trainer: &trainer::Status) -> String {
    let reason = trainer
        .engine
        .reason
        .as_deref()
        .map(|reason| format!(" ({reason})"))
        .unwrap_or_default();
    let sheet = match &trainer.last_sheet {
        Some(sheet) => format!("last heard from the node at block {}", sheet.block),
        None => "has not heard from the node yet".into(),
    };
    let mut text = format!(
        "Trainer {}: engine {}{reason}, {} peers, {sheet}\n",
        trainer.version,
        trainer.engine.state,
        trainer.peers.len()
    );
    for work in &trainer.models {
        let version = work
            .version
            .map_or_else(|| "no version".into(), |version| format!("version {version}"));
        let task = work
            .task
            .as_deref()
            .map(|task| format!(": {task}"))
            .unwrap_or_default();
        text += &format!("  model {}: {version}, {}{task}\n", work.model, work.state);
    }
    if let Some(error) = trainer.errors.last() {
        text += &format!("  last problem: {error}\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        Report {
            url: "ws://127.0.0.1:9944".into(),
            chain: "HydraAI Local".into(),
            block: 42,
            finalised: 40,
            peers: 3,
            syncing: false,
            models: vec![Model {
                model: 0,
                dataset: "digits".into(),
                parameters: 4810,
                round: 3,
                phase: Phase::Verify,
                phase_ends_at: 50,
                proposals: 4,
                participants: 4,
                version: 3,
                confirmed_version: 2,
                accuracy: Some(0.9),
                weights: "ab".repeat(32),
            }],
            accounts: vec![Account {
                account: "5Grw".into(),
                name: "Alice".into(),
                balance: "1000000.500069".into(),
                free: 1_000_000_500_069 * 1_000_000,
                stake: "100".into(),
                reputation: 0.9004,
                active: true,
            }],
            trainer: None,
            trainer_error: None,
        }
    }

    #[test]
    fn the_status_is_one_page() {
        let expected = "\
HydraAI Local at ws://127.0.0.1:9944
block 42, finalised 40, 3 peers

model  data    round  phase                  proposals  version  confirmed  accuracy  weights
    0  digits      3  Verify until block 50     4 of 4        3          2   90.00 %  abababababab

account  balance (HYDRA)  stake  reputation  active
Alice          1000000.5    100       0.900  yes

Trainer: none known here; name its port with --trainer-port.
";
        assert_eq!(report().text(), expected);
    }

    #[test]
    fn a_trainer_that_is_down_is_shown_not_fatal() {
        let text = Report {
            trainer_error: Some("it is down".into()),
            ..report()
        }
        .text();
        assert!(text.ends_with("Trainer: it is down\n"));
    }
}
