//! The faults of protocol 1: that they are gone, one by one.

use hydra_simulator::faults::{self, Finding};

fn is_gone(finding: Finding) {
    assert!(finding.is_gone, "{finding}");
}

#[test]
fn pay_follows_weight_however_a_stake_is_split() {
    is_gone(faults::split_stake());
}

#[test]
fn a_model_that_learns_nothing_is_trained_and_paid_ever_more_slowly() {
    is_gone(faults::endless_emission());
}

#[test]
fn forging_costs_more_than_it_brings_even_where_a_third_is_lazy() {
    is_gone(faults::forging());
}

#[test]
fn a_newcomer_gains_weight_duty_by_duty() {
    is_gone(faults::newcomer());
}

#[test]
fn no_bad_deed_raises_a_score() {
    is_gone(faults::bad_deeds());
}

#[test]
fn saying_yes_without_working_costs_stake() {
    is_gone(faults::always_accepting());
}

#[test]
fn a_version_whose_name_is_known_can_not_be_attested_without_folding() {
    is_gone(faults::copied_versions());
}

#[test]
fn whoever_copies_a_witness_that_is_false_loses_to_who_told_it() {
    is_gone(faults::false_witness());
}

#[test]
fn a_split_attestation_is_given_up_and_the_model_goes_on() {
    is_gone(faults::two_to_two());
}

#[test]
fn no_half_of_a_network_confirms_anything() {
    is_gone(faults::near_tie());
}

#[test]
fn a_round_that_comes_to_nothing_is_followed_by_one_with_other_seeds() {
    is_gone(faults::kept_seed());
}

#[test]
fn silence_decides_nothing_and_costs_weight() {
    is_gone(faults::abstaining());
}

#[test]
fn whoever_is_in_time_is_not_blamed() {
    is_gone(faults::slow());
}

#[test]
fn filled_blocks_stop_no_duty() {
    is_gone(faults::filled_blocks());
}

#[test]
fn a_lost_digest_is_sent_again_within_its_phase() {
    is_gone(faults::lost_digest());
}

#[test]
fn what_was_found_on_one_branch_counts_on_no_other() {
    is_gone(faults::reorganised_digest());
}

#[test]
fn no_claim_changes_who_verifies_it() {
    is_gone(faults::ground_claims());
}

#[test]
fn a_peer_id_is_registered_by_who_has_its_key() {
    is_gone(faults::taken_peer_id());
}

#[test]
fn a_registration_bonds_at_once_and_can_not_be_made_in_advance() {
    is_gone(faults::squatted_place());
}

#[test]
fn a_place_earns_no_more_than_its_bond_and_a_thousandth_of_the_bucket() {
    is_gone(faults::largest_spec());
}

#[test]
fn every_model_has_its_turn_in_full_blocks() {
    is_gone(faults::starving_models());
}

#[test]
fn waiting_costs_next_to_nothing() {
    is_gone(faults::waiting_weight());
}

#[test]
fn every_pallet_says_which_version_its_storage_has() {
    is_gone(faults::storage_versions());
}

#[test]
fn one_forged_step_is_a_wrong_result() {
    is_gone(faults::one_step());
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
