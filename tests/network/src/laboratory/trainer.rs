//! A real trainer in a seat of the laboratory: started, asked, stopped, killed, started again.

use std::{
    fmt, fs,
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::PathBuf,
    time::{Duration, Instant},
};

use hydra_cli::local::process::tail;
use hydra_network::PeerId;
use hydra_primitives::duty::{DUTIES_PATH, TAG_HEADER, request_tag};
use serde_json::Value;
use tempfile::TempDir;

use super::{
    multiaddress,
    probe::Protocol,
    sheet::{Version, is_answer, sheet},
};
use crate::{
    netns::Seat,
    proc::{Running, Stream},
    program,
};

/// The same port everywhere, as it is: a PC has it to itself.
pub const P2P_PORT: u16 = 30_400;
const HTTP_PORT: u16 = 8_790;
const TOKEN: [u8; 32] = [0x1a; 32];

/// How long a program may take to start on a busy machine.
const START: Duration = Duration::from_secs(60);
/// Between two sheets: a node posts one in every block.
const BLOCK: Duration = Duration::from_secs(1);
/// How often a trainer is looked at: no event of it reaches out of its namespace.
const LOOK: Duration = Duration::from_millis(150);
/// Who waits for longer than this for a blob has missed something, and its log says what.
const SLOW: Duration = Duration::from_secs(20);

/// What a trainer is started with besides its ports and secrets.
#[derive(Clone, Debug, Default)]
pub struct Start {
    /// Multiaddresses of those whom it knows.
    pub bootstrap: Vec<String>,
    /// More options.
    pub options: Vec<String>,
}

/// How two peers are connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Path {
    /// One has called the other.
    Direct,
    /// Both called at once, as a relay told them to.
    Punched,
    /// Over a relay.
    Relayed,
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Direct => "direct",
            Self::Punched => "punched",
            Self::Relayed => "relayed",
        })
    }
}

/// What a trainer says of a peer.
#[derive(Clone, Debug)]
pub struct Sight {
    /// How they are connected.
    pub path: Path,
    /// `tcp`, `quic` or `wss`.
    pub transport: String,
    /// Where the connection goes.
    pub address: String,
}

/// What a trainer says of how it can be reached.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reachability {
    /// `unknown`, `public`, `mapped`, `punched`, `relayed` or `unreachable`.
    pub state: String,
    /// Why, in words.
    pub reason: String,
}

impl fmt::Display for Reachability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.state, self.reason)
    }
}

/// The trainer.
pub struct LabTrainer {
    name: String,
    seat: Seat,
    start: Start,
    folder: TempDir,
    running: Option<Running>,
    peer_id: PeerId,
    begun: Instant,
    block: u32,
}

impl LabTrainer {
    /// Starts one with a new identity.
    pub fn start(name: &str, seat: Seat, start: Start) -> Self {
        let folder = tempfile::tempdir().expect("a folder for a trainer");
        // As `openssl rand -hex 32` under umask 077 makes it.
        let secret = blake3::hash(folder.path().as_os_str().as_encoded_bytes());
        for (file, content) in [
            ("trainer.key", secret.to_hex().to_string()),
            ("token", hex::encode(TOKEN)),
        ] {
            fs::OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(folder.path().join(file))
                .and_then(|mut file| writeln!(file, "{content}"))
                .expect("a new file");
        }
        let mut trainer = Self {
            name: name.into(),
            seat,
            start,
            folder,
            running: None,
            // Until it says who it is.
            peer_id: PeerId::random(),
            begun: Instant::now(),
            block: 0,
        };
        trainer.start_again();
        trainer
    }

