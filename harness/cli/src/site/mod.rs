/*! Where scenarios are played: a real target, or a peer of our own.

Glue between the engine's [`scenario::engine::Site`] and the connections of
`sip::net` and the peers of `peer`; one scenario gets one stage.
*/

mod adapter;
mod host;
mod own;
mod remote;

pub use adapter::Adapter;
pub use own::{OwnClient, OwnServer};
pub use remote::Remote;

use scenario::play::link::{Later, Link, LinkError};
use sip::net::{NetError, Opened};

/// A connection opened as client, as the player wants it.
fn link(opened: Opened) -> Link {
    Link {
        stream: Box::new(opened.stream),
        control: opened.control,
        transport: opened.info.transport,
        client: opened.info.local,
        server: opened.info.peer,
    }
}

/// What went wrong, in one sentence with what to do about it.
pub fn words(error: &NetError) -> String {
    let mut text = format!("{}: {}", error.subject, error.what);
    if let Some(hint) = error.hint {
        text.push_str(&format!(" ({hint})"));
    }
    text
}

/// A connector of `sip::net` as the player's.
struct Outward(sip::net::Connector);

impl scenario::play::link::Connector for Outward {
    fn connect(&self) -> Later<'_, Result<Link, LinkError>> {
        Box::pin(async move {
            match self.0.open().await {
                Ok(opened) => Ok(link(opened)),
                Err(error) => Err(LinkError(words(&error))),
            }
        })
    }
}
