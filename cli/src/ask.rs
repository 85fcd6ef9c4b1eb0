//! `hydra ask`: one question to a model, paid for on chain and answered by the local trainer.
//!
//! Nothing may be paid before everything that can be checked has been: the image, the model, the trainer and the
//! balance, and whether the chain can take a payment, in this order.

use hydra_picture::Reading;
use hydra_primitives::{ModelId, Version, content_hash, rewards::QUERY_PRICE};
use schemars::JsonSchema;
use serde::Serialize;
use std::{ffi::OsStr, path::Path, time::Duration};
use tokio::time::{Instant, sleep};

use crate::{
    accounts, amount,
    args::AskArgs,
    chain::Chain,
    error::Error,
    home::Home,
    image,
    keys::{
        error::KeysError,
        key::{self, Key},
        payer::{Payer, own_home},
    },
    output,
    payment::{self, Call, Order, Payment},
    readiness,
    report::figures::percent,
    target::Target,
    trainer::{Answer, Image, Question, Trainer},
};

/// How long a question that is paid for is put to the trainer again and again.
const ANSWER_PATIENCE: Duration = Duration::from_secs(120);
/// Pause before it is. There is no event for "a trainer that is away comes back".
const RETRY: Duration = Duration::from_secs(1);
/// An answer that is less sure than this isn't to be relied on: on distorted validation digits, about half of those
/// are wrong (`docs/benchmarks.md`).
const UNSURE: f64 = 0.6;
/// Names the account that pays where the command line doesn't.
const SURI: &str = "HYDRA_SURI";
/// How many versions a trainer may be behind: it folds the newest one while this is asked.
const LAG: Version = 1;

/// What is shown: the answer and what it cost.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Receipt {
    /// The model.
    pub model: ModelId,
    /// The version that answered.
    pub version: u32,
    /// BLAKE3 of its weights, in hexadecimal digits; the chain has confirmed exactly these.
    pub weights: String,
    /// The digit that it sees.
    pub label: u8,
    /// How sure the model is, from 0 to 1.
    #[schemars(range(min = 0, max = 1))]
    pub confidence: Option<f64>,
    /// How sure it is of each digit, from 0 to 1, in their order.
    pub probabilities: Vec<f64>,
    /// What it really is, for an image of the validation set.
    pub truth: Option<u8>,
    /// Who paid, by name.
    pub payer: String,
    /// The question's price, in HYDRA.
    pub price: String,
    /// The transaction's fee, in HYDRA.
    pub fee: String,
    /// The block with the payment.
    pub block: u64,
    /// Its hash.
    pub block_hash: String,
    /// Whether that block can't be undone any more.
    pub finalised: bool,
    /// Hash of the transaction.
    pub transaction: String,
    /// BLAKE3 of the question, as paid for.
    pub request_hash: String,
}

/// Runs the command.
pub async fn run(args: AskArgs, json: bool) -> Result<(), Error> {
    let question = Question {
        model: args.model,
        image: picture(&args.image)?,
    };
    let body = serde_json::to_vec(&question).map_err(|error| Error::TrainerGarbled(error.to_string()))?;

    let (signer, base_path) = (&args.signer, args.target.base_path.as_deref());
    let own = own_home(signer.from.as_deref(), base_path)?;
    let target = Target::new(&args.target.clone().in_folder(own.as_ref().map(Home::folder)))?;
    let chain = target.chain().await?;
    // In a local network that was founded, the PC that is asked pays; a demonstration's PCs have no account of their own.
    let nobody = signer.from.is_none() && args.suri.is_none();
    let own = match target.folder() {
        Some(folder) if nobody && chain.is_local().await? => Home::open(folder).ok().flatten(),
        _ => own,
    };
    let payer = payer(&args, own.as_ref(), &chain, std::env::var(SURI).ok()).await?;
    payer.check(&args.signer.password)?;
    let status = chain.existing_model(args.model, chain.best().await?.hash).await?;
    if status.confirmed_version == 0 {
        return Err(Error::NotTrained(args.model));
    }
    let trainer = target.trainer()?.ok_or(Error::NoTrainer)?;
    let checked = trainer.check(&body).await?;
    if checked.version == 0 || checked.version.saturating_add(LAG) < status.confirmed_version {
        return Err(Error::TrainerBehind {
            model: args.model,
            held: checked.version,
            confirmed: status.confirmed_version,
        });
    }
    confirmed(&chain, args.model, checked.version, &checked.weights).await?;

    let request = content_hash(&body);
    readiness::check(&chain, args.finalized).await?;
    let name = payer.name();
    let key = payer.unlock(&args.signer.password).await?;
    output::note(&format!("{name} pays: {}", accounts::address(&key.account())));
    let order = Order {
        key: &key,
        call: &Call::PayQuery(args.model, request),
    };
    let payment = payment::pay(&chain, order, args.finalized, output::note).await?;
    output::note(&format!("paid in block {}, asking …", payment.block.number));

    let answer = answer(&chain, &trainer, args.model, &body)
        .await
        .map_err(|error| Error::PaidButUnanswered {
            block: payment.block.number,
            reason: error.to_string(),
        })?;
    let receipt = Receipt::new(&answer, &payment, name, args.finalized, hex::encode(request.0));
    if json {
        output::json(&receipt)
    } else {
        output::data(&receipt.text())
    }
}

