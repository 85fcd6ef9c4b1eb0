//! Liars in each draw of a poll: whoever lies in the first draw, in the appeal or in the last one forfeits for each of its seats in the
//! draw that first drew it.
//!
//! Which draw knows a liar first is a matter of its weight. A last draw is only made if the appeal is not decided: two of four honest
//! members, which would have given their digests in the first draw already, are suspended when a poll is asked, and go on when the
//! digests of its appeal are closed.

use std::{collections::BTreeMap, time::Duration};

use hydra_cli::{accounts, keys::key::Key};
use hydra_network_tests::{Adversary, proc};
use hydra_primitives::{
    AccountBytes, HYDRA,
    electorate::Draw,
    poll::PollId,
    status::{Phase, PollStage},
};
use hydra_zombienet_tests::{Ledger, Zombienet};

const LIMIT: Duration = Duration::from_secs(240);
/// Three draws, two of them in blocks that come half as often.
const DRAWS: Duration = Duration::from_secs(420);
/// A liar is out for a session or two afterwards, and may not be drawn where it should.
const TRIES: u32 = 5;
/// In even rounds they do as everybody else, but for openings that nobody takes; in odd ones they lie. So all of them take part when an
/// odd round opens.
const CHEATS: [&str; 2] = ["false-opening", "lie"];

/// With a score of 0.1, of 370 in all: a seat in every second of first draws, in most appeals, in most last draws.
const LIARS: [(&str, u32); 4] = [("//Eve", 60), ("//Ferdie", 60), ("//Appealed", 18), ("//Last", 3)];

#[tokio::test(flavor = "multi_thread")]
async fn a_liar_in_each_draw_forfeits_for_its_seats_and_nobody_honest_does() {
    let network = Zombienet::start().await;
    network.wait_for_version(1, LIMIT).await;
    let mut liars: Vec<AccountBytes> = vec![];
    let mut adversaries = vec![];
    for (suri, stake) in LIARS {
        let account = Key::from_suri(suri).expect("its secret is known").account();
        if accounts::name(&account).is_none() {
            let (address, amount) = (accounts::address(&account), (stake + 1).to_string());
            let send = [
                "wallet", "send", &address, &amount, "--from", "//Ferdie", "--yes", "--json",
            ];
            proc::json(&network.hydra("alice", &send));
        }
        adversaries.push(Adversary::start(&network.plan.pcs, suri, stake, &CHEATS, LIMIT));
        liars.push(account);
    }

    let mut found_out: BTreeMap<Draw, AccountBytes> = BTreeMap::new();
    for number in 1..=TRIES {
        let poll = all_the_way(&network, &liars).await;
        eprintln!("{number} of {TRIES}: {poll:?}");
        for (who, draw) in poll {
            found_out.insert(draw, who);
        }
        if found_out.len() == 3 {
            break;
        }
    }
    assert_eq!(found_out.len(), 3, "not in each draw: {found_out:?}");

    for name in ["Alice", "Bob", "Charlie", "Dave"] {
        let account = accounts::development(name).expect("a development account");
        let status = network.node(&account).await;
        assert!(status.stake >= 100 * HYDRA, "{name}: {status:?}");
    }
    for adversary in adversaries {
        adversary.stop(LIMIT);
    }
    let version = network.model().await.confirmed_version;
    network.wait_for_version(version + 1, LIMIT).await;
    network.stop().await;
}

/// Sees to it that the poll on a version goes to its last draw. Returns which liars were wrong in it, and the draw that first drew each.
async fn all_the_way(network: &Zombienet, liars: &[AccountBytes]) -> Vec<(AccountBytes, Draw)> {
    let ledger = Ledger::open(&network.pc("alice").node.rpc_url).await;
    // A version's poll is asked when the next round opens, so nobody has given a digest yet.
    let poll: PollId = network
        .wait("an odd round that opens with all liars", 3 * LIMIT, async || {
            let model = network.model().await;
            if model.phase != Phase::Train || model.round % 2 == 0 || model.proposals > 0 {
                return None;
            }
            let poll = model.version_poll?;
            let best = network.best().await;
            let asked = network
                .chain
                .poll(poll, best.hash)
                .await
                .expect("the node answers")?;
            if asked.draw != Draw::First || asked.given > 0 {
                return None;
            }
            for liar in liars {
                if !network.node(liar).await.active {
                    return None;
                }
            }
            Some(poll)
        })
        .await;
    let gone = [network.suspend("bob").await, network.suspend("charlie").await];
    let stakes = stakes(network, liars).await;

    let mut first_in: BTreeMap<AccountBytes, Draw> = BTreeMap::new();
    let mut gone = Some(gone);
    let mut wrong: Vec<AccountBytes> = vec![];
    let mut looked_at = network.best().await.number;
    network
        .wait("a poll that is decided and judged", DRAWS, async || {
            let best = network.best().await;
            let status = network
                .chain
                .poll(poll, best.hash)
                .await
                .expect("the node answers");
            if let Some(status) = &status {
                if status.stage != PollStage::Drawing {
                    for (who, _, _) in &status.accounts {
                        first_in.entry(*who).or_insert(status.draw);
                    }
                }
                let is_closed = status.draw == Draw::Appeal && status.stage == PollStage::Opening;
                if is_closed || status.draw == Draw::Last {
                    for asleep in gone.take().into_iter().flatten() {
                        network.wake(asleep).await;
                    }
                }
            }
            while looked_at < best.number {
                looked_at += 1;
                let block = network.chain.block_at(looked_at).await.expect("the node has it");
                let judged = ledger.wrong(block).await.into_iter();
                wrong.extend(judged.filter(|one| one.poll == poll).map(|one| one.who));
            }
            status.is_none().then_some(())
        })
        .await;
    for asleep in gone.take().into_iter().flatten() {
        network.wake(asleep).await;
    }
    let now = self::stakes(network, liars).await;
    let mut found_out = vec![];
    for (liar, (before, after)) in liars.iter().zip(stakes.into_iter().zip(now)) {
        if wrong.contains(liar) {
            // At least the minimum stake for each seat; all that is left if that is less.
            let lost = before.saturating_sub(after);
            assert!(lost >= HYDRA.min(before), "{} lost {lost}", accounts::short(liar));
            found_out.extend(first_in.get(liar).map(|draw| (*liar, *draw)));
        }
    }
    assert!(
        wrong.iter().all(|who| liars.contains(who)),
        "{wrong:?} of {poll:?}"
    );
    found_out
}

async fn stakes(network: &Zombienet, accounts: &[AccountBytes]) -> Vec<u128> {
    let mut stakes = vec![];
    for account in accounts {
        stakes.push(network.node(account).await.stake);
    }
    stakes
}
