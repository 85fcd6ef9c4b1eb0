//! What the trainer says, and what is to be thought of it.

use std::time::Duration;
use tokio::time::timeout;

use super::{
    check::{Check, State, Topic},
    node::{Around, away},
    place::Subject,
    process,
};
use crate::{
    error::Error,
    network::{self, PortState},
    report::{
        figures::duration,
        health,
        reach::{self, Reach},
    },
    trainer::{Status, Trainer},
};

/// How long it may take to say how it is.
const PATIENCE: Duration = Duration::from_secs(4);
/// A node that is there sends a sheet with every block. In any network so long without one is nothing yet.
const SILENCE: Duration = Duration::from_secs(180);

/// Asks it, or says why there is nobody to be asked.
pub async fn ask(subject: &Subject) -> Result<Status, Check> {
    let pc = &subject.pc;
    let port = network::port_state(pc, pc.trainer.http_port);
    // Whoever else has its port is none of ours: the port's line says so.
    let runs = network::trainer_runs(pc);
    if matches!(port, PortState::Other(_)) || !runs && port == PortState::Free {
        return Err(match network::starting(&subject.network) {
            true => Check::warning(
                Topic::Trainer,
                "it is just starting",
                "wait a moment, and look again",
            ),
            false => away(Topic::Trainer, subject),
        });
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
        Err(_) => {
            let pid = process::of_port(pc.trainer.http_port, pc.trainer.pid);
            Err(Check::fault(
                Topic::Trainer,
                format!(
                    "{} does not answer within {} s",
                    process::named(pid),
                    PATIENCE.as_secs()
                ),
                format!(
                    "look at the end of its log, `tail {}`; if it stays so, {}, and start it again",
                    pc.trainer.log.display(),
                    process::end(pid)
                ),
            ))
        }
    }
}

