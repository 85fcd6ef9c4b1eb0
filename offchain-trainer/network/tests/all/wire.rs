//! The wire format, byte by byte.

use hydra_blobs::{GROUP_SIZE, H256, MAX_BLOB_SIZE, SliceRange};
use hydra_network::wire::{
    Header, Request, WireError, decode_header, decode_request, encode_header, encode_request,
};

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
