use super::*;
use std::ffi::OsString;

fn ports() -> PortArgs {
    PortArgs {
        rpc_port: Some(20_000),
        ..Default::default()
    }
}

fn wish<'a>(ports: &'a PortArgs, validator: bool) -> Wish<'a> {
    Wish {
        id: "net",
        name: Some("My PC.local"),
        ports,
        phrase: None,
        validator,
    }
}

#[test]
fn the_account_of_a_pc_is_the_only_one_whose_key_is_here() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::open_or_make(&folder.path().join("pc"), &wish(&PortArgs::default(), false))
        .unwrap()
        .home;
    let account = home.own_account().unwrap();
    assert_eq!(accounts::address(&account), home.pc.account);
    let (another, phrase) = Key::generate().unwrap();
    keystore::insert(&home.keystore(), Kind::Account, &another.account(), &phrase).unwrap();
    assert!(matches!(
        home.own_account(),
        Err(Error::SeveralKeys { number: 2, .. })
    ));
    // The other one alone is as good as none: nobody knows what it is for.
    let key = |account| keystore::path(&home.keystore(), Kind::Account, account);
    for account in [&account, &another.account()] {
        fs::remove_file(key(account)).unwrap();
        let error = home.own_account().unwrap_err();
        assert!(matches!(&error, Error::KeyGone { account, .. } if *account == home.pc.account));
    }
}

#[test]
fn a_port_that_would_be_used_twice_is_refused_before_anything_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pc");
    for ports in [
        PortArgs {
            rpc_port: Some(9_000),
            p2p_port: Some(9_000),
            ..Default::default()
        },
        // The node's usual one.
        PortArgs {
            trainer_p2p_port: Some(30_333),
            ..Default::default()
        },
    ] {
        let refused = Home::open_or_make(&path, &wish(&ports, false));
        assert!(matches!(refused, Err(Error::PortTwice(9_000 | 30_333))));
        assert!(!path.exists());
    }
}

#[test]
fn a_folder_is_made_once_and_keeps_its_account_its_identities_and_its_ports() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new");
    let first = Home::open_or_make(&path, &wish(&ports(), true)).unwrap();
    assert!(first.is_new && first.home.joined.validator);
    assert_eq!(first.home.pc.name, "my-pc-local");
    let chosen = P2p {
        upload_limit: Some(500),
        no_port_mapping: true,
        ..P2p::default()
    };
    let change = |network: &mut Network| {
        network.pcs[0].node.pid = 7;
        network.joined.as_mut().unwrap().p2p = chosen.clone();
    };
    first.home.update(change).unwrap();
    let none = PortArgs::default();
    let again = Home::open_or_make(&path, &wish(&none, false)).unwrap();
    assert!(!again.is_new);
    assert_eq!(again.home.pc.account, first.home.pc.account);
    assert_eq!(again.home.pc.node.peer_id, first.home.pc.node.peer_id);
    assert_eq!((again.home.pc.node.rpc_port, again.home.pc.node.pid), (20_000, 7));
    assert!(again.home.joined.validator, "its session keys are still there");
    assert_eq!(again.home.joined.p2p, chosen);
    let opened = Home::open(&path).unwrap().unwrap();
    assert_eq!(opened.network, again.home.network);
}

#[test]
fn a_folder_of_another_network_or_of_somebody_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new");
    Home::open_or_make(&path, &wish(&ports(), false)).unwrap();
    let ports = ports();
    let other = Wish {
        id: "other",
        ..wish(&ports, false)
    };
    let refused = Home::open_or_make(&path, &other);
    assert!(matches!(refused, Err(Error::OtherNetwork { .. })));
    fs::write(folder.path().join("holiday.jpg"), "").unwrap();
    let refused = Home::open_or_make(folder.path(), &other);
    assert!(matches!(refused, Err(Error::NotOurFolder { .. })));
}

