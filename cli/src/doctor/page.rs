//! The results as a page for people, 80 columns wide. What somebody has to copy is never cut ([`crate::paragraph`]).

use schemars::JsonSchema;
use serde::Serialize;
use std::path::PathBuf;

use super::check::{Check, State};
use crate::paragraph::paragraph;

/// The width of the column that says how it is.
const STATE: usize = 9;
/// The width of the column that says what it is about.
const TOPIC: usize = 14;

/// Everything `hydra doctor` shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Report {
    /// This program's version.
    pub version: String,
    /// The network's folder, if there is one.
    pub folder: Option<PathBuf>,
    /// The PC that was looked at.
    pub pc: Option<String>,
    /// How many faults there are.
    pub faults: usize,
    /// How many warnings there are.
    pub warnings: usize,
    /// The results, in the order in which one thing rests on another.
    pub checks: Vec<Check>,
}

impl Report {
    /// Of these results.
    pub fn new(place: Option<(PathBuf, String)>, checks: Vec<Check>) -> Self {
        let count = |state: State| checks.iter().filter(|check| check.state == state).count();
        let (folder, pc) = place.unzip();
        Self {
            version: env!("CARGO_PKG_VERSION").into(),
            folder,
            pc,
            faults: count(State::Fault),
            warnings: count(State::Warning),
            checks,
        }
    }

    /// As people read it.
    pub fn text(&self) -> String {
        let mut text = String::new();
        if let (Some(folder), Some(pc)) = (&self.folder, &self.pc) {
            let place = format!("{pc}, in {}", folder.display());
            text += &paragraph("", "", &place);
            text.push('\n');
        }
        let shown = |check: &&Check| check.state != State::Ok || !check.check.is_quiet();
        for check in self.checks.iter().filter(shown) {
            let head = format!("{:STATE$}{:TOPIC$}", check.state.name(), check.check.name());
            let indent = " ".repeat(STATE + TOPIC);
            text += &paragraph(&head, &indent, &check.found);
            if let Some(todo) = &check.todo {
                text += &paragraph(&format!("{indent}→ "), &format!("{indent}  "), todo);
            }
        }
        text.push('\n');
        text + &paragraph("", "", &self.verdict())
    }

