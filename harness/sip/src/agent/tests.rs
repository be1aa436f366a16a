use super::*;
use crate::frame::{Blank, Framer, Limits};
use crate::ids::Seeded;
use crate::view::Uri;

const T0: Duration = Duration::from_secs(10);

fn secs(n: u64) -> Duration {
    T0 + Duration::from_secs(n)
}

/// One agent with its inbox and what it did.
struct Side {
    agent: Agent,
    framer: Framer,
    events: Vec<Event>,
    sent: Vec<Message>,
    closed: bool,
}

impl Side {
    fn new(agent: Agent) -> Side {
        Side {
            agent,
            framer: Framer::new(Limits::default(), Blank::Pings),
            events: Vec::new(),
            sent: Vec::new(),
            closed: false,
        }
    }

    /// Books actions; gives the bytes to send.
    fn book(&mut self, actions: Vec<Action>) -> Vec<u8> {
        let mut wire = Vec::new();
        for action in actions {
            match action {
                Action::Send(bytes) => {
                    if bytes != b"\r\n" && bytes != b"\r\n\r\n" {
                        self.sent.push(strict(&bytes));
                    }
                    wire.extend(bytes);
                }
                Action::Event(event) => self.events.push(event),
                Action::Close(_) => self.closed = true,
            }
        }
        wire
    }

    /// Feeds bytes; gives what the agent sends in return.
    fn feed(&mut self, now: Duration, bytes: &[u8]) -> Vec<u8> {
        self.framer.push(bytes);
        let mut actions = Vec::new();
        while let Some(frame) = self.framer.next() {
            self.agent.receive(now, frame, &mut actions);
        }
        self.book(actions)
    }

    fn text(&mut self, now: Duration, text: &str) -> Vec<Message> {
        let before = self.sent.len();
        let text = text.replace("\r\n", "\n").replace('\n', "\r\n");
        self.feed(now, text.as_bytes());
        self.sent[before..].to_vec()
    }

    fn tick(&mut self, now: Duration) -> Vec<u8> {
        let mut actions = Vec::new();
        self.agent.tick(now, &mut actions);
        self.book(actions)
    }

    fn act<T>(&mut self, f: impl FnOnce(&mut Agent, &mut Vec<Action>) -> T) -> (T, Vec<u8>) {
        let mut actions = Vec::new();
        let value = f(&mut self.agent, &mut actions);
        (value, self.book(actions))
    }

    fn remarks(&self) -> Vec<&'static str> {
        self.events
            .iter()
            .filter_map(|e| match e {
                Event::Remark(r) => Some(r.code),
                _ => None,
            })
            .collect()
    }

    fn ended(&self) -> Vec<Ended> {
        self.events
            .iter()
            .filter_map(|e| match e {
                Event::Ended { why, .. } => Some(why.clone()),
                _ => None,
            })
            .collect()
    }

    fn statuses(&self) -> Vec<u16> {
        self.events
            .iter()
            .filter_map(|e| match e {
                Event::Answered { response, .. } => response.status(),
                _ => None,
            })
            .collect()
    }
}

/// Whatever an agent sends in good faith has everything RFC 3261 8.1.1 and 8.2.6 ask for.
fn strict(bytes: &[u8]) -> Message {
    let m = Message::parse(bytes).unwrap();
    let text = String::from_utf8_lossy(bytes).into_owned();
    assert!(m.notes().is_empty(), "{:?} in\n{text}", m.notes());
    assert_eq!(m.content_length(), Some(m.body().len() as u64), "{text}");
    if m.status() == Some(400) {
        return m;
    }
    let cseq = m.cseq().unwrap();
    m.from().unwrap();
    m.to().unwrap();
    m.call_id().unwrap();
    if let Some(method) = m.method() {
        assert_eq!(cseq.method, method, "{text}");
        m.uri().unwrap();
        assert!(m.from().unwrap().tag().is_some(), "{text}");
        assert_eq!(m.max_forwards().unwrap(), Some(70), "{text}");
        let vias = m.vias().unwrap();
        assert_eq!(vias.len(), 1, "{text}");
        assert!(vias[0].branch().unwrap().starts_with("z9hG4bK"), "{text}");
        if matches!(method, "INVITE" | "UPDATE" | "SUBSCRIBE") {
            assert!(m.contact().unwrap().is_some(), "{text}");
        }
    } else if m.status() != Some(100) {
        assert!(m.to().unwrap().tag().is_some(), "{text}");
    }
    if m.status() == Some(405) {
        assert!(m.header("Allow").is_some(), "{text}");
    }
    m
}

fn uri(text: &str) -> Uri {
    Uri::parse(text).unwrap()
}

