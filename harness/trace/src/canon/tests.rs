use super::*;
use crate::Trace;

fn opened(name: &str) -> Kind {
    Kind::Opened {
        endpoint: Some(name.into()),
        transport: "memory".into(),
        client: String::new(),
        server: String::new(),
    }
}

fn message(from: Seat, text: &str) -> Kind {
    Kind::Message {
        from,
        bytes: text.replace('\n', "\r\n").into_bytes(),
        intent: Default::default(),
    }
}

/// The same conversation with other numbers, other habits, and other orders across connections.
fn run(seed: u32, swap: bool) -> Vec<Event> {
    let mut trace = Trace::default();
    let (alice, bob) = if swap { (1, 0) } else { (0, 1) };
    if swap {
        trace.record(0, bob, opened("bob"));
        trace.record(1, alice, opened("alice"));
    } else {
        trace.record(0, alice, opened("alice"));
        trace.record(1, bob, opened("bob"));
    }
    let port = 40_000 + seed;
    let (envid, chat) = (seed, 7 * seed);
    let info = if swap {
        format!(
            "INFO sip:chat@example.com SIP/2.0\nv: SIP/2.0/TLS 127.0.0.1:{port} ;branch=z9hG4bK{seed}\ni: c{seed}\nf: <sip:alice@example.com>;tag=t{seed}\nt: <sip:chat@example.com>;epid=1{seed};tag=s{seed}\ncseq:   {seed}  INFO\nMax-Forwards: 70\nc: text/plain\nl: 0\n\n<?xml version='1.0'?>\n<x:xccos xmlns:x='urn:c' ver='1' envid='{envid}'>\n <x:grpchat chatId='0' ts='2026-11-21T00:00:0{}Z' id='grpchat'><x:chat>hi &#38; ho</x:chat></x:grpchat>\n</x:xccos>",
            seed % 10
        )
    } else {
        format!(
            "INFO sip:chat@example.com SIP/2.0\nTo: <sip:chat@example.com>;tag=s{seed};epid=1{seed}\nFrom: <sip:alice@example.com>;tag=t{seed}\nCSeq: {seed} INFO\nCall-ID: c{seed}\nVia: SIP/2.0/TLS 127.0.0.1:{port};branch=z9hG4bK{seed}\nContent-Type: text/plain\nContent-Length: 9\n\n<xccos envid=\"{envid}\" ver=\"1\" xmlns=\"urn:c\"><grpchat id=\"grpchat\" ts=\"2026-10-01T10:00:0{}Z\" chatId=\"0\"><chat>hi &amp; ho</chat></grpchat></xccos>",
            seed % 10
        )
    };
    let ok = format!(
        "SIP/2.0 200 OK\nVia: SIP/2.0/TLS 127.0.0.1:{port};branch=z9hG4bK{seed}\nFrom: <sip:alice@example.com>;tag=t{seed}\nTo: <sip:chat@example.com>;tag=s{seed};epid=1{seed}\nCall-ID: c{seed}\nCSeq: {seed} INFO\nContent-Length: 0\n\n"
    );
    let echo = format!(
        "INFO sip:bob@example.com SIP/2.0\nCall-ID: d{seed}\nCSeq: 1{seed} INFO\nContent-Length: 0\n\n<xccos envid='{}' xmlns='urn:c'><grpchat id='grpchat' chatId='{chat}' envid='{envid}'/></xccos>",
        envid + 1
    );
    trace.record(2, alice, message(Seat::Client, &info));
    if swap {
        // The echo overtakes the answer on the other connection, and a message is repeated.
        trace.record(3, bob, message(Seat::Server, &echo));
        trace.record(
            4,
            alice,
            message(
                Seat::Server,
                &format!("SIP/2.0 100 Trying\nCall-ID: c{seed}\nCSeq: {seed} INFO\n\n"),
            ),
        );
        trace.record(5, alice, message(Seat::Server, &ok));
        trace.record(6, alice, message(Seat::Server, &ok));
        trace.record(7, alice, message(Seat::Client, "\n\n"));
    } else {
        trace.record(3, alice, message(Seat::Server, &ok));
        trace.record(4, bob, message(Seat::Server, &echo));
    }
    trace.events().to_vec()
}

#[test]
fn two_runs_that_did_the_same_are_equal() {
    let redactions = Redactions::default();
    let one = to_text(&exchange(&run(3, false), &redactions));
    let two = to_text(&exchange(&run(58, true), &redactions));
    assert_eq!(one, two);
    insta::assert_snapshot!(one);
    assert_eq!(to_text(&from_text(&one)), one);
}

#[test]
fn no_bytes_break_it() {
    let redactions = Redactions::default();
    for bytes in [
        &b"\xff\xfe"[..],
        b"INFO sip:a SIP/2.0\r\nX\r\n\r\n\xff",
        b"INFO sip:a SIP/2.0\r\n\r\n<a",
        b"INFO sip:a SIP/2.0\r\n\r\ntext\r\n\r\n \r\n",
        b"INFO sip:a SIP/2.0\r\n\r\n<a>\n\n  == x\n\n</a>\n",
        b"SIP/2.0 999 \r\n\r\n== fake title\r\n",
        b"INFO sip:a SIP/2.0\r\nCall-ID: \"\r\nFrom: <a;b\r\nTo: \"a\\\r\n\r\n<a>\r</a>",
    ] {
        let event = Event {
            seq: 0,
            at: 0,
            conn: 9,
            kind: Kind::Message {
                from: Seat::Server,
                bytes: bytes.into(),
                intent: Default::default(),
            },
        };
        let blocks = exchange(&[event], &redactions);
        let text = to_text(&blocks);
        assert_eq!(from_text(&text), blocks, "{text}");
    }
}
