//! PCs behind routers: that the laboratory's routers do what their names say, and that trainers get through four pairs of them. All
//! pairs, and what no pair shows, are in `scripts/soak`.

use std::net::{IpAddr, SocketAddr};

use hydra_network_tests::{
    laboratory::{
        Carries, Families, Home, Kind, Laboratory, Mapper, Plan, Prober, Protocol,
        matrix::{Row, may_be_direct},
    },
    netns::Seat,
    proc,
};

/// The port of PCs at home, and of those on the internet.
const HOME: u16 = 30_400;
const OUT: u16 = 4_000;
/// Another one of those.
const OTHER: u16 = 4_001;

#[test]
fn the_router_kinds_do_what_their_names_say() {
    // What is kept out says nothing, and is waited for.
    std::thread::scope(|scope| {
        for kind in Kind::ALL {
            scope.spawn(move || does_what_its_name_says(kind));
        }
    });
}

fn does_what_its_name_says(kind: Kind) {
    let Some(laboratory) = Laboratory::open() else {
        return;
    };
    let (first, second) = (laboratory.host(), laboratory.host());
    let home = laboratory.home(Plan::behind(kind));
    for protocol in [Protocol::Udp, Protocol::Tcp] {
        let seen = look(&home, &first.seat(), &second.seat(), protocol);
        let of = format!("{kind}, {protocol:?}: {seen:?}");
        if kind == Kind::Open {
            assert_eq!(seen.by_first, seen.own, "{of}");
        } else {
            let router: IpAddr = home
                .address()
                .expect("it has one")
                .parse()
                .expect("an IP address");
            assert_eq!(seen.by_first.ip(), router, "{of}");
            assert_ne!(seen.own.ip(), router, "{of}");
        }
        // The mapping.
        let keeps_the_number = seen.by_first.port() == HOME;
        let is_one_for_all = seen.by_first == seen.by_second;
        let (number, one) = match kind {
            Kind::Open | Kind::FullCone | Kind::Restricted | Kind::NoInbound => (true, true),
            Kind::Remapping => (false, true),
            Kind::Symmetric => (false, false),
        };
        assert_eq!((keeps_the_number, is_one_for_all), (number, one), "{of}");
        // The filter.
        let strangers = matches!(kind, Kind::Open | Kind::FullCone);
        assert_eq!(seen.lets_in_a_stranger, strangers, "{of}");
        assert_eq!(seen.lets_in_another_port, strangers, "{of}");
    }
}

/// What was seen of a router.
#[derive(Debug)]
struct Seen {
    /// Where the PC is in its own net.
    own: SocketAddr,
    /// Where one on the internet sees it, and another.
    by_first: SocketAddr,
    by_second: SocketAddr,
    /// Whether somebody gets in there whom nothing was sent to, and whether somebody does from another port than something was sent to.
    lets_in_a_stranger: bool,
    lets_in_another_port: bool,
}

fn look(home: &Home, first: &Seat, second: &Seat, protocol: Protocol) -> Seen {
    let mut inside = Prober::start(&home.pc(0), protocol, HOME);
    let mut known = Prober::start(first, protocol, OUT);
    let mut same_pc = Prober::start(first, protocol, OTHER);
    let mut stranger = Prober::start(second, protocol, OUT);
    let by_first = inside.seen_by(&mut known);
    let mut gets_in = |who: &mut Prober, word: &str| match protocol {
        Protocol::Udp => {
            who.send(by_first, word);
            // Once what may come in has come, what was sent before it has, too, or never will.
            let after = format!("after-{word}");
            known.send(by_first, &after);
            inside.line_with(&after);
            inside.has_said(&format!(" {word}"))
        }
        Protocol::Tcp => {
            who.connect(by_first);
            who.outcome(by_first)
        }
    };
    let lets_in_another_port = gets_in(&mut same_pc, "another-port");
    let lets_in_a_stranger = gets_in(&mut stranger, "stranger");
    let by_second = inside.seen_by(&mut stranger);
    Seen {
        own: inside.own,
        by_first,
        by_second,
        lets_in_a_stranger,
        lets_in_another_port,
    }
}

