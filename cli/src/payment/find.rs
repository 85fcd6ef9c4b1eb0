//! Finding a payment in the blocks of the chain, and what came of it.

use hydra_primitives::Balance;
use std::collections::BTreeSet;
use subxt::{error::DispatchError, ext::scale_decode::DecodeAsType};

use crate::{
    chain::{Block, Chain, Hash, explain},
    error::Error,
};

/// What was done and paid.
#[derive(Clone, Debug)]
pub struct Payment {
    /// The block it is in.
    pub block: Block,
    /// Hash of the transaction.
    pub transaction: Hash,
    /// What the transaction itself cost.
    pub fee: Balance,
    /// What the account received for answered questions.
    pub received: Balance,
}

/// Looks for one of `sent` in the blocks of `tip`'s branch above `floor` that were not looked at before.
pub async fn find(
    chain: &Chain,
    tip: Block,
    floor: u64,
    looked_at: &mut BTreeSet<Hash>,
    sent: &BTreeSet<Hash>,
) -> Result<Option<Payment>, Error> {
    let mut block = tip;
    while block.number > floor && looked_at.insert(block.hash) {
        let at = chain.at(block.hash).await?;
        let extrinsics = chain
            .within(at.extrinsics().fetch())
            .await?
            .map_err(|error| chain.strange(error))?;
        for extrinsic in extrinsics.iter() {
            let extrinsic = extrinsic.map_err(|error| chain.strange(error))?;
            if !sent.contains(&extrinsic.hash()) {
                continue;
            }
            let events = chain
                .within(extrinsic.events())
                .await?
                .map_err(|error| chain.strange(error))?;
            let (mut fee, mut received) = (0, 0);
            for event in events.iter() {
                let event = event.map_err(|error| chain.strange(error))?;
                match (event.pallet_name(), event.event_name()) {
                    ("System", "ExtrinsicFailed") => {
                        let failure = DispatchError::decode_from(event.field_bytes(), at.metadata());
                        let failure = failure.map_err(|error| chain.strange(error))?;
                        return Err(Error::TransactionFailed(explain(&failure)));
                    }
                    ("TransactionPayment", "TransactionFeePaid") => {
                        #[derive(DecodeAsType)]
                        #[decode_as_type(crate_path = "subxt::ext::scale_decode")]
                        struct FeePaid {
                            actual_fee: u128,
                        }
                        let paid = event.decode_fields_unchecked_as::<FeePaid>();
                        fee = paid.map_err(|error| chain.strange(error))?.actual_fee;
                    }
                    ("HydraToken", "QueryShareClaimed") => {
                        #[derive(DecodeAsType)]
                        #[decode_as_type(crate_path = "subxt::ext::scale_decode")]
                        struct Claimed {
                            amount: u128,
                        }
                        let claimed = event.decode_fields_unchecked_as::<Claimed>();
                        received = claimed.map_err(|error| chain.strange(error))?.amount;
                    }
                    _ => {}
                }
            }
            return Ok(Some(Payment {
                block,
                transaction: extrinsic.hash(),
                fee,
                received,
            }));
        }
        block = chain.parent(block).await?;
    }
    Ok(None)
}
