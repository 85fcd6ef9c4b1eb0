//! What people do with a running network: look at it, export its model, ask it, use their own accounts, give newcomers their first coins; and what
//! their network is after they moved its folder.

use std::{collections::BTreeSet, fs, path::Path, process::Command, sync::Arc, time::Duration};

use hydra_cli::{
    accounts, amount,
    chain::{Chain, Hash},
};
use hydra_network_tests::{
    LocalNetwork, checkout,
    clients::{python, validation_file},
    proc,
};
use hydra_primitives::{AccountBytes, HYDRA};
use serde_json::Value;
use subxt::{
    OnlineClient, PolkadotConfig,
    backend::LegacyBackend,
    config::RpcConfigFor,
    dynamic,
    ext::scale_decode::DecodeAsType,
    rpcs::{RpcClient, methods::legacy::LegacyRpcMethods},
};

const LIMIT: Duration = Duration::from_secs(240);

#[tokio::test(flavor = "multi_thread")]
async fn people_look_export_and_ask_and_the_folder_may_move() {
    let network = LocalNetwork::start().await;
    network.wait_for_version(3, LIMIT).await;
    what_happens_is_told(
        &network,
        &[
            "Opened",
            "Proposed",
            "Moved",
            "Drawn",
            "Given",
            "Shown",
            "Settled",
            "Ended",
            "Confirmed",
            "Earned",
        ],
    )
    .await;

    let surest = the_exported_file_is_the_model_on_chain(&network).await;
    a_question_is_answered_right_and_moves_half_a_hydra(&network, surest).await;
    what_people_look_at_is_there(&network);
    the_page_shows_the_chain_s_own_numbers(&network).await;
    status_and_doctor_fit_a_terminal(&network);
    crate::wallet::own_accounts_send_ask_bond_and_claim(&network).await;
    crate::faucet::newcomers_get_their_first_coins_once(&network).await;
    what_happens_is_told(&network, &["Sent", "Asked", "Bonded", "Claimed"]).await;

    let before = network.best().await.number;
    let (last, moved) = network.stop_and_move();
    assert!(last.iter().any(|line| line.contains("stopping")), "{last:?}");
    let network = LocalNetwork::start_in(moved).await;
    // The same chain goes on, in the new place and nowhere else.
    network
        .wait("a block after the last one", LIMIT, async || {
            (network.best().await.number > before).then_some(())
        })
        .await;
    network.wait_for_version(4, LIMIT).await;
    network.stop();
}

/// The events of the chain are understood: each of these happened lately, and is told.
async fn what_happens_is_told(network: &LocalNetwork, expected: &[&str]) {
    /// The node forgets the states of blocks that are older than 256.
    const BLOCKS: usize = 200;
    let mut told: BTreeSet<String> = BTreeSet::new();
    let mut block = network.best().await;
    for _ in 0..BLOCKS {
        if block.number == 0 || expected.iter().all(|name| told.contains(*name)) {
            break;
        }
        let news = network.chain.news(block).await.expect("the node answers");
        told.extend(news.happenings.iter().map(|happening| {
            let shown = format!("{happening:?}");
            shown.split(' ').next().unwrap_or_default().to_owned()
        }));
        block = network.chain.parent(block).await.expect("the node answers");
    }
    for name in expected {
        assert!(
            told.contains(*name),
            "no {name} down to block {}: {told:?}",
            block.number
        );
    }
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
        // The other backend forgets a block that isn't of the newest.
        let rpc = RpcClient::from_insecure_url(url).await.expect("the node answers");
        let backend = LegacyBackend::<PolkadotConfig>::builder().build(rpc);
        let client = OnlineClient::<PolkadotConfig>::from_backend(Arc::new(backend))
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
    for word in ["Alice", "Bob", "Charlie", "Dave", "accuracy", "Wallet of Alice"] {
        assert!(status.contains(word), "{status}");
    }
    let rounds = shown(&["rounds"]);
    assert!(rounds.contains("accepted"), "{rounds}");
    let status: Value = serde_json::from_str(&shown(&["status", "--json"])).expect("JSON");
    assert!(status["finalised"].as_u64().expect("a number") > 0, "{status}");
    assert_eq!(status["trainer"]["engine"]["state"], "ready", "{status}");
    assert_eq!(status["wallet"]["name"], "Alice", "{status}");
    assert_ne!(status["wallet"]["spendable"], "0", "{status}");
    let rounds: Value = serde_json::from_str(&shown(&["rounds", "--json"])).expect("JSON");
    assert!(
        !rounds["rounds"].as_array().expect("a list").is_empty(),
        "{rounds}"
    );
}

