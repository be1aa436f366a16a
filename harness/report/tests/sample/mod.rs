//! A made-up run with one scenario of every kind, and hostile bytes in many places.
#![allow(dead_code)]

use judge::{
    Blame, Catalogue, Finding, Level, Observable, Outcome, Place, Requirement, RequirementResult,
    Role, RunEvent, RunInfo, ScenarioInfo, SnapshotState, Status, Summary, Verdict,
};
use trace::{Event, Intent, Kind, Seat};

/// Text that must never get out of its quotes in any report.
pub const HOSTILE: &str = "</script><script>window.pwned=1</script><img src=x onerror=window.pwned=1>]]>&\"'\u{1b}[31m\u{202e}\n::error::pwned\n</svg>";

pub fn catalogue() -> Catalogue {
    let entry = |id: &str, section: &str, level, statement: &str| Requirement {
        id: id.into(),
        section: section.into(),
        role: Role::Server,
        sender: None,
        level,
        statement: statement.into(),
        observable: Observable::Wire,
        conflicts: Vec::new(),
        checked_by: vec!["rule:reply".into()],
    };
    let mut all = vec![
        entry(
            "XCCOSIP-3.2.3.5-06",
            "3.2.3.5",
            Level::Must,
            "The reply to a join names the same envelope and sequence number as the command it answers.",
        ),
        entry(
            "XCCOSIP-3.2.6.5-11",
            "3.2.6.5",
            Level::MustNot,
            "A chat is not delivered to an endpoint that has not joined the room.",
        ),
        entry(
            "XCCOSIP-3.2.2-03",
            "3.2.2",
            Level::Should,
            "The server answers a command within ten seconds.",
        ),
        entry(
            "XCCOSIP-2.2.1-01",
            "2.2.1",
            Level::Must,
            "Every XCCOS document is the body of an INFO request.",
        ),
    ];
    all[1].conflicts = vec!["XC-17".into()];
    for section in 1..=20 {
        for n in 1..=5 {
            let mut more = entry(
                &format!("XCCOSIP-3.1.{section}-{n:02}"),
                &format!("3.1.{section}"),
                Level::Must,
                "A statement that this run did not look at.",
            );
            more.observable = if n == 5 {
                Observable::Internal
            } else {
                Observable::Wire
            };
            all.push(more);
        }
    }
    Catalogue::new(all).expect("ids are unique")
}

pub struct Stream {
    pub events: Vec<RunEvent>,
    summary: Summary,
    selected: u32,
}

pub fn info() -> RunInfo {
    RunInfo {
        version: "0.1.0".into(),
        seed: 7,
        seat: Seat::Client,
        profile: "interop".into(),
        target: "contoso-chat".into(),
        started: "2026-11-21T00:00:00Z".into(),
        command: ["parlance", "run", "--target", "my target.yaml"]
            .map(str::to_owned)
            .into(),
        strict: false,
    }
}

pub fn scenario(id: &str, title: &str) -> ScenarioInfo {
    ScenarioInfo {
        id: id.into(),
        title: title.into(),
        file: format!("scenarios/{id}.yaml"),
        line: 2,
        seat: Seat::Client,
        tags: vec!["chat".into()],
        covers: vec!["XCCOSIP-3.2.3.5-06".into()],
    }
}

