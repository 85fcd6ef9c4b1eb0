//! What people do with a running network: export the model, ask it, follow it with polkadot-js; and what they do wrong.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    time::Duration,
};

use hydra_cli::{
    accounts,
    chain::{Chain, Hash},
};
use hydra_network_tests::{LocalNetwork, checkout, proc, program};
use hydra_primitives::{AccountBytes, HYDRA, digits::digits_manifest};
use serde_json::Value;
use subxt::{
    OnlineClient, PolkadotConfig,
    config::RpcConfigFor,
    dynamic,
    ext::scale_decode::DecodeAsType,
    rpcs::{RpcClient, methods::legacy::LegacyRpcMethods},
};

const LIMIT: Duration = Duration::from_secs(240);

/// The Python with numpy and safetensors that `scripts/setup --for-tests` made.
fn python() -> PathBuf {
    let path = std::env::var_os("HYDRA_TEST_PYTHON")
        .map(PathBuf::from)
        .unwrap_or_else(|| {
            let cache = std::env::var_os("HYDRA_CACHE")
                .map(PathBuf::from)
                .unwrap_or_else(|| {
                    PathBuf::from(std::env::var_os("HOME").expect("a home folder")).join(".cache/hydraai")
                });
            cache.join("python/bin/python")
        });
    assert!(
        path.exists(),
        "{} is not there: run scripts/setup --for-tests",
        path.display()
    );
    path
}

/// The held-out digits: their blob in Alice's store.
fn validation_file(network: &LocalNetwork) -> PathBuf {
    let name = hex::encode(digits_manifest().validation.hash);
    let blobs = network.pc("alice").trainer.base_path.join("blobs");
    find(&blobs, &name).unwrap_or_else(|| panic!("no {name} below {}", blobs.display()))
}

fn find(folder: &Path, name: &str) -> Option<PathBuf> {
    fs::read_dir(folder)
        .ok()?
        .flatten()
        .find_map(|entry| match entry.file_type() {
            Ok(kind) if kind.is_dir() => find(&entry.path(), name),
            _ => (entry.file_name().to_str() == Some(name)).then(|| entry.path()),
        })
}

/// What an account has and what model 0's pool ever took in, before and after the block of a payment.
struct Books {
    before: Book,
    after: Book,
}

struct Book {
    free: u128,
    paid_in: u128,
}

impl Books {
    /// Read at the payment's block and at its parent, from the node that the payment went through: other nodes may be on
    /// another branch, and rewards are paid in between.
    async fn of(url: &str, who: &AccountBytes, receipt: &Value) -> Self {
        let block = receipt["block_hash"]
            .as_str()
            .expect("a hash")
            .trim_start_matches("0x");
        let block: Hash = block.parse().expect("a block's hash");
        let rpc = RpcClient::from_insecure_url(url).await.expect("the node answers");
        let methods = LegacyRpcMethods::<RpcConfigFor<PolkadotConfig>>::new(rpc);
        let header = methods
            .chain_get_header(Some(block))
            .await
            .expect("the node answers");
        let parent = header.expect("the payment's block is known").parent_hash;
        Self {
            before: Book::at(url, who, parent).await,
            after: Book::at(url, who, block).await,
        }
    }
}

impl Book {
    async fn at(url: &str, who: &AccountBytes, block: Hash) -> Self {
        #[derive(DecodeAsType)]
        #[decode_as_type(crate_path = "subxt::ext::scale_decode")]
        struct Pool {
            paid_in: u128,
        }
        let chain = Chain::connect(url).await.expect("the node answers");
        let free = chain.funds(who, block).await.expect("the node answers").free;
        let client = OnlineClient::<PolkadotConfig>::from_insecure_url(url)
            .await
            .expect("the node answers");
        let at = client.at_block(block).await.expect("the block is known");
        let address = dynamic::storage::<(u32,), Pool>("HydraToken", "Pools");
        // A model that nobody has asked has no pool yet.
        let pool = at
            .storage()
            .try_fetch(address, (0u32,))
            .await
            .expect("the node answers");
        Self {
            free,
            paid_in: pool.map_or(0, |pool| pool.decode().expect("a pool").paid_in),
        }
    }
}

