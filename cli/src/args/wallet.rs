//! The command line of what has to do with a user's own accounts: `hydra wallet`, `hydra stake` and `hydra claim`.

use clap::{Args, Subcommand};
use hydra_primitives::{Balance, ModelId};
use std::path::PathBuf;

use super::NodeArgs;
use crate::{amount, exit};

/// What to do with accounts.
#[derive(Debug, Subcommand)]
pub enum WalletCommand {
    /// Make a new account, and show its seed phrase once.
    #[command(after_help = exit::help_after(NEW_HELP, exit::WALLET))]
    New(NewArgs),
    /// Take in an account from its seed phrase or from another wallet's file.
    #[command(after_help = exit::help_after(IMPORT_HELP, exit::WALLET_OWN))]
    Import(ImportArgs),
    /// List the accounts.
    #[command(after_help = exit::help(exit::WALLET))]
    List(ListArgs),
    /// Show an account: its address, and where its file is.
    #[command(after_help = exit::help(exit::WALLET))]
    Show(ShowArgs),
    /// Show what accounts have, as the chain says.
    #[command(after_help = exit::help(exit::BALANCE))]
    Balance(BalanceArgs),
    /// Send HYDRA to an address.
    #[command(after_help = exit::help_after(SPEND_HELP, exit::SPEND))]
    Send(SendArgs),
    /// Show an account's address, also as a QR code, for whoever sends something.
    #[command(after_help = exit::help(exit::WALLET))]
    Receive(ReceiveArgs),
    /// Copy an account's encrypted file, for a safe place or for the polkadot-js extension.
    #[command(
        after_help = exit::help_after(BACKUP_HELP, exit::WALLET_OWN),
        // Clap asks for nothing that conflicts with what is there, and an account's name conflicts with --this-pc.
        mut_arg("password_file", |password| password.requires("this_pc").conflicts_with("account")),
        mut_arg("password_stdin", |password| password.requires("this_pc").conflicts_with("account")),
        mut_arg("base_path", |path| path.conflicts_with("account")),
    )]
    Backup(BackupArgs),
    /// Take in an account from a backup, or from what the polkadot-js extension exported.
    #[command(after_help = exit::help_after(RESTORE_HELP, exit::WALLET))]
    Restore(RestoreArgs),
}

/// What to do with stake.
#[derive(Debug, Subcommand)]
pub enum StakeCommand {
    /// Bond HYDRA as stake, on top of what is bonded already.
    #[command(after_help = exit::help_after(BOND_HELP, exit::SPEND))]
    Bond(BondArgs),
    /// Take back part of the stake, or all of it.
    #[command(after_help = exit::help_after(UNBOND_HELP, exit::SPEND))]
    Unbond(UnbondArgs),
    /// Make what was unbonded long enough ago free balance again.
    #[command(after_help = exit::help_after(SPEND_HELP, exit::SPEND))]
    Withdraw(WithdrawArgs),
}

/// Where the accounts are kept.
#[derive(Debug, Clone, Default, Args)]
pub struct KeysArgs {
    /// The folder with the accounts' files [default: HYDRA_KEYS, else hydra/keys in $XDG_CONFIG_HOME, else in ~/.config]
    #[arg(long, value_name = "DIR")]
    pub keys: Option<PathBuf>,
}

/// This PC's own account in place of another one.
#[derive(Debug, Clone, Default, Args)]
pub struct OwnAccountArgs {
    /// This PC's own account: the one that `hydra up` made or took, for which it trains and which earns.
    #[arg(long)]
    pub this_pc: bool,
    /// Where this PC keeps its part of the network [default: that in your data folder, else the only one that runs]
    #[arg(long, value_name = "DIR", requires = "this_pc")]
    pub base_path: Option<PathBuf>,
}

/// Where a password comes from. Without either option it is asked for.
#[derive(Debug, Clone, Default, Args)]
pub struct PasswordArgs {
    /// Read the password from this file, which only you should be able to read.
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
    /// Read the password from standard input.
    #[arg(long, conflicts_with = "password_file")]
    pub password_stdin: bool,
}

