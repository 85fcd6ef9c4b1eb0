//! The off-chain worker: takes each local account's duty sheet to the local trainer, and puts what the trainer answers
//! on chain. A PC without a registered account gets a sheet, too, but one without duties: anyone may ask the models, and
//! the trainer learns from sheets which there are.
//!
//! It runs on best blocks, runs again after reorganisations, and remembers nothing but one thing: which extrinsic of
//! each account is in flight. Until that one is included or has expired, nothing else is sent for the account. It must
//! never block for longer than [`TRAINER_DEADLINE_MS`], and never trust what it reads from the port without a valid tag.

use alloc::{format, string::String, vec::Vec};
use codec::{Decode, Encode};
use frame_system::offchain::{AppCrypto, SubmitTransaction};
use hydra_primitives::{
    BlockNumber,
    duty::{
        DUTIES_PATH, Duty, DutyAnswer, DutyResult, DutySheet, MAX_BODY, NO_ACCOUNT, Standing, TAG_HEADER,
        TRAINER_LINK_KEY, TrainerLink, answer_tag, request_tag, tags_equal,
    },
};
use sp_runtime::{
    RuntimeAppPublic,
    offchain::{Duration, http, storage::StorageValueRef},
    traits::{IdentifyAccount, UniqueSaturatedInto},
};

use crate::{Call, Config, Pallet};

/// The longest the trainer may take to answer: it answers at once with what it has.
const TRAINER_DEADLINE_MS: u64 = 1_500;
/// Blocks after which an extrinsic in flight is given up. The runtime must sign with a mortality that ends by then.
pub const IN_FLIGHT_BLOCKS: BlockNumber = 6;
/// What does not change from block to block is mentioned in the log every so many blocks.
const COMPLAIN_EVERY: BlockNumber = 15;

/// Makes one call of several results: the runtime's `utility.force_batch`, so that one that fails does not stop the
/// others.
pub trait BatchResults<RuntimeCall> {
    /// The one call that puts all of `results` on chain, in their order.
    fn batch(results: Vec<DutyResult>) -> RuntimeCall;
}

/// The extrinsic of an account that is under way.
#[derive(Encode, Decode)]
struct InFlight {
    nonce: u64,
    expires: BlockNumber,
    /// The run of the node that sent it: a later run's pool does not have it.
    started: u64,
}

/// Why a duty sheet brought no results.
#[derive(Debug)]
enum TrainerError {
    Unreachable,
    Slow,
    Refused(u16, String),
    BadTag,
    TooLarge,
    Undecodable,
}