#[test]
fn two_probers_get_through_two_routers_where_trainers_are_expected_to() {
    std::thread::scope(|scope| {
        for one in Kind::ALL {
            scope.spawn(move || {
                let Some(laboratory) = Laboratory::open() else {
                    return;
                };
                let host = laboratory.host();
                for other in Kind::ALL {
                    let homes = [one, other].map(|kind| laboratory.home(Plan::behind(kind)));
                    for protocol in [Protocol::Udp, Protocol::Tcp] {
                        let through = get_through(&homes, &host.seat(), protocol);
                        let expected = may_be_direct(one, other, protocol);
                        assert_eq!(through, expected, "{one} × {other}, {protocol:?}");
                        assert_eq!(expected, may_be_direct(other, one, protocol));
                    }
                }
            });
        }
    });
}

/// Whether PCs in two homes get a connection, or datagrams in both directions, if each tries where the other was seen by a third.
fn get_through(homes: &[Home; 2], third: &Seat, protocol: Protocol) -> bool {
    let [mut one, mut other] =
        [0, 1].map(|number: usize| Prober::start(&homes[number].pc(0), protocol, HOME));
    let mut third = Prober::start(third, protocol, OUT);
    let seen = [one.seen_by(&mut third), other.seen_by(&mut third)];
    match protocol {
        Protocol::Tcp => {
            one.connect(seen[1]);
            other.connect(seen[0]);
            // Whichever side began, both have it; but one may have tried where the other isn't seen from here.
            let stands = [one.outcome(seen[1]), other.outcome(seen[0])];
            stands.contains(&true)
        }
        Protocol::Udp => {
            // The first may be lost, and opens the way for the other's.
            for round in 0..3 {
                one.send(seen[1], &format!("one{round}"));
                other.send(seen[0], &format!("other{round}"));
            }
            third.send(seen[0], "end");
            third.send(seen[1], "end");
            one.line_with(" end");
            other.line_with(" end");
            // Where one comes from, it can be answered: that way is open.
            one.has_said(" other") || other.has_said(" one")
        }
    }
}

#[test]
fn what_a_router_does_not_carry_does_not_get_through() {
    let Some(laboratory) = Laboratory::open() else {
        return;
    };
    let host = laboratory.host();
    let inside = |carries, protocol| {
        let home = laboratory.home(Plan::behind(Kind::Restricted).carrying(carries));
        let pc = Prober::start(&home.pc(0), protocol, HOME);
        (home, pc)
    };
    let connects = |carries, port| {
        let out = Prober::start(&host.seat(), Protocol::Tcp, port);
        let (_home, mut pc) = inside(carries, Protocol::Tcp);
        pc.connect(out.own);
        pc.outcome(out.own)
    };
    assert!(connects(Carries::Everything, OUT));
    assert!(connects(Carries::Tcp, OUT));
    assert!(!connects(Carries::Udp, OUT));
    assert!(!connects(Carries::Port443, OUT));
    assert!(connects(Carries::Port443, 443));
    let sends = |carries| {
        let (_home, mut pc) = inside(carries, Protocol::Udp);
        let mut out = Prober::start(&host.seat(), Protocol::Udp, OUT);
        pc.send(out.own, "word");
        // It would have come before what another sends after it.
        let mut neighbour = Prober::start(&host.seat(), Protocol::Udp, OTHER);
        neighbour.send(out.own, "end");
        out.line_with(" end");
        out.has_said(" word")
    };
    assert!(sends(Carries::Everything) && sends(Carries::Udp));
    assert!(!sends(Carries::Tcp) && !sends(Carries::Port443));
}

#[test]
fn a_port_is_mapped_for_a_pc_that_asks_for_it() {
    let Some(laboratory) = Laboratory::open() else {
        return;
    };
    let stranger = laboratory.host();
    for mapper in [Mapper::Upnp, Mapper::NatPmp] {
        let home = laboratory.home(Plan::behind(Kind::Restricted).with_mapper(mapper));
        let (pc, router) = (home.pc(0), home.address().expect("it has IPv4"));
        let outside: SocketAddr = format!("{router}:{HOME}").parse().expect("an address");
        for (protocol, name) in [(Protocol::Udp, "udp"), (Protocol::Tcp, "tcp")] {
            let mut inside = Prober::start(&pc, protocol, HOME);
            let mut other = Prober::start(&stranger.seat(), protocol, OUT);
            assert!(
                !gets_to(&mut other, outside, &mut inside),
                "{mapper:?} {name}, not asked yet"
            );
            let port = HOME.to_string();
            let own = inside.own.ip().to_string();
            let words: &[&str] = match mapper {
                Mapper::Upnp => &["upnpc", "-a", &own, &port, &port, name],
                Mapper::NatPmp => &["natpmpc", "-a", &port, &port, name, "600"],
            };
            let asked = pc
                .command(words)
                .output()
                .expect("scripts/setup --for-tests installs it");
            assert!(asked.status.success(), "{asked:?}");
            assert!(gets_to(&mut other, outside, &mut inside), "{mapper:?} {name}");
        }
    }
}

