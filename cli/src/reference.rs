//! What can be made of the command line's own description: the reference in `docs/cli.md`, completions, man pages; and of what
//! commands print, the schemas in `docs/json`.
//!
//! It must never say anything that `--help` doesn't, nor describe output that isn't a command's.

use clap::{Command, CommandFactory};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::{
    args::{Cli, CompletionsArgs, ManArgs, ReferenceArgs},
    error::Error,
    files, output, schemas,
};

const HEAD: &str = "# Commands of hydra\n\nMade of the program's own help: `hydra reference > docs/cli.md`. A test compares it.\n";

/// Prints the reference, in Markdown; or writes the schemas into a folder.
pub fn reference(args: &ReferenceArgs) -> Result<(), Error> {
    if let Some(folder) = &args.json_schemas {
        return schemas::write(folder);
    }
    let mut text = HEAD.to_owned();
    describe(&named(), &mut text);
    output::data(&text)
}

/// Prints what makes a shell complete the commands; as JSON, the script is a string.
pub fn completions(args: &CompletionsArgs, json: bool) -> Result<(), Error> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "hydra", &mut script);
    let script = String::from_utf8_lossy(&script);
    if json {
        return output::json(&script);
    }
    output::data(&script)
}

/// Writes a man page for each command; as JSON, their paths.
pub fn man(args: &ManArgs, json: bool) -> Result<(), Error> {
    files::make_folder(&args.out)?;
    let mut pages = Vec::new();
    write_pages(&named(), &args.out, &mut pages)?;
    if json {
        return output::json(&pages);
    }
    output::note(&format!(
        "{} man pages are in {}",
        pages.len(),
        args.out.display()
    ));
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

fn write_pages(command: &Command, folder: &Path, pages: &mut Vec<PathBuf>) -> Result<(), Error> {
    let title = name(command).replace(' ', "-");
    let path = folder.join(format!("{title}.1"));
    let mut page = Vec::new();
    let described = command.clone().override_usage(synopsis(command));
    let made: io::Result<()> = clap_mangen::Man::new(described).title(title).render(&mut page);
    made.and_then(|()| fs::write(&path, page))
        .map_err(Error::file("write", &path))?;
    pages.push(path);
    shown(command).try_for_each(|command| write_pages(command, folder, pages))
}

/// How a command is written, each option with what it takes: what clap would print folds them all into one word.
fn synopsis(command: &Command) -> String {
    let mut words = vec![name(command).to_owned()];
    let arguments = command.get_arguments().filter(|argument| !argument.is_hide_set());
    let (positionals, options): (Vec<_>, Vec<_>) = arguments.partition(|argument| argument.is_positional());
    for argument in options.into_iter().chain(positionals) {
        let values = argument
            .get_action()
            .takes_values()
            .then(|| argument.get_value_names())
            .flatten()
            .map(|values| {
                values
                    .iter()
                    .map(|value| format!("<{value}>"))
                    .collect::<Vec<_>>()
                    .join(" ")
            });
        let option = argument.get_long().map(|long| format!("--{long}"));
        let word = [option, values]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(" ");
        words.push(if argument.is_required_set() {
            word
        } else {
            format!("[{word}]")
        });
    }
    if command.has_subcommands() {
        words.push("<COMMAND>".into());
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_that_is_shown_has_a_man_page() {
        let folder = tempfile::tempdir().unwrap();
        let args = ManArgs {
            out: folder.path().join("man1"),
        };
        man(&args, false).unwrap();
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
        let ask = synopsis(named().find_subcommand("ask").unwrap());
        assert!(
            ask.starts_with("hydra ask [--model <ID>] ") && ask.ends_with(" <IMAGE>"),
            "{ask}"
        );
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
