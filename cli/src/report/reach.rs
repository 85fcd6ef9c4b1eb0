//! How others reach this PC, and which way the connection to each of them takes, in words, and what to do where that could be
//! better. The trainer says it in words of its own protocol; a word that is newer than this release is repeated as it is. Its reason is
//! a sentence for people: what would repeat our own words is left out of it, and what it advises is told apart.

use hydra_trainer_api::{Peer, Status};

/// How the trainer's reason begins where others get in: behind it stands where.
const PLACES: [&str; 2] = [
    "this PC's router passes a port on to it, so others reach it at ",
    "others reach this PC at ",
];
/// What stands before its advice.
const ADVICE: &str = "; to be reached directly, ";
/// What it says where ports are open in the router already, and yet nobody gets in.
const IS_OPEN: &str = "passes a port on";
/// What is said of one that listens on loopback only.
const HERE_ONLY: &str = "only programs of this PC reach its trainer, as it was told";

/// How this PC's trainer is reached by others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// It isn't known yet.
    Unknown,
    /// By an address of its own.
    Public,
    /// Through a port that its router opened.
    Mapped,
    /// By a connection that both sides make at the same moment.
    Punched,
    /// Through a third trainer only.
    Relayed,
    /// By nobody.
    Unreachable,
}

impl Reach {
    /// What this word of the trainer means.
    fn of_word(word: &str) -> Option<Self> {
        Some(match word {
            "unknown" => Self::Unknown,
            "public" => Self::Public,
            "mapped" => Self::Mapped,
            "punched" => Self::Punched,
            "relayed" => Self::Relayed,
            "unreachable" => Self::Unreachable,
            _ => return None,
        })
    }

    /// What the trainer says, if it is known what that means.
    pub fn of(status: &Status) -> Option<Self> {
        Self::of_word(&status.reachability.as_ref()?.state)
    }

    /// Whether somebody should do something about it.
    pub const fn is_poor(self) -> bool {
        matches!(self, Self::Relayed | Self::Unreachable)
    }

    /// In three words at the most.
    pub const fn brief(self) -> &'static str {
        match self {
            Self::Unknown => "reach not known",
            Self::Public => "reached directly",
            Self::Mapped => "reached via router",
            Self::Punched => "reached by punching",
            Self::Relayed => "reached by relay",
            Self::Unreachable => "not reachable",
        }
    }

    /// As the beginning of a sentence whose end is the reason.
    const fn words(self) -> &'static str {
        match self {
            Self::Unknown => "it is not known yet how others reach this PC",
            Self::Public => "others reach this PC directly",
            Self::Mapped => "others reach this PC through its router",
            Self::Punched => "others reach this PC through its router once a relay has introduced them",
            Self::Relayed => "others reach this PC through a relay only",
            Self::Unreachable => "others can't reach this PC",
        }
    }
}

/// How others reach this PC, and why, as a sentence without its full stop; `None` where the trainer doesn't say.
pub fn sentence(status: &Status) -> Option<String> {
    let reachability = status.reachability.as_ref()?;
    if listens_here_only(status) {
        return Some(HERE_ONLY.into());
    }
    Some(said(&reachability.state, &reachability.reason))
}

/// The same of the trainer's own words.
pub fn said(state: &str, reason: &str) -> String {
    let words = match Reach::of_word(state) {
        Some(reach) => reach.words().to_owned(),
        None => format!("others reach this PC in a way that is newer than this program ({state})"),
    };
    let (reason, _) = parts(reason);
    let is_in = matches!(Reach::of_word(state), Some(Reach::Public | Reach::Mapped));
    let place = PLACES.iter().find_map(|beginning| reason.strip_prefix(beginning));
    match place.filter(|_| is_in) {
        Some(place) => format!("{words} at {place}"),
        None if reason.is_empty() => words,
        None => format!("{words}: {reason}"),
    }
}

/// What the trainer gives as its reason, and what it advises.
fn parts(reason: &str) -> (&str, Option<&str>) {
    let reason = reason.trim().trim_end_matches('.');
    match reason.split_once(ADVICE) {
        Some((why, advice)) => (why, Some(advice)),
        None => (reason, None),
    }
}

