//! Hears every block that other nodes announce, before it is known whether it can be imported: what lies too far ahead of
//! this PC's clock never is.

use super::Clock;
use hydra_runtime::{Hash, opaque::Block};
use sc_consensus_babe::{AuthorityPair, BabeApi, CompatibleDigestItem, find_pre_digest};
use sp_api::ProvideRuntimeApi;
use sp_blockchain::HeaderBackend;
use sp_consensus::block_validation::{BlockAnnounceValidator, DefaultBlockAnnounceValidator, Validation};
use sp_consensus_babe::{AuthorityId, BabeAuthorityWeight, Slot};
use sp_core::Pair;
use sp_runtime::traits::{Block as BlockT, Header as _};
use std::{
    collections::VecDeque,
    error::Error,
    future::Future,
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant},
};

/// Each block is announced by several nodes: only the first counts. And each author speaks once for a slot.
const REMEMBERED: usize = 256;
/// How many seals are checked in a second: anybody can announce anything, and each check is some work.
const CHECKS: u32 = 16;

type Header = <Block as BlockT>::Header;
type Answer = Pin<Box<dyn Future<Output = Result<Validation, Box<dyn Error + Send>>> + Send>>;
type Authorities = Vec<(AuthorityId, BabeAuthorityWeight)>;

/// Tells the [`Clock`] of new blocks, and leaves the announcement's validation as it was.
pub struct Listener {
    clock: Arc<Clock>,
    heard: VecDeque<Hash>,
    spoken: VecDeque<(u32, Slot)>,
    /// As of which block they were asked for.
    authorities: Option<(Hash, Authorities)>,
    checks: Checks,
}

impl Listener {
    /// Tells this clock.
    pub fn new(clock: Arc<Clock>) -> Self {
        Self {
            clock,
            heard: VecDeque::new(),
            spoken: VecDeque::new(),
            authorities: None,
            checks: Checks::default(),
        }
    }

    fn listen(&mut self, header: &Header) {
        let hash = header.hash();
        let chain = self.clock.client.info();
        // What is as old as what is final says nothing about now. Our own blocks, which come back, are stored already.
        if *header.number() <= chain.finalized_number
            || self.heard.contains(&hash)
            || !matches!(self.clock.client.number(hash), Ok(None))
            || !self.checks.may_be_one_more(Instant::now())
        {
            return;
        }
        remember(&mut self.heard, hash);
        let Some(author) = self
            .authorities(chain.best_hash)
            .and_then(|authorities| author(header.clone(), authorities))
        else {
            return;
        };
        if !self.spoken.contains(&author) {
            remember(&mut self.spoken, author);
            self.clock.arrived(author.0, author.1);
        }
    }

    /// Who may make blocks on top of this one.
    fn authorities(&mut self, head: Hash) -> Option<&Authorities> {
        if self.authorities.as_ref().is_none_or(|(of, _)| *of != head) {
            let epoch = self.clock.client.runtime_api().current_epoch(head).ok()?;
            self.authorities = Some((head, epoch.authorities));
        }
        self.authorities.as_ref().map(|(_, authorities)| authorities)
    }
}

fn remember<T>(known: &mut VecDeque<T>, new: T) {
    if known.len() == REMEMBERED {
        known.pop_front();
    }
    known.push_back(new);
}

/// Who sealed the block, and for which slot: only an author can.
fn author(mut header: Header, authorities: &Authorities) -> Option<(u32, Slot)> {
    let digest = find_pre_digest::<Block>(&header).ok()?;
    let seal = header.digest_mut().pop()?.as_babe_seal()?;
    let index = digest.authority_index();
    let (author, _) = authorities.get(usize::try_from(index).ok()?)?;
    AuthorityPair::verify(&seal, header.hash(), author).then_some((index, digest.slot()))
}

/// How many seals were checked lately.
#[derive(Default)]
struct Checks {
    since: Option<Instant>,
    count: u32,
}

impl Checks {
    fn may_be_one_more(&mut self, now: Instant) -> bool {
        if self
            .since
            .is_none_or(|since| now.duration_since(since) >= Duration::from_secs(1))
        {
            *self = Self {
                since: Some(now),
                count: 0,
            };
        }
        self.count = self.count.saturating_add(1);
        self.count <= CHECKS
    }
}

impl BlockAnnounceValidator<Block> for Listener {
    fn validate(&mut self, header: &Header, data: &[u8]) -> Answer {
        self.listen(header);
        BlockAnnounceValidator::<Block>::validate(&mut DefaultBlockAnnounceValidator, header, data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sp_consensus_babe::digests::{PreDigest, SecondaryPlainPreDigest};
    use sp_runtime::{Digest, DigestItem};

    const SLOT: u64 = 900_000_000;

    fn pair(name: &str) -> AuthorityPair {
        AuthorityPair::from_string(name, None).unwrap()
    }

    fn authorities() -> Authorities {
        ["//Alice", "//Bob"].map(|name| (pair(name).public(), 1)).to_vec()
    }

    /// A block in the name of an author, sealed by whoever.
    fn block(index: u32, sealed_by: Option<&str>) -> Header {
        let digest = PreDigest::SecondaryPlain(SecondaryPlainPreDigest {
            authority_index: index,
            slot: SLOT.into(),
        });
        let mut header = Header::new(
            7,
            Hash::zero(),
            Hash::zero(),
            Hash::zero(),
            Digest {
                logs: vec![DigestItem::babe_pre_digest(digest)],
            },
        );
        if let Some(name) = sealed_by {
            let seal = pair(name).sign(header.hash().as_ref());
            header.digest_mut().push(DigestItem::babe_seal(seal));
        }
        header
    }

    #[test]
    fn only_who_sealed_a_block_is_its_author() {
        let of = |index, sealed_by| author(block(index, sealed_by), &authorities());
        assert_eq!(of(1, Some("//Bob")), Some((1, SLOT.into())));
        assert_eq!(of(0, Some("//Bob")), None);
        assert_eq!(of(2, Some("//Bob")), None);
        assert_eq!(of(u32::MAX, Some("//Bob")), None);
        assert_eq!(of(1, None), None);
        // Something else than a seal in its place.
        let mut odd = block(1, None);
        odd.digest_mut().push(DigestItem::Other(vec![1; 64]));
        assert_eq!(author(odd, &authorities()), None);
        // A changed block isn't the one that was sealed.
        let mut changed = block(1, Some("//Bob"));
        changed.set_number(8);
        assert_eq!(author(changed, &authorities()), None);
    }

    #[test]
    fn no_flood_of_announcements_makes_more_work_than_a_little() {
        let (mut checks, start) = (Checks::default(), Instant::now());
        let checked = |checks: &mut Checks, at| (0..1000).filter(|_| checks.may_be_one_more(at)).count();
        assert_eq!(checked(&mut checks, start), 16);
        assert_eq!(checked(&mut checks, start + Duration::from_millis(999)), 0);
        assert_eq!(checked(&mut checks, start + Duration::from_secs(1)), 16);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut known = VecDeque::new();
        (0..1000).for_each(|n| remember(&mut known, n));
        assert_eq!((known.len(), known.front()), (REMEMBERED, Some(&744)));
    }
}
