//! How accounts play. A strategy sees what its account owes and what is public, and says what it gives, when, and what else it
//! sends. Nothing here is of one version of the protocol: what an answer becomes on chain is for `protocol` to say.
//!
//! To come with protocol 2, in which they first make sense: copying a witness from the proposer, the pool or the names of blobs;
//! claiming room that isn't there; sponsoring tiny models; opening falsely; withholding blocks; grinding claims until seats fall
//! to friends.

mod absent;
mod forging;
mod honest;
mod lazy;
mod mute;
mod spamming;

pub use absent::{Late, Offline, Sometimes};
pub use forging::{Equivocating, Forging, Lying, Misfolding};
pub use honest::Honest;
pub use lazy::Lazy;
pub use mute::{Abstaining, Silent};
pub use spamming::{Filler, Spamming};

use hydra_runtime::BlockNumber;

use crate::{
    duty::{Duty, Kind},
    symbol::Symbol,
};

/// What an account knows and has when it answers.
pub struct Desk<'a> {
    /// The newest block.
    pub block: BlockNumber,
    /// Which branch of the chain this is: it grows with each reorganisation.
    pub branch: u32,
    /// What the network waits for in the first model.
    pub stage: Kind,
    /// How many transactions of this account are under way.
    pub under_way: usize,
    /// The work that the account has done so far.
    pub done: &'a mut u128,
}

impl Desk<'_> {
    /// Does the work, and so knows what is right.
    pub fn compute(&mut self, duty: &Duty) -> Symbol {
        *self.done += u128::from(duty.work);
        Symbol::Right
    }
}

/// How one account plays.
pub trait Strategy {
    /// What it is called in tables: accounts of one name are counted together.
    fn name(&self) -> &'static str;

    /// What it gives where it owes something; nothing if it stays silent. It is asked in each block until the duty is done or gone.
    fn answer(&mut self, duty: &Duty, desk: &mut Desk) -> Option<Symbol>;

    /// How many blocks later than others' what it sends arrives.
    fn latency(&self, _kind: Kind) -> BlockNumber {
        0
    }

    /// Whether it sends nothing as long as something is in flight, as the off-chain worker does.
    fn waits(&self) -> bool {
        true
    }

    /// Whether [`filler`](Self::filler) has to be asked in each block.
    fn fills(&self) -> bool {
        false
    }

    /// What it sends beside its duties.
    fn filler(&mut self, _desk: &Desk) -> Vec<Filler> {
        Vec::new()
    }
}

/// Those that `by_name` knows and that a mixture takes in turn.
const HOSTILE: [&str; 7] = [
    "lazy",
    "lying",
    "silent",
    "silent-every-other-time",
    "abstaining",
    "forging",
    "forging-one-step",
];

/// The names that [`by_name`] knows.
pub const NAMES: [&str; 14] = [
    "honest",
    "offline",
    "slow",
    "lying",
    "lazy",
    "silent",
    "silent-every-other-time",
    "abstaining",
    "spamming",
    "splitting",
    "forging",
    "forging-one-step",
    "equivocating",
    "mixed",
];

/// The strategy of that name, for the `index`-th account that has it.
pub fn by_name(name: &str, index: usize) -> Option<Box<dyn Strategy>> {
    let strategy: Box<dyn Strategy> = match name {
        "honest" => Box::new(Honest::named("honest")),
        // What a PC does whose stake lies on many accounts is honest; what it does to pay is not.
        "splitting" => Box::new(Honest::named("splitting")),
        "offline" => Box::new(Offline),
        "slow" => Box::new(Late::always(3)),
        "lying" => Box::new(Lying),
        "lazy" => Box::new(Lazy),
        "silent" => Box::new(Silent::always()),
        "silent-every-other-time" => Box::new(Silent::every_other_time()),
        "abstaining" => Box::new(Abstaining::from(Kind::Check)),
        "spamming" => Box::new(Spamming::during(Kind::Reveal)),
        "forging" => Box::new(Forging::all()),
        "forging-one-step" => Box::new(Forging::one_step()),
        "equivocating" => Box::new(Equivocating),
        "mixed" => {
            let name = HOSTILE.get(index % HOSTILE.len())?;
            return by_name(name, 0);
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
