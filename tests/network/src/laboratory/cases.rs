//! What no pair of routers shows: PCs behind one router, routers that map ports, two families of addresses, port 443 alone, and public
//! trainers that restart, or go for good.

use std::time::Duration;

use super::{
    Carries, Families, Kind, LabTrainer, Laboratory, Mapper, Path, Plan, Protocol, Reachability, Sight,
    Start,
    certificate::Certificate,
    matrix::{LIMIT, Public},
};

/// The port that gets through everywhere.
const HTTPS: u16 = 443;

/// What was seen of one.
#[derive(Clone, Debug)]
pub struct Case {
    /// What it is.
    pub name: &'static str,
    /// Seconds from the start of the fetching trainer until it had the blob.
    pub seconds: f64,
    /// How the two were connected then.
    pub sight: Sight,
    /// What the one that had the blob says of how it is reached,
    pub publisher_says: Reachability,
    /// and the one that got it.
    pub fetcher_says: Reachability,
}

/// One of them. Nothing, where there is no laboratory.
pub type Run = fn() -> Option<Case>;

/// All.
pub const ALL: [Run; 9] = [
    behind_one_router,
    upnp,
    nat_pmp,
    ipv6_only_and_both,
    ipv6_only_and_ipv4_only,
    a_relay_restarts,
    a_router_forgets,
    a_bootstrap_is_gone,
    port_443,
];

/// Two PCs behind one router, which doesn't lead from inside back inside, and without anybody whom they know: they find each other in
/// their own net.
pub fn behind_one_router() -> Option<Case> {
    let laboratory = Laboratory::open()?;
    let home = laboratory.home(Plan::behind(Kind::Symmetric).with_pcs(2));
    let mut one = LabTrainer::start("the publisher", home.pc(0), Start::default());
    one.publishes(LIMIT);
    let mut other = LabTrainer::start("the fetcher", home.pc(1), Start::default());
    let case = fetched("two PCs behind one router", &mut other, &one);
    assert_eq!(case.sight.path, Path::Direct, "{case:#?}");
    assert!(case.sight.address.contains("/192.168.1."), "{case:#?}");
    Some(case)
}

/// A router that maps ports by UPnP.
pub fn upnp() -> Option<Case> {
    mapped("a port mapped by UPnP", Mapper::Upnp)
}

/// A router that maps ports by NAT-PMP.
pub fn nat_pmp() -> Option<Case> {
    mapped("a port mapped by NAT-PMP or PCP", Mapper::NatPmp)
}

/// Behind a router that lets in nobody, until it is asked to; and somebody behind a symmetric one, whom no punching would help.
fn mapped(name: &'static str, mapper: Mapper) -> Option<Case> {
    let laboratory = Laboratory::open()?;
    let public = Public::start(&laboratory);
    let has = laboratory.home(Plan::behind(Kind::Restricted).with_mapper(mapper));
    let gets = laboratory.home(Plan::behind(Kind::Symmetric));
    let start = public.known(Protocol::Tcp);
    let mut one = LabTrainer::start("the publisher", has.pc(0), start.clone());
    one.publishes(LIMIT);
    one.reaches_state("mapped", LIMIT);
    let mut other = LabTrainer::start("the fetcher", gets.pc(0), start);
    let case = direct(name, &mut other, &one);
    let router = has.address().expect("it has IPv4");
    assert!(case.sight.address.contains(router), "{case:#?}");
    Some(case)
}

/// A PC with IPv6 only, and one with both, behind routers that let in nobody of either: by IPv6, without a relay in the end.
pub fn ipv6_only_and_both() -> Option<Case> {
    let case = families("IPv6 only, and both", Families::V6, Families::Both, true)?;
    assert!(case.sight.address.contains("/ip6/"), "{case:#?}");
    Some(case)
}

/// A PC with IPv6 only, and one with IPv4 only: by a relay that has both.
pub fn ipv6_only_and_ipv4_only() -> Option<Case> {
    families("IPv6 only, and IPv4 only", Families::V6, Families::V4, false)
}

fn families(name: &'static str, has: Families, gets: Families, is_direct: bool) -> Option<Case> {
    let laboratory = Laboratory::open()?;
    let public = Public::start(&laboratory);
    let home = |families| laboratory.home(Plan::behind(Kind::Restricted).with(families));
    let (has, gets) = (home(has), home(gets));
    // Everybody knows both addresses of both.
    let start = Start {
        bootstrap: [Protocol::Tcp, Protocol::Udp]
            .iter()
            .flat_map(|protocol| {
                let both = public.trainers.iter().zip(&public.hosts);
                both.flat_map(|(trainer, host)| {
                    let seat = host.seat();
                    let hosts: Vec<String> =
                        seat.addresses().iter().map(|a| super::multiaddress(a)).collect();
                    hosts
                        .into_iter()
                        .map(|host| trainer.multiaddr_at(&host, *protocol))
                        .collect::<Vec<_>>()
                })
            })
            .collect(),
        options: vec![],
    };
    let mut one = LabTrainer::start("the publisher", has.pc(0), start.clone());
    one.publishes(LIMIT);
    one.is_reachable(LIMIT);
    let mut other = LabTrainer::start("the fetcher", gets.pc(0), start);
    if is_direct {
        return Some(direct(name, &mut other, &one));
    }
    let case = fetched(name, &mut other, &one);
    assert_eq!(case.sight.path, Path::Relayed, "{case:#?}");
    Some(case)
}

