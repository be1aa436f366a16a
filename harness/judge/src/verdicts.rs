/*! The verdict algebra: findings → outcomes → requirement results → exit code.

Takes the findings of each scenario as they are concluded, gives how the
scenario ended, what is known of each requirement, and the exit code. It keeps
no message and no trace; it refuses to let a skip, an unmet purpose or a
harness fault pass for a pass.

| finding | counts as |
|--|--|
| `fail`, the target's fault | scenario `fail`, requirement `violated`, exit 1 |
| `warn`, the target's fault | scenario `warn` (`fail` when strict), requirement `violated` |
| either, covered by a waiver | nothing; requirement `waived` |
| `fail`, the harness's fault | scenario `error`, exit 70 |
| `fail`, the environment's fault | scenario `error`, exit 3 |
| `pass` | requirement `satisfied` |
| `info`, or `warn` of the harness | nothing |
*/

use std::collections::HashMap;
use std::sync::Arc;

use indexmap::IndexMap;

use crate::{
    Blame, Catalogue, Finding, Level, Observable, Outcome, RequirementResult, SnapshotState,
    Status, Summary, Verdict, Waiver, coverage, exit,
};

/// Why a scenario proves nothing, said by the runner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unproven {
    /// Not played: capability not declared, seat not playable.
    Skip(String),
    /// Its purpose could not be reached (a sanity exchange failed, a precondition did not come about).
    Inconclusive(String),
    /// Network, certificates, the machine, a target that died.
    Environment(String),
    /// The harness itself failed.
    Harness(String),
}

/// What a run demands besides conformance.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Gates {
    /// Least percentage of the target's wire- and schema-observable MUST and MUST NOT entries
    /// that have to be exercised (`--min-coverage`).
    pub min_coverage: Option<f64>,
    /// Outcomes that must not occur (`--fail-on inconclusive`, `--fail-on skip`).
    pub fail_on: Vec<Outcome>,
    /// The seat under test, for the coverage gate; none counts both.
    pub target: Option<trace::Seat>,
    /// A signal cut the run short.
    pub interrupted: bool,
}

/// The end of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Closing {
    /// Every requirement of the catalogue, and any other id that was found (`SCHEMA`, `SIP`, `XML`).
    pub requirements: Vec<RequirementResult>,
    /// Outcomes counted.
    pub summary: Summary,
    /// Complaints about the run as a whole.
    pub problems: Vec<String>,
    /// Process exit code, one of [`exit`].
    pub exit_code: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Grade {
    /// A MUST that the documents contradict: warned of, and neither kept nor broken.
    Doubted,
    Held,
    Waived,
    Broken,
}

/// What one scenario knows of one requirement.
#[derive(Debug, Clone)]
struct Known {
    grade: Grade,
    level: Level,
    event: Option<u64>,
}

#[derive(Debug, Clone, Default)]
struct Attempt {
    known: IndexMap<String, Known>,
    failed: bool,
    warned: bool,
    harness: Option<String>,
    environment: Option<String>,
    unproven: Option<Unproven>,
    snapshot_changed: bool,
    waivers_used: Vec<usize>,
}

/// Combines the findings of a run.
#[derive(Debug)]
pub struct Verdicts {
    catalogue: Arc<Catalogue>,
    waivers: Vec<Waiver>,
    strict: bool,
    today: String,
    attempts: IndexMap<String, Attempt>,
}

impl Verdicts {
    /// Starts a run. `today` is the run's date as `YYYY-MM-DD`, for waivers that expire; with
    /// `strict`, a broken SHOULD counts like a broken MUST.
    pub fn new(
        catalogue: Arc<Catalogue>,
        waivers: Vec<Waiver>,
        strict: bool,
        today: impl Into<String>,
    ) -> Verdicts {
        Verdicts {
            catalogue,
            waivers,
            strict,
            today: today.into(),
            attempts: IndexMap::new(),
        }
    }

    /// A scenario begins; when it is a retry, all that was found before is forgotten.
    pub fn start(&mut self, scenario: &str) {
        self.attempts
            .insert(scenario.to_owned(), Attempt::default());
    }

