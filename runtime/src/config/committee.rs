//! Who makes blocks in a session: drawn from the electorate among those who have session keys and do their duties well.
//!
//! When session *s* begins, the committee of *s + 1* is drawn, before BABE takes up new randomness: what it is drawn with is made of the
//! outputs of *s − 2*, and was known in all of *s − 1*, while the electorate of *s* was made. So it is drawn from the one of *s − 1*, to which
//! heartbeats were taken in *s − 2* only while nobody knew those outputs. Whoever falls afterwards makes room for whoever comes next
//! in the draw, and moves nobody else.
//!
//! Nothing here may ever leave the chain without a committee: when too few are eligible, the one that is there stays, and an event
//! says so. A draw looks at 2,048 accounts at most, since it has to be done in one block. So all 256 members are found where accounts
//! with an eighth of the weight may be in it, and two thirds of them where a twelfth may.

use crate::{
    AccountId, Historical, Reputation, Runtime, Session, SessionKeys, StakeVoting,
    config::randomness::EpochRandomness, network::EpochDuration,
};
use alloc::{collections::BTreeSet, vec::Vec};
use frame_support::traits::Get;
use hydra_primitives::{
    electorate::Purpose,
    traits::{Electorate, Nodes},
};
use pallet_session::SessionInterface;
use sp_runtime::Perbill;
use sp_staking::SessionIndex;

/// The most accounts that can make blocks in a session. Everybody may train and verify; this is only the committee. With a fifth of
/// the weight hostile, more than a third of 256 drawn members is once in 4 million sessions, of 64 once in 200.
pub const MAX_AUTHORITIES: u32 = 256;
/// The most past sessions that an equivocation can still be proven of: two weeks of four-hour sessions.
pub const MOST_PROVABLE_SESSIONS: u32 = 84;
/// A member that takes all its stake away sits for so many sessions at most: the one that is, and the one that it is queued for.
const SITS_AFTER_LEAVING: u32 = 2;
/// A member's score is at least this: it has done some fifty duties and missed few.
const GOOD_SCORE: Perbill = Perbill::from_percent(80);

/// How many past sessions an equivocation can still be proven of: no more than lie within the unbonding delay, less those that a member may
/// sit after it left, so that what can be proven can also be forfeited. With genesis' defaults that is 40 sessions of 42.
pub fn provable_sessions() -> u32 {
    let delay = u64::from(pallet_stake_voting::UnbondingDelay::<Runtime>::get());
    let sessions = delay / EpochDuration::<Runtime>::get().max(1);
    u32::try_from(sessions)
        .unwrap_or(u32::MAX)
        .saturating_sub(SITS_AFTER_LEAVING)
        .clamp(1, MOST_PROVABLE_SESSIONS)
}

/// Draws the committee.
pub struct Committee;

impl Committee {
    /// Who could be in it and is, sorted; `None` where those are too few to take over.
    fn draw(session: SessionIndex, present: usize) -> Option<Vec<AccountId>> {
        // As long as their offences can be reported.
        let offenders: BTreeSet<AccountId> = pallet_stake_voting::Offences::<Runtime>::iter_values()
            .flatten()
            .map(|offence| offence.who)
            .collect();
        let eligible = |who: &AccountId| {
            !offenders.contains(who)
                && !pallet_session::ExternallySetKeys::<Runtime>::contains_key(who)
                && pallet_session::NextKeys::<Runtime>::contains_key(who)
                && <Reputation as Nodes<_>>::is_in(who)
                && <Reputation as Nodes<_>>::score(who) >= GOOD_SCORE
        };
        let mut drawn = <StakeVoting as Electorate<_>>::distinct(
            &Purpose::Committee { session },
            &EpochRandomness::get(),
            MAX_AUTHORITIES,
            eligible,
        );
        drawn.sort();
        // A committee that shrinks by more than a third at once would hand finality to those who happen to be left.
        let enough = drawn.len().saturating_mul(3) >= present.saturating_mul(2) && !drawn.is_empty();
        if !enough {
            let count = |members: usize| u32::try_from(members).unwrap_or(u32::MAX);
            log::warn!(
                target: "hydra::committee",
                "the committee of session {session} stays as it is: {} accounts that may be in it were found, which is less than two \
                 thirds of {present}. It takes more accounts with session keys and a good score",
                drawn.len()
            );
            StakeVoting::say_committee_stays(session, count(drawn.len()), count(present));
        }
        enough.then_some(drawn)
    }

