//! What a chain's events say happened, understood through its metadata.
//!
//! An event that isn't understood, of a later runtime perhaps, is no error: then nothing is said of it.

use hydra_primitives::{
    AccountBytes, Balance,
    proposal::Score,
    status::{Outcome, Phase, Waiting},
};
use subxt::{events::Event, ext::scale_decode::DecodeAsFields};

use super::{Config, happening::Happening};

/// What events say, as far as it is told: each of these is for those that have all its fields.
// The derive's own import of that path is unused in what it makes of a struct without generics.
#[allow(unused_imports)]
mod fields {
    use subxt::{ext::scale_decode::DecodeAsType, utils::AccountId32};

    macro_rules! of_events {
        ($($name:ident { $($field:ident: $kind:ty),* })*) => {
            $(
                #[derive(DecodeAsType)]
                #[decode_as_type(crate_path = "subxt::ext::scale_decode")]
                pub struct $name {
                    $(pub $field: $kind,)*
                }
            )*
        };
    }

    of_events! {
        Who { who: AccountId32 }
        WhoAmount { who: AccountId32, amount: u128 }
        Unbonding { who: AccountId32, amount: u128, until: u32 }
        Left { until: Option<u32> }
        Key { round: u32 }
        Proposed { place: Key, who: AccountId32 }
        Settled { place: Key, holder: AccountId32, outcome: Outcome, forfeited: u128 }
        OfRound { round: u32 }
        Opened { round: u32, places: u32 }
        Waits { round: u32, reason: Reason }
        Extended { round: u32, ends_at: u32 }
        Ended { round: u32, accepted: u32, places: u32 }
        Moved { round: u32, phase: Step }
        Scored { correct: u32, total: u32, loss: u32 }
        Confirmed { version: u32, score: Scored }
        OfVersion { version: u32 }
        OfModel { model: u32 }
        Drawn { seats: u32, accounts: u32 }
        Judged { who: AccountId32, verdict: Verdict }
        Session { session_index: u32 }
        Stays { found: u32, present: u32 }
        Sent { from: AccountId32, to: AccountId32, amount: u128 }
    }

    #[derive(DecodeAsType)]
    #[decode_as_type(crate_path = "subxt::ext::scale_decode")]
    pub enum Outcome {
        Accepted,
        Rejected,
        Undecided,
        Dropped,
    }

    #[derive(DecodeAsType)]
    #[decode_as_type(crate_path = "subxt::ext::scale_decode")]
    pub enum Reason {
        Participants,
        Room,
        Progress,
        Turn,
        Payer,
    }

    #[derive(DecodeAsType)]
    #[decode_as_type(crate_path = "subxt::ext::scale_decode")]
    pub enum Step {
        Pause,
        Train,
        Verify,
    }

    #[derive(DecodeAsType)]
    #[decode_as_type(crate_path = "subxt::ext::scale_decode")]
    pub enum Verdict {
        Right,
        Wrong,
        Missed,
    }
}

fn decode<T: DecodeAsFields>(event: &Event<'_, Config>) -> Option<T> {
    event.decode_fields_unchecked_as::<T>().ok()
}

/// What an event says happened; `None` for those that repeat others, are of no interest to people, or aren't understood.
pub(super) fn read(event: &Event<'_, Config>) -> Option<Happening> {
    match event.pallet_name() {
        "TrainingProposals" => of_training(event),
        "StakeVoting" => of_stakes(event),
        "HydraToken" => of_token(event),
        "Reputation" => of_nodes(event),
        "Session" if event.event_name() == "NewSession" => {
            let fields::Session { session_index } = decode(event)?;
            Some(Happening::Session {
                session: session_index,
            })
        }
        "Balances" if event.event_name() == "Transfer" => {
            let fields::Sent { from, to, amount } = decode(event)?;
            Some(Happening::Sent {
                from: from.0,
                to: to.0,
                amount,
            })
        }
        _ => None,
    }
}

