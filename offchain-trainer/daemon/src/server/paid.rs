//! Questions from who knows no token, and has paid: the dashboard's.
//!
//! The page that a browser shows holds no secret, since every user of this PC may open it. What makes a question of its
//! worth the work is its payment: `hydraToken.payQuery` names the BLAKE3 of the very bytes that are sent here, and the
//! block that has it is looked at, at this PC's own node, before anything is computed. Everybody sees payments, so these
//! bytes have a salt in them that only the payer knows. Must never answer a payment that isn't on the best branch, compute
//! for the same one twice, or take whoever pays for somebody who knows the token.

use std::{
    collections::HashMap,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex},
};

use axum::{
    body::Bytes,
    extract::Request,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures::{
    FutureExt,
    future::{BoxFuture, Shared as Told},
};
use hydra_primitives::{
    BlockNumber, H256, ModelId, content_hash,
    rewards::{QUERY_PAID, QUERY_PRICE},
};
use hydra_trainer_api::{PAID_IN_HEADER, PaidQuestion};
use tokio::sync::Semaphore;

use super::{Context, Refusal, json, place, refuse, sealed, seat::Seat};
use crate::{
    ask, lock,
    node::{Node, NodeError},
};

/// Payments that are looked at at a time: who has none to show keeps nobody else waiting for long.
const LOOKS: usize = 4;
/// Blocks after which a payment counts no more. The node keeps the state of 256.
const VALID: BlockNumber = 200;
/// Answers that are kept until their payments count no more, for who asks again. Each was paid for.
const KEPT: usize = 1024;

/// An answer that is there, or is being computed: everybody who shows its payment waits for this one.
type Answering = Told<BoxFuture<'static, Result<Bytes, Refusal>>>;

struct Entry {
    paid_in: BlockNumber,
    answer: Answering,
}

/// What is known of payments, by the hash of what was paid for.
pub(super) struct Payments {
    node: Node,
    looks: Arc<Semaphore>,
    answers: Mutex<HashMap<H256, Entry>>,
}

/// A payment that was found.
struct Found {
    /// In this block.
    block: BlockNumber,
    /// When this one was the newest.
    now: BlockNumber,
}

impl Payments {
    pub(super) fn new(node: Node) -> Self {
        Self {
            node,
            looks: Arc::new(Semaphore::new(LOOKS)),
            answers: Mutex::default(),
        }
    }

    /// Answers a question whose payment is in the block that the request names.
    pub(super) async fn answer(
        self: &Arc<Self>,
        context: &Context,
        request: Request,
    ) -> Result<Response, Refusal> {
        let (parts, body) = request.into_parts();
        let block = block_of(&parts.headers)?;
        // Before a place is taken: somebody who sends nothing has none.
        let body = sealed::read(body).await?;
        let paid = read_question(&body)?;
        let request = content_hash(&body);
        // A payer may wait here for as long as it takes, and stays the stranger that any program of this PC is.
        let _waiting = parts.extensions.get::<Arc<Seat>>().map(Seat::listen);
        let known = self.known(request);
        let answer = match known {
            Some(answer) => answer,
            None => {
                let found = self.look(block, request, paid.model).await?;
                let (shared, question) = (context.shared.clone(), paid.question());
                self.once(request, &found, || {
                    let place = context.place_for_a_question()?;
                    Ok(async move {
                        let _place = place;
                        json(ask::infer(&shared, &question).await.map_err(refuse)?)
                    })
                })?
            }
        };
        let answer = answer.await?;
        Ok(([(header::CONTENT_TYPE, "application/json")], answer).into_response())
    }

    fn known(&self, request: H256) -> Option<Answering> {
        lock(&self.answers)
            .get(&request)
            .map(|entry| entry.answer.clone())
    }

    /// Looks for a payment of this, in this block.
    async fn look(&self, block: H256, request: H256, model: ModelId) -> Result<Found, Refusal> {
        let _looking = place(&self.looks, || {
            format!("{LOOKS} payments are being looked at already: ask again in a moment")
        })?;
        let Some(height) = self.node.height(block).await.map_err(unavailable)? else {
            return Err(Refusal::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "the node does not have that block on its branch (yet): ask again in a moment, with the block that has the \
                 payment now",
            ));
        };
        let found = Found {
            block: height,
            now: self.node.newest().await.map_err(unavailable)?,
        };
        if is_old(found.block, found.now) {
            return Err(unpaid(&format!(
                "the payment is more than {VALID} blocks old, and counts no more: pay again"
            )));
        }
        let Some(events) = self.node.events(block).await.map_err(unavailable)? else {
            return Err(Refusal::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "the node has no state of that block (yet): ask again in a moment",
            ));
        };
        if !has_payment(&events, model, request) {
            return Err(unpaid(
                "that block has no payment for this question: pay with hydraToken.payQuery, for the BLAKE3 of exactly what \
                 is sent",
            ));
        }
        Ok(found)
    }

    /// The answer to what was paid for: `work` is begun if nobody has, and goes on when whoever asked has gone away. What fails
    /// may be tried again.
    fn once<F>(
        self: &Arc<Self>,
        request: H256,
        found: &Found,
        work: impl FnOnce() -> Result<F, Refusal>,
    ) -> Result<Answering, Refusal>
    where
        F: Future<Output = Result<Vec<u8>, Refusal>> + Send + 'static,
    {
        let mut answers = lock(&self.answers);
        if let Some(entry) = answers.get(&request) {
            return Ok(entry.answer.clone());
        }
        answers.retain(|_, entry| !is_old(entry.paid_in, found.now));
        if answers.len() >= KEPT {
            return Err(Refusal::new(
                StatusCode::SERVICE_UNAVAILABLE,
                format!("{KEPT} paid questions were answered in the last {VALID} blocks: ask again in a few"),
            ));
        }
        let (payments, work) = (self.clone(), work()?);
        let working = tokio::spawn(async move {
            // A panic is no answer to keep, either.
            let worked = AssertUnwindSafe(work).catch_unwind().await;
            let answer = worked.unwrap_or_else(|_| Err(broken()));
            if answer.is_err() {
                lock(&payments.answers).remove(&request);
            }
            answer.map(Bytes::from)
        });
        let told = working.map(|ended| ended.unwrap_or_else(|_| Err(broken())));
        let answer = told.boxed().shared();
        let entry = Entry {
            paid_in: found.block,
            answer: answer.clone(),
        };
        answers.insert(request, entry);
        Ok(answer)
    }
}

