/*! The half of an agent that answers: requests in, responses out (RFC 3261 8.2, 12.2.2, 13.3, 15.1.2).

Answers follow from the method and its [`Policy`]; what the policy leaves to
the layer above waits under a [`TxId`] until that layer answers.
*/

use std::time::Duration;

use super::config::{PROVISIONING, Policy};
use super::event::{Action, Ended, Event, TxId};
use super::transaction::{AwaitAck, Basics, ServerTx};
use super::{Agent, AgentError, T2};
use crate::builder::Builder;
use crate::dialog::{Dialog, DialogId, DialogState, Session};
use crate::message::Message;
use crate::sdp;
use crate::view::{NameAddr, Refresher, Scheme, SessionExpires, Uri, ViewError};

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

/// The shortest session interval we agree to, in seconds (RFC 4028 5).
const MIN_SE: u32 = 90;

/// The answer of the layer above to a request.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// A reason phrase; the usual one when none.
    pub reason: Option<String>,
    /// Further headers.
    pub headers: Vec<(String, String)>,
    /// A body with its media type.
    pub body: Option<(String, Vec<u8>)>,
}

impl From<u16> for Answer {
    fn from(status: u16) -> Answer {
        Answer {
            status,
            reason: None,
            headers: Vec::new(),
            body: None,
        }
    }
}

/// How an INVITE is accepted; the default is right for chat.
#[derive(Debug, Clone, Default)]
pub struct Accept {
    /// A Contact other than that of the agent's configuration.
    pub contact: Option<Uri>,
    /// A session description with its media type; the answer to the offer when none.
    pub body: Option<(String, Vec<u8>)>,
    /// Further headers.
    pub headers: Vec<(String, String)>,
}

/// What became of a request at once: its transaction, and the status when it was answered.
type Settled = (TxId, Option<u16>);

impl Agent {
    /// Accepts an INVITE: 200 with Contact, session description and session timer, Record-Route copied.
    pub fn accept(
        &mut self,
        now: Duration,
        dialog: DialogId,
        accept: Accept,
        out: &mut Vec<Action>,
    ) -> Result<(), AgentError> {
        let tx = self.invite_tx(dialog)?;
        let mut builder = self.answer_draft(tx, 200)?;
        if let Some(contact) = accept.contact {
            builder = builder.set("Contact", format!("<{contact}>"));
        }
        if let Some((media_type, body)) = accept.body {
            builder = builder.content(&media_type, body);
        }
        for (name, value) in &accept.headers {
            builder = builder.header(name, value);
        }
        self.send_answer(now, tx, 200, builder, out)
    }

    /// Refuses an INVITE with a final status of 300 or more; the dialog is over.
    pub fn reject(
        &mut self,
        now: Duration,
        dialog: DialogId,
        answer: impl Into<Answer>,
        out: &mut Vec<Action>,
    ) -> Result<(), AgentError> {
        let tx = self.invite_tx(dialog)?;
        self.answer(now, tx, answer, out)
    }

    /// Sends a provisional answer (100 to 199) to an INVITE that waits.
    pub fn progress(
        &mut self,
        now: Duration,
        dialog: DialogId,
        answer: impl Into<Answer>,
        out: &mut Vec<Action>,
    ) -> Result<(), AgentError> {
        let tx = self.invite_tx(dialog)?;
        self.answer(now, tx, answer, out)
    }

    /// Answers a request that waits, with any status; a status below 200 leaves it waiting.
    pub fn answer(
        &mut self,
        now: Duration,
        tx: TxId,
        answer: impl Into<Answer>,
        out: &mut Vec<Action>,
    ) -> Result<(), AgentError> {
        let answer = answer.into();
        let mut builder = self.answer_draft(tx, answer.status)?;
        if let (Some(reason), Some(_)) = (&answer.reason, self.served.get(tx)) {
            builder = builder.set_start(format!("SIP/2.0 {} {reason}", answer.status));
        }
        for (name, value) in &answer.headers {
            builder = builder.header(name, value);
        }
        if let Some((media_type, body)) = answer.body {
            builder = builder.content(&media_type, body);
        }
        self.send_answer(now, tx, answer.status, builder, out)
    }

