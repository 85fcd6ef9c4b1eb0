//! Keeps pages of other sites away from a server that listens on this PC only.
//!
//! A browser on this PC can reach 127.0.0.1 for any page it shows. A page that rebinds its own name to 127.0.0.1 sends
//! its own name as Host; a page that calls from its own site sends its site as Origin, or, where it only embeds or follows
//! a link, is called cross-site by the browser, or same-site: that is what another program's page on another port of
//! 127.0.0.1 is. All are refused before anything else is looked at, and no answer may be embedded or guessed at.

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::Refusal;

/// What a browser says of the page behind a request.
const FETCH_SITE: &str = "sec-fetch-site";

pub(super) async fn guard(request: Request, next: Next) -> Response {
    let mut response = match check(request.headers(), request.uri().host()) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    };
    // For browsers that say nothing of the page behind a request.
    let headers = response.headers_mut();
    headers.insert(
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    );
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    response
}

fn check(headers: &HeaderMap, uri_host: Option<&str>) -> Result<(), Refusal> {
    let forbidden = |sentence: &str| Refusal::new(StatusCode::FORBIDDEN, sentence);
    let mut hosts = headers.get_all(header::HOST).iter();
    let host = match (hosts.next().map(|host| host.to_str()), hosts.next()) {
        (Some(Ok(host)), None) => host,
        _ => {
            return Err(forbidden(
                "a request needs exactly one Host header: use http://127.0.0.1 and the trainer's port",
            ));
        }
    };
    if !is_this_pc(host) || !uri_host.is_none_or(is_this_pc) {
        return Err(forbidden(
            "the trainer is reached as 127.0.0.1, localhost or [::1] only: use one of these names",
        ));
    }
    let own = |origin: &str| {
        origin
            .strip_prefix("http://")
            .is_some_and(|o| o.eq_ignore_ascii_case(host))
    };
    let foreign = |origin: &HeaderValue| !origin.to_str().is_ok_and(own);
    // The trainer's own page, and what a person typed or opened; a word that is not known yet is none of them.
    let ours = |site: &HeaderValue| {
        let site = site.as_bytes();
        site.eq_ignore_ascii_case(b"same-origin") || site.eq_ignore_ascii_case(b"none")
    };
    let mut fetch_sites = headers.get_all(FETCH_SITE).iter();
    if !fetch_sites.all(ours) || headers.get_all(header::ORIGIN).iter().any(foreign) {
        return Err(forbidden(
            "pages of other sites may not use the trainer: open the trainer's own page instead",
        ));
    }
    Ok(())
}

/// Whether a Host header names this PC; the port doesn't matter, so that a tunnel may change it.
fn is_this_pc(host: &str) -> bool {
    let (name, port) = match host.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((address, port)) => (address, port.strip_prefix(':').or(port.is_empty().then_some(""))),
            None => return false,
        },
        None => match host.split_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => (host, Some("")),
        },
    };
    // A number may have a sign, a port may not.
    let is_port = |port: &str| port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok();
    let port_is_fine = port.is_some_and(|port| port.is_empty() || is_port(port));
    let bracketed = host.starts_with('[');
    port_is_fine
        && if bracketed {
            name == "::1"
        } else {
            name == "127.0.0.1" || name.eq_ignore_ascii_case("localhost")
        }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_names_of_this_pc_pass() {
        for good in [
            "127.0.0.1",
            "127.0.0.1:8080",
            "localhost",
            "LocalHost:1",
            "[::1]",
            "[::1]:80",
        ] {
            assert!(is_this_pc(good), "{good}");
        }
        let bad = [
            "",
            "evil.example",
            "127.0.0.1.evil.example",
            "localhost.evil.example:80",
            "0.0.0.0",
            "[::1",
            "[::2]:80",
            "::1",
            "[127.0.0.1]",
            "127.0.0.1:x",
            "127.0.0.1:+80",
            "127.0.0.1:-1",
            "127.0.0.1:65536",
            "127.0.0.1.",
            "localhost.",
            "localhost.:80",
            "[::1]:+80",
            "[::1]80",
            "[::ffff:127.0.0.1]",
            "[0:0:0:0:0:0:0:1%25lo]",
            "127.1",
            "2130706433",
            "0x7f.0.0.1",
            " 127.0.0.1",
            "127.0.0.1 ",
            "127.0.0.1:80:80",
            "127.0.0.1@evil",
            "[::1]x",
            "192.168.0.1",
        ];
        for bad in bad {
            assert!(!is_this_pc(bad), "{bad}");
        }
    }

    fn headers(host: &str, origin: Option<&str>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().unwrap());
        }
        headers
    }

    #[test]
    fn only_the_trainers_own_page_passes() {
        let ok = |host, origin| check(&headers(host, origin), None).is_ok();
        assert!(ok("127.0.0.1:80", None));
        assert!(ok("127.0.0.1:80", Some("http://127.0.0.1:80")));
        assert!(!ok("127.0.0.1:80", Some("http://127.0.0.1:81")));
        assert!(!ok("127.0.0.1:80", Some("http://localhost:80")));
        assert!(!ok("127.0.0.1:80", Some("https://evil.example")));
        assert!(!ok("127.0.0.1:80", Some("null")));
        assert!(!ok("127.0.0.1:80", Some("")));
        assert!(!ok("127.0.0.1:80", Some("https://127.0.0.1:80")));
        assert!(!ok("127.0.0.1:80", Some("http://127.0.0.1:80.evil.example")));
        assert!(!ok("127.0.0.1:80", Some("http://127.0.0.1:80/")));
    }

    #[test]
    fn what_a_browser_calls_anything_but_our_own_page_is_refused_without_an_origin_too() {
        let ok = |site: &str| {
            let mut headers = headers("127.0.0.1:80", None);
            headers.insert(FETCH_SITE, site.parse().unwrap());
            check(&headers, None).is_ok()
        };
        // The page itself, and an address that a person typed.
        assert!(ok("same-origin") && ok("none"));
        assert!(ok("Same-Origin") && ok("NONE"));
        assert!(!ok("cross-site") && !ok("Cross-Site"));
        // A page that another program of this PC serves, on another port.
        assert!(!ok("same-site") && !ok("Same-Site"));
        assert!(!ok("") && !ok("something-new") && !ok("none, cross-site"));
    }

    #[test]
    fn a_request_without_host_or_with_a_foreign_absolute_path_is_refused() {
        assert!(check(&HeaderMap::new(), None).is_err());
        assert!(check(&headers("localhost", None), Some("evil.example")).is_err());
        let mut twice = headers("localhost", None);
        twice.append(header::HOST, "localhost".parse().unwrap());
        assert!(check(&twice, None).is_err());
        let mut said_twice = headers("localhost", None);
        said_twice.append(FETCH_SITE, "none".parse().unwrap());
        assert!(check(&said_twice, None).is_ok());
        said_twice.append(FETCH_SITE, "same-site".parse().unwrap());
        assert!(check(&said_twice, None).is_err());
    }

    proptest! {
        #[test]
        fn hostile_bytes_are_a_name_of_this_pc_or_not(host in any::<String>(), near in "(127[.]0[.]0[.]1|localhost|\\[::1\\]).{0,8}") {
            let _ = is_this_pc(&host);
            if is_this_pc(&near) {
                prop_assert!(near.bytes().all(|b| b.is_ascii_alphanumeric() || b".:[]".contains(&b)));
            }
        }
    }
}
