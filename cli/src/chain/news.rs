//! What happened in a block, from its events, and when the block was made.

use hydra_primitives::{AccountBytes, Balance};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use subxt::{error::DispatchError, events::Phase as During, ext::scale_decode::DecodeAsType};

use super::{Block, Chain, Hash, events::read, failure::explain, happening::Happening};
use crate::error::Error;

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
            happenings: summed(without_echoes(happenings)),
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

/// What an account got for work is one sum, where the first of it was: it is paid place by place and seat by seat.
fn summed(happenings: Vec<Happening>) -> Vec<Happening> {
    let mut sums: BTreeMap<(bool, AccountBytes), Balance> = BTreeMap::new();
    let payment = |happening: &Happening| match happening {
        Happening::Earned { who, amount } => Some(((true, *who), *amount)),
        Happening::Received { who, amount } => Some(((false, *who), *amount)),
        _ => None,
    };
    for (key, amount) in happenings.iter().filter_map(payment) {
        let sum = sums.entry(key).or_default();
        *sum = sum.saturating_add(amount);
    }
    let first = |happening: Happening| match payment(&happening) {
        None => Some(happening),
        // What is taken here was the first.
        Some(((for_work, who), _)) => sums.remove(&(for_work, who)).map(|amount| match for_work {
            true => Happening::Earned { who, amount },
            false => Happening::Received { who, amount },
        }),
    };
    happenings.into_iter().filter_map(first).collect()
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

    #[test]
    fn what_an_account_got_in_a_block_is_one_sum_where_the_first_of_it_was() {
        let earned = |who: u8, amount| Happening::Earned {
            who: [who; 32],
            amount,
        };
        let received = |amount| Happening::Received { who: [1; 32], amount };
        let happenings = vec![
            earned(1, 4),
            earned(2, 1),
            sent(),
            earned(1, 3),
            received(2),
            received(5),
        ];
        assert_eq!(
            summed(happenings),
            [earned(1, 7), earned(2, 1), sent(), received(7)]
        );
    }
}