    /// The answer the agent would give to a request that waits, to be edited and given to [`Agent::send_answer`].
    pub fn answer_draft(&self, tx: TxId, status: u16) -> Result<Builder, AgentError> {
        let tx = self.served.get(tx).ok_or(AgentError::NoRequest)?;
        let mut builder = tx
            .reply(status, None)
            .header_opt("Server", self.config.product.as_deref());
        if status == 100 {
            // A 100 creates no dialog (8.2.6.2), so it goes without our tag.
            if let Some(invite) = &tx.invite {
                builder = Builder::reply(invite, 100, None);
            }
            return Ok(builder);
        }
        let success = (200..300).contains(&status);
        if let Some(invite) = &tx.invite {
            if status < 300 {
                builder = builder.header("Contact", self.contact());
            }
            if success {
                builder = self.invite_2xx(tx.dialog, invite, builder);
            }
        } else if success && matches!(tx.method.as_str(), "UPDATE" | "SUBSCRIBE") {
            builder = builder.header("Contact", self.contact());
            if tx.method == "UPDATE" {
                builder = self.timer_headers(tx.dialog, builder);
            }
        }
        match status {
            405 | 501 => builder = builder.header("Allow", self.allow()),
            415 => builder = builder.header("Accept", "application/sdp"),
            _ => {}
        }
        Ok(builder)
    }

    /// Sends an answer, edited or not, to a request that waits. `status` is what it means, whatever it says.
    pub fn send_answer(
        &mut self,
        now: Duration,
        tx: TxId,
        status: u16,
        answer: Builder,
        out: &mut Vec<Action>,
    ) -> Result<(), AgentError> {
        let known = self.served.get(tx).ok_or(AgentError::NoRequest)?;
        let (dialog, is_invite) = (known.dialog, known.invite.is_some());
        let bytes = answer.build();
        if status < 200 {
            if let Some(d) = dialog.and_then(|id| self.dialogs.get_mut(&id))
                && status > 100
            {
                d.state = d.state.max(DialogState::Early);
            }
            self.send(now, bytes, out);
            return Ok(());
        }
        let Some(tx) = self.served.take(tx) else {
            return Err(AgentError::NoRequest);
        };
        self.send(now, bytes.clone(), out);
        self.served.remember(tx.key.clone(), bytes.clone());
        if is_invite && let Some(id) = dialog {
            if status < 300 {
                self.accepted(now, id, &tx, bytes, &answer);
            } else {
                self.served.expect_ack(tx.key);
                let opening = self
                    .dialogs
                    .get(&id)
                    .is_some_and(|d| d.state < DialogState::Accepted);
                if opening {
                    self.end(id, Ended::Refused(status), out);
                }
            }
        }
        Ok(())
    }

    fn invite_tx(&self, dialog: DialogId) -> Result<TxId, AgentError> {
        self.known(dialog)?;
        self.served
            .invite_of(dialog)
            .map(|t| t.id)
            .ok_or(AgentError::NoRequest)
    }

    /// What a 2xx to INVITE carries besides Contact: Allow, Supported, session timer, description.
    fn invite_2xx(&self, id: Option<DialogId>, invite: &Message, builder: Builder) -> Builder {
        let mut builder = builder
            .header("Allow", self.allow())
            .header("Supported", "timer");
        if let Some(session) = self.agreed(invite) {
            builder = builder.header("Session-Expires", session.to_string());
            // RFC 4028 9: the peer must know that it has to refresh.
            if session.refresher == Some(Refresher::Uac) {
                builder = builder.header("Require", "timer");
            }
        }
        let (host, port) = self.media_address();
        let earlier = id.and_then(|id| self.dialogs.get(&id)?.description.clone());
        let body = match earlier {
            Some(description) => description,
            None if invite.body().is_empty() => sdp::offer(host, port),
            None => sdp::answer(invite.body(), host, port),
        };
        builder.content("application/sdp", body)
    }

