//! Which slices are still to be asked for, and in what order.
//!
//! What few have comes first, as they may leave. Among equals each PC begins at a place of its own, and once others have only some
//! it has an order of its own: PCs that get the same blob at the same time then soon have something for each other, even two that
//! happen to begin at the same place.

use hydra_blobs::{Availability, SliceSet};
use std::{collections::BTreeSet, ops::Bound};

/// Slices by number.
#[derive(Debug)]
pub(super) struct Todo {
    open: BTreeSet<u64>,
    /// The first one to ask for.
    start: u64,
    /// Of the order among equally rare ones.
    seed: u64,
    /// Of each slice, how many of those who have only some have it. Who has all of them makes no difference.
    holders: Vec<u32>,
    /// How many have only some.
    partial: usize,
}

impl Todo {
    /// All slices of `count` that aren't `here`. `seed` says where to begin, and in which order equally rare ones come.
    pub(super) fn new(count: u64, here: &SliceSet, seed: u64) -> Self {
        Self {
            open: (0..count).filter(|index| !here.contains(*index)).collect(),
            start: seed.checked_rem(count).unwrap_or(0),
            seed,
            holders: vec![0; count as usize],
            partial: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    /// It is here, or somebody is asked for it.
    pub(super) fn remove(&mut self, index: u64) {
        self.open.remove(&index);
    }

    /// Somebody has been found to have `after`, and was thought to have `before`.
    pub(super) fn learn(&mut self, before: &Availability, after: &Availability) {
        for (of, sign) in [(before, false), (after, true)] {
            if let Availability::Some(slices) = of {
                self.partial = if sign {
                    self.partial + 1
                } else {
                    self.partial.saturating_sub(1)
                };
                for index in slices.iter() {
                    if let Some(holders) = self.holders.get_mut(index as usize) {
                        *holders = if sign {
                            *holders + 1
                        } else {
                            holders.saturating_sub(1)
                        };
                    }
                }
            }
        }
    }

    /// The next slice to ask of somebody who `has` some.
    pub(super) fn next(&self, has: impl Fn(u64) -> bool) -> Option<u64> {
        let behind = self.open.range((Bound::Included(self.start), Bound::Unbounded));
        let mut order = behind
            .chain(self.open.range(..self.start))
            .copied()
            .filter(|index| has(*index));
        if self.partial == 0 {
            return order.next();
        }
        // One of the rarest.
        order.min_by_key(|index| {
            (
                self.holders.get(*index as usize).copied(),
                scattered(self.seed, *index),
            )
        })
    }
}

/// A number that follows from both and shows neither: the finalizer of SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom
/// Number Generators, 2014).
fn scattered(seed: u64, index: u64) -> u64 {
    let mixed = seed.wrapping_add(index.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    fn set(count: u64, indices: &[u64]) -> SliceSet {
        let mut set = SliceSet::empty(count * MIB).unwrap();
        indices.iter().for_each(|index| set.insert(*index));
        set
    }

    fn order(mut todo: Todo, has: impl Fn(u64) -> bool) -> Vec<u64> {
        std::iter::from_fn(|| {
            let next = todo.next(&has)?;
            todo.remove(next);
            Some(next)
        })
        .collect()
    }

    #[test]
    fn each_begins_at_a_place_of_its_own_and_gets_everything() {
        let todo = Todo::new(6, &set(6, &[1, 4]), 3 + 6 * 1000);
        assert_eq!(order(todo, |_| true), [3, 5, 0, 2]);
    }

    #[test]
    fn what_few_have_comes_first() {
        let mut todo = Todo::new(5, &set(5, &[]), 0);
        todo.learn(&Availability::None, &Availability::Some(set(5, &[0, 1, 2, 3])));
        todo.learn(&Availability::None, &Availability::Some(set(5, &[1, 2])));
        todo.learn(&Availability::None, &Availability::Whole { size: 5 * MIB });
        let mut order = order(todo, |_| true);
        order[1..3].sort_unstable();
        order[3..].sort_unstable();
        assert_eq!(order, [4, 0, 3, 1, 2]);
    }

    #[test]
    fn two_who_begin_at_the_same_place_go_on_in_orders_of_their_own() {
        let of = |seed: u64| {
            let mut todo = Todo::new(24, &set(24, &[]), seed);
            todo.learn(&Availability::None, &Availability::Some(set(24, &[])));
            order(todo, |_| true)
        };
        let (one, other) = (of(5), of(5 + 24));
        assert_ne!(one, other);
        // Of what each gets first, little is the same.
        let same = one[..8].iter().filter(|index| other[..8].contains(index)).count();
        assert!(same <= 4, "{one:?} {other:?}");
    }

    #[test]
    fn nobody_is_asked_for_what_it_does_not_have() {
        let mut todo = Todo::new(5, &set(5, &[]), 0);
        let some = Availability::Some(set(5, &[1, 2]));
        todo.learn(&Availability::None, &some);
        let mut of_those = order(todo, |index| [1, 2].contains(&index));
        of_those.sort_unstable();
        assert_eq!(of_those, [1, 2]);
        let mut todo = Todo::new(5, &set(5, &[]), 0);
        todo.learn(&Availability::None, &some);
        // It has got all of them meanwhile: nothing is rare any more.
        todo.learn(&some, &Availability::Whole { size: 5 * MIB });
        assert_eq!(order(todo, |_| true), [0, 1, 2, 3, 4]);
    }
}