    /// Takes a finding of a scenario; gives the waiver's reason when one covers it (the
    /// `waived` of [`crate::RunEvent::Found`]).
    pub fn finding(&mut self, scenario: &str, finding: &Finding) -> Option<String> {
        let waiver = match (finding.verdict, finding.blame) {
            (Verdict::Fail | Verdict::Warn, Blame::Target) => self
                .waivers
                .iter()
                .position(|w| !w.is_expired(&self.today) && w.covers(scenario, finding)),
            _ => None,
        };
        let attempt = self.attempts.entry(scenario.to_owned()).or_default();
        let grade = match (finding.verdict, finding.blame) {
            (Verdict::Info, _) | (Verdict::Warn, Blame::Harness | Blame::Environment) => {
                return None;
            }
            (Verdict::Pass, _) => Grade::Held,
            (Verdict::Fail, Blame::Harness) => {
                let why = format!("{}: {}", finding.requirement, finding.message);
                attempt.harness.get_or_insert(why);
                return None;
            }
            (Verdict::Fail, Blame::Environment) => {
                attempt.environment.get_or_insert(finding.message.clone());
                return None;
            }
            (Verdict::Fail | Verdict::Warn, Blame::Target) => {
                if let Some(waiver) = waiver {
                    if !attempt.waivers_used.contains(&waiver) {
                        attempt.waivers_used.push(waiver);
                    }
                    Grade::Waived
                } else {
                    attempt.failed |= finding.verdict == Verdict::Fail || self.strict;
                    attempt.warned |= finding.verdict == Verdict::Warn;
                    let absolute = matches!(finding.level, Level::Must | Level::MustNot);
                    if finding.verdict == Verdict::Warn && absolute && !self.strict {
                        Grade::Doubted
                    } else {
                        Grade::Broken
                    }
                }
            }
        };
        let known = Known {
            grade,
            level: finding.level,
            event: finding.event,
        };
        attempt
            .known
            .entry(finding.requirement.clone())
            .and_modify(|old| {
                if grade > old.grade {
                    *old = known.clone();
                }
            })
            .or_insert(known);
        waiver
            .and_then(|w| self.waivers.get(w))
            .map(|w| w.reason.clone())
    }

    /// The runner could not prove what the scenario is for. The first reason stays.
    pub fn unproven(&mut self, scenario: &str, why: Unproven) {
        let attempt = self.attempts.entry(scenario.to_owned()).or_default();
        attempt.unproven.get_or_insert(why);
    }

    /// How the exchange compares with the accepted one; a change counts as a violation of the run.
    pub fn snapshot(&mut self, scenario: &str, state: SnapshotState) {
        let attempt = self.attempts.entry(scenario.to_owned()).or_default();
        attempt.snapshot_changed = state == SnapshotState::Changed;
    }

    /// How the scenario ended as far as it is known now, and why when that is not plain from
    /// its findings.
    pub fn outcome(&self, scenario: &str) -> (Outcome, Option<String>) {
        self.attempts
            .get(scenario)
            .map_or((Outcome::Pass, None), outcome)
    }

    /// Ends the run.
    pub fn finish(self, gates: &Gates) -> Closing {
        let mut summary = Summary::default();
        let (mut harness, mut environment, mut violation) = (false, false, false);
        for attempt in self.attempts.values() {
            let (outcome, _) = outcome(attempt);
            summary.add(outcome);
            harness |=
                attempt.harness.is_some() || matches!(attempt.unproven, Some(Unproven::Harness(_)));
            environment |= attempt.environment.is_some()
                || matches!(attempt.unproven, Some(Unproven::Environment(_)));
            violation |= attempt.failed || attempt.snapshot_changed;
        }
        let requirements = self.results();
        let mut problems = self.waiver_problems();
        violation |= !problems.is_empty();

        let mut gate = false;
        let played = self.attempts.len() as u32 - summary.skip;
        if let (Some(least), true) = (gates.min_coverage, played > 0) {
            let reached = coverage::coverage(&self.catalogue, &requirements, gates.target, |l| {
                l.is_binding()
            });
            if reached.percent() < least {
                gate = true;
                problems.push(format!(
                    "coverage of MUST and MUST NOT is {:.1} % ({} of {}), below the demanded {least} %",
                    reached.percent(),
                    reached.exercised,
                    reached.observable,
                ));
            }
        }
        for &outcome in &gates.fail_on {
            let count = summary.count(outcome);
            if count > 0 {
                gate = true;
                problems.push(format!(
                    "{count} scenario{} ended as {outcome}, which this run does not accept",
                    if count == 1 { "" } else { "s" },
                ));
            }
        }

        let exit_code = if gates.interrupted {
            exit::INTERRUPTED
        } else if harness {
            exit::HARNESS_BUG
        } else if violation {
            exit::VIOLATION
        } else if environment {
            exit::ENVIRONMENT
        } else if played == 0 {
            exit::NOTHING_RAN
        } else if gate {
            exit::GATE
        } else if summary.pass + summary.warn == 0 {
            // Everything that was played proved nothing; that is no conformance.
            problems.push(
                "nothing was proven: no scenario that was played reached its purpose".to_owned(),
            );
            exit::NOTHING_RAN
        } else {
            exit::CONFORMANT
        };
        Closing {
            requirements,
            summary,
            problems,
            exit_code,
        }
    }

