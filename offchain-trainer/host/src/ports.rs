//! Who holds a port, of TCP or UDP: the kernel lists each socket with its inode, and each process its open files by inode.

use std::{fs, path::Path};

/// A program that holds a port. `Display` is for messages: `hydra-trainer (process 1234)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Its process id.
    pub pid: u32,
    /// The file name of its program.
    pub name: String,
}

impl std::fmt::Display for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} (process {})", self.name, self.pid)
    }
}

/// The program that listens on this TCP port, on any of this machine's addresses; or else the one whose connection
/// has the port. `None` if nobody does, or if it belongs to another user, whose open files can't be seen.
pub fn port_holder(port: u16) -> Option<Holder> {
    holder(["/proc/net/tcp", "/proc/net/tcp6"], port)
}

/// The program that receives on this UDP port, on any of this machine's addresses. `None` as of [`port_holder`].
pub fn udp_port_holder(port: u16) -> Option<Holder> {
    holder(["/proc/net/udp", "/proc/net/udp6"], port)
}

fn holder(tables: [&str; 2], port: u16) -> Option<Holder> {
    let mut sockets: Vec<Socket> = tables
        .iter()
        .filter_map(|table| fs::read_to_string(table).ok())
        .flat_map(|table| sockets(&table, port))
        .collect();
    sockets.sort_by_key(|socket| !socket.listens);
    let processes = processes();
    sockets.iter().find_map(|socket| {
        let target = format!("socket:[{}]", socket.inode);
        let pid = *processes.iter().find(|pid| has_open(**pid, &target))?;
        Some(Holder { pid, name: name(pid) })
    })
}

#[derive(Debug, PartialEq, Eq)]
struct Socket {
    inode: u64,
    listens: bool,
}

/// The sockets of one of the kernel's tables whose local port is `port`.
fn sockets(table: &str, port: u16) -> Vec<Socket> {
    // proc(5): sl local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid timeout inode
    let row = |line: &str| {
        let mut fields = line.split_whitespace();
        let (_, local) = fields.nth(1)?.rsplit_once(':')?;
        let state = fields.nth(1)?;
        let inode = fields.nth(5)?.parse().ok()?;
        // What waits to be forgotten has no file and no owner any more.
        (u16::from_str_radix(local, 16).ok()? == port && inode != 0).then(|| Socket {
            inode,
            listens: state == "0A",
        })
    };
    table.lines().skip(1).filter_map(row).collect()
}

/// All processes, oldest numbers first: of a program and its forks, which share a socket, the parent is meant.
fn processes() -> Vec<u32> {
    let mut pids: Vec<u32> = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect();
    pids.sort_unstable();
    pids
}

fn has_open(pid: u32, target: &str) -> bool {
    fs::read_dir(format!("/proc/{pid}/fd"))
        .into_iter()
        .flatten()
        .flatten()
        .any(|entry| fs::read_link(entry.path()).is_ok_and(|link| link == Path::new(target)))
}

fn name(pid: u32) -> String {
    // The kernel's own name for a process ends after 15 characters.
    let program = fs::read_link(format!("/proc/{pid}/exe")).ok();
    let file = program.as_deref().and_then(Path::file_name);
    match file {
        Some(file) => file.to_string_lossy().trim_end_matches(" (deleted)").to_owned(),
        None => fs::read_to_string(format!("/proc/{pid}/comm"))
            .map_or_else(|_| "a program".into(), |comm| comm.trim_end().to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream, UdpSocket};

    fn here() -> Holder {
        let program = std::env::current_exe().unwrap();
        Holder {
            pid: std::process::id(),
            name: program.file_name().unwrap().to_str().unwrap().into(),
        }
    }

    #[test]
    fn the_program_that_listens_is_found_on_either_family() {
        for address in ["127.0.0.1:0", "0.0.0.0:0", "[::1]:0", "[::]:0"] {
            let Ok(listener) = TcpListener::bind(address) else {
                assert!(address.starts_with('['), "{address}");
                continue;
            };
            let port = listener.local_addr().unwrap().port();
            assert_eq!(port_holder(port), Some(here()), "{address}");
        }
    }

    #[test]
    fn the_program_that_receives_by_udp_is_found_and_is_not_said_to_have_the_tcp_port() {
        let port = hydra_test_ports::free_ports(1);
        for address in ["127.0.0.1", "0.0.0.0", "::"] {
            let Ok(socket) = UdpSocket::bind((address, port)) else {
                assert_eq!(address, "::");
                continue;
            };
            assert_eq!(udp_port_holder(port), Some(here()), "{address}");
            assert_eq!(port_holder(port), None);
            drop(socket);
        }
        assert_eq!(udp_port_holder(port), None);
    }

    #[test]
    fn a_connection_s_own_port_has_a_holder_too() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let connection = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let port = connection.local_addr().unwrap().port();
        assert_eq!(port_holder(port), Some(here()));
    }

    #[test]
    fn nobody_holds_a_free_port() {
        let port = hydra_test_ports::free_ports(1);
        let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
        assert_eq!(port_holder(port), Some(here()));
        drop(listener);
        assert_eq!(port_holder(port), None);
    }

    #[test]
    fn the_kernel_s_table_is_read_by_its_columns() {
        let table = "\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:26D8 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4711 1 0 100 0 0 10 0
   1: 0100007F:26D8 0100007F:9C40 01 00000000:00000000 00:00000000 00000000  1000        0 4712 1 0 20 4 30 10 -1
   2: 0100007F:26D8 0100007F:9C42 06 00000000:00000000 03:00000176 00000000     0        0 0 3 0
   3: 0100007F:26D9 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4713 1 0 100 0 0 10 0
   4: cut off
";
        let found = |inode, listens| Socket { inode, listens };
        assert_eq!(sockets(table, 0x26d8), [found(4711, true), found(4712, false)]);
        assert_eq!(sockets(table, 0x26d9), [found(4713, true)]);
        assert_eq!(sockets(table, 1), []);
        assert_eq!(sockets("", 1), []);
    }

    #[test]
    fn a_holder_reads_as_a_person_would_say_it() {
        let holder = Holder {
            pid: 7,
            name: "hydra-node".into(),
        };
        assert_eq!(holder.to_string(), "hydra-node (process 7)");
    }
}
