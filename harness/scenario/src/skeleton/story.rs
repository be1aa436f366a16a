/*! What a recording tells: who did what, and what came of it.

Takes the events of a session between chat clients and a server; gives beats,
each something a client did with everything that arrived before the next. A
reply stands with the command it answers, wherever it was recorded. Lookups and
the first question for server information are left to the templates that do
them.
*/

use std::collections::{BTreeMap, HashMap, HashSet};

use sip::Message;
use trace::{Conn, Event, Kind, Seat};
use xccos::payload::{Class, Element, Envelope, MsgId, Primitive};

/// Something a client did.
#[derive(Debug, Clone)]
pub enum Act {
    /// Connected and found the chat server.
    Open,
    /// Called the chat server again.
    Dial,
    /// Said BYE.
    HangUp,
    /// Closed the connection without a word.
    Drop,
    /// Sent primitives.
    Say(Vec<Said>),
    /// Sent a body that is none of the protocol's documents.
    Body(String, String),
}

/// A primitive that was sent, and its name in the scenario.
#[derive(Debug, Clone)]
pub struct Said {
    pub element: Element,
    pub name: String,
}

/// Something that arrived.
#[derive(Debug, Clone)]
pub struct Came {
    pub endpoint: String,
    /// The name of what it answers.
    pub answers: Option<String>,
    pub what: What,
}

/// What arrived.
#[derive(Debug, Clone)]
pub enum What {
    Primitive(Element),
    Status(u16),
}

/// An act and what came of it.
#[derive(Debug, Clone)]
pub struct Beat {
    pub endpoint: String,
    pub act: Act,
    /// Requirements the act broke.
    pub breaks: Vec<String>,
    pub came: Vec<Came>,
}

/// The whole session.
#[derive(Debug, Default)]
pub struct Story {
    pub beats: Vec<Beat>,
    /// Endpoint → user URI.
    pub endpoints: BTreeMap<String, String>,
    /// What could not be told, each once.
    pub left_out: Vec<String>,
}

/// A SIP dialog.
struct Call {
    user: String,
    lookup: bool,
    /// Whether the INVITE was accepted; none until it was answered.
    accepted: Option<bool>,
    up: bool,
}

type CallId = (Conn, String);

#[derive(Default)]
struct Teller {
    story: Story,
    calls: HashMap<CallId, Call>,
    /// The endpoint of a connection.
    names: HashMap<Conn, String>,
    /// How often a name was given.
    given: HashMap<String, u32>,
    /// Beat and name of each primitive and each INFO that was sent; none for what templates do.
    sent: HashMap<(Conn, MsgId), Option<(usize, String)>>,
    infos: HashMap<(CallId, u32), Option<(usize, String)>>,
    informed: HashSet<CallId>,
}

/// Tells the story; `breaks` says which requirements the client broke with an event.
pub fn tell(events: &[Event], breaks: &HashMap<u64, Vec<String>>) -> Story {
    let mut teller = Teller::default();
    let lookups = lookups(events);
    for event in events {
        match &event.kind {
            Kind::Message { from, bytes, .. } => {
                let Ok(message) = Message::parse(bytes.clone()) else {
                    continue;
                };
                let call = (event.conn, message.call_id().unwrap_or_default().to_owned());
                match (from, message.method()) {
                    (Seat::Client, Some(method)) => {
                        let broken = breaks.get(&event.seq).cloned().unwrap_or_default();
                        let lookup = lookups.contains(&call);
                        teller.asked(call, method, &message, lookup, broken);
                    }
                    (Seat::Server, Some(method)) => teller.told(call, method, &message),
                    (Seat::Server, None) => teller.answered(call, &message),
                    (Seat::Client, None) => {}
                }
            }
            Kind::Closed { by, .. } if *by != Some(Seat::Server) => teller.gone(event.conn),
            Kind::Garbage {
                from: Seat::Client, ..
            } => {
                teller.left_out("bytes that are no SIP");
            }
            _ => {}
        }
    }
    teller.story
}

/// The dialogs that only asked where the chat server is.
fn lookups(events: &[Event]) -> HashSet<CallId> {
    let mut asked: HashMap<CallId, bool> = HashMap::new();
    for event in events {
        if let Kind::Message {
            from: Seat::Client,
            bytes,
            ..
        } = &event.kind
            && let Ok(message) = Message::parse(bytes.clone())
            && message.method() == Some("INFO")
            && let Ok(envelope) = Envelope::parse(message.body())
        {
            let call = (event.conn, message.call_id().unwrap_or_default().to_owned());
            let only = envelope
                .primitives()
                .all(|p| matches!(p.id(), "cmd:requri" | "cmd:requi"));
            *asked.entry(call).or_insert(true) &= only;
        }
    }
    asked
        .into_iter()
        .filter_map(|(call, lookup)| lookup.then_some(call))
        .collect()
}

