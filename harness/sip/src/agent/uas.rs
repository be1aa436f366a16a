/*! The half of an agent that answers: requests in (RFC 3261 8.2, 13.3, 15.1.2).

Checks what every request must have, tells repetitions, finds the dialog, and
leaves the rest to `inside`, `registrar` and `answer`. Answers follow from the
method and its [`Policy`]; what the policy leaves to the layer above waits under
a [`TxId`] until that layer answers.
*/

use std::time::Duration;

use super::Agent;
use super::answer::{Answer, MIN_SE, Settled};
use super::config::Policy;
use super::event::{Action, Ended, Event, TxId};
use super::transaction::Basics;
use crate::dialog::{Dialog, DialogId, DialogState};
use crate::message::Message;
use crate::view::{Scheme, ViewError};

/// Methods we know of but do not allow: 405. Others are unknown: 501 (RFC 3261 8.2.1, 21.5.2).
const KNOWN_ELSEWHERE: [&str; 7] = [
    "REGISTER",
    "SUBSCRIBE",
    "NOTIFY",
    "MESSAGE",
    "PUBLISH",
    "REFER",
    "PRACK",
];

impl Agent {
    /// Takes a request.
    pub(super) fn request(&mut self, now: Duration, message: Message, out: &mut Vec<Action>) {
        let method = message.method().unwrap_or_default().to_owned();
        if message.header("Via").is_none() {
            self.remark(
                "unanswerable",
                format!("{method} has no Via, so it cannot be answered (RFC 3261 8.1.1.7)"),
                out,
            );
            return;
        }
        let basics = match Basics::read(&message) {
            Ok(basics) => basics,
            Err(error) => {
                self.bad_request(now, &message, &method, &error, out);
                return;
            }
        };
        if !message.version().eq_ignore_ascii_case("SIP/2.0") {
            self.refuse_raw(now, &message, 505, None, out);
            return;
        }
        if basics.cseq.method != method {
            let error = ViewError {
                header: "CSeq".to_owned(),
                span: message.header("CSeq").map_or(0..0, |h| h.span()),
                what: format!("names {} in a {method} request", basics.cseq.method),
            };
            self.bad_request(now, &message, &method, &error, out);
            return;
        }
        self.formalities(&message, &basics, out);
        match method.as_str() {
            "ACK" => return self.on_ack(&basics, out),
            "CANCEL" => return self.on_cancel(now, &message, &basics, out),
            _ => {}
        }
        let key = basics.key(&method);
        if self.served.by_key(&key).is_some() {
            self.remark(
                "duplicate",
                format!("{method} came twice; it is not answered yet"),
                out,
            );
            return;
        }
        if let Some(answer) = self.served.answer_of(&key) {
            let answer = answer.to_vec();
            self.remark(
                "duplicate",
                format!("{method} came twice; the answer is repeated"),
                out,
            );
            self.send(now, answer, out);
            return;
        }
        let opens = method == "INVITE" && basics.to.tag().is_none();
        if self.served.pending.len() >= self.config.max_waiting
            || (opens && self.dialogs.len() >= self.config.max_dialogs)
        {
            let text = format!("{method} exceeds what is served at a time; it is answered 503");
            self.remark("overload", text, out);
            self.refuse_raw(now, &message, 503, None, out);
            return;
        }
        match basics.to.tag() {
            Some(tag) => match self.by_tag.get(tag).copied() {
                Some(id)
                    if self
                        .dialogs
                        .get(&id)
                        .is_some_and(|d| d.call_id == basics.call_id) =>
                {
                    self.inside(now, id, message, basics, out);
                }
                _ if method == "BYE" && self.ended.iter().any(|t| t == tag) => {
                    // It crossed our own BYE on the way (RFC 5407 3.2.1).
                    self.refuse_raw(now, &message, 200, None, out);
                }
                // Refreshes carry the tag of our first answer; a registrar keeps no state to look it up in.
                _ if matches!(method.as_str(), "REGISTER" | "SUBSCRIBE")
                    && self.config.registrar.is_some() =>
                {
                    self.outside_request(now, message, basics, out);
                }
                _ if method == "BENOTIFY" => self.tell_only(None, message, out),
                _ if method == "NOTIFY" && self.subscriptions.contains(&basics.call_id) => {
                    let status = self.settle(now, &message, &basics, None, 200, out);
                    self.tell(None, message, status, out);
                }
                _ => {
                    let status = self.settle(now, &message, &basics, None, 481, out);
                    self.tell(None, message, status, out);
                }
            },
            None => self.outside_request(now, message, basics, out),
        }
    }

