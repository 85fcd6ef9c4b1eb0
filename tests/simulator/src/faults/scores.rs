//! Faults 2, 6 and 14: what the score says, what it is taken down for, and what a forged step costs.

use hydra_primitives::{
    HYDRA,
    reputation::{Deed, NEWCOMER},
    traits::Nodes as _,
};
use hydra_runtime::Reputation;

use super::{Finding, blamed, forfeited, honest, hydra, identity, net, network, nodes, outsider, paid};
use crate::{
    chain::Applied,
    protocol,
    simulation::{Setup, Simulation},
    strategy::{Forging, Honest, Late, Lazy},
};

/// One of 33 forges every task and votes honestly, ten of the others give whatever is claimed.
pub fn forging() -> Finding {
    let mut simulation = network([
        nodes(1, |_| Forging::all()),
        nodes(10, |_| Lazy::everywhere()),
        honest(22),
    ]);
    let ended = simulation.rounds(6);
    let wrong = simulation.ledger().wrong;
    let (pay, lost) = (paid(&simulation, 0..1), forfeited(&simulation, 0..1));
    // Half of what the lazy forfeit goes to whoever verifies honestly, the forger among them.
    let (gained, others) = (net(&simulation, 0..1), net(&simulation, 11..33) / 22.0);
    let score = simulation.score(0);
    Finding {
        number: 2,
        test: "forging_costs_more_than_it_brings_even_where_a_third_is_lazy",
        seen: format!(
            "in {} rounds {} forged tasks were accepted and {} rejected; the forger was paid {:.2} HYDRA, forfeited {:.2}, gained \
             {gained:.2} where an honest one gained {others:.2}, and its score is {score:.2}",
            if ended { "6" } else { "fewer than 6" },
            wrong.accepted,
            wrong.rejected,
            hydra(pay),
            hydra(lost),
        ),
        is_gone: ended
            && wrong.accepted == 0
            && wrong.rejected > 0
            && lost >= HYDRA
            && gained < others
            && score < 0.9
            && forfeited(&simulation, 11..33) == 0,
    }
}

/// One of 33 forges one step of each of its tasks.
pub fn one_step() -> Finding {
    let mut simulation = network([nodes(1, |_| Forging::one_step()), honest(32)]);
    let ended = simulation.rounds(4);
    let wrong = simulation.ledger().wrong;
    let lost = forfeited(&simulation, 0..1);
    Finding {
        number: 14,
        test: "one_forged_step_is_a_wrong_result",
        seen: format!(
            "of tasks with one forged step {} were accepted and {} rejected, for {:.2} HYDRA",
            wrong.accepted,
            wrong.rejected,
            hydra(lost)
        ),
        is_gone: ended && wrong.accepted == 0 && wrong.rejected > 0 && lost >= HYDRA,
    }
}

/// Somebody registers among 32, and works honestly from its first session on.
pub fn newcomer() -> Finding {
    let members = [honest(32), vec![outsider(Honest::named("newcomer"))]];
    let mut simulation = Simulation::new(Setup {
        session: 24,
        ..Setup::of(members.into_iter().flatten().collect())
    });
    simulation.step();
    let call = identity::registration(&mut simulation, 32, 32, 0, HYDRA * 100);
    let registered = matches!(simulation.include(32, call), Applied::Included(Ok(())));
    let who = simulation.id(32);
    let takes_part = simulation.until(60, |simulation| simulation.read(|| protocol::takes_part(&who)));
    let before = simulation.score(32);
    let ended = simulation.rounds(3);
    let after = simulation.score(32);
    Finding {
        number: 2,
        test: "a_newcomer_gains_weight_duty_by_duty",
        seen: format!("three rounds take a newcomer from {before:.2} to {after:.2}"),
        is_gone: registered && takes_part && ended && before == 0.1 && (0.1..0.6).contains(&after),
    }
}

/// An account with many bad deeds does another one, at any score.
pub fn bad_deeds() -> Finding {
    let mut simulation = network([honest(4)]);
    let who = simulation.id(0);
    let rose = simulation.change(|| {
        let mut rose = 0;
        for deed in [Deed::Wrong, Deed::Missed] {
            for _ in 0..40 {
                let before = Reputation::score(&who);
                Reputation::finish(&who, Some(deed), 0);
                rose += u32::from(Reputation::score(&who) > before);
            }
        }
        rose
    });
    let newcomer = f64::from(NEWCOMER.deconstruct()) / 1e9;
    let score = simulation.score(0);
    Finding {
        number: 2,
        test: "no_bad_deed_raises_a_score",
        seen: format!(
            "of 40 wrong results and 40 missed duties one after the other {rose} raise the score, which ends at {score:.3}"
        ),
        is_gone: rose == 0 && score < newcomer,
    }
}

/// One of 33 takes four blocks for everything, where the others take one.
pub fn slow() -> Finding {
    let mut simulation = network([nodes(1, |_| Late::by(4)), honest(32)]);
    let before = simulation.score(0);
    let ended = simulation.rounds(6);
    let after = simulation.score(0);
    let blame = blamed(&simulation, 0..33);
    Finding {
        number: 6,
        test: "whoever_is_in_time_is_not_blamed",
        seen: format!(
            "one that takes four blocks of six for everything is blamed {blame} times in 6 rounds, and its score goes from \
             {before:.2} to {after:.2}"
        ),
        is_gone: ended && blame == 0 && after >= before,
    }
}
