/*! A run: scenarios, a place to play them, one stream of events, one verdict.

Takes the selected scenarios and a [`Site`]; plays them, several at a time when
told so; gives every event to `sink` as it happens and the [`Closing`] at the
end. It knows neither files nor reports, and nothing a scenario does can stop
it: each has a time limit, a panic is a harness fault of that one scenario.
*/

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use judge::{
    Catalogue, Closing, Gates, Monitor, Outcome, RunEvent, RunInfo, ScenarioInfo, SnapshotState,
    Unproven, Verdicts, Waiver,
};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use trace::{Event, Seat};

use crate::hurry::{self, hurried};
use crate::plan::Scenario;
use crate::play::link::Later;
use crate::play::recorder::Heard;
use crate::play::{Played, Reach, Setup, play};
use crate::target::Target;

/// What one scenario is played on.
pub struct Stage {
    /// The implementation under test.
    pub target: Target,
    /// The way to the other seat.
    pub reach: Reach,
    /// Whatever has to live as long as the scenario (a mock of its own).
    pub keep: Box<dyn std::any::Any + Send>,
}

/// Where scenarios are played: a real target, or one of our own peers.
pub trait Site: Send + Sync {
    /// A stage for one scenario.
    fn open<'a>(&'a self, scenario: &'a Scenario, seed: u64) -> Later<'a, Result<Stage, Unproven>>;
}

/// Makes the always-on rules for one recording.
pub type MakeMonitor = Arc<dyn Fn(Seat) -> Option<Box<dyn Monitor>> + Send + Sync>;

/// Compares the exchange of a scenario with the accepted one; gives a diff when it changed.
pub type Compare =
    Arc<dyn Fn(&Scenario, &[Event]) -> (SnapshotState, Option<String>) + Send + Sync>;

/// The time scenarios are played in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Clock {
    /// The runtime's: real time, unless the caller paused it.
    #[default]
    Runtime,
    /// One of each scenario's own, for sites whose peers are in this process: see [`crate::hurry`].
    Virtual,
}

/// How to run.
#[derive(Clone)]
pub struct Options {
    /// What is true of the whole run.
    pub info: RunInfo,
    /// All requirements.
    pub catalogue: Arc<Catalogue>,
    /// Known violations.
    pub waivers: Vec<Waiver>,
    /// The day, `YYYY-MM-DD`, for waivers that expire.
    pub today: String,
    /// Demands besides conformance.
    pub gates: Gates,
    /// Scenarios at a time.
    pub jobs: usize,
    /// The time scenarios are played in.
    pub clock: Clock,
    /// Times are divided by this.
    pub time_scale: f64,
    /// Longest a scenario may take, instead of its own limit.
    pub timeout: Option<Duration>,
    /// Further attempts for a scenario that did not pass.
    pub retries: u32,
    /// Stops after the first failure.
    pub fail_fast: bool,
    /// Calendar time at the start of each scenario; the present when none.
    pub epoch: Option<jiff::Timestamp>,
    /// Makes the always-on rules.
    pub monitor: MakeMonitor,
    /// Compares snapshots.
    pub compare: Option<Compare>,
    /// Becomes true when the user interrupts.
    pub interrupt: Option<watch::Receiver<bool>>,
}

impl Options {
    /// A run with the always-on rules, one scenario at a time.
    pub fn new(info: RunInfo) -> Options {
        let profile = info.profile.clone();
        let today = info.started.get(..10).unwrap_or_default().to_owned();
        Options {
            catalogue: xccos::catalogue(),
            waivers: Vec::new(),
            today,
            gates: Gates {
                target: Some(info.seat.other()),
                ..Gates::default()
            },
            jobs: 1,
            clock: Clock::Runtime,
            time_scale: 1.0,
            timeout: None,
            retries: 0,
            fail_fast: false,
            epoch: None,
            monitor: rules(&profile, 1.0),
            compare: None,
            interrupt: None,
            info,
        }
    }
}

/// The always-on rules of a profile, with their time limits divided by `scale`.
pub fn rules(profile: &str, scale: f64) -> MakeMonitor {
    let profile = profile.to_owned();
    Arc::new(move |harness: Seat| {
        let target = xccos::rules::Target::Seat(harness.other());
        let mut setup = xccos::rules::Setup::live(target).in_profile(&profile);
        setup.limits = xccos::rules::Limits::scaled(scale);
        Some(Box::new(xccos::rules::Monitor::new(setup)))
    })
}

enum Report {
    Started(usize, u32),
    Heard(usize, Box<Heard>),
    Done(usize, u32, Box<Played>),
}

