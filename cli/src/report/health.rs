//! What is wrong with the newest block or with this PC's clock, as sentences; nothing where all is well.

use std::time::{Duration, SystemTime};

use super::{clock, figures::duration};
use crate::chain::Clock;

/// So long without a block is nothing yet, however fast the network is.
const QUIET_LIMIT: Duration = Duration::from_secs(30);
/// Nor are so many slots: who was to make their blocks may be away.
const QUIET_SLOTS: u32 = 6;
/// A block that lies further ahead than this was made by a clock that is wrong, or is looked at by one.
const AHEAD_LIMIT: Duration = Duration::from_secs(5);

/// How long nothing may come in a network whose slots are this long, but `least` in any.
pub fn quiet_limit(least: Duration, slot: Duration) -> Duration {
    slot.saturating_mul(QUIET_SLOTS).max(least)
}

/// A newest block that isn't of now. `age` is in seconds, and negative if it lies ahead; `slot` is how long a slot lasts.
pub fn of_block(block: u64, age: f64, syncing: bool, slot: Duration) -> Option<String> {
    // Genesis has no time.
    if block == 0 {
        return None;
    }
    let time = Duration::try_from_secs_f64(age.abs()).unwrap_or_default();
    match age < 0.0 {
        true if time > AHEAD_LIMIT => Some(format!(
            "last block: {} ahead of this PC's clock; if that is wrong, set it (timedatectl set-ntp true): with a clock \
             behind its blocks a network makes none",
            duration(time)
        )),
        false if time > quiet_limit(QUIET_LIMIT, slot) && !syncing => Some(format!(
            "last block: {} ago; the network makes none now, or this node has lost it, or this PC's clock is wrong",
            duration(time)
        )),
        _ => None,
    }
}

/// A clock that isn't the network's: as the node says, else as the trainer does.
pub fn of_clock(node: Option<&Clock>, trainer_ms: Option<i64>) -> Option<String> {
    if let Some(warning) = node.and_then(|clock| clock.warning.as_deref()) {
        return Some(format!("clock: {warning}"));
    }
    let offset = node.and_then(|clock| clock.offset_ms).or(trainer_ms)?;
    clock::is_wrong(offset).then(|| {
        format!(
            "clock: about {} the network's: set it (timedatectl set-ntp true), what it does may come too late \
             until then",
            clock::words(offset)
        )
    })
}

/// Seconds from `then` to `now`; negative if it lies ahead.
pub fn age(now: SystemTime, then: SystemTime) -> f64 {
    match now.duration_since(then) {
        Ok(age) => age.as_secs_f64(),
        Err(ahead) => -ahead.duration().as_secs_f64(),
    }
}
