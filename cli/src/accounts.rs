//! Accounts as people know them: by name where the key is one of the well-known development keys, else by address.
//!
//! The development names carry no authority: their secrets are public.

use hydra_primitives::AccountBytes;
use subxt::utils::AccountId32;
use subxt_signer::sr25519;

/// Names of the development accounts, in the order of the PCs of a local network.
pub const DEVELOPMENT: [&str; 6] = ["Alice", "Bob", "Charlie", "Dave", "Eve", "Ferdie"];

/// The account of the development key `//name`.
pub fn development(name: &str) -> Option<AccountBytes> {
    let pair = match name {
        "Alice" => sr25519::dev::alice(),
        "Bob" => sr25519::dev::bob(),
        "Charlie" => sr25519::dev::charlie(),
        "Dave" => sr25519::dev::dave(),
        "Eve" => sr25519::dev::eve(),
        "Ferdie" => sr25519::dev::ferdie(),
        _ => return None,
    };
    Some(pair.public_key().0)
}

/// The name of a development account.
pub fn name(account: &AccountBytes) -> Option<&'static str> {
    DEVELOPMENT
        .into_iter()
        .find(|name| development(name).as_ref() == Some(account))
}

/// The account's address (SS58, prefix 42).
pub fn address(account: &AccountBytes) -> String {
    AccountId32(*account).to_string()
}

/// A short form for tables: the name, or the beginning and end of the address.
pub fn short(account: &AccountBytes) -> String {
    if let Some(name) = name(account) {
        return name.into();
    }
    let address = address(account);
    let (head, tail) = (address.get(..6), address.get(address.len().saturating_sub(4)..));
    format!("{}…{}", head.unwrap_or_default(), tail.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn development_accounts_have_names_and_known_addresses() {
        let alice = development("Alice").unwrap();
        assert_eq!(
            address(&alice),
            "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"
        );
        assert_eq!(short(&alice), "Alice");
        assert_eq!(short(&[7; 32]).chars().count(), 11);
    }
}
