/*! The always-on rules: what can be judged from the wire alone.

Takes a recording event by event ([`Monitor`]), gives findings. One stage
([`decode`]) turns events into messages with dialog, transaction and document;
each rule file below looks at those and concludes over one desk ([`desk`]).
Live runs, the mock, the proxy and the offline check feed the same monitor.

It refuses to guess. Replies may come batched, out of order, before the SIP
answer, or between notices; a recording may start in the middle or end before
a time limit is over. A rule that cannot know says nothing.

| file | what it judges | sections |
|--|--|--|
| `sip` | messages, transactions, dialogs | RFC 3261, 1.4, 2.1 |
| `schema` | documents against the schema profile | 6.1, 2.2.1 |
| `blocks` | attributes of data blocks, straight from the catalogue | 2.2.2.1 |
| `values` | values the schema cannot see | 2.2.2.1 |
| `envelope` | numbering, directions, names of primitives | 2.2.2.2, 3.1.2.1.3 |
| `commands` | what each command has to contain | 3.1.3 – 3.1.19 |
| `exchange` | command and reply, chat and answer, time limits | 3.1.2.1, 3.2.1 |
| `replies` | what each reply has to contain | 3.2.2 – 3.2.8 |
| `notices` | what each notice has to contain | 2.2.2.2.5, 3.1.15 |
| `rooms` | who is joined, fan-out, chat ids, audience | 3.2.3 – 3.2.6 |
| `client` | what a client does next | 3.1 |
*/

use std::sync::Arc;

use judge::Finding;
use trace::{Event, Micros, Seat};

#[allow(dead_code)]
mod decode;
#[allow(dead_code)]
mod desk;
mod sip;

use decode::{Decoder, Observed};
use desk::Desk;

/// Who is under test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// The peer in this seat.
    Seat(Seat),
    /// Both peers (proxy, offline).
    Both,
    /// Nobody: both peers are ours, so whatever is wrong is the harness's fault.
    Neither,
}

/// What a schema check takes and gives: the bytes of a document, and how it fails to fit.
pub type SchemaCheck = Arc<dyn Fn(&[u8]) -> Vec<xsd::Violation> + Send + Sync>;

/// How long things may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// A reply to a command, an echo of a chat (3.1.2.1.2, 3.1.13.2).
    pub reply: Micros,
    /// A final answer to a SIP request that is no INVITE (RFC 3261 17.1.2.2, timer F).
    pub sip: Micros,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            reply: 10_000_000,
            sip: 32_000_000,
        }
    }
}

impl Limits {
    /// The same limits on a clock that runs `factor` times as fast (`--time-scale`).
    pub fn scaled(factor: f64) -> Limits {
        let plain = Limits::default();
        let scale = |t: Micros| (t as f64 / factor.max(f64::MIN_POSITIVE)) as Micros;
        Limits {
            reply: scale(plain.reply),
            sip: scale(plain.sip),
        }
    }
}

/// What a monitor has to know.
#[derive(Clone)]
pub struct Setup {
    /// Who is under test.
    pub target: Target,
    /// Schema profile: `interop` or `published`.
    pub profile: String,
    /// Checks documents; without it the schema rule is silent.
    pub schema: Option<SchemaCheck>,
    /// Time limits.
    pub limits: Limits,
    /// The recording is complete: what it does not show did not happen. False for logs and captures.
    pub complete: bool,
}

impl Setup {
    /// A live recording of a harness that tests `target`, in the profile `interop`.
    pub fn live(target: Target) -> Setup {
        Setup {
            target,
            profile: crate::policy::INTEROP.to_owned(),
            schema: None,
            limits: Limits::default(),
            complete: true,
        }
    }

    /// Somebody's log or capture: both seats are judged, and silence proves nothing.
    pub fn offline() -> Setup {
        Setup {
            complete: false,
            ..Setup::live(Target::Both)
        }
    }

    /// With this schema profile and its check.
    pub fn with_schema(mut self, profile: &str, check: SchemaCheck) -> Setup {
        self.profile = profile.to_owned();
        self.schema = Some(check);
        self
    }
}

/// All always-on rules over one recording.
pub struct Monitor {
    setup: Setup,
    decoder: Decoder,
    desk: Desk,
    sip: sip::Sip,
}

impl Monitor {
    /// A monitor for a recording that is about to begin.
    pub fn new(setup: Setup) -> Monitor {
        Monitor {
            decoder: Decoder::new(setup.complete),
            desk: Desk::new(&setup),
            sip: sip::Sip::default(),
            setup,
        }
    }

    fn take(&mut self, event: &Event) {
        match self.decoder.take(event) {
            Observed::Message(seen) => {
                self.sip.message(&seen, &mut self.decoder, &mut self.desk);
            }
            Observed::Noise {
                seq,
                from,
                deliberate,
                problem,
            } => sip::noise(seq, from, deliberate, &problem, &mut self.desk),
            Observed::Down { .. } | Observed::Upper { .. } | Observed::Nothing => {}
        }
    }
}

impl judge::Monitor for Monitor {
    fn observe(&mut self, event: &Event, out: &mut Vec<Finding>) {
        self.take(event);
        self.desk.drain(out);
    }

    fn finish(&mut self, at: Micros, out: &mut Vec<Finding>) {
        self.decoder.now = self.decoder.now.max(at);
        self.sip
            .finish(&self.setup.limits, &self.decoder, &mut self.desk);
        self.desk.drain(out);
    }
}

#[cfg(test)]
mod tests;
