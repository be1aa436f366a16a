/*! The chat server's model (3.2), sans-I/O.

Takes a [`World`], clock readings, and what endpoints send; gives what to send
to whom, SIP answers that are not a plain 200, and when to call again. One
confirmed SIP dialog is one endpoint. It opens no socket, reads no clock and
never panics on what a peer sends.

A body goes through: reading (malformed XML is a SIP 400), schema check of each
primitive (3.2.1.5), the command table, the command's handler. Everything that
leaves goes through the outbox, which numbers it and applies defects.
*/

pub mod access;
mod blocks;
mod chat;
mod commands;
mod ids;
mod journal;
mod notices;
mod outbox;
mod refusal;
mod reload;
#[cfg(feature = "store")]
mod sqlite;
mod table;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::time::Duration;

use crate::defect::{Defects, Slip};
use crate::payload::{Class, Element, Envelope, MsgId, Primitive};
use crate::schema::{self, Profile};
use crate::time::Now;
use crate::world::{Room, User, World};

pub use commands::files::{Direction, FileToken, TokenError};
pub use commands::people::Participants;
pub use journal::{Journal, JournalError, Stored};
pub use notices::Notice;
pub use outbox::Output;
pub use refusal::{Cause, Refusal};
#[cfg(feature = "store")]
pub use sqlite::SqliteJournal;
pub use table::{COMMANDS, Command, Need, Refuse, command};

pub(crate) use ids::Ids;
use outbox::{Mail, Outbox};
use table::Done;

/// One confirmed dialog, as the owner of the sockets numbers it.
pub type EndpointId = u64;

/// Which of the two services a dialog was invited to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Service {
    /// The address that everybody knows; answers where the channel server is (3.1.3).
    Lookup,
    /// The channel server.
    Channel,
}

/// How the server behaves where the document leaves a choice.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Source of envelope numbers and GUIDs.
    pub seed: u64,
    /// What is broken on purpose.
    pub defects: Defects,
    /// Refuse the short chat (no authdisp, alert, chatId) that a widespread client sends and real servers take.
    pub strict: bool,
    /// Refuse joins by `rpl:join` with a code instead of `err`, as real servers were seen to do.
    pub field_refusals: bool,
    /// Put the answers to all commands of one envelope into one envelope.
    pub merge_replies: bool,
    /// How long a command takes to process; longer than the processing timer means SIP 503 (3.2.1.6).
    pub processing: Duration,
    /// Commands to stall for ever, by id.
    pub stall: Vec<String>,
    /// Answer INFO with 503, and call itself busy (2.2.2.2.7), while so many envelopes are being processed.
    pub max_pending: Option<usize>,
}

/// A connected endpoint (3.2.3.1).
#[derive(Debug, Clone)]
struct Endpoint {
    user: String,
    uri: String,
    service: Service,
    joined: BTreeSet<String>,
    /// Chat traffic is refused with 503 once more is waiting than the load option allows.
    pending: VecDeque<u64>,
}

/// A primitive being processed.
#[derive(Debug, Clone)]
pub(crate) struct Ask<'a> {
    pub now: Now,
    pub endpoint: EndpointId,
    /// Key of the user in the directory.
    pub user: String,
    pub data: &'a Element,
}

/// An envelope whose processing takes time.
#[derive(Debug, Clone)]
struct Work {
    number: u64,
    endpoint: EndpointId,
    body: Vec<u8>,
    /// None: never.
    done_at: Option<Duration>,
    gives_up_at: Duration,
}

/// The server.
pub struct Server {
    world: World,
    options: Options,
    endpoints: BTreeMap<EndpointId, Endpoint>,
    next_endpoint: EndpointId,
    /// Endpoints joined, by room key.
    joined: HashMap<String, BTreeSet<EndpointId>>,
    /// The "last chat id" of 3.2.6.1, by room key.
    last_chat: HashMap<String, i64>,
    invitations: Vec<commands::invites::Invitation>,
    next_invitation: u64,
    prefs: HashMap<(String, String), commands::prefs::Stored>,
    tokens: HashMap<String, FileToken>,
    ids: Ids,
    outbox: Outbox,
    work: VecDeque<Work>,
    next_work: u64,
    /// What was last told about the load.
    busy: bool,
    journal: Option<Box<dyn Journal>>,
}

