//! What happened in a block, in words that fit a line.

use hydra_primitives::{
    AccountBytes, Balance,
    status::{Outcome, Phase},
};

use super::{
    figures::{accuracy, percent},
    models::why,
};
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
        let shared: Vec<&AccountBytes> = happenings
            .iter()
            .filter(|other| alike(other, happening))
            .filter_map(who)
            .collect();
        // Whoever did it twice is named once.
        let mut names: Vec<String> = Vec::new();
        for account in &shared {
            let name = accounts::short(account);
            if !names.contains(&name) {
                names.push(name);
            }
        }
        sentences.push(sentence(happening, &list(&names), names.len(), shared.len()));
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
            H::Settled {
                round,
                outcome,
                forfeited,
                ..
            },
            H::Settled {
                round: other_round,
                outcome: other_outcome,
                forfeited: other_forfeited,
                ..
            },
        ) => (round, outcome, forfeited) == (other_round, other_outcome, other_forfeited),
        (H::Earned { amount, .. }, H::Earned { amount: other, .. })
        | (H::Received { amount, .. }, H::Received { amount: other, .. })
        | (H::Forfeited { amount, .. }, H::Forfeited { amount: other, .. }) => amount == other,
        (H::Proposed { round, .. }, H::Proposed { round: other, .. }) => round == other,
        (H::Left { until, .. }, H::Left { until: other, .. }) => until == other,
        (H::Drawn { .. }, H::Drawn { .. })
        | (H::Given { .. }, H::Given { .. })
        | (H::Shown { .. }, H::Shown { .. })
        | (H::Wrong { .. }, H::Wrong { .. })
        | (H::Missed { .. }, H::Missed { .. })
        | (H::Refused { .. }, H::Refused { .. })
        | (H::Registered { .. }, H::Registered { .. })
        | (H::Deregistered { .. }, H::Deregistered { .. })
        | (H::Paused { .. }, H::Paused { .. })
        | (H::Resumed { .. }, H::Resumed { .. })
        | (H::Returned { .. }, H::Returned { .. })
        | (H::Beat { .. }, H::Beat { .. }) => true,
        _ => std::ptr::eq(a, b),
    }
}

