//! What happened in a block, in words that fit a line.

use hydra_primitives::{AccountBytes, Balance, RoundNumber, status::Phase};

use super::figures::{accuracy, percent};
use crate::{accounts, amount, chain::Happening};

/// How much a sentence matters to a person.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Weight {
    /// Nothing happened.
    Nothing,
    /// The round's ordinary course.
    Course,
    /// News.
    News,
    /// News that somebody should look into.
    Trouble,
}

/// What is said of a block.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Said {
    /// In words; empty where nothing happened.
    pub words: String,
    /// How much it matters.
    pub weight: Weight,
}

/// What happened in a block, the most important first. The ordinary course is told only where there is no news.
pub fn say(happenings: &[Happening]) -> Said {
    let mut sentences: Vec<(Weight, String)> = Vec::new();
    for (index, happening) in happenings.iter().enumerate() {
        let before = happenings.get(..index).unwrap_or_default();
        // What several share is one sentence, where the first of them is.
        if before.iter().any(|other| alike(other, happening)) {
            continue;
        }
        let names: Vec<String> = happenings
            .iter()
            .filter(|other| alike(other, happening))
            .filter_map(who)
            .map(accounts::short)
            .collect();
        sentences.push(sentence(happening, &list(&names), names.len()));
    }
    let weight = sentences
        .iter()
        .map(|(weight, _)| *weight)
        .max()
        .unwrap_or(Weight::Nothing);
    let least = weight.min(Weight::News);
    sentences.retain(|(own, _)| *own >= least);
    // Stable: what weighs the same stays in order.
    sentences.sort_by_key(|(own, _)| std::cmp::Reverse(*own));
    let words: Vec<String> = sentences.into_iter().map(|(_, words)| words).collect();
    Said {
        words: words.join("; "),
        weight,
    }
}

/// Whether two happenings differ in nothing but whose they are.
fn alike(a: &Happening, b: &Happening) -> bool {
    use Happening as H;
    match (a, b) {
        (
            H::Accepted { round, reward, .. },
            H::Accepted {
                round: other_round,
                reward: other_reward,
                ..
            },
        ) => (round, reward) == (other_round, other_reward),
        (H::Rejected { round, .. }, H::Rejected { round: other, .. })
        | (H::Undecided { round, .. }, H::Undecided { round: other, .. })
        | (H::Proposed { round, .. }, H::Proposed { round: other, .. }) => round == other,
        (H::Attested { version, .. }, H::Attested { version: other, .. }) => version == other,
        (H::Voted { .. }, H::Voted { .. })
        | (H::Revealed { .. }, H::Revealed { .. })
        | (H::Registered { .. }, H::Registered { .. })
        | (H::Left { .. }, H::Left { .. })
        | (H::Returned { .. }, H::Returned { .. })
        | (H::Displaced { .. }, H::Displaced { .. }) => true,
        _ => std::ptr::eq(a, b),
    }
}

fn who(happening: &Happening) -> Option<&AccountBytes> {
    use Happening as H;
    match happening {
        H::Accepted { who, .. }
        | H::Rejected { who, .. }
        | H::Undecided { who, .. }
        | H::Proposed { who, .. }
        | H::Attested { who, .. }
        | H::Voted { who }
        | H::Revealed { who }
        | H::Bonded { who, .. }
        | H::Asked { who, .. }
        | H::Claimed { who, .. }
        | H::Registered { who }
        | H::Left { who }
        | H::Returned { who }
        | H::Displaced { who } => Some(who),
        H::Sent { from, .. } => Some(from),
        H::Confirmed { .. }
        | H::Extended { .. }
        | H::Settled { .. }
        | H::Opened { .. }
        | H::Moved { .. }
        | H::Failed { .. } => None,
    }
}

/// `Alice, Bob and Charlie`; of many only how many there are.
fn list(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [first, second] => format!("{first} and {second}"),
        [first, second, third] => format!("{first}, {second} and {third}"),
        [first, second, rest @ ..] => format!("{first}, {second} and {} more", rest.len()),
    }
}

