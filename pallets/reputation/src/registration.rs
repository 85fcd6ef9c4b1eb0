//! What a registration has to show: that whoever signs it has the key of the PeerId, and a small proof of work, both made for this
//! chain, this account and a recent block. So nobody registers a PeerId that is another's, nor makes identities in advance.

use frame_support::pallet_prelude::*;
use frame_system::pallet_prelude::BlockNumberFor;
use hydra_primitives::{
    BlockNumber, H256,
    node::{MAX_ANCHOR_DEPTH, MIN_ANCHOR_DEPTH, Registration, ed25519_of},
    traits::bytes_of,
};
use sp_core::ed25519;

use crate::{Config, Error, Pallet, PeerIdBytes};

impl<T: Config> Pallet<T> {
    /// Checks work and possession.
    pub(crate) fn check_identity(
        who: &T::AccountId,
        peer_id: &PeerIdBytes,
        anchor: BlockNumber,
        signature: [u8; 64],
        nonce: u64,
    ) -> Result<(), Error<T>> {
        let key = ed25519_of(peer_id).ok_or(Error::<T>::NoEd25519PeerId)?;
        let registration = Registration {
            genesis: Self::hash_of_block(0),
            anchor: Self::anchor_hash(anchor)?,
            account: bytes_of(who),
            peer_id,
        };
        ensure!(
            registration.proves_work(nonce, T::WorkDifficulty::get()),
            Error::<T>::NotEnoughWork
        );
        let signed = sp_io::crypto::ed25519_verify(
            &ed25519::Signature::from_raw(signature),
            registration.to_sign().as_bytes(),
            &ed25519::Public::from_raw(key),
        );
        ensure!(signed, Error::<T>::NotYourPeerId);
        Ok(())
    }

    /// The hash of the block that a registration names, if it is neither too recent nor too old. The genesis block is never too
    /// recent: no fork removes it.
    fn anchor_hash(anchor: BlockNumber) -> Result<H256, Error<T>> {
        let depth = Self::now()
            .checked_sub(anchor)
            .ok_or(Error::<T>::AnchorTooRecent)?;
        ensure!(
            depth >= MIN_ANCHOR_DEPTH || anchor == 0,
            Error::<T>::AnchorTooRecent
        );
        ensure!(depth <= MAX_ANCHOR_DEPTH, Error::<T>::AnchorTooOld);
        let hash = Self::hash_of_block(anchor);
        ensure!(!hash.is_zero(), Error::<T>::AnchorTooOld);
        Ok(hash)
    }

    pub(crate) fn hash_of_block(number: BlockNumber) -> H256 {
        let hash = frame_system::Pallet::<T>::block_hash(BlockNumberFor::<T>::from(number));
        let bytes: &[u8] = hash.as_ref();
        <[u8; 32]>::try_from(bytes).map(H256).unwrap_or_default()
    }
}
