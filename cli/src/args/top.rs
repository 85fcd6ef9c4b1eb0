//! The command line of `hydra top`.

use clap::Args;

use super::TargetArgs;

/// Options of `hydra top`.
#[derive(Debug, Args)]
pub struct TopArgs {
    /// Print the page once, as plain text of 80 columns and 24 lines, and leave.
    #[arg(long)]
    pub once: bool,
    /// Which node.
    #[command(flatten)]
    pub target: TargetArgs,
}

/// What the help of `hydra top` ends with.
pub(super) const TOP_HELP: &str = "\
Shows this PC, its wallet, the network, the model, the other PCs and what happened, as it happens. q, Esc or Ctrl-C leaves. \
It only looks: nothing is started, stopped or paid. 80 columns and 24 lines show all of it; a smaller terminal shows the most \
important. NO_COLOR takes the colours away, which only repeat what a word says. For programs there is `hydra status --json`.";
