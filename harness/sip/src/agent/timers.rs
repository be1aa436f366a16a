/*! What an agent does because time has passed. */

use std::time::Duration;

use super::event::{Action, Ended, Event};
use super::{Agent, T2};
use crate::dialog::{DialogId, DialogState, Session};

impl Agent {
    pub(super) fn tick_requests(&mut self, now: Duration, out: &mut Vec<Action>) {
        let mut at = 0;
        while let Some(tx) = self.asked.get(at) {
            if tx.deadline.is_none_or(|d| now < d) {
                at += 1;
                continue;
            }
            let tx = self.asked.remove(at);
            if tx.is_settled() {
                continue;
            }
            out.push(Action::Event(Event::Unanswered {
                request: tx.id,
                method: tx.method,
                dialog: tx.dialog,
                after: now.saturating_sub(tx.sent),
            }));
            if let Some(id) = tx.dialog
                && self
                    .dialogs
                    .get(&id)
                    .is_some_and(|d| d.state < DialogState::Accepted)
            {
                self.end(id, Ended::NoAnswer, out);
            }
        }
    }

    pub(super) fn tick_acks(&mut self, now: Duration, out: &mut Vec<Action>) {
        let longest = self.config.t1 * T2;
        let mut repeats = Vec::new();
        let mut lost = Vec::new();
        for wait in &mut self.await_ack {
            if now >= wait.give_up {
                lost.push(wait.dialog);
            } else if self.config.repeat_2xx && now >= wait.next {
                wait.interval = (wait.interval * 2).min(longest);
                wait.next = now + wait.interval;
                repeats.push(wait.bytes.clone());
            }
        }
        for bytes in repeats {
            self.send(now, bytes, out);
        }
        for id in lost {
            self.await_ack.retain(|a| a.dialog != id);
            self.remark(
                "no-ack",
                "the 2xx to INVITE was never acknowledged (RFC 3261 13.3.1.4)",
                out,
            );
            self.hang_up(now, id, Ended::NoAck, out);
        }
    }

    pub(super) fn tick_sessions(&mut self, now: Duration, out: &mut Vec<Action>) {
        if !self.config.keep_sessions {
            return;
        }
        let due: Vec<(DialogId, Session)> = self
            .dialogs
            .values()
            .filter(|d| d.session_due().is_some_and(|due| now >= due))
            .filter_map(|d| Some((d.id, d.session?)))
            .collect();
        for (id, session) in due {
            if session.ours {
                if let Some(s) = self.session_mut(id) {
                    s.since = now;
                }
                // RFC 4028 7.4: UPDATE when the peer allows it, else re-INVITE.
                let update = self.dialogs.get(&id).is_some_and(|d| d.peer_update);
                let _ = match update {
                    true => self.update(now, id, out),
                    false => self.reinvite(now, id, out),
                };
                continue;
            }
            self.hang_up(now, id, Ended::Expired, out);
        }
    }

    /// BYE for a reason of our own.
    pub(super) fn hang_up(
        &mut self,
        now: Duration,
        id: DialogId,
        why: Ended,
        out: &mut Vec<Action>,
    ) {
        let Ok(draft) = self.draft(id, "BYE") else {
            return;
        };
        let mut actions = Vec::new();
        self.send_draft(now, draft, &mut actions);
        for action in &mut actions {
            if let Action::Event(Event::Ended { why: told, .. }) = action {
                told.clone_from(&why);
            }
        }
        out.append(&mut actions);
    }
}
