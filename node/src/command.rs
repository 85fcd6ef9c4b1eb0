//! From the command line to a running node or a finished command.

use crate::{
    chain_spec::{self, Genesis},
    cli::{Cli, Subcommand},
    error::Error,
    ports, service,
    trainer_link::TrainerSettings,
};
use hydra_runtime::opaque::Block;
use sc_cli::SubstrateCli;
use sc_network::config::NetworkBackendType;

impl SubstrateCli for Cli {
    fn impl_name() -> String {
        "HydraAI Node".into()
    }

    fn impl_version() -> String {
        env!("SUBSTRATE_CLI_IMPL_VERSION").into()
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
    }
}

/// Does what the command line says.
pub fn run() -> Result<(), Error> {
    let mut cli = Cli::from_args();
    match cli.subcommand.take() {
        Some(command) => {
            if let Subcommand::ExportChainSpec(_) | Subcommand::BuildSpec(_) = command {
                cli.genesis = Genesis::Preset;
            }
            run_command(&cli, command)
        }
        None => run_node(cli),
    }
}

fn run_node(mut cli: Cli) -> Result<(), Error> {
    // A home PC's first start must not need a second command. The key is kept in the base path, so the node keeps
    // its identity afterwards.
    cli.run
        .base
        .network_params
        .node_key_params
        .unsafe_force_node_key_generation = true;
    let trainer = cli.run.trainer.clone();
    let mut runner = cli.create_runner(&cli.run.base)?;
    ports::claim(runner.config_mut())?;
    runner.run_node_until_exit(|config| async move {
        let trainer = TrainerSettings::new(trainer, &config);
        match config.network.network_backend {
            NetworkBackendType::Libp2p => service::start::<sc_network::NetworkWorker<_, _>>(config, trainer),
            NetworkBackendType::Litep2p => {
                service::start::<sc_network::Litep2pNetworkBackend>(config, trainer)
            }
        }
    })
}

fn run_command(cli: &Cli, command: Subcommand) -> Result<(), Error> {
    match command {
        Subcommand::Key(command) => Ok(command.run(cli)?),
        Subcommand::ExportChainSpec(command) => {
            let spec = cli.load_spec(&command.chain).map_err(sc_cli::Error::Input)?;
            Ok(command.run(spec)?)
        }
        Subcommand::BuildSpec(command) => cli
            .create_runner(&command)?
            .sync_run(|config| Ok(command.run(config.chain_spec, config.network)?)),
        Subcommand::ChainInfo(command) => cli
            .create_runner(&command)?
            .sync_run(|config| Ok(command.run::<Block>(&config)?)),
        Subcommand::PurgeChain(command) => cli
            .create_runner(&command)?
            .sync_run(|config| Ok(command.run(config.database)?)),
        Subcommand::CheckBlock(command) => cli.create_runner(&command)?.async_run(|config| {
            let parts = service::parts(&config)?;
            let run = async move { Ok(command.run(parts.client, parts.import_queue).await?) };
            Ok((run, parts.task_manager))
        }),
        Subcommand::ExportBlocks(command) => cli.create_runner(&command)?.async_run(|config| {
            let parts = service::parts(&config)?;
            let run = async move { Ok(command.run(parts.client, config.database).await?) };
            Ok((run, parts.task_manager))
        }),
        Subcommand::ExportState(command) => cli.create_runner(&command)?.async_run(|config| {
            let parts = service::parts(&config)?;
            let run = async move { Ok(command.run(parts.client, config.chain_spec).await?) };
            Ok((run, parts.task_manager))
        }),
        Subcommand::ImportBlocks(command) => cli.create_runner(&command)?.async_run(|config| {
            let parts = service::parts(&config)?;
            let run = async move { Ok(command.run(parts.client, parts.import_queue).await?) };
            Ok((run, parts.task_manager))
        }),
        Subcommand::Revert(command) => cli.create_runner(&command)?.async_run(|config| {
            let parts = service::parts(&config)?;
            let revert = Box::new(service::revert_consensus);
            let run = async move { Ok(command.run(parts.client, parts.backend, Some(revert)).await?) };
            Ok((run, parts.task_manager))
        }),
    }
}
