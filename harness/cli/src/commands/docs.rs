/*! Completions, manual pages and the command reference, all made from the flag definitions. */

use std::fmt::Write as _;

use clap::Command;
use judge::exit;

use crate::args;
use crate::failure::{Done, Failure};

/// Prints a shell's completion script.
pub fn completions(shell: clap_complete::Shell) -> Done {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut args::command(), "parlance", &mut text);
    print(&text)
}

/// Prints the manual page of the program or of one of its commands.
pub fn man(name: Option<&str>) -> Done {
    let mut command = args::command();
    command.build();
    let page = match name {
        None => command,
        Some(name) => match command.find_subcommand(name) {
            Some(found) => found
                .clone()
                .name(format!("parlance-{name}"))
                .display_name(format!("parlance-{name}")),
            None => return Err(Failure::usage(format!("there is no command `{name}`"))),
        },
    };
    let mut text = Vec::new();
    clap_mangen::Man::new(page)
        .render(&mut text)
        .map_err(Failure::bug)?;
    print(&text)
}

/// Prints the command reference in Markdown.
pub fn reference() -> Done {
    print(markdown().as_bytes())
}

fn print(text: &[u8]) -> Done {
    super::print(&String::from_utf8_lossy(text))?;
    Ok(exit::CONFORMANT)
}

/// `docs/reference/cli.md`.
pub fn markdown() -> String {
    let mut command = args::command().term_width(100);
    command.build();
    let mut out = String::from(
        "# Commands and flags\n\n\
         Made from the program itself (`make docs`); do not edit.\n",
    );
    section(&command, &mut out);
    out
}

fn section(command: &Command, out: &mut String) {
    let hashes = "##";
    let name = command
        .get_bin_name()
        .unwrap_or(command.get_name())
        .to_owned();
    let help = command.clone().render_long_help().to_string();
    // Trailing blanks come from clap's wrapping.
    let help: Vec<&str> = help.lines().map(str::trim_end).collect();
    let _ = write!(
        out,
        "\n{hashes} `{name}`\n\n```text\n{}\n```\n",
        help.join("\n").trim_end()
    );
    for sub in command.get_subcommands().filter(|c| !c.is_hide_set()) {
        section(sub, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `make docs` writes it.
    #[test]
    fn the_committed_reference_is_fresh() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/cli.md");
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            committed == markdown(),
            "docs/reference/cli.md is stale; run `make docs`"
        );
    }

    /// The command lines that a page shows: in blocks and between backticks.
    fn shown(page: &str) -> Vec<String> {
        let mut lines = Vec::new();
        let mut block: Option<&str> = None;
        for line in page.lines() {
            if let Some(language) = line.trim().strip_prefix("```") {
                block = block.is_none().then_some(language);
                continue;
            }
            if block.is_some_and(|language| language == "text") {
                continue;
            }
            if block.is_some() {
                lines.extend(line.find("parlance ").map(|at| line[at..].to_owned()));
                continue;
            }
            let code = line.split('`').skip(1).step_by(2);
            lines.extend(
                code.filter(|c| c.starts_with("parlance "))
                    .map(str::to_owned),
            );
        }
        lines
    }

    /// A shell line in words, without its comment, its redirections and what follows a pipe or a quote that ends it.
    fn words(line: &str) -> Vec<String> {
        let mut words = vec![String::new()];
        let mut quote = None;
        for c in line.chars() {
            match (quote, c) {
                (Some(q), c) if c == q => quote = None,
                (None, '\'' | '"') => quote = Some(c),
                (None, '#' | '|' | '>' | '<' | ';' | '&') => break,
                (None, ' ') => words.push(String::new()),
                _ => {
                    if let Some(word) = words.last_mut() {
                        word.push(c);
                    }
                }
            }
        }
        words.retain(|w| !w.is_empty());
        words
    }

    #[test]
    fn every_command_of_the_documents_can_be_typed() {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
        let mut seen = 0;
        for page in [
            "README.md",
            "CONTRIBUTING.md",
            "docs/guide.md",
            "docs/reports.md",
            "docs/scenarios.md",
        ] {
            let text = std::fs::read_to_string(format!("{root}/{page}")).unwrap();
            for line in shown(&text) {
                let line = line
                    .replace("${{ matrix.part }}", "1")
                    .replace("$((JOB_COMPLETION_INDEX + 1))", "1")
                    .trim_end_matches("' }")
                    .to_owned();
                // What only names a command, or leaves something to be thought of.
                let names = words(&line).last().is_none_or(|w| w.starts_with("--"));
                if line.contains('…')
                    || words(&line).len() < 2
                    || names && line.starts_with("parlance mock")
                {
                    continue;
                }
                seen += 1;
                let tried = args::command().try_get_matches_from(words(&line));
                if let Err(error) = tried {
                    let named = words(&line).len() <= 3 && !line.contains(" -");
                    let incomplete = matches!(
                        error.kind(),
                        clap::error::ErrorKind::MissingRequiredArgument
                            | clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
                            | clap::error::ErrorKind::MissingSubcommand
                    );
                    assert!(named && incomplete, "{page} shows `{line}`: {error}");
                }
            }
        }
        assert!(seen > 40, "{seen}");
    }
}
