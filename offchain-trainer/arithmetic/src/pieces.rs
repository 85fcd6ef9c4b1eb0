//! How work is shared out to threads: by its size alone, and so that no bit depends on it.
//!
//! Tests share out much less, so that small arrays, of which they can have many, show what several threads make of them.

use std::sync::Mutex;

use crate::Cpu;

/// So many values aren't worth waking a second thread for: they take about as long as the waking.
pub(crate) const SMALL: usize = if cfg!(test) { 48 } else { 16_384 };

/// So many multiply-adds of a product are worth another thread: some 20 microseconds at least.
pub(crate) const WORTH: usize = if cfg!(test) { 256 } else { 1 << 20 };

/// How many of `rows`, of `columns` values each, a thread takes at a time; at least one.
pub(crate) fn rows_at_once(cpu: &Cpu, rows: usize, columns: usize) -> usize {
    let threads = cpu.threads();
    if threads == 1 || rows.saturating_mul(columns) <= SMALL {
        return rows.max(1);
    }
    // Four to a thread, since threads aren't equally fast; but none that is hardly worth fetching.
    let fair = rows.div_ceil(threads * 4);
    let worthwhile = (SMALL / 4).div_ceil(columns.max(1));
    fair.max(worthwhile).max(1)
}

/// How many of `count` pieces, each worth a thread, one takes at a time with one scratch; at least one.
pub(crate) fn pieces_at_once(cpu: &Cpu, count: usize) -> usize {
    // As above, four to a thread: so none waits long for another in the end.
    let parts = if cpu.threads() == 1 { 1 } else { cpu.threads() * 4 };
    count.div_ceil(parts).max(1)
}

/// Calls `part` for each of `pieces`, spread over the threads.
pub(crate) fn spread_each<T: Send>(cpu: &Cpu, pieces: impl Iterator<Item = T>, part: impl Fn(T) + Sync) {
    if cpu.threads() == 1 {
        return pieces.for_each(part);
    }
    // Each is taken by one thread: the lock is never waited for.
    let pieces: Vec<Mutex<Option<T>>> = pieces.map(|piece| Mutex::new(Some(piece))).collect();
    cpu.spread(pieces.len(), |i| {
        let piece = pieces[i].lock().ok().and_then(|mut piece| piece.take());
        part(piece.expect("a piece is taken once"));
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn all_rows_are_shared_out_and_few_are_not() {
        for threads in 1..5 {
            let cpu = Cpu::default().with_threads(threads).unwrap();
            for (rows, columns) in [(0, 3), (1, 0), (7, 1), (1, 100), (30, 20), (1000, 10)] {
                let at_once = rows_at_once(&cpu, rows, columns);
                assert!(at_once >= 1);
                if threads == 1 || rows * columns <= SMALL {
                    assert!(at_once >= rows);
                } else if rows >= 30 {
                    assert!(rows.div_ceil(at_once) >= threads);
                }
            }
        }
    }

    #[test]
    fn each_of_several_threads_has_pieces_and_one_takes_all() {
        let cpu = Cpu::default();
        assert_eq!([0, 1, 5].map(|count| pieces_at_once(&cpu, count)), [1, 1, 5]);
        let cpu = cpu.with_threads(3).unwrap();
        assert_eq!(
            [0, 3, 12, 13].map(|count| pieces_at_once(&cpu, count)),
            [1, 1, 1, 2]
        );
    }

    #[test]
    fn each_piece_is_taken_once() {
        for threads in 1..4 {
            let cpu = Cpu::default().with_threads(threads).unwrap();
            let mut values = vec![0; 100];
            let taken = AtomicUsize::new(0);
            spread_each(&cpu, values.chunks_mut(7).enumerate(), |(i, piece)| {
                piece.fill(i);
                taken.fetch_add(1, Ordering::Relaxed);
            });
            assert_eq!(taken.into_inner(), 15);
            assert!(values.iter().enumerate().all(|(at, value)| *value == at / 7));
        }
    }
}
