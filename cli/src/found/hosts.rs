//! Where members are reached, and what kind of network that makes.

use std::{
    fs,
    net::{IpAddr, Ipv4Addr, UdpSocket},
};

use super::member::Member;
use crate::args::{NetworkKind, ThisPcArgs};

/// Where others reach this PC: where it was said, else its address in the local network.
pub fn of_this_pc(args: &ThisPcArgs) -> Vec<String> {
    if !args.address.is_empty() {
        return args.address.clone();
    }
    vec![own_address().map_or_else(|| "127.0.0.1".into(), |address| address.to_string())]
}

/// Beyond every local network: nobody has this address.
const ELSEWHERE: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);

/// The address that this PC would use towards others; where no way leads out, in a network that it is in.
fn own_address() -> Option<IpAddr> {
    let table = fs::read_to_string("/proc/net/route").unwrap_or_default();
    std::iter::once(ELSEWHERE)
        .chain(neighbours(&table))
        .find_map(towards)
}

/// The address that this PC would use towards that one. Nothing is sent for it.
fn towards(other: Ipv4Addr) -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect((other, 9)).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

/// An address in each network that this PC is in, by the kernel's table of routes.
fn neighbours(table: &str) -> Vec<Ipv4Addr> {
    // proc(5): Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT
    let row = |line: &str| {
        let mut fields = line.split_whitespace().skip(1);
        // The bytes are in the order of the network, and are shown as a number of this machine's.
        let mut address = || {
            let number = u32::from_str_radix(fields.next()?, 16).ok()?;
            Some(Ipv4Addr::from(number.to_ne_bytes()))
        };
        let (network, gateway) = (address()?, address()?);
        let is_near = gateway.is_unspecified() && !network.is_unspecified() && !network.is_link_local();
        // The network's own address can't be used.
        is_near.then(|| Ipv4Addr::from(u32::from(network) | 1))
    };
    table.lines().skip(1).filter_map(row).collect()
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
    fn networks_of_this_pc_are_those_without_a_gateway() {
        let number = |address: [u8; 4]| format!("{:08X}", u32::from_ne_bytes(address));
        let row = |to, by| {
            format!(
                "eth0\t{}\t{}\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n",
                number(to),
                number(by)
            )
        };
        let table = [
            "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
                .to_owned(),
            row([0, 0, 0, 0], [192, 168, 1, 1]),
            row([10, 9, 0, 0], [192, 168, 1, 1]),
            row([169, 254, 0, 0], [0, 0, 0, 0]),
            row([192, 168, 1, 0], [0, 0, 0, 0]),
            "eth0\tcut off\n".to_owned(),
        ];
        assert_eq!(neighbours(&table.concat()), [Ipv4Addr::new(192, 168, 1, 1)]);
        assert!(neighbours("").is_empty());
        assert_eq!(towards(Ipv4Addr::LOCALHOST), Some(Ipv4Addr::LOCALHOST.into()));
    }

    #[test]
    fn a_member_s_hosts_are_those_in_its_addresses() {
        assert_eq!(hosts_of(&[member(1), member(2)]), ["203.0.113.1", "203.0.113.2"]);
    }
}