/// Who pays: whoever was named; on a local network else `own`, or Alice where there is none. Elsewhere somebody must be named,
/// since nobody is asked before it is paid.
async fn payer(
    args: &AskArgs,
    own: Option<&Home>,
    chain: &Chain,
    in_environment: Option<String>,
) -> Result<Payer, Error> {
    match (&args.signer.from, args.suri.as_deref()) {
        // The command line counts more than the environment, and says one thing.
        (Some(_), Some(suri)) if in_environment.as_deref() != Some(suri) => Err(Error::TwoPayers),
        (Some(_), _) => Payer::choose(&args.signer, own, chain).await,
        (None, None) if own.is_some() => Payer::choose(&args.signer, own, chain).await,
        (None, suri) => of_secret(suri, chain.is_local().await?),
    }
}

fn of_secret(suri: Option<&str>, local: bool) -> Result<Payer, Error> {
    let suri = match suri {
        Some(suri) => suri,
        None if local => "//Alice",
        None => return Err(KeysError::NobodyNamed.into()),
    };
    let key = Key::from_suri(suri).map_err(|_| Error::BadSuri)?;
    match !local && key::is_public(&key.account()) {
        true => Err(Error::DevelopmentOnly),
        false => Ok(Payer::Open(Box::new(key))),
    }
}

/// A number is an image of the validation set, anything else a file. A file that is called like a number can be
/// named with its folder: `./7`.
fn picture(text: &OsStr) -> Result<Image, Error> {
    let number = text
        .to_str()
        .filter(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()));
    match number {
        Some(number) => match number.parse() {
            Ok(index) => Ok(Image::ValidationIndex(index)),
            Err(_) => Err(Error::NoSuchImage(number.into())),
        },
        None => Ok(match image::read(Path::new(text))? {
            Reading::Exact(pixels) => Image::Pixels(pixels),
            Reading::Several(readings) => Image::Readings(readings),
        }),
    }
}

/// The answer, if it was made with weights that the chain has confirmed. It is paid for, so a trainer that is busy or
/// just starts again is asked again.
async fn answer(chain: &Chain, trainer: &Trainer, model: ModelId, body: &[u8]) -> Result<Answer, Error> {
    let end = Instant::now() + ANSWER_PATIENCE;
    let answer = loop {
        match trainer.infer(body).await {
            Err(Error::TrainerUnreachable { .. } | Error::TrainerRefused(_)) if Instant::now() < end => {
                sleep(RETRY).await;
            }
            answer => break answer?,
        }
    };
    confirmed(chain, model, answer.version, &answer.weights).await?;
    Ok(answer)
}

/// Checks that the chain has confirmed these weights as this version of the model.
async fn confirmed(chain: &Chain, model: ModelId, version: Version, weights: &str) -> Result<(), Error> {
    let best = chain.best().await?;
    let status = chain.existing_model(model, best.hash).await?;
    let got = weights.trim_start_matches("0x").to_lowercase();
    let mut confirmed = (status.confirmed_version == version).then_some(status.weights);
    if confirmed.is_none() {
        // A round may have ended meanwhile: then its record says what the older version's weights were.
        let rounds = chain.rounds(model, best.hash).await?;
        confirmed = rounds
            .iter()
            .rev()
            .find(|round| round.version == version)
            .and_then(|round| round.weights);
    }
    match confirmed {
        Some(weights) if hex::encode(weights.0) == got => Ok(()),
        _ => Err(Error::ForeignAnswer { version, got }),
    }
}

impl Receipt {
    fn new(answer: &Answer, payment: &Payment, payer: String, finalised: bool, request_hash: String) -> Self {
        Self {
            model: answer.model,
            version: answer.version,
            weights: answer.weights.trim_start_matches("0x").to_lowercase(),
            label: answer.label,
            confidence: answer.confidence(),
            probabilities: answer.probabilities.clone(),
            truth: answer.truth,
            payer,
            price: amount::exact(QUERY_PRICE),
            fee: amount::exact(payment.fee),
            block: payment.block.number,
            block_hash: hex::encode(payment.block.hash.0),
            finalised,
            transaction: hex::encode(payment.transaction.0),
            request_hash,
        }
    }

    /// The most probable digit but one.
    fn runner_up(&self) -> Option<(usize, f64)> {
        let others = self.probabilities.iter().copied().enumerate();
        others
            .filter(|(digit, _)| *digit != usize::from(self.label))
            .max_by(|(_, a), (_, b)| a.total_cmp(b))
    }

