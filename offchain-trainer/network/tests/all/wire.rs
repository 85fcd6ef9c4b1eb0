//! The wire format, byte by byte.

use hydra_blobs::{Availability, GROUP_SIZE, H256, MAX_BLOB_SIZE, SliceError, SliceRange, SliceSet};
use hydra_network::wire::{
    Request, Status, WireError, decode_head, decode_ranges, decode_request, decode_size, decode_slices,
    decode_status, encode_availability, encode_found, encode_request, encode_status, ranges_len,
};

const MIB: u64 = 1 << 20;

#[test]
fn the_layout_is_what_the_documentation_says() {
    let hash = H256::repeat_byte(7);
    let ranges = vec![
        SliceRange::new(0x0012_3456 * GROUP_SIZE, 3 * GROUP_SIZE).unwrap(),
        SliceRange::first(),
    ];
    let bytes = encode_request(&Request::Get { hash, ranges });
    assert_eq!(bytes[0], 1);
    assert_eq!(bytes[1..33], [7; 32]);
    assert_eq!(bytes[33..], [2, 0x56, 0x34, 0x12, 0, 3, 0, 0, 0, 0, 64]);
    let bytes = encode_request(&Request::Have { hash });
    assert_eq!(bytes, [&[2][..], &[7; 32]].concat());
    let statuses = [Status::Found, Status::NotFound, Status::Busy, Status::Partly];
    assert_eq!(statuses.map(encode_status), [0, 1, 2, 3]);
    assert_eq!(encode_found(258), [0, 2, 1, 0, 0, 0, 0, 0, 0]);
    let mut slices = SliceSet::empty(10 * MIB).unwrap();
    [0, 3, 9].iter().for_each(|index| slices.insert(*index));
    let size = (10 * MIB).to_le_bytes();
    let some = encode_availability(&Availability::of(slices));
    assert_eq!(some, [&[3][..], &size, &[0b1001, 0b10]].concat());
    assert_eq!(encode_availability(&Availability::None), [1]);
    let whole = encode_availability(&Availability::Whole { size: 10 * MIB });
    assert_eq!(whole, [&[0][..], &size].concat());
}

#[test]
fn oversized_and_odd_messages_are_refused() {
    let hash = H256::repeat_byte(7);
    let get = encode_request(&Request::Get {
        hash,
        ranges: vec![SliceRange::first()],
    });
    let edited = |at: usize, byte: u8| {
        let mut bytes = get.clone();
        bytes[at] = byte;
        decode_request(&bytes)
    };
    assert!(decode_request(&get).is_ok());
    assert_eq!(edited(0, 3), Err(WireError::Kind(3)));
    assert_eq!(edited(33, 0), Err(WireError::Count(0)));
    assert_eq!(edited(33, 9), Err(WireError::Count(9)));
    assert!(matches!(edited(33, 2), Err(WireError::Length { .. })));
    assert!(matches!(edited(38, 0), Err(WireError::Range(_))));
    assert!(matches!(edited(38, 65), Err(WireError::Range(_))));
    assert!(
        matches!(edited(37, 4), Err(WireError::Range(_))),
        "behind any blob"
    );
    assert!(
        matches!(edited(0, 2), Err(WireError::Length { .. })),
        "too long for that"
    );
    assert!(matches!(
        decode_request(&get[..32]),
        Err(WireError::Length {
            expected: 33,
            got: 32
        })
    ));
    assert!(matches!(
        decode_head(&[1; 34]),
        Err(WireError::Length {
            expected: 33,
            got: 34
        })
    ));
    assert!(decode_ranges(&[0; 4]).is_err() && decode_ranges(&[]).is_err());
    assert!(decode_ranges(&[1; 45]).is_err(), "nine");
    assert_eq!(ranges_len(8), Ok(40));
    assert_eq!(decode_status(4), Err(WireError::Status(4)));
    let size = MAX_BLOB_SIZE + 1;
    assert_eq!(decode_size(&size.to_le_bytes()), Err(WireError::Size(size)));
    // Ten slices: two bytes of bits, six of which stand for nothing.
    let slices = |bits: &[u8]| decode_slices(10 * MIB, bits.to_vec());
    assert!(slices(&[1, 0]).is_ok());
    assert_eq!(slices(&[0, 0]), Err(WireError::Slices));
    assert_eq!(slices(&[0xFF, 3]), Err(WireError::Slices));
    assert_eq!(slices(&[1, 4]), Err(WireError::Range(SliceError::TrailingBytes)));
    assert!(matches!(
        slices(&[1]),
        Err(WireError::Range(SliceError::WrongLength { .. }))
    ));
}
