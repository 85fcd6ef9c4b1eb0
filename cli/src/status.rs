//! `hydra status`: the chain, its models and accounts, and the local trainer.

use schemars::JsonSchema;
use serde::Serialize;
use std::time::{Duration, SystemTime};

use crate::{
    args::StatusArgs,
    chain::Clock,
    error::Error,
    output,
    paragraph::paragraph,
    report::{
        accounts::{self, Account},
        health,
        models::{self, Model},
        work::doing,
    },
    target::Target,
    trainer,
};

/// Everything `hydra status` shows.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Report {
    /// The node's address.
    pub url: String,
    /// The chain's name.
    pub chain: String,
    /// The newest block.
    pub block: u64,
    /// The newest block that can't be undone.
    pub finalised: u64,
    /// Age of the newest block by this PC's clock, in seconds; negative if it lies ahead.
    pub block_age: f64,
    /// How long a slot lasts.
    #[serde(skip)]
    pub slot: Duration,
    /// Connected nodes.
    pub peers: usize,
    /// Whether the node is still catching up.
    pub syncing: bool,
    /// What the node says about this PC's clock, if it watches it.
    pub clock: Option<Clock>,
    /// The models.
    pub models: Vec<Model>,
    /// The registered accounts.
    pub accounts: Vec<Account>,
    /// The local trainer, if it is known where it is and answers.
    pub trainer: Option<trainer::Status>,
    /// Why there is nothing about the trainer.
    pub trainer_error: Option<String>,
    /// What has ended of a local network, each as a sentence.
    pub stopped: Vec<String>,
}

/// Runs the command.
pub async fn run(args: StatusArgs, json: bool) -> Result<(), Error> {
    let target = Target::new(&args.target)?;
    let chain = target.chain().await?;
    let best = chain.best().await?;
    let finalised = chain.finalised().await?;
    let (peers, syncing) = chain.health().await?;
    let registered = chain.registered(best.hash).await?;
    // The trainer may be down while the chain is fine: that is something to show, not to fail for.
    let (trainer, trainer_error) = match target.trainer() {
        Ok(Some(trainer)) => match trainer.status().await {
            Ok(status) => (Some(status), None),
            Err(error) => (None, Some(error.to_string())),
        },
        Ok(None) => (None, None),
        Err(error) => (None, Some(error.to_string())),
    };
    let report = Report {
        url: chain.url().into(),
        chain: chain.name().await?,
        block: best.number,
        finalised: finalised.number,
        block_age: health::age(SystemTime::now(), chain.time(best.hash).await?),
        slot: chain.slot(best.hash).await?,
        peers,
        syncing,
        clock: chain.clock().await?,
        models: models::read(&chain, best.hash)
            .await?
            .iter()
            .map(Model::new)
            .collect(),
        accounts: accounts::read(&chain, &registered, best.hash).await?,
        trainer,
        trainer_error,
        stopped: target.stopped(),
    };
    if json {
        output::json(&report)
    } else {
        output::data(&report.text())
    }
}

impl Report {
    fn text(&self) -> String {
        let sync = if self.syncing { ", catching up" } else { "" };
        let mut text = paragraph("", "  ", &format!("{} at {}", self.chain, self.url));
        text += &format!(
            "block {}, finalised {}, {} peers{sync}\n",
            self.block, self.finalised, self.peers
        );
        let trainers = self.trainer.as_ref().and_then(|trainer| trainer.clock);
        for warning in [
            health::of_block(self.block, self.block_age, self.syncing, self.slot),
            health::of_clock(self.clock.as_ref(), trainers.map(|clock| clock.offset_ms)),
        ]
        .into_iter()
        .flatten()
        {
            text += &paragraph("", "  ", &warning);
        }
        text.push('\n');
        text += &models::table(&self.models);
        text.push('\n');
        text += &accounts::table(&self.accounts);
        text.push('\n');
        text += &match (&self.trainer, &self.trainer_error) {
            (Some(trainer), _) => trainer_text(trainer),
            (None, Some(error)) => paragraph("Trainer: ", "  ", error),
            (None, None) => "Trainer: none known here; name its port with --trainer-port.\n".into(),
        };
        for sentence in &self.stopped {
            text += &paragraph("", "  ", sentence);
        }
        text
    }
}

