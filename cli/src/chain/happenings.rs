//! What happened in a block, from its events: typed, for whoever finds words for it.
//!
//! An event that isn't understood, of a later runtime perhaps, is no error: then nothing is said of it.

use hydra_primitives::{
    AccountBytes, Balance, BlockNumber, RoundNumber, Version, proposal::Score, status::Phase,
};
use std::{
    collections::BTreeSet,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use subxt::{
    error::DispatchError,
    events::{Event, Phase as During},
    ext::scale_decode::{DecodeAsFields, DecodeAsType},
    utils::AccountId32,
};

use super::{Block, Chain, Config, Hash, failure::explain};
use crate::error::Error;

/// What happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Happening {
    /// A result was accepted and paid.
    Accepted {
        /// Whose.
        who: AccountBytes,
        /// In which round.
        round: RoundNumber,
        /// What it earned.
        reward: Balance,
    },
    /// A result was rejected.
    Rejected {
        /// Whose.
        who: AccountBytes,
        /// In which round.
        round: RoundNumber,
    },
    /// A result was neither.
    Undecided {
        /// Whose.
        who: AccountBytes,
        /// In which round.
        round: RoundNumber,
    },
    /// A version is confirmed.
    Confirmed {
        /// The version.
        version: Version,
        /// It on the validation set.
        score: Score,
    },
    /// A round waits once more.
    Extended {
        /// The round.
        round: RoundNumber,
        /// Until this block.
        until: BlockNumber,
    },
    /// A round is settled.
    Settled {
        /// The round.
        round: RoundNumber,
        /// Accepted results.
        accepted: u32,
        /// All of them.
        results: u32,
    },
    /// A round began.
    Opened {
        /// The round.
        round: RoundNumber,
    },
    /// A round is in another phase.
    Moved {
        /// The round.
        round: RoundNumber,
        /// The phase.
        phase: Phase,
    },
    /// A result was proposed.
    Proposed {
        /// By whom.
        who: AccountBytes,
        /// In which round.
        round: RoundNumber,
    },
    /// Somebody computed a version and says so.
    Attested {
        /// Who.
        who: AccountBytes,
        /// The version.
        version: Version,
    },
    /// Somebody voted, hidden for now.
    Voted {
        /// Who.
        who: AccountBytes,
    },
    /// Somebody showed a vote.
    Revealed {
        /// Who.
        who: AccountBytes,
    },
    /// Stake was bonded.
    Bonded {
        /// By whom.
        who: AccountBytes,
        /// How much.
        amount: Balance,
    },
    /// A question was paid.
    Asked {
        /// By whom.
        who: AccountBytes,
        /// For how much.
        price: Balance,
    },
    /// An account received its part of what questions paid.
    Claimed {
        /// Who.
        who: AccountBytes,
        /// How much.
        amount: Balance,
    },
    /// A PC registered.
    Registered {
        /// Its account.
        who: AccountBytes,
    },
    /// Nobody waits for a PC any more.
    Left {
        /// Its account.
        who: AccountBytes,
    },
    /// A PC that was away is back.
    Returned {
        /// Its account.
        who: AccountBytes,
    },
    /// A PC made room for a new one.
    Displaced {
        /// Its account.
        who: AccountBytes,
    },
    /// HYDRA was sent.
    Sent {
        /// By whom.
        from: AccountBytes,
        /// To whom.
        to: AccountBytes,
        /// How much.
        amount: Balance,
    },
    /// A transaction failed.
    Failed {
        /// Why, as a sentence.
        reason: String,
    },
}

/// A block, and what happened in it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct News {
    /// The block.
    pub block: Block,
    /// When it says it was made.
    pub time: SystemTime,
    /// Transactions in it.
    pub transactions: usize,
    /// What happened, in order.
    pub happenings: Vec<Happening>,
}