fn client() -> Side {
    let mut config = Config::client(
        uri("sip:alice@example.com"),
        Transport::Tls,
        "192.0.2.7",
        50000,
    );
    config.epid = Some("0123456789ab".into());
    Side::new(Agent::client(config, Box::new(Seeded::new(1))))
}

fn server() -> Side {
    let config = Config::server(Transport::Tls, "192.0.2.1", 5061);
    Side::new(Agent::server(config, Box::new(Seeded::new(2))))
}

/// Carries bytes to and fro until both are silent; INVITEs are accepted and INFOs answered 200.
fn run(now: Duration, client: &mut Side, server: &mut Side, mut up: Vec<u8>, mut down: Vec<u8>) {
    loop {
        let mut seen = server.events.len();
        let mut back = server.feed(now, &up);
        while seen < server.events.len() {
            let event = server.events[seen].clone();
            seen += 1;
            let reply = match event {
                Event::Invited { dialog, .. } => {
                    let (result, bytes) =
                        server.act(|a, out| a.accept(now, dialog, Accept::default(), out));
                    result.unwrap();
                    bytes
                }
                Event::Info {
                    tx, answered: None, ..
                } => {
                    let (result, bytes) = server.act(|a, out| a.answer(now, tx, 200, out));
                    result.unwrap();
                    bytes
                }
                _ => Vec::new(),
            };
            back.extend(reply);
        }
        down.extend(back);
        up = client.feed(now, &down);
        down = Vec::new();
        if up.is_empty() {
            return;
        }
    }
}

/// Both sides with one confirmed dialog.
fn established() -> (Side, Side, DialogId, DialogId) {
    let (mut c, mut s) = (client(), server());
    let target = uri("sip:chat@example.com");
    let ((dialog, _), up) = c.act(|a, out| a.invite(T0, &target, Invite::default(), out));
    run(T0, &mut c, &mut s, up, Vec::new());
    let theirs = s.agent.dialogs().next().unwrap().id();
    assert!(s.agent.dialog(theirs).unwrap().is_confirmed());
    assert!(c.agent.dialog(dialog).unwrap().is_confirmed());
    (c, s, dialog, theirs)
}

#[test]
fn a_whole_session() {
    let (mut c, mut s) = (client(), server());
    let (_, up) = c.act(|a, out| a.register(T0, 600, out));
    run(T0, &mut c, &mut s, up, Vec::new());
    let ok = s.sent.last().unwrap();
    assert_eq!(ok.expires().unwrap(), Some(600));
    let own_line = b"\r\nSupported: msrtc-event-categories\r\n";
    assert!(ok.bytes().windows(own_line.len()).any(|w| w == own_line));
    let (_, up) = c.act(|a, out| a.subscribe(T0, PROVISIONING, 3600, out));
    run(T0, &mut c, &mut s, up, Vec::new());
    assert_eq!(
        s.sent.last().unwrap().value("ms-piggyback-cseq").unwrap(),
        "1"
    );

    let target = uri("sip:chat@example.com");
    let ((dialog, _), up) = c.act(|a, out| a.invite(T0, &target, Invite::default(), out));
    run(T0, &mut c, &mut s, up, Vec::new());
    assert!(
        c.events
            .iter()
            .any(|e| matches!(e, Event::Established { dialog: d } if *d == dialog))
    );
    assert!(
        s.events
            .iter()
            .any(|e| matches!(e, Event::Confirmed { .. }))
    );
    let ok = s
        .sent
        .iter()
        .rfind(|m| m.cseq().unwrap().method == "INVITE")
        .unwrap();
    assert!(crate::sdp::has_message_session(ok.body()));
    assert_eq!(ok.session_expires().unwrap().unwrap().seconds, 1800);

    let (_, up) = c.act(|a, out| a.info(T0, dialog, "text/plain", "<xccos/>", out).unwrap());
    run(T0, &mut c, &mut s, up, Vec::new());
    let theirs = s.agent.dialogs().next().unwrap().id();
    let (_, down) = s.act(|a, out| a.info(T0, theirs, "text/plain", "<reply/>", out).unwrap());
    run(T0, &mut c, &mut s, Vec::new(), down);
    let info = c
        .events
        .iter()
        .find_map(|e| match e {
            Event::Info {
                request,
                answered: Some(200),
                ..
            } => Some(request),
            _ => None,
        })
        .unwrap();
    assert_eq!(info.body(), b"<reply/>");
    assert!(
        info.from().unwrap().uri.equivalent(&target),
        "From is the invited URI"
    );
    assert_eq!(info.to().unwrap().epid(), Some("0123456789ab"));
    assert_eq!(
        info.request_uri().unwrap(),
        "sip:alice@192.0.2.7:50000;transport=tls"
    );

    let (_, up) = c.act(|a, out| a.bye(T0, dialog, out).unwrap());
    run(T0, &mut c, &mut s, up, Vec::new());
    assert_eq!(c.ended(), [Ended::ByUs]);
    assert_eq!(s.ended(), [Ended::ByPeer]);
    assert_eq!(c.statuses(), [200; 5]);
    assert_eq!(s.statuses(), [200]);
    assert_eq!(c.agent.unanswered() + s.agent.unanswered(), 0);
    assert!(
        c.remarks().is_empty() && s.remarks().is_empty(),
        "{:?} {:?}",
        c.remarks(),
        s.remarks()
    );
}

