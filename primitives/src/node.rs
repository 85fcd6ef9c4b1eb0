//! What a node shows before it may take part: a small proof of work, bound to its account and data-plane identity.

use crate::{AccountBytes, domain_hash};

const CONTEXT: &str = "hydraai 2026 registration proof of work v1";

/// Leading zero bits of the registration hash for this nonce.
pub fn work_bits(account: &AccountBytes, peer_id: &[u8], nonce: u64) -> u32 {
    let hash = domain_hash(CONTEXT, &[account, peer_id, &nonce.to_le_bytes()]);
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
pub fn proves_work(account: &AccountBytes, peer_id: &[u8], nonce: u64, difficulty: u32) -> bool {
    work_bits(account, peer_id, nonce) >= difficulty
}

/// Finds the first nonce that proves `difficulty` bits. Takes 2^difficulty hashes on average.
pub fn find_nonce(account: &AccountBytes, peer_id: &[u8], difficulty: u32) -> u64 {
    (0..u64::MAX)
        .find(|nonce| proves_work(account, peer_id, *nonce, difficulty))
        .unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_found_nonce_proves_its_work_for_that_account_and_identity_only() {
        let nonce = find_nonce(&[7; 32], b"peer", 12);
        assert!(proves_work(&[7; 32], b"peer", nonce, 12));
        assert!(!proves_work(&[8; 32], b"peer", nonce, 12));
        assert!(!proves_work(&[7; 32], b"other", nonce, 12));
    }
}