fn units(amount: &Value) -> u128 {
    let text = amount.as_str().expect("an amount");
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    whole.parse::<u128>().expect("digits") * HYDRA
        + format!("{fraction:0<12}")
            .parse::<u128>()
            .expect("at most 12 digits")
}

fn refused(output: &Output, sentence: &str) {
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(
        !output.status.success(),
        "was not refused: {}",
        String::from_utf8_lossy(&output.stdout)
    );
    assert!(
        complaint.contains(sentence),
        "expected '{sentence}', got: {complaint}"
    );
    assert!(!complaint.contains("panicked"), "{complaint}");
}

#[tokio::test(flavor = "multi_thread")]
async fn people_export_ask_and_follow_a_running_network() {
    let network = LocalNetwork::start().await;
    network.wait_for_version(3, LIMIT).await;

    let surest = the_exported_file_is_the_model_on_chain(&network).await;
    a_question_is_answered_right_and_moves_half_a_hydra(&network, surest).await;
    polkadot_js_tells_the_story_of_a_round(&network);
    what_people_do_wrong_gets_a_sentence_and_harms_nobody(&network).await;

    let last = network.stop();
    assert!(last.iter().any(|line| line.contains("stopping")), "{last:?}");
}

/// Returns the held-out digit that the model is surest of, and what it is.
async fn the_exported_file_is_the_model_on_chain(network: &LocalNetwork) -> (u64, u64) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("digits.safetensors");
    let output = network.hydra(
        "alice",
        &["model", "export", "--out", file.to_str().expect("UTF-8")],
    );
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );

    let hash = *blake3::hash(&fs::read(&file).expect("the file is there")).as_bytes();
    let rounds = network.rounds().await;
    let round = rounds
        .iter()
        .find(|round| round.weights.is_some_and(|w| w.0 == hash))
        .expect("its hash is on chain");
    let score = round.score.expect("confirmed versions have a score");

    let script = checkout("tests/safetensors/accuracy.py");
    let measured = proc::json(&proc::run(
        Command::new(python())
            .arg(script)
            .arg(&file)
            .arg(validation_file(network)),
    ));
    assert_eq!(
        measured["correct"], score.correct,
        "numpy and the chain disagree about version {}",
        round.version
    );
    assert_eq!(measured["total"], score.total);
    (
        measured["surest"].as_u64().expect("an index"),
        measured["surest_label"].as_u64().expect("a label"),
    )
}

async fn a_question_is_answered_right_and_moves_half_a_hydra(
    network: &LocalNetwork,
    (index, label): (u64, u64),
) {
    let ferdie = accounts::development("Ferdie").expect("a development account");
    let url = &network.pc("bob").node.rpc_url;
    let ask =
        |image: &str| proc::json(&network.hydra("bob", &["ask", image, "--suri", "//Ferdie", "--json"]));

    let receipt = ask(&index.to_string());
    assert_eq!(receipt["label"], label, "{receipt}");
    assert_eq!(receipt["truth"], label, "{receipt}");
    assert_eq!(units(&receipt["price"]), HYDRA / 2);
    // Nobody else asks in this network, and Ferdie does nothing else.
    let books = Books::of(url, &ferdie, &receipt).await;
    assert_eq!(
        books.before.free - books.after.free,
        HYDRA / 2 + units(&receipt["fee"]),
        "{receipt}"
    );
    assert_eq!(books.before.paid_in, 0);
    assert_eq!(
        books.after.paid_in,
        HYDRA / 2,
        "half a HYDRA is in the pool, to the last unit"
    );

    // The same digit as a picture.
    let folder = tempfile::tempdir().expect("a folder");
    let picture = folder.path().join("digit.png");
    let script = checkout("tests/safetensors/pixels.py");
    let pixels = proc::json(&proc::run(
        Command::new(python())
            .arg(script)
            .arg(validation_file(network))
            .arg(index.to_string()),
    ));
    let pixels: Vec<u8> = pixels
        .as_array()
        .expect("64 numbers")
        .iter()
        .map(|value| u8::try_from(value.as_u64().expect("a number").min(16) * 255 / 16).expect("a byte"))
        .collect();
    write_png(&picture, &pixels);
    let receipt = ask(picture.to_str().expect("UTF-8"));
    assert_eq!(receipt["label"], label, "{receipt}");
    let books = Books::of(url, &ferdie, &receipt).await;
    assert_eq!(
        books.before.free - books.after.free,
        HYDRA / 2 + units(&receipt["fee"]),
        "{receipt}"
    );
    assert_eq!((books.before.paid_in, books.after.paid_in), (HYDRA / 2, HYDRA));
}

