//! A local network of PCs on this one: each is a network namespace, with addresses and all ports of its own, plugged into one
//! bridge. There is no way out of it: what works in it works without the internet, and without another PC's loopback.
//!
//! It needs root, or a kernel that lets any user make namespaces. Where neither is so, it says so and puts all PCs onto this
//! one's loopback address, with ports of their own.
//!
//! However a test ends, nothing is left, and nothing of another run is in the way.

use std::process::Command;

use crate::{
    free_ports,
    namespace::{Namespace, Rights, command, ip},
};

/// Says how the PCs are to be separated: `root`, `user` or `loopback`; the first that works if it isn't set.
pub(crate) const WISH: &str = "HYDRA_TEST_LAN";
/// The bridge, in a namespace of its own.
const BRIDGE: &str = "lan";
/// Another one, for PCs that are cut off from those at the first.
const APART: &str = "apart";
/// Ports of a PC.
const PORTS: u16 = 4;

/// How PCs are separated from each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Network namespaces, made with root's rights.
    Root,
    /// Network namespaces within a user namespace, which needs no rights where the kernel allows it.
    User,
    /// By their ports only.
    Loopback,
}

/// The local network. Its namespaces end with it and the programs in them.
pub struct Lan {
    way: Way,
    seats: Vec<Seat>,
    /// What a command begins with that is to run where the bridge is.
    switchboard: Vec<String>,
    _namespaces: Vec<Namespace>,
}

/// A place for a PC in it.
#[derive(Clone, Debug)]
pub struct Seat {
    enter: Vec<String>,
    addresses: Vec<String>,
    ports: Vec<String>,
}

impl Lan {
    /// One with places for so many PCs. Says how they are separated.
    pub fn new(pcs: u8) -> Self {
        let wish = std::env::var(WISH).unwrap_or_default();
        let ways: &[Way] = match wish.as_str() {
            "root" => &[Way::Root],
            "user" => &[Way::User],
            "loopback" => &[],
            "" => &[Way::Root, Way::User],
            other => panic!("{WISH} is '{other}', and should be root, user or loopback"),
        };
        let mut reasons = vec![];
        for way in ways {
            match Self::made(*way, pcs) {
                Ok(lan) => {
                    let addresses: Vec<String> =
                        lan.seats.iter().map(|seat| seat.addresses.join(" ")).collect();
                    eprintln!(
                        "{pcs} PCs in network namespaces of their own ({way:?}): {}",
                        addresses.join(", ")
                    );
                    return lan;
                }
                Err(reason) => reasons.push(format!("{way:?}: {reason}")),
            }
        }
        assert!(
            wish.is_empty() || ways.is_empty(),
            "{WISH}={wish}: {}",
            reasons.join("; ")
        );
        eprintln!(
            "NO NETWORK NAMESPACES ({}): {pcs} PCs share the loopback address, and only their ports tell them apart",
            if ways.is_empty() {
                "not wanted".to_owned()
            } else {
                reasons.join("; ")
            }
        );
        Self::on_loopback(pcs)
    }

    /// One whose PCs are separated in this way, or why that can't be.
    pub fn made(way: Way, pcs: u8) -> Result<Self, String> {
        let (unshare, join) = match way {
            Way::Root => Rights::Root.options(),
            Way::User => Rights::User.options(),
            Way::Loopback => return Ok(Self::on_loopback(pcs)),
        };
        let switch = Namespace::new(&[], unshare)?;
        let switchboard = switch.enter(join);
        let mut plan = vec![
            format!("link add name {BRIDGE} type bridge"),
            format!("link set {BRIDGE} up"),
        ];
        let mut namespaces = vec![];
        for number in 1..=pcs {
            // Within the same user namespace, whose root may then plug them together.
            let pc = Namespace::new(&switchboard, &["--net"])?;
            plan.push(format!(
                "link add name pc{number} type veth peer name eth0 netns {}",
                pc.id()
            ));
            plan.push(format!("link set pc{number} master {BRIDGE} up"));
            namespaces.push(pc);
        }
        ip(&switchboard, &plan)?;
        let mut seats = vec![];
        for (number, pc) in (1..=pcs).zip(&namespaces) {
            seats.push(Seat::plugged_in(number, pc.enter(join))?);
        }
        // The bridge goes last.
        namespaces.push(switch);
        Ok(Self {
            way,
            seats,
            switchboard,
            _namespaces: namespaces,
        })
    }

