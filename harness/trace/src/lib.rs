/*! The append-only record of what crossed the wire.

A [`Trace`] is all that the judge ever sees. It takes events from whoever
watches a connection (the player, the mock, the proxy, a reader of somebody's
log) and gives them back in order. It knows no verdicts: whether a message was
right is not written here, only that it was sent, when, by which seat, and its
exact bytes.
*/

pub mod canon;
mod event;
pub mod ndjson;
pub mod read;
pub mod snapshot;

pub use event::{CAPTURE, Conn, Event, Intent, Kind, LOG, Micros, PARTIAL_CAPTURE, Seat, Trace};
