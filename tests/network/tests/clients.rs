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
use hydra_network_tests::{
    LocalNetwork, checkout,
    proc::{self, Running, Stream},
    program,
};
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

/// The command ended with this exit code and a complaint that says this.
fn refused(output: &Output, code: i32, sentence: &str) {
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert_eq!(
        output.status.code(),
        Some(code),
        "{}\n{complaint}",
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
    what_people_look_at_is_there(&network);
    a_newcomer_joins_with_the_script_of_the_operator_guide(&network).await;
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
    // Final, so that the books are read in blocks that stay.
    let ask = |image: &str| {
        proc::json(&network.hydra(
            "bob",
            &["ask", image, "--suri", "//Ferdie", "--finalized", "--json"],
        ))
    };

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

/// The commands of the README, as they are typed: text for a person, and the default wallet, with which Alice's own node
/// signs at the same time.
fn what_people_look_at_is_there(network: &LocalNetwork) {
    let shown = |arguments: &[&str]| {
        let output = network.hydra("alice", arguments);
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {complaint}");
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    let answer = shown(&["ask", "7"]);
    assert!(answer.contains("Alice paid 0.5 HYDRA"), "{answer}");
    let status = shown(&["status"]);
    for word in ["Alice", "Bob", "Charlie", "Dave", "accuracy"] {
        assert!(status.contains(word), "{status}");
    }
    let rounds = shown(&["rounds"]);
    assert!(rounds.contains("accepted"), "{rounds}");
    let status: Value = serde_json::from_str(&shown(&["status", "--json"])).expect("JSON");
    assert!(status["finalised"].as_u64().expect("a number") > 0, "{status}");
    assert_eq!(status["trainer"]["engine"]["state"], "ready", "{status}");
    let rounds: Value = serde_json::from_str(&shown(&["rounds", "--json"])).expect("JSON");
    assert!(
        !rounds["rounds"].as_array().expect("a list").is_empty(),
        "{rounds}"
    );
}

async fn a_newcomer_joins_with_the_script_of_the_operator_guide(network: &LocalNetwork) {
    let join = |arguments: &[&str]| {
        proc::run(
            Command::new("node")
                .arg(checkout("scripts/join.mjs"))
                .args(["--url", &network.pc("alice").node.rpc_url])
                .args(arguments)
                .env("HYDRA_SURI", "//Ferdie"),
        )
    };
    let said = |output: &Output| String::from_utf8_lossy(&output.stdout).into_owned();
    let peer = [
        "--peer-id",
        "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN",
        "--stake",
        "2",
    ];
    let joined = join(&peer);
    assert!(joined.status.success(), "{joined:?}");
    assert!(
        said(&joined).contains("bond 2 HYDRA: done in block"),
        "{joined:?}"
    );
    let ferdie = accounts::development("Ferdie").expect("a development account");
    network
        .wait("Ferdie is on chain", LIMIT, async || {
            let best = network.best().await;
            let status = network.chain.node_status(&ferdie, best.hash).await;
            let status = status.expect("the node answers");
            (status.registered && status.stake == 2 * HYDRA).then_some(())
        })
        .await;
    let again = join(&peer);
    assert!(said(&again).contains("is registered already"), "{again:?}");
    assert!(said(&again).contains("its stake is bonded already"), "{again:?}");
    refused(&join(&[]), 1, "name its trainer with --peer-id");
}

async fn what_people_do_wrong_gets_a_sentence_and_harms_nobody(network: &LocalNetwork) {
    let folder = tempfile::tempdir().expect("a folder");
    let broken = folder.path().join("broken.png");
    fs::write(&broken, b"\x89PNG\r\n\x1a\nthis is no picture").expect("a new file");
    let ask = |arguments: &[&str]| network.hydra("alice", &[&["ask"], arguments].concat());

    refused(
        &ask(&["3", "--model", "7"]),
        6,
        "there is no model 7 on this chain",
    );
    refused(&ask(&[broken.to_str().expect("UTF-8")]), 6, "broken.png");
    refused(&ask(&["no-such-file.png"]), 6, "no-such-file.png");
    refused(&ask(&["100000"]), 4, "choose one from 0 to 359");
    refused(&ask(&["3", "--suri", "//Nobody"]), 6, "has 0 HYDRA to spend");
    let bobs_token = network.pc("bob").trainer.token_file.clone();
    let wrong_token = ["3", "--trainer-token-file", bobs_token.to_str().expect("UTF-8")];
    refused(
        &ask(&wrong_token),
        4,
        "give node, trainer and command line the same token file",
    );

    // A port that is in use, and a network that runs already.
    let port = network.network.base_port.to_string();
    let up = |base_path: &Path, port: &str| {
        proc::run(
            Command::new(program("hydra"))
                .args(["up", "--local", "4", "--base-port", port, "--base-path"])
                .arg(base_path)
                .arg("--datasets")
                .arg(checkout("datasets")),
        )
    };
    refused(
        &up(folder.path(), &port),
        8,
        &format!("port {port} (for Alice's RPC) is taken"),
    );
    refused(&up(network.folder(), "1024"), 8, "is running already");

    no_trainer_and_a_trainer_with_another_token_leave_the_node_running(network).await;
}

/// A worker that can't find LibTorch: see the trainer's own tests.
async fn no_trainer_and_a_trainer_with_another_token_leave_the_node_running(network: &LocalNetwork) {
    let dave = network.pc("dave");
    let daves = Chain::connect(&dave.node.rpc_url)
        .await
        .expect("Dave's node answers");
    let says = async |sentence: &str| {
        let from = daves.best().await.expect("it has blocks").number;
        let what = format!("Dave's node goes on and says '{sentence}'");
        network
            .wait(&what, Duration::from_secs(120), async || {
                let log = fs::read_to_string(&dave.node.log).expect("Dave's node writes a log");
                let best = daves.best().await.expect("it has blocks").number;
                (best >= from + 10 && log.contains(sentence)).then_some(())
            })
            .await;
    };

    proc::kill_9(dave.trainer.pid);
    refused(&network.hydra("dave", &["ask", "3"]), 4, "does not answer");
    says("no trainer answers on 127.0.0.1").await;

    fs::write(&dave.trainer.token_file, format!("{}\n", "5a".repeat(32))).expect("Dave's token file");
    let dataset = checkout("datasets/digits");
    let mut trainer = Running::start(
        "Dave's trainer",
        Command::new(program("hydra-trainer")).args(dave.trainer_arguments(&network.network, &dataset, 1)),
        Stream::Stdout,
    );
    trainer.line_with("ready: peer", LIMIT);
    says("does not accept our token").await;
}
