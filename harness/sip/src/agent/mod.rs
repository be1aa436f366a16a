/*! The user agent on one connection: a state machine without I/O.

An [`Agent`] takes frames and a clock reading and gives [`Action`]s: bytes to
write and events for the layer above. Both peers run the same type, for a user
agent is always both halves: `uac` holds what it starts (REGISTER, INVITE, INFO,
BYE…), `uas` what it answers. It knows nothing of what the bodies mean.

**Time** is a `Duration` since any fixed moment, never read but given. Call
[`Agent::tick`] when [`Agent::deadline`] has passed.

**Tolerance.** What a peer does wrong but understandably is tolerated and told
as a [`Remark`]: the codes of [`crate::NoteKind`], and `missing-branch`,
`missing-max-forwards`, `missing-contact`, `missing-from-tag`, `missing-to-tag`,
`foreign-from-tag`, `cseq-repeated`, `cseq-out-of-order`, `duplicate`, `before-ack`, `no-ack`,
`stray-ack`, `stray-answer`, `foreign-via`, `repeated-2xx`, `forked`,
`unanswerable`, `bad-request`, `overload`. What the agent itself sends is always correct,
unless the layer above edits a [`Draft`] or an answer on purpose.
*/

mod answer;
mod config;
mod event;
mod inside;
mod registrar;
mod responses;
mod timers;
mod transaction;
mod uac;
mod uas;

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

pub use answer::{Accept, Answer};
pub use config::{Config, PROVISIONING, Policy, Registrar, Transport};
pub use event::{Action, Ended, Event, Remark, RequestId, TxId};
pub use uac::{Draft, Invite};

use crate::dialog::{Dialog, DialogId};
use crate::frame::{Frame, FrameError, FrameErrorKind, KeepAlive};
use crate::ids::Ids;
use crate::message::Message;
use transaction::{AwaitAck, Basics, ClientTx, Served};

/// T2 of RFC 3261 17 in units of T1: the longest interval between repetitions of a 2xx.
const T2: u32 = 8;

/// An unanswered request has failed after this many T1 (timers B, F and H).
const GIVE_UP: u32 = 64;

/// Dialogs we ended ourselves, remembered so that a BYE that crosses ours still gets its 200.
const REMEMBERED_ENDS: usize = 8;

/// A call names something the agent does not (or no longer) know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AgentError {
    /// The dialog is over or never was.
    NoDialog(DialogId),
    /// The dialog cannot carry requests yet: its INVITE is unanswered.
    NotYet(DialogId),
    /// The request is answered already or never was.
    NoRequest,
}

impl fmt::Display for AgentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AgentError::NoDialog(id) => write!(f, "{id} is over"),
            AgentError::NotYet(id) => write!(f, "{id} is not established yet"),
            AgentError::NoRequest => f.write_str("the request is answered already"),
        }
    }
}

impl std::error::Error for AgentError {}

/// A user agent on one connection.
#[derive(Debug)]
pub struct Agent {
    config: Config,
    ids: Box<dyn Ids>,
    policies: BTreeMap<String, Policy>,
    peer: Option<SocketAddr>,
    dialogs: BTreeMap<DialogId, Dialog>,
    by_tag: BTreeMap<String, DialogId>,
    /// Local tags of dialogs that ended from our side.
    ended: Vec<String>,
    served: Served,
    await_ack: Vec<AwaitAck>,
    asked: Vec<ClientTx>,
    last_sent: Duration,
    next_id: u64,
    /// Call-ID, From tag and last CSeq of our registration, and of other requests outside dialogs.
    registration: Option<(String, String, u32)>,
    /// Call-IDs of our subscriptions, whose NOTIFYs are welcome.
    subscriptions: Vec<String>,
}

impl Agent {
    /// The agent of a chat client: answers INFO with 200 by itself, calls nobody is expected to make with 486.
    pub fn client(config: Config, ids: Box<dyn Ids>) -> Agent {
        Agent::new(config, ids)
    }

    /// The agent of a chat server: asks the upper layer about INVITE and INFO, answers all else itself.
    pub fn server(config: Config, ids: Box<dyn Ids>) -> Agent {
        let mut agent = Agent::new(config, ids);
        agent.set_policy("INVITE", Policy::Ask);
        agent.set_policy("INFO", Policy::Ask);
        agent
    }

