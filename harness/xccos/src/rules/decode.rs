/*! The one stage that turns recorded events into what rules look at.

Takes events in order, gives each message as a [`Seen`]: parsed once, with the
dialog it belongs to, the request a response answers, and its XCCOS document.
It judges nothing. Where a recording starts in the middle it says so
([`Dialog::whole`]), and rules stay silent about what they cannot know.
*/

use std::collections::HashMap;

use judge::Place;
use sip::Message;
use trace::{Conn, Event, Intent, Kind, Micros, Seat};

use super::desk::Spot;
use crate::payload::{Envelope, PayloadError};

/// Index of a dialog in [`Decoder::dialogs`].
pub(crate) type DialogId = usize;

/// How far a dialog got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// INVITE sent, no final answer yet.
    Inviting,
    /// A 2xx was sent.
    Answered,
    /// The 2xx was acknowledged, or the dialog was first seen at work.
    Confirmed,
    /// The INVITE was refused.
    Refused,
    /// A BYE was sent by that seat.
    Bye(Seat),
    /// Its connection went down.
    Lost,
}

/// A dialog as far as it was seen.
#[derive(Debug)]
pub(crate) struct Dialog {
    pub conn: Conn,
    pub call_id: String,
    pub state: State,
    /// Seen from its INVITE on, on a connection seen from its opening on.
    pub whole: bool,
    pub client_tag: Option<String>,
    pub server_tag: Option<String>,
    /// Address of the user at the client end, in lower case, without parameters.
    pub user: String,
    /// Address the INVITE went to, likewise.
    pub server: String,
    /// Remote target a client request has to go to: Contact of the server.
    pub server_contact: Option<String>,
    /// Remote target a server request has to go to: Contact of the client.
    pub client_contact: Option<String>,
    /// Record-Route of the INVITE's 2xx, in its order.
    pub routes: Vec<String>,
    /// Last CSeq number of each direction.
    pub cseq: [Option<u32>; 2],
    /// When the BYE was answered, or the connection lost.
    pub over_at: Option<Micros>,
    /// Event number and time of the INVITE's 2xx.
    pub since: Option<(u64, Micros)>,
}

impl Dialog {
    /// Whether messages may flow.
    pub fn is_up(&self) -> bool {
        matches!(self.state, State::Answered | State::Confirmed)
    }
}

/// What is known of a connection.
#[derive(Debug, Default)]
pub(crate) struct Link {
    /// The recording saw it open.
    pub whole: bool,
    pub transport: String,
    pub closed: Option<Micros>,
    pub by: Option<Seat>,
}

/// A request that waits for its final answer.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub seq: u64,
    pub at: Micros,
    pub method: String,
    pub dialog: Option<DialogId>,
    pub deliberate: bool,
    /// From, To, Call-ID and the Via values as sent.
    pub from: String,
    pub to: String,
    pub vias: Vec<String>,
    /// State of its dialog when it was sent.
    pub up: bool,
}

/// The XCCOS side of a message.
#[derive(Debug)]
pub(crate) enum Body {
    /// None that is ours.
    None,
    /// Meant as XCCOS but not readable.
    Bad(PayloadError),
    /// A document.
    Doc(Envelope),
}

/// One message with all that is known of it.
pub(crate) struct Seen {
    pub seq: u64,
    pub at: Micros,
    pub conn: Conn,
    pub from: Seat,
    /// Broken on purpose by the harness.
    pub deliberate: bool,
    pub message: Message,
    pub call_id: String,
    pub cseq: Option<sip::CSeq>,
    pub dialog: Option<DialogId>,
    /// State of the dialog before this message.
    pub before: Option<State>,
    /// For a response: the request it answers.
    pub answers: Option<Asked>,
    pub body: Body,
}

impl Seen {
    /// Whether it is a request of that method.
    pub fn is(&self, method: &str) -> bool {
        self.message.method() == Some(method)
    }

    /// Turns a spot into a place of this message.
    pub fn place(&self, spot: Spot) -> Place {
        let in_payload = spot.path.as_deref().is_some_and(|p| p.starts_with('/'));
        let mut place = Place {
            path: spot.path,
            ..Place::default()
        };
        if let Some((start, end)) = spot.span {
            let (bytes, offset) = if in_payload {
                (self.message.body(), self.message.body_offset())
            } else {
                (self.message.bytes(), 0)
            };
            let start = start.min(bytes.len());
            let (line, column) = sip::view::line_column(bytes, start);
            place.line = u32::try_from(line).ok();
            place.column = u32::try_from(column).ok();
            place.span = Some((start + offset, end.clamp(start, bytes.len()) + offset));
        } else if let (false, Some(header)) = (
            in_payload,
            place
                .path
                .as_deref()
                .and_then(|name| self.message.header(name)),
        ) {
            let span = header.span();
            let (line, column) = self.message.line_column(span.start);
            place.line = u32::try_from(line).ok();
            place.column = u32::try_from(column).ok();
            place.span = Some((span.start, span.end));
        }
        place
    }
}

