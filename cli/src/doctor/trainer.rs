//! What the trainer says, and what is to be thought of it.

use std::time::Duration;
use tokio::time::timeout;

use super::{
    check::{Check, State, Topic},
    node::away,
    place::Subject,
};
use crate::{
    error::Error,
    network::{self, PortState},
    report::figures::duration,
    trainer::{Status, Trainer},
};

/// How long it may take to say how it is.
const PATIENCE: Duration = Duration::from_secs(4);
/// A node that is there sends a sheet with every block, and those come every minute at the least.
const SILENCE: u64 = 180;

/// Asks it, or says why there is nobody to be asked.
pub async fn ask(subject: &Subject) -> Result<Status, Check> {
    let pc = &subject.pc;
    let port = network::port_state(pc, pc.trainer.http_port);
    // Whoever else has its port is none of ours: the port's line says so.
    let runs = network::trainer_runs(pc);
    if matches!(port, PortState::Other(_)) || !runs && port == PortState::Free {
        return Err(away(Topic::Trainer, subject));
    }
    let trainer = match Trainer::new(pc.trainer.http_port, None) {
        Ok(trainer) => trainer.of_pc(pc.clone(), subject.network.place(&subject.folder)),
        Err(error) => return Err(Check::of(Topic::Trainer, State::Fault, &error)),
    };
    match timeout(PATIENCE, trainer.status()).await {
        Ok(Ok(status)) => Ok(status),
        Ok(Err(error @ Error::TrainerUnreachable { .. })) if network::starting(&subject.network) => {
            Err(Check::of(Topic::Trainer, State::Warning, &error))
        }
        Ok(Err(error)) => Err(Check::of(Topic::Trainer, State::Fault, &error)),
        Err(_) => Err(Check::fault(
            Topic::Trainer,
            format!(
                "its process {} does not answer within {} s",
                pc.trainer.pid,
                PATIENCE.as_secs()
            ),
            format!(
                "look at the end of its log, `tail {}`; if it stays so, end it with `kill -9 {}`, and start it again",
                pc.trainer.log.display(),
                pc.trainer.pid
            ),
        )),
    }
}

/// Judges what it says. `has_others`: there are trainers that it should be connected to; `node_answers`: so it should hear
/// from its node.
pub fn judge(status: &Status, has_others: bool, node_answers: bool) -> Vec<Check> {
    let mut checks = vec![heard(status, has_others, node_answers), engine(status)];
    checks.extend(
        status
            .warnings
            .iter()
            .map(|warning| match warning.split_once(": ") {
                Some((found, todo)) => Check::warning(Topic::Trainer, format!("it warns: {found}"), todo),
                None => Check::warning(
                    Topic::Trainer,
                    format!("it warns: {warning}"),
                    "see the operator's guide",
                ),
            }),
    );
    checks
}

fn heard(status: &Status, has_others: bool, node_answers: bool) -> Check {
    let version = format!("version {}", status.version);
    match status.last_sheet {
        None if node_answers => Check::warning(
            Topic::Trainer,
            format!("{version}, has not heard from the node yet"),
            "if it stays so, give both the same token file: the node's log says why",
        ),
        Some(sheet) if node_answers && sheet.seconds_ago > SILENCE => Check::fault(
            Topic::Trainer,
            format!(
                "{version}, has not heard from the node for {}",
                duration(Duration::from_secs(sheet.seconds_ago))
            ),
            "look at what the node's log says of the trainer: `hydra logs node`",
        ),
        _ if has_others && status.peers.is_empty() => Check::warning(
            Topic::Trainer,
            format!("{version}, connected to no other trainer"),
            "look at this PC's network connection and its firewall",
        ),
        _ => Check::ok(
            Topic::Trainer,
            format!("{version}, connected to {}", status.peers.len()),
        ),
    }
}

fn engine(status: &Status) -> Check {
    let reason = status.engine.reason.as_deref();
    match (status.engine.state.as_str(), reason) {
        ("ready", _) => match status.errors.last() {
            Some(error) => Check::warning(
                Topic::Engine,
                format!("it computes what the network computes; the last problem was: {error}"),
                "the operator's guide has the sentence, if it comes again",
            ),
            None => Check::ok(Topic::Engine, "it computes what the network computes"),
        },
        ("starting", _) => Check::warning(
            Topic::Engine,
            "it tests whether it computes what the network computes",
            "wait a minute, and look again",
        ),
        (state, reason) => Check::fault(
            Topic::Engine,
            format!("it can't be used: {}", reason.unwrap_or(state)),
            "repair that, and start the trainer again: see libtorch and the operator's guide",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(more: &str) -> Status {
        let text = format!(
            r#"{{"version":"0.1.0","peer_id":"12D3","engine":{{"state":"ready"}},"last_sheet":{{"block":9,"seconds_ago":3}}{more}}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    fn states(checks: &[Check]) -> Vec<(Topic, State)> {
        checks.iter().map(|check| (check.check, check.state)).collect()
    }

    #[test]
    fn a_trainer_that_is_well_is_two_short_lines() {
        let checks = judge(&status(""), false, true);
        assert_eq!(
            states(&checks),
            [(Topic::Trainer, State::Ok), (Topic::Engine, State::Ok)]
        );
        let alone = judge(&status(""), true, true);
        assert_eq!(alone[0].state, State::Warning);
    }

    #[test]
    fn a_failed_self_test_is_a_fault_with_its_reason() {
        let mut failed = status("");
        failed.engine.state = "failed".into();
        failed.engine.reason = Some("this PC computes other bits than the network".into());
        let checks = judge(&failed, false, true);
        assert_eq!(checks[1].state, State::Fault);
        assert!(checks[1].found.contains("other bits"), "{}", checks[1].found);
        failed.engine.state = "starting".into();
        assert_eq!(engine(&failed).state, State::Warning);
    }

    #[test]
    fn one_that_hears_nothing_from_a_node_that_answers_is_stuck() {
        let mut deaf = status("");
        deaf.last_sheet = deaf.last_sheet.map(|sheet| hydra_trainer_api::LastSheet {
            seconds_ago: 600,
            ..sheet
        });
        let checks = judge(&deaf, false, true);
        assert_eq!(checks[0].state, State::Fault);
        assert!(checks[0].found.contains("for 10 min"), "{}", checks[0].found);
        assert_eq!(judge(&deaf, false, false)[0].state, State::Ok);
        deaf.last_sheet = None;
        assert_eq!(judge(&deaf, false, true)[0].state, State::Warning);
    }

    #[test]
    fn what_it_warns_of_and_what_went_wrong_is_passed_on() {
        let checks = judge(
            &status(
                r#","warnings":["the disk is nearly full: free some space"],"errors":["a blob is damaged"]"#,
            ),
            false,
            true,
        );
        assert_eq!(checks[1].state, State::Warning);
        assert!(checks[1].found.ends_with("a blob is damaged"));
        assert_eq!(checks[2].found, "it warns: the disk is nearly full");
        assert_eq!(checks[2].todo.as_deref(), Some("free some space"));
    }
}