    /// Remarks on what a request lacks but can be answered without.
    pub(super) fn formalities(&self, message: &Message, basics: &Basics, out: &mut Vec<Action>) {
        let method = &basics.method;
        if !basics
            .via
            .branch()
            .is_some_and(|b| b.starts_with("z9hG4bK"))
        {
            let text = format!("the Via of {method} has no RFC 3261 branch (8.1.1.7)");
            self.remark("missing-branch", text, out);
        }
        match message.max_forwards() {
            Ok(Some(_)) => {}
            Ok(None) => {
                let text = format!("{method} has no Max-Forwards (RFC 3261 8.1.1.6)");
                self.remark("missing-max-forwards", text, out);
            }
            Err(error) => self.remark("missing-max-forwards", error.to_string(), out),
        }
        if basics.from.tag().is_none() {
            let text = format!("the From of {method} has no tag (RFC 3261 8.1.1.3)");
            self.remark("missing-from-tag", text, out);
        }
        let wants_contact = matches!(method.as_str(), "INVITE" | "UPDATE" | "SUBSCRIBE");
        if wants_contact && !message.contact().is_ok_and(|c| c.is_some()) {
            let text = format!("{method} has no usable Contact (RFC 3261 8.1.1.8, RFC 3311 5.1)");
            self.remark("missing-contact", text, out);
        }
    }

    pub(super) fn bad_request(
        &mut self,
        now: Duration,
        message: &Message,
        method: &str,
        error: &ViewError,
        out: &mut Vec<Action>,
    ) {
        self.remark(
            "bad-request",
            format!("{method} cannot be processed: {error}"),
            out,
        );
        if !matches!(method, "ACK" | "BENOTIFY") {
            let phrase = format!("Bad Request ({error})");
            let phrase: String = phrase.chars().filter(|c| !c.is_control()).collect();
            self.refuse_raw(now, message, 400, Some(&phrase), out);
        }
    }

    pub(super) fn outside_request(
        &mut self,
        now: Duration,
        message: Message,
        basics: Basics,
        out: &mut Vec<Action>,
    ) {
        let method = basics.method.clone();
        let scheme_fits = match message.uri() {
            Ok(uri) => matches!(uri.scheme, Scheme::Sip | Scheme::Sips | Scheme::Tel),
            Err(error) => {
                self.bad_request(now, &message, &method, &error, out);
                return;
            }
        };
        let serves = self.config.registrar.is_some();
        let status = match method.as_str() {
            "BENOTIFY" => return self.tell_only(None, message, out),
            _ if !scheme_fits => 416,
            "INVITE" => return self.invited(now, message, basics, out),
            "REGISTER" if serves => return self.registered(now, message, basics, out),
            "SUBSCRIBE" if serves => return self.subscribed(now, message, basics, out),
            "OPTIONS" => {
                let status = self.on_options(now, &message, &basics, None, out);
                return self.tell(None, message, status, out);
            }
            "INFO" | "BYE" | "UPDATE" | "NOTIFY" => 481,
            other => self.not_allowed(other),
        };
        let status = self.settle(now, &message, &basics, None, status, out);
        self.tell(None, message, status, out);
    }

    /// 405 for methods of SIP we do not serve, 501 for all others.
    pub(super) fn not_allowed(&self, method: &str) -> u16 {
        if KNOWN_ELSEWHERE.contains(&method) {
            405
        } else {
            501
        }
    }

