//! Ports for the programs that tests start. A port that was free a moment ago may be somebody's when a program listens there: so
//! a test's process holds what it was given until it ends, and no other test's gets it.
//!
//! A port is held by an abstract Unix socket of its name: the kernel gives a name once in each network namespace, as it does
//! ports, and frees it with the process that has it, however that ends. Must never hold the port itself, which a program under
//! test is to listen on, nor wait for one.
//!
//! Start with [`free_ports`].

use std::{
    fs, io,
    net::{Ipv4Addr, Ipv6Addr, TcpListener, UdpSocket},
    ops::RangeInclusive,
    os::{
        linux::net::SocketAddrExt as _,
        unix::net::{SocketAddr, UnixListener},
    },
    process,
    sync::{Mutex, PoisonError},
};

/// Where the system says which ports it gives to connections, and to whoever asks for any.
const EPHEMERAL: &str = "/proc/sys/net/ipv4/ip_local_port_range";
/// The lowest that is given out. Below are those that `hydra demo` and many other programs take by default.
const LOWEST: u16 = 12_000;
/// As many are enough for all tests at once.
const ENOUGH: usize = 2_000;
/// Whose ports these are.
const NAME: &str = "hydra-test-port";

/// What this process holds until it ends.
static HELD: Mutex<Vec<UnixListener>> = Mutex::new(Vec::new());

/// The first of `count` ports in a row that nobody has. This process keeps them: no other call gets them, here or in another
/// process, and no outgoing connection does.
///
/// # Panics
/// If there are none.
pub fn free_ports(count: u16) -> u16 {
    let said = fs::read_to_string(EPHEMERAL).unwrap_or_default();
    let ports = outside(&said).unwrap_or_else(|| {
        eprintln!(
            "connections may take this test's ports: {EPHEMERAL} leaves fewer than {ENOUGH} others ({})",
            said.trim()
        );
        LOWEST..=u16::MAX
    });
    let pool = Pool {
        name: NAME.into(),
        ports,
    };
    // Not where the last one began: its programs may end a moment later than it.
    let skip = usize::try_from(process::id()).unwrap_or_default();
    let (first, held) = pool
        .take(skip.wrapping_mul(41), count)
        .unwrap_or_else(|| panic!("of {:?} no {count} ports in a row are free", pool.ports));
    HELD.lock().unwrap_or_else(PoisonError::into_inner).extend(held);
    first
}

/// The longer part outside of the ports that the system gives out by itself; `None` if that is too short.
fn outside(ephemeral: &str) -> Option<RangeInclusive<u16>> {
    let mut ends = ephemeral.split_whitespace().map(str::parse::<u16>);
    let (Some(Ok(first)), Some(Ok(last))) = (ends.next(), ends.next()) else {
        return None;
    };
    let below = LOWEST..=first.saturating_sub(1);
    let above = last.checked_add(1).map(|next| next.max(LOWEST)..=u16::MAX);
    std::iter::once(below)
        .chain(above)
        .max_by_key(ExactSizeIterator::len)
        .filter(|ports| ports.len() >= ENOUGH)
}

/// Ports that are shared by all who know its name.
struct Pool {
    name: String,
    ports: RangeInclusive<u16>,
}

impl Pool {
    /// The first of so many free ports in a row, and what holds them. The search begins behind so many ports, and ends there.
    fn take(&self, skip: usize, count: u16) -> Option<(u16, Vec<UnixListener>)> {
        let behind = count.checked_sub(1).expect("a program that listens needs a port");
        let firsts = *self.ports.start()..=self.ports.end().checked_sub(behind)?;
        let skip = skip.checked_rem(firsts.len())?;
        let mut firsts = firsts.clone().skip(skip).chain(firsts.take(skip));
        firsts.find_map(|first| {
            let held: Option<Vec<UnixListener>> =
                (first..=first + behind).map(|port| self.hold(port)).collect();
            Some((first, held?))
        })
    }

    /// Holds this port, if nobody does and it is free.
    fn hold(&self, port: u16) -> Option<UnixListener> {
        let name = format!("{}-{port}", self.name);
        let held = SocketAddr::from_abstract_name(&name).and_then(|name| UnixListener::bind_addr(&name));
        match held {
            Ok(held) => is_free(port).then_some(held),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => None,
            Err(error) => panic!("the abstract Unix socket {name}: {error}"),
        }
    }
}

