//! Every benchmark, in native code: at its least and its largest value it does what it says. What that takes is measured elsewhere.

use frame_benchmarking::{BenchmarkList, BenchmarkResult};
use hydra_weights::{measure, native};
use std::{collections::BTreeSet, panic};

fn of(pallet: &str) -> BenchmarkList {
    let mut list = native::list().into_iter();
    list.find(|list| list.pallet == pallet.as_bytes())
        .expect("a pallet with benchmarks")
}

/// Runs all benchmarks of a pallet, each with what it was run at.
fn run(pallet: &str) -> Vec<(String, BenchmarkResult)> {
    let list = of(pallet);
    let mut results = Vec::new();
    let mut failed = Vec::new();
    for benchmark in &list.benchmarks {
        let name = String::from_utf8_lossy(&benchmark.name).into_owned();
        for at in measure::values(benchmark, 2) {
            let config = measure::config(&list, benchmark, at);
            let done = panic::catch_unwind(|| native::run(&config));
            match done.unwrap_or_else(|_| Err("it panicked: see above".into())) {
                Ok(batches) => {
                    let of_it = batches.into_iter().flat_map(|batch| batch.results);
                    results.extend(of_it.map(|result| (name.clone(), result)));
                }
                Err(why) => failed.push(format!("{name} at {:?}: {why}", config.selected_components)),
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    results
}

/// What was counted of a benchmark, at each value.
fn counted<'a>(results: &'a [(String, BenchmarkResult)], name: &str) -> Vec<&'a BenchmarkResult> {
    let of_it = results.iter().filter(|(of, _)| of == name);
    of_it.map(|(_, result)| result).collect()
}

#[test]
fn each_call_of_the_token_does_what_its_benchmark_says() {
    let results = run("pallet_hydra_token");
    assert!(results.iter().all(|(_, result)| result.writes > 0));
}

#[test]
fn each_call_of_reputation_does_what_its_benchmark_says() {
    let results = run("pallet_reputation");
    // Node, PeerId, count; hold and account; slot, three nodes and the sums of the electorate; events.
    assert!(counted(&results, "register")[0].writes >= 9);
}

#[test]
fn each_bond_and_each_step_of_a_poll_does_what_its_benchmark_says() {
    let results = run("pallet_stake_voting");
    // Three nodes of the tree, the slot, the account's node and its bond.
    assert!(counted(&results, "look_at_point")[0].reads >= 6);
    assert!(counted(&results, "share")[0].writes >= 65);
}

#[test]
fn each_result_and_each_step_of_a_round_does_what_its_benchmark_says() {
    let results = run("pallet_training_proposals");
    let grows = |name: &str, count: fn(&BenchmarkResult) -> u32, by: u32| {
        let [least, most] = counted(&results, name)[..] else {
            panic!("{name} is run at two values");
        };
        assert!(count(most) >= count(least) + by, "{name}: {least:?} {most:?}");
    };
    // A seat of each of 1,016 more, and a third more of earlier draws.
    grows("open", |result| result.reads, 1_016);
    // Each of 203 more places looks at five accounts, and each account has a leaf, a slot and a node.
    grows("open_round", |result| result.reads, 203 * 5 * 3);
    grows("settle_place", |result| result.writes, 64);
    grows("finish_round", |result| result.writes, 255);
    grows("end_version", |result| result.writes, 255);
    grows("pay_place", |result| result.writes, 2 * 64);
}

/// What has no benchmark has no weight, and what has one must have a place for it.
#[test]
fn the_benchmarks_are_the_functions_that_say_what_things_weigh() {
    for (pallet, weights) in [
        (
            "pallet_hydra_token",
            include_str!("../../../pallets/hydra-token/src/weights.rs"),
        ),
        (
            "pallet_reputation",
            include_str!("../../../pallets/reputation/src/weights.rs"),
        ),
        (
            "pallet_stake_voting",
            include_str!("../../../pallets/stake-voting/src/weights.rs"),
        ),
        (
            "pallet_training_proposals",
            include_str!("../../../pallets/training-proposals/src/weights.rs"),
        ),
    ] {
        let (_, rest) = weights.split_once("pub trait WeightInfo {").expect("the trait");
        let (trait_body, _) = rest.split_once("\n}").expect("its end");
        let functions: BTreeSet<String> = trait_body
            .lines()
            .filter_map(|line| Some(line.trim().strip_prefix("fn ")?.split_once('(')?.0.to_string()))
            .collect();
        let benchmarks: BTreeSet<String> = of(pallet)
            .benchmarks
            .into_iter()
            .map(|benchmark| String::from_utf8_lossy(&benchmark.name).into_owned())
            .collect();
        assert_eq!(functions, benchmarks, "{pallet}");
    }
}
