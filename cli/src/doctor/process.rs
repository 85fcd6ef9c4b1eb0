//! Which processes the node and the trainer are. `network.json` notes their numbers, and a number may be another program's by now:
//! after a restart of this PC, or because what was started ended.
//!
//! It must never lead to a number that nobody is known to have: somebody will end that process.

use std::{
    fs,
    path::Path,
    time::{Duration, SystemTime},
};

use crate::network::Network;

/// The process that has this port, else the one that was noted; 0 if neither is known.
pub fn of_port(port: u16, noted: u32) -> u32 {
    hydra_host::port_holder(port).map_or(noted, |holder| holder.pid)
}

/// The process, for a sentence that goes on with what it does.
pub fn named(pid: u32) -> String {
    match pid {
        0 => "it".into(),
        pid => format!("its process {pid}"),
    }
}

/// How to end it. 0 would be this shell and all that it started.
pub fn end(pid: u32) -> String {
    match pid {
        0 => "end it".into(),
        pid => format!("end it with `kill -9 {pid}`"),
    }
}

/// Forgets the numbers of processes if `file`, which they are from, was written before this PC was started.
pub fn forget_earlier(network: &mut Network, file: &Path) {
    let written = fs::metadata(file).and_then(|at| at.modified());
    let uptime = fs::read_to_string("/proc/uptime");
    let is_old = match (written, uptime.ok().as_deref().and_then(up_for)) {
        (Ok(written), Some(up)) => is_earlier(written, up, SystemTime::now()),
        _ => false,
    };
    if is_old {
        network.hydra_pid = 0;
        for pc in &mut network.pcs {
            (pc.node.pid, pc.trainer.pid) = (0, 0);
        }
    }
}

/// For how long the PC has been up, as the kernel says it: `350735.47 234388.90`.
fn up_for(text: &str) -> Option<Duration> {
    let seconds = text.split_whitespace().next()?.parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

/// Whether what was written then was written before a PC was started that has been up for so long.
fn is_earlier(written: SystemTime, up: Duration, now: SystemTime) -> bool {
    now.checked_sub(up).is_some_and(|start| written < start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_before_the_pc_was_started_is_known() {
        let up = up_for("3600.5 100.0\n").unwrap();
        assert_eq!(up, Duration::from_millis(3_600_500));
        assert_eq!(up_for("soon"), None);
        assert_eq!(up_for("-1 2"), None);
        let now = SystemTime::now();
        let ago = |seconds| now - Duration::from_secs(seconds);
        assert!(is_earlier(ago(3_601), up, now));
        assert!(!is_earlier(ago(3_600), up, now));
        // A clock that was set back since is no reason to forget anything.
        assert!(!is_earlier(now + Duration::from_secs(9), up, now));
    }

    #[test]
    fn nobody_is_told_to_end_what_has_no_number() {
        let port = hydra_test_ports::free_ports(1);
        let held = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
        // Whoever has the port, whatever was noted.
        assert_eq!(of_port(port, 1), std::process::id());
        drop(held);
        assert_eq!(of_port(port, 0), 0);
        assert!(!end(0).contains("kill") && !named(0).contains('0'));
        assert_eq!(end(7), "end it with `kill -9 7`");
    }
}
