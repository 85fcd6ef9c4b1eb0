//! What a PC tells everybody of itself: where it is reached, and what it can do. Signed with the key that its PeerId is made of, so
//! whoever keeps or passes on the record can't change it.
//!
//! ```text
//! version u8 = 1 │ PeerId, bytes │ addresses: at most 8 of at most 128 bytes │ flags u8 │ cores u8 │ room u8 │ sequence u64 │ expires u64
//! signature 64 bytes, over "hydra/peer/1\0" ‖ the network's name, bytes ‖ all of the above
//! ```
//!
//! (SCALE.) Of two records of a peer the one with the higher sequence number counts. A clock that is wrong must not cut a PC off:
//! whether a record is [`Freshness::Fresh`] by the reader's own clock decides only whether it is kept for others; who looks for a peer
//! makes do with one that isn't, if there is no other.

use crate::identity::peer_id_from_bytes;
use codec::{Decode, DecodeAll, Encode};
use libp2p::{
    Multiaddr, PeerId,
    identity::{Keypair, PublicKey},
    kad::RecordKey,
    multiaddr::Protocol,
};
use std::time::Duration;

/// Addresses in a record.
pub const MOST_ADDRESSES: usize = 8;
/// Bytes of an address in a record.
const LONGEST_ADDRESS: usize = 128;
/// Bytes of a record.
pub const LONGEST_RECORD: usize = 1024;
/// How far ahead a record may expire.
pub const LONGEST_LIFE: Duration = Duration::from_secs(24 * 3600);
/// How far a clock may be from the author's: a time zone taken for another is half a day at the most.
const TOLERANCE: Duration = Duration::from_secs(12 * 3600);
/// In how many places of the key space a record lies. Whoever wants to hide one has to surround all of them.
pub const PLACES: u8 = 3;

const VERSION: u8 = 1;
const DOMAIN: &[u8] = b"hydra/peer/1\0";

/// What a PC can do for others, as it says itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// It introduces PCs to each other that can't be reached otherwise.
    pub relay: bool,
    /// It gives blobs to others.
    pub provider: bool,
    /// Processor cores that it lends: at least 2 to this power.
    pub cores_class: u8,
    /// Room for blobs: at least 2 to this power, in GiB.
    pub room_class: u8,
}

impl Capabilities {
    const RELAY: u8 = 1;
    const PROVIDER: u8 = 2;

    pub(super) fn flags(self) -> u8 {
        (u8::from(self.relay) * Self::RELAY) | (u8::from(self.provider) * Self::PROVIDER)
    }

    fn from_wire(flags: u8, cores_class: u8, room_class: u8) -> Self {
        Self {
            // What later versions may add is no error.
            relay: flags & Self::RELAY != 0,
            provider: flags & Self::PROVIDER != 0,
            cores_class: cores_class.min(16),
            room_class: room_class.min(32),
        }
    }
}

/// A record whose signature is right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerRecord {
    /// Whose it is.
    pub peer: PeerId,
    /// Where it says it is reached; at least one, without its PeerId at the end.
    pub addresses: Vec<Multiaddr>,
    /// What it says it can do.
    pub capabilities: Capabilities,
    /// Higher is newer.
    pub sequence: u64,
    /// When it is worth nothing any more: seconds since 1970, by the clock of whoever signed it.
    pub expires: u64,
}

/// How a record's time stands to a clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// It holds.
    Fresh,
    /// It has expired, or will much later than records do: it is old, or one of both clocks is wrong.
    Doubtful,
}

/// Why bytes aren't a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// It may have 1 KiB.
    #[error("it is longer than {LONGEST_RECORD} bytes")]
    TooLong,
    /// What is wrong with it.
    #[error("it isn't a record: {0}")]
    Malformed(&'static str),
    /// Somebody else made it, for this network or another.
    #[error("its signature isn't that of the peer that it names, in this network")]
    Forged,
    /// The key couldn't sign.
    #[error("it can't be signed with this key; the data plane needs an Ed25519 key")]
    Key,
}

#[derive(Encode, Decode)]
struct Body {
    version: u8,
    peer: Vec<u8>,
    addresses: Vec<Vec<u8>>,
    flags: u8,
    cores_class: u8,
    room_class: u8,
    sequence: u64,
    expires: u64,
}

#[derive(Encode, Decode)]
struct Signed {
    body: Body,
    signature: [u8; 64],
}