fn broken() -> Refusal {
    Refusal::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "the answer could not be computed: see the trainer's log",
    )
}

fn is_old(paid_in: BlockNumber, now: BlockNumber) -> bool {
    now.saturating_sub(paid_in) > VALID
}

fn read_question(body: &[u8]) -> Result<PaidQuestion, Refusal> {
    let bad = |reason: &str| {
        Refusal::new(
            StatusCode::BAD_REQUEST,
            format!(
                "the question is not understood ({reason}): send {{\"model\":0,\"image\":{{\"ValidationIndex\":0}},\
                 \"salt\":\"…\"}}, with 64 hexadecimal digits by chance as salt"
            ),
        )
    };
    let question: PaidQuestion = serde_json::from_slice(body).map_err(|error| bad(&error.to_string()))?;
    if question.is_salted() {
        Ok(question)
    } else {
        Err(bad("anyone could guess it and use its payment"))
    }
}

/// Whether a block's events tell of a payment for this. They are looked for as the runtime encodes them, since what else is
/// in there only the runtime can tell: the extrinsic that it came of, name, asker, model, version, request, amount, no topics.
///
/// Other events have bytes of somebody's choice in them, and may be made to look like this one, for more than a question
/// costs: a registration has too few (a PeerId's 64), so that its account's key would have to go on with five certain bytes;
/// a referendum's proposal has enough (128), and keeps a deposit of twice the price.
fn has_payment(events: &[u8], model: ModelId, request: H256) -> bool {
    const APPLIED: [u8; 1] = [0];
    const LOW: usize = 2;
    // No block has 2¹⁶ extrinsics.
    const HIGH: [u8; 2] = [0; 2];
    const ASKER: usize = 32;
    const VERSION: usize = 4;
    const NO_TOPICS: [u8; 1] = [0];
    let (model, price) = (model.to_le_bytes(), QUERY_PRICE.to_le_bytes());
    let length = APPLIED.len()
        + LOW
        + HIGH.len()
        + QUERY_PAID.len()
        + ASKER
        + model.len()
        + VERSION
        + request.0.len()
        + price.len()
        + NO_TOPICS.len();
    let is_payment = |event: &[u8]| {
        let rest = event.strip_prefix(&APPLIED)?;
        let (_, rest) = rest.split_at_checked(LOW)?;
        let rest = rest.strip_prefix(&HIGH)?.strip_prefix(&QUERY_PAID)?;
        let (_, rest) = rest.split_at_checked(ASKER)?;
        let rest = rest.strip_prefix(&model)?;
        let (_, rest) = rest.split_at_checked(VERSION)?;
        let rest = rest.strip_prefix(&request.0)?.strip_prefix(&price)?;
        Some(rest == NO_TOPICS)
    };
    events
        .windows(length)
        .any(|event| is_payment(event) == Some(true))
}

