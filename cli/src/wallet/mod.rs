//! `hydra wallet`, `hydra stake` and `hydra claim`: a user's own accounts, and what they do on the chain.
//!
//! It must never spend anything that wasn't said with amount, fee and receiver, and confirmed; and never print a secret
//! but the phrase of an account that was just made.
//!
//! Start with `make`, where accounts come from, and `spend`, how anything is paid. Keys and their files are
//! [`crate::keys`].

mod backup;
mod balance;
mod calls;
mod look;
mod made;
mod make;
mod own;
mod seal;
mod spend;

pub use backup::Saved;
pub use balance::Balances;
pub use calls::{Transfer, transfer};
pub use look::Shown;
pub use made::{Made, Taken};
pub use spend::{Details, Plan, Receipt, Spender};

use crate::{
    args::{ClaimArgs, StakeCommand, WalletCommand},
    error::Error,
};

/// Runs `hydra wallet`.
pub async fn run(command: WalletCommand, json: bool) -> Result<(), Error> {
    match command {
        WalletCommand::New(args) => make::new(args, json).await,
        WalletCommand::Import(args) => make::import(args, json).await,
        WalletCommand::List(args) => look::list(&args, json),
        WalletCommand::Show(args) => look::show(&args, json),
        WalletCommand::Receive(args) => look::receive(&args, json),
        WalletCommand::Balance(args) => balance::run(args, json).await,
        WalletCommand::Send(args) => calls::send(args, json).await,
        WalletCommand::Backup(args) => backup::backup(&args, json).await,
        WalletCommand::Restore(args) => backup::restore(args, json).await,
    }
}

/// Runs `hydra stake`.
pub async fn stake(command: StakeCommand, json: bool) -> Result<(), Error> {
    match command {
        StakeCommand::Bond(args) => calls::bond(args, json).await,
        StakeCommand::Unbond(args) => calls::unbond(args, json).await,
        StakeCommand::Withdraw(args) => calls::withdraw(args, json).await,
    }
}

/// Runs `hydra claim`.
pub async fn claim(args: ClaimArgs, json: bool) -> Result<(), Error> {
    calls::claim(args, json).await
}