impl PeerRecord {
    /// The record as it is given to others. Addresses for which there is no room are left out, the last ones first.
    ///
    /// # Errors
    /// [`RecordError::Key`]; [`RecordError::Malformed`] without an address.
    pub fn sign(&self, keypair: &Keypair, network: &str) -> Result<Vec<u8>, RecordError> {
        let addresses = self.addresses.iter().map(Multiaddr::to_vec);
        let mut addresses: Vec<Vec<u8>> = addresses
            .filter(|address| address.len() <= LONGEST_ADDRESS)
            .take(MOST_ADDRESSES)
            .collect();
        while !addresses.is_empty() {
            let body = Body {
                version: VERSION,
                peer: self.peer.to_bytes(),
                addresses: addresses.clone(),
                flags: self.capabilities.flags(),
                cores_class: self.capabilities.cores_class,
                room_class: self.capabilities.room_class,
                sequence: self.sequence,
                expires: self.expires,
            };
            let signature = keypair
                .sign(&to_be_signed(&body, network))
                .map_err(|_| RecordError::Key)?;
            let signature = signature.try_into().map_err(|_| RecordError::Key)?;
            let bytes = Signed { body, signature }.encode();
            if bytes.len() <= LONGEST_RECORD {
                return Ok(bytes);
            }
            addresses.pop();
        }
        Err(RecordError::Malformed("no address"))
    }

    /// Reads a record, and checks who made it.
    ///
    /// # Errors
    /// [`RecordError`].
    pub fn verify(bytes: &[u8], network: &str) -> Result<Self, RecordError> {
        if bytes.len() > LONGEST_RECORD {
            return Err(RecordError::TooLong);
        }
        let malformed = RecordError::Malformed;
        let signed = Signed::decode_all(&mut &*bytes).map_err(|_| malformed("bytes"))?;
        let Signed { body, signature } = &signed;
        if body.version != VERSION {
            return Err(malformed("version"));
        }
        // One record, one byte string.
        if signed.encode() != bytes {
            return Err(malformed("not canonical"));
        }
        let peer = peer_id_from_bytes(&body.peer).map_err(|_| malformed("PeerId"))?;
        let key = key_of(&peer).ok_or(malformed("PeerId without a key"))?;
        if !key.verify(&to_be_signed(body, network), signature) {
            return Err(RecordError::Forged);
        }
        if body.addresses.is_empty() || body.addresses.len() > MOST_ADDRESSES {
            return Err(malformed("number of addresses"));
        }
        let addresses = body.addresses.iter().map(|bytes| address(bytes, &peer));
        let addresses: Option<Vec<Multiaddr>> = addresses.collect();
        Ok(Self {
            peer,
            addresses: addresses.ok_or(malformed("address"))?,
            capabilities: Capabilities::from_wire(body.flags, body.cores_class, body.room_class),
            sequence: body.sequence,
            expires: body.expires,
        })
    }

    /// How it stands to a clock that shows `now` seconds since 1970.
    pub fn freshness(&self, now: u64) -> Freshness {
        let expired = self.expires.saturating_add(TOLERANCE.as_secs()) <= now;
        let latest = now.saturating_add((LONGEST_LIFE + TOLERANCE).as_secs());
        match expired || self.expires > latest {
            true => Freshness::Doubtful,
            false => Freshness::Fresh,
        }
    }
}

/// Where a peer's record lies.
pub fn key(peer: &PeerId, place: u8) -> RecordKey {
    let mut hasher = blake3::Hasher::new();
    hasher.update(DOMAIN);
    hasher.update(&[place]);
    hasher.update(&peer.to_bytes());
    RecordKey::from(hasher.finalize().as_bytes().to_vec())
}

/// Whether a peer's record belongs under this key.
pub(super) fn belongs(peer: &PeerId, to: &RecordKey) -> bool {
    (0..PLACES).any(|place| key(peer, place) == *to)
}

fn to_be_signed(body: &Body, network: &str) -> Vec<u8> {
    let mut bytes = DOMAIN.to_vec();
    network.encode_to(&mut bytes);
    body.encode_to(&mut bytes);
    bytes
}

/// An Ed25519 PeerId is its key.
fn key_of(peer: &PeerId) -> Option<PublicKey> {
    const IDENTITY: u64 = 0;
    let hash = peer.as_ref();
    if hash.code() != IDENTITY {
        return None;
    }
    let key = PublicKey::try_decode_protobuf(hash.digest()).ok()?;
    (key.to_peer_id() == *peer).then_some(key)
}

