//! Frames of anyone: neither side of the pipe may panic on them, or reserve memory for more than there is.

use hydra_engine::protocol::{
    Answer, FrameError, Hello, Job, MAX_FRAME, Order, Request, read_frame, write_frame,
};
use hydra_primitives::{
    H256,
    digits::{DIGITS_KIND, digits_spec},
};
use nix::sys::resource::{Resource, setrlimit};
use proptest::{collection::vec, prelude::*, sample::Index};

/// Of this process. Whoever believes a length in a frame asks for more, and aborts.
const MEMORY: u64 = 1 << 30;

fn bound_memory() {
    setrlimit(Resource::RLIMIT_AS, MEMORY, MEMORY).unwrap();
}

fn framed(message: &impl codec::Encode) -> Vec<u8> {
    let mut frame = Vec::new();
    write_frame(&mut frame, message).unwrap();
    frame
}

/// Reads it as every message there is, as the limits are in use; what is read is written alike.
fn read(frame: &[u8]) -> Result<(), TestCaseError> {
    fn one<T: codec::Encode + codec::Decode>(frame: &[u8], limit: u32) -> Result<(), TestCaseError> {
        match read_frame::<T>(&mut &*frame, limit) {
            Ok(message) => {
                let again = framed(&message);
                prop_assert!(frame.starts_with(&again) && again.len() <= 4 + limit as usize);
            }
            Err(FrameError::TooLong { length, .. }) => prop_assert!(length > limit.into()),
            Err(FrameError::CantSend { .. }) => prop_assert!(false, "nothing was sent"),
            Err(FrameError::Io(_) | FrameError::Malformed(_)) => {}
        }
        Ok(())
    }
    for limit in [4096, MAX_FRAME] {
        one::<Hello>(frame, limit)?;
        one::<Order>(frame, limit)?;
        one::<Answer>(frame, limit)?;
    }
    Ok(())
}

fn job(request: Request) -> Vec<u8> {
    framed(&Order::Job(Box::new(Job { threads: 3, request })))
}

fn valid() -> Vec<Vec<u8>> {
    let (spec, kind, bytes) = (digits_spec(), DIGITS_KIND, vec![7; 40]);
    vec![
        framed(&Hello::Ready {
            protocol: 1,
            instructions: "avx2".into(),
        }),
        framed(&Hello::LosesSmallNumbers),
        job(Request::Train {
            spec: spec.clone(),
            kind: kind.clone(),
            base: bytes.clone(),
            shard: bytes.clone(),
            task_seed: H256::zero(),
        }),
        job(Request::Evaluate {
            architecture: spec.architecture.clone(),
            kind,
            weights: bytes.clone(),
            data: bytes.clone(),
        }),
        job(Request::Infer {
            architecture: spec.architecture,
            weights: bytes.clone(),
            inputs: bytes.clone(),
        }),
        job(Request::Arithmetic),
        framed(&Order::Threads(2)),
        framed(&Answer::Step { loss: 5 }),
        framed(&Answer::Trained {
            weights: bytes.clone(),
            momentum: bytes,
        }),
        framed(&Answer::Evaluated {
            losses: vec![1, 2],
            loss: Some(5),
            correct: 3,
            total: 4,
        }),
        framed(&Answer::Inferred { logits: vec![0; 8] }),
        framed(&Answer::LosesSmallNumbers),
        framed(&Answer::torch_failed("no")),
        framed(&Answer::BadJob { detail: "no".into() }),
        framed(&Answer::Arithmetic { hash: H256::zero() }),
    ]
}

proptest! {
    #[test]
    fn hostile_bytes_are_no_frame_or_the_frame_that_they_are(bytes in vec(any::<u8>(), 0..300)) {
        bound_memory();
        read(&bytes)?;
        // The length right, so that what follows it is looked at.
        let honest = [&(bytes.len() as u32).to_le_bytes()[..], &bytes].concat();
        read(&honest)?;
    }

    #[test]
    fn hostile_bytes_in_place_of_good_ones_do_no_harm(
        which: Index,
        at: Index,
        bytes in vec(any::<u8>(), 1..5),
        cut: Index,
    ) {
        bound_memory();
        let mut frames = valid();
        let mut frame = frames.swap_remove(which.index(frames.len()));
        let at = at.index(frame.len());
        for (place, byte) in frame.iter_mut().skip(at).zip(bytes) {
            *place = byte;
        }
        read(&frame)?;
        read(&frame[..cut.index(frame.len())])?;
    }
}

#[test]
fn every_message_is_read_as_it_was_written() {
    for frame in valid() {
        read(&frame).unwrap();
        let read = [
            read_frame::<Hello>(&mut frame.as_slice(), MAX_FRAME).is_ok(),
            read_frame::<Order>(&mut frame.as_slice(), MAX_FRAME).is_ok(),
            read_frame::<Answer>(&mut frame.as_slice(), MAX_FRAME).is_ok(),
        ];
        assert!(read.contains(&true));
    }
}