    /// Starts it, in the folder that it has.
    pub fn start_again(&mut self) {
        assert!(self.running.is_none(), "{} runs", self.name);
        let program = |name: &str| {
            let path = program(name);
            path.to_str().expect("UTF-8").to_owned()
        };
        let path = |name: &str| self.path(name).to_str().expect("UTF-8").to_owned();
        // The log is a file's: what failed is looked for there.
        let mut words: Vec<String> = ["setpriv", "--pdeathsig", "TERM", "sh", "-c"]
            .map(Into::into)
            .into();
        words.push("log=$1; shift; exec \"$@\" 2>> \"$log\"".into());
        words.extend(["sh".into(), path("trainer.log"), program("hydra-trainer")]);
        let options = [
            ("--base-path", path("base")),
            ("--http-port", HTTP_PORT.to_string()),
            ("--token-file", path("token")),
            ("--key-file", path("trainer.key")),
            ("--p2p-port", P2P_PORT.to_string()),
            // The disk is not what is tested, nor is training: there is no engine, and it says so.
            ("--reserve-space", "0".into()),
            ("--workers", "1".into()),
            ("--worker-binary", "/bin/false".into()),
        ];
        words.extend(
            options
                .into_iter()
                .flat_map(|(option, value)| [option.into(), value]),
        );
        for address in &self.start.bootstrap {
            words.extend(["--bootstrap".into(), address.clone()]);
        }
        words.extend(self.start.options.iter().cloned());
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        self.begun = Instant::now();
        let mut running = Running::start(&self.name, &mut self.seat.command(&words), Stream::Stdout);
        let line = running.line_with("ready: peer ", START);
        let peer_id = line.split_whitespace().nth(2).and_then(|word| word.parse().ok());
        self.peer_id = peer_id.unwrap_or_else(|| panic!("no PeerId in '{line}'"));
        self.running = Some(running);
    }

    /// Stops it as its owner would.
    pub fn stop(&mut self) {
        self.running = None;
    }

    /// Ends it at once, as a power cut would.
    pub fn kill(&mut self) {
        let running = self.running.take().expect("it runs");
        crate::proc::kill_9(running.pid());
    }

    /// Who it is.
    pub fn peer_id(&self) -> PeerId {
        self.peer_id
    }

    /// What others bootstrap from: its first address, by this protocol.
    pub fn multiaddr(&self, protocol: Protocol) -> String {
        let host = multiaddress(self.seat.addresses().first().expect("a PC with an address"));
        self.multiaddr_at(&host, protocol)
    }

    /// The same for any of its addresses.
    pub fn multiaddr_at(&self, host: &str, protocol: Protocol) -> String {
        let rest = match protocol {
            Protocol::Tcp => format!("tcp/{P2P_PORT}"),
            Protocol::Udp => format!("udp/{P2P_PORT}/quic-v1"),
        };
        format!("{host}/{rest}/p2p/{}", self.peer_id)
    }

    /// What it says of itself.
    pub fn status(&self) -> Value {
        let said = self.curl(&["http://127.0.0.1:8790/v1/status"]);
        serde_json::from_slice(&said).unwrap_or_else(|error| {
            panic!(
                "{}: no JSON ({error}): {}",
                self.name,
                String::from_utf8_lossy(&said)
            )
        })
    }

    /// How it can be reached.
    pub fn reachability(&self) -> Reachability {
        let status = self.status();
        let said = |field: &str| {
            let said = status["reachability"][field].as_str();
            said.unwrap_or_else(|| panic!("{}: no reachability in {status}", self.name))
                .to_owned()
        };
        Reachability {
            state: said("state"),
            reason: said("reason"),
        }
    }

    /// How it is connected with a peer, if it is.
    pub fn sight(&self, peer: &Self) -> Option<Sight> {
        let status = self.status();
        let id = peer.peer_id.to_string();
        let all = status["peers"].as_array().cloned().unwrap_or_default();
        let sights = all.iter().filter(|entry| entry["peer_id"] == *id).map(|entry| {
            let text = |field: &str| entry[field].as_str().unwrap_or_default().to_owned();
            let path = match entry["path"].as_str() {
                Some("direct") => Path::Direct,
                Some("punched") => Path::Punched,
                Some("relayed") => Path::Relayed,
                other => panic!("{}: path {other:?} of {entry}", self.name),
            };
            Sight {
                path,
                transport: text("transport"),
                address: text("address"),
            }
        });
        // The relayed one is about to go.
        sights.min_by_key(|sight| sight.path)
    }

