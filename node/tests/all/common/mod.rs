//! The real node, started for a test, and seen as its owner sees it: its log and its ports.

// Each test file uses a part of it.
#![allow(dead_code, missing_docs)]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    path::Path,
    process::{Child, Command, Output, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    time::{Duration, Instant},
};

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(90);

/// The program under test.
pub fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_hydra-node"))
}

/// What it says when it is to end by itself.
pub fn ends(command: &mut Command) -> (Output, String) {
    let output = command.stdin(Stdio::null()).output().expect("the node starts");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (output, said)
}

/// A running node, killed with the test.
pub struct Node {
    child: Child,
    lines: Receiver<String>,
    seen: Vec<String>,
}

impl Node {
    /// A node for itself on free ports, with more `arguments`.
    pub fn start(base_path: &Path, arguments: &[&str]) -> Self {
        let mut command = program();
        command.arg("--base-path").arg(base_path).args([
            "--rpc-port",
            "0",
            "--no-prometheus",
            "--no-telemetry",
            "--no-mdns",
        ]);
        if !arguments.contains(&"--port") {
            command.args(["--listen-addr", "/ip4/127.0.0.1/tcp/0"]);
        }
        Self::run(command.args(arguments))
    }

    pub fn run(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the node starts");
        let (sender, lines) = channel();
        let out: Box<dyn Read + Send> = Box::new(child.stdout.take().expect("stdout is piped"));
        let err: Box<dyn Read + Send> = Box::new(child.stderr.take().expect("stderr is piped"));
        for stream in [out, err] {
            let sender = sender.clone();
            std::thread::spawn(move || {
                for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
                    let _ = sender.send(String::from_utf8_lossy(&line).into_owned());
                }
            });
        }
        Self {
            child,
            lines,
            seen: Vec::new(),
        }
    }

    /// The next line that holds `text`.
    pub fn says(&mut self, text: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self
                .lines
                .recv_timeout(deadline.saturating_duration_since(Instant::now()))
            {
                Ok(line) => {
                    self.seen.push(line.clone());
                    if line.contains(text) {
                        return line;
                    }
                }
                Err(RecvTimeoutError::Timeout) => {
                    panic!("no line with {text:?} in\n{}", self.seen.join("\n"))
                }
                Err(RecvTimeoutError::Disconnected) => {
                    panic!("the node ended without {text:?}:\n{}", self.seen.join("\n"))
                }
            }
        }
    }

    /// All lines so far.
    pub fn seen(&mut self) -> &[String] {
        self.seen.extend(self.lines.try_iter());
        &self.seen
    }

    /// Waits until it serves JSON-RPC, and returns its IPv4 address.
    pub fn rpc(&mut self) -> SocketAddr {
        let line = self.says("Running JSON-RPC server: addr=");
        let (_, addresses) = line.split_once("addr=").expect("as searched");
        let first = addresses.split(',').next().expect("split gives one");
        first
            .trim()
            .parse()
            .unwrap_or_else(|_| panic!("an address in {line}"))
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An answer to an HTTP request.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("JSON in {self:?}"))
    }
}

/// A connection to the node's RPC port, for one request after the other.
pub struct Connection(BufReader<TcpStream>);

impl Connection {
    pub fn to(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("the node listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a valid time");
        Self(BufReader::new(stream))
    }

    /// Sends this and nothing more.
    pub fn send(&mut self, text: &str) {
        self.0
            .get_mut()
            .write_all(text.as_bytes())
            .expect("the node reads");
    }

    /// Reads one answer.
    pub fn answer(&mut self) -> Answer {
        let mut head = String::new();
        loop {
            let mut line = String::new();
            let length = self.0.read_line(&mut line).expect("the node answers");
            assert!(length > 0, "the node closed the connection after {head:?}");
            if line == "\r\n" {
                break;
            }
            head.push_str(&line);
        }
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
        let mut answer = Answer {
            status: status.unwrap_or_else(|| panic!("a status in {head}")),
            head,
            body: String::new(),
        };
        let length = answer
            .header("content-length")
            .map_or(0, |length| length.parse().expect("a length"));
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).expect("the node answers in full");
        answer.body = String::from_utf8_lossy(&body).into_owned();
        answer
    }

    /// Calls a method, with more header lines.
    pub fn call(&mut self, method: &str, parameters: &str, headers: &[&str]) -> Answer {
        let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{parameters}}}"#);
        self.post("127.0.0.1", &body, headers)
    }

    pub fn post(&mut self, host: &str, body: &str, headers: &[&str]) -> Answer {
        let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
        self.send(&format!(
            "POST / HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n{headers}\r\n{body}",
            body.len()
        ));
        self.answer()
    }

    /// Asks for a WebSocket, with more header lines.
    pub fn websocket(&mut self, headers: &[&str]) -> Answer {
        let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
        self.send(&format!(
            "GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n{headers}\r\n"
        ));
        self.answer()
    }
}

/// Waits for what no log line tells.
pub fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < PATIENCE, "never: {what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}
