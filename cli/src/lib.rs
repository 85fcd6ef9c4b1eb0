//! The parts of `hydra`, the program a person types: it brings a local network up, shows how the chain and the
//! trainer are doing, asks a model a question, exports its weights, and keeps the user's accounts.
//!
//! It must never hold state of its own but the user's encrypted key files: what it shows it reads from the chain or the
//! trainer when asked. An account's secret stays in this process; only signed transactions leave it.
//!
//! Start with [`args`], the command line; a command's module has its name ([`ask`], [`status`], [`rounds`], [`export`],
//! [`registration`], [`wallet`] with stake and claims), and `demo` is [`local`]; [`reference`](mod@reference) is what can be made of all of them. Below them are [`report`] (what is shown), [`target`] (which node and trainer),
//! [`chain`] and [`trainer`] (talking to them), [`payment`] (having the chain do something, exactly once), [`keys`] (accounts and
//! their files), [`network`] (local networks and where they are written down), [`error`] and
//! [`exit`] (every failure, with its exit code). `README.md` beside this crate is for whoever uses it.

pub mod accounts;
pub mod address;
pub mod amount;
pub mod args;
pub mod ask;
pub mod chain;
pub mod error;
pub mod exit;
pub mod export;
pub mod files;
pub mod image;
pub mod keys;
pub mod local;
pub mod network;
pub mod output;
pub mod payment;
pub mod readiness;
pub mod reference;
pub mod registration;
pub mod report;
pub mod rounds;
pub mod status;
pub mod table;
pub mod target;
pub mod trainer;
pub mod wallet;
