//! Which addresses are whose. All of them exist in namespaces of the laboratory only.
//!
//! What stands for public addresses are those that documents use (RFC 5737, RFC 3849): no PC at home has one, and whoever looks at an
//! address by its range counts them as public, as the network does. Port mappers don't: a router that has one gets an address of a range
//! that is somebody's outside, and nobody's in here.

/// A customer's number at the provider, from 1 to 31.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Customer(u8);

impl Customer {
    /// As many as there are nets of eight addresses in a /24, but for the provider's own.
    pub(super) const MOST: u8 = 31;

    pub(super) fn new(number: u8) -> Result<Self, String> {
        match number {
            1..=Self::MOST => Ok(Self(number)),
            _ => Err(format!("the laboratory has {} customers at most", Self::MOST)),
        }
    }

    pub(super) fn number(self) -> u8 {
        self.0
    }

    /// Of a PC without a router.
    pub fn host(self) -> String {
        format!("198.51.100.{}", self.0)
    }

    /// Of a router.
    pub fn router(self) -> String {
        format!("203.0.113.{}", self.0)
    }

    /// Of a router with a port mapper, which lets nobody map ports of an address that documents use.
    pub fn mapping_router(self) -> String {
        format!("30.0.0.{}", self.0)
    }

    /// The net of a home whose PCs have public addresses: eight of them.
    pub(super) fn open_net(self) -> String {
        format!("192.0.2.{}/29", u16::from(self.0) * 8)
    }

    /// An address in it, from 1 to 6; the router has the first.
    pub(super) fn in_open_net(self, host: u8) -> String {
        format!("192.0.2.{}", u16::from(self.0) * 8 + u16::from(host))
    }

    /// All IPv6 addresses of the customer.
    pub(super) fn prefix(self) -> String {
        format!("2001:db8:{:x}::/48", self.0)
    }

    /// The IPv6 address of a PC without a router.
    pub fn host6(self) -> String {
        format!("2001:db8:{:x}::1", self.0)
    }

    /// An IPv6 address in the home's net.
    pub(super) fn in_home6(self, host: u8) -> String {
        format!("2001:db8:{:x}:1::{host:x}", self.0)
    }
}

/// The provider's router.
pub(super) const GATEWAY: &str = "192.0.2.1";
/// The same for its customers, on their line to it.
pub(super) const GATEWAY6: &str = "fe80::1";
/// A customer's end of that line.
pub(super) const LINE6: &str = "fe80::2";
/// The router at home. Every home has the same net, as it is: an address in it means another PC in each.
pub(super) const HOME_GATEWAY: &str = "192.168.1.1";

/// The private address of a PC, by its number at home, from 0.
pub(super) fn at_home(number: u8) -> String {
    format!("192.168.1.{}", u16::from(number) + 10)
}
