/*! The checked plan of a scenario: what the player walks.

Plain data. It is built by [`crate::lang`] from files and never changes; every
part that can fail keeps the place it came from.
*/

mod pattern;

use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;
use xccos::payload::Class;

use crate::lang::diag::{Source, Span};
pub use crate::lang::value::Text;
pub use pattern::*;

/// What is under test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// A chat server.
    Server,
    /// A chat client.
    Client,
    /// Either: one file for both seats.
    Both,
}

impl Target {
    /// Whether the harness can play it from this seat.
    pub fn playable_from(self, harness: trace::Seat) -> bool {
        match self {
            Target::Both => true,
            Target::Server => harness == trace::Seat::Client,
            Target::Client => harness == trace::Seat::Server,
        }
    }
}

/// A scenario, ready to be played.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// `server/join/bjoin-two-rooms`.
    pub id: String,
    /// Its file.
    pub source: Arc<Source>,
    /// First line of its title.
    pub line: u32,
    /// One line.
    pub title: String,
    /// More words.
    pub about: String,
    /// Words to select by.
    pub tags: Vec<String>,
    /// Sections of the specification.
    pub sections: Vec<String>,
    /// What is under test.
    pub target: Target,
    /// Requirements it sets out to decide, globs as written.
    pub covers: Vec<String>,
    /// Requirements its steps can decide.
    pub decides: Vec<String>,
    /// What of the target it uses.
    pub needs: Needs,
    /// Endpoint → user.
    pub endpoints: IndexMap<String, String>,
    /// Longest it may take.
    pub timeout: Duration,
    /// What happens.
    pub steps: Vec<Step>,
}

/// What a scenario uses of a target.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    /// Users by the scenario's names.
    pub users: Vec<String>,
    /// Users whom the server does not serve, by the scenario's names.
    pub disabled: Vec<String>,
    /// Rooms by the scenario's names.
    pub rooms: IndexMap<String, RoomNeed>,
    /// Categories.
    pub categories: Vec<String>,
    /// Capabilities.
    pub capabilities: Vec<String>,
}

/// What has to be true of a room; users by the scenario's names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoomNeed {
    /// They are members.
    pub members: Vec<String>,
    /// They are nothing.
    pub strangers: Vec<String>,
    /// They are managers.
    pub managers: Vec<String>,
    /// They are not.
    pub not_managers: Vec<String>,
    /// They are presenters.
    pub presenters: Vec<String>,
    /// They are not.
    pub not_presenters: Vec<String>,
    /// Kind of room.
    pub behavior: Option<String>,
    /// Who can find it.
    pub visibility: Option<String>,
    /// Whether it is disabled.
    pub disabled: bool,
    /// New members have to be invited.
    pub invite: bool,
}

/// One action with its place.
#[derive(Debug, Clone)]
pub struct Step {
    /// Its file (a template's steps come from the template).
    pub source: Arc<Source>,
    /// Where it stands.
    pub span: Span,
    /// All of these have to hold, or it is left out.
    pub when: Vec<When>,
    /// What to do.
    pub action: Action,
}

/// When a step is played.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum When {
    /// The target has a capability, or has not.
    Capability(String, bool),
    /// A name has a value, or has none.
    Known(String, bool),
    /// An implementation of this seat is under test, or is not.
    Target(trace::Seat, bool),
}

