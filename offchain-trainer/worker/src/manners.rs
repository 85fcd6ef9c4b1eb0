//! Leaves the PC to its owner and to the node, whose blocks are due by the second.
//!
//! Nothing here changes a result, and nothing here may keep a worker from working: where the system refuses, it runs as
//! any process does.

use std::fs;

/// The lowest priority there is: such a process gets what no other wants.
const NICENESS: i32 = 19;
/// How much rather than others this process is killed when memory runs out (0 to 1000): a worker is replaced, a node that
/// is killed makes no blocks.
const KILLED_FIRST: &str = "500";

/// To be called before there is a second thread: the priority is a thread's, and inherited.
pub fn step_back() {
    let _ = rustix::process::setpriority_process(None, NICENESS);
    let _ = fs::write("/proc/self/oom_score_adj", KILLED_FIRST);
}