/// The block that the request names.
fn block_of(headers: &HeaderMap) -> Result<H256, Refusal> {
    let bad = || {
        unpaid(&format!(
            "the header {PAID_IN_HEADER} must be the hash of the block that has the payment: 0x and 64 hexadecimal digits"
        ))
    };
    let text = headers
        .get(PAID_IN_HEADER)
        .and_then(|value| value.to_str().ok())
        .ok_or_else(bad)?;
    let mut hash = [0; 32];
    let digits = text.strip_prefix("0x").ok_or_else(bad)?;
    hex::decode_to_slice(digits, &mut hash).map_err(|_| bad())?;
    Ok(H256(hash))
}

fn unpaid(sentence: &str) -> Refusal {
    Refusal::new(StatusCode::PAYMENT_REQUIRED, sentence)
}

fn unavailable(error: NodeError) -> Refusal {
    Refusal::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::{
        future::poll_fn,
        sync::atomic::{AtomicUsize, Ordering},
        task::Poll,
    };
    use tokio::sync::Notify;

    const REQUEST: H256 = H256([7; 32]);
    const FOUND: Found = Found { block: 5, now: 6 };

    /// Events with one payment in them, as the runtime encodes them.
    fn events(model: ModelId, request: H256) -> Vec<u8> {
        [
            // How many, and of which extrinsic.
            &[4, 0, 2, 0, 0, 0][..],
            &QUERY_PAID,
            &[9; 32],
            &model.to_le_bytes(),
            &12u32.to_le_bytes(),
            &request.0,
            &QUERY_PRICE.to_le_bytes(),
            &[0],
        ]
        .concat()
    }

    #[test]
    fn a_payment_counts_for_its_model_and_its_question() {
        assert!(has_payment(&events(3, REQUEST), 3, REQUEST));
        assert!(!has_payment(&events(2, REQUEST), 3, REQUEST));
        assert!(!has_payment(&events(3, H256([8; 32])), 3, REQUEST));
        // Without the event's name, these are bytes of something else.
        assert!(!has_payment(&events(3, REQUEST)[7..], 3, REQUEST));
        assert!(!has_payment(&[], 0, REQUEST));
    }

    #[test]
    fn another_event_that_has_chosen_bytes_is_no_payment() {
        // `Reputation.Registered`: an account whose key has the event's name in it, and 64 bytes of a PeerId.
        let (mut who, mut peer_id) = ([9; 32], [9; 64]);
        who[8..10].copy_from_slice(&QUERY_PAID);
        let chosen = [
            &3u32.to_le_bytes()[..],
            &12u32.to_le_bytes(),
            &REQUEST.0,
            &QUERY_PRICE.to_le_bytes(),
        ]
        .concat();
        peer_id[8..].copy_from_slice(&chosen);
        let registered = |who: [u8; 32]| {
            // Of which extrinsic, the name, the PeerId's length, no topics.
            [&[4, 0, 2, 0, 0, 0, 20, 0][..], &who, &[1, 1], &peer_id, &[0]].concat()
        };
        assert!(!has_payment(&registered(who), 3, REQUEST));
        // Three more bytes of the key, and it would be taken for one: five can't be had for the price of a question.
        who[3] = 0;
        who[6..8].fill(0);
        assert!(has_payment(&registered(who), 3, REQUEST));
        // What was paid is the price, by an extrinsic.
        let mut cheap = events(3, REQUEST);
        let amount = cheap.len() - 17;
        cheap[amount] ^= 1;
        assert!(!has_payment(&cheap, 3, REQUEST));
        let mut of_no_extrinsic = events(3, REQUEST);
        of_no_extrinsic[1] = 1;
        assert!(!has_payment(&of_no_extrinsic, 3, REQUEST));
    }

    #[test]
    fn the_block_is_named_by_its_hash_and_nothing_else() {
        let named = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(PAID_IN_HEADER, value.parse().unwrap());
            block_of(&headers)
        };
        assert_eq!(named(&format!("{REQUEST:?}")).unwrap(), REQUEST);
        for bad in ["", "0x", "12", &"7".repeat(64), &format!("{REQUEST:?}0"), "0xzz"] {
            assert_eq!(
                named(bad).unwrap_err().status,
                StatusCode::PAYMENT_REQUIRED,
                "{bad}"
            );
        }
        assert!(block_of(&HeaderMap::new()).is_err());
    }

    #[test]
    fn a_question_that_can_be_guessed_is_nobodys_payment() {
        let ask = |salt: &str| {
            read_question(format!(r#"{{"model":0,"image":{{"ValidationIndex":7}}{salt}}}"#).as_bytes())
        };
        let salted = format!(r#","salt":"{}""#, "5c".repeat(32));
        assert_eq!(ask(&salted).unwrap().model, 0);
        for bad in ["", r#","salt":"""#, r#","salt":"5c""#] {
            assert_eq!(ask(bad).unwrap_err().status, StatusCode::BAD_REQUEST, "{bad}");
        }
    }

    /// Work that is counted, and ends when it is told to.
    struct Work {
        begun: AtomicUsize,
        may_end: Notify,
    }

    impl Work {
        fn new() -> Arc<Self> {
            Arc::new(Self {
                begun: AtomicUsize::new(0),
                may_end: Notify::new(),
            })
        }

        fn begin(
            self: &Arc<Self>,
            payments: &Arc<Payments>,
            request: H256,
            answer: Result<Vec<u8>, Refusal>,
        ) -> Answering {
            let work = self.clone();
            let begun = payments.once(request, &FOUND, || {
                work.begun.fetch_add(1, Ordering::Relaxed);
                Ok(async move {
                    work.may_end.notified().await;
                    answer
                })
            });
            begun.unwrap()
        }
    }

    #[tokio::test]
    async fn one_payment_is_computed_once_however_often_it_is_shown() {
        let (payments, work) = (Arc::new(Payments::new(Node::new(1))), Work::new());
        let first = work.begin(&payments, REQUEST, Ok(vec![1]));
        let second = work.begin(&payments, REQUEST, Ok(vec![2]));
        // Whoever began it goes away.
        drop(first);
        work.may_end.notify_one();
        assert_eq!(second.await.unwrap(), vec![1]);
        assert_eq!(payments.known(REQUEST).unwrap().await.unwrap(), vec![1]);
        assert_eq!(work.begun.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn what_failed_may_be_tried_again_with_the_same_payment() {
        let (payments, work) = (Arc::new(Payments::new(Node::new(1))), Work::new());
        let failed = work.begin(&payments, REQUEST, Err(unpaid("busy")));
        work.may_end.notify_one();
        assert_eq!(failed.await.unwrap_err().sentence, "busy");
        let again = work.begin(&payments, REQUEST, Ok(vec![2]));
        work.may_end.notify_one();
        assert_eq!(again.await.unwrap(), vec![2]);
    }

    #[tokio::test]
    async fn a_panic_is_told_and_not_kept() {
        let payments = Arc::new(Payments::new(Node::new(1)));
        let breaks = || {
            Ok(poll_fn(|_| -> Poll<Result<Vec<u8>, Refusal>> {
                panic!("as a defect would")
            }))
        };
        let told = payments.once(REQUEST, &FOUND, breaks).unwrap().await;
        assert_eq!(told.unwrap_err().status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(payments.known(REQUEST).is_none());
        let work = Work::new();
        let again = work.begin(&payments, REQUEST, Ok(vec![2]));
        work.may_end.notify_one();
        assert_eq!(again.await.unwrap(), vec![2]);
    }

    #[tokio::test]
    async fn answers_are_kept_until_their_payments_count_no_more() {
        let payments = Arc::new(Payments::new(Node::new(1)));
        let begin = |n: u16, found: &Found| {
            let mut request = [0; 32];
            request[..2].copy_from_slice(&n.to_le_bytes());
            payments
                .once(H256(request), found, || Ok(async { Ok(vec![]) }))
                .map(drop)
        };
        for n in 0..KEPT as u16 {
            begin(n, &FOUND).unwrap();
        }
        let refused = begin(KEPT as u16, &FOUND).unwrap_err();
        assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
        let later = Found {
            block: FOUND.block + VALID,
            now: FOUND.block + VALID + 1,
        };
        begin(KEPT as u16, &later).unwrap();
        assert_eq!(lock(&payments.answers).len(), 1);
        assert!(!is_old(5, 5 + VALID) && is_old(5, 6 + VALID) && !is_old(6, 5));
    }

    proptest! {
        #[test]
        fn hostile_bytes_are_no_payment(bytes in proptest::collection::vec(any::<u8>(), 0..400), at in any::<usize>()) {
            prop_assert!(!has_payment(&bytes, 0, REQUEST));
            let _ = read_question(&bytes);
            let mut almost = events(3, REQUEST);
            almost.truncate(at % almost.len());
            prop_assert!(!has_payment(&almost, 3, REQUEST));
        }
    }
}