/// `hydra top --once`: the height is the chain's, and the balance is Bob's in that block.
async fn the_page_shows_the_chain_s_own_numbers(network: &LocalNetwork) {
    let bob = accounts::development("Bob").expect("a development account");
    let chain = Chain::connect(&network.pc("bob").node.rpc_url)
        .await
        .expect("the node answers");
    // A block that was shown may lose to another of its height right after.
    network
        .wait("a page of a block that stayed", LIMIT, async || {
            let before = chain.best().await.expect("the node answers").number;
            let output = network.hydra("bob", &["top", "--once"]);
            let complaint = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{complaint}");
            let page = String::from_utf8(output.stdout).expect("UTF-8");
            let after = chain.best().await.expect("the node answers").number;
            assert_eq!(page.lines().count(), 24, "{page}");
            for words in [
                "This PC",
                "Wallet",
                "Network",
                "Model 0: UCI handwritten digits",
                "Peers",
                "Bob  5",
            ] {
                assert!(page.contains(words), "no '{words}': {page}");
            }
            let shown = number_after("block ", &page);
            assert!((before..=after).contains(&shown), "{before}, {after}: {page}");
            let block = chain.block_at(shown).await.expect("the node answers");
            let free = chain
                .funds(&bob, block.hash)
                .await
                .expect("the node answers")
                .free;
            let balance = format!(" {} HYDRA ", amount::short(free));
            page.contains(&balance).then_some(())
        })
        .await;
}

/// What they say of four PCs that run, and not of figures that somebody thought of: 80 columns, and 24 lines for the status.
fn status_and_doctor_fit_a_terminal(network: &LocalNetwork) {
    let keys = network.folder().join("no-keys");
    let keys = keys.to_str().expect("UTF-8");
    // A doctor that finds something says so with its code.
    let doctor = ["doctor", "--keys", keys];
    for (arguments, codes) in [(&["status"][..], &[0][..]), (&doctor[..], &[0, 9][..])] {
        let output = network.hydra("alice", arguments);
        let complaint = String::from_utf8_lossy(&output.stderr);
        let code = output.status.code().expect("it ended by itself");
        assert!(codes.contains(&code), "{arguments:?}: {complaint}");
        let page = String::from_utf8(output.stdout).expect("UTF-8");
        assert!(!page.is_empty(), "{arguments:?}: {complaint}");
        for line in page.lines() {
            let columns = line.chars().count();
            // A path or a command is never cut.
            let is_one_piece = !line.trim().contains(' ') || line.trim().starts_with('`');
            assert!(
                is_one_piece || columns <= 80,
                "{arguments:?}, {columns} columns: {line}\n{page}"
            );
        }
        let says_more = ["warning: ", "last problem: "]
            .iter()
            .any(|words| page.contains(words));
        if arguments == ["status"] && !says_more {
            assert!(page.lines().count() <= 24, "{page}");
        }
    }
}

fn number_after(word: &str, page: &str) -> u64 {
    let (_, rest) = page.split_once(word).expect("the word is there");
    let number = rest.split_whitespace().next().expect("a number");
    number.replace(',', "").parse().expect("digits")
}
