//! What a PC shows before it may take part: that it has the key of its data-plane identity, and a small proof of work. Both are
//! bound to the chain, the account and a recent block, so that nothing can be made in advance or taken from another.

use codec::Encode;

use crate::{AccountBytes, BlockNumber, H256, domain_hash, model::SizeClass};

const WORK: &str = "hydraai 2026 registration proof of work v2";
const POSSESSION: &str = "hydraai 2026 registration proof of possession v2";

/// How many blocks deep the block that a registration names has to be at least: no short fork removes it.
pub const MIN_ANCHOR_DEPTH: BlockNumber = 16;
/// How many blocks deep it may be at most.
pub const MAX_ANCHOR_DEPTH: BlockNumber = 256;
/// What genesis says of the accounts that it names, until they say something else: they take on tasks of 1 GiB,
pub const FOUNDERS_SIZE_CLASS: SizeClass = 8;
/// so many at a time. In a network of 33, each account is drawn to verify every one of 32 proposals where all are appealed, and
/// trains and attests besides.
pub const FOUNDERS_ROOM: u8 = 64;

/// What a registration is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode)]
pub struct Registration<'a> {
    /// The chain.
    pub genesis: H256,
    /// The hash of a block [`MIN_ANCHOR_DEPTH`] to [`MAX_ANCHOR_DEPTH`] blocks deep.
    pub anchor: H256,
    /// The account.
    pub account: AccountBytes,
    /// Its trainer's libp2p PeerId as multihash bytes.
    pub peer_id: &'a [u8],
}

impl Registration<'_> {
    /// What the PeerId's key (Ed25519) signs.
    pub fn to_sign(&self) -> H256 {
        self.using_encoded(|bytes| domain_hash(POSSESSION, &[bytes]))
    }

    /// Leading zero bits of the work's hash for this nonce.
    pub fn work_bits(&self, nonce: u64) -> u32 {
        let hash = self.using_encoded(|bytes| domain_hash(WORK, &[bytes, &nonce.to_le_bytes()]));
        let mut bits = 0u32;
        for byte in hash.as_bytes() {
            bits = bits.saturating_add(byte.leading_zeros());
            if *byte != 0 {
                break;
            }
        }
        bits
    }

    /// Whether the nonce proves at least `difficulty` bits of work (2^difficulty hashes on average).
    pub fn proves_work(&self, nonce: u64, difficulty: u32) -> bool {
        self.work_bits(nonce) >= difficulty
    }

    /// Finds the first nonce that proves `difficulty` bits. Takes 2^difficulty hashes on average.
    pub fn find_nonce(&self, difficulty: u32) -> u64 {
        (0..u64::MAX)
            .find(|nonce| self.proves_work(*nonce, difficulty))
            .unwrap_or(u64::MAX)
    }
}

/// The Ed25519 public key that a libp2p PeerId of that kind consists of: identity multihash (`00 24`) of the protobuf
/// `08 01 12 20 KEY` (libp2p specs, *peer-ids*). `None` for anything else.
pub fn ed25519_of(peer_id: &[u8]) -> Option<[u8; 32]> {
    const PREFIX: [u8; 6] = [0x00, 0x24, 0x08, 0x01, 0x12, 0x20];
    peer_id.strip_prefix(&PREFIX)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registration(account: u8, peer_id: &[u8]) -> Registration<'_> {
        Registration {
            genesis: H256::zero(),
            anchor: H256::repeat_byte(1),
            account: [account; 32],
            peer_id,
        }
    }

    #[test]
    fn a_found_nonce_proves_its_work_for_that_account_identity_and_block_only() {
        let mine = registration(7, b"peer");
        let nonce = mine.find_nonce(12);
        assert!(mine.proves_work(nonce, 12));
        assert!(!registration(8, b"peer").proves_work(nonce, 12));
        assert!(!registration(7, b"other").proves_work(nonce, 12));
        let later = Registration {
            anchor: H256::repeat_byte(2),
            ..mine
        };
        assert!(!later.proves_work(nonce, 12));
        assert_ne!(mine.to_sign(), later.to_sign());
    }

    #[test]
    fn only_an_ed25519_peer_id_has_a_key_in_it() {
        let mut peer_id = [0u8; 38];
        peer_id[..6].copy_from_slice(&[0x00, 0x24, 0x08, 0x01, 0x12, 0x20]);
        peer_id[6..].copy_from_slice(&[9; 32]);
        assert_eq!(ed25519_of(&peer_id), Some([9; 32]));
        assert_eq!(ed25519_of(&peer_id[..37]), None);
        peer_id[0] = 0x12;
        assert_eq!(ed25519_of(&peer_id), None);
        assert_eq!(ed25519_of(&[]), None);
    }
}
