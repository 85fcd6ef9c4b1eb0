//! What a faucet is asked and answers, for both sides: `hydra faucet`, and `hydra up --faucet`, which asks it.
//!
//! It must never trust either side: what is read here is bounded by whoever reads it, and every field is checked where it is
//! used.

use serde::{Deserialize, Serialize};

/// Where a faucet is asked.
pub const COINS_PATH: &str = "/v1/coins";

/// Who wants coins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wish {
    /// The address, as wallets show it.
    pub address: String,
}

/// What was given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Given {
    /// To whom.
    pub address: String,
    /// How much, in HYDRA.
    pub amount: String,
    /// The block that it is in, which can't be undone any more.
    pub block: u64,
    /// That block's hash.
    pub block_hash: String,
    /// Hash of the transaction.
    pub transaction: String,
}

/// Why nothing was given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// What happened and what to do, for people.
    pub error: String,
    /// The same in one word, for programs.
    pub kind: Kind,
    /// After how many seconds it makes sense to ask again, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again_in_seconds: Option<u64>,
}

/// The kinds of refusals. Programs rely on these words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The request isn't understood.
    BadRequest,
    /// It is too long.
    TooLarge,
    /// It came too slowly.
    TooSlow,
    /// There is nothing at this path.
    NotFound,
    /// The path takes another method.
    WrongMethod,
    /// A page in a browser asks.
    Page,
    /// That is no address.
    BadAddress,
    /// That is an address of another network.
    ForeignAddress,
    /// The address had its coins.
    AlreadyServed,
    /// The address is being served.
    Waiting,
    /// The address has as much as the faucet gives.
    HasEnough,
    /// Too many addresses were served for this part of the internet.
    ClientLimit,
    /// Too many addresses were served.
    DailyLimit,
    /// The faucet has nothing left.
    Empty,
    /// Too many are waiting.
    Busy,
    /// The faucet's node is away, or can't take a payment now.
    NodeAway,
    /// The chain refused the payment.
    NotPaid,
    /// It isn't known what became of the payment.
    Unclear,
    /// The faucet can't note whom it pays, so it pays nobody.
    Broken,
    /// The faucet is being stopped.
    Stopping,
    /// A word that a later version knows.
    #[serde(other)]
    Other,
}

impl Kind {
    /// Whether the same answer would come again, however often it is asked.
    pub fn is_final(self) -> bool {
        matches!(
            self,
            Self::BadRequest
                | Self::BadAddress
                | Self::ForeignAddress
                | Self::AlreadyServed
                | Self::HasEnough
                | Self::Unclear
        )
    }
}

/// A faucet's address as a person types it, without what may be left out: `http://HOST:PORT`.
pub fn url(given: &str) -> Result<String, String> {
    const EXAMPLE: &str = "for example http://faucet.example.org:9980";
    let bad = |reason: &str| Err(format!("{reason}, {EXAMPLE}"));
    let Ok(url) = reqwest::Url::parse(given) else {
        return bad("give the faucet's address");
    };
    let host = match (url.scheme(), url.host_str()) {
        ("http", Some(host)) if !host.is_empty() => host,
        ("https", _) => return bad("faucets are asked without TLS"),
        _ => return bad("the address begins with http://"),
    };
    let is_plain = url.username().is_empty()
        && url.password().is_none()
        && url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none();
    match (is_plain, url.port()) {
        (false, _) => bad("give host and port, and nothing else"),
        (true, Some(port)) => Ok(format!("http://{host}:{port}")),
        (true, None) => Ok(format!("http://{host}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_faucet_is_named_by_host_and_port() {
        for (given, expected) in [
            ("http://127.0.0.1:9980", "http://127.0.0.1:9980"),
            ("http://127.0.0.1:9980/", "http://127.0.0.1:9980"),
            ("http://[::1]:9980", "http://[::1]:9980"),
            ("http://Faucet.Example.org", "http://faucet.example.org"),
        ] {
            assert_eq!(url(given).as_deref(), Ok(expected));
        }
        for bad in [
            "",
            "faucet.example.org",
            "127.0.0.1:9980",
            "https://faucet.example.org",
            "ws://127.0.0.1:9980",
            "http://",
            "http://user@host:1",
            "http://user:word@host:1",
            "http://host:1/path",
            "http://host:1/?query",
            "http://host:1/#part",
            "http://host:99999",
        ] {
            let complaint = url(bad).unwrap_err();
            assert!(complaint.contains("for example http://"), "{bad}: {complaint}");
        }
    }

    #[test]
    fn a_word_of_a_later_version_is_a_refusal_all_the_same() {
        let refused: Refused = serde_json::from_str(r#"{"error":"x","kind":"under_water"}"#).unwrap();
        assert_eq!((refused.kind, refused.again_in_seconds), (Kind::Other, None));
        assert!(!refused.kind.is_final());
        let written = serde_json::to_string(&Refused {
            error: "x".into(),
            kind: Kind::AlreadyServed,
            again_in_seconds: None,
        });
        assert_eq!(written.unwrap(), r#"{"error":"x","kind":"already_served"}"#);
    }

    proptest! {
        #[test]
        fn hostile_bytes_are_a_wish_and_an_answer_or_not(bytes in proptest::collection::vec(any::<u8>(), 0..300), text in ".{0,60}") {
            let _ = serde_json::from_slice::<Wish>(&bytes);
            let _ = serde_json::from_slice::<Given>(&bytes);
            let _ = serde_json::from_slice::<Refused>(&bytes);
            if let Ok(taken) = url(&text) {
                prop_assert_eq!(url(&taken), Ok(taken.clone()));
            }
        }
    }
}
