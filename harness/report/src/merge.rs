/*! Several event streams, of the shards of one run, as one.

Takes the streams in any order; gives the stream a single run would have
written, or an error when they are not of one run. Statuses combine by the
worst: violated over waived over satisfied over not exercised.
*/

use std::collections::HashSet;
use std::fmt;

use indexmap::IndexMap;
use judge::{RequirementResult, RunEvent, RunInfo, Status, Summary, exit, glob};

use crate::Run;

/// Streams that do not belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MergeError {
    /// No stream was given.
    Nothing,
    /// A stream (by its place, from 0) has no events or does not begin with the start of a run.
    NoStart(usize),
    /// Two streams differ in something a run has once.
    Differs {
        /// Place of the stream that differs from the first, from 0.
        stream: usize,
        /// What differs.
        what: &'static str,
        /// The first stream's value and the other's.
        values: (String, String),
    },
    /// A scenario was played in two streams.
    Twice {
        /// Its id.
        scenario: String,
        /// Place of the second stream, from 0.
        stream: usize,
    },
}

impl fmt::Display for MergeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MergeError::Nothing => f.write_str("no event stream was given"),
            MergeError::NoStart(i) => {
                write!(f, "stream {} does not begin with the start of a run", i + 1)
            }
            MergeError::Differs {
                stream,
                what,
                values: (a, b),
            } => write!(
                f,
                "stream {} is of another run: its {what} is {b}, that of the first is {a}",
                stream + 1
            ),
            MergeError::Twice { scenario, stream } => write!(
                f,
                "scenario {scenario} is in stream {} and in one before it; shards share no scenario",
                stream + 1
            ),
        }
    }
}

impl std::error::Error for MergeError {}

/// Joins the streams of shards.
pub fn join(streams: &[Vec<RunEvent>]) -> Result<Vec<RunEvent>, MergeError> {
    let mut infos = Vec::new();
    let mut selected = 0;
    for (i, stream) in streams.iter().enumerate() {
        match stream.first() {
            Some(RunEvent::RunStarted { info, selected: n }) => {
                infos.push(info);
                selected += n;
            }
            _ => return Err(MergeError::NoStart(i)),
        }
    }
    let Some(first) = infos.first() else {
        return Err(MergeError::Nothing);
    };
    for (i, info) in infos.iter().enumerate() {
        same_run(i, first, info)?;
    }
    let mut info = (*first).clone();
    if let Some(earliest) = infos.iter().map(|i| &i.started).min() {
        info.started = earliest.clone();
    }
    info.command = without_shard(&info.command);
    let mut events = vec![RunEvent::RunStarted { info, selected }];
    let mut seen: HashSet<&str> = HashSet::new();
    for (i, stream) in streams.iter().enumerate() {
        let mut here: HashSet<&str> = HashSet::new();
        for event in stream {
            match event {
                RunEvent::RunStarted { .. } | RunEvent::RunFinished { .. } => continue,
                RunEvent::ScenarioStarted { scenario } => {
                    if seen.contains(scenario.id.as_str()) {
                        return Err(MergeError::Twice {
                            scenario: scenario.id.clone(),
                            stream: i,
                        });
                    }
                    here.insert(&scenario.id);
                }
                _ => {}
            }
            events.push(event.clone());
        }
        seen.extend(here);
    }
    if let Some(end) = finish(streams, &events) {
        events.push(end);
    }
    Ok(events)
}

fn same_run(stream: usize, a: &RunInfo, b: &RunInfo) -> Result<(), MergeError> {
    let values = |info: &RunInfo| {
        [
            ("version", info.version.clone()),
            ("target", info.target.clone()),
            ("seat", format!("{:?}", info.seat).to_lowercase()),
            ("schema profile", info.profile.clone()),
            ("strictness", info.strict.to_string()),
        ]
    };
    for ((what, a), (_, b)) in values(a).into_iter().zip(values(b)) {
        if a != b {
            return Err(MergeError::Differs {
                stream,
                what,
                values: (a, b),
            });
        }
    }
    Ok(())
}

