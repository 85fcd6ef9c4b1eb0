//! The command line.

use crate::chain_spec::{self, Genesis};
use clap::{Args, ColorChoice, Parser};
use hydra_host::terminal;
use sc_cli::{
    BuildSpecCmd, ChainInfoCmd, CheckBlockCmd, ExportBlocksCmd, ExportChainSpecCmd, ExportStateCmd,
    ImportBlocksCmd, KeySubcommand, PurgeChainCmd, RevertCmd, RunCmd, SubstrateCli,
};
use sc_storage_monitor::StorageMonitorParams;
use std::path::PathBuf;

/// Port of the trainer on 127.0.0.1 unless another is chosen.
pub const DEFAULT_TRAINER_PORT: u16 = 8790;

/// The whole of it.
#[derive(Debug, Parser)]
pub struct Cli {
    /// What to do instead of running a node.
    #[command(subcommand)]
    pub subcommand: Option<Subcommand>,

    /// How to run a node.
    #[command(flatten)]
    pub run: Run,

    /// Which form of a named network's genesis the command needs.
    #[arg(skip)]
    pub genesis: Genesis,
}

/// Options of a running node.
#[derive(Debug, Args)]
pub struct Run {
    /// The trainer beside it.
    #[command(flatten)]
    pub trainer: TrainerOptions,

    /// How much room it needs.
    #[command(flatten, next_help_heading = "Space")]
    pub space: StorageMonitorParams,

    /// Substrate's own options.
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

/// What a node can do besides running.
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

impl SubstrateCli for Cli {
    fn impl_name() -> String {
        "HydraAI Node".into()
    }

    fn impl_version() -> String {
        // Without the commit: each would build the node anew, and the same sources would give different programs.
        env!("CARGO_PKG_VERSION").into()
    }

    fn description() -> String {
        "A node of a HydraAI network: PCs that train a neural network together and keep the books on a blockchain.\n\n\
         First steps:\n  \
         hydra-node --dev                      a network of your own, forgotten when it stops\n  \
         hydra-node --chain local --alice      one of the four validators of a local network\n  \
         hydra-node --chain spec.json          join the network described in a file"
            .into()
    }

    fn author() -> String {
        env!("CARGO_PKG_AUTHORS").into()
    }

    fn support_url() -> String {
        "the docs folder of the HydraAI repository".into()
    }

    fn copyright_start_year() -> i32 {
        2026
    }

    fn load_spec(&self, id: &str) -> Result<Box<dyn sc_service::ChainSpec>, String> {
        Ok(Box::new(chain_spec::load(id, self.genesis)?))
    }

    fn setup_command(command: clap::Command) -> clap::Command {
        command
            .name("hydra-node")
            .color(if terminal::may_be_styled() {
                ColorChoice::Auto
            } else {
                ColorChoice::Never
            })
            .version(Self::impl_version())
            .author(Self::author())
            .about(Self::description())
            .long_about(Self::description())
            .after_help(format!("Support: {}", Self::support_url()))
            .propagate_version(true)
            .args_conflicts_with_subcommands(true)
            .subcommand_negates_reqs(true)
            // Every node trains and votes through its off-chain worker, not only those that make blocks.
            .mut_arg("enabled", |argument| argument.default_value("always"))
            .mut_arg("rpc_methods", |argument| {
                argument
                    .default_value("safe")
                    .help("RPC methods to expose: unsafe ones (keys, peers) only with `unsafe`, on this PC too")
                    .long_help(None)
            })
            .mut_arg("rpc_cors", |argument| {
                argument
                    .help("Origins whose pages may use the RPC servers, besides the dashboard's, polkadot.js.org and dev.papi.how")
                    .long_help(
                        "Browser origins whose pages may use the HTTP and WebSocket RPC servers, separated by commas: \
                         https://wallet.example, http://lab.example:* (any port), null. They are added to the dashboard, \
                         which this PC's trainer serves on --trainer-port, https://polkadot.js.org and \
                         https://dev.papi.how. `all` lets any page in, by whatever name this PC is called. Programs need \
                         no origin.",
                    )
            })
    }
}
