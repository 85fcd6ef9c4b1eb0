//! What a member of the committee loses that signed two conflicting things: min((3k/n)², 1) of its stake, where k of n did so in
//! the same session. One that slips alone loses little, a third together everything.
//!
//! An account is reported once in a session, whatever it signed how often: more reports of it would cost it nothing, and everybody else
//! the space that they are kept in. So all that is kept is what `stake-voting` knows of those who forfeited.

use crate::{AccountId, Reputation, Runtime, StakeVoting, network::EpochDuration};
use alloc::vec::Vec;
use frame_support::traits::Get;
use hydra_primitives::traits::Nodes;
use pallet_babe::EquivocationOffence as TwoBlocks;
use pallet_grandpa::{EquivocationOffence as TwoVotes, TimeSlot};
use pallet_session::historical::IdentificationTuple;
use sp_consensus_babe::Slot;
use sp_staking::{
    SessionIndex,
    offence::{Offence, OffenceError, ReportOffence},
};

type Member = IdentificationTuple<Runtime>;

/// Takes what offenders forfeit.
pub struct Forfeits;

impl Forfeits {
    /// The fraction follows the rule above, as BABE's and GRANDPA's offences compute it. It is taken of all offenders of the session:
    /// what was taken before is taken into account.
    fn report(offence: &impl Offence<Member>) -> Result<(), OffenceError> {
        let session = offence.session_index();
        let mut all = StakeVoting::offenders(session);
        let known = all.len();
        for (who, ()) in offence.offenders() {
            if !all.contains(&who) {
                all.push(who);
            }
        }
        if all.len() == known {
            return Err(OffenceError::DuplicateReport);
        }
        let fraction = offence.slash_fraction(u32::try_from(all.len()).unwrap_or(u32::MAX));
        for who in &all {
            StakeVoting::punish(session, who, fraction);
        }
        for who in all.iter().skip(known) {
            <Reputation as Nodes<_>>::leave(who);
        }
        Ok(())
    }

    fn are_known(offenders: &[Member], session: SessionIndex) -> bool {
        let known = StakeVoting::offenders(session);
        offenders.iter().all(|(who, ())| known.contains(who))
    }
}

impl ReportOffence<AccountId, Member, TwoBlocks<Member>> for Forfeits {
    fn report_offence(_: Vec<AccountId>, offence: TwoBlocks<Member>) -> Result<(), OffenceError> {
        Self::report(&offence)
    }

    fn is_known_offence(offenders: &[Member], slot: &Slot) -> bool {
        session_of(*slot).is_some_and(|session| Self::are_known(offenders, session))
    }
}

impl ReportOffence<AccountId, Member, TwoVotes<Member>> for Forfeits {
    fn report_offence(_: Vec<AccountId>, offence: TwoVotes<Member>) -> Result<(), OffenceError> {
        Self::report(&offence)
    }

    /// In which of the set's sessions it was isn't said here: it is known if it is of all. Where it isn't, the report tells.
    fn is_known_offence(offenders: &[Member], slot: &TimeSlot) -> bool {
        let last = |set| pallet_grandpa::SetIdSession::<Runtime>::get(set);
        let Some(newest) = last(slot.set_id) else {
            return false;
        };
        let before = slot.set_id.checked_sub(1).and_then(last);
        let first = before.map_or(0, |before| before.saturating_add(1));
        // The older ones first: a set that has been there for long is not looked through.
        (first..=newest).all(|session| Self::are_known(offenders, session))
    }
}

/// The session that a slot is of: as many before its epoch's number as epochs were skipped until then.
fn session_of(slot: Slot) -> Option<SessionIndex> {
    let since = u64::from(slot.saturating_sub(*pallet_babe::Pallet::<Runtime>::genesis_slot()));
    let epoch = since.checked_div(EpochDuration::<Runtime>::get())?;
    let skips = pallet_babe::SkippedEpochs::<Runtime>::get();
    let last = skips.iter().rev().find(|(skipped_to, _)| *skipped_to <= epoch);
    let skipped = last.map_or(0, |(skipped_to, session)| {
        skipped_to.saturating_sub(u64::from(*session))
    });
    u32::try_from(epoch.saturating_sub(skipped)).ok()
}
