//! How many of the cores each job computes with.
//!
//! All that run have as many as each other, one at least, and never more than there are: whenever one begins or ends, those that have another
//! number then are told. Nothing depends on it but time. Must never wait for a worker: telling them is for threads of their own.

use std::{collections::BTreeMap, sync::mpsc};

/// The jobs that run, in the order in which they began.
#[derive(Default)]
pub(crate) struct Shares {
    cores: usize,
    running: BTreeMap<u64, Share>,
    begun: u64,
}

struct Share {
    threads: u16,
    /// Its end is told by its absence.
    changes: mpsc::Sender<u16>,
}

/// What a job begins with.
pub(crate) struct Begun {
    /// Which one it is, for [`Shares::end`].
    pub number: u64,
    /// Its threads at first.
    pub threads: u16,
    /// Its threads from then on, each time that they are others. Ends with the job's share.
    pub changes: mpsc::Receiver<u16>,
}

/// The threads of a job of which so many run, and so many of those began before it. What doesn't divide goes to the oldest, who have it.
fn share(cores: usize, running: usize, before: usize) -> u16 {
    let each = cores.checked_div(running).unwrap_or(cores);
    let left = cores.checked_rem(running).unwrap_or(0);
    let threads = each.saturating_add(usize::from(before < left)).max(1);
    u16::try_from(threads).unwrap_or(u16::MAX)
}

impl Shares {
    /// Of so many cores.
    pub(crate) fn of(cores: usize) -> Self {
        Self {
            cores,
            ..Self::default()
        }
    }

    /// Another job begins: the others give it what it is to have.
    pub(crate) fn begin(&mut self) -> Begun {
        let (before, number) = (self.running.len(), self.begun);
        let threads = share(self.cores, before.saturating_add(1), before);
        let (sender, changes) = mpsc::channel();
        let new = Share {
            threads,
            changes: sender,
        };
        self.running.insert(number, new);
        self.begun = number.saturating_add(1);
        self.tell();
        Begun {
            number,
            threads,
            changes,
        }
    }

    /// A job has ended: the others get what it had.
    pub(crate) fn end(&mut self, number: u64) {
        self.running.remove(&number);
        self.tell();
    }

    fn tell(&mut self) {
        let running = self.running.len();
        for (before, job) in self.running.values_mut().enumerate() {
            let threads = share(self.cores, running, before);
            if job.threads != threads {
                job.threads = threads;
                // Nobody listens if the job is just about to end.
                let _ = job.changes.send(threads);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_alike_use_every_core_once_and_are_never_nothing() {
        for cores in 0..10 {
            for running in 1..13 {
                let shares: Vec<u16> = (0..running).map(|before| share(cores, running, before)).collect();
                let all: usize = shares.iter().copied().map(usize::from).sum();
                assert_eq!(all, cores.max(running), "{running} jobs on {cores} cores");
                let (first, last) = (shares[0], shares[running - 1]);
                assert!(shares.is_sorted_by(|older, newer| older >= newer));
                assert!(last >= 1 && first - last <= 1, "{shares:?}");
            }
        }
        assert_eq!([share(1 << 20, 1, 0), share(4, 0, 0)], [u16::MAX, 4]);
    }

    #[test]
    fn whoever_runs_is_told_when_another_begins_or_ends_and_only_then() {
        let mut shares = Shares::of(7);
        let told = |job: &Begun| job.changes.try_iter().collect::<Vec<u16>>();
        let first = shares.begin();
        let second = shares.begin();
        assert_eq!((first.threads, told(&first)), (7, vec![4]));
        let third = shares.begin();
        assert_eq!((second.threads, third.threads), (3, 2));
        assert_eq!([&first, &second, &third].map(told), [vec![3], vec![2], vec![]]);
        shares.end(first.number);
        assert_eq!([&second, &third].map(told), [vec![4], vec![3]]);
        // What has ended is told nothing, and knows that it has.
        assert_eq!(first.changes.recv(), Err(mpsc::RecvError));
        shares.end(third.number);
        shares.end(third.number);
        assert_eq!(told(&second), [7]);
        shares.end(second.number);
        assert_eq!(shares.begin().threads, 7);
    }

    #[test]
    fn a_job_that_nobody_listens_for_any_more_keeps_nothing_from_the_others() {
        let mut shares = Shares::of(4);
        let (first, second) = (shares.begin(), shares.begin());
        let number = second.number;
        drop(second);
        // It would have one less.
        let third = shares.begin();
        shares.end(number);
        assert_eq!(first.changes.try_iter().last(), Some(2));
        assert_eq!(third.changes.try_iter().last(), Some(2));
    }
}
