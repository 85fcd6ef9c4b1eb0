//! Which slices are still to be asked for, and in what order.
//!
//! What few have comes first, as they may leave. Among equals each PC begins at a place of its own: PCs that get the same blob
//! at the same time then soon have something for each other.

use hydra_blobs::{Availability, SliceSet};
use std::{collections::BTreeSet, ops::Bound};

/// Slices by number.
#[derive(Debug)]
pub(super) struct Todo {
    open: BTreeSet<u64>,
    /// The first one to ask for.
    start: u64,
    /// Of each slice, how many of those who have only some have it. Who has all of them makes no difference.
    holders: Vec<u32>,
    /// How many have only some.
    partial: usize,
}

impl Todo {
    /// All slices of `count` that aren't `here`. `seed` says where to begin.
    pub(super) fn new(count: u64, here: &SliceSet, seed: u64) -> Self {
        Self {
            open: (0..count).filter(|index| !here.contains(*index)).collect(),
            start: seed.checked_rem(count).unwrap_or(0),
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
        // The first of the rarest ones.
        order.min_by_key(|index| self.holders.get(*index as usize).copied())
    }
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
        assert_eq!(order(todo, |_| true), [4, 0, 3, 1, 2]);
    }

    #[test]
    fn nobody_is_asked_for_what_it_does_not_have() {
        let mut todo = Todo::new(5, &set(5, &[]), 0);
        let some = Availability::Some(set(5, &[1, 2]));
        todo.learn(&Availability::None, &some);
        assert_eq!(order(todo, |index| [1, 2].contains(&index)), [1, 2]);
        let mut todo = Todo::new(5, &set(5, &[]), 0);
        todo.learn(&Availability::None, &some);
        // It has got all of them meanwhile: nothing is rare any more.
        todo.learn(&some, &Availability::Whole { size: 5 * MIB });
        assert_eq!(order(todo, |_| true), [0, 1, 2, 3, 4]);
    }
}