    /// The last line: what to look at.
    fn verdict(&self) -> String {
        let named = |state: State, one: &str, several: &str| {
            let found = self.checks.iter().filter(|check| check.state == state);
            let mut topics: Vec<&str> = found.map(|check| check.check.name()).collect();
            let number = topics.len();
            topics.dedup();
            let what = if number == 1 { one } else { several };
            (number > 0).then(|| format!("{number} {what} ({})", topics.join(", ")))
        };
        let parts = [
            named(State::Fault, "fault", "faults"),
            named(State::Warning, "warning", "warnings"),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        match (self.faults, parts.as_slice()) {
            (_, []) => "Nothing is wrong as far as can be seen from here.".into(),
            (0, parts) => format!("No fault, {}.", parts.join(", ")),
            (_, parts) => format!("{}.", parts.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::Topic;
    use super::*;

    fn place() -> Option<(PathBuf, String)> {
        Some((
            "/home/ann/.local/share/hydraai/networks/my-hydraai".into(),
            "my-pc".into(),
        ))
    }

    /// What the page in the documents shows.
    fn shown() -> Report {
        use Topic::*;
        Report::new(
            place(),
            vec![
                Check::ok(Processor, "8 cores, training with avx2"),
                Check::ok(Memory, "15.5 GiB, 9.1 GiB of them available"),
                Check::fault(
                    Disk,
                    "1.2 GiB are free where the data are, and `hydra up` starts with 2.0 GiB or more",
                    "free some space, or move the folder to another disk",
                ),
                Check::ok(Clock, "0.1 s ahead of the network's"),
                Check::ok(Programs, "node, trainer and worker, version 0.1.0"),
                Check::ok(Libtorch, "2.11.0, in /opt/libtorch/lib"),
                Check::ok(Environment, "nothing that changes how programs load"),
                Check::ok(Wallet, "2 accounts"),
                Check::ok(Folder, "this user's, and can be written"),
                Check::ok(NetworkFile, "My HydraAI Network (my-hydraai)"),
                Check::fault(
                    Keys,
                    "~/pc/68796472d43593c7: its mode lets others read it",
                    "`chmod 600 ~/pc/68796472d43593c7`",
                ),
                Check::ok(Identities, "of node and trainer, and their token"),
                Check::ok(Ports, "9944, 8790, 30333, 30400: this PC's own"),
                Check::ok(Node, "version 0.1.0, process 4711"),
                Check::ok(Sync, "at block 182336, 4 s old"),
                Check::warning(
                    Peers,
                    "the node is connected to nobody",
                    "look at this PC's network connection",
                ),
                Check::ok(Finality, "2 blocks behind"),
            ],
        )
    }

    #[test]
    fn a_pc_with_two_faults_fits_on_a_terminal() {
        let text = shown().text();
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        assert!(
            text.lines().count() <= 24,
            "{} lines\n{text}",
            text.lines().count()
        );
        assert!(text.lines().all(|line| line.trim_end() == line), "{text}");
    }

    #[test]
    fn a_pc_with_nothing_wrong_fits_on_a_terminal_with_the_prompt_below() {
        use Topic::*;
        let all = [
            Processor,
            Memory,
            Disk,
            Clock,
            Programs,
            Libtorch,
            Environment,
            Wallet,
            Folder,
            NetworkFile,
            Keys,
            Identities,
            Ports,
            Node,
            Sync,
            Peers,
            Finality,
            Rules,
            Trainer,
            Reachability,
            Engine,
            Registration,
            Stake,
        ];
        let checks = all.into_iter().map(|topic| Check::ok(topic, "well")).collect();
        let report = Report::new(place(), checks);
        assert_eq!(report.checks.len(), all.len());
        let text = report.text();
        assert!(
            text.lines().count() < 24,
            "{} lines\n{text}",
            text.lines().count()
        );
    }

    #[test]
    fn the_page_in_the_documents_is_what_is_shown() {
        let kept = include_str!("../../../docs/terminal/doctor.txt");
        let text = shown().text();
        assert_eq!(text, kept, "docs/terminal/doctor.txt should be:\n{text}");
    }

    #[test]
    fn what_is_found_begins_in_one_column_and_lines_go_on_below_it() {
        let report = Report::new(
            None,
            vec![
                Check::ok(Topic::NetworkFile, "short"),
                Check::unknown(Topic::Registration, "word ".repeat(30)),
            ],
        );
        let text = report.text();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "ok       network_file  short");
        assert!(lines[1].starts_with("unknown  registration  word word"), "{text}");
        assert!(lines[2].starts_with(&format!("{}word", " ".repeat(23))), "{text}");
    }

    #[test]
    fn what_is_to_be_copied_is_never_cut() {
        let path = format!("/{}", "long/".repeat(30));
        let report = Report::new(
            None,
            vec![Check::fault(
                Topic::Keys,
                "it",
                format!("run `chmod 600 {path}` or move it"),
            )],
        );
        let text = report.text();
        assert!(text.contains(&format!("`chmod 600 {path}`\n")), "{text}");
    }

    #[test]
    fn the_last_line_names_what_is_at_fault_once() {
        let verdict = |checks: Vec<Check>| Report::new(None, checks).verdict();
        assert_eq!(
            verdict(vec![
                Check::ok(Topic::Disk, "x"),
                Check::unknown(Topic::Clock, "x")
            ]),
            "Nothing is wrong as far as can be seen from here."
        );
        let warning = Check::warning(Topic::Peers, "x", "y");
        assert_eq!(verdict(vec![warning.clone()]), "No fault, 1 warning (peers).");
        let port = Check::fault(Topic::Ports, "x", "y");
        assert_eq!(
            verdict(vec![port.clone(), port, warning]),
            "2 faults (ports), 1 warning (peers)."
        );
    }

    #[test]
    fn programs_read_the_same_as_one_document() {
        let json = serde_json::to_value(shown()).unwrap();
        assert_eq!((&json["faults"], &json["warnings"]), (&2.into(), &1.into()));
        assert_eq!(json["checks"][2]["check"], "disk");
        assert_eq!(json["checks"][2]["state"], "fault");
        assert!(json["checks"][0]["todo"].is_null());
    }
}
