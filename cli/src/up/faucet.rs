//! Asks a faucet for the coins that this PC lacks, beside everything else, and says what it answered.
//!
//! It must never hold anything up, ask more often than an answer gives reason to, or let a faucet write anything but a part of
//! one line.

use hydra_primitives::AccountBytes;
use std::{convert::Infallible, time::Duration};
use tokio::{sync::watch, task::JoinSet, time::sleep};

use super::{
    backoff::Backoff,
    event::{Event, Say},
};
use crate::{
    accounts, amount,
    coins::{COINS_PATH, Given, Kind, Refused, Wish},
    output,
};

/// The largest answer.
const LONGEST: usize = 4 * 1024;
/// The longest sentence that is shown of one, in characters.
const LONGEST_SENTENCE: usize = 240;
/// How long it may take to reach the faucet.
const CONNECT: Duration = Duration::from_secs(10);
/// How long an answer may take: others are paid before, each in some blocks, and then the payment becomes final.
const PATIENCE: Duration = Duration::from_secs(1_200);
/// How long to wait before it is asked again.
const FIRST_RETRY: Duration = Duration::from_secs(60);
const LONGEST_RETRY: Duration = Duration::from_secs(3_600);
/// No faucet's word makes it wait longer.
const LONGEST_WAIT: Duration = Duration::from_secs(86_400);

/// A faucet, and whether it is being asked.
#[derive(Debug)]
pub struct Faucet {
    url: String,
    say: Say,
    /// Whether coins are missing.
    missing: watch::Sender<bool>,
    /// Ends with this.
    asking: JoinSet<()>,
    begun: bool,
}

impl Faucet {
    /// The one at `url`, which [`crate::coins::url`] took.
    pub fn new(url: String, say: Say) -> Self {
        Self {
            url,
            say,
            missing: watch::Sender::new(false),
            asking: JoinSet::new(),
            begun: false,
        }
    }

    /// Coins for this account are missing: asks for them, if that has not been begun.
    pub fn ask(&mut self, account: &AccountBytes) {
        self.missing.send_replace(true);
        if !self.begun {
            self.begun = true;
            let asker = Asker {
                url: self.url.clone(),
                address: accounts::address(account),
                say: self.say,
            };
            self.asking.spawn(asker.go_on(self.missing.subscribe()));
        }
    }

    /// None are missing: it isn't asked until some are again.
    pub fn rest(&mut self) {
        self.missing.send_replace(false);
    }
}

/// Why there are no coins.
#[derive(Clone, Debug, PartialEq, Eq)]
struct No {
    /// A sentence, made harmless.
    reason: String,
    /// Whether the answer would be the same.
    is_final: bool,
    /// How long the faucet says to wait.
    wait: Duration,
}

impl No {
    fn passing(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            is_final: false,
            wait: Duration::ZERO,
        }
    }
}

struct Asker {
    url: String,
    address: String,
    say: Say,
}

impl Asker {
    /// Asks until there is an answer that stays.
    async fn go_on(self, mut missing: watch::Receiver<bool>) {
        let mut patience = Backoff::new(FIRST_RETRY, LONGEST_RETRY);
        let mut told = None;
        self.say.tell(&Event::AskingFaucet {
            faucet: self.url.clone(),
        });
        // Ends with the one who wants them.
        while missing.wait_for(|missing| *missing).await.is_ok() {
            let no = match self.ask().await {
                Ok(given) => {
                    self.say.tell(&Event::FaucetPaid {
                        faucet: self.url.clone(),
                        amount: given.amount,
                        block: given.block,
                    });
                    return;
                }
                Err(no) => no,
            };
            let wait = patience.after(Duration::ZERO).max(no.wait);
            // The same reason is said once.
            if told.as_ref() != Some(&no.reason) {
                self.say.tell(&Event::FaucetRefused {
                    faucet: self.url.clone(),
                    reason: no.reason.clone(),
                    again_in_seconds: (!no.is_final).then_some(wait.as_secs()),
                });
            }
            if no.is_final {
                return;
            }
            told = Some(no.reason);
            sleep(wait).await;
        }
    }

