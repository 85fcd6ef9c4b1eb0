//! `hydra rounds`: what became of every round on record.

use crate::{args::RoundsArgs, error::Error, output, report::rounds::Report, target::Target};

/// Runs the command.
pub async fn run(args: RoundsArgs, json: bool) -> Result<(), Error> {
    let chain = Target::new(&args.target)?.chain().await?;
    let best = chain.best().await?;
    chain.existing_model(args.model, best.hash).await?;
    let report = Report::new(args.model, &chain.rounds(args.model, best.hash).await?);
    if json {
        output::json(&report)
    } else {
        output::data(&report.text())
    }
}
