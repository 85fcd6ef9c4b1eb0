//! Addresses of accounts as people give them.
//!
//! The same account is written otherwise on every network. Whoever gives another network's address may mean that network, and
//! what is sent to an account that its owner doesn't use here is as good as gone: so it must never be taken silently.

use hydra_primitives::AccountBytes;
use subxt::utils::AccountId32;

use super::error::KeysError;

/// The account of an address of this network; `None` if it is no address at all.
pub fn read(text: &str) -> Result<Option<AccountBytes>, KeysError> {
    let Ok(account) = text.parse::<AccountId32>() else {
        return Ok(None);
    };
    // There is one way to write an account with this network's prefix.
    let here = account.to_string();
    match here == text {
        true => Ok(Some(account.0)),
        false => Err(KeysError::ForeignAddress {
            given: text.into(),
            here,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HERE: &str = "5EHgWw2Af1pnoc7f1A8bfmM97W3DAYW8xr82RfhLL9oAabAe";

    #[test]
    fn an_address_of_another_network_is_answered_with_the_one_of_this() {
        assert!(read(HERE).unwrap().is_some());
        // Polkadot, Kusama, and prefixes of one and two bytes, as polkadot-js writes them.
        for given in [
            "13DyfGHEWo6GF98AxoBbovBHy82rrr4H3LrWaxggtEpgku8o",
            "EoJBFN3HNqiZFw6mrweZii9G6KSyDKKRDxmpKyHox1fKcFE",
            "7KpXwmPdj8C45qcQ2Lc6bgw4gh3PKPj4vbknM2Cf47HQV62i",
            "cEXoBRLrKXGukuJJgLXr3BCmz8WgztDZzCYXUZ5pwWGWxW3dB",
            "VdskW8fT8dWpMwBrerk7x4LsMagHKQNotoPyx8rTGq3AyCpmV",
        ] {
            let error = read(given).unwrap_err();
            assert_eq!(
                error,
                KeysError::ForeignAddress {
                    given: given.into(),
                    here: HERE.into(),
                }
            );
            let sentence = error.to_string();
            assert!(
                sentence.contains(HERE) && sentence.contains("hydra wallet receive"),
                "{sentence}"
            );
        }
    }

    #[test]
    fn what_is_no_address_may_be_a_name() {
        for text in [
            "",
            "savings",
            "//Alice",
            &HERE[1..],
            HERE.replace("5EH", "5Eh").as_str(),
        ] {
            assert_eq!(read(text), Ok(None), "{text}");
        }
    }

    proptest! {
        #[test]
        fn hostile_bytes_are_no_address_or_one(text in ".{0,60}") {
            if let Ok(Some(account)) = read(&text) {
                prop_assert_eq!(AccountId32(account).to_string(), text);
            }
        }

        #[test]
        fn every_account_is_read_from_its_address(account: [u8; 32]) {
            prop_assert_eq!(read(&AccountId32(account).to_string()), Ok(Some(account)));
        }
    }
}
