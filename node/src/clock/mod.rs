//! Watches this PC's clock against the network's, says in one sentence when it is wrong, and keeps the node from making
//! blocks that can't be valid because of it.
//!
//! It must never set a clock, and never stop a node: a wrong clock is its owner's to correct.

mod announcements;
mod estimate;
mod verdict;

pub use announcements::Listener;
pub use verdict::Verdict;

use crate::{
    notice::{Notice, Say},
    types::Client,
};
use estimate::{Estimator, Reading};
use hydra_runtime::opaque::Block;
use sp_blockchain::HeaderBackend;
use sp_consensus::SyncOracle;
use sp_consensus_babe::{Slot, SlotDuration};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// What is known of this PC's clock. Shared by all who hear of it or ask.
pub struct Clock {
    client: Arc<Client>,
    slot_ms: i64,
    started: Instant,
    estimator: Mutex<Estimator>,
}

impl Clock {
    /// Of this chain, with slots of this length.
    pub fn new(client: Arc<Client>, slot_duration: SlotDuration) -> Self {
        Self {
            client,
            slot_ms: signed(slot_duration.as_millis()),
            started: Instant::now(),
            estimator: Mutex::default(),
        }
    }

    /// Whether the clock is wrong, as far as is known now.
    pub fn verdict(&self) -> Verdict {
        let now = self.read();
        let head_ahead = self.slot_start(self.head_slot()).saturating_sub(now.wall);
        let estimate = self.estimator().offset(now);
        verdict::judge(estimate, head_ahead, self.slot_ms)
    }

    /// Says what is wrong in the log, for as long as the node runs.
    pub async fn watch(self: Arc<Self>) {
        let mut notice = Notice::default();
        loop {
            tokio::time::sleep(Duration::from_millis(self.slot_ms.unsigned_abs().max(1))).await;
            let Verdict { offset_ms, warning } = self.verdict();
            if offset_ms.is_none() && warning.is_none() {
                // Nothing is known, after the clock was set above all: that isn't to be right again.
                continue;
            }
            match notice.look(warning.is_some(), Instant::now()) {
                Say::Wrong => log::warn!("🕑 {}", warning.unwrap_or_default()),
                Say::Right => log::info!("🕑 this PC's clock agrees with the network's again"),
                Say::Nothing => {}
            }
        }
    }

    /// A block of another PC's has arrived for the first time.
    fn arrived(&self, author: u32, slot: Slot) {
        let now = self.read();
        self.estimator().arrived(now, author, self.slot_start(slot));
    }

    /// Whether a block on top of the newest could be valid, by this clock.
    fn may_author(&self) -> bool {
        verdict::may_follow(self.slot_start(self.head_slot()), self.slot_ms, self.read().wall)
    }

    fn head_slot(&self) -> Slot {
        let head = self.client.info().best_hash;
        let header = self.client.header(head).ok().flatten();
        header
            .and_then(|header| sc_consensus_babe::find_pre_digest::<Block>(&header).ok())
            .map_or(Slot::from(0), |digest| digest.slot())
    }

    fn slot_start(&self, slot: Slot) -> i64 {
        signed(*slot).saturating_mul(self.slot_ms)
    }

    fn read(&self) -> Reading {
        Reading {
            wall: signed(sp_timestamp::Timestamp::current().as_millis()),
            steady: i64::try_from(self.started.elapsed().as_millis()).unwrap_or(i64::MAX),
        }
    }

    fn estimator(&self) -> std::sync::MutexGuard<'_, Estimator> {
        // Nothing in there can be left half done.
        self.estimator.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn signed(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX)
}

/// Tells block production to wait while its blocks couldn't be valid, as it waits while the chain is being fetched: in
/// silence. Left alone, it would try in each slot, and the runtime would refuse with a page of backtrace.
#[derive(Clone)]
pub struct Patience<S> {
    /// Whether the chain is being fetched.
    pub sync: S,
    /// Whether the clock allows blocks.
    pub clock: Arc<Clock>,
}

impl<S: SyncOracle> SyncOracle for Patience<S> {
    fn is_major_syncing(&self) -> bool {
        self.sync.is_major_syncing() || !self.clock.may_author()
    }

    fn is_offline(&self) -> bool {
        self.sync.is_offline()
    }
}