impl TrainerError {
    /// A trainer that isn't there is mentioned only now and then: it may well have been left out on purpose.
    fn tell(&self, port: u16, complain: bool) {
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

/// The accounts whose keys this PC has, at one block.
pub(crate) struct RollCall<T: Config> {
    /// Those that are registered, each with its sheet.
    registered: Vec<(T::Public, T::AccountId, DutySheet)>,
    /// The sheet without duties, where none is.
    onlooker: Option<DutySheet>,
    /// Why this PC does not take part, a sentence per account.
    pub(crate) notices: Vec<String>,
}

impl<T: Config> Pallet<T> {
    pub(crate) fn run_duties(now: BlockNumber) {
        let link = match StorageValueRef::persistent(TRAINER_LINK_KEY).get::<TrainerLink>() {
            Ok(Some(link)) => link,
            _ => return,
        };
        let complain = now.is_multiple_of(COMPLAIN_EVERY);
        let local = Self::roll_call();
        for notice in local.notices.iter().filter(|_| complain) {
            log::info!(target: "hydra::duties", "{notice}");
        }
        for (public, account, sheet) in local.registered {
            match ask_trainer(&link, &sheet) {
                Ok(answer) => Self::submit(now, link.started, &sheet, answer, public, account),
                Err(error) => {
                    error.tell(link.port, complain);
                    // The other keys have the same trainer: one wait per block is enough.
                    if matches!(error, TrainerError::Unreachable | TrainerError::Slow) {
                        break;
                    }
                }
            }
        }
        if let Some(sheet) = local.onlooker {
            // Whatever is answered: nothing is owed.
            if let Err(error) = ask_trainer(&link, &sheet) {
                error.tell(link.port, complain);
            }
        }
    }

    /// Which local accounts take part. Beside one that does, those that are not registered don't matter.
    pub(crate) fn roll_call() -> RollCall<T> {
        type AppPublic<T> = <<T as Config>::AuthorityId as AppCrypto<
            <T as frame_system::offchain::SigningTypes>::Public,
            <T as frame_system::offchain::SigningTypes>::Signature,
        >>::RuntimeAppPublic;
        type Generic<T> = <<T as Config>::AuthorityId as AppCrypto<
            <T as frame_system::offchain::SigningTypes>::Public,
            <T as frame_system::offchain::SigningTypes>::Signature,
        >>::GenericPublic;
        let mut sheets: Vec<_> = AppPublic::<T>::all()
            .into_iter()
            .map(|key| {
                let public: T::Public = Generic::<T>::from(key).into();
                let account = public.clone().into_account();
                let sheet = Self::duty_sheet(&account);
                (public, account, sheet)
            })
            .collect();
        // Keystores name them in any order; the onlooker's sheet must be of the same account in every block.
        sheets.sort_by(|(_, a, _), (_, b, _)| a.cmp(b));
        let (registered, strangers): (Vec<_>, Vec<_>) = sheets
            .into_iter()
            .partition(|(_, _, sheet)| sheet.standing != Standing::Unregistered);
        if registered.is_empty() {
            let notices = strangers.iter().map(|(_, account, _)| {
                format!(
                    "account {account:?} is not registered, so this PC does not take part: call reputation.register and \
                     stakeVoting.bond for it"
                )
            });
            let notices = notices.collect();
            let first = strangers.into_iter().next();
            let onlooker = first.map_or_else(|| Self::duty_sheet(&NO_ACCOUNT.into()), |(_, _, sheet)| sheet);
            return RollCall {
                registered,
                onlooker: Some(onlooker),
                notices,
            };
        }
        let unstaked = registered
            .iter()
            .filter(|(_, _, sheet)| sheet.standing == Standing::Unstaked);
        let notices = unstaked.map(|(_, account, _)| {
            format!(
                "account {account:?} has not bonded the minimum stake, so this PC does not take part: call \
                 stakeVoting.bond for it"
            )
        });
        RollCall {
            notices: notices.collect(),
            registered,
            onlooker: None,
        }
    }

    fn submit(
        now: BlockNumber,
        started: u64,
        sheet: &DutySheet,
        answer: DutyAnswer,
        public: T::Public,
        account: T::AccountId,
    ) {
        let results: Vec<_> = answer
            .results
            .into_iter()
            .filter(|result| is_owed(sheet, result))
            .collect();
        if results.is_empty() {
            return;
        }
        // From state: the pool's view would count extrinsics that may never be included.
        let nonce = frame_system::Pallet::<T>::account_nonce(&account);
        let nonce_now: u64 = nonce.unique_saturated_into();
        let key = [b"hydra/in-flight/".as_slice(), sheet.account.as_slice()].concat();
        let slot = StorageValueRef::persistent(&key);
        // Several blocks' workers may be at this point at once: only the one whose write goes through may send.
        let claimed = slot.mutate::<InFlight, (), _>(|stored| match stored {
            Ok(Some(flight))
                if flight.started == started && flight.nonce >= nonce_now && now < flight.expires =>
            {
                Err(())
            }
            _ => Ok(InFlight {
                nonce: nonce_now,
                expires: now.saturating_add(IN_FLIGHT_BLOCKS),
                started,
            }),
        });
        if claimed.is_err() {
            return;
        }
        let count = results.len();
        let call = T::BatchResults::batch(results);
        let sent = T::create_signed_transaction::<T::AuthorityId>(call, public, account, nonce)
            .map(SubmitTransaction::<T, Call<T>>::submit_transaction);
        match sent {
            Some(Ok(())) => log::debug!(target: "hydra::duties", "sent {count} results in block {now}"),
            failed => {
                // Nothing is under way: let the next block try again.
                StorageValueRef::persistent(&key).clear();
                if now.is_multiple_of(COMPLAIN_EVERY) {
                    log::warn!(target: "hydra::duties", "{count} results could not be sent in block {now}: {}",
                        if failed.is_none() { "the account's key is gone from the keystore" }
                        else { "the transaction pool refused them; does the account own enough HYDRA for the fee?" });
                }
            }
        }
    }
}

/// Whether the sheet asks for this result. The trainer is trusted, but may answer an older sheet.
fn is_owed(sheet: &DutySheet, result: &DutyResult) -> bool {
    sheet.models.iter().any(|m| {
        m.duties.iter().any(|duty| match (duty, result) {
            (
                Duty::Attest,
                DutyResult::Attest {
                    model,
                    version,
                    recipe,
                    ..
                },
            ) => m.model == *model && m.version.version == *version && m.version.id() == *recipe,
            (
                Duty::Train {
                    task_seed: wanted, ..
                },
                DutyResult::Propose {
                    model,
                    round,
                    task_seed,
                    ..
                },
            ) => m.model == *model && m.round == *round && wanted == task_seed,
            (Duty::Verify(verify), DutyResult::CommitVote { key, .. }) => verify.key == *key,
            (Duty::Reveal { verify, .. }, DutyResult::RevealVote { key, .. }) => verify.key == *key,
            _ => false,
        })
    })
}

fn ask_trainer(link: &TrainerLink, sheet: &DutySheet) -> Result<DutyAnswer, TrainerError> {
    let body = sheet.encode();
    let tag = request_tag(&link.token, &body);
    let url = format!("http://127.0.0.1:{}{DUTIES_PATH}", link.port);
    let deadline = sp_io::offchain::timestamp().add(Duration::from_millis(TRAINER_DEADLINE_MS));
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
