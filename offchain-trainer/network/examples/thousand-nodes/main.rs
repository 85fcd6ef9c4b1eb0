//! A thousand nodes of the real discovery, slots and gossip in one process, three in ten of them silent or hostile; prints what came of it
//! as a table, and fails where a goal is missed.
//!
//! Usage: `thousand-nodes [NODES [SEED [SLOWER]]]`, 1,000, 1 and 1 by default. Nodes live over a network in memory, by the system's clocks:
//! Kademlia and gossipsub keep no others. Where the computer is too slow for so many, clocks may run so many times slower (Linux, with a C
//! compiler). Each node has an IPv4 address of its own.

mod crowd;
mod draw;
mod figures;
mod hostile;
mod load;
mod measured;
mod memory_ip;
mod population;
mod slower;
mod talk;

use figures::{Figures, Plan, Reach};
use std::{process::ExitCode, time::Duration};

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let mut number = |default: u64| match arguments.next() {
        Some(text) => text.parse().map_err(|_| text),
        None => Ok(default),
    };
    let (nodes, seed, slower) = match (number(1000), number(1), number(1)) {
        (Ok(nodes @ 40..=20_000), Ok(seed), Ok(slower @ 1..=100)) => (nodes as usize, seed, slower as u32),
        (nodes, seed, slower) => {
            eprintln!(
                "thousand-nodes: give a number of nodes from 40 to 20000, a seed, and how many times slower clocks run, up to 100; not \
                 {nodes:?}, {seed:?} and {slower:?}"
            );
            return ExitCode::FAILURE;
        }
    };
    if let Err(error) = slower::run(slower) {
        eprintln!("thousand-nodes: {error}");
        return ExitCode::FAILURE;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("thousand-nodes: {error}");
            return ExitCode::FAILURE;
        }
    };
    let plan = Plan {
        nodes,
        seed,
        starts: 2.0,
        settle: Duration::from_secs(1800),
        pairs: 3 * nodes,
        announcements: 200,
        // Each is passed on by every node: among more, two cores keep up with fewer.
        rate: (1000.0 * f64::from(slower) / nodes as f64).min(4.0),
        slower,
        talk: true,
    };
    let figures = runtime.block_on(crowd::run(plan));
    print(&figures, nodes, seed, slower);
    runtime.shutdown_background();
    match missed(&figures) {
        missed if missed.is_empty() => ExitCode::SUCCESS,
        missed => {
            eprintln!("thousand-nodes: missed: {}", missed.join("; "));
            ExitCode::FAILURE
        }
    }
}

/// Goals that weren't met.
fn missed(figures: &Figures) -> Vec<&'static str> {
    let goals = [
        (figures.settled, "all are in the network in time"),
        (
            figures.found == figures.pairs,
            "every honest node finds any other",
        ),
        (figures.wrong == 0, "nobody is found where it isn't"),
        (
            figures.quiet.within_8 >= 0.999,
            "99.9 % of announcements reach all within 8 hops",
        ),
        (figures.flooded.within_8 >= 0.999, "and of those in a flood"),
        (figures.quiet.copies <= 6.0, "at most 6 copies each on average"),
        (
            figures.strange == 0 && figures.ended > 0,
            "announcements of strangers come, and end at once",
        ),
        (figures.slots.one_address <= 3, "at most 3 slots for one address"),
        (
            figures.slots.different_16 >= 0.5,
            "half of a node's slots at least are in different /16",
        ),
        (
            figures.slots.hostile_chosen <= 0.3,
            "no more of those that nodes choose are hostile than are of all",
        ),
    ];
    goals
        .iter()
        .filter(|(met, _)| !met)
        .map(|(_, goal)| *goal)
        .collect()
}

fn print(figures: &Figures, nodes: usize, seed: u64, slower: u32) {
    let Figures {
        honest,
        hostile,
        table,
        pairs,
        found,
        victims,
        wrong,
        look_up_s: (half, most, longest),
        slots,
        took,
        ..
    } = figures;
    let clocks = match slower {
        1 => String::new(),
        slower => format!(", seconds of clocks that run {slower} times slower"),
    };
    println!("| {nodes} nodes, seed {seed}{clocks} | |\n|---|---|");
    println!("| honest | {honest} |");
    for (what, count) in hostile {
        println!("| that {what} | {count} |");
    }
    println!(
        "| peers in a table, least and median | {}, {} |",
        table.0, table.1
    );
    println!("| look-ups that found the node | {found} of {pairs} |");
    println!(
        "| of those for surrounded nodes | {} of {} |",
        victims.0, victims.1
    );
    println!("| that found something else | {wrong} |");
    println!("| seconds of a look-up, median, 99 %, longest | {half:.2}, {most:.2}, {longest:.2} |");
    reach("in quiet", &figures.quiet);
    reach("in a flood", &figures.flooded);
    println!(
        "| strangers' announcements that were passed on | {} |",
        figures.strange
    );
    let (least, median, greatest) = slots.count;
    println!("| slots in use, least, median, most | {least}, {median}, {greatest} |");
    println!(
        "| hostile among those a node chose | {:.1} % |",
        100.0 * slots.hostile_chosen
    );
    println!(
        "| most slots of one address, of one /24 | {}, {} |",
        slots.one_address, slots.one_neighbourhood
    );
    println!(
        "| different /16 among a node's slots, least | {:.0} % |",
        100.0 * slots.different_16
    );
    let minutes = took.as_secs_f64() / 60.0;
    println!("| minutes, by the nodes' clocks | {minutes:.1} |");
    println!("| minutes altogether | {:.1} |", minutes * f64::from(slower));
}

fn reach(when: &str, reach: &Reach) {
    let hops: Vec<String> = reach
        .hops
        .iter()
        .map(|(hops, count)| format!("{hops}: {count}"))
        .collect();
    println!(
        "| {} announcements {when}: heard | {:.3} % |",
        reach.announcements,
        100.0 * reach.heard
    );
    println!("| within 8 hops | {:.3} % |", 100.0 * reach.within_8);
    println!("| by the fewest | {:.2} % |", 100.0 * reach.worst);
    println!("| copies on average | {:.2} |", reach.copies);
    println!("| hops | {} |", hops.join(", "));
}
