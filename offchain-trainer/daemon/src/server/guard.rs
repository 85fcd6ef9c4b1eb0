//! Keeps pages of other sites away from a server that listens on this PC only.
//!
//! A browser on this PC can reach 127.0.0.1 for any page it shows. A page that rebinds its own name to 127.0.0.1 sends
//! its own name as Host; a page that calls from its own site sends its site as Origin, or, where it only embeds or follows
//! a link, is called cross-site by the browser. All are refused before anything else is looked at.

use axum::{
    extract::Request,
    http::{HeaderMap, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::Refusal;

/// What a browser says of the page behind a request.
const FETCH_SITE: &str = "sec-fetch-site";

pub(super) async fn guard(request: Request, next: Next) -> Response {
    match check(request.headers(), request.uri().host()) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    }
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
    let same_site = |origin: &str| {
        origin
            .strip_prefix("http://")
            .is_some_and(|o| o.eq_ignore_ascii_case(host))
    };
    let foreign = |origin: &axum::http::HeaderValue| !origin.to_str().is_ok_and(same_site);
    let mut fetch_sites = headers.get_all(FETCH_SITE).iter();
    let cross_site = fetch_sites.any(|site| site.as_bytes().eq_ignore_ascii_case(b"cross-site"));
    if cross_site || headers.get_all(header::ORIGIN).iter().any(foreign) {
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
    let port_is_fine = port.is_some_and(|port| port.is_empty() || port.parse::<u16>().is_ok());
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
    }

    #[test]
    fn what_a_browser_calls_cross_site_is_refused_without_an_origin_too() {
        let ok = |site: &str| {
            let mut headers = headers("127.0.0.1:80", None);
            headers.insert(FETCH_SITE, site.parse().unwrap());
            check(&headers, None).is_ok()
        };
        // The page itself, and an address that a person typed.
        assert!(ok("same-origin") && ok("none"));
        assert!(!ok("cross-site") && !ok("Cross-Site"));
    }

    #[test]
    fn a_request_without_host_or_with_a_foreign_absolute_path_is_refused() {
        assert!(check(&HeaderMap::new(), None).is_err());
        assert!(check(&headers("localhost", None), Some("evil.example")).is_err());
        let mut twice = headers("localhost", None);
        twice.append(header::HOST, "localhost".parse().unwrap());
        assert!(check(&twice, None).is_err());
    }
}
