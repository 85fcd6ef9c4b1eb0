use super::*;

#[test]
fn waiting_for_coins_says_how_much_and_where_to() {
    let event = Event::WaitingForCoins {
        address: "5Gx".into(),
        spendable: "0".into(),
        needed: "1.2".into(),
        missing: "1.2".into(),
        qr: None,
    };
    let text = event.text();
    assert!(
        text.contains("hydra invite 5Gx") && text.contains("needs 1.2"),
        "{text}"
    );
    let json = serde_json::to_value(&event).unwrap();
    assert_eq!(json["state"], "waiting_for_coins");
    assert_eq!(json["missing"], "1.2");
}

#[test]
fn who_trains_is_told_where_the_dashboard_is() {
    let trainer = "http://127.0.0.1:8790".to_owned();
    let text = Event::Training { trainer }.text();
    assert!(text.contains("dashboard is at http://127.0.0.1:8790/ "), "{text}");
}

#[test]
fn a_key_that_was_made_is_shown_once_with_where_it_is() {
    let account = |is_new| Event::Account {
        address: "5Gx".into(),
        is_new,
        key_file: "/k/68".into(),
    };
    assert!(account(true).text().contains("/k/68"));
    assert!(!account(false).text().contains("/k/68"));
}

#[test]
fn a_node_that_catches_up_says_whom_it_found_how_far_it_is_and_how_long_it_takes() {
    let syncing = |peers, target, seconds_left| {
        Event::Syncing {
            block: 12_000,
            target,
            peers,
            seconds_left,
        }
        .text()
    };
    assert_eq!(
        syncing(3, 182_336, Some(250)),
        "… node: 3 PCs found, block 12,000 of 182,336; about 5 min left"
    );
    assert_eq!(
        syncing(1, 182_336, None),
        "… node: 1 PC found, block 12,000 of 182,336"
    );
    assert_eq!(
        syncing(0, 12_000, None),
        "… node: looking for other PCs of the network"
    );
    let synced = |seconds| {
        Event::Synced {
            block: 182_336,
            peers: 3,
            registered: 1_204,
            seconds,
        }
        .text()
    };
    assert_eq!(
        synced(Some(41)),
        "✓ node     at the newest block, 182,336 after 41 s; 3 PCs found, 1,204 registered"
    );
    assert_eq!(
        synced(None),
        "✓ node     at the newest block, 182,336; 3 PCs found, 1,204 registered"
    );
}

#[test]
fn a_clock_is_said_to_be_right_or_what_to_do() {
    let clock = |offset_ms, is_wrong| Event::Clock { offset_ms, is_wrong };
    assert_eq!(
        clock(-3, false).text(),
        "✓ clock    right within 0.1 s of the other PCs'"
    );
    assert_eq!(
        clock(-1_400, false).text(),
        "✓ clock    right within 1.4 s of the other PCs'"
    );
    let text = clock(35_200, true).text();
    assert!(
        text.starts_with("! clock    about 35 s ahead of the other PCs': set it"),
        "{text}"
    );
    let json = serde_json::to_value(clock(-3, false)).unwrap();
    assert_eq!(
        json,
        serde_json::json!({ "state": "clock", "offset_ms": -3, "is_wrong": false })
    );
}

#[test]
fn a_model_that_was_checked_says_how_good_it_is() {
    let model = |accuracy| Event::ModelChecked {
        model: 0,
        dataset: "UCI handwritten digits".into(),
        version: 812,
        accuracy,
    };
    assert_eq!(
        model(Some(0.9722)).text(),
        "✓ model    0, \"UCI handwritten digits\": version 812, 97.22 % right, checked against the chain"
    );
    assert!(model(None).text().contains("not measured yet"));
    let json = serde_json::to_value(model(None)).unwrap();
    assert_eq!(json["state"], "model_checked");
    assert_eq!((&json["version"], &json["accuracy"]), (&812.into(), &().into()));
}

#[test]
fn coins_say_who_sent_them_where_the_blocks_do() {
    let came = |from: &[&str]| {
        let from = from.iter().map(ToString::to_string).collect();
        Event::CoinsCame {
            spendable: "1.2".into(),
            from,
        }
        .text()
    };
    assert_eq!(came(&[]), "✓ coins    1.2 HYDRA are here");
    assert_eq!(
        came(&["5Fd", "5Gx"]),
        "✓ coins    1.2 HYDRA are here, from 5Fd and 5Gx"
    );
}

#[test]
fn a_registration_says_what_was_bonded_and_how_long_its_proof_of_work_took() {
    let registered = |work_seconds| Event::Registered {
        block: 182_341,
        amount: "1".into(),
        work_seconds,
    };
    assert_eq!(
        registered(1.44).text(),
        "✓ registered and bonded 1 HYDRA in block 182,341; the proof of work took 1.4 s"
    );
    // Whatever a clock did meanwhile.
    assert!(registered(-1.0).text().ends_with("took 0.0 s"));
}

#[test]
fn this_pc_says_what_it_trains_with_and_takes_on() {
    let machine = |instructions: &str| Event::Machine {
        cores: 8,
        memory_mib: 15_902,
        instructions: instructions.into(),
        free_mib: 217_000,
        size_class: 9,
        room: 64,
    };
    assert_eq!(
        machine("avx2").text(),
        "This PC: 8 cores, 16 GB, AVX2: can train. Disk: 211 GB free. It takes on tasks of up to 2 GiB, 64 at a time (size \
         class 9)."
    );
    assert!(machine("portable").text().contains("slowly"));
}

#[test]
fn a_pc_that_rests_says_why_and_a_paused_one_what_to_do() {
    let resting = |presence, out_until, reason: &str| Event::Resting {
        presence,
        out_until,
        reason: reason.into(),
        trainer: "http://127.0.0.1:8790".into(),
    };
    let text = resting("paused", None, "is paused").text();
    assert!(text.contains("`hydra resume`"), "{text}");
    let out = resting("out", Some(7), "is out until session 7");
    assert!(
        out.text().contains("account is out until session 7."),
        "{}",
        out.text()
    );
    let json = serde_json::to_value(out).unwrap();
    assert_eq!(
        (&json["state"], &json["presence"], &json["out_until"]),
        (&"resting".into(), &"out".into(), &7.into())
    );
}

#[test]
fn who_trains_or_watches_is_told_how_to_leave_and_to_come_back() {
    let trainer = "http://127.0.0.1:8790".to_owned();
    let text = Event::Training { trainer }.text();
    for words in ["Ctrl-C", "`hydra down`", "`hydra up`"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let text = Event::Watching.text();
    assert!(
        text.contains("--train") && text.contains("`hydra down`"),
        "{text}"
    );
}
