//! The rule by which blobs are deleted, as the table at the top of [`database`](super) has it. Pure: told where a model is, it says
//! what is over.

use hydra_primitives::{H256, ModelId, RoundNumber, Version};

use super::record::{Kind, Purpose, Record, Tag};

/// Rounds that updates outlive their own.
pub(super) const UPDATE_ROUNDS: RoundNumber = 3;
/// Versions that weights outlive their own.
pub(super) const VERSIONS: Version = 2;

/// Where a model is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Standing {
    /// The chain.
    pub genesis: H256,
    /// The model.
    pub model: ModelId,
    /// Its current round.
    pub round: RoundNumber,
    /// Its newest confirmed version.
    pub version: Version,
}

/// Whether a blob is no longer kept for what it was stored for.
pub(super) fn is_over(record: &Record, now: &Standing) -> bool {
    match &record.purpose {
        Purpose::For(tag) => tag.is_over(now),
        Purpose::DataSet | Purpose::Cached => false,
    }
}

impl Tag {
    fn is_over(&self, now: &Standing) -> bool {
        if self.genesis != now.genesis {
            return true;
        }
        if self.model != now.model {
            return false;
        }
        let (keep, now) = match self.kind {
            Kind::Update => (UPDATE_ROUNDS, now.round),
            Kind::Weights => (VERSIONS, now.version),
        };
        self.number.saturating_add(keep) < now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHAIN: H256 = H256::repeat_byte(1);

    fn over(kind: Kind, number: u32, at: (u8, ModelId, u32, u32)) -> bool {
        let tag = Tag {
            genesis: CHAIN,
            model: 0,
            kind,
            number,
        };
        let record = Record {
            purpose: Purpose::For(tag),
            stored: None,
            used: 0,
        };
        let now = Standing {
            genesis: H256::repeat_byte(at.0),
            model: at.1,
            round: at.2,
            version: at.3,
        };
        is_over(&record, &now)
    }

    #[test]
    fn updates_go_by_round_and_weights_by_version() {
        assert!(!over(Kind::Update, 5, (1, 0, 8, 100)));
        assert!(over(Kind::Update, 5, (1, 0, 9, 0)));
        assert!(!over(Kind::Weights, 2, (1, 0, 100, 4)));
        assert!(over(Kind::Weights, 2, (1, 0, 0, 5)));
        assert!(!over(Kind::Update, u32::MAX, (1, 0, u32::MAX, 0)));
    }

    #[test]
    fn another_model_says_nothing_and_another_chain_ends_it() {
        assert!(!over(Kind::Update, 5, (1, 1, 100, 100)));
        assert!(over(Kind::Weights, 9, (2, 1, 0, 0)));
    }

    #[test]
    fn what_was_stored_for_no_round_is_never_over() {
        let now = Standing {
            genesis: CHAIN,
            model: 0,
            round: 100,
            version: 100,
        };
        for purpose in [Purpose::Cached, Purpose::DataSet] {
            let record = Record {
                purpose,
                stored: None,
                used: 0,
            };
            assert!(!is_over(&record, &now));
        }
    }
}
