//! What came of a computation, without computing it. Training is exact, so there is one right result; whoever lies gives
//! another one, and whoever agreed on a lie gives the same.

use hydra_primitives::{H256, domain_hash};

const CONTEXT: &str = "hydraai 2026 simulated result v1";

/// The result of a task, a check or a fold.
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
    /// What was made for another question than the one asked.
    pub const OTHER: Self = Self::Lie(u8::MAX);

    const KNOWN: [Self; 4] = [Self::Right, Self::CONSPIRACY, Self::ONE_STEP, Self::ALONE];

    /// The hash that stands for it on chain, as the result of the work that `question` names.
    pub fn hash(self, question: &H256) -> H256 {
        let code = match self {
            Self::Right => [0, 0],
            Self::Lie(number) => [1, number],
        };
        domain_hash(CONTEXT, &[question.as_bytes(), &code])
    }

    /// What a hash on chain stands for, as a result of the work that `question` names.
    pub fn behind(hash: &H256, question: &H256) -> Self {
        Self::KNOWN
            .into_iter()
            .find(|symbol| symbol.hash(question) == *hash)
            .unwrap_or(Self::OTHER)
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
        }
    }
}
