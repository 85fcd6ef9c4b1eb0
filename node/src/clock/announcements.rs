//! Hears every block that other nodes announce, before it is known whether it can be imported: what lies too far ahead of
//! this PC's clock never is.

use super::Clock;
use hydra_runtime::{Hash, opaque::Block};
use sc_consensus_babe::{AuthorityPair, BabeApi, CompatibleDigestItem, find_pre_digest};
use sp_api::ProvideRuntimeApi;
use sp_blockchain::HeaderBackend;
use sp_consensus::block_validation::{BlockAnnounceValidator, DefaultBlockAnnounceValidator, Validation};
use sp_consensus_babe::Slot;
use sp_core::Pair;
use sp_runtime::traits::{Block as BlockT, Header as _};
use std::{collections::VecDeque, error::Error, future::Future, pin::Pin, sync::Arc};

/// Each block is announced by several nodes: only the first counts.
const REMEMBERED: usize = 256;

type Header = <Block as BlockT>::Header;
type Answer = Pin<Box<dyn Future<Output = Result<Validation, Box<dyn Error + Send>>> + Send>>;

/// Tells the [`Clock`] of new blocks, and leaves the announcement's validation as it was.
pub struct Listener {
    clock: Arc<Clock>,
    heard: VecDeque<Hash>,
}

impl Listener {
    /// Tells this clock.
    pub fn new(clock: Arc<Clock>) -> Self {
        Self {
            clock,
            heard: VecDeque::new(),
        }
    }

    fn listen(&mut self, header: &Header) {
        let hash = header.hash();
        // Our own blocks, which come back, are stored already.
        if self.heard.contains(&hash) || !matches!(self.clock.client.number(hash), Ok(None)) {
            return;
        }
        if self.heard.len() == REMEMBERED {
            self.heard.pop_front();
        }
        self.heard.push_back(hash);
        if let Some((author, slot)) = self.author(header.clone()) {
            self.clock.arrived(author, slot);
        }
    }

    /// Who sealed the block, and for which slot. Anybody can announce anything; only an author can seal.
    fn author(&self, mut header: Header) -> Option<(u32, Slot)> {
        let digest = find_pre_digest::<Block>(&header).ok()?;
        let seal = header.digest_mut().pop()?.as_babe_seal()?;
        let head = self.clock.client.info().best_hash;
        let epoch = self.clock.client.runtime_api().current_epoch(head).ok()?;
        let index = digest.authority_index();
        let (author, _) = epoch.authorities.get(usize::try_from(index).ok()?)?;
        AuthorityPair::verify(&seal, header.hash(), author).then_some((index, digest.slot()))
    }
}

impl BlockAnnounceValidator<Block> for Listener {
    fn validate(&mut self, header: &Header, data: &[u8]) -> Answer {
        self.listen(header);
        BlockAnnounceValidator::<Block>::validate(&mut DefaultBlockAnnounceValidator, header, data)
    }
}
