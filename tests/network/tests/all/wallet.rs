//! What people do with their own accounts on a running network: send, receive, ask, bond, claim. Part of the story of
//! [`crate::asking`], so that no network is started for it alone.

use std::{
    io::Write,
    path::Path,
    process::{Command, Output, Stdio},
};

use hydra_cli::{
    accounts,
    chain::{Block, Chain, Hash},
};
use hydra_network_tests::{LocalNetwork, clients::refused, proc, program};
use hydra_primitives::{AccountBytes, HYDRA};
use serde_json::Value;
use subxt::utils::AccountId32;

const PASSWORD: &str = "correct horse battery";
/// So often a claim may meet the end of a round, or another transaction of the same account.
const CLAIMS: usize = 10;

/// A wallet in a folder of its own.
struct Wallet<'a> {
    network: &'a LocalNetwork,
    folder: &'a Path,
}

impl Wallet<'_> {
    fn run(&self, arguments: &[&str], with_password: bool) -> Output {
        let keys = self.folder.join("keys");
        let password = self.folder.join("password");
        let text = |path: &Path| path.to_str().expect("UTF-8").to_owned();
        let (keys, password) = (text(&keys), text(&password));
        let mut arguments = [arguments, &["--keys", keys.as_str(), "--json"]].concat();
        if with_password {
            arguments.extend(["--password-file", password.as_str()]);
        }
        self.network.hydra("bob", &arguments)
    }

    fn json(&self, arguments: &[&str]) -> Value {
        proc::json(&self.run(arguments, true))
    }

    /// The same for a person: `script` gives it a terminal, and types.
    fn typed(&self, arguments: &str, typed: &str) -> Output {
        let line = format!(
            "{} {arguments} --keys {} --pc bob --base-path {}",
            program("hydra").display(),
            self.folder.join("keys").display(),
            self.network.folder().display()
        );
        let mut script = Command::new("script");
        script
            .args(["--quiet", "--return", "--command", &line, "/dev/null"])
            .env_remove("HYDRA_URL")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = script.spawn().expect("`script` is there");
        let mut keyboard = child.stdin.take().expect("it is piped");
        // The terminal keeps it until it is asked for.
        keyboard.write_all(typed.as_bytes()).expect("`script` reads");
        let output = child.wait_with_output().expect("`script` ends");
        drop(keyboard);
        output
    }

    fn balance(&self, of: &str) -> Value {
        proc::json(&self.run(&["wallet", "balance", of], false))["accounts"][0].clone()
    }

    /// A new account: no node is asked.
    fn make(&self, name: &str) -> Value {
        let mut command = Command::new(program("hydra"));
        command
            .args([
                "wallet",
                "new",
                name,
                "--json",
                "--keys",
                "keys",
                "--password-file",
                "password",
            ])
            .current_dir(self.folder);
        proc::json(&proc::run(&mut command))
    }
}

fn units(amount: &Value) -> u128 {
    hydra_cli::amount::parse(amount.as_str().expect("an amount")).expect("an amount of HYDRA")
}

fn account(address: &Value) -> AccountBytes {
    let address: AccountId32 = address.as_str().expect("an address").parse().expect("an address");
    address.0
}

/// Sends from Ferdie to a new account and back, and does with it what its owner may do.
pub async fn own_accounts_send_ask_bond_and_claim(network: &LocalNetwork) {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("password"), PASSWORD).expect("a file");
    let wallet = Wallet {
        network,
        folder: folder.path(),
    };
    let made = wallet.make("savings");
    let own = account(&made["address"]);
    let address = made["address"].as_str().expect("an address");
    assert_eq!(wallet.balance("savings")["spendable"], "0");

    // Nobody can send nothing, too little to exist, more than there is, or without saying yes.
    let ferdie = ["--from", "//Ferdie"];
    let send = |to: &str, amount: &str, more: &[&str]| {
        wallet.run(&[&["wallet", "send", to, amount], more].concat(), false)
    };
    refused(&send(address, "2", &ferdie), 6, "with --yes");
    refused(
        &send(address, "0.000000000001", &["--from", "//Ferdie", "--yes"]),
        6,
        "has nothing yet",
    );
    refused(
        &send(address, "900000000", &["--from", "//Ferdie", "--yes"]),
        6,
        "HYDRA to spend and this costs",
    );

    nothing_is_sent_after_a_no(&wallet, address).await;

    // By name, from a development account, until it is final.
    let receipt = proc::json(&send(
        "savings",
        "2",
        &["--from", "//Ferdie", "--yes", "--finalized"],
    ));
    assert_eq!(
        (&receipt["to"], &receipt["to_name"]),
        (&made["address"], &"savings".into())
    );
    assert_eq!(
        (&receipt["amount"], &receipt["finalised"]),
        (&"2".into(), &true.into())
    );
    let chain = Chain::connect(&network.pc("bob").node.rpc_url)
        .await
        .expect("the node answers");
    let final_block = chain.finalised().await.expect("the node answers");
    assert!(
        final_block.number >= receipt["block"].as_u64().expect("a number"),
        "{receipt}"
    );
    let funds = chain
        .funds(&own, final_block.hash)
        .await
        .expect("the node answers");
    assert_eq!(funds.free, 2 * HYDRA);
    assert_eq!(wallet.balance(address)["free"], "2");

    // And a part of it back, with the password.
    let back = accounts::address(&accounts::development("Ferdie").expect("a development account"));
    let receipt = wallet.json(&[
        "wallet",
        "send",
        &back,
        "0.25",
        "--from",
        "savings",
        "--yes",
        "--finalized",
    ]);
    assert_eq!(receipt["to_name"], "Ferdie", "{receipt}");
    let left = 2 * HYDRA - HYDRA / 4 - units(&receipt["fee"]);
    assert_eq!(units(&wallet.balance("savings")["free"]), left, "{receipt}");

    // A question, paid from the wallet.
    let answer = wallet.json(&["ask", "7", "--from", "savings", "--finalized"]);
    assert_eq!(answer["payer"], "savings", "{answer}");
    assert_eq!(
        units(&wallet.balance("savings")["free"]),
        left - HYDRA / 2 - units(&answer["fee"]),
        "{answer}"
    );

    // What it isn't entitled to is refused, and costs nothing.
    let before = wallet.balance("savings");
    refused(
        &wallet.run(&["stake", "bond", "1", "--from", "savings", "--yes"], true),
        6,
        "is not registered",
    );
    refused(
        &wallet.run(&["claim", "--from", "savings", "--yes"], true),
        6,
        "nothing is owed to savings",
    );
    assert_eq!(wallet.balance("savings"), before);
    // Dave is registered, has a stake and works on the model: he may do both. His node signs for him at the same time.
    dave_bonds_and_claims(&wallet, &chain).await;
}