    fn on_loopback(pcs: u8) -> Self {
        let first = free_ports(PORTS * u16::from(pcs));
        let seats = (0..u16::from(pcs)).map(|number| Seat::on_loopback(first + PORTS * number));
        Self {
            way: Way::Loopback,
            seats: seats.collect(),
            switchboard: vec![],
            _namespaces: vec![],
        }
    }

    /// How its PCs are separated.
    pub fn way(&self) -> Way {
        self.way
    }

    /// Cuts the PCs with these numbers, from 0, off from all others: they reach each other, and nobody else does them.
    pub fn cut(&self, apart: &[usize]) {
        assert_ne!(
            self.way,
            Way::Loopback,
            "PCs that share an address can't be cut apart"
        );
        let mut plan = vec![
            format!("link add name {APART} type bridge"),
            format!("link set {APART} up"),
        ];
        plan.extend(plugs(apart, APART));
        ip(&self.switchboard, &plan).unwrap_or_else(|reason| panic!("{reason}"));
    }

    /// Plugs the PCs with these numbers, which were cut off, in where the others are.
    pub fn heal(&self, apart: &[usize]) {
        let mut plan = plugs(apart, BRIDGE);
        plan.push(format!("link delete {APART}"));
        ip(&self.switchboard, &plan).unwrap_or_else(|reason| panic!("{reason}"));
    }

    /// The place of the PC with this number, from 0.
    pub fn seat(&self, number: usize) -> Seat {
        self.seats.get(number).expect("a place in the network").clone()
    }
}

impl Seat {
    /// The place of a PC that is to reach programs of a test on this one: on its loopback address, with free ports.
    pub fn here() -> Self {
        Self::on_loopback(free_ports(PORTS))
    }

    /// One in a namespace that is configured already, which it has to itself.
    pub(crate) fn in_namespace(enter: Vec<String>, addresses: Vec<String>) -> Self {
        Self {
            enter,
            addresses,
            ports: vec![],
        }
    }

    fn on_loopback(first: u16) -> Self {
        Self {
            enter: vec![],
            addresses: vec!["127.0.0.1".into()],
            ports: port_options(first),
        }
    }

    /// Gives the PC in this namespace its addresses.
    fn plugged_in(number: u8, enter: Vec<String>) -> Result<Self, String> {
        let (v4, v6) = (format!("10.77.0.{number}"), format!("fd77::{number}"));
        ip(
            &enter,
            &[
                "link set lo up".into(),
                "link set eth0 up".into(),
                format!("address add {v4}/24 dev eth0"),
            ],
        )?;
        let mut addresses = vec![v4];
        // Without a look for others that have it, which takes seconds: there are none.
        match ip(&enter, &[format!("address add {v6}/64 dev eth0 nodad")]) {
            Ok(()) => addresses.push(v6),
            Err(reason) => eprintln!("no IPv6 here: {reason}"),
        }
        Ok(Self {
            enter,
            addresses,
            ports: vec![],
        })
    }

    /// Where other PCs reach it.
    pub fn addresses(&self) -> &[String] {
        &self.addresses
    }

    /// The options that choose its ports: none where it has all ports to itself.
    pub fn ports(&self) -> &[String] {
        &self.ports
    }

    /// The command that runs `words` on this PC. It is the program itself that runs: with its process id, and without a shell.
    pub fn command(&self, words: &[&str]) -> Command {
        command(&self.enter, words)
    }
}

/// What plugs the PCs with these numbers, from 0, into a bridge.
fn plugs(numbers: &[usize], bridge: &str) -> Vec<String> {
    numbers
        .iter()
        .map(|number| format!("link set pc{} master {bridge}", number + 1))
        .collect()
}

fn port_options(first: u16) -> Vec<String> {
    let options = [
        "--rpc-port",
        "--p2p-port",
        "--trainer-http-port",
        "--trainer-p2p-port",
    ];
    let ports = (first..).zip(options);
    ports
        .flat_map(|(port, option)| [option.to_owned(), port.to_string()])
        .collect()
}
