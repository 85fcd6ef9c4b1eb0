//! The PCs that `hydra demo` started: their processes from the start to the end.

use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until};

use super::{process::Child, programs::Programs, stop::Stop};
use crate::{
    chain::Chain,
    error::Error,
    network::{Network, Pc},
    output,
    trainer::Trainer,
};

/// How long a PC may take until it answers.
const START_PATIENCE: Duration = Duration::from_secs(120);
/// How often a starting program is tried: there is no event for "a program begins to listen".
const TRY_EVERY: Duration = Duration::from_millis(100);

/// Which of a PC's programs run already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Runs {
    /// Its node.
    pub node: bool,
    /// Its trainer.
    pub trainer: bool,
}

/// One PC's processes.
pub struct Running {
    /// What it is.
    pub pc: Pc,
    /// Its node, unless that ran already.
    pub node: Option<Child>,
    /// Its trainer, unless that ran already.
    pub trainer: Option<Child>,
}

impl Running {
    /// Starts what doesn't run.
    pub fn start(pc: &Pc, runs: Runs, network: &Network, programs: &Programs) -> Result<Self, Error> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let trainer = || {
            Child::start(
                format!("{}'s trainer", pc.title()),
                &programs.trainer,
                pc.trainer_arguments(network, &programs.datasets, cores),
                &pc.trainer.log,
            )
        };
        let node = || {
            Child::start(
                format!("{}'s node", pc.title()),
                &programs.node,
                pc.node_arguments(network),
                &pc.node.log,
            )
        };
        Ok(Self {
            pc: pc.clone(),
            trainer: (!runs.trainer).then(trainer).transpose()?,
            node: (!runs.node).then(node).transpose()?,
        })
    }

    /// What was started.
    pub fn children(&self) -> impl Iterator<Item = &Child> {
        [&self.node, &self.trainer].into_iter().flatten()
    }

    /// Waits until node and trainer answer; an engine that fails is reported, for the node runs all the same.
    async fn ready(&self) -> Result<(), Error> {
        let deadline = Instant::now() + START_PATIENCE;
        let node = async {
            let Some(node) = &self.node else { return Ok(()) };
            answering(node, deadline, async || {
                Chain::connect(&self.pc.node.rpc_url).await.ok().map(drop)
            })
            .await
        };
        let engine = async {
            let Some(trainer) = &self.trainer else {
                return Ok(None);
            };
            let status = answering(trainer, deadline, async || {
                Trainer::new(self.pc.trainer.http_port, None)
                    .ok()?
                    .status()
                    .await
                    .ok()
                    .filter(|status| status.engine.state != "starting")
            });
            Ok(Some((trainer, status.await?)))
        };
        let ((), engine) = futures::future::try_join(node, engine).await?;
        if let Some((trainer, status)) = engine
            && status.engine.state != "ready"
        {
            output::note(&format!(
                "{} can't train ({}); its log is {}",
                trainer.who(),
                status.engine.reason.as_deref().unwrap_or(&status.engine.state),
                trainer.log().display()
            ));
        }
        Ok(())
    }
}

/// Asks again and again until there is an answer, the program ends, or patience does.
async fn answering<T>(
    child: &Child,
    deadline: Instant,
    ask: impl AsyncFn() -> Option<T>,
) -> Result<T, Error> {
    let answer = async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            sleep(TRY_EVERY).await;
        }
    };
    tokio::select! {
        answer = answer => Ok(answer),
        exit = child.wait() => Err(Error::DiedAtStart {
            who: child.who().into(),
            exit: exit.to_string(),
            log: child.log().into(),
            tail: child.tail(),
        }),
        () = sleep_until(deadline) => Err(Error::NotReady {
            who: child.who().into(),
            seconds: START_PATIENCE.as_secs(),
            log: child.log().into(),
            tail: child.tail(),
        }),
    }
}

/// Waits until every one of them answers.
pub async fn wait_until_ready(pcs: &[Running]) -> Result<(), Error> {
    futures::future::try_join_all(pcs.iter().map(Running::ready))
        .await
        .map(drop)
}

/// Waits until a child ends whose end was not reported yet.
pub async fn another_death(pcs: &[Running], reported: &[bool]) {
    let waits: Vec<_> = pcs
        .iter()
        .flat_map(Running::children)
        .zip(reported)
        .filter(|(_, reported)| !**reported)
        .map(|(child, _)| Box::pin(child.wait()))
        .collect();
    if waits.is_empty() {
        std::future::pending::<()>().await;
    }
    futures::future::select_all(waits).await;
}

/// Stops everything in order; asked again meanwhile, kills it.
pub async fn stop_all(pcs: &[Running], stop: &mut Stop) {
    if pcs
        .iter()
        .flat_map(Running::children)
        .any(|child| child.ended().is_none())
    {
        output::note("stopping …");
    }
    let all = futures::future::join_all(pcs.iter().flat_map(Running::children).map(Child::stop));
    tokio::select! {
        _ = all => {}
        // Dropping the children kills them.
        () = stop.asked() => {}
    }
}

/// Their names, for a sentence.
pub fn describe(pcs: &[Running]) -> String {
    let names: Vec<String> = pcs.iter().map(|pc| pc.pc.title()).collect();
    match names.as_slice() {
        [name] => format!("{name} is"),
        names => format!("{} are", names.join(", ")),
    }
}
