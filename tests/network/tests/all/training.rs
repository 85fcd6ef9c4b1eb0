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
    for round in rounds {
        let proposals = list(&round["proposals"]);
        // A fork may cost a proposal its round, but honest work is never voted down.
        assert!(proposals.iter().all(|p| p["outcome"] != "Rejected"), "{round}");
        let accepted: Vec<&Value> = proposals.iter().filter(|p| p["outcome"] == "Accepted").collect();
        assert!(accepted.iter().all(|p| p["reward"] == "1"), "{round}");
        assert!(
            proposals
                .iter()
                .all(|p| p["outcome"] == "Accepted" || p["reward"] == "0"),
            "{round}"
        );
        // While the last round's version is confirmed, the slowest node may still be about to attest it.
        let attested = list(&round["attestations"]);
        assert!(
            attested.iter().all(|a| a["weights"] == attested[0]["weights"]),
            "{round}"
        );
        assert!(
            round["weights"].is_null() || attested.iter().all(|a| a["weights"] == round["weights"]),
            "{round}"
        );
        full += usize::from(accepted.len() == 4 && attested.len() == 4);
    }
    assert!(
        full >= 1,
        "in no round were four proposals accepted and their result attested by all four: {rounds:?}"
    );
    let accounts = report["accounts"].as_array().expect("a list of accounts");
    assert_eq!(accounts.len(), 4);
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}
