//! `hydra rounds`: what became of every round on record, and how far the round is that the model is in.

use crate::{
    args::RoundsArgs,
    error::Error,
    output,
    report::{current::Current, rounds::Report},
    target::Target,
};

/// Runs the command.
pub async fn run(args: RoundsArgs, json: bool) -> Result<(), Error> {
    let chain = Target::new(&args.target)?.chain().await?;
    let best = chain.best().await?;
    let model = chain.existing_model(args.model, best.hash).await?;
    let settled = chain.rounds(args.model, best.hash).await?;
    let report = Report::new(args.model, &settled).with_current(Current::read(&chain, &model, best).await?);
    if json {
        output::json(&report)
    } else {
        output::data(&report.text())
    }
}
