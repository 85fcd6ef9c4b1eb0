//! PCs at home behind every pair of routers, and what no pair shows, as Markdown tables: how they got to each other, and how long the first
//! blob took.
//!
//!     cargo run --release -p hydra-network-tests --example laboratory [pairs at a time] [only]
//!
//! With `only`, just the pairs whose line on standard error begins so (`restricted × open, TCP`), or one of what no pair shows (`case 6`).
//!
//! Seconds are counted from the start of the fetching trainer, which knows two public trainers and who has the blob, until it has it.
//! All of it happens on this machine, without delay or loss: the seconds are those of finding, relaying and punching, not of distance.
//! Needs root, or a kernel that lets any user make namespaces, and what `scripts/setup --for-tests` installs. Ends with 1 if a pair was
//! not connected as well as its routers let it.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    panic::catch_unwind,
    process::ExitCode,
    sync::{Mutex, PoisonError},
    thread,
};

use hydra_network_tests::laboratory::{
    Kind, Laboratory, Path, Protocol, Reachability,
    cases::{self, Case},
    matrix::Row,
};

/// Trainers wait most of the time.
const AT_A_TIME: usize = 3;
const PROTOCOLS: [(Protocol, &str); 2] = [(Protocol::Tcp, "TCP"), (Protocol::Udp, "QUIC")];

/// A pair: who has the blob, who gets it, by what.
type Pair = (Kind, Kind, Protocol);
/// What was seen of all pairs.
type Rows = BTreeMap<Pair, Row>;

