//! The dashboard's files, which are part of this program: `dashboard/dist`, as `dashboard/build.mjs` made it.
//!
//! They hold no secret, and anyone on this PC may read them. What a page may do in the browser is said in its policy: run
//! the scripts that came with it, and talk to this server and to the one node that the trainer knows. Must never serve
//! anything from the disk.

use std::{io::Write, sync::OnceLock};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use flate2::{Compression, write::GzEncoder};

use super::Context;

/// A file of the page.
struct File {
    path: &'static str,
    content_type: &'static str,
    bytes: &'static [u8],
}

static FILES: &[File] = include!("../../../../dashboard/dist/files.rs");

/// Names of these files change with their content, so a browser never needs to ask for one again.
const ASSETS: &str = "/assets/";
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("no-cache");

/// A file that is ready to be sent.
struct Ready {
    tag: HeaderValue,
    packed_tag: HeaderValue,
    packed: Bytes,
}

/// Adds a path for each file.
pub(super) fn routes(router: Router<Context>) -> Router<Context> {
    FILES.iter().zip(0..).fold(router, |router, (file, index)| {
        router.route(
            file.path,
            get(async move |State(context): State<Context>, headers: HeaderMap| {
                serve(file, index, context.page_policy, &headers)
            }),
        )
    })
}

/// What the page may do: `node_rpc_port` is the only port but the page's own that it may talk to.
pub(super) fn policy(node_rpc_port: u16) -> HeaderValue {
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self' \
         ws://127.0.0.1:{node_rpc_port}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
         require-trusted-types-for 'script'; trusted-types 'none'"
    );
    HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}

fn serve(file: &File, index: usize, policy: HeaderValue, asked: &HeaderMap) -> Response {
    let Some(ready) = ready().get(index) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let packed = takes_gzip(asked);
    let tag = if packed { &ready.packed_tag } else { &ready.tag };
    let known = asked.get(header::IF_NONE_MATCH).is_some_and(|tags| {
        tags.as_bytes()
            .windows(tag.len())
            .any(|known| known == tag.as_bytes())
    });
    let mut response = match (known, packed) {
        (true, _) => StatusCode::NOT_MODIFIED.into_response(),
        (false, true) => ready.packed.clone().into_response(),
        (false, false) => Bytes::from_static(file.bytes).into_response(),
    };
    let headers = response.headers_mut();
    if packed && !known {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    let caching = if file.path.starts_with(ASSETS) {
        FOR_EVER
    } else {
        ASK_AGAIN
    };
    let all = [
        (header::CONTENT_TYPE, HeaderValue::from_static(file.content_type)),
        (header::CACHE_CONTROL, caching),
        (header::ETAG, tag.clone()),
        (header::VARY, HeaderValue::from_static("accept-encoding")),
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    ];
    for (name, value) in all {
        headers.insert(name, value);
    }
    response
}

/// The files, packed when one is first asked for: that takes a few milliseconds, and many trainers are never asked.
fn ready() -> &'static [Ready] {
    static READY: OnceLock<Vec<Ready>> = OnceLock::new();
    READY.get_or_init(|| FILES.iter().map(prepare).collect())
}

fn prepare(file: &File) -> Ready {
    let hash = blake3::hash(file.bytes).to_hex();
    let tag = |kind: &str| {
        let short = hash.get(..16).unwrap_or_default();
        HeaderValue::try_from(format!("\"{short}{kind}\"")).unwrap_or(HeaderValue::from_static("\"\""))
    };
    Ready {
        tag: tag(""),
        packed_tag: tag("-gzip"),
        packed: pack(file.bytes).into(),
    }
}

fn pack(bytes: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::best());
    // Memory takes everything.
    let _ = packer.write_all(bytes);
    packer.finish().unwrap_or_default()
}

fn takes_gzip(asked: &HeaderMap) -> bool {
    let encodings = asked.get_all(header::ACCEPT_ENCODING).iter();
    let mut named = encodings
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    named.any(|one| {
        let (name, weight) = one.split_once(';').unwrap_or((one, ""));
        let refused = weight
            .trim()
            .strip_prefix("q=")
            .is_some_and(|q| q.trim().parse::<f64>() == Ok(0.0));
        name.trim().eq_ignore_ascii_case("gzip") && !refused
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::read::GzDecoder;
    use std::io::Read;

    fn asked(encodings: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_ENCODING, encodings.parse().unwrap());
        headers
    }

    #[test]
    fn the_page_and_all_that_it_names_are_there() {
        let page = FILES.iter().find(|file| file.path == "/").expect("the page");
        let text = std::str::from_utf8(page.bytes).unwrap();
        let named: Vec<&str> = text.split('"').filter(|part| part.starts_with('/')).collect();
        assert!(named.len() > 2, "{text}");
        for path in named {
            assert!(FILES.iter().any(|file| file.path == path), "{path}");
        }
        assert!(!text.contains("http"), "it names no other server");
    }

    #[test]
    fn what_is_packed_is_unpacked_to_the_same() {
        for (file, ready) in FILES.iter().zip(ready()) {
            let mut unpacked = Vec::new();
            GzDecoder::new(&ready.packed[..])
                .read_to_end(&mut unpacked)
                .unwrap();
            assert_eq!(unpacked, file.bytes, "{}", file.path);
        }
    }

    #[test]
    fn the_first_view_is_small() {
        let packed: usize = ready().iter().map(|ready| ready.packed.len()).sum();
        assert!(packed < 300_000, "{packed} bytes");
    }

    #[test]
    fn gzip_is_for_who_takes_it() {
        for yes in ["gzip", "br, gzip;q=0.8", "deflate,GZIP"] {
            assert!(takes_gzip(&asked(yes)), "{yes}");
        }
        for no in ["", "br", "gzip;q=0", "gzip; q=0.0", "xgzip"] {
            assert!(!takes_gzip(&asked(no)), "{no}");
        }
        assert!(!takes_gzip(&HeaderMap::new()));
    }

    #[test]
    fn a_file_that_is_known_is_not_sent_again() {
        let first = serve(&FILES[0], 0, policy(1), &asked("gzip"));
        assert_eq!(first.status(), StatusCode::OK);
        let mut again = asked("gzip");
        again.insert(header::IF_NONE_MATCH, first.headers()[header::ETAG].clone());
        assert_eq!(
            serve(&FILES[0], 0, policy(1), &again).status(),
            StatusCode::NOT_MODIFIED
        );
        again.remove(header::ACCEPT_ENCODING);
        assert_eq!(serve(&FILES[0], 0, policy(1), &again).status(), StatusCode::OK);
    }
}
