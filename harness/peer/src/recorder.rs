/*! Writes down what crosses the wire and lets the judge look at it.

Takes what happened, gives numbered events to a monitor and to observers
(printers, files, a live page). It keeps nothing itself, so a mock can run for
weeks.
*/

use std::time::Duration;

use judge::{Finding, Monitor};
use trace::{Conn, Event, Intent, Kind, Seat};

/// Somebody who wants to see everything, in order. Called on the mock's own task: be quick.
pub trait Observer: Send {
    /// An event was recorded; `findings` is what it let the judge conclude.
    fn event(&mut self, event: &Event, findings: &[Finding]);

    /// The recording ended; `findings` is what only the end could tell.
    fn end(&mut self, findings: &[Finding]) {
        let _ = findings;
    }
}

/// See the module.
#[derive(Default)]
pub struct Recorder {
    next: u64,
    monitor: Option<Box<dyn Monitor>>,
    observers: Vec<Box<dyn Observer>>,
    findings: Vec<Finding>,
}

impl Recorder {
    /// With a judge, or none, and whoever watches.
    pub fn new(monitor: Option<Box<dyn Monitor>>, observers: Vec<Box<dyn Observer>>) -> Recorder {
        Recorder {
            next: 0,
            monitor,
            observers,
            findings: Vec::new(),
        }
    }

    /// Whether anybody looks; without, nothing has to be copied.
    pub fn is_watched(&self) -> bool {
        self.monitor.is_some() || !self.observers.is_empty()
    }

    /// Records what happened `since` the recording began.
    pub fn record(&mut self, since: Duration, conn: Conn, kind: Kind) {
        let event = Event {
            seq: self.next,
            at: micros(since),
            conn,
            kind,
        };
        self.next += 1;
        self.findings.clear();
        if let Some(monitor) = &mut self.monitor {
            monitor.observe(&event, &mut self.findings);
        }
        for observer in &mut self.observers {
            observer.event(&event, &self.findings);
        }
    }

    /// Records a message, copying its bytes only when somebody looks.
    pub fn message(&mut self, since: Duration, conn: Conn, from: Seat, bytes: &[u8]) {
        if self.is_watched() {
            self.record(
                since,
                conn,
                Kind::Message {
                    from,
                    bytes: bytes.to_vec(),
                    intent: Intent::Plain,
                },
            );
        }
    }

    /// Records a message that is wrong or incomplete on purpose; nobody is blamed for it.
    pub fn deliberate(&mut self, since: Duration, conn: Conn, from: Seat, bytes: &[u8], how: &str) {
        if self.is_watched() {
            self.record(
                since,
                conn,
                Kind::Message {
                    from,
                    bytes: bytes.to_vec(),
                    intent: Intent::Deliberate(how.to_owned()),
                },
            );
        }
    }

    /// Records a remark for the reader.
    pub fn note(&mut self, since: Duration, conn: Conn, text: impl Into<String>) {
        if self.is_watched() {
            self.record(since, conn, Kind::Note { text: text.into() });
        }
    }

    /// Ends the recording.
    pub fn finish(&mut self, since: Duration) {
        self.findings.clear();
        if let Some(mut monitor) = self.monitor.take() {
            monitor.finish(micros(since), &mut self.findings);
        }
        for observer in &mut self.observers {
            observer.end(&self.findings);
        }
        self.observers.clear();
    }
}

fn micros(since: Duration) -> trace::Micros {
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}
