//! The command line of `hydra doctor`.

use clap::Args;
use std::path::PathBuf;

use super::KeysArgs;

/// Options of `hydra doctor`.
#[derive(Debug, Default, Args)]
pub struct DoctorArgs {
    /// The folder of a network on this PC [default: that of the local network if it runs, else that of this PC's part of a network,
    /// else that of the newest local network]
    #[arg(long, value_name = "DIR")]
    pub base_path: Option<PathBuf>,
    /// The PC of the local network, for example bob [default: the first one that runs]
    #[arg(long, value_name = "NAME")]
    pub pc: Option<String>,
    /// Your accounts.
    #[command(flatten)]
    pub keys: KeysArgs,
    /// The hydra-node program [default: the one next to this program]
    #[arg(long, value_name = "FILE", env = "HYDRA_NODE")]
    pub node: Option<PathBuf>,
    /// The hydra-trainer program [default: the one next to this program]
    #[arg(long, value_name = "FILE", env = "HYDRA_TRAINER")]
    pub trainer: Option<PathBuf>,
    /// The hydra-torch-worker program [default: the one next to the trainer]
    #[arg(long, value_name = "FILE")]
    pub worker: Option<PathBuf>,
}

/// Of `hydra doctor`.
pub const DOCTOR_HELP: &str = "\
Each line is one check: how it is (ok, warning, fault, unknown), what it is about, what was found, and after an arrow what to do. \
A fault keeps this PC from taking part or puts keys at risk; a warning will become one, or is a choice of yours. What follows from \
a node or trainer that doesn't answer is left out.

Nothing is written, started for good or paid, and nothing is asked outside of this PC. It takes a few seconds, and \
up to twenty where the node is slow.";

#[cfg(test)]
mod tests {
    use crate::args::{Cli, Command};
    use clap::Parser;

    #[test]
    fn the_doctor_takes_a_folder_a_pc_and_programs() {
        let line = "hydra doctor --base-path d --pc bob --keys k --worker w --json";
        let cli = Cli::try_parse_from(line.split_whitespace()).unwrap();
        let Command::Doctor(args) = cli.command else {
            panic!()
        };
        assert!(cli.json);
        assert_eq!(args.base_path, Some("d".into()));
        assert_eq!((args.pc, args.keys.keys), (Some("bob".into()), Some("k".into())));
        assert_eq!(args.worker, Some("w".into()));
    }
}
