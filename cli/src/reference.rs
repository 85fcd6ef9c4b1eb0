//! What can be made of the command line's own description: the reference in `docs/cli.md`, completions, man pages.
//!
//! It must never say anything that `--help` doesn't.

use clap::{Command, CommandFactory};
use std::{fs, io, path::Path};

use crate::{
    args::{Cli, CompletionsArgs, ManArgs},
    error::Error,
    output,
};

const HEAD: &str = "# Commands of hydra\n\nMade of the program's own help: `hydra reference > docs/cli.md`. A test compares it.\n";

/// Prints the reference, in Markdown.
pub fn reference() -> Result<(), Error> {
    let mut text = HEAD.to_owned();
    describe(&named(), &mut text);
    output::data(&text)
}

/// Prints what makes a shell complete the commands.
pub fn completions(args: &CompletionsArgs) -> Result<(), Error> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "hydra", &mut script);
    output::data(&String::from_utf8_lossy(&script))
}

/// Writes a man page for each command.
pub fn man(args: &ManArgs) -> Result<(), Error> {
    fs::create_dir_all(&args.out).map_err(Error::file("make", &args.out))?;
    let mut count = 0;
    write_pages(&named(), &args.out, &mut count)?;
    output::note(&format!("{count} man pages are in {}", args.out.display()));
    Ok(())
}

/// The command line, each command knowing its whole name.
fn named() -> Command {
    let mut command = Cli::command();
    command.build();
    command
}

/// The commands below one that a person is shown.
fn shown(command: &Command) -> impl Iterator<Item = &Command> {
    let hidden = |command: &&Command| !command.is_hide_set() && command.get_name() != "help";
    command.get_subcommands().filter(hidden)
}

fn name(command: &Command) -> &str {
    command.get_bin_name().unwrap_or(command.get_name())
}

fn describe(command: &Command, text: &mut String) {
    let help = command.clone().render_long_help().to_string();
    text.push_str(&format!("\n## {}\n\n```text\n", name(command)));
    for line in help.trim_end().lines() {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text.push_str("```\n");
    shown(command).for_each(|command| describe(command, text));
}

fn write_pages(command: &Command, folder: &Path, count: &mut usize) -> Result<(), Error> {
    let title = name(command).replace(' ', "-");
    let path = folder.join(format!("{title}.1"));
    let mut page = Vec::new();
    let made: io::Result<()> = clap_mangen::Man::new(command.clone())
        .title(title)
        .render(&mut page);
    made.and_then(|()| fs::write(&path, page))
        .map_err(Error::file("write", &path))?;
    *count += 1;
    shown(command).try_for_each(|command| write_pages(command, folder, count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_that_is_shown_has_a_man_page() {
        let folder = tempfile::tempdir().unwrap();
        man(&ManArgs {
            out: folder.path().join("man1"),
        })
        .unwrap();
        let mut pages: Vec<String> = fs::read_dir(folder.path().join("man1"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        pages.sort_unstable();
        for page in ["hydra.1", "hydra-demo.1", "hydra-model-export.1", "hydra-ask.1"] {
            assert!(pages.contains(&page.to_string()), "{page} in {pages:?}");
        }
        assert!(
            !pages
                .iter()
                .any(|page| page.contains("reference") || page.contains("help")),
            "{pages:?}"
        );
        let demo = fs::read_to_string(folder.path().join("man1/hydra-demo.1")).unwrap();
        assert!(demo.contains("until") && demo.contains("Exit codes"), "{demo}");
    }

    #[test]
    fn completions_know_the_commands() {
        for shell in [
            clap_complete::Shell::Bash,
            clap_complete::Shell::Zsh,
            clap_complete::Shell::Fish,
        ] {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "hydra", &mut script);
            let script = String::from_utf8(script).unwrap();
            assert!(
                script.contains("demo") && script.contains("until-accuracy"),
                "{shell}"
            );
        }
    }
}
