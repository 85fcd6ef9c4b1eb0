//! Two PCs behind every pair of routers, by TCP and by QUIC: one has a blob, the other gets it and knows nothing of the first but who it
//! is. What they know of the network is two public trainers.

use std::time::{Duration, Instant};

use super::{
    Carries, Kind, LabTrainer, Laboratory, Path, Plan, Protocol, Reachability, Start, multiaddress,
    trainer::P2P_PORT,
};

/// How long a PC may take to be found where it can be reached, or to get the blob.
pub const LIMIT: Duration = Duration::from_secs(120);
/// How long after the blob two PCs may be connected by the relay that can do without it.
const UPGRADE: Duration = Duration::from_secs(30);
/// How often they are looked at.
const LOOK: Duration = Duration::from_millis(200);

/// What was seen of one pair.
#[derive(Clone, Debug)]
pub struct Row {
    /// The router of the PC that has the blob.
    pub publisher: Kind,
    /// That of the PC that gets it.
    pub fetcher: Kind,
    /// What both routers carry.
    pub protocol: Protocol,
    /// Seconds from the start of the fetching trainer until it had the blob.
    pub seconds: f64,
    /// How they were connected then, if they still were.
    pub at_first: Option<Path>,
    /// How they were in the end.
    pub path: Path,
    /// By what: `tcp` or `quic`.
    pub transport: String,
    /// What the one says of how it is reached,
    pub publisher_says: Reachability,
    /// and the other.
    pub fetcher_says: Reachability,
}

/// Whether PCs behind these routers can be connected without a relay, as far as the routers go: if each tries where the other was seen by
/// a third. It is the same for both directions.
pub fn may_be_direct(one: Kind, other: Kind, protocol: Protocol) -> bool {
    let lets_in_everybody = |kind| matches!(kind, Kind::Open | Kind::FullCone);
    if lets_in_everybody(one) || lets_in_everybody(other) {
        return true;
    }
    // Where a symmetric router will be seen is not known before, and the other one lets in only whom something was sent to.
    if one == Kind::Symmetric || other == Kind::Symmetric {
        return false;
    }
    // The first attempt to connect has to get in somewhere. Of datagrams every one is an answer to the one before.
    protocol == Protocol::Udp || one != Kind::NoInbound || other != Kind::NoInbound
}

impl Row {
    /// Lets a PC behind a router of the one kind have a blob, and one behind the other fetch it. Nothing, where there is no laboratory.
    pub fn of(publisher: Kind, fetcher: Kind, protocol: Protocol) -> Option<Self> {
        let laboratory = Laboratory::open()?;
        let public = Public::start(&laboratory);
        let carries = match protocol {
            Protocol::Udp => Carries::Udp,
            Protocol::Tcp => Carries::Tcp,
        };
        let [has, gets] =
            [publisher, fetcher].map(|kind| laboratory.home(Plan::behind(kind).carrying(carries)));
        let start = public.known(protocol);
        let mut one = LabTrainer::start("the publisher", has.pc(0), start.clone());
        one.publishes(LIMIT);
        one.is_reachable(LIMIT);
        let mut other = LabTrainer::start("the fetcher", gets.pc(0), start);
        let (seconds, first) = other.fetches_from(&one, LIMIT);
        // A relayed connection may still become a direct one. It is kept while it is used, and for a while after.
        let end = Instant::now() + UPGRADE;
        let mut last = first.clone();
        while last.as_ref().is_none_or(|sight| sight.path == Path::Relayed) && Instant::now() < end {
            std::thread::sleep(LOOK);
            // What isn't there any more has been what it was.
            last = other.sight(&one).or(last);
        }
        let last = last.unwrap_or_else(|| {
            panic!(
                "{publisher} × {fetcher}, {protocol:?}: the blob came, and no connection was seen; the routers know\n{}\n{}",
                has.connections(),
                gets.connections()
            )
        });
        Some(Self {
            publisher,
            fetcher,
            protocol,
            seconds,
            at_first: first.map(|sight| sight.path),
            path: last.path,
            transport: last.transport,
            // Who has just started may not know yet.
            publisher_says: one.is_reachable(LIMIT),
            fetcher_says: other.is_reachable(LIMIT),
        })
    }

    /// Fails unless the two were connected as well as their routers let them, by what those carry, and say why where that is a relay.
    pub fn check(&self) {
        let direct = may_be_direct(self.publisher, self.fetcher, self.protocol);
        assert_eq!(self.path != Path::Relayed, direct, "{self:#?}");
        let transport = match self.protocol {
            Protocol::Udp => "quic",
            Protocol::Tcp => "tcp",
        };
        assert_eq!(self.transport, transport, "{self:#?}");
        for (kind, said) in [
            (self.publisher, &self.publisher_says),
            (self.fetcher, &self.fetcher_says),
        ] {
            assert!(!said.reason.is_empty(), "{self:#?}");
            // Nobody else can be sure to be let in by it.
            if kind == Kind::Symmetric {
                assert_eq!(said.state, "relayed", "{self:#?}");
            }
        }
    }
}

/// Two public trainers, known to everybody: one alone can't tell a PC what two agree about, and may go.
pub struct Public {
    /// They.
    pub trainers: [LabTrainer; 2],
    /// Where they are.
    pub hosts: [super::Host; 2],
}

impl Public {
    /// Both, of which the second knows the first.
    pub fn start(laboratory: &Laboratory) -> Self {
        Self::start_with(laboratory, &[])
    }

    /// The same, with these options for the first.
    pub fn start_with(laboratory: &Laboratory, options: &[String]) -> Self {
        let hosts = [laboratory.host(), laboratory.host()];
        let [one, other] = &hosts;
        let mut first = external(one.seat().addresses());
        first.options.extend_from_slice(options);
        let first = LabTrainer::start("the first public trainer", one.seat(), first);
        let mut second = external(other.seat().addresses());
        second.bootstrap = vec![first.multiaddr(Protocol::Tcp)];
        let second = LabTrainer::start("the second public trainer", other.seat(), second);
        Self {
            trainers: [first, second],
            hosts,
        }
    }

    /// What a PC is started with that knows both, and gets to them by this.
    pub fn known(&self, protocol: Protocol) -> Start {
        Start {
            bootstrap: self
                .trainers
                .iter()
                .map(|trainer| trainer.multiaddr(protocol))
                .collect(),
            options: vec![],
        }
    }
}

/// What a PC is started with whose owner knows that it is reached at these addresses.
fn external(addresses: &[String]) -> Start {
    let each = addresses.iter().flat_map(|address| {
        let host = multiaddress(address);
        [
            format!("{host}/tcp/{P2P_PORT}"),
            format!("{host}/udp/{P2P_PORT}/quic-v1"),
        ]
    });
    Start {
        bootstrap: vec![],
        options: each
            .flat_map(|address| ["--external-address".into(), address])
            .collect(),
    }
}
