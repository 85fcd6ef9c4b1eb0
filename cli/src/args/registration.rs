//! The command line of `hydra registration`.

use clap::Args;
use hydra_primitives::{AccountBytes, Balance, model::SizeClass};
use std::path::PathBuf;

use super::{TargetArgs, account, size_class};
use crate::amount;

/// Options of `hydra registration`.
#[derive(Debug, Args)]
pub struct RegistrationArgs {
    /// The file with the secret of the trainer's identity, which `hydra-trainer --key-file` names [default: the PC's]
    #[arg(long, value_name = "FILE")]
    pub key_file: Option<PathBuf>,
    /// The account to register, as the node's log says: `Trainer account: 5…` [default: the PC's, else the local trainer's, if
    /// it has heard of one]
    #[arg(long, value_name = "ADDRESS", value_parser = account)]
    pub account: Option<AccountBytes>,
    /// How large the tasks may be that it takes on: class 0 lends a task 4 MiB of memory, and each class after it twice as much
    /// [default: a quarter of this PC's memory, and four classes less on a slow processor: one with neither AVX2 and FMA nor Arm's
    /// vectors]
    #[arg(long, value_name = "CLASS", value_parser = size_class())]
    pub size_class: Option<SizeClass>,
    /// How many tasks it takes on at a time [default: by this PC's cores]
    #[arg(long, value_name = "TASKS", value_parser = clap::value_parser!(u8).range(1..))]
    pub room: Option<u8>,
    /// How much to bond in the same call, in HYDRA [default: the least stake]
    #[arg(long, value_name = "HYDRA", value_parser = amount::parse_positive)]
    pub bond: Option<Balance>,
    /// Which node.
    #[command(flatten)]
    pub target: TargetArgs,
}

/// What its help ends with.
pub(super) const REGISTRATION_HELP: &str = "\
No transaction is signed or sent: the page of your wallet does that, with what this prints. Signature and proof of work are \
valid for this account and this trainer only, and for 256 blocks at the most. The call bonds the stake, too.";

#[cfg(test)]
mod tests {
    use crate::args::{Cli, Command};
    use clap::Parser;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(line.split_whitespace())
    }

    #[test]
    fn an_account_and_what_it_takes_on_are_understood_or_refused() {
        let alice = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
        let line = format!(
            "hydra registration --account {alice} --key-file trainer.key --size-class 15 --room 255 --bond 1.5"
        );
        let Command::Registration(args) = parse(&line).unwrap().command else {
            panic!()
        };
        assert_eq!(args.account, crate::accounts::development("Alice"));
        assert_eq!((args.size_class, args.room), (Some(15), Some(255)));
        assert_eq!(args.bond, Some(hydra_primitives::HYDRA * 3 / 2));
        for bad in ["--account alice", "--size-class 16", "--room 0", "--bond 0"] {
            assert!(parse(&format!("hydra registration {bad}")).is_err(), "{bad}");
        }
    }
}
