//! One worker process: started with hardly any environment, spoken to in frames, killed when it is late or wrong.
//!
//! Must never block longer than the deadline of the job, whatever the worker does. A worker whose parent is gone ends by
//! itself, because its standard input ends.

use std::{
    io::{BufReader, BufWriter, Read, Write},
    ops::ControlFlow,
    process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, Stdio},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use crate::{
    EngineConfig, EngineError,
    environment::PASSED_ON,
    loader::{LoadFailure, load_failure},
    protocol::{Answer, FrameError, Hello, MAX_FRAME, Order, PROTOCOL, read_frame, write_frame},
};

/// How much of a worker's standard error is kept.
const STDERR_TAIL: usize = 2000;
const HELLO_LIMIT: u32 = 4096;
/// How long to wait for the rest of a dead worker's standard error, which somebody else may hold open.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// A process to be killed from any thread.
#[derive(Clone)]
pub(crate) struct Killer {
    child: Arc<Mutex<Child>>,
    /// The system takes a moment to end it: meanwhile it looks alive, and would be given a job.
    killed: Arc<AtomicBool>,
}

impl Killer {
    pub(crate) fn kill(&self) {
        self.killed.store(true, Ordering::SeqCst);
        // The only error is that it has ended already.
        let _ = self.child().kill();
    }

    fn child(&self) -> MutexGuard<'_, Child> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) struct WorkerProcess {
    child: Killer,
    pid: u32,
    number: u64,
    stdin: BufWriter<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    stderr: mpsc::Receiver<String>,
}

impl Drop for WorkerProcess {
    fn drop(&mut self) {
        self.child.kill();
        // Collects the dead process, so that no zombie stays.
        let _ = self.child.child().wait();
    }
}

impl WorkerProcess {
    /// Starts the process, the engine's `number`th; it must be greeted before its first job.
    pub(crate) fn spawn(config: &EngineConfig, number: u64) -> Result<Self, EngineError> {
        let program = config.worker_path();
        let program = std::path::absolute(&program).unwrap_or(program);
        if !program.is_file() {
            return Err(EngineError::WorkerNotFound { path: program });
        }
        let mut words = config
            .launcher
            .iter()
            .map(|w| w.as_os_str())
            .chain([program.as_os_str()]);
        let mut command = Command::new(words.next().unwrap_or(program.as_os_str()));
        command.args(words).env_clear();
        command.envs(
            PASSED_ON
                .iter()
                .filter_map(|name| Some((name, std::env::var_os(name)?))),
        );
        // MKL ends a process whose working directory was deleted; and nobody should wait for us to unmount a disk.
        command.current_dir("/");
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().map_err(EngineError::Spawn)?;
        let broken = || EngineError::Nonsense {
            detail: "it has no pipes".into(),
        };
        let stdin = BufWriter::new(child.stdin.take().ok_or_else(broken)?);
        let stdout = BufReader::new(child.stdout.take().ok_or_else(broken)?);
        let (last_words, stderr) = mpsc::sync_channel(1);
        if let Some(pipe) = child.stderr.take() {
            // Fails if nobody asked.
            thread::spawn(move || last_words.send(tail(pipe)));
        }
        let pid = child.id();
        Ok(Self {
            child: Killer {
                child: Arc::new(Mutex::new(child)),
                killed: Arc::default(),
            },
            pid,
            number,
            stdin,
            stdout,
            stderr,
        })
    }