impl Server {
    /// A server that holds this world.
    pub fn new(world: World, options: Options) -> Server {
        let ids = Ids::new(options.seed);
        let mut server = Server {
            ids,
            outbox: Outbox::new(options.defects.clone()),
            endpoints: BTreeMap::new(),
            next_endpoint: 1,
            joined: HashMap::new(),
            last_chat: HashMap::new(),
            invitations: Vec::new(),
            next_invitation: 1,
            prefs: HashMap::new(),
            tokens: HashMap::new(),
            work: VecDeque::new(),
            next_work: 1,
            busy: false,
            journal: None,
            options,
            world,
        };
        server.settle();
        server
    }

    /// A server whose accepted state goes to `journal` before anybody hears of it, continuing what the journal holds.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn with_journal(
        world: World,
        options: Options,
        mut journal: Box<dyn Journal>,
    ) -> Result<Server, JournalError> {
        let stored = journal.load()?;
        let mut server = Server::new(world, options);
        server.restore(stored);
        server.journal = Some(journal);
        Ok(server)
    }

    /// Derives counters, invitations and preferences from the world.
    fn settle(&mut self) {
        for (key, room) in &self.world.rooms {
            self.last_chat
                .insert(key.clone(), room.history.last().map_or(0, |c| c.id));
        }
        self.settle_invitations();
        self.settle_preferences();
    }

    /// The world as it is now, with every change that was made.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// URI and service of an endpoint, as they were given to [`Server::connect`].
    pub fn endpoint(&self, endpoint: EndpointId) -> Option<(&str, Service)> {
        self.endpoints
            .get(&endpoint)
            .map(|e| (e.uri.as_str(), e.service))
    }

    /// The deliberate defects, for those that the owner of the sockets has to commit.
    pub fn defects(&self) -> &Defects {
        &self.options.defects
    }

    /// A dialog with this user was confirmed.
    pub fn connect(&mut self, _now: Now, user_uri: &str, service: Service) -> EndpointId {
        let id = self.next_endpoint;
        self.next_endpoint += 1;
        let user = user_key(user_uri);
        self.endpoints.insert(
            id,
            Endpoint {
                uri: user_uri.to_owned(),
                user,
                service,
                joined: BTreeSet::new(),
                pending: VecDeque::new(),
            },
        );
        if self.world.settings.announce_status && service == Service::Channel {
            let status = Element::new("status").with("busy", "false");
            let sys = Element::new("sys")
                .with("id", "sys:status")
                .with("seqid", "")
                .child(status);
            self.outbox.post(Mail::new(vec![id], vec![sys]));
        }
        id
    }

    /// A dialog ended, whoever ended it.
    pub fn disconnect(&mut self, now: Now, endpoint: EndpointId) -> Vec<Output> {
        if self.endpoints.contains_key(&endpoint) {
            self.quit(endpoint);
        }
        self.work.retain(|w| w.endpoint != endpoint);
        self.tell_load();
        self.flush(now)
    }

    /// The body of an INFO arrived. The INFO is to be answered 200 at once, unless the outputs hold
    /// [`Output::InfoStatus`] (another status) or [`Output::Hold`] (answered later).
    pub fn receive(&mut self, now: Now, endpoint: EndpointId, body: &[u8]) -> Vec<Output> {
        if !self.endpoints.contains_key(&endpoint) {
            let why = "no such dialog".to_owned();
            return vec![Output::InfoStatus {
                endpoint,
                status: 481,
                why,
            }];
        }
        if self
            .options
            .max_pending
            .is_some_and(|max| self.work.len() >= max)
        {
            let why = "too many messages are being processed".to_owned();
            return vec![Output::InfoStatus {
                endpoint,
                status: 503,
                why,
            }];
        }
        let envelope = match Envelope::parse(body) {
            Ok(envelope) if envelope.root.name == "xccos" => envelope,
            Ok(envelope) => {
                let why = format!(
                    "the body is `{}`, not an xccos document",
                    envelope.root.name
                );
                return vec![Output::InfoStatus {
                    endpoint,
                    status: 400,
                    why,
                }];
            }
            Err(error) => {
                let why = format!("the body is not well-formed XML: {error}");
                return vec![Output::InfoStatus {
                    endpoint,
                    status: 400,
                    why,
                }];
            }
        };
        let slow = &self.world.settings.slow_command;
        let stalled = envelope.primitives().any(|p| {
            slow.as_deref() == Some(p.id()) || self.options.stall.iter().any(|id| id == p.id())
        });
        if stalled || !self.options.processing.is_zero() {
            return self.postpone(now, endpoint, body, stalled);
        }
        self.process(now, endpoint, body, &envelope);
        self.flush(now)
    }

    /// Keeps an envelope for later; its INFO waits as long (3.2.1.2).
    fn postpone(
        &mut self,
        now: Now,
        endpoint: EndpointId,
        body: &[u8],
        stalled: bool,
    ) -> Vec<Output> {
        let number = self.next_work;
        self.next_work += 1;
        let timeout = Duration::from_secs_f64(self.world.settings.processing_timeout);
        self.work.push_back(Work {
            number,
            endpoint,
            body: body.to_vec(),
            done_at: (!stalled).then(|| now.since + self.options.processing),
            gives_up_at: now.since + timeout,
        });
        if let Some(endpoint) = self.endpoints.get_mut(&endpoint) {
            endpoint.pending.push_back(number);
        }
        self.tell_load();
        let mut out = vec![Output::Hold { endpoint }];
        out.extend(self.flush(now));
        out
    }

    /// Tells everybody when the load reaches its limit, and when half of it is gone again.
    fn tell_load(&mut self) {
        let Some(max) = self.options.max_pending else {
            return;
        };
        let busy = match self.busy {
            false => self.work.len() >= max,
            true => self.work.len() > max / 2,
        };
        if busy != self.busy {
            self.busy = busy;
            self.tell_status(busy);
        }
    }

    /// Time passed: finishes or gives up what was postponed, sends what was held back.
    pub fn tick(&mut self, now: Now) -> Vec<Output> {
        let mut out = Vec::new();
        let (due, waiting): (VecDeque<Work>, VecDeque<Work>) = self.work.drain(..).partition(|w| {
            w.gives_up_at <= now.since || w.done_at.is_some_and(|at| at <= now.since)
        });
        self.work = waiting;
        for work in due {
            let endpoint = work.endpoint;
            let Some(known) = self.endpoints.get_mut(&endpoint) else {
                continue;
            };
            known.pending.retain(|n| *n != work.number);
            let finished = work
                .done_at
                .is_some_and(|at| at <= now.since && at <= work.gives_up_at);
            if !finished {
                let status = if self.options.defects.has(Slip::TimeoutIs500) {
                    500
                } else {
                    503
                };
                let why = "processing took too long (3.2.1.6)".to_owned();
                out.push(Output::InfoStatus {
                    endpoint,
                    status,
                    why,
                });
                continue;
            }
            let why = String::new();
            out.push(Output::InfoStatus {
                endpoint,
                status: 200,
                why,
            });
            if let Ok(envelope) = Envelope::parse(&work.body) {
                self.process(now, endpoint, &work.body, &envelope);
                out.extend(self.flush(now));
            }
        }
        self.tell_load();
        self.tokens.retain(|_, token| !token.is_forgotten(now));
        out.extend(self.flush(now));
        out
    }

    /// When [`Server::tick`] has something to do next.
    pub fn next_deadline(&self) -> Option<Duration> {
        let work = self
            .work
            .iter()
            .map(|w| w.done_at.map_or(w.gives_up_at, |at| at.min(w.gives_up_at)));
        work.chain(self.outbox.next_deadline()).min()
    }

    /// Gives out an envelope of primitives that nobody asked for; `seqid`s are filled in.
    pub fn inject(&mut self, now: Now, to: &[EndpointId], primitives: Vec<Element>) -> Vec<Output> {
        self.outbox.post(Mail::new(to.to_vec(), primitives));
        self.flush(now)
    }

    fn process(&mut self, now: Now, endpoint: EndpointId, body: &[u8], envelope: &Envelope) {
        let violations = schema::validate(Profile::Interop, body);
        let merged = self.options.merge_replies;
        let mut answers: Vec<Element> = Vec::new();
        for element in all_elements(&envelope.root) {
            let Some(class) = Class::of(&element.name) else {
                let text = format!("`{}` is no primitive", element.name);
                let refusal = Refusal::new(Cause::Schema, text);
                answers.push(error(claimed_id(envelope, element), &refusal));
                continue;
            };
            let wrong = violations
                .iter()
                .find(|v| v.span.start >= element.span.start && v.span.end <= element.span.end)
                .or_else(|| violations.iter().find(|v| at_root(&v.path)))
                .filter(|_| !self.takes_anyway(class, element));
            if let Some(violation) = wrong
                && !self.options.defects.has(Slip::SchemaUnchecked)
            {
                let text = format!("Not valid: {}", violation.message);
                let refusal = Refusal::new(Cause::Schema, text);
                let mut id = claimed_id(envelope, element);
                if self.options.defects.has(Slip::SchemaErrWrongId) {
                    id.seqid += 1;
                }
                if !self.options.defects.has(Slip::SchemaSilence) {
                    answers.push(error(id, &refusal));
                }
                if self.options.defects.has(Slip::SchemaDropsEnvelope) {
                    break;
                }
                continue;
            }
            let before = self.outbox.len();
            let id = claimed_id(envelope, element);
            let primitive = self.dispatch(now, endpoint, class, element, id);
            answers.extend(primitive);
            if !merged {
                self.answer(endpoint, &mut answers, before);
            }
            if self.options.defects.has(Slip::FirstCommandOnly) {
                break;
            }
        }
        let at = self.outbox.len();
        self.answer(endpoint, &mut answers, at);
    }

    /// Posts the answers collected so far, before whatever their processing caused.
    fn answer(&mut self, endpoint: EndpointId, answers: &mut Vec<Element>, before: usize) {
        if !answers.is_empty() {
            let mail = Mail::new(vec![endpoint], std::mem::take(answers));
            self.outbox.post_at(before, mail);
        }
    }

    /// Processes one primitive that fits the schema; gives what answers it.
    fn dispatch(
        &mut self,
        now: Now,
        endpoint: EndpointId,
        class: Class,
        element: &Element,
        id: MsgId,
    ) -> Vec<Element> {
        let user = self
            .endpoints
            .get(&endpoint)
            .map(|e| e.user.clone())
            .unwrap_or_default();
        match class {
            Class::Cmd => self.command(now, endpoint, user, element, id),
            Class::Grpchat => match self.chat(now, endpoint, &user, element, id) {
                Ok(()) => Vec::new(),
                Err(_) if self.options.defects.has(Slip::ChatRefusedSilently) => Vec::new(),
                Err(refusal) => vec![error(id, &refusal)],
            },
            // Only a server sends these (2.2.2.2.1); from a client they are not understood.
            Class::Rpl | Class::Ntc | Class::Err | Class::Sys => {
                let text = format!("A client does not send `{}`", element.name);
                vec![error(id, &Refusal::new(Cause::UnknownCommand, text))]
            }
        }
    }

    fn command(
        &mut self,
        now: Now,
        endpoint: EndpointId,
        user: String,
        element: &Element,
        id: MsgId,
    ) -> Vec<Element> {
        let name = element.get("id").unwrap_or("");
        let unsupported = |row: &&Command| self.options.defects.has(Slip::Unsupported(row.id));
        let Some(row) = command(name).filter(|row| !unsupported(row)) else {
            if self.options.defects.has(Slip::UnknownCommandSilence) {
                return Vec::new();
            }
            if self.options.defects.has(Slip::UnknownCommandReply) {
                let reply = name.replacen("cmd:", "rpl:", 1);
                let refusal = Refusal::new(Cause::UnknownCommand, "Unknown");
                return vec![failure(&reply, id, &refusal)];
            }
            let mut id = id;
            if self.options.defects.has(Slip::UnknownErrWrongId) {
                id.seqid += 1;
            }
            let text = format!("The command `{name}` is not known");
            return vec![error(id, &Refusal::new(Cause::UnknownCommand, text))];
        };
        let empty = Element::new("data");
        let ask = Ask {
            now,
            endpoint,
            user,
            data: element.first("data").unwrap_or(&empty),
        };
        let outcome = self
            .check_needs(row, ask.data)
            .map_or_else(|| (row.handler)(self, &ask), Err);
        match outcome {
            Ok(done) => replies(row, id, done),
            Err(refusal) => self.refused(row, id, &refusal),
        }
    }

    /// The first block or attribute that a command needs and does not have.
    fn check_needs(&self, row: &Command, data: &Element) -> Option<Refusal> {
        for need in row.needs {
            let Some(block) = data.first(need.block) else {
                let text = format!("{} needs a `{}` in its data", row.id, need.block);
                return Some(Refusal::new(Cause::Missing, text));
            };
            for attr in need.attrs {
                let lax =
                    *attr == "behavior" && self.options.defects.has(Slip::CreateWithoutBehavior);
                if block.get(attr).is_none_or(|v| v.trim().is_empty()) && !lax {
                    let text = format!("{} needs `{}/@{attr}`", row.id, need.block);
                    return Some(Refusal::new(Cause::Missing, text));
                }
            }
        }
        None
    }

    fn refused(&self, row: &Command, id: MsgId, refusal: &Refusal) -> Vec<Element> {
        let by_reply = row.refuse == Refuse::Rpl || self.options.field_refusals;
        if refusal.is_error() || !by_reply {
            vec![error(id, refusal)]
        } else {
            vec![failure(row.reply, id, refusal)]
        }
    }

    /// A form outside the interop profile that is taken all the same: the short chat (field note c2).
    fn takes_anyway(&self, class: Class, element: &Element) -> bool {
        let unchecked = self.options.defects.has(Slip::ChatUnchecked);
        class == Class::Grpchat && (unchecked || !self.options.strict && chat::is_short(element))
    }

    fn flush(&mut self, now: Now) -> Vec<Output> {
        let everybody: Vec<EndpointId> = self.endpoints.keys().copied().collect();
        self.outbox.flush(now, &mut self.ids, &everybody)
    }

    fn user(&self, key: &str) -> Option<&User> {
        self.world.users.get(key)
    }

    /// Endpoints joined to a room.
    fn present(&self, room: &str) -> impl Iterator<Item = EndpointId> + '_ {
        self.joined.get(room).into_iter().flatten().copied()
    }

    /// Users joined to a room (3.2.3.1), in the order their first endpoint connected.
    fn participants(&self, room: &str) -> Vec<String> {
        let mut out: Vec<String> = Vec::new();
        let mut seen = std::collections::HashSet::new();
        for endpoint in self.present(room) {
            if let Some(endpoint) = self.endpoints.get(&endpoint)
                && seen.insert(endpoint.user.as_str())
            {
                out.push(endpoint.user.clone());
            }
        }
        out
    }

    fn is_joined(&self, room: &str, user: &str) -> bool {
        self.present(room)
            .any(|e| self.endpoints.get(&e).is_some_and(|e| e.user == user))
    }

    /// A room by URI or GUID, if the user may know of it.
    fn visible_room(&self, uri: &str, user: &str) -> Result<(String, &Room), Refusal> {
        let guid = crate::world::room_guid(uri.trim()).ok_or_else(Refusal::no_room)?;
        let domain = uri.trim()["ma-chan://".len()..]
            .split('/')
            .next()
            .unwrap_or("");
        let key = guid.to_lowercase();
        let room = self
            .world
            .rooms
            .get(&key)
            .filter(|_| domain.eq_ignore_ascii_case(&self.world.domain))
            .filter(|room| {
                access::chperms(&self.world, room, user) != 0
                    || self.options.defects.has(Slip::PrivateRoomsShow)
            })
            .ok_or_else(Refusal::no_room)?;
        Ok((key, room))
    }
}

