//! Memory for slices, used over and over: a megabyte from the system is as many page faults each time, and has to be cleared.

use std::sync::{Arc, Mutex, PoisonError};

/// Buffers that wait to be used again. Cloning shares them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Buffers {
    idle: Arc<Mutex<Vec<Vec<u8>>>>,
}

/// How many wait at the most: about 8 MiB.
const IDLE: usize = 8;

impl Buffers {
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
