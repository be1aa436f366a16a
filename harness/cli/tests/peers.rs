//! The peers as other programs meet them: recordings, a crash under load, the proxy between foreign
//! processes, faults, the example adapter.

mod common;

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use common::{Mock, Place};
use serde_json::{Value, json};

const LOBBY: &str = "ma-chan://example.com/93489432-b6be-4c67-932f-09e39a162072";

/// A driven client: one JSON object a line.
struct Driver {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    next: u64,
}

impl Driver {
    fn start(mut command: Command) -> Driver {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let to = child.stdin.take().unwrap();
        let from = BufReader::new(child.stdout.take().unwrap());
        Driver {
            child,
            to,
            from,
            next: 1,
        }
    }

    /// Our own client.
    fn own(place: &Place, more: &str) -> Driver {
        Driver::start(place.command(&format!("client --driver --seed 1 {more}")))
    }

    fn ask(&mut self, action: &str, mut parameters: Value) -> u64 {
        let id = self.next;
        self.next += 1;
        parameters["id"] = id.into();
        parameters["do"] = action.into();
        writeln!(self.to, "{parameters}").unwrap();
        id
    }

    /// The next line; none at the end.
    fn line(&mut self) -> Option<Value> {
        let mut line = String::new();
        match self.from.read_line(&mut line) {
            Ok(n) if n > 0 => Some(serde_json::from_str(&line).unwrap()),
            _ => None,
        }
    }

    fn act(&mut self, action: &str, parameters: Value) -> Value {
        let id = self.ask(action, parameters);
        let answer = self.line().unwrap_or_else(|| panic!("{action}: no answer"));
        assert_eq!(answer["id"], id, "{answer}");
        answer
    }

    /// An action that has to go well; its result.
    fn well(&mut self, action: &str, parameters: Value) -> Value {
        let answer = self.act(action, parameters);
        assert_eq!(answer["ok"], true, "{action}: {answer}");
        answer["result"].clone()
    }

