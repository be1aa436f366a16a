/*! What leaves the server: grouped into envelopes, numbered, broken where a defect says so.

Takes primitives with their addressees; gives [`Output`]s. Numbers are given
when an envelope leaves, so they grow in the order of sending. Defects of the
message kind act here, so that no handler knows of them.
*/

use std::time::Duration;

use crate::defect::{Defects, Fate};
use crate::payload::{Element, Envelope};
use crate::time::Now;

use super::EndpointId;
use super::ids::Ids;

/// What the owner of the sockets has to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Send this document as an INFO in each of these dialogs.
    Send {
        /// The dialogs.
        to: Vec<EndpointId>,
        /// The document.
        envelope: Envelope,
    },
    /// Answer the INFO just received (or, from a tick, the endpoint's oldest held INFO) with this status.
    InfoStatus {
        /// Whose INFO.
        endpoint: EndpointId,
        /// The SIP status.
        status: u16,
        /// For the log.
        why: String,
    },
    /// Do not answer the INFO just received yet.
    Hold {
        /// Whose INFO.
        endpoint: EndpointId,
    },
    /// End the dialog with a BYE, then call `disconnect`.
    HangUp {
        /// Which dialog.
        endpoint: EndpointId,
    },
}

/// Primitives for the same addressees in one envelope.
#[derive(Debug, Clone)]
pub(super) struct Mail {
    pub to: Vec<EndpointId>,
    pub primitives: Vec<Element>,
}

impl Mail {
    pub fn new(to: Vec<EndpointId>, primitives: Vec<Element>) -> Mail {
        Mail { to, primitives }
    }
}

/// The box.
#[derive(Debug)]
pub(super) struct Outbox {
    mails: Vec<Mail>,
    /// Finished envelopes that a defect holds back, with their time.
    late: Vec<(Duration, Vec<EndpointId>, Envelope)>,
    defects: Defects,
}

impl Outbox {
    pub fn new(defects: Defects) -> Outbox {
        Outbox {
            mails: Vec::new(),
            late: Vec::new(),
            defects,
        }
    }

    pub fn len(&self) -> usize {
        self.mails.len()
    }

    pub fn post(&mut self, mail: Mail) {
        self.mails.push(mail);
    }

    /// Posts in front of what was posted since `at`.
    pub fn post_at(&mut self, at: usize, mail: Mail) {
        self.mails.insert(at.min(self.mails.len()), mail);
    }

    pub fn next_deadline(&self) -> Option<Duration> {
        self.late.iter().map(|(at, _, _)| *at).min()
    }

    pub fn flush(&mut self, now: Now, ids: &mut Ids, everybody: &[EndpointId]) -> Vec<Output> {
        let mut out = Vec::new();
        for mail in std::mem::take(&mut self.mails) {
            if mail.to.is_empty() || mail.primitives.is_empty() {
                continue;
            }
            self.send(now, ids, everybody, mail, &mut out);
        }
        let mut waiting = Vec::new();
        for (at, to, envelope) in std::mem::take(&mut self.late) {
            if at <= now.since {
                out.push(Output::Send { to, envelope });
            } else {
                waiting.push((at, to, envelope));
            }
        }
        self.late = waiting;
        out
    }

    fn send(
        &mut self,
        now: Now,
        ids: &mut Ids,
        everybody: &[EndpointId],
        mail: Mail,
        out: &mut Vec<Output>,
    ) {
        let envelope = number(ids.envid(), mail.primitives);
        if self.defects.is_empty() {
            out.push(Output::Send {
                to: mail.to,
                envelope,
            });
            return;
        }
        for fate in self.defects.distort(envelope, mail.to, everybody, ids) {
            match fate {
                Fate::Send { to, envelope } if to.is_empty() => drop(envelope),
                Fate::Send { to, envelope } => out.push(Output::Send { to, envelope }),
                Fate::Late { to, envelope, by } => self.late.push((now.since + by, to, envelope)),
                Fate::HangUp { to } => {
                    out.extend(to.into_iter().map(|endpoint| Output::HangUp { endpoint }));
                }
            }
        }
    }
}

/// An envelope with its primitives numbered from 1.
pub(super) fn number(envid: u64, primitives: Vec<Element>) -> Envelope {
    let numbered = primitives
        .into_iter()
        .enumerate()
        .map(|(at, mut primitive)| {
            if primitive.get("seqid").is_none_or(str::is_empty) {
                primitive.set("seqid", (at + 1).to_string());
            }
            primitive
        });
    Envelope::new(envid, numbered)
}
