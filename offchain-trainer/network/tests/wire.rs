//! The wire format: one meaning, one encoding, and no input that panics.

use hydra_blobs::{GROUP_SIZE, H256, MAX_BLOB_SIZE, SliceRange};
use hydra_network::wire::{
    HEADER_SIZE, Header, REQUEST_SIZE, Request, WireError, decode_header, decode_request, encode_header,
    encode_request,
};
use proptest::prelude::*;

fn request() -> impl Strategy<Value = Request> {
    (any::<[u8; 32]>(), 0..MAX_BLOB_SIZE / GROUP_SIZE, 1u64..=64).prop_map(|(hash, first, groups)| Request {
        hash: H256(hash),
        range: SliceRange::new(first * GROUP_SIZE, groups * GROUP_SIZE).unwrap(),
    })
}

fn header() -> impl Strategy<Value = Header> {
    prop_oneof![
        (0..=MAX_BLOB_SIZE).prop_map(|total_size| Header::Found { total_size }),
        Just(Header::NotFound),
        Just(Header::Busy),
    ]
}

proptest! {
    #[test]
    fn requests_survive_the_wire(request in request()) {
        prop_assert_eq!(decode_request(&encode_request(&request)), Ok(request));
    }

    #[test]
    fn headers_survive_the_wire(header in header()) {
        prop_assert_eq!(decode_header(&encode_header(&header)), Ok(header));
    }

    #[test]
    fn arbitrary_bytes_never_panic_and_have_one_meaning(
        bytes in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..100),
            prop::collection::vec(any::<u8>(), REQUEST_SIZE),
            prop::collection::vec(prop_oneof![Just(0u8), Just(64), any::<u8>()], REQUEST_SIZE),
            prop::collection::vec(prop_oneof![0u8..4, any::<u8>()], HEADER_SIZE),
        ],
    ) {
        if let Ok(request) = decode_request(&bytes) {
            prop_assert_eq!(&encode_request(&request)[..], &bytes[..]);
        }
        if let Ok(header) = decode_header(&bytes) {
            prop_assert_eq!(&encode_header(&header)[..], &bytes[..]);
        }
    }
}

#[test]
fn the_layout_is_what_the_documentation_says() {
    let range = SliceRange::new(0x0012_3456_0000 / GROUP_SIZE * GROUP_SIZE, 3 * GROUP_SIZE).unwrap();
    let bytes = encode_request(&Request {
        hash: H256::repeat_byte(7),
        range,
    });
    assert_eq!(bytes[..32], [7; 32]);
    assert_eq!(bytes[32..40], range.offset().to_le_bytes());
    assert_eq!(bytes[40..], [0, 0xC0, 0, 0]);
    assert_eq!(
        encode_header(&Header::Found { total_size: 258 }),
        [0, 2, 1, 0, 0, 0, 0, 0, 0]
    );
    assert_eq!(encode_header(&Header::NotFound), [1, 0, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(encode_header(&Header::Busy), [2, 0, 0, 0, 0, 0, 0, 0, 0]);
}

#[test]
fn oversized_and_odd_messages_are_refused() {
    assert_eq!(
        decode_request(&[0; 43]),
        Err(WireError::Length {
            expected: 44,
            got: 43
        })
    );
    assert_eq!(
        decode_request(&[0; 45]),
        Err(WireError::Length {
            expected: 44,
            got: 45
        })
    );
    assert!(
        matches!(decode_request(&[0; 44]), Err(WireError::Range(_))),
        "length 0"
    );
    assert!(matches!(decode_request(&[0xFF; 44]), Err(WireError::Range(_))));
    assert_eq!(decode_header(&[3; 9]), Err(WireError::Status(3)));
    assert!(matches!(
        decode_header(&[1; 9]),
        Err(WireError::Size { status: 1, .. })
    ));
    let too_large = encode_header(&Header::Found {
        total_size: MAX_BLOB_SIZE + 1,
    });
    assert!(matches!(
        decode_header(&too_large),
        Err(WireError::Size { status: 0, .. })
    ));
}
