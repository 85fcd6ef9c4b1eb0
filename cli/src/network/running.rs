//! Whether a PC runs, and whose program it is that holds one of its ports.
//!
//! That something answers on a PC's port says little: networks are stopped, and others use the same ports.

use hydra_host::Holder;
use nix::{errno::Errno, sys::signal::kill, unistd::Pid};
use std::{
    fs,
    net::TcpStream,
    os::unix::{ffi::OsStrExt, fs::MetadataExt},
    path::Path,
    time::Duration,
};

use super::file::{Network, Pc};

/// Locked by the `hydra up` that runs a folder.
pub const UP_LOCK: &str = "up.lock";
/// How long a port on this PC may take to be connected to. Loopback answers or refuses at once.
const PATIENCE: Duration = Duration::from_millis(300);

/// How a PC's node is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// It runs.
    Runs,
    /// It doesn't.
    Stopped,
    /// It doesn't, and another program has its port.
    Replaced(Holder),
}

/// How a PC's node is.
pub fn condition(pc: &Pc) -> Condition {
    let port = pc.node.rpc_port;
    if TcpStream::connect_timeout(&([127, 0, 0, 1], port).into(), PATIENCE).is_err() {
        return Condition::Stopped;
    }
    match hydra_host::port_holder(port) {
        Some(holder) if own_part(pc, &holder).is_some() => Condition::Runs,
        Some(holder) => Condition::Replaced(holder),
        // Another user's: then the process that was started must still be there.
        None if alive(pc.node.pid) => Condition::Runs,
        None => Condition::Stopped,
    }
}

/// Who has a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PortState {
    /// Nobody.
    Free,
    /// The PC's own node or trainer.
    Own,
    /// Another program.
    Other(Holder),
    /// A program that can't be seen from here: another user's.
    Unseen,
}

/// Who has this port of a PC. Nothing is bound to find out: the PC's own program may be about to.
pub fn port_state(pc: &Pc, port: u16) -> PortState {
    let answers = || TcpStream::connect_timeout(&([127, 0, 0, 1], port).into(), PATIENCE).is_ok();
    match hydra_host::port_holder(port) {
        Some(holder) if own_part(pc, &holder).is_some() => PortState::Own,
        Some(holder) => PortState::Other(holder),
        None if !answers() => PortState::Free,
        // Another user's: the PC's own, if the processes that were started are still there.
        None if alive(pc.node.pid) || alive(pc.trainer.pid) => PortState::Own,
        None => PortState::Unseen,
    }
}

/// Who has this port of a PC by UDP, where that can be seen: of another user's program it can't, and nothing is bound to find out.
pub fn udp_port_state(pc: &Pc, port: u16) -> PortState {
    match hydra_host::udp_port_holder(port) {
        Some(holder) if own_part(pc, &holder).is_some() => PortState::Own,
        Some(holder) => PortState::Other(holder),
        None => PortState::Free,
    }
}

/// Whether the `hydra demo` that starts it is still waiting for its PCs to answer.
pub fn starting(network: &Network) -> bool {
    !network.ready && alive(network.hydra_pid)
}

/// Whether a PC in a network with others runs: its `hydra up`, or its node by itself.
pub(super) fn is_up(folder: &Path, network: &Network) -> bool {
    is_run_by(folder, network.hydra_pid) || network.pcs.iter().any(|pc| condition(pc) == Condition::Runs)
}

/// Whether this process is the `hydra up` that runs the folder: it has the folder's lock open. The number that is noted may be
/// another program's by now. Nothing is locked to find out, or a `hydra up` that starts just now would be refused.
pub fn is_run_by(folder: &Path, pid: u32) -> bool {
    let Ok(lock) = fs::metadata(folder.join(UP_LOCK)) else {
        return false;
    };
    let open = fs::read_dir(format!("/proc/{pid}/fd"));
    open.into_iter().flatten().flatten().any(|open| {
        fs::metadata(open.path()).is_ok_and(|open| (open.dev(), open.ino()) == (lock.dev(), lock.ino()))
    })
}

/// What of a network that runs has ended, each as a sentence with the way back. What was never started isn't missed.
pub fn stopped(network: &Network, folder: &Path) -> Vec<String> {
    let sentence = |pc: &Pc| {
        if pc.node.pid == 0 {
            return None;
        }
        let node = condition(pc) == Condition::Runs;
        let what = match (node, trainer_runs(pc) || trainer_listens(pc)) {
            (true, true) => return None,
            (true, false) => "'s trainer does",
            (false, true) => "'s node does",
            (false, false) => " does",
        };
        Some(format!(
            "{}{what} not run: start it again with `{}`",
            pc.title(),
            network.place(folder).again_only(&pc.name)
        ))
    };
    network.pcs.iter().filter_map(sentence).collect()
}

