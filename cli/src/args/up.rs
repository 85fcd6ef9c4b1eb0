//! The command line of taking part in a network with others and of founding one: `hydra up`, `down`, `logs`, `invite` and
//! `hydra network`.

use clap::{Args, Subcommand};
use hydra_primitives::{AccountBytes, Balance, HYDRA, model::SizeClass};
use std::path::PathBuf;

use super::{DEFAULT_TIMEOUT, DemoArgs, MAX_TIMEOUT, P2pArgs, SpendArgs, account, share, size_class};
use crate::{amount, coins, exit, network::LAST_BASE_PORT};

/// What to do about a network that is to be.
#[derive(Debug, Subcommand)]
pub enum NetworkCommand {
    /// Write the file of a new network, with the keys of this PC as its first member, or of the members named.
    #[command(after_help = exit::help_after(NETWORK_NEW_HELP, exit::NETWORK_NEW))]
    New(Box<NetworkNewArgs>),
    /// Make this PC's keys as a member of a network that somebody else founds, and write what may be known of them.
    #[command(after_help = exit::help_after(NETWORK_MEMBER_HELP, exit::NETWORK_MEMBER))]
    Member(MemberArgs),
}

/// Options of `hydra up`.
#[derive(Debug, Default, Args)]
pub struct UpArgs {
    /// The network's file, from whoever founded it. Needed the first time only.
    #[arg(long, value_name = "FILE")]
    pub network: Option<PathBuf>,
    /// Where this PC keeps its part of the network [default: a folder of the network's own in your data folder]
    #[arg(long, value_name = "DIR")]
    pub base_path: Option<PathBuf>,
    /// What this PC is called; others see it [default: the computer's name]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// A file with the secret phrase of the account to train for [default: a new account]
    #[arg(long, value_name = "FILE")]
    pub phrase_file: Option<PathBuf>,
    /// How much to have at stake, in HYDRA; at least 1 [default: as before, else 1]
    #[arg(long, value_name = "HYDRA", value_parser = least_stake)]
    pub stake: Option<Balance>,
    /// How large the tasks may be that this PC takes on: class 0 lends a task 4 MiB of memory, and each class after it twice as
    /// much [default: as before, else a quarter of its memory, and four classes less on a slow processor: one with neither AVX2
    /// and FMA nor Arm's vectors]
    #[arg(long, value_name = "CLASS", value_parser = size_class())]
    pub size_class: Option<SizeClass>,
    /// How many tasks this PC takes on at a time. Whoever claims more than it can do misses some [default: as before, else by
    /// its cores]
    #[arg(long, value_name = "TASKS", value_parser = clap::value_parser!(u8).range(1..))]
    pub room: Option<u8>,
    /// Where to ask for coins when some are missing: a `hydra faucet` of this network. Not remembered.
    #[arg(long, value_name = "http://HOST:PORT", value_parser = coins::url)]
    pub faucet: Option<String>,
    /// Run node and trainer, and neither register nor bond anything. `hydra pause` is for a PC that took part before.
    #[arg(long, overrides_with = "train")]
    pub no_train: bool,
    /// Train again after --no-train.
    #[arg(long)]
    pub train: bool,
    /// Don't ask before joining.
    #[arg(long)]
    pub yes: bool,
    /// Don't open the dashboard in a browser. It is opened only where somebody is at a terminal of a desktop.
    #[arg(long)]
    pub no_browser: bool,
    /// A data set to send to others, or a folder that holds some; may be given several times. Needed the first time only; the
    /// digits are found next to the program, and what isn't here comes from others.
    #[arg(long, value_name = "DIR", env = "HYDRA_DATASETS")]
    pub datasets: Vec<PathBuf>,
    /// The hydra-node program [default: the one next to this program]
    #[arg(long, value_name = "FILE", env = "HYDRA_NODE")]
    pub node: Option<PathBuf>,
    /// The hydra-trainer program [default: the one next to this program]
    #[arg(long, value_name = "FILE", env = "HYDRA_TRAINER")]
    pub trainer: Option<PathBuf>,
    /// What `hydra demo` was called in version 0.1.
    #[command(flatten)]
    pub older: OlderDemoArgs,
    /// Its ports.
    #[command(flatten)]
    pub ports: PortArgs,
    /// How its trainer meets others.
    #[command(flatten)]
    pub p2p: P2pArgs,
}