#[test]
fn server_bye_update_reinvite_options() {
    let (mut c, mut s, dialog, theirs) = established();
    for step in ["update", "reinvite"] {
        let (_, up) = c.act(|a, out| {
            match step {
                "update" => a.update(secs(5), dialog, out),
                _ => a.reinvite(secs(6), dialog, out),
            }
            .unwrap()
        });
        run(secs(6), &mut c, &mut s, up, Vec::new());
    }
    let refreshed = s
        .events
        .iter()
        .filter(|e| matches!(e, Event::Refreshed { .. }))
        .count();
    assert_eq!(refreshed, 2);
    assert_eq!(
        s.agent.dialog(theirs).unwrap().session().unwrap().since,
        secs(6)
    );
    let (_, up) = c.act(|a, out| a.options(secs(6), &uri("sip:example.com"), out));
    run(secs(6), &mut c, &mut s, up, Vec::new());
    assert!(s.sent.last().unwrap().lists("Allow", "INFO"));
    let (_, down) = s.act(|a, out| a.update(secs(7), theirs, out).unwrap());
    run(secs(7), &mut c, &mut s, Vec::new(), down);
    let (_, down) = s.act(|a, out| a.bye(secs(7), theirs, out).unwrap());
    run(secs(7), &mut c, &mut s, Vec::new(), down);
    assert_eq!(c.ended(), [Ended::ByPeer]);
    assert_eq!(s.statuses(), [200, 200]);
    assert!(
        c.remarks().is_empty() && s.remarks().is_empty(),
        "{:?} {:?}",
        c.remarks(),
        s.remarks()
    );
}

/// What the field's one open client sends: no branch, small-letter transport, no Max-Forwards quirk but
/// CSeq and Call-ID shared by clients started in the same second.
fn field_invite(call_id: &str, tag: &str) -> String {
    let body = "v=0\r\nm=message 5061 sip null\r\na=accept-types:text/plain\r\n";
    format!(
        "INVITE sip:ocschat@example.com SIP/2.0\n\
         Via: SIP/2.0/tcp 192.0.2.7:50000\n\
         From: <sip:{tag}@example.com>;tag={tag};epid=aabbccddeeff\n\
         To: <sip:ocschat@example.com>\nMax-Forwards: 70\nCSeq: 1 INVITE\n\
         Call-ID: {call_id}\nContact: <sip:{tag}@example.com;opaque=user:epid:x;gruu>\n\
         Supported: ms-sender\nContent-Type: application/sdp\nContent-Length: {}\n\n{body}",
        body.len()
    )
}

#[test]
fn clients_that_share_a_call_id_are_told_apart() {
    let mut s = server();
    for tag in ["alice", "bob"] {
        s.text(T0, &field_invite("same", tag));
        let Some(Event::Invited { dialog, .. }) = s.events.last().cloned() else {
            panic!()
        };
        s.act(|a, out| a.accept(T0, dialog, Accept::default(), out).unwrap());
    }
    let mut seen = Vec::new();
    for ok in s.sent.clone() {
        let (from, to) = (ok.value("From").unwrap(), ok.value("To").unwrap());
        assert!(ok.session_expires().unwrap().unwrap().refresher == Some(crate::Refresher::Uas));
        s.text(T0, &format!("ACK sip:192.0.2.1 SIP/2.0\nVia: SIP/2.0/tls x\nFrom: {from}\nTo: {to}\nMax-Forwards: 70\nCSeq: 1 ACK\nCall-ID: same\nContent-Length: 0\n\n"));
        s.text(T0, &format!("INFO sip:192.0.2.1 SIP/2.0\nVia: SIP/2.0/tls x\nFrom: {from}\nTo: {to}\nMax-Forwards: 70\nCSeq: 2 INFO\nCall-ID: same\nContent-Length: 1\n\nx"));
        let Some(Event::Info { dialog, .. }) = s.events.last() else {
            panic!("{:?}", s.events.last())
        };
        let d = s.agent.dialog(*dialog).unwrap();
        assert!(d.is_confirmed());
        seen.push(d.remote_uri().to_string());
    }
    assert_eq!(seen, ["sip:alice@example.com", "sip:bob@example.com"]);
    assert!(
        s.remarks().iter().all(|r| *r == "missing-branch"),
        "{:?}",
        s.remarks()
    );
}

