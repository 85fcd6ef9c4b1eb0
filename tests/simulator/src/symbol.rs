//! What came of a computation, without computing it. Training is exact, so there is one right result; whoever lies gives
//! another one, and whoever agreed on a lie gives the same.

use hydra_primitives::{H256, domain_hash};

const RESULT: &str = "hydraai 2026 simulated result v1";
const WITNESS: &str = "hydraai 2026 simulated witness v1";

/// The result of a task or a fold, or what shows that it was computed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Symbol {
    /// What everyone gets who does the work.
    Right,
    /// Something else. Those who conspire use the same number.
    Lie(u8),
}

impl Symbol {
    /// The lie that all conspire on.
    pub const CONSPIRACY: Self = Self::Lie(0);
    /// The result of a task of which one step was forged.
    pub const ONE_STEP: Self = Self::Lie(1);
    /// The result of somebody who lies alone.
    pub const ALONE: Self = Self::Lie(2);
    /// A witness that nobody has computed: all who guess guess alike.
    pub const GUESS: Self = Self::Lie(3);
    /// What was made for another question than the one asked.
    pub const OTHER: Self = Self::Lie(u8::MAX);

    const KNOWN: [Self; 5] = [
        Self::Right,
        Self::CONSPIRACY,
        Self::ONE_STEP,
        Self::ALONE,
        Self::GUESS,
    ];

    fn under(self, context: &str, question: &H256) -> H256 {
        let code = match self {
            Self::Right => [0, 0],
            Self::Lie(number) => [1, number],
        };
        domain_hash(context, &[question.as_bytes(), &code])
    }

    /// The hash that stands for it on chain, as the result of the work that `question` names.
    pub fn hash(self, question: &H256) -> H256 {
        self.under(RESULT, question)
    }

    /// The hash that stands for it on chain, as what shows that this work was done.
    pub fn witness(self, question: &H256) -> H256 {
        self.under(WITNESS, question)
    }

    /// What a hash on chain stands for, as a result of the work that `question` names.
    pub fn behind(hash: &H256, question: &H256) -> Self {
        Self::KNOWN
            .into_iter()
            .find(|symbol| symbol.hash(question) == *hash)
            .unwrap_or(Self::OTHER)
    }
}

/// What an account gives where it owes something: a result, and what is to show that it computed it. Of a claim, only the result
/// counts; of a heartbeat, only that it is given.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Answer {
    /// The result.
    pub result: Symbol,
    /// The witness.
    pub witness: Symbol,
}

impl Answer {
    /// What whoever does the work has.
    pub const RIGHT: Self = Self::all(Symbol::Right);

    /// A result with the witness that goes with it.
    pub const fn all(symbol: Symbol) -> Self {
        Self {
            result: symbol,
            witness: symbol,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_leads_back_to_what_it_stands_for_only_with_its_own_question() {
        let (question, another) = (H256::repeat_byte(1), H256::repeat_byte(2));
        for symbol in Symbol::KNOWN {
            let hash = symbol.hash(&question);
            assert_eq!(Symbol::behind(&hash, &question), symbol);
            assert_eq!(Symbol::behind(&hash, &another), Symbol::OTHER);
            assert_eq!(
                Symbol::behind(&symbol.witness(&question), &question),
                Symbol::OTHER
            );
        }
    }
}
