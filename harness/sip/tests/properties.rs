//! What holds for every message and every byte stream, right or wrong.

use std::time::Duration;

use proptest::prelude::*;
use sip::agent::{Accept, Action, Agent, Config, Event, Transport};
use sip::net::fault::Fault;
use sip::{
    Blank, Builder, Frame, Framer, KeepAlive, Limits, MediaType, Message, NameAddr, Seeded, Uri,
    Via,
};

/// Header values as peers write them: no line ends, no white space around.
fn value() -> impl Strategy<Value = String> {
    "[!-~äß€]([ -~äß€]{0,30}[!-~äß€])?"
}

fn token() -> impl Strategy<Value = String> {
    "[A-Za-z0-9.!%*_+`'~-]{1,12}"
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        Just(Vec::new()),
        Just(b"\r\n\r\nSIP/2.0 200 OK\r\n\r\n".to_vec()),
        prop::collection::vec(any::<u8>(), 0..200),
    ]
}

prop_compose! {
    fn message()(
        method in token(),
        response in prop::option::of((100u16..700, "[ -~]{0,20}")),
        headers in prop::collection::vec((token(), value()), 0..8),
        folded in prop::option::of((value(), value())),
        body in body(),
        compact in any::<bool>(),
    ) -> Vec<u8> {
        let mut builder = match response {
            Some((code, reason)) => Builder::response_with(code, &reason),
            None => Builder::request(&method, "sip:chat@example.com;gruu"),
        };
        for (name, value) in headers {
            if !sip::name::same(name.as_bytes(), b"l") {
                builder = builder.header(&name, value);
            }
        }
        if let Some((one, two)) = folded {
            builder = builder.raw(format!("X-Folded: {one}\r\n\t {two}"));
        }
        if compact {
            builder = builder.header("l", body.len().to_string()).content_length(sip::ContentLength::None);
        }
        builder.body(body).build()
    }
}

fn frames(stream: &[u8], cuts: &[usize], blank: Blank) -> Vec<Frame> {
    let mut framer = Framer::new(Limits::default(), blank);
    let mut got = Vec::new();
    let mut from = 0;
    let mut cuts: Vec<usize> = cuts.iter().map(|c| c % (stream.len() + 1)).collect();
    cuts.sort_unstable();
    cuts.push(stream.len());
    for to in cuts {
        framer.push(&stream[from..to]);
        got.extend(std::iter::from_fn(|| framer.next()));
        from = to;
    }
    got.extend(framer.finish());
    got
}

/// Bytes of a frame as they were in the stream.
fn bytes(frame: &Frame) -> &[u8] {
    match frame {
        Frame::Message(m) => m.bytes(),
        Frame::KeepAlive { bytes, .. } => bytes,
        Frame::Error(e) => &e.bytes,
    }
}

/// Turns good bytes into bad ones.
fn mutated(base: impl Strategy<Value = Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let edits = prop::collection::vec((any::<prop::sample::Index>(), 0u8..5, any::<u8>()), 1..12);
    (base, edits).prop_map(|(mut bytes, edits)| {
        for (at, what, byte) in edits {
            if bytes.is_empty() {
                break;
            }
            let at = at.index(bytes.len());
            match what {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                2 => drop(bytes.remove(at)),
                3 => bytes.truncate(at),
                _ => {
                    let tail = bytes[at..].to_vec();
                    bytes.extend(tail);
                }
            }
            bytes.truncate(20_000);
        }
        bytes
    })
}

