//! The command line.

use crate::chain_spec::Genesis;
use clap::{Args, Parser};
use sc_cli::{
    BuildSpecCmd, ChainInfoCmd, CheckBlockCmd, ExportBlocksCmd, ExportChainSpecCmd, ExportStateCmd,
    ImportBlocksCmd, KeySubcommand, PurgeChainCmd, RevertCmd, RunCmd,
};
use sc_storage_monitor::StorageMonitorParams;
use std::path::PathBuf;

/// Port of the trainer on 127.0.0.1 unless another is chosen.
pub const DEFAULT_TRAINER_PORT: u16 = 8790;

#[derive(Debug, Parser)]
pub struct Cli {
    #[command(subcommand)]
    pub subcommand: Option<Subcommand>,

    #[command(flatten)]
    pub run: Run,

    /// Which form of a named network's genesis the command needs.
    #[arg(skip)]
    pub genesis: Genesis,
}

/// Options of a running node.
#[derive(Debug, Args)]
pub struct Run {
    #[command(flatten)]
    pub trainer: TrainerOptions,

    #[command(flatten, next_help_heading = "Space")]
    pub space: StorageMonitorParams,

    #[command(flatten, next_help_heading = "Node")]
    pub base: RunCmd,
}

/// How the off-chain worker finds the trainer and acts for its account.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Trainer")]
pub struct TrainerOptions {
    /// Port on which the local trainer listens on 127.0.0.1.
    ///
    /// The node runs just as well without a trainer; it only does no training then.
    #[arg(long, value_name = "PORT", default_value_t = DEFAULT_TRAINER_PORT)]
    pub trainer_port: u16,

    /// File with the secret that node and trainer share: 64 hexadecimal characters.
    ///
    /// Default: trainer.token in the base path, made at the first start.
    #[arg(long, value_name = "PATH")]
    pub trainer_token_file: Option<PathBuf>,

    /// Secret of the trainer's account, for development: kept in memory only, but visible in the process list.
    ///
    /// --alice, --bob, … imply their own. Without any, the node uses the account in its keystore (key type `hydr`)
    /// and makes one at the first start. Of several, one counts: the log says which.
    #[arg(long, value_name = "SURI")]
    pub trainer_suri: Option<String>,
}

#[derive(Debug, clap::Subcommand)]
pub enum Subcommand {
    /// Make, look at and store keys.
    #[command(subcommand)]
    Key(KeySubcommand),

    /// Print a network's chain spec.
    ExportChainSpec(ExportChainSpecCmd),

    /// The older form of export-chain-spec, kept because tools still call it.
    #[command(hide = true)]
    BuildSpec(BuildSpecCmd),

    /// Print the stored chain's best and finalised block.
    ChainInfo(ChainInfoCmd),

    /// Execute a stored block again and compare.
    CheckBlock(CheckBlockCmd),

    /// Write stored blocks to a file.
    ExportBlocks(ExportBlocksCmd),

    /// Write the state at a block as a raw chain spec.
    ExportState(ExportStateCmd),

    /// Read blocks from a file.
    ImportBlocks(ImportBlocksCmd),

    /// Delete the stored chain. Keys and the trainer's token stay.
    PurgeChain(PurgeChainCmd),

    /// Take back blocks that aren't finalised.
    Revert(RevertCmd),
}
