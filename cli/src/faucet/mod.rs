//! `hydra faucet`: gives newcomers of a test network their first coins over HTTP, each address once.
//!
//! It must never pay an address twice, whatever it is killed in the middle of; never give away more than it was told to; and
//! never begin on a network whose coins may be worth something unless that was said.
//!
//! Start with `teller`, which pays. `desk` is what is asked, over `serve`'s connections; `limits` say who is let in, `till` and
//! `memory` see to it that each address is paid once.

mod desk;
mod limits;
mod memory;
mod refusal;
mod say;
mod serve;
mod teller;
mod till;

use hydra_host::port_holder;
use std::{
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    pin::pin,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    net::TcpListener,
    sync::{mpsc, watch},
    time::sleep,
};

use crate::{
    accounts, amount,
    args::FaucetArgs,
    chain::Hash,
    coins::COINS_PATH,
    error::Error,
    files,
    keys::{payer::Payer, terminal},
    local::stop::Stop,
    output,
    target::Target,
    up::FEES,
};
use desk::Desk;
use limits::Limits;
use memory::Memory;
pub use say::{Event, Say};
pub use teller::Source;
use teller::{Job, Teller};
use till::Till;

/// How many may wait for their payment. Each takes some blocks, and nobody waits for hours.
const QUEUE: usize = 8;
/// How long the payment that is under way may take when the faucet is stopped.
const PARTING: Duration = Duration::from_secs(120);

/// A faucet, filled and not open yet.
pub struct Faucet {
    desk: Desk,
    teller: Teller,
    jobs: mpsc::Receiver<Job>,
}

/// How much is given away.
#[derive(Clone, Copy, Debug)]
pub struct Rates {
    /// So many addresses get something within 24 hours.
    pub per_day: u32,
    /// So many of them are asked for from one part of the internet.
    pub per_client: u32,
}

impl Faucet {
    /// Gives from `source`, and remembers whom in the file `memory`.
    pub fn new(source: Source, rates: Rates, memory: &Path, say: Say) -> Result<Self, Error> {
        let (memory, before) = Memory::open(memory)?;
        let limits = Limits::new(rates.per_day, rates.per_client, &before);
        let limits = Arc::new(Mutex::new(limits));
        let about = format!(
            "A HydraAI faucet: it gives an address {} HYDRA, once. POST {{\"address\": \"5…\"}} to {COINS_PATH}, or run \
             `hydra up --faucet` with this address.",
            amount::exact(source.amount)
        );
        let (sender, jobs) = mpsc::channel(QUEUE);
        Ok(Self {
            desk: Desk::new(limits.clone(), sender, about),
            teller: Teller::new(source, Till::new(memory, limits), say),
            jobs,
        })
    }

    /// Answers until it is `ending`, and then until nobody waits any more.
    pub async fn open(self, listener: TcpListener, ending: watch::Receiver<bool>) {
        let Self { desk, teller, jobs } = self;
        tokio::join!(
            serve::serve(listener, Arc::new(desk), ending.clone()),
            teller.work(jobs, ending)
        );
    }
}

