//! What those who play against the rules do with the blocks that they make: how often one of them makes a block is their share of the
//! nodes. Who makes a block knows what the next one draws by, and those who play alike know each other's blocks.

use hydra_primitives::{ModelId, poll::PollId};
use hydra_runtime::{AccountId, Balance, BlockNumber, RuntimeCall};

use super::{MOST_WITHHELD, Simulation};
use crate::{
    chain::Block,
    dice,
    duty::Kind,
    pool::Transaction,
    protocol::{self, Sheet},
    symbol::{Answer, Symbol},
};

/// What an author leaves out of its block.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Censors {
    /// Nothing.
    Nothing,
    /// All that those owe who don't play alike.
    Duties,
    /// What they give where a lie of its own might win.
    Contradictions,
}

impl Simulation {
    /// Whether the block of this number is made by one of so large a share of all nodes.
    fn makes(&self, share: f64, number: BlockNumber, attempt: u32) -> bool {
        let numbers = [self.chain.branch(), number, attempt];
        share > 0.0 && dice::happens(share, self.seed, "author", &numbers)
    }

    /// What is left out of the block that was begun.
    pub(super) fn censors(&self, attempt: u32) -> Censors {
        let number = self.chain.number();
        if self.makes(self.censoring, number, attempt) {
            Censors::Duties
        } else if self.makes(self.holding_back, number, attempt) {
            Censors::Contradictions
        } else {
            Censors::Nothing
        }
    }

    /// Whether an author would leave this out.
    pub(super) fn is_left_out(&self, transaction: &Transaction, censors: Censors) -> bool {
        let Transaction { who, call, .. } = transaction;
        match censors {
            Censors::Nothing => false,
            Censors::Duties => {
                protocol::is_submission(call) && !self.plays(who, |strategy| strategy.censors())
            }
            Censors::Contradictions => {
                let mut polls = protocol::polls_of(call).into_iter();
                polls.any(|poll| self.might_lie(&poll)) && !self.holds_back(who)
            }
        }
    }

    /// Whether a poll is about a lie, and those who told it have more than half of its seats.
    fn might_lie(&self, poll: &PollId) -> bool {
        let Some((seats, Some(Symbol::CONSPIRACY))) = self.watch.contested(poll) else {
            return false;
        };
        let own = self.watch.seats(poll).filter(|(who, _)| self.holds_back(who));
        own.map(|(_, seats)| seats).sum::<u32>() * 2 > seats
    }

    /// Whether whoever's randomness this block draws by would rather have left its slot empty: with luck the next author's draws
    /// more seats for those who play alike.
    pub(super) fn is_withheld(&mut self, attempt: u32, block: &Block) -> bool {
        if attempt >= MOST_WITHHELD || !self.makes(self.withholding, block.number, attempt) {
            return false;
        }
        let (mut own, mut all) = (0, 0);
        for (who, seats) in self.chain.read(|| protocol::drawn(&block.events)) {
            all += seats;
            if self.plays(&who, |strategy| strategy.withholds()) {
                own += seats;
            }
        }
        f64::from(own) < self.withholding * f64::from(all)
    }

    fn holds_back(&self, who: &AccountId) -> bool {
        self.plays(who, |strategy| strategy.holds_back())
    }

    /// Takes the claims out of what an account owes, if it holds them back.
    pub(super) fn hold_back(&self, sheet: &mut Sheet) -> Option<Sheet> {
        if self.holding_back == 0.0 || !self.holds_back(&sheet.who) {
            return None;
        }
        let owed = std::mem::take(&mut sheet.owed).into_iter();
        let (claims, others): (Vec<_>, _) = owed.partition(|owed| owed.duty.kind == Kind::Task);
        sheet.owed = others;
        (!claims.is_empty()).then(|| Sheet {
            who: sheet.who.clone(),
            owed: claims,
        })
    }

    /// The claims that were held back go into the next block if it is one of theirs and draws more than half of the seats of one of them
    /// from those who play alike; and if it is the last of theirs that is sure to take them, or none is left, since who claims nothing misses
    /// a duty.
    pub(super) fn claim_or_wait(&mut self, held: Vec<Sheet>) {
        let next = self.chain.number() + 1;
        if self.makes(self.holding_back, next, 0) {
            self.foresee(&held);
        }
        for Sheet { who, mut owed } in held {
            owed.retain(|owed| {
                let model = owed.duty.model;
                self.draws_well(model) || !self.has_a_block(model, next + 1)
            });
            if !owed.is_empty() {
                self.answer(Sheet { who, owed });
            }
        }
    }

    fn draws_well(&self, model: ModelId) -> bool {
        let mut foreseen = self.foreseen.iter();
        foreseen.any(|((of, _), [seats, own])| *of == model && own * 2 > *seats)
    }

    /// Whether those who hold claims back make a block from this one on that takes claims for sure.
    fn has_a_block(&mut self, model: ModelId, from: BlockNumber) -> bool {
        let until = self.chain.read(|| protocol::claims_until(model));
        (from..=until).any(|number| self.makes(self.holding_back, number, 0))
    }

    /// What the next block but one would draw if the next one had all that is under way and these claims. The author of the next one knows
    /// its randomness, and has the chain's own rules.
    fn foresee(&mut self, held: &[Sheet]) {
        let number = self.chain.number() + 1;
        let seen = self.pool.seen(number).into_iter();
        let mut calls: Vec<(AccountId, RuntimeCall, Balance)> =
            seen.map(|one| (one.who, one.call, one.tip)).collect();
        calls.extend(held.iter().map(|sheet| {
            // What they claim is in no seed.
            let given = sheet.owed.iter().map(|owed| (owed.clone(), Answer::RIGHT));
            let results = protocol::submission(&sheet.who, given.collect());
            (sheet.who.clone(), protocol::submit(results), 0)
        }));
        let draws = self.chain.rehearse(|chain| {
            chain.begin(0);
            for (who, call, tip) in calls {
                chain.apply(&who, call, tip);
            }
            let block = chain.end();
            chain.follow(&block);
            chain.begin(0);
            let block = chain.end();
            chain.read(|| protocol::drawn_on_claims(&block.events))
        });
        for draw in draws {
            let own = draw.accounts.iter().filter(|(who, _)| self.holds_back(who));
            let own = own.map(|(_, seats)| seats).sum();
            self.foreseen.insert((draw.model, draw.place), [draw.seats, own]);
        }
    }
}