fn trainer_text(trainer: &trainer::Status) -> String {
    let reason = trainer
        .engine
        .reason
        .as_deref()
        .map(|reason| format!(" ({reason})"))
        .unwrap_or_default();
    let sheet = match &trainer.last_sheet {
        Some(sheet) => format!("last heard from the node at block {}", sheet.block),
        None => "has not heard from the node yet".into(),
    };
    let engine = format!(
        "Trainer {}: engine {}{reason}, {} peers, {sheet}",
        trainer.version,
        trainer.engine.state,
        trainer.peers.len()
    );
    let mut text = paragraph("", "  ", &engine);
    for work in &trainer.models {
        let version = work
            .version
            .map_or_else(|| "no version".into(), |version| format!("version {version}"));
        let model = format!("model {}: {version}, {}", work.model, doing(work));
        text += &paragraph("  ", "    ", &model);
    }
    for warning in &trainer.warnings {
        text += &paragraph("  warning: ", "    ", warning);
    }
    if let Some(error) = trainer.errors.last() {
        text += &paragraph("  last problem: ", "    ", error);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use hydra_primitives::status::Phase;

    fn report() -> Report {
        Report {
            url: "ws://127.0.0.1:9944".into(),
            chain: "HydraAI Local".into(),
            block: 42,
            finalised: 40,
            block_age: 1.5,
            slot: Duration::from_secs(2),
            peers: 3,
            syncing: false,
            clock: None,
            models: vec![Model {
                model: 0,
                dataset: "digits".into(),
                parameters: 4810,
                round: 3,
                phase: Phase::Verify,
                phase_ends_at: 50,
                proposals: 4,
                participants: 4,
                version: 3,
                confirmed_version: 2,
                accuracy: Some(0.9),
                weights: "ab".repeat(32),
            }],
            accounts: vec![Account {
                account: "5Grw".into(),
                name: "Alice".into(),
                balance: "1000000.500069".into(),
                free: 1_000_000_500_069 * 1_000_000,
                stake: "100".into(),
                reputation: 0.9004,
                active: true,
            }],
            trainer: None,
            trainer_error: None,
            stopped: vec![],
        }
    }

    /// What docs/terminal/status.txt shows: a local network of four PCs, seen from the first.
    fn four() -> Report {
        let account = |name: &str, free: u128, stake: &str, reputation| Account {
            account: "5Grw".into(),
            name: name.into(),
            balance: String::new(),
            free: free * 1_000_000,
            stake: stake.into(),
            reputation,
            active: true,
        };
        let trainer = r#"{"version":"0.1.0","peer_id":"12D3","engine":{"state":"ready"},
            "peers":[{"peer_id":"a","address":"b"},{"peer_id":"c","address":"d"},{"peer_id":"e","address":"f"}],
            "last_sheet":{"block":182336,"seconds_ago":1},
            "models":[{"model":0,"version":812,"state":"verifying","round":812,"phase":"verify",
                "task":"verifying the proposal of 0x1cbd2d43… in round 812 of model 0"}]}"#;
        let mut report = report();
        report.block = 182_336;
        report.finalised = 182_333;
        for model in &mut report.models {
            (model.round, model.version, model.confirmed_version) = (812, 812, 812);
            model.phase_ends_at = 182_343;
            model.accuracy = Some(0.9722);
        }
        report.accounts = vec![
            account("Alice", 1_000_000_500_069, "100", 0.9),
            account("Bob", 1_000_045_500_000, "100", 0.912),
            account("Charlie", 999_987_250_000, "100", 0.871),
            account("Dave", 1_000_012_000_000, "100", 0.905),
        ];
        report.trainer = Some(serde_json::from_str(trainer).unwrap());
        report
    }

    /// Made anew where HYDRA_WRITE_TERMINAL_PAGES is set.
    #[test]
    fn the_status_of_a_network_of_four_is_the_page_in_docs_and_fits_80_by_24() {
        let text = four().text();
        assert!(text.lines().count() <= 24, "{text}");
        for line in text.lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/terminal/status.txt");
        if std::env::var_os("HYDRA_WRITE_TERMINAL_PAGES").is_some() {
            std::fs::write(path, &text).unwrap();
        }
        assert_eq!(
            text,
            std::fs::read_to_string(path).unwrap(),
            "docs/terminal/status.txt: make it anew with HYDRA_WRITE_TERMINAL_PAGES=1"
        );
    }

    #[test]
    fn what_is_wrong_is_said_in_lines_that_fit_a_terminal() {
        let long = "what is wrong is said with everything that somebody has to know to put it right again, "
            .repeat(3);
        let mut report = Report {
            block_age: 300.0,
            clock: Some(Clock {
                offset_ms: None,
                warning: Some(long.clone()),
            }),
            stopped: vec![long.clone()],
            ..four()
        };
        if let Some(trainer) = &mut report.trainer {
            trainer.warnings = vec![long.clone()];
            trainer.engine.reason = Some(long.clone());
        }
        let away = Report {
            trainer: None,
            trainer_error: Some(long.clone()),
            ..four()
        };
        for text in [report.text(), away.text()] {
            assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
            let words: Vec<&str> = text.split_whitespace().collect();
            assert!(words.join(" ").contains(long.trim()), "{text}");
        }
        assert!(
            report.text().contains("\nlast block: 5 min ago; "),
            "{}",
            report.text()
        );
    }

    #[test]
    fn the_status_is_one_page() {
        let expected = "\
HydraAI Local at ws://127.0.0.1:9944
block 42, finalised 40, 3 peers

model  data    round  phase   ends at  proposals  version  confirmed  accuracy
    0  digits      3  Verify       50     4 of 4        3          2   90.00 %

account  balance (HYDRA)  stake  reputation  active
Alice          1000000.5    100       0.900  yes

Trainer: none known here; name its port with --trainer-port.
";
        assert_eq!(report().text(), expected);
    }

    #[test]
    fn what_the_trainer_warns_of_is_shown() {
        let trainer = serde_json::from_str(
            r#"{"version":"1","peer_id":"12D3","engine":{"state":"ready"},"warnings":["the clock is wrong"]}"#,
        );
        let text = Report {
            trainer: Some(trainer.unwrap()),
            ..report()
        }
        .text();
        assert!(text.ends_with("  warning: the clock is wrong\n"), "{text}");
    }

    #[test]
    fn a_trainer_that_is_down_is_shown_not_fatal() {
        let text = Report {
            trainer_error: Some("it is down".into()),
            ..report()
        }
        .text();
        assert!(text.ends_with("Trainer: it is down\n"));
    }

    /// The lines between the node's and the tables.
    fn remarks(report: Report) -> String {
        let text = report.text();
        let (head, _) = text.split_once("\n\n").unwrap();
        head.lines().skip(2).collect()
    }

    #[test]
    fn a_clock_that_is_not_the_network_s_is_one_line() {
        let with = |offset_ms, warning: Option<&str>| {
            let warning = warning.map(Into::into);
            remarks(Report {
                clock: Some(Clock { offset_ms, warning }),
                ..report()
            })
        };
        assert_eq!(with(None, None), "");
        assert_eq!(with(Some(1_900), None), "");
        let ahead = with(Some(35_200), None);
        assert!(
            ahead.starts_with("clock: about 35 s ahead of the network's: "),
            "{ahead}"
        );
        assert!(with(Some(-900_000), None).starts_with("clock: about 15 min behind the network's: "));
        assert_eq!(with(Some(0), Some("it is wrong")), "clock: it is wrong");
    }

    #[test]
    fn where_the_node_knows_nothing_the_trainer_s_peers_tell_the_time() {
        let trainer: trainer::Status = serde_json::from_str(
            r#"{"version":"1","peer_id":"12D3","engine":{"state":"ready"},"clock":{"offset_ms":-4000,"peers":3}}"#,
        )
        .unwrap();
        let report = Report {
            trainer: Some(trainer),
            ..report()
        };
        assert!(remarks(report).starts_with("clock: about 4.0 s behind"));
    }

    #[test]
    fn a_newest_block_that_is_not_of_now_is_one_line() {
        let with = |block_age| {
            remarks(Report {
                block_age,
                ..report()
            })
        };
        assert_eq!(with(29.0), "");
        assert_eq!(with(-4.0), "");
        assert!(
            with(300.0).starts_with("last block: 5 min ago"),
            "{}",
            with(300.0)
        );
        assert!(
            with(-900.0).starts_with("last block: 15 min ahead of this PC's clock"),
            "{}",
            with(-900.0)
        );
        // A minute between blocks is as it should be where slots are that long.
        let slow = |block_age| {
            remarks(Report {
                block_age,
                slot: Duration::from_secs(60),
                ..report()
            })
        };
        assert_eq!(slow(359.0), "");
        assert!(
            slow(361.0).starts_with("last block: 6 min ago"),
            "{}",
            slow(361.0)
        );
        let genesis = Report {
            block: 0,
            block_age: 1e9,
            ..report()
        };
        assert_eq!(remarks(genesis), "");
        let syncing = Report {
            syncing: true,
            block_age: 1e6,
            ..report()
        };
        assert_eq!(remarks(syncing), "");
    }
}
