//! How other trainers reach this one, and it them: the part of the command line that says so, and what the network is told for it.

use std::{fs, io, path::PathBuf};

use hydra_network::{
    Multiaddr, NetworkConfig,
    reach::{self, Wss},
};

/// All of it may be left out: what a PC at home needs is the default.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct ReachOptions {
    /// Use TCP only. Otherwise QUIC, too, on the UDP port with the same number.
    #[arg(long)]
    pub no_quic: bool,
    /// Don't look for trainers on the local network, nor be found there (mDNS).
    #[arg(long)]
    pub no_mdns: bool,
    /// Don't ask the router to pass ports on (UPnP, PCP, NAT-PMP).
    #[arg(long)]
    pub no_port_mapping: bool,
    /// A TCP port of another program on this PC that the router is asked to pass on as well, such as the node's --port; may be
    /// given several times.
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub map_port: Vec<u16>,
    /// Don't introduce trainers to each other that can't reach each other directly. Only who is reached by everybody does.
    #[arg(long)]
    pub no_relay_server: bool,
    /// Where others reach this trainer, if it can't find that out by itself, such as /ip4/203.0.113.7/tcp/41000 or
    /// /dns/pc.example.org/tcp/443/tls/ws; may be given several times. It is believed.
    #[arg(long, value_name = "MULTIADDR")]
    pub external_address: Vec<Multiaddr>,
    /// The most of blobs that goes out to all trainers together, in KiB per second; what is relayed, announced, looked up and
    /// carried for nodes isn't counted; 0 for no limit.
    #[arg(long, value_name = "KIB")]
    pub upload_limit: Option<u64>,
    /// The most of blobs that comes in from all trainers together, in KiB per second; 0 for no limit.
    #[arg(long, value_name = "KIB")]
    pub download_limit: Option<u64>,
    /// A TCP port for WebSocket over TLS, for trainers that get out of their network on port 443 only.
    #[arg(long, value_name = "PORT", requires_all = ["wss_certificate", "wss_key"], value_parser = clap::value_parser!(u16).range(1..))]
    pub wss_port: Option<u16>,
    /// The certificate for --wss-port, and those that lead from it to a root that others trust, in PEM.
    #[arg(long, value_name = "FILE", requires = "wss_port")]
    pub wss_certificate: Option<PathBuf>,
    /// The certificate's private key, in PEM.
    #[arg(long, value_name = "FILE", requires = "wss_port")]
    pub wss_key: Option<PathBuf>,
    /// Certificates, in PEM, that are trusted for WebSocket over TLS besides those that browsers trust; may be given several
    /// times. Who a trainer is never depends on them.
    #[arg(long, value_name = "FILE")]
    pub wss_trust: Vec<PathBuf>,
}

/// A file of the command line can't be read.
#[derive(Debug, thiserror::Error)]
#[error("can't read {}: {source}. It is named by {option}", path.display())]
pub struct Unreadable {
    option: &'static str,
    path: PathBuf,
    source: io::Error,
}

impl ReachOptions {
    /// Tells the network.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub(crate) fn apply(&self, config: &mut NetworkConfig) -> Result<(), Unreadable> {
        let mut trust = Vec::new();
        for path in &self.wss_trust {
            trust.extend(read("--wss-trust", path)?);
            // Not every file ends its last line.
            trust.push(b'\n');
        }
        let files = (self.wss_port, &self.wss_certificate, &self.wss_key);
        let wss = match files {
            (Some(port), Some(certificate), Some(key)) => Some(Wss {
                port,
                certificate: read("--wss-certificate", certificate)?,
                key: read("--wss-key", key)?,
            }),
            _ => None,
        };
        config.reach = reach::Config {
            quic: !self.no_quic,
            port_mapping: !self.no_port_mapping,
            map_ports: self.map_port.clone(),
            relay_server: !self.no_relay_server,
            external: self.external_address.clone(),
            wss,
            trust,
            ..config.reach.clone()
        };
        config.discovery.mdns = !self.no_mdns;
        config.limits.upload_rate = rate(self.upload_limit);
        config.limits.download_rate = rate(self.download_limit);
        Ok(())
    }
}

/// In bytes a second.
fn rate(kib: Option<u64>) -> Option<u64> {
    kib.filter(|kib| *kib > 0).map(|kib| kib.saturating_mul(1024))
}

fn read(option: &'static str, path: &PathBuf) -> Result<Vec<u8>, Unreadable> {
    fs::read(path).map_err(|source| Unreadable {
        option,
        path: path.clone(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use hydra_network::Keypair;

    #[derive(Parser)]
    struct Program {
        #[command(flatten)]
        reach: ReachOptions,
    }

    fn parsed(words: &str) -> Result<ReachOptions, String> {
        let words = std::iter::once("trainer").chain(words.split_whitespace());
        Program::try_parse_from(words)
            .map(|program| program.reach)
            .map_err(|error| error.to_string())
    }

    fn told(words: &str) -> NetworkConfig {
        let mut config = NetworkConfig::new(Keypair::generate_ed25519());
        parsed(words).unwrap().apply(&mut config).unwrap();
        config
    }

    #[test]
    fn a_pc_at_home_has_everything_that_it_needs_by_itself() {
        let config = told("");
        let reach = &config.reach;
        assert!(reach.quic && reach.port_mapping && reach.relay_server && reach.relay_client && reach.dcutr);
        assert!(config.discovery.mdns);
        assert_eq!(
            (config.limits.upload_rate, config.limits.download_rate),
            (None, None)
        );
    }

    #[test]
    fn what_is_switched_off_is_off_and_what_is_said_is_believed() {
        let config = told(
            "--no-quic --no-mdns --no-port-mapping --no-relay-server --map-port 30333 --upload-limit 500 --download-limit 0 \
             --external-address /ip4/203.0.113.7/tcp/41000",
        );
        let reach = &config.reach;
        assert!(!(reach.quic || reach.port_mapping || reach.relay_server || config.discovery.mdns));
        assert_eq!(reach.map_ports, [30333]);
        assert_eq!(reach.external, ["/ip4/203.0.113.7/tcp/41000".parse().unwrap()]);
        assert_eq!(
            (config.limits.upload_rate, config.limits.download_rate),
            (Some(512_000), None)
        );
    }

    #[test]
    fn a_websocket_takes_a_port_a_certificate_and_a_key() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("certificate.pem");
        fs::write(&file, "a certificate").unwrap();
        let file = file.display();
        let config = told(&format!(
            "--wss-port 443 --wss-certificate {file} --wss-key {file} --wss-trust {file}"
        ));
        let wss = config.reach.wss.unwrap();
        assert_eq!((wss.port, &wss.certificate[..]), (443, &b"a certificate"[..]));
        assert_eq!(config.reach.trust, b"a certificate\n");
        assert!(!format!("{wss:?}").contains("key"));
        for words in [
            "--wss-port 443",
            "--wss-certificate a",
            "--wss-port 0 --wss-certificate a --wss-key a",
        ] {
            assert!(parsed(words).is_err(), "{words}");
        }
        let mut config = NetworkConfig::new(Keypair::generate_ed25519());
        let missing = parsed("--wss-trust /nowhere/ca.pem").unwrap();
        let error = missing.apply(&mut config).unwrap_err().to_string();
        assert!(
            error.starts_with("can't read /nowhere/ca.pem: ") && error.contains("--wss-trust"),
            "{error}"
        );
    }
}