/// The only public trainer is killed, and started again: the PC that was reached over it is again.
pub fn a_relay_restarts() -> Option<Case> {
    let laboratory = Laboratory::open()?;
    let mut public = Public::start(&laboratory);
    let home = || laboratory.home(Plan::behind(Kind::Symmetric));
    let (has, gets) = (home(), home());
    let start = public.known(Protocol::Tcp);
    let mut one = LabTrainer::start("the publisher", has.pc(0), start.clone());
    one.publishes(LIMIT);
    one.reaches_state("relayed", LIMIT);
    for trainer in &mut public.trainers {
        trainer.kill();
    }
    one.until("no longer says 'relayed'", LIMIT, || {
        (one.reachability().state != "relayed").then_some(())
    });
    for trainer in &mut public.trainers {
        trainer.start_again();
    }
    one.reaches_state("relayed", LIMIT);
    let mut other = LabTrainer::start("the fetcher", gets.pc(0), start);
    let case = fetched("the relays were killed and restarted", &mut other, &one);
    assert_eq!(case.sight.path, Path::Relayed, "{case:#?}");
    Some(case)
}

/// A router is switched off and on again, and has forgotten every connection.
pub fn a_router_forgets() -> Option<Case> {
    let laboratory = Laboratory::open()?;
    let public = Public::start(&laboratory);
    let home = || laboratory.home(Plan::behind(Kind::Restricted));
    let (has, gets) = (home(), home());
    let start = public.known(Protocol::Tcp);
    let mut one = LabTrainer::start("the publisher", has.pc(0), start.clone());
    one.publishes(LIMIT);
    one.is_reachable(LIMIT);
    laboratory.set_line(has.customer(), false);
    has.forget_connections()
        .unwrap_or_else(|reason| panic!("{reason}"));
    laboratory.set_line(has.customer(), true);
    let mut other = LabTrainer::start("the fetcher", gets.pc(0), start);
    Some(fetched(
        "the publisher's router forgot everything",
        &mut other,
        &one,
    ))
}

/// The only trainer that anybody was told of is gone for good. Whoever was in the network before gets back in by what they remember.
pub fn a_bootstrap_is_gone() -> Option<Case> {
    let laboratory = Laboratory::open()?;
    let mut public = Public::start(&laboratory);
    let home = || laboratory.home(Plan::behind(Kind::Restricted));
    let (has, gets) = (home(), home());
    let mut start = public.known(Protocol::Tcp);
    // The second one they hear of.
    start.bootstrap.truncate(1);
    let mut one = LabTrainer::start("the publisher", has.pc(0), start.clone());
    let mut other = LabTrainer::start("the fetcher", gets.pc(0), start);
    one.publishes(LIMIT);
    let [first, second] = &mut public.trainers;
    for trainer in [&one, &other] {
        trainer.until("knows the second public trainer", LIMIT, || trainer.sight(second));
    }
    first.kill();
    let gone = public.hosts.first().expect("the first").customer();
    laboratory.set_line(gone, false);
    for trainer in [&mut one, &mut other] {
        trainer.stop();
        trainer.start_again();
    }
    one.publishes(LIMIT);
    one.is_reachable(LIMIT);
    Some(fetched(
        "the bootstrap trainer is gone for good",
        &mut other,
        &one,
    ))
}

/// A PC that gets out to port 443 of others only, by WebSocket over TLS.
pub fn port_443() -> Option<Case> {
    let laboratory = Laboratory::open()?;
    // It gets the first number, and its address by that.
    let address = "198.51.100.1";
    let certificate = Certificate::new(address);
    let file = |path: std::path::PathBuf| path.to_str().expect("UTF-8").to_owned();
    let options = [
        "--wss-port".to_owned(),
        HTTPS.to_string(),
        "--wss-certificate".into(),
        file(certificate.own()),
        "--wss-key".into(),
        file(certificate.key()),
    ];
    let public = Public::start_with(&laboratory, &options);
    let [host, _] = &public.hosts;
    assert_eq!(host.customer().host(), address);
    let has = laboratory.home(Plan::behind(Kind::Restricted));
    let gets = laboratory.home(Plan::behind(Kind::Restricted).carrying(Carries::Port443));
    let mut one = LabTrainer::start("the publisher", has.pc(0), public.known(Protocol::Tcp));
    one.publishes(LIMIT);
    one.is_reachable(LIMIT);
    let [first, _] = &public.trainers;
    let start = Start {
        bootstrap: vec![format!(
            "/ip4/{address}/tcp/{HTTPS}/tls/ws/p2p/{}",
            first.peer_id()
        )],
        options: vec!["--wss-trust".into(), file(certificate.authority())],
    };
    let mut other = LabTrainer::start("the fetcher", gets.pc(0), start);
    let case = fetched("out to port 443 only", &mut other, &one);
    assert_eq!(case.sight.path, Path::Relayed, "{case:#?}");
    Some(case)
}

/// What came of fetching.
fn fetched(name: &'static str, fetcher: &mut LabTrainer, publisher: &LabTrainer) -> Case {
    let (seconds, sight) = fetcher.fetches_from(publisher, LIMIT);
    Case {
        name,
        seconds,
        sight: sight.unwrap_or_else(|| panic!("{name}: the blob came, and no connection was seen")),
        publisher_says: publisher.reachability(),
        fetcher_says: fetcher.reachability(),
    }
}

/// The same where no relay is needed in the end.
fn direct(name: &'static str, fetcher: &mut LabTrainer, publisher: &LabTrainer) -> Case {
    let mut case = fetched(name, fetcher, publisher);
    case.sight = fetcher.until("is connected without a relay", UPGRADE, || {
        fetcher
            .sight(publisher)
            .filter(|sight| sight.path != Path::Relayed)
    });
    case
}

/// How long after the blob two PCs may be connected by a relay that they can do without.
const UPGRADE: Duration = Duration::from_secs(30);
