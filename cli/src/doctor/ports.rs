//! The PC's ports: free, its own programs', or somebody else's.

use super::{
    check::{Check, Topic},
    place::Subject,
};
use crate::network::{self, PortState};

/// The options of `hydra up` that choose another port, in the order of a PC's ports.
const OPTIONS: [&str; 4] = [
    "--rpc-port",
    "--trainer-http-port",
    "--p2p-port",
    "--trainer-p2p-port",
];

/// Looks at all of them.
pub fn look(subject: &Subject) -> Vec<Check> {
    let pc = &subject.pc;
    let mut ports: Vec<(u16, String, &str)> = pc
        .ports()
        .into_iter()
        .zip(OPTIONS)
        .map(|((_, port, what), option)| (port, what, option))
        .collect();
    let wss = subject
        .home
        .as_ref()
        .and_then(|home| home.joined.p2p.wss.as_ref());
    ports.extend(wss.map(|wss| (wss.port, format!("{}'s WebSocket", pc.title()), "--wss-port")));
    let mut checks = Vec::new();
    let (mut own, mut free) = (Vec::new(), Vec::new());
    for (port, what, option) in ports {
        match network::port_state(pc, port) {
            PortState::Own => own.push(port.to_string()),
            PortState::Free => free.push(port.to_string()),
            taken => checks.extend(is_taken(subject, taken, port, &what, option)),
        }
    }
    // The trainer has the same number by TCP and UDP, and only a fault is worth a word more.
    let port = pc.trainer.p2p_port;
    let what = format!("{}'s trainer by UDP", pc.title());
    let udp = network::udp_port_state(pc, port);
    checks.extend(is_taken(subject, udp, port, &what, "--trainer-p2p-port"));
    if checks.is_empty() {
        let parts = [(own, "this PC's own"), (free, "free")];
        let parts: Vec<String> = parts
            .into_iter()
            .filter(|(ports, _)| !ports.is_empty())
            .map(|(ports, how)| format!("{}: {how}", ports.join(", ")))
            .collect();
        checks.push(Check::ok(Topic::Ports, parts.join("; ")));
    }
    checks
}

/// What to do about a port that somebody else has.
fn is_taken(subject: &Subject, state: PortState, port: u16, what: &str, option: &str) -> Option<Check> {
    let otherwise = match &subject.home {
        Some(_) => format!("choose another one: `{} {option} PORT`", subject.again()),
        None => format!(
            "start the whole network on others: `hydra demo --base-path {} --base-port PORT`",
            subject.folder.display()
        ),
    };
    match state {
        PortState::Own | PortState::Free => None,
        PortState::Other(holder) => Some(Check::fault(
            Topic::Ports,
            format!("port {port} (for {what}) is taken by {holder}, which is not of this network"),
            format!("end it with `kill {}`, or {otherwise}", holder.pid),
        )),
        PortState::Unseen => Some(Check::fault(
            Topic::Ports,
            format!("port {port} (for {what}) is taken by a program that can't be seen from here"),
            format!("find it with `sudo ss -ltunp`, or {otherwise}"),
        )),
    }
}
