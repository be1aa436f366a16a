use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args, ValueEnum};

use super::value;

/// Which scenarios.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Selection")]
pub struct Select {
    /// Scenario ids, id prefixes (`server/join`), globs, or `file.yaml:LINE`; all of them without any
    #[arg(value_name = "SELECT")]
    pub select: Vec<String>,
    /// Only scenarios that fit an expression over id() tag() req() section() seat()
    #[arg(short = 'E', long, value_name = "EXPR")]
    pub filter: Vec<String>,
    /// Only scenarios with this tag (repeatable: any of them)
    #[arg(long, value_name = "TAG")]
    pub tag: Vec<String>,
    /// No scenario with this tag
    #[arg(long, value_name = "TAG")]
    pub skip_tag: Vec<String>,
    /// Only scenarios that set out to decide this requirement (id or glob)
    #[arg(long, value_name = "ID")]
    pub req: Vec<String>,
    /// Directory of scenarios to use instead of the built-in ones
    #[arg(long, value_name = "DIR")]
    pub scenarios: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Seat {
    /// The harness is the client, the target a server
    Client,
    /// The harness is the server, the target a client
    Server,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Profile {
    /// The document's schema with the errata that real implementations need
    Interop,
    /// Only what makes the printed schema compile
    Published,
}

impl Profile {
    /// As the libraries name it.
    pub fn name(self) -> &'static str {
        match self {
            Profile::Interop => "interop",
            Profile::Published => "published",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Format {
    #[default]
    Human,
    Json,
}

/// Outcomes a gate can refuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Refused {
    Warn,
    Inconclusive,
    Skip,
}

/// Play scenarios against a target, or against the harness's own peer
///
/// Without --target the harness tests itself: each scenario meets a fresh server of its own
/// over real TLS on loopback. Reports go to reports/latest/ unless --report says otherwise.
///
/// Examples:
///   parlance run                                     everything, against ourselves
///   parlance run --target target.yaml                everything that fits the target
///   parlance run --target target.yaml server/join    ids that begin so
///   parlance run -E 'tag(chat) and not tag(slow)'    by expression
///   parlance run --last-failed -v                    what failed last time, with the messages
///   parlance run --shard 2/5 --report out/2          the second of five parts
///   parlance run --seat server --target client.yaml  against a chat client
///   parlance run --defect server/chat-without-name server/chat   see a broken server found out
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct Run {
    #[command(flatten)]
    pub select: Select,
    /// Only what failed in the run before (read from the report directory)
    #[arg(long, help_heading = "Selection")]
    pub last_failed: bool,
    /// Only the K-th of N parts, by a stable hash of the id
    #[arg(long, value_name = "K/N", help_heading = "Selection")]
    pub shard: Option<value::Shard>,
    /// Print what would be played and stop
    #[arg(long, help_heading = "Selection")]
    pub list: bool,
    /// Form of --list
    #[arg(
        long,
        value_enum,
        value_name = "FORM",
        default_value = "human",
        help_heading = "Selection"
    )]
    pub format: Format,
    /// Check scenarios and target and stop before connecting
    #[arg(long, help_heading = "Selection")]
    pub dry_run: bool,

    /// The implementation under test (target.yaml)
    #[arg(short, long, value_name = "FILE", help_heading = "Target")]
    pub target: Option<PathBuf>,
    /// Seat the harness takes; the target's opposite, or client, without it
    #[arg(long, value_enum, value_name = "SEAT", help_heading = "Target")]
    pub seat: Option<Seat>,
    /// In a self run, what our own peer gets wrong (see `parlance list defects`)
    #[arg(
        long,
        value_name = "ID",
        conflicts_with = "target",
        help_heading = "Target"
    )]
    pub defect: Vec<String>,

    /// How many scenarios at a time; one against a target (they share its users), as many as processors without
    #[arg(short, long, value_name = "N", help_heading = "Playing")]
    pub jobs: Option<u16>,
    /// Play a failed scenario up to N more times; passing later makes it flaky
    #[arg(long, value_name = "N", default_value_t = 0, help_heading = "Playing")]
    pub retries: u8,
    /// Play everything N times
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..), help_heading = "Playing")]
    pub repeat: u16,
    /// Start nothing new after the first failure
    #[arg(long, help_heading = "Playing")]
    pub fail_fast: bool,
    /// In an order drawn from the seed
    #[arg(long, help_heading = "Playing")]
    pub shuffle: bool,
    /// Seed of every random choice; drawn and printed without it
    #[arg(long, value_name = "N", help_heading = "Playing")]
    pub seed: Option<u64>,
    /// Multiplies every wait of the scenarios (0.1 for a fast machine, 3 for a loaded one)
    #[arg(long, value_name = "F", value_parser = value::scale, default_value = "1", help_heading = "Playing")]
    pub time_scale: f64,
    /// Longest a single scenario may take, instead of its own limit
    #[arg(long, value_name = "TIME", value_parser = value::duration, help_heading = "Playing")]
    pub timeout: Option<Duration>,

    /// Count a broken SHOULD as a failure
    #[arg(long, help_heading = "Judging")]
    pub strict: bool,
    /// Schema profile
    #[arg(
        long,
        value_enum,
        value_name = "PROFILE",
        default_value = "interop",
        help_heading = "Judging"
    )]
    pub profile: Profile,
    /// Known violations (a YAML list like the target's waivers)
    #[arg(long, value_name = "FILE", help_heading = "Judging")]
    pub baseline: Option<PathBuf>,
    /// Exit 5 below this percentage of exercised MUST entries
    #[arg(long, value_name = "PERCENT", value_parser = value::percent, help_heading = "Judging")]
    pub min_coverage: Option<f64>,
    /// Exit 5 when a scenario ends so (repeatable)
    #[arg(long, value_enum, value_name = "OUTCOME", value_delimiter = ',', action = ArgAction::Append, help_heading = "Judging")]
    pub fail_on: Vec<Refused>,
    /// Accept every exchange as it is now (never when CI is set)
    #[arg(short, long, help_heading = "Judging")]
    pub update_snapshots: bool,

    /// Where accepted exchanges lie
    #[arg(
        long,
        value_name = "DIR",
        default_value = "fixtures/snapshots",
        help_heading = "Judging"
    )]
    pub snapshots: PathBuf,
    /// Directory of the reports
    #[arg(
        long,
        value_name = "DIR",
        default_value = "reports/latest",
        help_heading = "Reports"
    )]
    pub report: PathBuf,
    /// JUnit XML, besides the one in the report directory
    #[arg(long, value_name = "FILE", help_heading = "Reports")]
    pub junit: Option<PathBuf>,
    /// results.json, besides the one in the report directory
    #[arg(long, value_name = "FILE", help_heading = "Reports")]
    pub json: Option<PathBuf>,
    /// HTML, besides the one in the report directory
    #[arg(long, value_name = "FILE", help_heading = "Reports")]
    pub html: Option<PathBuf>,
    /// SARIF 2.1.0
    #[arg(long, value_name = "FILE", help_heading = "Reports")]
    pub sarif: Option<PathBuf>,
    /// TAP 14
    #[arg(long, value_name = "FILE", help_heading = "Reports")]
    pub tap: Option<PathBuf>,
}