/// Key of a user: the URI in lower case, without parameters and display name.
pub(crate) fn user_key(uri: &str) -> String {
    let uri = uri.trim().trim_start_matches('<').trim_end_matches('>');
    uri.split([';', '?']).next().unwrap_or(uri).to_lowercase()
}

/// Child elements whatever their namespace, so that a foreign one can be refused by number.
fn all_elements(root: &Element) -> impl Iterator<Item = &Element> {
    root.children.iter().filter_map(|node| match node {
        crate::payload::Node::Element(element) => Some(element),
        crate::payload::Node::Text(_) => None,
    })
}

/// The number a primitive claims; 0 stands for one that is missing or unreadable (P34 of the errata).
fn claimed_id(envelope: &Envelope, element: &Element) -> MsgId {
    let number = |e: &Element, name: &str| e.get(name).and_then(|v| v.trim().parse().ok());
    MsgId {
        envid: number(&envelope.root, "envid").unwrap_or(0),
        seqid: number(element, "seqid").unwrap_or(0),
    }
}

/// Whether a violation is about the envelope itself and so about everything in it.
fn at_root(path: &str) -> bool {
    path.matches('/').count() <= 1 || path.starts_with("/xccos/@")
}

fn replies(row: &Command, id: MsgId, done: Done) -> Vec<Element> {
    let mut out = vec![reply(row.reply, id, done.data)];
    out.extend(
        done.more
            .into_iter()
            .map(|(name, data)| reply(name, id, Some(data))),
    );
    out
}

