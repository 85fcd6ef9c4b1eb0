//! The HTTP server as strangers and friends meet it.

use crate::support::{Chain, Pc, TOKEN, json};
use codec::Encode;
use hydra_primitives::{
    digits::DIGITS_INITIAL_WEIGHTS,
    duty::{DUTIES_PATH, DUTY_PROTOCOL, MAX_BODY, TAG_HEADER, request_tag},
};
use hydra_trainer_api::{STATUS_PATH, Tag, weights_path};
use reqwest::{Response, StatusCode};

/// Is what was refused, with these words and nothing that a page could read.
pub async fn refused(response: Response, status: StatusCode, words: &str) {
    assert_eq!(response.status(), status);
    assert!(response.headers().get("access-control-allow-origin").is_none());
    let body = json(response).await;
    assert!(body["error"].as_str().unwrap().contains(words), "{body}");
}

fn tagged(pc: &Pc, body: Vec<u8>) -> reqwest::RequestBuilder {
    let tag = hex::encode(request_tag(&TOKEN, &body));
    pc.http
        .post(pc.url(DUTIES_PATH))
        .header(TAG_HEADER, tag)
        .body(body)
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_are_refused_before_anything_is_looked_at() {
    let mut pc = Pc::start(21, &[], true).await;
    let sheet = Chain::new(&[&pc]).sheet(&pc, vec![]).encode();

    let untagged = pc
        .http
        .post(pc.url(DUTIES_PATH))
        .body(sheet.clone())
        .send()
        .await
        .unwrap();
    refused(untagged, StatusCode::UNAUTHORIZED, "missing").await;
    let wrong = hex::encode(request_tag(&[1; 32], &sheet));
    let wrong = pc
        .http
        .post(pc.url(DUTIES_PATH))
        .header(TAG_HEADER, wrong)
        .body(sheet.clone())
        .send()
        .await
        .unwrap();
    refused(wrong, StatusCode::UNAUTHORIZED, "same token file").await;
    let garbled = pc
        .http
        .post(pc.url("/v1/infer"))
        .header(TAG_HEADER, "xyz")
        .body("{}")
        .send()
        .await
        .unwrap();
    refused(garbled, StatusCode::UNAUTHORIZED, "64 hexadecimal digits").await;

    for origin in ["https://evil.example", "null", "http://127.0.0.1:1"] {
        let foreign = tagged(&pc, sheet.clone())
            .header("origin", origin)
            .send()
            .await
            .unwrap();
        refused(foreign, StatusCode::FORBIDDEN, "other sites").await;
        let foreign = pc
            .http
            .get(pc.url("/v1/status"))
            .header("origin", origin)
            .send()
            .await
            .unwrap();
        refused(foreign, StatusCode::FORBIDDEN, "other sites").await;
    }
    let own = format!("http://{}", pc.running().http_address());
    let own = pc
        .http
        .get(pc.url("/v1/status"))
        .header("origin", own)
        .send()
        .await
        .unwrap();
    assert_eq!(own.status(), StatusCode::OK);
    for host in ["evil.example", "evil.example:80", "0.0.0.0"] {
        let rebound = pc
            .http
            .get(pc.url("/v1/status"))
            .header("host", host)
            .send()
            .await
            .unwrap();
        refused(rebound, StatusCode::FORBIDDEN, "127.0.0.1").await;
    }
    let lost = pc.http.get(pc.url("/etc/passwd")).send().await.unwrap();
    refused(lost, StatusCode::NOT_FOUND, "/v1/status").await;
    let method = pc.http.get(pc.url(DUTIES_PATH)).send().await.unwrap();
    refused(method, StatusCode::METHOD_NOT_ALLOWED, "POST").await;
    assert_eq!(
        pc.status().await["last_sheet"],
        serde_json::Value::Null,
        "none of them was read"
    );
    pc.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_sheets_are_refused_with_a_sentence() {
    let mut pc = Pc::start(22, &[], true).await;
    let chain = Chain::new(&[&pc]);
    let good = chain.sheet(&pc, vec![chain.train(&pc)]).encode();

    let large = tagged(&pc, vec![0; MAX_BODY + 1]).send().await.unwrap();
    refused(large, StatusCode::PAYLOAD_TOO_LARGE, "bytes").await;
    let garbage = tagged(&pc, [&DUTY_PROTOCOL.to_le_bytes()[..], &[0xff; 100]].concat())
        .send()
        .await
        .unwrap();
    refused(garbage, StatusCode::BAD_REQUEST, "does not decode").await;
    refused(
        tagged(&pc, vec![]).send().await.unwrap(),
        StatusCode::BAD_REQUEST,
        "does not decode",
    )
    .await;
    let trailing = tagged(&pc, [&good[..], &[0]].concat()).send().await.unwrap();
    refused(trailing, StatusCode::BAD_REQUEST, "does not decode").await;
    let newer = tagged(&pc, [&3u16.to_le_bytes()[..], &good[2..]].concat())
        .send()
        .await
        .unwrap();
    refused(newer, StatusCode::CONFLICT, "protocol 3").await;
    assert_eq!(tagged(&pc, good).send().await.unwrap().status(), StatusCode::OK);
    let status = pc.status().await;
    assert_eq!(status["account"], format!("0x{}", "16".repeat(32)));
    assert_eq!(
        (
            status["standing"].as_str(),
            status["last_sheet"]["block"].as_u64()
        ),
        (Some("ready"), Some(1))
    );
    assert_eq!(status["peer_id"], pc.running().peer_id().to_string());
    pc.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_are_answered_and_bad_ones_refused_with_what_to_do() {
    let mut pc = Pc::start(23, &[], true).await;
    let early = pc
        .ask("/v1/infer", r#"{"model":0,"image":{"ValidationIndex":0}}"#)
        .await;
    assert_eq!(early.0, StatusCode::SERVICE_UNAVAILABLE);
    assert!(
        early.1["error"]
            .as_str()
            .unwrap()
            .contains("hasn't heard from its node"),
        "{early:?}"
    );
    refused(pc.weights().await, StatusCode::NOT_FOUND, "knows no model 0").await;

    pc.post(&Chain::new(&[&pc]).sheet(&pc, vec![])).await;
    pc.status_with(|s| s["engine"]["state"] == "ready" && s["models"][0]["version"] == 0)
        .await;
    let weights = pc.weights().await;
    assert_eq!(
        weights.headers()["x-hydra-weights-hash"].to_str().unwrap(),
        format!("{DIGITS_INITIAL_WEIGHTS:?}")
    );
    assert_eq!(
        hydra_primitives::content_hash(&weights.bytes().await.unwrap()),
        DIGITS_INITIAL_WEIGHTS
    );
    let tag = Tag::of_path(&TOKEN, "/v1/model/x/weights").header();
    let none = pc.http.get(pc.url("/v1/model/x/weights")).header(TAG_HEADER, tag);
    refused(
        none.send().await.unwrap(),
        StatusCode::NOT_FOUND,
        "no model's number",
    )
    .await;

    let by_index = pc
        .ask("/v1/infer", r#"{"model":0,"image":{"ValidationIndex":359}}"#)
        .await;
    assert_eq!(by_index.0, StatusCode::OK, "{by_index:?}");
    let probabilities: Vec<f64> = serde_json::from_value(by_index.1["probabilities"].clone()).unwrap();
    assert_eq!(probabilities.len(), 10);
    assert!((probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-9);
    let label = by_index.1["label"].as_u64().unwrap() as usize;
    assert!(probabilities.iter().all(|p| *p <= probabilities[label]));
    assert!(by_index.1["truth"].as_u64().unwrap() < 10);
    let pixels = format!(r#"{{"model":0,"image":{{"Pixels":{:?}}}}}"#, [7; 64]);
    let by_pixels = pc.ask("/v1/infer", &pixels).await;
    assert_eq!(
        (by_pixels.0, &by_pixels.1["truth"]),
        (StatusCode::OK, &serde_json::Value::Null)
    );
    let checked = pc.ask("/v1/check-image", &pixels).await;
    assert_eq!(
        (checked.0, &checked.1["version"]),
        (StatusCode::OK, &serde_json::json!(0))
    );
    assert!(checked.1.get("label").is_none());

    let bad = [
        (
            r#"{"model":5,"image":{"ValidationIndex":0}}"#.to_owned(),
            404,
            "model 0 only",
        ),
        (
            r#"{"model":0,"image":{"ValidationIndex":360}}"#.to_owned(),
            400,
            "from 0 to 359",
        ),
        (
            r#"{"model":0,"image":{"ValidationIndex":-1}}"#.to_owned(),
            400,
            "not understood",
        ),
        (
            format!(r#"{{"model":0,"image":{{"Pixels":{:?}}}}}"#, [7; 63]),
            400,
            "64 values",
        ),
        (
            format!(r#"{{"model":0,"image":{{"Pixels":{:?}}}}}"#, [17; 64]),
            400,
            "from 0 to 16",
        ),
        (
            format!(r#"{{"model":0,"image":{{"Pixels":{:?}}}}}"#, [-1; 64]),
            400,
            "not understood",
        ),
        (
            r#"{"model":0,"image":{"Pixels":"all of them"}}"#.to_owned(),
            400,
            "not understood",
        ),
        (r#"{"model":0}"#.to_owned(), 400, "not understood"),
        ("nonsense".to_owned(), 400, "not understood"),
    ];
    for (question, status, words) in bad {
        for path in ["/v1/infer", "/v1/check-image"] {
            let answer = pc.ask(path, &question).await;
            assert_eq!(answer.0.as_u16(), status, "{question}: {answer:?}");
            assert!(
                answer.1["error"].as_str().unwrap().contains(words),
                "{question}: {answer:?}"
            );
        }
    }
    pc.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn weights_are_for_those_who_know_the_token_and_come_from_an_intact_file() {
    let mut pc = Pc::start(24, &[], true).await;
    pc.post(&Chain::new(&[&pc]).sheet(&pc, vec![])).await;
    pc.status_with(|s| s["models"][0]["version"] == 0).await;
    let path = weights_path(0);
    let get = || pc.http.get(pc.url(&path));
    refused(
        get().send().await.unwrap(),
        StatusCode::UNAUTHORIZED,
        "only programs that know",
    )
    .await;
    // Of a body, of another path, with another token.
    let wrong = [
        Tag::of_body(&TOKEN, b""),
        Tag::of_path(&TOKEN, &weights_path(1)),
        Tag::of_path(&[1; 32], &path),
    ];
    for tag in wrong {
        let asked = get().header(TAG_HEADER, tag.header()).send().await.unwrap();
        refused(asked, StatusCode::UNAUTHORIZED, "same token file").await;
    }
    // Many times: each is answered with the whole file, whose length is said beforehand.
    for _ in 0..10 {
        let answer = pc.weights().await;
        let announced = answer.content_length();
        let bytes = answer.bytes().await.unwrap();
        assert_eq!(announced, Some(bytes.len() as u64));
        assert_eq!(hydra_primitives::content_hash(&bytes), DIGITS_INITIAL_WEIGHTS);
    }
    // Damage is found, and nothing damaged is handed out.
    let file = pc
        .options
        .base_path
        .join("blobs")
        .join(format!("{DIGITS_INITIAL_WEIGHTS:x}"));
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[100] ^= 1;
    std::fs::remove_file(&file).unwrap();
    std::fs::write(&file, bytes).unwrap();
    refused(pc.weights().await, StatusCode::NOT_FOUND, "aren't here yet").await;
    pc.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_other_programs_of_this_pc_are_refused_and_no_answer_can_be_embedded() {
    let mut pc = Pc::start(25, &[], true).await;
    let get = |site: &str| pc.http.get(pc.url(STATUS_PATH)).header("sec-fetch-site", site);
    for site in ["same-site", "cross-site"] {
        refused(
            get(site).send().await.unwrap(),
            StatusCode::FORBIDDEN,
            "other sites",
        )
        .await;
    }
    for site in ["same-origin", "none"] {
        let own = get(site).send().await.unwrap();
        assert_eq!(own.status(), StatusCode::OK);
        assert_eq!(own.headers()["cross-origin-resource-policy"], "same-origin");
        assert_eq!(own.headers()["x-content-type-options"], "nosniff");
    }
    pc.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_dashboard_is_served_with_its_policy_to_who_opens_it_here() {
    let mut pc = Pc::start(26, &[], true).await;
    let get = |path: &str| pc.http.get(pc.url(path));
    let page = get("/").header("sec-fetch-site", "none").send().await.unwrap();
    assert_eq!(page.status(), StatusCode::OK);
    let policy = page.headers()["content-security-policy"]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(
        policy.contains("connect-src 'self' ws://127.0.0.1:1;"),
        "{policy}"
    );
    assert!(policy.contains("require-trusted-types-for 'script'"), "{policy}");
    assert_eq!(page.headers()["cache-control"], "no-cache");
    let tag = page.headers()["etag"].clone();
    let html = page.text().await.unwrap();
    let known = get("/").header("if-none-match", tag).send().await.unwrap();
    assert_eq!(known.status(), StatusCode::NOT_MODIFIED);

    let script = html
        .split('"')
        .find(|part| part.starts_with("/assets/main-") && part.ends_with(".js"));
    let script = get(script.expect("the page names its script"))
        .send()
        .await
        .unwrap();
    assert_eq!(script.headers()["content-type"], "text/javascript; charset=utf-8");
    assert!(
        script.headers()["cache-control"]
            .to_str()
            .unwrap()
            .contains("immutable")
    );

    for site in ["cross-site", "same-site"] {
        let foreign = get("/").header("sec-fetch-site", site).send().await.unwrap();
        refused(foreign, StatusCode::FORBIDDEN, "other sites").await;
    }
    let rebound = get("/").header("host", "evil.example").send().await.unwrap();
    refused(rebound, StatusCode::FORBIDDEN, "127.0.0.1").await;
    for nothing in ["/index.html", "/assets/", "/files.rs"] {
        refused(
            get(nothing).send().await.unwrap(),
            StatusCode::NOT_FOUND,
            "/v1/status",
        )
        .await;
    }
    pc.stop().await;
}

/// Reads a stream of events until one says this.
async fn event_with(stream: &mut Response, words: &str) -> String {
    let read = async {
        let mut seen = String::new();
        while let Some(chunk) = stream.chunk().await.unwrap() {
            seen += &String::from_utf8_lossy(&chunk);
            if let Some(event) = seen.split("\n\n").find(|event| event.contains(words)) {
                return event.to_owned();
            }
        }
        panic!("it ended without {words}: {seen}")
    };
    tokio::time::timeout(std::time::Duration::from_secs(60), read)
        .await
        .expect("it comes")
}

#[tokio::test(flavor = "multi_thread")]
async fn events_tell_of_changes_as_they_come_and_a_bounded_number_may_listen() {
    let mut pc = Pc::start(27, &[], true).await;
    let listen = || pc.http.get(pc.url("/v1/events")).send();
    let mut stream = listen().await.unwrap();
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    let first = event_with(&mut stream, "peer_id").await;
    assert!(first.starts_with("event: status\n"), "{first}");
    pc.post(&Chain::new(&[&pc]).sheet(&pc, vec![])).await;
    let told = event_with(&mut stream, r#""last_sheet":{"block":1"#).await;
    assert!(told.contains(r#""genesis":"0x"#), "{told}");
    event_with(&mut stream, r#""state":"ready""#).await;

    let mut others = Vec::new();
    for _ in 0..7 {
        others.push(listen().await.unwrap());
    }
    refused(
        listen().await.unwrap(),
        StatusCode::SERVICE_UNAVAILABLE,
        "close one",
    )
    .await;
    others.pop();
    let again = async {
        while listen().await.unwrap().status() != StatusCode::OK {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), again)
        .await
        .expect("whoever goes makes room");
    // Nobody who listens holds up the end.
    let stopping = tokio::time::Instant::now();
    pc.stop().await;
    assert!(stopping.elapsed() < std::time::Duration::from_secs(10));
    while stream.chunk().await.is_ok_and(|chunk| chunk.is_some()) {}
}
