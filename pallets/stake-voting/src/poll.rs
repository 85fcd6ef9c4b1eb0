//! One commit-reveal poll: its committee with the weights fixed when it opened, and what each member did.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{BoundedVec, CloneNoBound, DebugNoBound, PartialEqNoBound, traits::Get};
use hydra_primitives::{H256, status::BallotView, tally::Tally, vote::Vote};
use scale_info::TypeInfo;

/// What a poll takes now.
#[derive(
    Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen,
)]
pub enum Stage {
    /// Commitments.
    Commit,
    /// Revealed votes.
    Reveal,
}

/// What a member did so far.
#[derive(
    Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen,
)]
pub enum Ballot {
    /// Nothing.
    Absent,
    /// Committed to a hidden vote.
    Committed(H256),
    /// Revealed its vote.
    Revealed(Vote),
}

impl Ballot {
    /// The same for other pallets and the runtime API.
    pub fn view(self) -> BallotView {
        match self {
            Self::Absent => BallotView::Absent,
            Self::Committed(commitment) => BallotView::Committed(commitment),
            Self::Revealed(vote) => BallotView::Revealed(vote),
        }
    }
}

/// A member of a proposal's committee.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, MaxEncodedLen)]
pub struct Member<AccountId> {
    /// The verifier.
    pub who: AccountId,
    /// What its vote weighs, fixed when the poll opened.
    pub weight: u128,
    /// What it did so far.
    pub ballot: Ballot,
}

/// A poll on one proposal.
#[derive(CloneNoBound, PartialEqNoBound, DebugNoBound, Encode, Decode, TypeInfo, MaxEncodedLen)]
#[scale_info(skip_type_params(MaxCommittee))]
pub struct Poll<AccountId: Clone + PartialEq + core::fmt::Debug, MaxCommittee: Get<u32>> {
    /// What it takes now.
    pub stage: Stage,
    /// What the proposer's vote weighs; its claim counts as a vote to accept. Zero where it votes itself.
    pub proposer_weight: u128,
    /// Its committee, sorted by account.
    pub committee: BoundedVec<Member<AccountId>, MaxCommittee>,
}

impl<AccountId: Clone + Ord + core::fmt::Debug, MaxCommittee: Get<u32>> Poll<AccountId, MaxCommittee> {
    /// The committee's member `who`.
    pub fn member_mut(&mut self, who: &AccountId) -> Option<&mut Member<AccountId>> {
        self.committee.iter_mut().find(|member| member.who == *who)
    }

    /// The members who can still act in this stage.
    pub fn owing(&self) -> impl Iterator<Item = &Member<AccountId>> {
        self.committee.iter().filter(|member| {
            matches!(
                (self.stage, member.ballot),
                (Stage::Commit, Ballot::Absent) | (Stage::Reveal, Ballot::Committed(_))
            )
        })
    }

    /// Weight that has acted in this stage, and the proposer's: its claim is its vote.
    pub fn acted(&self) -> u128 {
        let done = self.committee.iter().filter(|member| match self.stage {
            Stage::Commit => member.ballot != Ballot::Absent,
            Stage::Reveal => matches!(member.ballot, Ballot::Revealed(_)),
        });
        done.fold(self.proposer_weight, |sum, member| {
            sum.saturating_add(member.weight)
        })
    }

    /// Weight of the committee and of the proposer.
    pub fn weight(&self) -> u128 {
        let members = self.committee.iter();
        members.fold(self.proposer_weight, |sum, member| {
            sum.saturating_add(member.weight)
        })
    }

    /// The weights revealed so far.
    pub fn tally(&self) -> Tally {
        let claim = self.proposer_weight;
        let mut tally = Tally {
            committee: self.weight(),
            accept: claim,
            ..Tally::default()
        };
        for member in &self.committee {
            let side = match member.ballot {
                Ballot::Revealed(Vote::Accept) => &mut tally.accept,
                Ballot::Revealed(Vote::Reject(_)) => &mut tally.reject,
                Ballot::Revealed(Vote::Unavailable(_)) => &mut tally.unavailable,
                Ballot::Absent | Ballot::Committed(_) => continue,
            };
            *side = side.saturating_add(member.weight);
        }
        tally
    }
}
