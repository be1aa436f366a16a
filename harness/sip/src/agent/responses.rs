/*! Responses to our requests (RFC 3261 8.1.3, 12.2.1.2, 13.2.2, 17.1). */

use std::time::Duration;

use super::Agent;
use super::event::{Action, Ended, Event};
use crate::dialog::{DialogId, DialogState, Session};
use crate::message::Message;
use crate::view::{Refresher, SessionExpires};

impl Agent {
    /// Takes a response.
    pub(super) fn response(&mut self, now: Duration, message: Message, out: &mut Vec<Action>) {
        let (Some(status), Ok(cseq), Ok(call_id)) =
            (message.status(), message.cseq(), message.call_id())
        else {
            self.remark(
                "stray-answer",
                "a response without readable CSeq and Call-ID belongs to no request",
                out,
            );
            return;
        };
        let vias = message.vias().unwrap_or_default();
        let branch = vias.first().and_then(|v| v.branch());
        let by_branch = self
            .asked
            .iter()
            .position(|t| Some(t.branch.as_str()) == branch && t.method == cseq.method);
        let by_dialog = || {
            self.asked
                .iter()
                .position(|t| t.call_id == call_id && t.seq == cseq.seq && t.method == cseq.method)
        };
        let Some(at) = by_branch.or_else(by_dialog) else {
            self.remark(
                "stray-answer",
                format!("{status} for {cseq} answers no request that is waiting"),
                out,
            );
            return;
        };
        if by_branch.is_none() || vias.len() != 1 {
            self.remark(
                "foreign-via",
                "a response must carry exactly the Via of its request (RFC 3261 8.2.6.2, 8.1.3.3)",
                out,
            );
        }
        if self.asked[at].invite.is_some() {
            self.invite_response(now, at, status, message, out);
            return;
        }
        let tx = &self.asked[at];
        let (request, dialog) = (tx.id, tx.dialog);
        if status < 200 {
            out.push(Action::Event(Event::Progress {
                request,
                dialog,
                response: message,
            }));
            return;
        }
        let tx = self.asked.remove(at);
        if let Some(id) = tx.dialog {
            if tx.refresh && status < 300 {
                self.take_session(now, id, &message);
            } else if tx.refresh
                && let Some(s) = self.session_mut(id)
            {
                // Any answer shows that the peer still knows the session; ask again in half an interval.
                s.since = now;
            }
        }
        out.push(Action::Event(Event::Answered {
            request,
            method: tx.method.clone(),
            dialog,
            response: message,
        }));
        if let (Some(id), 408 | 481) = (dialog, status)
            && tx.method != "CANCEL"
        {
            self.end(id, Ended::Forgotten(status), out);
        }
    }

