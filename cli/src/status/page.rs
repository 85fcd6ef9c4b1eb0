//! The report as a page for people: 80 columns wide, and 24 lines for a network of four PCs.

use std::time::Duration;

use super::{Happened, Report};
use crate::{
    paragraph::{WIDTH, paragraph},
    report::{
        accounts,
        figures::{brief, cut},
        health,
        models::{self, Model},
        reach,
        work::{doing, progress},
    },
    table::{Align, Table},
    trainer,
};

/// How many lines a page has: a terminal's, less one for what is typed next.
const LINES: usize = 23;
/// How many blocks are told of at least and at most.
const BLOCKS: (usize, usize) = (2, 6);

impl Report {
    /// As people read it.
    pub(super) fn text(&self) -> String {
        let sync = if self.syncing { ", catching up" } else { "" };
        let mut text = paragraph("", "  ", &format!("{} at {}", self.chain, self.url));
        text += &paragraph(
            "",
            "  ",
            &format!(
                "block {}, finalised {}, {} peers{sync}; session {}, {} of {} PCs take part",
                self.block, self.finalised, self.peers, self.session, self.taking_part, self.registered
            ),
        );
        let trainers = self.trainer.as_ref().and_then(|trainer| trainer.clock);
        for warning in [
            health::of_block(self.block, self.block_age, self.syncing, self.slot),
            health::of_clock(self.clock.as_ref(), trainers.map(|clock| clock.offset_ms)),
        ]
        .into_iter()
        .flatten()
        {
            text += &paragraph("", "  ", &warning);
        }
        text.push('\n');
        text += &models::table(&self.models);
        for sentence in self.models.iter().flat_map(Model::sentences) {
            text += &paragraph("  ", "    ", &sentence);
        }
        text.push('\n');
        text += &accounts::table(&self.accounts);
        let more = usize::try_from(self.registered)
            .unwrap_or(usize::MAX)
            .saturating_sub(self.accounts.len());
        if more > 0 {
            text += &format!("  and {more} more\n");
        }
        text.push('\n');
        text += &match &self.wallet {
            Some(wallet) => {
                let [has, takes_part, earned] = wallet.sentences();
                paragraph("", "  ", &has)
                    + &paragraph("  ", "    ", &takes_part)
                    + &paragraph("  ", "    ", &earned)
            }
            None => "Wallet: no account of this PC is known; `hydra wallet balance` shows yours.\n".into(),
        };
        text.push('\n');
        text += &match (&self.trainer, &self.trainer_error) {
            (Some(trainer), _) => trainer_text(trainer, self.node_port),
            (None, Some(error)) => paragraph("", "  ", &format!("Trainer: {error}")),
            (None, None) => "Trainer: none known here; name its port with --trainer-port.\n".into(),
        };
        for sentence in &self.stopped {
            text += &paragraph("", "  ", sentence);
        }
        // An empty line and the head.
        let lines = text.lines().count() + 2;
        // What doesn't fit anyway isn't cut down for a line.
        let least = if lines > LINES { BLOCKS.0 } else { 1 };
        let left = LINES.saturating_sub(lines);
        text + &happened(&self.happened, left.clamp(least, BLOCKS.1))
    }
}

fn trainer_text(trainer: &trainer::Status, node_port: Option<u16>) -> String {
    let reason = trainer
        .engine
        .reason
        .as_deref()
        .map(|reason| format!(" ({reason})"))
        .unwrap_or_default();
    let sheet = match &trainer.last_sheet {
        Some(sheet) => format!("last heard from the node at block {}", sheet.block),
        None => "has not heard from the node yet".into(),
    };
    let ways = match reach::ways(&trainer.peers) {
        ways if ways.is_empty() => ways,
        ways => format!(" ({ways})"),
    };
    let head = format!(
        "Trainer {}: engine {}{reason}, {} peers{ways}, {sheet}",
        trainer.version,
        trainer.engine.state,
        trainer.peers.len()
    );
    let mut text = paragraph("", "  ", &head);
    if let Some(sentence) = reach::sentence(trainer) {
        text += &paragraph("  ", "    ", &sentence);
    }
    if let Some(advice) = reach::advice(trainer, node_port) {
        text += &paragraph("  ", "    ", &format!("to be reached by all: {advice}"));
    }
    for work in &trainer.models {
        let version = work
            .version
            .map_or_else(|| "no version".into(), |version| format!("version {version}"));
        let far = progress(work).map_or_else(String::new, |far| format!(", {far}"));
        let line = format!("model {}: {version}, {}{far}", work.model, doing(work));
        text += &paragraph("  ", "    ", &line);
    }
    for warning in &trainer.warnings {
        text += &paragraph("  ", "    ", &format!("warning: {warning}"));
    }
    if let Some(error) = trainer.errors.last() {
        text += &paragraph("  ", "    ", &format!("last problem: {error}"));
    }
    text
}

/// The newest blocks with news, or, where there is none, with what happened in the round's ordinary course.
fn happened(blocks: &[Happened], most: usize) -> String {
    let is_news = blocks.iter().any(|block| block.is_news);
    let told = blocks.iter().filter(|block| block.is_news == is_news);
    let mut table = Table::new(&[
        ("block", Align::Right),
        ("age", Align::Right),
        ("what happened", Align::Left),
    ]);
    for block in told.take(most) {
        let age = Duration::try_from_secs_f64(block.age).unwrap_or_default();
        table.row([block.block.to_string(), brief(age), block.words.clone()]);
    }
    if blocks.is_empty() {
        return String::new();
    }
    let table = table.render();
    let lines = table.lines().map(|line| cut(line, WIDTH) + "\n");
    format!("\n{}", lines.collect::<String>())
}

#[cfg(test)]
#[path = "page_tests.rs"]
mod tests;
