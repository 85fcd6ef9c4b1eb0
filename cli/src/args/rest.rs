//! The command line of what an account does beside training: `hydra pause`, `hydra resume` and `hydra validate`.

use clap::Args;

use super::SpendArgs;

/// Options of `hydra pause` and `hydra resume`.
#[derive(Debug, Args)]
pub struct RestArgs {
    /// How.
    #[command(flatten)]
    pub spend: SpendArgs,
}

/// Options of `hydra validate`.
#[derive(Debug, Args)]
pub struct ValidateArgs {
    /// Make blocks no longer: the chain forgets the session keys.
    #[arg(long)]
    pub stop: bool,
    /// How.
    #[command(flatten)]
    pub spend: SpendArgs,
}

/// What --from means there.
pub(super) const FROM: &str = "The account that it is about and that pays, by name or address; on a local network also //Alice \
    [default: this-pc, this PC's own account, which needs no password]";

/// Of `hydra pause`.
pub(super) const PAUSE_HELP: &str = "\
The account leaves all draws at once. What it was drawn for already still counts, so leave this PC running for a few minutes \
more, until it has nothing left to do (`hydra top`). Unlike `hydra down`, which makes it miss duties and lowers its score, a pause \
costs nothing but the fee.

What will happen and for which fee is said first, and nothing is done before you confirm it. Scripts use --yes.";

/// Of `hydra resume`.
pub(super) const RESUME_HELP: &str = "\
The account takes part at once if it gave its heartbeat in the session before this one, otherwise from the session after its next \
heartbeat on.

What will happen and for which fee is said first, and nothing is done before you confirm it. Scripts use --yes.";

/// Of `hydra validate`.
pub(super) const VALIDATE_HELP: &str = "\
Blocks are made by a committee, drawn anew each session from the accounts that take part, have session keys and a score of 0.8 \
at least. A member's PC should be up all the time: blocks become final only while more than two thirds of the members are. \
Whoever signs two conflicting things loses stake, so never run the same keys on two PCs. Nothing is paid for it.

The session keys are made in the keystore of this PC's node, or are those that are there. With --from another account, the node at \
--url is asked to make them, which it does only if it was started with `--rpc-methods unsafe`. They count two sessions later, if the \
account is drawn. Afterwards `hydra up` has to be started again once, so that its node makes blocks. The chain holds a small \
deposit, which comes back with --stop.

What will happen and for which fee is said first, and nothing is done before you confirm it. Scripts use --yes.";

#[cfg(test)]
mod tests {
    use crate::args::Cli;
    use clap::Parser;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(line.split_whitespace())
    }

    #[test]
    fn stake_is_taken_back_by_amount_or_as_a_whole() {
        for line in [
            "hydra stake unbond 1.5",
            "hydra stake unbond --all --from savings",
            "hydra stake withdraw",
            "hydra pause --yes",
            "hydra resume --from //Alice",
            "hydra validate --stop",
        ] {
            assert!(parse(line).is_ok(), "{line}");
        }
        for line in [
            "hydra stake unbond",
            "hydra stake unbond 1 --all",
            "hydra stake unbond 0",
            "hydra stake withdraw 1",
            "hydra pause 5F",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
