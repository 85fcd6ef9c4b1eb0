//! Keeps one of this PC's programs running: starts it, says why it ended, starts it again with growing patience, and adopts
//! one that somebody else started on the same data.
//!
//! It must never start a second one beside one that runs, and never stop one that it didn't start.

use std::{
    cell::RefCell, convert::Infallible, ffi::OsString, fs, path::Path, path::PathBuf, rc::Rc, time::Duration,
};
use tokio::time::{Instant, sleep};

use super::{
    backoff::Backoff,
    event::{Event, Say},
};
use crate::{
    error::Error,
    home::Home,
    local::process::Child,
    network::{self, Condition, Part},
};

/// How often a program is looked at that is no child: there is no event for its end.
const POLL: Duration = Duration::from_millis(500);
/// A longer log is put aside when its program starts.
const LONG_LOG: u64 = 32 << 20;

/// One program and what it is started with.
pub struct Keeper<'a> {
    home: &'a Home,
    part: Part,
    program: PathBuf,
    arguments: Vec<OsString>,
    say: Say,
    child: RefCell<Option<Rc<Child>>>,
}

impl<'a> Keeper<'a> {
    /// Keeps `part` of this PC, once [`Keeper::keep`] is called.
    pub fn new(home: &'a Home, part: Part, program: PathBuf, arguments: Vec<OsString>, say: Say) -> Self {
        Self {
            home,
            part,
            program,
            arguments,
            say,
            child: RefCell::new(None),
        }
    }

    /// Keeps it running. Ends only if it can't be started the first time.
    pub async fn keep(&self) -> Result<Infallible, Error> {
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(60));
        let mut is_first = true;
        loop {
            let since = Instant::now();
            let how = match self.running() {
                Some(pid) => self.adopt(pid).await,
                None => match self.start().await {
                    Ok(how) => how,
                    Err(error) if is_first => return Err(error),
                    Err(error) => error.to_string(),
                },
            };
            is_first = false;
            let wait = backoff.after(since.elapsed());
            self.say.tell(&Event::Ended {
                part: self.name(),
                how,
                again_in_seconds: wait.as_secs(),
                log: self.log().into(),
                tail: crate::local::process::tail(self.log()),
            });
            sleep(wait).await;
        }
    }

    /// Stops it, if it is ours.
    pub async fn stop(&self) {
        let child = self.child.borrow().clone();
        if let Some(child) = child {
            child.stop().await;
        }
    }

    /// Starts it and waits for its end.
    async fn start(&self) -> Result<String, Error> {
        put_aside(self.log());
        let child = Rc::new(Child::start(
            self.name().into(),
            &self.program,
            &self.arguments,
            self.log(),
        )?);
        *self.child.borrow_mut() = Some(child.clone());
        let (part, pid) = (self.part, child.pid());
        self.home.update(|network| {
            for pc in &mut network.pcs {
                match part {
                    Part::Node => pc.node.pid = pid,
                    Part::Trainer => pc.trainer.pid = pid,
                }
            }
        })?;
        self.say.tell(&Event::Started {
            part: self.name(),
            pid,
            log: self.log().into(),
        });
        Ok(child.wait().await.to_string())
    }

    /// Waits for the end of one that runs already.
    async fn adopt(&self, pid: u32) -> String {
        self.say.tell(&Event::Adopted {
            part: self.name(),
            pid,
        });
        while network::alive(pid) {
            sleep(POLL).await;
        }
        "ended".into()
    }

    /// The process of one that runs on this PC's data.
    fn running(&self) -> Option<u32> {
        let pc = &self.home.pc;
        let holder = |port| {
            let holder = hydra_host::port_holder(port)?;
            network::own_part(pc, &holder).map(|_| holder.pid)
        };
        match self.part {
            Part::Node if network::condition(pc) == Condition::Runs => holder(pc.node.rpc_port),
            Part::Node => None,
            Part::Trainer => holder(pc.trainer.http_port),
        }
    }

    fn name(&self) -> &'static str {
        match self.part {
            Part::Node => "node",
            Part::Trainer => "trainer",
        }
    }

    fn log(&self) -> &Path {
        match self.part {
            Part::Node => &self.home.pc.node.log,
            Part::Trainer => &self.home.pc.trainer.log,
        }
    }
}

/// A log that is too long gets another name, in place of the one before it. Failing is no reason not to start.
fn put_aside(log: &Path) {
    if fs::metadata(log).is_ok_and(|at| at.len() > LONG_LOG) {
        let _ = fs::rename(log, log.with_extension("log.1"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{args::PortArgs, home::Wish};

    fn home(folder: &Path) -> Home {
        let ports = PortArgs::default();
        let wish = Wish {
            id: "net",
            name: None,
            ports: &ports,
            phrase: None,
            validator: false,
        };
        Home::open_or_make(&folder.join("pc"), &wish).unwrap().home
    }

    #[tokio::test]
    async fn a_program_that_dies_is_started_again_and_stopped_in_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let mut home = home(folder.path());
        // A port that nobody has: none is to be adopted.
        home.pc.trainer.http_port = 0;
        let count = folder.path().join("count");
        let script = format!(
            "echo x >> {0}; test $(wc -l < {0}) -lt 2 || exec sleep 100",
            count.display()
        );
        let arguments = ["-c".into(), script.into()].to_vec();
        let keeper = Keeper::new(&home, Part::Trainer, "/bin/sh".into(), arguments, Say::new(false));
        let twice = async {
            while fs::read_to_string(&count).unwrap_or_default().lines().count() < 2 {
                sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::select! {
            ended = keeper.keep() => panic!("{ended:?}"),
            () = twice => {}
            () = sleep(Duration::from_secs(20)) => panic!("it was not started again"),
        }
        let child = keeper.child.borrow().clone().unwrap();
        assert_eq!(child.ended(), None);
        keeper.stop().await;
        assert!(child.ended().is_some());
    }

    /// Of a trainer whose program isn't there.
    fn of_nothing(home: &Home) -> Keeper<'_> {
        Keeper::new(
            home,
            Part::Trainer,
            "/nonexistent".into(),
            vec![],
            Say::new(false),
        )
    }

    #[tokio::test]
    async fn a_program_that_is_not_there_is_an_error_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let mut home = home(folder.path());
        home.pc.trainer.http_port = 0;
        let keeper = of_nothing(&home);
        assert!(matches!(keeper.keep().await, Err(Error::Spawn { .. })));
    }

    /// The whole story, with a real trainer, is in `tests/network/tests/all/adopting.rs`.
    #[tokio::test]
    async fn a_program_that_runs_already_is_known_and_not_stopped() {
        let folder = tempfile::tempdir().unwrap();
        let mut home = home(folder.path());
        // This test is the program.
        home.pc.trainer.http_port = hydra_test_ports::free_ports(1);
        let listener = std::net::TcpListener::bind(("127.0.0.1", home.pc.trainer.http_port)).unwrap();
        home.pc.trainer.pid = std::process::id();
        let keeper = of_nothing(&home);
        assert_eq!(keeper.running(), Some(std::process::id()));
        keeper.stop().await;
        assert_eq!(keeper.running(), Some(std::process::id()));
        drop(listener);
        assert_eq!(keeper.running(), None);
    }

    #[test]
    fn a_long_log_is_put_aside_once() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("node.log");
        fs::File::create(&log).unwrap().set_len(LONG_LOG + 1).unwrap();
        put_aside(&log);
        assert!(!log.exists() && folder.path().join("node.log.1").exists());
    }
}
