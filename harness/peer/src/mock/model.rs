/*! What stands behind the hub: whoever says what a chat server says.

The chat server model of `xccos` is one; a scenario in the server seat can put
itself in front of it to hold, replace or add messages. A model takes sessions
(one a SIP dialog) and payloads, gives [`Effect`]s, and never waits.
*/

use std::time::Duration;

use trace::Conn;
use xccos::time::Now;

/// One dialog with one endpoint, numbered by the hub, never used twice.
pub type Session = u64;

/// One INFO that is not answered yet.
pub type InfoId = u64;

/// Who calls whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// On which connection.
    pub conn: Conn,
    /// URI in From, `sip:user@host`, as written, without parameters.
    pub user: String,
    /// Display name in From.
    pub name: Option<String>,
    /// Endpoint identifier in From.
    pub epid: Option<String>,
    /// The Request-URI in the same form.
    pub request_uri: String,
    /// URI in To in the same form.
    pub to: String,
}

/// What a model wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Send this payload by INFO.
    Send {
        /// To which endpoint.
        session: Session,
        /// The document, as it goes out.
        body: Vec<u8>,
    },
    /// End the dialog with BYE.
    HangUp {
        /// Which.
        session: Session,
    },
    /// Answer an INFO that was left for later.
    Answer {
        /// Which.
        info: InfoId,
        /// SIP status.
        status: u16,
    },
}

/// What becomes of an INFO.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It is answered at once, before any effect.
    Answered(u16),
    /// [`Effect::Answer`] will follow.
    Later,
}

/// See the module.
pub trait Model: Send {
    /// Somebody invites; refusing takes a SIP status of 300 or more.
    fn invited(&mut self, now: Now, session: Session, call: &Call) -> Result<(), u16>;

    /// The session's dialog is confirmed.
    fn up(&mut self, now: Now, session: Session, out: &mut Vec<Effect>);

    /// An INFO arrived in a session.
    fn payload(
        &mut self,
        now: Now,
        session: Session,
        info: InfoId,
        body: &[u8],
        out: &mut Vec<Effect>,
    ) -> Taken;

    /// An INFO of ours was refused with this status, or never answered.
    fn undelivered(
        &mut self,
        now: Now,
        session: Session,
        status: Option<u16>,
        out: &mut Vec<Effect>,
    );

    /// A session is over, for whatever reason.
    fn down(&mut self, now: Now, session: Session, out: &mut Vec<Effect>);

    /// When something is due though nothing arrives.
    fn deadline(&self) -> Option<Duration>;

    /// Does what is due.
    fn tick(&mut self, now: Now, out: &mut Vec<Effect>);

    /// The model itself, for those who know which it is.
    fn as_any(&mut self) -> &mut dyn std::any::Any;
}