/// What an event turned out to be.
pub(crate) enum Observed {
    /// A SIP message.
    Message(Box<Seen>),
    /// Something that frames no SIP message.
    Noise {
        seq: u64,
        from: Seat,
        deliberate: bool,
        problem: String,
    },
    /// A connection went down; the dialogs that went with it.
    Down { lost: Vec<DialogId> },
    /// A driver line.
    Upper {
        endpoint: String,
        command: bool,
        text: String,
    },
    /// Nothing for rules.
    Nothing,
}

/// See the module.
#[derive(Default)]
pub(crate) struct Decoder {
    /// Messages are missing inside the recording: no dialog was seen as a whole.
    holes: bool,
    /// The recording may stop in the middle of things.
    pub open_end: bool,
    pub now: Micros,
    pub links: HashMap<Conn, Link>,
    pub dialogs: Vec<Dialog>,
    current: HashMap<(Conn, String), DialogId>,
    /// Requests without final answer, by sender, connection, Call-ID, CSeq.
    pub asked: HashMap<(Seat, Conn, String, u32, String), Asked>,
    answered: std::collections::HashSet<(Seat, Conn, String, u32, String)>,
}

impl Decoder {
    pub fn new(holes: bool, open_end: bool) -> Decoder {
        Decoder {
            holes,
            open_end,
            ..Decoder::default()
        }
    }

    /// The dialog with this index.
    pub fn dialog(&self, id: DialogId) -> Option<&Dialog> {
        self.dialogs.get(id)
    }

    /// Whether a response from `seat` answers a request that was answered before.
    pub fn is_repeated(&self, seen: &Seen) -> bool {
        seen.cseq.as_ref().is_some_and(|cseq| {
            self.answered.contains(&(
                seen.from.other(),
                seen.conn,
                seen.call_id.clone(),
                cseq.seq,
                cseq.method.clone(),
            ))
        })
    }

    /// Whether the recording saw everything that happened on this connection.
    pub fn saw_all(&self, conn: Conn) -> bool {
        self.links.get(&conn).is_some_and(|l| l.whole)
    }

    /// Whether nothing can have happened before this connection: a dialog may have been captured on its
    /// second connection only.
    pub fn saw_before(&self, conn: Conn) -> bool {
        self.links
            .get(&conn)
            .is_some_and(|l| l.whole && l.transport != trace::CAPTURE)
    }

    /// Takes the next event.
    pub fn take(&mut self, event: &Event) -> Observed {
        self.now = self.now.max(event.at);
        match &event.kind {
            Kind::Opened { transport, .. } => {
                self.links.insert(
                    event.conn,
                    Link {
                        whole: transport != trace::LOG
                            && transport != trace::PARTIAL_CAPTURE
                            && !self.holes,
                        transport: transport.clone(),
                        closed: None,
                        by: None,
                    },
                );
                Observed::Nothing
            }
            Kind::Closed { by, .. } => {
                let link = self.links.entry(event.conn).or_default();
                link.closed = Some(event.at);
                link.by = *by;
                let mut lost = Vec::new();
                for (id, dialog) in self.dialogs.iter_mut().enumerate() {
                    if dialog.conn == event.conn
                        && (dialog.is_up() || dialog.state == State::Inviting)
                    {
                        dialog.state = State::Lost;
                        dialog.over_at = Some(event.at);
                        lost.push(id);
                    }
                }
                Observed::Down { lost }
            }
            Kind::Garbage { from, problem, .. } => Observed::Noise {
                seq: event.seq,
                from: *from,
                deliberate: false,
                problem: problem.clone(),
            },
            Kind::Upper {
                endpoint,
                command,
                text,
            } => Observed::Upper {
                endpoint: endpoint.clone(),
                command: *command,
                text: text.clone(),
            },
            Kind::Note { .. } => Observed::Nothing,
            Kind::Message {
                from,
                bytes,
                intent,
            } => {
                if bytes.iter().all(|b| matches!(b, b'\r' | b'\n')) {
                    return Observed::Nothing;
                }
                let deliberate = matches!(intent, Intent::Deliberate(_));
                match Message::parse(bytes.clone()) {
                    Ok(message) => {
                        Observed::Message(Box::new(self.message(event, *from, deliberate, message)))
                    }
                    Err(error) => Observed::Noise {
                        seq: event.seq,
                        from: *from,
                        deliberate,
                        problem: error.to_string(),
                    },
                }
            }
        }
    }