    async fn ask(&self) -> Result<Given, No> {
        let http = reqwest::Client::builder()
            .no_proxy()
            .connect_timeout(CONNECT)
            .timeout(PATIENCE)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| No::passing(innermost(&error)))?;
        let wish = Wish {
            address: self.address.clone(),
        };
        let request = http.post(format!("{}{COINS_PATH}", self.url)).json(&wish);
        let mut response = request
            .send()
            .await
            .map_err(|error| No::passing(format!("it doesn't answer ({})", innermost(&error))))?;
        let is_given = response.status().is_success();
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if chunk.len() > LONGEST.saturating_sub(body.len()) => {
                    return Err(No::passing("its answer is too long for a faucet's"));
                }
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => break,
                Err(error) => {
                    let reason = format!("its answer broke off ({})", innermost(&error));
                    return Err(No::passing(reason));
                }
            }
        }
        match is_given {
            true => given(&body, &self.address),
            false => match refused(&body) {
                Ok(never) => match never {},
                Err(no) => Err(no),
            },
        }
    }
}

/// What was given, as it says: only what comes on the chain counts.
fn given(body: &[u8], address: &str) -> Result<Given, No> {
    let strange = || No::passing("what answers there is no faucet");
    let given: Given = serde_json::from_slice(body).map_err(|_| strange())?;
    if given.address != address {
        return Err(strange());
    }
    let units = amount::parse(&given.amount).map_err(|_| strange())?;
    Ok(Given {
        amount: amount::exact(units),
        ..given
    })
}

fn refused(body: &[u8]) -> Result<Infallible, No> {
    let Ok(refused) = serde_json::from_slice::<Refused>(body) else {
        return Err(No::passing("what answers there is no faucet"));
    };
    let reason = match line(&refused.error) {
        empty if empty.is_empty() => "it doesn't say why".into(),
        reason => reason,
    };
    let wait = Duration::from_secs(refused.again_in_seconds.unwrap_or(0));
    Err(No {
        reason,
        is_final: Kind::is_final(refused.kind),
        wait: wait.min(LONGEST_WAIT),
    })
}

/// A stranger's sentence as a part of one line: nothing in it steers a terminal, begins another line, or turns the text around.
fn line(text: &str) -> String {
    let plain = output::harmless(text);
    let plain = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut line: String = plain.chars().take(LONGEST_SENTENCE).collect();
    if line.len() < plain.len() {
        line.push('…');
    }
    line
}

