//! What `hydra up` says of this machine, and whether its ports are free, looked at before anything is started.

use std::{io, net::TcpListener, time::Duration};
use tokio::time::{Instant, sleep};

use super::event::Event;
pub use crate::machine::Machine;
use crate::{error::Error, home::Home, network, room::Room};

impl Machine {
    /// The same, to be said, with what it takes on.
    pub fn event(self, room: Room) -> Event {
        Event::Machine {
            cores: self.cores,
            memory_mib: self.memory_mib,
            instructions: self.level.name().into(),
            free_mib: self.free_mib,
            size_class: room.size_class,
            room: room.tasks,
        }
    }
}

/// How long programs of an earlier `hydra up` may take to go that was killed.
const PARTING: Duration = Duration::from_secs(10);
/// How often that is looked at: there is no event for the end of another's child.
const POLL: Duration = Duration::from_millis(100);
/// How long a port that nobody is seen to have may be that of a process which was killed.
const ENDING: Duration = Duration::from_secs(3);

/// Refuses a port that another program has, once those of an earlier `hydra up` are gone.
pub async fn wait_for_ports(home: &Home) -> Result<(), Error> {
    let begun = Instant::now();
    let deadline = begun + PARTING;
    let goes = || {
        [home.pc.node.pid, home.pc.trainer.pid]
            .into_iter()
            .any(network::alive)
    };
    loop {
        match check_ports(home) {
            Err(Error::PortInUse { .. }) if goes() && Instant::now() < deadline => sleep(POLL).await,
            // A process that is ending isn't seen any more, and has its ports for a moment.
            Err(Error::PortInUse { by: None, .. }) if begun.elapsed() < ENDING => sleep(POLL).await,
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
