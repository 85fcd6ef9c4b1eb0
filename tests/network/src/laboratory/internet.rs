//! The internet: one provider's router, with a line to each customer, and no way to anywhere else.

use super::address::{Customer, GATEWAY, GATEWAY6, LINE6};
use crate::namespace::{Namespace, Rights, ip, nft, sysctl};

/// A customer's end of the line.
pub(super) const WAN: &str = "wan";

/// It, for as long as its namespace is held.
pub(super) struct Internet {
    rights: Rights,
    namespace: Namespace,
    customers: u8,
}

impl Internet {
    /// One without customers.
    pub(super) fn new(rights: Rights) -> Result<Self, String> {
        let (unshare, join) = rights.options();
        let namespace = Namespace::new(&[], unshare)?;
        let enter = namespace.enter(join);
        let mut plan = vec![
            "link set lo up".into(),
            format!("address add {GATEWAY}/32 dev lo"),
        ];
        // Nobody in the internet says that a private address isn't there: what is sent to one is lost.
        for private in ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"] {
            plan.push(format!("route add blackhole {private}"));
        }
        ip(&enter, &plan)?;
        forwards(&enter)?;
        Ok(Self {
            rights,
            namespace,
            customers: 0,
        })
    }

    /// What a command begins with that is to run where the provider is.
    fn enter(&self) -> Vec<String> {
        self.namespace.enter(self.rights.options().1)
    }

    /// What a command begins with that is to run in this namespace.
    pub(super) fn enter_to(&self, namespace: &Namespace) -> Vec<String> {
        namespace.enter(self.rights.options().1)
    }

    /// A namespace that the laboratory's rights are enough for.
    pub(super) fn namespace(&self) -> Result<Namespace, String> {
        Namespace::new(&self.enter(), &["--net"])
    }

    /// The next customer's number.
    pub(super) fn customer(&mut self) -> Result<Customer, String> {
        self.customers = self.customers.saturating_add(1);
        Customer::new(self.customers)
    }

    /// Lays a line to this namespace, which has [`WAN`] then: with this address, if it has one, and these nets behind it.
    pub(super) fn connect(
        &self,
        customer: Customer,
        to: &Namespace,
        address: Option<&str>,
        nets: &[String],
        ipv6: bool,
    ) -> Result<(), String> {
        let line = line(customer);
        let mut plan = vec![
            format!("link add name {line} type veth peer name {WAN} netns {}", to.id()),
            // The addresses on the line are given: no other is made, and nobody asks for seconds whether somebody has them.
            format!("link set {line} addrgenmode none"),
            format!("link set {line} up"),
        ];
        let mut inside = vec![
            "link set lo up".to_owned(),
            format!("link set {WAN} addrgenmode none"),
            format!("link set {WAN} up"),
        ];
        if let Some(address) = address {
            plan.push(format!("route add {address}/32 dev {line}"));
            inside.push(format!("address add {address}/32 dev {WAN}"));
            inside.push(format!("route add {GATEWAY} dev {WAN}"));
            inside.push(format!("route add default via {GATEWAY} src {address}"));
            for net in nets {
                plan.push(format!("route add {net} via {address} dev {line} onlink"));
            }
        }
        if ipv6 {
            plan.push(format!("address add {GATEWAY6}/64 dev {line} nodad"));
            plan.push(format!("route add {} via {LINE6} dev {line}", customer.prefix()));
            inside.push(format!("address add {LINE6}/64 dev {WAN} nodad"));
            inside.push(format!("route add default via {GATEWAY6} dev {WAN}"));
        }
        ip(&self.enter(), &plan)?;
        ip(&self.enter_to(to), &inside)
    }

    /// Cuts a customer's line, or mends it. Nobody is told: with the link itself taken down, the routes over it would be gone for good.
    pub(super) fn set_line(&self, customer: Customer, up: bool) -> Result<(), String> {
        let line = line(customer);
        let mut rules = format!("table inet cut_{line}\ndelete table inet cut_{line}\n");
        if !up {
            rules.push_str(&format!(
                "table inet cut_{line} {{
    chain through {{
        type filter hook forward priority filter;
        iifname \"{line}\" drop
        oifname \"{line}\" drop
    }}
}}
"
            ));
        }
        nft(&self.enter(), &rules)
    }
}

fn line(customer: Customer) -> String {
    format!("line{}", customer.number())
}

/// Makes a namespace one that passes on what isn't for itself.
pub(super) fn forwards(enter: &[String]) -> Result<(), String> {
    sysctl(
        enter,
        &[
            ("net/ipv4/ip_forward", "1"),
            ("net/ipv6/conf/all/forwarding", "1"),
        ],
    )
}
