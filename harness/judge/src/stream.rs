use serde::{Deserialize, Serialize};

use crate::{Finding, Level};

/// How a scenario ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Everything that was checked held.
    Pass,
    /// Not played; the reason is given. Never a pass.
    Skip,
    /// A SHOULD was broken.
    Warn,
    /// Its purpose could not be reached, so it proves nothing.
    Inconclusive,
    /// A MUST was broken by the target.
    Fail,
    /// The harness or the environment failed.
    Error,
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Outcome::Pass => "pass",
            Outcome::Skip => "skip",
            Outcome::Warn => "warn",
            Outcome::Inconclusive => "inconclusive",
            Outcome::Fail => "fail",
            Outcome::Error => "error",
        })
    }
}

/// What a run knows about one requirement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// A check of it fired and held, none failed.
    Satisfied,
    /// A check of it failed.
    Violated,
    /// Nothing in this run looked at it.
    NotExercised,
    /// Cannot be seen from outside.
    NotObservable,
    /// It failed, and a waiver says that is known.
    Waived,
}

/// What the run compared with the accepted exchange of a scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SnapshotState {
    /// Equal to the accepted one.
    Match,
    /// Different.
    Changed,
    /// There was none; written or pending.
    New,
    /// Not compared.
    None,
}

/// What is true of the whole run from its start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunInfo {
    /// Version of the program.
    pub version: String,
    /// Seed of every random choice.
    pub seed: u64,
    /// Seat the harness took (`client` or `server`).
    pub seat: trace::Seat,
    /// Schema profile.
    pub profile: String,
    /// Name of the target; `self` when the harness tests itself.
    pub target: String,
    /// Start, RFC 3339 in UTC.
    pub started: String,
    /// The command line, for the reports' repeat lines (program and arguments without selection).
    pub command: Vec<String>,
    /// Whether a broken SHOULD counts.
    pub strict: bool,
}

/// A scenario about to be played.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScenarioInfo {
    /// `server/join/bjoin-two-rooms`.
    pub id: String,
    /// Its one-line title.
    pub title: String,
    /// Its file, relative to the working directory, with forward slashes.
    pub file: String,
    /// Line of the file where it starts.
    pub line: u32,
    /// Seat the harness takes in it.
    pub seat: trace::Seat,
    /// Its tags.
    pub tags: Vec<String>,
    /// Requirement ids it sets out to decide, globs expanded.
    pub covers: Vec<String>,
}

/// Counts of outcomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Summary {
    /// Passed.
    pub pass: u32,
    /// Failed.
    pub fail: u32,
    /// Broke a SHOULD.
    pub warn: u32,
    /// Proved nothing.
    pub inconclusive: u32,
    /// Not played.
    pub skip: u32,
    /// Harness or environment failed.
    pub error: u32,
}

impl Summary {
    /// Counts one more outcome.
    pub fn add(&mut self, outcome: Outcome) {
        *match outcome {
            Outcome::Pass => &mut self.pass,
            Outcome::Fail => &mut self.fail,
            Outcome::Warn => &mut self.warn,
            Outcome::Inconclusive => &mut self.inconclusive,
            Outcome::Skip => &mut self.skip,
            Outcome::Error => &mut self.error,
        } += 1;
    }

    /// How many ended so.
    pub fn count(&self, outcome: Outcome) -> u32 {
        match outcome {
            Outcome::Pass => self.pass,
            Outcome::Fail => self.fail,
            Outcome::Warn => self.warn,
            Outcome::Inconclusive => self.inconclusive,
            Outcome::Skip => self.skip,
            Outcome::Error => self.error,
        }
    }
}

/// What a run decided about one requirement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequirementResult {
    /// Its id.
    pub id: String,
    /// How binding it is.
    pub level: Level,
    /// What is known now.
    pub status: Status,
    /// Scenarios in which a check of it fired.
    pub scenarios: Vec<String>,
    /// Scenario and event that decided it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<(String, u64)>,
}

/// The one stream between a run and its reports: written as `events.ndjson`, append-only.
///
/// Console, JUnit, HTML, JSON, SARIF and TAP are folds over it and see nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunEvent {
    /// The run begins; `selected` scenarios will follow.
    RunStarted {
        /// What is true of the whole run.
        info: RunInfo,
        /// How many scenarios were selected.
        selected: u32,
    },
    /// A scenario begins.
    ScenarioStarted {
        /// Which.
        scenario: ScenarioInfo,
    },
    /// Something crossed the wire in a scenario.
    Traced {
        /// Scenario id.
        scenario: String,
        /// The event, numbered within the scenario.
        event: trace::Event,
    },
    /// Something was concluded in a scenario.
    Found {
        /// Scenario id.
        scenario: String,
        /// The conclusion.
        finding: Finding,
        /// The waiver's reason, when the target's baseline covers it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        waived: Option<String>,
    },
    /// A scenario ended.
    ScenarioFinished {
        /// Scenario id.
        scenario: String,
        /// How.
        outcome: Outcome,
        /// Why, for skip, inconclusive and error.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// Wall or virtual milliseconds it took.
        duration_ms: u64,
        /// How its exchange compares with the accepted one.
        snapshot: SnapshotState,
        /// Unified diff when the snapshot changed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        snapshot_diff: Option<String>,
        /// True when an earlier attempt of it failed.
        #[serde(default)]
        flaky: bool,
    },
    /// The run ended (also when it was interrupted).
    RunFinished {
        /// Outcomes counted.
        summary: Summary,
        /// Every requirement of the catalogue.
        requirements: Vec<RequirementResult>,
        /// Complaints about the run as a whole: stale waivers, unmet gates.
        problems: Vec<String>,
        /// The process exit code that follows from all this.
        exit_code: u8,
        /// True when a signal cut it short.
        interrupted: bool,
        /// Milliseconds from start to end.
        duration_ms: u64,
    },
}
