//! The command line. What a command does with its options is in the command's own module.

pub mod doctor;
pub mod faucet;
pub mod p2p;
pub mod registration;
pub mod rest;
pub mod top;
pub mod up;
pub mod wallet;

use clap::{Args, Parser, Subcommand};
use hydra_primitives::{
    AccountBytes, ModelId,
    model::{MAX_SIZE_CLASS, SizeClass},
};
use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};
use subxt::utils::AccountId32;

use crate::{
    exit::{self, ExitCode},
    network::{LAST_BASE_PORT, MAX_PCS},
};
pub use doctor::DoctorArgs;
pub use faucet::FaucetArgs;
pub use p2p::{External, P2pArgs};
pub use registration::RegistrationArgs;
pub use rest::{RestArgs, ValidateArgs};
pub use top::TopArgs;
pub use up::{
    HomeArgs, InviteArgs, LogPart, LogsArgs, MemberArgs, NetworkCommand, NetworkKind, NetworkNewArgs,
    OlderDemoArgs, PortArgs, ThisPcArgs, UpArgs,
};
pub use wallet::{
    BackupArgs, BalanceArgs, BondArgs, ClaimArgs, ImportArgs, KeysArgs, ListArgs, NewArgs, OwnAccountArgs,
    PasswordArgs, ReceiveArgs, RestoreArgs, SendArgs, ShowArgs, SignerArgs, SpendArgs, StakeCommand,
    UnbondArgs, WalletCommand, WithdrawArgs,
};