impl Chain {
    /// What happened in a block whose state the node still has.
    pub async fn news(&self, block: Block) -> Result<News, Error> {
        let at = self.at(block.hash).await?;
        let events = self.within(at.events().fetch()).await?;
        let events = events.map_err(|error| self.strange(error))?;
        let mut extrinsics = BTreeSet::new();
        let mut happenings = Vec::new();
        for event in events.iter() {
            let event = event.map_err(|error| self.strange(error))?;
            let extrinsic = match event.phase() {
                During::ApplyExtrinsic(index) => Some(index),
                During::Finalization | During::Initialization => None,
            };
            extrinsics.extend(extrinsic);
            let happening = match (event.pallet_name(), event.event_name()) {
                ("System", "ExtrinsicFailed") => {
                    let failure = DispatchError::decode_from(event.field_bytes(), at.metadata()).ok();
                    failure.map(|failure| Happening::Failed {
                        reason: explain(&failure),
                    })
                }
                _ => read(&event),
            };
            happenings.extend(happening.map(|happening| (extrinsic, happening)));
        }
        Ok(News {
            block,
            time: self.time(block.hash).await?,
            // The first sets the time.
            transactions: extrinsics.len().saturating_sub(1),
            happenings: without_echoes(happenings),
        })
    }

    /// When the block of this height on the best branch was made, by its body, which is there when its state is long gone.
    /// `None` if the node has no body either. `best` is a block whose runtime is known to be there.
    pub async fn time_by_body(&self, number: u64, best: Hash) -> Result<Option<SystemTime>, Error> {
        #[derive(DecodeAsType)]
        #[decode_as_type(crate_path = "subxt::ext::scale_decode")]
        struct Set {
            now: u64,
        }
        let hash = self.methods.chain_get_block_hash(Some(number.into()));
        let Some(hash) = self.patient(hash).await? else {
            return Ok(None);
        };
        let Some(details) = self.patient(self.methods.chain_get_block(Some(hash))).await? else {
            return Ok(None);
        };
        let at = self.at(best).await?;
        let body = details.block.extrinsics.into_iter().map(|bytes| bytes.0);
        let extrinsics = at.extrinsics().from_bytes(body.collect()).await;
        // What sets the time comes first.
        let Some(Ok(first)) = extrinsics.iter().next() else {
            return Ok(None);
        };
        if (first.pallet_name(), first.call_name()) != ("Timestamp", "set") {
            return Ok(None);
        }
        let set = first.decode_call_data_fields_unchecked_as::<Set>().ok();
        Ok(set.map(|set| UNIX_EPOCH + Duration::from_millis(set.now)))
    }
}

/// A transfer that is part of paying for a question is told by what it is for.
fn without_echoes(happenings: Vec<(Option<u32>, Happening)>) -> Vec<Happening> {
    let told: BTreeSet<u32> = happenings
        .iter()
        .filter(|(_, happening)| matches!(happening, Happening::Asked { .. } | Happening::Claimed { .. }))
        .filter_map(|(extrinsic, _)| *extrinsic)
        .collect();
    let is_echo = |extrinsic: Option<u32>, happening: &Happening| {
        matches!(happening, Happening::Sent { .. })
            && extrinsic.is_none_or(|extrinsic| told.contains(&extrinsic))
    };
    happenings
        .into_iter()
        .filter(|(extrinsic, happening)| !is_echo(*extrinsic, happening))
        .map(|(_, happening)| happening)
        .collect()
}

/// Which proposal an event is about.
#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
struct Key {
    round: u32,
    proposer: AccountId32,
}

/// Fields that events have, each for those that have them all.
#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
struct Who {
    who: AccountId32,
}

#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
struct WhoAmount {
    who: AccountId32,
    amount: u128,
}

#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
struct OfProposal {
    proposal: Key,
}

#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
struct Paid {
    proposal: Key,
    reward: u128,
}

#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
struct OfRound {
    round: u32,
}

#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
struct Extended {
    round: u32,
    ends_at: u32,
}

#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
struct Settled {
    round: u32,
    accepted: u32,
    rejected: u32,
    undecided: u32,
}

#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
enum Step {
    Train,
    Verify,
    Reveal,
    Settle,
}

#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
struct Moved {
    round: u32,
    phase: Step,
}

#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
struct Proposed {
    round: u32,
    proposer: AccountId32,
}

#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
struct Attested {
    version: u32,
    who: AccountId32,
}

#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
struct Scored {
    correct: u32,
    total: u32,
}

#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
struct Confirmed {
    version: u32,
    score: Scored,
}

#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
struct Sent {
    from: AccountId32,
    to: AccountId32,
    amount: u128,
}

fn fields<T: DecodeAsFields>(event: &Event<'_, Config>) -> Option<T> {
    event.decode_fields_unchecked_as::<T>().ok()
}

