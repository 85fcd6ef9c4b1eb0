//! Lets what an account owes into blocks without a fee, before everything else, and nothing else of that kind at any price.
//!
//! [`FreeWhenOwed`] is wrapped around the extension that charges fees. For every other call it is that extension, but for one thing:
//! the space that blocks keep for operational transactions is not for sale, neither to a batch of submissions nor to a call of root's
//! that an account makes in vain. Seen from outside it always is the inner one: identifier, encoding, type and metadata are, so no
//! client needs to know of it.

use alloc::{vec, vec::Vec};
use codec::{Decode, DecodeWithMemTracking, Encode};
use core::{fmt, marker::PhantomData};
use frame_support::{
    dispatch::{DispatchClass, GetDispatchInfo},
    traits::{Contains, IsSubType},
    weights::Weight,
};
use frame_system::ensure_signed;
use hydra_primitives::BlockNumber;
use scale_info::{StaticTypeInfo, Type, TypeInfo};
use sp_runtime::{
    DispatchResult,
    traits::{
        DispatchInfoOf, DispatchOriginOf, Implication, PostDispatchInfoOf, TransactionExtension,
        TransactionExtensionMetadata, ValidateResult,
    },
    transaction_validity::{
        InvalidTransaction, TransactionLongevity, TransactionPriority, TransactionSource,
        TransactionValidity, TransactionValidityError, ValidTransaction,
    },
};

use crate::{Call, Config, IN_FLIGHT_BLOCKS, Pallet};

type CallOf<T> = <T as frame_system::Config>::RuntimeCall;

/// What a pool keeps one transaction of per account.
const TAG: &str = "hydra submit";
/// A block less than the off-chain worker waits before it sends again, so that what hangs is gone by then.
const LONGEVITY: TransactionLongevity = IN_FLIGHT_BLOCKS as TransactionLongevity - 1;
/// Nothing else gets as much, whatever its tip. It grows with the blocks, so that what is sent again replaces what hangs.
const PRIORITY: TransactionPriority = TransactionPriority::MAX - BlockNumber::MAX as TransactionPriority;
/// The most that anything else gets: of a large tip, the inner extension would make the largest number there is.
const MOST_PAID: TransactionPriority = PRIORITY - 1;

/// Takes no fee for a `submit` of which every result is owed now, and refuses any other `submit`, whatever carries it.
#[derive(Encode, Decode, DecodeWithMemTracking, Clone, PartialEq, Eq)]
pub struct FreeWhenOwed<T, Inner>(pub Inner, PhantomData<T>);

impl<T, Inner> From<Inner> for FreeWhenOwed<T, Inner> {
    fn from(inner: Inner) -> Self {
        Self(inner, PhantomData)
    }
}

// Not to be seen in metadata.
impl<T, Inner: StaticTypeInfo> TypeInfo for FreeWhenOwed<T, Inner> {
    type Identity = Inner;

    fn type_info() -> Type {
        Inner::type_info()
    }
}

impl<T, Inner: fmt::Debug> fmt::Debug for FreeWhenOwed<T, Inner> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, formatter)
    }
}

/// Which way a transaction goes.
pub enum Lane<Charged> {
    /// All of it is owed: it is free.
    Owed {
        /// What the inner extension would have taken of the block, and doesn't.
        unspent: Weight,
    },
    /// The inner extension charges for it.
    Charged(Charged),
}

