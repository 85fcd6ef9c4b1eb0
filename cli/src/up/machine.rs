//! Whether this machine can take part, looked at before anything is started: its processor, memory, disk and ports.

use std::{fs, io, net::TcpListener, path::Path, time::Duration};
use tokio::time::{Instant, sleep};

use super::event::Event;
use crate::{error::Error, home::Home, network};

/// Without this much neither node nor trainer would start.
const LEAST_FREE_MIB: u64 = 2_048;

/// What this machine has.
#[derive(Clone, Copy, Debug)]
pub struct Machine {
    /// Processor cores.
    pub cores: usize,
    /// Memory.
    pub memory_mib: u64,
    /// Whether the processor has what exact models need.
    pub avx2: bool,
    /// Free space where the data will be.
    pub free_mib: u64,
}

impl Machine {
    /// Looks, and refuses a disk that is too full.
    pub fn look(folder: &Path) -> Result<Self, Error> {
        let free = hydra_host::free_space(folder).map_err(Error::file("look at", folder))?;
        let machine = Self {
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_mib: memory_mib(&fs::read_to_string("/proc/meminfo").unwrap_or_default()),
            avx2: has_avx2(),
            free_mib: free >> 20,
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

    /// The same, to be said.
    pub fn event(self) -> Event {
        Event::Machine {
            cores: self.cores,
            memory_mib: self.memory_mib,
            avx2: self.avx2,
            free_mib: self.free_mib,
        }
    }
}

fn memory_mib(table: &str) -> u64 {
    let line = table.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kib = line.and_then(|rest| rest.trim().trim_end_matches("kB").trim().parse::<u64>().ok());
    kib.unwrap_or(0) / 1_024
}

#[cfg(target_arch = "x86_64")]
fn has_avx2() -> bool {
    is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")
}

#[cfg(not(target_arch = "x86_64"))]
fn has_avx2() -> bool {
    false
}

/// How long programs of an earlier `hydra up` may take to go that was killed.
const PARTING: Duration = Duration::from_secs(10);
/// How often that is looked at: there is no event for the end of another's child.
const POLL: Duration = Duration::from_millis(100);

/// Refuses a port that another program has, once those of an earlier `hydra up` are gone.
pub async fn wait_for_ports(home: &Home) -> Result<(), Error> {
    let deadline = Instant::now() + PARTING;
    let goes = || {
        [home.pc.node.pid, home.pc.trainer.pid]
            .into_iter()
            .any(network::alive)
    };
    loop {
        match check_ports(home) {
            Err(Error::PortInUse { .. }) if goes() && Instant::now() < deadline => sleep(POLL).await,
            checked => return checked,
        }
    }
}

/// Refuses a port that another program has. One that this PC's own program has is no reason: that one is adopted.
fn check_ports(home: &Home) -> Result<(), Error> {
    let (node, trainer) = (&home.pc.node, &home.pc.trainer);
    let everyone = "0.0.0.0";
    for (port, address, what, option) in [
        (node.rpc_port, "127.0.0.1", "the node's RPC", "--rpc-port"),
        (node.p2p_port, everyone, "other nodes", "--p2p-port"),
        (
            trainer.http_port,
            "127.0.0.1",
            "this PC's trainer",
            "--trainer-http-port",
        ),
        (trainer.p2p_port, everyone, "other trainers", "--trainer-p2p-port"),
    ] {
        match TcpListener::bind((address, port)) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                let by = hydra_host::port_holder(port);
                let own = by
                    .as_ref()
                    .is_some_and(|by| network::own_part(&home.pc, by).is_some());
                if !own {
                    return Err(Error::PortInUse {
                        port,
                        what,
                        option,
                        by,
                    });
                }
            }
            // Anything else the program itself will report better.
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{args::PortArgs, home::Wish};

    #[test]
    fn memory_is_read_from_the_kernel_s_table() {
        assert_eq!(memory_mib("MemTotal:       16284428 kB\nMemFree: 1 kB\n"), 15_902);
        assert_eq!(memory_mib(""), 0);
    }

    #[test]
    fn a_port_that_is_taken_is_named_with_the_option_that_chooses_another() {
        let folder = tempfile::tempdir().unwrap();
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        let ports = PortArgs {
            rpc_port: Some(port),
            ..Default::default()
        };
        let wish = Wish {
            id: "net",
            name: None,
            ports: &ports,
            phrase: None,
            validator: false,
        };
        let home = Home::open_or_make(&folder.path().join("pc"), &wish).unwrap().home;
        let error = check_ports(&home).unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("port {port} (for the node's RPC)")),
            "{error}"
        );
        assert!(error.contains("--rpc-port"), "{error}");
    }
}
