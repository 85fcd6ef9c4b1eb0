//! Duty sheets, as a node would post them: what a trainer has to have, and who has it. There is no node in the laboratory's homes: what
//! its trainers do is hold a model's confirmed weights, and get them from each other.

use codec::{Decode, Encode};
use hydra_network::PeerId;
use hydra_primitives::{
    H256,
    digits::{DIGITS_INITIAL_WEIGHTS, digits_manifest, digits_spec},
    duty::{
        ConfirmedWeights, DUTY_PROTOCOL, DutyAnswer, DutySheet, ModelDescription, ModelDuties, NO_ACCOUNT,
        Standing,
    },
    status::Phase,
};

/// The model's number, and every PC's only one.
const MODEL: u32 = 0;

/// The weights' version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    /// What the model begins with: every trainer makes it by itself, and serves it.
    Initial,
    /// The same bytes as version 1. They can't be made, as far as a trainer knows: they have to be had from somebody.
    Next,
}

impl Version {
    pub(super) fn number(self) -> u32 {
        match self {
            Self::Initial => 0,
            Self::Next => 1,
        }
    }
}

/// The sheet that has a trainer hold this version, from these providers, at this block.
pub(super) fn sheet(version: Version, providers: &[PeerId], block: u32) -> Vec<u8> {
    let description = ModelDescription {
        model: MODEL,
        spec: digits_spec(),
        dataset: digits_manifest(),
    };
    let sheet = DutySheet {
        protocol: DUTY_PROTOCOL,
        genesis: H256::repeat_byte(0x1a),
        block,
        account: NO_ACCOUNT,
        standing: Standing::Unregistered,
        heartbeat: None,
        models: vec![ModelDuties {
            model: MODEL,
            description: description.id(),
            round: 0,
            phase: Phase::Pause,
            phase_ends_at: u32::MAX,
            confirmed: ConfirmedWeights {
                version: version.number(),
                weights: DIGITS_INITIAL_WEIGHTS,
                providers: providers.iter().map(|peer| peer.to_bytes()).collect(),
            },
            newest: None,
            duties: vec![],
        }],
        described: vec![description],
    };
    sheet.encode()
}

/// Whether this is what a trainer answers to such a sheet.
pub(super) fn is_answer(mut bytes: &[u8]) -> bool {
    DutyAnswer::decode(&mut bytes).is_ok_and(|answer| answer.unknown.is_empty())
}
