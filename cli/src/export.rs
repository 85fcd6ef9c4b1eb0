//! `hydra model export`: the confirmed weights as a safetensors file.
//!
//! The trainer is not trusted: what it sends must have a hash that the chain has confirmed.

use hydra_primitives::{H256, ModelId, content_hash, status::RoundSummary};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    args::ExportArgs,
    error::Error,
    files::Destination,
    output,
    report::figures::{accuracy, percent},
    target::Target,
};

/// What was saved.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Saved {
    /// The model.
    model: ModelId,
    /// The version of it.
    version: u32,
    /// BLAKE3 of the file, in hexadecimal digits, as confirmed on chain.
    weights: String,
    /// The share of the validation set that it gets right, from 0 to 1.
    #[schemars(range(min = 0, max = 1))]
    accuracy: Option<f64>,
    /// How large the file is, in bytes.
    bytes: usize,
    /// The file, as it was named.
    file: String,
}

/// A safetensors file is its values and a short description of each tensor.
const HEADER_ROOM: u64 = 1 << 20;

/// Runs the command.
pub async fn run(args: ExportArgs, json: bool) -> Result<(), Error> {
    // Before anything is asked for or downloaded.
    let destination = Destination::of(&args.out).map_err(Error::file("write", &args.out))?;
    let target = Target::new(&args.target)?;
    let chain = target.chain().await?;
    let status = chain.existing_model(args.model, chain.best().await?.hash).await?;
    if status.confirmed_version == 0 {
        return Err(Error::NotTrained(args.model));
    }
    let trainer = target.trainer()?.ok_or(Error::NoTrainer)?;
    let limit = status
        .spec
        .architecture
        .parameters()
        .saturating_mul(4)
        .saturating_add(HEADER_ROOM);
    output::note(&format!(
        "fetching the weights of model {} from {} …",
        args.model,
        trainer.url()
    ));
    let bytes = trainer
        .weights(args.model, usize::try_from(limit).unwrap_or(usize::MAX))
        .await?;
    let got = content_hash(&bytes);

    // Read after the download, so that a version confirmed meanwhile is known.
    let best = chain.best().await?;
    let status = chain.existing_model(args.model, best.hash).await?;
    let (version, score) = if status.weights == got {
        (status.confirmed_version, status.score)
    } else {
        let rounds = chain.rounds(args.model, best.hash).await?;
        let round = made(&rounds, got).ok_or_else(|| Error::NotConfirmed {
            model: args.model,
            got: hex::encode(got.0),
        })?;
        (round.version, round.score)
    };
    destination
        .write(&bytes)
        .map_err(Error::file("write", &args.out))?;
    let saved = Saved {
        model: args.model,
        version,
        weights: hex::encode(got.0),
        accuracy: score.and_then(|score| accuracy(&score)),
        bytes: bytes.len(),
        file: args.out.display().to_string(),
    };
    if destination == Destination::Stdout {
        // The weights are the data; words about them would spoil the file.
        output::note(saved.text().trim_end());
        Ok(())
    } else if json {
        output::json(&saved)
    } else {
        output::data(&saved.text())
    }
}

/// The newest round that made the weights `got`.
fn made<A>(rounds: &[RoundSummary<A>], got: H256) -> Option<&RoundSummary<A>> {
    rounds.iter().rev().find(|round| round.weights == Some(got))
}

impl Saved {
    fn text(&self) -> String {
        format!(
            "{}: model {}, version {}, accuracy {}, {} bytes, BLAKE3 {} as confirmed on chain\n",
            self.file,
            self.model,
            self.version,
            percent(self.accuracy),
            self.bytes,
            self.weights
        )
    }
}