#[test]
fn repeated_requests_are_processed_once() {
    let (mut c, mut s, dialog, _) = established();
    let (_, up) = c.act(|a, out| a.info(T0, dialog, "text/plain", "x", out).unwrap());
    s.feed(T0, &up);
    s.feed(T0, &up);
    let Some(Event::Info { tx, .. }) = s
        .events
        .iter()
        .find(|e| matches!(e, Event::Info { .. }))
        .cloned()
    else {
        panic!()
    };
    let (_, first) = s.act(|a, out| a.answer(T0, tx, 200, out).unwrap());
    let again = s.feed(T0, &up);
    assert_eq!(first, again);
    assert_eq!(
        s.events
            .iter()
            .filter(|e| matches!(e, Event::Info { .. }))
            .count(),
        1
    );
    assert_eq!(s.remarks(), ["duplicate", "duplicate"]);
    let (second, _) = s.act(|a, out| a.answer(T0, tx, 503, out));
    assert_eq!(second, Err(AgentError::NoRequest));
    c.feed(T0, &[first, again].concat());
    assert_eq!(c.remarks(), ["stray-answer"]);
}

#[test]
fn cseq_never_goes_back() {
    let (mut c, mut s, dialog, theirs) = established();
    let old = c.agent.draft(dialog, "INFO").unwrap();
    let (_, up) = c.act(|a, out| a.info(T0, dialog, "text/plain", "x", out).unwrap());
    run(T0, &mut c, &mut s, up, Vec::new());
    let (_, up) = c.act(|a, out| a.send_draft(T0, old, out));
    run(T0, &mut c, &mut s, up, Vec::new());
    assert_eq!(c.statuses(), [200, 200, 500]);
    assert_eq!(s.remarks(), ["cseq-out-of-order"]);
    assert_eq!(s.agent.dialog(theirs).unwrap().remote_seq(), Some(3));
}

#[test]
fn requests_that_belong_nowhere() {
    let mut s = server();
    let request = |method: &str, to: &str| {
        format!(
            "{method} sip:x@example.com SIP/2.0\nVia: SIP/2.0/TLS h;branch=z9hG4bK{method}{}\nFrom: <sip:a@h>;tag=1\nTo: {to}\nMax-Forwards: 70\nCSeq: 4 {method}\nCall-ID: c\nContent-Length: 0\n\n",
            to.len()
        )
    };
    for (method, to, status) in [
        ("INFO", "<sip:x@h>", 481),
        ("INFO", "<sip:x@h>;tag=ghost", 481),
        ("BYE", "<sip:x@h>;tag=ghost", 481),
        ("CANCEL", "<sip:x@h>", 481),
        ("MESSAGE", "<sip:x@h>", 405),
        ("PUBLISH", "<sip:x@h>", 405),
        ("SERVICE", "<sip:x@h>", 501),
        ("info", "<sip:x@h>", 501),
        ("NEGOTIATE", "<sip:x@h>", 501),
    ] {
        let got = s.text(T0, &request(method, to));
        assert_eq!(got.len(), 1, "{method}");
        assert_eq!(got[0].status(), Some(status), "{method}");
    }
    assert!(
        s.text(T0, &request("ACK", "<sip:x@h>;tag=ghost"))
            .is_empty()
    );
    assert!(
        s.text(T0, &request("BENOTIFY", "<sip:x@h>;tag=ghost"))
            .is_empty()
    );
    s.agent.set_policy("SERVICE", Policy::Status(200));
    let late = request("SERVICE", "<sip:x@h>").replace("CSeq: 4", "CSeq: 5");
    assert_eq!(s.text(T0, &late)[0].status(), Some(200));
}