    /// The session timer our answer to an INVITE or UPDATE agrees to (RFC 4028 9).
    fn agreed(&self, request: &Message) -> Option<SessionExpires> {
        let theirs = request.session_expires().ok().flatten();
        let seconds = match (&theirs, self.config.session_expires) {
            (Some(t), Some(ours)) => t.seconds.min(ours).max(MIN_SE),
            (Some(t), None) => t.seconds,
            (None, Some(ours)) => ours,
            (None, None) => return None,
        };
        let floor = request
            .value("Min-SE")
            .and_then(|v| v.split(';').next()?.trim().parse::<u32>().ok())
            .unwrap_or(0);
        let knows = request.lists("Supported", "timer") || request.lists("Require", "timer");
        let refresher = match theirs.and_then(|t| t.refresher) {
            _ if !knows => Refresher::Uas,
            Some(refresher) => refresher,
            None => Refresher::Uac,
        };
        Some(SessionExpires {
            seconds: seconds.max(floor),
            refresher: Some(refresher),
        })
    }

    /// Session timer headers of the 200 to an UPDATE.
    fn timer_headers(&self, id: Option<DialogId>, builder: Builder) -> Builder {
        let Some(session) = id.and_then(|id| self.dialogs.get(&id)?.session) else {
            return builder.header("Supported", "timer");
        };
        let refresher = if session.ours { "uas" } else { "uac" };
        let builder = builder.header("Supported", "timer").header(
            "Session-Expires",
            format!("{};refresher={refresher}", session.interval.as_secs()),
        );
        match session.ours {
            true => builder,
            false => builder.header("Require", "timer"),
        }
    }

