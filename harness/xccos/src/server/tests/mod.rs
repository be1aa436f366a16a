/*! The server's model, seen from its endpoints. Every envelope it emits is checked against the interop profile. */

mod chats;
mod commands;
mod notices;
mod property;
#[cfg(feature = "store")]
mod storage;
mod timing;

use std::collections::BTreeMap;
use std::time::Duration;

use super::*;
use crate::payload::Primitive;

pub const ALICE: &str = "sip:alice@example.com";
pub const BOB: &str = "sip:bob@example.com";
pub const MALLORY: &str = "sip:mallory@example.com";
pub const LOBBY: &str = "93489432-b6be-4c67-932f-09e39a162072";
pub const HALL: &str = "6e43547f-9152-46e3-ad76-82197694fdb9";
pub const VAULT: &str = "2a1a367c-5c14-4215-b5ae-d04eacb3b203";

/// A server with endpoints and what each of them got.
pub struct Bench {
    pub server: Server,
    pub clock: Duration,
    pub inbox: BTreeMap<EndpointId, Vec<Envelope>>,
    pub statuses: Vec<(EndpointId, u16)>,
    pub hung_up: Vec<EndpointId>,
    envid: u64,
    /// Whether what is sent must be valid and well numbered.
    pub strict: bool,
    seen_envid: u64,
}

impl Bench {
    pub fn new() -> Bench {
        Bench::with(World::sample(), Options::default())
    }

    pub fn with(world: World, options: Options) -> Bench {
        let strict = options.defects.is_empty();
        Bench {
            server: Server::new(world, options),
            clock: Duration::ZERO,
            inbox: BTreeMap::new(),
            statuses: Vec::new(),
            hung_up: Vec::new(),
            envid: 100,
            seen_envid: 0,
            strict,
        }
    }

    pub fn now(&self) -> Now {
        let start = "2026-01-02T03:04:05Z".parse().unwrap();
        Now::after(start, self.clock)
    }

    pub fn connect(&mut self, user: &str) -> EndpointId {
        let now = self.now();
        self.server.connect(now, user, Service::Channel)
    }

    /// A connected endpoint that is joined to these rooms, with an empty inbox.
    pub fn joined(&mut self, user: &str, rooms: &[&str]) -> EndpointId {
        let endpoint = self.connect(user);
        for room in rooms {
            let replies = self.command(endpoint, "cmd:join", &chanid(room));
            assert_eq!(replies, ["rpl:join 200"], "{user} joins {room}");
        }
        self.inbox.clear();
        endpoint
    }

    /// Sends primitives in one envelope.
    pub fn send(&mut self, from: EndpointId, primitives: &str) {
        self.envid += 1;
        let body = format!(
            r#"<xccos xmlns="urn:parlano:xml:ns:xccos" ver="1" envid="{}">{primitives}</xccos>"#,
            self.envid
        );
        self.raw(from, body.as_bytes());
    }

    pub fn raw(&mut self, from: EndpointId, body: &[u8]) {
        let outputs = self.server.receive(self.now(), from, body);
        self.take(outputs);
    }

    /// Sends one command and gives short forms of what its sender got since.
    pub fn command(&mut self, from: EndpointId, id: &str, data: &str) -> Vec<String> {
        self.inbox.remove(&from);
        self.send(
            from,
            &format!(r#"<cmd id="{id}" seqid="1"><data>{data}</data></cmd>"#),
        );
        self.got(from)
    }

    pub fn chat(&mut self, from: EndpointId, room: &str, author: &str, text: &str) {
        self.send(from, &chat(room, author, text));
    }

    pub fn tick(&mut self, seconds: f64) {
        self.clock += Duration::from_secs_f64(seconds);
        let outputs = self.server.tick(self.now());
        self.take(outputs);
    }

    pub fn disconnect(&mut self, endpoint: EndpointId) {
        let outputs = self.server.disconnect(self.now(), endpoint);
        self.take(outputs);
    }

    pub fn take(&mut self, outputs: Vec<Output>) {
        for output in outputs {
            match output {
                Output::Send { to, envelope } => {
                    if self.strict {
                        self.check(&envelope);
                    }
                    for endpoint in to {
                        self.inbox
                            .entry(endpoint)
                            .or_default()
                            .push(envelope.clone());
                    }
                }
                Output::InfoStatus {
                    endpoint, status, ..
                } => self.statuses.push((endpoint, status)),
                Output::Hold { .. } => {}
                Output::HangUp { endpoint } => self.hung_up.push(endpoint),
            }
        }
    }

    fn check(&mut self, envelope: &Envelope) {
        let bytes = envelope.to_bytes();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let violations = schema::validate(Profile::Interop, &bytes);
        assert!(violations.is_empty(), "{violations:#?}\n{text}");
        let envid = envelope.envid().expect("numbered");
        assert!(envid > self.seen_envid, "envelope numbers grow");
        self.seen_envid = envid;
        let mut last = 0;
        let mut kinds: Vec<&str> = Vec::new();
        for primitive in envelope.primitives() {
            let seqid = primitive.seqid().expect("numbered");
            assert!(seqid > last, "{text}");
            last = seqid;
            kinds.push(primitive.class.name());
        }
        kinds.dedup();
        assert!(
            kinds.len() == 1 || kinds.iter().all(|k| matches!(*k, "rpl" | "err")),
            "{text}"
        );
    }

    /// What an endpoint got, as `rpl:join 200`, `err 404`, `ntc:part`, `grpchat 3 text`.
    pub fn got(&self, endpoint: EndpointId) -> Vec<String> {
        self.primitives(endpoint).map(|p| short(&p)).collect()
    }

    pub fn primitives(&self, endpoint: EndpointId) -> impl Iterator<Item = Primitive<'_>> {
        self.inbox
            .get(&endpoint)
            .into_iter()
            .flatten()
            .flat_map(Envelope::primitives)
    }

    /// The data of the last thing an endpoint got, as text.
    pub fn last_data(&self, endpoint: EndpointId) -> String {
        let envelope = self.inbox.get(&endpoint).and_then(|list| list.last());
        let text = envelope.map(|e| String::from_utf8(e.to_bytes()).unwrap());
        text.unwrap_or_default()
    }
}

pub fn short(p: &Primitive<'_>) -> String {
    match p.class {
        Class::Rpl => format!("{} {}", p.id(), p.code().unwrap_or(0)),
        Class::Err => format!("err {}", p.code().unwrap_or(0)),
        Class::Grpchat => format!(
            "grpchat {} {}",
            p.element.get("chatId").unwrap_or("?"),
            p.element
                .first("chat")
                .map(Element::content)
                .unwrap_or_default()
        ),
        _ => p.id().to_owned(),
    }
}

pub fn uri(room: &str) -> String {
    format!("ma-chan://example.com/{room}")
}

pub fn chanid(room: &str) -> String {
    format!(r#"<chanid key="0" domain="example.com" value="{room}"/>"#)
}

pub fn chanib(room: &str) -> String {
    format!(r#"<chanib uri="{}"/>"#, uri(room))
}

pub fn chat(room: &str, author: &str, text: &str) -> String {
    format!(
        r#"<grpchat id="grpchat" seqid="1" chanUri="{}" author="{author}" authdisp="" alert="false" chatId="0" ts="2026-01-02T03:04:05Z"><chat>{text}</chat></grpchat>"#,
        uri(room)
    )
}