/// Options by which `hydra up` was `hydra demo` in version 0.1.
#[derive(Debug, Default, Args)]
pub struct OlderDemoArgs {
    /// See `hydra demo --pcs`.
    #[arg(long, hide = true, value_name = "N", num_args = 0..=1, default_missing_value = "4", value_parser = clap::value_parser!(u8).range(1..=4))]
    pub local: Option<u8>,
    /// See `hydra demo`.
    #[arg(long, hide = true, value_name = "NAME", requires = "base_path")]
    pub only: Option<String>,
    /// See `hydra demo`.
    #[arg(long, hide = true, value_name = "SHARE", value_parser = share)]
    pub until_accuracy: Option<f64>,
    /// See `hydra demo`.
    #[arg(long, hide = true, value_name = "SECONDS", requires = "until_accuracy",
        value_parser = clap::value_parser!(u64).range(1..=MAX_TIMEOUT))]
    pub timeout: Option<u64>,
    /// See `hydra demo`.
    #[arg(long, hide = true, value_name = "PORT", conflicts_with = "only", value_parser = clap::value_parser!(u16).range(1..=i64::from(LAST_BASE_PORT)))]
    pub base_port: Option<u16>,
}

impl UpArgs {
    /// What is meant for `hydra demo`, if it is.
    pub fn demo(&self) -> Option<DemoArgs> {
        let older = &self.older;
        let meant = older.local.is_some()
            || older.only.is_some()
            || older.until_accuracy.is_some()
            || older.base_port.is_some();
        meant.then(|| DemoArgs {
            pcs: older.local,
            only: older.only.clone(),
            base_path: self.base_path.clone(),
            until_accuracy: older.until_accuracy,
            timeout: older.timeout.unwrap_or(DEFAULT_TIMEOUT),
            base_port: older.base_port,
            no_browser: self.no_browser,
            datasets: self.datasets.clone(),
            node: self.node.clone(),
            trainer: self.trainer.clone(),
        })
    }
}

/// Ports of this PC in a network with others.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Ports")]
pub struct PortArgs {
    /// The node's RPC port, for programs on this PC [default: as before, else 9944]
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub rpc_port: Option<u16>,
    /// The node's port for other nodes, to be open to everyone [default: as before, else 30333]
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub p2p_port: Option<u16>,
    /// The trainer's port for programs on this PC [default: as before, else 8790]
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub trainer_http_port: Option<u16>,
    /// The trainer's port for other trainers, TCP and UDP, to be open to everyone [default: as before, else 30400]
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub trainer_p2p_port: Option<u16>,
}

/// Which part of a network on this PC.
#[derive(Debug, Args)]
pub struct HomeArgs {
    /// Where this PC keeps its part of the network [default: that in your data folder, else the only one that runs]
    #[arg(long, value_name = "DIR")]
    pub base_path: Option<PathBuf>,
}

/// Options of `hydra logs`.
#[derive(Debug, Args)]
pub struct LogsArgs {
    /// Whose log [default: both]
    #[arg(value_enum)]
    pub part: Option<LogPart>,
    /// Go on with what is written from now on, until Ctrl-C.
    #[arg(long, short)]
    pub follow: bool,
    /// Which part of a network.
    #[command(flatten)]
    pub home: HomeArgs,
}

/// A program with a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum LogPart {
    /// The node.
    Node,
    /// The trainer.
    Trainer,
}

/// Options of `hydra invite`.
#[derive(Debug, Args)]
pub struct InviteArgs {
    /// Whom: the address that their `hydra up` shows.
    #[arg(value_name = "ADDRESS", value_parser = account)]
    pub address: AccountBytes,
    /// How much to send, in HYDRA [default: the least stake and fees, 1.2]
    #[arg(long, value_name = "HYDRA", value_parser = amount::parse_positive)]
    pub amount: Option<Balance>,
    /// How.
    #[command(flatten)]
    pub spend: SpendArgs,
}

