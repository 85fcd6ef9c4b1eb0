use super::*;
use crate::{
    accounts as names,
    chain::{Clock, Funds, Part, Unbond},
    report::{
        accounts::Account,
        models::Model,
        own::{Earned, Me},
        presence::Presence,
    },
    status::Wallet,
};
use hydra_primitives::{
    HYDRA, Perbill,
    digits::{digits_manifest, digits_spec},
    status::{ModelStatus, NodeStatus, Phase, Waiting},
};

fn report() -> Report {
    Report {
        url: "ws://127.0.0.1:9944".into(),
        chain: "HydraAI Local".into(),
        block: 42,
        finalised: 40,
        block_age: 1.5,
        slot: Duration::from_secs(2),
        peers: 3,
        syncing: false,
        clock: None,
        session: 7,
        taking_part: 1,
        taking_part_next: 1,
        registered: 1,
        models: vec![Model {
            model: 0,
            dataset: "digits".into(),
            parameters: 4810,
            round: 3,
            phase: Phase::Verify,
            waiting: None,
            phase_ends_at: 50,
            blocks_left: 8,
            places: 4,
            proposals: 4,
            decided: 1,
            version: 3,
            confirmed_version: 2,
            version_poll: None,
            accuracy: Some(0.9),
            weights: "ab".repeat(32),
        }],
        accounts: vec![Account {
            account: "5Grw".into(),
            name: "Alice".into(),
            balance: "1000000.500069".into(),
            free: 1_000_000_500_069 * 1_000_000,
            stake: "100".into(),
            unbonding: "0".into(),
            score: 0.9004,
            active: true,
            paused: false,
            size_class: 8,
            room: 64,
            busy: 5,
            heartbeat: 6,
        }],
        wallet: None,
        happened: vec![],
        trainer: None,
        node_port: None,
        trainer_error: None,
        stopped: vec![],
    }
}

/// What Alice has: everything that there is to say of a wallet.
fn me() -> Me {
    Me {
        account: names::development("Alice").unwrap(),
        funds: Funds {
            free: 1_000_000_500_069 * 1_000_000,
            spendable: 1_000_000_499_069 * 1_000_000,
            held: 100 * HYDRA,
        },
        status: NodeStatus {
            registered: true,
            active: true,
            paused: false,
            heartbeat: 6,
            peer_id: vec![],
            reputation: Perbill::from_percent(90),
            stake: 100 * HYDRA,
            unbonding: 0,
            weight: 0,
            room: 64,
            busy: 5,
            size_class: 8,
        },
        presence: Presence::In,
        unbonding: vec![],
        parts: vec![Part {
            owed: HYDRA / 4,
            shares: 28,
            of: 100,
        }],
        earned: Earned {
            amount: 6 * HYDRA,
            partly: false,
        },
        pending: HYDRA,
    }
}

fn wallet(me: Me) -> Wallet {
    let model = ModelStatus {
        model: 0,
        spec: digits_spec(),
        dataset: digits_manifest(),
        round: 0,
        phase: Phase::Train,
        waiting: None,
        phase_ends_at: 0,
        places: 0,
        proposals: 0,
        decided: 0,
        version: 0,
        version_poll: None,
        confirmed_version: 0,
        weights: Default::default(),
        score: None,
    };
    Wallet::new(me, &[model])
}

fn happening(block: u64, age: f64, words: &str, is_news: bool) -> Happened {
    Happened {
        block,
        age,
        words: words.into(),
        is_news,
    }
}