/// An address of this peer, in its one form.
fn address(bytes: &[u8], peer: &PeerId) -> Option<Multiaddr> {
    if bytes.len() > LONGEST_ADDRESS {
        return None;
    }
    let mut address = Multiaddr::try_from(bytes.to_vec()).ok()?;
    if address.is_empty() || address.to_vec() != bytes {
        return None;
    }
    // Its own PeerId at the end says nothing new, another one is somebody else.
    match address.iter().last() {
        Some(Protocol::P2p(other)) if other != *peer => return None,
        Some(Protocol::P2p(_)) => {
            address.pop();
        }
        _ => {}
    }
    (!address.is_empty()).then_some(address)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    pub(crate) fn of(keypair: &Keypair, sequence: u64) -> PeerRecord {
        PeerRecord {
            peer: keypair.public().to_peer_id(),
            addresses: vec!["/ip4/192.0.2.1/tcp/30400".parse().unwrap()],
            capabilities: Capabilities {
                relay: true,
                provider: false,
                cores_class: 3,
                room_class: 7,
            },
            sequence,
            expires: 1_000_000,
        }
    }

    #[test]
    fn what_was_signed_is_read() {
        let keypair = Keypair::generate_ed25519();
        let record = of(&keypair, 7);
        let bytes = record.sign(&keypair, "test").unwrap();
        assert_eq!(PeerRecord::verify(&bytes, "test"), Ok(record));
        assert_eq!(PeerRecord::verify(&bytes, "other"), Err(RecordError::Forged));
    }

    #[test]
    fn nobody_signs_for_somebody_else() {
        let (own, other) = (Keypair::generate_ed25519(), Keypair::generate_ed25519());
        let stolen = of(&other, 1).sign(&own, "test").unwrap();
        assert_eq!(PeerRecord::verify(&stolen, "test"), Err(RecordError::Forged));
        assert!(belongs(
            &other.public().to_peer_id(),
            &key(&other.public().to_peer_id(), 2)
        ));
        assert!(!belongs(
            &own.public().to_peer_id(),
            &key(&other.public().to_peer_id(), 0)
        ));
    }

    #[test]
    fn addresses_are_bounded_and_its_own() {
        let keypair = Keypair::generate_ed25519();
        let mut record = of(&keypair, 1);
        record.addresses = (0..20)
            .map(|port| format!("/ip4/192.0.2.1/tcp/{port}").parse().unwrap())
            .collect();
        let bytes = record.sign(&keypair, "test").unwrap();
        let read = PeerRecord::verify(&bytes, "test").unwrap();
        assert_eq!(read.addresses, record.addresses[..MOST_ADDRESSES]);
        record.addresses = vec![];
        assert!(record.sign(&keypair, "test").is_err());
        let ours = format!("/ip4/192.0.2.1/tcp/1/p2p/{}", record.peer);
        record.addresses = vec![ours.parse().unwrap()];
        let bytes = record.sign(&keypair, "test").unwrap();
        let read = PeerRecord::verify(&bytes, "test").unwrap();
        assert_eq!(
            read.addresses,
            ["/ip4/192.0.2.1/tcp/1".parse::<Multiaddr>().unwrap()]
        );
        record.addresses = vec![
            format!("/ip4/192.0.2.1/tcp/1/p2p/{}", PeerId::random())
                .parse()
                .unwrap(),
        ];
        let bytes = record.sign(&keypair, "test").unwrap();
        assert_eq!(
            PeerRecord::verify(&bytes, "test"),
            Err(RecordError::Malformed("address"))
        );
        // As many of the longest as there is room for.
        let long: String = (0..3).map(|_| format!("/p2p/{}", PeerId::random())).collect();
        record.addresses = vec![format!("{long}/p2p-circuit").parse().unwrap(); MOST_ADDRESSES];
        let bytes = record.sign(&keypair, "test").unwrap();
        let read = PeerRecord::verify(&bytes, "test").unwrap();
        assert!(bytes.len() <= LONGEST_RECORD && read.addresses.len() < MOST_ADDRESSES);
    }

    #[test]
    fn a_clock_that_is_hours_wrong_changes_nothing() {
        let keypair = Keypair::generate_ed25519();
        let record = of(&keypair, 1);
        let hour = 3600;
        for now in [
            record.expires - 35 * hour,
            record.expires - 24 * hour,
            record.expires,
            record.expires + 11 * hour,
        ] {
            assert_eq!(record.freshness(now), Freshness::Fresh, "{now}");
        }
        for now in [
            0,
            record.expires - 37 * hour,
            record.expires + 12 * hour,
            u64::MAX,
        ] {
            assert_eq!(record.freshness(now), Freshness::Doubtful, "{now}");
        }
    }

    proptest! {
        #[test]
        fn hostile_bytes_are_no_record(bytes in prop::collection::vec(any::<u8>(), 0..1200)) {
            prop_assert!(PeerRecord::verify(&bytes, "test").is_err());
        }

        #[test]
        fn hostile_bytes_in_a_record_are_noticed(at: prop::sample::Index, flip in 1u8..) {
            let keypair = Keypair::generate_ed25519();
            let mut bytes = of(&keypair, 1).sign(&keypair, "test").unwrap();
            let at = at.index(bytes.len());
            bytes[at] ^= flip;
            prop_assert!(PeerRecord::verify(&bytes, "test").is_err());
        }

        #[test]
        fn any_record_is_read_as_it_was_signed(
            sequence: u64, expires: u64, relay: bool, provider: bool, cores_class in 0u8..17, room_class in 0u8..33,
            ports in prop::collection::vec(any::<u16>(), 1..=MOST_ADDRESSES),
        ) {
            let keypair = Keypair::generate_ed25519();
            let record = PeerRecord {
                addresses: ports.iter().map(|port| format!("/ip6/2001:db8::1/udp/{port}/quic-v1").parse().unwrap()).collect(),
                capabilities: Capabilities { relay, provider, cores_class, room_class },
                sequence,
                expires,
                ..of(&keypair, 0)
            };
            let bytes = record.sign(&keypair, "test").unwrap();
            prop_assert_eq!(PeerRecord::verify(&bytes, "test"), Ok(record));
        }
    }
}
