/*! What an agent wants done and what it tells. */

use std::time::Duration;

use crate::dialog::DialogId;
use crate::frame::FrameError;
use crate::message::Message;

/// Something the caller has to do, in the order given.
#[derive(Debug, Clone)]
pub enum Action {
    /// Write these bytes to the connection: one whole message or a keep-alive.
    Send(Vec<u8>),
    /// Take note.
    Event(Event),
    /// Close the connection: the stream is beyond reading.
    Close(String),
}

/// A request of ours, from sending to its final answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RequestId(pub(crate) u64);

/// A request of the peer's that can be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TxId(pub(crate) u64);

/// What happened on a connection.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Event {
    /// The peer registered (`expires` seconds granted; 0 for signing out). Answered 200.
    Registered {
        /// The REGISTER.
        request: Message,
        /// Seconds granted.
        expires: u32,
    },
    /// The peer asked for an event package. Answered.
    Subscribed {
        /// The SUBSCRIBE.
        request: Message,
        /// The package.
        package: String,
        /// The status it was answered with.
        status: u16,
    },
    /// The peer invites. Call `Agent::accept` or `Agent::reject`.
    Invited {
        /// The dialog that begins.
        dialog: DialogId,
        /// The transaction, for answers made by hand.
        tx: TxId,
        /// The INVITE.
        request: Message,
    },
    /// The ACK came: the dialog we accepted is confirmed. (Told once; re-INVITEs end in `Refreshed`.)
    Confirmed {
        /// The dialog.
        dialog: DialogId,
    },
    /// The peer withdrew its INVITE, which is answered 487; `Ended` follows.
    Cancelled {
        /// The dialog that will not be.
        dialog: DialogId,
    },
    /// An INFO inside a dialog.
    Info {
        /// The dialog.
        dialog: DialogId,
        /// The transaction, to answer it.
        tx: TxId,
        /// The status it was answered with; none while the answer is up to the upper layer.
        answered: Option<u16>,
        /// The INFO with its body.
        request: Message,
    },
    /// Any other request, in a dialog or outside.
    Request {
        /// The dialog, when in one.
        dialog: Option<DialogId>,
        /// The transaction, to answer it.
        tx: TxId,
        /// The status it was answered with; none while the answer is up to the upper layer.
        answered: Option<u16>,
        /// The request.
        request: Message,
    },
    /// The peer refreshed the session with UPDATE or re-INVITE, and was answered 200.
    Refreshed {
        /// The dialog.
        dialog: DialogId,
        /// The refresh.
        request: Message,
    },
    /// A provisional answer came.
    Progress {
        /// To which request.
        request: RequestId,
        /// Its dialog, when in one.
        dialog: Option<DialogId>,
        /// The answer.
        response: Message,
    },
    /// The final answer came, to whatever request.
    Answered {
        /// To which request.
        request: RequestId,
        /// The method of that request.
        method: String,
        /// Its dialog, when in one.
        dialog: Option<DialogId>,
        /// The answer.
        response: Message,
    },
    /// Our INVITE was accepted and the ACK sent: the dialog is confirmed. Follows `Answered`.
    Established {
        /// The dialog.
        dialog: DialogId,
    },
    /// No answer came in time.
    Unanswered {
        /// To which request.
        request: RequestId,
        /// The method of that request.
        method: String,
        /// Its dialog, when in one. The dialog stays.
        dialog: Option<DialogId>,
        /// How long was waited.
        after: Duration,
    },
    /// A dialog is over.
    Ended {
        /// Which.
        dialog: DialogId,
        /// Why.
        why: Ended,
    },
    /// The peer did something the agent tolerates or cannot place.
    Remark(Remark),
    /// The peer asked for a sign of life and got it.
    Ping,
    /// The peer answered our ping.
    Pong,
    /// The stream is beyond reading; `Action::Close` follows.
    Broken(FrameError),
}

/// Why a dialog is over.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ended {
    /// The peer sent BYE.
    ByPeer,
    /// We sent BYE.
    ByUs,
    /// The INVITE was refused with this status, by whichever side.
    Refused(u16),
    /// The INVITE got no answer.
    NoAnswer,
    /// Our 2xx got no ACK; a BYE was sent (RFC 3261 13.3.1.4).
    NoAck,
    /// The peer knows the dialog no more: it answered a request of ours with this status (12.2.1.2).
    Forgotten(u16),
    /// Nobody refreshed the session in time; a BYE was sent (RFC 4028 10).
    Expired,
    /// The connection is gone.
    Disconnected,
}

/// Something tolerated, or that fits nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// A stable kebab-case code: a [`crate::NoteKind`] code or one of those the agent's documentation lists.
    pub code: &'static str,
    /// What happened, as a sentence without full stop.
    pub text: String,
    /// The byte of the message it is about, when it is about one.
    pub offset: Option<usize>,
    /// Whether the peer broke RFC 3261 by it.
    pub violation: bool,
}
