//! What a member of the committee loses that signed two conflicting things: min((3k/n)², 1) of its stake, where k of n did so in
//! the same session. One that slips alone loses little, a third together everything.

use crate::{AccountId, Reputation, Runtime, StakeVoting};
use frame_support::weights::Weight;
use hydra_primitives::traits::Nodes;
use pallet_session::historical::IdentificationTuple;
use sp_runtime::Perbill;
use sp_staking::{
    SessionIndex,
    offence::{OffenceDetails, OnOffenceHandler},
};

/// Takes what offenders forfeit.
pub struct Forfeits;

impl OnOffenceHandler<AccountId, IdentificationTuple<Runtime>, Weight> for Forfeits {
    /// The fractions follow the rule above: BABE's and GRANDPA's offences compute them. All earlier offenders of the same kind and
    /// session come again with each report, each with its fraction of now: what was taken before is taken into account.
    fn on_offence(
        offenders: &[OffenceDetails<AccountId, IdentificationTuple<Runtime>>],
        fractions: &[Perbill],
        session: SessionIndex,
    ) -> Weight {
        for (details, fraction) in offenders.iter().zip(fractions) {
            let (who, ()) = &details.offender;
            StakeVoting::punish(session, who, *fraction);
            <Reputation as Nodes<_>>::leave(who);
        }
        // A report pays for itself by its call's weight; this is the rest.
        let each = <Runtime as frame_system::Config>::DbWeight::get().reads_writes(6, 5);
        each.saturating_mul(u64::try_from(offenders.len()).unwrap_or(u64::MAX))
    }
}
