//! What is said beside the steps: the clock, how others reach this PC, the models that are here, and who sent the coins that were
//! waited for.
//!
//! Nothing here decides anything. Each is said once, and the clock and how others reach this PC again when that changes.

use hydra_primitives::{AccountBytes, Balance, ModelId, status::ModelStatus};
use hydra_trainer_api::ModelState;
use std::{collections::BTreeSet, time::Duration};
use tokio::time::Instant;

use super::event::Event;
use crate::{
    accounts,
    chain::{Block, Chain, Happening, News},
    report::{
        clock,
        figures::accuracy,
        reach::{self, Reach},
    },
    trainer::Status,
};

/// So long it may be unknown how others reach this PC before that is said.
const PATIENCE: Duration = Duration::from_secs(300);
/// How many blocks are looked through at most for who sent coins.
const BLOCKS: usize = 24;
/// How many senders are named at most: anybody may send a little.
const SENDERS: usize = 3;

/// Remembers what was said.
#[derive(Debug, Default)]
pub struct Asides {
    clock_is_wrong: Option<bool>,
    reach: Option<Reach>,
    unknown_since: Option<Instant>,
    models: BTreeSet<ModelId>,
}

impl Asides {
    /// Of the clock, if it is known and not said yet how it is.
    pub fn clock(&mut self, offset_ms: Option<i64>) -> Option<Event> {
        let offset_ms = offset_ms?;
        let is_wrong = clock::is_wrong(offset_ms);
        let is_told = self.clock_is_wrong.replace(is_wrong) == Some(is_wrong);
        (!is_told).then_some(Event::Clock { offset_ms, is_wrong })
    }

    /// Of how others reach this PC, if it is known and not said yet, or stays unknown. `node_port` is its node's port for other nodes.
    pub fn reach(&mut self, trainer: Option<&Status>, node_port: u16, now: Instant) -> Option<Event> {
        let status = trainer?;
        let reach = Reach::of(status)?;
        if reach == Reach::Unknown {
            let since = *self.unknown_since.get_or_insert(now);
            // What was known before counts until something else is; and one that only this PC is to reach has nothing to find out.
            let is_news = self.reach.is_none() && now.saturating_duration_since(since) >= PATIENCE;
            if !is_news || reach::listens_here_only(status) {
                return None;
            }
        } else {
            self.unknown_since = None;
        }
        if self.reach.replace(reach) == Some(reach) {
            return None;
        }
        let said = status.reachability.as_ref()?;
        Some(Event::Reachability {
            how: said.state.clone(),
            at: said.at.clone(),
            reason: said.reason.clone(),
            peers: status.peers.len(),
            todo: reach::advice(status, Some(node_port)),
        })
    }

    /// Of the models of which the trainer has what the chain has confirmed. A node that can't tell is asked again at the next look.
    pub async fn models(&mut self, chain: &Chain, at: Block, trainer: Option<&Status>) -> Vec<Event> {
        let mut events = Vec::new();
        for held in trainer.into_iter().flat_map(|status| &status.models) {
            if self.models.contains(&held.model) || held.version.is_none() {
                continue;
            }
            let model = chain.model(held.model, at.hash).await.ok().flatten();
            if let Some(model) = model.filter(|model| is_confirmed(held, model)) {
                self.models.insert(held.model);
                events.push(checked(&model));
            }
        }
        events
    }
}

/// Whether what the trainer holds is the chain's newest confirmed version, by its number and by the hash of its weights.
fn is_confirmed(held: &ModelState, model: &ModelStatus) -> bool {
    let weights = held.weights.as_deref().map(|text| text.trim_start_matches("0x"));
    held.version == Some(model.confirmed_version)
        && weights.is_some_and(|digits| digits.eq_ignore_ascii_case(&hex::encode(model.weights.0)))
}

fn checked(model: &ModelStatus) -> Event {
    Event::ModelChecked {
        model: model.model,
        dataset: String::from_utf8_lossy(&model.dataset.name).into_owned(),
        version: model.confirmed_version,
        accuracy: model.score.and_then(|score| accuracy(&score)),
    }
}

