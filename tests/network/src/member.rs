//! A PC that runs `hydra up`, as its owner would: with a home folder of its own, at its place in a local network.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
    time::Duration,
};

use hydra_cli::{
    home::Home,
    local::process::tail,
    network::{Network, Pc},
};
use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::{
    checkout,
    netns::Seat,
    proc::{self, Running, Stream},
    program,
};

/// The PC.
pub struct Member {
    home: PathBuf,
    folder: PathBuf,
    seat: Seat,
    up: Option<Running>,
}

/// A node that is suspended. It goes on when this is dropped.
#[must_use]
pub struct SuspendedNode(u32);

impl Drop for SuspendedNode {
    fn drop(&mut self) {
        proc::signal(self.0, Signal::SIGCONT);
    }
}

impl Member {
    /// One that is not started yet, with this home folder, for the network with this id.
    pub fn new(home: PathBuf, seat: Seat, id: &str) -> Self {
        std::fs::create_dir_all(&home).expect("a home folder");
        Self {
            folder: home.join(".local/share/hydraai/networks").join(id),
            home,
            seat,
            up: None,
        }
    }

    /// Where its node and its trainer are. It must have been started.
    pub fn pc(&self) -> Pc {
        let pcs = self.network().pcs;
        pcs.into_iter().next().expect("this PC")
    }

    /// Its place in the local network.
    pub fn seat(&self) -> &Seat {
        &self.seat
    }

    /// What its node answers to a browser's page of this origin: an HTTP status.
    pub fn answer_to_page(&self, origin: &str) -> String {
        let origin = format!("origin: {origin}");
        let status = ["--output", "/dev/null", "--write-out", "%{http_code}"];
        let options = [&status[..], &["--header", &origin]].concat();
        self.curl("system_chain", &json!([]), &options)
    }

    /// What its node answers to a program of this PC: the result.
    pub fn rpc(&self, method: &str, params: &Value) -> Value {
        let said = self.curl(method, params, &[]);
        let answer: Value =
            serde_json::from_str(&said).unwrap_or_else(|error| panic!("{method}: no JSON ({error}): {said}"));
        assert!(answer["error"].is_null(), "{method}: {answer}");
        answer["result"].clone()
    }

