/*! The recording of one scenario, watched as it grows.

Takes what happens, in order; numbers it, shows it to the always-on rules, and
passes events and findings on at once. It keeps every message of the target in
a form that expectations can search.
*/

use std::sync::Arc;
use std::time::Duration;

use judge::{Blame, Finding, Monitor, Verdict};
use trace::{Conn, Event, Intent, Kind, Seat, Trace};
use xccos::payload::Envelope;

/// What a scenario tells while it is played.
#[derive(Debug, Clone)]
pub enum Heard {
    /// Something happened.
    Event(Event),
    /// Something was concluded.
    Finding(Finding),
}

/// Where events and findings go.
pub type Sink<'s> = dyn FnMut(Heard) + Send + 's;

/// A thing the target did that expectations can be about.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Number of the event.
    pub event: u64,
    /// When.
    pub at: Duration,
    /// Endpoint; empty while unknown.
    pub endpoint: String,
    /// Connection.
    pub conn: Conn,
    /// What.
    pub what: SeenWhat,
    /// Primitives that an expectation took, by position.
    pub taken: Vec<usize>,
    /// An expectation took the message as such.
    pub taken_whole: bool,
}

/// See [`Seen`].
#[derive(Debug, Clone)]
pub enum SeenWhat {
    /// A SIP message, with its document when it carries one.
    Message(Arc<sip::Message>, Option<Arc<Envelope>>),
    /// The connection closed.
    Closed(String),
}

/// See the module.
pub struct Recorder<'s> {
    trace: Trace,
    monitor: Option<Box<dyn Monitor>>,
    sink: &'s mut Sink<'s>,
    target: Seat,
    /// Everything of the target, in order.
    pub seen: Vec<Seen>,
    findings: Vec<Finding>,
    /// What the always-on rules found wrong with the target, oldest first.
    broken: Vec<Finding>,
}

/// How many findings are kept for expectations to look at.
const KEPT: usize = 10_000;

impl<'s> Recorder<'s> {
    /// An empty recording of a target in this seat.
    pub fn new(
        target: Seat,
        monitor: Option<Box<dyn Monitor>>,
        sink: &'s mut Sink<'s>,
    ) -> Recorder<'s> {
        Recorder {
            trace: Trace::default(),
            monitor,
            sink,
            target,
            seen: Vec::new(),
            findings: Vec::new(),
            broken: Vec::new(),
        }
    }

    /// What the rules found wrong with what the target did in this event.
    pub fn broken(&self, event: u64) -> impl Iterator<Item = &Finding> {
        self.broken.iter().filter(move |f| f.event == Some(event))
    }

    /// Whether the rules found a MUST broken by the target in this event or later.
    pub fn broken_since(&self, event: u64) -> Option<&Finding> {
        self.broken
            .iter()
            .find(|f| f.verdict == Verdict::Fail && f.event.is_some_and(|e| e >= event))
    }

    fn pass_on(&mut self) {
        for finding in self.findings.drain(..) {
            if finding.verdict >= Verdict::Warn
                && finding.blame == Blame::Target
                && self.broken.len() < KEPT
            {
                self.broken.push(finding.clone());
            }
            (self.sink)(Heard::Finding(finding));
        }
    }

    /// Appends an event; gives its number.
    pub fn record(&mut self, at: Duration, conn: Conn, kind: Kind) -> u64 {
        let micros = u64::try_from(at.as_micros()).unwrap_or(u64::MAX);
        let event = self.trace.record(micros, conn, kind).clone();
        let seq = event.seq;
        if let Some(monitor) = &mut self.monitor {
            monitor.observe(&event, &mut self.findings);
        }
        (self.sink)(Heard::Event(event));
        self.pass_on();
        seq
    }

    /// Appends a message of the target and makes it searchable.
    pub fn received(
        &mut self,
        at: Duration,
        conn: Conn,
        endpoint: &str,
        message: &sip::Message,
    ) -> u64 {
        let event = self.record(
            at,
            conn,
            Kind::Message {
                from: self.target,
                bytes: message.bytes().to_vec(),
                intent: Intent::Plain,
            },
        );
        let document = (message.method() == Some("INFO") && !message.body().is_empty())
            .then(|| Envelope::parse(message.body()).ok())
            .flatten()
            .map(Arc::new);
        self.seen.push(Seen {
            event,
            at,
            endpoint: endpoint.to_owned(),
            conn,
            what: SeenWhat::Message(Arc::new(message.clone()), document),
            taken: Vec::new(),
            taken_whole: false,
        });
        event
    }

    /// Appends the end of a connection; searchable when the target closed it.
    pub fn closed(
        &mut self,
        at: Duration,
        conn: Conn,
        endpoint: &str,
        by: Option<Seat>,
        how: String,
    ) {
        let event = self.record(
            at,
            conn,
            Kind::Closed {
                by,
                how: how.clone(),
            },
        );
        if by == Some(self.target) {
            self.seen.push(Seen {
                event,
                at,
                endpoint: endpoint.to_owned(),
                conn,
                what: SeenWhat::Closed(how),
                taken: Vec::new(),
                taken_whole: false,
            });
        }
    }

    /// Passes on a finding of the scenario itself.
    pub fn found(&mut self, finding: Finding) {
        (self.sink)(Heard::Finding(finding));
    }

    /// Number of the latest event.
    pub fn last_event(&self) -> Option<u64> {
        self.trace.events().last().map(|e| e.seq)
    }

    /// The recording ends: what only the end can tell.
    pub fn finish(&mut self, at: Duration) {
        if let Some(mut monitor) = self.monitor.take() {
            let micros = u64::try_from(at.as_micros()).unwrap_or(u64::MAX);
            monitor.finish(micros, &mut self.findings);
            self.pass_on();
        }
    }
}
