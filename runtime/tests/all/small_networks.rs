//! Networks of one to four: the same rules as anywhere. What more than half of the seats find is decided; where the honest are no more
//! than half, nothing is, and nobody is punished.

use crate::pcs::{
    Conduct::{self, Absent, Lying},
    FOUNDERS, Network,
};
use hydra_primitives::status::Outcome;
use hydra_runtime::{RuntimeEvent, Session};
use pallet_training_proposals::Event;

/// Long enough for the absent to be out of a session's electorate, and for a poll with all its draws after that.
const BLOCKS: u32 = 200;

/// A network in which the last ones act otherwise; what it came to, and that no honest PC was harmed.
fn after(founders: usize, others: &[Conduct]) -> Network {
    let mut network = Network::of(founders);
    let honest = founders - others.len();
    for (who, conduct) in FOUNDERS.iter().skip(honest).zip(others) {
        network.conduct(*who, *conduct);
    }
    network.blocks(BLOCKS);
    for who in &FOUNDERS[..honest] {
        assert_eq!(
            network.forfeited(*who),
            0,
            "{who:?} of {founders} with {others:?}"
        );
    }
    for (block, event) in &network.log {
        if let RuntimeEvent::TrainingProposals(Event::PlaceSettled {
            holder,
            outcome: Outcome::Rejected,
            ..
        }) = event
        {
            let honest = FOUNDERS[..honest]
                .iter()
                .any(|who| who.to_account_id() == *holder);
            assert!(!honest, "block {block}: {founders} with {others:?}");
        }
    }
    network
}

/// The honest get on, and whoever lies loses.
fn goes_on(founders: usize, others: &[Conduct]) {
    let mut network = after(founders, others);
    let model = network.model();
    assert!(
        model.confirmed_version > 0,
        "{founders} with {others:?}: {model:?}"
    );
    for (who, conduct) in FOUNDERS.iter().skip(founders - others.len()).zip(others) {
        let lost = network.forfeited(*who);
        assert_eq!(lost > 0, *conduct == Lying, "{founders} with {others:?}: {lost}");
    }
    network.end();
}

/// Nothing is decided, and nobody loses anything.
fn stands_still(founders: usize, others: &[Conduct]) {
    let mut network = after(founders, others);
    let model = network.model();
    assert_eq!(
        model.confirmed_version, 0,
        "{founders} with {others:?}: {model:?}"
    );
    assert!(FOUNDERS.iter().all(|who| network.forfeited(*who) == 0));
    // It still tries, ever more slowly.
    assert!(model.round > 0 && model.round < 20, "{model:?}");
    assert!(network.read(Session::current_index) > 2);
    network.end();
}

#[test]
fn one_pc_alone_accepts_itself() {
    goes_on(1, &[]);
}

#[test]
fn two_go_on_together_and_either_of_them_alone() {
    goes_on(2, &[]);
    goes_on(2, &[Absent]);
}

#[test]
fn of_two_neither_can_punish_the_other() {
    stands_still(2, &[Lying]);
}

#[test]
fn three_go_on_with_one_absent_or_one_lying() {
    goes_on(3, &[]);
    goes_on(3, &[Absent]);
    goes_on(3, &[Lying]);
}

#[test]
fn of_three_with_one_absent_and_one_lying_one_against_one_is_left() {
    stands_still(3, &[Absent, Lying]);
}

#[test]
fn four_go_on_with_one_absent_or_one_lying() {
    goes_on(4, &[Absent]);
    goes_on(4, &[Lying]);
}

/// Two of four are no more than half while the absent one still has its seats. From the next session on it has none.
#[test]
fn four_go_on_with_one_absent_and_one_lying() {
    goes_on(4, &[Absent, Lying]);
}
