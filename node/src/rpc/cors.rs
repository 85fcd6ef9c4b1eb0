//! What a browser must be told before it lets an allowed page use the node (the CORS and Private Network Access headers).

use hyper::{
    Request, Response, StatusCode,
    header::{self, HeaderName, HeaderValue},
};
use jsonrpsee::server::{HttpBody, HttpResponse};

const ASKS_FOR_LOCAL: HeaderName = HeaderName::from_static("access-control-request-private-network");
const ALLOWS_LOCAL: HeaderName = HeaderName::from_static("access-control-allow-private-network");

/// Whether a browser asks for a page, before the page's own request goes out.
pub fn is_preflight<B>(request: &Request<B>) -> bool {
    request.method() == hyper::Method::OPTIONS
        && request.headers().contains_key(header::ORIGIN)
        && request
            .headers()
            .contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

/// The answer to a preflight: what JSON-RPC needs is allowed.
pub fn preflight<B>(request: &Request<B>) -> HttpResponse {
    let mut response = Response::new(HttpBody::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let allow = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "content-type"),
        (header::ACCESS_CONTROL_MAX_AGE, "600"),
    ];
    for (name, value) in allow {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    if request.headers().contains_key(ASKS_FOR_LOCAL) {
        response
            .headers_mut()
            .insert(ALLOWS_LOCAL, HeaderValue::from_static("true"));
    }
    response
}

/// Lets the page of this origin, and only it, see the answer.
pub fn show_to(origin: HeaderValue, response: &mut HttpResponse) {
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.append(header::VARY, HeaderValue::from_static("origin"));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn preflight_for(headers: &[&str]) -> Request<()> {
        let mut request = Request::builder().method("OPTIONS").uri("/");
        for name in headers {
            request = request.header(*name, "POST");
        }
        request.body(()).unwrap()
    }

    #[test]
    fn a_preflight_is_told_what_json_rpc_needs() {
        let asked = preflight_for(&["origin", "access-control-request-method"]);
        assert!(is_preflight(&asked));
        assert!(!is_preflight(&preflight_for(&["origin"])));
        let mut response = preflight(&asked);
        show_to(HeaderValue::from_static("https://polkadot.js.org"), &mut response);
        let header = |name: &str| response.headers().get(name).map(|value| value.to_str().unwrap());
        assert_eq!(
            header("access-control-allow-origin"),
            Some("https://polkadot.js.org")
        );
        assert_eq!(header("access-control-allow-headers"), Some("content-type"));
        assert_eq!(header("vary"), Some("origin"));
        assert_eq!(header("access-control-allow-private-network"), None);
        assert_eq!(header("access-control-allow-credentials"), None);
    }

    #[test]
    fn a_page_outside_that_asks_for_this_pc_is_told_that_it_may() {
        let asked = preflight_for(&[
            "origin",
            "access-control-request-method",
            "access-control-request-private-network",
        ]);
        let response = preflight(&asked);
        assert_eq!(response.headers().get(ALLOWS_LOCAL).unwrap(), "true");
    }
}