#[test]
fn the_folder_of_a_local_network_is_none_of_ours() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().canonicalize().unwrap();
    network::Layout::new(path.clone(), 1, 20_000)
        .network()
        .write(&path)
        .unwrap();
    assert!(matches!(Home::open(&path), Err(Error::NotJoined(_))));
}

#[test]
fn one_program_runs_a_folder_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new");
    let home = Home::open_or_make(&path, &wish(&ports(), false)).unwrap().home;
    let first = home.try_own().unwrap();
    assert!(first.is_some() && home.try_own().unwrap().is_none());
    drop(first);
    assert!(home.try_own().unwrap().is_some());
}

#[test]
fn a_network_s_file_is_kept_and_not_replaced_by_another_once_a_node_has_begun_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new");
    let home = Home::open_or_make(&path, &wish(&ports(), false)).unwrap().home;
    assert_eq!(home.spec().unwrap(), None);
    let file = folder.path().join("net.json");
    fs::write(&file, r#"{"name":"Net","id":"net"}"#).unwrap();
    home.keep_spec(&file).unwrap();
    home.keep_spec(&file).unwrap();
    assert_eq!(home.spec().unwrap().unwrap().name, "Net");
    // The start with the first one failed.
    fs::write(&file, r#"{"name":"Net 2","id":"net"}"#).unwrap();
    home.keep_spec(&file).unwrap();
    assert_eq!(home.spec().unwrap().unwrap().name, "Net 2");
    fs::create_dir_all(home.pc.node.base_path.join("chains/net/paritydb/full")).unwrap();
    fs::write(&file, r#"{"name":"Net 3","id":"net"}"#).unwrap();
    assert!(matches!(home.keep_spec(&file), Err(Error::OtherNetwork { .. })));
    // What people read is the same network's as what nodes do.
    let plain = r#"{"name":"Net","id":"net","genesis":{"runtimeGenesis":{}}}"#;
    fs::write(home.chain_file(), plain).unwrap();
    home.keep_spec(&file).unwrap();
}

#[test]
fn a_pc_makes_blocks_with_session_keys_only_and_never_bootstraps_from_itself() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new");
    let home = Home::open_or_make(&path, &wish(&ports(), false)).unwrap().home;
    let validator = OsString::from("--validator");
    assert!(!home.node_arguments().contains(&validator));
    let spec = Spec {
        name: "Net".into(),
        id: "net".into(),
        boot_nodes: vec![],
        trainers: vec![home.pc.trainer.multiaddr.clone(), "/dns/other".into()],
        learns_digits: true,
    };
    let arguments = home.trainer_arguments(&spec, &[]);
    assert!(arguments.contains(&"/dns/other".into()));
    let node_port = OsString::from(home.pc.node.rpc_port.to_string());
    assert!(
        arguments
            .windows(2)
            .any(|pair| pair == [OsString::from("--node-rpc-port"), node_port.clone()]),
        "the dashboard finds the node: {arguments:?}"
    );
    assert!(
        arguments
            .windows(2)
            .any(|pair| pair == ["--network", "net"].map(OsString::from)),
        "it looks for this network's trainers: {arguments:?}"
    );
    let trainer_port = OsString::from(home.pc.trainer.http_port.to_string());
    for (arguments, option) in [
        (&arguments, "--http-port"),
        (&home.node_arguments(), "--trainer-port"),
    ] {
        assert!(
            arguments
                .windows(2)
                .any(|pair| pair == [OsString::from(option), trainer_port.clone()]),
            "the node lets its own trainer's page in: {arguments:?}"
        );
    }
    assert!(!arguments.contains(&OsString::from(&home.pc.trainer.multiaddr)));
    let node_p2p = OsString::from(home.pc.node.p2p_port.to_string());
    assert!(
        arguments
            .windows(2)
            .any(|pair| pair == [OsString::from("--map-port"), node_p2p.clone()]),
        "the router opens the node's port, too: {arguments:?}"
    );
    let founder = Home::open_or_make(&path, &wish(&ports(), true)).unwrap().home;
    assert!(founder.node_arguments().contains(&validator));
}
