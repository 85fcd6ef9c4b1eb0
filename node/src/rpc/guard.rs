//! Keeps pages of other sites away from the node, whose JSON-RPC any browser on this PC can reach.
//!
//! A program sends no Origin and passes; it could read the keystore's files just as well. A browser names the page's
//! origin, which must be one that is allowed by name. A page that rebinds its own name to this PC's address sends its
//! own name as Host; one that only embeds or follows a link is called cross-site by the browser. All of these are
//! refused, on HTTP and before a WebSocket begins, as the trainer refuses them.

use hyper::{
    Request,
    header::{self, HeaderMap, HeaderName, HeaderValue},
};
use std::net::{IpAddr, SocketAddr};

/// What a browser says of the page behind a request.
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Pages of other sites that may use the node: polkadot-js Apps and the PAPI console.
const NAMED: [&str; 2] = ["https://polkadot.js.org", "https://dev.papi.how"];

/// The origins of the dashboard, which this PC's trainer serves on this port. What other programs serve on other ports of this
/// PC are pages like any other.
fn dashboard(trainer_port: u16) -> [String; 2] {
    ["127.0.0.1", "localhost"].map(|host| format!("http://{host}:{trainer_port}"))
}

/// Why a request is refused, in a sentence for whoever sent it.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Refusal {
    #[error("a request needs exactly one Host header: use http://127.0.0.1 and the node's RPC port")]
    NoHost,

    #[error("the node is reached as 127.0.0.1, localhost or [::1] only: use one of these names")]
    ForeignHost,

    #[error(
        "the node is reached by its IP address, not by a name, which could be anybody's: use the address, or let the \
         proxy before the node send it as Host"
    )]
    ForeignName,

    #[error(
        "pages of this origin may not use the node: if you trust them, start it with --rpc-cors and their origin, like \
         --rpc-cors https://wallet.example"
    )]
    ForeignOrigin,

    #[error("pages of other sites may not use the node without naming themselves: no Origin was sent")]
    NoOrigin,
}

/// Who may use one of the node's addresses.
#[derive(Clone, Debug)]
pub struct Guard {
    /// The dashboard, and what `--rpc-cors` names. `None`: anybody, because `--rpc-cors all` asks for it.
    added: Option<Vec<String>>,
    /// Whether only this PC can connect.
    local: bool,
}

impl Guard {
    /// For an address, with the origins of `--rpc-cors`, `None` if it allows all, and the port of the dashboard.
    pub fn new(address: SocketAddr, cors: Option<Vec<String>>, trainer_port: u16) -> Self {
        let everybody = |origins: &Vec<String>| origins.iter().any(|origin| origin == "*" || origin == "all");
        Self {
            added: cors
                .filter(|origins| !everybody(origins))
                .map(|origins| dashboard(trainer_port).into_iter().chain(origins).collect()),
            local: address.ip().is_loopback(),
        }
    }

    /// Whether a request may go on. Returns the origin to which the answer may be shown, if the request names one.
    pub fn check<B>(&self, request: &Request<B>) -> Result<Option<HeaderValue>, Refusal> {
        let headers = request.headers();
        let Some(added) = &self.added else {
            return Ok(headers.get(header::ORIGIN).cloned());
        };
        let mut hosts = headers.get_all(header::HOST).iter();
        let host = match (hosts.next().map(HeaderValue::to_str), hosts.next()) {
            (Some(Ok(host)), None) => host,
            _ => return Err(Refusal::NoHost),
        };
        let in_line = request.uri().host();
        if !self.is_this_node(host) || !in_line.is_none_or(|host| self.is_this_node(host)) {
            return Err(match self.local {
                true => Refusal::ForeignHost,
                false => Refusal::ForeignName,
            });
        }
        let mut origins = headers.get_all(header::ORIGIN).iter();
        match (origins.next(), origins.next()) {
            (None, _) if is_from_elsewhere(headers) => Err(Refusal::NoOrigin),
            (None, _) => Ok(None),
            (Some(origin), None) if is_allowed(origin, added) => Ok(Some(origin.clone())),
            _ => Err(Refusal::ForeignOrigin),
        }
    }