    pub(super) fn invited(
        &mut self,
        now: Duration,
        message: Message,
        basics: Basics,
        out: &mut Vec<Action>,
    ) {
        let refusal = if !self.unsupported(&message).is_empty() {
            Some(self.refuse_extension(now, &message, &basics, None, out))
        } else if !message.body().is_empty()
            && !message
                .media_type()
                .is_ok_and(|m| m.is_none_or(|m| m.is("application/sdp")))
        {
            Some(self.settle_with(now, &message, &basics, None, 415, out))
        } else if let Ok(Some(s)) = message.session_expires()
            && s.seconds < MIN_SE
        {
            let mut answer = Answer::from(422);
            answer
                .headers
                .push(("Min-SE".to_owned(), MIN_SE.to_string()));
            Some(self.settle_with(now, &message, &basics, None, answer, out))
        } else {
            match self.policy("INVITE") {
                Policy::Auto => Some(self.settle_with(now, &message, &basics, None, 486, out)),
                Policy::Status(status) if status >= 300 => {
                    Some(self.settle_with(now, &message, &basics, None, status, out))
                }
                _ => None,
            }
        };
        if let Some(status) = refusal {
            self.served.expect_ack(basics.key("INVITE"));
            return self.tell(None, message, status, out);
        }
        let id = self.invited_dialog(&message, &basics);
        let tx = self.server_tx(&message, &basics, Some(id));
        if self.config.trying
            && let Ok(trying) = self.answer_draft(tx, 100)
        {
            let _ = self.send_answer(now, tx, 100, trying, out);
        }
        match self.policy("INVITE") {
            Policy::Silent => {
                self.served.take(tx);
                self.end(id, Ended::NoAnswer, out);
                self.tell_only(None, message, out);
            }
            policy => {
                out.push(Action::Event(Event::Invited {
                    dialog: id,
                    tx,
                    request: message,
                }));
                if let Policy::Status(status) = policy {
                    let _ = self.answer(now, tx, status, out);
                }
            }
        }
    }

    /// The dialog an INVITE begins (12.1.1).
    pub(super) fn invited_dialog(&mut self, message: &Message, basics: &Basics) -> DialogId {
        let id = DialogId(self.fresh());
        let tag = self.ids.tag();
        let target = match message.contact() {
            Ok(Some(contact)) => contact.uri,
            _ => basics.from.uri.clone(),
        };
        let mut dialog = Dialog {
            id,
            call_id: basics.call_id.clone(),
            local: basics.to.clone().with_tag(&tag),
            remote: basics.from.clone(),
            local_seq: 0,
            remote_seq: Some(basics.cseq.seq),
            route_set: message.record_routes().unwrap_or_default(),
            target,
            state: DialogState::Inviting,
            ours: false,
            invite_seq: basics.cseq.seq,
            session: None,
            description: None,
            ack: None,
            peer_update: false,
            peer_timer: false,
        };
        dialog.learn_abilities(message);
        self.add_dialog(dialog);
        id
    }

    pub(super) fn on_ack(&mut self, basics: &Basics, out: &mut Vec<Action>) {
        let dialog = basics.to.tag().and_then(|t| self.by_tag.get(t)).copied();
        if let Some(id) = dialog {
            let seq = basics.cseq.seq;
            let awaited = self.await_ack.len();
            self.await_ack.retain(|a| a.dialog != id || a.seq != seq);
            let hit = awaited != self.await_ack.len();
            if let Some(d) = self.dialogs.get_mut(&id) {
                if hit {
                    if d.state != DialogState::Confirmed {
                        d.state = DialogState::Confirmed;
                        out.push(Action::Event(Event::Confirmed { dialog: id }));
                    }
                    return;
                }
                if seq == d.invite_seq && d.state == DialogState::Confirmed {
                    self.remark("duplicate", "the ACK came twice", out);
                    return;
                }
            }
        }
        if self.served.take_refused(&basics.key("INVITE")) {
            return;
        }
        self.remark(
            "stray-ack",
            format!(
                "ACK with CSeq {} belongs to no answered INVITE",
                basics.cseq.seq
            ),
            out,
        );
    }

    pub(super) fn on_cancel(
        &mut self,
        now: Duration,
        message: &Message,
        basics: &Basics,
        out: &mut Vec<Action>,
    ) {
        let invite = self
            .served
            .by_key(&basics.key("INVITE"))
            .map(|t| (t.id, t.dialog));
        let status = if invite.is_some() { 200 } else { 481 };
        let id = invite.and_then(|(_, dialog)| dialog);
        self.settle_with(now, message, basics, id, status, out);
        if let Some((tx, Some(dialog))) = invite {
            out.push(Action::Event(Event::Cancelled { dialog }));
            let _ = self.answer(now, tx, 487, out);
        }
    }

    /// Tells about a request as a plain event.
    pub(super) fn tell(
        &mut self,
        dialog: Option<DialogId>,
        request: Message,
        (tx, answered): Settled,
        out: &mut Vec<Action>,
    ) {
        out.push(Action::Event(Event::Request {
            dialog,
            tx,
            answered,
            request,
        }));
    }

    /// Tells about a request that is never answered.
    pub(super) fn tell_only(
        &mut self,
        dialog: Option<DialogId>,
        request: Message,
        out: &mut Vec<Action>,
    ) {
        let tx = TxId(self.fresh());
        self.tell(dialog, request, (tx, None), out);
    }
}
