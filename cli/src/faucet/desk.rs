//! What the faucet answers over HTTP: looks at a request, lets its address in or says why not, and waits for the teller.
//!
//! It must never read more of a request than one can have, nor let in what the teller's queue has no place for.

use http_body_util::{BodyExt, LengthLimitError, Limited};
use hydra_primitives::AccountBytes;
use hyper::{Method, Request, StatusCode, body::Incoming, header};
use std::time::Duration;
use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};

use super::{
    limits::Client,
    refusal::{Refusal, Reply, json, plain},
    teller::{Answer, Job, now},
    till::{Shared, lock},
};
use crate::{
    coins::{COINS_PATH, Wish},
    keys::{address, error::KeysError},
};

/// The longest body.
const LONGEST_BODY: usize = 1024;
/// How long a body may take.
const BODY_TIME: Duration = Duration::from_secs(10);

/// Where the faucet is asked.
pub struct Desk {
    limits: Shared,
    jobs: mpsc::Sender<Job>,
    about: String,
}

impl Desk {
    /// Lets in what the limits allow and `jobs` has places for. `about` says what this is.
    pub fn new(limits: Shared, jobs: mpsc::Sender<Job>, about: String) -> Self {
        Self { limits, jobs, about }
    }

    /// Answers a request.
    pub async fn answer(&self, request: Request<Incoming>, client: Client) -> Reply {
        match (request.method(), request.uri().path()) {
            (&Method::GET, "/") => plain(&self.about),
            (&Method::POST, COINS_PATH) => match self.coins(request, client).await {
                Ok(given) => json(StatusCode::OK, &given),
                Err(refusal) => refusal.reply(),
            },
            (_, "/" | COINS_PATH) => Refusal::WrongMethod.reply(),
            _ => Refusal::NotFound.reply(),
        }
    }

    async fn coins(&self, request: Request<Incoming>, client: Client) -> Answer {
        // A browser says so of every page that sends something, and whoever sees the page has not asked for anything.
        if request.headers().contains_key(header::ORIGIN) {
            return Err(Refusal::Page);
        }
        let to = wanted(&body(request.into_body()).await?)?;
        let heard = self.let_in(to, client)?;
        // The teller answers everyone, and is gone when the program ends.
        heard.await.unwrap_or(Err(Refusal::Stopping))
    }

    fn let_in(&self, to: AccountBytes, client: Client) -> Result<oneshot::Receiver<Answer>, Refusal> {
        let mut limits = lock(&self.limits);
        let place = match self.jobs.try_reserve() {
            Ok(place) => place,
            // Who was served already needs no place to hear it.
            Err(_) => {
                limits.admit(&to, client, now())?;
                limits.release(&to);
                return Err(Refusal::Busy);
            }
        };
        limits.admit(&to, client, now())?;
        let (answer, heard) = oneshot::channel();
        place.send(Job { to, answer });
        Ok(heard)
    }
}

async fn body(body: Incoming) -> Result<Vec<u8>, Refusal> {
    let whole = timeout(BODY_TIME, Limited::new(body, LONGEST_BODY).collect()).await;
    match whole {
        Ok(Ok(whole)) => Ok(whole.to_bytes().to_vec()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Refusal::TooLarge),
        Ok(Err(_)) => Err(Refusal::BadRequest),
        Err(_) => Err(Refusal::TooSlow),
    }
}

/// The account that a body names.
fn wanted(body: &[u8]) -> Result<AccountBytes, Refusal> {
    let wish: Wish = serde_json::from_slice(body).map_err(|_| Refusal::BadRequest)?;
    match address::read(&wish.address) {
        Ok(Some(account)) => Ok(account),
        Err(KeysError::ForeignAddress { here, .. }) => Err(Refusal::ForeignAddress { here }),
        Ok(None) | Err(_) => Err(Refusal::BadAddress),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{accounts, faucet::limits::Limits};
    use proptest::prelude::*;
    use std::sync::{Arc, Mutex};

    const CLIENT: Client = Client::V4([10, 0, 0]);

    #[tokio::test]
    async fn who_finds_no_place_may_ask_again_and_who_was_served_hears_that() {
        let limits = Arc::new(Mutex::new(Limits::new(9, 9, &[])));
        let (jobs, mut queue) = mpsc::channel(1);
        let desk = Desk::new(limits.clone(), jobs, String::new());
        assert!(desk.let_in([1; 32], CLIENT).is_ok());
        assert_eq!(desk.let_in([2; 32], CLIENT).unwrap_err(), Refusal::Busy);
        assert_eq!(desk.let_in([1; 32], CLIENT).unwrap_err(), Refusal::Waiting);
        let job = queue.recv().await.unwrap();
        assert_eq!(job.to, [1; 32]);
        lock(&limits).done(&job.to, Some(3));
        assert!(desk.let_in([2; 32], CLIENT).is_ok());
        assert_eq!(
            desk.let_in([1; 32], CLIENT).unwrap_err(),
            Refusal::AlreadyServed(3)
        );
    }

    #[test]
    fn an_address_of_this_network_is_wanted_and_nothing_else() {
        let ask = |address: &str| wanted(serde_json::json!({ "address": address }).to_string().as_bytes());
        let own = accounts::address(&[7; 32]);
        assert_eq!(ask(&own), Ok([7; 32]));
        assert_eq!(ask("//Alice"), Err(Refusal::BadAddress));
        assert_eq!(ask(""), Err(Refusal::BadAddress));
        assert_eq!(ask(&format!("{own}\u{1b}[2J")), Err(Refusal::BadAddress));
        // Polkadot's.
        let foreign = ask("13DyfGHEWo6GF98AxoBbovBHy82rrr4H3LrWaxggtEpgku8o");
        let here = "5EHgWw2Af1pnoc7f1A8bfmM97W3DAYW8xr82RfhLL9oAabAe".to_owned();
        assert_eq!(foreign, Err(Refusal::ForeignAddress { here }));
        let with_more = format!(r#"{{"address":"{own}","amount":"9"}}"#);
        assert_eq!(wanted(with_more.as_bytes()), Err(Refusal::BadRequest));
        assert_eq!(wanted(own.as_bytes()), Err(Refusal::BadRequest));
    }

    proptest! {
        #[test]
        fn hostile_bytes_are_a_wish_or_a_refusal(bytes in proptest::collection::vec(any::<u8>(), 0..1_024), text in ".{0,80}") {
            let _ = wanted(&bytes);
            let named = serde_json::json!({ "address": text }).to_string();
            if let Ok(account) = wanted(named.as_bytes()) {
                prop_assert_eq!(accounts::address(&account), text);
            }
        }
    }
}
