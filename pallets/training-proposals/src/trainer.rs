//! Takes a duty sheet to the local trainer, over HTTP on the loopback address, and brings back its answer.
//!
//! Must never block for longer than [`TRAINER_DEADLINE_MS`], and never trust what it reads from the port without a valid tag.

use alloc::{format, string::String, vec::Vec};
use codec::{Decode, Encode};
use hydra_primitives::duty::{
    DUTIES_PATH, DutyAnswer, DutySheet, MAX_BODY, TAG_HEADER, TrainerLink, answer_tag, request_tag,
    tags_equal,
};
use sp_runtime::offchain::{Duration, Timestamp, http};

/// The longest the trainer may take to answer, both times together if it is asked twice: it answers at once with what it has.
const TRAINER_DEADLINE_MS: u64 = 1_500;

/// Why a duty sheet brought no results.
#[derive(Debug)]
pub(crate) enum TrainerError {
    Unreachable,
    Slow,
    Refused(u16, String),
    BadTag,
    TooLarge,
    Undecodable,
}

impl TrainerError {
    /// A trainer that isn't there is mentioned only now and then: it may well have been left out on purpose.
    pub(crate) fn tell(&self, port: u16, complain: bool) {
        if complain || !matches!(self, Self::Unreachable) {
            log::warn!(target: "hydra::duties", "{}", self.sentence(port));
        }
    }

    fn sentence(&self, port: u16) -> String {
        match self {
            Self::Unreachable => format!(
                "no trainer answers on 127.0.0.1:{port}; start hydra-trainer with --http-port {port}. The node goes on \
                 without training"
            ),
            Self::Slow => {
                format!("the trainer on 127.0.0.1:{port} took over {TRAINER_DEADLINE_MS} ms to answer")
            }
            Self::Refused(401, _) => format!(
                "the trainer on 127.0.0.1:{port} does not accept our token; give node and trainer the same token file"
            ),
            Self::Refused(code, why) => {
                format!("the trainer on 127.0.0.1:{port} refused the duty sheet ({code}): {why}")
            }
            Self::BadTag => format!(
                "what answers on 127.0.0.1:{port} does not know our token, so it is not our trainer; its answer is ignored"
            ),
            Self::TooLarge => format!("the trainer on 127.0.0.1:{port} answered more than {MAX_BODY} bytes"),
            Self::Undecodable => {
                format!(
                    "the answer of the trainer on 127.0.0.1:{port} can't be decoded; is it of the same release?"
                )
            }
        }
    }
}

/// When a conversation that begins now has to be over.
pub(crate) fn deadline() -> Timestamp {
    sp_io::offchain::timestamp().add(Duration::from_millis(TRAINER_DEADLINE_MS))
}

/// Posts the sheet and waits for the answer, until `deadline` at the most.
pub(crate) fn ask(
    link: &TrainerLink,
    sheet: &DutySheet,
    deadline: Timestamp,
) -> Result<DutyAnswer, TrainerError> {
    let body = sheet.encode();
    let tag = request_tag(&link.token, &body);
    let url = format!("http://127.0.0.1:{}{DUTIES_PATH}", link.port);
    let response = http::Request::post(&url, alloc::vec![body])
        .add_header(TAG_HEADER, &to_hex(&tag))
        .add_header("content-type", "application/octet-stream")
        .deadline(deadline)
        .send()
        .map_err(|_| TrainerError::Unreachable)?
        .try_wait(deadline)
        .map_err(|_| TrainerError::Slow)?
        .map_err(|_| TrainerError::Unreachable)?;
    let code = response.code;
    let mut response = response;
    let answered = response.headers().find(TAG_HEADER).and_then(from_hex);
    let mut body = Vec::new();
    let mut stream = response.body();
    stream.deadline(Some(deadline));
    for byte in &mut stream {
        if body.len() >= MAX_BODY {
            return Err(TrainerError::TooLarge);
        }
        body.push(byte);
    }
    if stream.error().is_some() {
        return Err(TrainerError::Slow);
    }
    if code != 200 {
        let why = String::from_utf8_lossy(body.get(..body.len().min(200)).unwrap_or_default()).into_owned();
        return Err(TrainerError::Refused(code, why));
    }
    match answered {
        Some(answered) if tags_equal(&answered, &answer_tag(&link.token, &tag, &body)) => {}
        _ => return Err(TrainerError::BadTag),
    }
    DutyAnswer::decode(&mut body.as_slice()).map_err(|_| TrainerError::Undecodable)
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(text: &str) -> Option<[u8; 32]> {
    let digits = text.as_bytes();
    let mut bytes = [0u8; 32];
    if digits.len() != 64 {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = u8::from_str_radix(core::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}
