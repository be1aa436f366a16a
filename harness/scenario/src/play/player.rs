/*! The player: walks the steps of one scenario, in either seat.

Takes a plan, a bound target and a way to the other seat; gives one recording,
findings, and why nothing was proven when that is so. One task owns everything;
it waits on what arrives and on the clock, never on anything without a limit.

Whose fault an end is: a connection that cannot be had is the environment's, a
step the scenario cannot take is the harness's, everything else is judged by
what the target did or did not do.
*/

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use judge::{Blame, Catalogue, Finding, Level, Place, Unproven, Verdict};
use sip::agent::{Agent, Event as SipEvent};
use sip::net::fault::status_for;
use sip::net::forecast::Forecast;
use sip::{Frame, Framer};
use tokio::sync::mpsc;
use tokio::time::Instant;
use trace::{Conn as ConnId, Intent, Kind, Seat};
use xccos::payload::MsgId;

use super::link::{Connector, Input, Output};
use super::recorder::{Recorder, Sink};
use super::scope::Values;
use super::server::Hosting;
use crate::lang::diag::Span;
use crate::lang::value::{NoValue, Scope, Text};
use crate::plan::*;
use crate::target::{Binding, Target as TargetFile};

/// Longest that putting back takes.
const PUT_BACK: Duration = Duration::from_secs(10);

/// What the other seat is reached by.
pub enum Reach {
    /// The harness is the client.
    Client(Arc<dyn Connector>),
    /// The harness is the server.
    Server(Box<Hosting>),
}

/// What a play needs besides the plan.
pub struct Setup<'s> {
    /// The implementation under test.
    pub target: TargetFile,
    /// The scenario's users and rooms.
    pub binding: Binding,
    /// The way to the other seat.
    pub reach: Reach,
    /// All requirements.
    pub catalogue: Arc<Catalogue>,
    /// Schema profile.
    pub profile: String,
    /// Always-on rules.
    pub monitor: Option<Box<dyn judge::Monitor>>,
    /// Seed of every random choice.
    pub seed: u64,
    /// Calendar time at the start.
    pub epoch: jiff::Timestamp,
    /// Times are divided by this.
    pub time_scale: f64,
    /// Something the recording has to say about itself.
    pub remark: Option<&'static str>,
    /// Where events and findings go.
    pub sink: &'s mut Sink<'s>,
}

/// How a play ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Played {
    /// Why nothing is proven, when that is so.
    pub unproven: Option<Unproven>,
    /// How long it took.
    pub duration: Duration,
}

/// Plays a scenario to its end.
pub async fn play(scenario: &Scenario, setup: Setup<'_>) -> Played {
    let start = Instant::now();
    let harness = match &setup.reach {
        Reach::Client(_) => Seat::Client,
        Reach::Server(_) => Seat::Server,
    };
    let (sender, inputs) = mpsc::unbounded_channel();
    let mut player = Player {
        scenario,
        harness,
        reach: setup.reach,
        catalogue: setup.catalogue,
        profile: setup.profile,
        time_scale: setup.time_scale,
        start,
        epoch: setup.epoch,
        recorder: Recorder::new(harness.other(), setup.monitor, setup.sink),
        values: Values {
            target: setup.target,
            binding: setup.binding,
            names: HashMap::new(),
            now: Cell::new(setup.epoch),
            envid: Cell::new(0),
            seqid: Cell::new(0),
            ids: RefCell::new(sip::Seeded::new(setup.seed)),
        },
        sender,
        inputs,
        conns: Vec::new(),
        envids: HashMap::new(),
        named: HashMap::new(),
        sip_events: Vec::new(),
        later: BTreeMap::new(),
        later_count: 0,
        floor: 0,
        stimulated: false,
        rested: false,
        sanity: false,
        after: Vec::new(),
        unproven: None,
        doubt: None,
        acts: HashMap::new(),
        next_act: 0,
    };
    if let Some(text) = setup.remark {
        let text = text.to_owned();
        player
            .recorder
            .record(Duration::ZERO, 0, Kind::Note { text });
    }
    player.host_start();
    let limit = start + player.scaled(scenario.timeout);
    let walk = tokio::time::timeout_at(limit, player.walk(&scenario.steps)).await;
    if walk.is_err() {
        let why = format!(
            "it took longer than its time limit of {}",
            super::forms::span_text(scenario.timeout)
        );
        player.unproven.get_or_insert(Unproven::Inconclusive(why));
    }
    if let Some(why) = player.doubt.take() {
        player.unproven.get_or_insert(Unproven::Inconclusive(why));
    }
    player.put_back().await;
    player.farewell().await;
    let end = player.now();
    player.recorder.finish(end);
    Played {
        unproven: player.unproven,
        duration: end,
    }
}