/// What the owner of this PC can do so that others reach it better, as a sentence without its full stop; `None` where nothing is to
/// be done, or nothing that is known. `node_port` is its node's port for other nodes, where that is known.
pub fn advice(status: &Status, node_port: Option<u16>) -> Option<String> {
    let reach = Reach::of(status)?;
    let (why, advice) = parts(&status.reachability.as_ref()?.reason);
    // Whoever keeps others out on purpose isn't told to let them in, nor anybody to open what is open.
    if !reach.is_poor() || listens_here_only(status) || why.contains(IS_OPEN) {
        return None;
    }
    if let Some(advice) = advice {
        let node = node_port.map_or_else(String::new, |port| {
            format!(", and port {port} of TCP for the node")
        });
        return Some(format!("{advice}{node}"));
    }
    // By relay it works, and the trainer would say what helps.
    if reach == Reach::Relayed {
        return None;
    }
    let trainer = match p2p_port(status) {
        Some(port) => format!("port {port}, TCP and UDP,"),
        None => "the trainer's port, TCP and UDP,".into(),
    };
    let node = node_port.map_or_else(String::new, |port| format!(" and port {port}, TCP,"));
    Some(format!(
        "let your router pass {trainer}{node} on to this PC, or turn on UPnP in it, and let this PC's firewall pass them, too"
    ))
}

/// Whether it listens for nobody but programs of this PC.
pub fn listens_here_only(status: &Status) -> bool {
    let is_here = |address: &String| address.starts_with("/ip4/127.") || address.starts_with("/ip6/::1/");
    !status.listen.is_empty() && status.listen.iter().all(is_here)
}

/// Where it listens for other trainers.
fn p2p_port(status: &Status) -> Option<u16> {
    status.listen.iter().find_map(|address| {
        let mut parts = address.split('/').skip(3);
        let port = match parts.next()? {
            "tcp" | "udp" => parts.next()?.parse().ok()?,
            _ => return None,
        };
        // A WebSocket's port is another one, for those who get out nowhere else; a circuit's is its relay's.
        let is_plain = parts.all(|part| !matches!(part, "ws" | "wss" | "tls" | "p2p-circuit"));
        is_plain.then_some(port)
    })
}

/// Which way the connection to a peer takes; `None` where the trainer doesn't say.
pub fn way(peer: &Peer) -> Option<&str> {
    peer.path.as_deref()
}