    /// Gives their keys back to members that have taken them away while too few can take over: without them the session pallet would
    /// leave them out, whatever is said here, and the last ones would take the chain with them. They have no deposit and are drawn no more.
    fn keep_keys(queued: &[(AccountId, SessionKeys)]) {
        for (who, keys) in queued {
            if !pallet_session::NextKeys::<Runtime>::contains_key(who) {
                // Refused only where another account has registered the same key since; then it has it.
                let _ = <Session as SessionInterface>::set_keys(who, keys.clone());
            }
        }
    }

    /// Forgets the keys that were given back to whoever is not in the committee any more.
    fn forget_kept_keys(members: &[AccountId]) {
        let kept: Vec<AccountId> = pallet_session::ExternallySetKeys::<Runtime>::iter_keys()
            .filter(|who| !members.contains(who))
            .collect();
        for who in kept {
            let _ = <Session as SessionInterface>::purge_keys(&who);
        }
    }
}

impl pallet_session::SessionManager<AccountId> for Committee {
    fn new_session_genesis(_: SessionIndex) -> Option<Vec<AccountId>> {
        // Naming them here, rather than leaving it to the session pallet, makes their keys provable from the start.
        let members = pallet_session::NextKeys::<Runtime>::iter_keys().collect::<Vec<_>>();
        (!members.is_empty()).then_some(members)
    }

    fn new_session(index: SessionIndex) -> Option<Vec<AccountId>> {
        let queued = Session::queued_keys();
        let present: Vec<_> = queued.iter().map(|(who, _)| who.clone()).collect();
        let members = Self::draw(index, present.len()).unwrap_or_else(|| {
            Self::keep_keys(&queued);
            let mut same = present.clone();
            same.sort();
            same
        });
        Self::forget_kept_keys(&members);
        // The same set again would count as a change for GRANDPA, and cost every warp sync a proof. But one of which somebody has new
        // keys must be named, or they could not be proven later.
        let mut before = queued;
        before.sort_by(|(a, _), (b, _)| a.cmp(b));
        let same = before.len() == members.len()
            && before.iter().zip(&members).all(|((who, keys), member)| {
                who == member && pallet_session::NextKeys::<Runtime>::get(who).as_ref() == Some(keys)
            });
        (!same).then_some(members)
    }

    fn start_session(_: SessionIndex) {}

    fn end_session(ended: SessionIndex) {
        let provable = ended.saturating_add(1).saturating_sub(provable_sessions());
        Historical::prune_up_to(provable);
        StakeVoting::forget_offences(provable);
    }
}

impl pallet_session::historical::SessionManager<AccountId, ()> for Committee {
    fn new_session_genesis(index: SessionIndex) -> Option<Vec<(AccountId, ())>> {
        <Self as pallet_session::SessionManager<_>>::new_session_genesis(index).map(named)
    }

    fn new_session(index: SessionIndex) -> Option<Vec<(AccountId, ())>> {
        <Self as pallet_session::SessionManager<_>>::new_session(index).map(named)
    }

    fn start_session(index: SessionIndex) {
        <Self as pallet_session::SessionManager<_>>::start_session(index)
    }

    fn end_session(index: SessionIndex) {
        <Self as pallet_session::SessionManager<_>>::end_session(index)
    }
}

fn named(members: Vec<AccountId>) -> Vec<(AccountId, ())> {
    members.into_iter().map(|account| (account, ())).collect()
}