/// What docs/terminal/status.txt shows: a local network of four PCs, seen from the first.
fn four() -> Report {
    let account = |name: &str, free: u128, stake: &str, score| Account {
        account: "5Grw".into(),
        name: name.into(),
        balance: String::new(),
        free: free * 1_000_000,
        stake: stake.into(),
        unbonding: "0".into(),
        score,
        active: true,
        paused: false,
        size_class: 8,
        room: 64,
        busy: 5,
        heartbeat: 1_216,
    };
    let trainer = r#"{"version":"0.1.0","peer_id":"12D3","engine":{"state":"ready"},
        "peers":[{"peer_id":"a","address":"b"},{"peer_id":"c","address":"d"},{"peer_id":"e","address":"f"}],
        "reachability":{"state":"mapped","at":"203.0.113.7:30400",
            "reason":"this PC's router passes a port on to it, so others reach it at 203.0.113.7:30400: 2 of them got in"},
        "last_sheet":{"block":182336,"seconds_ago":1},
        "models":[{"model":0,"version":812,"state":"verifying","round":812,"phase":"verify",
            "task":"doing the task of poll 0x1cbd…2d43 of model 0 again in round 812"}]}"#;
    let mut report = report();
    (report.session, report.taking_part, report.registered) = (1_216, 4, 4);
    report.block = 182_336;
    report.finalised = 182_333;
    for model in &mut report.models {
        (model.round, model.version, model.confirmed_version) = (812, 812, 812);
        (model.phase_ends_at, model.blocks_left) = (182_343, 7);
        model.accuracy = Some(0.9722);
    }
    report.accounts = vec![
        account("Alice", 1_000_000_500_069, "100", 0.9),
        account("Bob", 1_000_045_500_000, "100", 0.912),
        account("Charlie", 999_987_250_000, "100", 0.871),
        account("Dave", 1_000_012_000_000, "100", 0.905),
    ];
    report.trainer = Some(serde_json::from_str(trainer).unwrap());
    report.wallet = Some(wallet(me()));
    report.happened = vec![
        happening(
            182_336,
            1.5,
            "Bob and Charlie gave what they found, hidden for now",
            false,
        ),
        happening(182_330, 13.5, "Ferdie paid 0.5 HYDRA for a question", true),
        happening(182_326, 21.5, "version 812 is confirmed, 97.22 % right", true),
        happening(
            182_320,
            33.5,
            "Dave's result of round 811 was rejected: others computed another; that costs 1 HYDRA; Alice, Bob and Charlie \
             earned 1 HYDRA each",
            true,
        ),
        happening(182_316, 41.5, "Alice sent 12 HYDRA to Eve", true),
        happening(182_310, 53.5, "Eve has registered", true),
    ];
    report
}

/// Made anew where HYDRA_WRITE_TERMINAL_PAGES is set.
#[test]
fn the_status_of_a_network_of_four_is_the_page_in_docs_and_fits_80_by_24() {
    let text = four().text();
    assert!(text.lines().count() <= 24, "{text}");
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/terminal/status.txt");
    if std::env::var_os("HYDRA_WRITE_TERMINAL_PAGES").is_some() {
        std::fs::write(path, &text).unwrap();
    }
    assert_eq!(
        text,
        std::fs::read_to_string(path).unwrap(),
        "docs/terminal/status.txt: make it anew with HYDRA_WRITE_TERMINAL_PAGES=1"
    );
}

#[test]
fn the_status_is_one_page() {
    let expected = "\
HydraAI Local at ws://127.0.0.1:9944
block 42, finalised 40, 3 peers; session 7, 1 of 1 PCs take part

model  data    round  phase    ends in  results  version  confirmed  accuracy
    0  digits      3  Verify  8 blocks   1 of 4        3          2   90.00 %

account  balance (HYDRA)  stake  score    tasks  takes part
Alice          1000000.5    100  0.900  5 of 64  yes

Wallet: no account of this PC is known; `hydra wallet balance` shows yours.

Trainer: none known here; name its port with --trainer-port.
";
    assert_eq!(report().text(), expected);
}

#[test]
fn what_the_trainer_warns_of_is_shown() {
    let trainer = serde_json::from_str(
        r#"{"version":"1","peer_id":"12D3","engine":{"state":"ready"},"warnings":["the clock is wrong"]}"#,
    );
    let text = Report {
        trainer: Some(trainer.unwrap()),
        ..report()
    }
    .text();
    assert!(text.ends_with("  warning: the clock is wrong\n"), "{text}");
}

#[test]
fn how_others_reach_this_pc_is_said_with_what_to_do_where_it_is_poor() {
    let reason = "nobody has reached this PC directly, so others reach it through relay …8Rfk3eTm";
    let of = |state: &str, advice: Option<&str>| {
        let trainer = serde_json::json!({
            "version": "1", "peer_id": "12D3", "engine": { "state": "ready" },
            "listen": ["/ip4/192.168.1.5/tcp/30400/p2p/12D3"],
            "peers": [
                { "peer_id": "a", "address": "b", "path": "direct" },
                { "peer_id": "c", "address": "d", "path": "relayed" },
            ],
            "reachability": { "state": state, "reason": reason, "advice": advice },
        });
        let report = Report {
            trainer: Some(serde_json::from_value(trainer).unwrap()),
            node_port: Some(30_333),
            ..report()
        };
        let words = report.text().split_whitespace().collect::<Vec<_>>().join(" ");
        let (_, trainer) = words.split_once("Trainer 1: ").unwrap();
        trainer.to_owned()
    };
    let relayed = of("relayed", Some("open_ports"));
    assert!(relayed.contains("2 peers (1 direct, 1 relayed)"), "{relayed}");
    assert!(
        relayed.contains(
            "others reach this PC through a relay only: nobody has reached this PC directly, so others reach it through relay \
             …8Rfk3eTm to be reached by all: switch on UPnP in the router, or pass on port 30400 of TCP and UDP there, and port \
             30333 of TCP for the node"
        ),
        "{relayed}"
    );
    assert_eq!(relayed.matches("UPnP").count(), 1, "{relayed}");
    let public = of("public", None);
    assert!(public.contains("others reach this PC directly: "), "{public}");
    assert!(!public.contains("UPnP"), "{public}");
}