/// XccosReplyPrimitive of success (2.2.2.2.4).
fn reply(name: &str, id: MsgId, data: Option<Element>) -> Element {
    Element::new("rpl")
        .with("id", name)
        .with("seqid", "")
        .child(id.element("commandid"))
        .child(Element::new("resp").with("code", "200").text("SUCCESS_OK"))
        .children(data)
}

/// XccosReplyPrimitive of failure (3.1.2.1.5: any code but 200).
fn failure(name: &str, id: MsgId, refusal: &Refusal) -> Element {
    Element::new("rpl")
        .with("id", name)
        .with("seqid", "")
        .child(id.element("commandid"))
        .child(resp(refusal))
}

/// XccosErrorPrimitive (2.2.2.2.6), always with the CmdId it is about (3.2.1.5).
fn error(id: MsgId, refusal: &Refusal) -> Element {
    Element::new("err")
        .with("id", "error")
        .with("seqid", "")
        .child(id.element("commandid"))
        .child(resp(refusal))
}

fn resp(refusal: &Refusal) -> Element {
    Element::new("resp")
        .with("code", refusal.code().to_string())
        .text(&refusal.text)
}

/// What a client's primitive asks for, seen before it is processed (for logs).
pub fn summary(primitive: &Primitive<'_>) -> String {
    match primitive.class {
        Class::Grpchat => "grpchat".to_owned(),
        _ => primitive.id().to_owned(),
    }
}
