//! Which submissions are free, and that nobody sees the extension that sees to it.

use super::helpers::*;
use crate::{extension::FreeWhenOwed, mock::*};
use codec::{Decode, Encode};
use frame_support::dispatch::{GetDispatchInfo, PostDispatchInfo};
use hydra_primitives::{H256, HYDRA, duty::DutyResult};
use pallet_transaction_payment::ChargeTransactionPayment;
use scale_info::meta_type;
use sp_core::crypto::AccountId32;
use sp_runtime::{
    BoundedVec,
    traits::{DispatchTransaction, TransactionExtension},
    transaction_validity::{
        InvalidTransaction, TransactionSource, TransactionValidityError, ValidTransaction,
    },
};

type Inner = ChargeTransactionPayment<Test>;
type Extension = FreeWhenOwed<Test, Inner>;

fn extension() -> Extension {
    Extension::from(Inner::from(0))
}

fn call(results: Vec<DutyResult>) -> RuntimeCall {
    crate::Call::submit {
        results: BoundedVec::truncate_from(results),
    }
    .into()
}

fn remark() -> RuntimeCall {
    frame_system::Call::remark { remark: vec![1; 8] }.into()
}

fn info(call: &RuntimeCall) -> frame_support::dispatch::DispatchInfo {
    let mut info = call.get_dispatch_info();
    info.extension_weight = extension().weight(call);
    info
}

fn validate(origin: RuntimeOrigin, call: &RuntimeCall) -> Result<ValidTransaction, TransactionValidityError> {
    extension()
        .validate_only(origin, call, &info(call), 100, TransactionSource::External, 0)
        .map(|(validity, ..)| validity)
}

/// Dispatches, and says what it cost.
fn dispatch(who: &AccountId32, call: RuntimeCall) -> (u128, PostDispatchInfo) {
    let before = Balances::free_balance(who);
    let info = info(&call);
    let post = extension()
        .dispatch_transaction(RuntimeOrigin::signed(who.clone()), call, &info, 100, 0)
        .expect("it is valid")
        .expect("it succeeds");
    (before - Balances::free_balance(who), post)
}

#[test]
fn what_is_owed_is_free_and_goes_before_everything_else() {
    with_nodes(4, || {
        let call = call(vec![DutyResult::Heartbeat { session: 0 }, proposal(0)]);
        let validity = validate(RuntimeOrigin::signed(account(1)), &call).expect("it is owed");
        let tipped = Inner::from(900 * HYDRA);
        let (signed, remark) = (RuntimeOrigin::signed(account(1)), remark());
        let (other, ..) = tipped
            .validate_only(
                signed,
                &remark,
                &info(&remark),
                100,
                TransactionSource::External,
                0,
            )
            .expect("it can pay");
        assert!(validity.priority > other.priority);
        assert_eq!(validity.provides, [("hydra submit", account(1)).encode()]);
        assert!(validity.longevity < u64::from(crate::IN_FLIGHT_BLOCKS) && validity.propagate);
        let (cost, post) = dispatch(&account(1), call.clone());
        assert_eq!(cost, 0);
        assert_eq!(place(0).claim, Some(claim(0)));
        // What the inner extension would have taken is given back.
        let unspent = Inner::from(0).weight(&call);
        let spent = info(&call).total_weight().saturating_sub(unspent);
        assert_eq!(post.actual_weight, Some(spent));
    });
}

#[test]
fn the_space_kept_for_operational_calls_is_not_for_sale() {
    with_nodes(4, || {
        let vain: RuntimeCall = frame_system::Call::set_heap_pages { pages: 1 }.into();
        assert_eq!(
            validate(RuntimeOrigin::signed(account(1)), &vain),
            Err(InvalidTransaction::Call.into())
        );
        assert!(validate(RuntimeOrigin::signed(account(1)), &remark()).is_ok());
    });
}

#[test]
fn what_is_sent_again_later_replaces_what_hangs() {
    with_nodes(4, || {
        let call = call(vec![DutyResult::Heartbeat { session: 0 }]);
        let first = validate(RuntimeOrigin::signed(account(1)), &call).unwrap();
        next_block();
        let second = validate(RuntimeOrigin::signed(account(1)), &call).unwrap();
        assert!(second.priority > first.priority && second.provides == first.provides);
    });
}

#[test]
fn a_submission_that_is_not_wholly_owed_has_no_way_in_at_any_price() {
    with_nodes(4, || {
        let refused = |origin, results| validate(origin, &call(results)).expect_err("it is refused");
        let signed = |n| RuntimeOrigin::signed(account(n));
        let stale = TransactionValidityError::from(InvalidTransaction::Stale);
        let digest = DutyResult::Digest {
            poll: H256::zero(),
            digest: H256::zero(),
        };
        assert_eq!(refused(signed(2), vec![proposal(0)]), stale);
        assert_eq!(refused(signed(1), vec![proposal(0), digest]), stale);
        assert_eq!(refused(signed(1), vec![]), InvalidTransaction::Call.into());
        assert_eq!(
            refused(RuntimeOrigin::none(), vec![proposal(0)]),
            InvalidTransaction::BadSigner.into()
        );
        // A second one in the same block, too.
        dispatch(&account(1), call(vec![proposal(0)]));
        assert_eq!(refused(signed(1), vec![proposal(0)]), stale);
    });
}

#[test]
fn every_other_call_is_charged_for_as_without_the_extension() {
    with_nodes(4, || {
        let (cost, _) = dispatch(&account(1), remark());
        let before = Balances::free_balance(account(2));
        let mut info = remark().get_dispatch_info();
        info.extension_weight = Inner::from(0).weight(&remark());
        Inner::from(0)
            .dispatch_transaction(RuntimeOrigin::signed(account(2)), remark(), &info, 100, 0)
            .expect("it is valid")
            .expect("it succeeds");
        assert!(cost > 0);
        assert_eq!(cost, before - Balances::free_balance(account(2)));
    });
}

#[test]
fn from_outside_it_is_the_extension_inside() {
    assert_eq!(
        <Extension as TransactionExtension<RuntimeCall>>::IDENTIFIER,
        "ChargeTransactionPayment"
    );
    let tip = 7;
    let bytes = Extension::from(Inner::from(tip)).encode();
    assert_eq!(bytes, Inner::from(tip).encode());
    assert_eq!(
        Extension::decode(&mut &bytes[..]).expect("it decodes"),
        Extension::from(Inner::from(tip))
    );
    assert_eq!(meta_type::<Extension>(), meta_type::<Inner>());
    let outer = <Extension as TransactionExtension<RuntimeCall>>::metadata();
    let inner = <Inner as TransactionExtension<RuntimeCall>>::metadata();
    assert_eq!(outer.len(), 1);
    assert_eq!(
        (outer[0].identifier, outer[0].ty, outer[0].implicit),
        (inner[0].identifier, inner[0].ty, inner[0].implicit)
    );
    assert_eq!(format!("{:?}", extension()), format!("{:?}", Inner::from(0)));
}
