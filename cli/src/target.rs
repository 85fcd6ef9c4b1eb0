//! Which node and trainer a command talks to: the ones named, else those of a local network that runs, else the usual
//! address.
//!
//! It must never lead to another network than the one that was meant: a network that was stopped has left its ports to
//! whoever wants them.

use hydra_primitives::AccountBytes;
use std::path::{Path, PathBuf};

use crate::{
    address,
    args::TargetArgs,
    chain::Chain,
    error::{Error, Meant, Place},
    files,
    network::{self, Condition, Network, Newest, Pc},
    trainer::Trainer,
};

/// Names a node where the command line names none.
const URL: &str = "HYDRA_URL";
/// Where a node listens unless told otherwise.
const DEFAULT_URL: &str = "ws://127.0.0.1:9944";

/// A node's address and, if known, how to reach the trainer beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The node's RPC address.
    pub url: String,
    meant: Meant,
    pc: Option<Pc>,
    args: TrainerArgs,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct TrainerArgs {
    port: Option<u16>,
    token_file: Option<PathBuf>,
}

/// The local network that may be meant.
#[allow(clippy::large_enum_variant)] // There is one of it.
enum Local {
    /// The one in the folder that was named.
    Named(PathBuf, Network),
    /// Nobody named one.
    Newest(Newest),
}

impl Target {
    /// Resolves what was given on the command line.
    pub fn new(args: &TargetArgs) -> Result<Self, Error> {
        let url = args
            .url
            .clone()
            .or_else(|| from_environment(args, std::env::var(URL).ok()));
        let args = &TargetArgs { url, ..args.clone() };
        args.url.as_deref().map_or(Ok(()), address::check)?;
        let local = match &args.base_path {
            Some(path) => {
                let network = Network::read(path)?.ok_or_else(|| Error::NoNetwork(path.clone()))?;
                Local::Named(path.clone(), network)
            }
            None => Local::Newest(newest(args)?),
        };
        Self::choose(args, local, network::condition)
    }

    fn choose(args: &TargetArgs, local: Local, condition: impl Fn(&Pc) -> Condition) -> Result<Self, Error> {
        let (url, meant, pc) = match (&args.url, local) {
            // Only the PC's trainer is wanted, if a PC is named at all.
            (Some(url), Local::Newest(_)) if args.pc.is_none() => (url.clone(), Meant::Given, None),
            (Some(url), Local::Named(_, network)) => {
                (url.clone(), Meant::Given, Some(named_or_first(args, &network)?))
            }
            (Some(url), Local::Newest(Newest::There(_, network))) => {
                (url.clone(), Meant::Given, Some(named_or_first(args, &network)?))
            }
            (None, Local::Named(folder, network)) => of_network(args, &folder, &network, &condition)?,
            (None, Local::Newest(newest)) if args.pc.is_none() => by_default(newest, &condition),
            (None, Local::Newest(Newest::There(folder, network))) => {
                of_network(args, &folder, &network, &condition)?
            }
            (_, Local::Newest(Newest::None | Newest::Gone(_))) => {
                return Err(Error::NoLocalNetwork(args.pc.clone().unwrap_or_default()));
            }
        };
        let trainer = TrainerArgs {
            port: args.trainer_port,
            token_file: args.trainer_token_file.clone(),
        };
        Ok(Self {
            url,
            meant,
            pc,
            args: trainer,
        })
    }

    /// Connects to the node.
    pub async fn chain(&self) -> Result<Chain, Error> {
        let meant = Some(self.meant.clone());
        let chain = Chain::connect(&self.url).await.map_err(|error| match error {
            Error::NodeUnreachable { url, reason, .. } => Error::NodeUnreachable { url, reason, meant },
            Error::NotANode { url, reason, .. } => Error::NotANode { url, reason, meant },
            error => error,
        })?;
        Ok(chain.meant(self.meant.clone()))
    }