    /// One result for each requirement of the catalogue, then for each other id that was found.
    fn results(&self) -> Vec<RequirementResult> {
        struct Sum<'a> {
            scenarios: Vec<String>,
            worst: (Grade, &'a str, &'a Known),
        }
        let mut by_id: IndexMap<&str, Sum<'_>> = IndexMap::new();
        for (scenario, attempt) in &self.attempts {
            for (id, known) in &attempt.known {
                let worst = (known.grade, scenario.as_str(), known);
                by_id
                    .entry(id)
                    .and_modify(|sum| {
                        sum.scenarios.push(scenario.clone());
                        if worst.0 > sum.worst.0 {
                            sum.worst = worst;
                        }
                    })
                    .or_insert_with(|| Sum {
                        scenarios: vec![scenario.clone()],
                        worst,
                    });
            }
        }
        let mut results = Vec::with_capacity(self.catalogue.len());
        let mut result = |id: &str, level: Option<Level>, unseen: Status| {
            let sum = by_id.shift_remove(id);
            results.push(match sum {
                None => RequirementResult {
                    id: id.to_owned(),
                    level: level.unwrap_or(Level::Must),
                    status: unseen,
                    scenarios: Vec::new(),
                    decided_by: None,
                },
                Some(Sum {
                    scenarios,
                    worst: (grade, scenario, known),
                }) => RequirementResult {
                    id: id.to_owned(),
                    level: level.unwrap_or(known.level),
                    status: match grade {
                        Grade::Doubted => unseen,
                        Grade::Held => Status::Satisfied,
                        Grade::Waived => Status::Waived,
                        Grade::Broken => Status::Violated,
                    },
                    scenarios,
                    decided_by: known.event.map(|event| (scenario.to_owned(), event)),
                },
            });
        };
        for requirement in self.catalogue.iter() {
            let unseen = match requirement.observable {
                Observable::Internal => Status::NotObservable,
                Observable::Wire | Observable::Schema | Observable::Ui => Status::NotExercised,
            };
            result(&requirement.id, Some(requirement.level), unseen);
        }
        let others: Vec<String> = self
            .attempts
            .values()
            .flat_map(|a| a.known.keys())
            .filter(|id| self.catalogue.get(id).is_none())
            .cloned()
            .collect::<indexmap::IndexSet<String>>()
            .into_iter()
            .collect();
        for id in others {
            result(&id, None, Status::NotExercised);
        }
        results
    }

    /// Expired waivers, and those that cover nothing although their requirement was looked at.
    fn waiver_problems(&self) -> Vec<String> {
        let mut used: HashMap<usize, u32> = HashMap::new();
        for attempt in self.attempts.values() {
            for &waiver in &attempt.waivers_used {
                *used.entry(waiver).or_default() += 1;
            }
        }
        let mut problems = Vec::new();
        for (i, waiver) in self.waivers.iter().enumerate() {
            if let Some(problem) = waiver.problem() {
                problems.push(problem);
            } else if waiver.is_expired(&self.today) {
                problems.push(format!(
                    "the waiver of {} ({}) expired on {}",
                    waiver.requirement,
                    waiver.reason,
                    waiver.until.as_deref().unwrap_or("an unknown day"),
                ));
            } else if !used.contains_key(&i)
                && self.attempts.iter().any(|(scenario, attempt)| {
                    attempt.known.keys().any(|id| waiver.applies(scenario, id))
                })
            {
                problems.push(format!(
                    "the waiver of {} ({}) is stale: the requirement was checked and nothing it covers was found",
                    waiver.requirement, waiver.reason,
                ));
            }
        }
        problems
    }
}

fn outcome(attempt: &Attempt) -> (Outcome, Option<String>) {
    if let Some(why) = &attempt.harness {
        return (Outcome::Error, Some(format!("harness fault: {why}")));
    }
    if let Some(Unproven::Harness(why)) = &attempt.unproven {
        return (Outcome::Error, Some(format!("harness fault: {why}")));
    }
    // What was found against the target stands, whatever happened to the scenario afterwards.
    if attempt.failed {
        return (Outcome::Fail, None);
    }
    match (&attempt.environment, &attempt.unproven) {
        (Some(why), _) | (None, Some(Unproven::Environment(why))) => {
            (Outcome::Error, Some(why.clone()))
        }
        (None, Some(Unproven::Skip(why))) => (Outcome::Skip, Some(why.clone())),
        (None, Some(Unproven::Inconclusive(why))) => (Outcome::Inconclusive, Some(why.clone())),
        _ if attempt.snapshot_changed => (
            Outcome::Fail,
            Some("the exchange differs from the accepted snapshot".to_owned()),
        ),
        _ if attempt.warned => (Outcome::Warn, None),
        _ => (Outcome::Pass, None),
    }
}

#[cfg(test)]
mod tests;