#[test]
fn broken_requests_get_an_answer_when_possible() {
    let mut s = server();
    let ok = "OPTIONS sip:x@example.com SIP/2.0\nVia: SIP/2.0/TLS h;branch=z9hG4bK1\nFrom: <sip:a@h>;tag=1\nTo: <sip:x@h>\nMax-Forwards: 70\nCSeq: 4 OPTIONS\nCall-ID: c\nContent-Length: 0\n\n";
    let status = |s: &mut Side, text: String| s.text(T0, &text).first().and_then(|m| m.status());
    assert_eq!(status(&mut s, ok.to_owned()), Some(200));
    for (from, to, want) in [
        ("CSeq: 4 OPTIONS", "CSeq: x", Some(400)),
        ("CSeq: 4 OPTIONS", "CSeq: 4 INFO", Some(400)),
        ("Call-ID: c\n", "", Some(400)),
        ("SIP/2.0\nVia", "SIP/7.0\nVia", Some(505)),
        ("sip:x@example.com ", "http://x ", Some(416)),
        ("Via: SIP/2.0/TLS h;branch=z9hG4bK1\n", "", None),
    ] {
        let text = ok.replacen(from, to, 1).replace("z9hG4bK1", "z9hG4bK2");
        assert_eq!(status(&mut s, text), want, "{to}");
    }
    let got = s.text(
        T0,
        &ok.replace("Content-Length: 0", "Content-Length: 99999999"),
    );
    assert_eq!(got[0].status(), Some(413));
    assert!(s.closed);
}

#[test]
fn invite_refused_is_acknowledged_in_the_transaction() {
    let (mut c, mut s) = (client(), server());
    s.agent.set_policy("INVITE", Policy::Status(404));
    let ((_, _), up) = c.act(|a, out| a.invite(T0, &uri("sip:x@h"), Invite::default(), out));
    run(T0, &mut c, &mut s, up, Vec::new());
    assert_eq!(c.ended(), [Ended::Refused(404)]);
    let [invite, ack] = &c.sent[..] else { panic!() };
    assert_eq!(ack.method(), Some("ACK"));
    assert_eq!(ack.vias().unwrap(), invite.vias().unwrap());
    assert!(ack.to().unwrap().tag().is_some());
    assert!(s.remarks().is_empty(), "{:?}", s.remarks());
    assert_eq!(c.agent.dialogs().count() + s.agent.dialogs().count(), 0);
}

#[test]
fn cancel_meets_a_waiting_invite() {
    let (mut c, mut s) = (client(), server());
    s.agent.config_mut().trying = true;
    let ((dialog, _), up) = c.act(|a, out| a.invite(T0, &uri("sip:x@h"), Invite::default(), out));
    let (early, none) = c.act(|a, out| a.bye(T0, dialog, out).unwrap());
    assert!(
        early.is_none() && none.is_empty(),
        "no CANCEL before a provisional answer (9.1)"
    );
    let trying = s.feed(T0, &up);
    assert_eq!(s.sent[0].status(), Some(100));
    let cancel = c.feed(T0, &trying);
    assert_eq!(c.sent.last().unwrap().method(), Some("CANCEL"));
    let answers = s.feed(T0, &cancel);
    let ack = c.feed(T0, &answers);
    s.feed(T0, &ack);
    assert_eq!(c.ended(), [Ended::Refused(487)]);
    assert_eq!(s.ended(), [Ended::Refused(487)]);
    assert!(
        s.events
            .iter()
            .any(|e| matches!(e, Event::Cancelled { .. }))
    );
    assert!(s.remarks().is_empty(), "{:?}", s.remarks());
}

#[test]
fn silence_is_told_in_time() {
    let mut c = client();
    let ((dialog, _), _) = c.act(|a, out| a.invite(T0, &uri("sip:x@h"), Invite::default(), out));
    assert_eq!(c.agent.deadline(), Some(secs(32)));
    c.tick(secs(31));
    assert!(c.events.is_empty());
    c.tick(secs(32));
    assert_eq!(c.ended(), [Ended::NoAnswer]);
    assert!(c.agent.dialog(dialog).is_none());
    assert_eq!(c.agent.deadline(), None);

    let (mut c, _, dialog, _) = established();
    c.act(|a, out| a.info(secs(1), dialog, "text/plain", "x", out).unwrap());
    c.tick(secs(33));
    let after = c.events.iter().find_map(|e| match e {
        Event::Unanswered { method, after, .. } if method == "INFO" => Some(*after),
        _ => None,
    });
    assert_eq!(after, Some(Duration::from_secs(32)));
    assert!(c.agent.dialog(dialog).is_some(), "the layer above decides");
}