    /// The folder of the network on this PC that the node belongs to, if it does.
    pub fn folder(&self) -> Option<&Path> {
        match &self.meant {
            Meant::Pc { place, .. } => Some(&place.folder),
            _ => None,
        }
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
            (Some(port), Some(token)) => Ok(Some(self.known(Trainer::with_token_file(port, token)?))),
            (Some(port), None) => Ok(Some(self.known(Trainer::new(port, None)?))),
            (None, _) => Ok(None),
        }
    }

    /// The account of the PC that is meant, if one is.
    pub fn account(&self) -> Option<AccountBytes> {
        let mut account = AccountBytes::default();
        let digits = self.pc.as_ref()?.account_hex.trim_start_matches("0x");
        hex::decode_to_slice(digits, &mut account).ok()?;
        Some(account)
    }

    /// The node's port for other nodes, of the PC that is meant, if one is.
    pub fn node_port(&self) -> Option<u16> {
        self.pc.as_ref().map(|pc| pc.node.p2p_port)
    }

    /// Where the secret of the trainer's identity is, of the PC that is meant, if one is.
    pub fn key_file(&self) -> Option<PathBuf> {
        self.pc.as_ref().map(|pc| pc.trainer.key_file.clone())
    }

    /// With whose trainer it is, if it is a PC's of a local network.
    fn known(&self, trainer: Trainer) -> Trainer {
        match (&self.meant, &self.pc) {
            (Meant::Pc { place, .. }, Some(pc)) if self.args.port.is_none() => {
                trainer.of_pc(pc.clone(), place.clone())
            }
            _ => trainer,
        }
    }

    /// What has ended of the local network that the node belongs to, if it does.
    pub fn stopped(&self) -> Vec<String> {
        match &self.meant {
            Meant::Pc { place, .. } => match Network::read(&place.folder) {
                Ok(Some(network)) => network::stopped(&network, &place.folder),
                // It was read a moment ago.
                Ok(None) | Err(_) => Vec::new(),
            },
            _ => Vec::new(),
        }
    }
}

/// The network that is meant when none is named: the newest local one, or else, if only that runs, the one that this PC
/// takes part in. Of several that run none is taken, unless a node is named.
fn newest(args: &TargetArgs) -> Result<Newest, Error> {
    let Some(home) = files::data_home() else {
        return Ok(Newest::None);
    };
    let newest = network::newest(&home);
    // Only local networks have several PCs.
    if args.pc.is_some() || args.url.is_some() || newest.runs() {
        return Ok(newest);
    }
    let joined = match network::joined(&home) {
        // None of them runs, and whatever runs at the usual address is meant.
        Err(Error::SeveralNetworks(_)) => Newest::None,
        joined => joined?,
    };
    Ok(match newest {
        Newest::None => joined,
        _ if joined.runs() => joined,
        newest => newest,
    })
}

/// What was asked for on the command line counts more.
fn from_environment(args: &TargetArgs, url: Option<String>) -> Option<String> {
    let nothing = args.base_path.is_none() && args.pc.is_none();
    url.filter(|url| nothing && !url.is_empty())
}

type Choice = (String, Meant, Option<Pc>);

fn named_or_first(args: &TargetArgs, network: &Network) -> Result<Pc, Error> {
    match (&args.pc, network.pcs.first()) {
        (Some(name), _) => network.pc(name).cloned(),
        (None, Some(first)) => Ok(first.clone()),
        (None, None) => Err(Error::NoSuchPc {
            name: String::new(),
            known: Vec::new(),
        }),
    }
}

