//! What everybody owes, kept from block to block by what the chain's events tell, so that nobody has to be asked who owes nothing: a duty
//! sheet for each account would read every poll once for each of them, and ten thousand accounts are asked for little. Two tests in
//! `tests/all/runs.rs` compare: with the pallets' own sheets, and with a watch that has read everything anew.
//!
//! Everything here reads the state and must be called within the chain's externalities.

use hydra_primitives::{
    BlockNumber, ModelId, RoundNumber,
    electorate::{Draw, Purpose, SessionIndex},
    poll::PollId,
    proposal::PlaceKey,
    status::Phase,
    task::PlaceIndex,
    traits::Sessions as _,
};
use hydra_runtime::{AccountId, Runtime, RuntimeEvent};
use pallet_reputation::{Event as InReputation, Nodes, heartbeat_time};
use pallet_stake_voting::{Event as InPolls, Polls};
use pallet_training_proposals::{Event as InTraining, Models, Places, Rounds};
use std::collections::{BTreeMap, BTreeSet};

use super::{
    asked::Asked,
    duties::{Form, Owed, Sheet},
    facts,
    view::{self, View},
};
use crate::{
    duty::{Duty, Kind, Stage},
    fact::Fact,
    symbol::{Answer, Symbol},
};

type Sessions = <Runtime as pallet_reputation::Config>::Sessions;

/// Places of a round that nothing was proposed for.
struct Vacant {
    round: RoundNumber,
    opened_at: BlockNumber,
    places: BTreeMap<PlaceIndex, AccountId>,
}

/// Who owes a heartbeat.
#[derive(Default)]
struct Heartbeats {
    session: Option<SessionIndex>,
    /// Whose time in this session has not come, the last one first.
    early: Vec<(u16, AccountId)>,
    /// Whose time has come.
    due: BTreeSet<AccountId>,
    /// Who missed a duty, and is back with the next one.
    away: BTreeSet<AccountId>,
}

/// What everybody owes.
pub struct Watch {
    /// Everybody who may take part.
    accounts: Vec<AccountId>,
    learns: bool,
    models: BTreeMap<ModelId, View>,
    vacant: BTreeMap<ModelId, Vacant>,
    polls: BTreeMap<PollId, Asked>,
    heartbeats: Heartbeats,
}

impl Watch {
    /// Reads what is owed in the state after the block `now`.
    pub fn load(accounts: Vec<AccountId>, learns: bool, now: BlockNumber) -> Self {
        let models: BTreeMap<_, _> = (0..Models::<Runtime>::count())
            .filter_map(|model| Some((model, View::load(model)?)))
            .collect();
        let polls = Polls::<Runtime>::iter().filter_map(|(id, poll)| {
            let view = models.get(&model_of(&poll.purpose)?)?;
            Some((id, Asked::load(&id, view, learns, now)?))
        });
        let polls = polls.collect();
        let away = Nodes::<Runtime>::iter().filter(|(_, node)| node.away);
        Self {
            heartbeats: Heartbeats {
                away: away.map(|(who, _)| who).collect(),
                ..Heartbeats::default()
            },
            accounts,
            learns,
            models,
            vacant: BTreeMap::new(),
            polls,
        }
    }

    /// The same, read anew in the state after the block `now`.
    pub fn reload(&self, now: BlockNumber) -> Self {
        Self::load(self.accounts.clone(), self.learns, now)
    }

    /// What happened in the block `now`, read in the state after it.
    pub fn note(&mut self, now: BlockNumber, events: &[RuntimeEvent]) -> Vec<Fact> {
        let mut facts = Vec::new();
        for event in events {
            match event {
                RuntimeEvent::StakeVoting(event) => {
                    self.note_poll(now, event, &mut facts);
                    facts.extend(facts::in_polls(event));
                }
                RuntimeEvent::TrainingProposals(event) => {
                    facts.extend(self.note_training(event));
                    facts.extend(facts::in_training(event));
                }
                RuntimeEvent::Reputation(event) => self.note_node(event),
                other => facts.extend(facts::in_money(other)),
            }
        }
        facts
    }

