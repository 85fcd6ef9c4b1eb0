use super::*;

fn stopped(_: &Pc) -> Condition {
    Condition::Stopped
}

fn args(base_path: &Path) -> DemoArgs {
    DemoArgs {
        pcs: None,
        only: None,
        base_path: Some(base_path.into()),
        until_accuracy: None,
        timeout: 1,
        base_port: None,
        no_browser: true,
        datasets: Vec::new(),
        node: None,
        trainer: None,
    }
}

#[test]
fn a_folder_used_before_keeps_its_ports() {
    let folder = tempfile::tempdir().unwrap();
    let with_port = DemoArgs {
        base_port: Some(20_000),
        ..args(folder.path())
    };
    let (path, network) = plan(&with_port, stopped, |_| Ok(())).unwrap();
    network.write(&path).unwrap();
    assert_eq!(
        plan(&args(folder.path()), stopped, |_| Ok(()))
            .unwrap()
            .1
            .base_port,
        20_000
    );
}

#[test]
fn a_network_is_run_by_one_program_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let first = own(&args(folder.path()), folder.path()).unwrap();
    let second = own(&args(folder.path()), folder.path());
    assert!(matches!(second, Err(Error::AlreadyUp(_))));
    drop(first);
    assert!(own(&args(folder.path()), folder.path()).unwrap().is_some());
}

#[test]
fn a_pc_of_a_network_with_others_is_not_started_as_a_local_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().canonicalize().unwrap();
    let mut network = Layout::new(path.clone(), 1, 20_000).network();
    network.joined = Some(network::Joined {
        id: "net".into(),
        validator: false,
        train: true,
        stake: "1".into(),
        bonded: false,
        size_class: None,
        room: None,
        p2p: network::P2p::default(),
    });
    network.write(&path).unwrap();
    let only = DemoArgs {
        only: Some("alice".into()),
        ..args(&path)
    };
    for args in [args(&path), only] {
        assert!(matches!(
            plan(&args, stopped, |_| Ok(())),
            Err(Error::NotLocal(_))
        ));
    }
}

#[test]
fn one_pc_needs_a_network_to_join() {
    let folder = tempfile::tempdir().unwrap();
    let only = DemoArgs {
        only: Some("bob".into()),
        ..args(folder.path())
    };
    assert!(matches!(
        plan(&only, stopped, |_| Ok(())),
        Err(Error::NoNetwork(_))
    ));
}

#[test]
fn a_port_that_is_taken_by_udp_alone_is_taken() {
    let port = hydra_test_ports::free_ports(1);
    let taken = std::net::UdpSocket::bind(("127.0.0.1", port)).unwrap();
    let mut bob = Layout::new("/base".into(), 2, 20_000).network().pcs.remove(1);
    [bob.node.rpc_port, bob.node.p2p_port, bob.trainer.http_port] = [0; 3];
    bob.trainer.p2p_port = port;
    let error = check_ports(&bob, Runs::default()).unwrap_err().to_string();
    assert!(
        error.starts_with(&format!(
            "port {port} (for Bob's trainer to reach other trainers by UDP)"
        )) && error.contains(&format!("(process {})", std::process::id())),
        "{error}"
    );
    let runs = Runs {
        trainer: true,
        node: false,
    };
    check_ports(&bob, runs).unwrap();
    drop(taken);
    check_ports(&bob, Runs::default()).unwrap();
}

/// Bob, one of whose ports this test holds.
fn bob() -> (Pc, TcpListener) {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut bob = Layout::new("/base".into(), 2, 20_000).network().pcs.remove(1);
    // Ports that are free for certain, but for one.
    [bob.node.rpc_port, bob.node.p2p_port, bob.trainer.p2p_port] = [0; 3];
    bob.trainer.http_port = taken.local_addr().unwrap().port();
    (bob, taken)
}