/// Whether the trainer that was started for this PC runs, listening or not.
pub fn trainer_runs(pc: &Pc) -> bool {
    alive(pc.trainer.pid) && may_write(pc.trainer.pid, &pc.trainer.log)
}

/// Whether this PC's own trainer listens where it should.
pub fn trainer_listens(pc: &Pc) -> bool {
    hydra_host::port_holder(pc.trainer.http_port)
        .is_some_and(|holder| own_part(pc, &holder) == Some("trainer"))
}

/// What the holder of a port is in this PC: `node` or `trainer`; `None` if it is another program.
pub fn own_part(pc: &Pc, holder: &Holder) -> Option<&'static str> {
    let parts = [
        ("node", pc.node.pid, &pc.node.base_path, &pc.node.log),
        ("trainer", pc.trainer.pid, &pc.trainer.base_path, &pc.trainer.log),
    ];
    // Its process id is known, or it was started by hand with this PC's data.
    let part = parts.into_iter().find(|(_, pid, base_path, log)| {
        (holder.pid == *pid && may_write(*pid, log)) || is_told(holder.pid, base_path)
    });
    part.map(|(part, ..)| part)
}

/// Whether the process writes this log: a copy of a network names the same processes and has logs of its own. A log that
/// isn't there decides nothing.
fn may_write(pid: u32, log: &Path) -> bool {
    let Ok(log) = fs::metadata(log) else { return true };
    fs::metadata(format!("/proc/{pid}/fd/1"))
        .is_ok_and(|output| (output.dev(), output.ino()) == (log.dev(), log.ino()))
}

/// Whether the process's command line names this path.
fn is_told(pid: u32, path: &Path) -> bool {
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let path = path.as_os_str().as_bytes();
    line.split(|byte| *byte == 0)
        .any(|word| word == path || word.strip_prefix(b"--base-path=") == Some(path))
}