    fn message(&mut self, event: &Event, from: Seat, deliberate: bool, message: Message) -> Seen {
        let call_id = message.call_id().unwrap_or_default();
        let cseq = message.cseq().ok();
        let body = body(&message);
        let mut seen = Seen {
            seq: event.seq,
            at: event.at,
            conn: event.conn,
            from,
            deliberate,
            message,
            call_id,
            cseq,
            dialog: None,
            before: None,
            answers: None,
            body,
        };
        if seen.message.is_request() {
            self.request(&mut seen);
        } else {
            self.response(&mut seen);
        }
        seen
    }

    fn request(&mut self, seen: &mut Seen) {
        let method = seen.message.method().unwrap_or("").to_owned();
        let to_tag = seen
            .message
            .to()
            .ok()
            .and_then(|to| to.tag().map(str::to_owned));
        let key = (seen.conn, seen.call_id.clone());
        let mut known = self.current.get(&key).copied();
        if known.is_none() && to_tag.is_some() {
            known = self.moved(seen);
        }
        // An INVITE inside the dialog that forgets the To tag is no new dialog.
        let from_tag = || {
            let from = seen.message.from().ok();
            from.and_then(|f| f.tag().map(str::to_owned))
        };
        let again = known
            .and_then(|id| self.dialogs.get(id))
            .is_some_and(|d| d.is_up() && d.client_tag.is_some() && d.client_tag == from_tag());
        if method == "INVITE" && to_tag.is_none() && seen.from == Seat::Client && !again {
            known = Some(self.open(seen, State::Inviting));
        } else if known.is_none()
            && to_tag.is_some()
            && !self.saw_before(seen.conn)
            && matches!(
                method.as_str(),
                "INFO" | "BYE" | "UPDATE" | "ACK" | "INVITE"
            )
        {
            known = Some(self.open(seen, State::Confirmed));
        }
        seen.dialog = known;
        if let Some(dialog) = known.and_then(|id| self.dialogs.get_mut(id)) {
            seen.before = Some(dialog.state);
            match method.as_str() {
                "ACK" if dialog.state == State::Answered => dialog.state = State::Confirmed,
                "BYE" if dialog.is_up() => dialog.state = State::Bye(seen.from),
                "INVITE" | "UPDATE" => {
                    if let Ok(Some(contact)) = seen.message.contact() {
                        let contact = Some(contact.uri.to_string());
                        match seen.from {
                            Seat::Client => dialog.client_contact = contact,
                            Seat::Server => dialog.server_contact = contact,
                        }
                    }
                }
                _ => {}
            }
        }
        if let (Some(cseq), true) = (&seen.cseq, method != "ACK") {
            let header = |name| seen.message.value(name).unwrap_or_default().into_owned();
            let up = known
                .and_then(|id| self.dialogs.get(id))
                .is_some_and(Dialog::is_up);
            self.asked.insert(
                (
                    seen.from,
                    seen.conn,
                    seen.call_id.clone(),
                    cseq.seq,
                    cseq.method.clone(),
                ),
                Asked {
                    seq: seen.seq,
                    at: seen.at,
                    method,
                    dialog: known,
                    deliberate: seen.deliberate,
                    from: header("From"),
                    to: header("To"),
                    vias: seen
                        .message
                        .list("Via")
                        .into_iter()
                        .map(|v| v.text)
                        .collect(),
                    up,
                },
            );
        }
    }