/// How many of these connections take which way: `9 direct, 2 punched, 1 relayed`. Empty where all are direct, or the trainer
/// doesn't say.
pub fn ways(peers: &[Peer]) -> String {
    if peers
        .iter()
        .all(|peer| matches!(way(peer), None | Some("direct")))
    {
        return String::new();
    }
    let count = |way: &str| {
        let number = peers.iter().filter(|peer| self::way(peer) == Some(way)).count();
        (number > 0).then(|| format!("{number} {way}"))
    };
    let said: Vec<String> = ["direct", "punched", "relayed"]
        .into_iter()
        .filter_map(count)
        .collect();
    said.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(state: &str, reason: &str, listen: &[&str]) -> Status {
        let json = serde_json::json!({
            "version": "0.1.0", "peer_id": "12D3", "engine": { "state": "ready" }, "listen": listen,
            "reachability": { "state": state, "reason": reason },
        });
        serde_json::from_value(json).unwrap()
    }

    const OPEN: &[&str] = &[
        "/ip4/192.168.1.5/tcp/30400/p2p/12D3",
        "/ip4/192.168.1.5/udp/30400/quic-v1/p2p/12D3",
    ];

    #[test]
    fn each_state_is_a_sentence_with_its_reason() {
        let said = |state: &str| sentence(&status(state, "because.", OPEN)).unwrap();
        for (state, words) in [
            ("unknown", "it is not known yet how others reach this PC: because"),
            ("public", "others reach this PC directly: because"),
            ("mapped", "others reach this PC through its router: because"),
            ("relayed", "others reach this PC through a relay only: because"),
            ("unreachable", "others can't reach this PC: because"),
            (
                "carried",
                "others reach this PC in a way that is newer than this program (carried): because",
            ),
        ] {
            assert_eq!(said(state), words);
        }
        assert!(said("punched").contains("introduced"), "{}", said("punched"));
        assert_eq!(
            sentence(&status("public", "", OPEN)).unwrap(),
            "others reach this PC directly"
        );
        let mut silent = status("public", "", OPEN);
        silent.reachability = None;
        assert_eq!((sentence(&silent), Reach::of(&silent)), (None, None));
    }

    #[test]
    fn where_others_get_in_is_said_once() {
        for (state, reason, words) in [
            (
                "mapped",
                "this PC's router passes a port on to it, so others reach it at 203.0.113.5:30400: 2 of them got in",
                "others reach this PC through its router at 203.0.113.5:30400: 2 of them got in",
            ),
            (
                "public",
                "others reach this PC at 203.0.113.5:30400: one of them got in",
                "others reach this PC directly at 203.0.113.5:30400: one of them got in",
            ),
        ] {
            assert_eq!(sentence(&status(state, reason, OPEN)).unwrap(), words);
        }
    }

    /// What is looked for in its words must be there.
    #[test]
    fn the_trainer_says_what_is_told_apart_here() {
        let trainer = include_str!("../../../offchain-trainer/network/src/reach/state.rs");
        for words in PLACES.into_iter().chain([ADVICE, IS_OPEN]) {
            assert!(trainer.contains(words), "{words}");
        }
    }

    #[test]
    fn who_is_reached_by_nobody_is_told_which_ports_to_open() {
        let told = advice(&status("unreachable", "", OPEN), Some(30_333)).unwrap();
        assert!(
            told.contains("port 30400, TCP and UDP, and port 30333, TCP, on to this PC"),
            "{told}"
        );
        let told = advice(&status("unreachable", "", OPEN), None).unwrap();
        assert!(!told.contains("30333") && told.contains("UPnP"), "{told}");
        for state in ["unknown", "public", "mapped", "punched", "carried"] {
            assert_eq!(advice(&status(state, "", OPEN), None), None, "{state}");
        }
    }

    #[test]
    fn the_trainer_s_advice_is_said_once_and_none_where_it_has_none() {
        let why = "this PC's router gives every connection another port, which keeps others out";
        let advised = "switch on UPnP in the router, or pass on port 30400 of TCP and UDP there";
        let relayed = |reason: &str| status("relayed", reason, OPEN);
        let helped = relayed(&format!("{why}{ADVICE}{advised}"));
        assert_eq!(
            sentence(&helped).unwrap(),
            format!("others reach this PC through a relay only: {why}")
        );
        assert_eq!(advice(&helped, None).unwrap(), advised);
        let with_node = advice(&helped, Some(30_333)).unwrap();
        assert!(
            with_node.ends_with("there, and port 30333 of TCP for the node"),
            "{with_node}"
        );
        assert_eq!(advice(&relayed(why), None), None);
        // The router does what it was asked for.
        for why in [
            "this PC's router passes a port on to it, but stands behind another router itself (its address is 192.168.0.2)",
            "this PC's router says that it passes a port on, but nobody gets in there",
        ] {
            for state in ["relayed", "unreachable"] {
                let status = status(state, &format!("{why}{ADVICE}{advised}"), OPEN);
                assert_eq!(advice(&status, Some(30_333)), None, "{state}: {why}");
                let said = sentence(&status).unwrap();
                assert!(said.ends_with(why), "{said}");
            }
        }
    }

    #[test]
    fn who_keeps_others_out_on_purpose_is_told_nothing() {
        let local = [
            "/ip4/127.0.0.1/tcp/30412/p2p/12D3",
            "/ip6/::1/udp/30412/quic-v1/p2p/12D3",
        ];
        assert_eq!(advice(&status("unreachable", "", &local), None), None);
        let unknown = status("unknown", "no PC on the internet was met", &local);
        assert_eq!(sentence(&unknown).unwrap(), HERE_ONLY);
        assert!(advice(&status("unreachable", "", &[]), None).is_some());
        let both = [local[0], OPEN[0]];
        assert!(!listens_here_only(&status("unreachable", "", &both)));
    }

    #[test]
    fn the_port_is_the_one_that_a_router_has_to_pass_on() {
        let port = |listen: &[&str]| p2p_port(&status("relayed", "", listen));
        assert_eq!(port(OPEN), Some(30_400));
        assert_eq!(port(&["/ip4/0.0.0.0/tcp/443/tls/ws", OPEN[1]]), Some(30_400));
        assert_eq!(port(&["/ip4/203.0.113.7/tcp/30400/p2p/12D3/p2p-circuit"]), None);
        assert_eq!(
            port(&["/dns/x", "", "/ip4/192.168.1.5/tcp/none", "/ip4/192.168.1.5/tcp"]),
            None
        );
    }

    #[test]
    fn ways_are_counted_where_they_are_said() {
        let peer = |path: Option<&str>| Peer {
            peer_id: "12D3".into(),
            address: "a".into(),
            latency_ms: None,
            agent: None,
            path: path.map(Into::into),
            slot: None,
            transport: None,
        };
        let peers = [Some("relayed"), Some("direct"), None, Some("direct")].map(peer);
        assert_eq!(ways(&peers), "2 direct, 1 relayed");
        // Nothing to speak of.
        assert_eq!(ways(&peers[1..]), "");
    }
}
