//! What `hydra up` does next, from what it sees. Nothing is remembered but what the chain says and what the owner wants, so
//! that a program that is killed anywhere goes on from there.
//!
//! It must never lead to a second registration or bond while the first is in the chain, nor end a pause by itself.

use hydra_primitives::{Balance, HYDRA};

use crate::{report::presence::Presence, room::Room};

/// Asked for beside the stake: fees for years, and what an account must keep.
pub const FEES: Balance = HYDRA / 5;
/// Enough for the fees of joining: less than was asked for, because some of that may be spent by then.
pub const ENOUGH_FEES: Balance = HYDRA / 20;

/// What there is to see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Whether the node is catching up.
    pub syncing: bool,
    /// To how many others it is connected.
    pub peers: usize,
    /// Its newest block.
    pub best: u64,
    /// The highest block it has heard of.
    pub target: u64,
    /// The trainer's engine.
    pub engine: Engine,
    /// The account.
    pub account: Account,
}

/// How the trainer's engine is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Engine {
    /// The trainer doesn't answer.
    Away,
    /// It tests itself.
    Starting,
    /// It can't be used, with the reason.
    Failed(String),
    /// It can train.
    Ready,
}

/// What the chain says of the account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// What it can spend.
    pub spendable: Balance,
    /// Whether it is registered.
    pub registered: bool,
    /// Whether it is registered with another trainer than this PC's.
    pub elsewhere: bool,
    /// What it has at stake.
    pub stake: Balance,
    /// Whether it takes part, and if not, why.
    pub presence: Presence,
    /// What it says that it takes on.
    pub room: Option<Room>,
}

/// What the owner wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// To take part, not only to look on.
    pub train: bool,
    /// To have so much at stake.
    pub stake: Balance,
    /// The least stake that takes part.
    pub minimum: Balance,
    /// That this was at stake once.
    pub bonded: bool,
    /// To make blocks, alone if need be.
    pub validator: bool,
    /// To take on so much, if the owner chose that.
    pub room: Option<Room>,
}

/// What is to be done, or waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Wait for the blocks of the others.
    Sync,
    /// Wait for the trainer.
    Engine,
    /// The engine can't be used: wait until it is repaired.
    Unable(String),
    /// Only look on.
    Watch,
    /// The account is registered for another PC: wait until its owner decides.
    Elsewhere,
    /// Wait for so much.
    Coins {
        /// What is still to come.
        missing: Balance,
        /// How much that makes in all.
        needed: Balance,
    },
    /// Register, and bond so much in the same transaction.
    Register(Balance),
    /// Bond so much more.
    Bond(Balance),
    /// Too little of a stake that was there is left: wait until its owner decides.
    StakeShrank,
    /// Say that it takes on so much.
    Room(Room),
    /// Everything is done, and the account isn't drawn for anything now, for this reason.
    Rest(Presence),
    /// Everything is done: train.
    Train,
}

/// What is next.
pub fn next(facts: &Facts, wanted: &Wanted) -> Step {
    if !is_synced(facts, wanted) {
        return Step::Sync;
    }
    match &facts.engine {
        Engine::Away | Engine::Starting => return Step::Engine,
        Engine::Failed(reason) => return Step::Unable(reason.clone()),
        Engine::Ready => {}
    }
    if !wanted.train {
        return Step::Watch;
    }
    let account = &facts.account;
    if account.registered && account.elsewhere {
        return Step::Elsewhere;
    }
    let lacking = match (account.stake, wanted.bonded) {
        // A PC that loses its stake, for whatever reason, must not pay again and again.
        (stake, true) if stake < wanted.minimum => return Step::StakeShrank,
        (_, true) => 0,
        (stake, false) => wanted.stake.max(wanted.minimum).saturating_sub(stake),
    };
    if account.registered && lacking == 0 {
        let room = wanted.room.filter(|room| account.room != Some(*room));
        return match (room, account.presence) {
            // Whoever can't pay the fee goes on with what is said already.
            (Some(room), _) if account.spendable >= ENOUGH_FEES => Step::Room(room),
            (_, Presence::In) => Step::Train,
            (_, presence) => Step::Rest(presence),
        };
    }
    if account.spendable < lacking.saturating_add(ENOUGH_FEES) {
        let needed = lacking.saturating_add(FEES);
        return Step::Coins {
            missing: needed.saturating_sub(account.spendable),
            needed,
        };
    }
    if account.registered {
        Step::Bond(lacking)
    } else {
        Step::Register(lacking)
    }
}

