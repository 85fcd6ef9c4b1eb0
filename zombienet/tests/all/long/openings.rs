//! A proposer that serves what it proposed at 1 KiB a second holds nobody up, since nobody needs it to do a task again; and an opening
//! of what nobody found is taken by nobody.

use std::time::Duration;

use hydra_cli::{accounts, chain::Happening};
use hydra_network_tests::{Adversary, Chronicle};
use hydra_primitives::{
    AccountBytes, BlobRef, H256, HYDRA,
    electorate::Draw,
    status::Outcome,
    update::{Encoding, UpdateHeader},
};
use hydra_zombienet_tests::Zombienet;

use crate::suspended::earns;

const LIMIT: Duration = Duration::from_secs(240);
/// It waits for a session, for a place in one of a few rounds, and until it is a liar's turn to open.
const PATIENCE: Duration = Duration::from_secs(600);
/// As much as each member has.
const STAKE: u32 = 100;

#[tokio::test(flavor = "multi_thread")]
async fn a_proposer_that_trickles_holds_nobody_up_and_false_openings_decide_nothing() {
    let network = Zombienet::start().await;
    network.wait_for_version(1, LIMIT).await;
    let [eve, ferdie] =
        ["Eve", "Ferdie"].map(|name| accounts::development(name).expect("a development account"));
    let honest: Vec<AccountBytes> = ["Alice", "Bob", "Charlie", "Dave"]
        .map(|name| accounts::development(name).expect("a development account"))
        .to_vec();
    let pcs = &network.plan.pcs;
    let mut false_openings = Adversary::start(pcs, "//Eve", STAKE, &["false-opening"], LIMIT);
    let mut trickles = Adversary::start(pcs, "//Ferdie", STAKE, &["trickle"], LIMIT);
    let (began, mut chronicle) = (network.best().await.number, Chronicle::begin(&network).await);

    let mut missed = vec![];
    network
        .wait(
            "a paid result of who trickles, and a false opening",
            PATIENCE,
            async || {
                for happening in chronicle
                    .read(&network)
                    .await
                    .into_iter()
                    .flat_map(|news| news.happenings)
                {
                    match happening {
                        Happening::Missed { who } if honest.contains(&who) => missed.push(who),
                        Happening::Wrong { who } => panic!("{} was wrong", accounts::short(&who)),
                        Happening::Shown { who } => assert_ne!(who, eve, "a false opening decided a poll"),
                        _ => {}
                    }
                }
                let refused = false_openings.events("refused");
                let opened = refused.iter().any(|event| event["duty"] == "open");
                let paid = earns(&ferdie, &network.rounds().await, began);
                (opened && paid).then_some(())
            },
        )
        .await;
    assert!(
        false_openings.events("opened").is_empty(),
        "a block has a false opening"
    );
    // A fork may cost a digest its block; what trickles would cost one of everybody in each round.
    assert!(missed.len() <= 2, "honest verifiers were held up: {missed:?}");

    let rounds = network.rounds().await;
    let since = rounds.iter().filter(|round| u64::from(round.opened_at) > began);
    for place in since.clone().flat_map(|round| &round.places) {
        assert_ne!(place.outcome, Some(Outcome::Rejected), "{place:?}");
    }
    // Of the rounds in which it proposed, those who were asked first decided everything, and rightly.
    let with_it: Vec<_> = since
        .filter(|round| {
            let mut places = round.places.iter();
            places.any(|place| place.holder == ferdie && place.outcome.is_some())
        })
        .collect();
    assert!(!with_it.is_empty(), "{rounds:?}");
    for place in with_it.iter().flat_map(|round| &round.places) {
        let looked_at = place.outcome.filter(|outcome| *outcome != Outcome::Dropped);
        assert!(
            looked_at.is_none_or(|outcome| (outcome, place.draw) == (Outcome::Accepted, Draw::First)),
            "{place:?}"
        );
    }
    // And it does trickle: so long whoever wants the update from it would have waited.
    let update = BlobRef {
        hash: proposed(&mut trickles),
        size: UpdateHeader {
            encoding: Encoding::Dense,
            parameters: network.model().await.spec.architecture.parameters(),
        }
        .blob_size(),
    };
    let took = trickles.serves(update).await;
    assert!(
        took >= Duration::from_secs(update.size / 1024),
        "{update:?} in {took:?}"
    );
    // What can't be taken costs nothing, and both did all their work.
    for who in [eve, ferdie] {
        let status = network.node(&who).await;
        assert!(status.stake >= HYDRA * u128::from(STAKE), "{status:?}");
    }
    false_openings.stop(LIMIT);
    trickles.stop(LIMIT);
    network.stop().await;
}

/// The first update that it proposed.
fn proposed(trickles: &mut Adversary) -> H256 {
    let events = trickles.events("proposed");
    let named = events.first().and_then(|event| event["what"].as_str());
    let mut hash = [0; 32];
    let digits = named.expect("it proposed").trim_start_matches("0x");
    hex::decode_to_slice(digits, &mut hash).expect("a hash");
    H256(hash)
}
