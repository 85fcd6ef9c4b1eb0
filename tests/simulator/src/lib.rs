//! The simulator: the chain's real runtime in one process, without consensus, and accounts that play by its rules or against
//! them. It shows what becomes of whom, and whether a fault that somebody claims is there.
//!
//! Must never have rules of its own: what a block takes, what an answer is worth and who is paid is the runtime's to say. Must
//! never depend on a clock, on the order of a hash map or on the machine: the same seed is the same run.
//!
//! Start with [`simulation`], a block and what everyone does after it, then [`strategy`], how accounts play. [`protocol`] is all
//! that knows the pallets; [`scenario`] and [`report`] are what the example `simulator` runs and prints, [`faults`] the plays below.
//!
//! ```text
//! cargo run --release -p hydra-simulator --example simulator -- --nodes 33 --hostile 0.33 --offline 0.15 --strategy lazy --rounds 1000
//! cargo run --release -p hydra-simulator --example simulator -- faults
//! ```
//!
//! # The faults of protocol 1
//!
//! What today's pallets do, each shown by a test in `tests/all/faults.rs`. Protocol 2 turns these tests round.
//!
//! | fault | play | what is seen | test |
//! |---|---|---|---|
//! | 1 | four nodes with 100 HYDRA, one PC with 29 accounts of 1 | pay goes by account (`settlement.rs:100`), so it takes nearly nine tenths of the emission with 7 % of the weight | `splitting_a_stake_multiplies_pay` |
//! | 1 | a model whose score stays what it is | every round is paid | `a_model_that_learns_nothing_is_paid_in_every_round` |
//! | 2 | one of 33 forges every task and votes honestly; then most verifiers are lazy | 32 good votes outweigh a forgery: its score settles at 0.6 to 0.7, by its place in the order of accounts, and the lazy let it be paid | `forging_every_round_settles_at_a_score_and_is_paid_when_verifiers_are_lazy` |
//! | 2 | a newcomer's first round among 33 | from 0.10 to about 0.74 | `a_newcomer_reaches_three_quarters_in_one_round` |
//! | 2 | a vote that isn't revealed, after 40 rejected proposals | decay takes more failures away than the deed adds (`reputation.rs:48`); the property test in that file leaves the case out | `more_bad_deeds_can_raise_the_score` |
//! | 3 | four of twelve accept whatever is claimed | they are paid as the others are, in HYDRA and shares (`settlement.rs:152`) | `always_accepting_earns_as_much_as_working` |
//! | 3 | the same four attest what another one has | each version is attested by them, without a fold | `the_first_attestation_can_be_copied` |
//! | 4 | two of five attest one version, two another, one none | neither side is enough (`confirmation.rs:46`), and nobody may change his (`lib.rs:512`): the model stands still for ever | `two_to_two_attestations_stop_a_model_for_ever` |
//! | 4 | two of four attest falsely | **not** a standstill: whose proposal is settled later weighs a little more, and a thousandth of the weight confirms the wrong version | `a_thousandth_of_the_weight_decides_between_two_halves` |
//! | 4 | a round in which nobody can propose | it is extended with the seed it has (`rounds.rs:256`) | `an_extended_round_keeps_the_seed_on_which_every_task_diverges` |
//! | 5 | of 33, 10 never vote, one votes against all, three or four of 22 honest ones are off in turn | nothing reaches two thirds (`tally.rs:79`), nobody is blamed. With nine that abstain instead of ten the proposals of these are decided, and the weight of those who vote grows | `abstaining_makes_everything_undecided` |
//! | 6 | a node that nobody waits for reveals a block late in a phase of four that has ended after one | it did not reveal, 32 times over: from 0.85 to under 0.5. It concerns those who kept others waiting before: for all others a phase waits to its end (`is_complete`) | `an_early_end_blames_those_on_their_way` |
//! | 7 | an outsider fills the blocks of Reveal | the round is void for a fraction of a HYDRA, and all who committed are blamed | `filled_blocks_void_a_round` |
//! | 7 | a node's reveals are lost on their way | they are held back for six blocks (`offchain.rs:30`), and the phase has four | `a_lost_reveal_is_not_sent_again_before_the_phase_is_over` |
//! | 8 | a proposer claims something else after three blocks were taken back | the commitments that were made for its first claim name model, round and proposer only (`proposal.rs:34`), so honest votes accept the second. The trainer reveals by commitment (`votes.rs:51`), too | `a_commitment_made_for_one_claim_counts_for_another_after_a_reorganisation` |
//! | 9 | a stranger registers with another trainer's PeerId | nothing asks for its key | `a_peer_id_can_be_taken_without_its_key` |
//! | 9 | an account without a stake takes the last place | others are refused for 100 blocks, for one fee. Its proof of work names no block, so it may be found long before | `a_place_is_squatted_for_the_fee_of_a_registration` |
//! | 10 | the largest task that `validate` takes | **not** at once any more: work and phases are bounded (`model.rs:34`, `model.rs:37`, `model.rs:373`), and a saturating spec is refused; but a round of 33 nodes on the largest mints some 7 % of the cap | `validate_lets_a_spec_mint_the_cap` |
//! | 10 | 16 models in full blocks | `advance_all` begins with model 0 (`rounds.rs:122`): the last are left to the fallback, two blocks late. Not so in blocks with room | `models_with_high_numbers_starve_in_full_blocks` |
//! | 10 | a model that waits for a confirmation | each block pays for a move that doesn't take place (`rounds.rs:167`) | `waiting_for_a_confirmation_costs_as_much_as_moving` |
//! | 11 | – | no storage versions. Weights are literals (`#[pallet::weight(Weight::from_parts(…))]`), and there are no benchmarks: nothing that a simulation without a clock could show. The API of try-runtime **is** there, as a feature (`runtime/src/apis.rs:256`) | `no_pallet_says_which_version_its_storage_has` |
//!
//! Faults 12 to 14 are consensus's, the trainer's, and of an arithmetic that needs no simulation: with 33 nodes everyone repeats
//! the whole task.

pub mod chain;
pub mod dice;
pub mod duty;
pub mod fact;
pub mod faults;
pub mod ledger;
pub mod pool;
pub mod protocol;
pub mod report;
pub mod scenario;
pub mod simulation;
pub mod strategy;
pub mod symbol;
