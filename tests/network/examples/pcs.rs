//! What a network of four real PCs does in its first minutes, and what a round costs each of them: the programs that users run,
//! started cold several times, as a Markdown table with a line for each start and their medians.
//!
//!     cargo run --release -p hydra-network-tests --example pcs [starts] [rounds]
//!
//! Seconds are counted from the moment in which `hydra demo` is started in an empty folder. CPU and disk are those of node, trainer
//! and its workers, from `/proc/PID/stat` and `/proc/PID/io`. Bytes received are those of the connections between trainers: weights,
//! updates and data, as the kernel counts them for each socket (`ss`); blocks are not among them.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use hydra_cli::{chain::Happening, network::Network};
use hydra_network_tests::{LocalNetwork, proc};
use hydra_primitives::Permill;

type AnyError = Box<dyn std::error::Error>;

/// Cold starts, and rounds that are measured in each, unless the command line says otherwise.
const STARTS: u32 = 5;
const ROUNDS: u32 = 10;
/// Longest wait for one thing.
const LIMIT: Duration = Duration::from_secs(600);
/// In which Linux counts a process's time for whoever asks, on every PC of this kind.
const TICKS_PER_SECOND: f64 = 100.0;
/// What the model is to reach.
const GOAL: Permill = Permill::from_percent(95);

/// What was measured in one start.
#[derive(Clone, Copy)]
struct Row {
    /// Seconds until the first reward.
    first_reward: f64,
    /// Seconds until the confirmed version is right in 95 % of cases.
    goal: f64,
    /// Blocks from the opening of a round to that of the next.
    blocks: f64,
    /// Per PC and round: CPU in seconds,
    cpu: f64,
    /// KiB written to the disk,
    written: f64,
    /// and KiB received from other trainers.
    received: f64,
}

/// What all PCs have used so far, together.
#[derive(Clone, Copy)]
struct Used {
    ticks: u64,
    written: u64,
    received: u64,
}

#[tokio::main]
async fn main() -> Result<(), AnyError> {
    let numbers: Vec<u32> = std::env::args()
        .skip(1)
        .map(|argument| argument.parse())
        .collect::<Result<_, _>>()?;
    let number = |index: usize, default: u32| numbers.get(index).copied().unwrap_or(default);
    let (starts, rounds) = (number(0, STARTS).max(1), number(1, ROUNDS).max(1));
    println!(
        "| start | first reward | 95 % | blocks per round | CPU per PC and round | written per PC and round | received per PC and round |"
    );
    println!("|---|---|---|---|---|---|---|");
    let mut rows = vec![];
    for start in 1..=starts {
        let row = measure(rounds).await?;
        line(&start.to_string(), row);
        rows.push(row);
    }
    let median = |of: fn(&Row) -> f64| {
        let mut values: Vec<f64> = rows.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
    };
    let all = Row {
        first_reward: median(|row| row.first_reward),
        goal: median(|row| row.goal),
        blocks: median(|row| row.blocks),
        cpu: median(|row| row.cpu),
        written: median(|row| row.written),
        received: median(|row| row.received),
    };
    line("median", all);
    Ok(())
}

fn line(name: &str, row: Row) {
    println!(
        "| {name} | {:.0} s | {:.0} s | {:.1} | {:.2} s | {:.0} KiB | {:.0} KiB |",
        row.first_reward, row.goal, row.blocks, row.cpu, row.written, row.received
    );
}

