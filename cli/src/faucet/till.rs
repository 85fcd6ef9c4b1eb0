//! The order in which money leaves: noted first, then paid, then noted how it went. Memory and limits together.
//!
//! It must never pay an address twice, wherever it is interrupted: an address of which it isn't known what became of its payment
//! counts as paid.

use hydra_primitives::AccountBytes;
use std::{
    fs::File,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{
    limits::Limits,
    memory::{Disk, Memory, MemoryError},
};

/// How a payment went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is in this block, which stays.
    Paid(u64),
    /// Nothing was paid, and won't be.
    NotPaid,
    /// The same, and it cost a fee.
    Failed,
    /// It isn't known.
    Unclear,
}

/// The limits, for those who let people in and for the one who pays.
pub type Shared = Arc<Mutex<Limits>>;

/// The limits now. A panic elsewhere leaves them as good as they were: each change is one step.
pub fn lock(limits: &Shared) -> MutexGuard<'_, Limits> {
    limits.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What pays an address once.
#[derive(Debug)]
pub struct Till<D = File> {
    memory: Memory<D>,
    limits: Shared,
}

impl<D: Disk> Till<D> {
    /// With the limits that the memory's entries were put into.
    pub fn new(memory: Memory<D>, limits: Shared) -> Self {
        Self { memory, limits }
    }

    /// Whoever waits gets nothing: nothing was begun.
    pub fn turn_away(&self, to: &AccountBytes) {
        lock(&self.limits).release(to);
    }