    /// Waits until it is ready, and returns what it computes with. After an error it is of no use.
    pub(crate) fn greet(&mut self, deadline: Duration) -> Result<String, EngineError> {
        let hello = self.until(deadline, |w| read_frame::<Hello>(&mut w.stdout, HELLO_LIMIT))?;
        match hello {
            Hello::Ready {
                protocol: PROTOCOL,
                instructions,
            } => Ok(instructions),
            Hello::Ready { protocol, .. } => Err(EngineError::WrongVersion {
                expected: PROTOCOL,
                found: protocol,
            }),
            Hello::LosesSmallNumbers => Err(EngineError::LosesSmallNumbers),
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    /// How many were started before it.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    pub(crate) fn killer(&self) -> Killer {
        self.child.clone()
    }

    pub(crate) fn is_alive(&mut self) -> bool {
        !self.child.killed.load(Ordering::SeqCst) && matches!(self.child.child().try_wait(), Ok(None))
    }

    /// Does one job. `take` sees the answers in order, each of at most `limit` bytes, and ends the job with a break; a
    /// text from it means that the answer makes no sense. Meanwhile the worker is told its threads, as they change; `running` is
    /// dropped as soon as the job is done, which must end the changes. After an error other than [`EngineError::Torch`],
    /// [`EngineError::BadJob`] and [`EngineError::TooBig`] the worker is of no more use.
    pub(crate) fn job<T>(
        &mut self,
        job: &Order,
        running: impl Sized,
        changes: mpsc::Receiver<u16>,
        deadline: Duration,
        limit: u32,
        mut take: impl FnMut(Answer) -> Result<ControlFlow<T>, &'static str>,
    ) -> Result<T, EngineError> {
        self.until(deadline, move |w| {
            write_frame(&mut w.stdin, job)?;
            let Self { stdin, stdout, .. } = w;
            thread::scope(move |scope| {
                // Dropped before the thread is waited for, even if `take` panics.
                let _running = running;
                // A worker that doesn't read keeps this one waiting, and nobody else.
                scope.spawn(move || tell(stdin, &changes));
                loop {
                    match read_frame::<Answer>(stdout, limit)? {
                        Answer::TorchFailed { detail } => return Ok(Err(EngineError::Torch { detail })),
                        Answer::BadJob { detail } => return Ok(Err(EngineError::BadJob { detail })),
                        Answer::LosesSmallNumbers => return Ok(Err(EngineError::LosesSmallNumbers)),
                        answer => match take(answer) {
                            Ok(ControlFlow::Continue(())) => {}
                            Ok(ControlFlow::Break(result)) => return Ok(Ok(result)),
                            Err(detail) => {
                                return Ok(Err(EngineError::Nonsense {
                                    detail: detail.into(),
                                }));
                            }
                        },
                    }
                }
            })
        })?
    }

    /// Runs `talk` with this worker. Past the deadline the worker is killed, which ends every wait for it.
    fn until<T>(
        &mut self,
        deadline: Duration,
        talk: impl FnOnce(&mut Self) -> Result<T, FrameError>,
    ) -> Result<T, EngineError> {
        let late = Arc::new(AtomicBool::new(false));
        let (done, finished) = mpsc::channel::<()>();
        let (killer, flag) = (self.killer(), late.clone());
        thread::spawn(move || {
            if finished.recv_timeout(deadline) == Err(mpsc::RecvTimeoutError::Timeout) {
                flag.store(true, Ordering::SeqCst);
                killer.kill();
            }
        });
        let result = talk(self);
        drop(done);
        match result {
            Ok(value) => Ok(value),
            Err(_) if late.load(Ordering::SeqCst) => Err(EngineError::TimedOut { after: deadline }),
            Err(FrameError::Io(_)) => Err(self.post_mortem()),
            Err(FrameError::CantSend { length }) => Err(EngineError::TooBig {
                what: "a job",
                bytes: length,
                most: u64::from(MAX_FRAME),
            }),
            Err(error) => Err(EngineError::Nonsense {
                detail: error.to_string(),
            }),
        }
    }

    /// Why the pipe broke.
    fn post_mortem(&mut self) -> EngineError {
        self.child.kill();
        let status = self.child.child().wait();
        let stderr = self.stderr.recv_timeout(LAST_WORDS).unwrap_or_default();
        if let Some(LoadFailure {
            library,
            problem,
            cause,
        }) = load_failure(&stderr)
        {
            return EngineError::CantLoad {
                library,
                problem,
                cause,
            };
        }
        let status = status.map_or_else(|error| error.to_string(), |s| s.to_string());
        EngineError::WorkerDied { status, stderr }
    }
}

/// Tells a worker its threads as they change: of several changes only the last.
fn tell(worker: &mut impl Write, changes: &mpsc::Receiver<u16>) {
    while let Ok(next) = changes.recv() {
        let threads = changes.try_iter().last().unwrap_or(next);
        // Who waits for its answers finds out why.
        if write_frame(worker, &Order::Threads(threads)).is_err() {
            return;
        }
    }
}

/// Reads to the end, so that the worker never waits for us, and keeps the last bytes.
fn tail(mut pipe: ChildStderr) -> String {
    let mut kept = Vec::new();
    let mut chunk = [0u8; 1024];
    while let Ok(n @ 1..) = pipe.read(&mut chunk) {
        kept.extend(chunk.iter().take(n));
        kept.drain(..kept.len().saturating_sub(STDERR_TAIL));
    }
    String::from_utf8_lossy(&kept).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_is_told_its_threads_one_change_after_another_and_none_that_is_over() {
        let (sender, changes) = mpsc::channel();
        let (mut pipe, mut end) = std::io::pipe().unwrap();
        let teller = thread::spawn(move || tell(&mut end, &changes));
        let mut next = || match read_frame::<Order>(&mut pipe, 16) {
            Ok(Order::Threads(threads)) => Some(threads),
            Ok(other) => panic!("{other:?}"),
            Err(_) => None,
        };
        for threads in [3, 1] {
            sender.send(threads).unwrap();
            assert_eq!(next(), Some(threads));
        }
        drop(sender);
        teller.join().unwrap();
        assert_eq!(next(), None);

        let (sender, changes) = mpsc::channel();
        for threads in [5, 4, 7] {
            sender.send(threads).unwrap();
        }
        drop(sender);
        let mut told = Vec::new();
        tell(&mut told, &changes);
        let expected = [&3u32.to_le_bytes()[..], &[1, 7, 0]].concat();
        assert_eq!(told, expected);
    }

    #[test]
    fn nobody_is_told_anything_by_a_pipe_that_is_broken() {
        let (sender, changes) = mpsc::channel();
        let (pipe, mut end) = std::io::pipe().unwrap();
        drop(pipe);
        sender.send(2).unwrap();
        // It ends, though there might be more to tell.
        tell(&mut end, &changes);
        drop(sender);
    }
}