    /// Signs in at what a target file describes.
    fn sign_in(&mut self, user: &str, target: &Path) -> Value {
        self.act("sign_in", sign_in(user, target))
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn address(target: &Path) -> String {
    let text = std::fs::read_to_string(target).unwrap();
    let mut parts = text.split('"');
    parts
        .find(|t| t.starts_with("127.0.0.1:"))
        .unwrap()
        .to_owned()
}

fn sign_in(user: &str, target: &Path) -> Value {
    let ca = target.with_file_name("ca.pem");
    json!({
        "user": user, "uri": format!("sip:{user}@example.com"), "name": user, "domain": "example.com",
        "server": address(target), "transport": if ca.exists() { "tls" } else { "tcp" },
        "server_name": "localhost", "ca": ca, "lookup_uri": "sip:ocschat@example.com",
    })
}

fn python() -> bool {
    let found = Command::new("python3").arg("--version").output().is_ok();
    if !found {
        eprintln!("skipped: no python3 here");
    }
    found
}

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(path)
}

#[test]
fn a_recorded_session_is_a_scenario_that_passes() {
    let place = Place::new();
    let mock = Mock::start(&place, "first", "--record session.ndjson");
    {
        let mut alice = Driver::own(&place, "");
        let mut bob = Driver::own(&place, "");
        for (who, name) in [(&mut alice, "alice"), (&mut bob, "bob")] {
            assert_eq!(who.sign_in(name, &mock.target)["ok"], true);
            who.well(
                "join",
                json!({"user": name, "rooms": [LOBBY], "active": true}),
            );
        }
        let text = "with ${dollars}, \"quotes\" & <tags>";
        bob.well("send", json!({"user": "bob", "room": LOBBY, "text": text}));
        alice.well("leave", json!({"user": "alice", "room": LOBBY}));
        alice.well("sign_out", json!({"user": "alice"}));
    }
    mock.end();
    place
        .run("new scenario --from session.ndjson -o again/session.yaml")
        .code(0);
    place
        .run("lint again/session.yaml")
        .code(0)
        .says("0 complaints");
    let text = place.read("again/session.yaml");
    assert!(
        text.contains("$${dollars}") && text.contains("bob-chat"),
        "{text}"
    );
    let mock = Mock::start(&place, "second", "");
    place
        .run(&format!(
            "run --target {} --scenarios again session",
            mock.target.display()
        ))
        .code(0)
        .says("1 passed");
    place.write("empty.ndjson", "");
    place
        .run("new scenario --from empty.ndjson -o again/empty.yaml")
        .code(2);
}

#[test]
fn what_was_acknowledged_outlives_a_kill_under_load() {
    let place = Place::new();
    let mock = Mock::start(&place, "first", "--store state.db");
    let mut senders: Vec<Driver> = Vec::new();
    for name in ["alice", "bob"] {
        let mut driver = Driver::own(&place, "");
        assert_eq!(driver.sign_in(name, &mock.target)["ok"], true);
        driver.well("join", json!({"user": name, "rooms": [LOBBY]}));
        senders.push(driver);
    }
    // Hundreds are on their way when it dies.
    let load: Vec<_> = ["alice", "bob"]
        .into_iter()
        .zip(senders)
        .map(|(name, mut driver)| {
            std::thread::spawn(move || {
                let mut asked = std::collections::HashMap::new();
                for n in 0..300 {
                    let text = format!("{name} {n}");
                    let send = json!({"user": name, "room": LOBBY, "text": text});
                    asked.insert(driver.ask("send", send), text);
                }
                let mut kept = Vec::new();
                while let Some(answer) = driver.line() {
                    if answer["ok"] == true {
                        let id = answer["result"]["chat_id"].as_i64().unwrap();
                        kept.push((id, asked[&answer["id"].as_u64().unwrap()].clone()));
                    } else {
                        break;
                    }
                }
                kept
            })
        })
        .collect();
    let chats = || {
        // Read beside the running mock, as anybody may.
        let size = |name: &str| std::fs::metadata(place.path().join(name)).map_or(0, |m| m.len());
        size("state.db") + size("state.db-wal")
    };
    let before = chats();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while chats() < before + 200_000 && std::time::Instant::now() < deadline {
        std::thread::yield_now();
    }
    // Dropping kills with SIGKILL.
    drop(mock);
    let mut acknowledged: Vec<(i64, String)> =
        load.into_iter().flat_map(|t| t.join().unwrap()).collect();
    acknowledged.sort();
    assert!(acknowledged.len() > 10, "{}", acknowledged.len());

    let mock = Mock::start(&place, "second", "--store state.db");
    let mut alice = Driver::own(&place, "");
    assert_eq!(alice.sign_in("alice", &mock.target)["ok"], true);
    alice.well(
        "join",
        json!({"user": "alice", "rooms": [LOBBY], "active": false}),
    );
    let history = alice.well(
        "history",
        json!({"user": "alice", "room": LOBBY, "count": 900}),
    );
    let kept: Vec<(i64, String)> = history["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| {
            let text = m["text"].as_str().unwrap().to_owned();
            (m["chat_id"].as_i64().unwrap(), text)
        })
        .collect();
    let missing: Vec<_> = acknowledged.iter().filter(|a| !kept.contains(a)).collect();
    assert!(
        missing.is_empty(),
        "lost: {missing:?} of {}, kept {}",
        acknowledged.len(),
        kept.len()
    );
    assert!(kept.windows(2).all(|w| w[0].0 < w[1].0), "ids grow");
    eprintln!("{} acknowledged, {} kept", acknowledged.len(), kept.len());
}

/// What each fault does to a sign-in and a chat, over TLS: `well`, or the error a client gets.
const FAULTS: &[(&str, &str)] = &[
    ("delay:20ms", "well"),
    ("fragment:7", "well"),
    ("duplicate", "well"),
    ("coalesce:2", "well"),
    ("reorder@/2", "well"),
    ("slow:60000", "well"),
    ("no-notify", "well"),
    ("drop@3", "sign_in timeout"),
    ("truncate:100@2", "sign_in disconnected"),
    ("stall:100@4", "sign_in timeout"),
    ("reset@3", "sign_in disconnected"),
    ("close@3", "sign_in disconnected"),
    ("status:503:INFO", "sign_in sip 503"),
    ("status:503:INFO@6+", "send sip 503"),
    ("status:480:INVITE", "sign_in sip 480"),
];