    /// Waits until others can get to it, by whichever way. Returns what it then says.
    pub fn is_reachable(&self, limit: Duration) -> Reachability {
        let reachable = |said: &Reachability| !matches!(said.state.as_str(), "unknown" | "unreachable");
        self.until("can be reached", limit, || {
            Some(self.reachability()).filter(reachable)
        })
    }

    /// Waits until it says this of how it can be reached.
    pub fn reaches_state(&self, state: &str, limit: Duration) -> Reachability {
        let what = format!("says '{state}'");
        self.until(&what, limit, || {
            Some(self.reachability()).filter(|said| said.state == state)
        })
    }

    /// Waits until there is this to be seen.
    pub fn until<T>(&self, what: &str, limit: Duration, seen: impl Fn() -> Option<T>) -> T {
        let end = Instant::now() + limit;
        loop {
            if let Some(seen) = seen() {
                return seen;
            }
            assert!(
                Instant::now() < end,
                "{} {what}: not within {limit:?}: {:#}",
                self.name,
                self.status()
            );
            std::thread::sleep(LOOK);
        }
    }

    /// Has it make the blob that others are to fetch. It has it, and serves it, when this returns.
    pub fn publishes(&mut self, limit: Duration) {
        self.holds(Version::Initial, &[], limit);
    }

    /// Has it fetch that blob from a peer of which it knows who it is, and nothing else. Returns the seconds from its start to when it
    /// had it, and how the two were connected then, if they still were.
    pub fn fetches_from(&mut self, peer: &Self, limit: Duration) -> (f64, Option<Sight>) {
        self.holds(Version::Next, &[peer.peer_id], limit);
        let seconds = self.begun.elapsed().as_secs_f64();
        if seconds > SLOW.as_secs_f64() {
            for trainer in [&*self, peer] {
                trainer.print_log();
            }
        }
        (seconds, self.sight(peer))
    }

    fn holds(&mut self, version: Version, providers: &[PeerId], limit: Duration) {
        let end = Instant::now() + limit;
        let mut posted: Option<Instant> = None;
        loop {
            // What failed is tried again with the next one.
            if posted.is_none_or(|posted| posted.elapsed() >= BLOCK) {
                self.block = self.block.saturating_add(1);
                self.post(&sheet(version, providers, self.block));
                posted = Some(Instant::now());
            }
            let status = self.status();
            if status["models"][0]["version"] == version.number() {
                return;
            }
            assert!(
                Instant::now() < end,
                "{} does not have version {} within {limit:?}: {status:#}",
                self.name,
                version.number()
            );
            std::thread::sleep(LOOK);
        }
    }

    /// Posts a sheet, as its node would.
    fn post(&self, sheet: &[u8]) {
        let file = self.path("sheet");
        fs::write(&file, sheet).expect("a file for the sheet");
        let tag = format!("{TAG_HEADER}: {}", hex::encode(request_tag(&TOKEN, sheet)));
        let body = format!("@{}", file.display());
        let url = format!("http://127.0.0.1:{HTTP_PORT}{DUTIES_PATH}");
        let answer = self.curl(&["--header", &tag, "--data-binary", &body, &url]);
        assert!(
            is_answer(&answer),
            "{} answers a sheet with: {}",
            self.name,
            String::from_utf8_lossy(&answer)
        );
    }

    fn curl(&self, words: &[&str]) -> Vec<u8> {
        let curl = ["curl", "--silent", "--max-time", "30", "--noproxy", "*"];
        let output = self.seat.command(&[&curl[..], words].concat()).output();
        let output = output.unwrap_or_else(|error| panic!("curl: {error}"));
        assert!(
            output.status.success(),
            "{} does not answer ({})",
            self.name,
            output.status
        );
        output.stdout
    }

    fn print_log(&self) {
        let log = tail(&self.path("trainer.log"));
        eprintln!("{}'s log ends with:\n{log}", self.name);
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

impl Drop for LabTrainer {
    /// What it wrote last, if the test fails: the folder goes with it.
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.print_log();
        }
    }
}
