//! The process that LibTorch lives in: reads jobs from standard input, answers on standard output, ends when its
//! standard input does, even in the middle of a job.
//!
//! It refuses to run where the processor is set to lose small numbers, because other bits than the network's cost the owner's
//! stake, and ends without a result where that happens later. It must never open a socket, or a file but for its own priority, or keep
//! anything but threads from one job to the next.
//!
//! Start with `training` (a task, step by step) and `network` (the model as LibTorch has it); operators and kernels are in the library beside
//! it, the frames are those of `hydra_engine::protocol`. The examples `costs` and `rounds` measure what `docs/benchmarks.md` says.

mod evaluate;
mod job_error;
mod manners;
mod network;
mod startup;
mod training;

use std::{
    io::{self, BufReader, Write},
    process::ExitCode,
    sync::mpsc,
    thread,
};

use hydra_arithmetic::cpu::CpuError;
use hydra_engine::protocol::{
    Answer, FrameError, Hello, Job, MAX_FRAME, Order, PROTOCOL, Request, read_frame, write_frame,
};
use hydra_primitives::content_hash;
use hydra_torch_worker::{memory, processor};

use crate::job_error::JobError;

/// Exit status when the startup checks fail; the reason is in the first frame.
const REFUSED: u8 = 3;
/// Exit status when the parent is gone or does not speak the protocol.
const NO_PARENT: i32 = 4;

fn main() -> ExitCode {
    manners::step_back();
    memory::keep();
    let mut out = io::stdout().lock();
    if let Err(refusal) = startup::check() {
        // If it can't be written, nobody listens.
        let _ = write_frame(&mut out, &refusal);
        return ExitCode::from(REFUSED);
    }
    startup::no_threads_of_libtorch();
    match serve(&mut out) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("hydra-torch-worker: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Why this process ends before its parent wants it to.
#[derive(Debug, thiserror::Error)]
enum Ended {
    #[error(transparent)]
    Pipe(#[from] FrameError),
    #[error(transparent)]
    Processor(#[from] CpuError),
}

fn serve(out: &mut impl Write) -> Result<(), Ended> {
    let ready = Hello::Ready {
        protocol: PROTOCOL,
        instructions: processor::cpu().level().name().into(),
    };
    write_frame(out, &ready)?;
    for request in requests() {
        match checked(request, out) {
            Ok(answer) => write_frame(out, &answer)?,
            // Nothing was written, so the parent still listens.
            Err(JobError::Pipe(error @ FrameError::CantSend { .. })) => write_frame(
                out,
                &Answer::BadJob {
                    detail: error.to_string(),
                },
            )?,
            Err(JobError::Pipe(error)) => return Err(error.into()),
            Err(JobError::Processor(error)) => {
                write_frame(out, &Answer::LosesSmallNumbers)?;
                return Err(error.into());
            }
            Err(JobError::Torch(error)) => write_frame(out, &Answer::torch_failed(&error.to_string()))?,
            Err(JobError::Operator(error)) => write_frame(out, &Answer::torch_failed(&error.to_string()))?,
            Err(JobError::BadJob(detail)) => write_frame(out, &Answer::BadJob { detail })?,
        }
        memory::give_back();
    }
    Ok(())
}

/// What is asked, one after another. A thread of its own reads: while a job is running, it notices that the parent is gone, and takes the threads
/// that the job has from now on, of which the next kernel makes use.
fn requests() -> mpsc::Receiver<Request> {
    let (send, receive) = mpsc::sync_channel(0);
    thread::spawn(move || {
        let mut input = BufReader::new(io::stdin().lock());
        let error = loop {
            let request = match read_frame::<Order>(&mut input, MAX_FRAME) {
                Ok(Order::Threads(threads)) => {
                    processor::use_threads(threads.into());
                    continue;
                }
                Ok(Order::Job(job)) => {
                    let Job { threads, request } = *job;
                    processor::use_threads(threads.into());
                    request
                }
                Err(error) => break error,
            };
            if send.send(request).is_err() {
                std::process::exit(NO_PARENT);
            }
        };
        if !matches!(error, FrameError::Io(_)) {
            eprintln!("hydra-torch-worker: {error}");
        }
        std::process::exit(NO_PARENT);
    });
    receive
}

/// Does a job, if this thread and the helpers that there are compute as IEEE 754 says, before and after it. Helpers that come meanwhile
/// were checked as they began.
fn checked(request: Request, out: &mut impl Write) -> Result<Answer, JobError> {
    processor::check()?;
    let answer = perform(request, out)?;
    // What LibTorch loads or runs may have told this thread otherwise.
    processor::check()?;
    Ok(answer)
}

fn perform(request: Request, out: &mut impl Write) -> Result<Answer, JobError> {
    match request {
        Request::Train {
            spec,
            kind,
            base,
            shard,
            task_seed,
        } => training::train(&spec, &kind, &base, &shard, task_seed, out),
        Request::Evaluate {
            architecture,
            kind,
            weights,
            data,
        } => evaluate::evaluate(&architecture, &kind, &weights, &data),
        Request::Infer {
            architecture,
            weights,
            inputs,
        } => evaluate::infer(&architecture, &weights, &inputs),
        Request::Arithmetic => Ok(Answer::Arithmetic {
            hash: content_hash(&hydra_arithmetic::known_answer(&processor::cpu())),
        }),
    }
}