/// A PC of this network and no other: the one named, else the first that runs.
fn of_network(
    args: &TargetArgs,
    folder: &Path,
    network: &Network,
    condition: impl Fn(&Pc) -> Condition,
) -> Result<Choice, Error> {
    let starting = || Error::NetworkStarting(network.place(folder));
    if let Some(name) = &args.pc {
        let pc = network.pc(name)?;
        return match condition(pc) {
            Condition::Runs => Ok(choice(network.place(folder), pc)),
            _ if network::starting(network) => Err(starting()),
            other => Err(Error::PcStopped {
                pc: pc.name.clone(),
                place: network.place(folder),
                other: in_place_of(pc, other),
            }),
        };
    }
    let mut other = None;
    for pc in &network.pcs {
        match condition(pc) {
            Condition::Runs => return Ok(choice(network.place(folder), pc)),
            condition => other = other.or(in_place_of(pc, condition)),
        }
    }
    if network::starting(network) {
        return Err(starting());
    }
    Err(Error::NetworkStopped {
        place: network.place(folder),
        other,
    })
}

fn in_place_of(pc: &Pc, condition: Condition) -> Option<(u16, hydra_host::Holder)> {
    match condition {
        Condition::Replaced(holder) => Some((pc.node.rpc_port, holder)),
        Condition::Runs | Condition::Stopped => None,
    }
}

fn choice(place: Place, pc: &Pc) -> Choice {
    let meant = Meant::Pc {
        pc: pc.name.clone(),
        place,
    };
    (pc.node.rpc_url.clone(), meant, Some(pc.clone()))
}

