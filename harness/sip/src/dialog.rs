/*! Dialogs (RFC 3261 12), seen from one side.

Holds what a dialog is made of and how requests inside it are addressed. Takes
the messages that create or refresh it; sends nothing itself.
*/

use std::time::Duration;

use crate::builder::Builder;
use crate::message::Message;
use crate::view::{NameAddr, Uri};

/// An agent's own number for a dialog, from the first INVITE on; never used twice by one agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DialogId(pub(crate) u64);

impl std::fmt::Display for DialogId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "dialog {}", self.0)
    }
}

/// How far a dialog has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DialogState {
    /// The INVITE is on its way; no answer with a tag has come or gone yet.
    Inviting,
    /// A provisional answer with a tag has come or gone.
    Early,
    /// We sent a 2xx; the ACK is awaited.
    Accepted,
    /// 2xx and ACK have been exchanged.
    Confirmed,
}

/// Bookkeeping of a session timer (RFC 4028).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Session {
    /// The agreed interval.
    pub interval: Duration,
    /// Whether refreshing is our task.
    pub ours: bool,
    /// When the interval last began.
    pub since: Duration,
}

impl Session {
    /// When something is due: our refresh at half of the interval, or the end of a
    /// session the peer should have refreshed (10: a third before the end, at most 32 s).
    pub fn due(&self) -> Duration {
        if self.ours {
            self.since + self.interval / 2
        } else {
            self.since + self.interval - (self.interval / 3).min(Duration::from_secs(32))
        }
    }
}

/// One dialog.
#[derive(Debug, Clone)]
pub struct Dialog {
    pub(crate) id: DialogId,
    pub(crate) call_id: String,
    /// Our address with our tag.
    pub(crate) local: NameAddr,
    /// The peer's address, with its tag once known.
    pub(crate) remote: NameAddr,
    pub(crate) local_seq: u32,
    pub(crate) remote_seq: Option<u32>,
    pub(crate) route_set: Vec<NameAddr>,
    pub(crate) target: Uri,
    pub(crate) state: DialogState,
    pub(crate) ours: bool,
    pub(crate) invite_seq: u32,
    pub(crate) session: Option<Session>,
    /// Our half of the session description, repeated in answers to refreshes.
    pub(crate) description: Option<Vec<u8>>,
    /// The ACK we sent for the last 2xx, for when the 2xx comes again.
    pub(crate) ack: Option<Vec<u8>>,
    /// Whether the peer's Allow names UPDATE, so that it may be sent (RFC 3311 4).
    pub(crate) peer_update: bool,
    /// Whether the peer said that it knows session timers.
    pub(crate) peer_timer: bool,
}

impl Dialog {
    /// The agent's number for it.
    pub fn id(&self) -> DialogId {
        self.id
    }

    /// The Call-ID.
    pub fn call_id(&self) -> &str {
        &self.call_id
    }

    /// Our tag: in From of what we send, in To of what we get.
    pub fn local_tag(&self) -> &str {
        self.local.tag().unwrap_or("")
    }

    /// The peer's tag, once it gave one.
    pub fn remote_tag(&self) -> Option<&str> {
        self.remote.tag()
    }

    /// Our address: the URI that was INVITEd when the peer invited us.
    pub fn local_uri(&self) -> &Uri {
        &self.local.uri
    }

    /// The peer's address as in From and To.
    pub fn remote_uri(&self) -> &Uri {
        &self.remote.uri
    }

    /// The peer's address with display name and parameters (`epid`).
    pub fn remote(&self) -> &NameAddr {
        &self.remote
    }

    /// The CSeq number of our last request.
    pub fn local_seq(&self) -> u32 {
        self.local_seq
    }

    /// The CSeq number of the peer's last request.
    pub fn remote_seq(&self) -> Option<u32> {
        self.remote_seq
    }

    /// The proxies our requests pass, first one first.
    pub fn route_set(&self) -> &[NameAddr] {
        &self.route_set
    }

    /// Where our requests go: the peer's last Contact.
    pub fn target(&self) -> &Uri {
        &self.target
    }

    /// How far it has come.
    pub fn state(&self) -> DialogState {
        self.state
    }

    /// Whether 2xx and ACK have been exchanged.
    pub fn is_confirmed(&self) -> bool {
        self.state == DialogState::Confirmed
    }

    /// Whether we sent the INVITE.
    pub fn is_ours(&self) -> bool {
        self.ours
    }

    /// The session timer, when one was agreed.
    pub fn session(&self) -> Option<&Session> {
        self.session.as_ref()
    }

    /// Takes tag, route set and target from the response that creates the dialog on the inviting side (12.1.2).
    pub(crate) fn learn(&mut self, response: &Message) {
        if let Ok(to) = response.to() {
            self.remote = to;
        }
        if let Ok(mut routes) = response.record_routes() {
            routes.reverse();
            self.route_set = routes;
        }
        self.retarget(response);
    }

    /// Takes what a message of the peer's says about what it can do.
    pub(crate) fn learn_abilities(&mut self, message: &Message) {
        self.peer_timer |= message.header("Session-Expires").is_some()
            || message.lists("Supported", "timer")
            || message.lists("Require", "timer");
        if message.header("Allow").is_some() {
            self.peer_update = message.lists("Allow", "UPDATE");
        }
    }

    /// When something is due for the session timer; nothing when there is none, or when it is ours
    /// to refresh but the peer knows neither UPDATE nor timers. A re-INVITE would be the way left,
    /// and a widespread client takes one for a new conversation and hangs up the old.
    pub(crate) fn session_due(&self) -> Option<Duration> {
        let session = self
            .session
            .filter(|_| self.state == DialogState::Confirmed)?;
        let refreshable = self.peer_update || self.peer_timer;
        (refreshable || !session.ours).then(|| session.due())
    }

    /// Takes a new target from a message that refreshes it (12.2.1.2, 12.2.2).
    pub(crate) fn retarget(&mut self, message: &Message) {
        if let Ok(Some(contact)) = message.contact() {
            self.target = contact.uri;
        }
    }

    /// A request inside the dialog, addressed as 12.2.1.1 says, up to CSeq and Route.
    pub(crate) fn request(&self, method: &str, seq: u32, via: &str) -> Builder {
        let loose = self
            .route_set
            .first()
            .is_none_or(|first| first.uri.param("lr").is_some());
        let (uri, routes): (Uri, Vec<String>) = if loose {
            (
                self.target.clone(),
                self.route_set.iter().map(bracketed).collect(),
            )
        } else {
            // A strict router: it takes the Request-URI for itself, so the target goes last.
            let mut uri = self.route_set[0].uri.clone();
            uri.headers.clear();
            uri.params
                .retain(|p| !p.name.eq_ignore_ascii_case("method"));
            let mut routes: Vec<String> = self.route_set[1..].iter().map(bracketed).collect();
            routes.push(format!("<{}>", self.target));
            (uri, routes)
        };
        let mut uri = uri;
        uri.headers.clear();
        let mut builder = Builder::request(method, &uri.to_string())
            .header("Via", via)
            .header("Max-Forwards", "70");
        for route in routes {
            builder = builder.header("Route", route);
        }
        builder
            .header("From", self.local.to_string())
            .header("To", self.remote.to_string())
            .header("Call-ID", &self.call_id)
            .header("CSeq", format!("{seq} {method}"))
    }
}

fn bracketed(address: &NameAddr) -> String {
    address.to_string()
}
