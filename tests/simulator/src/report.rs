//! What was seen in a run, as a table for `docs/benchmarks.md` and as JSON.

use std::{collections::BTreeMap, fmt::Write as _};

use hydra_primitives::HYDRA;
use serde::Serialize;

use crate::{
    ledger::{Claims, Use},
    protocol,
    simulation::Simulation,
};

/// What became of those who play alike.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Row {
    /// How they play.
    pub strategy: String,
    /// How many accounts.
    pub accounts: u32,
    /// Their part of all stake at the beginning.
    pub stake_share: f64,
    /// Their part of all weight at the end.
    pub weight_share: f64,
    /// Their part of all seats of first draws.
    pub seat_share: f64,
    /// What all of them have more than at the beginning, or less, for each round, in HYDRA.
    pub net_per_round: f64,
    /// The same for each percent of the weight that they began with.
    pub net_per_round_and_percent: f64,
    /// What they were paid for their work, in HYDRA.
    pub paid: f64,
    /// What they got of what others lost, in HYDRA.
    pub received: f64,
    /// What they lost of their stakes, in HYDRA.
    pub forfeited: f64,
    /// What they paid for transactions, in HYDRA.
    pub fees: f64,
    /// The work that one of them did in a round, in tasks.
    pub tasks_per_round: f64,
    /// Their claims that were accepted, rejected, left undecided, dropped.
    pub claims: [u32; 4],
    /// How often they gave something wrong.
    pub wrong: u32,
    /// How often they gave nothing though most did.
    pub missed: u32,
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

impl Phase {
    /// What was counted, under its name.
    pub fn of(name: &str, used: &Use) -> Self {
        Self {
            phase: name.into(),
            blocks: used.blocks,
            mean: used.sum.map(|sum| sum / f64::from(used.blocks.max(1))),
            most: used.most,
        }
    }
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
    /// Versions that were given up.
    pub given_up: u32,
    /// Claims of what is right that were accepted, rejected, left undecided, dropped.
    pub right: [u32; 4],
    /// Claims of something else, likewise.
    pub wrong: [u32; 4],
    /// Of the claims of what is right that somebody looked at, the share that was decided.
    pub right_decided: f64,
    /// Polls that the first draw decided, the second, the third, none.
    pub endings: [u32; 4],
    /// How often an author left its slot empty.
    pub withheld: u32,
    /// How often an author left out of its block what somebody else owes.
    pub left_out: u32,
    /// What was burnt for the room that rounds take, by model, in HYDRA.
    pub burnt: Vec<f64>,
    /// By strategy.
    pub strategies: Vec<Row>,
    /// By what the network waited for.
    pub phases: Vec<Phase>,
}

fn numbers(claims: &Claims) -> [u32; 4] {
    [claims.accepted, claims.rejected, claims.undecided, claims.dropped]
}

fn hydra(amount: u128) -> f64 {
    amount as f64 / HYDRA as f64
}