#[test]
fn a_trainer_that_is_down_is_shown_not_fatal() {
    let text = Report {
        trainer_error: Some("it is down".into()),
        ..report()
    }
    .text();
    assert!(text.ends_with("Trainer: it is down\n"));
}

/// The lines between the node's and the tables.
fn remarks(report: Report) -> String {
    let text = report.text();
    let (head, _) = text.split_once("\n\n").unwrap();
    head.lines().skip(2).collect()
}

#[test]
fn a_clock_that_is_not_the_network_s_is_one_line() {
    let with = |offset_ms, warning: Option<&str>| {
        let warning = warning.map(Into::into);
        remarks(Report {
            clock: Some(Clock { offset_ms, warning }),
            ..report()
        })
    };
    assert_eq!(with(None, None), "");
    assert_eq!(with(Some(1_900), None), "");
    let ahead = with(Some(35_200), None);
    assert!(
        ahead.starts_with("clock: about 35 s ahead of the network's: "),
        "{ahead}"
    );
    assert!(with(Some(-900_000), None).starts_with("clock: about 15 min behind the network's: "));
    assert_eq!(with(Some(0), Some("it is wrong")), "clock: it is wrong");
}

#[test]
fn where_the_node_knows_nothing_the_trainer_s_peers_tell_the_time() {
    let trainer: trainer::Status = serde_json::from_str(
        r#"{"version":"1","peer_id":"12D3","engine":{"state":"ready"},"clock":{"offset_ms":-4000,"peers":3}}"#,
    )
    .unwrap();
    let report = Report {
        trainer: Some(trainer),
        ..report()
    };
    assert!(remarks(report).starts_with("clock: about 4.0 s behind"));
}

#[test]
fn a_newest_block_that_is_not_of_now_is_one_line() {
    let with = |block_age| {
        remarks(Report {
            block_age,
            ..report()
        })
    };
    assert_eq!(with(29.0), "");
    assert_eq!(with(-4.0), "");
    assert!(
        with(300.0).starts_with("last block: 5 min ago"),
        "{}",
        with(300.0)
    );
    assert!(
        with(-900.0).starts_with("last block: 15 min ahead of this PC's clock"),
        "{}",
        with(-900.0)
    );
    // A minute between blocks is as it should be where slots are that long.
    let slow = |block_age| {
        remarks(Report {
            block_age,
            slot: Duration::from_secs(60),
            ..report()
        })
    };
    assert_eq!(slow(359.0), "");
    assert!(
        slow(361.0).starts_with("last block: 6 min ago"),
        "{}",
        slow(361.0)
    );
    let genesis = Report {
        block: 0,
        block_age: 1e9,
        ..report()
    };
    assert_eq!(remarks(genesis), "");
    let syncing = Report {
        syncing: true,
        block_age: 1e6,
        ..report()
    };
    assert_eq!(remarks(syncing), "");
}

/// The lines of the wallet.
fn wallet_lines(me: Me) -> Vec<String> {
    let text = Report {
        wallet: Some(wallet(me)),
        ..report()
    }
    .text();
    let lines = text.lines().skip_while(|line| !line.starts_with("Wallet of"));
    lines
        .take_while(|line| !line.is_empty())
        .map(Into::into)
        .collect()
}

#[test]
fn a_wallet_is_what_can_be_spent_what_is_at_stake_and_what_was_earned() {
    assert_eq!(
        wallet_lines(me()),
        [
            "Wallet of Alice: 1000000.499 HYDRA to spend, 100 at stake, 0.25 to claim",
            "  takes part, with a score of 0.900",
            "  earned today 6, 1 more pending; 28.0 % of the accepted work on model 0",
        ]
    );
    let nothing_yet = Me {
        presence: Presence::Out { until: 9 },
        parts: vec![Part::default()],
        earned: Earned {
            amount: 0,
            partly: true,
        },
        pending: 0,
        ..me()
    };
    assert_eq!(
        wallet_lines(nothing_yet),
        [
            "Wallet of Alice: 1000000.499 HYDRA to spend, 100 at stake",
            "  is out until session 9, with a score of 0.900",
            "  earned today at least 0",
        ]
    );
}

