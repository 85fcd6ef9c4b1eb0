//! Chance that can be repeated: keys, addresses and choices from one seed.

use hydra_network::{Keypair, Scope};
use std::{
    collections::HashSet,
    net::{Ipv4Addr, SocketAddrV4},
};

/// A stream of numbers: BLAKE3 of the seed and a counter.
pub struct Draw {
    seed: u64,
    count: u64,
}

impl Draw {
    pub fn new(seed: u64) -> Self {
        Self { seed, count: 0 }
    }

    pub fn bytes(&mut self) -> [u8; 32] {
        self.count += 1;
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.seed.to_le_bytes());
        hasher.update(&self.count.to_le_bytes());
        *hasher.finalize().as_bytes()
    }

    pub fn number(&mut self) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = self.bytes();
        u64::from_le_bytes([a, b, c, d, e, f, g, h])
    }

    pub fn keypair(&mut self) -> Keypair {
        loop {
            // Every 32 bytes are a key.
            if let Ok(keypair) = Keypair::ed25519_from_bytes(self.bytes()) {
                return keypair;
            }
        }
    }

    pub fn one_of<'a, T>(&mut self, list: &'a [T]) -> Option<&'a T> {
        let at = self.number().checked_rem(list.len() as u64)?;
        list.get(usize::try_from(at).ok()?)
    }

    /// A public address that nobody has yet.
    pub fn address(&mut self, taken: &mut HashSet<Ipv4Addr>) -> SocketAddrV4 {
        loop {
            let [a, b, c, d, ..] = self.bytes();
            let ip = Ipv4Addr::new(a, b, c, d);
            let usable = (1..224).contains(&a) && Scope::of_ip(ip.into()) == Some(Scope::Public);
            if usable && taken.insert(ip) {
                return SocketAddrV4::new(ip, 1);
            }
        }
    }
}
