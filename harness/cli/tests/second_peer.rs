//! The suites against peers that share no line with Parlance (fixtures/second-peer, Python).
//!
//! What is conformant, however unusual, raises nothing; what is broken is named. Without python3 these
//! tests say so and pass.

mod common;

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use common::{Place, Ran};

const WORLD: &str = r#"
domain: example.com
lookup_uri: sip:ocschat@example.com
users:
  alice:   { uri: sip:alice@example.com, name: Alice, guid: 93109AFC-D91D-45A1-96F4-6DCBBB31B640 }
  bob:     { uri: sip:bob@example.com, name: Bob, guid: E0F5F93A-1496-43E5-BCDB-011E6FA3189D }
  mallory: { uri: sip:mallory@example.com, name: Mallory, guid: 06C87F9C-56EA-4280-B5DF-9C4E835022BC }
rooms:
  lobby:      { uri: ma-chan://example.com/93489432-b6be-4c67-932f-09e39a162072, name: Lobby, members: [alice, bob], managers: [alice] }
  auditorium: { uri: ma-chan://example.com/6e43547f-9152-46e3-ad76-82197694fdb9, name: Town Hall, behavior: AUDITORIUM, members: [alice, bob], presenters: [alice] }
  vault:      { uri: ma-chan://example.com/2a1a367c-5c14-4215-b5ae-d04eacb3b203, name: Vault, visibility: PRIVATE, members: [alice] }
categories:
  root: { uri: ma-cat://example.com/2642ebba-f56a-4891-9b92-3991eb865c92, name: Root }
"#;

fn script(name: &str) -> PathBuf {
    [
        env!("CARGO_MANIFEST_DIR"),
        "..",
        "..",
        "fixtures",
        "second-peer",
        name,
    ]
    .iter()
    .collect()
}

fn python() -> bool {
    let found = Command::new("python3")
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|s| s.success());
    if !found {
        eprintln!("skipped: no python3 here");
    }
    found
}

/// The Python server on a free port, ended when dropped.
struct Second(Child);

impl Second {
    /// Starts it with these switches and writes `target.yaml` for it.
    fn start(place: &Place, switches: &str) -> Second {
        let mut child = Command::new("python3")
            .arg(script("server.py"))
            .args(switches.split_whitespace())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let port = line.split_whitespace().nth(1).unwrap();
        place.write(
            "target.yaml",
            format!("name: second\nimplements: server\ntransport: {{ protocol: tcp, address: \"127.0.0.1:{port}\" }}{WORLD}"),
        );
        Second(child)
    }
}

impl Drop for Second {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn against_server(switches: &str, select: &str) -> Ran {
    let place = Place::new();
    let _server = Second::start(&place, switches);
    place.run(&format!(
        "run --target target.yaml --report report {select}"
    ))
}

#[test]
fn a_conformant_but_unusual_server_raises_nothing() {
    if !python() {
        return;
    }
    for switches in [
        "",
        "--prefix --compact --apart",
        "--fragment 1",
        "--apart --delay 0.02",
    ] {
        let ran = against_server(switches, "");
        ran.code(0);
        let violated = ran.err.lines().any(|l| l.contains('✗'));
        assert!(!violated, "{switches}:\n{}", ran.err);
    }
}

/// A defect of the Python server, the requirement to be named, and where it is met.
const DEFECTS: &[(&str, &str, &str)] = &[
    ("no-aib", "XCCOSIP-3.2.4.5-12", "server/join/join"),
    ("join-anyone", "XCCOSIP-3.2.4.5-05", "server/join/refused"),
    ("echo-lost", "XCCOSIP-3.2.6.5-11", "server/chat/fan-out"),
    (
        "fan-out-to-all",
        "XCCOSIP-3.2.6.5-11",
        "server/chat/fan-out",
    ),
    (
        "no-originating",
        "XCCOSIP-3.2.6.5-12",
        "server/chat/fan-out",
    ),
    ("all-server-info", "XCCOSIP-3.2.2.5-02", "server/info"),
    (
        "history-too-long",
        "XCCOSIP-3.2.5.5-06",
        "server/history/backchat",
    ),
    (
        "no-chperms",
        "XCCOSIP-3.2.7.5-14",
        "server/rooms/permissions",
    ),
    (
        "private-leaks",
        "XCCOSIP-2.2.2.1.7.2.2-05",
        "server/rooms/search",
    ),
];

#[test]
fn what_is_broken_in_a_foreign_server_is_named() {
    if !python() {
        return;
    }
    let mut missed = Vec::new();
    for (defect, id, select) in DEFECTS {
        let ran = against_server(&format!("--defect {defect}"), select);
        if ran.code != 1 || !ran.err.contains(&format!("violation[{id}]")) {
            let named: Vec<_> = ran
                .err
                .lines()
                .filter(|l| l.contains("violation["))
                .collect();
            missed.push(format!(
                "{defect}: exit {}, wanted {id}, got {named:#?}",
                ran.code
            ));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[test]
fn a_conformant_but_unusual_client_raises_nothing() {
    if !python() {
        return;
    }
    let place = Place::new();
    let script = script("client.py");
    place.write(
        "target.yaml",
        format!(
            "name: second\nimplements: client\n{WORLD}driver: {{ command: [python3, {:?}, --prefix, --compact, --eager] }}\n",
            script.display()
        ),
    );
    // Not those that wait for the client's own timers, in real time.
    let ran = place.run(
        "run --target target.yaml --report report client/join client/sign-in client/chat/receive client/notices client/search client/history client/files client/transactions/schema",
    );
    ran.code(0);
    assert!(!ran.err.contains('✗'), "{}", ran.err);
}
