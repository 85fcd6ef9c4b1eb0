use super::{file::MOST_WRITTEN, *};
use proptest::prelude::*;
use std::path::Path;

fn address(text: &str) -> Multiaddr {
    text.parse().unwrap()
}

fn peer() -> PeerId {
    PeerId::random()
}

const RELAYED: &str =
    "/ip4/192.0.2.9/tcp/1/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN/p2p-circuit";

#[test]
fn the_peer_itself_comes_before_its_relay_and_what_is_believed_more_before_the_rest() {
    let (book, peer) = (Book::default(), peer());
    let [said, stood] = ["/ip4/192.0.2.1/tcp/1", "/ip4/192.0.2.2/tcp/1"].map(address);
    book.learn(peer, [address(RELAYED)], Source::Connected);
    book.learn(peer, [stood.clone()], Source::Connected);
    book.learn(peer, [said.clone()], Source::Record);
    assert_eq!(book.addresses(&peer), [stood.clone(), said, address(RELAYED)]);
    // With the peer at the end it is the same address, and with another it is none of this peer's.
    book.learn(
        peer,
        [format!("{stood}/p2p/{peer}").parse().unwrap()],
        Source::Record,
    );
    let other = PeerId::random();
    book.learn(
        peer,
        [format!("{stood}/p2p/{other}").parse().unwrap()],
        Source::Record,
    );
    assert_eq!(book.addresses(&peer).len(), 3);
    book.is_not_at(&peer, &stood);
    assert_eq!(book.addresses(&peer).len(), 2);
}

#[test]
fn a_local_address_is_believed_only_where_it_can_be_meant() {
    let (book, private) = (Book::default(), address("/ip4/192.168.1.5/tcp/1"));
    let public = address("/ip4/192.0.2.1/tcp/1");
    let learnt = |addresses: &[&Multiaddr], source| {
        let peer = peer();
        book.learn(peer, addresses.iter().map(|a| (*a).clone()), source);
        book.addresses(&peer)
    };
    assert!(learnt(&[&private], Source::Record).is_empty());
    assert_eq!(
        learnt(&[&private, &public], Source::Record),
        std::slice::from_ref(&public)
    );
    assert_eq!(
        learnt(&[&private], Source::Neighbour),
        std::slice::from_ref(&private)
    );
    // Somebody of that network is connected.
    let near = address("/ip4/192.168.7.7/tcp/9");
    book.is_near(&near, true);
    assert_eq!(
        learnt(&[&private], Source::Record),
        std::slice::from_ref(&private)
    );
    assert_eq!(
        learnt(&[&private, &public], Source::Record),
        std::slice::from_ref(&public)
    );
    assert!(learnt(&[&address("/ip4/10.0.0.1/tcp/1")], Source::Record).is_empty());
    assert!(learnt(&[&address("/ip4/127.0.0.1/tcp/1")], Source::Record).is_empty());
    book.is_near(&near, false);
    assert!(learnt(&[&private], Source::Record).is_empty());
    for nowhere in ["/ip4/0.0.0.0/tcp/1", "/memory/7", "/tcp/7"] {
        assert!(
            learnt(&[&address(nowhere)], Source::Bootstrap).is_empty(),
            "{nowhere}"
        );
    }
    let long = format!("/dns4/{}/tcp/1", "x".repeat(300));
    assert!(learnt(&[&address(&long)], Source::Bootstrap).is_empty());
}

#[test]
fn whom_a_stranger_says_to_be_in_our_own_house_is_not_dialled_there() {
    let (book, now) = (Book::default(), Instant::now());
    let [inside, outside] = ["/ip6/2001:db8:1:2::9/tcp/1", "/ip6/2001:db8:1:3::9/tcp/1"].map(address);
    let [lured, neighbour] = [peer(), peer()];
    // Our house is known only later, or is another one by then.
    for source in [Source::Record, Source::Identify, Source::Memory] {
        book.learn(lured, [inside.clone()], source);
        book.learn(neighbour, [inside.clone()], source);
    }
    assert_eq!(book.addresses(&lured), std::slice::from_ref(&inside));
    book.0.house.is_at(&[address("/ip6/2001:db8:1:2::3/tcp/30400")]);
    assert!(book.addresses(&lured).is_empty());
    assert!(!book.any_dialable(now, |_| false) && book.dialable(now, |_| false).is_empty());
    assert_eq!(book.alive(9, |_| false), 0);
    // Elsewhere it may be all the same.
    book.learn(lured, [outside.clone()], Source::Record);
    assert_eq!(book.addresses(&lured), std::slice::from_ref(&outside));
    assert_eq!(book.dialable(now, |_| false)[0].address, outside);
    // Who is there has said so itself, or a person has.
    book.learn(neighbour, [inside.clone()], Source::Neighbour);
    assert_eq!(book.addresses(&neighbour), std::slice::from_ref(&inside));
    let named = peer();
    book.learn(named, [inside.clone()], Source::Bootstrap);
    assert_eq!(book.addresses(&named), [inside]);
}

