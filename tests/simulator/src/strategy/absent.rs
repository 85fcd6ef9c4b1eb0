//! Honest, but not there, or not there in time.

use super::{Desk, Strategy};
use crate::{
    dice,
    duty::{Duty, Kind},
    symbol::Symbol,
};
use hydra_runtime::BlockNumber;

/// Switched off for good.
pub struct Offline;

impl Strategy for Offline {
    fn name(&self) -> &'static str {
        "offline"
    }

    fn answer(&mut self, _: &Duty, _: &mut Desk) -> Option<Symbol> {
        None
    }
}

/// When a PC is off.
enum Off {
    /// In every so-manieth round, beginning with this one.
    Turns { every: u32, first: u32 },
    /// In this share of all rounds.
    Share { share: f64, seed: u64, account: u32 },
}

/// An honest one that is off in some rounds.
pub struct Sometimes(Off);

impl Sometimes {
    /// Off in round `first` and in every `every`-th after it.
    pub fn by_turns(every: u32, first: u32) -> Self {
        Self(Off::Turns { every, first })
    }

    /// Off in this share of all rounds, drawn for each round and account.
    pub fn by_chance(share: f64, seed: u64, account: u32) -> Self {
        Self(Off::Share { share, seed, account })
    }

    fn is_off(&self, round: u32) -> bool {
        match self.0 {
            Off::Turns { every, first } => round % every.max(1) == first,
            Off::Share { share, seed, account } => dice::happens(share, seed, "off", &[account, round]),
        }
    }
}

impl Strategy for Sometimes {
    fn name(&self) -> &'static str {
        "honest"
    }

    fn answer(&mut self, duty: &Duty, desk: &mut Desk) -> Option<Symbol> {
        (!self.is_off(duty.round)).then(|| desk.compute(duty))
    }
}

/// An honest one of which everything, or one kind of thing, arrives late.
pub struct Late {
    only: Option<Kind>,
    blocks: BlockNumber,
}

impl Late {
    /// Everything arrives so many blocks late.
    pub fn always(blocks: BlockNumber) -> Self {
        Self { only: None, blocks }
    }

    /// What is of this kind arrives so many blocks late.
    pub fn with(kind: Kind, blocks: BlockNumber) -> Self {
        Self {
            only: Some(kind),
            blocks,
        }
    }
}

impl Strategy for Late {
    fn name(&self) -> &'static str {
        "slow"
    }

    fn answer(&mut self, duty: &Duty, desk: &mut Desk) -> Option<Symbol> {
        Some(desk.compute(duty))
    }

    fn latency(&self, kind: Kind) -> BlockNumber {
        if self.only.is_none_or(|only| only == kind) {
            self.blocks
        } else {
            0
        }
    }
}