/// What a step does.
#[derive(Debug, Clone)]
pub enum Action {
    /// Gives names to values.
    Let(Vec<(String, Text)>),
    /// Opens connections.
    Connect(Vec<String>),
    /// REGISTER.
    Register {
        /// Endpoints.
        from: Vec<String>,
        /// Seconds.
        expires: u32,
        /// Status to expect.
        status: Number,
        /// Requirements the answer decides.
        decides: Vec<String>,
    },
    /// INVITE.
    Dial {
        /// Endpoints.
        from: Vec<String>,
        /// Where to.
        to: DialTo,
        /// Status to expect.
        status: Number,
        /// How long it may take.
        within: Duration,
        /// Requirements the answer decides.
        decides: Vec<String>,
        /// Name for the status.
        save: Option<String>,
    },
    /// BYE.
    HangUp {
        /// Endpoints.
        from: Vec<String>,
        /// Status to expect.
        status: Number,
        /// Requirements the answer decides.
        decides: Vec<String>,
    },
    /// Closes connections.
    Drop(Vec<String>),
    /// Sends a message.
    Send(Box<Send>),
    /// Waits for messages.
    Expect(Vec<Expect>),
    /// Watches that nothing arrives.
    Never(Box<Never>),
    /// Steps whose failure makes the scenario inconclusive.
    Sanity(Vec<Step>),
    /// Steps to play in the end, however the scenario ends; nothing is concluded from them.
    After(Arc<Vec<Step>>),
    /// Makes connections bad.
    Fault(Fault),
    /// Overrides the harness's server.
    Serve(Box<Serve>),
    /// Lets go what is held.
    Release(String),
    /// The user of a client under test acts.
    Do(Do),
    /// The client tells its user.
    Answered(Box<Answered>),
    /// A remark.
    Note(Text),
}

/// Where an INVITE goes.
#[derive(Debug, Clone)]
pub enum DialTo {
    /// The target's lookup URI.
    Lookup,
    /// The chat server's URI: known of the target, or found by the scenario's lookup.
    Server,
    /// This URI.
    Uri(Text),
}

/// A message to send.
#[derive(Debug, Clone)]
pub struct Send {
    /// Endpoint whose connection it goes over.
    pub endpoint: String,
    /// What is in it.
    pub content: Content,
    /// Envelope number, instead of the next one.
    pub envid: Option<Text>,
    /// Further attributes of the envelope.
    pub envelope_attributes: Vec<(String, Option<Text>)>,
    /// Header changes; none takes one away.
    pub headers: Vec<(String, Option<Text>)>,
    /// Size of the pieces it is written in.
    pub fragment: Option<usize>,
    /// How often.
    pub times: u32,
    /// How it is wrong on purpose.
    pub invalid: Option<String>,
    /// Its name.
    pub name: Option<String>,
}

/// What a message holds.
#[derive(Debug, Clone)]
pub enum Content {
    /// Primitives in an envelope.
    Primitives(Vec<Primitive>),
    /// The inside of an envelope as text.
    Xml(Text),
    /// The whole body as text.
    Body(Text),
    /// A SIP request by its parts.
    Sip {
        /// Method.
        method: String,
        /// Inside the dialog.
        dialog: bool,
        /// Request-URI.
        uri: Option<Text>,
        /// Body.
        body: Option<Text>,
    },
    /// A whole SIP message as text.
    RawSip(Text),
    /// Bytes.
    Bytes(Vec<u8>),
}

/// A primitive to send.
#[derive(Debug, Clone)]
pub struct Primitive {
    /// What.
    pub content: PrimitiveContent,
    /// Its name.
    pub name: Option<String>,
}

/// The two ways to write a primitive.
#[derive(Debug, Clone)]
pub enum PrimitiveContent {
    /// As an element; `id` and `seqid` are added when they are not given.
    Element {
        /// Kind.
        class: Class,
        /// Its `id`.
        id: String,
        /// The rest.
        element: Build,
    },
    /// As text.
    Xml(Text),
}

/// An element to build.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Build {
    /// Attributes; none leaves out one that would be added.
    pub attrs: Vec<(String, Option<Text>)>,
    /// Children, in order.
    pub children: Vec<(String, Build)>,
    /// Text.
    pub text: Option<Text>,
}

/// A message that must not come.
#[derive(Debug, Clone)]
pub struct Never {
    /// Endpoints.
    pub at: Vec<String>,
    /// How long.
    pub window: Duration,
    /// What.
    pub what: What,
    /// Named message it would answer.
    pub answers: Option<String>,
    /// Looks back to this named message.
    pub since: Option<String>,
    /// Requirements it decides.
    pub decides: Vec<String>,
    /// Why.
    pub reason: Option<String>,
}

