//! What accounts do after a block: each is told what it owes and what it can know, as an off-chain worker tells its trainer, and what it
//! gives goes to the pool. Whoever has sent something sends nothing else until it is in a block or has expired, as in decision 003, unless
//! its strategy has a program of its own.

use hydra_runtime::{AccountId, Balance, RuntimeCall, System};

use super::{Flight, Simulation};
use crate::{
    duty::{Duty, Kind},
    pool::Transaction,
    protocol::{self, Form, Owed, Sheet},
    strategy::Desk,
    symbol::Answer,
};

impl Simulation {
    /// Lets everyone act who may owe something, on the newest block.
    pub(super) fn act(&mut self) {
        let (chain, watch) = (&mut self.chain, &mut self.watch);
        let (stage, sheets) = chain.read(|| (watch.stage(), watch.sheets()));
        self.stage = stage;
        self.foreseen.clear();
        let mut held = Vec::new();
        for mut sheet in sheets {
            held.extend(self.hold_back(&mut sheet));
            self.answer(sheet);
        }
        for index in self.senders.clone() {
            self.send_extras(index);
        }
        if !held.is_empty() {
            self.claim_or_wait(held);
        }
    }

    /// Whether the account waits for something of it that is in flight.
    fn is_locked(&mut self, index: usize) -> bool {
        let now = self.chain.number();
        let Some(account) = self.accounts.get(index) else {
            return true;
        };
        match &account.flight {
            Some(flight) if account.strategy.waits() && now < flight.expires => {
                let nonce = self.chain.read(|| System::account_nonce(&account.id));
                flight.nonce >= nonce
            }
            _ => false,
        }
    }

    pub(super) fn answer(&mut self, sheet: Sheet) {
        let Some(index) = self.index_of(&sheet.who) else {
            return;
        };
        if self.is_locked(index) {
            return;
        }
        let mut given = Vec::new();
        for owed in sheet.owed {
            let duty = self.informed(index, &owed);
            let (block, branch, stage) = (self.chain.number(), self.chain.branch(), self.stage);
            let Some(account) = self.accounts.get_mut(index) else {
                return;
            };
            let mut desk = Desk {
                block,
                branch,
                stage,
                under_way: 0,
                done: &mut account.done,
            };
            if let Some(answer) = account.strategy.answer(&duty, &mut desk) {
                given.push((owed, answer));
            }
        }
        let given = self.due(index, &sheet.who, given);
        let looks = self.looks(index);
        // What is refused must not take along what isn't.
        let (rash, sound): (Vec<_>, Vec<_>) = given
            .into_iter()
            .partition(|(owed, _)| !looks && owed.duty.kind == Kind::Open);
        for one in rash {
            self.submit_rashly(index, &sheet.who, one);
        }
        if !sound.is_empty() {
            self.submit(index, &sheet.who, sound);
        }
    }

    /// Sends a plain copy whether it decides or not, by itself, so that each is refused for what it is.
    fn submit_rashly(&mut self, index: usize, who: &AccountId, given: (Owed, Answer)) {
        let in_turn = self.chain.read(|| given.0.is_due(who));
        let taken = self.submit(index, who, vec![given]);
        let rash = &mut self.ledger.rash;
        rash.sent += 1;
        rash.in_turn += u32::from(in_turn);
        rash.taken += u32::from(taken);
    }

    /// Whether the account shows plain copies only when they decide.
    fn looks(&self, index: usize) -> bool {
        let account = self.accounts.get(index);
        account.is_some_and(|account| account.strategy.looks())
    }

    /// What is owed, and all that the account can know of it.
    fn informed(&self, index: usize, owed: &Owed) -> Duty {
        let mut duty = owed.duty;
        if let Form::Claim { key, .. } = owed.form {
            duty.seats = self
                .foreseen
                .get(&(key.model, key.place))
                .copied()
                .unwrap_or_default();
        }
        let Some(poll) = owed.poll() else {
            return duty;
        };
        let strategy = |index: usize| self.accounts.get(index).map(|account| &account.strategy);
        duty.shown = self.shown.get(&poll).copied();
        duty.told = owed
            .claimant()
            .and_then(|claimant| self.index_of(&claimant.into()))
            .and_then(strategy)
            .and_then(|claimant| claimant.tells());
        if let Some(own) = strategy(index).filter(|own| own.conspires()) {
            let alike = |who: &AccountId| {
                let other = self.index_of(who).and_then(strategy);
                other.is_some_and(|other| other.name() == own.name())
            };
            let seats = self.watch.seats(&poll).filter(|(who, _)| alike(who));
            duty.seats[1] = seats.map(|(_, seats)| seats).sum();
        }
        duty
    }

    /// Of what an account would give, what it may give now, and what decides something where that matters.
    fn due(&mut self, index: usize, who: &AccountId, given: Vec<(Owed, Answer)>) -> Vec<(Owed, Answer)> {
        if given.is_empty() {
            return given;
        }
        let looks = self.looks(index);
        let (chain, watch) = (&mut self.chain, &mut self.watch);
        chain.read(|| {
            let mut is_due = |owed: &Owed, answer: Answer| match owed.form {
                Form::Open { .. } if !looks => true,
                // What costs least comes first: that a copy decides is known for all who would show it.
                Form::Open { poll, .. } => watch.is_decided_by(&poll, who, answer) && owed.is_due(who),
                Form::Heartbeat(_) => {
                    let is_due = owed.is_due(who);
                    if !is_due {
                        watch.owes_no_heartbeat(who);
                    }
                    is_due
                }
                Form::Claim { .. } | Form::Digest { .. } => true,
            };
            let given = given.into_iter();
            given.filter(|(owed, answer)| is_due(owed, *answer)).collect()
        })
    }

    /// Sends all that an account gives, in one transaction; whether the pool took it.
    fn submit(&mut self, index: usize, who: &AccountId, given: Vec<(Owed, Answer)>) -> bool {
        let now = self.chain.number();
        let copies: Vec<_> = given
            .iter()
            .filter(|(owed, _)| owed.duty.kind == Kind::Open)
            .filter_map(|(owed, answer)| Some((owed.poll()?, *answer)))
            .collect();
        let (nonce, results) = self
            .chain
            .read(|| (System::account_nonce(who), protocol::submission(who, given)));
        if !self.send(who, protocol::submit(results), 0) {
            return false;
        }
        self.shown.extend(copies);
        if let Some(account) = self.accounts.get_mut(index) {
            account.flight = Some(Flight {
                nonce,
                expires: now + protocol::IN_FLIGHT,
            });
        }
        true
    }

    fn send_extras(&mut self, index: usize) {
        let (block, branch, stage) = (self.chain.number(), self.chain.branch(), self.stage);
        let who = self.id(index);
        let under_way = self.pool.of(&who);
        let Some(account) = self.accounts.get_mut(index) else {
            return;
        };
        let desk = Desk {
            block,
            branch,
            stage,
            under_way,
            done: &mut account.done,
        };
        for extra in account.strategy.extras(&desk) {
            self.send(&who, protocol::extra(&who, extra), protocol::tip(extra));
        }
    }

    /// Hands a transaction to the pool; one that no block would take is refused.
    fn send(&mut self, who: &AccountId, call: RuntimeCall, tip: Balance) -> bool {
        let now = self.chain.number();
        let Ok(priority) = self.chain.priority(who, &call, tip) else {
            return false;
        };
        self.pool.add(Transaction {
            who: who.clone(),
            call,
            tip,
            priority,
            arrives_at: now + 1,
            dies_at: now + protocol::IN_FLIGHT,
        });
        true
    }
}