/// Train a neural network with others, and own it together.
#[derive(Debug, Parser)]
#[command(name = "hydra", version, propagate_version = true, after_help = exit::help(ExitCode::ALL), max_term_width = 100)]
pub struct Cli {
    /// Print data as JSON.
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start a local network: PCs with a node and a trainer each, on this machine.
    // The last one counts where an option is given twice: scripts/run gives some of its own first.
    #[command(after_help = exit::help_after(DEMO_HELP, exit::DEMO), args_override_self = true)]
    Demo(DemoArgs),
    /// Take part in a network with this PC: sync, register, train, earn.
    #[command(after_help = exit::help_after(up::UP_HELP, exit::UP), args_override_self = true)]
    Up(Box<UpArgs>),
    /// Stop the `hydra up` that runs on this PC.
    #[command(after_help = exit::help(exit::DOWN))]
    Down(HomeArgs),
    /// Show what this PC's programs wrote.
    #[command(after_help = exit::help(exit::LOGS))]
    Logs(LogsArgs),
    /// Send someone the coins that a PC needs to take part: the stake and the fees.
    #[command(
        after_help = exit::help_after(up::INVITE_HELP, exit::INVITE),
        mut_arg("from", |from| from.help(up::INVITE_FROM)),
    )]
    Invite(InviteArgs),
    /// Give newcomers of a test network their first coins, over HTTP.
    #[command(
        after_help = exit::help_after(faucet::FAUCET_HELP, exit::FAUCET),
        mut_arg("from", |from| from.required(true).help(faucet::FAUCET_FROM)),
    )]
    Faucet(FaucetArgs),
    /// Found a network.
    Network {
        /// What to do.
        #[command(subcommand)]
        command: NetworkCommand,
    },
    /// Show the chain, its models and accounts, this PC's wallet and trainer, and what happened.
    #[command(after_help = exit::help(exit::STATUS))]
    Status(StatusArgs),
    /// Look for what is wrong with this PC and what runs on it, and say what to do.
    #[command(after_help = exit::help_after(doctor::DOCTOR_HELP, exit::DOCTOR))]
    Doctor(DoctorArgs),
    /// Watch this PC, its wallet, the network and the model on one page that renews itself.
    #[command(after_help = exit::help_after(top::TOP_HELP, exit::TOP))]
    Top(TopArgs),
    /// Ask a model which digit an image shows. Costs 0.5 HYDRA.
    #[command(after_help = exit::help_after(ASK_HELP, exit::ASK))]
    Ask(AskArgs),
    /// Work with a model's weights.
    Model {
        /// What to do.
        #[command(subcommand)]
        command: ModelCommand,
    },
    /// Show what became of every round that the chain has on record: the last 256.
    #[command(after_help = exit::help(exit::ROUNDS))]
    Rounds(RoundsArgs),
    /// Find what a wallet needs to register this PC: the trainer's PeerId as bytes, a signature by its key, and a proof of work.
    #[command(after_help = exit::help_after(registration::REGISTRATION_HELP, exit::REGISTRATION))]
    Registration(RegistrationArgs),
    /// Keep accounts, and send and receive HYDRA.
    Wallet {
        /// What to do.
        #[command(subcommand)]
        command: WalletCommand,
    },
    /// Rest: an account is drawn for nothing new, and keeps its stake and its score.
    #[command(
        after_help = exit::help_after(rest::PAUSE_HELP, exit::REST),
        mut_arg("from", |from| from.help(rest::FROM)),
    )]
    Pause(RestArgs),
    /// End a pause.
    #[command(
        after_help = exit::help_after(rest::RESUME_HELP, exit::REST),
        mut_arg("from", |from| from.help(rest::FROM)),
    )]
    Resume(RestArgs),
    /// Make blocks, too: register session keys, so that the account may be drawn into the committee.
    #[command(
        after_help = exit::help_after(rest::VALIDATE_HELP, exit::REST),
        mut_arg("from", |from| from.help(rest::FROM)),
    )]
    Validate(ValidateArgs),
    /// Bond HYDRA as stake, and take it back.
    Stake {
        /// What to do.
        #[command(subcommand)]
        command: StakeCommand,
    },
    /// Claim an account's part of what was paid for questions to a model.
    #[command(after_help = exit::help_after(wallet::SPEND_HELP, exit::SPEND))]
    Claim(ClaimArgs),
    /// Print what makes a shell complete these commands, for example into
    /// ~/.local/share/bash-completion/completions/hydra.
    #[command(after_help = exit::help(exit::COMPLETIONS))]
    Completions(CompletionsArgs),
    /// Write the man pages into a folder, for example ~/.local/share/man/man1.
    #[command(after_help = exit::help(exit::MAN))]
    Man(ManArgs),
    /// Print docs/cli.md, or write docs/json.
    #[command(hide = true)]
    Reference(ReferenceArgs),
}

/// What to do with a model.
#[derive(Debug, Subcommand)]
pub enum ModelCommand {
    /// Save the confirmed weights as a safetensors file, checked against their hash on chain.
    #[command(after_help = exit::help(exit::EXPORT))]
    Export(ExportArgs),
}

/// Which node and trainer to talk to.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Which node")]
pub struct TargetArgs {
    /// The node's RPC address [default: HYDRA_URL, else the newest local network's if it runs, else that of the network
    /// this PC takes part in, else ws://127.0.0.1:9944]
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// The folder of a network on this PC [default: the newest one's]
    #[arg(long, value_name = "DIR")]
    pub base_path: Option<PathBuf>,
    /// The PC of the local network, for example bob [default: the first one that runs]
    #[arg(long, value_name = "NAME")]
    pub pc: Option<String>,
    /// The trainer's port on 127.0.0.1 [default: the PC's]
    #[arg(long, value_name = "PORT")]
    pub trainer_port: Option<u16>,
    /// The file with the secret shared with the trainer [default: the PC's]
    #[arg(long, value_name = "FILE")]
    pub trainer_token_file: Option<PathBuf>,
}

impl TargetArgs {
    /// The same, of the network in this folder, if one is given.
    pub fn in_folder(self, folder: Option<&Path>) -> Self {
        Self {
            base_path: folder.map(PathBuf::from).or(self.base_path),
            ..self
        }
    }
}