/// reqwest's own words repeat the address; the innermost error says what happened.
fn innermost(error: &reqwest::Error) -> String {
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    line(&innermost.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    fn asker(url: String) -> Asker {
        Asker {
            url,
            address: accounts::address(&[7; 32]),
            say: Say::new(false),
        }
    }

    /// What is made of a server's answer, byte by byte.
    async fn answered(answer: Vec<u8>) -> Result<Given, No> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut asked = Vec::new();
            while !asked.ends_with(b"}") {
                assert!(stream.read_buf(&mut asked).await.unwrap() > 0);
            }
            // Whoever has heard enough hangs up.
            let _ = stream.write_all(&answer).await;
        };
        let asker = asker(url);
        tokio::join!(asker.ask(), server).0
    }

    fn http(status: &str, body: &str) -> Vec<u8> {
        let length = body.len();
        format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}")
            .into_bytes()
    }

    #[tokio::test]
    async fn what_a_faucet_gave_is_shown_as_numbers() {
        let given = |address: &str, amount: &str| {
            let body = serde_json::json!({
                "address": address, "amount": amount, "block": 7, "block_hash": "\u{1b}[2J", "transaction": "",
            });
            http("200 OK", &body.to_string())
        };
        let own = accounts::address(&[7; 32]);
        let answer = answered(given(&own, "01.20")).await.unwrap();
        assert_eq!((answer.amount.as_str(), answer.block), ("1.2", 7));
        for strange in [
            given(&own, "\u{1b}[2J"),
            given(&accounts::address(&[8; 32]), "1.2"),
            http("200 OK", "{}"),
            http("200 OK", ""),
        ] {
            let no = answered(strange).await.unwrap_err();
            assert_eq!(no, No::passing("what answers there is no faucet"));
        }
    }

    #[tokio::test]
    async fn hostile_bytes_are_no_more_than_a_part_of_a_line() {
        let body = serde_json::json!({
            "error": format!("no\r\n✓ bonded   9 HYDRA in block 1\u{1b}[2J\u{202e}{}", "x".repeat(1_000)),
            "kind": "already_served",
        });
        let no = answered(http("409 Conflict", &body.to_string()))
            .await
            .unwrap_err();
        assert!(no.is_final);
        assert!(
            no.reason.starts_with("no ✓ bonded 9 HYDRA in block 1 [2Jx"),
            "{no:?}"
        );
        assert_eq!(no.reason.chars().count(), LONGEST_SENTENCE + 1);

        let long = http("503 Service Unavailable", &"x".repeat(LONGEST + 1));
        let no = answered(long).await.unwrap_err();
        assert!(no.reason.contains("too long") && !no.is_final, "{no:?}");
        for garbage in [
            &b"\x16\x03\x01\x02\x00"[..],
            b"",
            b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx",
        ] {
            let no = answered(garbage.into()).await.unwrap_err();
            assert!(!no.is_final && !no.reason.contains('\n'), "{no:?}");
        }
        // Nobody is sent elsewhere.
        let elsewhere = b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n";
        let no = answered(elsewhere.into()).await.unwrap_err();
        assert_eq!(no, No::passing("what answers there is no faucet"));
    }

    #[tokio::test]
    async fn nobody_there_is_a_reason_to_ask_again() {
        let url = format!("http://127.0.0.1:{}", hydra_test_ports::free_ports(1));
        let no = asker(url).ask().await.unwrap_err();
        assert!(no.reason.starts_with("it doesn't answer ("), "{no:?}");
        assert!(!no.is_final);
    }

    #[tokio::test]
    async fn it_is_asked_once_however_often_coins_are_missing() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let mut faucet = Faucet::new(url, Say::new(false));
        for _ in 0..3 {
            faucet.ask(&[7; 32]);
            faucet.rest();
        }
        faucet.ask(&[7; 32]);
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut asked = Vec::new();
        while !asked.ends_with(b"}") {
            assert!(stream.read_buf(&mut asked).await.unwrap() > 0);
        }
        let body = r#"{"error":"it had some","kind":"already_served"}"#;
        stream.write_all(&http("409 Conflict", body)).await.unwrap();
        // It ends, and nothing else was begun.
        assert!(faucet.asking.join_next().await.is_some());
        faucet.ask(&[7; 32]);
        assert!(faucet.asking.is_empty());
    }

    #[test]
    fn no_word_of_a_faucet_makes_it_wait_for_ever() {
        let body = format!(r#"{{"error":"","kind":"busy","again_in_seconds":{}}}"#, u64::MAX);
        let no = refused(body.as_bytes()).unwrap_err();
        assert_eq!(no.wait, LONGEST_WAIT);
        assert_eq!(no.reason, "it doesn't say why");
    }

    proptest! {
        #[test]
        fn hostile_bytes_are_an_answer_or_a_reason(bytes in proptest::collection::vec(any::<u8>(), 0..600), text in any::<String>()) {
            let _ = given(&bytes, "5G");
            let _ = refused(&bytes);
            let body = serde_json::json!({ "error": text, "kind": "busy" }).to_string();
            let no = refused(body.as_bytes()).unwrap_err();
            prop_assert!(!no.reason.is_empty());
            prop_assert!(!no.reason.chars().any(|c| c.is_control()));
            prop_assert!(no.reason.chars().count() <= LONGEST_SENTENCE + 1);
        }
    }
}
