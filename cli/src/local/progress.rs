//! How a local network is doing, as text: a block that is redrawn on a terminal, a line per change elsewhere.

use hydra_host::terminal;
use hydra_primitives::{
    Permill,
    status::{ModelStatus, Phase},
};
use std::io::{self, Write};

use crate::{
    amount,
    report::{
        accounts::{self, Account},
        figures::{accuracy, percent},
        models::{self, Model},
    },
};

/// What is known of the network at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// The newest block.
    pub block: u64,
    /// The newest block that can't be undone.
    pub finalised: u64,
    /// The models at the newest block.
    pub models: Vec<ModelStatus>,
    /// The models at the newest final block.
    pub final_models: Vec<ModelStatus>,
    /// The accounts.
    pub accounts: Vec<Account>,
}

impl Snapshot {
    /// Whether a model that can't be undone any more is right in at least this share of cases.
    pub fn reached(&self, goal: f64) -> bool {
        let goal = Permill::from_parts((goal * 1e6).round() as u32);
        self.final_models
            .iter()
            .filter_map(|model| model.score)
            .any(|score| score.total > 0 && score.at_least(goal))
    }

    /// The best that was seen, for messages.
    pub fn summary(&self) -> String {
        let score = |model: &ModelStatus| model.score.and_then(|score| accuracy(&score));
        let best = self
            .final_models
            .iter()
            .filter_map(|model| Some((score(model)?, model.confirmed_version)));
        match best.max_by(|a, b| a.0.total_cmp(&b.0)) {
            Some((share, version)) => format!("version {version} has {}", percent(Some(share))),
            None => format!(
                "no version was confirmed; block {}, finalised {}",
                self.block, self.finalised
            ),
        }
    }

    /// As a block of several lines.
    fn block_text(&self) -> String {
        let models: Vec<Model> = self
            .models
            .iter()
            .map(|status| Model::new(status, self.block))
            .collect();
        format!(
            "block {}, finalised {}\n\n{}\n{}",
            self.block,
            self.finalised,
            models::table(&models),
            accounts::table(&self.accounts)
        )
    }

    /// As one line per model. Blocks are left out of what counts as a change: see [`Snapshot::change_key`].
    fn lines(&self) -> Vec<String> {
        let balances: Vec<String> = self
            .accounts
            .iter()
            .map(|account| format!("{} {}", account.name, amount::short(account.free)))
            .collect();
        let line = |model: &ModelStatus| {
            let accuracy = percent(model.score.and_then(|score| accuracy(&score)));
            format!(
                "block {} finalised {} | model {} round {} {:?} | {} | version {} confirmed {} | accuracy {accuracy} | {}",
                self.block,
                self.finalised,
                model.model,
                model.round,
                model.phase,
                far(model),
                model.version,
                model.confirmed_version,
                balances.join(", ")
            )
        };
        self.models.iter().map(line).collect()
    }

    /// What has to change for a new line: everything but the height, which changes every two seconds.
    fn change_key(&self) -> Self {
        Self {
            block: 0,
            finalised: 0,
            final_models: Vec::new(),
            ..self.clone()
        }
    }
}

/// How far a round is, or why it doesn't go on.
fn far(model: &ModelStatus) -> String {
    match (model.waiting, model.phase) {
        (Some(reason), _) => format!("waits: {}", models::why(reason)),
        (None, Phase::Pause) => "between two rounds".into(),
        (None, Phase::Train) => format!("proposals {} of {}", model.proposals, model.places),
        (None, Phase::Verify) => format!("checked {} of {}", model.decided, model.proposals),
    }
}

/// Shows snapshots on stderr.
pub struct Display {
    /// Whether what was drawn may be drawn over.
    redraws: bool,
    drawn: usize,
    last: Option<Snapshot>,
}

impl Default for Display {
    fn default() -> Self {
        Self {
            redraws: terminal::stderr_is_styled(),
            drawn: 0,
            last: None,
        }
    }
}

impl Display {
    /// Shows how things are now.
    pub fn show(&mut self, now: &Snapshot) {
        let text = self.text(now);
        let mut out = io::stderr().lock();
        // Nobody may be watching; the network runs all the same.
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }

    /// From here on others write to stderr: the block drawn last stays as it is.
    pub fn release(&mut self) {
        self.drawn = 0;
    }

    fn text(&mut self, now: &Snapshot) -> String {
        if self.redraws {
            let text = now.block_text();
            // Up over what was drawn, clear from there on; long lines are cut rather than wrapped, or the count of
            // lines would be wrong.
            let up = if self.drawn > 0 {
                format!("\x1b[{}A", self.drawn)
            } else {
                String::new()
            };
            self.drawn = text.lines().count();
            return format!("{up}\r\x1b[J\x1b[?7l{text}\x1b[?7h");
        }
        let key = now.change_key();
        if self.last.as_ref() == Some(&key) {
            return String::new();
        }
        self.last = Some(key);
        now.lines().into_iter().map(|line| line + "\n").collect()
    }
}