/// The newest local network if it runs, else the usual address.
fn by_default(newest: Newest, condition: impl Fn(&Pc) -> Condition) -> Choice {
    let meant = match newest {
        Newest::There(folder, network) => {
            if let Some(pc) = network.pcs.iter().find(|pc| condition(pc) == Condition::Runs) {
                return choice(network.place(&folder), pc);
            }
            let place = network.place(&folder);
            match network::starting(&network) {
                true => Meant::UsualAsStarting { place },
                false => Meant::UsualAsStopped { place },
            }
        }
        Newest::Gone(folder) => Meant::UsualAsGone { folder },
        Newest::None => Meant::Usual,
    };
    (DEFAULT_URL.into(), meant, None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Layout;
    use hydra_host::Holder;

    fn network() -> Network {
        Layout::new("/base".into(), 4, 20_000).network()
    }

    fn newest() -> Local {
        Local::Newest(Newest::There("/base".into(), Box::new(network())))
    }

    fn in_folder() -> Local {
        Local::Named("/base".into(), network())
    }

    fn none() -> Local {
        Local::Newest(Newest::None)
    }

    /// The nodes on `running` run; the other ports belong to strangers.
    fn choose(args: TargetArgs, local: Local, running: &[u16]) -> Result<Target, Error> {
        Target::choose(&args, local, |pc| {
            if running.contains(&pc.node.rpc_port) {
                Condition::Runs
            } else {
                Condition::Replaced(Holder {
                    pid: 7,
                    name: "stranger".into(),
                })
            }
        })
    }

    fn pc(name: &str) -> TargetArgs {
        TargetArgs {
            pc: Some(name.into()),
            ..Default::default()
        }
    }

    #[test]
    fn the_environment_names_a_node_only_where_the_command_line_names_nothing() {
        let url = || Some("ws://other:9944".to_string());
        assert_eq!(from_environment(&TargetArgs::default(), url()), url());
        assert_eq!(from_environment(&pc("bob"), url()), None);
        let folder = TargetArgs {
            base_path: Some("/base".into()),
            ..Default::default()
        };
        assert_eq!(from_environment(&folder, url()), None);
        assert_eq!(
            from_environment(&TargetArgs::default(), Some(String::new())),
            None
        );
    }

    #[test]
    fn without_anything_it_is_the_usual_address() {
        let target = choose(TargetArgs::default(), none(), &[]).unwrap();
        assert_eq!((target.url.as_str(), target.meant), (DEFAULT_URL, Meant::Usual));
    }

    #[test]
    fn the_first_running_pc_of_the_newest_network_is_chosen() {
        let url = |running: &[u16]| choose(TargetArgs::default(), newest(), running).unwrap().url;
        assert_eq!(url(&[20_000, 20_001]), "ws://127.0.0.1:20000");
        assert_eq!(url(&[20_002]), "ws://127.0.0.1:20002");
    }

    #[test]
    fn a_newest_network_that_was_stopped_or_moved_does_not_win_over_a_running_node() {
        let stopped = choose(TargetArgs::default(), newest(), &[]).unwrap();
        assert_eq!(stopped.url, DEFAULT_URL);
        assert!(stopped.pc.is_none(), "nor is its trainer asked");
        let text = stopped.meant.to_string();
        assert!(
            text.contains("the newest local network, in /base, does not run"),
            "{text}"
        );
        let gone = Local::Newest(Newest::Gone("/base".into()));
        let gone = choose(TargetArgs::default(), gone, &[]).unwrap();
        assert_eq!(gone.url, DEFAULT_URL);
        assert!(gone.meant.to_string().contains("no longer in /base"));
    }

    #[test]
    fn a_network_that_was_named_and_does_not_run_is_not_replaced_by_whoever_has_its_ports() {
        let error = choose(TargetArgs::default(), in_folder(), &[]).unwrap_err();
        assert!(matches!(error, Error::NetworkStopped { .. }), "{error}");
        let text = error.to_string();
        assert!(
            text.contains("its port 20000 is used by stranger (process 7)"),
            "{text}"
        );
        let error = choose(pc("bob"), in_folder(), &[20_000]).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("hydra demo --only bob --base-path /base"),
            "{error}"
        );
    }

    #[test]
    fn a_network_that_is_just_starting_is_not_called_stopped() {
        let starting = || Network {
            hydra_pid: std::process::id(),
            ..network()
        };
        let named = || Local::Named("/base".into(), starting());
        for args in [TargetArgs::default(), pc("bob")] {
            let error = choose(args, named(), &[]).unwrap_err();
            assert!(matches!(error, Error::NetworkStarting(_)), "{error}");
        }
        let newest = Local::Newest(Newest::There("/base".into(), Box::new(starting())));
        let target = choose(TargetArgs::default(), newest, &[]).unwrap();
        assert!(
            target.meant.to_string().contains("is just starting"),
            "{}",
            target.meant
        );
    }

    #[test]
    fn a_pc_can_be_named_and_must_exist() {
        assert_eq!(
            choose(pc("Bob"), newest(), &[20_001]).unwrap().url,
            "ws://127.0.0.1:20001"
        );
        assert!(matches!(
            choose(pc("bob"), newest(), &[20_000]),
            Err(Error::PcStopped { .. })
        ));
        assert!(matches!(
            choose(pc("eve"), newest(), &[]),
            Err(Error::NoSuchPc { .. })
        ));
        assert!(matches!(
            choose(pc("bob"), none(), &[]),
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
        let target = choose(args.clone(), newest(), &[20_000]).unwrap();
        assert_eq!(target.url, "ws://127.0.0.1:1");
        assert!(
            target.pc.is_none(),
            "another node has nothing to do with a local network"
        );
        assert_eq!(target.trainer().unwrap().unwrap().url(), "http://127.0.0.1:2");
        let with_folder = choose(args, in_folder(), &[]).unwrap();
        assert_eq!(with_folder.url, "ws://127.0.0.1:1");
        assert_eq!(with_folder.pc.unwrap().name, "alice");
    }

    #[tokio::test]
    async fn an_error_says_which_node_was_meant_and_why() {
        let args = TargetArgs {
            url: Some(format!("ws://127.0.0.1:{}", hydra_test_ports::free_ports(1))),
            ..Default::default()
        };
        let Err(error) = Target::new(&args).unwrap().chain().await else {
            panic!("nobody listens there")
        };
        assert!(
            error.to_string().contains("that --url or HYDRA_URL gives"),
            "{error}"
        );
    }
}
