/*! Envelopes on their way out: numbering and timers of 3.1.2.1 and 3.1.13.

Takes primitives and what they are sent for; gives envelopes to send and enters
what is pending. What XML cannot carry is refused before anything is sent.
*/

use std::time::Duration;

use super::faults::Fault;
use super::transactions::Pending;
use super::{Client, Code, Failure, Kind, Output, TIMER, Waiting};
use crate::payload::{Element, Envelope, MsgId, Node};
use crate::time::Now;

impl Client {
    /// Sends one command in an envelope of its own.
    pub(super) fn command(
        &mut self,
        now: Now,
        id: &str,
        data: Element,
        request: Option<u64>,
        kind: Kind,
    ) {
        self.envelope(now, vec![(cmd(id, data), request, kind)]);
    }

    /// Sends primitives in one envelope, numbered from 1 (3.1.2.1.3), and starts their timers (3.1.2.1.2, 3.1.13.2).
    pub(super) fn envelope(&mut self, now: Now, primitives: Vec<(Element, Option<u64>, Kind)>) {
        if let Some(bad) = primitives.iter().find_map(|(e, ..)| unwritable(e)) {
            let words = format!("U+{:04X} cannot be written in XML", u32::from(bad));
            for (_, request, kind) in primitives {
                let what = Waiting {
                    request,
                    send: 0,
                    kind,
                };
                self.failed(now, what, Failure::new(Code::Failed, words.clone()));
            }
            return;
        }
        let envid = self.envid;
        // Beyond 64 bits there is no number left to use; a run never gets there.
        self.envid = self.envid.saturating_add(1);
        self.sends += 1;
        let send = self.sends;
        let mut elements = Vec::with_capacity(primitives.len());
        let mut waiting = Vec::with_capacity(primitives.len());
        for (seqid, (mut element, request, kind)) in (1..).zip(primitives) {
            element.set("seqid", seqid.to_string());
            let deadline = now.since + self.timer(&kind);
            if self.faults.has(Fault::SharedTimer) {
                self.pending.restart(deadline);
            }
            let pending = Pending {
                command: element.get("id").unwrap_or("").to_owned(),
                deadline,
                what: Waiting {
                    request,
                    send,
                    kind,
                },
            };
            waiting.push((MsgId { envid, seqid }, pending));
            elements.push(element);
        }
        let mut envelope = Envelope::new(envid, elements);
        let sent = self.faults.outgoing(&mut envelope);
        // A client that numbers wrongly still knows what it wrote.
        if !self.faults.is_empty() && envelope.primitives().count() == waiting.len() {
            for ((id, _), primitive) in waiting.iter_mut().zip(envelope.primitives()) {
                *id = primitive.msg_id().unwrap_or(*id);
            }
        }
        for (id, pending) in waiting {
            if let Kind::Join {
                rooms,
                backchat: true,
                ..
            } = &pending.what.kind
            {
                self.backchat.insert(id, rooms.clone());
            }
            self.pending.insert(id, pending);
        }
        if sent {
            self.out.push_back(Output::Send {
                dialog: self.dialogs,
                send,
                envelope,
            });
        }
    }

    /// How long a command (3.1.2.1.2) or chat (3.1.13.2) may take.
    pub(super) fn timer(&self, kind: &Kind) -> Duration {
        let is_chat = matches!(kind, Kind::Chat);
        let wrong = self.faults.iter().find_map(|fault| match fault {
            Fault::ChatTimer(s) if is_chat => Some(s),
            Fault::CommandTimer(s) if !is_chat => Some(s),
            _ => None,
        });
        let timer = wrong.map_or(TIMER, |s| Duration::from_secs(s.into()));
        scaled(timer, self.config.time_scale)
    }
}

pub(super) fn cmd(id: &str, data: Element) -> Element {
    Element::new("cmd").with("id", id).child(data)
}

/// A duration under a time scale; a scale that is no positive number counts as 1.
pub(super) fn scaled(duration: Duration, scale: f64) -> Duration {
    let scale = if scale.is_finite() && scale > 0.0 {
        scale.min(1e6)
    } else {
        1.0
    };
    duration.mul_f64(scale)
}

/// The first character that XML 1.0 cannot carry.
fn unwritable(element: &Element) -> Option<char> {
    let bad = |text: &str| {
        text.chars().find(|&c| {
            !matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
        })
    };
    element
        .attrs
        .iter()
        .find_map(|a| bad(&a.value))
        .or_else(|| {
            element.children.iter().find_map(|node| match node {
                Node::Text(text) => bad(text),
                Node::Element(child) => unwritable(child),
            })
        })
}
