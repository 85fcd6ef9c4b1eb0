//! A home: a router, the net behind it, and the PCs in that.

use super::{
    address::{Customer, HOME_GATEWAY, at_home},
    internet::{Internet, WAN, forwards},
    mapper::{Mapper, PortMapping},
    router::{Carries, Kind, rules},
};
use crate::{
    namespace::{Namespace, command, ip, nft, sysctl},
    netns::Seat,
};

/// Which families of addresses somebody has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Families {
    /// IPv4.
    #[default]
    V4,
    /// IPv6.
    V6,
    /// Both.
    Both,
}

impl Families {
    pub(super) fn has_v4(self) -> bool {
        self != Self::V6
    }

    pub(super) fn has_v6(self) -> bool {
        self != Self::V4
    }
}

/// What a home is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Plan {
    /// Its router.
    pub kind: Kind,
    /// What that carries.
    pub carries: Carries,
    /// PCs, 5 at most.
    pub pcs: u8,
    /// The addresses of its PCs.
    pub families: Families,
    /// How they may have ports mapped, if they may.
    pub mapper: Option<Mapper>,
}

impl Plan {
    /// One PC with IPv4 behind a router of this kind that carries everything and maps no ports.
    pub fn behind(kind: Kind) -> Self {
        Self {
            kind,
            carries: Carries::default(),
            pcs: 1,
            families: Families::default(),
            mapper: None,
        }
    }

    /// As this, but the router carries that only.
    #[must_use]
    pub fn carrying(self, carries: Carries) -> Self {
        Self { carries, ..self }
    }

    /// As this, with so many PCs.
    #[must_use]
    pub fn with_pcs(self, pcs: u8) -> Self {
        Self { pcs, ..self }
    }

    /// As this, with these addresses.
    #[must_use]
    pub fn with(self, families: Families) -> Self {
        Self { families, ..self }
    }

    /// As this, with a port mapper.
    #[must_use]
    pub fn with_mapper(self, mapper: Mapper) -> Self {
        Self {
            mapper: Some(mapper),
            ..self
        }
    }
}

/// It, for as long as its namespaces are held.
pub struct Home {
    customer: Customer,
    address: Option<String>,
    pcs: Vec<Seat>,
    enter_router: Vec<String>,
    // What runs in a namespace ends before it.
    _mapping: Option<PortMapping>,
    _namespaces: Vec<Namespace>,
}

