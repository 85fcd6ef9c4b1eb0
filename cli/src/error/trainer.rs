//! What is known of a trainer that doesn't answer, for the sentence that says so.

use hydra_host::Holder;
use std::fmt;

use super::place::Place;

/// What is known of a trainer that doesn't answer, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrainerState {
    /// Nothing.
    Unknown,
    /// This program has its port and keeps silent.
    Silent(Holder),
    /// It runs, and doesn't listen yet.
    Starting {
        /// Its process id.
        pid: u32,
    },
    /// It is a PC's of a local network and doesn't run.
    Ended {
        /// The PC's name.
        pc: String,
        /// Where its network is.
        place: Place,
    },
}

impl fmt::Display for TrainerState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str(
                "start it with hydra-trainer or `hydra demo`, or name its port with --trainer-port",
            ),
            Self::Silent(holder) => write!(
                f,
                "{holder} has that port, so it is stopped, stuck or very busy: look at its log, or end it with `kill -9 {}` \
                 and start it again",
                holder.pid
            ),
            Self::Starting { pid } => {
                write!(
                    f,
                    "its process {pid} runs and does not listen yet: try again in a moment"
                )
            }
            Self::Ended { pc, place } => {
                write!(
                    f,
                    "it does not run: start it again with `{}`",
                    place.again_only(pc)
                )
            }
        }
    }
}
