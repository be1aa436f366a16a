/*! Requests inside a dialog (RFC 3261 12.2.2). */

use std::time::Duration;

use super::Agent;
use super::answer::Answer;
use super::config::Policy;
use super::event::{Action, Ended, Event, TxId};
use super::transaction::Basics;
use crate::dialog::{DialogId, DialogState, Session};
use crate::message::Message;
use crate::view::Refresher;

impl Agent {
    pub(super) fn inside(
        &mut self,
        now: Duration,
        id: DialogId,
        message: Message,
        basics: Basics,
        out: &mut Vec<Action>,
    ) {
        let method = basics.method.clone();
        let Some(d) = self.dialogs.get_mut(&id) else {
            return;
        };
        let seq = basics.cseq.seq;
        let before_ack = d.state == DialogState::Accepted;
        let foreign = d.remote_tag() != basics.from.tag();
        let (older, repeated) = match d.remote_seq {
            Some(last) => (seq < last, seq == last),
            None => (false, false),
        };
        if !older {
            d.remote_seq = Some(seq);
        }
        let last = d.remote_seq.unwrap_or(0);
        if foreign {
            let text = format!(
                "the From tag of {method} is not the peer's tag in this dialog (RFC 3261 12.2.1.1)"
            );
            self.remark("foreign-from-tag", text, out);
        }
        if older {
            let text = format!(
                "{method} has CSeq {seq} after {last}; it is answered 500 (RFC 3261 12.2.2)"
            );
            self.remark("cseq-out-of-order", text, out);
            let status = self.settle_with(now, &message, &basics, Some(id), 500, out);
            return self.tell(Some(id), message, status, out);
        }
        if repeated {
            let text = format!("{method} repeats CSeq {seq} (RFC 3261 12.2.1.1)");
            self.remark("cseq-repeated", text, out);
        }
        if before_ack && !matches!(method.as_str(), "BYE" | "CANCEL") {
            let text = format!("{method} comes before the ACK");
            self.remark("before-ack", text, out);
        }
        if !self.unsupported(&message).is_empty() {
            let status = self.refuse_extension(now, &message, &basics, Some(id), out);
            return self.tell(Some(id), message, status, out);
        }
        match method.as_str() {
            "INFO" => {
                let (tx, answered) = self.settle(now, &message, &basics, Some(id), 200, out);
                out.push(Action::Event(Event::Info {
                    dialog: id,
                    tx,
                    answered,
                    request: message,
                }));
            }
            "BYE" => {
                let answered = self.settle(now, &message, &basics, Some(id), 200, out);
                match answered {
                    (_, Some(200)) => {
                        // 15.1.2: what still waits in this dialog is answered 487.
                        let waiting: Vec<TxId> = self
                            .served
                            .pending
                            .iter()
                            .filter(|t| t.dialog == Some(id))
                            .map(|t| t.id)
                            .collect();
                        for tx in waiting {
                            let _ = self.answer(now, tx, 487, out);
                        }
                        self.end(id, Ended::ByPeer, out);
                    }
                    answered => self.tell(Some(id), message, answered, out),
                }
            }
            "UPDATE" => {
                if let Some(d) = self.dialogs.get_mut(&id) {
                    d.retarget(&message);
                    d.learn_abilities(&message);
                }
                self.refreshed(now, id, &message);
                let answered = self.settle(now, &message, &basics, Some(id), 200, out);
                match answered {
                    (_, Some(200)) => out.push(Action::Event(Event::Refreshed {
                        dialog: id,
                        request: message,
                    })),
                    answered => self.tell(Some(id), message, answered, out),
                }
            }
            "INVITE" => self.reinvited(now, id, message, &basics, out),
            "OPTIONS" => {
                let status = self.on_options(now, &message, &basics, Some(id), out);
                self.tell(Some(id), message, status, out);
            }
            "BENOTIFY" => self.tell_only(Some(id), message, out),
            _ => {
                let status = self.not_allowed(&method);
                let status = self.settle(now, &message, &basics, Some(id), status, out);
                self.tell(Some(id), message, status, out);
            }
        }
    }

    /// The interval of a session begins anew (RFC 4028 10).
    pub(super) fn refreshed(&mut self, now: Duration, id: DialogId, message: &Message) {
        let agreed = self.agreed(message);
        let asked = message.session_expires().is_ok_and(|s| s.is_some());
        let Some(d) = self.dialogs.get_mut(&id) else {
            return;
        };
        match (&mut d.session, agreed) {
            (Some(session), Some(agreed)) if asked => {
                session.interval = Duration::from_secs(u64::from(agreed.seconds));
                session.ours = agreed.refresher == Some(Refresher::Uas);
                session.since = now;
            }
            (Some(session), _) => session.since = now,
            (None, Some(agreed)) if asked => {
                d.session = Some(Session {
                    interval: Duration::from_secs(u64::from(agreed.seconds)),
                    ours: agreed.refresher == Some(Refresher::Uas),
                    since: now,
                });
            }
            (None, _) => {}
        }
    }

    pub(super) fn reinvited(
        &mut self,
        now: Duration,
        id: DialogId,
        message: Message,
        basics: &Basics,
        out: &mut Vec<Action>,
    ) {
        // 14.2: one INVITE at a time, in either direction.
        let asking = self
            .asked
            .iter()
            .any(|t| t.dialog == Some(id) && t.invite.is_some() && !t.is_settled());
        let busy = if asking {
            Some(Answer::from(491))
        } else if self.served.invite_of(id).is_some() {
            let mut answer = Answer::from(500);
            answer
                .headers
                .push(("Retry-After".to_owned(), "5".to_owned()));
            Some(answer)
        } else {
            None
        };
        if let Some(answer) = busy {
            let status = self.settle_with(now, &message, basics, Some(id), answer, out);
            return self.tell(Some(id), message, status, out);
        }
        if let Some(d) = self.dialogs.get_mut(&id) {
            d.invite_seq = basics.cseq.seq;
            d.retarget(&message);
        }
        let tx = self.server_tx(&message, basics, Some(id));
        match self.policy("re-INVITE") {
            Policy::Auto => {
                let _ = self.answer(now, tx, 200, out);
                out.push(Action::Event(Event::Refreshed {
                    dialog: id,
                    request: message,
                }));
            }
            Policy::Status(status) => {
                let _ = self.answer(now, tx, status, out);
                self.tell(Some(id), message, (tx, Some(status)), out);
            }
            Policy::Ask => self.tell(Some(id), message, (tx, None), out),
            Policy::Silent => {
                self.served.take(tx);
                self.tell(Some(id), message, (tx, None), out);
            }
        }
    }
}
