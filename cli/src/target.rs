//! Which node and trainer a command talks to: the ones named, else those of a local network.

use std::{net::TcpStream, time::Duration};

use crate::{
    args::TargetArgs,
    chain::Chain,
    error::Error,
    files,
    local::{
        layout::{Network, Pc},
        newest_network,
    },
    trainer::Trainer,
};

/// Where a node listens unless told otherwise.
const DEFAULT_URL: &str = "ws://127.0.0.1:9944";

/// A node's address and, if known, how to reach the trainer beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The node's RPC address.
    pub url: String,
    pc: Option<Pc>,
    args: TrainerArgs,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct TrainerArgs {
    port: Option<u16>,
    token_file: Option<std::path::PathBuf>,
}

impl Target {
    /// Resolves what was given on the command line.
    pub fn new(args: &TargetArgs) -> Result<Self, Error> {
        let network = match &args.base_path {
            Some(path) => Some(Network::read(path)?.ok_or_else(|| Error::NoNetwork(path.clone()))?),
            None if args.url.is_some() && args.pc.is_none() => None,
            None => match files::data_home().and_then(|home| newest_network(&home)) {
                Some(path) => Network::read(&path)?,
                None => None,
            },
        };
        Self::choose(args, network, answers)
    }

    fn choose(
        args: &TargetArgs,
        network: Option<Network>,
        answers: impl Fn(u16) -> bool,
    ) -> Result<Self, Error> {
        let pc = match (network, &args.pc) {
            (Some(network), Some(name)) => Some(network.pc(name)?.clone()),
            (None, Some(name)) => return Err(Error::NoLocalNetwork(name.clone())),
            // The first that runs; if none does, the first, so that the message names an address that was meant.
            (Some(network), None) => {
                let mut pcs = network.pcs.iter();
                pcs.find(|pc| answers(pc.node.rpc_port))
                    .or(network.pcs.first())
                    .cloned()
            }
            (None, None) => None,
        };
        let url = match (&args.url, &pc) {
            (Some(url), _) => url.clone(),
            (None, Some(pc)) => pc.node.rpc_url.clone(),
            (None, None) => DEFAULT_URL.into(),
        };
        let trainer = TrainerArgs {
            port: args.trainer_port,
            token_file: args.trainer_token_file.clone(),
        };
        Ok(Self {
            url,
            pc,
            args: trainer,
        })
    }

    /// Connects to the node.
    pub async fn chain(&self) -> Result<Chain, Error> {
        Chain::connect(&self.url).await
    }

    /// The trainer, if it is known where it is.
    pub fn trainer(&self) -> Result<Option<Trainer>, Error> {
        let port = self.args.port.or(self.pc.as_ref().map(|pc| pc.trainer.http_port));
        let token = self
            .args
            .token_file
            .as_ref()
            .or(self.pc.as_ref().map(|pc| &pc.trainer.token_file));
        match (port, token) {
            (Some(port), Some(token)) => Ok(Some(Trainer::with_token_file(port, token)?)),
            (Some(port), None) => Ok(Some(Trainer::new(port, None)?)),
            (None, _) => Ok(None),
        }
    }
}

/// Whether something listens there. Loopback answers or refuses at once.
fn answers(port: u16) -> bool {
    TcpStream::connect_timeout(&([127, 0, 0, 1], port).into(), Duration::from_millis(300)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::local::layout::Layout;

    fn network() -> Network {
        Layout::new("/base".into(), 4, 20_000).network()
    }

    fn choose(args: TargetArgs, network: Option<Network>, running: &[u16]) -> Result<Target, Error> {
        Target::choose(&args, network, |port| running.contains(&port))
    }

    #[test]
    fn without_anything_it_is_the_usual_port() {
        assert_eq!(choose(TargetArgs::default(), None, &[]).unwrap().url, DEFAULT_URL);
    }

    #[test]
    fn the_first_running_pc_of_a_local_network_is_chosen() {
        let url = |running: &[u16]| {
            choose(TargetArgs::default(), Some(network()), running)
                .unwrap()
                .url
        };
        assert_eq!(url(&[20_000, 20_001]), "ws://127.0.0.1:20000");
        assert_eq!(url(&[20_002]), "ws://127.0.0.1:20002");
        assert_eq!(url(&[]), "ws://127.0.0.1:20000");
    }

    #[test]
    fn a_pc_can_be_named_and_must_exist() {
        let named = |name: &str| TargetArgs {
            pc: Some(name.into()),
            ..Default::default()
        };
        assert_eq!(
            choose(named("Bob"), Some(network()), &[]).unwrap().url,
            "ws://127.0.0.1:20001"
        );
        assert!(matches!(
            choose(named("eve"), Some(network()), &[]),
            Err(Error::NoSuchPc(_))
        ));
        assert!(matches!(
            choose(named("bob"), None, &[]),
            Err(Error::NoLocalNetwork(_))
        ));
    }

    #[test]
    fn what_is_given_comes_first() {
        let args = TargetArgs {
            url: Some("ws://127.0.0.1:1".into()),
            trainer_port: Some(2),
            ..Default::default()
        };
        let target = choose(args, None, &[]).unwrap();
        assert_eq!(target.url, "ws://127.0.0.1:1");
        assert_eq!(target.trainer().unwrap().unwrap().url(), "http://127.0.0.1:2");
    }
}
