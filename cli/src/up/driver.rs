//! Takes this PC from a started node to training, step by step ([`step`]), and goes on looking. Each step looks at the
//! chain first, so that whatever was done before, by whomever, is not done again.
//!
//! It must never pay while it isn't known whether an earlier payment went through.

use hydra_host::terminal;
use hydra_primitives::AccountBytes;
use std::{convert::Infallible, time::Duration};
use tokio::time::{Instant, sleep, timeout};

use super::{
    asides::{Asides, Senders},
    backoff::Backoff,
    event::{Event, Say},
    facts::{self, Look},
    faucet::Faucet,
    join,
    news::News,
    step::{self, Engine, Facts, Step, Wanted},
};
use crate::{
    accounts, amount,
    browser::Browser,
    chain::{Block, Chain},
    error::Error,
    home::Home,
    keys::key::Key,
    proof::Identity,
    qr,
    report::pace::Pace,
    room::Room,
    trainer::Trainer,
};

/// How often everything is looked at where no block comes: a node that starts or syncs has no event for its progress.
const TICK: Duration = Duration::from_secs(1);
/// The same where blocks come.
const BLOCK_TICK: Duration = Duration::from_secs(15);
/// How often progress of the sync is said.
const SYNC_NEWS: Duration = Duration::from_secs(10);
/// A node that doesn't answer this long is worth a word; before, it starts.
const SILENCE: Duration = Duration::from_secs(90);
/// How long to wait after a transaction that failed: each try costs a fee.
const FIRST_RETRY: Duration = Duration::from_secs(60);
const LONGEST_RETRY: Duration = Duration::from_secs(3_600);

/// Drives one PC.
pub struct Driver<'a> {
    home: &'a Home,
    room: Room,
    say: Say,
    browser: Browser,
    shown: bool,
    stake: u128,
    faucet: Option<Faucet>,
    bonded: bool,
    told: Option<Step>,
    synced_news: Option<Instant>,
    behind_since: Option<Instant>,
    pace: Pace,
    asides: Asides,
    senders: Senders,
    problem: Option<String>,
    news: News,
}

/// A PC that is connected to its node.
struct Connection {
    chain: Chain,
    trainer: Trainer,
    account: AccountBytes,
    key: Key,
    identity: Identity,
    peer_id: Vec<u8>,
    wanted: Wanted,
}

impl<'a> Driver<'a> {
    /// `room` is what this PC takes on; `stake` is what the owner wants to have at stake; `faucet` is asked for what is missing;
    /// `browser` is where the dashboard is shown.
    pub fn new(
        home: &'a Home,
        room: Room,
        stake: u128,
        faucet: Option<Faucet>,
        say: Say,
        browser: Browser,
    ) -> Self {
        Self {
            home,
            room,
            say,
            browser,
            shown: false,
            stake,
            faucet,
            bonded: home.joined.bonded,
            told: None,
            synced_news: None,
            behind_since: None,
            pace: Pace::default(),
            asides: Asides::default(),
            senders: Senders::default(),
            problem: None,
            news: News::default(),
        }
    }

    /// Goes on until it is dropped, whatever becomes of the node.
    pub async fn drive(&mut self) -> Result<Infallible, Error> {
        let mut silent_since = Instant::now();
        let mut retry = Backoff::new(FIRST_RETRY, LONGEST_RETRY);
        loop {
            let (error, was_connected) = self.follow(&mut retry).await;
            if was_connected {
                silent_since = Instant::now();
            }
            match error {
                // It starts, or was stopped and is started again: whoever keeps it says so.
                Error::NodeUnreachable { .. } | Error::NodeLost { .. } | Error::NotANode { .. } => {
                    if silent_since.elapsed() >= SILENCE {
                        self.complain(error.to_string());
                    }
                    sleep(TICK).await;
                }
                // About this PC's own files: nothing will change by waiting.
                Error::BadKey { .. } | Error::File { .. } | Error::NoSender(_) => return Err(error),
                error if is_about_money(&error) => {
                    self.complain(error.to_string());
                    self.told = None;
                    sleep(retry.after(Duration::ZERO)).await;
                }
                error => {
                    self.complain(error.to_string());
                    sleep(TICK * 5).await;
                }
            }
        }
    }

    /// Says what is wrong, once.
    fn complain(&mut self, reason: String) {
        if self.problem.as_ref() != Some(&reason) {
            self.say.tell(&Event::Problem {
                reason: reason.clone(),
            });
            self.problem = Some(reason);
        }
    }

