//! What was seen in a run, as a table for `docs/benchmarks.md` and as JSON.

use std::{collections::BTreeMap, fmt::Write as _};

use hydra_primitives::HYDRA;
use serde::Serialize;

use crate::{protocol, simulation::Simulation};

/// What became of those who play alike.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Row {
    /// How they play.
    pub strategy: String,
    /// How many accounts.
    pub accounts: u32,
    /// Their part of all weight at the end.
    pub weight_share: f64,
    /// What all of them earned together in a round, in HYDRA.
    pub hydra_per_round: f64,
    /// The same for each percent of the weight that they have.
    pub hydra_per_round_and_percent: f64,
    /// What they paid for transactions in a round, in HYDRA.
    pub fees_per_round: f64,
    /// The work that one of them did in a round, in tasks.
    pub tasks_per_round: f64,
    /// Their claims in all that were accepted, rejected, left undecided.
    pub claims: [u32; 3],
    /// How often they were blamed for something.
    pub blamed: u32,
    /// Their mean score after so many rounds.
    pub scores: Vec<(u32, f64)>,
}

/// How full blocks were while the network waited for one kind of thing.
#[derive(Clone, Debug, Serialize)]
pub struct Phase {
    /// What it waited for.
    pub phase: String,
    /// How many blocks.
    pub blocks: u32,
    /// Mean share of a block's weight: normal, operational, mandatory.
    pub mean: [f64; 3],
    /// The most that a block had of each.
    pub most: [f64; 3],
}

/// All of it.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Rounds of the first model that ended, and those in which nothing was accepted.
    pub rounds: [u32; 2],
    /// Blocks that were made.
    pub blocks: u32,
    /// How often the first model ended no round for a long time.
    pub standstills: u32,
    /// Versions that were confirmed, and those of them that were wrong.
    pub confirmed: [u32; 2],
    /// Right claims that were rejected.
    pub honest_rejected: u32,
    /// Wrong claims that were accepted.
    pub lies_accepted: u32,
    /// Claims that were left undecided.
    pub undecided: u32,
    /// By strategy.
    pub strategies: Vec<Row>,
    /// By what the network waited for.
    pub phases: Vec<Phase>,
}

/// What was seen so far.
pub fn report(simulation: &mut Simulation) -> Report {
    let accounts = 0..simulation.len();
    let weights: Vec<u128> = accounts.clone().map(|index| simulation.weight(index)).collect();
    let all: u128 = weights.iter().sum();
    let task = simulation.read(|| protocol::task_work(0)).max(1);
    let ledger = simulation.ledger();
    let first = ledger.of(0);
    let rounds = f64::from(first.ended.max(1));
    let mut groups: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for index in accounts {
        groups.entry(simulation.name(index)).or_default().push(index);
    }
    let rows = groups.into_iter().map(|(name, members)| {
        let mut row = Row {
            strategy: name.into(),
            accounts: u32::try_from(members.len()).unwrap_or(u32::MAX),
            ..Row::default()
        };
        let (mut weight, mut work) = (0_u128, 0_u128);
        for index in &members {
            let account = ledger.accounts.get(*index).copied().unwrap_or_default();
            row.hydra_per_round += account.earned as f64 / HYDRA as f64 / rounds;
            row.fees_per_round += account.fees as f64 / HYDRA as f64 / rounds;
            row.blamed += account.blamed;
            for (sum, number) in row.claims.iter_mut().zip(account.claims) {
                *sum += number;
            }
            weight += weights.get(*index).copied().unwrap_or_default();
            work += simulation.work(*index);
        }
        let count = members.len().max(1) as f64;
        row.weight_share = weight as f64 / all.max(1) as f64;
        if weight > 0 {
            row.hydra_per_round_and_percent = row.hydra_per_round / (100.0 * row.weight_share);
        }
        row.tasks_per_round = work as f64 / task as f64 / rounds / count;
        let means = ledger.samples.iter().map(|sample| {
            let scores = members.iter().filter_map(|index| sample.scores.get(*index));
            (sample.rounds, scores.sum::<f64>() / count)
        });
        row.scores = means.collect();
        row
    });
    let strategies = rows.collect();
    let phases = ledger.uses.iter().map(|(kind, used)| Phase {
        phase: kind.name().into(),
        blocks: used.blocks,
        mean: used.sum.map(|sum| sum / f64::from(used.blocks.max(1))),
        most: used.most,
    });
    Report {
        rounds: [first.ended, first.void],
        blocks: simulation.number(),
        standstills: first.standstills,
        confirmed: first.confirmed,
        honest_rejected: ledger.honest_rejected,
        lies_accepted: ledger.lies_accepted,
        undecided: ledger.undecided,
        strategies,
        phases: phases.collect(),
    }
}

impl Report {
    /// The figures as Markdown.
    pub fn table(&self) -> String {
        let mut text = String::from(
            "| strategy | accounts | weight | HYDRA a round | … for 1 % of the weight | fees a round | tasks a round, each | \
             accepted, rejected, undecided | blamed | score after rounds |\n\
             |---|---|---|---|---|---|---|---|---|---|\n",
        );
        for row in &self.strategies {
            let [accepted, rejected, undecided] = row.claims;
            let scores: Vec<_> = row
                .scores
                .iter()
                .map(|(rounds, score)| format!("{rounds}: {score:.2}"))
                .collect();
            // Writing into a string can't fail.
            let _ = writeln!(
                text,
                "| {} | {} | {:.1} % | {:.3} | {:.3} | {:.4} | {:.1} | {accepted}, {rejected}, {undecided} | {} | {} |",
                row.strategy,
                row.accounts,
                100.0 * row.weight_share,
                row.hydra_per_round,
                row.hydra_per_round_and_percent,
                row.fees_per_round,
                row.tasks_per_round,
                row.blamed,
                scores.join(", "),
            );
        }
        text.push_str(
            "\n| while waiting for | blocks | normal | operational | mandatory |\n|---|---|---|---|---|\n",
        );
        for phase in &self.phases {
            let share = |class: usize| -> String {
                let of = |shares: [f64; 3]| 100.0 * shares.get(class).copied().unwrap_or_default();
                format!("{:.1} %, at most {:.1} %", of(phase.mean), of(phase.most))
            };
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} | {} |",
                phase.phase,
                phase.blocks,
                share(0),
                share(1),
                share(2)
            );
        }
        let ([ended, void], [confirmed, wrong]) = (self.rounds, self.confirmed);
        let _ = writeln!(
            text,
            "\n{ended} rounds in {} blocks, {void} of them void; {} right claims rejected, {} lies accepted, {} claims undecided; \
             {confirmed} versions confirmed, {wrong} of them wrong; stood still {} times.",
            self.blocks, self.honest_rejected, self.lies_accepted, self.undecided, self.standstills
        );
        text
    }

    /// The figures as JSON.
    pub fn json(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(self)
    }
}