/// Who sent coins to an account while it waited for them.
#[derive(Debug, Default)]
pub struct Senders {
    /// The block of the last look, and what could be spent in it.
    last: Option<(Block, Balance)>,
    found: Vec<AccountBytes>,
}

impl Senders {
    /// Looks through the blocks since the last look, if more can be spent since.
    pub async fn look(&mut self, chain: &Chain, account: &AccountBytes, at: Block, spendable: Balance) {
        let before = self.last.replace((at, spendable));
        let Some((last, _)) = before.filter(|(_, had)| *had < spendable) else {
            return;
        };
        let mut block = at;
        let mut left = BLOCKS;
        while block.number > last.number && left > 0 {
            // A node that has no state of it, or is away: then it isn't known who sent them, and that is no failure.
            let Ok(news) = chain.news(block).await else { return };
            self.add(&news, account);
            let Ok(parent) = chain.parent(block).await else {
                return;
            };
            (block, left) = (parent, left - 1);
        }
    }

    fn add(&mut self, news: &News, account: &AccountBytes) {
        for happening in &news.happenings {
            match happening {
                Happening::Sent { from, to, .. } if to == account && !self.found.contains(from) => {
                    self.found.push(*from);
                }
                _ => {}
            }
        }
    }

    /// Their addresses. What is waited for later is another matter.
    pub fn take(&mut self) -> Vec<String> {
        let found = std::mem::take(self).found;
        found.iter().take(SENDERS).map(accounts::address).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hydra_primitives::{
        H256,
        digits::{digits_manifest, digits_spec},
        proposal::Score,
        status::Phase,
    };
    use hydra_trainer_api::Advice;
    use std::time::SystemTime;

    #[test]
    fn the_clock_is_said_once_and_again_when_that_changes() {
        let mut asides = Asides::default();
        assert_eq!(asides.clock(None), None);
        let right = Event::Clock {
            offset_ms: 40,
            is_wrong: false,
        };
        assert_eq!(asides.clock(Some(40)), Some(right));
        assert_eq!(asides.clock(Some(-900)), None);
        assert_eq!(asides.clock(None), None);
        let wrong = Event::Clock {
            offset_ms: -5_000,
            is_wrong: true,
        };
        assert_eq!(asides.clock(Some(-5_000)), Some(wrong));
        assert_eq!(asides.clock(Some(-6_000)), None);
        assert!(asides.clock(Some(0)).is_some());
    }

    const MAPPED: &str =
        "this PC's router passes a port on to it, so others reach it at 203.0.113.7:30400: 2 of them got in";

    #[test]
    fn how_others_reach_this_pc_is_said_once_it_is_known_and_again_when_that_changes() {
        let status = |state: &str| -> Status {
            let text = format!(
                r#"{{"version":"1","peer_id":"x","engine":{{"state":"ready"}},"listen":["/ip4/192.168.1.5/tcp/30400"],
                    "peers":[{{"peer_id":"y","address":"z"}}],
                    "reachability":{{"state":"{state}","at":"203.0.113.7:30400","reason":"{MAPPED}"}}}}"#
            );
            serde_json::from_str(&text).unwrap()
        };
        let mut asides = Asides::default();
        let now = Instant::now();
        let mut look = |state: &str| asides.reach(Some(&status(state)), 30_333, now);
        assert_eq!(look("unknown"), None);
        let mapped = look("mapped").unwrap();
        assert_eq!(
            mapped.text(),
            "✓ reach    others reach this PC through its router at 203.0.113.7:30400: 2 of them got in; connected to 1 PC"
        );
        assert_eq!(
            (look("mapped"), look("unknown"), look("mapped")),
            (None, None, None)
        );
        let mut nobody = status("unreachable");
        let said = nobody.reachability.as_mut().unwrap();
        said.reason = "nobody has reached this PC directly".into();
        (said.at, said.advice) = (None, Some(Advice::OpenPorts));
        let text = asides.reach(Some(&nobody), 30_333, now).unwrap().text();
        assert!(
            text.starts_with("! reach    others can't reach this PC: ") && text.contains("port 30333, TCP,"),
            "{text}"
        );
        assert!(asides.reach(Some(&status("mapped")), 30_333, now).is_some());
        assert_eq!(asides.reach(None, 30_333, now), None);
    }

    #[test]
    fn that_it_stays_unknown_how_others_reach_this_pc_is_said_once_unless_it_listens_for_this_pc_alone() {
        let status = |listen: &str| -> Status {
            let text = format!(
                r#"{{"version":"1","peer_id":"x","engine":{{"state":"ready"}},"listen":["{listen}"],
                    "reachability":{{"state":"unknown","reason":"no PC on the internet was met"}}}}"#
            );
            serde_json::from_str(&text).unwrap()
        };
        let now = Instant::now();
        for (listen, is_said) in [
            ("/ip4/192.168.1.5/tcp/30400", true),
            ("/ip4/127.0.0.1/tcp/30400", false),
        ] {
            let mut asides = Asides::default();
            let mut look = |after| asides.reach(Some(&status(listen)), 30_333, now + after);
            assert_eq!(look(Duration::ZERO), None);
            assert_eq!(look(PATIENCE / 2), None);
            let said = look(PATIENCE).map(|event| event.text());
            assert_eq!(said.is_some(), is_said, "{said:?}");
            let is_true = said.is_none_or(|text| text.starts_with("… reach    it is not known yet"));
            assert!(is_true);
            assert_eq!(look(PATIENCE * 2), None);
        }
    }

    fn model() -> ModelStatus {
        ModelStatus {
            model: 0,
            spec: digits_spec(),
            dataset: digits_manifest(),
            round: 813,
            phase: Phase::Train,
            waiting: None,
            phase_ends_at: 9,
            places: 4,
            proposals: 0,
            decided: 0,
            version: 812,
            version_poll: None,
            confirmed_version: 812,
            weights: H256::repeat_byte(0xab),
            score: Some(Score {
                correct: 350,
                total: 360,
                loss: 90_000,
            }),
        }
    }

    #[test]
    fn a_model_is_checked_if_the_trainer_has_the_very_weights_that_the_chain_names() {
        let held = |version: u32, weights: &str| -> ModelState {
            let text = format!(
                r#"{{"model":0,"state":"idle","round":1,"phase":"train","version":{version},"weights":{weights}}}"#
            );
            serde_json::from_str(&text).unwrap()
        };
        let hash = format!("\"{:?}\"", H256::repeat_byte(0xab));
        assert!(is_confirmed(&held(812, &hash), &model()));
        // A version that isn't confirmed yet, another's weights, and none.
        assert!(!is_confirmed(&held(813, &hash), &model()));
        let other = format!("\"{:?}\"", H256::repeat_byte(1));
        assert!(!is_confirmed(&held(812, &other), &model()));
        assert!(!is_confirmed(&held(812, "null"), &model()));
        let text = checked(&model()).text();
        assert!(text.contains("version 812, 97.22 % right, checked"), "{text}");
    }

    #[test]
    fn senders_are_those_who_sent_to_this_account_each_once_and_forgotten_when_told() {
        let sent = |from: u8, to: u8| Happening::Sent {
            from: [from; 32],
            to: [to; 32],
            amount: 5,
        };
        let news = |happenings| News {
            block: Block {
                number: 1,
                hash: Default::default(),
            },
            time: SystemTime::UNIX_EPOCH,
            transactions: 1,
            happenings,
        };
        let mut senders = Senders::default();
        senders.add(&news(vec![sent(1, 9), sent(2, 8), sent(9, 1)]), &[9; 32]);
        senders.add(&news(vec![sent(1, 9), sent(3, 9)]), &[9; 32]);
        let addresses = [[1; 32], [3; 32]].map(|account| accounts::address(&account));
        assert_eq!(senders.take(), addresses);
        assert!(senders.take().is_empty());
        let many = (10..20).map(|from| sent(from, 9)).collect();
        senders.add(&news(many), &[9; 32]);
        assert_eq!(senders.take().len(), SENDERS);
    }
}
