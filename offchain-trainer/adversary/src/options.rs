//! The command line.

use std::path::PathBuf;

use hydra_network::Multiaddr;

use crate::cheats::Cheat;

/// A hostile trainer for tests: takes part in a HydraAI network and cheats in every round.
///
/// Prints one JSON line per event on standard output: registered, bonded, proposed, said, opened, silent, refused,
/// unanswered, ended.
#[derive(clap::Parser, Clone, Debug)]
#[command(name = "hydra-adversary", version, about)]
pub struct Options {
    /// A node's RPC address, such as ws://127.0.0.1:9944.
    #[arg(long, value_name = "URL")]
    pub url: String,
    /// The account it uses: //Name, a phrase or a 0x… seed. It needs a balance of a little over its stake.
    #[arg(long, value_name = "SURI")]
    pub suri: String,
    /// What it bonds when it registers: whoever weighs little is rarely drawn.
    #[arg(long, value_name = "HYDRA", default_value_t = 1)]
    pub stake: u32,
    /// TCP port for other trainers; 0 lets the system choose.
    #[arg(long, value_name = "PORT")]
    pub p2p_port: u16,
    /// A trainer to connect to; may be given several times.
    #[arg(long, value_name = "MULTIADDR")]
    pub bootstrap: Vec<Multiaddr>,
    /// Folder of the data set, such as datasets/digits.
    #[arg(long, value_name = "DIR")]
    pub dataset: PathBuf,
    /// Where its blobs are kept.
    #[arg(long, value_name = "DIR")]
    pub base_path: PathBuf,
    /// What to do, by turns from round to round.
    #[arg(long, value_name = "LIST", value_enum, value_delimiter = ',', default_values_t = Cheat::ALL)]
    pub cheats: Vec<Cheat>,
    /// End when so many rounds are over in which it owed something [default: go on].
    #[arg(long, value_name = "N")]
    pub rounds: Option<u32>,
}