    /// Pays an address that was let in. `pay` begins when it is polled, which is after it was noted. Returns what it returns, and
    /// why its end could not be noted.
    pub async fn hand_out<T>(
        &mut self,
        to: &AccountBytes,
        now: u64,
        pay: impl Future<Output = (Outcome, T)>,
    ) -> Result<(T, Option<MemoryError>), MemoryError> {
        if let Err(error) = self.memory.about_to_pay(to, now) {
            self.turn_away(to);
            return Err(error);
        }
        let (outcome, value) = pay.await;
        let noted = match outcome {
            Outcome::Paid(block) => self.memory.paid(to, block),
            Outcome::NotPaid | Outcome::Failed => self.memory.not_paid(to),
            // As it is noted already.
            Outcome::Unclear => Ok(()),
        };
        let mut limits = lock(&self.limits);
        match (outcome, &noted) {
            (Outcome::Paid(block), _) => limits.done(to, Some(block)),
            (Outcome::NotPaid, Ok(())) => limits.release(to),
            (Outcome::Failed, Ok(())) => limits.release_counted(to),
            // What is on disk counts: another payment could not be noted before this one is.
            (Outcome::Unclear | Outcome::NotPaid | Outcome::Failed, _) => limits.done(to, None),
        }
        Ok((value, noted.err()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faucet::limits::Client;
    use futures::executor::block_on;
    use proptest::prelude::*;
    use std::{
        cell::RefCell,
        collections::HashMap,
        io,
        panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
        rc::Rc,
    };

    /// What outlives a power cut, and when that comes.
    #[derive(Default)]
    struct World {
        disk: Vec<u8>,
        /// So much of it is safe.
        synced: usize,
        /// Steps until the power fails.
        power: usize,
        /// The disk has no room for more bytes than this.
        room: usize,
        /// How often each address was paid, or may have been.
        paid: HashMap<AccountBytes, u32>,
    }

    struct PowerCut;

    impl World {
        fn step(&mut self) {
            match self.power.checked_sub(1) {
                Some(left) => self.power = left,
                // As a panic, but nothing is printed.
                None => resume_unwind(Box::new(PowerCut)),
            }
        }
    }

    struct Platter(Rc<RefCell<World>>);

    impl Disk for Platter {
        fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
            let mut world = self.0.borrow_mut();
            for half in bytes.chunks(bytes.len().div_ceil(2)) {
                world.step();
                let fits = half.len().min(world.room.saturating_sub(world.disk.len()));
                world.disk.extend_from_slice(&half[..fits]);
                if fits < half.len() {
                    return Err(io::ErrorKind::StorageFull.into());
                }
            }
            world.step();
            Ok(())
        }

        fn sync(&mut self) -> io::Result<()> {
            let mut world = self.0.borrow_mut();
            world.step();
            world.synced = world.disk.len();
            world.step();
            Ok(())
        }

        fn cut(&mut self, length: u64) -> io::Result<()> {
            let mut world = self.0.borrow_mut();
            world.step();
            world.disk.truncate(usize::try_from(length).unwrap());
            world.synced = world.disk.len();
            world.step();
            Ok(())
        }
    }

    /// From the start of the program to its end or a power cut.
    fn live(world: &Rc<RefCell<World>>, asked: &[(u8, Outcome)]) {
        let bytes = world.borrow().disk.clone();
        let (memory, before) = Memory::on(Platter(world.clone()), &bytes).unwrap().unwrap();
        let limits = Arc::new(Mutex::new(Limits::new(1_000, 1_000, &before)));
        let mut till = Till::new(memory, limits.clone());
        for (n, outcome) in asked {
            let to = [*n; 32];
            if lock(&limits).admit(&to, Client::V4([0; 3]), 0).is_err() {
                continue;
            }
            let pay = async {
                let mut world = world.borrow_mut();
                world.step();
                if matches!(outcome, Outcome::Paid(_) | Outcome::Unclear) {
                    *world.paid.entry(to).or_default() += 1;
                }
                world.step();
                (*outcome, ())
            };
            // A full disk is no reason to stop.
            let _ = block_on(till.hand_out(&to, 0, pay));
        }
    }

    fn outcome() -> impl Strategy<Value = Outcome> {
        prop_oneof![
            (0u64..100).prop_map(Outcome::Paid),
            Just(Outcome::NotPaid),
            Just(Outcome::Failed),
            Just(Outcome::Unclear),
        ]
    }

    proptest! {
        #[test]
        fn no_address_is_paid_twice_wherever_the_power_fails(
            lives in proptest::collection::vec(
                (proptest::collection::vec((0u8..3, outcome()), 1..6), 0usize..40, any::<usize>(), 100usize..1_500),
                1..12,
            )
        ) {
            let world = Rc::new(RefCell::new(World::default()));
            for (asked, power, torn, room) in lives {
                {
                    let mut world = world.borrow_mut();
                    world.power = power;
                    world.room = room.max(world.disk.len());
                }
                let ended = catch_unwind(AssertUnwindSafe(|| live(&world, &asked)));
                if let Err(panic) = ended && !panic.is::<PowerCut>() {
                    resume_unwind(panic);
                }
                let mut world = world.borrow_mut();
                // Some of what was not synced may have reached the disk.
                let unsafe_bytes = world.disk.len().saturating_sub(world.synced);
                let left = world.synced + torn % (unsafe_bytes + 1);
                world.disk.truncate(left);
                world.synced = left;
                for (address, times) in &world.paid {
                    prop_assert!(*times <= 1, "{address:?} was paid {times} times");
                }
            }
        }
    }

    #[test]
    fn nothing_is_paid_that_can_not_be_noted_first() {
        let world = Rc::new(RefCell::new(World {
            power: 1_000,
            ..World::default()
        }));
        live(&world, &[(1, Outcome::Paid(1)), (1, Outcome::Paid(2))]);
        assert!(world.borrow().paid.is_empty());
        // With room it is, once.
        world.borrow_mut().room = 1_000;
        live(&world, &[(1, Outcome::Paid(1)), (1, Outcome::Paid(2))]);
        live(&world, &[(1, Outcome::Paid(3))]);
        assert_eq!(world.borrow().paid[&[1; 32]], 1);
    }

    #[test]
    fn who_was_not_paid_may_ask_again_also_after_a_restart() {
        let world = Rc::new(RefCell::new(World {
            power: 1_000,
            room: 1_000,
            ..World::default()
        }));
        live(&world, &[(1, Outcome::NotPaid), (1, Outcome::Failed)]);
        live(&world, &[(1, Outcome::Paid(9))]);
        assert_eq!(world.borrow().paid[&[1; 32]], 1);
    }
}
