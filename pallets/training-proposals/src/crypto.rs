//! The key with which the off-chain worker signs: a key type of its own, so that it never shares a key with consensus.

use frame_system::offchain::AppCrypto;
use sp_application_crypto::{KeyTypeId, app_crypto, sr25519};
use sp_runtime::{MultiSignature, MultiSigner};

/// The key type of the account that trains, votes and earns on this PC.
pub const KEY_TYPE: KeyTypeId = KeyTypeId(*b"hydr");

mod app {
    use super::*;
    app_crypto!(sr25519, KEY_TYPE);
}

/// The public key of a local training account.
pub type AuthorityId = app::Public;

/// Lets the off-chain worker sign extrinsics with these keys.
pub struct TrainerKey;

impl AppCrypto<MultiSigner, MultiSignature> for TrainerKey {
    type RuntimeAppPublic = AuthorityId;
    type GenericPublic = sp_core::sr25519::Public;
    type GenericSignature = sp_core::sr25519::Signature;
}
