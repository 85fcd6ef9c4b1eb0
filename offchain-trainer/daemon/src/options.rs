//! The command line.

use std::{net::IpAddr, path::PathBuf};

use hydra_network::Multiaddr;
use hydra_trainer_api::{MAX_NETWORK_ID, is_network_id};

use crate::reach::ReachOptions;

/// The trainer: does the work that the node's duty sheets ask for, and serves models and blobs.
///
/// It listens on 127.0.0.1 for its own node and on --p2p-port for other trainers. Ends with 0 when it is told to stop,
/// and with 2 when it can't start.
#[derive(clap::Parser, Clone, Debug)]
#[command(name = "hydra-trainer", version, about)]
pub struct Options {
    /// Where blobs and findings are kept.
    #[arg(long, value_name = "DIR")]
    pub base_path: PathBuf,
    /// Port on 127.0.0.1 for the node, the command line tool and the dashboard; 0 lets the system choose.
    #[arg(long, value_name = "PORT")]
    pub http_port: u16,
    /// Port on 127.0.0.1 of this PC's node (its --rpc-port): the dashboard reads the chain there, and questions that are paid
    /// for on the page are looked up there.
    #[arg(long, value_name = "PORT", default_value_t = 9944)]
    pub node_rpc_port: u16,
    /// File with the secret shared with the node: 64 hexadecimal digits.
    #[arg(long, value_name = "FILE")]
    pub token_file: PathBuf,
    /// Address for other trainers, of either family; 127.0.0.1 keeps other PCs out. May be given several times; a family
    /// that this PC doesn't have is left out if another one is left.
    #[arg(long, value_name = "IP", default_values = ["0.0.0.0", "::"])]
    pub p2p_address: Vec<IpAddr>,
    /// Port for other trainers, of TCP and of UDP (QUIC); 0 lets the system choose.
    #[arg(long, value_name = "PORT")]
    pub p2p_port: u16,
    /// File with the Ed25519 secret of this trainer's identity: 64 hexadecimal digits.
    #[arg(long, value_name = "FILE")]
    pub key_file: PathBuf,
    /// A trainer to connect to, such as /ip4/203.0.113.7/tcp/30400/p2p/12D3… or /dns/pc.example.org/tcp/30400/p2p/12D3…; may be
    /// given several times.
    #[arg(long, value_name = "MULTIADDR")]
    pub bootstrap: Vec<Multiaddr>,
    /// Which network's trainers are looked for: the id in its chain spec, the same for all of them. Trainers of networks with other ids
    /// aren't found [default: hydra].
    #[arg(long, value_name = "ID", value_parser = network_id)]
    pub network: Option<String>,
    /// MiB of the disk that are kept free: with less, no new work is taken, and with twice as much this is announced. More
    /// than the node needs (its --db-storage-threshold), since both are usually on one disk.
    #[arg(long, value_name = "MIB", default_value_t = 1536)]
    pub reserve_space: u64,
    /// GiB that blobs may take. Beyond it, what is only cached is deleted, and if that isn't enough, no new work is taken [default: as
    /// much as the disk has room for].
    #[arg(long, value_name = "GIB", value_parser = clap::value_parser!(u64).range(1..))]
    pub store_quota: Option<u64>,
    /// Folder of a data set to import, such as datasets/digits or one with a dataset.json; may be given several times.
    #[arg(long, value_name = "DIR")]
    pub dataset: Vec<PathBuf>,
    /// How many LibTorch processes may run at once, and how many threads they may have together, at the lowest priority
    /// [default: one per CPU core but one, which is left to the node].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub workers: Option<u16>,
    /// The LibTorch worker program [default: hydra-torch-worker beside this program].
    #[arg(long, value_name = "FILE")]
    pub worker_binary: Option<PathBuf>,
    /// How it is reached.
    #[command(flatten)]
    pub reach: ReachOptions,
}

impl Options {
    /// How many LibTorch processes may run at once: at least one.
    pub fn worker_count(&self) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        self.workers
            .map_or_else(|| workers_beside_a_node(cores()), usize::from)
    }
}

fn network_id(id: &str) -> Result<String, String> {
    match is_network_id(id) {
        true => Ok(id.into()),
        false => Err(format!(
            "an id is 1 to {MAX_NETWORK_ID} lower-case letters, digits, - and _"
        )),
    }
}

/// A block that is late because the node got no core is a block lost.
fn workers_beside_a_node(cores: usize) -> usize {
    cores.saturating_sub(1).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_core_is_left_to_the_node() {
        assert_eq!([1, 2, 3, 16].map(workers_beside_a_node), [1, 1, 2, 15]);
    }

    #[test]
    fn an_id_that_no_chain_spec_has_is_refused() {
        assert_eq!(network_id("our_net-2").as_deref(), Ok("our_net-2"));
        for bad in ["", "Net", "a b", "a/b", &"a".repeat(33)] {
            assert!(network_id(bad).is_err(), "{bad}");
        }
    }
}