/// Whether there is such a process. One that has ended and that nobody has asked about yet (a zombie) is none: in a
/// container it may stay for long.
pub fn alive(pid: u32) -> bool {
    let Ok(pid) = i32::try_from(pid) else { return false };
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The state comes after the name, which stands in brackets and may hold any.
    let ended = stat
        .rsplit(") ")
        .next()
        .is_some_and(|rest| rest.starts_with(['Z', 'X']));
    // 0 and below would mean groups of processes.
    pid > 0 && !ended && matches!(kill(Pid::from_raw(pid), None), Ok(()) | Err(Errno::EPERM))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_has_ended_is_not_alive_though_nobody_asked_about_it() {
        let mut child = std::process::Command::new("sleep").arg("1000").spawn().unwrap();
        assert!(alive(child.id()));
        child.kill().unwrap();
        // Waits for the end and leaves the zombie.
        nix::sys::wait::waitid(
            nix::sys::wait::Id::Pid(Pid::from_raw(child.id().cast_signed())),
            nix::sys::wait::WaitPidFlag::WEXITED | nix::sys::wait::WaitPidFlag::WNOWAIT,
        )
        .unwrap();
        assert!(!alive(child.id()));
        child.wait().unwrap();
    }
    use crate::network::Layout;
    use hydra_test_ports::free_ports;
    use std::net::{TcpListener, UdpSocket};

    /// A PC whose RPC port this test holds.
    fn pc() -> (Pc, TcpListener) {
        let pc = Layout::new("/base".into(), 1, free_ports(16))
            .network()
            .pcs
            .remove(0);
        let listener = TcpListener::bind(("127.0.0.1", pc.node.rpc_port)).unwrap();
        (pc, listener)
    }

    #[test]
    fn a_pc_runs_if_its_own_node_holds_its_port() {
        let (mut pc, listener) = pc();
        pc.node.pid = std::process::id();
        assert_eq!(condition(&pc), Condition::Runs);
        drop(listener);
        assert_eq!(condition(&pc), Condition::Stopped);
    }

    #[test]
    fn a_port_is_free_its_own_or_another_program_s() {
        let (mut pc, listener) = pc();
        let us = Holder {
            pid: std::process::id(),
            name: hydra_host::port_holder(pc.node.rpc_port).unwrap().name,
        };
        assert_eq!(port_state(&pc, pc.node.rpc_port), PortState::Other(us));
        pc.node.pid = std::process::id();
        assert_eq!(port_state(&pc, pc.node.rpc_port), PortState::Own);
        drop(listener);
        assert_eq!(port_state(&pc, pc.node.rpc_port), PortState::Free);
    }

    #[test]
    fn a_port_that_somebody_has_by_udp_is_not_free_though_nobody_has_it_by_tcp() {
        let mut pc = Layout::new("/base".into(), 1, free_ports(16))
            .network()
            .pcs
            .remove(0);
        let port = pc.trainer.p2p_port;
        let socket = UdpSocket::bind(("127.0.0.1", port)).unwrap();
        assert_eq!(port_state(&pc, port), PortState::Free);
        assert!(
            matches!(udp_port_state(&pc, port), PortState::Other(holder) if holder.pid == std::process::id())
        );
        pc.trainer.pid = std::process::id();
        assert_eq!(udp_port_state(&pc, port), PortState::Own);
        drop(socket);
        assert_eq!(udp_port_state(&pc, port), PortState::Free);
    }

    #[test]
    fn the_copy_of_a_network_does_not_run_because_the_original_does() {
        let (mut pc, _listener) = pc();
        let folder = tempfile::tempdir().unwrap();
        let (original, copy) = (folder.path().join("node.log"), folder.path().join("copy.log"));
        fs::write(&copy, "").unwrap();
        let mut child = std::process::Command::new("sleep")
            .arg("1000")
            .stdout(fs::File::create(&original).unwrap())
            .spawn()
            .unwrap();
        pc.node.pid = child.id();
        let holder = Holder {
            pid: child.id(),
            name: "sleep".into(),
        };
        pc.node.log = original.clone();
        assert_eq!(own_part(&pc, &holder), Some("node"));
        // A log's folder may be moved.
        pc.node.log = folder.path().join("moved.log");
        fs::rename(&original, &pc.node.log).unwrap();
        assert_eq!(own_part(&pc, &holder), Some("node"));
        pc.node.log = copy;
        assert_eq!(own_part(&pc, &holder), None);
        child.kill().unwrap();
        child.wait().unwrap();
    }

    #[test]
    fn another_program_on_its_port_is_not_its_node() {
        let (mut pc, _listener) = pc();
        // Whatever has that number now.
        pc.node.pid = 1;
        let Condition::Replaced(holder) = condition(&pc) else {
            panic!("{:?}", condition(&pc))
        };
        assert_eq!(holder.pid, std::process::id());
    }

    #[test]
    fn a_program_that_was_started_by_hand_with_its_data_is_its_own() {
        let (mut pc, _) = pc();
        let words: Vec<_> = std::env::args_os().collect();
        pc.trainer.base_path = words[0].clone().into();
        let us = Holder {
            pid: std::process::id(),
            name: "x".into(),
        };
        assert_eq!(own_part(&pc, &us), Some("trainer"));
    }

    #[test]
    fn what_has_ended_of_a_network_is_named_with_the_way_back() {
        let (pc, _listener) = pc();
        let mut network = Layout::new("/base".into(), 4, free_ports(16)).network();
        // Never started, so not missed.
        assert_eq!(stopped(&network, Path::new("/base")), Vec::<String>::new());
        let us = std::process::id();
        network.pcs[0].node.rpc_port = pc.node.rpc_port;
        network.pcs[0].node.pid = us;
        let trainer_gone = stopped(&network, Path::new("/base"));
        assert_eq!(
            trainer_gone,
            ["Alice's trainer does not run: start it again with `hydra demo --only alice --base-path /base`"]
        );
        network.pcs[0].trainer.pid = us;
        assert_eq!(stopped(&network, Path::new("/base")), Vec::<String>::new());
        network.pcs[1].node.pid = u32::MAX;
        let bob = stopped(&network, Path::new("/base"));
        assert!(
            bob.len() == 1 && bob[0].starts_with("Bob does not run"),
            "{bob:?}"
        );
    }

    #[test]
    fn a_network_starts_until_its_pcs_answer_or_who_starts_it_is_gone() {
        let mut network = Layout::new("/base".into(), 1, 20_000).network();
        assert!(!starting(&network));
        network.hydra_pid = std::process::id();
        assert!(starting(&network));
        network.ready = true;
        assert!(!starting(&network));
    }

    #[test]
    fn a_folder_is_run_by_who_has_its_lock_open_and_not_by_whoever_has_its_number() {
        let folder = tempfile::tempdir().unwrap();
        let us = std::process::id();
        assert!(!is_run_by(folder.path(), us));
        fs::write(folder.path().join(UP_LOCK), "").unwrap();
        let mut network = Layout::new(folder.path().into(), 1, 1).network();
        network.hydra_pid = us;
        assert!(!is_up(folder.path(), &network));
        let lock = fs::File::open(folder.path().join(UP_LOCK)).unwrap();
        assert!(is_up(folder.path(), &network) && !is_run_by(folder.path(), 0));
        drop(lock);
        assert!(!is_up(folder.path(), &network));
    }

    #[test]
    fn no_process_is_not_alive() {
        assert!(alive(std::process::id()));
        assert!(!alive(0));
        assert!(!alive(u32::MAX));
    }
}
