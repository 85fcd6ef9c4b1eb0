//! Draws: from a seed to accounts. A seat of a poll is a point in its own stretch, and may fall on an account that has one
//! already; the committee's members are different ones. It must never take anything but the seed and the tree.

use super::{
    Electorate,
    error::Error,
    store::Store,
    tree::{Cursor, Found},
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

/// One seat of a draw.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Seat<Account> {
    /// Who takes it; `None` where it stays empty.
    pub who: Option<Account>,
    /// How many points were looked at.
    pub looks: u8,
    /// Whether it is empty because whoever it fell on has enough to do.
    pub busy: bool,
}

/// What becomes of a point that falls on an account.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Look {
    /// The seat is the account's.
    Takes,
    /// It is out, or doesn't take on such tasks: the seat is drawn again.
    Out,
    /// It has enough to do: the seat stays empty. Drawn again, the seats of all who are busy would go to whoever keeps itself free, and
    /// with them what a poll finds.
    Busy,
}

/// For who has no more to say than whether the account takes the seat.
impl From<bool> for Look {
    fn from(takes: bool) -> Self {
        if takes { Self::Takes } else { Self::Out }
    }
}

/// A draw of seats that can be made one by one, over several blocks of a session. Seats in rising order read each node once.
pub struct Drawing<'a, S> {
    cursor: Cursor<'a, S>,
    total: u64,
    seed: H256,
    seats: u32,
}

impl<S: Store> Drawing<'_, S> {
    /// Draws seat number `seat`: a point in its stretch of the total weight. What the account that it falls on makes of it says
    /// `takes`: see [`Look`]. The seat is drawn again in its stretch up to [`REDRAWS`] times, and stays empty then. Where it is
    /// taken, a `takes` that counts may say something else the next time.
    pub fn seat<L: Into<Look>>(
        &mut self,
        seat: u32,
        mut takes: impl FnMut(&S::Account) -> L,
    ) -> Result<Seat<S::Account>, Error> {
        let mut looks = 0u8;
        for attempt in 0..=REDRAWS {
            let Some(point) = point(&self.seed, seat, attempt, self.seats, self.total) else {
                break;
            };
            let found = self.cursor.find(point)?;
            let who = self.cursor.account(&found)?;
            looks = looks.saturating_add(1);
            match takes(&who).into() {
                Look::Takes => {
                    return Ok(Seat {
                        who: Some(who),
                        looks,
                        busy: false,
                    });
                }
                Look::Busy => {
                    return Ok(Seat {
                        who: None,
                        looks,
                        busy: true,
                    });
                }
                Look::Out => {}
            }
        }
        Ok(Seat {
            who: None,
            looks,
            busy: false,
        })
    }
}

impl<S: Store> Electorate<S> {
    /// Who stands at `point`. Three nodes read.
    pub fn at(&self, point: u64) -> Result<Drawn<S::Account>, Error> {
        let mut cursor = Cursor::new(&self.store, self.session);
        let found = cursor.find(point)?;
        Ok(Drawn {
            slot: found.slot,
            who: cursor.account(&found)?,
            weight: found.weight,
        })
    }

    /// A draw of `seats` seats, at most [`SEATS_MAX`]: the total weight is cut into as many equal stretches.
    pub fn drawing(&self, seed: &H256, seats: u32) -> Result<Drawing<'_, S>, Error> {
        if seats > SEATS_MAX {
            return Err(Error::TooMany);
        }
        let mut cursor = Cursor::new(&self.store, self.session);
        let total = cursor.total()?;
        Ok(Drawing {
            cursor,
            total,
            seed: *seed,
            seats,
        })
    }

    /// Draws all `seats` seats, as [`Drawing::seat`] does.
    ///
    /// Without any weight all seats are empty. Whatever the total, if it isn't zero, one account alone gets all seats.
    pub fn seats<L: Into<Look>>(
        &self,
        seed: &H256,
        seats: u32,
        mut takes: impl FnMut(&S::Account) -> L,
    ) -> Result<Vec<Option<S::Account>>, Error> {
        let mut drawing = self.drawing(seed, seats)?;
        (0..seats)
            .map(|seat| drawing.seat(seat, &mut takes).map(|seat| seat.who))
            .collect()
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
            let who = cursor.account(&found)?;
            // Whoever was appended twice is named once.
            if !chosen.contains(&who) && takes(&who) {
                chosen.push(who);
            }
        }
        Ok(chosen)
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