/// Which node to talk to, where no trainer is needed.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Which node")]
pub struct NodeArgs {
    /// The node's RPC address [default: HYDRA_URL, else the newest local network's if it runs, else that of the network
    /// this PC takes part in, else ws://127.0.0.1:9944]
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// The folder of a network on this PC [default: the newest one's]
    #[arg(long, value_name = "DIR")]
    pub base_path: Option<PathBuf>,
    /// The PC of the local network, for example bob [default: the first one that runs]
    #[arg(long, value_name = "NAME")]
    pub pc: Option<String>,
}

impl NodeArgs {
    /// The same for what may also need a trainer.
    pub fn target(&self) -> TargetArgs {
        TargetArgs {
            url: self.url.clone(),
            base_path: self.base_path.clone(),
            pc: self.pc.clone(),
            ..TargetArgs::default()
        }
    }
}

/// Options of `hydra demo`.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// How many PCs to start: Alice, Bob, Charlie, Dave in this order. Blocks become final with 1, 3 or 4 of them:
    /// 1 is a network of Alice alone, 2 to 4 are part of a network of four [default: as many as before in a folder used
    /// before, else 4]
    #[arg(long, alias = "local", value_name = "N", num_args = 0..=1, default_missing_value = "4", value_parser = clap::value_parser!(u8).range(1..=i64::from(MAX_PCS)))]
    pub pcs: Option<u8>,
    /// Start only this PC of the network that is in --base-path, for example bob.
    #[arg(long, value_name = "NAME", requires = "base_path")]
    pub only: Option<String>,
    /// Where the PCs keep their data. A folder used before goes on where it stopped, and may have been moved [default: a
    /// new folder in your data folder, which stays until the second `hydra demo` after it]
    #[arg(long, value_name = "DIR")]
    pub base_path: Option<PathBuf>,
    /// Stop when the confirmed model reaches this accuracy on the validation set, for example 0.95.
    #[arg(long, value_name = "SHARE", value_parser = share)]
    pub until_accuracy: Option<f64>,
    /// With --until-accuracy: give up after so many seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = DEFAULT_TIMEOUT, requires = "until_accuracy",
        value_parser = clap::value_parser!(u64).range(1..=MAX_TIMEOUT))]
    pub timeout: u64,
    /// The first of 16 ports: RPC (4), trainers (4), node to node (4), trainer to trainer (4) [default: as before,
    /// else 9944]
    #[arg(long, value_name = "PORT", conflicts_with = "only", value_parser = clap::value_parser!(u16).range(1..=i64::from(LAST_BASE_PORT)))]
    pub base_port: Option<u16>,
    /// Don't open the dashboard in a browser. It is opened only where somebody is at a terminal of a desktop.
    #[arg(long)]
    pub no_browser: bool,
    /// A data set for the trainers, or a folder that holds some; may be given several times. The digits, which this network
    /// learns from, are found next to the program.
    #[arg(long, value_name = "DIR", env = "HYDRA_DATASETS")]
    pub datasets: Vec<PathBuf>,
    /// The hydra-node program [default: the one next to this program]
    #[arg(long, value_name = "FILE", env = "HYDRA_NODE")]
    pub node: Option<PathBuf>,
    /// The hydra-trainer program [default: the one next to this program]
    #[arg(long, value_name = "FILE", env = "HYDRA_TRAINER")]
    pub trainer: Option<PathBuf>,
}

/// Options of `hydra status`.
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// Which node.
    #[command(flatten)]
    pub target: TargetArgs,
}

/// Options of `hydra rounds`.
#[derive(Debug, Args)]
pub struct RoundsArgs {
    /// The model.
    #[arg(long, value_name = "ID", default_value_t = 0)]
    pub model: ModelId,
    /// Which node.
    #[command(flatten)]
    pub target: TargetArgs,
}

