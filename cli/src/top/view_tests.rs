use super::*;
use crate::top::{
    fixture::{account, ago, nothing, now, seen},
    page::Row,
};
use crate::{chain::Clock, report::presence::Presence, trainer::Status};
use hydra_primitives::{HYDRA, status::Waiting};
use hydra_trainer_api::{Advice, Progress, Stage};
use std::time::Duration;

fn words(rows: &[Row]) -> Vec<(String, String)> {
    rows.iter()
        .map(|row| (row.left.text(now()), row.right.text(now())))
        .collect()
}

fn first_notice(seen: &Seen) -> String {
    let notices = notices(seen, now());
    notices
        .first()
        .map_or_else(String::new, |notice| notice.words.text(now()))
}

fn of(words: &[(&str, &str)]) -> Vec<(String, String)> {
    words
        .iter()
        .map(|(left, right)| ((*left).into(), (*right).into()))
        .collect()
}

#[test]
fn all_is_well_where_nothing_is_to_be_done() {
    let view = View::new(&seen(), now());
    assert!(view.notices.is_empty(), "{:?}", view.notices);
    for panel in [
        &view.pc,
        &view.wallet,
        &view.network,
        &view.model,
        &view.peers,
        &view.blocks,
    ] {
        assert!(!panel.stale, "{panel:?}");
    }
}

#[test]
fn numbers_are_those_of_the_chain_and_the_trainer() {
    let view = View::new(&seen(), now());
    assert_eq!(
        words(&view.wallet.rows),
        of(&[
            ("45.5 HYDRA", "stake 100"),
            ("earned today 6", "to claim 0.25"),
            ("Alice  5GrwvaEF…GKutQY", "+1 pending"),
        ])
    );
    assert_eq!(
        words(&view.network.rows),
        of(&[
            ("block 182,336", "2 s ago"),
            ("final 182,333", "3 nodes connected"),
            ("4 PCs registered", "3 in session 1,216"),
        ])
    );
    assert_eq!(view.model.title, "Model 0: UCI handwritten digits");
    assert_eq!(
        words(&view.model.rows),
        of(&[
            ("version 812", "97.22 % right"),
            ("round 812", "checking, 7 blocks left"),
            ("1 of 3 checked", "my share 28.0 %"),
        ])
    );
    let names: Vec<String> = words(&view.peers.rows)
        .iter()
        .filter_map(|(left, _)| left.split_whitespace().next().map(Into::into))
        .collect();
    assert_eq!(names, ["Bob", "Charlie", "12D3KooWStran…", "Dave"]);
}

#[test]
fn only_the_newest_blocks_and_those_with_news_are_shown() {
    let view = View::new(&seen(), now());
    let said: Vec<String> = words(&view.blocks.rows)
        .into_iter()
        .map(|(left, _)| left.split_whitespace().next().unwrap_or_default().into())
        .collect();
    assert_eq!(
        said,
        ["182,336", "182,335", "182,330", "182,326", "182,320", "182,200"]
    );
}

#[test]
fn before_anything_answered_it_says_what_is_waited_for() {
    let view = View::new(&nothing(), now());
    assert_eq!(
        first_notice(&nothing()),
        "Starting: waiting for the node at ws://127.0.0.1:9944"
    );
    assert_eq!(words(&view.pc.rows)[0].0, "Starting");
    assert!(view.blocks.rows[0].left.text(now()).contains("waiting"));
}

#[test]
fn while_the_node_catches_up_it_says_how_far_it_is() {
    let mut seen = seen();
    if let Some(chain) = &mut seen.chain {
        (chain.syncing, chain.highest, chain.time) = (true, 1_182_336, ago(9_999));
    }
    assert_eq!(
        first_notice(&seen),
        "Catching up with the network: block 182,336 of 1,182,336. Until then balances and versions are old."
    );
    assert_eq!(words(&View::new(&seen, now()).pc.rows)[0].0, "Catching up");
    if let Some(chain) = &mut seen.chain {
        chain.left = Some(Duration::from_secs(250));
    }
    let said = first_notice(&seen);
    assert!(
        said.starts_with("Catching up with the network: block 182,336 of 1,182,336, about 5 min left. "),
        "{said}"
    );
}

