//! What this machine has: its processor, its memory, and the space where a network's data are.
//!
//! It must never change anything, and never judge more than whether anything could start at all.

use hydra_arithmetic::Level;
use std::{fs, path::Path};

use crate::error::Error;

/// Without this much neither node nor trainer would start.
pub const LEAST_FREE_MIB: u64 = 2_048;

/// What this machine has.
#[derive(Clone, Copy, Debug)]
pub struct Machine {
    /// Processor cores.
    pub cores: usize,
    /// Memory.
    pub memory_mib: u64,
    /// The fastest instructions that it can compute with.
    pub level: Level,
    /// Free space where the data will be.
    pub free_mib: u64,
}

/// The memory of this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// All of it.
    pub total_mib: u64,
    /// What a program could still get without others being put out to disk.
    pub available_mib: u64,
}

impl Machine {
    /// Looks, and refuses a disk that is too full.
    pub fn look(folder: &Path) -> Result<Self, Error> {
        let machine = Self {
            cores: cores(),
            memory_mib: memory().map_or(0, |memory| memory.total_mib),
            level: Level::best(),
            free_mib: free_mib(folder)?,
        };
        if machine.free_mib < LEAST_FREE_MIB {
            return Err(Error::NoSpace {
                path: folder.into(),
                free: machine.free_mib,
                needed: LEAST_FREE_MIB,
            });
        }
        Ok(machine)
    }
}

/// How many cores there are for this program.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Free space where `folder` is, or will be.
pub fn free_mib(folder: &Path) -> Result<u64, Error> {
    let free = hydra_host::free_space(folder).map_err(Error::file("look at", folder))?;
    Ok(free >> 20)
}

/// The memory, as far as the kernel says.
pub fn memory() -> Option<Memory> {
    memory_in(&fs::read_to_string("/proc/meminfo").ok()?)
}

fn memory_in(table: &str) -> Option<Memory> {
    let mib = |name: &str| {
        let line = table.lines().find_map(|line| line.strip_prefix(name))?;
        let kib: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
        Some(kib / 1_024)
    };
    let total_mib = mib("MemTotal:")?;
    Some(Memory {
        total_mib,
        // Kernels have said it since 2014.
        available_mib: mib("MemAvailable:").unwrap_or(total_mib),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_from_the_kernel_s_table() {
        let table = "MemTotal:       16284428 kB\nMemFree: 1 kB\nMemAvailable:    2048000 kB\n";
        let memory = Memory {
            total_mib: 15_902,
            available_mib: 2_000,
        };
        assert_eq!(memory_in(table), Some(memory));
        assert_eq!(
            memory_in("MemTotal: 2048 kB\n").map(|memory| memory.available_mib),
            Some(2)
        );
        assert_eq!(memory_in(""), None);
    }

    #[test]
    fn space_is_that_of_the_file_system_that_the_folder_will_be_in() {
        let folder = tempfile::tempdir().unwrap();
        assert!(free_mib(&folder.path().join("not/yet")).is_ok());
        std::fs::write(folder.path().join("file"), "").unwrap();
        assert!(free_mib(&folder.path().join("file/below")).is_err());
    }
}
