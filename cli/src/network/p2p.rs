//! How this PC's trainer meets others, and how much it keeps, as its owner chose: remembered with the network, so that `hydra up` alone goes on as it was.
//!
//! The paths here are absolute, and of files that are none of the network's own: they don't move with its folder.

use serde::{Deserialize, Serialize};
use std::{
    ffi::OsString,
    fs::File,
    path::{Path, PathBuf},
};

use crate::{
    args::{External, P2pArgs},
    error::Error,
};

/// What was chosen; the default is what a person at home needs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct P2p {
    /// The most that is sent, in KiB per second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upload_limit: Option<u32>,
    /// The most that is fetched, in KiB per second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub download_limit: Option<u32>,
    /// Whether the router isn't asked to open ports.
    #[serde(skip_serializing_if = "is_false")]
    pub no_port_mapping: bool,
    /// Whether others get no help to reach each other.
    #[serde(skip_serializing_if = "is_false")]
    pub no_relay: bool,
    /// Where else others reach it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub external_addresses: Vec<String>,
    /// Its WebSocket over TLS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wss: Option<Wss>,
    /// The most that its blobs take, in GiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub store_quota: Option<u32>,
}

/// WebSocket over TLS.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wss {
    /// The port.
    pub port: u16,
    /// The certificates, in PEM.
    pub certificate: PathBuf,
    /// The private key, in PEM.
    pub key: PathBuf,
}

fn is_false(is: &bool) -> bool {
    !is
}

impl P2p {
    /// Whether nothing was chosen.
    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }

    /// The same with what is asked for now.
    pub fn with(self, asked: &P2pArgs) -> Result<Self, Error> {
        let limit = |asked: Option<u32>, before: Option<u32>| asked.or(before).filter(|limit| *limit > 0);
        let external_addresses = match asked.external_address.as_slice() {
            [] => self.external_addresses,
            given => given
                .iter()
                .filter_map(|address| match address {
                    External::None => None,
                    External::At(address) => Some(address.clone()),
                })
                .collect(),
        };
        Ok(Self {
            upload_limit: limit(asked.upload_limit, self.upload_limit),
            download_limit: limit(asked.download_limit, self.download_limit),
            no_port_mapping: (self.no_port_mapping || asked.no_port_mapping) && !asked.port_mapping,
            no_relay: (self.no_relay || asked.no_relay) && !asked.relay,
            external_addresses,
            wss: wss(self.wss, asked)?,
            store_quota: limit(asked.store_quota, self.store_quota),
        })
    }

    /// `hydra-trainer`'s arguments for this, beside a node with this port for other nodes.
    pub fn trainer_arguments(&self, node_port: u16) -> Vec<OsString> {
        let mut arguments: Vec<OsString> = match self.no_port_mapping {
            true => vec!["--no-port-mapping".into()],
            // The node has no way of its own to ask the router.
            false => vec!["--map-port".into(), node_port.to_string().into()],
        };
        if self.no_relay {
            arguments.push("--no-relay-server".into());
        }
        let limits = [
            ("--upload-limit", self.upload_limit),
            ("--download-limit", self.download_limit),
            ("--store-quota", self.store_quota),
        ];
        for (option, limit) in limits {
            if let Some(limit) = limit {
                arguments.extend([option.into(), limit.to_string().into()]);
            }
        }
        for address in &self.external_addresses {
            arguments.extend(["--external-address".into(), address.into()]);
        }
        if let Some(wss) = &self.wss {
            arguments.extend([
                "--wss-port".into(),
                wss.port.to_string().into(),
                "--wss-certificate".into(),
                (&wss.certificate).into(),
                "--wss-key".into(),
                (&wss.key).into(),
            ]);
        }
        arguments
    }
}

/// All three of them, or none.
fn wss(before: Option<Wss>, asked: &P2pArgs) -> Result<Option<Wss>, Error> {
    let port = asked.wss_port.or(before.as_ref().map(|before| before.port));
    if port == Some(0) {
        return Ok(None);
    }
    let file = |asked: Option<&PathBuf>, before: Option<&PathBuf>| match (asked, before) {
        (Some(path), _) => readable(path).map(Some),
        (None, before) => Ok(before.cloned()),
    };
    let certificate = file(
        asked.wss_certificate.as_ref(),
        before.as_ref().map(|before| &before.certificate),
    )?;
    let key = file(asked.wss_key.as_ref(), before.as_ref().map(|before| &before.key))?;
    match (port, certificate, key) {
        (Some(port), Some(certificate), Some(key)) => Ok(Some(Wss {
            port,
            certificate,
            key,
        })),
        (None, None, None) => Ok(None),
        _ => Err(Error::WssIncomplete),
    }
}

