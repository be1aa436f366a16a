//! SIP with its exact bytes: framing, transactions, dialogs and the TCP/TLS edge.

pub mod builder;
pub mod frame;
mod message;
pub mod name;
mod note;
mod parse;
pub mod view;

pub use builder::{Builder, ContentLength, reason};
pub use frame::{Blank, Frame, FrameError, FrameErrorKind, Framer, KeepAlive, Limits};
pub use message::{Header, Item, Message};
pub use note::{Note, NoteKind};
pub use parse::ParseError;
pub use view::{
    CSeq, Contact, EventType, MediaType, NameAddr, Param, Refresher, Scheme, SessionExpires, Uri,
    Via, ViewError,
};