/// Options of `hydra ask`.
#[derive(Debug, Args)]
pub struct AskArgs {
    /// A picture (PNG, JPEG or WebP), or the number of an image of the validation set.
    #[arg(value_name = "IMAGE")]
    pub image: OsString,
    /// The model.
    #[arg(long, value_name = "ID", default_value_t = 0)]
    pub model: ModelId,
    /// The account that pays, as a phrase, a 0x… seed or //Name. Other programs see it there: keep accounts with `hydra
    /// wallet`, and use --from [default, on a local network only: the account of the PC that is asked or, in a demo, //Alice]
    #[arg(long, value_name = "SURI", env = "HYDRA_SURI", hide_env_values = true)]
    pub suri: Option<String>,
    /// Who pays, with the password.
    #[command(flatten)]
    pub signer: SignerArgs,
    /// Wait until the payment can't be undone any more.
    #[arg(long)]
    pub finalized: bool,
    /// Which node.
    #[command(flatten)]
    pub target: TargetArgs,
}

/// Options of `hydra model export`.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// The model.
    #[arg(long, value_name = "ID", default_value_t = 0)]
    pub model: ModelId,
    /// The file to write, or - for standard output. A link stays a link, and a file keeps its permissions.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Which node.
    #[command(flatten)]
    pub target: TargetArgs,
}

/// Options of `hydra completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// Which shell.
    pub shell: clap_complete::Shell,
}

/// Options of `hydra man`.
#[derive(Debug, Args)]
pub struct ManArgs {
    /// The folder. It is made if it isn't there.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
}

/// Options of `hydra reference`.
#[derive(Debug, Args)]
pub struct ReferenceArgs {
    /// The folder for the JSON Schemas of what commands print with --json. It is made if it isn't there.
    #[arg(long, value_name = "DIR")]
    pub json_schemas: Option<PathBuf>,
}

/// The --timeout of `hydra demo` unless another is given, in seconds.
const DEFAULT_TIMEOUT: u64 = 900;
/// The longest --timeout, in seconds: a year.
const MAX_TIMEOUT: u64 = 31_536_000;

fn account(text: &str) -> Result<AccountBytes, String> {
    let address: Result<AccountId32, _> = text.parse();
    address
        .map(|account| account.0)
        .map_err(|_| "give an address as wallets show it, for example 5GrwvaEF…".into())
}

/// What a size class is: one of those there are.
fn size_class() -> clap::builder::RangedI64ValueParser<SizeClass> {
    clap::value_parser!(u8).range(..=i64::from(MAX_SIZE_CLASS))
}

fn share(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(share) if share > 0.0 && share <= 1.0 => Ok(share),
        _ => Err("give a share above 0 and up to 1, for example 0.95".into()),
    }
}

const DEMO_HELP: &str = "\
Runs until Ctrl-C, or until the goal is reached, then stops every program it started and prints the table of rounds. \
Ports, process ids, logs and token files are listed in network.json in the base path. A PC that stops unexpectedly \
is reported; the others go on. To start it again:
  hydra demo --only bob --base-path DIR

Without --base-path each run is a network of its own in a new folder. Of those that have stopped, the newest is kept and \
older ones are deleted before the next starts.";

const ASK_HELP: &str = "\
Everything is checked before anything is paid: the image, the model, the trainer and the wallet's balance.

