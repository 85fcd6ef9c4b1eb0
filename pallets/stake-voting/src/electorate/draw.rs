//! Draws: from a seed to accounts. A seat of a poll is a point in its own stretch, and may fall on an account that has one
//! already; the committee's members are different ones. It must never take anything but the seed and the frozen line.

use super::{
    Electorate,
    error::Error,
    slots::Slots,
    tree::{Cursor, Found, Nodes},
};
use alloc::{collections::BTreeMap, vec::Vec};
use hydra_primitives::{
    H256,
    electorate::{LOOKS_PER_ACCOUNT, REDRAWS, SEATS_MAX, point, rank},
};

/// Who stands at a point.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Drawn<Account> {
    /// Its slot.
    pub slot: u32,
    /// The account.
    pub who: Account,
    /// What it weighs in this session's draws.
    pub weight: u64,
}

impl<S: Nodes + Slots> Electorate<S> {
    /// Who stands at `point`. Three nodes read.
    pub fn at(&self, point: u64) -> Result<Drawn<S::Account>, Error> {
        let found = Cursor::new(&self.store, self.session).find(point)?;
        Ok(Drawn {
            slot: found.slot,
            who: self.owner(&found)?,
            weight: found.weight,
        })
    }

    /// Draws `seats` seats, at most [`SEATS_MAX`]: one point in each of as many equal stretches of the total weight. Each
    /// account that a point falls on is asked for with `takes`: is it in, has it room? Where it says no, the seat is drawn
    /// again in its stretch, up to [`REDRAWS`] times, and stays empty then. Where it says yes, the seat is taken, so a
    /// `takes` that counts may say no the next time.
    ///
    /// Without any weight all seats are empty. Whatever the total, if it isn't zero, one account alone gets all seats.
    ///
    /// Nodes are read once each, since the stretches rise: no more than three per seat, and no more than there are.
    pub fn seats(
        &self,
        seed: &H256,
        seats: u32,
        mut takes: impl FnMut(&S::Account) -> bool,
    ) -> Result<Vec<Option<S::Account>>, Error> {
        if seats > SEATS_MAX {
            return Err(Error::TooMany);
        }
        let mut cursor = Cursor::new(&self.store, self.session);
        let total = cursor.total()?;
        let mut drawn = Vec::new();
        for seat in 0..seats {
            let mut taken = None;
            for attempt in 0..=REDRAWS {
                let Some(point) = point(seed, seat, attempt, seats, total) else {
                    break;
                };
                let who = self.owner(&cursor.find(point)?)?;
                if takes(&who) {
                    taken = Some(who);
                    break;
                }
            }
            drawn.push(taken);
        }
        Ok(drawn)
    }

    /// Draws up to `count` different accounts, at most [`SEATS_MAX`], each in proportion to its weight among those that are
    /// left, in the order in which they were drawn. Whoever was looked at, taken or not, is cut out of the line, so no
    /// account is looked at twice, and no look is wasted.
    ///
    /// There are fewer than `count` where fewer can be taken, or where [`LOOKS_PER_ACCOUNT`] times `count` looks did not
    /// find as many. With no more accounts than that on the line, everyone that `takes` accepts is found. What to do with
    /// fewer is for the caller to say.
    pub fn distinct(
        &self,
        seed: &H256,
        count: u32,
        mut takes: impl FnMut(&S::Account) -> bool,
    ) -> Result<Vec<S::Account>, Error> {
        if count > SEATS_MAX {
            return Err(Error::TooMany);
        }
        let wanted = usize::try_from(count).map_err(|_| Error::TooMany)?;
        let mut cursor = Cursor::new(&self.store, self.session);
        let mut left = cursor.total()?;
        let mut cut = Cut::default();
        let mut chosen = Vec::new();
        for attempt in 0..count.saturating_mul(LOOKS_PER_ACCOUNT) {
            if chosen.len() >= wanted {
                break;
            }
            let Some(rank) = rank(seed, attempt, left) else {
                break;
            };
            let found = cursor.find(cut.point(rank).ok_or(Error::BeyondTotal)?)?;
            left = left.checked_sub(found.weight).ok_or(Error::Slot(found.slot))?;
            cut.add(&found);
            let who = self.owner(&found)?;
            // A slot's owner is read from the store: nobody may be named twice, whatever stands there.
            if !chosen.contains(&who) && takes(&who) {
                chosen.push(who);
            }
        }
        Ok(chosen)
    }

    fn owner(&self, found: &Found) -> Result<S::Account, Error> {
        self.store.owner(found.slot).ok_or(Error::Slot(found.slot))
    }
}

/// Pieces cut out of the line: where each starts, and how long it is.
#[derive(Default)]
struct Cut(BTreeMap<u64, u64>);

impl Cut {
    fn add(&mut self, found: &Found) {
        self.0.insert(found.start, found.weight);
    }

    /// The point with `rank` points before it that are not cut out.
    fn point(&self, rank: u64) -> Option<u64> {
        let mut point = rank;
        for (start, length) in &self.0 {
            if point < *start {
                break;
            }
            point = point.checked_add(*length)?;
        }
        Some(point)
    }
}