    /// Asks its node, from this PC, by curl with more options. Returns what that prints.
    fn curl(&self, method: &str, params: &Value, options: &[&str]) -> String {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string();
        let network = self.network();
        let node = &network.pcs.first().expect("this PC").node;
        let url = node.rpc_url.replacen("ws:", "http:", 1);
        let words = [
            "curl",
            "--silent",
            "--max-time",
            "60",
            "--header",
            "content-type: application/json",
            "--data",
            &body,
            &url,
        ];
        let output = proc::run(&mut self.command(&[&words[..], options].concat()));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Suspends its node, and with it the blocks that it would make.
    pub fn suspend_node(&self) -> SuspendedNode {
        let network = self.network();
        let pid = network.pcs.first().expect("this PC").node.pid;
        proc::signal(pid, Signal::SIGSTOP);
        SuspendedNode(pid)
    }

    /// `hydra up` with these options: none are needed the second time.
    pub fn up(&mut self, options: &[String]) {
        let mut command = self.command(&["setpriv", "--pdeathsig", "TERM"]);
        command
            .arg(program("hydra"))
            .args(["up", "--json", "--datasets"])
            .arg(checkout("datasets"))
            .args(options);
        self.up = Some(Running::start("hydra up", &mut command, Stream::Stdout));
    }

    /// This PC's trainer, started by hand with what `hydra up` would start it with; ready. The PC must have its folder.
    pub fn trainer_by_hand(&self, limit: Duration) -> Running {
        let home = Home::open(&self.folder).expect("readable").expect("there");
        let spec = home.spec().expect("readable").expect("a network");
        let mut command = self.command(&["setpriv", "--pdeathsig", "TERM"]);
        command
            .arg(program("hydra-trainer"))
            .args(home.trainer_arguments(&spec, &[checkout("datasets/digits")]));
        let mut trainer = Running::start("the trainer", &mut command, Stream::Stdout);
        trainer.line_with("ready: peer", limit);
        trainer
    }

    /// The next event of this state.
    pub fn event(&mut self, state: &str, limit: Duration) -> Value {
        self.event_with(&format!("\"state\":\"{state}\""), limit)
    }

    /// The next event.
    pub fn next_event(&mut self, limit: Duration) -> Value {
        self.event_with("", limit)
    }

    /// Waits until a proposal of this PC is accepted from now on, and then until it is paid: when its version is confirmed, which
    /// is during the next round. `limit` is for each round without.
    pub fn earns(&mut self, limit: Duration) {
        let first = loop {
            let round = self.event("round", limit);
            if round["mine_accepted"]
                .as_u64()
                .is_some_and(|accepted| accepted > 0)
            {
                break round["round"].as_u64().expect("a number");
            }
        };
        while !self.is_paid_since(first) {
            self.next_event(limit);
        }
    }

    /// Whether one of its proposals of this round or a later one is paid.
    fn is_paid_since(&self, first: u64) -> bool {
        let status = proc::json(&self.hydra(&["status", "--json"]));
        let own = &status["wallet"]["account"];
        let rounds = proc::json(&self.hydra(&["rounds", "--json"]));
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        list(&rounds["rounds"])
            .iter()
            .filter(|round| round["round"].as_u64().is_some_and(|number| number >= first))
            .flat_map(|round| list(&round["places"]))
            .any(|place| place["account"] == *own && place["earned"] != "0")
    }

    fn event_with(&mut self, text: &str, limit: Duration) -> Value {
        let up = self.up.as_mut().expect("hydra up was started");
        let line = up.line_with(text, limit);
        let Ok(event) = serde_json::from_str(&line) else {
            // An error is the last that it says, and has several lines.
            let (status, lines) = self.up.take().expect("it is there").end(limit);
            panic!("hydra up ended ({status}): {}", lines.join("\n"));
        };
        hydra_schema_tests::check_one("up", &event);
        event
    }

    /// Runs `hydra` on this PC.
    pub fn hydra(&self, arguments: &[&str]) -> Output {
        let program = program("hydra");
        let program = program.to_str().expect("UTF-8");
        proc::run(&mut self.command(&[&[program], arguments].concat()))
    }

    /// kill -9 of its `hydra up` and of everything that it started, as a power cut would. Returns the events of its life.
    pub fn kill(&mut self) -> Vec<Value> {
        let mut up = self.up.take().expect("hydra up was started");
        // So that it starts nothing meanwhile.
        up.signal(Signal::SIGSTOP);
        let started = proc::descendants(up.pid());
        up.signal(Signal::SIGKILL);
        for pid in &started {
            proc::kill_9(*pid);
        }
        let (_, lines) = up.end(Duration::from_secs(60));
        for pid in started {
            proc::gone(pid, Duration::from_secs(30));
        }
        // The last one may be cut off.
        lines
            .iter()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect()
    }

    /// `hydra down`. Everything that it started is gone afterwards.
    pub fn down(&mut self) {
        let network = self.network();
        let started = network.pcs.iter().flat_map(|pc| [pc.node.pid, pc.trainer.pid]);
        // What was never started has no process, and 0 is everybody's ancestor.
        let processes: Vec<u32> = started
            .filter(|pid| *pid != 0)
            .flat_map(|pid| std::iter::once(pid).chain(proc::descendants(pid)))
            .collect();
        let output = self.hydra(&["down"]);
        assert!(output.status.success(), "{output:?}");
        let mut up = self.up.take().expect("hydra up was started");
        let (status, lines) = up.end(Duration::from_secs(60));
        assert!(status.success(), "{status}: {lines:?}");
        for pid in processes {
            assert!(!proc::alive(pid), "process {pid} outlived hydra up");
        }
    }

    fn network(&self) -> Network {
        Network::read(&self.folder).expect("readable").expect("there")
    }

    /// A command on this PC that knows nothing of whoever runs the tests.
    fn command(&self, words: &[&str]) -> Command {
        let mut command = self.seat.command(words);
        command.env("HOME", &self.home);
        for variable in [
            "HYDRA_URL",
            "HYDRA_SURI",
            "HYDRA_KEYS",
            "HYDRA_DATASETS",
            "XDG_DATA_HOME",
            "XDG_CONFIG_HOME",
        ] {
            command.env_remove(variable);
        }
        command
    }
}

impl Drop for Member {
    /// What its programs wrote last, if the test fails: the folder goes with it.
    fn drop(&mut self) {
        if std::thread::panicking() {
            for log in ["node.log", "trainer.log"].map(|log| self.folder.join("pc").join(log)) {
                show(&log);
            }
        }
    }
}

fn show(log: &Path) {
    eprintln!("{} ends with:\n{}", log.display(), tail(log));
}