/// Options of `hydra network new`.
#[derive(Debug, Args)]
pub struct NetworkNewArgs {
    /// The folder to write the network's files into. It is made if it isn't there.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// The network's name, as people read it.
    #[arg(long, value_name = "NAME", default_value = "My HydraAI Network")]
    pub name: String,
    /// The network's id: lower-case letters, digits and -. Networks of different ids never take each other for peers.
    #[arg(long, value_name = "ID", default_value = "my-hydraai")]
    pub id: String,
    /// Seconds between blocks.
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=60))]
    pub slot: u64,
    /// Blocks of a session: so often everybody who takes part says so, and so often the block makers may change. A PC that joins
    /// takes part from the next session on.
    #[arg(long, value_name = "BLOCKS", default_value_t = 1_440, value_parser = clap::value_parser!(u64).range(10..=100_000))]
    pub epoch: u64,
    /// What it is: `live` spans the internet; `local` is in one home or laboratory, whose addresses are private, and its
    /// referenda take minutes instead of days [default: by the addresses]
    #[arg(long = "type", value_name = "TYPE", value_enum)]
    pub kind: Option<NetworkKind>,
    /// An address at genesis and what it owns, in HYDRA; may be given several times.
    #[arg(long, value_name = "ADDRESS=HYDRA", value_parser = allocation)]
    pub allocate: Vec<(AccountBytes, Balance)>,
    /// What each member owns at genesis, in HYDRA, its stake included.
    #[arg(long, value_name = "HYDRA", default_value = "1000000", value_parser = amount::parse_positive)]
    pub member_hydra: Balance,
    /// What each member has at stake from the beginning, in HYDRA.
    #[arg(long, value_name = "HYDRA", default_value = "100", value_parser = amount::parse_positive)]
    pub bond: Balance,
    /// Blocks that taking stake back takes; no fewer than the longest round, nor than two sessions [default: a week of them]
    #[arg(long, value_name = "BLOCKS", value_parser = clap::value_parser!(u32).range(1..))]
    pub unbonding: Option<u32>,
    /// New coin in each block, in HYDRA, before the first halving. It flows into a bucket; a reward is at most a thousandth of
    /// what is in it [default: 3 for each second of a block]
    #[arg(long, value_name = "HYDRA", value_parser = amount::parse)]
    pub emission: Option<Balance>,
    /// Blocks after which half as much new coin comes, again and again; 0 for never [default: four years of them]
    #[arg(long, value_name = "BLOCKS")]
    pub halving: Option<u32>,
    /// What is in the bucket from the beginning, in HYDRA.
    #[arg(long, value_name = "HYDRA", default_value = "100000", value_parser = amount::parse)]
    pub bucket: Balance,
    /// The file of a member that made its keys with `hydra network member`; may be given several times [default: this PC is
    /// the first member]
    #[arg(long, value_name = "FILE")]
    pub member: Vec<PathBuf>,
    /// The file of a model that the network trains from the beginning, in the form of `datasets/digits/model.json`; may be
    /// given several times [default: the digits]
    #[arg(long, value_name = "FILE")]
    pub model: Vec<PathBuf>,
    /// The folder of a data set that a model learns from, with its `dataset.json`; may be given several times. The digits are
    /// known.
    #[arg(long, value_name = "DIR")]
    pub dataset: Vec<PathBuf>,
    /// Don't ask before founding.
    #[arg(long)]
    pub yes: bool,
    /// The hydra-node program [default: the one next to this program]
    #[arg(long, value_name = "FILE", env = "HYDRA_NODE")]
    pub node: Option<PathBuf>,
    /// This PC as a member.
    #[command(flatten)]
    pub this_pc: ThisPcArgs,
}

/// What kind of network it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum NetworkKind {
    /// Over the internet.
    Live,
    /// In one place.
    Local,
}

/// Options of `hydra network member`.
#[derive(Debug, Args)]
pub struct MemberArgs {
    /// The file to write, for whoever founds the network. It holds no secret.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// The id that the network will have.
    #[arg(long, value_name = "ID")]
    pub id: String,
    /// This PC as a member.
    #[command(flatten)]
    pub this_pc: ThisPcArgs,
}

/// This PC as a member of a new network.
#[derive(Debug, Args)]
pub struct ThisPcArgs {
    /// Where others reach this PC: an IP address or a name; may be given several times [default: its address in the local
    /// network]
    #[arg(long, value_name = "IP-OR-NAME")]
    pub address: Vec<String>,
    /// Where this PC keeps its part of the network [default: a folder of the network's own in your data folder]
    #[arg(long, value_name = "DIR")]
    pub base_path: Option<PathBuf>,
    /// What this PC is called; others see it [default: the computer's name]
    #[arg(long, value_name = "NAME")]
    pub pc_name: Option<String>,
    /// A file with the secret phrase of its account [default: a new account]
    #[arg(long, value_name = "FILE")]
    pub phrase_file: Option<PathBuf>,
    /// Its ports.
    #[command(flatten)]
    pub ports: PortArgs,
}

fn allocation(text: &str) -> Result<(AccountBytes, Balance), String> {
    let (address, amount) = text
        .split_once('=')
        .ok_or("give an address and an amount, for example 5GrwvaEF…=1000")?;
    Ok((account(address)?, amount::parse_positive(amount)?))
}

/// Of `hydra up`.
pub const UP_HELP: &str = "\
Runs this PC's node and trainer until Ctrl-C, and starts again what dies. Whatever it waits for, it can be stopped at any time \
and goes on where it was. The first time it needs the network's file (--network); afterwards `hydra up` is enough. Each line \
it prints is a state; with --json, each is one JSON document in one line.

