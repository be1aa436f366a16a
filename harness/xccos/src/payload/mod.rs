/*! XCCOS documents as owned trees with positions.

Takes the body of an INFO, gives an [`Envelope`] whose elements remember where
they stood; or takes a tree built in code and writes it as bytes. It refuses
what is no well-formed XML document and what nests too deeply, and it judges
nothing: an envelope that breaks the schema is still an envelope here.
*/

mod element;
mod envelope;
mod write;

pub use element::{Attr, Element, Node};
pub use envelope::{CHAT_NS, Class, Envelope, MsgId, PayloadError, Primitive};