    /// Connects, and does one step after the other until something fails. Returns that, and whether there was a connection.
    async fn follow(&mut self, retry: &mut Backoff) -> (Error, bool) {
        let connection = match self.connect().await {
            Ok(connection) => connection,
            Err(error) => return (error, false),
        };
        match self.steps(connection, retry).await {
            Ok(never) => match never {},
            Err(error) => (error, true),
        }
    }

    async fn connect(&self) -> Result<Connection, Error> {
        let chain = Chain::connect(&self.home.pc.node.rpc_url).await?;
        let account = chain.counting(&self.home.accounts()?).await?;
        let account = account.ok_or_else(|| Error::NoSender(self.home.path.clone()))?;
        let key = self.home.key(&account)?;
        let trainer = &self.home.pc.trainer;
        let identity = Identity::read(&trainer.key_file)?;
        let minimum = chain.least_stake(chain.best().await?.hash).await?;
        let wanted = Wanted {
            train: self.home.joined.train,
            stake: self.stake,
            minimum,
            bonded: self.bonded,
            validator: self.home.joined.validator,
            // Only what its owner chose is said anew.
            room: self.home.joined.chooses_room().then_some(self.room),
        };
        self.home.update(|network| network.ready = true)?;
        Ok(Connection {
            trainer: Trainer::with_token_file(trainer.http_port, &trainer.token_file)?,
            chain,
            account,
            key,
            peer_id: identity.peer_id().to_bytes(),
            identity,
            wanted,
        })
    }

    async fn steps(&mut self, mut pc: Connection, retry: &mut Backoff) -> Result<Infallible, Error> {
        let mut heads = pc.chain.new_heads().await?;
        loop {
            let look = facts::look(&pc.chain, &pc.trainer, &pc.account, &pc.peer_id).await?;
            let Look { facts, at, .. } = &look;
            let step = step::next(facts, &pc.wanted);
            self.show(facts);
            self.tell_beside(&step, &look, &pc).await?;
            self.tell(&step, facts, &pc);
            self.act(&step, *at, &mut pc, retry).await?;
            let patience = match step {
                Step::Sync | Step::Engine | Step::Unable(_) => TICK,
                // The next block wakes it.
                _ => BLOCK_TICK,
            };
            match timeout(patience, heads.next()).await {
                Ok(Some(Ok(_))) | Err(_) => {}
                Ok(_) => {
                    return Err(Error::NodeLost {
                        url: pc.chain.url().into(),
                        reason: "it closed the connection".into(),
                    });
                }
            }
        }
    }

    /// Shows the dashboard once, as soon as the trainer serves it: whoever waits for something can watch it there.
    fn show(&mut self, facts: &Facts) {
        if self.shown || facts.engine == Engine::Away {
            return;
        }
        self.shown = true;
        let url = format!("{}/", self.home.pc.trainer.http_url);
        self.say.tell(&Event::Dashboard { url: url.clone() });
        self.browser.open(&url);
    }

    /// Says what is to be said beside the steps, and before the next one.
    async fn tell_beside(&mut self, step: &Step, look: &Look, pc: &Connection) -> Result<(), Error> {
        let Look { facts, at, .. } = look;
        if let Some(event) = self.asides.clock(look.clock_ms) {
            self.say.tell(&event);
        }
        if let Some(event) =
            self.asides
                .reach(look.trainer.as_ref(), self.home.pc.node.p2p_port, Instant::now())
        {
            self.say.tell(&event);
        }
        if *step == Step::Sync {
            self.pace.note(Instant::now(), facts.best);
            return Ok(());
        }
        if matches!(self.told, None | Some(Step::Sync)) {
            let registered = pc.chain.electorate(at.hash).await?.registered;
            self.say.tell(&Event::Synced {
                block: facts.best,
                peers: facts.peers,
                registered: usize::try_from(registered).unwrap_or(usize::MAX),
                seconds: self.behind_since.take().map(|since| since.elapsed().as_secs()),
            });
        }
        // What is confirmed is known only by who knows the newest blocks.
        for event in self.asides.models(&pc.chain, *at, look.trainer.as_ref()).await {
            self.say.tell(&event);
        }
        let waits = |step: &Step| matches!(step, Step::Coins { .. });
        if waits(step) || self.told.as_ref().is_some_and(waits) {
            let spendable = facts.account.spendable;
            self.senders.look(&pc.chain, &pc.account, *at, spendable).await;
        }
        Ok(())
    }