To train, an account needs a stake, which stays yours, and some HYDRA for fees. Registration and stake are one transaction; the \
account takes part from the network's next session on. `hydra pause` rests, `hydra stake unbond` takes stake back. Whoever takes part already can send both with \
`hydra invite ADDRESS`; a test network may have a faucet, which --faucet asks. A stake that has shrunk is not bonded again unless --stake asks for it.";

/// What --from means there.
pub const INVITE_FROM: &str = "The account that pays, by name or address; on a local network also //Alice [default: \
    this-pc, this PC's own account, which needs no password]";

/// Of `hydra invite`.
pub const INVITE_HELP: &str = "\
What will be sent, to whom and for which fee is said first, \
and nothing is sent before you confirm it; scripts use --yes. Coins that were sent are theirs: there is no way to take them back.";

const NETWORK_NEW_HELP: &str = "\
Writes ID.json, the one file that everybody needs to join, and ID-plain.json, the same for people to read. Nothing that is \
there already is overwritten. This PC's keys go into its own folder, where `hydra up` finds them; the files hold no secret.

For a network with several founders, each runs `hydra network member` and sends its file to one of them, who runs \
`hydra network new --member FILE --member FILE …`. More than two thirds of the members must be up for blocks to become final.

--model and --dataset choose what the network learns. Every file of a data set is read and checked, and only hashes get into \
the network's files: one PC at least has to be started with `hydra up --datasets DIR`, and sends the data to the others.";

const NETWORK_MEMBER_HELP: &str = "\
May be run again: keys that are there stay as they are.";

/// A stake that takes part.
fn least_stake(text: &str) -> Result<Balance, String> {
    match amount::parse_positive(text)? {
        amount if amount < HYDRA => Err("the least stake is 1 HYDRA".into()),
        amount => Ok(amount),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Cli, Command};
    use clap::Parser;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(line.split_whitespace())
    }

    #[test]
    fn what_version_0_1_called_it_still_works() {
        let up = |line: &str| match parse(line).unwrap().command {
            Command::Up(up) => up.demo(),
            other => panic!("{other:?}"),
        };
        assert_eq!(up("hydra up --local 3").unwrap().pcs, Some(3));
        let demo = up("hydra up --local --until-accuracy 0.9").unwrap();
        assert_eq!((demo.pcs, demo.timeout), (Some(4), 900));
        assert_eq!(
            up("hydra up --only bob --base-path d").unwrap().only,
            Some("bob".into())
        );
        let several = up("hydra up --local --datasets a --datasets b").unwrap();
        assert_eq!(several.datasets, ["a", "b"].map(PathBuf::from));
        // This PC in a network with others.
        assert!(up("hydra up --base-path d --network n.json --stake 2.5").is_none());
        assert!(parse("hydra up --local 5").is_err());
    }

    #[test]
    fn the_last_of_a_choice_and_its_opposite_counts() {
        let p2p = |line: &str| match parse(&format!("hydra up {line}")).unwrap().command {
            Command::Up(up) => up.p2p,
            other => panic!("{other:?}"),
        };
        let both = p2p("--no-relay --relay --no-port-mapping --external-address none");
        assert!(both.relay && !both.no_relay && both.no_port_mapping && !both.port_mapping);
        assert_eq!(both.external_address, [crate::args::External::None]);
        assert_eq!(p2p("--upload-limit 0").upload_limit, Some(0));
    }

    #[test]
    fn amounts_and_allocations_are_understood_or_refused() {
        let alice = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
        let new = format!("hydra network new --out d --allocate {alice}=12.5 --type local");
        let Command::Network {
            command: NetworkCommand::New(new),
        } = parse(&new).unwrap().command
        else {
            panic!()
        };
        let owns = 25 * hydra_primitives::HYDRA / 2;
        assert_eq!(
            new.allocate,
            [(crate::accounts::development("Alice").unwrap(), owns)]
        );
        assert_eq!(new.kind, Some(NetworkKind::Local));
        for bad in [
            "--stake 0",
            "--stake 0.999999999999",
            "--stake x",
            "--rpc-port 0",
            "--stake -1",
            "--faucet faucet.example.org",
            "--faucet https://faucet.example.org",
            "--size-class 16",
            "--size-class -1",
            "--room 0",
            "--room 256",
            "--upload-limit -1",
            "--external-address 203.0.113.7",
            "--wss-port 65536",
        ] {
            assert!(parse(&format!("hydra up {bad}")).is_err(), "{bad}");
        }
        assert!(parse(&format!("hydra network new --out d --allocate {alice}")).is_err());
        assert!(parse("hydra invite nobody").is_err());
    }
}