/// Who pays and signs.
#[derive(Debug, Clone, Default, Args)]
pub struct SignerArgs {
    /// The account that pays, by name or address; this-pc is this PC's own, which needs no password; on a local network also
    /// //Alice [default: the only account there is; `hydra ask`, which doesn't ask you first, needs it, but on a local network]
    #[arg(long, value_name = "ACCOUNT")]
    pub from: Option<String>,
    /// Its password.
    #[command(flatten)]
    pub password: PasswordArgs,
    /// Where it is.
    #[command(flatten)]
    pub keys: KeysArgs,
}

/// What all commands have that pay for something.
#[derive(Debug, Clone, Default, Args)]
pub struct SpendArgs {
    /// Who pays.
    #[command(flatten)]
    pub signer: SignerArgs,
    /// Don't ask whether to go on.
    #[arg(long)]
    pub yes: bool,
    /// Wait until it can't be undone any more.
    #[arg(long)]
    pub finalized: bool,
    /// Which node.
    #[command(flatten)]
    pub node: NodeArgs,
}

/// Options of `hydra wallet new`.
#[derive(Debug, Args)]
pub struct NewArgs {
    /// What to call the account. Only you see it.
    pub name: String,
    /// Its password.
    #[command(flatten)]
    pub password: PasswordArgs,
    /// Where to keep it.
    #[command(flatten)]
    pub keys: KeysArgs,
}

/// Options of `hydra wallet import`.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// What to call the account. Only you see it [default with --this-pc: the network's id]
    #[arg(required_unless_present = "this_pc")]
    pub name: Option<String>,
    /// A file with the seed phrase, or another wallet's JSON file; - is standard input [default: ask for the phrase]
    #[arg(long, value_name = "FILE", conflicts_with = "this_pc")]
    pub file: Option<PathBuf>,
    /// Replace the file of this account if it is there already: with the phrase, a forgotten password is set anew.
    #[arg(long)]
    pub force: bool,
    /// Or this PC's.
    #[command(flatten)]
    pub own: OwnAccountArgs,
    /// Its password.
    #[command(flatten)]
    pub password: PasswordArgs,
    /// Where to keep it.
    #[command(flatten)]
    pub keys: KeysArgs,
}

/// Options of `hydra wallet list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Where the accounts are.
    #[command(flatten)]
    pub keys: KeysArgs,
}

/// Options of `hydra wallet show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The account, by name or address.
    #[arg(value_name = "ACCOUNT")]
    pub account: String,
    /// Where the accounts are.
    #[command(flatten)]
    pub keys: KeysArgs,
}

/// Options of `hydra wallet receive`.
#[derive(Debug, Args)]
pub struct ReceiveArgs {
    /// The account, by name or address [default: the only account there is]
    #[arg(value_name = "ACCOUNT")]
    pub account: Option<String>,
    /// Draw the QR code for dark letters on a light background.
    #[arg(long)]
    pub invert: bool,
    /// Where the accounts are.
    #[command(flatten)]
    pub keys: KeysArgs,
}

/// Options of `hydra wallet balance`.
#[derive(Debug, Args)]
pub struct BalanceArgs {
    /// The account: one of yours by name, or any address [default: all of yours]
    #[arg(value_name = "ACCOUNT")]
    pub account: Option<String>,
    /// Where the accounts are.
    #[command(flatten)]
    pub keys: KeysArgs,
    /// Which node.
    #[command(flatten)]
    pub node: NodeArgs,
}

/// Options of `hydra wallet send`.
#[derive(Debug, Args)]
pub struct SendArgs {
    /// Who receives it: an address, or the name of one of your accounts.
    #[arg(value_name = "TO")]
    pub to: String,
    /// How much, in HYDRA, for example 1.5.
    #[arg(value_name = "AMOUNT", value_parser = amount::parse_positive)]
    pub amount: Balance,
    /// How.
    #[command(flatten)]
    pub spend: SpendArgs,
}

/// Options of `hydra wallet backup`.
#[derive(Debug, Args)]
pub struct BackupArgs {
    /// The account, by name or address, unless it is --this-pc.
    #[arg(
        value_name = "ACCOUNT",
        required_unless_present = "this_pc",
        conflicts_with = "this_pc"
    )]
    pub account: Option<String>,
    /// The file to write, or - for standard output.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Replace a file that is there already.
    #[arg(long)]
    pub force: bool,
    /// Or this PC's.
    #[command(flatten)]
    pub own: OwnAccountArgs,
    /// The password of the file of this PC's account.
    #[command(flatten)]
    pub password: PasswordArgs,
    /// Where the accounts are.
    #[command(flatten)]
    pub keys: KeysArgs,
}

