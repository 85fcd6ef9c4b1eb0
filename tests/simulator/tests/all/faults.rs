//! The faults of protocol 1, as they are today. Protocol 2 turns these tests round, one by one: where they say that a fault is there,
//! they will say that it is gone.

use hydra_simulator::faults::{self, Finding};

fn is_there(finding: Finding) {
    assert!(finding.is_there, "{finding}");
}

#[test]
fn splitting_a_stake_multiplies_pay() {
    is_there(faults::split_stake());
}

#[test]
fn a_model_that_learns_nothing_is_paid_in_every_round() {
    is_there(faults::endless_emission());
}

#[test]
fn forging_every_round_settles_at_a_score_and_is_paid_when_verifiers_are_lazy() {
    is_there(faults::forging());
}

#[test]
fn a_newcomer_reaches_three_quarters_in_one_round() {
    is_there(faults::newcomer());
}

#[test]
fn more_bad_deeds_can_raise_the_score() {
    is_there(faults::bad_deeds());
}

#[test]
fn always_accepting_earns_as_much_as_working() {
    is_there(faults::always_accepting());
}

#[test]
fn the_first_attestation_can_be_copied() {
    is_there(faults::copied_attestations());
}

#[test]
fn two_to_two_attestations_stop_a_model_for_ever() {
    is_there(faults::two_to_two());
}

#[test]
fn a_thousandth_of_the_weight_decides_between_two_halves() {
    is_there(faults::near_tie());
}

#[test]
fn an_extended_round_keeps_the_seed_on_which_every_task_diverges() {
    is_there(faults::kept_seed());
}

#[test]
fn abstaining_makes_everything_undecided() {
    is_there(faults::abstaining());
}

#[test]
fn an_early_end_blames_those_on_their_way() {
    is_there(faults::early_end());
}

#[test]
fn filled_blocks_void_a_round() {
    is_there(faults::filled_blocks());
}

#[test]
fn a_lost_reveal_is_not_sent_again_before_the_phase_is_over() {
    is_there(faults::lost_reveal());
}

#[test]
fn a_commitment_made_for_one_claim_counts_for_another_after_a_reorganisation() {
    is_there(faults::reorganised_commitment());
}

#[test]
fn a_peer_id_can_be_taken_without_its_key() {
    is_there(faults::taken_peer_id());
}

#[test]
fn a_place_is_squatted_for_the_fee_of_a_registration() {
    is_there(faults::squatted_place());
}

#[test]
fn validate_lets_a_spec_mint_the_cap() {
    is_there(faults::largest_spec());
}

#[test]
fn models_with_high_numbers_starve_in_full_blocks() {
    is_there(faults::starving_models());
}

#[test]
fn waiting_for_a_confirmation_costs_as_much_as_moving() {
    is_there(faults::waiting_weight());
}

#[test]
fn no_pallet_says_which_version_its_storage_has() {
    is_there(faults::storage_versions());
}

/// What a play says of itself is the name of the test above.
#[test]
fn every_play_has_its_test() {
    let tests = include_str!("faults.rs");
    let plays = [
        ("src/faults/blocks.rs", include_str!("../../src/faults/blocks.rs")),
        (
            "src/faults/branches.rs",
            include_str!("../../src/faults/branches.rs"),
        ),
        (
            "src/faults/identity.rs",
            include_str!("../../src/faults/identity.rs"),
        ),
        (
            "src/faults/laziness.rs",
            include_str!("../../src/faults/laziness.rs"),
        ),
        ("src/faults/money.rs", include_str!("../../src/faults/money.rs")),
        ("src/faults/scores.rs", include_str!("../../src/faults/scores.rs")),
        (
            "src/faults/standstill.rs",
            include_str!("../../src/faults/standstill.rs"),
        ),
        ("src/faults/upkeep.rs", include_str!("../../src/faults/upkeep.rs")),
    ];
    let mut found = 0;
    for (file, source) in plays {
        for rest in source.split("test: \"").skip(1) {
            let name = rest.split('"').next().unwrap_or_default();
            assert!(tests.contains(&format!("fn {name}()")), "{file}: {name}");
            found += 1;
        }
    }
    assert_eq!(found, faults::ALL.len());
}