    /// A 2xx to an INVITE left: the dialog waits for the ACK.
    fn accepted(
        &mut self,
        now: Duration,
        id: DialogId,
        tx: &ServerTx,
        bytes: Vec<u8>,
        answer: &Builder,
    ) {
        let give_up = now + self.give_up();
        let t1 = self.config.t1;
        let session = tx
            .invite
            .as_deref()
            .and_then(|invite| self.agreed(invite))
            .map(|s| Session {
                interval: Duration::from_secs(u64::from(s.seconds)),
                ours: s.refresher == Some(Refresher::Uas),
                since: now,
            });
        let Some(d) = self.dialogs.get_mut(&id) else {
            return;
        };
        if d.state != DialogState::Confirmed {
            d.state = DialogState::Accepted;
        }
        d.session = session;
        if let Ok(message) = answer.message()
            && !message.body().is_empty()
        {
            d.description = Some(message.body().to_vec());
        }
        let seq = d.invite_seq;
        self.await_ack.push(AwaitAck {
            dialog: id,
            seq,
            bytes,
            next: now + t1,
            interval: t1,
            give_up,
        });
    }

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
    fn formalities(&self, message: &Message, basics: &Basics, out: &mut Vec<Action>) {
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

    fn bad_request(
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

    /// Answers without a transaction: for requests too broken to have one.
    pub(super) fn refuse_raw(
        &mut self,
        now: Duration,
        message: &Message,
        status: u16,
        phrase: Option<&str>,
        out: &mut Vec<Action>,
    ) {
        let tag = self.ids.tag();
        let mut builder = self.reply_to(message, status, &tag);
        if let Some(phrase) = phrase {
            builder = builder.set_start(format!("SIP/2.0 {status} {phrase}"));
        }
        let bytes = builder
            .header_opt("Server", self.config.product.as_deref())
            .build();
        self.send(now, bytes, out);
    }

    /// [`Builder::reply`] with the peer's true address in the top Via (18.2.1, RFC 3581 4).
    fn reply_to(&self, message: &Message, status: u16, tag: &str) -> Builder {
        let builder = Builder::reply(message, status, Some(tag));
        let (Some(peer), Some(header), Ok(vias)) =
            (self.peer, message.header("Via"), message.vias())
        else {
            return builder;
        };
        let (Some(mut via), Some(item)) = (
            vias.into_iter().next(),
            message.list("Via").into_iter().next(),
        ) else {
            return builder;
        };
        let ip = peer.ip().to_canonical();
        let host = via.host.trim_matches(['[', ']']);
        let same = host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|h| h.to_canonical() == ip);
        let rport = via
            .params
            .iter_mut()
            .find(|p| p.name.eq_ignore_ascii_case("rport") && p.value.is_none());
        if same && rport.is_none() {
            return builder;
        }
        if let Some(rport) = rport {
            rport.value = Some(peer.port().to_string());
        }
        via.params
            .retain(|p| !p.name.eq_ignore_ascii_case("received"));
        via.params
            .push(crate::view::Param::new("received", ip.to_string()));
        // Only the first element changes; others in the same header, and further headers, stay as they are.
        let after = item.span.end - header.span().start;
        let rest = header.raw().get(after..).unwrap_or_default();
        let first = [via.to_string().as_bytes(), rest].concat();
        builder.replace_first("Via", first)
    }

    fn server_tx(&mut self, message: &Message, basics: &Basics, id: Option<DialogId>) -> TxId {
        let tag = match id.and_then(|id| self.dialogs.get(&id)) {
            Some(d) => d.local_tag().to_owned(),
            None => self.ids.tag(),
        };
        let template = self.reply_to(message, 200, &tag);
        let tx = TxId(self.fresh());
        let invite = (basics.method == "INVITE").then(|| Box::new(message.clone()));
        let mut record = ServerTx::new(tx, basics, template, invite);
        record.dialog = id;
        self.served.pending.push(record);
        tx
    }

    /// Answers at once as the policy says (`auto` when it leaves it to the agent). Gives the status, none when nobody answered.
    fn settle(
        &mut self,
        now: Duration,
        message: &Message,
        basics: &Basics,
        id: Option<DialogId>,
        auto: impl Into<Answer>,
        out: &mut Vec<Action>,
    ) -> Settled {
        let auto = auto.into();
        let tx = self.server_tx(message, basics, id);
        let answer = match self.policy(&basics.method) {
            // Policies are for requests that could be served; what is wrong stays wrong.
            _ if matches!(auto.status, 400..500) && auto.status != 405 => auto,
            Policy::Auto => auto,
            Policy::Status(status) if status == auto.status => auto,
            Policy::Status(status) => status.into(),
            Policy::Ask => return (tx, None),
            Policy::Silent => {
                self.served.take(tx);
                return (tx, None);
            }
        };
        let status = answer.status;
        let _ = self.answer(now, tx, answer, out);
        (tx, Some(status))
    }

    /// Tells about a request as a plain event.
    fn tell(
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
    fn tell_only(&mut self, dialog: Option<DialogId>, request: Message, out: &mut Vec<Action>) {
        let tx = TxId(self.fresh());
        self.tell(dialog, request, (tx, None), out);
    }

    fn unsupported(&self, message: &Message) -> Vec<String> {
        message
            .list("Require")
            .into_iter()
            .map(|i| i.text)
            .filter(|t| !t.eq_ignore_ascii_case("timer"))
            .collect()
    }

    fn inside(
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

    /// Answers with this status whatever the policy.
    fn settle_with(
        &mut self,
        now: Duration,
        message: &Message,
        basics: &Basics,
        id: Option<DialogId>,
        answer: impl Into<Answer>,
        out: &mut Vec<Action>,
    ) -> Settled {
        let answer = answer.into();
        let status = answer.status;
        let tx = self.server_tx(message, basics, id);
        let _ = self.answer(now, tx, answer, out);
        (tx, Some(status))
    }

    fn refuse_extension(
        &mut self,
        now: Duration,
        message: &Message,
        basics: &Basics,
        id: Option<DialogId>,
        out: &mut Vec<Action>,
    ) -> Settled {
        let unsupported = self.unsupported(message).join(", ");
        let mut answer = Answer::from(420);
        answer.headers.push(("Unsupported".to_owned(), unsupported));
        self.settle_with(now, message, basics, id, answer, out)
    }

    /// 405 for methods of SIP we do not serve, 501 for all others.
    fn not_allowed(&self, method: &str) -> u16 {
        if KNOWN_ELSEWHERE.contains(&method) {
            405
        } else {
            501
        }
    }

    /// The interval of a session begins anew (RFC 4028 10).
    fn refreshed(&mut self, now: Duration, id: DialogId, message: &Message) {
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

    fn reinvited(
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

    fn outside_request(
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

    fn on_options(
        &mut self,
        now: Duration,
        message: &Message,
        basics: &Basics,
        id: Option<DialogId>,
        out: &mut Vec<Action>,
    ) -> Settled {
        let mut answer = Answer::from(200);
        for (name, value) in [
            ("Allow", self.allow().as_str()),
            ("Accept", "application/sdp, text/plain"),
            ("Accept-Encoding", "identity"),
            ("Accept-Language", "en"),
            ("Supported", "timer"),
        ] {
            answer.headers.push((name.to_owned(), value.to_owned()));
        }
        self.settle(now, message, basics, id, answer, out)
    }

    fn invited(&mut self, now: Duration, message: Message, basics: Basics, out: &mut Vec<Action>) {
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
    fn invited_dialog(&mut self, message: &Message, basics: &Basics) -> DialogId {
        let id = DialogId(self.fresh());
        let tag = self.ids.tag();
        let target = match message.contact() {
            Ok(Some(contact)) => contact.uri,
            _ => basics.from.uri.clone(),
        };
        self.add_dialog(Dialog {
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
            peer_timer: message.lists("Supported", "timer"),
        });
        id
    }

    fn registered(
        &mut self,
        now: Duration,
        message: Message,
        basics: Basics,
        out: &mut Vec<Action>,
    ) {
        let Some(registrar) = self.config.registrar.clone() else {
            return;
        };
        let contact = message.contact().ok().flatten();
        let asked = contact
            .as_ref()
            .and_then(|c| c.param("expires")?.parse().ok())
            .or(message.expires().ok().flatten())
            .unwrap_or(registrar.expires);
        let expires = asked.min(registrar.expires);
        let mut answer = Answer::from(200);
        let mut add = |name: &str, value: String| answer.headers.push((name.to_owned(), value));
        if expires > 0
            && let Some(contact) = contact
        {
            let mut granted = NameAddr::new(contact.uri);
            granted
                .params
                .push(crate::view::Param::new("expires", expires.to_string()));
            add("Contact", granted.to_string());
        }
        add("Expires", expires.to_string());
        // Clients of this family look for this value as a whole line.
        add("Supported", "msrtc-event-categories".to_owned());
        add("Allow-Events", PROVISIONING.to_owned());
        if let Some(seconds) = registrar.keep_alive {
            add(
                "ms-keep-alive",
                format!("UAS; tcp=no; hop-hop=yes; end-end=no; timeout={seconds}"),
            );
        }
        let settled = self.settle(now, &message, &basics, None, answer, out);
        match settled {
            (_, Some(200)) => out.push(Action::Event(Event::Registered {
                request: message,
                expires,
            })),
            settled => self.tell(None, message, settled, out),
        }
    }

    fn subscribed(
        &mut self,
        now: Duration,
        message: Message,
        basics: Basics,
        out: &mut Vec<Action>,
    ) {
        let Some(registrar) = self.config.registrar.clone() else {
            return;
        };
        let package = match message.event() {
            Ok(Some(event)) => event.package,
            Ok(None) => String::new(),
            Err(error) => {
                self.bad_request(now, &message, "SUBSCRIBE", &error, out);
                return;
            }
        };
        let provisioning = package.eq_ignore_ascii_case(PROVISIONING);
        let answer = if provisioning || (registrar.any_package && !package.is_empty()) {
            let mut answer = Answer::from(200);
            let expires = message
                .expires()
                .ok()
                .flatten()
                .unwrap_or(registrar.expires);
            answer.headers = vec![
                ("Event".to_owned(), package.clone()),
                (
                    "Expires".to_owned(),
                    expires.min(registrar.expires).to_string(),
                ),
                ("ms-piggyback-cseq".to_owned(), "1".to_owned()),
            ];
            if provisioning {
                answer.body = registrar.provisioning;
            }
            answer
        } else {
            let mut answer = Answer::from(489);
            answer
                .headers
                .push(("Allow-Events".to_owned(), PROVISIONING.to_owned()));
            answer
        };
        let settled = self.settle(now, &message, &basics, None, answer, out);
        match settled {
            (_, Some(status)) => out.push(Action::Event(Event::Subscribed {
                request: message,
                package,
                status,
            })),
            settled => self.tell(None, message, settled, out),
        }
    }

    fn on_ack(&mut self, basics: &Basics, out: &mut Vec<Action>) {
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

    fn on_cancel(
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