impl Home {
    pub(super) fn new(internet: &mut Internet, plan: Plan) -> Result<Self, String> {
        let customer = internet.customer()?;
        let router = internet.namespace()?;
        let enter_router = internet.enter_to(&router);
        let address = plan.families.has_v4().then(|| match plan.mapper {
            None => customer.router(),
            Some(_) => customer.mapping_router(),
        });
        let open = plan.kind == Kind::Open;
        let nets = if open { vec![customer.open_net()] } else { vec![] };
        internet.connect(
            customer,
            &router,
            address.as_deref(),
            &nets,
            plan.families.has_v6(),
        )?;
        forwards(&enter_router)?;
        nft(&enter_router, &rules(plan.kind, plan.carries, address.as_deref()))?;

        // What PCs say to each other in their own net goes through no rules.
        let bridged = [
            "net/bridge/bridge-nf-call-iptables",
            "net/bridge/bridge-nf-call-ip6tables",
        ];
        sysctl(&enter_router, &bridged.map(|name| (name, "0")))?;

        let v4 = |host: u8| match (plan.families.has_v4(), open) {
            (false, _) => None,
            (true, true) => Some((customer.in_open_net(host + 2), 29)),
            (true, false) => Some((at_home(host), 24)),
        };
        let v6 = |host: u8| plan.families.has_v6().then(|| customer.in_home6(host + 10));
        let gateway = match open {
            true => customer.in_open_net(1),
            false => HOME_GATEWAY.into(),
        };
        let gateway6 = customer.in_home6(1);
        // What is sent to all reaches all: PCs find each other, and their router, by that.
        let mut lan = vec![
            "link add name lan type bridge mcast_snooping 0".to_owned(),
            "link set lan addrgenmode none".into(),
            "link set lan up".into(),
        ];
        if let Some((_, bits)) = v4(0) {
            lan.push(format!("address add {gateway}/{bits} dev lan"));
        }
        if plan.families.has_v6() {
            lan.push("address add fe80::1/64 dev lan nodad".into());
            lan.push(format!("address add {gateway6}/64 dev lan nodad"));
        }
        let mut namespaces = vec![];
        for number in 0..plan.pcs {
            let pc = internet.namespace()?;
            lan.push(format!(
                "link add name pc{number} type veth peer name eth0 netns {}",
                pc.id()
            ));
            lan.push(format!("link set pc{number} master lan addrgenmode none up"));
            namespaces.push(pc);
        }
        ip(&enter_router, &lan)?;
        let mut pcs = vec![];
        for (number, pc) in (0..plan.pcs).zip(&namespaces) {
            let enter = internet.enter_to(pc);
            let mut addresses = vec![];
            let mut inside = vec![
                "link set lo up".to_owned(),
                "link set eth0 addrgenmode none".into(),
                "link set eth0 up".into(),
            ];
            if let Some((address, bits)) = v4(number) {
                inside.push(format!("address add {address}/{bits} dev eth0"));
                inside.push(format!("route add default via {gateway}"));
                addresses.push(address);
            }
            if let Some(address) = v6(number) {
                inside.push(format!("address add fe80::{:x}/64 dev eth0 nodad", number + 10));
                inside.push(format!("address add {address}/64 dev eth0 nodad"));
                inside.push(format!("route add default via {gateway6}"));
                addresses.push(address);
            }
            ip(&enter, &inside)?;
            pcs.push(Seat::in_namespace(enter, addresses));
        }
        let mapping = plan
            .mapper
            .map(|mapper| PortMapping::start(mapper, &enter_router));
        let mapping = mapping.transpose()?;
        // The router goes last.
        namespaces.push(router);
        Ok(Self {
            customer,
            address,
            pcs,
            enter_router,
            _mapping: mapping,
            _namespaces: namespaces,
        })
    }

    /// The PC with this number, from 0.
    pub fn pc(&self, number: usize) -> Seat {
        self.pcs.get(number).expect("a PC of this home").clone()
    }

    /// The customer that it is.
    pub fn customer(&self) -> Customer {
        self.customer
    }

    /// Its router's address, if it has IPv4: what its PCs look like from outside, unless they have public addresses.
    pub fn address(&self) -> Option<&str> {
        self.address.as_deref()
    }

    /// Makes the router forget every connection, as one that was switched off and on again.
    pub fn forget_connections(&self) -> Result<(), String> {
        let flushed = command(&self.enter_router, &["conntrack", "--flush"]).output();
        match flushed {
            Ok(output) if output.status.success() => Ok(()),
            Ok(output) => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
            Err(error) => Err(format!("conntrack (package conntrack): {error}")),
        }
    }

    /// The connections that its router knows, one a line, for whoever wonders what went wrong.
    pub fn connections(&self) -> String {
        match command(&self.enter_router, &["conntrack", "--dump"]).output() {
            Ok(output) => String::from_utf8_lossy(&output.stdout).into_owned(),
            Err(error) => format!("conntrack (package conntrack): {error}"),
        }
    }
}

/// A PC without a router, with public addresses.
pub struct Host {
    customer: Customer,
    seat: Seat,
    _namespace: Namespace,
}

impl Host {
    pub(super) fn new(internet: &mut Internet) -> Result<Self, String> {
        let customer = internet.customer()?;
        let namespace = internet.namespace()?;
        internet.connect(customer, &namespace, Some(&customer.host()), &[], true)?;
        let enter = internet.enter_to(&namespace);
        let address = format!("address add {}/128 dev {WAN} nodad", customer.host6());
        ip(&enter, &[address])?;
        Ok(Self {
            customer,
            seat: Seat::in_namespace(enter, vec![customer.host(), customer.host6()]),
            _namespace: namespace,
        })
    }

    /// Its place.
    pub fn seat(&self) -> Seat {
        self.seat.clone()
    }

    /// The customer that it is.
    pub fn customer(&self) -> Customer {
        self.customer
    }
}
