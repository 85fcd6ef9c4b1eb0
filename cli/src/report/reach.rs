//! How others reach this PC, and which way the connection to each of them takes, in words, and what to do where that could be
//! better. The trainer says it in words of its own protocol; a word that is newer than this release is repeated as it is, but for
//! advice, of which nothing can be said then. Its reason is a sentence for people, from which nothing is concluded.

use hydra_trainer_api::{Advice, Peer, Status};

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
    let place = reachability.at.as_deref();
    Some(said(&reachability.state, place, &reachability.reason))
}

/// The same of the trainer's own words: the state, the place where others get in, if they do, and the reason.
pub fn said(state: &str, place: Option<&str>, reason: &str) -> String {
    let words = match Reach::of_word(state) {
        Some(reach) => reach.words().to_owned(),
        None => format!("others reach this PC in a way that is newer than this program ({state})"),
    };
    let reason = reason.trim().trim_end_matches('.');
    // Before the place it would say our words again.
    let place = place.and_then(|place| reason.get(reason.find(place)?..));
    match place {
        Some(place) => format!("{words} at {place}"),
        None if reason.is_empty() => words,
        None => format!("{words}: {reason}"),
    }
}

/// What the owner of this PC can do so that others reach it better, as a sentence without its full stop; `None` where nothing is to
/// be done, or nothing that is known. `node_port` is its node's port for other nodes, where that is known.
pub fn advice(status: &Status, node_port: Option<u16>) -> Option<String> {
    let advice = status.reachability.as_ref()?.advice?;
    // Whoever keeps others out on purpose isn't told to let them in.
    if listens_here_only(status) {
        return None;
    }
    let is_relayed = Reach::of(status) == Some(Reach::Relayed);
    let trainer = match p2p_port(status) {
        Some(port) => format!("port {port}"),
        None => "the trainer's port".into(),
    };
    let node = node_port.map_or_else(String::new, |port| format!(" and port {port}, TCP,"));
    let ports = format!("{trainer}, TCP and UDP,{node}");
    let until = match is_relayed {
        true => "; until then it works by relay",
        false => "",
    };
    Some(match advice {
        Advice::OpenPorts if is_relayed => {
            let node = node_port.map_or_else(String::new, |port| {
                format!(", and port {port} of TCP for the node")
            });
            format!("switch on UPnP in the router, or pass on {trainer} of TCP and UDP there{node}")
        }
        Advice::OpenPorts => format!(
            "let your router pass {ports} on to this PC, or turn on UPnP in it, and let this PC's firewall pass them, too"
        ),
        Advice::OpenByHand => format!(
            "let this PC's firewall pass {ports} and have your router pass them on by hand; if nobody gets in then, either, ask \
             your provider for a public IP address of your own{until}"
        ),
        Advice::OpenOuterRouter => format!(
            "let the router between yours and the internet pass {ports} on to yours; if it is your provider's, ask for a public IP \
             address of your own{until}"
        ),
        Advice::Other => return None,
    })
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

    /// One whose trainer advises this.
    fn advised(state: &str, advice: Advice, listen: &[&str]) -> Status {
        let mut status = status(state, "because", listen);
        status.reachability.as_mut().unwrap().advice = Some(advice);
        status
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
            let mut status = status(state, reason, OPEN);
            status.reachability.as_mut().unwrap().at = Some("203.0.113.5:30400".into());
            assert_eq!(sentence(&status).unwrap(), words);
        }
        // Where the reason doesn't have it, nothing is left out.
        let other = said("mapped", Some("203.0.113.6:1"), "because");
        assert_eq!(other, "others reach this PC through its router: because");
    }

    #[test]
    fn who_is_reached_by_nobody_is_told_which_ports_to_open() {
        let nobody = advised("unreachable", Advice::OpenPorts, OPEN);
        let told = advice(&nobody, Some(30_333)).unwrap();
        assert!(
            told.contains("port 30400, TCP and UDP, and port 30333, TCP, on to this PC"),
            "{told}"
        );
        let told = advice(&nobody, None).unwrap();
        assert!(!told.contains("30333") && told.contains("UPnP"), "{told}");
    }

    #[test]
    fn who_is_reached_by_relay_is_told_the_same_in_fewer_words() {
        let relayed = advised("relayed", Advice::OpenPorts, OPEN);
        let told = "switch on UPnP in the router, or pass on port 30400 of TCP and UDP there";
        assert_eq!(advice(&relayed, None).unwrap(), told);
        assert_eq!(
            advice(&relayed, Some(30_333)).unwrap(),
            format!("{told}, and port 30333 of TCP for the node")
        );
    }

    #[test]
    fn nobody_is_told_to_turn_on_what_the_router_does_already() {
        for (advised_to, words) in [
            (Advice::OpenByHand, "by hand"),
            (
                Advice::OpenOuterRouter,
                "the router between yours and the internet",
            ),
        ] {
            for (state, works) in [("relayed", true), ("unreachable", false)] {
                let told = advice(&advised(state, advised_to, OPEN), Some(30_333)).unwrap();
                assert!(!told.contains("UPnP") && told.contains(words), "{told}");
                assert!(
                    told.contains("port 30400, TCP and UDP, and port 30333, TCP,"),
                    "{told}"
                );
                assert!(told.contains("a public IP address of your own"), "{told}");
                assert_eq!(told.ends_with("until then it works by relay"), works, "{told}");
            }
        }
    }

    #[test]
    fn where_the_trainer_has_no_advice_or_a_later_one_nothing_is_told() {
        for state in [
            "unknown",
            "public",
            "mapped",
            "punched",
            "relayed",
            "unreachable",
            "carried",
        ] {
            assert_eq!(advice(&status(state, "", OPEN), None), None, "{state}");
            assert_eq!(
                advice(&advised(state, Advice::Other, OPEN), None),
                None,
                "{state}"
            );
        }
    }

    #[test]
    fn who_keeps_others_out_on_purpose_is_told_nothing() {
        let local = [
            "/ip4/127.0.0.1/tcp/30412/p2p/12D3",
            "/ip6/::1/udp/30412/quic-v1/p2p/12D3",
        ];
        let nobody = |listen: &[&str]| advised("unreachable", Advice::OpenPorts, listen);
        assert_eq!(advice(&nobody(&local), None), None);
        let unknown = status("unknown", "no PC on the internet was met", &local);
        assert_eq!(sentence(&unknown).unwrap(), HERE_ONLY);
        assert!(advice(&nobody(&[]), None).unwrap().contains("the trainer's port"));
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