/// Plays scenarios; ends with `RunFinished`.
pub async fn run(
    scenarios: &[Arc<Scenario>],
    site: Arc<dyn Site>,
    options: &Options,
    sink: &mut dyn FnMut(RunEvent),
) -> Closing {
    let began = Instant::now();
    sink(RunEvent::RunStarted {
        info: options.info.clone(),
        selected: u32::try_from(scenarios.len()).unwrap_or(u32::MAX),
    });
    let mut verdicts = Verdicts::new(
        options.catalogue.clone(),
        options.waivers.clone(),
        options.info.strict,
        options.today.clone(),
    );
    let (sender, mut reports) = mpsc::unbounded_channel();
    let mut waiting: VecDeque<(usize, u32)> = (0..scenarios.len()).map(|i| (i, 0)).collect();
    let mut running: Vec<(usize, u32, JoinHandle<()>)> = Vec::new();
    let mut events: Vec<Vec<Event>> = vec![Vec::new(); scenarios.len()];
    let mut interrupt = options.interrupt.clone();
    let mut interrupted = false;
    let mut stop = false;
    loop {
        while running.len() < options.jobs.max(1) && !stop {
            let Some((index, attempt)) = waiting.pop_front() else {
                break;
            };
            let Some(scenario) = scenarios.get(index) else {
                continue;
            };
            let task = one(
                index,
                attempt,
                scenario.clone(),
                site.clone(),
                options.clone(),
                sender.clone(),
            );
            let task = watched(index, attempt, options.clock, task, sender.clone());
            running.push((index, attempt, tokio::spawn(task)));
        }
        if running.is_empty() {
            break;
        }
        let report = tokio::select! {
            biased;
            report = reports.recv() => report,
            () = raised(&mut interrupt), if !interrupted => {
                interrupted = true;
                stop = true;
                for (index, _, task) in running.drain(..) {
                    task.abort();
                    let _ = task.await;
                    if let Some(scenario) = scenarios.get(index) {
                        verdicts.unproven(&scenario.id, Unproven::Inconclusive("interrupted".to_owned()));
                        finish(scenario, &verdicts, Duration::ZERO, (SnapshotState::None, None), false, sink);
                    }
                }
                continue;
            }
        };
        if let Some(report) = report {
            take(
                report,
                scenarios,
                &mut verdicts,
                &mut events,
                options,
                sink,
                &mut waiting,
                &mut stop,
                &mut running,
            );
        }
    }
    let gates = Gates {
        interrupted,
        ..options.gates.clone()
    };
    let closing = verdicts.finish(&gates);
    sink(RunEvent::RunFinished {
        summary: closing.summary,
        requirements: closing.requirements.clone(),
        problems: closing.problems.clone(),
        exit_code: closing.exit_code,
        interrupted,
        duration_ms: millis(began.elapsed()),
    });
    closing
}

#[allow(clippy::too_many_arguments)]
fn take(
    report: Report,
    scenarios: &[Arc<Scenario>],
    verdicts: &mut Verdicts,
    events: &mut [Vec<Event>],
    options: &Options,
    sink: &mut dyn FnMut(RunEvent),
    waiting: &mut VecDeque<(usize, u32)>,
    stop: &mut bool,
    running: &mut Vec<(usize, u32, JoinHandle<()>)>,
) {
    match report {
        Report::Started(index, attempt) => {
            let Some(scenario) = scenarios.get(index) else {
                return;
            };
            verdicts.start(&scenario.id);
            if let Some(kept) = events.get_mut(index) {
                kept.clear();
            }
            let _ = attempt;
            sink(RunEvent::ScenarioStarted {
                scenario: describe(scenario, options),
            });
        }
        Report::Heard(index, heard) => {
            let Some(scenario) = scenarios.get(index) else {
                return;
            };
            match *heard {
                Heard::Event(event) => {
                    if options.compare.is_some()
                        && let Some(kept) = events.get_mut(index)
                    {
                        kept.push(event.clone());
                    }
                    sink(RunEvent::Traced {
                        scenario: scenario.id.clone(),
                        event,
                    });
                }
                Heard::Finding(finding) => {
                    let waived = verdicts.finding(&scenario.id, &finding);
                    sink(RunEvent::Found {
                        scenario: scenario.id.clone(),
                        finding,
                        waived,
                    });
                }
            }
        }
        Report::Done(index, attempt, played) => {
            running.retain(|(i, a, _)| !(*i == index && *a == attempt));
            let Some(scenario) = scenarios.get(index) else {
                return;
            };
            if let Some(why) = played.unproven {
                verdicts.unproven(&scenario.id, why);
            }
            let mut snapshot = (SnapshotState::None, None);
            let (outcome, _) = verdicts.outcome(&scenario.id);
            if let (Some(compare), Some(kept), Outcome::Pass | Outcome::Warn) =
                (&options.compare, events.get(index), outcome)
            {
                snapshot = compare(scenario, kept);
                verdicts.snapshot(&scenario.id, snapshot.0);
            }
            let (outcome, _) = verdicts.outcome(&scenario.id);
            let bad = matches!(
                outcome,
                Outcome::Fail | Outcome::Inconclusive | Outcome::Error
            );
            if bad && attempt < options.retries && !*stop {
                waiting.push_front((index, attempt + 1));
                return;
            }
            finish(
                scenario,
                verdicts,
                played.duration,
                snapshot,
                !bad && attempt > 0,
                sink,
            );
            if options.fail_fast && matches!(outcome, Outcome::Fail | Outcome::Error) {
                *stop = true;
            }
        }
    }
}