    /// Whether a Host names this node; the port doesn't matter, so that a tunnel may change it. A name could be
    /// anybody's, an address can't be made to lead elsewhere: where others may connect, any address will do.
    fn is_this_node(&self, host: &str) -> bool {
        let Some(name) = without_port(host) else {
            return false;
        };
        let address = match name.strip_prefix('[') {
            Some(rest) => rest.strip_suffix(']').map(str::parse::<IpAddr>),
            None if name.contains(':') => None,
            None => Some(name.parse()),
        };
        match address {
            Some(Ok(address)) => !self.local || address.is_loopback(),
            _ => name.eq_ignore_ascii_case("localhost"),
        }
    }
}

/// Whether a browser says that another site's page is behind a request.
fn is_from_elsewhere(headers: &HeaderMap) -> bool {
    let own = |site: &HeaderValue| {
        [b"none".as_slice(), b"same-origin"]
            .iter()
            .any(|own| site.as_bytes().eq_ignore_ascii_case(own))
    };
    !headers.get_all(FETCH_SITE).iter().all(own)
}

fn is_allowed(origin: &HeaderValue, added: &[String]) -> bool {
    let added = added.iter().map(String::as_str);
    origin.to_str().is_ok_and(|origin| {
        NAMED
            .into_iter()
            .chain(added)
            .any(|pattern| matches(pattern, origin))
    })
}

/// Whether an origin is the one that is named, with any port where the name ends in `:*`.
fn matches(pattern: &str, origin: &str) -> bool {
    match pattern.strip_suffix(":*") {
        Some(pattern) => {
            // The port comes after the scheme's colon.
            let Some((scheme, host)) = origin.split_once("://") else {
                return false;
            };
            without_port(host).is_some_and(|host| pattern.eq_ignore_ascii_case(&format!("{scheme}://{host}")))
        }
        None => pattern.trim_end_matches('/').eq_ignore_ascii_case(origin),
    }
}

