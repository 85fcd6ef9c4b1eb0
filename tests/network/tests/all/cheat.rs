//! Four trainers more join an honest network, each with another lie; what becomes of that, and what people see of it in the
//! dashboard.
//!
//! Whoever is wrong once is out for a session or two, so each lie has an account of its own: all of them are told in the first
//! session that they take part in.

use std::{process::Command, time::Duration};

use hydra_cli::{accounts, chain::Happening, keys::key::Key};
use hydra_network_tests::{Adversary, Chronicle, LocalNetwork, checkout, proc};
use hydra_primitives::{AccountBytes, HYDRA, status::Outcome};

/// Two sessions of two minutes, and a few rounds in which every poll is appealed.
const LIMIT: Duration = Duration::from_secs(480);
/// The story of `dashboard/tests/browser` that needs a cheat.
const STORY: &str = "a_made_up_result_is_told_with_why_it_was_rejected";
/// As much as three members: with a score of 0.1, each weighs a third of one. Together they are a quarter of the weight.
const STAKE: u32 = 300;

/// A cheat with its account.
struct Cheat {
    name: &'static str,
    suri: &'static str,
    account: AccountBytes,
    /// Whether it claims work that it didn't do, rather than lie about others'.
    forges: bool,
}

fn cheats() -> [Cheat; 4] {
    let cheat = |name, suri, forges| Cheat {
        name,
        suri,
        account: Key::from_suri(suri).expect("its secret is known").account(),
        forges,
    };
    [
        // The dashboard's story is about Eve.
        cheat("zero-update", "//Eve", true),
        cheat("forged-update", "//Ferdie", true),
        cheat("lie", "//Liar", false),
        // Right results, without the work: with a false witness.
        cheat("copy", "//Copycat", false),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn claimed_work_that_was_not_done_is_turned_down_unpaid_and_forfeits_while_training_goes_on() {
    let network = LocalNetwork::start().await;
    network.wait_for_version(1, LIMIT).await;
    let cheats = cheats();
    for cheat in cheats.iter().filter(|cheat| !cheat.forges) {
        let address = accounts::address(&cheat.account);
        let amount = (STAKE + 1).to_string();
        let send = [
            "wallet", "send", &address, &amount, "--from", "//Ferdie", "--yes", "--json",
        ];
        proc::json(&network.hydra("alice", &send));
    }
    let mut chronicle = Chronicle::begin(&network).await;
    let adversaries: Vec<Adversary> = cheats
        .iter()
        .map(|cheat| Adversary::start(&network.network.pcs, cheat.suri, STAKE, &[cheat.name], LIMIT))
        .collect();

    // It watches meanwhile: who comes later has not seen the single polls.
    let (alice, mut story) = (network.pc("alice"), Command::new("node"));
    story
        .arg(checkout("dashboard/tests/browser/run.mjs"))
        .args(["--only", STORY])
        .args(["--page", &format!("{}/", alice.trainer.http_url)])
        .args(["--rpc", &alice.node.rpc_url]);
    let seen = tokio::task::spawn_blocking(move || proc::run(&mut story));

    // Until each was found out once: forgers by a rejected place, liars by a wrong digest; and lost stake by it.
    let honest: Vec<AccountBytes> = ["Alice", "Bob", "Charlie", "Dave"]
        .map(|name| accounts::development(name).expect("a development account"))
        .to_vec();
    let (mut rejected, mut wrong) = (vec![], vec![]);
    network
        .wait("each cheat found out", LIMIT, async || {
            for happening in chronicle
                .read(&network)
                .await
                .into_iter()
                .flat_map(|news| news.happenings)
            {
                match happening {
                    Happening::Settled {
                        who,
                        outcome: Outcome::Rejected,
                        forfeited,
                        ..
                    } => {
                        assert!(!honest.contains(&who), "honest work was turned down");
                        assert!(forfeited >= HYDRA, "a made-up result cost {forfeited}");
                        rejected.push(who);
                    }
                    Happening::Wrong { who } => {
                        assert!(!honest.contains(&who), "an honest digest was wrong");
                        wrong.push(who);
                    }
                    Happening::Forfeited { who, .. } => {
                        assert!(!honest.contains(&who), "somebody honest lost stake");
                    }
                    _ => {}
                }
            }
            let found_out = |cheat: &Cheat| match cheat.forges {
                true => rejected.contains(&cheat.account),
                false => wrong.contains(&cheat.account),
            };
            cheats.iter().all(found_out).then_some(())
        })
        .await;
    let seen = seen.await.expect("the story is told to its end");
    let (told, complaints) = (
        String::from_utf8_lossy(&seen.stdout),
        String::from_utf8_lossy(&seen.stderr),
    );
    assert!(
        seen.status.success() && told.contains(STORY),
        "{told}\n{complaints}"
    );
    for adversary in adversaries {
        adversary.stop(LIMIT);
    }

    for cheat in &cheats {
        let status = network.node(&cheat.account).await;
        let lost = (HYDRA * u128::from(STAKE)).saturating_sub(status.stake);
        assert!(lost >= HYDRA, "{} lost {lost}: {status:?}", cheat.name);
    }
    for place in network.rounds().await.iter().flat_map(|round| &round.places) {
        let forges = cheats
            .iter()
            .any(|cheat| cheat.forges && cheat.account == place.holder);
        assert!(
            !forges || place.outcome != Some(Outcome::Accepted) && place.reward == 0,
            "{place:?}"
        );
    }
    for account in honest {
        assert!(network.node(&account).await.stake >= 100 * HYDRA);
    }
    let version = network.model().await.confirmed_version;
    network.wait_for_version(version + 1, LIMIT).await;
    network.stop();
}
