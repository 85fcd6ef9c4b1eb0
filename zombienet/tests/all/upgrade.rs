//! A referendum replaces the runtime of a network that is training, and no round is lost that a fork would not have lost.

use std::{
    collections::BTreeSet,
    process::Command,
    time::{Duration, Instant},
};

use hydra_cli::chain::Happening;
use hydra_network_tests::{checkout, proc};
use hydra_primitives::{
    AccountBytes,
    status::{Outcome, RoundSummary},
};
use hydra_zombienet_tests::{Branches, Zombienet};

const LIMIT: Duration = Duration::from_secs(240);

#[tokio::test(flavor = "multi_thread")]
async fn four_pcs_upgrade_their_runtime_by_referendum_and_go_on_training() {
    let begun = Instant::now();
    let network = Zombienet::start().await;
    let branches = Branches::watch(&network.pc("alice").node.rpc_url).await;
    network.wait_for_version(1, LIMIT).await;
    let file = network.folder().join("next-release.wasm");
    std::fs::write(
        &file,
        hydra_upgrade_trial::WASM_BINARY.expect("built with its Wasm"),
    )
    .expect("a file");

    let output = proc::run(
        Command::new("node")
            .arg(checkout("tests/polkadot-js/governance.mjs"))
            .args([
                "--url",
                &network.pc("bob").node.rpc_url,
                "--timeout",
                "240",
                "--upgrade",
            ])
            .arg(&file),
    );
    let (said, complaints) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{said}\n{complaints}");
    assert!(said.contains("upgraded from version"), "{said}");

    // Rounds that were under way are settled, and new ones opened, by the new runtime.
    let before = network.model().await.confirmed_version;
    network.wait_for_version(before + 2, LIMIT).await;
    let upgraded_in = branches.upgraded_in(&network.chain).await;
    let upgraded_in = upgraded_in.expect("a block behind which the new rules hold");
    let courses = courses(&network, &branches.forks()).await;
    eprintln!(
        "the runtime was replaced in block {upgraded_in}:{}",
        lines(&courses)
    );
    no_round_is_lost_that_a_fork_would_not_have_lost(&courses, upgraded_in);
    network.stop().await;
    eprintln!("all of it took {:.0?}", begun.elapsed());
}

/// How a round went.
struct Course {
    round: u32,
    opened_in: u64,
    settled_in: u64,
    accepted: usize,
    rejected: usize,
    undecided: usize,
    /// How often a poll of it needed another draw, or it began anew.
    extended: usize,
    /// At which of its heights there were several blocks.
    forks: Vec<u64>,
}

impl Course {
    fn new(summary: &RoundSummary<AccountBytes>, extended: &[u32], forks: &BTreeSet<u64>) -> Self {
        let of = |outcome: Outcome| {
            let places = summary.places.iter();
            places.filter(|one| one.outcome == Some(outcome)).count()
        };
        let (opened_in, settled_in) = (u64::from(summary.opened_at), u64::from(summary.settled_at));
        Self {
            round: summary.round,
            opened_in,
            settled_in,
            accepted: of(Outcome::Accepted),
            rejected: of(Outcome::Rejected),
            undecided: of(Outcome::Undecided) + of(Outcome::Dropped),
            extended: extended.iter().filter(|round| **round == summary.round).count(),
            forks: forks.range(opened_in..=settled_in).copied().collect(),
        }
    }

    /// Whether it came to nothing, or not in its time.
    fn is_lost(&self) -> bool {
        self.accepted == 0 || self.extended > 0
    }
}

fn lines<'a>(courses: impl IntoIterator<Item = &'a Course>) -> String {
    let line = |course: &Course| {
        let Course {
            round,
            opened_in,
            settled_in,
            accepted,
            rejected,
            undecided,
            extended,
            forks,
        } = course;
        format!(
            "\nround {round}, from block {opened_in} to {settled_in}: {accepted} accepted, {rejected} rejected, {undecided} \
             undecided; extended {extended} times; forks at {forks:?}"
        )
    };
    courses.into_iter().map(line).collect()
}

/// How every settled round went, in order.
async fn courses(network: &Zombienet, forks: &BTreeSet<u64>) -> Vec<Course> {
    let newest = network.best().await.number;
    let mut extended = Vec::new();
    for height in 1..=newest {
        let block = network.chain.block_at(height).await;
        let news = network.chain.news(block.expect("the node has it")).await;
        for happening in news.expect("the node has its state").happenings {
            if let Happening::Extended { round, .. } | Happening::Dropped { round } = happening {
                extended.push(round);
            }
        }
    }
    let rounds = network.rounds().await;
    let rounds = rounds.iter();
    rounds
        .map(|summary| Course::new(summary, &extended, forks))
        .collect()
}

/// Of the round under way when the runtime was replaced and those after it no more are lost than of as many before; and
/// proposals that nobody decided are no more than there, or forks had a part in them.
fn no_round_is_lost_that_a_fork_would_not_have_lost(courses: &[Course], upgraded_in: u64) {
    let rejected = courses.iter().any(|course| course.rejected > 0);
    assert!(!rejected, "honest work was turned down:{}", lines(courses));
    let first = courses
        .iter()
        .position(|course| course.settled_in > upgraded_in)
        .expect("rounds go on");
    let (before, after) = courses.split_at(first);
    let length = before.len().min(after.len());
    assert!(length > 0, "no round to compare with:{}", lines(courses));
    let (before, after) = (&before[before.len() - length..], &after[..length]);

    let lost = |courses: &[Course]| courses.iter().filter(|course| course.is_lost()).count();
    let without_fork = after
        .iter()
        .filter(|course| course.is_lost() && course.forks.is_empty())
        .count();
    assert!(
        lost(after) <= lost(before) || without_fork == 0,
        "more of {length} rounds were lost with the upgrade than before it:{}",
        lines(courses)
    );
    let undecided = |courses: &[Course]| courses.iter().map(|course| course.undecided).sum::<usize>();
    let unexplained = after
        .iter()
        .filter(|course| course.undecided > 0 && course.forks.is_empty());
    assert!(
        undecided(after) <= undecided(before) || unexplained.clone().count() == 0,
        "more proposals were undecided with the upgrade than before it, and there was no fork in:{}",
        lines(unexplained)
    );
}