#[test]
fn accepted_invites_are_repeated_until_acknowledged() {
    let mut s = server();
    s.text(T0, &field_invite("c", "alice"));
    let Some(Event::Invited { dialog, .. }) = s.events.last().cloned() else {
        panic!()
    };
    s.act(|a, out| a.accept(T0, dialog, Accept::default(), out).unwrap());
    assert_eq!(
        s.agent.bye(T0, dialog, &mut Vec::new()),
        Err(AgentError::NotYet(dialog))
    );
    let mut now = T0;
    let mut times = Vec::new();
    while s.ended().is_empty() {
        now = s.agent.deadline().unwrap();
        times.push((now - T0).as_millis());
        s.tick(now);
    }
    assert_eq!(times[..5], [500, 1500, 3500, 7500, 11500]);
    assert_eq!(now, secs(32));
    assert_eq!(s.ended(), [Ended::NoAck]);
    assert_eq!(s.sent.last().unwrap().method(), Some("BYE"));
}

#[test]
fn a_repeated_2xx_is_acknowledged_again() {
    let (mut c, mut s) = (client(), server());
    let (_, up) = c.act(|a, out| a.invite(T0, &uri("sip:x@h"), Invite::default(), out));
    s.feed(T0, &up);
    let Some(Event::Invited { dialog, .. }) = s.events.last().cloned() else {
        panic!()
    };
    let (_, ok) = s.act(|a, out| a.accept(T0, dialog, Accept::default(), out).unwrap());
    let first = c.feed(T0, &ok);
    assert_eq!(c.feed(T0, &ok), first);
    s.feed(T0, &first);
    s.feed(T0, &first);
    assert_eq!(c.remarks(), ["repeated-2xx"]);
    assert_eq!(s.remarks(), ["duplicate"]);
    let fork = String::from_utf8(ok)
        .unwrap()
        .replace(";tag=", ";tag=other");
    let fork = fork.replace(
        "From: <sip:alice@example.com>;epid=0123456789ab;tag=other",
        "From: <sip:alice@example.com>;epid=0123456789ab;tag=",
    );
    let before = c.sent.len();
    c.feed(T0, fork.as_bytes());
    let methods: Vec<_> = c.sent[before..]
        .iter()
        .map(|m| m.method().unwrap())
        .collect();
    assert_eq!(methods, ["ACK", "BYE"]);
}

#[test]
fn routes_are_followed_in_both_directions() {
    let (mut c, mut s) = (client(), server());
    let (_, up) = c.act(|a, out| a.invite(T0, &uri("sip:x@h"), Invite::default(), out));
    // Two proxies put themselves in; the one nearer to the server is on top.
    let up = String::from_utf8(up).unwrap().replacen(
        "\r\n",
        "\r\nRecord-Route: <sip:p2;lr>\r\nRecord-Route: <sip:p1;lr>\r\n",
        1,
    );
    run(T0, &mut c, &mut s, up.into_bytes(), Vec::new());
    let routes = |m: &Message| {
        m.routes()
            .unwrap()
            .iter()
            .map(|r| r.uri.to_string())
            .collect::<Vec<_>>()
    };
    let ack = c.sent.last().unwrap();
    assert_eq!(routes(ack), ["sip:p1;lr", "sip:p2;lr"]);
    assert_eq!(
        ack.request_uri().unwrap(),
        "sip:192.0.2.1:5061;transport=tls"
    );
    let id = s.agent.dialogs().next().unwrap().id();
    s.act(|a, out| a.info(T0, id, "text/plain", "x", out).unwrap());
    assert_eq!(routes(s.sent.last().unwrap()), ["sip:p2;lr", "sip:p1;lr"]);

    let (mut c, mut s) = (client(), server());
    let (_, up) = c.act(|a, out| a.invite(T0, &uri("sip:x@h"), Invite::default(), out));
    let up =
        String::from_utf8(up)
            .unwrap()
            .replacen("\r\n", "\r\nRecord-Route: <sip:strict>\r\n", 1);
    run(T0, &mut c, &mut s, up.into_bytes(), Vec::new());
    let ack = c.sent.last().unwrap();
    assert_eq!(ack.request_uri().unwrap(), "sip:strict");
    assert_eq!(routes(ack), ["sip:192.0.2.1:5061;transport=tls"]);
}

#[test]
fn a_forgotten_dialog_ends() {
    let (mut c, mut s, dialog, theirs) = established();
    s.act(|a, out| a.closed(T0, out));
    assert_eq!(s.ended(), [Ended::Disconnected]);
    assert!(s.agent.dialog(theirs).is_none());
    let (_, up) = c.act(|a, out| a.info(T0, dialog, "text/plain", "x", out).unwrap());
    run(T0, &mut c, &mut s, up, Vec::new());
    assert_eq!(c.ended(), [Ended::Forgotten(481)]);
}

