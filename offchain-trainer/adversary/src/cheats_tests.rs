//! Every cheat is another result, or another digest, than the honest one: who does the task again sees it.

use super::*;
use clap::ValueEnum;
use hydra_engine::{Engine, EngineConfig, EngineError, TrainJob};
use hydra_primitives::{content_hash, digits::digits_spec, poll::digest};
use hydra_update::{GlobalState, digits};

/// Does a task, and hands it to `look` with what is claimed of it by each who proposes something.
fn with_claims(look: impl Fn(Cheat, &Engine, TrainJob, H256, Opening)) {
    let (engine, spec) = (Engine::new(EngineConfig::default()), digits_spec());
    let dataset = digits::import(digits::BUNDLED).unwrap();
    let base = GlobalState::initial(&spec).weights;
    let job = TrainJob {
        spec: &spec,
        kind: &dataset.manifest.kind,
        base: &base,
        shard: &dataset.shards[5],
        task_seed: H256::repeat_byte(3),
    };
    let honest = engine.train(job, |_| ()).unwrap();
    for cheat in Cheat::ALL {
        let train = || Ok::<_, EngineError>(honest.update.clone());
        if let Some(update) = cheat.propose(base.len(), train).unwrap() {
            look(
                cheat,
                &engine,
                job,
                content_hash(&update.encode()),
                honest.opening(),
            );
        }
    }
}

#[test]
fn who_does_the_task_again_finds_forged_updates_wrong_and_honest_ones_right() {
    with_claims(|cheat, engine, job, claim, honest| {
        let found = engine.verify(job, Some(claim), || true, |_| ());
        let found = found.unwrap().opening();
        assert_eq!(found, honest, "{cheat}");
        let forged = matches!(cheat, Cheat::ZeroUpdate | Cheat::ForgedUpdate);
        assert_eq!(found.finding != Finding::Update(claim), forged, "{cheat}");
    });
}

/// What a cheat says where this is claimed and that is the honest result.
fn said(cheat: Cheat, claim: Option<H256>, honest: Opening) -> Option<H256> {
    let said = cheat.say(claim, || Ok::<_, EngineError>(honest)).unwrap()?;
    let poll = H256::repeat_byte(9);
    Some(digest(&poll, &said.finding.result(), &said.witness, &[1; 32]))
}

#[test]
fn digests_of_liars_and_of_those_who_copy_do_not_match_the_honest_opening() {
    let claim = H256::repeat_byte(4);
    let honest = Opening {
        finding: Finding::Update(claim),
        witness: H256::repeat_byte(5),
    };
    for asked in [Some(claim), None] {
        let right = said(Cheat::Trickle, asked, honest);
        assert!(right.is_some());
        for cheat in [Cheat::Lie, Cheat::Copy] {
            assert_ne!(said(cheat, asked, honest), right, "{cheat}");
        }
        assert_ne!(said(Cheat::Lie, asked, honest), None);
        assert_eq!(said(Cheat::Silence, asked, honest), None);
    }
    assert_ne!(Cheat::FalseOpening.open(honest), honest);
    assert_eq!(Cheat::Trickle.open(honest), honest);
}

#[test]
fn a_cheat_is_called_the_same_on_the_command_line_and_in_what_is_printed() {
    for cheat in Cheat::ALL {
        let named = cheat.to_possible_value().unwrap();
        assert_eq!(named.get_name(), cheat.to_string());
    }
}