#[test]
fn pauses_between_attempts_double_up_to_an_hour_and_success_ends_them() {
    let (book, peer, now) = (Book::default(), peer(), Instant::now());
    book.learn(peer, [address("/ip4/192.0.2.1/tcp/1")], Source::Record);
    let may = |now| book.any_dialable(now, |_| false);
    let mut pauses = Vec::new();
    let mut time = now;
    for _ in 0..9 {
        book.failed(&peer, time);
        let mut pause = Duration::ZERO;
        while !may(time + pause) {
            pause += Duration::from_secs(30);
        }
        pauses.push(pause.as_secs());
        time += pause;
    }
    assert_eq!(pauses, [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]);
    assert_eq!(book.alive(9, |_| false), 0);
    book.failed(&peer, time);
    book.reached(peer, address("/ip4/192.0.2.1/tcp/1"));
    assert!(may(time));
    assert_eq!(book.alive(9, |_| false), 1);
    assert!(book.dialable(time, |_| false)[0].reached);
    assert!(book.dialable(time, |other| *other == peer).is_empty());
    book.rest(&peer, time + FIRST_PAUSE);
    assert!(!may(time) && may(time + FIRST_PAUSE));
}

#[test]
fn wanted_peers_are_told_once_and_not_any_more_when_they_are_found() {
    let (book, [lost, found]) = (Book::default(), [peer(), peer()]);
    book.want(lost);
    book.want(found);
    book.learn(found, [address("/ip4/192.0.2.1/tcp/1")], Source::Record);
    assert_eq!(book.take_wanted(), [lost]);
    assert!(book.take_wanted().is_empty());
    (0..2 * MOST_WANTED).for_each(|_| book.want(peer()));
    assert_eq!(book.take_wanted().len(), MOST_WANTED);
}

#[test]
fn whatever_peers_say_the_book_stays_bounded_and_keeps_who_was_reached() {
    let (book, friend, boot) = (Book::default(), peer(), peer());
    book.reached(friend, address("/ip4/192.0.2.1/tcp/1"));
    book.learn(boot, [address("/ip4/192.0.2.2/tcp/1")], Source::Bootstrap);
    for number in 0..u32::try_from(MOST).unwrap() + 2000 {
        let [_, a, b, c] = number.to_be_bytes();
        let said = (0..40).map(|port| address(&format!("/ip4/11.{a}.{b}.{c}/tcp/{}", port + 1)));
        book.learn(peer(), said, Source::Record);
    }
    let table = book.lock();
    assert!(table.peers.len() <= MOST);
    assert!(
        table
            .peers
            .values()
            .all(|entry| entry.addresses.len() <= MOST_ADDRESSES)
    );
    assert!(table.peers.contains_key(&friend) && table.peers.contains_key(&boot));
}

fn file(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join("peers.json")
}

fn open(path: &Path) -> Book {
    Book::open(peer(), Some(path.to_owned()), House::default())
}

