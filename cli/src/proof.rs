//! What a registration shows, as the chain checks it: that whoever registers has the key of the trainer's identity, and a little
//! work, both for this chain, this account and a block that no fork removes.
//!
//! The identity's secret stays in this process: only a signature leaves it.

use hydra_primitives::{
    AccountBytes, BlockNumber, H256,
    node::{MAX_ANCHOR_DEPTH, MIN_ANCHOR_DEPTH, Registration},
};
use libp2p_identity::{Keypair, PeerId};
use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use crate::{
    chain::{Chain, Hash},
    error::Error,
    home,
    keys::terminal::apart,
};

/// So much deeper than it has to be is the block that is named: the chain may lose a block or two meanwhile.
const SPARE: BlockNumber = 4;
/// So many blocks may go by until the registration is in one. A proof that would be too old by then is made again.
const UNTIL_INCLUDED: BlockNumber = 64;

/// A trainer's identity, with its secret.
#[derive(Clone)]
pub struct Identity {
    key: Keypair,
    file: PathBuf,
}

impl Identity {
    /// That in a trainer's key file.
    pub fn read(path: &Path) -> Result<Self, Error> {
        Self::of(home::identity(path)?, path)
    }

    fn of(mut secret: [u8; 32], path: &Path) -> Result<Self, Error> {
        match Keypair::ed25519_from_bytes(&mut secret) {
            Ok(key) => Ok(Self {
                key,
                file: path.into(),
            }),
            Err(error) => Err(Error::BadKey {
                path: path.into(),
                reason: error.to_string(),
            }),
        }
    }

    /// Its public half, as others know it.
    pub fn peer_id(&self) -> PeerId {
        self.key.public().to_peer_id()
    }

    fn sign(&self, statement: &H256) -> Option<[u8; 64]> {
        let signature = self.key.sign(statement.as_bytes()).ok()?;
        signature.try_into().ok()
    }
}

/// What shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The identity, as the chain stores it: multihash bytes.
    pub peer_id: Vec<u8>,
    /// The block that it was made for.
    pub anchor: BlockNumber,
    /// By the identity's key.
    pub signature: [u8; 64],
    /// The work.
    pub nonce: u64,
    /// How many leading zero bits it proves.
    pub difficulty: u32,
    /// How long it took.
    pub took: Duration,
}

/// What a proof is bound to.
#[derive(Clone, Copy, Debug)]
struct Bound {
    genesis: Hash,
    anchor: Hash,
    account: AccountBytes,
}

/// Makes one for this account. What took so long that it is of no use any more is made anew.
pub async fn prove(chain: &Chain, account: &AccountBytes, identity: &Identity) -> Result<Proof, Error> {
    let begun = Instant::now();
    let genesis = chain.block_at(0).await?.hash;
    loop {
        let best = chain.best().await?;
        let difficulty = chain.work_difficulty(best.hash).await?;
        let anchor = anchor(best.number);
        let bound = Bound {
            genesis,
            anchor: chain.block_at(anchor.into()).await?.hash,
            account: *account,
        };
        let (own, signer) = (bound, identity.clone());
        // Found while everything else goes on.
        let shown = apart(move || own.show(&signer, difficulty)).await;
        let (peer_id, signature, nonce) = shown.ok_or_else(|| Error::BadKey {
            path: identity.file.clone(),
            reason: "its key signs nothing".into(),
        })?;
        if is_fresh(anchor, chain.best().await?.number) {
            return Ok(Proof {
                peer_id,
                anchor,
                signature,
                nonce,
                difficulty,
                took: begun.elapsed(),
            });
        }
    }
}

impl Bound {
    /// The identity, its signature and the work.
    fn show(self, identity: &Identity, difficulty: u32) -> Option<(Vec<u8>, [u8; 64], u64)> {
        let peer_id = identity.peer_id().to_bytes();
        let registration = Registration {
            genesis: H256(self.genesis.0),
            anchor: H256(self.anchor.0),
            account: self.account,
            peer_id: &peer_id,
        };
        let signature = identity.sign(&registration.to_sign())?;
        let nonce = registration.find_nonce(difficulty);
        Some((peer_id, signature, nonce))
    }
}

/// The block to name where the newest is `best`: the first of all on a young chain, which no fork removes.
fn anchor(best: u64) -> BlockNumber {
    let best = BlockNumber::try_from(best).unwrap_or(BlockNumber::MAX);
    best.saturating_sub(MIN_ANCHOR_DEPTH + SPARE)
}

/// Whether the chain will take it as long as the registration may be on its way.
fn is_fresh(anchor: BlockNumber, best: u64) -> bool {
    best.saturating_sub(anchor.into()) <= u64::from(MAX_ANCHOR_DEPTH - UNTIL_INCLUDED)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::trainer_key;
    use hydra_primitives::node::ed25519_of;
    use libp2p_identity::ed25519;

    fn identity() -> Identity {
        Identity::of(trainer_key(0), Path::new("trainer.key")).unwrap()
    }

    #[test]
    fn the_proof_is_what_the_chain_checks() {
        let bound = Bound {
            genesis: [1; 32].into(),
            anchor: [2; 32].into(),
            account: [7; 32],
        };
        let (peer_id, signature, nonce) = bound.show(&identity(), 10).unwrap();
        assert_eq!(peer_id, identity().peer_id().to_bytes());
        let registration = Registration {
            genesis: H256::repeat_byte(1),
            anchor: H256::repeat_byte(2),
            account: [7; 32],
            peer_id: &peer_id,
        };
        assert!(registration.proves_work(nonce, 10));
        // As the chain reads the key out of the PeerId.
        let key = ed25519::PublicKey::try_from_bytes(&ed25519_of(&peer_id).unwrap()).unwrap();
        assert!(key.verify(registration.to_sign().as_bytes(), &signature));
        let other = Registration {
            account: [8; 32],
            ..registration
        };
        assert!(!key.verify(other.to_sign().as_bytes(), &signature));
    }

    #[test]
    fn a_block_is_named_that_is_deep_enough_and_stays_shallow_enough() {
        assert_eq!([0, 16, 20, 21, 1_000].map(anchor), [0, 0, 0, 1, 980]);
        assert!(is_fresh(980, 1_000) && is_fresh(0, 192));
        assert!(!is_fresh(0, 193));
        for best in 0..2_000 {
            let depth = best - u64::from(anchor(best));
            assert!(depth >= u64::from(MIN_ANCHOR_DEPTH) || anchor(best) == 0);
            assert!(is_fresh(anchor(best), best + 100));
        }
    }

    #[test]
    fn a_key_file_is_read_as_the_trainer_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("trainer.key");
        std::fs::write(&file, hex::encode(trainer_key(0))).unwrap();
        assert_eq!(Identity::read(&file).unwrap().peer_id(), identity().peer_id());
        std::fs::write(&file, "no key").unwrap();
        assert!(matches!(Identity::read(&file), Err(Error::BadKey { .. })));
    }
}