/// Whether the next step is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    Next,
    Stop,
}

/// A connection of an endpoint.
pub(super) struct Conn {
    pub id: ConnId,
    pub endpoint: String,
    pub agent: Agent,
    pub framer: Framer,
    pub output: Option<mpsc::UnboundedSender<Output>>,
    /// The dialog that INFOs go into.
    pub dialog: Option<sip::DialogId>,
    /// Recorded as opened.
    pub announced: bool,
    pub link: (String, String, String),
    pub delay: Option<Duration>,
    pub fragment: Option<usize>,
    pub hold: Option<Vec<u8>>,
    /// What the network does, what that makes of each message, and requests so far by method.
    pub faults: Vec<sip::net::fault::Fault>,
    pub forecast: Forecast,
    pub requests: HashMap<String, u64>,
}

impl Conn {
    /// The status a fault wants this request answered with, and its method.
    pub(super) fn status_for(&mut self, frame: &Frame) -> Option<(String, u16)> {
        let Frame::Message(message) = frame else {
            return None;
        };
        let method = message.method().filter(|_| !self.faults.is_empty())?;
        let count = self.requests.entry(method.to_owned()).or_default();
        *count += 1;
        let status = status_for(&self.faults, method, *count)?;
        Some((method.to_owned(), status))
    }
}

/// A message that a step named.
#[derive(Debug, Clone, Default)]
pub(super) struct Named {
    /// Its primitives.
    pub ids: Vec<MsgId>,
    /// Its SIP transactions: Call-ID and CSeq number.
    pub requests: Vec<(String, u32)>,
    /// How much had been seen when it was sent.
    pub floor: usize,
}

/// Something to do later.
pub(super) enum Later {
    /// Bytes for a connection, with how they were meant.
    Write(usize, Vec<u8>, Intent),
    /// The harness's server sends an envelope.
    Serve(usize, super::server::Delivery),
}

pub(super) struct Player<'a, 's> {
    pub scenario: &'a Scenario,
    pub harness: Seat,
    pub reach: Reach,
    pub catalogue: Arc<Catalogue>,
    pub profile: String,
    pub time_scale: f64,
    pub start: Instant,
    pub epoch: jiff::Timestamp,
    pub recorder: Recorder<'s>,
    pub values: Values,
    pub sender: mpsc::UnboundedSender<Input>,
    pub inputs: mpsc::UnboundedReceiver<Input>,
    pub conns: Vec<Conn>,
    pub envids: HashMap<String, u64>,
    pub named: HashMap<String, Named>,
    /// What the agents told and no step has taken yet.
    pub sip_events: Vec<(usize, SipEvent)>,
    pub later: BTreeMap<(Duration, u64), Later>,
    pub later_count: u64,
    /// Expectations look back to here.
    pub floor: usize,
    /// A step acted since the last expectation.
    pub stimulated: bool,
    /// The step before waited until the user's action was over.
    pub rested: bool,
    pub sanity: bool,
    /// Steps to play in the end, the last ones first.
    pub after: Vec<Arc<Vec<Step>>>,
    pub unproven: Option<Unproven>,
    /// Something could not be looked at; the rest of the scenario could.
    pub doubt: Option<String>,
    /// Actions at drivers by name.
    pub acts: HashMap<String, super::upper::Act>,
    pub next_act: u64,
}

impl Player<'_, '_> {
    // ---- time ----

    pub(super) fn now(&self) -> Duration {
        self.start.elapsed()
    }

    pub(super) fn scaled(&self, duration: Duration) -> Duration {
        if self.time_scale > 0.0 {
            duration.div_f64(self.time_scale)
        } else {
            duration
        }
    }

    pub(super) fn wall(&self) -> jiff::Timestamp {
        xccos::time::Now::after(self.epoch, self.now()).wall
    }

    /// The present for `${now()}`.
    pub(super) fn tell_time(&self) {
        self.values.now.set(self.wall());
    }