#[test]
fn a_taken_port_is_named_with_its_use_and_with_who_has_it() {
    let (bob, _taken) = bob();
    let error = check_ports(&bob, Runs::default()).unwrap_err().to_string();
    let expected = format!("port {} (for Bob's trainer) is taken by ", bob.trainer.http_port);
    assert!(error.starts_with(&expected), "{error}");
    assert!(
        error.contains(&format!("(process {})", std::process::id())),
        "{error}"
    );
    assert!(
        error.contains("not of this network") && error.contains("--base-port"),
        "{error}"
    );
}

#[test]
fn a_trainer_that_was_left_over_is_named_as_what_it_is() {
    let (mut bob, _taken) = bob();
    bob.trainer.pid = std::process::id();
    let error = check_ports(&bob, Runs::default()).unwrap_err().to_string();
    assert!(error.contains("this network's own trainer of Bob"), "{error}");
    assert!(
        error.contains(&format!("`kill {}`", std::process::id())),
        "{error}"
    );
}

#[test]
fn a_goal_that_needs_finality_is_refused_where_there_will_be_none() {
    let folder = tempfile::tempdir().unwrap();
    let base_path = folder.path().canonicalize().unwrap();
    let with_goal = |pcs, base_path: &Path| DemoArgs {
        pcs: Some(pcs),
        until_accuracy: Some(0.9),
        ..args(base_path)
    };
    let nothing = base_path.join("nothing");
    let refused = plan(&with_goal(2, &nothing), stopped, |_| Ok(()));
    assert!(
        matches!(
            refused,
            Err(Error::GoalOutOfReach {
                running: 2,
                needed: 3,
                ..
            })
        ),
        "{refused:?}"
    );
    assert!(!nothing.exists());
    for enough in [1, 3, 4] {
        assert!(plan(&with_goal(enough, &base_path), stopped, |_| Ok(())).is_ok());
    }
    // Nor does a network that was of two PCs get there.
    Layout::new(base_path.clone(), 2, 20_000)
        .network()
        .write(&base_path)
        .unwrap();
    let again = DemoArgs {
        until_accuracy: Some(0.9),
        ..args(&base_path)
    };
    assert!(matches!(
        plan(&again, stopped, |_| Ok(())),
        Err(Error::GoalOutOfReach { running: 2, .. })
    ));
}

#[test]
fn a_folder_used_before_is_the_same_network_of_as_many_pcs() {
    let folder = tempfile::tempdir().unwrap();
    let base_path = folder.path().canonicalize().unwrap();
    for pcs in [1, 2, 3, 4] {
        let before = Layout::new(base_path.clone(), pcs, 20_000).network();
        before.write(&base_path).unwrap();
        let (_, again) = plan(&args(&base_path), stopped, |_| Ok(())).unwrap();
        assert_eq!((again.pcs.len(), &again.chain), (usize::from(pcs), &before.chain));
    }
    // More of the same chain may join; one PC alone is on another chain.
    let with = |pcs| {
        let args = DemoArgs {
            pcs: Some(pcs),
            ..args(&base_path)
        };
        plan(&args, stopped, |_| Ok(()))
    };
    assert_eq!(with(3).unwrap().1.pcs.len(), 3);
    let error = with(1).unwrap_err().to_string();
    assert!(error.contains("4 PCs") && error.contains("--pcs"), "{error}");
}

#[test]
fn a_folder_that_is_not_utf_8_is_refused_for_one_pc_as_well() {
    use std::os::unix::ffi::OsStrExt;
    let folder = tempfile::tempdir().unwrap();
    let odd = folder.path().join(std::ffi::OsStr::from_bytes(b"caf\xe9"));
    fs::create_dir(&odd).unwrap();
    Layout::new(odd.clone(), 4, 20_000).network().write(&odd).unwrap();
    let only = DemoArgs {
        only: Some("bob".into()),
        ..args(&odd)
    };
    assert!(matches!(plan(&only, stopped, |_| Ok(())), Err(Error::NotUtf8(_))));
}