    fn new(config: Config, ids: Box<dyn Ids>) -> Agent {
        Agent {
            config,
            ids,
            policies: BTreeMap::new(),
            peer: None,
            dialogs: BTreeMap::new(),
            by_tag: BTreeMap::new(),
            ended: Vec::new(),
            served: Served::default(),
            await_ack: Vec::new(),
            asked: Vec::new(),
            last_sent: Duration::ZERO,
            next_id: 0,
            registration: None,
            subscriptions: Vec::new(),
        }
    }

    /// Tells the peer's address, so that answers carry `received` and `rport` where RFC 3261 18.2.1 and RFC 3581 want them.
    pub fn set_peer(&mut self, peer: SocketAddr) {
        self.peer = Some(peer);
    }

    /// Decides what happens to incoming requests of `method` from now on.
    ///
    /// `INVITE` means calls, `re-INVITE` those inside a dialog. ACK and CANCEL have no policy.
    pub fn set_policy(&mut self, method: &str, policy: Policy) {
        self.policies.insert(method.to_owned(), policy);
    }

    /// What happens to incoming requests of `method`.
    pub fn policy(&self, method: &str) -> Policy {
        self.policies.get(method).copied().unwrap_or_default()
    }

    /// How the agent presents itself.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Changes how the agent presents itself, from the next message on.
    pub fn config_mut(&mut self) -> &mut Config {
        &mut self.config
    }

    /// A dialog that is not over.
    pub fn dialog(&self, id: DialogId) -> Option<&Dialog> {
        self.dialogs.get(&id)
    }

    /// All dialogs that are not over, oldest first.
    pub fn dialogs(&self) -> impl Iterator<Item = &Dialog> {
        self.dialogs.values()
    }

    /// How many of our requests wait for a final answer.
    pub fn unanswered(&self) -> usize {
        self.asked.iter().filter(|t| !t.is_settled()).count()
    }

    /// Takes what the framer gave, at time `now`.
    pub fn receive(&mut self, now: Duration, frame: Frame, out: &mut Vec<Action>) {
        match frame {
            Frame::Message(message) => {
                for note in message.notes().iter().filter(|n| n.kind.is_violation()) {
                    out.push(Action::Event(Event::Remark(Remark {
                        code: note.kind.code(),
                        text: note.kind.text().to_owned(),
                        offset: Some(note.offset),
                        violation: true,
                    })));
                }
                if message.is_request() {
                    self.request(now, message, out);
                } else {
                    self.response(now, message, out);
                }
            }
            Frame::KeepAlive {
                kind: KeepAlive::Ping,
                ..
            } => {
                self.send(now, b"\r\n".to_vec(), out);
                out.push(Action::Event(Event::Ping));
            }
            Frame::KeepAlive {
                kind: KeepAlive::Pong,
                ..
            } => out.push(Action::Event(Event::Pong)),
            Frame::Error(error) => self.broken(now, error, out),
        }
    }

    /// The moment something is due without the peer; call [`Agent::tick`] then.
    pub fn deadline(&self) -> Option<Duration> {
        let requests = self.asked.iter().filter_map(|t| t.deadline);
        let acks = self.await_ack.iter().map(|a| {
            if self.config.repeat_2xx {
                a.next.min(a.give_up)
            } else {
                a.give_up
            }
        });
        let sessions = self
            .dialogs
            .values()
            .filter(|_| self.config.keep_sessions)
            .filter_map(Dialog::session_due);
        let ping = self.config.keep_alive.map(|after| self.last_sent + after);
        requests.chain(acks).chain(sessions).chain(ping).min()
    }

    /// Does what is due at `now`: gives up on requests, repeats 2xx, refreshes or ends sessions, pings.
    pub fn tick(&mut self, now: Duration, out: &mut Vec<Action>) {
        self.tick_requests(now, out);
        self.tick_acks(now, out);
        self.tick_sessions(now, out);
        if let Some(after) = self.config.keep_alive
            && now >= self.last_sent + after
        {
            self.ping(now, out);
        }
    }

