//! Every row of the upper-tester table, by the reference client, against our own server and under our own rules.

use std::sync::{Arc, Mutex};

use judge::{Finding, Verdict};
use serde_json::{Value, json};
use trace::{Event, Seat};
use xccos::server::{Options as ServerOptions, Server};
use xccos::world::World;

use super::*;
use crate::mock::chat::Chat;
use crate::mock::{Mock, Setup};
use crate::recorder::Observer;

const LOBBY: &str = "ma-chan://example.com/93489432-b6be-4c67-932f-09e39a162072";
const HALL: &str = "ma-chan://example.com/6e43547f-9152-46e3-ad76-82197694fdb9";
const VAULT: &str = "ma-chan://example.com/2a1a367c-5c14-4215-b5ae-d04eacb3b203";

type Found = Arc<Mutex<Vec<String>>>;

struct Notebook(Found);

impl Notebook {
    fn note(&self, findings: &[Finding]) {
        let bad = findings
            .iter()
            .filter(|f| matches!(f.verdict, Verdict::Fail | Verdict::Warn));
        let mut found = self.0.lock().unwrap();
        found.extend(bad.map(|f| format!("{} {}", f.requirement, f.message)));
    }
}

impl Observer for Notebook {
    fn event(&mut self, _: &Event, findings: &[Finding]) {
        self.note(findings);
    }

    fn end(&mut self, findings: &[Finding]) {
        self.note(findings);
    }
}

/// A client of a fresh server, and what the rules found in it.
fn stage(faults: Vec<xccos::client::faults::Fault>) -> (Reference, Mock, Found) {
    let found = Found::default();
    let rules = xccos::rules::Setup::live(xccos::rules::Target::Seat(Seat::Client));
    let options = ServerOptions {
        strict: true,
        ..ServerOptions::default()
    };
    let mock = Mock::start(Setup {
        config: sip::agent::Config::server(sip::agent::Transport::Tcp, "server.invalid", 5060),
        seed: 3,
        wall: jiff::Timestamp::constant(1_790_000_000, 0),
        faults: Vec::new(),
        carriage: Vec::new(),
        model: Box::new(Chat::new(Server::new(World::sample(), options))),
        monitor: Some(Box::new(xccos::rules::Monitor::new(rules))),
        observers: vec![Box::new(Notebook(found.clone()))],
    });
    let pipes = mock.clone();
    let options = Options {
        wall: jiff::Timestamp::constant(1_790_000_000, 0),
        faults,
        ..Options::default()
    };
    let reference = Reference::new(options, move |_| {
        let (ours, theirs) = sip::net::memory(1 << 20);
        pipes.attach(theirs);
        Ok(ours)
    });
    (reference, mock, found)
}

async fn sign_in(driver: &Reference, id: u64, user: &str) -> Value {
    let params = json!({"user": user, "uri": format!("sip:{user}@example.com"), "name": user,
        "server": "x", "transport": "tcp", "lookup_uri": "sip:ocschat@example.com"});
    driver
        .call(Request::new(id, "sign_in", params))
        .await
        .to_json()
}

