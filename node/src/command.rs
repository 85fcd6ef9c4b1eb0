//! From the command line to a running node or a finished command.

use crate::service::{self, Settings, parts};
use hydra_host::terminal;
use hydra_node::{
    chain_spec::Genesis,
    cli::{Cli, Subcommand},
    environment,
    error::Error,
    ports, rpc, space,
    trainer_link::TrainerSettings,
};
use hydra_runtime::opaque::Block;
use sc_cli::{CliConfiguration, Cors, KeySubcommand, Runner, SubstrateCli};
use sc_network::config::NetworkBackendType;

/// Does what the command line says.
pub fn run() -> Result<(), Error> {
    environment::check_arguments(std::env::args_os())?;
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

/// Substrate's runner, once it is sure that there is a base path, and with a log that suits the terminal.
fn runner<C: CliConfiguration>(cli: &Cli, command: &C) -> Result<Runner<Cli>, Error> {
    environment::base_path(command.shared_params(), cli.run.base.tmp, &Cli::executable_name())?;
    Ok(cli.create_runner_with_logger_hook(command, |logger, _| {
        if !terminal::may_be_styled() {
            logger.with_colors(false);
        }
    })?)
}

fn run_node(mut cli: Cli) -> Result<(), Error> {
    let options = &mut cli.run.base;
    // A home PC's first start must not need a second command. The key is kept in the base path, so the node keeps
    // its identity afterwards.
    options
        .network_params
        .node_key_params
        .unsafe_force_node_key_generation = true;
    // Left out, these would mean any page, with --dev and for endpoints that are described one by one.
    options.rpc_params.rpc_cors.get_or_insert(Cors::List(vec![]));
    for endpoint in &mut options.rpc_params.experimental_rpc_endpoint {
        endpoint.cors.get_or_insert_default();
    }
    // The service's own server, which answers nobody, would announce an address that isn't the node's.
    options.shared_params.log.insert(0, "sc_rpc_server=warn".into());

    let path = environment::base_path(&options.shared_params, options.tmp, &Cli::executable_name())?;
    if let Some(path) = &path {
        environment::prepare(path)?;
    }
    let trainer = cli.run.trainer.clone();
    let space = cli.run.space.clone();
    let needed = space.threshold;
    let mut runner = runner(&cli, &cli.run.base)?;
    let config = runner.config_mut();
    ports::claim(config)?;
    let rpc = rpc::take_over(&mut config.rpc)?;
    let ended = runner.run_node_until_exit(|config| async move {
        let settings = Settings {
            trainer: TrainerSettings::new(trainer, &config),
            space,
            rpc,
        };
        match config.network.network_backend {
            NetworkBackendType::Libp2p => service::start::<sc_network::NetworkWorker<_, _>>(config, settings),
            NetworkBackendType::Litep2p => {
                service::start::<sc_network::Litep2pNetworkBackend>(config, settings)
            }
        }
    });
    // A task that ended is all that the service says of a full disk.
    match (&ended, &path) {
        (Err(Error::Service(_)), Some(path)) => space::require(path, needed).and(ended),
        _ => ended,
    }
}

fn run_command(cli: &Cli, command: Subcommand) -> Result<(), Error> {
    match command {
        Subcommand::Key(command) => {
            match &command {
                KeySubcommand::Insert(insert) => {
                    environment::base_path(&insert.shared_params, false, &Cli::executable_name())?;
                }
                KeySubcommand::GenerateNodeKey(_)
                    if std::env::args().any(|word| word == "--default-base-path") =>
                {
                    environment::require_home()?;
                }
                _ => {}
            }
            Ok(command.run(cli)?)
        }
        Subcommand::ExportChainSpec(command) => {
            let spec = cli.load_spec(&command.chain).map_err(sc_cli::Error::Input)?;
            Ok(command.run(spec)?)
        }
        Subcommand::BuildSpec(command) => {
            runner(cli, &command)?.sync_run(|config| Ok(command.run(config.chain_spec, config.network)?))
        }
        Subcommand::ChainInfo(command) => {
            runner(cli, &command)?.sync_run(|config| Ok(command.run::<Block>(&config)?))
        }
        Subcommand::PurgeChain(command) => {
            runner(cli, &command)?.sync_run(|config| Ok(command.run(config.database)?))
        }
        Subcommand::CheckBlock(command) => runner(cli, &command)?.async_run(|config| {
            let parts = parts::open(&config)?;
            let run = async move { Ok(command.run(parts.client, parts.import_queue).await?) };
            Ok((run, parts.task_manager))
        }),
        Subcommand::ExportBlocks(command) => runner(cli, &command)?.async_run(|config| {
            let parts = parts::open(&config)?;
            let run = async move { Ok(command.run(parts.client, config.database).await?) };
            Ok((run, parts.task_manager))
        }),
        Subcommand::ExportState(command) => runner(cli, &command)?.async_run(|config| {
            let parts = parts::open(&config)?;
            let run = async move { Ok(command.run(parts.client, config.chain_spec).await?) };
            Ok((run, parts.task_manager))
        }),
        Subcommand::ImportBlocks(command) => runner(cli, &command)?.async_run(|config| {
            let parts = parts::open(&config)?;
            let run = async move { Ok(command.run(parts.client, parts.import_queue).await?) };
            Ok((run, parts.task_manager))
        }),
        Subcommand::Revert(command) => runner(cli, &command)?.async_run(|config| {
            let parts = parts::open(&config)?;
            let revert = Box::new(parts::revert_consensus);
            let run = async move { Ok(command.run(parts.client, parts.backend, Some(revert)).await?) };
            Ok((run, parts.task_manager))
        }),
    }
}
