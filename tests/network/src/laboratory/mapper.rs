//! What maps ports for PCs that ask: miniupnpd, as many home routers have it.

use std::time::Duration;

use tempfile::TempDir;

use super::internet::WAN;
use crate::{
    namespace::{command, nft},
    proc::{Running, Stream},
};

/// How PCs may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mapper {
    /// By UPnP.
    Upnp,
    /// By NAT-PMP, or by PCP, which came after it.
    NatPmp,
}

/// Where Debian has it; not everybody's path leads there.
const PROGRAM: &str = "/usr/sbin/miniupnpd";
/// How long it may take to listen.
const START: Duration = Duration::from_secs(20);

/// The tables that it writes into. What it maps is let in, whatever the router's own rules say of strangers; those see it as
/// translated.
const TABLES: &str = "table inet mapped {
    chain mapped { }
    chain mapped_inwards { }
    chain mapped_outwards { }
    chain forward {
        type filter hook forward priority filter - 1; policy accept;
        jump mapped
    }
    chain inwards {
        type nat hook prerouting priority dstnat - 1; policy accept;
        jump mapped_inwards
    }
    chain outwards {
        type nat hook postrouting priority srcnat - 1; policy accept;
        jump mapped_outwards
    }
}
insert rule inet fence through ct status dnat accept
";

/// It, while it runs.
pub(super) struct PortMapping {
    _running: Running,
    _folder: TempDir,
}

impl PortMapping {
    pub(super) fn start(mapper: Mapper, enter: &[String]) -> Result<Self, String> {
        nft(enter, TABLES)?;
        let folder = tempfile::tempdir().map_err(|error| format!("a folder for miniupnpd: {error}"))?;
        let file = folder.path().join("miniupnpd.conf");
        let (upnp, pmp) = match mapper {
            Mapper::Upnp => ("yes", "no"),
            Mapper::NatPmp => ("no", "yes"),
        };
        let lines = [
            format!("ext_ifname={WAN}"),
            "listening_ip=lan".into(),
            format!("enable_upnp={upnp}"),
            format!("enable_natpmp={pmp}"),
            "secure_mode=yes".into(),
            "uuid=5f1d0f4c-79b3-4c3a-8f0c-0a3cf0b1c3d2".into(),
            "upnp_table_name=mapped".into(),
            "upnp_nat_table_name=mapped".into(),
            "upnp_forward_chain=mapped".into(),
            "upnp_nat_chain=mapped_inwards".into(),
            "upnp_nat_postrouting_chain=mapped_outwards".into(),
            "allow 1024-65535 192.168.1.0/24 1024-65535".into(),
            "deny 0-65535 0.0.0.0/0 0-65535".into(),
        ];
        std::fs::write(&file, format!("{}\n", lines.join("\n")))
            .map_err(|error| format!("{}: {error}", file.display()))?;
        let pid = folder.path().join("pid");
        let mut command = command(enter, &["setpriv", "--pdeathsig", "TERM", PROGRAM, "-d", "-f"]);
        command.arg(&file).arg("-P").arg(&pid);
        let mut running = Running::start(
            "miniupnpd (package miniupnpd-nftables)",
            &mut command,
            Stream::Stderr,
        );
        let listens = match mapper {
            Mapper::Upnp => "HTTP listening on port",
            Mapper::NatPmp => "Listening for NAT-PMP",
        };
        running.line_with(listens, START);
        Ok(Self {
            _running: running,
            _folder: folder,
        })
    }
}