    pub(super) fn eval(&self, text: &Text) -> Result<String, NoValue> {
        self.tell_time();
        text.eval(&self.values)
    }

    // ---- ends ----

    /// The scenario proves nothing.
    pub(super) fn give_up(&mut self, why: Unproven) -> Flow {
        let why = match (self.sanity, why) {
            (true, Unproven::Inconclusive(text)) => {
                Unproven::Inconclusive(format!("the sanity exchange failed: {text}"))
            }
            (_, why) => why,
        };
        self.unproven.get_or_insert(why);
        Flow::Stop
    }

    /// The scenario asks for something that cannot be done.
    pub(super) fn cannot(&mut self, step: &Step, why: impl std::fmt::Display) -> Flow {
        let place = format!("{}:{}", step.source.name, step.span.line);
        self.give_up(Unproven::Harness(format!("{place}: {why}")))
    }

    /// The step needs a value: one that nothing gave says nothing about the target, an expression
    /// that makes no sense is the scenario's fault.
    pub(super) fn without(&mut self, step: &Step, why: NoValue) -> Flow {
        match why {
            NoValue::Missing(_) => {
                let place = format!("{}:{}", step.source.name, step.span.line);
                self.give_up(Unproven::Inconclusive(format!("{place}: {why}")))
            }
            NoValue::Wrong(why) => self.cannot(step, why),
        }
    }

    /// Concludes about requirements; gives whether one of them was broken.
    pub(super) fn conclude(
        &mut self,
        ids: &[String],
        held: bool,
        message: &str,
        event: Option<u64>,
        place: Place,
        step: (&Step, Span),
    ) {
        if self.sanity {
            return;
        }
        if !held && ids.iter().any(|id| about_joining(id)) && self.joins_by_itself() {
            let why = format!("the client joins rooms by itself, which is fine; {message}");
            self.doubt.get_or_insert(why);
            return;
        }
        for id in ids {
            let level = self.catalogue.get(id).map_or(Level::Must, |r| r.level);
            let verdict = if held {
                Verdict::Pass
            } else {
                match xccos::policy::weight(id, &self.profile) {
                    Some(xccos::policy::Weight::Off) => continue,
                    Some(xccos::policy::Weight::Info) => Verdict::Info,
                    Some(xccos::policy::Weight::Warn) => Verdict::Warn,
                    Some(xccos::policy::Weight::Fail) => Verdict::Fail,
                    None if level.is_binding() => Verdict::Fail,
                    None if level == Level::May => Verdict::Info,
                    None => Verdict::Warn,
                }
            };
            self.recorder.found(Finding {
                requirement: id.clone(),
                level,
                verdict,
                blame: Blame::Target,
                message: message.to_owned(),
                rule: "scenario".to_owned(),
                event,
                place: place.clone(),
                profiles: Vec::new(),
                step: Some((step.0.source.name.clone(), step.1.line)),
            });
        }
    }

    // ---- steps ----

    async fn walk(&mut self, steps: &[Step]) -> Flow {
        for step in steps {
            let due = step.when.iter().all(|when| match when {
                When::Capability(name, wanted) => self.values.target.can(name) == *wanted,
                When::Known(name, wanted) => self.values.names.contains_key(name) == *wanted,
                When::Target(seat, wanted) => (self.harness.other() == *seat) == *wanted,
            });
            if !due {
                continue;
            }
            self.drain();
            if self.unproven.is_some() {
                return Flow::Stop;
            }
            let flow = Box::pin(self.step(step)).await;
            if flow == Flow::Stop {
                return Flow::Stop;
            }
        }
        Flow::Next
    }

    /// A step acts: expectations after it look from here on. What came while an action of the
    /// user was waited for belongs to that action, unless expectations follow it at once.
    fn stimulus(&mut self) {
        if !self.stimulated || self.rested {
            self.stimulated = true;
            self.rested = false;
            self.floor = self.recorder.seen.len();
        }
    }