impl<T, Inner> TransactionExtension<CallOf<T>> for FreeWhenOwed<T, Inner>
where
    T: Config + Send + Sync,
    Inner: TransactionExtension<CallOf<T>>,
    CallOf<T>: IsSubType<Call<T>>,
{
    const IDENTIFIER: &'static str = Inner::IDENTIFIER;
    type Implicit = Inner::Implicit;
    type Val = Lane<Inner::Val>;
    type Pre = Lane<Inner::Pre>;

    fn implicit(&self) -> Result<Self::Implicit, TransactionValidityError> {
        self.0.implicit()
    }

    fn metadata() -> Vec<TransactionExtensionMetadata> {
        Inner::metadata()
    }

    fn weight(&self, call: &CallOf<T>) -> Weight {
        let inner = self.0.weight(call);
        match call.is_sub_type() {
            Some(Call::submit { results }) => inner.saturating_add(Pallet::<T>::owed_weight(results)),
            _ => inner,
        }
    }

    fn validate(
        &self,
        origin: DispatchOriginOf<CallOf<T>>,
        call: &CallOf<T>,
        info: &DispatchInfoOf<CallOf<T>>,
        len: usize,
        self_implicit: Self::Implicit,
        inherited_implication: &impl Implication,
        source: TransactionSource,
    ) -> ValidateResult<Self::Val, CallOf<T>> {
        let Some(Call::submit { results }) = call.is_sub_type() else {
            if call.get_dispatch_info().class == DispatchClass::Operational && !T::Reserved::contains(call) {
                return Err(InvalidTransaction::Call.into());
            }
            let (mut validity, val, origin) = self.0.validate(
                origin,
                call,
                info,
                len,
                self_implicit,
                inherited_implication,
                source,
            )?;
            validity.priority = validity.priority.min(MOST_PAID);
            return Ok((validity, Lane::Charged(val), origin));
        };
        let who = ensure_signed(origin.clone()).map_err(|_| InvalidTransaction::BadSigner)?;
        if results.is_empty() {
            return Err(InvalidTransaction::Call.into());
        }
        if !Pallet::<T>::all_owed(&who, results) {
            return Err(InvalidTransaction::Stale.into());
        }
        let validity = ValidTransaction {
            priority: PRIORITY.saturating_add(TransactionPriority::from(Pallet::<T>::now())),
            requires: vec![],
            provides: vec![(TAG, &who).encode()],
            longevity: LONGEVITY,
            propagate: true,
        };
        let unspent = self.0.weight(call);
        Ok((validity, Lane::Owed { unspent }, origin))
    }

    fn prepare(
        self,
        val: Self::Val,
        origin: &DispatchOriginOf<CallOf<T>>,
        call: &CallOf<T>,
        info: &DispatchInfoOf<CallOf<T>>,
        len: usize,
    ) -> Result<Self::Pre, TransactionValidityError> {
        Ok(match val {
            Lane::Owed { unspent } => Lane::Owed { unspent },
            Lane::Charged(val) => Lane::Charged(self.0.prepare(val, origin, call, info, len)?),
        })
    }

    fn post_dispatch_details(
        pre: Self::Pre,
        info: &DispatchInfoOf<CallOf<T>>,
        post_info: &PostDispatchInfoOf<CallOf<T>>,
        len: usize,
        result: &DispatchResult,
    ) -> Result<Weight, TransactionValidityError> {
        match pre {
            Lane::Owed { unspent } => Ok(unspent),
            Lane::Charged(pre) => Inner::post_dispatch_details(pre, info, post_info, len, result),
        }
    }

    fn bare_validate(call: &CallOf<T>, info: &DispatchInfoOf<CallOf<T>>, len: usize) -> TransactionValidity {
        Inner::bare_validate(call, info, len)
    }

    fn bare_validate_and_prepare(
        call: &CallOf<T>,
        info: &DispatchInfoOf<CallOf<T>>,
        len: usize,
    ) -> Result<(), TransactionValidityError> {
        Inner::bare_validate_and_prepare(call, info, len)
    }

    fn bare_post_dispatch(
        info: &DispatchInfoOf<CallOf<T>>,
        post_info: &mut PostDispatchInfoOf<CallOf<T>>,
        len: usize,
        result: &DispatchResult,
    ) -> Result<(), TransactionValidityError> {
        Inner::bare_post_dispatch(info, post_info, len, result)
    }
}