async fn nothing_is_sent_after_a_no(wallet: &Wallet<'_>, address: &str) {
    let chain = Chain::connect(&wallet.network.pc("bob").node.rpc_url)
        .await
        .expect("the node answers");
    let ferdie = accounts::development("Ferdie").expect("a development account");
    let state = async || {
        let best = chain.best().await.expect("the node answers");
        let free = chain
            .funds(&ferdie, best.hash)
            .await
            .expect("the node answers")
            .free;
        // The pool's transactions are counted, too.
        let nonce = chain.next_nonce(&ferdie).await.expect("the node answers");
        (free, nonce)
    };
    let before = state().await;
    for no in ["n\n", "\n", "yep\n"] {
        let output = wallet.typed(&format!("wallet send {address} 2 --from //Ferdie"), no);
        let screen = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(6), "{screen}");
        // It was asked, after everything was said.
        for words in ["2 HYDRA", address, "Send it? [y/N]", "it was not confirmed"] {
            assert!(screen.contains(words), "'{words}' is missing: {screen}");
        }
    }
    assert_eq!(state().await, before);
    assert_eq!(wallet.balance(address)["free"], "0");
}

async fn dave_bonds_and_claims(wallet: &Wallet<'_>, chain: &Chain) {
    let dave = accounts::development("Dave").expect("a development account");
    let stake = async || {
        let last = chain.finalised().await.expect("the node answers");
        chain
            .node_status(&dave, last.hash)
            .await
            .expect("the node answers")
            .stake
    };
    let before = stake().await;
    let bonded = proc::json(&wallet.run(
        &["stake", "bond", "1.5", "--from", "//Dave", "--yes", "--finalized"],
        false,
    ));
    assert_eq!(bonded["amount"], "1.5", "{bonded}");
    assert_eq!(stake().await - before, HYDRA + HYDRA / 2);
    claims_what_others_paid_for_questions(wallet, chain, &dave).await;
}

/// Asks and claims until a claim stands alone in its block: a round that ends pays out what is owed, and rewards as well, and
/// Dave's own node signs for him. Then what he has is compared to the last unit.
async fn claims_what_others_paid_for_questions(wallet: &Wallet<'_>, chain: &Chain, dave: &AccountBytes) {
    let free = async |at: Hash| chain.funds(dave, at).await.expect("the node answers").free;
    let mut seen: Vec<String> = Vec::new();
    for _ in 0..CLAIMS {
        proc::json(&wallet.run(&["ask", "7", "--suri", "//Ferdie"], false));
        // Its own block and the one before are looked at, which stay even if another branch wins.
        let claimed = wallet.run(&["claim", "--from", "//Dave", "--yes"], false);
        match claimed.status.code() {
            Some(0) => {}
            // A round that just ended has paid it out.
            Some(6) => {
                refused(&claimed, 6, "nothing is owed to Dave");
                seen.push("paid out before".into());
                continue;
            }
            Some(7) => {
                refused(&claimed, 7, "Nothing is owed to this account");
                seen.push("paid out meanwhile".into());
                continue;
            }
            _ => panic!("{claimed:?}"),
        }
        let receipt = proc::json(&claimed);
        let hash = receipt["block_hash"].as_str().expect("a hash");
        let block = Block {
            number: receipt["block"].as_u64().expect("a number"),
            hash: hash.trim_start_matches("0x").parse().expect("a block's hash"),
        };
        let parent = chain.parent(block).await.expect("the block is known");
        let amount = units(&receipt["amount"]);
        assert!(amount > 0, "{receipt}");
        let owed = async |at: Hash| chain.owed(0, dave, at).await.expect("the node answers");
        let (before, after) = (owed(parent.hash).await, owed(block.hash).await);
        if before != amount || after != 0 {
            seen.push(format!("{before} were owed before and {after} after: {receipt}"));
            continue;
        }
        let (had, has) = (free(parent.hash).await, free(block.hash).await);
        if had + amount == has + units(&receipt["fee"]) {
            return;
        }
        seen.push(format!("had {had}, has {has}: {receipt}"));
    }
    panic!("no claim in {CLAIMS} paid what was owed, and only that: {seen:#?}");
}
