//! What `hydra up` says of this machine, and whether its ports are free, looked at before anything is started.

use hydra_host::Holder;
use std::{
    io,
    net::{TcpListener, UdpSocket},
    time::Duration,
};
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

/// A port that this PC's programs are about to listen on.
struct Port {
    number: u16,
    /// Where: of no other address it matters whether it is taken.
    address: &'static str,
    is_udp: bool,
    /// For whom.
    what: &'static str,
    /// What chooses another one.
    option: &'static str,
}

impl Port {
    /// Of the system: why it can't be had.
    fn probe(&self) -> io::Result<()> {
        let address = (self.address, self.number);
        match self.is_udp {
            true => UdpSocket::bind(address).map(drop),
            false => TcpListener::bind(address).map(drop),
        }
    }

    fn holder(&self) -> Option<Holder> {
        match self.is_udp {
            true => hydra_host::udp_port_holder(self.number),
            false => hydra_host::port_holder(self.number),
        }
    }
}

/// All of them.
fn ports(home: &Home) -> Vec<Port> {
    const HERE: &str = "127.0.0.1";
    const EVERYWHERE: &str = "0.0.0.0";
    let tcp = |number, address, what, option| Port {
        number,
        address,
        is_udp: false,
        what,
        option,
    };
    let (node, trainer) = (&home.pc.node, &home.pc.trainer);
    let mut ports = vec![
        tcp(node.rpc_port, HERE, "the node's RPC", "--rpc-port"),
        tcp(node.p2p_port, EVERYWHERE, "other nodes", "--p2p-port"),
        tcp(
            trainer.http_port,
            HERE,
            "this PC's trainer",
            "--trainer-http-port",
        ),
        tcp(
            trainer.p2p_port,
            EVERYWHERE,
            "other trainers",
            "--trainer-p2p-port",
        ),
        Port {
            number: trainer.p2p_port,
            address: EVERYWHERE,
            is_udp: true,
            what: "other trainers, by UDP",
            option: "--trainer-p2p-port",
        },
    ];
    if let Some(wss) = &home.joined.p2p.wss {
        let what = "other trainers, by WebSocket";
        ports.push(tcp(wss.port, EVERYWHERE, what, "--wss-port"));
    }
    ports
}

/// Refuses a port that another program has. One that this PC's own program has is no reason: that one is adopted.
fn check_ports(home: &Home) -> Result<(), Error> {
    for port in ports(home) {
        match port.probe() {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                let by = port.holder();
                let own = by
                    .as_ref()
                    .is_some_and(|by| network::own_part(&home.pc, by).is_some());
                if !own {
                    return Err(Error::PortInUse {
                        port: port.number,
                        what: port.what,
                        option: port.option,
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
    use std::path::Path;

    fn home(folder: &Path, ports: &PortArgs) -> Home {
        let wish = Wish {
            id: "net",
            name: None,
            ports,
            phrase: None,
            validator: false,
        };
        Home::open_or_make(&folder.join("pc"), &wish).unwrap().home
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
        let home = home(folder.path(), &ports);
        let error = check_ports(&home).unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("port {port} (for the node's RPC)")),
            "{error}"
        );
        assert!(error.contains("--rpc-port"), "{error}");
    }

    #[test]
    fn a_port_whose_udp_another_program_has_is_refused_though_its_tcp_is_free() {
        let folder = tempfile::tempdir().unwrap();
        let free = hydra_test_ports::free_ports(5);
        let ports = PortArgs {
            rpc_port: Some(free),
            p2p_port: Some(free + 1),
            trainer_http_port: Some(free + 2),
            trainer_p2p_port: Some(free + 3),
        };
        let mut home = home(folder.path(), &ports);
        check_ports(&home).unwrap();
        let taken = UdpSocket::bind(("0.0.0.0", free + 3)).unwrap();
        let error = check_ports(&home).unwrap_err().to_string();
        let expected = format!("port {} (for other trainers, by UDP) is taken by ", free + 3);
        assert!(error.starts_with(&expected), "{error}");
        assert!(
            error.contains(&format!("(process {})", std::process::id()))
                && error.contains("--trainer-p2p-port"),
            "{error}"
        );
        drop(taken);
        let _taken = TcpListener::bind(("0.0.0.0", free + 4)).unwrap();
        check_ports(&home).unwrap();
        home.joined.p2p.wss = Some(network::Wss {
            port: free + 4,
            certificate: "chain.pem".into(),
            key: "key.pem".into(),
        });
        let error = check_ports(&home).unwrap_err().to_string();
        assert!(error.contains("--wss-port"), "{error}");
    }
}