/// What an event says happened; `None` for those that repeat others, are of no interest to people, or aren't understood.
fn read(event: &Event<'_, Config>) -> Option<Happening> {
    let who = || fields::<Who>(event).map(|of| of.who.0);
    let proposal = || fields::<OfProposal>(event).map(|of| (of.proposal.proposer.0, of.proposal.round));
    Some(match (event.pallet_name(), event.event_name()) {
        ("TrainingProposals", "ProposalAccepted") => {
            let Paid { proposal, reward } = fields(event)?;
            Happening::Accepted {
                who: proposal.proposer.0,
                round: proposal.round,
                reward,
            }
        }
        ("TrainingProposals", "ProposalRejected") => {
            let (who, round) = proposal()?;
            Happening::Rejected { who, round }
        }
        ("TrainingProposals", "ProposalUndecided") => {
            let (who, round) = proposal()?;
            Happening::Undecided { who, round }
        }
        ("TrainingProposals", "VersionConfirmed") => {
            let Confirmed { version, score } = fields(event)?;
            let Scored { correct, total } = score;
            let score = Score { correct, total };
            Happening::Confirmed { version, score }
        }
        ("TrainingProposals", "RoundExtended") => {
            let Extended { round, ends_at } = fields(event)?;
            Happening::Extended {
                round,
                until: ends_at,
            }
        }
        ("TrainingProposals", "RoundSettled") => {
            let settled: Settled = fields(event)?;
            let others = settled.rejected.saturating_add(settled.undecided);
            Happening::Settled {
                round: settled.round,
                accepted: settled.accepted,
                results: settled.accepted.saturating_add(others),
            }
        }
        ("TrainingProposals", "RoundOpened") => {
            let OfRound { round } = fields(event)?;
            Happening::Opened { round }
        }
        ("TrainingProposals", "PhaseChanged") => {
            let Moved { round, phase } = fields(event)?;
            let phase = match phase {
                Step::Train => Phase::Train,
                Step::Verify => Phase::Verify,
                Step::Reveal => Phase::Reveal,
                Step::Settle => Phase::Settle,
            };
            Happening::Moved { round, phase }
        }
        ("TrainingProposals", "Proposed") => {
            let Proposed { round, proposer } = fields(event)?;
            Happening::Proposed {
                who: proposer.0,
                round,
            }
        }
        ("TrainingProposals", "Attested") => {
            let Attested { version, who } = fields(event)?;
            Happening::Attested { who: who.0, version }
        }
        ("StakeVoting", "VoteCommitted") => Happening::Voted { who: who()? },
        ("StakeVoting", "VoteRevealed") => Happening::Revealed { who: who()? },
        ("StakeVoting", "Bonded") => {
            let WhoAmount { who, amount } = fields(event)?;
            Happening::Bonded { who: who.0, amount }
        }
        ("HydraToken", "QueryPaid") => {
            let WhoAmount { who, amount } = fields(event)?;
            Happening::Asked {
                who: who.0,
                price: amount,
            }
        }
        ("HydraToken", "QueryShareClaimed") => {
            let WhoAmount { who, amount } = fields(event)?;
            Happening::Claimed { who: who.0, amount }
        }
        ("Reputation", "Registered") => Happening::Registered { who: who()? },
        ("Reputation", "BecameInactive") => Happening::Left { who: who()? },
        ("Reputation", "BecameActive") => Happening::Returned { who: who()? },
        ("Reputation", "Displaced") => Happening::Displaced { who: who()? },
        ("Balances", "Transfer") => {
            let Sent { from, to, amount } = fields(event)?;
            Happening::Sent {
                from: from.0,
                to: to.0,
                amount,
            }
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent() -> Happening {
        Happening::Sent {
            from: [1; 32],
            to: [2; 32],
            amount: 5,
        }
    }

    fn asked() -> Happening {
        Happening::Asked {
            who: [1; 32],
            price: 5,
        }
    }

    #[test]
    fn a_payment_for_a_question_is_told_once_and_a_transfer_beside_it_stays() {
        let happenings = vec![(Some(1), sent()), (Some(1), asked()), (Some(2), sent())];
        assert_eq!(without_echoes(happenings), [asked(), sent()]);
        // What no transaction asked for is the chain's own doing.
        assert!(without_echoes(vec![(None, sent())]).is_empty());
    }
}