    async fn step(&mut self, step: &Step) -> Flow {
        match &step.action {
            Action::Expect(items) => {
                let flow = self.expect(step, items).await;
                self.stimulated = false;
                return flow;
            }
            Action::Never(never) => {
                let flow = self.never(step, never).await;
                self.stimulated = false;
                return flow;
            }
            Action::Answered(answered) => {
                let flow = self.answered(step, answered).await;
                self.stimulated = false;
                return flow;
            }
            Action::Sanity(steps) => {
                let outer = std::mem::replace(&mut self.sanity, true);
                let flow = self.walk(steps).await;
                self.sanity = outer;
                return flow;
            }
            Action::After(steps) => {
                self.after.push(steps.clone());
                return Flow::Next;
            }
            Action::Note(text) => {
                let text = self.eval(text).unwrap_or_else(|e| e.to_string());
                let now = self.now();
                self.recorder.record(now, 0, Kind::Note { text });
                return Flow::Next;
            }
            Action::Let(pairs) => {
                for (name, text) in pairs {
                    match self.eval(text) {
                        Ok(value) => {
                            self.values.names.insert(name.clone(), value);
                        }
                        Err(why) => return self.without(step, why),
                    }
                }
                return Flow::Next;
            }
            _ => self.stimulus(),
        }
        match &step.action {
            Action::Connect(endpoints) => {
                for endpoint in endpoints {
                    if let Err(flow) = self.connected(endpoint).await {
                        return flow;
                    }
                }
                Flow::Next
            }
            Action::Drop(endpoints) => {
                for endpoint in endpoints {
                    if let Some(at) = self.conn_of(endpoint) {
                        self.close(at);
                    }
                }
                Flow::Next
            }
            Action::Register {
                from,
                expires,
                status,
                decides,
            } => self.register(step, from, *expires, status, decides).await,
            Action::Dial {
                from,
                to,
                status,
                within,
                decides,
                save,
            } => {
                self.dial(step, from, to, status, *within, decides, save.as_deref())
                    .await
            }
            Action::HangUp {
                from,
                status,
                decides,
            } => self.hang_up(step, from, status, decides).await,
            Action::Send(send) => self.send(step, send).await,
            Action::Fault(fault) => self.fault(fault),
            Action::Serve(serve) => self.serve(step, serve),
            Action::Release(name) => self.release(name),
            Action::Do(act) => {
                let flow = self.act(step, act).await;
                self.rested = act.within.is_some();
                flow
            }
            Action::Expect(_)
            | Action::Never(_)
            | Action::Answered(_)
            | Action::Sanity(_)
            | Action::After(_)
            | Action::Let(_)
            | Action::Note(_) => Flow::Next,
        }
    }

    /// Plays the `after` steps that were reached, however the scenario ended. Nothing is concluded
    /// from them; when they do not work, the target may be left changed, and that is said.
    async fn put_back(&mut self) {
        let before = self.unproven.take();
        let sanity = std::mem::replace(&mut self.sanity, true);
        let limit = Instant::now() + self.scaled(PUT_BACK);
        let mut failed = None;
        while let Some(steps) = self.after.pop() {
            self.stimulated = false;
            let walk = tokio::time::timeout_at(limit, self.walk(&steps)).await;
            let why = match (walk, self.unproven.take()) {
                (Ok(Flow::Next), None) => continue,
                (Err(_), _) => "it took too long".to_owned(),
                (_, Some(Unproven::Inconclusive(why))) => why,
                (_, why) => format!("{why:?}"),
            };
            let why = why.trim_start_matches("the sanity exchange failed: ");
            failed.get_or_insert(format!("what it changed could not be put back: {why}"));
        }
        self.sanity = sanity;
        self.unproven = before;
        if let Some(text) = failed {
            let now = self.now();
            let why = Unproven::Inconclusive(text.clone());
            self.recorder.record(now, 0, Kind::Note { text });
            self.unproven.get_or_insert(why);
        }
    }
}

/// Looks a value up without counting anything.
pub(super) fn known(values: &Values, path: &str) -> Option<String> {
    values.path(path).ok()
}

/// Requirements that a scenario can only decide when a client joins rooms as its user asks.
fn about_joining(id: &str) -> bool {
    [
        "XCCOSIP-3.1.1",
        "XCCOSIP-3.1.2.1.",
        "XCCOSIP-3.1.5",
        "XCCOSIP-3.1.6",
        "XCCOSIP-3.1.7",
    ]
    .iter()
    .any(|section| {
        id.strip_prefix(section)
            .is_some_and(|rest| section.ends_with('.') || rest.starts_with(['.', '-']))
    })
}