fn finish(
    scenario: &Scenario,
    verdicts: &Verdicts,
    duration: Duration,
    snapshot: (SnapshotState, Option<String>),
    flaky: bool,
    sink: &mut dyn FnMut(RunEvent),
) {
    let (outcome, reason) = verdicts.outcome(&scenario.id);
    sink(RunEvent::ScenarioFinished {
        scenario: scenario.id.clone(),
        outcome,
        reason,
        duration_ms: millis(duration),
        snapshot: snapshot.0,
        snapshot_diff: snapshot.1,
        flaky,
    });
}

/// Waits until the interrupt is raised; for ever when there is none.
async fn raised(interrupt: &mut Option<watch::Receiver<bool>>) {
    match interrupt {
        Some(receiver) => {
            if receiver.wait_for(|raised| *raised).await.is_err() {
                std::future::pending::<()>().await;
            }
        }
        None => std::future::pending().await,
    }
}

/// Ends a task with its owner.
struct Owned(JoinHandle<()>);

impl Drop for Owned {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Plays one scenario once; tells when the player itself failed.
async fn watched(
    index: usize,
    attempt: u32,
    clock: Clock,
    play: impl Future<Output = ()> + Send + 'static,
    reports: mpsc::UnboundedSender<Report>,
) {
    let trouble = match clock {
        Clock::Runtime => {
            let mut task = Owned(tokio::spawn(play));
            match (&mut task.0).await {
                Err(error) if error.is_panic() => Some(error.to_string()),
                _ => None,
            }
        }
        Clock::Virtual => hurried(play).await.err(),
    };
    if let Some(error) = trouble {
        let played = Played {
            unproven: Some(Unproven::Harness(format!("the player failed: {error}"))),
            duration: Duration::ZERO,
        };
        let _ = reports.send(Report::Done(index, attempt, Box::new(played)));
    }
}

/// Plays one scenario once.
async fn one(
    index: usize,
    attempt: u32,
    scenario: Arc<Scenario>,
    site: Arc<dyn Site>,
    options: Options,
    reports: mpsc::UnboundedSender<Report>,
) {
    let began = std::time::Instant::now();
    let _ = reports.send(Report::Started(index, attempt));
    let done = |played: Played| {
        let _ = reports.send(Report::Done(index, attempt, Box::new(played)));
    };
    let nothing = |why: Unproven| Played {
        unproven: Some(why),
        duration: Duration::ZERO,
    };
    let harness = options.info.seat;
    if !scenario.target.playable_from(harness) {
        let why = match harness {
            Seat::Client => "it tests a client; the harness plays one",
            Seat::Server => "it tests a server; the harness plays one",
        };
        return done(nothing(Unproven::Skip(why.to_owned())));
    }
    let seed = seed_of(options.info.seed, &scenario.id, attempt);
    let stage = match site.open(&scenario, seed).await {
        Ok(stage) => stage,
        Err(why) => return done(nothing(why)),
    };
    let binding = match stage.target.bind(&scenario.needs) {
        Ok(binding) => binding,
        Err(why) => return done(nothing(Unproven::Skip(why))),
    };
    let sender = reports.clone();
    let mut sink = move |heard: Heard| {
        let _ = sender.send(Report::Heard(index, Box::new(heard)));
    };
    let mut limited;
    let scenario = match options.timeout {
        Some(timeout) => {
            limited = Scenario::clone(&scenario);
            limited.timeout = timeout;
            &limited
        }
        None => &*scenario,
    };
    let mut played = play(
        scenario,
        Setup {
            target: stage.target,
            binding,
            reach: stage.reach,
            catalogue: options.catalogue.clone(),
            profile: options.info.profile.clone(),
            monitor: (options.monitor)(harness),
            seed,
            epoch: options.epoch.unwrap_or_else(jiff::Timestamp::now),
            time_scale: options.time_scale,
            remark: (options.clock == Clock::Virtual).then_some(hurry::REMARK),
            sink: &mut sink,
        },
    )
    .await;
    drop(stage.keep);
    if options.clock == Clock::Virtual {
        // What people wait for is real.
        played.duration = began.elapsed();
    }
    done(played);
}

fn describe(scenario: &Scenario, options: &Options) -> ScenarioInfo {
    let mut covers = Vec::new();
    for pattern in scenario.covers.iter().chain(&scenario.decides) {
        if options.catalogue.get(pattern).is_some() {
            covers.push(pattern.clone());
        } else {
            covers.extend(
                options
                    .catalogue
                    .iter()
                    .filter(|r| judge::glob(pattern, &r.id))
                    .map(|r| r.id.clone()),
            );
        }
    }
    covers.sort();
    covers.dedup();
    ScenarioInfo {
        id: scenario.id.clone(),
        title: scenario.title.clone(),
        file: scenario.source.name.clone(),
        line: scenario.line,
        seat: options.info.seat,
        tags: scenario.tags.clone(),
        covers,
    }
}

/// A scenario's seed: follows from the run's and its id, so that it does not depend on the selection.
fn seed_of(seed: u64, id: &str, attempt: u32) -> u64 {
    id.bytes().fold(
        seed ^ 0xcbf2_9ce4_8422_2325 ^ u64::from(attempt),
        |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3),
    )
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
