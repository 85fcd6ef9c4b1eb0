//! Who may speak to the node over JSON-RPC, on the real program.

use crate::common::{Connection, Node};

const EVIL: &str = "origin: http://evil.example";
const REFUSED: &str = "RPC call is unsafe to be called externally";

#[test]
fn only_programs_and_named_pages_reach_the_methods() {
    let folder = tempfile::tempdir().unwrap();
    let mut node = Node::start(folder.path(), &["--dev"]);
    let rpc = node.rpc();
    let health = |headers: &[&str]| Connection::to(rpc).call("system_health", "[]", headers);

    // HTTP.
    let program = health(&[]);
    assert_eq!(program.status, 200, "{program:?}");
    assert_eq!(program.json()["result"]["isSyncing"], false);
    assert_eq!(program.header("access-control-allow-origin"), None);
    let page = health(&["origin: https://polkadot.js.org", "sec-fetch-site: cross-site"]);
    assert_eq!(page.status, 200, "{page:?}");
    assert_eq!(
        page.header("access-control-allow-origin"),
        Some("https://polkadot.js.org")
    );
    for headers in [
        &[EVIL][..],
        &["origin: null"],
        &["origin: http://127.0.0.1.evil.example"],
        &["sec-fetch-site: cross-site"],
        &["sec-fetch-site: same-site"],
    ] {
        let refused = health(headers);
        assert_eq!(refused.status, 403, "{headers:?}: {refused:?}");
        assert_eq!(refused.header("access-control-allow-origin"), None);
        assert!(refused.body.contains("may not use the node"), "{refused:?}");
    }
    let rebound = Connection::to(rpc).post("evil.example", "{}", &[]);
    assert_eq!(rebound.status, 403, "{rebound:?}");

    // A connection that a good page opened is no way in for another one.
    let mut shared = Connection::to(rpc);
    let first = shared.call("system_health", "[]", &["origin: http://localhost:8790"]);
    assert_eq!(first.status, 200, "{first:?}");
    assert_eq!(shared.call("system_health", "[]", &[EVIL]).status, 403);

    // What a browser asks before a page's own request.
    let preflight = |origin: &str| {
        let mut connection = Connection::to(rpc);
        connection.send(&format!(
            "OPTIONS / HTTP/1.1\r\nhost: localhost\r\norigin: {origin}\r\naccess-control-request-method: POST\r\n\
             access-control-request-headers: content-type\r\naccess-control-request-private-network: true\r\n\r\n"
        ));
        connection.answer()
    };
    let allowed = preflight("https://dev.papi.how");
    assert_eq!(allowed.status, 204, "{allowed:?}");
    assert_eq!(
        allowed.header("access-control-allow-origin"),
        Some("https://dev.papi.how")
    );
    assert_eq!(
        allowed.header("access-control-allow-private-network"),
        Some("true")
    );
    assert_eq!(preflight("http://evil.example").status, 403);

    // WebSocket.
    let socket = |headers: &[&str]| Connection::to(rpc).websocket(headers).status;
    assert_eq!(socket(&[]), 101);
    for origin in [
        "https://polkadot.js.org",
        "https://dev.papi.how",
        "http://127.0.0.1:8790",
    ] {
        assert_eq!(socket(&[&format!("origin: {origin}")]), 101, "{origin}");
    }
    assert_eq!(socket(&[EVIL]), 403);
    assert_eq!(socket(&["origin: null"]), 403);
    // Another program's page on this PC.
    assert_eq!(socket(&["origin: http://127.0.0.1:8000"]), 403);
}

#[test]
fn unsafe_methods_must_be_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let mut node = Node::start(folder.path(), &["--dev"]);
    let mut program = Connection::to(node.rpc());
    for (method, parameters) in [
        ("system_peers", "[]"),
        ("author_rotateKeys", "[]"),
        ("author_hasKey", r#"["0x00", "babe"]"#),
        ("author_insertKey", r#"["hydr", "//Eve", "0x00"]"#),
        ("offchain_localStorageGet", r#"["PERSISTENT", "0x00"]"#),
    ] {
        let answer = program.call(method, parameters, &[]).json();
        assert_eq!(answer["error"]["message"], REFUSED, "{method}: {answer}");
    }
    let listed = program.call("rpc_methods", "[]", &[]).json();
    let listed: Vec<&str> = listed["result"]["methods"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|name| name.as_str())
        .collect();
    for method in [
        "hydra_clock",
        "rpc_methods",
        "system_health",
        "chainHead_v1_follow",
    ] {
        assert!(listed.contains(&method), "{method} in {listed:?}");
    }
    // A node alone knows of no other clock.
    let clock = program.call("hydra_clock", "[]", &[]).json();
    assert!(
        clock["result"]["offset_ms"].is_null() && clock["result"]["warning"].is_null(),
        "{clock}"
    );
    drop(node);

    let folder = tempfile::tempdir().unwrap();
    let asked = [
        "--dev",
        "--rpc-methods",
        "unsafe",
        "--rpc-cors",
        "http://evil.example",
    ];
    let mut node = Node::start(folder.path(), &asked);
    let answer = Connection::to(node.rpc()).call("system_peers", "[]", &[EVIL]);
    assert!(answer.json()["result"].is_array(), "{answer:?}");
    assert_eq!(
        answer.header("access-control-allow-origin"),
        Some("http://evil.example")
    );
}

#[test]
fn half_sent_requests_keep_nobody_out() {
    let folder = tempfile::tempdir().unwrap();
    let mut node = Node::start(folder.path(), &["--dev"]);
    let rpc = node.rpc();
    let slow: Vec<Connection> = (0..300)
        .map(|_| {
            let mut connection = Connection::to(rpc);
            connection.send("POST / HTTP/1.1\r\nhost: 127.0.0.1\r\n");
            connection
        })
        .collect();
    let answer = Connection::to(rpc).call("system_health", "[]", &[]);
    assert_eq!(answer.status, 200, "{answer:?}");
    drop(slow);

    // More than the requests that may be under way at a time, each of them begun and its body never finished.
    let slow: Vec<Connection> = (0..150)
        .map(|index| {
            let mut connection = Connection::to(rpc);
            let path = if index % 2 == 0 { "/" } else { "/healthz" };
            connection.send(&format!(
                "POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{{",
            ));
            connection
        })
        .collect();
    let answer = Connection::to(rpc).call("system_health", "[]", &[]);
    assert_eq!(answer.status, 200, "{answer:?}");
    let mut watcher = Connection::to(rpc);
    watcher.send("GET /health HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n");
    assert_eq!(watcher.answer().status, 200);
    drop(slow);
}

#[test]
fn the_service_s_own_server_answers_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let mut node = Node::start(folder.path(), &["--dev", "-lsc_rpc_server=info"]);
    let inner = node.rpc();
    let served = node.rpc();
    assert_ne!(inner, served);
    let refused = Connection::to(inner).call("system_health", "[]", &[]);
    assert_ne!(refused.status, 200, "{refused:?}");
    let host = inner.to_string();
    let refused =
        Connection::to(inner).post(&host, r#"{"jsonrpc":"2.0","id":1,"method":"system_health"}"#, &[]);
    assert_eq!(refused.status, 429, "{refused:?}");
    assert_eq!(
        Connection::to(served).call("system_health", "[]", &[]).status,
        200
    );
}