/// One sentence about `who`, `count` of them.
fn sentence(happening: &Happening, who: &str, count: usize) -> (Weight, String) {
    use Happening as H;
    let several = count > 1;
    let results = if several { "results" } else { "result" };
    let (is, has) = if several { ("are", "have") } else { ("is", "has") };
    match happening {
        H::Accepted { round, reward, .. } => (Weight::News, accepted(who, several, *round, *reward)),
        H::Rejected { round, .. } => {
            let was = if several { "were" } else { "was" };
            let words = format!("{who}'s {results} of round {round} {was} rejected: others computed another");
            (Weight::Trouble, words)
        }
        H::Undecided { round, .. } => {
            let stay = if several { "stay" } else { "stays" };
            let words = format!("{who}'s {results} of round {round} {stay} undecided");
            (Weight::News, words)
        }
        H::Confirmed { version, score } => {
            let right = percent(accuracy(score));
            (
                Weight::News,
                format!("version {version} is confirmed, {right} right"),
            )
        }
        H::Extended { round, until } => (
            Weight::News,
            format!("round {round} waits until block {until} for a result or for its version"),
        ),
        H::Settled {
            round,
            accepted,
            results,
        } => (
            Weight::Course,
            format!("round {round} is settled, {accepted} of {results} accepted"),
        ),
        H::Opened { round } => (Weight::Course, format!("round {round} began")),
        H::Moved { round, phase } => {
            let what = match phase {
                Phase::Train => "PCs train",
                Phase::Verify => "PCs check each other's results",
                Phase::Reveal => "PCs show their votes",
                Phase::Settle => "the votes are counted",
            };
            (Weight::Course, format!("round {round}: {what}"))
        }
        H::Proposed { round, .. } => {
            let a = if several { "results" } else { "a result" };
            (Weight::Course, format!("{who} proposed {a} of round {round}"))
        }
        H::Attested { version, .. } => (Weight::Course, format!("{who} computed version {version}")),
        H::Voted { .. } => (Weight::Course, format!("{who} {has} voted, hidden for now")),
        H::Revealed { .. } => (
            Weight::Course,
            format!(
                "{who} showed {}",
                if several { "their votes" } else { "its vote" }
            ),
        ),
        H::Bonded { amount, .. } => (
            Weight::News,
            format!("{who} bonded {} HYDRA", amount::short(*amount)),
        ),
        H::Asked { price, .. } => (
            Weight::News,
            format!("{who} paid {} HYDRA for a question", amount::short(*price)),
        ),
        H::Claimed { amount, .. } => (
            Weight::News,
            format!(
                "{who} received {} HYDRA of what questions paid",
                amount::short(*amount)
            ),
        ),
        H::Registered { .. } => (Weight::News, format!("{who} {has} registered")),
        H::Left { .. } => (
            Weight::Trouble,
            format!("{who} {is} away: nobody waits for it any more"),
        ),
        H::Returned { .. } => (Weight::News, format!("{who} {is} back")),
        H::Displaced { .. } => (
            Weight::Trouble,
            format!("{who} made room for a new PC, since the network is full"),
        ),
        H::Sent { to, amount, .. } => (
            Weight::News,
            format!(
                "{who} sent {} HYDRA to {}",
                amount::short(*amount),
                accounts::short(to)
            ),
        ),
        H::Failed { reason } => (Weight::Trouble, format!("a transaction failed: {reason}")),
    }
}

fn accepted(who: &str, several: bool, round: RoundNumber, reward: Balance) -> String {
    let each = if several { " each" } else { "" };
    format!(
        "{who} earned {} HYDRA{each} in round {round}",
        amount::short(reward)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use hydra_primitives::{HYDRA, proposal::Score};

    fn account(name: &str) -> AccountBytes {
        accounts::development(name).unwrap()
    }

    fn accepted(name: &str) -> Happening {
        Happening::Accepted {
            who: account(name),
            round: 47,
            reward: HYDRA,
        }
    }

    #[test]
    fn a_block_in_which_nothing_happened_says_nothing() {
        let said = say(&[]);
        assert_eq!((said.words.as_str(), said.weight), ("", Weight::Nothing));
    }

    #[test]
    fn what_several_share_is_one_sentence_and_the_course_is_left_out_of_news() {
        let settled = Happening::Settled {
            round: 47,
            accepted: 3,
            results: 3,
        };
        let said = say(&[
            settled.clone(),
            accepted("Alice"),
            accepted("Bob"),
            accepted("Charlie"),
        ]);
        assert_eq!(
            said.words,
            "Alice, Bob and Charlie earned 1 HYDRA each in round 47"
        );
        assert_eq!(said.weight, Weight::News);
        let said = say(&[settled]);
        assert_eq!(said.words, "round 47 is settled, 3 of 3 accepted");
        assert_eq!(said.weight, Weight::Course);
    }

    #[test]
    fn of_many_only_the_first_are_named() {
        let names = ["Alice", "Bob", "Charlie", "Dave", "Eve"];
        let said = say(&names.map(accepted));
        assert_eq!(
            said.words,
            "Alice, Bob and 3 more earned 1 HYDRA each in round 47"
        );
    }

    #[test]
    fn trouble_comes_first() {
        let rejected = Happening::Rejected {
            who: account("Bob"),
            round: 47,
        };
        let confirmed = Happening::Confirmed {
            version: 812,
            score: Score {
                correct: 9,
                total: 10,
            },
        };
        let said = say(&[accepted("Alice"), confirmed, rejected]);
        assert_eq!(
            said.words,
            "Bob's result of round 47 was rejected: others computed another; Alice earned 1 HYDRA in round 47; version 812 \
             is confirmed, 90.00 % right"
        );
        assert_eq!(said.weight, Weight::Trouble);
    }

    #[test]
    fn two_transfers_are_two_sentences() {
        let sent = |amount| Happening::Sent {
            from: account("Alice"),
            to: account("Bob"),
            amount,
        };
        assert_eq!(
            say(&[sent(HYDRA), sent(HYDRA / 2)]).words,
            "Alice sent 1 HYDRA to Bob; Alice sent 0.5 HYDRA to Bob"
        );
    }
}
