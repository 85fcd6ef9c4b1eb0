//! A laboratory for what stands between PCs at home: an internet of network namespaces, homes with routers of every kind, and real
//! trainers in them.
//!
//! It needs root, or a kernel that lets any user make namespaces, and nftables; where it can't be made it says so. Addresses, rules and
//! traffic are those of namespaces that it made itself: nothing gets out, and nothing is left.
//!
//! Start with [`Laboratory::open`], give it a [`Plan`] of each home, and put trainers into their seats by [`LabTrainer::start`]. What
//! the kinds of routers do is tested with [`Prober`]s, which hold a port and say what comes to it. [`matrix`] lets PCs behind every pair
//! of them fetch from each other, and [`cases`] does what no pair of routers shows.

mod address;
pub mod cases;
mod certificate;
mod home;
mod internet;
mod mapper;
pub mod matrix;
mod probe;
mod router;
mod sheet;
mod trainer;

pub use address::Customer;
pub use home::{Families, Home, Host, Plan};
pub use mapper::Mapper;
pub use probe::{Prober, Protocol};
pub use router::{Carries, Kind};
pub use trainer::{LabTrainer, Path, Reachability, Sight, Start};

use std::{
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

use crate::{
    namespace::{Rights, command, nft},
    netns::WISH,
};
use internet::Internet;

/// What a multiaddress begins with, for an IP address.
pub fn multiaddress(address: &str) -> String {
    match address.parse() {
        Ok(IpAddr::V6(address)) => format!("/ip6/{address}"),
        _ => format!("/ip4/{address}"),
    }
}

/// It.
pub struct Laboratory {
    internet: Mutex<Internet>,
}

impl Laboratory {
    /// One with nobody in it yet; or none, with the reason, which is also said where nobody overlooks it.
    pub fn open() -> Option<Self> {
        let wish = std::env::var(WISH).unwrap_or_default();
        let ways: &[Rights] = match wish.as_str() {
            "root" => &[Rights::Root],
            "user" => &[Rights::User],
            "loopback" => &[],
            "" => &[Rights::Root, Rights::User],
            other => panic!("{WISH} is '{other}', and should be root, user or loopback"),
        };
        let mut reasons = vec![];
        for rights in ways {
            match Self::made(*rights) {
                Ok(laboratory) => return Some(laboratory),
                Err(reason) => reasons.push(format!("{rights:?}: {reason}")),
            }
        }
        assert!(
            wish.is_empty() || ways.is_empty(),
            "{WISH}={wish}: {}",
            reasons.join("; ")
        );
        eprintln!(
            "NO NETWORK NAMESPACES ({}): nothing was shown of PCs behind routers",
            if ways.is_empty() {
                "not wanted".to_owned()
            } else {
                reasons.join("; ")
            }
        );
        None
    }

    /// One made with these rights, if it can have everything that a router takes.
    fn made(rights: Rights) -> Result<Self, String> {
        let internet = Internet::new(rights)?;
        // Where one kind's rules are taken, all are but for what the kernel leaves out.
        for kind in Kind::ALL {
            let trial = internet.namespace()?;
            let rules = router::rules(kind, Carries::Everything, Some("203.0.113.1"));
            nft(&internet.enter_to(&trial), &rules).map_err(|reason| format!("{kind}: {reason}"))?;
        }
        Ok(Self {
            internet: Mutex::new(internet),
        })
    }

    /// A home after this plan.
    pub fn home(&self, plan: Plan) -> Home {
        assert!(
            plan.mapper.is_none() || command(&[], &["miniupnpd", "--version"]).output().is_ok(),
            "miniupnpd is missing: scripts/setup --for-tests installs it"
        );
        self.with(|internet| Home::new(internet, plan))
            .unwrap_or_else(|reason| panic!("{plan:?}: {reason}"))
    }

    /// A PC without a router.
    pub fn host(&self) -> Host {
        self.with(Host::new)
            .unwrap_or_else(|reason| panic!("a public PC: {reason}"))
    }

    /// Cuts the line of a customer, or mends it.
    pub fn set_line(&self, customer: Customer, up: bool) {
        self.with(|internet| internet.set_line(customer, up))
            .unwrap_or_else(|reason| panic!("{reason}"));
    }

    fn with<T>(&self, work: impl FnOnce(&mut Internet) -> T) -> T {
        // Who panicked with it has failed the test, and what is left can still be taken down.
        work(&mut self.internet.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