A picture may be a PNG, JPEG or WebP of one digit: a photo, a scan or a drawing, dark on light or light on dark, with or \
without a transparent background, up to 16 MiB and 50 million pixels. The ink is found, specks, frames and shadows are \
left out, and the digit is shown to the model in 24 slightly different ways. It is called sure only if its answers agree; \
below 60 % it isn't. A greyscale PNG of 8x8 pixels with a dark border is the model's input as it is: \
pixel = value x 16 / 255, rounded.";

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(line.split_whitespace())
    }

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn demo_takes_one_to_four_pcs_and_a_share() {
        let Command::Demo(demo) = parse("hydra demo --pcs 3 --until-accuracy 0.95").unwrap().command else {
            panic!()
        };
        assert_eq!(
            (demo.pcs, demo.until_accuracy, demo.timeout),
            (Some(3), Some(0.95), 900)
        );
        for bad in [
            "--pcs 0",
            "--pcs 5",
            "--until-accuracy 0",
            "--until-accuracy 1.1",
            "--until-accuracy NaN",
        ] {
            assert!(parse(&format!("hydra demo {bad}")).is_err(), "{bad}");
        }
    }

    /// It refuses what is wrong before it builds, so it knows the bounds a second time.
    #[test]
    fn the_script_that_runs_it_has_the_same_bounds() {
        let script = include_str!("../../scripts/run");
        for (option, most) in [
            ("--pcs | --local", i64::from(MAX_PCS)),
            ("--timeout", i64::try_from(MAX_TIMEOUT).unwrap()),
            ("--base-port", i64::from(LAST_BASE_PORT)),
        ] {
            let line = format!(r#"        {option}) whole "$1" "$2" 1 {most} ;;"#);
            assert!(script.contains(&line), "scripts/run: {line}");
        }
        let beyond = u32::from(LAST_BASE_PORT) + 1;
        assert!(parse(&format!("hydra demo --base-port {LAST_BASE_PORT}")).is_ok());
        assert!(parse(&format!("hydra demo --base-port {beyond}")).is_err());
        let most = |time: u64| parse(&format!("hydra demo --until-accuracy 0.9 --timeout {time}"));
        assert!(most(MAX_TIMEOUT).is_ok());
        assert!(most(MAX_TIMEOUT + 1).is_err());
    }

    #[test]
    fn options_after_those_of_a_script_replace_them() {
        let Command::Demo(demo) = parse("hydra demo --pcs 4 --pcs 3").unwrap().command else {
            panic!()
        };
        assert_eq!(demo.pcs, Some(3));
    }

    #[test]
    fn one_pc_can_only_be_started_in_an_existing_network() {
        assert!(parse("hydra demo --only bob").is_err());
        assert!(parse("hydra demo --only bob --base-path d").is_ok());
        // Its ports are those it has.
        assert!(parse("hydra demo --only bob --base-path d --base-port 20000").is_err());
    }

    #[test]
    fn a_time_that_is_no_time_to_wait_is_refused() {
        for bad in ["0", "99999999999999999999", "18446744073709551615", "-1"] {
            let line = format!("hydra demo --until-accuracy 0.9 --timeout {bad}");
            assert!(parse(&line).is_err(), "{bad}");
        }
        assert!(parse("hydra demo --until-accuracy 0.9 --timeout 1").is_ok());
        assert!(
            parse("hydra demo --timeout 5").is_err(),
            "there is nothing to wait for"
        );
    }

    #[test]
    fn every_help_ends_with_the_codes_of_its_command() {
        let help = |path: &[&str]| {
            let mut command = Cli::command();
            let mut command = &mut command;
            for name in path {
                command = command.find_subcommand_mut(name).unwrap();
            }
            command.render_help().to_string()
        };
        for (path, codes) in [
            (&["demo"][..], exit::DEMO),
            (&["status"], exit::STATUS),
            (&["doctor"], exit::DOCTOR),
            (&["ask"], exit::ASK),
            (&["rounds"], exit::ROUNDS),
            (&["registration"], exit::REGISTRATION),
            (&["completions"], exit::COMPLETIONS),
            (&["man"], exit::MAN),
            (&["wallet", "new"], exit::WALLET),
            (&["wallet", "import"], exit::WALLET_OWN),
            (&["wallet", "list"], exit::WALLET),
            (&["wallet", "show"], exit::WALLET),
            (&["wallet", "balance"], exit::BALANCE),
            (&["wallet", "send"], exit::SPEND),
            (&["wallet", "receive"], exit::WALLET),
            (&["wallet", "backup"], exit::WALLET_OWN),
            (&["wallet", "restore"], exit::WALLET),
            (&["stake", "bond"], exit::SPEND),
            (&["stake", "unbond"], exit::SPEND),
            (&["stake", "withdraw"], exit::SPEND),
            (&["pause"], exit::REST),
            (&["resume"], exit::REST),
            (&["validate"], exit::REST),
            (&["claim"], exit::SPEND),
            (&["up"], exit::UP),
            (&["down"], exit::DOWN),
            (&["logs"], exit::LOGS),
            (&["invite"], exit::INVITE),
            (&["faucet"], exit::FAUCET),
            (&["network", "new"], exit::NETWORK_NEW),
            (&["network", "member"], exit::NETWORK_MEMBER),
            (&["model", "export"], exit::EXPORT),
            (&[], ExitCode::ALL),
        ] {
            let text = help(path);
            let (_, table) = text.split_once("Exit codes:").unwrap();
            let listed: Vec<&str> = table
                .lines()
                .filter_map(|line| line.split_whitespace().next())
                .collect();
            let listed: Vec<u8> = listed.iter().filter_map(|word| word.parse().ok()).collect();
            let expected: Vec<u8> = codes.iter().map(|code| code.number()).collect();
            assert_eq!(listed, expected, "{path:?}");
        }
    }

    #[test]
    fn secrets_have_no_place_on_the_command_line() {
        for line in [
            "hydra wallet new savings --password secret",
            "hydra wallet import savings --phrase bottom",
            "hydra wallet import savings bottom drive obey",
            "hydra wallet send 5F 1 --suri bottom",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
        assert!(parse("hydra wallet new savings --password-stdin").is_ok());
        assert!(parse("hydra wallet new savings --password-stdin --password-file f").is_err());
    }

    #[test]
    fn an_account_of_the_wallet_is_named_or_this_pc_s_is_meant() {
        for line in [
            "hydra wallet backup savings --out f",
            "hydra wallet backup --this-pc --out f --base-path d --password-stdin",
            "hydra wallet import savings --file f",
            "hydra wallet import --this-pc",
            "hydra wallet import earned --this-pc --force --password-file f",
        ] {
            assert!(parse(line).is_ok(), "{line}");
        }
        for line in [
            "hydra wallet backup --out f",
            "hydra wallet backup savings --this-pc --out f",
            "hydra wallet backup savings --out f --base-path d",
            // A backup of the wallet's keeps the password that it has.
            "hydra wallet backup savings --out f --password-stdin",
            "hydra wallet backup savings --out f --password-file f",
            "hydra wallet import",
            "hydra wallet import --this-pc --file f",
            "hydra wallet import savings --base-path d",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }

    #[test]
    fn amounts_are_read_without_rounding_or_refused() {
        let Command::Wallet {
            command: WalletCommand::Send(send),
        } = parse("hydra wallet send savings 0.000000000001 --from main")
            .unwrap()
            .command
        else {
            panic!()
        };
        assert_eq!((send.to.as_str(), send.amount), ("savings", 1));
        for bad in ["0", "-1", "1e3", "1,5"] {
            assert!(
                parse(&format!("hydra wallet send savings {bad}")).is_err(),
                "{bad}"
            );
            assert!(parse(&format!("hydra stake bond {bad}")).is_err(), "{bad}");
        }
    }

    #[test]
    fn json_can_stand_anywhere() {
        assert!(parse("hydra status --json").unwrap().json);
        assert!(parse("hydra --json model export --out w").unwrap().json);
    }

    #[test]
    fn ports_that_do_not_exist_are_refused() {
        assert!(parse("hydra demo --base-port 65520").is_ok());
        assert!(parse("hydra demo --base-port 65521").is_err());
        assert!(parse("hydra demo --base-port 0").is_err());
    }
}
