//! Honest, but not there, or not there in time.

use super::{Desk, Strategy};
use crate::{dice, duty::Duty, symbol::Answer};
use hydra_runtime::BlockNumber;

/// A PC that is off now and then is off for so many blocks: ten minutes, of blocks of 10 s.
const SPELL: BlockNumber = 60;
/// How long a turn is: about a round in which many are silent.
const TURN: BlockNumber = 12;

/// Switched off for good.
pub struct Offline;

impl Strategy for Offline {
    fn name(&self) -> &'static str {
        "offline"
    }

    fn answer(&mut self, _: &Duty, _: &mut Desk) -> Option<Answer> {
        None
    }
}

/// When a PC is off.
enum Off {
    /// In every so-manieth [`TURN`], beginning with this one.
    Turns { every: u32, first: u32 },
    /// For this share of the time.
    Share { share: f64, seed: u64, account: u32 },
}

/// An honest one that is off now and then.
pub struct Sometimes(Off);

impl Sometimes {
    /// Off in turn `first` and in every `every`-th after it, and heard of again only when that is over.
    pub fn by_turns(every: u32, first: u32) -> Self {
        Self(Off::Turns { every, first })
    }

    /// Off for this share of the time, spell by spell, each account at other times.
    pub fn by_chance(share: f64, seed: u64, account: u32) -> Self {
        Self(Off::Share { share, seed, account })
    }

    fn is_off(&self, now: BlockNumber) -> bool {
        match self.0 {
            Off::Turns { every, first } => (now / TURN) % every.max(1) == first,
            Off::Share { share, seed, account } => {
                let spell = now.wrapping_add(account.wrapping_mul(7)) / SPELL;
                dice::happens(share, seed, "off", &[account, spell])
            }
        }
    }
}

impl Strategy for Sometimes {
    fn name(&self) -> &'static str {
        "honest"
    }

    fn answer(&mut self, duty: &Duty, desk: &mut Desk) -> Option<Answer> {
        (!self.is_off(desk.block)).then(|| desk.compute(duty))
    }
}

/// An honest one that is slow: it has each thing done only so many blocks after it was asked for.
pub struct Late {
    blocks: BlockNumber,
}

impl Late {
    /// Everything takes so many blocks.
    pub fn by(blocks: BlockNumber) -> Self {
        Self { blocks }
    }
}

impl Strategy for Late {
    fn name(&self) -> &'static str {
        "slow"
    }

    fn answer(&mut self, duty: &Duty, desk: &mut Desk) -> Option<Answer> {
        let done = duty.since + self.blocks <= desk.block;
        (done || duty.work == 0).then(|| desk.compute(duty))
    }
}

/// An honest one that said it takes on many tasks at a time, and can do only one: each takes it some blocks.
#[derive(Default)]
pub struct Overcommitted {
    free_at: BlockNumber,
}

/// Blocks that an overcommitted one works at a task.
const WORKS: BlockNumber = 4;

impl Strategy for Overcommitted {
    fn name(&self) -> &'static str {
        "claiming-room"
    }

    fn answer(&mut self, duty: &Duty, desk: &mut Desk) -> Option<Answer> {
        if duty.work == 0 {
            return Some(desk.compute(duty));
        }
        if desk.block < self.free_at {
            return None;
        }
        self.free_at = desk.block + WORKS;
        Some(desk.compute(duty))
    }
}