/// Whether somebody gets to a PC at this address of its router's, which it has sent nothing from.
fn gets_to(other: &mut Prober, outside: SocketAddr, inside: &mut Prober) -> bool {
    match other.protocol() {
        Protocol::Tcp => {
            other.connect(outside);
            other.outcome(outside)
        }
        Protocol::Udp => {
            let own = inside.own;
            other.send(outside, "word");
            // What the PC sends itself comes after it.
            inside.send(own, "end");
            inside.line_with(" end");
            inside.has_said(" word")
        }
    }
}

#[test]
fn homes_have_the_addresses_of_their_plans() {
    let Some(laboratory) = Laboratory::open() else {
        return;
    };
    let host = laboratory.host();
    let seat = host.seat();
    let [v4, v6] = seat.addresses() else {
        panic!("two addresses")
    };
    for (families, reached) in [
        (Families::V4, [true, false]),
        (Families::V6, [false, true]),
        (Families::Both, [true, true]),
    ] {
        let home = laboratory.home(Plan::behind(Kind::Restricted).with_pcs(2).with(families));
        for pc in [home.pc(0), home.pc(1)] {
            let reaches = [v4, v6].map(|address| gets_an_answer(&pc, address));
            assert_eq!(reaches, reached, "{families:?} {:?}", pc.addresses());
        }
        // In their own net they reach each other.
        for address in home.pc(1).addresses() {
            assert!(gets_an_answer(&home.pc(0), address), "{families:?} {address}");
        }
    }
}

/// Whether a PC that is there refuses what nothing listens for, as one does that nothing keeps away from.
fn gets_an_answer(from: &Seat, address: &str) -> bool {
    let connect = format!("exec 3<>/dev/tcp/{address}/9");
    let mut command = from.command(&["timeout", "10", "bash", "-c", &connect]);
    let output = proc::run(command.env("LC_ALL", "C"));
    String::from_utf8_lossy(&output.stderr).contains("refused")
}

#[test]
fn nothing_is_left_of_a_laboratory() {
    let Some(laboratory) = Laboratory::open() else {
        return;
    };
    let home = laboratory.home(Plan::behind(Kind::FullCone).with_mapper(Mapper::Upnp));
    let held = proc::descendants(std::process::id());
    assert!(held.len() >= 4, "{held:?}");
    drop(home);
    drop(laboratory);
    for pid in held {
        assert!(!proc::alive(pid), "process {pid} is left");
    }
}

#[test]
fn a_blob_gets_from_a_restricted_router_to_a_full_cone_by_quic_without_a_relay() {
    is_fetched(Kind::Restricted, Kind::FullCone, Protocol::Udp);
}

#[test]
fn a_blob_gets_from_one_symmetric_router_to_another_by_a_relay_which_says_why() {
    is_fetched(Kind::Symmetric, Kind::Symmetric, Protocol::Udp);
}

#[test]
fn a_blob_gets_from_behind_a_router_that_lets_in_nothing_to_a_public_pc_by_tcp_without_a_relay() {
    is_fetched(Kind::NoInbound, Kind::Open, Protocol::Tcp);
}

#[test]
fn a_blob_gets_from_one_restricted_router_to_another_by_tcp_without_a_relay() {
    is_fetched(Kind::Restricted, Kind::Restricted, Protocol::Tcp);
}

fn is_fetched(publisher: Kind, fetcher: Kind, protocol: Protocol) {
    let Some(row) = Row::of(publisher, fetcher, protocol) else {
        return;
    };
    eprintln!(
        "{} by {} after {:.1} s\n  {publisher}: {}\n  {fetcher}: {}",
        row.path, row.transport, row.seconds, row.publisher_says, row.fetcher_says
    );
    row.check();
}
