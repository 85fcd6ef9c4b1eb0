//! The command line of how this PC's trainer meets others: how fast it may be, who opens its ports, where else it is reached, and how
//! much it keeps.
//! Each choice is remembered, and each has a word that takes it back: `hydra up` alone must go on as it was.

use clap::Args;
use std::{net::IpAddr, path::PathBuf};

/// How this PC's trainer meets others.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Connections to other trainers")]
pub struct P2pArgs {
    /// The most of blobs (weights, updates, data) that the trainer sends to others, in KiB per second, all of them together; what it
    /// relays, announces, looks up and carries for nodes isn't counted; 0 for no limit [default: as before, else no limit]
    #[arg(long, value_name = "KIB")]
    pub upload_limit: Option<u32>,
    /// The most of blobs that it fetches from others, in KiB per second; 0 for no limit [default: as before, else no limit]
    #[arg(long, value_name = "KIB")]
    pub download_limit: Option<u32>,
    /// Don't ask the router to open this PC's ports (UPnP, PCP, NAT-PMP): who is behind one then has to open them there by hand.
    #[arg(long, overrides_with = "port_mapping")]
    pub no_port_mapping: bool,
    /// Ask the router again after --no-port-mapping.
    #[arg(long)]
    pub port_mapping: bool,
    /// Don't help others to reach each other: a PC that everybody reaches introduces those whom nobody does, and passes on a little
    /// between them.
    #[arg(long, overrides_with = "relay")]
    pub no_relay: bool,
    /// Help others again after --no-relay.
    #[arg(long)]
    pub relay: bool,
    /// Where others reach the trainer, if it can't find that out by itself: /ip4/203.0.113.7/tcp/30400 or
    /// /dns/pc.example.org/udp/30400/quic-v1, for example; may be given several times, and replaces what was given before. `none`
    /// forgets it.
    #[arg(long, value_name = "MULTIADDR", value_parser = external_address)]
    pub external_address: Vec<External>,
    /// A port for WebSocket over TLS, beside the others, for those who get out on port 443 only; 0 for none [default: as before,
    /// else none]
    #[arg(long, value_name = "PORT")]
    pub wss_port: Option<u16>,
    /// The certificate for --wss-port, and those that lead from it to a root that others trust, in PEM.
    #[arg(long, value_name = "FILE")]
    pub wss_certificate: Option<PathBuf>,
    /// The certificate's private key, in PEM.
    #[arg(long, value_name = "FILE")]
    pub wss_key: Option<PathBuf>,
    /// The most of the disk that blobs may take, in GiB: beyond it, what is only kept for others is deleted, and if that isn't enough,
    /// the trainer takes no new work; 0 for no limit [default: as before, else as much as the disk has room for]
    #[arg(long, value_name = "GIB")]
    pub store_quota: Option<u32>,
}

/// What may be given as an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum External {
    /// None, not even what was given before.
    None,
    /// This one.
    At(String),
}

/// An address at which a trainer can be reached, without an identity: that is this PC's own. What passes here the trainer takes.
fn external_address(text: &str) -> Result<External, String> {
    if text == "none" {
        return Ok(External::None);
    }
    let bad = || {
        "give an address such as /ip4/203.0.113.7/tcp/30400, /dns/pc.example.org/udp/30400/quic-v1 or \
         /dns/pc.example.org/tcp/443/tls/ws, or `none`"
            .to_owned()
    };
    // Copied from a status it ends with the identity.
    let address = text.split_once("/p2p/").map_or(text, |(address, _)| address);
    let parts: Vec<&str> = address.split('/').collect();
    let ["", family, host, transport, port, more @ ..] = parts.as_slice() else {
        return Err(bad());
    };
    let is_host = match *family {
        "ip4" => host.parse().is_ok_and(|address: IpAddr| address.is_ipv4()),
        "ip6" => host.parse().is_ok_and(|address: IpAddr| address.is_ipv6()),
        "dns" | "dns4" | "dns6" => is_name(host),
        _ => false,
    };
    let is_way = matches!(
        (*transport, more),
        ("tcp", [] | ["wss"] | ["tls", "ws"]) | ("udp", ["quic-v1"])
    );
    let is_port = port.parse().is_ok_and(|port: u16| port > 0);
    match is_host && is_way && is_port {
        true => Ok(External::At(address.to_owned())),
        false => Err(bad()),
    }
}

/// Whether this can be the name of a PC on the internet.
fn is_name(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
    };
    text.len() <= 253 && text.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_address_is_one_that_a_trainer_can_be_reached_at() {
        for good in [
            "/ip4/203.0.113.7/tcp/30400",
            "/ip4/203.0.113.7/udp/30400/quic-v1",
            "/ip6/2001:db8::7/tcp/30400",
            "/dns/pc.example.org/tcp/443/tls/ws",
            "/dns6/pc/tcp/443/wss",
        ] {
            assert_eq!(external_address(good), Ok(External::At(good.into())));
            // As a status shows it.
            assert_eq!(
                external_address(&format!("{good}/p2p/12D3KooW")),
                Ok(External::At(good.into()))
            );
        }
        assert_eq!(external_address("none"), Ok(External::None));
        for bad in [
            "",
            "/",
            "203.0.113.7:30400",
            "/ip4/203.0.113.7",
            "/ip4/203.0.113.7/tcp/0",
            "/ip4/203.0.113.7/tcp/65536",
            "/ip4/203.0.113.7/udp/30400",
            "/ip4/2001:db8::7/tcp/1",
            "/ip6/203.0.113.7/tcp/1",
            "/dns//tcp/1",
            "/dns/a b/tcp/1",
            "/ip4/203.0.113.7/tcp/1/ws",
            "/unix/x/tcp/1",
            "/p2p/12D3KooW",
        ] {
            assert!(external_address(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_typed_is_an_address_or_a_sentence(text in "[/a-z0-9.:-]{0,60}|\\PC{0,60}") {
            if let Ok(External::At(address)) = external_address(&text) {
                prop_assert!(text.starts_with(&address) && address.starts_with('/'));
            }
        }
    }
}
