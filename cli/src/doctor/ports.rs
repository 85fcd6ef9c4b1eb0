//! The PC's four ports: free, its own programs', or somebody else's.

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
    let mut checks = Vec::new();
    let (mut own, mut free) = (Vec::new(), Vec::new());
    for ((_, port, what), option) in subject.pc.ports().into_iter().zip(OPTIONS) {
        let otherwise = match &subject.home {
            Some(_) => format!("choose another one: `{} {option} PORT`", subject.again()),
            None => format!(
                "start the whole network on others: `hydra demo --base-path {} --base-port PORT`",
                subject.folder.display()
            ),
        };
        match network::port_state(&subject.pc, port) {
            PortState::Own => own.push(port.to_string()),
            PortState::Free => free.push(port.to_string()),
            PortState::Other(holder) => checks.push(Check::fault(
                Topic::Ports,
                format!("port {port} (for {what}) is taken by {holder}, which is not of this network"),
                format!("end it with `kill {}`, or {otherwise}", holder.pid),
            )),
            PortState::Unseen => checks.push(Check::fault(
                Topic::Ports,
                format!("port {port} (for {what}) is taken by a program that can't be seen from here"),
                format!("find it with `sudo ss -ltnp`, or {otherwise}"),
            )),
        }
    }
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