/// Whether a document can be told by its primitives: one that is right, or has only one that is not.
fn is_tellable(envelope: &Envelope, right: bool) -> bool {
    let count = envelope.primitives().count();
    let proper = envelope.is_xccos() && envelope.envid().is_some() && count > 0;
    proper && (right || count == 1) && envelope.primitives().all(|p| id(p).is_some())
}

fn id(primitive: Primitive<'_>) -> Option<MsgId> {
    primitive.msg_id()
}

impl Teller {
    /// A request of a client.
    fn asked(
        &mut self,
        call: CallId,
        method: &str,
        message: &Message,
        lookup: bool,
        breaks: Vec<String>,
    ) {
        match method {
            "INVITE" => {
                let user = message
                    .from()
                    .map_or_else(|_| String::new(), |f| format!("sip:{}", f.uri.address()));
                self.calls.entry(call).or_insert(Call {
                    user,
                    lookup,
                    accepted: None,
                    up: false,
                });
            }
            "ACK" => {
                let Some(dialog) = self.calls.get_mut(&call) else {
                    return;
                };
                if dialog.lookup || dialog.up || dialog.accepted != Some(true) {
                    return;
                }
                dialog.up = true;
                let user = dialog.user.clone();
                let again = self.names.contains_key(&call.0);
                let endpoint = self.endpoint(call.0, &user);
                let act = if again { Act::Dial } else { Act::Open };
                self.beat(endpoint, act, Vec::new());
            }
            "INFO" => self.said(call, message, breaks),
            "BYE" => {
                if let Some(dialog) = self.calls.get_mut(&call)
                    && std::mem::take(&mut dialog.up)
                    && let Some(endpoint) = self.names.get(&call.0).cloned()
                {
                    self.beat(endpoint, Act::HangUp, breaks);
                }
            }
            "REGISTER" => {}
            other => self.left_out(&format!("{other} requests")),
        }
    }

    fn said(&mut self, call: CallId, message: &Message, breaks: Vec<String>) {
        let Some(endpoint) = self.names.get(&call.0).cloned() else {
            return;
        };
        let Some(dialog) = self.calls.get(&call).filter(|d| d.up) else {
            return self.left_out("messages outside a dialog with the chat server");
        };
        let transaction = (call.clone(), message.cseq().map_or(0, |c| c.seq));
        if dialog.lookup {
            return;
        }
        let envelope = match Envelope::parse(message.body()) {
            Ok(envelope) if is_tellable(&envelope, breaks.is_empty()) => envelope,
            document => {
                let Ok(body) = std::str::from_utf8(message.body()) else {
                    return self.left_out("bodies that are no text");
                };
                let name = self.name(&endpoint, "body");
                let beat = self.beat(endpoint, Act::Body(name.clone(), body.to_owned()), breaks);
                for id in document
                    .iter()
                    .flat_map(Envelope::primitives)
                    .filter_map(id)
                {
                    self.sent.insert((call.0, id), Some((beat, name.clone())));
                }
                self.infos.insert(transaction, Some((beat, name)));
                return;
            }
        };
        let ids: Vec<&str> = envelope.primitives().map(|p| p.id()).collect();
        if ids == ["cmd:getserverinfo"] && breaks.is_empty() && self.informed.insert(call.clone()) {
            for primitive in envelope.primitives() {
                if let Some(id) = primitive.msg_id() {
                    self.sent.insert((call.0, id), None);
                }
            }
            self.infos.insert(transaction, None);
            return;
        }
        let beat = self.story.beats.len();
        let mut said = Vec::new();
        for primitive in envelope.primitives() {
            let word = match primitive.class {
                Class::Grpchat => "chat",
                _ => primitive.id().split(':').next_back().unwrap_or("message"),
            };
            let name = self.name(&endpoint, word);
            if let Some(id) = primitive.msg_id() {
                self.sent.insert((call.0, id), Some((beat, name.clone())));
            }
            said.push(Said {
                element: primitive.element.clone(),
                name,
            });
        }
        let first = said.first().map(|s| (beat, s.name.clone()));
        self.infos.insert(transaction, first);
        self.beat(endpoint, Act::Say(said), breaks);
    }

