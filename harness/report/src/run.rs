/*! The state every report is rendered from: a fold over the event stream.

Takes [`RunEvent`]s in order, however few (an interrupted run has no end);
gives the run as a tree of scenarios with their exchange and findings. It
judges nothing: outcomes are those the stream tells.
*/

use std::collections::HashMap;

use indexmap::IndexMap;
use judge::{
    Blame, Finding, Outcome, RequirementResult, RunEvent, RunInfo, ScenarioInfo, SnapshotState,
    Status, Summary, Verdict,
};

use crate::text;

/// A run as far as its stream tells.
#[derive(Debug, Clone, Default)]
pub struct Run {
    /// What the run said of itself; none when the stream lacks its first event.
    pub info: Option<RunInfo>,
    /// How many scenarios were selected.
    pub selected: u32,
    /// The scenarios in order of their first start.
    pub scenarios: Vec<Scenario>,
    /// How the run ended; none when the stream stops before.
    pub end: Option<RunEnd>,
    index: HashMap<String, usize>,
}

/// The last event of a run.
#[derive(Debug, Clone)]
pub struct RunEnd {
    /// Every requirement of the catalogue.
    pub requirements: Vec<RequirementResult>,
    /// Complaints about the run as a whole.
    pub problems: Vec<String>,
    /// The process exit code.
    pub exit_code: u8,
    /// Whether a signal cut it short.
    pub interrupted: bool,
    /// Milliseconds from start to end.
    pub duration_ms: u64,
}

/// One scenario with its last attempt.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// What it is.
    pub info: ScenarioInfo,
    /// Its last attempt.
    pub last: Attempt,
    /// Attempts before the last one, oldest first.
    pub earlier: Vec<Attempt>,
}

/// One time a scenario was played.
#[derive(Debug, Clone, Default)]
pub struct Attempt {
    /// What crossed the wire.
    pub events: Vec<trace::Event>,
    /// What was concluded, in order.
    pub findings: Vec<Found>,
    /// How it ended; none when it did not.
    pub end: Option<ScenarioEnd>,
}

/// A finding and the waiver that covers it.
#[derive(Debug, Clone)]
pub struct Found {
    /// The conclusion.
    pub finding: Finding,
    /// The waiver's reason, if one covers it.
    pub waived: Option<String>,
}

/// What a finding comes to in a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Weight {
    /// It held.
    Held,
    /// Worth knowing, counts for nothing: information, and warnings about the harness itself.
    Remark,
    /// Broken, and a waiver covers it.
    Waived,
    /// A SHOULD was broken.
    Warning,
    /// A MUST was broken, or the harness or the environment failed.
    Violation,
}

impl Found {
    /// What it comes to, by the same rules as the scenario's outcome.
    pub fn weight(&self) -> Weight {
        match (self.finding.verdict, self.finding.blame, &self.waived) {
            (Verdict::Pass, _, _) => Weight::Held,
            (Verdict::Fail | Verdict::Warn, Blame::Target, Some(_)) => Weight::Waived,
            (Verdict::Fail, _, _) => Weight::Violation,
            (Verdict::Warn, Blame::Target, None) => Weight::Warning,
            (Verdict::Warn | Verdict::Info, _, _) => Weight::Remark,
        }
    }
}

/// How a scenario ended.
#[derive(Debug, Clone)]
pub struct ScenarioEnd {
    /// How.
    pub outcome: Outcome,
    /// Why, when that is not plain from the findings.
    pub reason: Option<String>,
    /// Milliseconds.
    pub duration_ms: u64,
    /// How its exchange compares with the accepted one.
    pub snapshot: SnapshotState,
    /// Unified diff when it changed.
    pub snapshot_diff: Option<String>,
    /// Whether an earlier attempt failed.
    pub flaky: bool,
}