#[test]
fn every_fault_is_felt_and_the_mock_lives() {
    let threads: Vec<_> = FAULTS
        .chunks(5)
        .map(|faults| {
            std::thread::spawn(move || {
                let mut wrong = Vec::new();
                for (fault, expected) in faults {
                    let got = felt(fault, expected);
                    if got != *expected {
                        wrong.push(format!("{fault}: expected {expected}, got {got}"));
                    }
                }
                wrong
            })
        })
        .collect();
    let wrong: Vec<String> = threads
        .into_iter()
        .flat_map(|t| t.join().unwrap())
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Signs in, joins and chats with a mock that has this fault. Who waits in vain waits a tenth of the time.
fn felt(fault: &str, expected: &str) -> String {
    let place = Place::new();
    let mock = Mock::start(&place, "faulty", &format!("--fault {fault}"));
    let mut driver = Driver::own(&place, "");
    let mut first = sign_in("alice", &mock.target);
    let scale = if expected.contains("timeout") {
        0.1
    } else {
        1.0
    };
    first["time_scale"] = scale.into();
    let steps = [
        ("sign_in", first),
        ("join", json!({"user": "alice", "rooms": [LOBBY]})),
        (
            "send",
            json!({"user": "alice", "room": LOBBY, "text": "hello"}),
        ),
    ];
    let mut out = "well".to_owned();
    for (action, parameters) in steps {
        let answer = driver.act(action, parameters);
        if answer["ok"] != true {
            let error = &answer["error"];
            let status = error["status"].as_u64().map(|s| format!(" {s}"));
            let code = error["code"].as_str().unwrap_or("?");
            out = format!("{action} {code}{}", status.unwrap_or_default());
            break;
        }
    }
    drop(driver);
    let (code, printed) = mock.end();
    assert_eq!(code, 0, "{fault}: {printed}");
    // What the network does to our messages is no fault of the client; that it waits a tenth of the
    // time for what never comes is.
    let hasty = out.contains("timeout");
    assert!(
        hasty || printed.contains(" 0 violations"),
        "{fault}: {printed}"
    );
    out
}

#[test]
fn a_server_under_load_says_so() {
    let place = Place::new();
    let mock = Mock::start(&place, "slow", "--processing 300ms --max-pending 5");
    let mut driver = Driver::own(&place, "");
    assert_eq!(driver.sign_in("alice", &mock.target)["ok"], true);
    for _ in 0..12 {
        driver.ask("search_rooms", json!({"user": "alice", "text": ""}));
    }
    let answers: Vec<Value> = (0..12).map(|_| driver.line().unwrap()).collect();
    let (well, refused): (Vec<&Value>, Vec<&Value>) = answers.iter().partition(|a| a["ok"] == true);
    assert!(!well.is_empty() && refused.len() >= 7, "{answers:?}");
    for answer in refused {
        assert_eq!(answer["error"]["status"], 503, "{answer}");
    }
    drop(driver);
    let (code, printed) = mock.end();
    assert_eq!(code, 0, "{printed}");
    for busy in ["INFO sys:status", "503 Service Unavailable (INFO)"] {
        assert!(printed.contains(busy), "{busy}:\n{printed}");
    }
}

#[test]
fn what_follows_over_https_is_seen_and_judged() {
    let place = Place::new();
    let mock = Mock::start(&place, "web", "--web 127.0.0.1:0");
    let mut alice = Driver::own(&place, "");
    assert_eq!(alice.sign_in("alice", &mock.target)["ok"], true);
    alice.well("join", json!({"user": "alice", "rooms": [LOBBY]}));
    let file = json!({"user": "alice", "room": LOBBY, "file": "a b&c.txt", "direction": "upload", "transfer": true, "content": "grüße"});
    let up = alice.well("file_token", file.clone());
    assert_eq!(up["status"], 201);
    let mut download = file.clone();
    download["file"] = up["file_url"].clone();
    download["direction"] = "download".into();
    let got = alice.well("file_token", download.clone());
    assert_eq!(
        (&got["status"], &got["content"]),
        (&json!(200), &json!("grüße"))
    );
    download["file"] = "nobody.txt".into();
    assert_eq!(alice.well("file_token", download)["status"], 404);
    let page = json!({"user": "alice", "room": LOBBY, "lang": "en-US", "open": true});
    assert_eq!(alice.well("room_management_url", page)["status"], 200);
    // One more token, and nothing follows.
    let mut forgotten = file;
    forgotten["transfer"] = false.into();
    forgotten["file"] = "forgotten.txt".into();
    assert!(alice.well("file_token", forgotten)["token"].is_string());
    drop(alice);
    let (code, printed) = mock.end();
    assert_eq!(code, 0, "{printed}");
    let unused = "forgotten.txt/\" and never used it";
    for seen in [
        unused,
        "GET /PersistentChat/RM/ 200",
        "PUT /PersistentChat/files 201",
    ] {
        assert!(printed.contains(seen), "{seen}:\n{printed}");
    }
    assert!(!printed.contains("OCGCWEB"), "{printed}");
}

#[test]
fn two_foreign_processes_through_two_proxies_over_tls() {
    if !python() {
        return;
    }
    let place = Place::new();
    let ca = sip::net::ca::Ca::ephemeral("foreign").unwrap();
    let identity = ca.server(&["localhost", "127.0.0.1"]).unwrap();
    for (name, pem) in [("cert.pem", &identity.cert), ("key.pem", &identity.key)] {
        let sip::net::Pem::Text(text) = pem else {
            panic!("{name} is no text")
        };
        place.write(name, text);
    }
    place.write("server-ca.pem", ca.pem());
    let mut server = Command::new("python3")
        .arg(repository("fixtures/second-peer/server.py"))
        .args(["--cert", "cert.pem", "--key", "key.pem", "--compact"])
        .args(["--fragment", "50"])
        .current_dir(place.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(server.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let port = line.split_whitespace().nth(1).unwrap().to_owned();

    let proxy = |name: &str, to: &str, ca: &str| {
        let port = free_port();
        let mut command = place.command(&format!(
            "proxy --listen 127.0.0.1:{port} --to {to} --ca {ca} --server-name localhost \
             --write-ca {name}.pem --record {name}.ndjson"
        ));
        let child = command.stderr(Stdio::piped()).spawn().unwrap();
        common::wait_for(port);
        (child, format!("127.0.0.1:{port}"))
    };
    let (mut inner, to) = proxy("inner", &format!("127.0.0.1:{port}"), "server-ca.pem");
    let (mut outer, to) = proxy("outer", &to, "inner.pem");
    let mut command = Command::new("python3");
    command
        .arg(repository("fixtures/second-peer/client.py"))
        .args(["--prefix", "--compact", "--eager"]);
    let mut client = Driver::start(command);
    client.well(
        "sign_in",
        json!({
            "user": "alice", "uri": "sip:alice@example.com", "name": "Alice", "domain": "example.com",
            "server": to, "transport": "tls", "server_name": "localhost",
            "ca": place.path().join("outer.pem"), "lookup_uri": "sip:ocschat@example.com",
        }),
    );
    client.well(
        "join",
        json!({"user": "alice", "rooms": [LOBBY], "active": true}),
    );
    let sent = json!({"user": "alice", "room": LOBBY, "text": "grüße & <more>"});
    client.well("send", sent);
    client.well("sign_out", json!({"user": "alice"}));
    drop(client);
    let mut printed = String::new();
    for proxy in [&mut outer, &mut inner] {
        let _ = Command::new("kill").arg(proxy.id().to_string()).status();
        let _ = proxy.wait();
        let mut all = String::new();
        let mut stderr = proxy.stderr.take().unwrap();
        std::io::Read::read_to_string(&mut stderr, &mut all).unwrap();
        printed.push_str(&all);
    }
    let _ = server.kill();
    let _ = server.wait();
    for judged in ["→ INFO grpchat  accepted", "← INFO grpchat  accepted"] {
        assert!(printed.contains(judged), "{judged}:\n{printed}");
    }
    assert_eq!(printed.matches(" 0 violations").count(), 2, "{printed}");
    // Whatever the inner one sees has passed the outer one: not a byte was added, lost or changed.
    let (outer, inner) = (bytes(&place, "outer.ndjson"), bytes(&place, "inner.ndjson"));
    assert!(outer.0.len() > 2000 && outer.1.len() > 2000);
    assert!(outer == inner, "the recordings differ:\n{printed}");
}

/// Everything a recording shows, by sender.
fn bytes(place: &Place, name: &str) -> (Vec<u8>, Vec<u8>) {
    let text = place.read(name);
    let reading = trace::read::read_bytes(name, text.as_bytes()).unwrap();
    let mut out = (Vec::new(), Vec::new());
    for event in reading.trace.events() {
        if let trace::Kind::Message { from, bytes, .. } | trace::Kind::Garbage { from, bytes, .. } =
            &event.kind
        {
            match from {
                trace::Seat::Client => out.0.extend_from_slice(bytes),
                trace::Seat::Server => out.1.extend_from_slice(bytes),
            }
        }
    }
    out
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

#[test]
fn the_example_adapter_speaks_the_lines() {
    if !python() {
        return;
    }
    let script = repository("docs/examples/adapter.py");
    let mut command = Command::new("python3");
    command.arg(&script);
    let mut adapter = Driver::start(command);
    for (action, code) in [
        ("sign_in", "unsupported"),
        ("join", "unsupported"),
        ("frobnicate", "unsupported"),
    ] {
        let parameters = json!({"user": "alice", "uri": "sip:alice@example.com", "server": "127.0.0.1:9", "rooms": [LOBBY]});
        let answer = adapter.act(action, parameters);
        assert_eq!(answer["error"]["code"], code, "{answer}");
    }
    // A wrong call is an answer as well, not the end.
    let answer = adapter.act("sign_in", json!({"user": "alice"}));
    assert_eq!(answer["error"]["code"], "failed", "{answer}");

    // What it does not do yet is skipped, and a skip is no pass.
    let place = Place::new();
    place
        .run("new target --implements client -o client.yaml")
        .code(0);
    let driver = format!("\"python3\", {:?}", script.display().to_string());
    let text = place.read("client.yaml").replace("\"./adapter\"", &driver);
    place.write("client.yaml", text);
    let run = place.run("run --target client.yaml client/join/join --time-scale 0.1");
    run.code(4).says("1 skipped");
}
