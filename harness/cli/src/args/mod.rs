/*! What can be typed: every command and flag, with its help and examples.

Takes the process's arguments and environment, gives [`Cli`]. It checks forms
(a number, a `K/N`, an address), not meanings: whether a file exists or a
scenario is known, the libraries say. Help, man pages, completions and
`docs/reference/` are all made from here.
*/

mod authoring;
mod offline;
mod peers;
mod run;
pub mod value;

pub use authoring::{Explain, Fmt, Lint, List, New, NewWhat, Snapshot, SnapshotDo, What};
pub use offline::{Check, Report, ReportDo, Validate};
pub use peers::{Client, Mock, Proxy, ProxyTransport};
pub use run::{Format, Profile, Refused, Run, Seat, Select};
pub use value::Shard;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{ArgAction, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

/// Conformance test harness for MS-XCCOSIP persistent chat
///
/// Plays the other seat against a chat server or a chat client, checks every payload against
/// the protocol's schema and every exchange against its rules, and says what the document
/// says about each violation.
#[derive(Debug, Parser)]
#[command(
    name = "parlance",
    version,
    styles = STYLES,
    propagate_version = true,
    disable_help_subcommand = true,
    max_term_width = 100,
    after_long_help = "\
Examples:
  parlance run                                  the harness against its own server, over TLS on loopback
  parlance mock --write-target target.yaml      a chat server to develop a client against
  parlance run --target target.yaml server/join the scenarios whose id begins so, against your server
  parlance check capture.pcapng                 what a recorded exchange violates
  parlance explain XCCOSIP-3.2.3.5-06           what a requirement says and who checks it

Exit codes:
  0    conformant: everything that ran passed, or its failure is in the baseline
  1    at least one counted violation, a changed snapshot, or a stale baseline entry
  2    bad flag, target, world, scenario, filter or schema
  3    environment: cannot connect, bind or handshake; the implementation died at start
  4    nothing was selected or nothing ran
  5    it ran, but a gate (--min-coverage, --fail-on) was not met
  70   harness bug
  130  interrupted; partial reports are written

SSLKEYLOGFILE names a file for the TLS secrets of connections; NO_COLOR, CI, GITHUB_ACTIONS,
GITHUB_STEP_SUMMARY and SOURCE_DATE_EPOCH mean what they usually do.

Every long flag can also be given as an environment variable: PARLANCE_ and the flag's name in
capitals, with _ for - (--fail-fast is PARLANCE_FAIL_FAST=1). A flag wins over its variable,
and a variable over what a file says."
)]
pub struct Cli {
    #[command(flatten)]
    pub console: Console,
    #[command(subcommand)]
    pub command: Command,
}

/// How much is printed and how.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Output")]
pub struct Console {
    /// Only what failed, and the last line
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// More: every message, then its bytes (-vv)
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
    /// When to colour
    #[arg(
        long,
        global = true,
        value_enum,
        value_name = "WHEN",
        default_value = "auto"
    )]
    pub color: Color,
    /// No progress line, even on a terminal
    #[arg(long, global = true)]
    pub no_progress: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal that can, unless NO_COLOR is set or TERM is dumb
    Auto,
    /// Also into files and pipes
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    Run(Box<Run>),
    Mock(Box<Mock>),
    Client(Client),
    Proxy(Proxy),
    Check(Check),
    Validate(Validate),
    List(List),
    Explain(Explain),
    Lint(Lint),
    Fmt(Fmt),
    Snapshot(Snapshot),
    Report(Report),
    New(New),
    /// Print a completion script for a shell
    ///
    /// Examples:
    ///   parlance completions bash > ~/.local/share/bash-completion/completions/parlance
    #[command(verbatim_doc_comment)]
    Completions {
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// Print the manual page (troff)
    ///
    /// Examples:
    ///   parlance man > /usr/local/share/man/man1/parlance.1
    #[command(verbatim_doc_comment)]
    Man {
        /// A command's own page (`run`, `mock`…); without it, the program's
        command: Option<String>,
    },
    /// Print the command reference in Markdown (docs/reference/cli.md)
    #[command(hide = true)]
    Reference,
}

/// The whole command line, with `PARLANCE_*` behind every long flag.
pub fn command() -> clap::Command {
    with_environment(Cli::command())
}

/// Parses the process's arguments; help, version and usage errors end the process here (0 or 2).
pub fn parse() -> Cli {
    let matches = command().get_matches();
    Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
}

/// One rule instead of an attribute at every flag: `--fail-fast` is also `PARLANCE_FAIL_FAST`.
fn with_environment(command: clap::Command) -> clap::Command {
    command
        .mut_args(|arg| {
            let Some(long) = arg.get_long() else {
                return arg;
            };
            if matches!(long, "help" | "version") {
                return arg;
            }
            let name = format!("PARLANCE_{}", long.to_uppercase().replace('-', "_"));
            let arg = arg.env(name).hide_env(true);
            match arg.get_action() {
                // `=0`, `=false` and an empty value mean what they say.
                ArgAction::SetTrue => arg.value_parser(clap::builder::FalseyValueParser::new()),
                _ => arg,
            }
        })
        .mut_subcommands(with_environment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_sound() {
        command().debug_assert();
    }

    #[test]
    fn every_command_shows_examples() {
        fn walk(command: &clap::Command) {
            if command.has_subcommands() {
                return command.get_subcommands().for_each(walk);
            }
            if command.is_hide_set() {
                return;
            }
            let help = command.clone().render_long_help().to_string();
            assert!(
                help.contains("Examples:"),
                "`{}` has no examples",
                command.get_name()
            );
        }
        walk(&command());
    }
}