impl Run {
    /// Folds a whole stream.
    pub fn fold<'a>(events: impl IntoIterator<Item = &'a RunEvent>) -> Run {
        let mut run = Run::default();
        for event in events {
            run.take(event);
        }
        run
    }

    /// Takes the next event.
    pub fn take(&mut self, event: &RunEvent) {
        match event {
            RunEvent::RunStarted { info, selected } => {
                self.info = Some(info.clone());
                self.selected = *selected;
            }
            RunEvent::ScenarioStarted { scenario } => match self.index.get(&scenario.id) {
                Some(&i) => {
                    let known = &mut self.scenarios[i];
                    known.info = scenario.clone();
                    let before = std::mem::take(&mut known.last);
                    known.earlier.push(before);
                }
                None => {
                    self.add(scenario.clone());
                }
            },
            RunEvent::Traced { scenario, event } => {
                self.attempt(scenario).events.push(event.clone());
            }
            RunEvent::Found {
                scenario,
                finding,
                waived,
            } => self.attempt(scenario).findings.push(Found {
                finding: finding.clone(),
                waived: waived.clone(),
            }),
            RunEvent::ScenarioFinished {
                scenario,
                outcome,
                reason,
                duration_ms,
                snapshot,
                snapshot_diff,
                flaky,
            } => {
                self.attempt(scenario).end = Some(ScenarioEnd {
                    outcome: *outcome,
                    reason: reason.clone(),
                    duration_ms: *duration_ms,
                    snapshot: *snapshot,
                    snapshot_diff: snapshot_diff.clone(),
                    flaky: *flaky,
                });
            }
            RunEvent::RunFinished {
                requirements,
                problems,
                exit_code,
                interrupted,
                duration_ms,
                ..
            } => {
                self.end = Some(RunEnd {
                    requirements: requirements.clone(),
                    problems: problems.clone(),
                    exit_code: *exit_code,
                    interrupted: *interrupted,
                    duration_ms: *duration_ms,
                });
            }
        }
    }

    /// Outcomes counted from the scenarios that ended, so that the counts always add up.
    pub fn summary(&self) -> Summary {
        let mut summary = Summary::default();
        for end in self.scenarios.iter().filter_map(|s| s.last.end.as_ref()) {
            summary.add(end.outcome);
        }
        summary
    }

    /// How many scenarios began and did not end.
    pub fn unfinished(&self) -> usize {
        self.scenarios
            .iter()
            .filter(|s| s.last.end.is_none())
            .count()
    }

    /// Whether something cut the run short: a signal, or a stream that stops.
    pub fn interrupted(&self) -> bool {
        self.end.as_ref().is_none_or(|end| end.interrupted)
    }

    /// The scenario with this id.
    pub fn scenario(&self, id: &str) -> Option<&Scenario> {
        self.index.get(id).and_then(|&i| self.scenarios.get(i))
    }

    /// Milliseconds: of the run, or the sum of its scenarios when it did not end.
    pub fn duration_ms(&self) -> u64 {
        match &self.end {
            Some(end) => end.duration_ms,
            None => self.scenarios.iter().map(Scenario::duration_ms).sum(),
        }
    }

    /// How many requirements have this status.
    pub fn status_count(&self, status: Status) -> usize {
        self.requirements().filter(|r| r.status == status).count()
    }

    /// Every requirement result; none before the run ended.
    pub fn requirements(&self) -> impl Iterator<Item = &RequirementResult> {
        self.end.iter().flat_map(|end| &end.requirements)
    }

    /// The shell line that plays one scenario again.
    pub fn repeat(&self, scenario: &str) -> String {
        let default = ["parlance".to_owned(), "run".to_owned()];
        let (command, seed) = match &self.info {
            Some(info) if !info.command.is_empty() => (info.command.as_slice(), Some(info.seed)),
            Some(info) => (default.as_slice(), Some(info.seed)),
            None => (default.as_slice(), None),
        };
        let mut line: Vec<String> = command
            .iter()
            .map(|w| text::visible(&text::shell_word(w)).into_owned())
            .collect();
        // The n-th of several plays of one scenario is that scenario.
        let scenario = scenario.split('#').next().unwrap_or(scenario);
        line.push(text::visible(&text::shell_word(scenario)).into_owned());
        let has_seed = command
            .iter()
            .any(|w| w == "--seed" || w.starts_with("--seed="));
        if let (Some(seed), false) = (seed, has_seed) {
            line.push(format!("--seed {seed}"));
        }
        line.join(" ")
    }

    /// How many violations are whose fault, over all last attempts: target, harness, environment.
    pub fn blame(&self) -> [usize; 3] {
        let mut counts = [0; 3];
        for found in self.scenarios.iter().flat_map(|s| &s.last.findings) {
            if found.weight() == Weight::Violation {
                counts[found.finding.blame as usize] += 1;
            }
        }
        counts
    }

    fn attempt(&mut self, scenario: &str) -> &mut Attempt {
        let i = match self.index.get(scenario) {
            Some(&i) => i,
            // A stream cut at its beginning, or written by hand.
            None => self.add(ScenarioInfo {
                id: scenario.to_owned(),
                title: String::new(),
                file: String::new(),
                line: 1,
                seat: self
                    .info
                    .as_ref()
                    .map_or(trace::Seat::Client, |info| info.seat),
                tags: Vec::new(),
                covers: Vec::new(),
            }),
        };
        &mut self.scenarios[i].last
    }

    fn add(&mut self, info: ScenarioInfo) -> usize {
        let i = self.scenarios.len();
        self.index.insert(info.id.clone(), i);
        self.scenarios.push(Scenario {
            info,
            last: Attempt::default(),
            earlier: Vec::new(),
        });
        i
    }
}

