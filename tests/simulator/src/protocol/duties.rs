//! What each account owes after a block, and what its answers become. Made in one pass over the models, since a duty sheet for each
//! account would read every poll once for each of them; a test compares the two.

use hydra_primitives::{
    AccountBytes, BlobRef, H256, ModelId, RoundNumber, Version,
    duty::DutyResult,
    model::ModelSpec,
    proposal::{Proposal, ProposalKey, Report},
    status::Phase,
    update::{Encoding, UpdateHeader},
    vote::{RejectReason, Vote, commitment},
};
use hydra_runtime::{AccountId, Nonce, Runtime, System};
use pallet_stake_voting::{Ballot, Polls};
use pallet_training_proposals::{Attestations, Model, Models, Proposals, Round, Rounds, Versions};
use std::collections::BTreeMap;

use super::{SCORE, VersionInfo};
use crate::{
    duty::{Duty, Kind},
    symbol::Symbol,
};

const SALT: &str = "hydraai 2026 simulated salt v1";

/// What an account owes.
pub struct Sheet {
    /// The account.
    pub who: AccountId,
    /// How many transactions of it are in blocks.
    pub nonce: Nonce,
    /// What it owes, in the order in which it should be done.
    pub owed: Vec<Owed>,
}

/// A duty, and what the chain needs to know of its answer.
pub struct Owed {
    /// The duty.
    pub duty: Duty,
    form: Form,
}

impl Owed {
    /// Whose claim it is about, if it is about a claim of somebody else.
    pub fn proposer(&self) -> Option<AccountBytes> {
        match &self.form {
            Form::Commit { key, .. } | Form::Reveal { key, .. } => Some(key.proposer),
            Form::Propose { .. } | Form::Attest { .. } => None,
        }
    }
}

#[derive(Clone)]
enum Form {
    Propose {
        task_seed: H256,
        question: H256,
        base: H256,
        size: u64,
        steps: u32,
    },
    Attest {
        version: Version,
        recipe: H256,
    },
    Commit {
        key: ProposalKey<AccountBytes>,
        claim: Symbol,
    },
    Reveal {
        key: ProposalKey<AccountBytes>,
        commitment: H256,
    },
}

/// What everybody owes, account by account; whoever owes nothing is left out.
pub fn sheets() -> Vec<Sheet> {
    let mut owed: BTreeMap<AccountId, Vec<Owed>> =
        super::ready().into_iter().map(|who| (who, Vec::new())).collect();
    for model in 0..Models::<Runtime>::count() {
        let (Some(info), Some(round), Some(version)) = (
            Models::<Runtime>::get(model),
            Rounds::<Runtime>::get(model),
            Versions::<Runtime>::get(model),
        ) else {
            continue;
        };
        add_folds(model, &info, &round, &version, &mut owed);
        match round.phase {
            Phase::Train => add_tasks(model, &info, &round, &version, &mut owed),
            Phase::Verify | Phase::Reveal => add_votes(model, &info, &round, &version, &mut owed),
            Phase::Settle => {}
        }
    }
    owed.into_iter()
        .filter(|(_, owed)| !owed.is_empty())
        .map(|(who, owed)| Sheet {
            nonce: System::account_nonce(&who),
            who,
            owed,
        })
        .collect()
}

fn add_folds(
    model: ModelId,
    info: &Model,
    round: &Round,
    version: &VersionInfo,
    owed: &mut BTreeMap<AccountId, Vec<Owed>>,
) {
    if version.version == 0 {
        return;
    }
    let attestations = Attestations::<Runtime>::get(model);
    let recipe = super::recipe(version);
    let first = attestations.values().next();
    let said = first.map(|attestation| Symbol::behind(&attestation.weights, &recipe));
    let work = measuring(info);
    for (who, list) in owed.iter_mut() {
        if !attestations.contains_key(who) {
            list.push(Owed {
                duty: duty(Kind::Fold, model, round.number, said, work),
                form: Form::Attest {
                    version: version.version,
                    recipe,
                },
            });
        }
    }
}

fn add_tasks(
    model: ModelId,
    info: &Model,
    round: &Round,
    version: &VersionInfo,
    owed: &mut BTreeMap<AccountId, Vec<Owed>>,
) {
    let proposals = Proposals::<Runtime>::get(model);
    let base = super::base(version);
    let size = update_size(&info.spec);
    for (who, list) in owed.iter_mut() {
        if !proposals.contains_key(who) {
            let (task_seed, question) = super::question(model, round, who, &base);
            list.push(Owed {
                duty: duty(Kind::Task, model, round.number, None, info.spec.work()),
                form: Form::Propose {
                    task_seed,
                    question,
                    base,
                    size,
                    steps: info.spec.task.steps,
                },
            });
        }
    }
}

