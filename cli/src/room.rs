//! What a PC takes on: how large a task may be, as a size class, and how many tasks at a time. Found from what the PC has, or
//! chosen by its owner.
//!
//! Must never promise more memory than there is: whoever claims more than it can do misses duties. Pure.

use hydra_arithmetic::Level;
use hydra_primitives::model::{CLASS_MEMORY, MAX_SIZE_CLASS, SizeClass};

/// Of its memory, a PC lends this part to one task: the programs need some, and so does whoever sits before it.
const MEMORY_PART: u64 = 4;
/// Tasks for each core: most are a second of work, and there are blocks to do them in.
const TASKS_PER_CORE: usize = 16;
/// The fewest and the most tasks that are found: in a network of four, each PC has half a dozen at a time, in one of 33 where every
/// proposal is appealed three dozen.
const TASKS: (usize, usize) = (16, 64);
/// Classes less where the processor has no instructions for the arithmetic: it then takes sixteen times as long or more.
const SLOWER: SizeClass = 4;
/// What is lent where nobody says how much memory there is: 256 MiB.
const UNKNOWN: SizeClass = 6;

/// What a PC takes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// How large a task may be.
    pub size_class: SizeClass,
    /// How many at a time.
    pub tasks: u8,
}

impl Room {
    /// That of a PC with so much memory, 0 where that isn't known, and so many cores.
    pub fn of(memory_mib: u64, cores: usize) -> Self {
        let lent = memory_mib.saturating_mul(1 << 20) / MEMORY_PART;
        let fits = |class: &SizeClass| memory_of(*class) <= lent;
        let size_class = match memory_mib {
            0 => UNKNOWN,
            _ => (0..=MAX_SIZE_CLASS).rev().find(fits).unwrap_or(0),
        };
        let tasks = cores.saturating_mul(TASKS_PER_CORE).clamp(TASKS.0, TASKS.1);
        Self {
            size_class,
            tasks: u8::try_from(tasks).unwrap_or(u8::MAX),
        }
    }

    /// The same, where the processor computes with these instructions.
    pub fn with(self, level: Level) -> Self {
        let slower = match level {
            Level::Portable => SLOWER,
            _ => 0,
        };
        Self {
            size_class: self.size_class.saturating_sub(slower),
            ..self
        }
    }

    /// The same, where the owner chose something else.
    pub fn or(self, size_class: Option<SizeClass>, tasks: Option<u8>) -> Self {
        Self {
            size_class: size_class.unwrap_or(self.size_class),
            tasks: tasks.unwrap_or(self.tasks),
        }
    }

    /// As people read it: `tasks of up to 4 GiB, 32 at a time (size class 10)`.
    pub fn words(self) -> String {
        let mib = memory_of(self.size_class) >> 20;
        let memory = match mib.is_multiple_of(1_024) {
            true => format!("{} GiB", mib / 1_024),
            false => format!("{mib} MiB"),
        };
        format!(
            "tasks of up to {memory}, {} at a time (size class {})",
            self.tasks, self.size_class
        )
    }
}

/// The memory that a PC of this class lends to a task, in bytes.
fn memory_of(class: SizeClass) -> u64 {
    CLASS_MEMORY << class.min(MAX_SIZE_CLASS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pc_lends_a_quarter_of_its_memory_and_never_more() {
        let class = |memory_mib| Room::of(memory_mib, 4).size_class;
        assert_eq!([class(2_048), class(4_096), class(16_384)], [7, 8, 10]);
        // What the kernel keeps for itself counts.
        assert_eq!(class(15_902), 9);
        assert_eq!([class(1), class(u64::MAX)], [0, MAX_SIZE_CLASS]);
        assert_eq!(class(0), UNKNOWN);
    }

    #[test]
    fn a_slow_processor_takes_on_what_it_does_in_time() {
        let found = Room::of(16_384, 2);
        assert_eq!(found.with(Level::Portable).size_class, found.size_class - 4);
        assert_eq!(Room::of(1, 2).with(Level::Portable).size_class, 0);
        for fast in Level::available()
            .into_iter()
            .filter(|level| *level != Level::Portable)
        {
            assert_eq!(found.with(fast), found);
        }
    }

    #[test]
    fn more_cores_take_on_more_tasks_within_bounds() {
        let tasks = |cores| Room::of(4_096, cores).tasks;
        assert_eq!([0, 1, 2, 4, 64].map(tasks), [16, 16, 32, 64, 64]);
    }

    #[test]
    fn what_is_chosen_counts_and_it_is_said_in_memory() {
        let found = Room::of(16_384, 2);
        assert_eq!(
            found.words(),
            "tasks of up to 4 GiB, 32 at a time (size class 10)"
        );
        let chosen = found.or(Some(3), None);
        assert_eq!(
            chosen.words(),
            "tasks of up to 32 MiB, 32 at a time (size class 3)"
        );
        assert_eq!(found.or(None, Some(1)).tasks, 1);
    }
}