pub fn info_request(cseq: u32, body: &str) -> Vec<u8> {
    format!(
        "INFO sip:chat01@example.com SIP/2.0\r\nVia: SIP/2.0/TLS 127.0.0.1:40001;branch=z9hG4bK{cseq}\r\nFrom: <sip:alice@example.com>;tag=a1\r\nTo: <sip:chat01@example.com>;tag=b2\r\nCall-ID: c0ffee\r\nCSeq: {cseq} INFO\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

pub fn ok(cseq: u32, method: &str) -> Vec<u8> {
    format!(
        "SIP/2.0 200 OK\r\nVia: SIP/2.0/TLS 127.0.0.1:40001;branch=z9hG4bK{cseq}\r\nFrom: <sip:alice@example.com>;tag=a1\r\nTo: <sip:chat01@example.com>;tag=b2\r\nCall-ID: c0ffee\r\nCSeq: {cseq} {method}\r\nContent-Length: 0\r\n\r\n"
    )
    .into_bytes()
}

pub const JOIN: &str = "<xccos ver=\"1\" envid=\"1\" xmlns=\"urn:parlance:chat\"><cmd id=\"cmd:join\" seqid=\"1\"><data><chanid key=\"0\" domain=\"example.com\" value=\"93489432-b6be-4c67-932f-09e39a162072\"/></data></cmd></xccos>";
pub const JOINED: &str = "<xccos ver=\"1\" envid=\"9\" xmlns=\"urn:parlance:chat\"><rpl id=\"rpl:bjoin\" seqid=\"1\"><commandid seqid=\"1\" envid=\"1\"/><resp code=\"200\">SUCCESS_OK</resp><data><chanib name=\"Lobby\" description=\"Where &lt;all&gt; meet\"/></data></rpl></xccos>";

impl Stream {
    pub fn start(selected: u32) -> Stream {
        Stream {
            events: vec![RunEvent::RunStarted {
                info: info(),
                selected,
            }],
            summary: Summary::default(),
            selected,
        }
    }

    pub fn begin(&mut self, id: &str, title: &str) -> &mut Stream {
        self.events.push(RunEvent::ScenarioStarted {
            scenario: scenario(id, title),
        });
        self
    }

    pub fn trace(&mut self, id: &str, kinds: Vec<(u32, Kind)>) -> &mut Stream {
        for (i, (conn, kind)) in kinds.into_iter().enumerate() {
            self.events.push(RunEvent::Traced {
                scenario: id.into(),
                event: Event {
                    seq: i as u64,
                    at: 1_250 * i as u64,
                    conn,
                    kind,
                },
            });
        }
        self
    }

    pub fn find(&mut self, id: &str, finding: Finding, waived: Option<&str>) -> &mut Stream {
        self.events.push(RunEvent::Found {
            scenario: id.into(),
            finding,
            waived: waived.map(str::to_owned),
        });
        self
    }

    pub fn end(&mut self, id: &str, outcome: Outcome, reason: Option<&str>) -> &mut Stream {
        self.finish(id, outcome, reason, SnapshotState::Match, None, false)
    }

    pub fn finish(
        &mut self,
        id: &str,
        outcome: Outcome,
        reason: Option<&str>,
        snapshot: SnapshotState,
        diff: Option<&str>,
        flaky: bool,
    ) -> &mut Stream {
        self.summary.add(outcome);
        self.events.push(RunEvent::ScenarioFinished {
            scenario: id.into(),
            outcome,
            reason: reason.map(str::to_owned),
            duration_ms: 12,
            snapshot,
            snapshot_diff: diff.map(str::to_owned),
            flaky,
        });
        self
    }

    pub fn close(mut self, exit_code: u8, problems: &[&str]) -> Vec<RunEvent> {
        let results = catalogue()
            .iter()
            .map(|r| RequirementResult {
                id: r.id.clone(),
                level: r.level,
                status: match r.id.as_str() {
                    "XCCOSIP-3.2.3.5-06" => Status::Violated,
                    "XCCOSIP-3.2.6.5-11" => Status::Waived,
                    "XCCOSIP-2.2.1-01" => Status::Satisfied,
                    _ if r.observable == Observable::Internal => Status::NotObservable,
                    _ => Status::NotExercised,
                },
                scenarios: {
                    let mut ids: Vec<String> = Vec::new();
                    for event in &self.events {
                        if let RunEvent::Found {
                            scenario, finding, ..
                        } = event
                            && finding.requirement == r.id
                            && !ids.contains(scenario)
                        {
                            ids.push(scenario.clone());
                        }
                    }
                    ids
                },
                decided_by: None,
            })
            .collect();
        self.events.push(RunEvent::RunFinished {
            summary: self.summary,
            requirements: results,
            problems: problems.iter().map(|p| (*p).to_owned()).collect(),
            exit_code,
            interrupted: false,
            duration_ms: 532,
        });
        let _ = self.selected;
        self.events
    }
}

pub fn finding(requirement: &str, level: Level, verdict: Verdict, message: &str) -> Finding {
    Finding {
        requirement: requirement.into(),
        level,
        verdict,
        blame: Blame::Target,
        message: message.into(),
        rule: "reply-id".into(),
        event: None,
        place: Place::default(),
        profiles: Vec::new(),
        step: None,
    }
}

pub fn opened(endpoint: &str) -> Kind {
    Kind::Opened {
        endpoint: Some(endpoint.into()),
        transport: "tls 1.3 TLS13_AES_256_GCM_SHA384".into(),
        client: "127.0.0.1:40001".into(),
        server: "127.0.0.1:5061".into(),
    }
}

pub fn message(from: Seat, bytes: Vec<u8>) -> Kind {
    Kind::Message {
        from,
        bytes,
        intent: Intent::Plain,
    }
}

/// The exchange of a join with two endpoints.
pub fn exchange(reply: &str) -> Vec<(u32, Kind)> {
    vec![
        (0, opened("alice")),
        (1, opened("bob")),
        (0, message(Seat::Client, info_request(2, JOIN))),
        (0, message(Seat::Server, ok(2, "INFO"))),
        (0, message(Seat::Server, info_request(3, reply))),
        (0, message(Seat::Client, ok(3, "INFO"))),
        (
            1,
            message(
                Seat::Server,
                info_request(
                    4,
                    "<xccos ver=\"1\" envid=\"3\"><ntc id=\"ntc:join\" seqid=\"1\"/></xccos>",
                ),
            ),
        ),
        (1, message(Seat::Client, ok(4, "INFO"))),
        (
            0,
            Kind::Closed {
                by: Some(Seat::Client),
                how: "end of stream".into(),
            },
        ),
    ]
}

/// One scenario of every kind.
pub fn variety() -> Vec<RunEvent> {
    let mut s = Stream::start(10);
    let id = "server/join/one-room";
    s.begin(id, "Join one room")
        .trace(id, exchange(JOINED))
        .find(
            id,
            finding("XCCOSIP-2.2.1-01", Level::Must, Verdict::Pass, "held"),
            None,
        )
        .end(id, Outcome::Pass, None);

    let id = "server/join/bjoin-two-rooms";
    let mut wrong = finding(
        "XCCOSIP-3.2.3.5-06",
        Level::Must,
        Verdict::Fail,
        "the reply is rpl:bjoin, the command was cmd:join",
    );
    wrong.event = Some(4);
    wrong.place = Place {
        path: Some("/xccos/rpl[1]/@id".into()),
        line: Some(1),
        column: Some(1 + JOINED.find("id=\"rpl").expect("an id") as u32),
        span: None,
    };
    wrong.step = Some((format!("scenarios/{id}.yaml"), 14));
    let mut second = finding(
        "SCHEMA",
        Level::Must,
        Verdict::Fail,
        "cvc-complex-type.4: attribute 'uri' is missing",
    );
    second.event = Some(4);
    second.place.path = Some("/xccos/rpl/data/chanib".into());
    let mut again = second.clone();
    again.event = Some(6);
    let mut info = finding(
        "SIP",
        Level::Should,
        Verdict::Info,
        "header names in lower case",
    );
    info.event = Some(3);
    s.begin(id, "Two rooms in one bjoin")
        .trace(id, exchange(JOINED))
        .find(id, wrong, None)
        .find(id, second, None)
        .find(id, again, None)
        .find(id, info, None)
        .end(id, Outcome::Fail, None);

    let id = "server/chat/late-reply";
    let mut late = finding(
        "XCCOSIP-3.2.2-03",
        Level::Should,
        Verdict::Warn,
        "the reply came after 10.2 s",
    );
    late.event = Some(4);
    s.begin(id, "A reply within ten seconds")
        .trace(id, exchange(JOINED))
        .find(id, late, None)
        .end(id, Outcome::Warn, None);

    let id = "server/chat/unjoined";
    s.begin(id, "Nobody hears a room they have not joined")
        .trace(id, exchange(JOINED))
        .find(
            id,
            finding(
                "XCCOSIP-3.2.6.5-11",
                Level::MustNot,
                Verdict::Fail,
                "bob2 got the chat",
            ),
            Some("bug 42"),
        )
        .end(id, Outcome::Pass, None);

    let id = "server/prefs/get";
    s.begin(id, "Preferences").end(
        id,
        Outcome::Skip,
        Some("the target declares cmd:getpref unsupported"),
    );

    let id = "server/search/none";
    s.begin(id, "Search without a result")
        .trace(id, exchange(JOINED))
        .end(
            id,
            Outcome::Inconclusive,
            Some("the sanity exchange after it failed"),
        );

    let id = "server/open/tls";
    s.begin(id, "Connect")
        .find(
            id,
            Finding {
                blame: Blame::Environment,
                ..finding(
                    "SIP",
                    Level::Must,
                    Verdict::Fail,
                    "connection refused by 127.0.0.1:5061",
                )
            },
            None,
        )
        .end(
            id,
            Outcome::Error,
            Some("connection refused by 127.0.0.1:5061"),
        );

    let id = "server/hostile/text";
    let body = format!(
        "<xccos><grpchat id=\"grpchat\"><chat>{}</chat></grpchat></xccos>",
        HOSTILE.replace('&', "&amp;").replace('<', "&lt;")
    );
    let mut hostile = finding(HOSTILE, Level::Must, Verdict::Fail, HOSTILE);
    hostile.event = Some(1);
    hostile.place.path = Some(format!("/xccos/{HOSTILE}"));
    hostile.place.span = Some((10, 9_999));
    let mut noise = finding("SIP", Level::Must, Verdict::Fail, "bytes that are no SIP");
    noise.event = Some(3);
    noise.place.span = Some((4, 7));
    let mut kinds = vec![
        (0, opened(HOSTILE)),
        (0, message(Seat::Server, info_request(2, &body))),
        (0, message(Seat::Server, info_request(3, HOSTILE))),
        (
            0,
            Kind::Garbage {
                from: Seat::Server,
                bytes: (0..=255).collect(),
                problem: format!("the stream is not SIP: {HOSTILE}"),
            },
        ),
        (
            0,
            Kind::Note {
                text: HOSTILE.into(),
            },
        ),
        (
            0,
            Kind::Upper {
                endpoint: "alice".into(),
                command: true,
                text: format!("{{\"do\":\"send\",\"text\":{HOSTILE:?}}}"),
            },
        ),
    ];
    kinds.push((
        0,
        Kind::Message {
            from: Seat::Client,
            bytes: info_request(5, "<xccos"),
            intent: Intent::Deliberate(HOSTILE.into()),
        },
    ));
    s.begin(id, HOSTILE)
        .trace(id, kinds)
        .find(id, hostile, None)
        .find(id, noise, None)
        .finish(
            id,
            Outcome::Fail,
            None,
            SnapshotState::Changed,
            Some(&format!("--- accepted\n+++ this run\n@@ message 2 @@\n-<chat>hello</chat>\n+<chat>{HOSTILE}</chat>\n")),
            false,
        );

    let id = "server/chat/flaky";
    let mut once = finding(
        "XCCOSIP-3.2.3.5-06",
        Level::Must,
        Verdict::Fail,
        "no reply within 10 s",
    );
    once.event = Some(2);
    s.begin(id, "Comes and goes")
        .trace(id, exchange(JOINED))
        .find(id, once, None);
    s.events.push(RunEvent::ScenarioFinished {
        scenario: id.into(),
        outcome: Outcome::Fail,
        reason: None,
        duration_ms: 10_000,
        snapshot: SnapshotState::None,
        snapshot_diff: None,
        flaky: false,
    });
    s.begin(id, "Comes and goes")
        .trace(id, exchange(JOINED))
        .finish(id, Outcome::Pass, None, SnapshotState::New, None, true);

    let id = "server/snapshot/changed";
    s.begin(id, "An exchange that changed")
        .trace(id, exchange(JOINED))
        .finish(
            id,
            Outcome::Fail,
            Some("the exchange differs from the accepted snapshot"),
            SnapshotState::Changed,
            Some("--- accepted\n+++ this run\n@@ message 4, /xccos/rpl/data/chanib @@\n-<chanib name=\"Lobby\"/>\n+<chanib description=\"Where all meet\" name=\"Lobby\"/>\n"),
            false,
        );
    s.close(1, &["the waiver of XCCOSIP-3.2.9-01 (bug 7) is stale: the requirement was checked and nothing it covers was found"])
}

/// A run cut short in the middle of its second scenario.
pub fn interrupted() -> Vec<RunEvent> {
    let mut events = variety();
    let cut = events
        .iter()
        .position(
            |e| matches!(e, RunEvent::Found { scenario, .. } if scenario.ends_with("two-rooms")),
        )
        .expect("a finding");
    events.truncate(cut + 1);
    events
}

/// A large run: `n` scenarios, one in ten failing, long exchanges with long payloads.
pub fn large(n: usize) -> Vec<RunEvent> {
    let mut s = Stream::start(n as u32);
    for i in 0..n {
        let id = format!("server/area-{}/case-{i:03}", i % 12);
        let mut kinds = Vec::new();
        for round in 0..6 {
            let mut part = exchange(&format!(
                "<xccos ver=\"1\" envid=\"{round}\"><rpl id=\"rpl:join\" seqid=\"1\"><data>{}</data></rpl></xccos>",
                (0..25)
                    .map(|k| format!("<chanib name=\"Room {i}-{k}-{}\" uri=\"ma-chan://example.com/{:08x}-b6be-4c67-932f-09e39a162072\"/>", (i * 7919 + k * 104_729 + round) % 99_991, (i * 2_654_435_761 + k * 40_503) % 0xffff_ffff))
                    .collect::<String>()
            ));
            if round > 0 {
                part.drain(..2);
            }
            if round < 5 {
                part.pop();
            }
            kinds.extend(part);
        }
        s.begin(&id, &format!("Case number {i} of a long list"))
            .trace(&id, kinds);
        if i % 10 == 3 {
            let mut f = finding(
                "XCCOSIP-3.2.3.5-06",
                Level::Must,
                Verdict::Fail,
                "the reply is rpl:join, the command was cmd:bjoin",
            );
            f.event = Some(4);
            f.place.path = Some("/xccos/rpl/@id".into());
            s.find(&id, f, None).end(&id, Outcome::Fail, None);
        } else {
            s.end(&id, Outcome::Pass, None);
        }
    }
    s.close(1, &[])
}
