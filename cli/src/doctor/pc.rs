//! This PC, whatever runs on it: processor, memory, disk and clock. Each judges what was measured, so that a fault that can't be
//! made can be judged, too.

use hydra_arithmetic::Level;

use super::check::{Check, State, Topic};
use crate::{
    machine::{LEAST_FREE_MIB, Memory},
    report::clock,
};

/// With less memory in all, a node and a trainer are put out to disk.
const LITTLE_MEMORY_MIB: u64 = 3_584;
/// With less to be had, the system ends programs.
const NO_MEMORY_MIB: u64 = 256;
/// With less on the disk, the trainer soon takes no new work.
const LITTLE_SPACE_MIB: u64 = 2 * LEAST_FREE_MIB;
/// A block that lies further ahead than this, in seconds, was made by a clock that is wrong, or is looked at by one.
const AHEAD: f64 = 5.0;
const SET_IT: &str = "set it: `sudo timedatectl set-ntp true`";

/// The processor: every one computes the same; whether it has instructions to do so in time matters to who wants to train.
pub fn processor(cores: usize, level: Level, trains: bool) -> Check {
    let cores = match cores {
        1 => "1 core".into(),
        cores => format!("{cores} cores"),
    };
    if level != Level::Portable {
        let found = format!("{cores}, training with {}", level.name());
        return Check::ok(Topic::Processor, found);
    }
    let found = format!(
        "{cores}, without AVX2 and FMA: it would train many times slower than others, and come too late"
    );
    let todo = match trains {
        true => "run a node with `hydra up --no-train`, or train on another PC",
        false => "nothing: this PC isn't asked to train",
    };
    Check::warning(Topic::Processor, found, todo)
}

/// The memory.
pub fn memory(memory: Option<Memory>) -> Check {
    let Some(Memory {
        total_mib,
        available_mib,
    }) = memory
    else {
        return Check::unknown(Topic::Memory, "the system doesn't say how much there is");
    };
    let found = format!(
        "{} GiB, {} GiB of them available",
        gib(total_mib),
        gib(available_mib)
    );
    if available_mib < NO_MEMORY_MIB {
        let todo = "end other programs: the system will soon end node or trainer";
        return Check::fault(Topic::Memory, found, todo);
    }
    if total_mib < LITTLE_MEMORY_MIB {
        let todo = "node and trainer are made for 4 GiB: run nothing else on this PC, or give it more";
        return Check::warning(Topic::Memory, found, todo);
    }
    Check::ok(Topic::Memory, found)
}

/// The space where the data are, or will be.
pub fn disk(free_mib: u64) -> Check {
    let todo = "free some space, or move the folder to another disk";
    if free_mib < LEAST_FREE_MIB {
        let found = format!(
            "{} GiB are free where the data are, and `hydra up` starts with {} GiB or more",
            gib(free_mib),
            gib(LEAST_FREE_MIB)
        );
        return Check::fault(Topic::Disk, found, todo);
    }
    let found = format!("{} GiB are free where the data are", gib(free_mib));
    match free_mib < LITTLE_SPACE_MIB {
        true => Check::warning(Topic::Disk, found, todo),
        false => Check::ok(Topic::Disk, found),
    }
}

/// The clock: what the node warns of, how far it is ahead in milliseconds, and how old the newest block is by it, in seconds.
pub fn clock(warning: Option<&str>, offset_ms: Option<i64>, block_age: Option<f64>) -> Check {
    if let Some(offset) = offset_ms.filter(|offset| clock::is_wrong(*offset)) {
        let found = format!("about {} the network's", clock::words(offset));
        return Check::fault(Topic::Clock, found, SET_IT);
    }
    if let Some(warning) = warning {
        return Check::fault(Topic::Clock, warning, SET_IT);
    }
    match (offset_ms, block_age) {
        (_, Some(age)) if age < -AHEAD => Check::new(
            Topic::Clock,
            State::Fault,
            format!("the newest block lies {:.0} s ahead of it", -age),
            SET_IT,
        ),
        (Some(offset), _) => Check::ok(Topic::Clock, format!("{} the network's", clock::words(offset))),
        (None, Some(_)) => Check::ok(Topic::Clock, "no other PC says anything else"),
        (None, None) => Check::unknown(
            Topic::Clock,
            "neither node nor trainer is here to compare it with",
        ),
    }
}

fn gib(mib: u64) -> String {
    format!("{}.{}", mib / 1_024, mib % 1_024 * 10 / 1_024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_processor_is_a_warning_with_what_to_do_where_it_is_to_train() {
        for level in Level::available() {
            let check = processor(8, level, true);
            let fast = level != Level::Portable;
            assert_eq!(check.state == State::Ok, fast, "{}", check.found);
            assert_eq!(check.found.ends_with(level.name()), fast, "{}", check.found);
        }
        let old = processor(1, Level::Portable, true);
        assert_eq!(old.state, State::Warning);
        assert!(old.found.starts_with("1 core, without AVX2"), "{}", old.found);
        assert_ne!(processor(1, Level::Portable, false).todo, old.todo);
    }

    #[test]
    fn memory_that_is_nearly_used_up_is_a_fault() {
        let with = |total_mib, available_mib| {
            memory(Some(Memory {
                total_mib,
                available_mib,
            }))
        };
        assert_eq!(with(15_902, 255).state, State::Fault);
        assert_eq!(with(2_000, 1_000).state, State::Warning);
        let fine = with(15_902, 9_400);
        assert_eq!(fine.state, State::Ok);
        assert_eq!(fine.found, "15.5 GiB, 9.1 GiB of them available");
        assert_eq!(memory(None).state, State::Unknown);
    }

    #[test]
    fn a_disk_that_up_would_refuse_is_a_fault_and_one_that_soon_would_a_warning() {
        let full = disk(LEAST_FREE_MIB - 1);
        assert_eq!(full.state, State::Fault);
        assert!(full.found.starts_with("1.9 GiB are free"), "{}", full.found);
        assert_eq!(disk(LEAST_FREE_MIB).state, State::Warning);
        assert_eq!(disk(LITTLE_SPACE_MIB).state, State::Ok);
        assert_eq!(disk(0).state, State::Fault);
    }

    #[test]
    fn a_clock_that_others_contradict_is_a_fault() {
        assert_eq!(clock(None, Some(1_900), Some(1.0)).state, State::Ok);
        let ahead = clock(None, Some(35_200), Some(1.0));
        assert_eq!(ahead.state, State::Fault);
        assert_eq!(ahead.found, "about 35 s ahead of the network's");
        assert!(clock(None, Some(-900_000), None).found.contains("15 min behind"));
        let said = clock(Some("it is wrong"), None, Some(1.0));
        assert_eq!((said.state, said.found.as_str()), (State::Fault, "it is wrong"));
        // Nobody says anything, but no block is made in the future.
        let block = clock(None, None, Some(-900.0));
        assert_eq!(block.state, State::Fault);
        assert!(block.found.contains("900 s ahead"), "{}", block.found);
        assert_eq!(clock(None, None, Some(3.0)).state, State::Ok);
        assert_eq!(clock(None, None, None).state, State::Unknown);
    }
}