/// Options of `hydra wallet restore`.
#[derive(Debug, Args)]
pub struct RestoreArgs {
    /// The file, or - for standard input. It may hold several accounts.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// What to call the account [default: as the file says]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Replace the file of an account that is there already.
    #[arg(long)]
    pub force: bool,
    /// The file's password.
    #[command(flatten)]
    pub password: PasswordArgs,
    /// Where to keep it.
    #[command(flatten)]
    pub keys: KeysArgs,
}

/// Options of `hydra stake bond`.
#[derive(Debug, Args)]
pub struct BondArgs {
    /// How much to add, in HYDRA, for example 1.5.
    #[arg(value_name = "AMOUNT", value_parser = amount::parse_positive)]
    pub amount: Balance,
    /// How.
    #[command(flatten)]
    pub spend: SpendArgs,
}

/// Options of `hydra stake unbond`.
#[derive(Debug, Args)]
pub struct UnbondArgs {
    /// How much to take back, in HYDRA, for example 1.5. What stays must be the least stake, or nothing.
    #[arg(
        value_name = "AMOUNT",
        value_parser = amount::parse_positive,
        required_unless_present = "all",
        conflicts_with = "all"
    )]
    pub amount: Option<Balance>,
    /// Take back all of it.
    #[arg(long)]
    pub all: bool,
    /// How.
    #[command(flatten)]
    pub spend: SpendArgs,
}

/// Options of `hydra stake withdraw`.
#[derive(Debug, Args)]
pub struct WithdrawArgs {
    /// How.
    #[command(flatten)]
    pub spend: SpendArgs,
}

/// Options of `hydra claim`.
#[derive(Debug, Args)]
pub struct ClaimArgs {
    /// The model.
    #[arg(long, value_name = "ID", default_value_t = 0)]
    pub model: ModelId,
    /// How.
    #[command(flatten)]
    pub spend: SpendArgs,
}

const NEW_HELP: &str = "\
The account's file is encrypted with the password. The seed phrase is shown once and kept nowhere: write it down. It opens \
the account again when this PC or the password is lost, here and in the polkadot-js extension, and for whoever else gets it.";

const IMPORT_HELP: &str = "\
The phrase may be followed by //hard and /soft paths and by ///password, as polkadot-js takes them. It is asked for without \
being shown, and never taken from the command line, where other programs see it. The password is for the new file; for \
another wallet's JSON file it is that file's own.

--this-pc takes in the account that `hydra up` trains for on this PC, so that nobody has to see its phrase: it stays where it is, \
and the wallet has the same account with a password.

Forgotten the password? Import the account once more from its phrase, with --force and a new password.";

const BACKUP_HELP: &str = "\
The file stays encrypted with the account's password. The polkadot-js extension reads it (Restore account from backup JSON \
file), and so does `hydra wallet restore`.

--this-pc writes such a file of the account that `hydra up` trains for on this PC, with a password that is asked for. The \
dashboard pays with it.";

const RESTORE_HELP: &str = "\
The password is tried before anything is kept. It stays the account's password.

An export of several accounts has a password of its own, and in it each account keeps the one that it had: the export's opens \
it, the accounts' are not asked for. Accounts that can't be kept here (of another kind, or on a hardware wallet) are left out \
by name.";

/// Of all commands that pay for something.
pub const SPEND_HELP: &str = "\
What will happen, to whom and for which fee is said first, and nothing is done before you confirm it. Scripts use --yes.";

const BOND_HELP: &str = "\
Bonded HYDRA stays yours, gives your account its weight in every draw, and can't be spent. What a wrong result costs is taken \
from it. `hydra stake unbond` takes it back. The account must be registered (see `hydra registration`). More stake counts from \
the account's next heartbeat on.

What will happen and for which fee is said first, and nothing is done before you confirm it. Scripts use --yes.";

const UNBOND_HELP: &str = "\
The account takes no part from then on until its next heartbeat counts; with less than the least stake, not at all. What is \
unbonding can still be forfeited by what the account did before. When the chain's delay is over, `hydra stake withdraw` makes it \
free; `hydra wallet balance` says from which block on.

What will happen and for which fee is said first, and nothing is done before you confirm it. Scripts use --yes.";