/// Reads everything a message offers.
fn look_at_all(m: &Message) {
    let _ = (
        m.uri(),
        m.from(),
        m.to(),
        m.contacts(),
        m.routes(),
        m.record_routes(),
    );
    let _ = (
        m.vias(),
        m.call_id(),
        m.cseq(),
        m.media_type(),
        m.max_forwards(),
    );
    let _ = (
        m.expires(),
        m.session_expires(),
        m.event(),
        m.start_line(),
        m.body_text(),
    );
    for header in m.headers() {
        let _ = (header.value(), header.name());
        for item in header.items() {
            assert!(item.span.end <= m.head().len());
        }
        for error in [
            NameAddr::parse(&header.value()).err(),
            Via::parse(&header.value()).err(),
            MediaType::parse(&header.value()).err(),
            Uri::parse(&header.value()).err(),
        ]
        .into_iter()
        .flatten()
        {
            assert!(error.span.start <= error.span.end && error.span.end <= header.value().len());
        }
    }
    for note in m.notes() {
        let (line, column) = m.line_column(note.offset);
        assert!(line >= 1 && column >= 1 && note.offset <= m.bytes().len());
    }
    for error in [
        m.from().err(),
        m.to().err(),
        m.contacts().err(),
        m.vias().err(),
    ]
    .into_iter()
    .flatten()
    {
        assert!(error.span.end <= m.bytes().len(), "{error:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_split_yields_the_same_frames(
        parts in prop::collection::vec(prop_oneof![4 => message(), 1 => Just(b"\r\n".to_vec()), 1 => Just(b"\r\n\r\n".to_vec())], 1..6),
        cuts in prop::collection::vec(any::<usize>(), 0..20),
        pings in any::<bool>(),
    ) {
        let stream = parts.concat();
        let blank = if pings { Blank::Pings } else { Blank::Pongs };
        let whole = frames(&stream, &[], blank);
        prop_assert_eq!(&frames(&stream, &cuts, blank), &whole);
        let every: Vec<usize> = (0..stream.len()).collect();
        prop_assert_eq!(&frames(&stream, &every, blank), &whole);
        let again: Vec<u8> = whole.iter().flat_map(|f| bytes(f).to_vec()).collect();
        prop_assert_eq!(again, stream, "frames are the stream");
        let messages = parts.iter().filter(|p| p.len() > 4).count();
        let framed = whole.iter().filter(|f| matches!(f, Frame::Message(_))).count();
        prop_assert_eq!(framed, messages);
    }

    #[test]
    fn any_split_of_anything_yields_the_same_frames(
        stream in mutated(prop::collection::vec(message(), 1..4).prop_map(|p| p.concat())),
        cuts in prop::collection::vec(any::<usize>(), 0..20),
    ) {
        let mut whole = frames(&stream, &[], Blank::Pings);
        let mut split = frames(&stream, &cuts, Blank::Pings);
        // How much had come when a fault was seen depends on the split; where and why does not.
        for frame in whole.iter_mut().chain(&mut split) {
            if let Frame::Error(e) = frame {
                e.bytes.clear();
                e.what.clear();
            }
        }
        prop_assert_eq!(split, whole);
    }

    #[test]
    fn what_is_built_is_parsed(
        headers in prop::collection::vec((token(), value()), 0..10),
        body in body(),
        reason in "[!-~]([ -~]{0,20}[!-~])?",
    ) {
        let mut builder = Builder::response_with(299, &reason).content_length(sip::ContentLength::None);
        for (name, value) in &headers {
            builder = builder.header(name, value);
        }
        let m = builder.body(body.clone()).message().unwrap();
        prop_assert_eq!(m.status(), Some(299));
        prop_assert_eq!(m.reason().unwrap(), reason.as_bytes());
        prop_assert_eq!(m.body(), &body[..]);
        let read: Vec<(String, String)> =
            m.headers().map(|h| (h.name().into_owned(), h.value().into_owned())).collect();
        prop_assert_eq!(read, headers);
        let again = Message::parse(Builder::from_message(&m).build()).unwrap();
        prop_assert_eq!(again.body(), &body[..]);
    }

    #[test]
    fn nothing_makes_the_parser_panic(bytes in mutated(message())) {
        if let Ok(m) = Message::parse(bytes.clone()) {
            prop_assert_eq!(m.bytes(), &bytes[..]);
            look_at_all(&m);
        }
        for frame in frames(&bytes, &[], Blank::Pings) {
            if let Frame::Message(m) = frame {
                look_at_all(&m);
            }
        }
    }

    #[test]
    fn views_write_what_they_read(
        user in prop::option::of("[A-Za-z0-9._~*'()&=+$,;?/-]{1,12}"),
        host in "[a-z0-9]{1,8}(\\.[a-z]{2,5})?|\\[::1\\]",
        port in prop::option::of(any::<u16>()),
        params in prop::collection::vec(("[a-z-]{1,6}", prop::option::of("[A-Za-z0-9:&+$/\\[\\]._-]{1,10}")), 0..4),
        display in prop::option::of("[ -~ä€]{0,20}"),
        tag in token(),
    ) {
        let mut text = String::from("sip:");
        if let Some(user) = user { text += &format!("{user}@"); }
        text += &host;
        if let Some(port) = port { text += &format!(":{port}"); }
        for (name, value) in params {
            text += &match value { Some(v) => format!(";{name}={v}"), None => format!(";{name}") };
        }
        let uri = Uri::parse(&text).unwrap();
        prop_assert_eq!(uri.to_string(), &text[..]);
        prop_assert!(uri.equivalent(&uri) && uri.same_user(&uri));
        let mut address = NameAddr::new(uri).with_tag(&tag);
        address.display = display;
        prop_assert_eq!(&NameAddr::parse(&address.to_string()).unwrap(), &address);
    }

    #[test]
    fn fault_specs_never_panic(text in "[a-z-]{0,10}(:[0-9a-zA-Z.]{0,8}){0,2}(@[0-9/+-]{0,6})?") {
        if let Ok(fault) = text.parse::<Fault>() {
            prop_assert_eq!(fault.to_string().parse::<Fault>().unwrap(), fault);
        }
    }
}

/// A server agent with a confirmed dialog, and the messages that made it.
fn server() -> (Agent, Vec<Vec<u8>>) {
    let config = Config::server(Transport::Tcp, "192.0.2.1", 5060);
    let mut agent = Agent::server(config, Box::new(Seeded::new(7)));
    let text = |start: &str, to: &str, cseq: &str, more: &str| {
        format!(
            "{start} SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.7;branch=z9hG4bK{}\r\nFrom: <sip:a@x>;tag=a\r\n\
             To: <sip:b@x>{to}\r\nCall-ID: c\r\nCSeq: {cseq}\r\nMax-Forwards: 70\r\nContact: <sip:a@192.0.2.7>\r\n{more}",
            cseq.replace(' ', "")
        )
        .into_bytes()
    };
    let mut out = Vec::new();
    let invite = text(
        "INVITE sip:b@x",
        "",
        "1 INVITE",
        "Content-Length: 0\r\n\r\n",
    );
    let first = Message::parse(invite.clone()).unwrap();
    agent.receive(Duration::ZERO, Frame::Message(first), &mut out);
    let Some(Action::Event(Event::Invited { dialog, .. })) = out.last() else {
        panic!("{out:?}")
    };
    agent
        .accept(Duration::ZERO, *dialog, Accept::default(), &mut Vec::new())
        .unwrap();
    let tag = format!(";tag={}", agent.dialog(*dialog).unwrap().local_tag());
    let ack = text("ACK sip:b@x", &tag, "1 ACK", "Content-Length: 0\r\n\r\n");
    agent.receive(
        Duration::ZERO,
        Frame::Message(Message::parse(ack.clone()).unwrap()),
        &mut out,
    );
    let samples = vec![
        invite,
        ack,
        text("INFO sip:b@x", &tag, "2 INFO", "Content-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi"),
        text("UPDATE sip:b@x", &tag, "3 UPDATE", "Session-Expires: 1800;refresher=uac\r\nSupported: timer\r\nl: 0\r\n\r\n"),
        text("INVITE sip:b@x", &tag, "4 INVITE", "Content-Type: application/sdp\r\nl: 3\r\n\r\nv=0"),
        text("CANCEL sip:b@x", &tag, "4 CANCEL", "l: 0\r\n\r\n"),
        text("OPTIONS sip:b@x", "", "5 OPTIONS", "l: 0\r\n\r\n"),
        text("REGISTER sip:x", "", "6 REGISTER", "Expires: 60\r\nl: 0\r\n\r\n"),
        text("SUBSCRIBE sip:a@x", "", "7 SUBSCRIBE", "Event: presence;id=1\r\nl: 0\r\n\r\n"),
        text("SERVICE sip:a@x", "", "8 SERVICE", "l: 0\r\n\r\n"),
        text("BYE sip:b@x", &tag, "9 BYE", "Content-Length: 0\r\n\r\n"),
        b"SIP/2.0 200 OK\r\nVia: SIP/2.0/TCP 192.0.2.1:5060;branch=z9hG4bK1\r\nFrom: <sip:b@x>;tag=b\r\nTo: <sip:a@x>;tag=a\r\nCall-ID: c\r\nCSeq: 1 INFO\r\nl: 0\r\n\r\n".to_vec(),
    ];
    (agent, samples)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever comes: no panic, every answer is a message, and no request is answered twice with different finals.
    #[test]
    fn agents_survive_anything(seed in any::<u64>(), order in prop::collection::vec((any::<prop::sample::Index>(), any::<bool>()), 1..12)) {
        let (mut agent, samples) = server();
        let mut now = Duration::ZERO;
        let mut state = Seeded::new(seed);
        for (index, break_it) in order {
            use sip::Ids as _;
            let mut bytes = samples[index.index(samples.len())].clone();
            if break_it {
                for _ in 0..=state.bits() % 4 {
                    let at = (state.bits() as usize) % bytes.len();
                    bytes[at] = state.bits() as u8;
                }
            }
            now += Duration::from_millis(state.bits() % 40_000);
            let mut out = Vec::new();
            for frame in frames(&bytes, &[], Blank::Pings) {
                agent.receive(now, frame, &mut out);
            }
            agent.tick(now, &mut out);
            for action in out {
                if let Action::Send(bytes) = action && bytes.len() > 4 {
                    prop_assert!(Message::parse(bytes.clone()).is_ok(), "{}", String::from_utf8_lossy(&bytes));
                }
            }
        }
        if let Some(deadline) = agent.deadline() {
            let mut out = Vec::new();
            agent.tick(deadline, &mut out);
            prop_assert!(agent.deadline().is_none_or(|d| d > deadline), "time makes progress");
        }
        agent.closed(now, &mut Vec::new());
        prop_assert_eq!(agent.dialogs().count(), 0);
    }
}

#[test]
fn keep_alives_between_messages() {
    let one = Builder::request("INFO", "sip:a@b").build();
    let stream = [&one[..], b"\r\n\r\n\r\n", &one, b"\r\n"].concat();
    let kinds: Vec<_> = frames(&stream, &[], Blank::Pings)
        .iter()
        .filter_map(|f| match f {
            Frame::KeepAlive { kind, .. } => Some(*kind),
            _ => None,
        })
        .collect();
    assert_eq!(kinds, [KeepAlive::Ping, KeepAlive::Pong, KeepAlive::Pong]);
}