#[test]
fn a_goal_for_one_pc_counts_those_that_run_already() {
    let folder = tempfile::tempdir().unwrap();
    let base_path = folder.path().canonicalize().unwrap();
    Layout::new(base_path.clone(), 4, 20_000)
        .network()
        .write(&base_path)
        .unwrap();
    let bob = DemoArgs {
        only: Some("bob".into()),
        until_accuracy: Some(0.9),
        ..args(&base_path)
    };
    let with_running = |count: usize| {
        plan(
            &bob,
            |pc| {
                let others = ["alice", "charlie", "dave"];
                match others[..count].contains(&pc.name.as_str()) {
                    true => Condition::Runs,
                    false => Condition::Stopped,
                }
            },
            |_| Ok(()),
        )
    };
    assert!(matches!(
        with_running(1),
        Err(Error::GoalOutOfReach { running: 2, .. })
    ));
    assert!(with_running(2).is_ok());
}

#[test]
fn one_pc_is_started_where_its_network_s_folder_is_now() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().canonicalize().unwrap();
    let (before, after) = (folder.join("before"), folder.join("after"));
    fs::create_dir(&before).unwrap();
    Layout::new(before.clone(), 4, 20_000)
        .network()
        .write(&before)
        .unwrap();
    fs::rename(&before, &after).unwrap();
    let only = DemoArgs {
        only: Some("bob".into()),
        ..args(&after)
    };
    let (path, network) = plan(&only, stopped, |_| Ok(())).unwrap();
    prepare(network.pc("bob").unwrap()).unwrap();
    assert_eq!(path, after);
    assert!(after.join("bob/node").is_dir());
    assert!(!before.exists(), "nothing is made where it was");
}

#[test]
fn a_folder_that_was_named_is_never_disposable() {
    let folder = tempfile::tempdir().unwrap();
    let base_path = folder.path().canonicalize().unwrap();
    let disposable = Network {
        disposable: true,
        ..Layout::new(base_path.clone(), 4, 20_000).network()
    };
    disposable.write(&base_path).unwrap();
    assert!(!plan(&args(&base_path), stopped, |_| Ok(())).unwrap().1.disposable);
}

#[test]
fn secrets_are_made_once_and_differ_between_pcs() {
    let folder = tempfile::tempdir().unwrap();
    let network = Layout::new(folder.path().into(), 2, 20_000).network();
    network.pcs.iter().for_each(|pc| prepare(pc).unwrap());
    let token = |pc: usize| {
        files::read_secret(&network.pcs[pc].trainer.token_file)
            .unwrap()
            .unwrap()
    };
    let (alice, bob) = (token(0), token(1));
    assert_ne!(alice, bob);
    prepare(&network.pcs[0]).unwrap();
    assert_eq!(token(0), alice);
    let key = files::read_secret(&network.pcs[1].trainer.key_file).unwrap();
    assert_eq!(key, Some(network::trainer_key(1)));
}

#[test]
fn a_folder_that_holds_something_else_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("thesis.txt"), "").unwrap();
    let error = plan(&args(folder.path()), stopped, |_| Ok(())).unwrap_err();
    assert!(matches!(error, Error::NotOurFolder { .. }), "{error}");
    assert!(error.to_string().contains("thesis.txt"), "{error}");
    let file = folder.path().join("thesis.txt");
    let error = plan(&args(&file), stopped, |_| Ok(())).unwrap_err();
    assert!(matches!(error, Error::NotAFolder(_)), "{error}");
    // What a start leaves that was interrupted is our own.
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("alice")).unwrap();
    fs::write(folder.path().join(made::UP_LOCK), "").unwrap();
    assert!(plan(&args(folder.path()), stopped, |_| Ok(())).is_ok());
}

#[test]
fn a_start_that_is_refused_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let new = folder.path().join("new");
    let taken = |_: &Pc| Err(Error::NoDataHome);
    assert!(plan(&args(&new), stopped, taken).is_err());
    assert!(!new.exists());
}