    fn text(&self) -> String {
        let truth = match self.truth {
            Some(truth) if truth == self.label => ", and it is",
            Some(truth) => &format!(", but it is {truth}"),
            None => "",
        };
        let doubt = match (self.confidence, self.runner_up()) {
            (Some(confidence), Some((other, probability))) if confidence < UNSURE => format!(
                "the model isn't sure: it may be a {other} ({}); a clearer picture may help\n",
                percent(Some(probability))
            ),
            _ => String::new(),
        };
        let finalised = if self.finalised { ", final" } else { "" };
        format!(
            "{}  ({} sure{truth})\n{doubt}model {}, version {}; {} paid {} HYDRA + {} fee in block {}{finalised}\n",
            self.label,
            percent(self.confidence),
            self.model,
            self.version,
            self.payer,
            self.price,
            self.fee,
            self.block
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::Block;
    use hydra_primitives::HYDRA;
    use std::os::unix::ffi::OsStrExt;

    #[test]
    fn a_number_is_an_image_of_the_validation_set_and_anything_else_a_file() {
        let picture = |text: &[u8]| picture(OsStr::from_bytes(text));
        assert_eq!(picture(b"17").unwrap(), Image::ValidationIndex(17));
        for file in [b"./17".as_slice(), b"-1", b"caf\xe9.png"] {
            assert!(matches!(picture(file), Err(Error::Image(_))));
        }
    }

    #[test]
    fn outside_local_networks_nobody_pays_who_was_not_named_and_no_development_account() {
        let payer = |suri, local| of_secret(suri, local).map(|payer| payer.name());
        assert_eq!(payer(None, true).unwrap(), "Alice");
        assert_eq!(payer(Some("//Bob"), true).unwrap(), "Bob");
        assert!(matches!(
            payer(None, false),
            Err(Error::Keys(KeysError::NobodyNamed))
        ));
        assert!(matches!(payer(Some("//Bob"), false), Err(Error::DevelopmentOnly)));
        assert!(matches!(payer(Some("word"), false), Err(Error::BadSuri)));
        let own = format!("0x{}", "17".repeat(32));
        assert!(payer(Some(&own), false).is_ok());
    }

    fn receipt(truth: Option<u8>) -> Receipt {
        let mut probabilities = vec![0.0; 10];
        probabilities[7] = 0.98765;
        let weights = format!("0x{}", "AB".repeat(32));
        let answer = Answer {
            model: 0,
            version: 5,
            weights,
            label: 7,
            probabilities,
            truth,
        };
        let block = Block {
            number: 30,
            hash: Default::default(),
        };
        let payment = Payment {
            block,
            transaction: Default::default(),
            fee: HYDRA / 1000,
            received: 0,
        };
        Receipt::new(&answer, &payment, "Alice".into(), false, String::new())
    }

    #[test]
    fn the_answer_comes_first_and_the_cost_second() {
        assert_eq!(
            receipt(Some(7)).text(),
            "7  (98.77 % sure, and it is)\nmodel 0, version 5; Alice paid 0.5 HYDRA + 0.001 fee in block 30\n"
        );
        assert!(
            receipt(Some(1))
                .text()
                .starts_with("7  (98.77 % sure, but it is 1)")
        );
        assert_eq!(receipt(None).weights, "ab".repeat(32));
    }

    #[test]
    fn an_answer_that_is_not_sure_says_so_and_names_the_other() {
        let mut receipt = receipt(None);
        receipt.confidence = Some(0.41);
        receipt.probabilities = vec![0.0, 0.3, 0.0, 0.0, 0.0, 0.0, 0.0, 0.41, 0.0, 0.29];
        let text = receipt.text();
        assert!(
            text.starts_with(
                "7  (41.00 % sure)\nthe model isn't sure: it may be a 1 (30.00 %); a clearer picture may help\nmodel"
            ),
            "{text}"
        );
        receipt.confidence = Some(UNSURE);
        assert!(!receipt.text().contains("isn't sure"));
    }

    #[tokio::test]
    async fn a_picture_that_shows_nothing_is_refused_before_anyone_is_asked_or_paid() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("blank.png");
        let blank = ::image::GrayImage::from_pixel(50, 50, ::image::Luma([255]));
        blank.save(&path).unwrap();
        // No node answers there: whatever is done first decides which error it is.
        let args = AskArgs {
            image: path.into(),
            model: 0,
            suri: None,
            signer: Default::default(),
            finalized: false,
            target: crate::args::TargetArgs {
                url: Some("ws://127.0.0.1:1".into()),
                ..Default::default()
            },
        };
        let error = run(args, false).await.unwrap_err();
        assert!(matches!(error, Error::Image(_)), "{error}");
    }
}