/// Starts a network in an empty folder, and looks at it until the goal is reached and so many rounds went by.
async fn measure(rounds: u32) -> Result<Row, AnyError> {
    let begun = Instant::now();
    let network = LocalNetwork::start().await;
    let mut next = 1;
    let first_reward = network
        .wait("the first reward", LIMIT, async || {
            let best = network.best().await;
            while next <= best.number {
                let block = network.chain.block_at(next).await.expect("the node has it");
                let news = network.chain.news(block).await.expect("the node has its state");
                next += 1;
                let paid = |happening: &Happening| matches!(happening, Happening::Earned { .. });
                if news.happenings.iter().any(paid) {
                    return Some(begun.elapsed().as_secs_f64());
                }
            }
            None
        })
        .await;

    let from = network.model().await.round;
    let before = used(&network)?;
    let mut goal = None;
    let to = network
        .wait("the goal, and the rounds", LIMIT, async || {
            let model = network.model().await;
            if goal.is_none() && model.score.is_some_and(|score| score.at_least(GOAL)) {
                goal = Some(begun.elapsed().as_secs_f64());
            }
            (goal.is_some() && model.round >= from + rounds).then_some(model.round)
        })
        .await;
    let after = used(&network)?;
    let settled = network.rounds().await;
    let opened: Vec<u32> = settled
        .iter()
        .filter(|round| (from..to).contains(&round.round))
        .map(|round| round.opened_at)
        .collect();
    let (Some(first), Some(last)) = (opened.first(), opened.last()) else {
        return Err("no round was settled".into());
    };
    let between = opened.len().saturating_sub(1).max(1);
    let pcs = network.network.pcs.len();
    network.stop();

    let each = |amount: u64| amount as f64 / f64::from(to - from) / pcs as f64;
    Ok(Row {
        first_reward,
        goal: goal.unwrap_or(f64::NAN),
        blocks: f64::from(last - first) / between as f64,
        cpu: each(after.ticks - before.ticks) / TICKS_PER_SECOND,
        written: each(after.written - before.written) / 1_024.0,
        received: each(after.received - before.received) / 1_024.0,
    })
}

/// What all PCs have used so far.
fn used(network: &LocalNetwork) -> Result<Used, AnyError> {
    // With the processes' ids, which it was planned without.
    let running = Network::read(network.folder())?.ok_or("the network isn't written down")?;
    let mut used = Used {
        ticks: 0,
        written: 0,
        received: 0,
    };
    let ports: Vec<String> = running
        .pcs
        .iter()
        .map(|pc| pc.trainer.p2p_port.to_string())
        .collect();
    for pc in &running.pcs {
        let programs = [pc.node.pid, pc.trainer.pid];
        let workers = proc::descendants(pc.trainer.pid);
        for pid in programs.into_iter().chain(workers) {
            // A worker may have ended meanwhile; what it used is its trainer's then.
            let (Ok(stat), Ok(io)) = (proc_file(pid, "stat"), proc_file(pid, "io")) else {
                continue;
            };
            used.ticks += ticks(&stat)?;
            used.written += written(&io)?;
        }
        used.received += received(pc.trainer.pid, &ports)?;
    }
    Ok(used)
}

fn proc_file(pid: u32, name: &str) -> std::io::Result<String> {
    std::fs::read_to_string(format!("/proc/{pid}/{name}"))
}

/// Of `/proc/PID/stat`: the process's own time, in user mode and in the kernel, and that of its children that ended.
fn ticks(stat: &str) -> Result<u64, AnyError> {
    // The program's name, in parentheses, may have spaces. After it come state, parent and so on.
    let (_, rest) = stat
        .rsplit_once(") ")
        .ok_or("/proc/PID/stat has another format")?;
    let times = rest.split_whitespace().skip(11).take(4);
    times.map(|time| Ok(time.parse::<u64>()?)).sum()
}

/// Of `/proc/PID/io`: bytes that it had written to a disk.
fn written(io: &str) -> Result<u64, AnyError> {
    let line = io.lines().find_map(|line| line.strip_prefix("write_bytes: "));
    Ok(line.ok_or("/proc/PID/io has another format")?.trim().parse()?)
}

/// What a trainer received over the connections that it has now with others, of which one end is at one of these ports. What its own
/// node says to it is not among them.
fn received(trainer: u32, ports: &[String]) -> Result<u64, AnyError> {
    let options = [
        "--tcp",
        "--info",
        "--processes",
        "--numeric",
        "--no-header",
        "--oneline",
    ];
    let listed = Command::new("ss").args(options).output()?;
    if !listed.status.success() {
        return Err(String::from_utf8_lossy(&listed.stderr).into());
    }
    let listed = String::from_utf8_lossy(&listed.stdout);
    let owner = format!("pid={trainer},");
    let mut sum = 0;
    for line in listed.lines().filter(|line| line.contains(&owner)) {
        // State, two queues, then both ends.
        let mut ends = line.split_whitespace().skip(3).take(2);
        let is_data = ends.any(|end| {
            end.rsplit_once(':')
                .is_some_and(|(_, port)| ports.iter().any(|known| known == port))
        });
        if !is_data {
            continue;
        }
        let bytes = line
            .split_whitespace()
            .find_map(|word| word.strip_prefix("bytes_received:"));
        // One that has brought nothing yet says nothing of it.
        if let Some(bytes) = bytes {
            sum += bytes.parse::<u64>()?;
        }
    }
    Ok(sum)
}