    fn note_poll(&mut self, now: BlockNumber, event: &InPolls<Runtime>, facts: &mut Vec<Fact>) {
        match event {
            InPolls::PollAsked {
                poll,
                purpose,
                claimant,
                ..
            } => {
                let Some(model) = model_of(purpose) else {
                    return;
                };
                let Some(view) = self.models.get_mut(&model) else {
                    return;
                };
                if claimant.is_none() {
                    view.newest = view::newest(model);
                }
                if let Some(asked) = Asked::load(poll, view, self.learns, now) {
                    self.polls.insert(*poll, asked);
                }
            }
            InPolls::SeatsDrawn { poll, draw, .. } => {
                if let Some(asked) = self.polls.get_mut(poll) {
                    asked.drawn(poll, *draw, now);
                    facts.extend(asked.seats().map(|(who, seats)| Fact::Seated {
                        who: who.clone(),
                        seats,
                        first: *draw == Draw::First,
                    }));
                }
            }
            InPolls::DigestGiven { poll, who } => {
                if let Some(asked) = self.polls.get_mut(poll) {
                    asked.given(who);
                }
            }
            InPolls::DigestsClosed { poll, .. } => {
                if let Some(asked) = self.polls.get_mut(poll) {
                    asked.closed(now);
                }
            }
            InPolls::PollDecided { poll, .. } => {
                self.polls.remove(poll);
            }
            _ => {}
        }
    }

    fn note_training(&mut self, event: &InTraining<Runtime>) -> Option<Fact> {
        match event {
            InTraining::Proposed {
                place: key, claim, ..
            } => {
                let round = Rounds::<Runtime>::get(key.model)?;
                if let Some(vacant) = self.vacant.get_mut(&key.model) {
                    vacant.places.remove(&key.place);
                }
                let base = self.models.get(&key.model)?.base();
                let honest = view::task(key.model, &round, key.place, &base);
                Some(Fact::Claimed {
                    model: key.model,
                    place: key.place,
                    claim: if claim.base == base {
                        honest.behind(&claim.update.hash)
                    } else {
                        Symbol::OTHER
                    },
                })
            }
            InTraining::VersionConfirmed { model, weights, .. } => {
                let view = self.models.get_mut(model)?;
                view.confirmed = *weights;
                let (_, recipe) = view.newest.take()?;
                Some(Fact::Confirmed {
                    model: *model,
                    version: Symbol::behind(weights, &recipe),
                })
            }
            InTraining::VersionGivenUp { model, .. } => {
                self.models.get_mut(model)?.newest = None;
                None
            }
            InTraining::ModelAdded { model, .. } => {
                self.models.insert(*model, View::load(*model)?);
                None
            }
            _ => None,
        }
    }

    fn note_node(&mut self, event: &InReputation<Runtime>) {
        let Heartbeats { due, away, .. } = &mut self.heartbeats;
        match event {
            InReputation::Left { who, until: None } => {
                away.insert(who.clone());
            }
            // Its time in this session may have come while it rested.
            InReputation::Resumed { who } => {
                due.insert(who.clone());
            }
            InReputation::Heartbeat { who, .. } => {
                due.remove(who);
                away.remove(who);
            }
            _ => {}
        }
    }

    /// What the network waits for in the first model.
    pub fn stage(&self) -> Stage {
        match Rounds::<Runtime>::get(0).map(|round| round.phase) {
            None | Some(Phase::Pause) => Stage::Pause,
            Some(Phase::Train) => Stage::Train,
            Some(Phase::Verify) => {
                let asked = self.polls.values();
                let proposals = asked.filter(|asked| asked.model == 0 && asked.place.is_some());
                match proposals.map(|asked| asked.draw).max() {
                    None | Some(Draw::First) => Stage::First,
                    Some(Draw::Appeal) => Stage::Appeal,
                    Some(Draw::Last) => Stage::Last,
                }
            }
        }
    }

    /// What everybody owes, account by account; whoever owes nothing is left out. Whether it is time for a heartbeat, or somebody's
    /// turn to open, is for [`Owed::is_due`] to say.
    pub fn sheets(&mut self) -> Vec<Sheet> {
        let mut owed: BTreeMap<AccountId, Vec<Owed>> = BTreeMap::new();
        let mut add = |(who, one): (AccountId, Owed)| owed.entry(who).or_default().push(one);
        self.heartbeats.go_on(&self.accounts);
        self.heartbeats.owed().for_each(&mut add);
        // What others wait for the longest comes first: versions before claims, plain copies before hidden ones.
        let polls_on = |version: bool| {
            let polls = self.polls.iter();
            polls.filter(move |(_, asked)| asked.place.is_none() == version)
        };
        for version in [true, false] {
            polls_on(version).for_each(|(id, asked)| asked.openings(*id).for_each(&mut add));
            polls_on(version).for_each(|(id, asked)| asked.digests(*id).for_each(&mut add));
        }
        for (model, view) in &self.models {
            add_tasks(*model, view, &mut self.vacant, &mut add);
        }
        let sheets = owed.into_iter();
        sheets.map(|(who, owed)| Sheet { who, owed }).collect()
    }

