//! What is read of payments for questions without knowing the runtime: by trainers in a block's events, by the dashboard in the
//! metadata.

use codec::Encode;
use hydra_primitives::{
    H256,
    rewards::{QUERY_PAID, QUERY_PRICE},
};
use hydra_runtime::{Runtime, RuntimeEvent};

use crate::chain::{metadata, on_local};

#[test]
fn a_payment_is_encoded_as_trainers_look_for_it() {
    let paid = pallet_hydra_token::Event::<Runtime>::QueryPaid {
        who: [9u8; 32].into(),
        model: 3,
        version: 12,
        request_hash: H256([7; 32]),
        amount: QUERY_PRICE,
    };
    let expected = [
        &QUERY_PAID[..],
        &[9; 32],
        &3u32.to_le_bytes(),
        &12u32.to_le_bytes(),
        &[7; 32],
        &QUERY_PRICE.to_le_bytes(),
    ]
    .concat();
    assert_eq!(RuntimeEvent::from(paid).encode(), expected);
}

#[test]
fn the_price_of_a_question_can_be_read_from_the_chain() {
    on_local(|| {
        let metadata = metadata();
        let token = metadata.pallets.iter().find(|pallet| pallet.name == "HydraToken");
        let constants = &token.expect("the pallet is there").constants;
        let price = constants.iter().find(|constant| constant.name == "QueryPrice");
        assert_eq!(price.expect("the constant is there").value, QUERY_PRICE.encode());
    });
}
