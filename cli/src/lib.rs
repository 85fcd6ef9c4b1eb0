//! The parts of `hydra`, the program a person types: it brings a local network up, takes part
//! in one with others and founds one, shows how the chain and the trainer are doing, asks a model a question, exports its
//! weights, and keeps the user's accounts.
//!
//! It must never hold state of its own but the user's encrypted key files: what it shows it reads from the chain or the
//! trainer when asked. An account's secret stays in this process; only signed transactions leave it.
//!
//! Start with [`args`], the command line; a command's module has its name ([`ask`], [`status`], [`top`], [`rounds`], [`export`],
//! [`registration`], [`invite`], [`faucet`], [`doctor`], [`wallet`] with stake and claims, [`rest`] with pauses and session keys), `demo` is [`local`], `up`, `down` and `logs` are
//! [`up`](mod@up), and `network` is [`found`]; [`reference`](mod@reference) is what can be made of all of them, [`schemas`] what
//! they print with `--json`. Below them are [`report`] (what is shown), [`paragraph`] (sentences in lines), [`target`] (which node and trainer), [`chain`] and
//! [`trainer`] (talking to them), [`payment`] (having the chain do something, exactly once), [`proof`] (what a registration shows), [`room`] (what a PC takes on), [`keys`] (accounts and their files),
//! [`network`] (networks of this PC and where they are written down), [`browser`] (opening the dashboard), [`home`] (this PC's part of one with others) with its
//! [`keystore`] and [`spec`], [`coins`] (what a faucet is asked), [`shell`] (what people are told to type), [`machine`], [`error`] and [`exit`] (every failure, with its exit code). `README.md` beside this crate is for whoever uses it.

pub mod accounts;
pub mod address;
pub mod amount;
pub mod args;
pub mod ask;
pub mod browser;
pub mod chain;
pub mod coins;
pub mod doctor;
pub mod error;
pub mod exit;
pub mod export;
pub mod faucet;
pub mod files;
pub mod found;
pub mod home;
pub mod image;
pub mod invite;
pub mod keys;
pub mod keystore;
pub mod local;
pub mod machine;
pub mod network;
pub mod output;
pub mod paragraph;
pub mod payment;
pub mod proof;
pub mod qr;
pub mod readiness;
pub mod reference;
pub mod registration;
pub mod report;
pub mod rest;
pub mod room;
pub mod rounds;
pub mod schemas;
pub mod shell;
pub mod spec;
pub mod status;
pub mod table;
pub mod target;
pub mod top;
pub mod trainer;
pub mod up;
pub mod wallet;