/// The command line of the whole: a shard's number says nothing of how to repeat a scenario.
fn without_shard(command: &[String]) -> Vec<String> {
    let mut out = Vec::new();
    let mut skip = false;
    for word in command {
        if std::mem::take(&mut skip) || word.starts_with("--shard=") {
            continue;
        }
        if word == "--shard" {
            skip = true;
            continue;
        }
        out.push(word.clone());
    }
    out
}

/// The joint end; none when no shard reached its own.
fn finish(streams: &[Vec<RunEvent>], events: &[RunEvent]) -> Option<RunEvent> {
    let runs: Vec<Run> = streams.iter().map(Run::fold).collect();
    let ends: Vec<_> = runs.iter().filter_map(|r| r.end.as_ref()).collect();
    if ends.is_empty() {
        return None;
    }
    let mut requirements: IndexMap<&str, RequirementResult> = IndexMap::new();
    for result in ends.iter().flat_map(|e| &e.requirements) {
        match requirements.get_mut(result.id.as_str()) {
            None => {
                requirements.insert(&result.id, result.clone());
            }
            Some(known) => {
                if rank(result.status) > rank(known.status) {
                    known.status = result.status;
                    known.decided_by = result.decided_by.clone();
                }
                known.scenarios.extend(result.scenarios.iter().cloned());
            }
        }
    }
    let waived: Vec<&str> = requirements
        .values()
        .filter(|r| r.status == Status::Waived)
        .map(|r| r.id.as_str())
        .collect();
    let mut problems: Vec<String> = Vec::new();
    for problem in ends.iter().flat_map(|e| &e.problems) {
        // A waiver that one shard found stale may have been needed in another.
        let excused = problem.ends_with("nothing it covers was found")
            && problem
                .strip_prefix("the waiver of ")
                .and_then(|rest| rest.split_once(" ("))
                .is_some_and(|(pattern, _)| waived.iter().any(|id| glob(pattern, id)));
        if !excused && !problems.contains(problem) {
            problems.push(problem.clone());
        }
    }
    let whole = Run::fold(events);
    let interrupted = runs.iter().any(Run::interrupted);
    let summary = whole.summary();
    let codes: Vec<u8> = ends.iter().map(|e| e.exit_code).collect();
    Some(RunEvent::RunFinished {
        exit_code: exit_code(&codes, interrupted, &summary, &problems, &whole),
        requirements: requirements.into_values().collect(),
        summary,
        problems,
        interrupted,
        duration_ms: ends.iter().map(|e| e.duration_ms).max().unwrap_or(0),
    })
}

/// The first of the codes' order of precedence that some shard ended with.
fn exit_code(
    codes: &[u8],
    interrupted: bool,
    summary: &Summary,
    problems: &[String],
    whole: &Run,
) -> u8 {
    if interrupted {
        return exit::INTERRUPTED;
    }
    let has = |code| codes.contains(&code);
    let changed = whole.scenarios.iter().any(|s| {
        s.last
            .end
            .as_ref()
            .is_some_and(|e| e.snapshot == judge::SnapshotState::Changed)
    });
    if has(exit::HARNESS_BUG) {
        exit::HARNESS_BUG
    } else if summary.fail > 0 || changed || (has(exit::VIOLATION) && !problems.is_empty()) {
        exit::VIOLATION
    } else if has(exit::ENVIRONMENT) {
        exit::ENVIRONMENT
    } else if codes.iter().all(|c| *c == exit::NOTHING_RAN) {
        exit::NOTHING_RAN
    } else if has(exit::GATE) {
        exit::GATE
    } else {
        exit::CONFORMANT
    }
}

fn rank(status: Status) -> u8 {
    match status {
        Status::NotObservable => 0,
        Status::NotExercised => 1,
        Status::Satisfied => 2,
        Status::Waived => 3,
        Status::Violated => 4,
    }
}