fn main() -> ExitCode {
    let [at_a_time, only] = [1, 2].map(|at| std::env::args().nth(at));
    let Ok(at_a_time) = at_a_time.map_or(Ok(AT_A_TIME), |number| number.parse::<usize>()) else {
        eprintln!("usage: laboratory [pairs at a time] [only]");
        return ExitCode::FAILURE;
    };
    if Laboratory::open().is_none() {
        return ExitCode::FAILURE;
    }
    let mut pairs = VecDeque::new();
    for publisher in Kind::ALL {
        for fetcher in Kind::ALL {
            pairs.extend(PROTOCOLS.map(|(protocol, _)| (publisher, fetcher, protocol)));
        }
    }
    if let Some(only) = &only {
        pairs.retain(|pair| name(*pair).starts_with(only));
    }
    let (rows, failed) = all_pairs(pairs, at_a_time.max(1));
    if let Some(only) = only {
        let case = only
            .strip_prefix("case ")
            .and_then(|number| number.parse::<usize>().ok());
        let lost = all_cases(|number| case == Some(number)).1;
        return ExitCode::from(u8::from(!(failed.is_empty() && lost.is_empty())));
    }
    for (protocol, name) in PROTOCOLS {
        matrix(&rows, protocol, name);
    }
    states(rows.values());
    let (done, lost) = all_cases(|_| true);
    cases_table(&done);
    let right = failed.is_empty();
    for what in failed.into_iter().map(name).chain(lost) {
        println!("\n**failed**: {what}");
    }
    match right && done.len() == cases::ALL.len() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

fn name((publisher, fetcher, protocol): Pair) -> String {
    let by = PROTOCOLS.iter().find(|(one, _)| *one == protocol);
    format!("{publisher} × {fetcher}, {}", by.map_or("", |(_, name)| name))
}

/// Every pair, so many at a time. Returns what was seen, and of which pairs nothing was, or not what should have been.
fn all_pairs(pairs: VecDeque<Pair>, at_a_time: usize) -> (Rows, BTreeSet<Pair>) {
    let (left, seen) = (Mutex::new(pairs), Mutex::new((Rows::new(), BTreeSet::new())));
    thread::scope(|scope| {
        for _ in 0..at_a_time {
            scope.spawn(|| {
                loop {
                    let next = left.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                    let Some((publisher, fetcher, protocol)) = next else {
                        return;
                    };
                    // What failed says so on standard error, with the trainers' logs.
                    let row = catch_unwind(|| Row::of(publisher, fetcher, protocol))
                        .ok()
                        .flatten();
                    let is_right = row
                        .as_ref()
                        .is_some_and(|row| catch_unwind(|| row.check()).is_ok());
                    let pair = (publisher, fetcher, protocol);
                    let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
                    if let Some(row) = row {
                        eprintln!("{}: {}", name(pair), cell(&row));
                        seen.0.insert(pair, row);
                    }
                    if !is_right {
                        seen.1.insert(pair);
                    }
                }
            });
        }
    });
    seen.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// The table of one protocol: a line for each router of who has the blob, a column for each of who gets it.
fn matrix(rows: &Rows, protocol: Protocol, name: &str) {
    println!(
        "\n| {name}: has it ↓, gets it → | {} |",
        Kind::ALL.map(|kind| kind.to_string()).join(" | ")
    );
    println!("|---|{}", "---|".repeat(Kind::ALL.len()));
    for publisher in Kind::ALL {
        let cells = Kind::ALL.map(|fetcher| {
            let row = rows.get(&(publisher, fetcher, protocol));
            row.map_or_else(|| "**failed**".into(), cell)
        });
        println!("| {publisher} | {} |", cells.join(" | "));
    }
}

fn cell(row: &Row) -> String {
    let through = match row.at_first {
        Some(Path::Relayed) if row.path != Path::Relayed => "relayed, then ",
        _ => "",
    };
    format!("{through}{}, {:.1} s", row.path, row.seconds)
}

/// What PCs behind each kind say of how they are reached. What differs but in names and numbers is the same.
fn states<'a>(rows: impl Iterator<Item = &'a Row>) {
    let mut said: BTreeMap<(Kind, Protocol), BTreeSet<(String, String)>> = BTreeMap::new();
    for row in rows {
        for (kind, one) in [
            (row.publisher, &row.publisher_says),
            (row.fetcher, &row.fetcher_says),
        ] {
            let Reachability { state, reason } = one;
            said.entry((kind, row.protocol))
                .or_default()
                .insert((state.clone(), in_general(reason)));
        }
    }
    println!("\n| router | by | state | why |\n|---|---|---|---|");
    for ((kind, protocol), all) in said {
        let by = if protocol == Protocol::Tcp { "TCP" } else { "QUIC" };
        for (state, reason) in all {
            println!("| {kind} | {by} | {state} | {reason} |");
        }
    }
}

/// A reason without its names and numbers, and with one relay for several.
fn in_general(reason: &str) -> String {
    let word = |word: &str| {
        let bare = word.trim_end_matches([',', ';']);
        let is_name = bare.contains(|c: char| c == '…' || c.is_ascii_digit());
        match is_name {
            true => format!("…{}", &word[bare.len()..]),
            false => word.to_owned(),
        }
    };
    let words: Vec<String> = reason.split_whitespace().map(word).collect();
    words.join(" ").replace("relays … and …", "relay …")
}

/// Every case that is wanted, one after the other. Returns what was seen, and what of them failed.
fn all_cases(wanted: impl Fn(usize) -> bool) -> (Vec<Case>, Vec<String>) {
    let (mut done, mut lost) = (vec![], vec![]);
    for (number, run) in cases::ALL
        .into_iter()
        .enumerate()
        .filter(|(number, _)| wanted(*number))
    {
        match catch_unwind(run) {
            Ok(Some(case)) => {
                eprintln!("{}: {} after {:.1} s", case.name, case.sight.path, case.seconds);
                done.push(case);
            }
            Ok(None) | Err(_) => lost.push(format!("case {number}: see standard error")),
        }
    }
    (done, lost)
}

fn cases_table(cases: &[Case]) {
    println!(
        "\n| case | path | by | first blob | who has it says | who gets it says |\n|---|---|---|---|---|---|"
    );
    for case in cases {
        println!(
            "| {} | {} | {} | {:.1} s | {} | {} |",
            case.name,
            case.sight.path,
            case.sight.transport,
            case.seconds,
            case.publisher_says,
            case.fetcher_says
        );
    }
}
