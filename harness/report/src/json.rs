/*! `results.json`: the run as one document for scripts.

The form is public (`schemas/results.schema.json`). Findings that held are not
repeated one by one; their requirement ids stand in `held`.
*/

use indexmap::IndexSet;
use judge::{
    Blame, Finding, Level, Outcome, RequirementResult, SnapshotState, Status, Summary, Verdict,
};
use serde::Serialize;

use crate::run::{Found, Run, Scenario};

/// Version of the form; grows when a reader has to change.
pub const SCHEMA_VERSION: u32 = 1;

#[derive(Serialize)]
struct Document<'a> {
    schema_version: u32,
    tool: Tool<'a>,
    seed: u64,
    seat: Option<trace::Seat>,
    profile: &'a str,
    strict: bool,
    started: &'a str,
    duration_ms: u64,
    exit_code: Option<u8>,
    interrupted: bool,
    selected: u32,
    target: Target<'a>,
    summary: Summary,
    flaky: u32,
    unfinished: u32,
    blame: BlameCounts,
    problems: &'a [String],
    scenarios: Vec<ScenarioDoc<'a>>,
    requirements: Vec<RequirementDoc<'a>>,
}

#[derive(Serialize)]
struct Tool<'a> {
    name: &'static str,
    version: &'a str,
}

#[derive(Serialize)]
struct Target<'a> {
    name: &'a str,
}

#[derive(Serialize)]
struct BlameCounts {
    target: usize,
    harness: usize,
    environment: usize,
}

#[derive(Serialize)]
struct ScenarioDoc<'a> {
    id: &'a str,
    title: &'a str,
    file: &'a str,
    line: u32,
    seat: trace::Seat,
    tags: &'a [String],
    verdict: Option<Outcome>,
    reason: Option<&'a str>,
    flaky: bool,
    attempts: usize,
    duration_ms: u64,
    findings: Vec<FindingDoc<'a>>,
    held: IndexSet<&'a str>,
    snapshot: SnapshotState,
    #[serde(skip_serializing_if = "Option::is_none")]
    snapshot_diff: Option<&'a str>,
    trace: String,
    repeat: String,
}

#[derive(Serialize)]
struct FindingDoc<'a> {
    requirement: &'a str,
    level: &'static str,
    verdict: Verdict,
    blame: Blame,
    message: &'a str,
    rule: &'a str,
    event: Option<u64>,
    path: Option<&'a str>,
    line: Option<u32>,
    column: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<Step<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    waived: Option<&'a str>,
}

#[derive(Serialize)]
struct Step<'a> {
    file: &'a str,
    line: u32,
}

#[derive(Serialize)]
struct RequirementDoc<'a> {
    id: &'a str,
    level: &'static str,
    status: Status,
    scenarios: &'a [String],
}

/// The level as the document writes it, with a blank: `MUST NOT`.
fn level_word(level: Level) -> &'static str {
    match level {
        Level::May => "MAY",
        Level::Should => "SHOULD",
        Level::ShouldNot => "SHOULD NOT",
        Level::Must => "MUST",
        Level::MustNot => "MUST NOT",
    }
}

/// Renders a run as `results.json`.
pub fn render(run: &Run) -> String {
    let info = run.info.as_ref();
    let end = run.end.as_ref();
    let [target, harness, environment] = run.blame();
    let document = Document {
        schema_version: SCHEMA_VERSION,
        tool: Tool {
            name: "parlance",
            version: info.map_or("", |i| &i.version),
        },
        seed: info.map_or(0, |i| i.seed),
        seat: info.map(|i| i.seat),
        profile: info.map_or("", |i| &i.profile),
        strict: info.is_some_and(|i| i.strict),
        started: info.map_or("", |i| &i.started),
        duration_ms: run.duration_ms(),
        exit_code: end.map(|e| e.exit_code),
        interrupted: run.interrupted(),
        selected: run.selected,
        target: Target {
            name: info.map_or("", |i| &i.target),
        },
        summary: run.summary(),
        flaky: run.scenarios.iter().filter(|s| s.flaky()).count() as u32,
        unfinished: run.unfinished() as u32,
        blame: BlameCounts {
            target,
            harness,
            environment,
        },
        problems: end.map_or(&[], |e| &e.problems),
        scenarios: run.scenarios.iter().map(|s| scenario(run, s)).collect(),
        requirements: run.requirements().map(requirement).collect(),
    };
    // Only text keys and finite numbers: cannot fail.
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}

fn scenario<'a>(run: &Run, scenario: &'a Scenario) -> ScenarioDoc<'a> {
    let info = &scenario.info;
    ScenarioDoc {
        id: &info.id,
        title: &info.title,
        file: &info.file,
        line: info.line,
        seat: info.seat,
        tags: &info.tags,
        verdict: scenario.outcome(),
        reason: scenario.reason(),
        flaky: scenario.flaky(),
        attempts: scenario.earlier.len() + 1,
        duration_ms: scenario.duration_ms(),
        findings: scenario
            .last
            .findings
            .iter()
            .filter(|f| f.finding.verdict != Verdict::Pass)
            .map(finding)
            .collect(),
        held: scenario
            .last
            .findings
            .iter()
            .filter(|f| f.finding.verdict == Verdict::Pass)
            .map(|f| f.finding.requirement.as_str())
            .collect(),
        snapshot: scenario
            .last
            .end
            .as_ref()
            .map_or(SnapshotState::None, |e| e.snapshot),
        snapshot_diff: scenario
            .last
            .end
            .as_ref()
            .and_then(|e| e.snapshot_diff.as_deref()),
        trace: crate::trace_path(&info.id),
        repeat: run.repeat(&info.id),
    }
}

fn finding(found: &Found) -> FindingDoc<'_> {
    let Finding {
        requirement,
        level,
        verdict,
        blame,
        message,
        rule,
        event,
        place,
        step,
        ..
    } = &found.finding;
    FindingDoc {
        requirement,
        level: level_word(*level),
        verdict: *verdict,
        blame: *blame,
        message,
        rule,
        event: *event,
        path: place.path.as_deref(),
        line: place.line,
        column: place.column,
        step: step.as_ref().map(|(file, line)| Step { file, line: *line }),
        waived: found.waived.as_deref(),
    }
}

fn requirement(result: &RequirementResult) -> RequirementDoc<'_> {
    RequirementDoc {
        id: &result.id,
        level: level_word(result.level),
        status: result.status,
        scenarios: &result.scenarios,
    }
}