fn add_votes(
    model: ModelId,
    info: &Model,
    round: &Round,
    version: &VersionInfo,
    owed: &mut BTreeMap<AccountId, Vec<Owed>>,
) {
    for (proposer, proposal) in Proposals::<Runtime>::get(model) {
        let claim = super::claim(model, round, version, &proposer, &proposal);
        let on_chain = ProposalKey {
            model,
            round: round.number,
            proposer,
        };
        let Some(poll) = Polls::<Runtime>::get(&on_chain) else {
            continue;
        };
        let key = ProposalKey {
            model,
            round: round.number,
            proposer: super::bytes(&on_chain.proposer),
        };
        for member in poll.committee {
            let (kind, work, form) = match (round.phase, member.ballot) {
                (Phase::Verify, Ballot::Absent) => {
                    let key = key.clone();
                    (Kind::Check, info.spec.work(), Form::Commit { key, claim })
                }
                (Phase::Reveal, Ballot::Committed(commitment)) => {
                    let key = key.clone();
                    (Kind::Reveal, 0, Form::Reveal { key, commitment })
                }
                _ => continue,
            };
            if let Some(list) = owed.get_mut(&member.who) {
                list.push(Owed {
                    duty: duty(kind, model, round.number, Some(claim), work),
                    form,
                });
            }
        }
    }
}

fn duty(kind: Kind, model: ModelId, round: RoundNumber, said: Option<Symbol>, work: u64) -> Duty {
    Duty {
        kind,
        model,
        round,
        said,
        work,
    }
}

/// What it costs to measure weights on the validation set, by which a fold's result is named.
fn measuring(info: &Model) -> u64 {
    let sample = u64::from(info.dataset.kind.inputs()) + 1;
    info.dataset.validation.size / sample * info.spec.architecture.parameters()
}

fn update_size(spec: &ModelSpec) -> u64 {
    UpdateHeader {
        encoding: Encoding::Dense,
        parameters: spec.architecture.parameters(),
    }
    .blob_size()
}

/// What an account's answer becomes on chain.
pub fn result(who: &AccountId, owed: &Owed, answer: Symbol) -> DutyResult {
    let (model, round) = (owed.duty.model, owed.duty.round);
    match &owed.form {
        Form::Propose {
            task_seed,
            question,
            base,
            size,
            steps,
        } => DutyResult::Propose {
            model,
            round,
            task_seed: *task_seed,
            proposal: Proposal {
                base: *base,
                update: BlobRef {
                    hash: answer.hash(question),
                    size: *size,
                },
                trace_root: answer.hash(task_seed),
                report: Report {
                    loss_before: 2_000_000,
                    loss_after: 1_000_000,
                    validation: SCORE,
                    steps: *steps,
                    milliseconds: 5,
                },
            },
        },
        Form::Attest { version, recipe } => DutyResult::Attest {
            model,
            version: *version,
            recipe: *recipe,
            weights: answer.hash(recipe),
            score: SCORE,
        },
        Form::Commit { key, claim } => {
            let vote = if answer == *claim { ACCEPT } else { REJECT };
            DutyResult::CommitVote {
                key: key.clone(),
                commitment: hide(who, key, vote),
            }
        }
        // As the trainer does: the vote is the one that was committed, whatever the claim is by now.
        Form::Reveal { key, commitment } => {
            let vote = if hide(who, key, ACCEPT) == *commitment {
                ACCEPT
            } else {
                REJECT
            };
            DutyResult::RevealVote {
                key: key.clone(),
                vote,
                salt: salt(who, &key.id()),
            }
        }
    }
}

const ACCEPT: Vote = Vote::Accept;
const REJECT: Vote = Vote::Reject(RejectReason::SegmentDiffers);

/// As the trainer's: it depends on account and proposal, and on nothing else.
fn salt(who: &AccountId, proposal: &H256) -> H256 {
    hydra_primitives::domain_hash(SALT, &[&super::bytes(who), proposal.as_bytes()])
}

fn hide(who: &AccountId, key: &ProposalKey<AccountBytes>, vote: Vote) -> H256 {
    let id = key.id();
    commitment(&vote, &salt(who, &id), &super::bytes(who), &id)
}