    fn response(&mut self, seen: &mut Seen) {
        let (Some(cseq), Some(status)) = (&seen.cseq, seen.message.status()) else {
            return;
        };
        let key = (
            seen.from.other(),
            seen.conn,
            seen.call_id.clone(),
            cseq.seq,
            cseq.method.clone(),
        );
        seen.answers = if status < 200 {
            self.asked.get(&key).cloned()
        } else {
            let asked = self.asked.remove(&key);
            if asked.is_some() {
                self.answered.insert(key);
            }
            asked
        };
        seen.dialog = match &seen.answers {
            Some(asked) => asked.dialog,
            None => self
                .current
                .get(&(seen.conn, seen.call_id.clone()))
                .copied(),
        };
        let Some(dialog) = seen.dialog.and_then(|id| self.dialogs.get_mut(id)) else {
            return;
        };
        seen.before = Some(dialog.state);
        match (cseq.method.as_str(), status) {
            ("INVITE", 200..=299) => {
                if let Ok(Some(contact)) = seen.message.contact() {
                    let contact = Some(contact.uri.to_string());
                    match seen.from {
                        Seat::Server => dialog.server_contact = contact,
                        Seat::Client => dialog.client_contact = contact,
                    }
                }
                if dialog.state == State::Inviting {
                    dialog.state = State::Answered;
                    dialog.since = Some((seen.seq, seen.at));
                    dialog.server_tag = seen
                        .message
                        .to()
                        .ok()
                        .and_then(|to| to.tag().map(str::to_owned));
                    dialog.routes = seen
                        .message
                        .record_routes()
                        .unwrap_or_default()
                        .iter()
                        .map(|r| r.uri.to_string())
                        .collect();
                }
            }
            ("INVITE", 300..) if dialog.state == State::Inviting => dialog.state = State::Refused,
            ("BYE", 200..) => dialog.over_at = dialog.over_at.or(Some(seen.at)),
            _ => {}
        }
    }

    /// The same dialog on another connection, by all of its names.
    fn moved(&mut self, seen: &Seen) -> Option<DialogId> {
        let tag = |address: Result<sip::NameAddr, sip::ViewError>| {
            address.ok().and_then(|a| a.tag().map(str::to_owned))
        };
        let (from, to) = (tag(seen.message.from()), tag(seen.message.to()));
        let (client, server) = match seen.from {
            Seat::Client => (from, to),
            Seat::Server => (to, from),
        };
        let id = self.dialogs.iter().rposition(|d| {
            d.call_id == seen.call_id
                && d.client_tag.is_some()
                && d.client_tag == client
                && d.server_tag == server
                && (d.is_up() || d.state == State::Lost)
        })?;
        let dialog = self.dialogs.get_mut(id)?;
        dialog.conn = seen.conn;
        if dialog.state == State::Lost {
            dialog.state = State::Confirmed;
            dialog.over_at = None;
        }
        self.current.insert((seen.conn, seen.call_id.clone()), id);
        Some(id)
    }

    fn open(&mut self, seen: &Seen, state: State) -> DialogId {
        let (from, to) = (seen.message.from().ok(), seen.message.to().ok());
        let (client, server) = match seen.from {
            Seat::Client => (from, to),
            Seat::Server => (to, from),
        };
        let address = |a: &Option<sip::NameAddr>| {
            a.as_ref()
                .map(|a| a.uri.address().to_ascii_lowercase())
                .unwrap_or_default()
        };
        let tag = |a: &Option<sip::NameAddr>| a.as_ref().and_then(|a| a.tag().map(str::to_owned));
        let id = self.dialogs.len();
        self.dialogs.push(Dialog {
            conn: seen.conn,
            call_id: seen.call_id.clone(),
            state,
            whole: state == State::Inviting && self.links.get(&seen.conn).is_some_and(|l| l.whole),
            client_tag: tag(&client),
            server_tag: tag(&server),
            user: address(&client),
            server: address(&server),
            server_contact: None,
            client_contact: None,
            routes: Vec::new(),
            cseq: [None, None],
            over_at: None,
            since: None,
        });
        self.current.insert((seen.conn, seen.call_id.clone()), id);
        id
    }
}

/// Reads the body when it is, or is meant to be, an XCCOS document.
fn body(message: &Message) -> Body {
    let bytes = message.body();
    let blank = bytes.iter().all(u8::is_ascii_whitespace);
    if blank {
        return Body::None;
    }
    let holds = |text: &str| bytes.windows(text.len()).any(|w| w == text.as_bytes());
    let looks = || holds(crate::payload::CHAT_NS) || holds("<xccos");
    let meant = if message.method() == Some("INFO") {
        match message.media_type() {
            // Instant messages and media say in their own types what they are.
            Ok(Some(media)) => media.is("text/plain") || looks(),
            _ => true,
        }
    } else {
        looks()
    };
    if !meant {
        return Body::None;
    }
    match Envelope::parse(bytes) {
        Ok(envelope) => Body::Doc(envelope),
        Err(error) => Body::Bad(error),
    }
}