#[test]
fn how_far_the_task_is_stands_beside_it_where_that_is_known() {
    let mut seen = seen();
    assert_eq!(words(&View::new(&seen, now()).pc.rows)[1].1, "");
    let work = seen.status.as_mut().and_then(|status| status.models.first_mut());
    let work = work.expect("the trainer works");
    work.state = Stage::Training;
    work.task = Some("training for round 813 of model 0".into());
    work.progress = Some(Progress { done: 19, total: 30 });
    let said = words(&View::new(&seen, now()).pc.rows);
    assert_eq!(said[0].0, "Training");
    assert_eq!(said[1], ("training for round 813".to_owned(), "63 %".to_owned()));
}

#[test]
fn why_this_pc_or_its_model_rests_is_said() {
    let mut seen = seen();
    let chain = seen.chain.as_mut().expect("the chain is seen");
    chain.models[0].waiting = Some(Waiting::Participants);
    let me = chain.me.as_mut().expect("Alice is this PC");
    me.presence = Presence::Out { until: 1_218 };
    me.status.unbonding = 5 * HYDRA;
    let view = View::new(&seen, now());
    assert_eq!(words(&view.pc.rows)[0].1, "out until 1218");
    assert_eq!(words(&view.model.rows)[2].0, "waits: too few take part");
    assert_eq!(words(&view.wallet.rows)[0].1, "stake 100 (+5 on its way back)");
}

#[test]
fn what_is_pending_is_told_only_while_something_is() {
    let mut seen = seen();
    let me = seen.chain.as_mut().and_then(|chain| chain.me.as_mut());
    let me = me.expect("Alice is this PC");
    (me.pending, me.account) = (0, [7; 32]);
    let said = words(&View::new(&seen, now()).wallet.rows);
    assert_eq!(said[2].1, "");
    // An account without a name leaves room for it.
    assert!(said[2].0.chars().count() <= 20, "{said:?}");
}

#[test]
fn a_node_that_is_away_makes_its_part_grey_and_says_since_when() {
    let mut seen = seen();
    seen.node = Link::Up.failed(ago(125), "no route".into());
    // A second attempt is no new beginning.
    seen.node = seen.node.failed(now(), "refused".into());
    let view = View::new(&seen, now());
    assert_eq!(
        first_notice(&seen),
        "Node away for 2 min; what is grey is from block 182,336: refused"
    );
    for panel in [
        &view.wallet,
        &view.network,
        &view.model,
        &view.peers,
        &view.blocks,
    ] {
        assert!(panel.stale, "{panel:?}");
    }
    assert!(!view.pc.stale, "the trainer says this");
    assert_eq!(words(&view.wallet.rows)[0].0, "45.5 HYDRA");
}

#[test]
fn a_trainer_that_is_away_makes_its_part_grey() {
    let mut seen = seen();
    seen.trainer = Some(Link::Up.failed(ago(5), "it does not run".into()));
    let view = View::new(&seen, now());
    assert_eq!(first_notice(&seen), "Trainer away for 5 s: it does not run");
    assert!(view.pc.stale && view.peers.stale && !view.wallet.stale);
    assert_eq!(words(&view.pc.rows)[0].0, "Trainer away");
}

#[test]
fn where_no_trainer_is_known_it_says_how_to_name_one() {
    let mut seen = seen();
    (seen.trainer, seen.status) = (None, None);
    let view = View::new(&seen, now());
    assert!(words(&view.pc.rows)[1].0.contains("--trainer-port"));
    assert!(view.notices.is_empty(), "{:?}", view.notices);
    // Alice is this PC, and no peer of itself.
    assert_eq!(view.peers.rows.len(), 3);
}

#[test]
fn who_lacks_coins_is_told_how_many_and_how_to_get_them() {
    let mut seen = seen();
    if let Some(me) = seen.chain.as_mut().and_then(|chain| chain.me.as_mut()) {
        (me.status.stake, me.funds.free, me.funds.held) = (0, HYDRA / 10, 0);
    }
    let said = first_notice(&seen);
    assert!(
        said.starts_with("0.1 HYDRA: taking part needs 1.2, the stake and fees."),
        "{said}"
    );
    let address = accounts::address(&account("Alice"));
    assert!(said.ends_with(&format!("hydra invite {address}")), "{said}");
    // What was asked for came, less a first fee.
    if let Some(me) = seen.chain.as_mut().and_then(|chain| chain.me.as_mut()) {
        me.funds.free = HYDRA + HYDRA / 5 - HYDRA / 1_000;
    }
    assert_eq!(first_notice(&seen), "");
}

