//! The main job: one command trains a classifier on chain and shows what happened.

use std::process::Command;

use hydra_network_tests::{checkout, free_ports, proc, program};
use serde_json::Value;

#[test]
fn one_command_trains_to_95_percent_through_rounds_on_chain() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = proc::run(
        Command::new(program("hydra"))
            .args(["demo", "--until-accuracy", "0.95", "--timeout", "360", "--json"])
            .arg("--base-path")
            .arg(folder.path())
            .arg("--datasets")
            .arg(checkout("datasets"))
            .args(["--base-port", &free_ports(16).to_string()]),
    );
    let models = proc::json(&output);
    let report = &models[0];
    let rounds = report["rounds"].as_array().expect("a list of rounds");
    // Rounds that were settled after the goal was reached may be better or worse, or not be confirmed yet.
    let accuracies = rounds.iter().filter_map(|round| round["accuracy"].as_f64());
    assert!(accuracies.fold(0.0, f64::max) >= 0.95, "{rounds:?}");
    let mut full = 0;
    // What the last rounds earned may not be paid yet.
    let last = rounds.len().saturating_sub(2);
    for (number, round) in rounds.iter().enumerate() {
        let places = list(&round["places"]);
        // A fork may cost a proposal its round, but honest work is never turned down.
        assert!(places.iter().all(|p| p["outcome"] != "Rejected"), "{round}");
        let confirmed = !round["weights"].is_null();
        for place in places {
            let (earned, verifiers) = (hydra(&place["earned"]), hydra(&place["verifiers"]));
            let unpaid = earned == 0.0 && verifiers == 0.0;
            match place["outcome"] == "Accepted" && confirmed {
                // A standard unit of work is worth 1 HYDRA, of which a fifth is for those who verified it; each seat's part is rounded down.
                true => assert!(
                    earned == 0.8 && (0.199_999_999..=0.2).contains(&verifiers) || unpaid && number >= last,
                    "{round}"
                ),
                false => assert!(unpaid, "{round}"),
            }
        }
        let accepted = places.iter().filter(|p| p["outcome"] == "Accepted").count();
        full += usize::from(accepted == 4 && confirmed);
    }
    assert!(
        full >= 1,
        "in no round were four results accepted and their version confirmed: {rounds:?}"
    );
    let accounts = report["accounts"].as_array().expect("a list of accounts");
    assert_eq!(accounts.len(), 4);
}

/// An amount as it is printed.
fn hydra(value: &Value) -> f64 {
    value.as_str().expect("an amount").parse().expect("a number")
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}