fn of_training(event: &Event<'_, Config>) -> Option<Happening> {
    Some(match event.event_name() {
        "RoundOpened" => {
            let fields::Opened { round, places } = decode(event)?;
            Happening::Opened { round, places }
        }
        "RoundWaits" => {
            let fields::Waits { round, reason } = decode(event)?;
            let reason = match reason {
                fields::Reason::Participants => Waiting::Participants,
                fields::Reason::Room => Waiting::Room,
                fields::Reason::Progress => Waiting::Progress,
                fields::Reason::Turn => Waiting::Turn,
                fields::Reason::Payer => Waiting::Payer,
            };
            Happening::Waits { round, reason }
        }
        "Proposed" => {
            let fields::Proposed { place, who } = decode(event)?;
            Happening::Proposed {
                who: who.0,
                round: place.round,
            }
        }
        "PhaseChanged" => {
            let fields::Moved { round, phase } = decode(event)?;
            let phase = match phase {
                fields::Step::Pause => Phase::Pause,
                fields::Step::Train => Phase::Train,
                fields::Step::Verify => Phase::Verify,
            };
            Happening::Moved { round, phase }
        }
        "RoundExtended" => {
            let fields::Extended { round, ends_at } = decode(event)?;
            Happening::Extended {
                round,
                until: ends_at,
            }
        }
        "PlaceSettled" => {
            let settled: fields::Settled = decode(event)?;
            let outcome = match settled.outcome {
                fields::Outcome::Accepted => Outcome::Accepted,
                fields::Outcome::Rejected => Outcome::Rejected,
                fields::Outcome::Undecided => Outcome::Undecided,
                fields::Outcome::Dropped => Outcome::Dropped,
            };
            Happening::Settled {
                who: settled.holder.0,
                round: settled.place.round,
                outcome,
                forfeited: settled.forfeited,
            }
        }
        "RoundSettled" => {
            let fields::Ended {
                round,
                accepted,
                places,
            } = decode(event)?;
            Happening::Ended {
                round,
                accepted,
                places,
            }
        }
        "RoundDropped" => {
            let fields::OfRound { round } = decode(event)?;
            Happening::Dropped { round }
        }
        "VersionConfirmed" => {
            let fields::Confirmed { version, score } = decode(event)?;
            let score = Score {
                correct: score.correct,
                total: score.total,
                loss: score.loss,
            };
            Happening::Confirmed { version, score }
        }
        "VersionGivenUp" => {
            let fields::OfVersion { version } = decode(event)?;
            Happening::GivenUp { version }
        }
        "ResultRefused" => Happening::Refused { who: who(event)? },
        "ModelAdded" => {
            let fields::OfModel { model } = decode(event)?;
            Happening::Added { model }
        }
        _ => return None,
    })
}

fn of_stakes(event: &Event<'_, Config>) -> Option<Happening> {
    Some(match event.event_name() {
        "Bonded" => {
            let (who, amount) = who_amount(event)?;
            Happening::Bonded { who, amount }
        }
        "Unbonding" => {
            let fields::Unbonding { who, amount, until } = decode(event)?;
            Happening::Unbonding {
                who: who.0,
                amount,
                until,
            }
        }
        "Withdrawn" => {
            let (who, amount) = who_amount(event)?;
            Happening::Withdrawn { who, amount }
        }
        "Forfeited" => {
            let (who, amount) = who_amount(event)?;
            Happening::Forfeited { who, amount }
        }
        "SeatsDrawn" => {
            let fields::Drawn { seats, accounts } = decode(event)?;
            Happening::Drawn { seats, accounts }
        }
        "CommitteeStays" => {
            let fields::Stays { found, present } = decode(event)?;
            Happening::CommitteeStays { found, present }
        }
        "DigestGiven" => Happening::Given { who: who(event)? },
        "PollOpened" => Happening::Shown { who: who(event)? },
        "SeatJudged" => {
            let fields::Judged { who, verdict } = decode(event)?;
            match verdict {
                fields::Verdict::Wrong => Happening::Wrong { who: who.0 },
                fields::Verdict::Missed => Happening::Missed { who: who.0 },
                fields::Verdict::Right => return None,
            }
        }
        _ => return None,
    })
}

fn of_token(event: &Event<'_, Config>) -> Option<Happening> {
    let (who, amount) = who_amount(event)?;
    Some(match event.event_name() {
        "Rewarded" | "VerifierRewarded" => Happening::Earned { who, amount },
        "ForfeitReceived" => Happening::Received { who, amount },
        "QueryPaid" => Happening::Asked { who, price: amount },
        "QueryShareClaimed" => Happening::Claimed { who, amount },
        _ => return None,
    })
}

fn of_nodes(event: &Event<'_, Config>) -> Option<Happening> {
    let who = who(event)?;
    Some(match event.event_name() {
        "Registered" => Happening::Registered { who },
        "Deregistered" => Happening::Deregistered { who },
        "Paused" => Happening::Paused { who },
        "Resumed" => Happening::Resumed { who },
        "Left" => {
            let fields::Left { until } = decode(event)?;
            Happening::Left { who, until }
        }
        "Returned" => Happening::Returned { who },
        "Heartbeat" => Happening::Beat { who },
        _ => return None,
    })
}

fn who(event: &Event<'_, Config>) -> Option<AccountBytes> {
    decode::<fields::Who>(event).map(|of| of.who.0)
}

fn who_amount(event: &Event<'_, Config>) -> Option<(AccountBytes, Balance)> {
    decode::<fields::WhoAmount>(event).map(|of| (of.who.0, of.amount))
}