#[test]
fn byes_that_cross_are_both_answered_200() {
    let (mut c, mut s, dialog, theirs) = established();
    let (_, up) = c.act(|a, out| a.bye(T0, dialog, out).unwrap());
    let (_, down) = s.act(|a, out| a.bye(T0, theirs, out).unwrap());
    run(T0, &mut c, &mut s, up, down);
    assert_eq!((c.statuses(), s.statuses()), (vec![200, 200], vec![200]));
}

#[test]
fn a_bye_terminates_what_waits() {
    let (mut c, mut s, dialog, _) = established();
    let (_, up) = c.act(|a, out| a.info(T0, dialog, "text/plain", "x", out).unwrap());
    s.feed(T0, &up);
    let (_, up) = c.act(|a, out| a.bye(T0, dialog, out).unwrap());
    let down = s.feed(T0, &up);
    c.feed(T0, &down);
    assert_eq!(c.statuses(), [200, 200, 487]);
}

#[test]
fn programmed_answers() {
    let (mut c, mut s, dialog, theirs) = established();
    s.agent.set_policy("INFO", Policy::Status(503));
    let (_, up) = c.act(|a, out| a.info(T0, dialog, "text/plain", "x", out).unwrap());
    run(T0, &mut c, &mut s, up, Vec::new());
    assert_eq!(c.statuses(), [200, 503]);
    c.agent.set_policy("INFO", Policy::Silent);
    let (_, down) = s.act(|a, out| a.info(T0, theirs, "text/plain", "x", out).unwrap());
    run(T0, &mut c, &mut s, Vec::new(), down);
    assert_eq!(s.agent.unanswered(), 1);
    assert!(matches!(
        c.events.last(),
        Some(Event::Info { answered: None, .. })
    ));
}

#[test]
fn a_draft_broken_on_purpose_still_gets_its_answer() {
    let (mut c, mut s, dialog, _) = established();
    let mut draft = c.agent.draft(dialog, "INFO").unwrap();
    draft.builder = draft
        .builder
        .set("Max-Forwards", "bad")
        .header("X-Odd", "1")
        .body("x");
    let mut out = Vec::new();
    let id = c.agent.send_draft(T0, draft, &mut out);
    let Action::Send(up) = &out[0] else { panic!() };
    run(T0, &mut c, &mut s, up.clone(), Vec::new());
    assert!(c.events.iter().any(|e| matches!(e, Event::Answered { request, response, .. } if *request == id && response.status() == Some(200))));
    assert_eq!(s.remarks(), ["missing-max-forwards"]);
}

#[test]
fn sessions_are_refreshed_or_end() {
    // The client does not know timers, so refreshing is the server's; how depends on what the client can do.
    for (ability, due, method) in [
        ("Supported: ms-sender", None, None),
        ("Allow: INVITE, UPDATE", Some(secs(900)), Some("UPDATE")),
        (
            "Supported: timer\nSession-Expires: 1800;refresher=uas",
            Some(secs(900)),
            Some("INVITE"),
        ),
    ] {
        let mut s = server();
        s.text(
            T0,
            &field_invite("c", "alice").replace("Supported: ms-sender", ability),
        );
        let Some(Event::Invited { dialog, .. }) = s.events.last().cloned() else {
            panic!()
        };
        s.act(|a, out| a.accept(T0, dialog, Accept::default(), out).unwrap());
        let ok = s.sent.last().unwrap().clone();
        assert_eq!(
            ok.session_expires().unwrap().unwrap().refresher,
            Some(crate::Refresher::Uas)
        );
        s.text(T0, &format!("ACK sip:192.0.2.1 SIP/2.0\nVia: SIP/2.0/tls x\nFrom: {}\nTo: {}\nMax-Forwards: 70\nCSeq: 1 ACK\nCall-ID: c\nContent-Length: 0\n\n", ok.value("From").unwrap(), ok.value("To").unwrap()));
        assert_eq!(s.agent.deadline(), due);
        if let Some(due) = due {
            s.tick(due);
            assert_eq!(s.sent.last().unwrap().method(), method);
        }
    }

    // Both know them: the client refreshes; when it does not, the server hangs up before the end.
    let (mut c, mut s, _, _) = established();
    assert_eq!(
        c.agent.deadline(),
        Some(secs(32)),
        "the INVITE is remembered that long"
    );
    c.tick(secs(32));
    assert_eq!(c.agent.deadline(), Some(secs(900)));
    let up = c.tick(secs(900));
    run(secs(900), &mut c, &mut s, up, Vec::new());
    assert_eq!(s.agent.deadline(), Some(secs(900 + 1800 - 32)));
    s.tick(secs(900 + 1800 - 32));
    assert_eq!(s.ended(), [Ended::Expired]);
    assert_eq!(s.sent.last().unwrap().method(), Some("BYE"));
    assert!(s.remarks().is_empty(), "{:?}", s.remarks());
}

