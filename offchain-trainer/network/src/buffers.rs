//! Memory for slices, used over and over: a megabyte from the system is as many page faults each time, and has to be cleared.

use std::sync::{Arc, Mutex, PoisonError};

/// Buffers that wait to be used again. Cloning shares them.
#[derive(Debug, Clone)]
pub(crate) struct Buffers {
    idle: Arc<Mutex<Vec<Vec<u8>>>>,
}

/// How many wait at the most: about 8 MiB.
const IDLE: usize = 8;

/// Larger than what the transport takes and frees all the time.
const LARGE: usize = 4 * 1024 * 1024;

impl Buffers {
    /// None wait.
    pub(crate) fn new() -> Self {
        // glibc gives memory at the end of a heap back to the system after each 128 KiB, and so would have every frame of the
        // transport cause page faults; how much it keeps follows the largest piece that was ever taken from the system and freed.
        drop(std::hint::black_box(vec![1_u8; LARGE]));
        Self { idle: Arc::default() }
    }

    /// A buffer with anything in it.
    pub(crate) fn take(&self) -> Vec<u8> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.pop().unwrap_or_default()
    }

    /// Done with it.
    pub(crate) fn give(&self, buffer: Vec<u8>) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE {
            idle.push(buffer);
        }
    }
}
