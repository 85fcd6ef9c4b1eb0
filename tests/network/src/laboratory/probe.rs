//! A prober in a seat of the laboratory: one port, from which it sends what it is told to, and which says what came.

use std::{
    io::Write,
    net::SocketAddr,
    process::{ChildStdin, Command},
    time::Duration,
};

use crate::{netns::Seat, proc::Running, program};

/// How long a program may take to start, or a line to come that has to.
const LIMIT: Duration = Duration::from_secs(30);

/// What is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// Datagrams, which QUIC is made of.
    Udp,
    /// Connections.
    Tcp,
}

/// It, while it runs.
pub struct Prober {
    running: Running,
    input: ChildStdin,
    protocol: Protocol,
    /// Where it is in its own net.
    pub own: SocketAddr,
}

impl Prober {
    /// One at this port of a PC, at the first of its addresses.
    pub fn start(seat: &Seat, protocol: Protocol, port: u16) -> Self {
        let word = match protocol {
            Protocol::Udp => "udp",
            Protocol::Tcp => "tcp",
        };
        let address = seat.addresses().first().expect("a PC with an address");
        let own = SocketAddr::new(address.parse().expect("an IP address"), port);
        let program = program("prober");
        let program = program.to_str().expect("UTF-8");
        let mut command: Command = seat.command(&[
            "setpriv",
            "--pdeathsig",
            "KILL",
            program,
            word,
            &port.to_string(),
            address,
        ]);
        let (mut running, input) = Running::spoken_to(&format!("a prober at {own}"), &mut command);
        running.line_with("ready", LIMIT);
        Self {
            running,
            input,
            protocol,
            own,
        }
    }

    /// What it sends by.
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// Where that port is seen by somebody: both have to be of one protocol, and the other can be reached.
    pub fn seen_by(&mut self, other: &mut Self) -> SocketAddr {
        match self.protocol {
            Protocol::Udp => {
                let word = format!("seen{}", self.own.port());
                self.send(other.own, &word);
                let line = other.running.line_with(&word, LIMIT);
                address_in(&line, "got ").expect("a line says where it is from")
            }
            Protocol::Tcp => {
                self.connect(other.own);
                let line = self
                    .running
                    .line_with(&format!("connected {} ", other.own), LIMIT);
                address_in(&line, "seen-as ").expect("a line says where it is seen")
            }
        }
    }

    /// Sends a word by UDP. It has left the PC when this returns.
    pub fn send(&mut self, to: SocketAddr, word: &str) {
        writeln!(self.input, "{to} {word}").expect("the prober runs");
        self.running.line_with(&format!("sent {to} {word}"), LIMIT);
    }

    /// Begins to connect by TCP.
    pub fn connect(&mut self, to: SocketAddr) {
        writeln!(self.input, "{to}").expect("the prober runs");
    }

    /// The line with this text, which has to come.
    pub fn line_with(&mut self, text: &str) -> String {
        self.running.line_with(text, LIMIT)
    }

    /// Whether a line with this text came before now.
    pub fn has_said(&mut self, text: &str) -> bool {
        self.running.lines().iter().any(|line| line.contains(text))
    }

    /// What came of connecting to this address from here: whether it stands.
    pub fn outcome(&mut self, to: SocketAddr) -> bool {
        let (stands, failed) = (format!("connected {to} "), format!("failed {to} "));
        let line = self.running.line_with_any(&[&stands, &failed], LIMIT);
        line.starts_with(&stands)
    }
}

/// The address in a line after these words.
fn address_in(line: &str, after: &str) -> Option<SocketAddr> {
    let rest = line.split_once(after)?.1;
    rest.split_whitespace().next()?.parse().ok()
}
