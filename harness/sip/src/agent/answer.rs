/*! Answers to the peer's requests: made as RFC 3261 wants them, sent at once or when the layer above decides. */

use std::time::Duration;

use super::config::Policy;
use super::event::{Action, Ended, TxId};
use super::transaction::{AwaitAck, Basics, ServerTx};
use super::{Agent, AgentError};
use crate::builder::Builder;
use crate::dialog::{DialogId, DialogState, Session};
use crate::message::Message;
use crate::sdp;
use crate::view::{Refresher, SessionExpires, Uri};

/// The shortest session interval we agree to, in seconds (RFC 4028 5).
pub(super) const MIN_SE: u32 = 90;

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
pub(super) type Settled = (TxId, Option<u16>);

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

    /// Answers at once as the policy says (`auto` when it leaves it to the agent). Gives the status, none when nobody answered.
    pub(super) fn settle(
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

    /// Answers with this status whatever the policy.
    pub(super) fn settle_with(
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

    pub(super) fn refuse_extension(
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

    pub(super) fn server_tx(
        &mut self,
        message: &Message,
        basics: &Basics,
        id: Option<DialogId>,
    ) -> TxId {
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

    /// [`Builder::reply`] with the peer's true address in the top Via (18.2.1, RFC 3581 4).
    pub(super) fn reply_to(&self, message: &Message, status: u16, tag: &str) -> Builder {
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

    pub(super) fn invite_tx(&self, dialog: DialogId) -> Result<TxId, AgentError> {
        self.known(dialog)?;
        self.served
            .invite_of(dialog)
            .map(|t| t.id)
            .ok_or(AgentError::NoRequest)
    }

    /// What a 2xx to INVITE carries besides Contact: Allow, Supported, session timer, description.
    pub(super) fn invite_2xx(
        &self,
        id: Option<DialogId>,
        invite: &Message,
        builder: Builder,
    ) -> Builder {
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
    pub(super) fn agreed(&self, request: &Message) -> Option<SessionExpires> {
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
    pub(super) fn timer_headers(&self, id: Option<DialogId>, builder: Builder) -> Builder {
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
    pub(super) fn accepted(
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

    pub(super) fn unsupported(&self, message: &Message) -> Vec<String> {
        message
            .list("Require")
            .into_iter()
            .map(|i| i.text)
            .filter(|t| !t.eq_ignore_ascii_case("timer"))
            .collect()
    }
}