#[test]
fn a_wrong_clock_a_chain_that_stands_still_and_warnings_are_notices() {
    let mut wrong = seen();
    if let Some(chain) = &mut wrong.chain {
        chain.clock = Some(Clock {
            offset_ms: Some(900_000),
            warning: None,
        });
        chain.time = ago(300);
    }
    if let Some(status) = &mut wrong.status {
        status.warnings.push("the disk\x1b[2J is nearly full".into());
    }
    let said: Vec<String> = notices(&wrong, now())
        .iter()
        .map(|notice| notice.words.text(now()))
        .collect();
    assert!(
        said[0].starts_with("clock: about 15 min ahead of the network's"),
        "{said:?}"
    );
    assert!(said[1].starts_with("last block: 5 min ago"), "{said:?}");
    assert_eq!(said[2], "the disk [2J is nearly full");
}

#[test]
fn how_others_reach_this_pc_and_which_way_each_peer_is_connected_stand_in_a_word() {
    let view = View::new(&seen(), now());
    assert_eq!(
        words(&view.pc.rows)[2],
        ("version 812 here".into(), "reached via router".into())
    );
    let ways: Vec<String> = words(&view.peers.rows)
        .iter()
        .map(|(left, _)| {
            left.split_whitespace()
                .rev()
                .find(|word| way(word))
                .unwrap_or("none")
                .into()
        })
        .collect();
    assert_eq!(ways, ["direct", "punched", "relayed", "none"]);
    // One that says nothing of it is no worse than before.
    let mut silent = seen();
    if let Some(status) = &mut silent.status {
        status.reachability = None;
    }
    assert_eq!(words(&View::new(&silent, now()).pc.rows)[2].1, "trainer 0.1.0");
}

fn way(word: &str) -> bool {
    ["direct", "punched", "relayed"].contains(&word)
}

#[test]
fn that_nobody_can_connect_is_a_notice_with_what_to_do_unless_nobody_is_meant_to() {
    let mut alone = seen();
    let status = alone.status.as_mut().expect("the trainer answers");
    let reachability = status.reachability.as_mut().expect("it says so");
    (reachability.state, reachability.reason) = ("unreachable".into(), "no relay answers".into());
    (reachability.at, reachability.advice) = (None, Some(Advice::OpenPorts));
    let said = first_notice(&alone);
    assert!(
        said.starts_with(
            "others can't reach this PC: no relay answers. To be reached, let your router pass port 30400"
        ),
        "{said}"
    );
    let row = View::new(&alone, now()).pc.rows.remove(2);
    assert_eq!(
        (row.right.text(now()).as_str(), row.mood),
        ("not reachable", Mood::Bad)
    );
    if let Some(status) = &mut alone.status {
        status.listen = vec!["/ip4/127.0.0.1/tcp/30400/p2p/12D3".into()];
    }
    assert_eq!(first_notice(&alone), "");
    // By relay it works all the same.
    if let Some(reachability) = alone
        .status
        .as_mut()
        .and_then(|status| status.reachability.as_mut())
    {
        reachability.state = "relayed".into();
    }
    assert_eq!(first_notice(&alone), "");
}

#[test]
fn a_chain_without_models_blocks_and_members_says_that_there_is_nothing_yet() {
    let mut seen = seen();
    if let Some(chain) = &mut seen.chain {
        chain.best.number = 0;
        chain.models.clear();
        chain.members.clear();
        chain.blocks.clear();
        (chain.electorate, chain.me) = (Default::default(), None);
    }
    let empty: Status =
        serde_json::from_str(r#"{"version":"1","peer_id":"x","engine":{"state":"starting"}}"#).unwrap();
    (seen.status, seen.account) = (Some(empty), None);
    let view = View::new(&seen, now());
    assert_eq!(words(&view.pc.rows)[0].0, "Testing the engine");
    assert_eq!(words(&view.model.rows)[0].0, "nothing yet: no model is there");
    assert_eq!(words(&view.blocks.rows)[0].0, "nothing yet: no block is there");
    assert_eq!(words(&view.peers.rows)[0].0, "no other PC yet");
    assert_eq!(words(&view.wallet.rows)[0].0, "no account of this PC is known");
}