/// What a connection does from here on.
#[derive(Debug, Clone)]
pub struct Fault {
    /// Endpoints.
    pub at: Vec<String>,
    /// Each message later.
    pub delay: Option<Duration>,
    /// In pieces.
    pub fragment: Option<usize>,
    /// No automatic answers.
    pub mute: Option<bool>,
    /// Hold what is sent.
    pub hold: Option<bool>,
    /// What the network does from here on; empty ends it.
    pub network: Option<Vec<sip::net::fault::Fault>>,
}

/// An override of the harness's server.
#[derive(Debug, Clone)]
pub struct Serve {
    /// Its number among the scenario's steps.
    pub order: usize,
    /// Endpoints.
    pub at: Vec<String>,
    /// Which requests.
    pub what: What,
    /// How many; none: all.
    pub times: Option<u32>,
    /// What to do.
    pub effect: Effect,
    /// How it is wrong on purpose.
    pub invalid: Option<String>,
    /// Name for the request.
    pub name: Option<String>,
}

/// What an override does.
#[derive(Debug, Clone, Default)]
pub struct Effect {
    /// Holds the replies under this name.
    pub hold: Option<String>,
    /// Replies later.
    pub delay: Option<Duration>,
    /// No replies.
    pub drop: bool,
    /// Not even a SIP answer.
    pub mute: bool,
    /// Replies twice.
    pub twice: bool,
    /// SIP status instead of 200.
    pub status: Option<u16>,
    /// Headers for the SIP answer.
    pub headers: Vec<(String, Option<Text>)>,
    /// BYE.
    pub bye: bool,
    /// Close.
    pub close: bool,
    /// Path → value.
    pub edit: Vec<(String, Option<Text>)>,
    /// Other replies.
    pub reply: Option<Vec<Primitive>>,
    /// Another body.
    pub body: Option<Text>,
    /// First these.
    pub before: Vec<Primitive>,
}

/// An action at the upper tester.
#[derive(Debug, Clone)]
pub struct Do {
    /// Endpoint.
    pub at: String,
    /// Action.
    pub action: String,
    /// Arguments.
    pub arguments: Json,
    /// Its name.
    pub name: Option<String>,
    /// Waits so long for the answer.
    pub within: Option<Duration>,
}

/// JSON to build.
#[derive(Debug, Clone)]
pub enum Json {
    /// null.
    Null,
    /// A scalar; numbers and truth values by the way they are written.
    Value(Text),
    /// An array.
    List(Vec<Json>),
    /// An object.
    Map(Vec<(String, Json)>),
}

/// JSON to recognise.
#[derive(Debug, Clone)]
pub enum JsonPattern {
    /// null.
    Null,
    /// A test of a scalar, or of presence.
    Test(Test),
    /// Each fits another item.
    List(Vec<JsonPattern>),
    /// Each key fits.
    Map(Vec<(String, JsonPattern)>),
}

/// What a client tells its user.
#[derive(Debug, Clone)]
pub struct Answered {
    /// Named action.
    pub to: String,
    /// How long it may take.
    pub within: Duration,
    /// Went well.
    pub ok: Option<bool>,
    /// Error.
    pub error: Option<JsonPattern>,
    /// Result.
    pub result: Option<JsonPattern>,
    /// Does not answer for so long.
    pub never: Option<Duration>,
    /// Requirements it decides.
    pub decides: Vec<String>,
    /// Further looks.
    pub checks: Vec<AnswerCheck>,
    /// Why.
    pub reason: Option<String>,
}

/// A further look at an answer.
#[derive(Debug, Clone)]
pub struct AnswerCheck {
    /// Requirements it decides.
    pub decides: Vec<String>,
    /// Result.
    pub result: Option<JsonPattern>,
    /// Error.
    pub error: Option<JsonPattern>,
    /// What it is about.
    pub reason: Option<String>,
}
