/*! Transactions over reliable transports (RFC 3261 17), as plain records.

Nothing is retransmitted here except what TCP and TLS still demand: the 2xx to
an INVITE until its ACK. Server transactions remember their last answers, so
that a request that arrives twice is answered twice but processed once.
*/

use std::collections::VecDeque;
use std::time::Duration;

use super::event::{RequestId, TxId};
use crate::builder::{Builder, reason};
use crate::dialog::DialogId;
use crate::message::Message;
use crate::view::{CSeq, NameAddr, Via, ViewError};

/// Answers kept to recognise requests that arrive twice.
const REMEMBERED: usize = 8;

/// What every request must have (8.1.1), read once.
pub(super) struct Basics {
    pub method: String,
    pub call_id: String,
    pub from: NameAddr,
    pub to: NameAddr,
    pub cseq: CSeq,
    pub via: Via,
}

impl Basics {
    pub fn read(message: &Message) -> Result<Basics, ViewError> {
        let via = match message.vias()?.into_iter().next() {
            Some(via) => via,
            None => {
                return Err(ViewError {
                    header: "Via".to_owned(),
                    span: 0..0,
                    what: "the header is missing".to_owned(),
                });
            }
        };
        Ok(Basics {
            method: message.method().unwrap_or_default().to_owned(),
            call_id: message.call_id()?,
            from: message.from()?,
            to: message.to()?,
            cseq: message.cseq()?,
            via,
        })
    }

    /// Tells whether two requests are the same one: Call-ID, CSeq, From tag and top Via.
    /// The branch alone would do by 17.2.3, but real clients leave it out or repeat it.
    pub fn key(&self, method: &str) -> String {
        let sent = match self.via.branch() {
            Some(branch) => branch.to_owned(),
            None => self.via.to_string(),
        };
        format!(
            "{method} {} {} {} {sent}",
            self.cseq.seq,
            self.call_id,
            self.from.tag().unwrap_or("")
        )
    }
}

/// A request of the peer's that waits for our final answer.
#[derive(Debug)]
pub(super) struct ServerTx {
    pub id: TxId,
    pub key: String,
    pub method: String,
    pub dialog: Option<DialogId>,
    /// A 200 as [`Builder::reply`] makes it.
    template: Builder,
    /// The INVITE, for what its answer depends on.
    pub invite: Option<Box<Message>>,
}

impl ServerTx {
    pub fn new(id: TxId, basics: &Basics, template: Builder, invite: Option<Box<Message>>) -> Self {
        ServerTx {
            id,
            key: basics.key(&basics.method),
            method: basics.method.clone(),
            dialog: None,
            template,
            invite,
        }
    }

    /// The beginning of an answer.
    pub fn reply(&self, status: u16, phrase: Option<&str>) -> Builder {
        let phrase = phrase.unwrap_or_else(|| reason(status));
        let builder = self
            .template
            .clone()
            .set_start(format!("SIP/2.0 {status} {phrase}"));
        match status {
            101..300 => builder,
            _ => builder.remove("Record-Route"),
        }
    }
}

/// The server transactions of a connection.
#[derive(Debug, Default)]
pub(super) struct Served {
    pub pending: Vec<ServerTx>,
    answered: VecDeque<(String, Vec<u8>)>,
    /// INVITEs answered with a refusal whose ACK is awaited, by key.
    refused: VecDeque<String>,
}

impl Served {
    pub fn get(&self, id: TxId) -> Option<&ServerTx> {
        self.pending.iter().find(|t| t.id == id)
    }

    pub fn take(&mut self, id: TxId) -> Option<ServerTx> {
        let at = self.pending.iter().position(|t| t.id == id)?;
        Some(self.pending.remove(at))
    }

    /// The INVITE of a dialog that is not answered yet.
    pub fn invite_of(&self, dialog: DialogId) -> Option<&ServerTx> {
        self.pending
            .iter()
            .find(|t| t.dialog == Some(dialog) && t.invite.is_some())
    }

    pub fn by_key(&self, key: &str) -> Option<&ServerTx> {
        self.pending.iter().find(|t| t.key == key)
    }

    pub fn answer_of(&self, key: &str) -> Option<&[u8]> {
        self.answered
            .iter()
            .find(|(k, _)| k == key)
            .map(|(_, bytes)| bytes.as_slice())
    }

    pub fn remember(&mut self, key: String, bytes: Vec<u8>) {
        if self.answered.len() == REMEMBERED {
            self.answered.pop_front();
        }
        self.answered.push_back((key, bytes));
    }

    pub fn expect_ack(&mut self, key: String) {
        if self.refused.len() == REMEMBERED {
            self.refused.pop_front();
        }
        self.refused.push_back(key);
    }

    /// Whether an ACK with this INVITE key belongs to a refusal.
    pub fn take_refused(&mut self, key: &str) -> bool {
        match self.refused.iter().position(|k| k == key) {
            Some(at) => self.refused.remove(at).is_some(),
            None => false,
        }
    }
}

/// Our 2xx to an INVITE that waits for its ACK.
#[derive(Debug)]
pub(super) struct AwaitAck {
    pub dialog: DialogId,
    pub seq: u32,
    pub bytes: Vec<u8>,
    pub next: Duration,
    pub interval: Duration,
    pub give_up: Duration,
}

/// A request of ours that waits for its final answer.
#[derive(Debug)]
pub(super) struct ClientTx {
    pub id: RequestId,
    pub method: String,
    pub branch: String,
    pub call_id: String,
    pub seq: u32,
    pub dialog: Option<DialogId>,
    pub sent: Duration,
    /// When it has failed for want of an answer; none once an INVITE got a provisional answer.
    pub deadline: Option<Duration>,
    /// For INVITE: what CANCEL and the ACK of a refusal are made from.
    pub invite: Option<Box<InviteTx>>,
    /// Whether it is our own refresh of a session.
    pub refresh: bool,
}

/// The INVITE part of a client transaction.
#[derive(Debug)]
pub(super) struct InviteTx {
    /// The ACK of a refusal up to To: same Request-URI, Via, Route, From, Call-ID and CSeq number (17.1.1.3).
    pub ack: Builder,
    /// The CANCEL (9.1).
    pub cancel: Builder,
    /// A cancel was asked for before a provisional answer came.
    pub cancel_wanted: bool,
    pub proceeding: bool,
    /// A 2xx has come; the record stays to recognise its repetitions.
    pub accepted: bool,
}
