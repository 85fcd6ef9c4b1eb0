//! Commitments: how a vote is hidden, and how it is found again.
//!
//! The salt is derived, not drawn: a trainer that forgot everything but its token can still reveal. There are so few
//! possible votes that the one behind a commitment of ours is found by trying them all; nobody without the token can
//! do that.

use std::sync::LazyLock;

use codec::{DecodeAll, Encode};
use hydra_primitives::{
    AccountBytes, H256, domain_hash,
    duty::VerifyDuty,
    vote::{Vote, commitment},
};

use crate::{
    journal::{SaltedVote, VoteKey},
    secret::Secret,
};

const CONTEXT: &str = "hydraai 2026 vote salt secret v1";
const CLAIM: &str = "hydraai 2026 claim as verified v1";

/// Makes the salts of one trainer. `Debug` doesn't show its secret.
#[derive(Clone)]
pub struct Salts([u8; 32]);

impl std::fmt::Debug for Salts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Salts(…)")
    }
}

impl Salts {
    /// The salts of the trainer with this token.
    pub fn new(token: &Secret) -> Self {
        Self(blake3::derive_key(CONTEXT, token.bytes()))
    }

    /// The salt of the account's vote on a proposal.
    pub fn salt(&self, genesis: &H256, account: &AccountBytes, proposal: &H256) -> H256 {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        hasher
            .update(genesis.as_bytes())
            .update(account)
            .update(proposal.as_bytes());
        H256(*hasher.finalize().as_bytes())
    }

    /// The vote behind a commitment, if it was made with this trainer's token.
    pub fn find(&self, key: &VoteKey, wanted: &H256) -> Option<SaltedVote> {
        let salt = self.salt(&key.genesis, &key.account, &key.proposal);
        all_votes()
            .iter()
            .find(|vote| commitment(vote, &salt, &key.account, &key.proposal) == *wanted)
            .map(|vote| SaltedVote { vote: *vote, salt })
    }
}

/// Every vote there is: what one or two bytes decode to.
fn all_votes() -> &'static [Vote] {
    static VOTES: LazyLock<Vec<Vote>> = LazyLock::new(|| {
        let bytes = 0..=u8::MAX;
        let short = bytes.clone().map(|a| vec![a]);
        let long = bytes
            .clone()
            .flat_map(move |a| bytes.clone().map(move |b| vec![a, b]));
        short
            .chain(long)
            .filter_map(|code| Vote::decode_all(&mut code.as_slice()).ok())
            .collect()
    });
    &VOTES
}

/// Names what is verified: account, proposal, and everything claimed about it.
pub fn vote_key(genesis: H256, account: AccountBytes, duty: &VerifyDuty) -> VoteKey {
    let claim = (&duty.proposal, duty.shard, duty.task_seed, duty.segment).encode();
    VoteKey {
        genesis,
        account,
        proposal: duty.key.id(),
        claim: domain_hash(CLAIM, &[&claim]),
    }
}

/// What goes on chain first.
pub fn commit(key: &VoteKey, vote: &SaltedVote) -> H256 {
    commitment(&vote.vote, &vote.salt, &key.account, &key.proposal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hydra_primitives::vote::{Missing, RejectReason};

    fn secret(digit: &str) -> Secret {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        std::fs::write(&path, digit.repeat(64)).unwrap();
        crate::secret::read(crate::secret::SecretFile::Token, &path).unwrap()
    }

    fn key() -> VoteKey {
        VoteKey {
            genesis: H256::repeat_byte(1),
            account: [2; 32],
            proposal: H256::repeat_byte(3),
            claim: H256::zero(),
        }
    }

    #[test]
    fn every_vote_is_found_by_its_commitment_and_only_with_the_token() {
        let (ours, others) = (Salts::new(&secret("a")), Salts::new(&secret("b")));
        let key = key();
        let votes = [
            Vote::Accept,
            Vote::Reject(RejectReason::WrongBase),
            Vote::Reject(RejectReason::SegmentDiffers),
            Vote::Unavailable(Missing::Data),
        ];
        for vote in votes {
            let salted = SaltedVote {
                vote,
                salt: ours.salt(&key.genesis, &key.account, &key.proposal),
            };
            let hidden = commit(&key, &salted);
            assert_eq!(ours.find(&key, &hidden), Some(salted));
            assert_eq!(others.find(&key, &hidden), None);
        }
    }

    #[test]
    fn there_are_sixteen_votes_and_none_needs_more_than_two_bytes() {
        assert_eq!(all_votes().len(), 1 + 11 + 4);
        let longest = all_votes().iter().map(|vote| vote.encoded_size()).max();
        assert_eq!(longest, Some(2));
    }

    #[test]
    fn salts_differ_between_accounts_proposals_and_chains() {
        let salts = Salts::new(&secret("a"));
        let base = salts.salt(&H256::zero(), &[0; 32], &H256::zero());
        assert_ne!(base, salts.salt(&H256::repeat_byte(1), &[0; 32], &H256::zero()));
        assert_ne!(base, salts.salt(&H256::zero(), &[1; 32], &H256::zero()));
        assert_ne!(base, salts.salt(&H256::zero(), &[0; 32], &H256::repeat_byte(1)));
    }
}