/// Also holds an example model for other modules' tests.
#[cfg(test)]
pub mod tests {
    use super::*;
    use hydra_primitives::{
        BlobRef, H256,
        dataset::{DatasetKind, DatasetManifest},
        model::{Aggregator, Architecture, ModelSpec, PhaseLengths, Profile, TaskSpec},
        proposal::Score,
        status::Waiting,
    };

    /// A model in its third round.
    pub fn model() -> ModelStatus {
        let blob = BlobRef {
            hash: H256::zero(),
            size: 1,
        };
        ModelStatus {
            model: 0,
            spec: ModelSpec {
                architecture: Architecture::Mlp {
                    layers: vec![64, 64, 10].try_into().unwrap(),
                },
                profile: Profile::ArithmeticV1,
                task: TaskSpec {
                    steps: 30,
                    batch_size: 32,
                    learning_rate: Permill::from_percent(10),
                    momentum: Permill::from_percent(90),
                },
                aggregator: Aggregator::Mix {
                    rate: Permill::from_percent(10),
                },
                init_seed: 1,
                phases: PhaseLengths {
                    train: 10,
                    verify: 10,
                },
                roster: 32,
                first_seats: 20,
            },
            dataset: DatasetManifest {
                name: b"digits".to_vec().try_into().unwrap(),
                kind: DatasetKind::Images {
                    height: 8,
                    width: 8,
                    channels: 1,
                    classes: 10,
                    max_value: 16,
                },
                shards: vec![blob].try_into().unwrap(),
                validation: blob,
            },
            round: 3,
            phase: Phase::Train,
            waiting: None,
            phase_ends_at: 40,
            places: 4,
            proposals: 1,
            decided: 0,
            version: 3,
            version_poll: None,
            confirmed_version: 3,
            weights: H256::repeat_byte(1),
            score: Some(Score {
                correct: 342,
                total: 360,
                loss: 200_000,
            }),
        }
    }

    fn snapshot() -> Snapshot {
        Snapshot {
            block: 33,
            finalised: 31,
            models: vec![model()],
            final_models: vec![model()],
            accounts: vec![],
        }
    }

    #[test]
    fn the_goal_is_reached_by_a_final_version_only() {
        assert!(snapshot().reached(0.95));
        assert!(!snapshot().reached(0.9501));
        assert!(
            !Snapshot {
                final_models: vec![],
                ..snapshot()
            }
            .reached(0.5)
        );
        let untested = ModelStatus {
            score: Some(Score {
                correct: 0,
                total: 0,
                loss: 0,
            }),
            ..model()
        };
        assert!(
            !Snapshot {
                final_models: vec![untested],
                ..snapshot()
            }
            .reached(0.1)
        );
    }

    #[test]
    fn a_line_is_written_when_something_but_the_height_changes() {
        let mut display = Display {
            redraws: false,
            drawn: 0,
            last: None,
        };
        assert_eq!(
            display.text(&snapshot()),
            "block 33 finalised 31 | model 0 round 3 Train | proposals 1 of 4 | version 3 confirmed 3 | \
             accuracy 95.00 % | \n"
        );
        assert_eq!(
            display.text(&Snapshot {
                block: 34,
                finalised: 32,
                ..snapshot()
            }),
            ""
        );
        let next = ModelStatus {
            proposals: 2,
            ..model()
        };
        assert!(
            display
                .text(&Snapshot {
                    models: vec![next],
                    ..snapshot()
                })
                .contains("proposals 2 of 4")
        );
        let verified = ModelStatus {
            phase: Phase::Verify,
            proposals: 4,
            decided: 3,
            ..model()
        };
        assert_eq!(far(&verified), "checked 3 of 4");
        let waiting = ModelStatus {
            waiting: Some(Waiting::Turn),
            ..verified
        };
        assert!(far(&waiting).starts_with("waits: all models' duties"));
    }

    #[test]
    fn a_terminal_sees_one_block_redrawn() {
        let mut display = Display {
            redraws: true,
            drawn: 0,
            last: None,
        };
        let first = display.text(&snapshot());
        assert!(first.starts_with("\r\x1b[J"));
        let lines = snapshot().block_text().lines().count();
        assert!(display.text(&snapshot()).starts_with(&format!("\x1b[{lines}A")));
        display.release();
        assert!(display.text(&snapshot()).starts_with('\r'));
    }

    #[test]
    fn the_summary_says_what_was_seen() {
        assert_eq!(snapshot().summary(), "version 3 has 95.00 %");
        let nothing = Snapshot {
            final_models: vec![],
            ..snapshot()
        };
        assert_eq!(
            nothing.summary(),
            "no version was confirmed; block 33, finalised 31"
        );
    }
}
