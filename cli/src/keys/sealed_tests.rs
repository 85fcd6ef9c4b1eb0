use super::*;
use proptest::prelude::*;

fn sealed() -> Sealed {
    Sealed::seal(b"content", "password", Cost::FORMER).unwrap()
}

#[test]
fn only_the_password_opens_it() {
    let sealed = sealed();
    assert_eq!(sealed.open("password").unwrap().as_slice(), b"content");
    for wrong in ["", "Password", "password "] {
        assert_eq!(sealed.open(wrong), Err(KeysError::WrongPassword), "{wrong:?}");
    }
}

#[test]
fn whatever_is_changed_it_no_longer_opens() {
    let whole = sealed().encode();
    for index in [0, SALT_LEN + 12, HEAD_LEN, HEAD_LEN + TAG_LEN, whole.len() - 1] {
        let mut bytes = whole.clone();
        bytes[index] ^= 1;
        let damaged = Sealed::decode(&bytes).unwrap();
        assert_eq!(damaged.open("password"), Err(KeysError::WrongPassword), "{index}");
    }
    for length in 0..HEAD_LEN + TAG_LEN {
        assert_eq!(
            Sealed::decode(&whole[..length]),
            Err(KeysError::Damaged),
            "{length}"
        );
    }
}

#[test]
fn a_password_that_is_a_hexadecimal_number_means_its_bytes_as_in_polkadot_js() {
    let bytes = |password| as_polkadot_js_reads(password).to_vec();
    assert_eq!(bytes("0x70617373776f7264"), b"password");
    assert_eq!(bytes("0x70617373776F7264"), b"password");
    assert_eq!(bytes("0x"), b"");
    for text in [
        "0x7", "0xzz", "0X70", "x70", "70617373", "0x70 ", " 0x70", "0x70ä1",
    ] {
        assert_eq!(bytes(text), text.as_bytes(), "{text}");
    }
    assert_eq!(
        sealed().open("0x70617373776f7264").unwrap().as_slice(),
        b"content"
    );
}

/// N, p and r would take up to 2⁷¹ bytes. Nothing is tried.
#[test]
fn a_cost_that_no_wallet_writes_is_refused_before_anything_is_spent() {
    let whole = sealed().encode();
    for (n, p, r) in [
        (u32::MAX, 1, 8),
        (1 << 31, 1, 8),
        (1 << 17, u32::MAX, 8),
        (1 << 17, 1, u32::MAX),
        (1 << 18, 1, 8),
        (1, 1, 1),
        (0, 0, 0),
        ((1 << 15) + 1, 1, 8),
    ] {
        let mut bytes = whole.clone();
        for (index, number) in [n, p, r].into_iter().enumerate() {
            bytes[SALT_LEN + index * 4..][..4].copy_from_slice(&number.to_le_bytes());
        }
        assert_eq!(Sealed::decode(&bytes), Err(KeysError::Cost { n, p, r }));
    }
}

#[test]
fn every_cost_that_polkadot_js_allows_is_read() {
    let whole = sealed().encode();
    for cost in Cost::KNOWN {
        let mut bytes = whole.clone();
        for (index, number) in [cost.n(), cost.p, cost.r].into_iter().enumerate() {
            bytes[SALT_LEN + index * 4..][..4].copy_from_slice(&number.to_le_bytes());
        }
        let decoded = Sealed::decode(&bytes).unwrap();
        assert_eq!(decoded.cost, cost);
        // Memory: a multiple of 8 MiB, and never more than 128.
        assert!(128 * u64::from(cost.n()) * u64::from(cost.r) <= 128 << 20);
        scrypt::Params::new(cost.log_n, cost.r, cost.p, 32).unwrap();
    }
}

#[test]
fn two_of_the_same_content_have_nothing_in_common() {
    let (a, b) = (sealed(), sealed());
    assert_ne!(a.salt, b.salt);
    assert_ne!(a.nonce, b.nonce);
    assert_ne!(a.boxed, b.boxed);
}

proptest! {
    #[test]
    fn hostile_bytes_are_nothing_or_what_they_were(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(sealed) = Sealed::decode(&bytes) {
            prop_assert_eq!(sealed.encode(), bytes);
        }
    }

    #[test]
    fn hostile_bytes_after_a_known_cost_come_back(salt: [u8; SALT_LEN], rest in prop::collection::vec(any::<u8>(), NONCE_LEN + TAG_LEN..200)) {
        let mut bytes = salt.to_vec();
        for number in [1u32 << 17, 1, 8] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        bytes.extend(rest);
        prop_assert_eq!(Sealed::decode(&bytes).unwrap().encode(), bytes);
    }
}