/// Whether nobody listens there, on any address, by TCP or UDP: trainers take both.
fn is_free(port: u16) -> bool {
    // Without IPv6 there is another error.
    let is_taken = |error: io::Error| error.kind() == io::ErrorKind::AddrInUse;
    // One after the other: a socket of the second family would be in the way of the first one's.
    TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).is_ok()
        && !TcpListener::bind((Ipv6Addr::UNSPECIFIED, port)).is_err_and(is_taken)
        && !UdpSocket::bind((Ipv4Addr::UNSPECIFIED, port)).is_err_and(is_taken)
        && !UdpSocket::bind((Ipv6Addr::UNSPECIFIED, port)).is_err_and(is_taken)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        collections::BTreeSet,
        env,
        io::{BufRead as _, BufReader, Read as _},
        process::{Child, Command, Stdio},
    };

    /// What a process is told that the test below starts: to be one of many, with this pool.
    const ONE_OF_MANY: &str = "HYDRA_TEST_ONE_OF_MANY";
    /// The test below, as this program calls it.
    const TEST: &str = "tests::processes_at_the_same_time_get_ports_of_their_own";

    /// Takes one port, says which, and holds it as long as whoever started this process keeps its standard input open.
    fn one_of_many(pool: &str) {
        let words: Vec<&str> = pool.split(' ').collect();
        let [name, first, last] = words[..] else {
            panic!("{pool}")
        };
        let pool = Pool {
            name: name.into(),
            ports: first.parse().unwrap()..=last.parse().unwrap(),
        };
        // All look at the same one first.
        let taken = pool.take(0, 1);
        match &taken {
            Some((port, _)) => eprintln!("{port}"),
            None => eprintln!("none"),
        }
        io::stdin().read_to_end(&mut Vec::new()).unwrap();
        drop(taken);
    }

    fn another(pool: &Pool) -> Child {
        let words = format!("{} {} {}", pool.name, pool.ports.start(), pool.ports.end());
        Command::new(env::current_exe().unwrap())
            .args(["--exact", TEST, "--nocapture"])
            .env(ONE_OF_MANY, words)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// The port that it holds.
    fn got(another: &mut Child) -> Option<u16> {
        let mut line = String::new();
        let said = another.stderr.as_mut().unwrap();
        BufReader::new(said).read_line(&mut line).unwrap();
        match line.trim() {
            "none" => None,
            port => Some(port.parse().unwrap()),
        }
    }

    #[test]
    fn processes_at_the_same_time_get_ports_of_their_own() {
        if let Ok(pool) = env::var(ONE_OF_MANY) {
            return one_of_many(&pool);
        }
        let first = free_ports(4);
        let pool = Pool {
            name: format!("{NAME}-of-{}", process::id()),
            ports: first..=first + 3,
        };
        let mut others: Vec<Child> = (0..4).map(|_| another(&pool)).collect();
        let ports: BTreeSet<u16> = others.iter_mut().filter_map(got).collect();
        assert_eq!(ports, pool.ports.clone().collect());
        // Nothing listens there, and yet they are somebody's.
        assert!(pool.take(0, 1).is_none());
        let mut late = another(&pool);
        assert_eq!(got(&mut late), None);
        // Who ends lets go, even killed.
        let mut killed = others.pop().unwrap();
        killed.kill().unwrap();
        killed.wait().unwrap();
        assert!(pool.take(0, 1).is_some());
        for mut other in others.into_iter().chain([late]) {
            drop(other.stdin.take());
            assert!(other.wait().unwrap().success());
        }
    }

    #[test]
    fn a_port_that_another_program_listens_on_is_passed_over() {
        let first = free_ports(3);
        let pool = Pool {
            name: format!("{NAME}-of-{}", process::id()),
            ports: first..=first + 2,
        };
        let somebody = TcpListener::bind((Ipv4Addr::LOCALHOST, first)).unwrap();
        let (port, held) = pool.take(0, 2).unwrap();
        assert_eq!((port, held.len()), (first + 1, 2));
        assert!(pool.take(0, 1).is_none());
        drop(somebody);
        // From the end on, it begins at the start again.
        assert_eq!(pool.take(2, 1).unwrap().0, first);
    }

    #[test]
    fn what_the_system_gives_to_connections_is_not_given_out() {
        assert_eq!(outside("32768\t60999\n"), Some(LOWEST..=32_767));
        assert_eq!(outside("10000 60000"), Some(60_001..=u16::MAX));
        assert_eq!(outside("1024 5000"), Some(LOWEST..=u16::MAX));
        for too_few in ["1024 65535", "12001 65534", "", "many"] {
            assert_eq!(outside(too_few), None, "{too_few}");
        }
    }
}