/// The file's absolute path, if it can be read and written down.
fn readable(path: &Path) -> Result<PathBuf, Error> {
    File::open(path).map_err(Error::file("read", path))?;
    let absolute = std::path::absolute(path).map_err(Error::file("find", path))?;
    match absolute.to_str() {
        Some(_) => Ok(absolute),
        None => Err(Error::NotUtf8(absolute)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(p2p: &P2p) -> Vec<String> {
        let arguments = p2p.trainer_arguments(30_333);
        arguments
            .into_iter()
            .map(|word| word.into_string().unwrap())
            .collect()
    }

    #[test]
    fn who_chooses_nothing_has_the_router_open_the_node_s_port_too() {
        let p2p = P2p::default().with(&P2pArgs::default()).unwrap();
        assert!(p2p.is_usual());
        assert_eq!(told(&p2p), ["--map-port", "30333"]);
        assert_eq!(serde_json::to_string(&p2p).unwrap(), "{}");
    }

    #[test]
    fn what_was_chosen_stays_until_it_is_taken_back() {
        let at = |address: &str| External::At(address.into());
        let asked = P2pArgs {
            upload_limit: Some(500),
            download_limit: Some(4_000),
            store_quota: Some(20),
            no_port_mapping: true,
            no_relay: true,
            external_address: vec![at("/dns/a/tcp/1"), at("/dns/b/tcp/2")],
            ..P2pArgs::default()
        };
        let chosen = P2p::default().with(&asked).unwrap();
        let kept: P2p = serde_json::from_str(&serde_json::to_string(&chosen).unwrap()).unwrap();
        let again = kept.with(&P2pArgs::default()).unwrap();
        assert_eq!(again, chosen);
        assert_eq!(
            told(&again),
            [
                "--no-port-mapping",
                "--no-relay-server",
                "--upload-limit",
                "500",
                "--download-limit",
                "4000",
                "--store-quota",
                "20",
                "--external-address",
                "/dns/a/tcp/1",
                "--external-address",
                "/dns/b/tcp/2",
            ]
        );
        let back = P2pArgs {
            upload_limit: Some(0),
            download_limit: Some(0),
            store_quota: Some(0),
            port_mapping: true,
            relay: true,
            external_address: vec![External::None],
            ..P2pArgs::default()
        };
        assert!(again.with(&back).unwrap().is_usual());
    }

    #[test]
    fn a_websocket_needs_its_certificate_and_key_once_and_files_that_can_be_read() {
        let folder = tempfile::tempdir().unwrap();
        let [certificate, key] = ["chain.pem", "key.pem"].map(|name| folder.path().join(name));
        let port = |port| P2pArgs {
            wss_port: Some(port),
            ..P2pArgs::default()
        };
        let whole = P2pArgs {
            wss_certificate: Some(certificate.clone()),
            wss_key: Some(key.clone()),
            ..port(443)
        };
        assert!(matches!(
            P2p::default().with(&port(443)),
            Err(Error::WssIncomplete)
        ));
        assert!(matches!(P2p::default().with(&whole), Err(Error::File { .. })));
        for path in [&certificate, &key] {
            std::fs::write(path, "PEM").unwrap();
        }
        let without_port = P2pArgs {
            wss_port: None,
            ..whole.clone()
        };
        assert!(matches!(
            P2p::default().with(&without_port),
            Err(Error::WssIncomplete)
        ));
        let chosen = P2p::default().with(&whole).unwrap();
        let paths = [&certificate, &key].map(|path| path.to_str().unwrap());
        assert_eq!(
            told(&chosen)[2..],
            [
                "--wss-port",
                "443",
                "--wss-certificate",
                paths[0],
                "--wss-key",
                paths[1]
            ]
        );
        let moved = chosen.with(&port(8_443)).unwrap();
        let Some(wss) = &moved.wss else {
            panic!("{moved:?}")
        };
        assert_eq!((wss.port, &wss.key), (8_443, &key));
        assert!(moved.with(&port(0)).unwrap().is_usual());
    }
}
