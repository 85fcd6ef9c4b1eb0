//! The figures of `docs/benchmarks.md`: what each strategy brings, how full blocks are, and how likely a wrong end is.
//!
//! Must never write down what was not run: each table is made of the runs that were, and says how long they were.

use std::{collections::BTreeMap, fmt::Write as _};

use hydra_primitives::electorate::SEATS_FIRST;

use crate::{
    duty::Stage,
    exact::{Line, Play, ends},
    ledger::Use,
    report::{Report, Row},
    scenario::{BadSettings, Settings, play, simulation},
};

/// The head of the table that [`strategy`] makes lines of.
pub const STRATEGIES: &str = "\
| the hostile play | rounds, blocks | right claims decided | lies accepted | wrong versions | HYDRA a round for 1 % of the weight: honest | … hostile | \
honest forfeits, HYDRA | hostile seats for their weight | polls by draw: first, appeal, last, none | versions given up |\n\
|---|---|---|---|---|---|---|---|---|---|---|\n";

/// What a run showed of one strategy, as a line.
pub fn strategy(name: &str, report: &Report) -> String {
    let (honest, hostile): (Vec<&Row>, Vec<&Row>) =
        report.strategies.iter().partition(|row| row.strategy == "honest");
    let per_percent = |rows: &[&Row]| {
        let (net, share) = rows.iter().fold((0.0, 0.0), |(net, share), row| {
            (net + row.net_per_round, share + row.stake_share)
        });
        net / (100.0 * share).max(f64::EPSILON)
    };
    let forfeited: f64 = honest.iter().map(|row| row.forfeited).sum();
    let held = |rows: &[&Row]| {
        let (seats, stake) = rows.iter().fold((0.0, 0.0), |(seats, stake), row| {
            (seats + row.seat_share, stake + row.stake_share)
        });
        if stake > 0.0 { seats / stake } else { 1.0 }
    };
    let [accepted, _, _, _] = report.wrong;
    let [_, wrong] = report.confirmed;
    let [first, appeal, last, open] = report.endings;
    format!(
        "| {name} | {}, {} | {:.3} % | {accepted} | {wrong} | {:.4} | {:.4} | {forfeited:.3} | {:.2} | {first}, {appeal}, {last}, \
         {open} | {} |\n",
        report.rounds[0],
        report.blocks,
        100.0 * report.right_decided,
        per_percent(&honest),
        if hostile.is_empty() {
            0.0
        } else {
            per_percent(&hostile)
        },
        held(&hostile),
        report.given_up,
    )
}

/// How full blocks are in each phase.
pub type Fullness = BTreeMap<Stage, Use>;

/// Plays so many nodes, each of whom does its part, or of whom a quarter contradicts every claim, and says how full blocks are in each
/// phase. Those who contradict are found out in the first round: it is played with as many seeds as there would be rounds.
pub fn fullness(nodes: usize, disputed: bool, rounds: u32) -> Result<Fullness, BadSettings> {
    let mut full = Fullness::new();
    let runs = if disputed { rounds } else { 1 };
    for seed in 1..=u64::from(runs) {
        let settings = Settings {
            nodes,
            hostile: if disputed { 0.25 } else { 0.0 },
            offline: 0.0,
            strategy: "lying".into(),
            rounds: if disputed { 1 } else { rounds },
            session: 1_440,
            seed,
        };
        let mut simulation = simulation(&settings)?;
        play(&mut simulation, &settings, || true);
        for (stage, used) in &simulation.ledger().uses {
            full.entry(*stage).or_default().add(used);
        }
    }
    Ok(full)
}

/// How full blocks are with so many nodes, as a table.
pub fn blocks(rows: &[(usize, bool, Fullness)]) -> String {
    let mut text = String::from(
        "| nodes | | phase | blocks | operational | mandatory | all together, mean | fullest block |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    for (nodes, disputed, full) in rows {
        let how = if *disputed {
            "a quarter contradicts"
        } else {
            "in peace"
        };
        for (stage, used) in full {
            let mean = |sum: f64| 100.0 * sum / f64::from(used.blocks.max(1));
            let [normal, operational, mandatory] = used.sum;
            // Writing into a string can't fail.
            let _ = writeln!(
                text,
                "| {nodes} | {how} | {} | {} | {:.1} % | {:.1} % | {:.1} % | {:.1} % |",
                stage.name(),
                used.blocks,
                mean(operational),
                mean(mandatory),
                mean(normal + operational + mandatory),
                100.0 * used.fullest,
            );
        }
    }
    text
}

/// How likely a poll ends wrongly, by exact sums, as a table: by seats of the first draw and the share of the honest that is off.
pub fn chances(hostile: f64) -> String {
    let mut text = String::from(
        "| seats of the first draw | honest offline | a lie is taken for right, once in | right work stays undecided while the \
         hostile lie | … while they are silent | tasks for a poll: they lie | … they are silent |\n|---|---|---|---|---|---|---|\n",
    );
    let cases = [8, 12, 16, SEATS_FIRST, 24, 32, 64].map(|seats| (seats, 0.15));
    let others = [0.0, 0.05, 0.1, 0.2, 0.25].map(|offline| (SEATS_FIRST, offline));
    for (seats, offline) in cases.into_iter().chain(others) {
        let line = Line::shares(hostile, offline);
        let [lying, silent] = [Play::Lying, Play::Silent].map(|how| ends(&line, seats, how));
        let _ = writeln!(
            text,
            "| {seats} | {:.0} % | {:.2e} | {:.1e} | {:.1e} | {:.0} | {:.0} |",
            100.0 * offline,
            lying.lie.once_in(),
            lying.undecided.value(),
            silent.undecided.value(),
            lying.seats,
            silent.seats,
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_a_table_has_as_many_cells_as_its_head() {
        let even = |table: &str| {
            let cells: Vec<_> = table.lines().map(|line| line.matches('|').count()).collect();
            assert!(cells.len() > 2, "{table}");
            assert!(cells.iter().all(|count| Some(count) == cells.first()), "{table}");
        };
        let mut full = Fullness::new();
        full.insert(Stage::Train, Use::default());
        even(&blocks(&[(4, true, full)]));
        even(&chances(0.33));
    }
}
