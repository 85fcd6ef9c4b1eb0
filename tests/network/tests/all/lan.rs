//! What the tests of networks stand on: that PCs in namespaces reach each other, and nothing else.

use std::{net::TcpListener, process::Command};

use hydra_network_tests::{
    netns::{Lan, Seat, Way},
    proc,
};

#[test]
fn pcs_in_namespaces_reach_each_other_at_their_addresses_and_nothing_beyond() {
    let mut tried = 0;
    for way in [Way::Root, Way::User] {
        let lan = match Lan::made(way, 2) {
            Ok(lan) => lan,
            Err(reason) => {
                assert!(!kernel_allows(way), "{way:?} works here, but: {reason}");
                eprintln!("no namespaces with {way:?}: {reason}");
                continue;
            }
        };
        tried += 1;
        let (first, second) = (lan.seat(0), lan.seat(1));
        assert_eq!(first.addresses()[0], "10.77.0.1");
        // A PC that is there refuses what nothing listens for; one that isn't says nothing.
        for address in first.addresses() {
            let said = knock(&second, address, 9);
            assert!(said.contains("refused"), "{way:?} {address}: {said}");
        }
        // Cut apart, they don't; and then they do again.
        lan.cut(&[1]);
        let said = knock(&second, &first.addresses()[0], 9);
        assert!(!said.contains("refused"), "{way:?}, cut off: {said}");
        lan.heal(&[1]);
        let said = knock(&second, &first.addresses()[0], 9);
        assert!(said.contains("refused"), "{way:?}, healed: {said}");
        // Neither the host's loopback nor the world.
        let here = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = here.local_addr().expect("it has one").port();
        assert!(knock(&second, "127.0.0.1", port).contains("refused"));
        let said = knock(&second, "192.0.2.1", 9);
        assert!(said.contains("unreachable"), "{way:?}: {said}");
    }
    // Where there are none, the PCs share one address, and can't share a port.
    let lan = Lan::made(Way::Loopback, 2).expect("always");
    assert_ne!(lan.seat(0).ports(), lan.seat(1).ports());
    eprintln!("{tried} of 2 ways to make namespaces work here");
}

/// Whether a namespace can be made and configured this way at all.
fn kernel_allows(way: Way) -> bool {
    let flags: &[&str] = match way {
        Way::Root => &["--net"],
        _ => &["--user", "--map-root-user", "--net"],
    };
    let mut command = Command::new("unshare");
    command.args(flags).args(["--", "ip", "link", "set", "lo", "up"]);
    command.output().is_ok_and(|output| output.status.success())
}

#[test]
fn nothing_is_left_of_a_local_network() {
    let namespaces = || {
        let mut all: Vec<_> = proc::descendants(std::process::id())
            .into_iter()
            .filter_map(|pid| std::fs::read_link(format!("/proc/{pid}/ns/net")).ok())
            .collect();
        all.sort();
        all.dedup();
        all
    };
    let before = namespaces();
    let lan = Lan::new(2);
    if lan.way() != Way::Loopback {
        assert_eq!(namespaces().len(), before.len() + 3);
    }
    drop(lan);
    assert_eq!(namespaces(), before);
}

/// What comes of connecting from this PC.
fn knock(from: &Seat, address: &str, port: u16) -> String {
    let connect = format!("exec 3<>/dev/tcp/{address}/{port}");
    let mut command: Command = from.command(&["timeout", "10", "bash", "-c", &connect]);
    let output = proc::run(command.env("LC_ALL", "C"));
    assert!(!output.status.success(), "{address}:{port} answers");
    String::from_utf8_lossy(&output.stderr).into_owned()
}