/// Runs the command.
pub async fn run(args: FaucetArgs, json: bool) -> Result<(), Error> {
    terminal::may_consent(args.yes)?;
    let target = Target::new(&args.node.target())?;
    let chain = target.chain().await?;
    let is_local = chain.is_local().await?;
    if !args.really && !is_local {
        return Err(Error::NoTestNetwork(chain.name().await?));
    }
    // Never this PC's own: what is given away is put into an account for that.
    let payer = Payer::choose(&args.signer, None, &chain).await?;
    payer.check(&args.signer.password)?;
    let best = chain.best().await?.hash;
    let amount = match args.amount {
        Some(amount) => amount,
        None => chain.least_stake(best).await?.saturating_add(FEES),
    };
    let least = chain.existential_deposit(best).await?;
    if amount < least {
        return Err(Error::TooLittle {
            who: "a newcomer".into(),
            least,
        });
    }
    let genesis = chain.block_at(0).await?.hash;
    let near = target.folder().or(args.node.base_path.as_deref());
    let memory = memory_file(is_local, near, genesis)?;
    // Before the password is asked for.
    let listener = listen(args.listen).await?;
    let held = chain.funds(&payer.account(), best).await?.spendable;
    let lines = [
        (
            "give",
            format!("{} HYDRA to each address that asks", amount::exact(amount)),
        ),
        (
            "at most",
            format!(
                "{} addresses in 24 hours, {} of them from one part of the internet",
                args.per_day, args.per_client
            ),
        ),
        ("on", chain.name().await?),
        (
            "from",
            format!("{} ({})", accounts::address(&payer.account()), payer.name()),
        ),
        ("it has", format!("{} HYDRA to spend", amount::exact(held))),
        ("memory", memory.display().to_string()),
    ];
    let lines = lines.map(|(word, what)| format!("{word:<9} {what}"));
    output::note(&lines.join("\n"));
    let key = payer.unlock(&args.signer.password).await?;
    terminal::consent("Give them away?", args.yes).await?;
    terminal::leave_interrupts();
    // Before anybody can ask, so that no signal is ever missed.
    let stop = Stop::new()?;
    let source = Source {
        target,
        genesis,
        key,
        amount,
    };
    let rates = Rates {
        per_day: args.per_day,
        per_client: args.per_client,
    };
    let say = Say::new(json);
    let faucet = Faucet::new(source, rates, &memory, say)?;
    until_stopped(faucet, listener, stop, say).await
}

async fn until_stopped(faucet: Faucet, listener: TcpListener, mut stop: Stop, say: Say) -> Result<(), Error> {
    let address = listener.local_addr().map_err(|source| Error::CantListen {
        address: "--listen".into(),
        source,
    })?;
    let (end, ending) = watch::channel(false);
    let mut open = pin!(faucet.open(listener, ending));
    say.tell(&Event::Listening {
        url: format!("http://{address}"),
    });
    tokio::select! {
        () = &mut open => return Ok(()),
        () = stop.asked() => {}
    }
    say.tell(&Event::Stopping);
    end.send_replace(true);
    tokio::select! {
        () = &mut open => {}
        // What is under way then counts as paid.
        () = stop.asked() => {}
        () = sleep(PARTING) => {}
    }
    Ok(())
}

/// Where this network's faucet remembers whom it paid: a local one's in its folder, any other's in the data folder, however its
/// node was named, or an address would be paid once by each memory. By its first block, so that a folder that is used again for
/// another network forgets nothing and confuses nothing.
fn memory_file(is_local: bool, near: Option<&Path>, genesis: Hash) -> Result<PathBuf, Error> {
    let folder = match folder_near(is_local, near) {
        Some(folder) => folder.to_path_buf(),
        None => {
            let folder = files::data_home().ok_or(Error::NoDataHome)?.join("faucets");
            files::make_private_folder(&folder)?;
            folder
        }
    };
    let id = hex::encode(&genesis.0[..8]);
    Ok(folder.join(format!("faucet-{id}.log")))
}

/// The folder that is its network's alone, and the only way to it.
fn folder_near(is_local: bool, near: Option<&Path>) -> Option<&Path> {
    near.filter(|_| is_local)
}

async fn listen(address: SocketAddr) -> Result<TcpListener, Error> {
    TcpListener::bind(address)
        .await
        .map_err(|source| match source.kind() {
            io::ErrorKind::AddrInUse => Error::PortInUse {
                port: address.port(),
                what: "the faucet",
                option: "--listen",
                by: port_holder(address.port()),
            },
            _ => Error::CantListen {
                address: address.to_string(),
                source,
            },
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_with_others_has_one_memory_however_its_node_is_named() {
        let near = Some(Path::new("/network"));
        assert_eq!(folder_near(false, near), None);
        assert_eq!(folder_near(false, None), None);
        assert_eq!(folder_near(true, near), near);
        assert_eq!(folder_near(true, None), None);
    }
}
