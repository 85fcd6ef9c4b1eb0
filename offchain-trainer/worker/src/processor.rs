//! What this process computes with: the best instructions that there are, and as many threads as the job at hand may have. No bit depends
//! on either.

use std::sync::{LazyLock, PoisonError, RwLock};

use hydra_arithmetic::{Cpu, Level, cpu::CpuError};

/// One thread until a job says otherwise.
static CPU: LazyLock<RwLock<Cpu>> = LazyLock::new(RwLock::default);

/// What to compute with. Clones share their threads.
pub fn cpu() -> Cpu {
    CPU.read().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Checks that every thread that computes does so as IEEE 754 says: the calling one, and those that it shares work out to.
///
/// # Errors
/// If one of them doesn't.
pub fn check() -> Result<(), CpuError> {
    cpu().check()
}

/// Computes with so many threads (0 counts as 1) from now on; with one, where the system starts no more. What is being computed ends with those
/// that it has.
pub fn use_threads(threads: usize) {
    let now = cpu();
    if now.threads() != threads.max(1) {
        let next = now.with_threads(threads).unwrap_or_default();
        *CPU.write().unwrap_or_else(PoisonError::into_inner) = next;
    }
}

/// Computes with these instructions from now on: slower ones than the best, to measure them.
///
/// # Errors
/// If this processor doesn't have them.
pub fn use_level(level: Level) -> Result<(), CpuError> {
    let next = cpu().with_level(level)?;
    *CPU.write().unwrap_or_else(PoisonError::into_inner) = next;
    Ok(())
}