/// `host` or `host:port`, without the port; `None` if what is there is no port.
fn without_port(host: &str) -> Option<&str> {
    let name_ends = host.rfind(']').map_or(0, |bracket| bracket + 1);
    match host.get(name_ends..)?.find(':') {
        Some(colon) => {
            let (name, port) = host.split_at_checked(name_ends + colon)?;
            let port = &port[1..];
            (port.is_empty() || port.parse::<u16>().is_ok()).then_some(name)
        }
        None => Some(host),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(host: &str, headers: &[(&str, &str)]) -> Request<()> {
        let mut request = Request::builder().uri("/").header("host", host);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap()
    }

    fn guard(address: &str, added: &[&str]) -> Guard {
        let added = added.iter().map(|origin| (*origin).to_owned()).collect();
        Guard::new(address.parse().unwrap(), Some(added), 8790)
    }

    fn asked(origin: &str, added: &[&str]) -> Result<Option<HeaderValue>, Refusal> {
        guard("127.0.0.1:9944", added).check(&request("127.0.0.1:9944", &[("origin", origin)]))
    }

    #[test]
    fn a_program_passes_and_gets_no_permission_to_show() {
        let guard = guard("127.0.0.1:9944", &[]);
        for host in [
            "127.0.0.1:9944",
            "localhost:1",
            "LocalHost",
            "[::1]:9944",
            "127.9.9.9",
        ] {
            assert_eq!(guard.check(&request(host, &[])), Ok(None), "{host}");
        }
    }

    #[test]
    fn named_origins_pass_and_are_repeated() {
        for origin in [
            "https://polkadot.js.org",
            "https://dev.papi.how",
            "http://localhost:8790",
            "http://127.0.0.1:8790",
        ] {
            let allowed = HeaderValue::from_str(origin).unwrap();
            assert_eq!(asked(origin, &[]), Ok(Some(allowed)), "{origin}");
        }
    }

    #[test]
    fn other_origins_are_refused() {
        for origin in [
            "http://evil.example",
            "https://evil.example",
            "null",
            "",
            "http://polkadot.js.org",
            "https://polkadot.js.org:8443",
            "https://polkadot.js.org.evil.example",
            "https://evil.example/https://polkadot.js.org",
            "http://localhost",
            "http://localhost:3000",
            "http://127.0.0.1:87900",
            "https://127.0.0.1:8790",
            "http://[::1]:8790",
            "http://localhost.evil.example",
            "http://127.0.0.1.evil.example:80",
            "http://localhost:80:80",
            "http://localhost:x",
            "http://localhost@evil.example",
            "http://[::1].evil.example",
            "http://192.168.0.1",
            "ws://localhost:1",
            "file://",
        ] {
            assert_eq!(asked(origin, &[]), Err(Refusal::ForeignOrigin), "{origin}");
        }
        let twice = request(
            "127.0.0.1",
            &[
                ("origin", "http://localhost:8790"),
                ("origin", "http://evil.example"),
            ],
        );
        assert_eq!(
            guard("127.0.0.1:1", &[]).check(&twice),
            Err(Refusal::ForeignOrigin)
        );
    }

    #[test]
    fn rpc_cors_adds_origins_and_all_lets_everybody_in() {
        let added = ["https://wallet.example", "http://lab.example:*", "null"];
        for origin in [
            "https://wallet.example",
            "http://lab.example:81",
            "null",
            "https://polkadot.js.org",
        ] {
            assert!(asked(origin, &added).is_ok(), "{origin}");
        }
        assert!(asked("https://wallet.example:8443", &added).is_err());
        assert!(asked("http://evil.example", &["*"]).is_ok());
        let everybody = Guard::new("127.0.0.1:1".parse().unwrap(), None, 8790);
        let evil = request("evil.example", &[("origin", "http://evil.example")]);
        assert!(everybody.check(&evil).is_ok());
    }

    #[test]
    fn a_page_that_rebinds_its_name_is_refused() {
        let local = guard("127.0.0.1:9944", &[]);
        for host in [
            "evil.example:9944",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "192.168.0.1:9944",
            "",
            "[::1",
            "::1",
            "[::2]",
            "[localhost]",
            "127.0.0.1:x",
            "127.0.0.1@evil.example",
            "localhost:1:1",
        ] {
            let refused = local.check(&request(host, &[]));
            assert_eq!(refused, Err(Refusal::ForeignHost), "{host}");
        }
        let absolute = Request::builder()
            .uri("http://evil.example/")
            .header("host", "localhost");
        assert_eq!(
            local.check(&absolute.body(()).unwrap()),
            Err(Refusal::ForeignHost)
        );
        assert_eq!(local.check(&Request::new(())), Err(Refusal::NoHost));
        let mut twice = request("localhost", &[]);
        twice
            .headers_mut()
            .append("host", HeaderValue::from_static("localhost"));
        assert_eq!(local.check(&twice), Err(Refusal::NoHost));
    }

    #[test]
    fn where_others_may_connect_an_address_is_enough_and_a_name_is_not() {
        let open = guard("0.0.0.0:9944", &[]);
        assert!(open.check(&request("192.168.0.7:9944", &[])).is_ok());
        assert!(open.check(&request("[2001:db8::7]:9944", &[])).is_ok());
        assert!(open.check(&request("evil.example:9944", &[])).is_err());
    }

    #[test]
    fn what_a_browser_calls_another_site_is_refused_without_an_origin_too() {
        let local = guard("127.0.0.1:9944", &[]);
        let asked = |site| local.check(&request("127.0.0.1:9944", &[("sec-fetch-site", site)]));
        assert_eq!(asked("none"), Ok(None));
        assert_eq!(asked("Same-Origin"), Ok(None));
        for site in ["cross-site", "same-site", "Cross-Site", "something-new"] {
            assert_eq!(asked(site), Err(Refusal::NoOrigin), "{site}");
        }
        // A page that is allowed by name is on another site, and that is as it should be.
        let named = [
            ("origin", "https://polkadot.js.org"),
            ("sec-fetch-site", "cross-site"),
        ];
        assert!(local.check(&request("127.0.0.1:9944", &named)).is_ok());
    }
}
