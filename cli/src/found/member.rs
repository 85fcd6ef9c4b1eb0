//! A member of a network that is to be: the public halves of its keys, and where it is reached. Members send each other this
//! file; it must never hold a secret.

use libp2p_identity::PeerId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{fs, net::IpAddr, path::Path};
use subxt::utils::AccountId32;

use crate::{accounts, error::Error, home::Home};

/// The file's version.
const FORMAT: u32 = 1;

/// What the file says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// The file's version.
    pub format: u32,
    /// The id of the network that is to be.
    pub network: String,
    /// The PC's name.
    pub name: String,
    /// The account that trains, as an address.
    pub account: String,
    /// The session key for making blocks, in the form of an address.
    pub babe: String,
    /// The session key for making blocks final, in the form of an address.
    pub grandpa: String,
    /// Its node's identity.
    pub node_peer_id: String,
    /// Its trainer's identity.
    pub trainer_peer_id: String,
    /// Where its node is reached, as multiaddresses.
    pub node_addresses: Vec<String>,
    /// Where its trainer is reached, as multiaddresses.
    pub trainer_addresses: Vec<String>,
}

impl Member {
    /// This PC as a member, reached at `hosts`: IP addresses or names.
    pub fn new(home: &Home, keys: [[u8; 32]; 2], hosts: &[String]) -> Result<Self, Error> {
        let [babe, grandpa] = keys.map(|key| accounts::address(&key));
        let (node, trainer) = (&home.pc.node, &home.pc.trainer);
        let at = |port: u16, peer_id: &str| -> Result<Vec<String>, Error> {
            let address = |host: &String| Ok(format!("{}/tcp/{port}/p2p/{peer_id}", host_part(host)?));
            hosts.iter().map(address).collect()
        };
        Ok(Self {
            format: FORMAT,
            network: home.joined.id.clone(),
            name: home.pc.name.clone(),
            account: home.pc.account.clone(),
            babe,
            grandpa,
            node_addresses: at(node.p2p_port, &node.peer_id)?,
            trainer_addresses: at(trainer.p2p_port, &trainer.peer_id)?,
            node_peer_id: node.peer_id.clone(),
            trainer_peer_id: trainer.peer_id.clone(),
        })
    }

    /// Reads a member's file. It comes from somebody else, so every field is looked at.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let bytes = fs::read(path).map_err(Error::file("read", path))?;
        Self::parse(&bytes).map_err(|reason| Error::BadMember {
            path: path.into(),
            reason,
        })
    }

    fn parse(bytes: &[u8]) -> Result<Self, String> {
        let member: Self = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if member.format != FORMAT {
            return Err("it is of another version".into());
        }
        for key in [&member.account, &member.babe, &member.grandpa] {
            let key: Result<AccountId32, _> = key.parse();
            key.map_err(|_| "one of its keys is no address")?;
        }
        if accounts::name(&member.account_bytes()?).is_some() {
            return Err("its account is a development account, whose secret is public".into());
        }
        let ends = [
            (&member.node_addresses, &member.node_peer_id),
            (&member.trainer_addresses, &member.trainer_peer_id),
        ];
        for (addresses, peer_id) in ends {
            peer_id
                .parse::<PeerId>()
                .map_err(|_| format!("{peer_id} is no PeerId"))?;
            let end = format!("/p2p/{peer_id}");
            if let Some(other) = addresses.iter().find(|address| !address.ends_with(&end)) {
                return Err(format!("the address {other} does not lead to {peer_id}"));
            }
        }
        Ok(member)
    }

    fn account_bytes(&self) -> Result<[u8; 32], String> {
        let account: Result<AccountId32, _> = self.account.parse();
        account
            .map(|account| account.0)
            .map_err(|_| "its account is no address".into())
    }

    /// Its trainer's identity, as the chain stores it.
    pub fn trainer_peer_bytes(&self) -> Result<Vec<u8>, String> {
        let peer_id: PeerId = self
            .trainer_peer_id
            .parse()
            .map_err(|_| format!("{} is no PeerId", self.trainer_peer_id))?;
        Ok(peer_id.to_bytes())
    }
}

/// Refuses hosts that nobody could connect to, before anything is made.
pub fn check_hosts(hosts: &[String]) -> Result<(), Error> {
    hosts.iter().try_for_each(|host| host_part(host).map(drop))
}

/// The part of a multiaddress that names a host.
fn host_part(host: &str) -> Result<String, Error> {
    match host.parse() {
        Ok(IpAddr::V4(address)) => Ok(format!("/ip4/{address}")),
        Ok(IpAddr::V6(address)) => Ok(format!("/ip6/{address}")),
        Err(_) if is_name(host) => Ok(format!("/dns/{host}")),
        Err(_) => Err(Error::BadPlan(format!(
            "{host} is neither an IP address nor a name: give --address as 203.0.113.7 or pc.example.org, without a port"
        ))),
    }
}

fn is_name(host: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    // Digits and dots alone are an address with a mistake.
    host.bytes().any(|byte| byte.is_ascii_alphabetic()) && host.split('.').all(label)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::network::{node_key, peer_id};

    /// A member with keys that anybody could make, at a documentation address.
    pub fn member(number: u8) -> Member {
        let key = |purpose: u8| accounts::address(&[number * 16 + purpose; 32]);
        let [node_peer_id, trainer_peer_id] = [peer_id(node_key(number)), peer_id(node_key(number + 100))];
        Member {
            format: FORMAT,
            network: "net".into(),
            name: format!("pc-{number}"),
            account: key(1),
            babe: key(2),
            grandpa: key(3),
            node_addresses: vec![format!("/ip4/203.0.113.{number}/tcp/30333/p2p/{node_peer_id}")],
            trainer_addresses: vec![format!("/ip4/203.0.113.{number}/tcp/30400/p2p/{trainer_peer_id}")],
            node_peer_id,
            trainer_peer_id,
        }
    }

    #[test]
    fn a_member_s_file_is_read_back_and_one_that_makes_no_sense_is_refused() {
        let good = serde_json::to_value(member(1)).unwrap();
        let parse = |value: &serde_json::Value| Member::parse(value.to_string().as_bytes());
        assert_eq!(parse(&good).unwrap(), member(1));
        for (field, bad) in [
            ("format", serde_json::Value::from(2)),
            ("account", "5Grw".into()),
            (
                "account",
                "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY".into(),
            ),
            ("grandpa", "".into()),
            ("node_peer_id", "12D3".into()),
            ("trainer_addresses", vec!["/ip4/1.2.3.4/tcp/1/p2p/12D3"].into()),
            ("phrase", "twelve words".into()),
        ] {
            let mut member = good.clone();
            member[field] = bad;
            assert!(parse(&member).is_err(), "{field}");
        }
    }

    #[test]
    fn hosts_become_multiaddresses() {
        assert_eq!(host_part("203.0.113.7").unwrap(), "/ip4/203.0.113.7");
        assert_eq!(host_part("2001:db8::7").unwrap(), "/ip6/2001:db8::7");
        assert_eq!(host_part("pc.example.org").unwrap(), "/dns/pc.example.org");
        for bad in [
            "",
            "1.2.3",
            "1.2.3.4:30333",
            "a/b",
            "http://x",
            "a..b",
            "300.1.1.1",
        ] {
            assert!(host_part(bad).is_err(), "{bad}");
        }
    }
}
