//! Who a trainer is on the data plane.
//!
//! The key is derived from the node's network key, so there is one secret to keep; and one way only, so that a stolen
//! data-plane key doesn't give away the node's.

use libp2p::{PeerId, identity::Keypair};

const CONTEXT: &str = "hydraai 2026 data-plane identity v1";

/// The data plane's Ed25519 key that belongs to a node key (the 32 secret bytes of the node's network key).
pub fn data_plane_keypair(node_key: &[u8; 32]) -> Keypair {
    let secret = blake3::derive_key(CONTEXT, node_key);
    match Keypair::ed25519_from_bytes(secret) {
        Ok(keypair) => keypair,
        // Every 32 bytes are an Ed25519 secret; the library's signature just can't say so.
        Err(error) => unreachable!("32 bytes are an Ed25519 secret: {error}"),
    }
}

/// The PeerId as it is stored on chain: 38 bytes for an Ed25519 key.
pub fn peer_id_bytes(peer: PeerId) -> Vec<u8> {
    peer.to_bytes()
}

/// The PeerId that the chain stores as `bytes`.
///
/// # Errors
/// [`BadPeerId`] unless `bytes` are exactly what [`peer_id_bytes`] makes.
pub fn peer_id_from_bytes(bytes: &[u8]) -> Result<PeerId, BadPeerId> {
    let peer = PeerId::from_bytes(bytes).map_err(|error| BadPeerId {
        reason: error.to_string(),
    })?;
    // One PeerId, one byte string: otherwise two registrations could name the same peer.
    if peer.to_bytes() != bytes {
        return Err(BadPeerId {
            reason: "the encoding isn't canonical".into(),
        });
    }
    Ok(peer)
}

/// Bytes that aren't a PeerId.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("these bytes aren't a PeerId: {reason}. Register the node again with the PeerId its trainer reports")]
pub struct BadPeerId {
    reason: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The local development network's PeerIds: genesis names them, so they must never change.
    #[test]
    fn the_development_nodes_have_these_peer_ids() {
        for (index, (name, base58, hex)) in DEVELOPMENT.into_iter().enumerate() {
            let mut node_key = [0; 32];
            node_key[31] = index as u8 + 1;
            let peer = data_plane_keypair(&node_key).public().to_peer_id();
            println!(
                "{name}: {} {}",
                peer.to_base58(),
                hex::encode(peer_id_bytes(peer))
            );
            assert_eq!(peer.to_base58(), base58, "{name}");
            assert_eq!(hex::encode(peer_id_bytes(peer)), hex, "{name}");
        }
    }

    const DEVELOPMENT: [(&str, &str, &str); 4] = [
        (
            "Alice",
            "12D3KooWKs8bkWzdHNLi7mBT7HgW9sDToTGhW41eYqAN3iaFP1gA",
            "002408011220954a44f39fc530a63502d52d6b9c2c00276884c32bfe22c02fa735b32049050f",
        ),
        (
            "Bob",
            "12D3KooWDrC9zmKJ8eAdBZafhzthFBZ6nfra5LYVUEtUwq8Hc8Xn",
            "0024080112203be696743d2cfa3549d315c27b814472907a7d04c9a51b54096f6a748c84b6cd",
        ),
        (
            "Charlie",
            "12D3KooWCuusaZdM94Aw574ApNcUZiBJQX16yZmE1Fv3QmP6RgGN",
            "0024080112202dfed00dcd7fb2c083de030fcbb234159036cfa185f9f70c0cf1e882a9bf2547",
        ),
        (
            "Dave",
            "12D3KooWBwWmUWbniGBEmVyjoCMPAgKn2cUZhefP9pTp1YANQ6QY",
            "0024080112201f8c2986fb58e067d1e4483a5532142c4205329580036c02b0155a54c0d12651",
        ),
    ];

    #[test]
    fn peer_ids_survive_the_chain() {
        let peer = Keypair::generate_ed25519().public().to_peer_id();
        let bytes = peer_id_bytes(peer);
        assert_eq!(bytes.len(), 38);
        assert_eq!(peer_id_from_bytes(&bytes), Ok(peer));
    }

    #[test]
    fn refuses_bytes_that_are_no_peer_id() {
        let good = peer_id_bytes(Keypair::generate_ed25519().public().to_peer_id());
        for bad in [
            &[][..],
            &[0; 38],
            &good[..37],
            &[&good[..], &[0]].concat(),
            &[0xff; 64],
        ] {
            assert!(peer_id_from_bytes(bad).is_err(), "{bad:?}");
        }
    }
}
