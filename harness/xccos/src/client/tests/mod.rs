//! Section 3.1 by rule: each test is a table, most rows one sentence of the section.

mod commands;
mod connection;
mod defects;
mod drops;
mod notices;
mod results;

use std::time::Duration;

use super::*;
use crate::schema::{self, Profile};
use crate::time::Now;

const LOBBY: &str = "ma-chan://example.com/93489432-b6be-4c67-932f-09e39a162072";
const HALL: &str = "ma-chan://example.com/6e43547f-9152-46e3-ad76-82197694fdb9";
const ALICE: &str = "sip:alice@example.com";

/// A client with its clock and what it put out.
struct Bench {
    client: Client,
    ms: u64,
    requests: u64,
    sent: Vec<Envelope>,
    done: BTreeMap<u64, Result<Answer, Failure>>,
    dropped: Vec<DropStep>,
    calls: Vec<String>,
}

impl Bench {
    fn new(config: Config) -> Bench {
        Bench::of(Client::new(config, None))
    }

    fn of(client: Client) -> Bench {
        Bench {
            client,
            ms: 0,
            requests: 0,
            sent: Vec::new(),
            done: BTreeMap::new(),
            dropped: Vec::new(),
            calls: Vec::new(),
        }
    }

    fn config() -> Config {
        Config {
            name: "Alice".to_owned(),
            server_uri: Some("sip:chat01@example.com".to_owned()),
            retrieve: false,
            first_envid: 100,
            ..Config::new(ALICE, "example.com")
        }
    }

    /// Signed in at a known server.
    fn ready() -> Bench {
        Bench::ready_with(Bench::config())
    }

    fn ready_with(config: Config) -> Bench {
        let mut bench = Bench::new(config);
        bench.sign_in();
        bench.reply(200, r#"<sib infoType="1" displayName="Pool"/>"#);
        bench.sent.clear();
        bench
    }

    /// In the lobby with Alice and Bob, history answered.
    fn in_lobby() -> Bench {
        let mut bench = Bench::ready();
        bench.act(r#"{"do":"join","rooms":["LOBBY"]}"#);
        bench.reply(200, ROOM);
        bench.reply(200, "");
        bench.sent.clear();
        bench
    }

    fn now(&self) -> Now {
        let start = "2026-01-02T03:04:05Z".parse().unwrap();
        Now::after(start, Duration::from_millis(self.ms))
    }

    fn drain(&mut self) {
        while let Some(output) = self.client.poll() {
            match output {
                Output::Send { envelope, .. } => {
                    let body = envelope.to_bytes();
                    let violations = schema::validate(Profile::Interop, &body);
                    let text = String::from_utf8_lossy(&body);
                    assert!(violations.is_empty(), "{text}: {violations:?}");
                    self.sent.push(envelope);
                }
                Output::Done { request, result } => {
                    let twice = self.done.insert(request, result);
                    assert!(twice.is_none(), "request {request} finished twice");
                }
                Output::Dropped { step, .. } => self.dropped.push(step),
                Output::Dial { uri, .. } => self.calls.push(format!("dial {uri}")),
                Output::HangUp { dialog } => self.calls.push(format!("hang up {dialog}")),
            }
        }
    }

    fn sign_in(&mut self) {
        let now = self.now();
        self.client.sign_in(now, 0);
        self.drain();
        self.up();
    }

    fn up(&mut self) {
        let now = self.now();
        self.client.dialog_up(now, self.client.dialogs);
        self.drain();
    }

    fn act(&mut self, json: &str) -> u64 {
        let json = json.replace("LOBBY", LOBBY).replace("HALL", HALL);
        self.requests += 1;
        let now = self.now();
        let action = serde_json::from_str(&json).unwrap();
        self.client.act(now, self.requests, action);
        self.drain();
        self.requests
    }

    fn body(&mut self, primitives: &str) {
        let primitives = primitives.replace("LOBBY", LOBBY).replace("HALL", HALL);
        let body = format!(
            r#"<xccos xmlns="urn:parlano:xml:ns:xccos" ver="1" envid="9223372036854775809">{primitives}</xccos>"#
        );
        let now = self.now();
        self.client.info(now, body.as_bytes());
        self.drain();
    }

    /// The last command sent.
    fn command(&self) -> &Element {
        self.sent
            .last()
            .unwrap()
            .primitives()
            .last()
            .unwrap()
            .element
    }

    fn last_id(&self) -> MsgId {
        let last = self.sent.last().unwrap().primitives().last().unwrap();
        last.msg_id().unwrap()
    }

    /// Answers the last command under the reply id that fits.
    fn reply(&mut self, code: u32, data: &str) {
        let id = match self.command().get("id").unwrap() {
            "cmd:bcbydate" => "rpl:bc".to_owned(),
            "cmd:getfutok" | "cmd:getfdtok" => "rpl:getftok".to_owned(),
            id => id.replace("cmd:", "rpl:"),
        };
        let to = self.last_id();
        self.reply_to(to, &id, code, data);
    }

    fn reply_to(&mut self, to: MsgId, id: &str, code: u32, data: &str) {
        let MsgId { envid, seqid } = to;
        self.body(&format!(
            r#"<rpl id="{id}" seqid="1"><commandid seqid="{seqid}" envid="{envid}"/><resp code="{code}">T</resp><data>{data}</data></rpl>"#
        ));
    }

    fn result(&self, request: u64) -> Option<serde_json::Value> {
        self.done.get(&request).map(|r| match r {
            Ok(answer) => serde_json::to_value(answer).unwrap(),
            Err(failure) => serde_json::json!({"error": failure.code, "status": failure.status}),
        })
    }

    fn participants(&self, room: &str) -> String {
        match self.client.room(room) {
            Some(room) if room.joined => room.participants.join(" ").replace("@example.com", ""),
            _ => "out".to_owned(),
        }
    }
}

/// A channel block of the lobby with Alice and Bob in it.
const ROOM: &str = r#"<chanib uri="LOBBY" name="Lobby" description="d"><aib key="3456" value="0, 1"/><aib key="11652" value="0"/></chanib><uib uri="sip:alice@example.com" id="0"/><uib uri="sip:bob@example.com" id="1"/>"#;
