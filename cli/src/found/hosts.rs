//! Where members are reached, and what kind of network that makes.

use std::net::{IpAddr, UdpSocket};

use super::member::Member;
use crate::args::{NetworkKind, ThisPcArgs};

/// Where others reach this PC: where it was said, else its address in the local network.
pub fn of_this_pc(args: &ThisPcArgs) -> Vec<String> {
    if !args.address.is_empty() {
        return args.address.clone();
    }
    vec![own_address().map_or_else(|| "127.0.0.1".into(), |address| address.to_string())]
}

/// The address that this PC would use towards others. Nothing is sent for it.
fn own_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    Some(socket.local_addr().ok()?.ip())
}

/// The hosts at which members are reached.
pub fn hosts_of(members: &[Member]) -> Vec<String> {
    let addresses = members.iter().flat_map(|member| &member.node_addresses);
    let host = |address: &String| address.split('/').nth(2).map(str::to_owned);
    addresses.filter_map(host).collect()
}

/// A network all of whose addresses are private is one of one place. Nodes of others don't use such addresses.
pub fn kind(hosts: &[String]) -> NetworkKind {
    let is_private = |host: &String| match host.parse() {
        Ok(IpAddr::V4(address)) => address.is_private() || address.is_loopback() || address.is_link_local(),
        Ok(IpAddr::V6(address)) => {
            address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local()
        }
        Err(_) => false,
    };
    if hosts.iter().all(is_private) {
        NetworkKind::Local
    } else {
        NetworkKind::Live
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::found::member::tests::member;

    #[test]
    fn private_addresses_make_a_network_of_one_place() {
        let kind = |hosts: &[&str]| {
            let hosts: Vec<String> = hosts.iter().map(ToString::to_string).collect();
            super::kind(&hosts)
        };
        assert_eq!(kind(&["192.168.1.5", "::1"]), NetworkKind::Local);
        assert_eq!(kind(&["127.0.0.1"]), NetworkKind::Local);
        assert_eq!(kind(&["192.168.1.5", "203.0.113.7"]), NetworkKind::Live);
        assert_eq!(kind(&["pc.example.org"]), NetworkKind::Live);
    }

    #[test]
    fn a_member_s_hosts_are_those_in_its_addresses() {
        assert_eq!(hosts_of(&[member(1), member(2)]), ["203.0.113.1", "203.0.113.2"]);
    }
}