#[test]
fn extensions_and_intervals_are_negotiated() {
    let mut s = server();
    let invite = field_invite("c", "alice");
    let got = s.text(
        T0,
        &invite.replace("Supported: ms-sender", "Require: 100rel, timer, path"),
    );
    assert_eq!(got[0].status(), Some(420));
    assert_eq!(got[0].value("Unsupported").unwrap(), "100rel, path");
    let got = s.text(
        T0,
        &invite
            .replace("CSeq: 1", "CSeq: 2")
            .replace("Supported: ms-sender", "Session-Expires: 20"),
    );
    assert_eq!(got[0].status(), Some(422));
    assert_eq!(got[0].value("Min-SE").unwrap(), "90");
    let got = s.text(
        T0,
        &invite
            .replace("CSeq: 1", "CSeq: 3")
            .replace("application/sdp", "text/plain"),
    );
    assert_eq!(got[0].status(), Some(415));
    assert_eq!(s.agent.dialogs().count(), 0);
}

#[test]
fn answers_name_the_true_address() {
    let mut s = server();
    s.agent.set_peer("192.0.2.99:4711".parse().unwrap());
    let got = s.text(T0, "OPTIONS sip:x@example.com SIP/2.0\nVia: SIP/2.0/TLS h;branch=z9hG4bK1;rport, SIP/2.0/TLS two\nVia: SIP/2.0/TLS three\nFrom: <sip:a@h>;tag=1\nTo: <sip:x@h>\nMax-Forwards: 70\nCSeq: 4 OPTIONS\nCall-ID: c\nContent-Length: 0\n\n");
    let vias = got[0].vias().unwrap();
    assert_eq!(vias.len(), 3);
    assert_eq!(vias[0].param("received"), Some("192.0.2.99"));
    assert_eq!(vias[0].param("rport"), Some("4711"));
    assert_eq!(vias[1].host, "two");
    assert!(vias[1].params.is_empty());
}

#[test]
fn ipv6_addresses_are_bracketed() {
    let config = Config::client(uri("sip:alice@example.com"), Transport::Tcp, "::1", 5062);
    let mut c = Side::new(Agent::client(config, Box::new(Seeded::new(1))));
    c.act(|a, out| a.invite(T0, &uri("sip:x@[::1]:5060"), Invite::default(), out));
    let invite = &c.sent[0];
    assert_eq!(invite.vias().unwrap()[0].host, "[::1]");
    assert_eq!(invite.contact().unwrap().unwrap().uri.host, "[::1]");
}

#[test]
fn more_than_can_be_served_is_refused() {
    let mut s = server();
    s.agent.config_mut().max_dialogs = 2;
    for n in 0..3 {
        s.text(T0, &field_invite(&format!("call{n}"), "alice"));
    }
    assert_eq!(s.sent.last().unwrap().status(), Some(503));
    assert_eq!(s.agent.dialogs().count(), 2);
    s.agent.config_mut().max_waiting = 2;
    let options = "OPTIONS sip:x@example.com SIP/2.0\nVia: SIP/2.0/TLS h;branch=z9hG4bK1\nFrom: <sip:a@h>;tag=1\nTo: <sip:x@h>\nMax-Forwards: 70\nCSeq: 4 OPTIONS\nCall-ID: c\nContent-Length: 0\n\n";
    assert_eq!(s.text(T0, options)[0].status(), Some(503));
}

#[test]
fn keep_alives() {
    let (mut c, mut s) = (client(), server());
    assert_eq!(s.feed(T0, b"\r\n\r\n"), b"\r\n");
    assert!(matches!(s.events[..], [Event::Ping]));
    c.agent.config_mut().keep_alive = Some(Duration::from_secs(60));
    c.act(|a, out| a.register(T0, 60, out));
    c.tick(secs(32));
    assert_eq!(c.agent.deadline(), Some(secs(60)));
    assert_eq!(c.tick(secs(60)), b"\r\n\r\n");
    assert_eq!(c.agent.deadline(), Some(secs(120)));
}

#[test]
fn the_same_seed_repeats_every_byte() {
    let wire = || {
        let (mut c, mut s, dialog, _) = established();
        let (_, up) = c.act(|a, out| a.bye(T0, dialog, out).unwrap());
        run(T0, &mut c, &mut s, up, Vec::new());
        c.sent
            .iter()
            .chain(&s.sent)
            .flat_map(|m| m.bytes().to_vec())
            .collect::<Vec<u8>>()
    };
    assert_eq!(wire(), wire());
}