    /// A request of the server.
    fn told(&mut self, call: CallId, method: &str, message: &Message) {
        let Some(endpoint) = self.names.get(&call.0).cloned() else {
            return;
        };
        match method {
            "BYE" => {
                // Why a server hangs up, a recording does not tell; at the end it merely stops.
                if let Some(dialog) = self.calls.get_mut(&call) {
                    dialog.up = false;
                }
                self.left_out("BYE of the server");
            }
            // What crossed the client's own BYE may come or not.
            "INFO" if !self.calls.get(&call).is_some_and(|d| d.up) => {}
            "INFO" => {
                let Ok(envelope) = Envelope::parse(message.body()) else {
                    return self.left_out("messages of the server that are no XML");
                };
                for primitive in envelope.primitives() {
                    let of = match primitive.class {
                        Class::Grpchat => "originatingMessageId",
                        _ => "commandid",
                    };
                    let id = primitive.element.first(of).and_then(MsgId::read);
                    let what = What::Primitive(primitive.element.clone());
                    match id.and_then(|id| self.sent.get(&(call.0, id)).cloned()) {
                        Some(None) => {}
                        Some(Some((beat, name))) => {
                            self.came(Some(beat), endpoint.clone(), Some(name), what);
                        }
                        None => self.came(None, endpoint.clone(), None, what),
                    }
                }
            }
            _ => {}
        }
    }

    /// A response of the server.
    fn answered(&mut self, call: CallId, message: &Message) {
        let (Some(status), Ok(cseq)) = (message.status(), message.cseq()) else {
            return;
        };
        if status < 200 {
            return;
        }
        match cseq.method.as_str() {
            "INVITE" => {
                if let Some(dialog) = self.calls.get_mut(&call) {
                    dialog.accepted = Some(status < 300);
                }
                if status >= 300 {
                    self.left_out("calls that were refused");
                }
            }
            "INFO" if status != 200 => {
                if let Some(Some((beat, name))) = self.infos.get(&(call.clone(), cseq.seq)).cloned()
                    && let Some(endpoint) = self.names.get(&call.0).cloned()
                {
                    self.came(Some(beat), endpoint, Some(name), What::Status(status));
                }
            }
            _ => {}
        }
    }

    fn gone(&mut self, conn: Conn) {
        let mut up = false;
        for (_, call) in self.calls.iter_mut().filter(|((c, _), _)| *c == conn) {
            up |= std::mem::take(&mut call.up) && !call.lookup;
        }
        if up && let Some(endpoint) = self.names.get(&conn).cloned() {
            self.beat(endpoint, Act::Drop, Vec::new());
        }
    }

    fn beat(&mut self, endpoint: String, act: Act, breaks: Vec<String>) -> usize {
        self.story.beats.push(Beat {
            endpoint,
            act,
            breaks,
            came: Vec::new(),
        });
        self.story.beats.len() - 1
    }

    fn came(&mut self, beat: Option<usize>, endpoint: String, answers: Option<String>, what: What) {
        let last = self.story.beats.len().checked_sub(1);
        if let Some(beat) = beat.or(last).and_then(|b| self.story.beats.get_mut(b)) {
            beat.came.push(Came {
                endpoint,
                answers,
                what,
            });
        }
    }

    /// The endpoint of a connection, named after its user.
    fn endpoint(&mut self, conn: Conn, user: &str) -> String {
        if let Some(name) = self.names.get(&conn) {
            return name.clone();
        }
        let local = user.trim_start_matches("sip:").split('@').next();
        let base = super::slug(local.unwrap_or_default(), "user");
        let mut name = base.clone();
        let mut n = 1;
        while self.story.endpoints.contains_key(&name) {
            n += 1;
            name = format!("{base}{n}");
        }
        self.story.endpoints.insert(name.clone(), user.to_owned());
        self.names.insert(conn, name.clone());
        name
    }

    fn name(&mut self, endpoint: &str, word: &str) -> String {
        let name = format!("{endpoint}-{}", super::slug(word, "message"));
        let n = self.given.entry(name.clone()).or_default();
        *n += 1;
        if *n == 1 { name } else { format!("{name}-{n}") }
    }

    fn left_out(&mut self, what: &str) {
        if !self.story.left_out.iter().any(|w| w == what) {
            self.story.left_out.push(what.to_owned());
        }
    }
}