#[test]
fn stake_on_its_way_back_and_why_nobody_trains_are_said() {
    let mut leaving = me();
    leaving.status.unbonding = 5 * HYDRA;
    leaving.unbonding = vec![Unbond {
        amount: 5 * HYDRA,
        until: 900,
    }];
    let lines = wallet_lines(leaving.clone());
    let said: Vec<&str> = lines.iter().map(|line| line.trim()).collect();
    let said = said.join(" ");
    assert!(said.contains("100 at stake, 5 more on the way back"), "{said}");
    let json = serde_json::to_value(wallet(leaving)).unwrap();
    assert_eq!(
        json["unbonding"],
        serde_json::json!([{ "amount": "5", "until": 900 }])
    );
    let mut waiting = report();
    waiting.registered = 1_204;
    for model in &mut waiting.models {
        model.waiting = Some(Waiting::Room);
    }
    let text = waiting.text();
    assert!(
        text.contains("\n  Model 0 waits: less than nine tenths of the weight has room"),
        "{text}"
    );
    assert!(text.contains("\n  and 1203 more\n"), "{text}");
}

#[test]
fn programs_read_a_wallet_exactly() {
    let json = serde_json::to_value(wallet(me())).unwrap();
    assert_eq!(
        json,
        serde_json::json!({
            "account": "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY",
            "name": "Alice",
            "spendable": "1000000.499069",
            "stake": "100",
            "unbonding": [],
            "presence": "in",
            "out_until": null,
            "score": 0.9,
            "earned_today": "6",
            "earned_today_complete": true,
            "pending": "1",
            "claimable": "0.25",
            "parts": [{ "model": 0, "share": 0.28 }],
        })
    );
}

#[test]
fn how_far_a_task_is_stands_after_it() {
    let trainer = r#"{"version":"1","peer_id":"12D3","engine":{"state":"ready"},"models":[{"model":0,"version":812,
        "state":"training","round":813,"phase":"train","task":"training for round 813 of model 0",
        "progress":{"done":19,"total":30}}]}"#;
    let text = Report {
        trainer: Some(serde_json::from_str(trainer).unwrap()),
        ..report()
    }
    .text();
    assert!(
        text.ends_with("  model 0: version 812, training for round 813, 63 %\n"),
        "{text}"
    );
}

#[test]
fn long_warnings_are_lines_of_80_columns_and_leave_room_for_what_happened() {
    let mut report = four();
    report.block_age = 300.0;
    report.clock = Some(Clock {
        offset_ms: Some(900_000),
        warning: None,
    });
    if let Some(trainer) = &mut report.trainer {
        trainer.warnings = vec!["the disk is nearly full: ".to_owned() + &"free some space ".repeat(9)];
    }
    let text = report.text();
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    assert!(
        text.contains("\n  warning: the disk is nearly full") && text.contains("\n    space free"),
        "{text}"
    );
    assert!(
        text.contains("Ferdie paid") && text.contains("is confirmed"),
        "{text}"
    );
    assert!(!text.contains("Dave's result"), "{text}");
}

#[test]
fn the_course_of_a_round_is_told_only_where_there_is_no_news() {
    let text = four().text();
    assert!(!text.contains("hidden for now"), "{text}");
    let text = Report {
        happened: vec![happening(
            42,
            -3.0,
            "Bob gave what it found, hidden for now",
            false,
        )],
        ..report()
    }
    .text();
    assert!(
        text.ends_with("\nblock  age  what happened\n   42  0 s  Bob gave what it found, hidden for now\n"),
        "{text}"
    );
}

#[test]
fn what_is_wrong_is_said_in_lines_that_fit_a_terminal() {
    let long =
        "what is wrong is said with everything that somebody has to know to put it right again, ".repeat(3);
    let mut report = Report {
        chain: format!(
            "A network with a name that nobody would choose {}",
            "again ".repeat(9)
        ),
        clock: Some(Clock {
            offset_ms: None,
            warning: Some(long.clone()),
        }),
        stopped: vec![long.clone()],
        ..four()
    };
    if let Some(trainer) = &mut report.trainer {
        trainer.warnings = vec![long.clone()];
        trainer.engine.reason = Some(long.clone());
    }
    let away = Report {
        trainer: None,
        trainer_error: Some(long.clone()),
        ..four()
    };
    for text in [report.text(), away.text()] {
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        let words: Vec<&str> = text.split_whitespace().collect();
        assert!(words.join(" ").contains(long.trim()), "{text}");
    }
}