/// Whether the node knows the chain as it is now. Who makes blocks may be the only one there is.
fn is_synced(facts: &Facts, wanted: &Wanted) -> bool {
    /// So far may it be behind, since blocks come while it is asked.
    const NEARLY: u64 = 3;
    let alone = wanted.validator && facts.peers == 0;
    !facts.syncing && (alone || facts.peers > 0 && facts.best > 0 && facts.best + NEARLY >= facts.target)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> Facts {
        Facts {
            syncing: false,
            peers: 2,
            best: 100,
            target: 101,
            engine: Engine::Ready,
            account: Account::default(),
        }
    }

    fn wanted() -> Wanted {
        Wanted {
            train: true,
            stake: 2 * HYDRA,
            minimum: HYDRA,
            bonded: false,
            validator: false,
            room: None,
        }
    }

    fn with(account: Account) -> Facts {
        Facts { account, ..facts() }
    }

    #[test]
    fn a_new_account_goes_from_coins_to_one_payment_to_its_first_session_to_training() {
        let mut account = Account::default();
        let step = |account: &Account| next(&with(*account), &wanted());
        let needed = 2 * HYDRA + FEES;
        let missing = needed;
        assert_eq!(step(&account), Step::Coins { missing, needed });
        account.spendable = HYDRA;
        let missing = needed - HYDRA;
        assert_eq!(step(&account), Step::Coins { missing, needed });
        // What was asked for came, less what an account must keep.
        account.spendable = needed - HYDRA / 1_000;
        assert_eq!(step(&account), Step::Register(2 * HYDRA));
        (account.registered, account.stake) = (true, 2 * HYDRA);
        account.spendable = 0;
        account.presence = Presence::Joining;
        assert_eq!(step(&account), Step::Rest(Presence::Joining));
        account.presence = Presence::In;
        assert_eq!(step(&account), Step::Train);
    }

    #[test]
    fn a_member_of_genesis_trains_at_once() {
        let account = Account {
            registered: true,
            stake: 100 * HYDRA,
            presence: Presence::In,
            ..Account::default()
        };
        assert_eq!(next(&with(account), &wanted()), Step::Train);
    }

    #[test]
    fn more_stake_is_bonded_when_it_is_wanted_and_never_by_itself_after_it_shrank() {
        let account = Account {
            registered: true,
            stake: HYDRA,
            spendable: 10 * HYDRA,
            presence: Presence::In,
            ..Account::default()
        };
        assert_eq!(next(&with(account), &wanted()), Step::Bond(HYDRA));
        let bonded = Wanted {
            bonded: true,
            ..wanted()
        };
        assert_eq!(next(&with(account), &bonded), Step::Train);
        let less = Account {
            stake: HYDRA / 2,
            ..account
        };
        assert_eq!(next(&with(less), &bonded), Step::StakeShrank);
        let too_little_wanted = Wanted { stake: 1, ..wanted() };
        assert_eq!(next(&with(less), &too_little_wanted), Step::Bond(HYDRA / 2));
        // Deregistered after its stake was there: registering would bond again.
        let gone = Account {
            registered: false,
            stake: 0,
            ..account
        };
        assert_eq!(next(&with(gone), &bonded), Step::StakeShrank);
    }

    #[test]
    fn a_pc_that_is_paused_or_out_rests_and_pays_nothing_for_it() {
        for presence in [
            Presence::Paused,
            Presence::Away { from: Some(70) },
            Presence::Silent,
            Presence::Out { until: 9 },
        ] {
            let account = Account {
                registered: true,
                stake: 2 * HYDRA,
                spendable: 100 * HYDRA,
                presence,
                ..Account::default()
            };
            assert_eq!(next(&with(account), &wanted()), Step::Rest(presence));
        }
    }

    #[test]
    fn what_a_pc_takes_on_is_said_anew_only_where_its_owner_chose_something_else() {
        let has = Room {
            size_class: 8,
            tasks: 16,
        };
        let chosen = Room { tasks: 32, ..has };
        let account = Account {
            registered: true,
            stake: 2 * HYDRA,
            spendable: HYDRA,
            presence: Presence::In,
            room: Some(has),
            ..Account::default()
        };
        let wants = |room| Wanted { room, ..wanted() };
        assert_eq!(next(&with(account), &wants(None)), Step::Train);
        assert_eq!(next(&with(account), &wants(Some(has))), Step::Train);
        assert_eq!(next(&with(account), &wants(Some(chosen))), Step::Room(chosen));
        let poor = Account {
            spendable: 0,
            ..account
        };
        assert_eq!(next(&with(poor), &wants(Some(chosen))), Step::Train);
    }

    #[test]
    fn nothing_is_paid_before_the_chain_is_known_and_the_engine_works() {
        let rich = Account {
            spendable: 100 * HYDRA,
            ..Account::default()
        };
        let step = |change: fn(&mut Facts)| {
            let mut facts = with(rich);
            change(&mut facts);
            next(&facts, &wanted())
        };
        assert_eq!(step(|_| ()), Step::Register(2 * HYDRA));
        assert_eq!(step(|facts| facts.syncing = true), Step::Sync);
        assert_eq!(step(|facts| facts.peers = 0), Step::Sync);
        assert_eq!(step(|facts| facts.best = 0), Step::Sync);
        assert_eq!(step(|facts| facts.target = 200), Step::Sync);
        assert_eq!(step(|facts| facts.engine = Engine::Away), Step::Engine);
        assert_eq!(step(|facts| facts.engine = Engine::Starting), Step::Engine);
        let unable = step(|facts| facts.engine = Engine::Failed("old".into()));
        assert_eq!(unable, Step::Unable("old".into()));
    }

    #[test]
    fn whoever_makes_blocks_waits_for_nobody() {
        let alone = Facts {
            peers: 0,
            best: 0,
            ..facts()
        };
        let validator = Wanted {
            validator: true,
            ..wanted()
        };
        assert_ne!(next(&alone, &validator), Step::Sync);
        let behind = Facts {
            target: 200,
            ..facts()
        };
        assert_eq!(next(&behind, &validator), Step::Sync);
    }

    #[test]
    fn who_only_looks_on_pays_nothing() {
        let looks_on = Wanted {
            train: false,
            ..wanted()
        };
        assert_eq!(next(&facts(), &looks_on), Step::Watch);
    }

    #[test]
    fn an_account_that_is_registered_for_another_pc_is_not_used() {
        let account = Account {
            registered: true,
            elsewhere: true,
            stake: 9 * HYDRA,
            spendable: 9 * HYDRA,
            ..Account::default()
        };
        assert_eq!(next(&with(account), &wanted()), Step::Elsewhere);
    }
}