fn who(happening: &Happening) -> Option<&AccountBytes> {
    use Happening as H;
    match happening {
        H::Settled { who, .. }
        | H::Earned { who, .. }
        | H::Received { who, .. }
        | H::Forfeited { who, .. }
        | H::Proposed { who, .. }
        | H::Given { who }
        | H::Shown { who }
        | H::Wrong { who }
        | H::Missed { who }
        | H::Refused { who }
        | H::Bonded { who, .. }
        | H::Unbonding { who, .. }
        | H::Withdrawn { who, .. }
        | H::Asked { who, .. }
        | H::Claimed { who, .. }
        | H::Registered { who }
        | H::Deregistered { who }
        | H::Paused { who }
        | H::Resumed { who }
        | H::Left { who, .. }
        | H::Returned { who }
        | H::Beat { who } => Some(who),
        H::Sent { from, .. } => Some(from),
        H::Confirmed { .. }
        | H::GivenUp { .. }
        | H::Dropped { .. }
        | H::Waits { .. }
        | H::Extended { .. }
        | H::Ended { .. }
        | H::Opened { .. }
        | H::Moved { .. }
        | H::Drawn { .. }
        | H::Added { .. }
        | H::Session { .. }
        | H::CommitteeStays { .. }
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

/// One sentence about `who`, `count` of them, to whom it happened so many times in all.
fn sentence(happening: &Happening, who: &str, count: usize, times: usize) -> (Weight, String) {
    use Happening as H;
    let several = count > 1;
    let (is, has) = if several { ("are", "have") } else { ("is", "has") };
    let each = if several { " each" } else { "" };
    match happening {
        H::Settled {
            round,
            outcome,
            forfeited,
            ..
        } => settled(who, times > 1, *round, *outcome, *forfeited),
        H::Earned { amount, .. } => news(format!("{who} earned {} HYDRA{each}", amount::short(*amount))),
        H::Received { amount, .. } => news(format!(
            "{who} received {} HYDRA{each} of what others forfeited",
            amount::short(*amount)
        )),
        H::Forfeited { amount, .. } => trouble(format!(
            "{who} forfeited {} HYDRA{each} of the stake",
            amount::short(*amount)
        )),
        H::Confirmed { version, score } => {
            let right = percent(accuracy(score));
            news(format!("version {version} is confirmed, {right} right"))
        }
        H::GivenUp { version } => trouble(format!(
            "version {version} is given up: the PCs could not confirm it, and nothing is paid for it"
        )),
        H::Dropped { round } => news(format!(
            "round {round} begins anew: what it was trained from is given up"
        )),
        H::Waits { round, reason } => news(format!("round {round} waits: {}", why(*reason))),
        H::Extended { round, until } => news(format!(
            "round {round} is checked by more PCs, until block {until}"
        )),
        H::Ended {
            round,
            accepted,
            places,
        } => course(format!(
            "round {round} is settled, {accepted} of {places} accepted"
        )),
        H::Opened { round, places } => course(format!(
            "round {round} began, with {places} place{}",
            if *places == 1 { "" } else { "s" }
        )),
        H::Moved { round, phase } => {
            let what = match phase {
                Phase::Pause => "a pause",
                Phase::Train => "PCs train",
                Phase::Verify => "PCs check each other's results",
            };
            course(format!("round {round}: {what}"))
        }
        H::Proposed { round, .. } => {
            let a = if times > 1 { "results" } else { "a result" };
            course(format!("{who} proposed {a} of round {round}"))
        }
        H::Drawn { .. } => course("PCs were drawn to check a result".into()),
        H::Given { .. } => course(format!("{who} gave what {}, hidden for now", found(several))),
        H::Shown { .. } => course(format!("{who} showed what {}", found(several))),
        H::Wrong { .. } => trouble(format!("{who} found something else than the network")),
        H::Missed { .. } => trouble(format!(
            "{who} {is} late: drawn to check a result, and gave nothing"
        )),
        H::Refused { .. } => news(format!("a result of {who} was refused")),
        H::Added { model } => news(format!("model {model} was added")),
        H::Bonded { amount, .. } => news(format!("{who} bonded {} HYDRA", amount::short(*amount))),
        H::Unbonding { amount, until, .. } => news(format!(
            "{who} takes back {} HYDRA of the stake, free from block {until} on",
            amount::short(*amount)
        )),
        H::Withdrawn { amount, .. } => news(format!(
            "{who} withdrew {} HYDRA of the stake",
            amount::short(*amount)
        )),
        H::Asked { price, .. } => news(format!(
            "{who} paid {} HYDRA for a question",
            amount::short(*price)
        )),
        H::Claimed { amount, .. } => news(format!(
            "{who} received {} HYDRA of what questions paid",
            amount::short(*amount)
        )),
        H::Registered { .. } => news(format!("{who} {has} registered")),
        H::Deregistered { .. } => news(format!("{who} {has} left the network")),
        H::Paused { .. } => news(format!("{who} {is} paused")),
        H::Resumed { .. } => news(format!("{who} {has} resumed")),
        H::Left { until: None, .. } => trouble(format!("{who} {is} away: nobody waits for it any more")),
        H::Left {
            until: Some(session), ..
        } => trouble(format!("{who} {is} out until session {session}")),
        H::Returned { .. } => news(format!("{who} {is} back")),
        H::Beat { .. } => course(format!("{who} {is} still there")),
        H::Session { session } => course(format!("session {session} began")),
        H::CommitteeStays { found, present } => trouble(format!(
            "the same {present} make blocks in the next session, too: only {found} could be found; more need session keys and a good score"
        )),
        H::Sent { to, amount, .. } => news(format!(
            "{who} sent {} HYDRA to {}",
            amount::short(*amount),
            accounts::short(to)
        )),
        H::Failed { reason } => trouble(format!("a transaction failed: {reason}")),
    }
}

fn settled(who: &str, several: bool, round: u32, outcome: Outcome, forfeited: Balance) -> (Weight, String) {
    let (results, was, stay) = match several {
        true => ("results", "were", "stay"),
        false => ("result", "was", "stays"),
    };
    let each = if several { " each" } else { "" };
    let whose = format!("{who}'s {results} of round {round}");
    match outcome {
        Outcome::Accepted => course(format!("{whose} {was} accepted")),
        Outcome::Rejected => {
            let lost = match forfeited {
                0 => String::new(),
                lost => format!("; that costs {} HYDRA{each}", amount::short(lost)),
            };
            trouble(format!("{whose} {was} rejected: others computed another{lost}"))
        }
        Outcome::Undecided => news(format!("{whose} {stay} undecided")),
        Outcome::Dropped => news(format!("{whose} {was} dropped")),
    }
}

fn found(several: bool) -> &'static str {
    if several { "they found" } else { "it found" }
}

fn course(words: String) -> (Weight, String) {
    (Weight::Course, words)
}

fn news(words: String) -> (Weight, String) {
    (Weight::News, words)
}

fn trouble(words: String) -> (Weight, String) {
    (Weight::Trouble, words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hydra_primitives::{HYDRA, proposal::Score, status::Waiting};

    fn account(name: &str) -> AccountBytes {
        accounts::development(name).unwrap()
    }

    fn earned(name: &str) -> Happening {
        Happening::Earned {
            who: account(name),
            amount: HYDRA,
        }
    }

    #[test]
    fn a_committee_that_stays_is_trouble() {
        let said = say(&[Happening::CommitteeStays { found: 2, present: 4 }]);
        assert_eq!(said.weight, Weight::Trouble);
        assert!(
            said.words
                .starts_with("the same 4 make blocks in the next session, too: only 2 could be found"),
            "{}",
            said.words
        );
    }

    #[test]
    fn a_block_in_which_nothing_happened_says_nothing() {
        let said = say(&[]);
        assert_eq!((said.words.as_str(), said.weight), ("", Weight::Nothing));
    }

    #[test]
    fn what_several_share_is_one_sentence_and_the_course_is_left_out_of_news() {
        let ended = Happening::Ended {
            round: 47,
            accepted: 3,
            places: 4,
        };
        let said = say(&[ended.clone(), earned("Alice"), earned("Bob"), earned("Charlie")]);
        assert_eq!(said.words, "Alice, Bob and Charlie earned 1 HYDRA each");
        assert_eq!(said.weight, Weight::News);
        let said = say(&[ended]);
        assert_eq!(said.words, "round 47 is settled, 3 of 4 accepted");
        assert_eq!(said.weight, Weight::Course);
    }

    #[test]
    fn of_many_only_the_first_are_named() {
        let names = ["Alice", "Bob", "Charlie", "Dave", "Eve"];
        let said = say(&names.map(earned));
        assert_eq!(said.words, "Alice, Bob and 3 more earned 1 HYDRA each");
    }

    #[test]
    fn trouble_comes_first() {
        let rejected = Happening::Settled {
            who: account("Bob"),
            round: 47,
            outcome: Outcome::Rejected,
            forfeited: HYDRA,
        };
        let confirmed = Happening::Confirmed {
            version: 812,
            score: Score {
                correct: 9,
                total: 10,
                loss: 0,
            },
        };
        let said = say(&[earned("Alice"), confirmed, rejected]);
        assert_eq!(
            said.words,
            "Bob's result of round 47 was rejected: others computed another; that costs 1 HYDRA; Alice earned 1 HYDRA; \
             version 812 is confirmed, 90.00 % right"
        );
        assert_eq!(said.weight, Weight::Trouble);
    }

    #[test]
    fn digests_of_several_polls_are_one_sentence_of_the_course() {
        let given = |name: &str| Happening::Given { who: account(name) };
        let drawn = Happening::Drawn {
            seats: 20,
            accounts: 4,
        };
        let said = say(&[drawn.clone(), drawn, given("Bob"), given("Charlie"), given("Bob")]);
        assert_eq!(
            said.words,
            "PCs were drawn to check a result; Bob and Charlie gave what they found, hidden for now"
        );
        assert_eq!(said.weight, Weight::Course);
    }

    #[test]
    fn who_leaves_says_until_when_and_why_a_round_waits_is_said() {
        let left = |until| Happening::Left {
            who: account("Dave"),
            until,
        };
        assert_eq!(
            say(&[left(None), left(Some(7))]).words,
            "Dave is away: nobody waits for it any more; Dave is out until session 7"
        );
        let waits = Happening::Waits {
            round: 3,
            reason: Waiting::Payer,
        };
        assert_eq!(
            say(&[waits]).words,
            "round 3 waits: whoever pays for its rounds has nothing left"
        );
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
