//! Why a faucet gives nothing: each reason as a sentence for whoever asked, with what to do.
//!
//! It must never tell strangers about the PC that the faucet runs on: what went wrong with the node or the disk is for its
//! owner alone.

use http_body_util::Full;
use hyper::{Response, StatusCode, body::Bytes, header};
use serde::Serialize;

use crate::coins::{COINS_PATH, Kind, Refused};

/// What is sent back.
pub type Reply = Response<Full<Bytes>>;

/// Asking again makes sense after so many seconds where something has to end first.
const SOON: u64 = 60;

/// Why nothing is given. Each message is its own documentation.
#[allow(missing_docs)]
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("that isn't understood: send {{\"address\": \"5…\"}} and nothing else")]
    BadRequest,
    #[error("that is too long: send {{\"address\": \"5…\"}} and nothing else")]
    TooLarge,
    #[error("the request came too slowly: send it again at once")]
    TooSlow,
    #[error(
        "there is nothing at this path: send {{\"address\": \"5…\"}} with POST to {}",
        COINS_PATH
    )]
    NotFound,
    #[error("this path takes another method: POST for {}, GET for /", COINS_PATH)]
    WrongMethod,
    #[error("pages in a browser may not ask: use `hydra up --faucet`, or curl")]
    Page,
    #[error("that is no address: send one as `hydra up` and wallets show it, which begins with 5")]
    BadAddress,
    #[error(
        "that is an address of another network: the same account is {here} here; ask for that one if its owner uses it here"
    )]
    ForeignAddress { here: String },
    #[error("this address has had its coins, in block {0}, and each gets them once: ask a member for more")]
    AlreadyServed(u64),
    #[error(
        "coins were sent to this address, or were about to be when the faucet was stopped: look at its balance, and ask a \
         member if nothing came"
    )]
    PerhapsServed,
    #[error("this address is being served: wait for the coins")]
    Waiting,
    #[error("this address has as much as the faucet gives: it needs nothing")]
    HasEnough,
    #[error("enough was given for this part of the internet today: ask again in {}, or ask a member", time(*.0))]
    ClientLimit(u64),
    #[error("the faucet has given what it gives in a day: ask again in {}, or ask a member", time(*.0))]
    DailyLimit(u64),
    #[error("the faucet is empty: ask a member, or again when it was filled")]
    Empty,
    #[error("too many are waiting: ask again in a minute")]
    Busy,
    #[error("the faucet's node takes no payment now, so nothing was paid: ask again in a few minutes")]
    NodeAway,
    #[error("the chain did not take the payment, so nothing was paid: ask again in a few minutes")]
    NotPaid,
    #[error(
        "the payment was sent, and it isn't known what became of it: look at the address's balance in a few minutes, and ask a \
         member if nothing came"
    )]
    Unclear,
    #[error("the faucet can't note whom it pays, so it pays nobody: tell whoever runs it")]
    Broken,
    #[error("the faucet is being stopped, and nothing was paid: ask again later")]
    Stopping,
}

impl Refusal {
    /// In one word.
    pub fn kind(&self) -> Kind {
        match self {
            Self::BadRequest => Kind::BadRequest,
            Self::TooLarge => Kind::TooLarge,
            Self::TooSlow => Kind::TooSlow,
            Self::NotFound => Kind::NotFound,
            Self::WrongMethod => Kind::WrongMethod,
            Self::Page => Kind::Page,
            Self::BadAddress => Kind::BadAddress,
            Self::ForeignAddress { .. } => Kind::ForeignAddress,
            Self::AlreadyServed(_) | Self::PerhapsServed => Kind::AlreadyServed,
            Self::Waiting => Kind::Waiting,
            Self::HasEnough => Kind::HasEnough,
            Self::ClientLimit(_) => Kind::ClientLimit,
            Self::DailyLimit(_) => Kind::DailyLimit,
            Self::Empty => Kind::Empty,
            Self::Busy => Kind::Busy,
            Self::NodeAway => Kind::NodeAway,
            Self::NotPaid => Kind::NotPaid,
            Self::Unclear => Kind::Unclear,
            Self::Broken => Kind::Broken,
            Self::Stopping => Kind::Stopping,
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::BadRequest | Self::BadAddress | Self::ForeignAddress { .. } => StatusCode::BAD_REQUEST,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::WrongMethod => StatusCode::METHOD_NOT_ALLOWED,
            Self::Page => StatusCode::FORBIDDEN,
            Self::AlreadyServed(_) | Self::PerhapsServed | Self::Waiting | Self::HasEnough => {
                StatusCode::CONFLICT
            }
            Self::ClientLimit(_) | Self::DailyLimit(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Empty | Self::Busy | Self::NodeAway | Self::NotPaid | Self::Stopping => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::Unclear | Self::Broken => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn again(&self) -> Option<u64> {
        match self {
            Self::ClientLimit(seconds) | Self::DailyLimit(seconds) => Some(*seconds),
            Self::Busy | Self::NodeAway | Self::NotPaid | Self::Waiting => Some(SOON),
            _ => None,
        }
    }

    /// The answer.
    pub fn reply(&self) -> Reply {
        let again = self.again();
        let refused = Refused {
            error: self.to_string(),
            kind: self.kind(),
            again_in_seconds: again,
        };
        let mut reply = json(self.status(), &refused);
        if let Some(seconds) = again {
            reply.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        reply
    }
}

/// An answer in JSON.
pub fn json(status: StatusCode, value: &impl Serialize) -> Reply {
    // Text and numbers can always be written.
    let mut body = serde_json::to_vec(value).unwrap_or_default();
    body.push(b'\n');
    with(status, "application/json", body)
}

/// An answer for people.
pub fn plain(text: &str) -> Reply {
    with(
        StatusCode::OK,
        "text/plain; charset=utf-8",
        format!("{text}\n").into(),
    )
}

fn with(status: StatusCode, kind: &'static str, body: Vec<u8>) -> Reply {
    let mut reply = Response::new(Full::new(Bytes::from(body)));
    *reply.status_mut() = status;
    let headers = reply.headers_mut();
    headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static(kind));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        header::HeaderValue::from_static("nosniff"),
    );
    reply
}

/// A wait as people say it, rounded up.
fn time(seconds: u64) -> String {
    match seconds {
        0..=5_400 => format!("{} min", seconds.div_ceil(60).max(1)),
        _ => format!("{} hours", seconds.div_ceil(3_600)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_says_when_to_ask_again_for_people_and_programs() {
        let refusal = Refusal::DailyLimit(7_300);
        assert!(refusal.to_string().contains("again in 3 hours"), "{refusal}");
        assert!(Refusal::ClientLimit(61).to_string().contains("in 2 min"));
        let reply = refusal.reply();
        assert_eq!(reply.status(), StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(reply.headers()[header::RETRY_AFTER], "7300");
    }

    #[test]
    fn what_is_to_be_sent_is_shown_as_it_is() {
        assert!(
            Refusal::BadRequest
                .to_string()
                .contains(r#"send {"address": "5…"} "#),
            "{}",
            Refusal::BadRequest
        );
    }
}
