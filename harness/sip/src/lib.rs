//! SIP with its exact bytes: framing, transactions, dialogs and the TCP/TLS edge.

pub mod agent;
pub mod builder;
pub mod dialog;
pub mod frame;
pub mod ids;
mod message;
pub mod name;
mod note;
mod parse;
pub mod sdp;
pub mod view;

pub use agent::{Action, Agent, Config, Event};
pub use builder::{Builder, ContentLength, reason};
pub use dialog::{Dialog, DialogId, DialogState};
pub use frame::{Blank, Frame, FrameError, FrameErrorKind, Framer, KeepAlive, Limits};
pub use ids::{Ids, Seeded};
pub use message::{Header, Item, Message};
pub use note::{Note, NoteKind};
pub use parse::ParseError;
pub use view::{
    CSeq, Contact, EventType, MediaType, NameAddr, Param, Refresher, Scheme, SessionExpires, Uri,
    Via, ViewError,
};
