//! The error messages themselves: what is said, where it points, and the exit code.

mod common;

use std::fmt::Write as _;

use common::Place;

/// Name, files, command line.
type Case = (
    &'static str,
    &'static [(&'static str, &'static str)],
    &'static str,
);

const TARGET: &str = "\
name: t
implements: server
transport: { protocol: tcp, address: 127.0.0.1:1 }
domain: example.com
users:
  alice: { uri: sip:alice@example.com }
";

const CASES: &[Case] = &[
    // Flags.
    ("flag-unknown", &[], "run --seeed 5"),
    ("flag-no-number", &[], "run --seed five"),
    ("flag-shard", &[], "run --shard 3/2"),
    ("flag-shard-form", &[], "run --shard half"),
    ("flag-time-scale", &[], "run --time-scale 0"),
    ("flag-timeout", &[], "run --timeout soon"),
    ("flag-percent", &[], "run --min-coverage 120"),
    ("flag-listen", &[], "mock --listen 5061"),
    ("flag-fault", &[], "mock --fault delay:fast"),
    ("flag-fault-unknown", &[], "mock --fault explode"),
    ("flag-cert-without-key", &[], "mock --cert a.pem"),
    ("flag-command", &[], "runn"),
    ("flag-no-command", &[], ""),
    ("flag-driver", &[], "client"),
    (
        "flag-defect-and-target",
        &[("t.yaml", TARGET)],
        "run --target t.yaml --defect x",
    ),
    (
        "defect-unknown",
        &[],
        "run --defect server/chat-without-nam",
    ),
    ("defect-unknown-mock", &[], "mock --defect nonsense"),
    // Selection.
    ("select-unknown", &[], "run server/jion"),
    ("select-nothing", &[], "run --tag no-such-tag"),
    ("filter-word", &[], "run --filter tg(join)"),
    ("filter-open", &[], "run --filter tag(join"),
    ("filter-end", &[], "run --filter tag(join)tag(x)"),
    ("last-failed-without-run", &[], "run --last-failed"),
    ("list-requirement-unknown", &[], "list requirements 9.9.9"),
    ("explain-unknown", &[], "explain XCCOSIP-3.2.3.5-99"),
    (
        "explain-defect-near",
        &[],
        "explain server/chat-without-nam",
    ),
    // Target files.
    ("target-missing", &[], "run --target nowhere.yaml"),
    (
        "target-key",
        &[("t.yaml", "name: t\nimplements: server\ntransprot: {}\n")],
        "run --target t.yaml",
    ),
    ("target-empty", &[("t.yaml", "")], "run --target t.yaml"),
    (
        "target-syntax",
        &[("t.yaml", "name: [t\nimplements: server\n")],
        "run --target t.yaml",
    ),
    (
        "target-address",
        &[(
            "t.yaml",
            "name: t\nimplements: server\ntransport: { protocol: tcp, address: here }\ndomain: example.com\n",
        )],
        "run --target t.yaml",
    ),
    (
        "target-protocol",
        &[(
            "t.yaml",
            "name: t\nimplements: server\ntransport: { protocol: udp, address: 127.0.0.1:1 }\ndomain: example.com\n",
        )],
        "run --target t.yaml",
    ),
    (
        "target-member",
        &[(
            "t.yaml",
            "name: t\nimplements: server\ntransport: { protocol: tcp, address: 127.0.0.1:1 }\ndomain: example.com\nusers:\n  alice: { uri: sip:alice@example.com }\nrooms:\n  lobby: { uri: \"ma-chan://example.com/93489432-b6be-4c67-932f-09e39a162072\", members: [alise] }\n",
        )],
        "run --target t.yaml",
    ),
    (
        "target-ca-missing",
        &[(
            "t.yaml",
            "name: t\nimplements: server\ntransport: { protocol: tls, address: 127.0.0.1:1, ca: nowhere.pem }\ndomain: example.com\nusers:\n  alice: { uri: sip:alice@example.com }\n",
        )],
        "run --target t.yaml server/info",
    ),
    (
        "target-waiver",
        &[(
            "t.yaml",
            "name: t\nimplements: server\ntransport: { protocol: tcp, address: 127.0.0.1:1 }\ndomain: example.com\nwaivers:\n  - { requirement: XCCOSIP-1.4-01, reason: \"\" }\n",
        )],
        "run --target t.yaml",
    ),
    (
        "target-seat",
        &[("t.yaml", TARGET)],
        "run --target t.yaml --seat server",
    ),
    (
        "baseline-form",
        &[("b.yaml", "requirement: X\n")],
        "run --baseline b.yaml",
    ),
    (
        "baseline-day",
        &[(
            "b.yaml",
            "- { requirement: X, reason: bug, until: 31.1.2027 }\n",
        )],
        "run --baseline b.yaml",
    ),
    // Worlds.
    ("world-missing", &[], "mock --world nowhere.yaml"),
    (
        "world-key",
        &[("w.yaml", "domain: example.com\nroms: {}\n")],
        "mock --world w.yaml",
    ),
    (
        "world-member",
        &[(
            "w.yaml",
            "domain: example.com\nusers:\n  alice: { uri: sip:alice@example.com }\nrooms:\n  lobby: { uri: \"ma-chan://example.com/93489432-b6be-4c67-932f-09e39a162072\", members: [alcie] }\n",
        )],
        "mock --world w.yaml",
    ),
    (
        "world-domain",
        &[("w.yaml", "domain: \"no domain\"\n")],
        "mock --world w.yaml",
    ),
    // Scenarios.
    (
        "scenario-key",
        &[("s.yaml", "title: x\ntarget: server\nstep: []\n")],
        "run s.yaml",
    ),
    (
        "scenario-syntax",
        &[("s.yaml", "title: x\n\tsteps: []\n")],
        "lint s.yaml",
    ),
    (
        "scenario-action",
        &[(
            "s.yaml",
            "title: x\ntarget: server\nneeds: { users: [alice] }\nendpoints: { alice: { user: alice } }\nsteps:\n  - sned: { from: alice }\n",
        )],
        "lint s.yaml",
    ),
    (
        "scenario-endpoint",
        &[(
            "s.yaml",
            "title: x\ntarget: server\nneeds: { users: [alice] }\nendpoints: { alice: { user: alice } }\nsteps:\n  - hang_up: alicia\n",
        )],
        "lint s.yaml",
    ),
    (
        "scenario-template",
        &[(
            "s.yaml",
            "title: x\ntarget: server\nsteps:\n  - use: common/opne\n",
        )],
        "lint s.yaml",
    ),
    ("scenario-dir", &[], "run --scenarios nowhere"),
    ("lint-missing", &[], "lint nowhere.yaml"),
    // Schemas and documents.
    (
        "xsd-missing",
        &[("a.xml", "<a/>")],
        "validate --schema nowhere.xsd a.xml",
    ),
    (
        "xsd-no-schema",
        &[("a.xsd", "<a/>"), ("a.xml", "<a/>")],
        "validate --schema a.xsd a.xml",
    ),
    (
        "xsd-type",
        &[
            (
                "a.xsd",
                "<xs:schema xmlns:xs=\"http://www.w3.org/2001/XMLSchema\">\n  <xs:element name=\"a\" type=\"b\"/>\n</xs:schema>",
            ),
            ("a.xml", "<a/>"),
        ],
        "validate --schema a.xsd a.xml",
    ),
    ("xml-missing", &[], "validate nowhere.xml"),
    (
        "xml-malformed",
        &[("a.xml", "<xccos>\n  <cmd></xccos>")],
        "validate a.xml",
    ),
    (
        "xml-doctype",
        &[("a.xml", "<!DOCTYPE a [<!ENTITY b \"c\">]>\n<a>&b;</a>")],
        "validate a.xml",
    ),
    (
        "xml-invalid",
        &[(
            "a.xml",
            "<xccos xmlns=\"urn:parlano:xml:ns:xccos\" ver=\"1\" envid=\"1\"><cmd id=\"cmd:join\"><data/></cmd></xccos>",
        )],
        "validate a.xml",
    ),
    ("validate-nothing", &[], "validate"),
    // Reports.
    ("report-missing", &[], "report render nowhere"),
    (
        "report-broken",
        &[("r/events.ndjson", "{\"run-started\": 1}\n")],
        "report render r",
    ),
    // The environment.
    (
        "refused",
        &[("t.yaml", TARGET)],
        "run --target t.yaml server/info --seed 1 -q",
    ),
    (
        "report-dir-is-a-file",
        &[("f", "x")],
        "run server/info --report f",
    ),
    (
        "record-nowhere",
        &[],
        "mock --listen 127.0.0.1:0 --record no/such/dir/t.ndjson",
    ),
    (
        "key-is-no-key",
        &[("c.pem", "x"), ("k.pem", "y")],
        "mock --listen 127.0.0.1:0 --cert c.pem --key k.pem",
    ),
    ("new-exists", &[("target.yaml", "x")], "new target"),
    ("man-unknown", &[], "man nothing"),
];

