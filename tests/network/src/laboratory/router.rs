//! What routers do to connections: rules of nftables for each kind.
//!
//! Two things make a router hard to get through. Its *mapping*: from which of its ports a PC's packets go out; the same for everybody, or
//! another for each that they go to. Its *filter*: whose packets it lets in at that port. The kinds are those of RFC 3489 and 4787 that
//! matter; whether these rules make them is a test of its own.

use std::fmt;

use super::internet::WAN;

/// The kinds of routers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// None of both: its PCs have public addresses, and everybody gets to them.
    Open,
    /// A PC's port has one port of the router, of the same number, and whoever sends to that gets in.
    FullCone,
    /// A PC's port has one port of the router, of the same number; who was sent something from there gets in at it: the same address
    /// and port.
    Restricted,
    /// As `Restricted`, but the router's port has another number, of which a PC knows only by being told.
    Remapping,
    /// Each that a PC sends to is sent from another port, chosen at random, and only they get in at it.
    Symmetric,
    /// As `Restricted`, but nobody's attempt to connect is ever let in, not even while the PC tries the same towards them: answers only.
    NoInbound,
}

impl Kind {
    /// All of them, the easiest to get through first.
    pub const ALL: [Self; 6] = [
        Self::Open,
        Self::FullCone,
        Self::Restricted,
        Self::Remapping,
        Self::NoInbound,
        Self::Symmetric,
    ];

    /// Whether its PCs have private addresses.
    pub fn translates(self) -> bool {
        self != Self::Open
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Open => "open",
            Self::FullCone => "full cone",
            Self::Restricted => "restricted",
            Self::Remapping => "port-remapping",
            Self::Symmetric => "symmetric",
            Self::NoInbound => "no inbound",
        })
    }
}

/// What a router passes on at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Carries {
    /// Everything.
    #[default]
    Everything,
    /// No UDP: it is lost.
    Tcp,
    /// No TCP: it is refused.
    Udp,
    /// TCP to port 443 of others, as in a hotel; all else is lost.
    Port443,
}

/// The rules of a router of this kind whose own address is `address`, if it has one.
pub(super) fn rules(kind: Kind, carries: Carries, address: Option<&str>) -> String {
    let mut rules = fence(kind, carries);
    if let (true, Some(address)) = (kind.translates(), address) {
        rules.push_str(&translation(kind, address));
    }
    rules
}

/// What is let through, of both families.
fn fence(kind: Kind, carries: Carries) -> String {
    let carried = match carries {
        Carries::Everything => "",
        Carries::Tcp => "meta l4proto udp drop",
        Carries::Udp => "meta l4proto tcp reject with tcp reset",
        Carries::Port443 => {
            "meta l4proto udp drop\n        iifname \"lan\" oifname \"wan\" tcp dport != 443 drop"
        }
    };
    // The first packet of a connection, which by itself may be part of one: both sides may have sent it.
    let attempts = match kind {
        Kind::NoInbound => "iifname \"wan\" tcp flags & (syn | ack) == syn drop",
        _ => "",
    };
    let strangers = match kind {
        Kind::Open => "iifname \"wan\" accept",
        // Of IPv6 nothing is translated, and this lets in nobody.
        Kind::FullCone => "ct status dnat accept",
        _ => "",
    };
    // To the router itself nobody gets: a refusal would end what two PCs are trying through it.
    format!(
        "table inet fence {{
    chain itself {{
        type filter hook input priority filter; policy accept;
        iifname != \"{WAN}\" accept
        ct state established,related accept
        meta l4proto {{ icmp, ipv6-icmp }} accept
        drop
    }}
    chain through {{
        type filter hook forward priority filter; policy drop;
        {carried}
        {attempts}
        iifname \"lan\" oifname \"{WAN}\" accept
        ct state established,related accept
        {strangers}
    }}
}}
"
    )
}

/// From which port the PCs' packets go out, and where those to it go.
fn translation(kind: Kind, address: &str) -> String {
    let (map, inwards, outwards) = match kind {
        Kind::Open => ("", "", String::new()),
        Kind::FullCone => (
            "map cone { type inet_proto . inet_service : ipv4_addr; flags dynamic; size 4096; }",
            "iifname \"wan\" dnat to meta l4proto . th dport map @cone",
            format!(
                "oifname \"wan\" meta l4proto {{ tcp, udp }} update @cone {{ meta l4proto . th sport : ip saddr }}
        oifname \"wan\" snat to {address}"
            ),
        ),
        Kind::Restricted | Kind::NoInbound => ("", "", format!("oifname \"wan\" snat to {address}")),
        // Another port, which follows from the PC's: without a table, the same for everybody it sends to.
        Kind::Remapping => (
            "",
            "",
            format!(
                "oifname \"wan\" meta l4proto {{ tcp, udp }} snat to {address} : jhash ip saddr . th sport mod 65000 seed 0x6879 offset 512
        oifname \"wan\" snat to {address}"
            ),
        ),
        Kind::Symmetric => ("", "", "oifname \"wan\" masquerade fully-random".into()),
    };
    // The chain of what comes in is needed even if it is empty: without it, answers aren't translated back.
    format!(
        "table ip translation {{
    {map}
    chain inwards {{
        type nat hook prerouting priority dstnat;
        {inwards}
    }}
    chain outwards {{
        type nat hook postrouting priority srcnat;
        {outwards}
    }}
}}
"
    )
}
