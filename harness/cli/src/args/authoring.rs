use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{Format, Select};

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum What {
    Scenarios,
    Requirements,
    Defects,
}

/// What exists: scenarios, requirements, defects
///
/// Examples:
///   parlance list scenarios server/join
///   parlance list requirements 3.2.6.5
///   parlance list defects --format json
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct List {
    #[arg(value_enum)]
    pub what: What,
    #[command(flatten)]
    pub select: Select,
    /// Form of the list
    #[arg(long, value_enum, value_name = "FORM", default_value = "human")]
    pub format: Format,
}

/// What an id means: a requirement, erratum, contradiction, defect or finding code
///
/// Examples:
///   parlance explain XCCOSIP-3.2.3.5-06
///   parlance explain server/chat-without-name
///   parlance explain SCHEMA
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct Explain {
    #[arg(value_name = "ID", required = true)]
    pub ids: Vec<String>,
    /// Form of the answer
    #[arg(long, value_enum, value_name = "FORM", default_value = "human")]
    pub format: Format,
}

/// Check scenario, target and world files without running anything
///
/// Examples:
///   parlance lint scenarios/
///   parlance lint target.yaml world.yaml my-scenario.yaml
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct Lint {
    /// Files, or directories of them
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// Form of the answer
    #[arg(long, value_enum, value_name = "FORM", default_value = "human")]
    pub format: Format,
}

/// Lay out scenario, target and world files
///
/// Two blanks a level, one blank inside braces, no trailing blanks; comments, keys and scalars stay as
/// they are, and a file that would not say exactly the same afterwards is left alone.
///
/// Examples:
///   parlance fmt scenarios/
///   parlance fmt --check scenarios/                exit code 1 when a file is not laid out
///   parlance fmt - < scenario.yaml                 to stdout
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct Fmt {
    /// Files, or directories of .yaml files; `-` is stdin
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// Write nothing, show what would change
    #[arg(long)]
    pub check: bool,
}

/// Review accepted exchanges
#[derive(Debug, Args)]
pub struct Snapshot {
    /// Where accepted exchanges lie
    #[arg(
        long,
        value_name = "DIR",
        default_value = "fixtures/snapshots",
        global = true
    )]
    pub snapshots: PathBuf,
    #[command(subcommand)]
    pub what: SnapshotDo,
}

#[derive(Debug, Subcommand)]
pub enum SnapshotDo {
    /// Show what the last run would change
    ///
    /// Examples:
    ///   parlance snapshot diff server/join
    #[command(verbatim_doc_comment)]
    Diff {
        #[command(flatten)]
        select: Select,
        /// Directory of the run's reports
        #[arg(long, value_name = "DIR", default_value = "reports/latest")]
        report: PathBuf,
    },
    /// Take what the last run saw as accepted
    ///
    /// Examples:
    ///   parlance snapshot accept server/join/bjoin-two-rooms
    #[command(verbatim_doc_comment)]
    Accept {
        #[command(flatten)]
        select: Select,
        /// Directory of the run's reports
        #[arg(long, value_name = "DIR", default_value = "reports/latest")]
        report: PathBuf,
    },
    /// Show accepted exchanges of scenarios that are no more; exit code 1 when there are any
    ///
    /// Examples:
    ///   parlance snapshot orphans
    ///   parlance snapshot orphans --target contoso-chat --remove
    #[command(verbatim_doc_comment)]
    Orphans {
        /// Name of the target they were accepted for
        #[arg(long, value_name = "NAME", default_value = "self")]
        target: String,
        /// Directory of scenarios to use instead of the built-in ones
        #[arg(long, value_name = "DIR")]
        scenarios: Option<PathBuf>,
        /// Delete them
        #[arg(long)]
        remove: bool,
    },
}

/// A commented file to start from
#[derive(Debug, Args)]
pub struct New {
    #[command(subcommand)]
    pub what: NewWhat,
}

#[derive(Debug, Subcommand)]
pub enum NewWhat {
    /// A target file: asks for what it needs, or takes flags
    ///
    /// Asks when it is started without flags on a terminal, or with --ask.
    ///
    /// Examples:
    ///   parlance new target
    ///   parlance new target --address chat.example.com:5061 --domain example.com -o contoso.yaml
    #[command(verbatim_doc_comment)]
    Target {
        /// File to write
        #[arg(short, long, value_name = "FILE", default_value = "target.yaml")]
        output: PathBuf,
        /// Name in reports
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        /// What it is: server (also without this flag) or client
        #[arg(long, value_enum, value_name = "SEAT")]
        implements: Option<super::Seat>,
        /// Where it listens
        #[arg(long, value_name = "ADDR", value_parser = super::value::address)]
        address: Option<String>,
        /// Its SIP domain
        #[arg(long, value_name = "DOMAIN")]
        domain: Option<String>,
        /// Ask questions on stdin, also when it is no terminal
        #[arg(long)]
        ask: bool,
        /// Replace an existing file
        #[arg(long)]
        force: bool,
    },
    /// A scenario, commented, or one that repeats a recorded session
    ///
    /// Examples:
    ///   parlance new scenario -o my-scenario.yaml
    ///   parlance new scenario --from session.ndjson     what `mock --record` wrote, or a log or capture
    #[command(verbatim_doc_comment)]
    Scenario {
        /// A recording of clients and a chat server: a trace (NDJSON), a SIP text log, a capture
        #[arg(long, value_name = "FILE")]
        from: Option<PathBuf>,
        /// File to write
        #[arg(short, long, value_name = "FILE", default_value = "scenario.yaml")]
        output: PathBuf,
        /// Replace an existing file
        #[arg(long)]
        force: bool,
    },
    /// A world file for the mock
    ///
    /// Examples:
    ///   parlance new world -o world.yaml
    #[command(verbatim_doc_comment)]
    World {
        /// File to write
        #[arg(short, long, value_name = "FILE", default_value = "world.yaml")]
        output: PathBuf,
        /// Replace an existing file
        #[arg(long)]
        force: bool,
    },
}