    /// Says what changed.
    fn tell(&mut self, step: &Step, facts: &Facts, pc: &Connection) {
        let news_is_due = self.synced_news.is_none_or(|last| last.elapsed() >= SYNC_NEWS);
        if self.told.as_ref() == Some(step) && !(*step == Step::Sync && news_is_due) {
            return;
        }
        if matches!(self.told, Some(Step::Coins { .. })) && matches!(step, Step::Register(_) | Step::Bond(_))
        {
            self.say.tell(&Event::CoinsCame {
                spendable: amount::exact(facts.account.spendable),
                from: self.senders.take(),
            });
        }
        if matches!(self.told, Some(Step::Engine | Step::Unable(_)))
            && !matches!(step, Step::Sync | Step::Engine | Step::Unable(_))
        {
            self.say.tell(&Event::EngineReady);
        }
        let address = || accounts::address(&pc.account);
        let event = match step {
            Step::Sync => {
                let now = Instant::now();
                self.synced_news = Some(now);
                self.behind_since.get_or_insert(now);
                Some(Event::Syncing {
                    block: facts.best,
                    target: facts.target,
                    peers: facts.peers,
                    seconds_left: self.pace.left(facts.target).map(|left| left.as_secs()),
                })
            }
            Step::Engine => Some(Event::EngineStarting),
            Step::Unable(reason) => Some(Event::EngineFailed {
                reason: reason.clone(),
            }),
            Step::Watch => Some(Event::Watching),
            Step::Elsewhere => Some(Event::Elsewhere { address: address() }),
            Step::Coins { missing, needed } => Some(Event::WaitingForCoins {
                qr: terminal::stderr_is_styled().then(|| qr::draw(&address(), false)),
                address: address(),
                spendable: amount::exact(facts.account.spendable),
                needed: amount::exact(*needed),
                missing: amount::exact(*missing),
            }),
            Step::StakeShrank => Some(Event::StakeShrank {
                stake: amount::exact(facts.account.stake),
            }),
            Step::Rest(presence) => Some(Event::Resting {
                presence: presence.word(),
                out_until: presence.out_until(),
                reason: presence.words(),
                trainer: self.home.pc.trainer.http_url.clone(),
            }),
            Step::Train => Some(Event::Training {
                trainer: self.home.pc.trainer.http_url.clone(),
            }),
            Step::Register(_) | Step::Bond(_) | Step::Room(_) => None,
        };
        if let Some(event) = event {
            self.say.tell(&event);
        }
        self.told = Some(step.clone());
    }

    /// Does what is to be done now.
    async fn act(
        &mut self,
        step: &Step,
        at: Block,
        pc: &mut Connection,
        retry: &mut Backoff,
    ) -> Result<(), Error> {
        if let Some(faucet) = &mut self.faucet {
            match step {
                Step::Coins { .. } => faucet.ask(&pc.account),
                _ => faucet.rest(),
            }
        }
        match step {
            Step::Register(bond) => {
                let (bond, amount) = (*bond, amount::exact(*bond));
                self.say.tell(&Event::Registering {
                    amount: amount.clone(),
                });
                let sent = join::register(&pc.chain, &pc.key, &pc.identity, self.room, bond, at).await?;
                retry.reset();
                if let Some((sent, work)) = sent {
                    self.say.tell(&Event::Registered {
                        block: sent.block.number,
                        amount,
                        work_seconds: work.as_secs_f64(),
                    });
                }
            }
            Step::Room(room) => {
                let sent = join::set_room(&pc.chain, &pc.key, *room, at).await?;
                retry.reset();
                if let Some(sent) = sent {
                    self.say.tell(&Event::RoomChanged {
                        block: sent.block.number,
                        size_class: room.size_class,
                        room: room.tasks,
                    });
                }
            }
            Step::Bond(amount) => {
                let amount = *amount;
                self.say.tell(&Event::Bonding {
                    amount: amount::exact(amount),
                });
                let sent = join::bond(&pc.chain, &pc.key, amount, at).await?;
                retry.reset();
                if let Some(sent) = sent {
                    self.say.tell(&Event::Bonded {
                        block: sent.block.number,
                        amount: amount::exact(amount),
                    });
                }
            }
            Step::Train | Step::Rest(_) => {
                if !pc.wanted.bonded {
                    self.home.update(|network| {
                        if let Some(joined) = &mut network.joined {
                            joined.bonded = true;
                        }
                    })?;
                    (self.bonded, pc.wanted.bonded) = (true, true);
                }
                for event in self.news.look(&pc.chain, at, &pc.account).await? {
                    self.say.tell(&event);
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// Whether trying again at once might cost something.
fn is_about_money(error: &Error) -> bool {
    matches!(
        error,
        Error::TransactionRefused(_)
            | Error::TransactionFailed(_)
            | Error::PaymentUnclear(_)
            | Error::TooPoor { .. }
    )
}
