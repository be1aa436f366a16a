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
}