#[tokio::test(start_paused = true)]
async fn every_row_of_the_table_works_and_breaks_no_rule() {
    let (driver, mock, found) = stage(Vec::new());
    for (id, user) in [(1, "alice"), (2, "bob")] {
        let response = sign_in(&driver, id, user).await;
        assert_eq!(
            response["result"]["server_uri"], "sip:chat01@example.com",
            "{response}"
        );
    }
    let rows = [
        (
            "alice",
            "join",
            json!({"rooms": [LOBBY]}),
            "/rooms/0/name",
            json!("Lobby"),
        ),
        (
            "bob",
            "join",
            json!({"rooms": [LOBBY, HALL, VAULT], "active": false}),
            "/failed/0",
            json!(VAULT),
        ),
        (
            "alice",
            "participants",
            json!({"room": LOBBY}),
            "/participants/1",
            json!("sip:bob@example.com"),
        ),
        (
            "alice",
            "send",
            json!({"room": LOBBY, "text": "maybe <tomorrow>", "alert": true}),
            "/chat_id",
            json!(1),
        ),
        (
            "bob",
            "last_message_id",
            json!({"room": LOBBY}),
            "/last_message_id",
            json!(1),
        ),
        (
            "bob",
            "received",
            json!({}),
            "/messages/0/text",
            json!("maybe <tomorrow>"),
        ),
        (
            "bob",
            "history",
            json!({"room": LOBBY, "count": 5}),
            "/messages/0/author",
            json!("sip:alice@example.com"),
        ),
        (
            "bob",
            "search_messages",
            json!({"rooms": [LOBBY], "words": ["may"]}),
            "/messages/0/chat_id",
            json!(1),
        ),
        (
            "bob",
            "search_messages",
            json!({"rooms": [LOBBY, HALL], "words": ["nothing"]}),
            "/more",
            json!(false),
        ),
        (
            "bob",
            "search_rooms",
            json!({"text": "Lob"}),
            "/rooms/0/uri",
            json!(LOBBY),
        ),
        (
            "alice",
            "invitations",
            json!({}),
            "/invitations",
            json!(null),
        ),
        (
            "alice",
            "associations",
            json!({"type": "MANAGER"}),
            "/rooms/0/uri",
            json!(LOBBY),
        ),
        (
            "alice",
            "room_details",
            json!({"room": LOBBY}),
            "/found",
            json!(true),
        ),
        (
            "bob",
            "room_details",
            json!({"room": "ma-chan://example.com/00000000-0000-4000-8000-000000000000"}),
            "/found",
            json!(false),
        ),
        (
            "alice",
            "room_permissions",
            json!({"room": LOBBY}),
            "/chperms",
            json!(null),
        ),
        (
            "alice",
            "modify_room",
            json!({"room": LOBBY, "description": "New"}),
            "/room/description",
            json!("New"),
        ),
        (
            "alice",
            "file_token",
            json!({"room": LOBBY, "file": "a.txt", "direction": "upload"}),
            "/token",
            json!(null),
        ),
        ("alice", "preferences", json!({}), "/channels", json!(null)),
        (
            "alice",
            "room_management_url",
            json!({"room": LOBBY, "lang": "de-DE"}),
            "/url",
            json!(
                "https://rooms.example.com/PersistentChat/RM/?clientlang=de-DE&id=93489432-b6be-4c67-932f-09e39a162072"
            ),
        ),
        ("bob", "leave", json!({"room": LOBBY}), "", json!({})),
        (
            "bob",
            "send",
            json!({"room": LOBBY, "text": "x"}),
            "code",
            json!("not_joined"),
        ),
        (
            "bob",
            "send",
            json!({"room": HALL, "text": "x"}),
            "code",
            json!("failed"),
        ),
        (
            "alice",
            "participants",
            json!({"room": LOBBY}),
            "/participants/1",
            json!(null),
        ),
        ("bob", "sign_out", json!({}), "", json!({})),
    ];
    for (id, (user, verb, mut params, at, expect)) in (10..).zip(rows) {
        params["user"] = user.into();
        let response = driver.call(Request::new(id, verb, params)).await;
        match (&response.result, at) {
            (Err(refusal), "code") => assert_eq!(expect, refusal.code, "{verb}: {refusal:?}"),
            (Ok(result), at) => {
                let got = result.pointer(at);
                // Null: whatever the world says, or nothing.
                let fits = expect.is_null() || got == Some(&expect);
                assert!(fits, "{verb} {at}: {result} wanted {expect}");
            }
            (Err(refusal), _) => panic!("{verb}: {refusal:?}"),
        }
    }
    driver.close().await;
    mock.stop().await;
    let found = found.lock().unwrap();
    assert!(found.is_empty(), "{found:#?}");
}

/// Some defects of the client as the rules see them; the whole library is the kill matrix's business.
#[tokio::test(start_paused = true)]
async fn defects_are_found_in_the_reference_client() {
    let (mut caught, mut missed) = (0, Vec::new());
    for id in [
        "client/serverinfo-no-sib",
        "client/join-two-chanid",
        "client/history-no-cnt",
        "client/envid-constant",
        "client/seqid-repeated",
        "client/ver-2",
        "client/chat-no-ts",
        "client/getinv-from-1",
    ] {
        let entry = xccos::client::defects::get(id).unwrap();
        let (driver, mock, found) = stage(entry.faults.to_vec());
        if sign_in(&driver, 1, "alice").await["ok"] == true {
            for (n, verb, params) in [
                (2, "join", json!({"rooms": [LOBBY]})),
                (3, "send", json!({"room": LOBBY, "text": "x"})),
                (4, "invitations", json!({})),
            ] {
                driver.call(Request::new(n, verb, params)).await;
            }
        }
        driver.close().await;
        mock.stop().await;
        let found = found.lock().unwrap();
        let named = |f: &&String| {
            [entry.requirement]
                .iter()
                .chain(entry.also)
                .any(|id| f.starts_with(&format!("{id} ")))
        };
        match found.iter().find(named) {
            Some(_) => caught += 1,
            None => missed.push(format!("{id}: {found:?}")),
        }
    }
    assert!(missed.is_empty(), "{caught} caught, missed: {missed:#?}");
}
