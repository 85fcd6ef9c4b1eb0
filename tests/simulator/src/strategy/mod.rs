//! How accounts play. A strategy sees what its account owes and what is public, and says what it gives, when, and what else it
//! sends. Nothing here is of one version of the protocol: what an answer becomes on chain is for `protocol` to say.

mod absent;
mod censoring;
mod coalition;
mod forging;
mod honest;
mod lazy;
mod silent;
mod spamming;

pub use absent::{Late, Offline, Overcommitted, Sometimes};
pub use censoring::Censoring;
pub use coalition::Coalition;
pub use forging::{Equivocating, Forging, Lying, Misfolding, OpeningFalsely};
pub use honest::{Honest, Telling};
pub use lazy::{Lazy, Listening, Trusting, Watching};
pub use silent::{Abstaining, Silent};
pub use spamming::Spamming;

use hydra_runtime::{Balance, BlockNumber};

use crate::{
    duty::{Duty, Kind, Stage},
    symbol::{Answer, Symbol},
};

/// What an account knows and has when it answers.
pub struct Desk<'a> {
    /// The newest block.
    pub block: BlockNumber,
    /// Which branch of the chain this is: it grows with each reorganisation.
    pub branch: u32,
    /// What the network waits for in the first model.
    pub stage: Stage,
    /// How many transactions of this account are under way; known only where it is asked for extras.
    pub under_way: usize,
    /// The work that the account has done so far.
    pub done: &'a mut u128,
}

impl Desk<'_> {
    /// Does the work, and so knows what is right.
    pub fn compute(&mut self, duty: &Duty) -> Answer {
        *self.done += u128::from(duty.work);
        Answer::RIGHT
    }
}

/// A transaction that an account sends beside its duties.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Extra {
    /// So many transfers to oneself, that take room, and what is paid for being first.
    Transfers {
        /// How many.
        count: u32,
        /// The tip, in 10⁻¹² HYDRA.
        tip: Balance,
    },
    /// A duty that isn't owed.
    Junk,
    /// It rests.
    Pause,
    /// It comes back.
    Resume,
    /// It bonds more, in 10⁻¹² HYDRA.
    Bond(Balance),
}

/// How one account plays.
pub trait Strategy {
    /// What it is called in tables: accounts of one name are counted together.
    fn name(&self) -> &'static str;

    /// What it gives where it owes something; nothing if it stays silent. It is asked in each block until the duty is done or gone.
    fn answer(&mut self, duty: &Duty, desk: &mut Desk) -> Option<Answer>;

    /// Whether it sends nothing as long as something is in flight, as the off-chain worker does.
    fn waits(&self) -> bool {
        true
    }

    /// Whether it shows a plain copy only when that decides, and when it is its turn, as the off-chain worker does.
    fn looks(&self) -> bool {
        true
    }

    /// The witness that it tells everybody who asks, of what it claims itself.
    fn tells(&self) -> Option<Symbol> {
        None
    }

    /// Whether it leaves its slots empty where its block would draw badly.
    fn withholds(&self) -> bool {
        false
    }

    /// Whether it leaves out of its blocks what those owe who don't.
    fn censors(&self) -> bool {
        false
    }

    /// Whether it holds its claims back until those who play alike make a block that draws well, and leaves out of their blocks what
    /// contradicts their lies.
    fn holds_back(&self) -> bool {
        false
    }

    /// Whether it has to know the seats of those who play alike.
    fn conspires(&self) -> bool {
        false
    }

    /// Whether [`extras`](Self::extras) has to be asked in each block.
    fn sends_extras(&self) -> bool {
        false
    }

    /// What it sends beside its duties.
    fn extras(&mut self, _desk: &Desk) -> Vec<Extra> {
        Vec::new()
    }
}

/// Those that a mixture takes in turn.
const HOSTILE: [&str; 9] = [
    "lazy",
    "lying",
    "silent",
    "silent-every-other-time",
    "forging",
    "forging-one-step",
    "opening-falsely",
    "claiming-room",
    "grinding",
];

/// The names that [`by_name`] knows.
pub const NAMES: [&str; 24] = [
    "honest",
    "offline",
    "slow",
    "lying",
    "lazy",
    "lazy-watching",
    "lazy-listening",
    "lazy-trusting",
    "silent",
    "silent-every-other-time",
    "abstaining",
    "spamming",
    "splitting",
    "forging",
    "forging-one-step",
    "opening-falsely",
    "equivocating",
    "claiming-room",
    "sponsoring",
    "withholding",
    "censoring",
    "holding-back",
    "grinding",
    "mixed",
];

/// The strategy of that name, for the `index`-th account that has it.
pub fn by_name(name: &str, index: usize) -> Option<Box<dyn Strategy>> {
    let strategy: Box<dyn Strategy> = match name {
        "honest" => Box::new(Honest::named("honest")),
        // What a PC does whose stake lies on many accounts is honest; what it does to pay is not.
        "splitting" => Box::new(Honest::named("splitting")),
        // So is what somebody does who pays for rounds of a model that is too small to be worth them.
        "sponsoring" => Box::new(Honest::named("sponsoring")),
        "offline" => Box::new(Offline),
        "slow" => Box::new(Late::by(3)),
        "lying" => Box::new(Lying),
        "lazy" => Box::new(Lazy::everywhere()),
        "lazy-watching" => Box::new(Watching),
        "lazy-listening" => Box::new(Listening),
        // Half of them tell a false witness of what they claim, and half believe it.
        "lazy-trusting" if index.is_multiple_of(2) => Box::new(Telling::falsely()),
        "lazy-trusting" => Box::new(Trusting),
        "silent" => Box::new(Silent::always()),
        "silent-every-other-time" => Box::new(Silent::every_other_time()),
        "abstaining" => Box::new(Abstaining::from(Kind::Check)),
        "spamming" => Box::new(Spamming::during(Stage::First)),
        "forging" => Box::new(Forging::all()),
        "forging-one-step" => Box::new(Forging::one_step()),
        "opening-falsely" => Box::new(OpeningFalsely),
        "equivocating" => Box::new(Equivocating),
        "claiming-room" => Box::new(Overcommitted::default()),
        "withholding" => Box::new(Coalition::withholding()),
        "censoring" => Box::new(Censoring),
        "holding-back" => Box::new(Coalition::holding_back()),
        "grinding" => Box::new(Coalition::grinding(index)),
        "mixed" => {
            let name = HOSTILE.get(index % HOSTILE.len())?;
            return by_name(name, index / HOSTILE.len());
        }
        _ => return None,
    };
    Some(strategy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_stands_for_a_strategy_and_no_other_does() {
        for (index, name) in NAMES.into_iter().enumerate() {
            assert!(by_name(name, index).is_some(), "{name}");
        }
        for name in HOSTILE {
            assert!(NAMES.contains(&name), "{name}");
        }
        assert!(by_name("unheard-of", 0).is_none());
    }
}
