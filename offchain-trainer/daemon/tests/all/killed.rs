//! Whole trainers are killed at random moments while one fetches a large blob from the other: the one that gets it, the one that has it,
//! or both. What had come is still there, what is served is right, and in the end all of it is there.
//!
//! `HYDRA_TEST_KILLS` says how often; `scripts/soak throughput` takes 50.

use std::{
    env,
    hash::{BuildHasher, RandomState},
    time::{Duration, Instant},
};

use crate::support::{
    client,
    large::{Large, Place},
};
use hydra_blobs::BlobStore;
use tokio::time::{sleep, timeout};

/// KiB a second that the one who has the blob gives: it takes many kills to get all of it.
const RATE: u64 = 16_384;
/// The longest that a trainer lives, in milliseconds.
const LIFE: u64 = 700;

impl Place {
    /// As a power cut would.
    fn kill(&mut self) {
        let mut running = self.running.take().expect("it runs");
        running.child.kill().unwrap();
        running.child.wait().unwrap();
    }

    /// What is in its store, looked at while nobody uses it: slices that have come, each of them right, and whether all is there.
    fn looked_at(&self, large: &Large) -> (u64, bool) {
        assert!(self.running.is_none());
        let store = BlobStore::open(self.base().join("blobs")).unwrap();
        if store.has(large.hash) {
            assert!(
                store.verify(large.hash).unwrap(),
                "it would serve something wrong"
            );
            return (large.size.div_ceil(1 << 20), true);
        }
        // What comes back has been read and hashed.
        let partial = store.resume(large.hash, |found| found == large.size).unwrap();
        (partial.map_or(0, |partial| partial.slices().len()), false)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn trainers_that_are_killed_at_any_moment_lose_nothing_and_serve_nothing_wrong() {
    let kills: usize = env::var("HYDRA_TEST_KILLS").map_or(6, |kills| kills.parse().unwrap());
    let (large, http, random) = (Large::new(), client(), RandomState::new());
    let (mut has, mut gets) = (Place::new(61), Place::new(62));
    has.run(has.command(RATE, None));
    let made = large.made();
    has.holds(&http, &made, 0).await;
    let (address, had) = (has.address(), large.had_from(has.peer()));
    let start = |place: &mut Place, bootstrap: Option<&str>| {
        if place.running.is_none() {
            place.run(place.command(RATE, bootstrap));
        }
    };
    let (mut came, mut whole) = (0, 0);
    for kill in 0..kills {
        start(&mut has, None);
        start(&mut gets, Some(&address));
        let life = Duration::from_millis(random.hash_one(kill) % LIFE);
        let end = Instant::now() + life;
        while Instant::now() < end {
            has.hold(&http, &made).await;
            gets.hold(&http, &had).await;
            sleep(Duration::from_millis(50)).await;
        }
        if kill % 3 != 0 {
            has.kill();
            assert!(has.looked_at(&large).1, "after {kill} kills, {life:?}");
        }
        if kill % 3 != 1 {
            gets.kill();
            let (slices, all) = gets.looked_at(&large);
            assert!(
                slices >= came,
                "{slices} of {came} are left after {kill} kills, {life:?}"
            );
            came = slices;
            if all {
                // Again from the start.
                gets.folder = tempfile::tempdir().unwrap();
                (came, whole) = (0, whole + 1);
            }
        }
    }
    start(&mut has, None);
    start(&mut gets, Some(&address));
    has.holds(&http, &made, 0).await;
    let all = timeout(Duration::from_secs(120), gets.holds(&http, &had, 1)).await;
    assert!(all.is_ok(), "the blob doesn't come any more");
    gets.kill();
    assert!(gets.looked_at(&large).1);
    eprintln!(
        "{kills} kills; the blob of {} MiB came {} times",
        large.size >> 20,
        whole + 1
    );
}
