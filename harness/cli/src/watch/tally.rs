use std::sync::{Arc, Mutex, PoisonError};

use judge::{Blame, Finding, Verdict};
use peer::recorder::Observer;
use trace::{Event, Kind};

/// Counts violations, for the last line and the exit code.
#[derive(Clone, Default)]
pub struct Tally(Arc<Mutex<Counts>>);

/// What a [`Tally`] counts.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counts {
    pub messages: u64,
    pub failed: u64,
    pub warned: u64,
    pub own: u64,
}

impl Tally {
    /// The counts so far.
    pub fn counts(&self) -> Counts {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, message: bool, findings: &[Finding]) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.messages += u64::from(message);
        for finding in findings {
            match (finding.verdict, finding.blame) {
                (Verdict::Fail, Blame::Target) => counts.failed += 1,
                (Verdict::Fail, _) => counts.own += 1,
                (Verdict::Warn, _) => counts.warned += 1,
                _ => {}
            }
        }
    }
}

impl Observer for Tally {
    fn event(&mut self, event: &Event, findings: &[Finding]) {
        self.add(matches!(event.kind, Kind::Message { .. }), findings);
    }

    fn end(&mut self, findings: &[Finding]) {
        self.add(false, findings);
    }
}