/// Judges what it says. `slot` is how long a slot lasts where the node knows the newest blocks, so that the trainer should
/// hear from it; `node_port` is its node's for other nodes.
pub fn judge(status: &Status, around: Around, slot: Option<Duration>, node_port: u16) -> Vec<Check> {
    let mut checks = vec![heard(status, around.has_others, slot)];
    checks.extend(reachability(status, node_port));
    checks.push(engine(status, around.trains));
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

fn heard(status: &Status, has_others: bool, slot: Option<Duration>) -> Check {
    let version = format!("version {}", status.version);
    let silence = slot.map(|slot| health::quiet_limit(SILENCE, slot).as_secs());
    match status.last_sheet {
        None if slot.is_some() => Check::warning(
            Topic::Trainer,
            format!("{version}, has not heard from the node yet"),
            "if it stays so, give both the same token file: the node's log says why",
        ),
        Some(sheet) if silence.is_some_and(|most| sheet.seconds_ago > most) => Check::fault(
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

/// How others reach it. Whoever nobody can connect to still takes part: it connects to others, so that this is no fault.
fn reachability(status: &Status, node_port: u16) -> Option<Check> {
    let found = reach::sentence(status)?;
    if reach::listens_here_only(status) {
        return Some(Check::ok(
            Topic::Reachability,
            "for programs of this PC only, as it was told",
        ));
    }
    Some(
        match (Reach::of(status), reach::advice(status, Some(node_port))) {
            (_, Some(advice)) => Check::warning(Topic::Reachability, found, advice),
            (Some(Reach::Unknown) | None, None) => Check::unknown(Topic::Reachability, found),
            (Some(_), None) => Check::ok(Topic::Reachability, found),
        },
    )
}

fn engine(status: &Status, trains: bool) -> Check {
    let reason = status.engine.reason.as_deref();
    match (status.engine.state.as_str(), reason) {
        ("ready", _) => match status.errors.last() {
            // It is over, and stays there until eight others have come.
            Some(error) => Check::ok(
                Topic::Engine,
                format!("it computes what the network computes; the last problem was: {error}"),
            ),
            None => {
                let with = status.engine.instructions.as_deref();
                let with = with.map(|name| format!(", with {name}")).unwrap_or_default();
                Check::ok(
                    Topic::Engine,
                    format!("it computes what the network computes{with}"),
                )
            }
        },
        ("starting", _) => Check::warning(
            Topic::Engine,
            "it tests whether it computes what the network computes",
            "wait a minute, and look again",
        ),
        (state, reason) => {
            let found = format!("it can't be used: {}", reason.unwrap_or(state));
            match trains {
                true => Check::fault(
                    Topic::Engine,
                    found,
                    "repair that, and start the trainer again: see libtorch and the operator's guide",
                ),
                false => Check::warning(Topic::Engine, found, "nothing: this PC isn't asked to train"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALONE: Around = Around {
        has_others: false,
        validator: true,
        can_finalise: true,
        trains: true,
        bonded: true,
        wanted: 0,
    };
    const SLOT: Option<Duration> = Some(Duration::from_secs(10));

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
        let checks = judge(&status(""), ALONE, SLOT, 30_333);
        assert_eq!(
            states(&checks),
            [(Topic::Trainer, State::Ok), (Topic::Engine, State::Ok)]
        );
        let among_others = Around {
            has_others: true,
            ..ALONE
        };
        let lonely = judge(&status(""), among_others, SLOT, 30_333);
        assert_eq!(lonely[0].state, State::Warning);
    }

    #[test]
    fn a_failed_self_test_is_a_fault_with_its_reason() {
        let mut failed = status("");
        failed.engine.state = "failed".into();
        failed.engine.reason = Some("this PC computes other bits than the network".into());
        let checks = judge(&failed, ALONE, SLOT, 30_333);
        assert_eq!(checks[1].state, State::Fault);
        assert!(checks[1].found.contains("other bits"), "{}", checks[1].found);
        let watching = engine(&failed, false);
        assert_eq!(watching.state, State::Warning);
        assert_eq!(
            watching.todo.as_deref(),
            Some("nothing: this PC isn't asked to train")
        );
        failed.engine.state = "starting".into();
        assert_eq!(engine(&failed, true).state, State::Warning);
    }

    #[test]
    fn one_that_hears_nothing_from_a_node_that_answers_is_stuck() {
        let mut deaf = status("");
        deaf.last_sheet = deaf.last_sheet.map(|sheet| hydra_trainer_api::LastSheet {
            seconds_ago: 600,
            ..sheet
        });
        let checks = judge(&deaf, ALONE, SLOT, 30_333);
        assert_eq!(checks[0].state, State::Fault);
        assert!(checks[0].found.contains("for 10 min"), "{}", checks[0].found);
        assert_eq!(judge(&deaf, ALONE, None, 30_333)[0].state, State::Ok);
        // Where slots are long, so is the time between two sheets.
        let slow = Some(Duration::from_secs(120));
        assert_eq!(judge(&deaf, ALONE, slow, 30_333)[0].state, State::Ok);
        deaf.last_sheet = None;
        assert_eq!(judge(&deaf, ALONE, SLOT, 30_333)[0].state, State::Warning);
    }

    #[test]
    fn a_pc_that_others_reach_badly_is_a_warning_with_the_ports_to_open_and_no_fault() {
        let look = |state: &str, listen: &str| {
            let advice = match state {
                "unreachable" => r#""open_ports""#,
                _ => "null",
            };
            let more = format!(
                r#","listen":["{listen}"],"reachability":{{"state":"{state}","reason":"no router answers","advice":{advice}}}"#
            );
            reachability(&status(&more), 30_333).unwrap()
        };
        let open = "/ip4/192.168.1.5/tcp/30400/p2p/12D3";
        for (said, state) in [
            ("public", State::Ok),
            ("mapped", State::Ok),
            ("punched", State::Ok),
            ("relayed", State::Ok),
            ("unreachable", State::Warning),
            ("unknown", State::Unknown),
            ("carried", State::Unknown),
        ] {
            let check = look(said, open);
            assert_eq!(check.state, state, "{said}");
            assert!(check.found.ends_with(": no router answers"), "{}", check.found);
            let told = check.todo.unwrap_or_default();
            assert_eq!(
                told.contains("port 30400, TCP and UDP, and port 30333, TCP,"),
                state == State::Warning,
                "{told}"
            );
        }
        // A local network is open to nobody, and one of before this release doesn't say.
        let local = look("unreachable", "/ip4/127.0.0.1/tcp/30400/p2p/12D3");
        assert_eq!((local.state, local.todo), (State::Ok, None));
        assert_eq!(reachability(&status(""), 30_333), None);
        let found = judge(
            &status(r#","reachability":{"state":"public","reason":"x"}"#),
            ALONE,
            SLOT,
            30_333,
        );
        assert_eq!(found[1].check, Topic::Reachability);
    }

    #[test]
    fn what_it_warns_of_and_what_went_wrong_is_passed_on() {
        let checks = judge(
            &status(
                r#","warnings":["the disk is nearly full: free some space"],"errors":["a blob is damaged"]"#,
            ),
            ALONE,
            SLOT,
            30_333,
        );
        assert_eq!(checks[1].state, State::Ok, "it is over");
        assert!(checks[1].found.ends_with("a blob is damaged"));
        assert_eq!(checks[2].found, "it warns: the disk is nearly full");
        assert_eq!(checks[2].todo.as_deref(), Some("free some space"));
    }
}