    pub(super) fn invite_response(
        &mut self,
        now: Duration,
        at: usize,
        status: u16,
        message: Message,
        out: &mut Vec<Action>,
    ) {
        let tx = &mut self.asked[at];
        let (request, dialog) = (tx.id, tx.dialog);
        let (seq, repeated) = (tx.seq, tx.is_settled());
        if status < 200 {
            if !repeated {
                tx.deadline = None;
            }
            let mut cancel = false;
            if let Some(part) = tx.invite.as_mut() {
                part.proceeding = true;
                cancel = part.cancel_wanted;
            }
            if let Some(d) = dialog.and_then(|id| self.dialogs.get_mut(&id))
                && d.state <= DialogState::Early
                && message.to().is_ok_and(|to| to.tag().is_some())
            {
                d.learn(&message);
                d.state = DialogState::Early;
            }
            out.push(Action::Event(Event::Progress {
                request,
                dialog,
                response: message,
            }));
            if let (true, Some(id)) = (cancel, dialog) {
                let _ = self.cancel(now, id, out);
            }
            return;
        }
        if status >= 300 {
            let tx = self.asked.remove(at);
            if let Some(part) = tx.invite {
                let to = message.header("To").map(|h| h.raw().to_vec());
                let ack = match to {
                    Some(to) => part.ack.set("To", to),
                    None => part.ack,
                };
                self.send(now, ack.build(), out);
            }
            out.push(Action::Event(Event::Answered {
                request,
                method: tx.method,
                dialog,
                response: message,
            }));
            let Some(id) = dialog else { return };
            match self.dialogs.get(&id).map(|d| d.state) {
                Some(DialogState::Confirmed) if !matches!(status, 408 | 481) => {}
                Some(DialogState::Confirmed) => self.end(id, Ended::Forgotten(status), out),
                _ => self.end(id, Ended::Refused(status), out),
            }
            return;
        }
        let method = tx.method.clone();
        let give_up = self.give_up();
        let tx = &mut self.asked[at];
        tx.deadline = Some(now + give_up);
        if let Some(part) = tx.invite.as_mut() {
            part.accepted = true;
        }
        let Some(id) = dialog else { return };
        if repeated {
            self.repeated_2xx(now, id, seq, &message, out);
            return;
        }
        let Some(d) = self.dialogs.get_mut(&id) else {
            // We hung up while the answer was on its way.
            return;
        };
        let first = d.state != DialogState::Confirmed;
        if first {
            d.learn(&message);
            d.state = DialogState::Accepted;
        } else {
            d.retarget(&message);
        }
        let (tagless, contactless) = (
            d.remote_tag().is_none(),
            !message.contact().is_ok_and(|c| c.is_some()),
        );
        let ack = self.ack_for(id, seq);
        if let Some(d) = self.dialogs.get_mut(&id) {
            d.ack = ack;
        }
        self.take_session(now, id, &message);
        if tagless {
            self.remark(
                "missing-to-tag",
                "a 2xx to INVITE has no To tag (RFC 3261 12.1.1)",
                out,
            );
        }
        if contactless {
            self.remark(
                "missing-contact",
                "a 2xx to INVITE has no usable Contact; requests go to the invited URI (RFC 3261 12.1.1)",
                out,
            );
        }
        out.push(Action::Event(Event::Answered {
            request,
            method,
            dialog,
            response: message,
        }));
        if self.config.ack {
            let _ = self.ack(now, id, out);
        }
    }

    /// The ACK for a 2xx: a request of its own with the INVITE's CSeq number (13.2.2.4).
    pub(super) fn ack_for(&mut self, dialog: DialogId, seq: u32) -> Option<Vec<u8>> {
        let branch = self.ids.branch();
        let via = self.via(&branch);
        let d = self.dialogs.get(&dialog)?;
        Some(
            d.request("ACK", seq, &via)
                .header_opt("User-Agent", self.config.product.as_deref())
                .build(),
        )
    }

    /// The 2xx came again: because the ACK was lost, or from another branch of a fork.
    pub(super) fn repeated_2xx(
        &mut self,
        now: Duration,
        id: DialogId,
        seq: u32,
        message: &Message,
        out: &mut Vec<Action>,
    ) {
        let tag = message.to().ok().and_then(|to| to.tag().map(str::to_owned));
        let Some(d) = self.dialogs.get(&id) else {
            return;
        };
        if d.remote_tag() == tag.as_deref() {
            self.remark("repeated-2xx", "the 2xx to our INVITE came again", out);
            if self.config.ack {
                let _ = self.ack(now, id, out);
            }
            return;
        }
        // 13.2.2.4: every dialog a fork creates is acknowledged; we keep the first and end the others.
        self.remark(
            "forked",
            "a second endpoint accepted our INVITE; it is hung up",
            out,
        );
        let mut other = d.clone();
        other.learn(message);
        for method in ["ACK", "BYE"] {
            let branch = self.ids.branch();
            let number = if method == "ACK" { seq } else { seq + 1 };
            let bytes = other.request(method, number, &self.via(&branch)).build();
            self.send(now, bytes, out);
        }
    }

    /// Takes the session timer from a 2xx to our INVITE or UPDATE (RFC 4028 7.2).
    pub(super) fn take_session(&mut self, now: Duration, id: DialogId, message: &Message) {
        let Some(d) = self.dialogs.get_mut(&id) else {
            return;
        };
        d.learn_abilities(message);
        d.session = match message.session_expires() {
            Ok(Some(SessionExpires { seconds, refresher })) if seconds > 0 => Some(Session {
                interval: Duration::from_secs(u64::from(seconds)),
                ours: refresher != Some(Refresher::Uas),
                since: now,
            }),
            _ => None,
        };
    }

    pub(super) fn session_mut(&mut self, id: DialogId) -> Option<&mut Session> {
        self.dialogs.get_mut(&id)?.session.as_mut()
    }
}