impl Scenario {
    /// How it ended; none when it did not.
    pub fn outcome(&self) -> Option<Outcome> {
        self.last.end.as_ref().map(|e| e.outcome)
    }

    /// The outcome's word; `unfinished` without one.
    pub fn outcome_word(&self) -> &'static str {
        match self.outcome() {
            Some(Outcome::Pass) => "pass",
            Some(Outcome::Skip) => "skip",
            Some(Outcome::Warn) => "warn",
            Some(Outcome::Inconclusive) => "inconclusive",
            Some(Outcome::Fail) => "fail",
            Some(Outcome::Error) => "error",
            None => "unfinished",
        }
    }

    /// Why it ended so, when the run says.
    pub fn reason(&self) -> Option<&str> {
        self.last.end.as_ref()?.reason.as_deref()
    }

    /// Whether an earlier attempt failed and the last one did not.
    pub fn flaky(&self) -> bool {
        self.last.end.as_ref().is_some_and(|e| e.flaky)
    }

    /// Milliseconds the last attempt took.
    pub fn duration_ms(&self) -> u64 {
        self.last.end.as_ref().map_or(0, |e| e.duration_ms)
    }

    /// Broken requirements that count: neither waived nor merely information.
    pub fn violations(&self) -> impl Iterator<Item = &Finding> {
        self.last.violations()
    }

    /// Broken requirements that a waiver covers, with its reason.
    pub fn waived(&self) -> impl Iterator<Item = (&Finding, &str)> {
        self.last
            .findings
            .iter()
            .filter(|f| f.weight() == Weight::Waived)
            .filter_map(|f| Some((&f.finding, f.waived.as_deref()?)))
    }
}

impl Attempt {
    /// Broken requirements that count, the worst first: MUST before SHOULD, in order of finding.
    pub fn violations(&self) -> impl Iterator<Item = &Finding> {
        let of = |weight: Weight| {
            self.findings
                .iter()
                .filter(move |f| f.weight() == weight)
                .map(|f| &f.finding)
        };
        of(Weight::Violation).chain(of(Weight::Warning))
    }

    /// The violations with those that say the same of other messages put together: the first of
    /// each kind, and the numbers of the other messages.
    pub fn grouped(&self) -> Vec<(&Finding, Vec<u64>)> {
        let mut groups: IndexMap<(String, String), (&Finding, Vec<u64>)> = IndexMap::new();
        for finding in self.violations() {
            groups
                .entry(kind(finding))
                .and_modify(|(_, more)| more.extend(finding.event))
                .or_insert((finding, Vec::new()));
        }
        groups.into_values().collect()
    }

    /// The event with this number.
    pub fn event(&self, seq: u64) -> Option<&trace::Event> {
        match self.events.get(usize::try_from(seq).ok()?) {
            Some(event) if event.seq == seq => Some(event),
            _ => self.events.iter().find(|e| e.seq == seq),
        }
    }
}

/// What two findings have in common that differ in numbers only.
pub fn kind(finding: &Finding) -> (String, String) {
    let mut message = String::with_capacity(finding.message.len());
    for c in finding.message.chars() {
        if !c.is_ascii_digit() {
            message.push(c);
        } else if !message.ends_with('#') {
            message.push('#');
        }
    }
    (
        format!(
            "{}/{}/{:?}",
            finding.requirement, finding.rule, finding.verdict
        ),
        message,
    )
}

/// The word for whose fault something is.
pub fn blame_word(blame: Blame) -> &'static str {
    match blame {
        Blame::Target => "target",
        Blame::Harness => "harness",
        Blame::Environment => "environment",
    }
}

/// The word for a requirement's status, as in `results.json`.
pub fn status_word(status: Status) -> &'static str {
    match status {
        Status::Satisfied => "satisfied",
        Status::Violated => "violated",
        Status::NotExercised => "not-exercised",
        Status::NotObservable => "not-observable",
        Status::Waived => "waived",
    }
}