/// What was seen so far.
pub fn report(simulation: &mut Simulation) -> Report {
    let accounts = 0..simulation.len();
    let weights: Vec<u128> = accounts.clone().map(|index| simulation.weight(index)).collect();
    let stakes: Vec<u128> = accounts.clone().map(|index| simulation.stake(index)).collect();
    let task = simulation.read(|| protocol::task_work(0)).max(1);
    let ledger = simulation.ledger();
    let first = ledger.of(0);
    let rounds = f64::from(first.ended.max(1));
    let seats: u64 = ledger.accounts.iter().map(|one| u64::from(one.seats)).sum();
    let share = |part: u128, all: &[u128]| part as f64 / all.iter().sum::<u128>().max(1) as f64;
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
        let (mut stake, mut weight, mut work, mut held, mut net) = (0_u128, 0_u128, 0_u128, 0_u64, 0_i128);
        for index in &members {
            let account = ledger.accounts.get(*index).copied().unwrap_or_default();
            row.paid += hydra(account.paid);
            row.received += hydra(account.received);
            row.forfeited += hydra(account.forfeited);
            row.fees += hydra(account.fees);
            row.wrong += account.wrong;
            row.missed += account.missed;
            for (sum, number) in row.claims.iter_mut().zip(numbers(&account.claims)) {
                *sum += number;
            }
            net += account.net();
            held += u64::from(account.seats);
            stake += stakes.get(*index).copied().unwrap_or_default();
            weight += weights.get(*index).copied().unwrap_or_default();
            work += simulation.work(*index);
        }
        let count = members.len().max(1) as f64;
        row.stake_share = share(stake, &stakes);
        row.weight_share = share(weight, &weights);
        row.seat_share = held as f64 / seats.max(1) as f64;
        row.net_per_round = net as f64 / HYDRA as f64 / rounds;
        if stake > 0 {
            row.net_per_round_and_percent = row.net_per_round / (100.0 * row.stake_share);
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
    let phases = ledger
        .uses
        .iter()
        .map(|(stage, used)| Phase::of(stage.name(), used));
    Report {
        rounds: [first.ended, first.void],
        blocks: simulation.number(),
        standstills: first.standstills,
        confirmed: first.confirmed,
        given_up: first.given_up,
        right: numbers(&ledger.right),
        wrong: numbers(&ledger.wrong),
        right_decided: ledger.right.decided(),
        endings: ledger.endings,
        withheld: ledger.withheld,
        left_out: ledger.left_out,
        burnt: ledger.rounds.values().map(|model| hydra(model.burnt)).collect(),
        strategies,
        phases: phases.collect(),
    }
}

impl Report {
    /// What became of those who play like this.
    pub fn of(&self, strategy: &str) -> Option<&Row> {
        self.strategies.iter().find(|row| row.strategy == strategy)
    }

    /// The figures as Markdown.
    pub fn table(&self) -> String {
        let mut text = String::from(
            "| strategy | accounts | stake, weight at the end, first seats | HYDRA a round | … for 1 % of the weight | paid, \
             received, forfeited, fees | tasks a round, each | claims accepted, rejected, undecided, dropped | wrong, missed | \
             score after rounds |\n|---|---|---|---|---|---|---|---|---|---|\n",
        );
        for row in &self.strategies {
            let [accepted, rejected, undecided, dropped] = row.claims;
            let scores: Vec<_> = row
                .scores
                .iter()
                .map(|(rounds, score)| format!("{rounds}: {score:.2}"))
                .collect();
            // Writing into a string can't fail.
            let _ = writeln!(
                text,
                "| {} | {} | {:.1} %, {:.1} %, {:.1} % | {:.3} | {:.4} | {:.1}, {:.1}, {:.1}, {:.3} | {:.2} | {accepted}, \
                 {rejected}, {undecided}, {dropped} | {}, {} | {} |",
                row.strategy,
                row.accounts,
                100.0 * row.stake_share,
                100.0 * row.weight_share,
                100.0 * row.seat_share,
                row.net_per_round,
                row.net_per_round_and_percent,
                row.paid,
                row.received,
                row.forfeited,
                row.fees,
                row.tasks_per_round,
                row.wrong,
                row.missed,
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
        let [first, appeal, last, open] = self.endings;
        let of = |[accepted, rejected, undecided, dropped]: [u32; 4]| {
            format!("{accepted} accepted, {rejected} rejected, {undecided} undecided, {dropped} dropped")
        };
        let _ = writeln!(
            text,
            "\n{ended} rounds in {} blocks, {void} of them void, stood still {} times. Right claims: {} ({:.3} % decided). Wrong \
             claims: {}. {confirmed} versions confirmed, {wrong} of them wrong; {} given up. Polls ended by the first draw {first}, \
             the appeal {appeal}, the last draw {last}, not {open}. {} slots left empty, {} times a duty left out of a block.",
            self.blocks,
            self.standstills,
            of(self.right),
            100.0 * self.right_decided,
            of(self.wrong),
            self.given_up,
            self.withheld,
            self.left_out,
        );
        text
    }

    /// The figures as JSON.
    pub fn json(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(self)
    }
}