#[test]
fn every_message_is_as_accepted() {
    let mut all = String::new();
    let mut names = std::collections::HashSet::new();
    for (name, files, line) in CASES {
        assert!(names.insert(name), "{name} twice");
        let place = Place::new();
        for (file, text) in *files {
            place.write(file, text);
        }
        let ran = place.run(line);
        let text = format!("{}{}", ran.out, ran.err)
            .replace(&place.path().display().to_string(), "DIR")
            .lines()
            .map(str::trim_end)
            .collect::<Vec<_>>()
            .join("\n");
        let _ = writeln!(
            all,
            "=== {name}\n$ parlance {line}\n{}\nexit code {}\n",
            mask(&text),
            ran.code
        );
        assert!(
            matches!(ran.code, 1..=5),
            "{name}: exit code {}\n{text}",
            ran.code
        );
    }
    insta::assert_snapshot!("wrong_inputs", all);
}

/// Times and counts that differ from run to run.
fn mask(text: &str) -> String {
    let mut out = String::new();
    // How many there are is no part of the message.
    let text = match text.split_once("is selected, of ") {
        Some((before, after)) => format!(
            "{before}is selected, of N{}",
            after.trim_start_matches(|c: char| c.is_ascii_digit())
        ),
        None => text.to_owned(),
    };
    for line in text.lines() {
        let line = match (line.find("[ "), line.find("s]")) {
            (Some(a), Some(b)) if a < b => format!("{}[TIME]{}", &line[..a], &line[b + 2..]),
            _ => line.to_owned(),
        };
        if line.starts_with("requirements ") || line.contains(" observable MUST ") {
            continue;
        }
        let _ = writeln!(out, "{line}");
    }
    out
}
