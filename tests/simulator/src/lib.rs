//! The simulator: the chain's real runtime in one process, without consensus, and accounts that play by its rules or against
//! them. It shows what becomes of whom, and whether a fault that somebody claims is there.
//!
//! Must never have rules of its own: what a block takes, what an answer is worth and who is paid is the runtime's to say. Must
//! never depend on a clock, on the order of a hash map or on the machine: the same seed is the same run.
//!
//! Start with [`simulation`], a block and what everyone does after it, then [`strategy`], how accounts play. [`protocol`] is all
//! that knows the pallets; [`scenario`], [`report`] and [`figures`] are what the example `simulator` runs and prints, [`faults`] the plays
//! below, [`exact`] the sums that no simulation is long enough for.
//!
//! Ten thousand accounts are no more work than a hundred: in a block only those are asked who may owe something, as the chain's events
//! tell ([`protocol::Watch`]). Once a session everybody's time for a heartbeat is computed.
//!
//! ```text
//! cargo run --release -p hydra-simulator --example simulator -- --nodes 33 --hostile 0.33 --offline 0.15 --strategy lazy --rounds 1000
//! cargo run --release -p hydra-simulator --example simulator -- figures --minutes 30
//! cargo run --release -p hydra-simulator --example simulator -- faults
//! ```
//!
//! # What is not as on a real network
//!
//! One author makes all blocks; a strategy that withholds blocks decides, as often as its share of the nodes says, whether a block is made
//! or its slot stays empty, and one that censors leaves out as often what others owe. One that holds claims back knows
//! which blocks are its own, and what is drawn after each of them. Everything that is sent has arrived everywhere with the next block. Who works has the result at once, who is slow
//! after some blocks. Nothing is computed: a result is a symbol ([`symbol`]), and there is one right one. An honest node that is off at
//! times is off for ten minutes of 10 s blocks each time, drawn for each node, heartbeats included. All genesis nodes have the score of
//! founders, 0.9.
//!
//! # The faults of protocol 1
//!
//! What its pallets did, and the play that shows that today's don't; each is a test in `tests/all/faults.rs`.
//!
//! | fault | in protocol 1 | play | test |
//! |---|---|---|---|
//! | 1 | pay went by account: 29 accounts of 1 HYDRA took nearly nine tenths of it | four nodes with 100 HYDRA, one PC with 29 accounts of 1 | `pay_follows_weight_however_a_stake_is_split` |
//! | 1 | every round was paid, whatever was learnt | a model whose loss stays what it is | `a_model_that_learns_nothing_is_trained_and_paid_ever_more_slowly` |
//! | 2 | good votes outweighed forgeries, and the lazy let them be paid | one of 33 forges its tasks, ten are lazy | `forging_costs_more_than_it_brings_even_where_a_third_is_lazy` |
//! | 2 | one round took a newcomer from 0.10 to 0.74 | a newcomer among 32 | `a_newcomer_gains_weight_duty_by_duty` |
//! | 2 | decay took more failures away than a bad deed added | forty wrong results, then forty missed duties | `no_bad_deed_raises_a_score` |
//! | 3 | whoever accepted everything was paid as others were | four of twelve give what is claimed | `saying_yes_without_working_costs_stake` |
//! | 3 | the first attestation could be copied | four of twelve know the name of a version | `a_version_whose_name_is_known_can_not_be_attested_without_folding` |
//! | 3 | – | a proposer tells a false witness, and four believe it | `whoever_copies_a_witness_that_is_false_loses_to_who_told_it` |
//! | 4 | two against two attestations stopped a model for ever | the same, with a fifth that says nothing | `a_split_attestation_is_given_up_and_the_model_goes_on` |
//! | 4 | a thousandth of the weight decided between two halves | two of four attest falsely | `no_half_of_a_network_confirms_anything` |
//! | 4 | a round that came to nothing kept its seed | nobody can do a round's tasks; then the round beside a version that is given up | `a_round_that_comes_to_nothing_is_followed_by_one_with_other_seeds` |
//! | 5 | who never voted made everything undecided, at no cost | of 33, ten never verify, one contradicts all, three or four honest ones are off in turn | `silence_decides_nothing_and_costs_weight` |
//! | 6 | a phase that ended early blamed those on their way | one takes four blocks for everything | `whoever_is_in_time_is_not_blamed` |
//! | 7 | filled blocks voided a round for a fraction of a HYDRA | an outsider fills the blocks of verification | `filled_blocks_stop_no_duty` |
//! | 7 | what was lost on the way was held back for longer than the phase | a node's digests are lost | `a_lost_digest_is_sent_again_within_its_phase` |
//! | 8 | votes for one claim counted for another after a reorganisation | a proposer claims something else on the other branch | `what_was_found_on_one_branch_counts_on_no_other` |
//! | 8 | – | a proposer tries another claim, with all chance the same | `no_claim_changes_who_verifies_it` |
//! | 9 | nothing asked for the key of a PeerId | a stranger registers with another trainer's PeerId | `a_peer_id_is_registered_by_who_has_its_key` |
//! | 9 | a place cost a fee, and its work could be done long before | registrations without a bond, and of 300 blocks before | `a_registration_bonds_at_once_and_can_not_be_made_in_advance` |
//! | 10 | one round of the largest tasks minted some 7 % of the cap | tasks worth far more than anybody has bonded | `a_place_earns_no_more_than_its_bond_and_a_thousandth_of_the_bucket` |
//! | 10 | models with high numbers starved in full blocks | 16 models in full blocks | `every_model_has_its_turn_in_full_blocks` |
//! | 10 | each block of waiting paid for a move | a version waits for an attestation that never comes | `waiting_costs_next_to_nothing` |
//! | 11 | no storage versions | – | `every_pallet_says_which_version_its_storage_has` |
//! | 14 | sixteen drawn segments of thirty missed one forged step in six of ten tries | one of 33 forges one step | `one_forged_step_is_a_wrong_result` |
//!
//! Faults 12 and 13 are consensus's and the trainer's.

pub mod chain;
pub mod dice;
pub mod duty;
pub mod exact;
pub mod fact;
pub mod faults;
pub mod figures;
pub mod ledger;
pub mod pool;
pub mod protocol;
pub mod report;
pub mod scenario;
pub mod simulation;
pub mod strategy;
pub mod symbol;
