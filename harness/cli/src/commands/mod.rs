//! One module a command.

mod docs;

use crate::args::{Cli, Command};
use crate::failure::{Done, Failure};

/// Does what was asked.
pub fn run(cli: Cli) -> Done {
    match cli.command {
        Command::Completions { shell } => docs::completions(shell),
        Command::Man { command } => docs::man(command.as_deref()),
        Command::Reference => docs::reference(),
        _ => Err(Failure::usage("this command is not wired yet")),
    }
}
