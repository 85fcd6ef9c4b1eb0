//! The off-chain worker: takes each local account's duty sheet to the local trainer, and puts what the trainer answers
//! on chain. A PC without a registered account gets a sheet, too, but one without duties: anyone may ask the models, and
//! the trainer learns from sheets which there are.
//!
//! It runs on best blocks, runs again after reorganisations, and remembers nothing but one thing: which extrinsic of
//! each account is in flight. Until that one is included, has expired or isn't owed any more, nothing else is sent for the account.

use alloc::{format, string::String, vec::Vec};
use codec::{Decode, Encode};
use frame_support::{
    BoundedVec,
    traits::{ConstU32, Get},
};
use frame_system::offchain::{AppCrypto, SubmitTransaction};
use hydra_primitives::{
    BlockNumber,
    duty::{
        DutyAnswer, DutyResult, DutySheet, MAX_RESULTS, NO_ACCOUNT, Standing, TRAINER_LINK_KEY, TrainerLink,
    },
    poll::OPENING_BLOCKS,
    traits::Polls as _,
};
use sp_runtime::{
    RuntimeAppPublic,
    offchain::storage::StorageValueRef,
    traits::{IdentifyAccount, UniqueSaturatedInto},
};

use crate::{
    Call, Config, Pallet,
    results::answers_the_same,
    trainer::{self, TrainerError},
};

/// Blocks after which an extrinsic in flight is given up. The runtime must sign with a mortality that ends not much later.
pub const IN_FLIGHT_BLOCKS: BlockNumber = 3;
/// What does not change from block to block is mentioned in the log every so many blocks.
const COMPLAIN_EVERY: BlockNumber = 15;
/// One submission may take this part of a block, so that a block has room for those of others.
const PART_OF_BLOCK: u64 = 8;