    /// Tells that the connection is gone: every dialog ends, every request of ours stays unanswered.
    pub fn closed(&mut self, now: Duration, out: &mut Vec<Action>) {
        for tx in std::mem::take(&mut self.asked) {
            if !tx.is_settled() {
                out.push(Action::Event(Event::Unanswered {
                    request: tx.id,
                    method: tx.method,
                    dialog: tx.dialog,
                    after: now.saturating_sub(tx.sent),
                }));
            }
        }
        self.await_ack.clear();
        self.served.pending.clear();
        let ids: Vec<DialogId> = self.dialogs.keys().copied().collect();
        for id in ids {
            self.end(id, Ended::Disconnected, out);
        }
    }

    /// Sends CRLF CRLF.
    pub fn ping(&mut self, now: Duration, out: &mut Vec<Action>) {
        self.send(now, b"\r\n\r\n".to_vec(), out);
    }

    fn send(&mut self, now: Duration, bytes: Vec<u8>, out: &mut Vec<Action>) {
        self.last_sent = now;
        out.push(Action::Send(bytes));
    }

    fn remark(&self, code: &'static str, text: impl Into<String>, out: &mut Vec<Action>) {
        out.push(Action::Event(Event::Remark(Remark {
            code,
            text: text.into(),
            offset: None,
            violation: !matches!(code, "duplicate" | "repeated-2xx" | "forked" | "overload"),
        })));
    }

    fn fresh(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    fn add_dialog(&mut self, dialog: Dialog) {
        self.by_tag.insert(dialog.local_tag().to_owned(), dialog.id);
        self.dialogs.insert(dialog.id, dialog);
    }

    /// Forgets a dialog and tells why.
    fn end(&mut self, id: DialogId, why: Ended, out: &mut Vec<Action>) {
        let Some(dialog) = self.dialogs.remove(&id) else {
            return;
        };
        self.by_tag.remove(dialog.local_tag());
        self.await_ack.retain(|a| a.dialog != id);
        if !matches!(why, Ended::ByPeer) {
            if self.ended.len() == REMEMBERED_ENDS {
                self.ended.remove(0);
            }
            self.ended.push(dialog.local_tag().to_owned());
        }
        out.push(Action::Event(Event::Ended { dialog: id, why }));
    }

    /// Answers what can still be answered of a broken stream, and gives up on it.
    fn broken(&mut self, now: Duration, error: FrameError, out: &mut Vec<Action>) {
        let status = match error.kind {
            FrameErrorKind::BodyTooLarge => Some(413),
            FrameErrorKind::BadContentLength | FrameErrorKind::ConflictingContentLength => {
                Some(400)
            }
            _ => None,
        };
        if let (Some(status), Some(head)) = (status, &error.head)
            && head.method().is_some_and(|m| m != "ACK")
            // What lacks the headers every request has cannot be answered in a valid way.
            && Basics::read(head).is_ok()
        {
            let head = Message::clone(head);
            self.refuse_raw(now, &head, status, None, out);
        }
        let why = error.what.clone();
        out.push(Action::Event(Event::Broken(error)));
        out.push(Action::Close(why));
    }

    fn give_up(&self) -> Duration {
        self.config.t1 * GIVE_UP
    }

    /// The methods we understand, for Allow (RFC 3261 20.5).
    fn allow(&self) -> String {
        let mut methods = vec![
            "INVITE", "ACK", "CANCEL", "BYE", "INFO", "OPTIONS", "UPDATE",
        ];
        if self.config.registrar.is_some() {
            methods.extend(["REGISTER", "SUBSCRIBE"]);
        } else {
            methods.extend(["NOTIFY"]);
        }
        for (method, policy) in &self.policies {
            let known = methods.contains(&method.as_str()) || method == "re-INVITE";
            if !known && matches!(policy, Policy::Ask | Policy::Status(200)) {
                methods.push(method);
            }
        }
        methods.join(", ")
    }

    /// Host and port of our Contact, for session descriptions.
    fn media_address(&self) -> (&str, u16) {
        (
            &self.config.contact.host,
            self.config.contact.port.unwrap_or(5060),
        )
    }
}

#[cfg(test)]
mod tests;