    /// The account owes no heartbeat after all: its time is over, or has not come.
    pub fn owes_no_heartbeat(&mut self, who: &AccountId) {
        self.heartbeats.due.remove(who);
    }

    /// Whether a plain copy of this answer decides the poll now.
    pub fn is_decided_by(&mut self, poll: &PollId, who: &AccountId, answer: Answer) -> bool {
        self.polls
            .get_mut(poll)
            .is_some_and(|asked| asked.is_decided_by(poll, who, answer))
    }

    /// How many seats the draw has that a poll is at, and what is claimed, if it is about a claim.
    pub fn contested(&self, poll: &PollId) -> Option<(u32, Option<Symbol>)> {
        self.polls.get(poll).map(Asked::contested)
    }

    /// Who has seats of the draw that a poll is at, and how many.
    pub fn seats(&self, poll: &PollId) -> impl Iterator<Item = (&AccountId, u32)> {
        self.polls.get(poll).into_iter().flat_map(Asked::seats)
    }
}

impl Heartbeats {
    /// What time it is in the session.
    fn go_on(&mut self, accounts: &[AccountId]) {
        let session = Sessions::current();
        if self.session != Some(session) {
            self.session = Some(session);
            self.due.clear();
            self.early = accounts
                .iter()
                .map(|who| (heartbeat_time(&super::bytes(who), session), who.clone()))
                .collect();
            self.early.sort_by(|one, other| other.cmp(one));
        }
        if Sessions::takes_heartbeats() {
            let progress = Sessions::heartbeat_progress();
            while let Some((_, who)) = self.early.pop_if(|(time, _)| *time <= progress) {
                self.due.insert(who);
            }
        } else {
            self.due.clear();
        }
    }

    /// Who owes one, if the chain says so, too.
    fn owed(&self) -> impl Iterator<Item = (AccountId, Owed)> {
        let owed = Owed {
            duty: Duty {
                kind: Kind::Heartbeat,
                model: 0,
                round: 0,
                since: 0,
                said: None,
                told: None,
                shown: None,
                seats: [0; 2],
                work: 0,
            },
            form: Form::Heartbeat(self.session.unwrap_or_default()),
        };
        self.due
            .union(&self.away)
            .map(move |who| (who.clone(), owed.clone()))
    }
}

/// The holders of places for which nothing was proposed owe that.
fn add_tasks(
    model: ModelId,
    view: &View,
    all: &mut BTreeMap<ModelId, Vacant>,
    add: &mut impl FnMut((AccountId, Owed)),
) {
    let round = Rounds::<Runtime>::get(model).filter(|round| round.phase == Phase::Train);
    let Some(round) = round else {
        all.remove(&model);
        return;
    };
    let vacant = all
        .remove(&model)
        .filter(|vacant| (vacant.round, vacant.opened_at) == (round.number, round.opened_at))
        .unwrap_or_else(|| {
            let places = (0..round.places).filter_map(|index| {
                let place = Places::<Runtime>::get(model, index)?;
                place.claim.is_none().then_some((index, place.holder))
            });
            Vacant {
                round: round.number,
                opened_at: round.opened_at,
                places: places.collect(),
            }
        });
    let base = view.base();
    for (place, who) in &vacant.places {
        let owed = Owed {
            duty: Duty {
                kind: Kind::Task,
                model,
                round: round.number,
                since: round.opened_at,
                said: None,
                told: None,
                shown: None,
                seats: [0; 2],
                work: view.work,
            },
            form: Form::Claim {
                key: PlaceKey {
                    model,
                    round: round.number,
                    place: *place,
                },
                seed: view::task_seed(model, &round, *place),
                question: view::task(model, &round, *place, &base),
                base,
                size: view.update_size,
            },
        };
        add((who.clone(), owed));
    }
    all.insert(model, vacant);
}

/// The model that a poll is about.
fn model_of(purpose: &Purpose) -> Option<ModelId> {
    match purpose {
        Purpose::Verification { model, .. } | Purpose::Attestation { model, .. } => Some(*model),
        Purpose::Places { .. } | Purpose::Committee { .. } => None,
    }
}
