//! Addresses of nodes as people type them: what can't be one is refused with how one looks.

use std::net::IpAddr;

use crate::error::Error;

/// How an address looks.
const EXAMPLE: &str = "ws://127.0.0.1:9944";

/// Refuses what can't be the address of a node's RPC.
pub fn check(given: &str) -> Result<(), Error> {
    let bad = |reason, example: String| {
        // What is suggested must be taken.
        let example = match check(&example) {
            Err(Error::BadUrl { example, .. }) => example,
            _ => example,
        };
        Err(Error::BadUrl {
            given: given.into(),
            reason,
            example,
        })
    };
    let Some((scheme, rest)) = given.split_once("://") else {
        let plain = host_and_port(&format!("ws://{given}")).is_some();
        let example = if plain {
            format!("ws://{given}")
        } else {
            EXAMPLE.into()
        };
        return bad("it must begin with ws:// or wss://", example);
    };
    let tls = match scheme.to_ascii_lowercase().as_str() {
        "ws" => false,
        "wss" => true,
        "http" => {
            return bad(
                "it must begin with ws:// instead of http://",
                format!("ws://{rest}"),
            );
        }
        "https" => {
            return bad(
                "it must begin with wss:// instead of https://",
                format!("wss://{rest}"),
            );
        }
        _ => return bad("it must begin with ws:// or wss://", EXAMPLE.into()),
    };
    let Ok(url) = reqwest::Url::parse(given) else {
        return bad("host and port must follow ws://", EXAMPLE.into());
    };
    let Some(host) = url.host_str().filter(|host| !host.is_empty()) else {
        return bad("it names no host", EXAMPLE.into());
    };
    let unspecified = bare(host)
        .parse()
        .is_ok_and(|address: IpAddr| address.is_unspecified());
    if unspecified {
        let port = url.port().unwrap_or(9944);
        return bad(
            "a program listens there, but nobody can connect to it; use 127.0.0.1 for this PC",
            format!("ws://127.0.0.1:{port}"),
        );
    }
    // Nodes are at 9944, and with TLS, behind some proxy, at the usual port. That an address without a port means port 80
    // is right and nobody's intention. `Url` forgets a port that is the usual one.
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let names_port = url.port().is_some() || authority.ends_with(":80");
    if !tls && !names_port {
        return bad("it has no port", format!("ws://{host}:9944"));
    }
    Ok(())
}

/// Whom to connect to at this address.
pub fn host_and_port(url: &str) -> Option<(String, u16)> {
    let url = reqwest::Url::parse(url).ok()?;
    let host = url.host_str().filter(|host| !host.is_empty())?;
    Some((bare(host).into(), url.port_or_known_default()?))
}

/// Whether this host is the PC itself.
pub fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

/// An IPv6 address without its brackets.
fn bare(host: &str) -> &str {
    host.trim_start_matches('[').trim_end_matches(']')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaint(given: &str) -> String {
        check(given).unwrap_err().to_string()
    }

    #[test]
    fn addresses_of_nodes_are_taken() {
        for good in [
            "ws://127.0.0.1:9944",
            "ws://localhost:1",
            "ws://[::1]:9944",
            "ws://host:80",
            "wss://rpc.example.org",
            "wss://rpc.example.org:444/path?key=1",
        ] {
            assert!(check(good).is_ok(), "{good}: {:?}", check(good));
        }
    }

    #[test]
    fn what_can_not_be_an_address_is_answered_with_one_that_can() {
        for (given, example) in [
            ("http://127.0.0.1:9944", "ws://127.0.0.1:9944"),
            ("https://rpc.example.org", "wss://rpc.example.org"),
            ("127.0.0.1:9944", "ws://127.0.0.1:9944"),
            ("localhost:9945", "ws://localhost:9945"),
            ("ftp://host:1", "ws://127.0.0.1:9944"),
            ("", "ws://127.0.0.1:9944"),
            ("ws://", "ws://127.0.0.1:9944"),
            ("ws://host:port", "ws://127.0.0.1:9944"),
            ("ws://0.0.0.0:9950", "ws://127.0.0.1:9950"),
            ("ws://[::]:9950", "ws://127.0.0.1:9950"),
            ("ws://10.0.0.5", "ws://10.0.0.5:9944"),
            ("ws://10.0.0.5/", "ws://10.0.0.5:9944"),
            ("127.0.0.1", "ws://127.0.0.1:9944"),
            ("http://127.0.0.1", "ws://127.0.0.1:9944"),
            ("http://0.0.0.0:9944", "ws://127.0.0.1:9944"),
            ("https://", "ws://127.0.0.1:9944"),
            ("0.0.0.0", "ws://127.0.0.1:9944"),
        ] {
            let text = complaint(given);
            assert!(
                text.ends_with(&format!("for example {example}")),
                "{given}: {text}"
            );
            assert!(check(example).is_ok(), "{example}");
        }
    }

    #[test]
    fn a_missing_port_is_said_to_be_missing() {
        assert!(complaint("ws://10.0.0.5").contains("it has no port"));
    }

    #[test]
    fn loopback_is_this_pc() {
        let host = |url| host_and_port(url).unwrap();
        assert_eq!(host("ws://[::1]:7"), ("::1".into(), 7));
        assert_eq!(host("wss://example.org"), ("example.org".into(), 443));
        assert!(is_loopback("::1") && is_loopback("127.0.0.1") && is_loopback("localhost"));
        assert!(!is_loopback("10.0.0.5") && !is_loopback("example.org"));
    }
}
