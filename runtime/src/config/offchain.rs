//! How the off-chain worker turns calls into transactions of this runtime.

use crate::{
    AccountId, Nonce, Runtime, RuntimeCall, Signature, SignedPayload, System, TxExtension, UncheckedExtrinsic,
};
use codec::Encode;
use frame_support::{dispatch::DispatchClass, traits::Get, weights::Weight};
use frame_system::offchain::{
    AppCrypto, CreateBare, CreateSignedTransaction, CreateTransaction, CreateTransactionBase, SigningTypes,
};
use pallet_training_proposals::IN_FLIGHT_BLOCKS;
use pallet_transaction_payment::ChargeTransactionPayment;
use sp_runtime::{
    generic::Era,
    traits::{StaticLookup, TransactionExtension as _, Verify},
};

/// The period of a worker's transactions, in blocks: a power of two.
const PERIOD: u64 = 16;
/// How far back their validity begins: so that it ends just before the worker sends again, and nothing it gave up is taken later. A
/// transaction names the hash of that block, so it must lie below where short forks branch off, too: one that began in a block that a
/// reorganisation removes would be invalid for ever.
const BORN_BEFORE: u32 = PERIOD as u32 - IN_FLIGHT_BLOCKS;

impl SigningTypes for Runtime {
    type Public = <Signature as Verify>::Signer;
    type Signature = Signature;
}

impl<C> CreateTransactionBase<C> for Runtime
where
    RuntimeCall: From<C>,
{
    type Extrinsic = UncheckedExtrinsic;
    type RuntimeCall = RuntimeCall;
}

impl<C> CreateBare<C> for Runtime
where
    RuntimeCall: From<C>,
{
    fn create_bare(call: RuntimeCall) -> UncheckedExtrinsic {
        UncheckedExtrinsic::new_bare(call)
    }
}

impl<C> CreateTransaction<C> for Runtime
where
    RuntimeCall: From<C>,
{
    type Extension = TxExtension;

    fn create_transaction(call: RuntimeCall, extension: TxExtension) -> UncheckedExtrinsic {
        UncheckedExtrinsic::new_transaction(call, extension)
    }
}

impl<C> CreateSignedTransaction<C> for Runtime
where
    RuntimeCall: From<C>,
{
    fn create_signed_transaction<App: AppCrypto<Self::Public, Self::Signature>>(
        call: RuntimeCall,
        public: Self::Public,
        account: AccountId,
        nonce: Nonce,
    ) -> Option<UncheckedExtrinsic> {
        let born = u64::from(System::block_number().saturating_sub(BORN_BEFORE));
        let extension = extension(nonce, Era::mortal(PERIOD, born));
        let payload = SignedPayload::new(call, extension)
            .inspect_err(|error| log::warn!(target: "hydra", "could not make a transaction: {error:?}"))
            .ok()?;
        let signature = payload.using_encoded(|bytes| App::sign(bytes, public))?;
        let (call, extension, _) = payload.deconstruct();
        let address = <Runtime as frame_system::Config>::Lookup::unlookup(account);
        Some(UncheckedExtrinsic::new_signed(
            call, address, signature, extension,
        ))
    }
}

/// What a transaction of results takes beside them: its base, and the checks of what it carries, but for whether they are owed.
pub struct SubmitBase;

impl Get<Weight> for SubmitBase {
    fn get() -> Weight {
        let results = Default::default();
        let call: RuntimeCall = pallet_training_proposals::Call::submit { results }.into();
        let weights = <Runtime as frame_system::Config>::BlockWeights::get();
        let base = weights.get(DispatchClass::Operational).base_extrinsic;
        base.saturating_add(extension(0, Era::mortal(PERIOD, 0)).weight(&call))
    }
}

fn extension(nonce: Nonce, era: Era) -> TxExtension {
    (
        frame_system::CheckNonZeroSender::new(),
        frame_system::CheckSpecVersion::new(),
        frame_system::CheckTxVersion::new(),
        frame_system::CheckGenesis::new(),
        frame_system::CheckEra::from(era),
        frame_system::CheckNonce::from(nonce),
        frame_system::CheckWeight::new(),
        ChargeTransactionPayment::<Runtime>::from(0).into(),
        frame_metadata_hash_extension::CheckMetadataHash::new(false),
    )
}
