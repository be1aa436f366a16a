//! One module a command.

mod check;
mod client;
mod defects;
mod docs;
mod explain;
mod fmt;
mod lint;
mod list;
mod live;
mod mock;
mod mock_extras;
mod new;
mod proxy;
mod report;
mod run;
mod snapshot;
mod validate;
mod world;

use std::io::Write as _;

pub use run::warn;

use crate::args::{Cli, Command};
use crate::failure::{Done, Failure};
use crate::terminal::Terminal;

/// Does what was asked.
pub fn run(cli: Cli) -> Done {
    let terminal = Terminal::new(&cli.console);
    match cli.command {
        Command::Run(args) => run::run(&args, &terminal),
        Command::Mock(args) => mock::mock(&args, &terminal),
        Command::Client(args) => client::client(&args),
        Command::Proxy(args) => proxy::proxy(&args, &terminal),
        Command::Explain(args) => explain::explain(&args, &terminal),
        Command::Lint(args) => lint::lint(&args, &terminal),
        Command::Fmt(args) => fmt::fmt(&args, &terminal),
        Command::Check(args) => check::check(&args, &terminal),
        Command::Snapshot(args) => snapshot::snapshot(&args, &terminal),
        Command::Validate(args) => validate::validate(&args, &terminal),
        Command::Report(args) => report::report(&args),
        Command::New(args) => new::new(&args, &terminal),
        Command::List(args) => list::list(&args, &terminal),
        Command::Completions { shell } => docs::completions(shell),
        Command::Man { command } => docs::man(command.as_deref()),
        Command::Reference => docs::reference(),
    }
}

/// Prints to stdout. A reader that went away early (`| head`) is no failure.
fn print(text: &str) -> Result<(), Failure> {
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => Err(Failure::environment(e)),
        _ => Ok(()),
    }
}

/// Prints a JSON document.
fn json(value: &serde_json::Value) -> Result<(), Failure> {
    print(&format!("{value:#}\n"))
}