fn write_png(path: &Path, pixels: &[u8]) {
    let mut encoder = png::Encoder::new(fs::File::create(path).expect("a new file"), 8, 8);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    encoder
        .write_header()
        .and_then(|mut writer| writer.write_image_data(pixels))
        .expect("a picture");
}

fn polkadot_js_tells_the_story_of_a_round(network: &LocalNetwork) {
    let output = proc::run(
        Command::new("node")
            .arg(checkout("tests/polkadot-js/story.mjs"))
            .args(["--url", &network.pc("charlie").node.rpc_url, "--timeout", "120"]),
    );
    let (story, complaints) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{story}\n{complaints}");
    for chapter in [
        "Proposed",
        "VoteCommitted",
        "VoteRevealed",
        "ProposalAccepted",
        "Rewarded",
        "VersionConfirmed",
    ] {
        assert!(story.contains(chapter), "the story has no {chapter}:\n{story}");
    }
}

async fn what_people_do_wrong_gets_a_sentence_and_harms_nobody(network: &LocalNetwork) {
    let folder = tempfile::tempdir().expect("a folder");
    let broken = folder.path().join("broken.png");
    fs::write(&broken, b"\x89PNG\r\n\x1a\nthis is no picture").expect("a new file");
    let ask = |arguments: &[&str]| network.hydra("alice", &[&["ask"], arguments].concat());

    refused(&ask(&["3", "--model", "7"]), "model 7");
    refused(&ask(&[broken.to_str().expect("UTF-8")]), "broken.png");
    refused(&ask(&["no-such-file.png"]), "no-such-file.png");
    refused(&ask(&["100000"]), "0 to 359");
    refused(&ask(&["3", "--suri", "//Nobody"]), "has 0 HYDRA to spend");

    // A port that is in use.
    let port = network.network.base_port.to_string();
    let second = proc::run(
        Command::new(program("hydra"))
            .args(["up", "--local", "4", "--base-port", &port, "--base-path"])
            .arg(folder.path())
            .arg("--datasets")
            .arg(checkout("datasets")),
    );
    refused(&second, &port);

    // A trainer with another token than its node, a worker that can't find LibTorch: see the trainer's own tests. Here: no
    // trainer at all. Its node goes on, and asking says what is wrong.
    let dave = network.pc("dave");
    proc::kill_9(dave.trainer.pid);
    refused(&network.hydra("dave", &["ask", "3"]), "trainer");
    let daves = Chain::connect(&dave.node.rpc_url)
        .await
        .expect("Dave's node answers");
    let from = daves.best().await.expect("it has blocks").number;
    network
        .wait(
            "Dave's node goes on without its trainer",
            Duration::from_secs(60),
            async || (daves.best().await.expect("it has blocks").number >= from + 10).then_some(()),
        )
        .await;
    let log = fs::read_to_string(&dave.node.log).expect("Dave's node writes a log");
    assert!(
        log.contains("no trainer answers on 127.0.0.1"),
        "the node says nothing of its missing trainer"
    );
}