#[test]
fn what_was_written_is_read_again_the_best_first() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder);
    let (book, [friend, stranger]) = (open(&path), [peer(), peer()]);
    book.learn(stranger, [address("/ip4/192.0.2.3/tcp/1")], Source::Record);
    book.learn(
        friend,
        [address("/ip4/192.0.2.1/tcp/1"), address(RELAYED)],
        Source::Identify,
    );
    book.reached(friend, address("/ip4/127.0.0.1/tcp/7"));
    book.learn(stranger, [address("/ip4/192.168.1.1/tcp/1")], Source::Identify);
    book.set_capabilities(&friend, 7, 5);
    book.set_capabilities(&friend, 0, 2);
    book.failed(&stranger, Instant::now());
    assert!(book.is_changed());
    book.save();
    assert!(!book.is_changed());
    let again = open(&path);
    assert_eq!(again.addresses(&friend), book.addresses(&friend));
    assert_eq!(again.capabilities(&friend), 5);
    assert_eq!(
        again.addresses(&stranger),
        [address("/ip4/192.0.2.3/tcp/1")],
        "not what may be another network"
    );
    let dialable = again.dialable(Instant::now(), |_| false);
    assert_eq!(dialable.iter().filter(|peer| peer.reached).count(), 1);
    assert_eq!(dialable.len(), 2, "pauses end with the program");
    assert!(!again.is_changed());
    // Nobody remembers itself.
    let itself = Book::open(friend, Some(path), House::default());
    assert!(itself.addresses(&friend).is_empty());
}

#[test]
fn at_most_a_thousand_are_written_and_those_that_were_reached_first() {
    let folder = tempfile::tempdir().unwrap();
    let (book, friend) = (open(&file(&folder)), peer());
    book.reached(friend, address("/ip4/192.0.2.1/tcp/1"));
    for _ in 0..MOST_WRITTEN + 100 {
        book.learn(peer(), [address("/ip4/192.0.2.9/tcp/1")], Source::Record);
    }
    book.save();
    let again = open(&file(&folder));
    assert_eq!(again.lock().peers.len(), MOST_WRITTEN);
    assert!(!again.addresses(&friend).is_empty());
}

#[test]
fn a_damaged_file_is_no_more_than_an_empty_one_and_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder);
    let lies = format!(
        r#"{{"version":1,"peers":[{{"peer":"nobody","addresses":["/ip4/192.0.2.1/tcp/1"]}},{{"peer":"{}","addresses":["/ip4/0.0.0.0/tcp/1","nonsense"]}}]}}"#,
        peer()
    );
    let huge = " ".repeat(9 << 20);
    for bad in ["", "{", "[]", r#"{"version":2,"peers":[]}"#, &lies, &huge] {
        std::fs::write(&path, bad).unwrap();
        let (book, friend) = (open(&path), peer());
        assert!(book.lock().peers.is_empty());
        book.reached(friend, address("/ip4/192.0.2.1/tcp/1"));
        book.save();
        assert_eq!(open(&path).addresses(&friend).len(), 1);
    }
    // A folder in its place is in the way, but no reason to stop.
    let path = folder.path().join("folder");
    std::fs::create_dir(&path).unwrap();
    let book = open(&path);
    book.reached(peer(), address("/ip4/192.0.2.1/tcp/1"));
    book.save();
    assert!(book.is_changed(), "it is tried again");
}

proptest! {
    #[test]
    fn a_hostile_file_is_read_or_left_out(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(file(&folder), bytes).unwrap();
        open(&file(&folder));
    }

    #[test]
    fn hostile_lines_keep_to_the_bounds(lines in prop::collection::vec((".{0,60}", prop::collection::vec(".{0,40}", 0..20)), 0..20)) {
        let folder = tempfile::tempdir().unwrap();
        let lines: Vec<_> = lines
            .into_iter()
            .enumerate()
            .map(|(nth, (name, mut addresses))| {
                addresses.extend((0..20).map(|port| format!("/ip4/192.0.2.1/tcp/{}", port + 1)));
                let peer = if nth % 2 == 0 { PeerId::random().to_string() } else { name };
                serde_json::json!({ "peer": peer, "addresses": addresses })
            })
            .collect();
        let text = serde_json::json!({ "version": 1, "peers": lines }).to_string();
        std::fs::write(file(&folder), text).unwrap();
        let book = open(&file(&folder));
        prop_assert!(book.lock().peers.values().all(|entry| entry.addresses.len() <= MOST_ADDRESSES));
    }

    #[test]
    fn any_address_is_believed_or_not(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        if let Ok(address) = Multiaddr::try_from(bytes) {
            let (book, peer) = (Book::default(), PeerId::random());
            book.is_near(&address, true);
            book.learn(peer, [address.clone()], Source::Record);
            book.is_near(&address, false);
            prop_assert!(book.lock().nearby.is_empty());
            prop_assert!(book.addresses(&peer).len() <= 1);
        }
    }
}