/// The extrinsic of an account that is under way.
#[derive(Encode, Decode)]
struct InFlight {
    nonce: u64,
    expires: BlockNumber,
    /// What is in it.
    results: Vec<DutyResult>,
    /// The run of the node that sent it: a later run's pool does not have it.
    started: u64,
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
            match Self::ask_trainer(&link, sheet) {
                Ok(answer) => Self::send(now, link.started, answer, public, account),
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
            if let Err(error) = Self::ask_trainer(&link, sheet) {
                error.tell(link.port, complain);
            }
        }
    }

    /// Asks the trainer, and once more if there are models that it doesn't know: then the sheet describes them.
    fn ask_trainer(link: &TrainerLink, mut sheet: DutySheet) -> Result<DutyAnswer, TrainerError> {
        let deadline = trainer::deadline();
        let answer = trainer::ask(link, &sheet, deadline)?;
        Self::describe(&mut sheet, &answer.unknown);
        if sheet.described.is_empty() {
            return Ok(answer);
        }
        Ok(trainer::ask(link, &sheet, deadline).unwrap_or_else(|error| {
            error.tell(link.port, false);
            answer
        }))
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
                    "account {account:?} is not registered, so this PC does not take part: call reputation.register for it"
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
        let notices = registered.iter().filter_map(|(_, account, sheet)| match sheet.standing {
            Standing::Unstaked => Some(format!(
                "account {account:?} has less bonded than the minimum stake, so this PC does not take part: call \
                 stakeVoting.bond for it"
            )),
            Standing::Paused => Some(format!(
                "account {account:?} is paused, so this PC takes on nothing new: call reputation.resume for it"
            )),
            _ => None,
        });
        RollCall {
            notices: notices.collect(),
            registered,
            onlooker: None,
        }
    }

    /// Of what the trainer answered, what is owed now, as much as goes into one submission. It may have answered an older sheet, and
    /// an opening that would decide nothing must not be shown.
    ///
    /// What isn't wholly owed isn't taken at all, and another account may open a poll first. So openings go with all else only in the block
    /// in which nobody else may send one. Later ones go by themselves, when nothing else is owed, or when the next block is the last that takes
    /// one.
    fn owed_results(
        now: BlockNumber,
        account: &T::AccountId,
        answer: DutyAnswer,
    ) -> BoundedVec<DutyResult, ConstU32<MAX_RESULTS>> {
        let (mut others, mut last, mut later) = (Vec::new(), Vec::new(), Vec::new());
        for result in answer.results {
            let until = match &result {
                DutyResult::Open { poll, .. } => T::Polls::may_open(poll, account).map(|(_, until)| until),
                _ => None,
            };
            match until {
                // Digests were closed in this block: one account may open already.
                Some(until) if now.saturating_add(OPENING_BLOCKS) > until => {
                    let group = if now.saturating_add(1) >= until {
                        &mut last
                    } else {
                        &mut later
                    };
                    group.push(result);
                }
                _ => others.push(result),
            }
        }
        [last, others, later]
            .into_iter()
            .map(|results| Self::fitting(account, results))
            .find(|results| !results.is_empty())
            .unwrap_or_default()
    }

    /// Those that are owed now, as many as go into one submission, each duty once.
    fn fitting(
        account: &T::AccountId,
        owed: Vec<DutyResult>,
    ) -> BoundedVec<DutyResult, ConstU32<MAX_RESULTS>> {
        let most = T::BlockWeights::get().max_block.saturating_div(PART_OF_BLOCK);
        let mut results: BoundedVec<DutyResult, _> = BoundedVec::new();
        for result in owed {
            if results.iter().any(|taken| answers_the_same(taken, &result))
                || !Self::is_owed(account, &result)
            {
                continue;
            }
            if results.try_push(result).is_err() {
                break;
            }
            if results.len() > 1 && !Self::weight_of(&results).all_lte(most) {
                results.pop();
            }
        }
        results
    }

    fn send(now: BlockNumber, started: u64, answer: DutyAnswer, public: T::Public, account: T::AccountId) {
        let results = Self::owed_results(now, &account, answer);
        if results.is_empty() {
            return;
        }
        // From state: the pool's view would count extrinsics that may never be included.
        let nonce = frame_system::Pallet::<T>::account_nonce(&account);
        let nonce_now: u64 = nonce.unique_saturated_into();
        let bytes: [u8; 32] = account.clone().into();
        let key = [b"hydra/in-flight/".as_slice(), bytes.as_slice()].concat();
        let slot = StorageValueRef::persistent(&key);
        // What isn't owed any more, such as an opening that another account was faster with, gets into no block.
        let is_under_way = |flight: &InFlight| {
            flight.started == started
                && flight.nonce >= nonce_now
                && now < flight.expires
                && Self::all_owed(&account, &flight.results)
        };
        // Several blocks' workers may be at this point at once: only the one whose write goes through may send.
        let claimed = slot.mutate::<InFlight, (), _>(|stored| match stored {
            Ok(Some(flight)) if is_under_way(&flight) => Err(()),
            _ => Ok(InFlight {
                nonce: nonce_now,
                expires: now.saturating_add(IN_FLIGHT_BLOCKS),
                results: results.to_vec(),
                started,
            }),
        });
        if claimed.is_err() {
            return;
        }
        let count = results.len();
        let call = Call::<T>::submit { results };
        let sent = T::create_signed_transaction::<T::AuthorityId>(call.into(), public, account, nonce)
            .map(SubmitTransaction::<T, Call<T>>::submit_transaction);
        match sent {
            Some(Ok(())) => log::debug!(target: "hydra::duties", "sent {count} results in block {now}"),
            failed => {
                // Nothing is under way: let the next block try again.
                StorageValueRef::persistent(&key).clear();
                if now.is_multiple_of(COMPLAIN_EVERY) {
                    log::warn!(target: "hydra::duties", "{count} results could not be sent in block {now}: {}",
                        if failed.is_none() { "the account's key is gone from the keystore" }
                        else { "the transaction pool refused them; they may have been overtaken" });
                }
            }
        }
    }
}
